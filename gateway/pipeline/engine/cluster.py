"""The engine of several machines: every process is equal, PostgreSQL is what they share. Documents' state lies in our tables alone; three
things wake a process, each slower and surer than the one before:

    a job       Procrastinate tells of it within milliseconds of the commit          (job_listener.py, store.jobs)
    a poke      every process looks at the table of pokes each second
    the sweep   one process looks for open work every five seconds, and at its start

A stream is served by one process at a time: it sits down at it (store.seats), takes its pokes away, serves it, rises, and looks whether a
poke came meanwhile. Mailboxes and timers are claimed (holdings.py). A heartbeat keeps seat, claims and clock; processes that fall silent
are buried by the others, who go on with their work.
"""

import math
import os
import platform
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import timedelta

import structlog
from sqlalchemy import Connection

from gateway import __version__
from gateway.config import ConfigTrouble
from gateway.pipeline.engine.claims import MACHINE
from gateway.pipeline.engine.claims import POLL
from gateway.pipeline.engine.claims import Holdings
from gateway.pipeline.engine.clocks import Clocks
from gateway.pipeline.engine.job_listener import JobListener
from gateway.pipeline.engine.local import HUNG
from gateway.pipeline.engine.port import SENDING
from gateway.pipeline.engine.port import Health
from gateway.pipeline.engine.port import Step
from gateway.pipeline.engine.turn import Serving
from gateway.pipeline.outbound.senders import Senders
from gateway.pipeline.outbox import leases
from gateway.pipeline.shared_clock import SharedClock
from gateway.pipeline.station import Station
from gateway.store import crash
from gateway.store import streams
from gateway.store.database import DatabaseTrouble
from gateway.store.moments import database_now
from gateway.store.watching import troubles
from gateway.store.working import jobs
from gateway.store.working import seats
from gateway.store.working import sweep
from gateway.store.working.nodes import Node
from gateway.store.working.seats import Seats

#: seconds between two looks at the pokes
LOOK = 1.0
SWEEP = 5.0
#: seconds that steps under way get when the process is told to stop
LAST_STEPS = 4.0
#: seconds before a stream is looked at again whose poke a transaction under way still leans on
LEANED_ON = 0.01
#: after so long a machine that did not come back is thought to be gone for good
FORGOTTEN = timedelta(days=1)

_log = structlog.get_logger("cluster")


