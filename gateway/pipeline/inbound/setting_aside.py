"""A file at which our own step fails again and again: it is set aside for a person, and the files behind it go on.

Only where the fault lies in the file and our program together. A database, an archive or a disk that is away fails every file: that is
waited for, and nothing is set aside.
"""

import time
from dataclasses import dataclass
from dataclasses import field

import structlog

from gateway.kinds import file as kinds
from gateway.pipeline.endpoints import only_owner
from gateway.pipeline.inbound.elsewhere import ReadingFailed
from gateway.pipeline.inbound.entries import transmission_ended
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.store import journal
from gateway.store import streams
from gateway.store.incoming import holds
from gateway.store.incoming import transmissions
from gateway.store.incoming.transmissions import Transmission

#: a file is set aside after so many tries, the first of them so many seconds ago
TRIES = 5
SECONDS = 30.0

_log = structlog.get_logger("inbound")


@dataclass(slots=True)
class Tries:
    """How often each file failed in this process, and since when."""

    _failed: dict[str, tuple[int, float]] = field(default_factory=dict)

    def failed(self, transmission: str) -> bool:
        """Count a failure; true when it was one too many."""
        count, since = self._failed.get(transmission, (0, time.monotonic()))
        self._failed[transmission] = (count + 1, since)
        return count + 1 >= TRIES and time.monotonic() - since >= SECONDS

    def forget(self, transmission: str) -> None:
        """It went well, or is set aside."""
        self._failed.pop(transmission, None)


def failed(transmission: Transmission, error: Exception) -> Problem:
    """A file at which a step of ours fails."""
    # what another process failed with is told as if it had been this one
    name, said = (error.name, error.words) if isinstance(error, ReadingFailed) else (type(error).__name__, str(error))
    words = f"'{transmission.name}' could not be worked on, however often it was tried: {name}: {said}"
    return kinds.STEP_FAILED.at(NOWHERE, words, found=name)


def died(transmission: Transmission, deaths: int) -> Problem:
    """A file at which the whole process ends."""
    words = f"'{transmission.name}' could not be worked on: the program ended at it without a word, {deaths} times in a row"
    return kinds.STEP_DIED.at(NOWHERE, words)


def set_aside(station: Station, stream: str, transmission: Transmission, problem: Problem, error: Exception | None = None) -> bool:
    """Hold a file that cannot be worked on; false where another worker has it. What was taken of it stays, and a release goes on from there."""
    with station.database.begin() as connection:
        if not streams.take(connection, stream):
            return False
        now = station.clock()
        partner = transmission.partner or only_owner(station.installation.directory, transmission.endpoint)
        problems = (*transmission.problems, problem)
        if not transmissions.set_state(connection, transmission.id, transmission.state, "held", partner=partner, problems=problems):
            return False
        hold = holds.Hold(
            id=short_id("H", transmission.id, now.isoformat()), transmission=transmission.id, kind="failure", reasons=(problem,), opened_at=now
        )
        holds.open_hold(connection, hold)
        journal.append(connection, [transmission_ended(transmission, "held", (problem,), now, partner=partner)])
        # where a person has it tried again, deaths are counted anew
        station.heads.forget(connection, stream, station.node)
    _log.error(
        "file set aside",
        partner=partner or "",
        endpoint=transmission.endpoint,
        name=transmission.name,
        hold=hold.id,
        error=problem.found or problem.code,
        cure=(kinds.STEP_DIED if problem.code == kinds.STEP_DIED.code else kinds.STEP_FAILED).cure,
        exc_info=error,
    )
    return True
