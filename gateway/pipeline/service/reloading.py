"""Configuration while the service runs: the files are glanced at every second; what changed is read and checked apart, and put in force as
one value once it stands still. A file that is wrong keeps what it said before and stands among the troubles until it is mended.

A step under way finishes with what it began with. Written down before it holds: the journal first, then the file that the web process
follows, then the swap.
"""

import threading
import time
from collections.abc import Callable
from collections.abc import Container
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from gateway.config.held import Held
from gateway.pipeline.service import in_force
from gateway.pipeline.service.in_force import InForce
from gateway.pipeline.service.in_force import Lead
from gateway.pipeline.service.reading_anew import Attempt
from gateway.pipeline.service.reading_anew import changes
from gateway.pipeline.service.reading_anew import glance
from gateway.pipeline.service.reading_anew import read_anew
from gateway.pipeline.station import Station
from gateway.pipeline.troubles import Standing
from gateway.store import journal
from gateway.store.database import DatabaseTrouble
from gateway.store.outgoing import circuits
from gateway.store.outgoing import outbox
from gateway.store.watching import troubles
from gateway.yaml_source import Fault

GLANCE_EVERY = 1.0
#: a glance at very many files waits so many times as long as it took
_SHARE = 50
MEND = "Mend the file: it is read again by itself. Until then the gateway works with what stood there before."
RESTART = "It holds from the next start of the service on."
_STREAM = "configuration"
_FACTS = 200
_log = structlog.get_logger("configuration")


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants the files read, and why."""

    actor: str
    reason: str
    request: str = ""


class Reloading:
    """Keeps what is in force in step with the files; `swapped` is called after each swap, with whether somebody asked for it."""

    def __init__(self, station: Station, held: Held, swapped: Callable[[bool], None], node: str = "", *, leads: bool = True) -> None:
        """`leads`: it writes down what is in force for its web process, and answers commands, for as long as it lives. Others follow the files,
        and do the same only where nobody leads on their machine."""
        self._station = station
        self._held = held
        self._swapped = swapped
        self._node = f" on {node}" if node else ""
        self._lead = Lead(station.installation.data, stays=leads)
        #: settings that the service began with
        self._running = station.installation.settings
        self._path = in_force.path_in(station.installation.data)
        self._began = held.config
        self._asked = threading.Event()
        self._handled = self._glance()
        self._pending: dict[str, str] | None = None
        self._not_before = 0.0
        self._troubles: dict[str, Standing] = {}
        #: a request that the database kept us from answering
        self._unanswered: Asked | None = None
        try:
            with self._lead.taken() as leads:
                self._now = self._begin(leads)
        except BaseException:
            # whoever tries it once more must not wait for us
            self._lead.close()
            raise

    @property
    def held(self) -> Held:
        """What is in force."""
        return self._held

    def ask(self) -> None:
        """Read the files anew at the next stroke, whether they look changed or not (SIGHUP)."""
        self._asked.set()

    def look(self) -> None:
        """Called every second: whether anything changed, and if so what came of it."""
        with self._lead.taken() as leads:
            self._look(leads)

    def _look(self, leads: bool) -> None:
        asked = self._who_asked(leads)
        if asked is None:
            if time.monotonic() < self._not_before:
                return
            seen = self._glance()
            if seen == self._handled:
                self._pending = None
                return
            if seen != self._pending:
                # somebody may still be writing: what stands still for a stroke is whole
                self._pending = seen
                return
            asked = Asked("gateway", "files changed")
        else:
            seen = self._glance()
        try:
            self._read(asked, seen, leads)
        except DatabaseTrouble:
            # who asked still waits for an answer: the next stroke tries it again
            self._unanswered = asked if asked.reason != "files changed" else None
            raise
        # what the new files name is looked at from now on; what changed since this glance is seen at the next one
        self._handled = {name: seen.get(name, state) for name, state in self._glance().items()} | {
            name: state for name, state in seen.items() if not name.startswith("/")
        }
        self._pending = None

    def _who_asked(self, leads: bool) -> Asked | None:
        if (unanswered := self._unanswered) is not None:
            self._unanswered = None
            return unanswered
        request = in_force.take_request(self._station.installation.data) if leads else None
        if request is not None:
            return Asked(request.actor, "gateway reload", request.id)
        if self._asked.is_set():
            self._asked.clear()
            return Asked("system", "SIGHUP")
        return None

    def _glance(self) -> dict[str, str]:
        began = time.monotonic()
        seen = glance(self._station.installation, self._station.installation.file)
        ended = time.monotonic()
        self._not_before = ended + _SHARE * (ended - began)
        return seen

    def _begin(self, leads: bool) -> InForce:
        """What the service begins with, written down; the journal is told where it is other than when the last one ended."""
        before = in_force.read(self._path) if leads else None
        if before is not None and before.held != self._held:
            different = tuple(changes(before.held, self._held, self._station.installation.file.name))
            with self._station.database.begin() as connection:
                self._enter(connection, Asked("gateway", "start"), different)
        now = InForce(
            number=before.number + 1 if before is not None else 1,
            since=self._station.clock(),
            config=self._held.config,
            texts=dict(self._held.texts),
            began=self._began,
        )
        if leads:
            in_force.write(self._path, now)
        return now

    def _read(self, asked: Asked, seen: dict[str, str], leads: bool) -> None:
        station = self._station
        found = read_anew(station.current.loaded, self._held, self._running)
        named = sorted(name for name in seen.keys() | self._handled.keys() if name.startswith("/"))
        keys = tuple((name, "changed") for name in named if seen.get(name) != self._handled.get(name))
        different = (*found.changed, *keys)
        self._tell(found)
        if different:
            with station.database.begin() as connection:
                self._enter(connection, asked, different)
                _forget_removed(connection, found.loaded.installation.directory.partners.keys())
        if different or asked.request or found.faults or self._now.faults:
            self._write_down(found, asked, different, leads)
        if different:
            station.current.loaded = found.loaded
            self._held = found.held
            _log.info("configuration changed", files=len(different), faults=len(found.faults), by=asked.actor)
        if different or asked.reason != "files changed":
            # what waits because something was wrong is tried at once
            with station.database.begin() as connection:
                outbox.try_now(connection, station.clock())
                if asked.reason != "files changed":
                    circuits.forget_all(connection)
            self._swapped(asked.reason != "files changed")

    def _write_down(self, found: Attempt, asked: Asked, different: tuple[tuple[str, str], ...], leads: bool) -> None:
        self._now = InForce(
            number=self._now.number + 1,
            since=self._station.clock() if different else self._now.since,
            changed=tuple(name for name, _ in different) if different else self._now.changed,
            config=found.held.config,
            texts=dict(found.held.texts),
            began=self._began,
            faults=tuple(_line(fault) for fault in found.faults),
            restart=found.restart,
            request=asked.request,
        )
        if leads:
            in_force.write(self._path, self._now)

    def _enter(self, connection: Connection, asked: Asked, different: tuple[tuple[str, str], ...]) -> None:
        facts = dict(different[:_FACTS])
        if len(different) > _FACTS:
            facts["further files"] = str(len(different) - _FACTS)
        entry = journal.Entry(
            stream=_STREAM,
            at=self._station.clock(),
            actor=asked.actor,
            action="configuration changed",
            subject_kind="configuration",
            subject=self._station.installation.file.name + self._node,
            reason=asked.reason,
            facts=facts,
        )
        journal.append(connection, [entry])

    def _tell(self, found: Attempt) -> None:
        """The faults as troubles, one a file; those that are mended go."""
        wrong: dict[str, list[Fault]] = {}
        for fault in found.faults:
            wrong.setdefault(fault.file, []).append(fault)
        told = {name: "\n".join(_line(fault) for fault in faults) for name, faults in wrong.items()}
        for name, error in told.items():
            if name not in self._troubles:
                _log.error("configuration not taken", file=name, error=error, cure=MEND)
                partner = next((id for id, one in self._station.installation.directory.partners.items() if one.file == name), None)
                self._troubles[name] = Standing(self._station, "configuration", name + self._node, partner)
            self._troubles[name].stands(error, MEND, stopped=True)
        restart = f"restart needed{self._node}"
        if found.restart:
            standing = self._troubles.setdefault(restart, Standing(self._station, "configuration", restart))
            standing.stands("\n".join(found.restart), RESTART, stopped=True)
        for name in self._troubles.keys() - told.keys() - ({restart} if found.restart else set()):
            self._troubles[name].is_over()
            if not self._troubles[name].is_standing:  # else its end could not be written down: the next reading tries again
                del self._troubles[name]


def _line(fault: Fault) -> str:
    """A fault without the line that it stands in: somebody may have written a password there."""
    return f"{fault.file}:{fault.line}:{fault.column}: {fault.message}"


def _forget_removed(connection: Connection, partners: Container[str]) -> None:
    """Troubles with sending to partners that are no more are nobody's."""
    for trouble in troubles.standing(connection):
        if trouble.kind == "sending" and trouble.partner is not None and trouble.partner not in partners:
            troubles.is_over(connection, trouble.name)