class ClusterEngine:
    """One process of a cluster. `steps` says by the stream's first word what serves it; streams that start with a word of `sending` are
    served in threads of their own."""

    def __init__(
        self, station: Station, steps: Mapping[str, Step], *, role: str = "worker", sending: frozenset[str] = SENDING, look: float = LOOK
    ) -> None:
        pace = station.installation.settings.cluster
        self._station = station
        self._steps = steps
        self._sending = sending
        self._look = look
        self._heartbeat = pace.heartbeat
        self._silence = timedelta(seconds=pace.silence)
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._serving = Serving(station, steps, self._stopping)
        self._senders = Senders(self._send, leases.beat)
        # no server of a partner's can hang here: a step that takes long is only a large one, and has its next turn like any other
        self._workers = Senders(self._work, share=pace.threads, busy=pace.threads, limit=pace.threads, slow=math.inf)
        self._clocks = Clocks(station, self._stopping)
        self._seats = Seats(station.database, self._silence)
        now = station.clock()
        node = Node(id=station.node, host=platform.node(), process=os.getpid(), role=role, version=__version__, started_at=now, beat_at=now)
        self._holdings = Holdings(station, node, pace.heartbeat, pace.silence)
        station.permits.share(station.database, station.node, self._silence)
        self._listener = JobListener(station.database.url, self._offer, pace.heartbeat)
        self._turns: dict[str, Future[None]] = {}
        self._guard = threading.Lock()
        self._ended = threading.Event()
        self._beating: threading.Thread | None = None
        self._draining = False
        self._turned = time.monotonic()
        # a process that freezes within a transaction must not keep its streams closed
        station.database.freeze_after(self._silence, station.node)

    # ------------------------------------------------------------ the port

    def poke(self, connection: Connection, stream: str) -> None:
        streams.poke(connection, stream)

    def wake(self) -> None:
        """Look at the pokes now."""
        self._woken.set()

    def every(self, name: str, seconds: float, work: Callable[[], None], *, each_process: bool = False) -> None:
        if each_process:
            self._clocks.every(name, seconds, work)
        else:
            self._clocks.every(name, seconds, work, lambda: self._holdings.mine(f"clock:{name}"))

    def poller(self, name: str, seconds: float, look: Callable[[], bool]) -> None:
        key = f"{POLL}{name}"
        self._holdings.expect(key)
        self._clocks.poller(name, seconds, look, self.wake, lambda: self._holdings.mine(key))

    def end_poller(self, name: str) -> None:
        self._clocks.end_poller(name)
        self._holdings.expect_no_more(f"{POLL}{name}")

    @contextmanager
    def exclusive(self, key: str, seconds: float) -> Iterator[bool]:
        """A claim for the length of the block, prolonged by the heartbeat; given back at the end."""
        token = self._holdings.begin(key, seconds)
        try:
            yield token is not None
        finally:
            if token is not None:
                self._holdings.end(key, token)

    def health(self) -> Health:
        return Health(
            engine="cluster",
            serving=self._beating is not None and not self._stopping.is_set() and time.monotonic() - self._turned < HUNG,
            nodes=len(self._holdings.alive),
            claims=self._holdings.held(),
        )

    def run(self) -> None:
        """Serve until `stop`: jobs as they come, pokes each second, what a sweep finds."""
        self._join_patiently()
        try:
            self.every("sweep", SWEEP, self.sweep)
            self._clocks.start()
            self._listener.start()
            swept = False
            while not self._stopping.is_set():
                self._turned = time.monotonic()
                try:
                    if not swept:
                        self.sweep()
                        swept = True
                    self._offer_poked()
                except DatabaseTrouble as error:
                    _log.error("database", error=str(error))
                self._woken.wait(self._look)
                self._woken.clear()
        finally:
            self._finish()

    def drain(self, timeout: float = 300.0) -> None:
        """Work until nothing is due any more: what a command does where no process runs. Raises TimeoutError."""
        end = time.monotonic() + timeout
        self._draining = True
        if self._beating is None:
            self._join()
        self.sweep()
        while time.monotonic() < end:
            idle = self._senders.idle() and self._workers.idle()
            if not self._offer_poked() and idle:
                return
            self._woken.wait(LEANED_ON)
            self._woken.clear()
        raise TimeoutError(f"There is still work after {timeout:.0f} seconds")

    def stop(self) -> None:
        self._stopping.set()
        self._woken.set()

    def close(self) -> None:
        """Let go of the threads of an engine that only drained, and of its place among the nodes."""
        self._finish()

    def idle(self) -> bool:
        """Whether no thread of ours runs any more, also none that hangs at a partner's server."""
        return self._clocks.idle() and self._senders.idle() and self._workers.idle()

    def sweep(self) -> None:
        """Poke every stream with open work: nothing depends on a poke, or a job, having survived."""
        with self._station.database.begin() as connection:
            sweep.poke_all(connection, self._station.clock())
        self._woken.set()

    # ------------------------------------------------------------ a process among others

    def _join(self) -> None:
        """Become one of the nodes: what makes us one is there, and our heart beats."""
        with self._station.database.begin() as connection:
            jobs.install(connection)
        if not self._seats.has(seats.ENGINE) and not self._seats.sit(seats.ENGINE, shared=True):
            raise ConfigTrouble(
                "A service with `engine: local` works on this database: stop it, then write `engine: cluster` into the config.yaml of every machine"
            )
        self._beat()
        self._beating = threading.Thread(target=self._keep_beating, name="heartbeat", daemon=True)
        self._beating.start()

    def _join_patiently(self) -> None:
        while not self._stopping.is_set():
            try:
                self._join()
            except DatabaseTrouble as error:
                if not error.retry:
                    raise
                _log.warning("waiting for the database", error=str(error))
                self._stopping.wait(self._look)
            else:
                return

    def _keep_beating(self) -> None:
        while not self._ended.wait(self._heartbeat):
            try:
                self._beat()
            except DatabaseTrouble as error:
                _log.warning("heartbeat failed", error=str(error))
                # others may be given what we did not prolong
                self._station.permits.look()
            except Exception:  # noqa: BLE001  without a heart the process would be thought dead while it works
                _log.exception("heartbeat failed")

    def _beat(self) -> None:
        station = self._station
        station.permits.look_first()
        try:
            self._seats.keep()
        except DatabaseTrouble as error:
            _log.warning("seats lost", error=str(error))
        if not self._seats.has(seats.ENGINE) and not self._seats.sit(seats.ENGINE, shared=True):
            _log.error("a service with `engine: local` has begun to work on this database", cure="stop it, and start this process again")
            self.stop()
        dead = self._holdings.beat()
        if isinstance(station.clock, SharedClock):
            station.clock.set()
        with station.database.read() as connection:
            standing = troubles.standing(connection)
            installed = jobs.is_installed(connection)
            now = database_now(connection)
        self._serving.know(frozenset(trouble.name for trouble in standing))
        for trouble in standing:
            if trouble.kind == MACHINE and now - trouble.since > FORGOTTEN:
                with station.database.begin() as connection:
                    troubles.is_over(connection, trouble.name)
                    troubles.forget_machine(connection, trouble.name.removeprefix(f"{MACHINE} "))
        if not installed:
            with station.database.begin() as connection:
                jobs.install(connection)
        if dead:
            with station.database.begin() as connection:
                jobs.forget_left_over(connection, self._silence)
            self.sweep()

    def _finish(self) -> None:
        self._stopping.set()
        self._station.permits.end()
        end = time.monotonic() + LAST_STEPS
        self._listener.stop(LAST_STEPS / 4)
        self._clocks.stop(end)
        late = self._senders.stop(end) + self._workers.stop(end)
        self._ended.set()
        if self._beating is not None:
            self._beating.join(1.0)
        try:
            if late:
                # what they hold is theirs until they are silent for long enough: a thread that hangs may still send
                _log.warning("steps were cut off, others go on with them", streams=late)
            else:
                self._pass_on([stream for stream in self._seats.taken() if stream != seats.ENGINE])
                self._holdings.leave()
                if self._draining:
                    with self._station.database.begin() as connection:
                        jobs.forget_waiting(connection)
        except DatabaseTrouble as error:
            _log.warning("not signed off", error=str(error), cure="the others find it out by themselves")
        self._seats.close()

    def _pass_on(self, unfinished: list[str]) -> None:
        """Streams that would have had another turn here: the others go on at once."""
        with self._station.database.begin() as connection:
            for stream in unfinished:
                self._seats.rise(stream)
                streams.poke(connection, stream)

    # ------------------------------------------------------------ streams

    def _offer_poked(self) -> bool:
        station = self._station
        with station.database.read() as connection:
            poked = streams.poked(connection, station.clock())
        for stream in poked:
            self._offer(stream)
        return bool(poked)

    def _offer(self, stream: str) -> "Future[None]":
        """Have a stream served as soon as a thread is free; done when it had its turn, or at once where it is sent from."""
        kind = stream.partition(":")[0]
        turn: Future[None] = Future()
        if kind in self._sending:
            self._senders.start(stream)
        elif kind in self._steps and not self._stopping.is_set():
            with self._guard:
                turn = self._turns.setdefault(stream, turn)
            self._workers.start(stream)
            return turn
        turn.set_result(None)
        return turn

    def _send(self, stream: str) -> None:
        if self._turn(stream):
            self._senders.start(stream)

    def _work(self, stream: str) -> None:
        with self._guard:
            waiting = self._turns.pop(stream, None)
        if waiting is not None and not waiting.set_running_or_notify_cancel():
            waiting = None  # its job was let go: we are stopping, or the database is away
        try:
            if self._turn(stream):
                self._workers.start(stream)
        finally:
            if waiting is not None:
                waiting.set_result(None)
            if self._draining:
                self._woken.set()

    def _turn(self, stream: str) -> bool:
        """Sit down, serve, rise. True when the stream is to have another turn here."""
        again = False
        try:
            if not self._seats.has(stream) and not self._seats.sit(stream):
                return False  # whoever sits there looks at the pokes after rising
            try:
                leaned_on = self._unpoke(stream)
                crash.point(100)
                again = self._serving.turn(stream)
                crash.point(103)
                if again and not self._stopping.is_set():
                    return True
            finally:
                if not again or self._stopping.is_set():
                    self._seats.rise(stream)
            if again:
                self._pass_on([stream])
                return False
            with self._station.database.read() as connection:
                again = streams.is_poked(connection, stream, self._station.clock())
            if again and leaned_on:
                time.sleep(LEANED_ON)
        except DatabaseTrouble as error:
            _log.warning("turn failed", stream=stream, error=str(error))
            return False
        return again and not self._stopping.is_set()

    def _unpoke(self, stream: str) -> bool:
        """Take the pokes away; true where one stays because a transaction under way leans on it."""
        now = self._station.clock()
        with self._station.database.begin() as connection:
            streams.unpoke(connection, stream, now)
            return streams.is_poked(connection, stream, now)
