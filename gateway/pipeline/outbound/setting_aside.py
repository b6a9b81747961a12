"""Rows over which a step of ours fails before anything of them leaves: tried one by one, and one that fails alone again and again rests in `dead`
for a person, as what cannot be written does; the others go on.
"""

from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from gateway.kinds import pipeline as kinds
from gateway.pipeline.outbox import given_up
from gateway.pipeline.outbox.recording import entry_of
from gateway.pipeline.station import Station
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.store import journal
from gateway.store import streams
from gateway.store.database import when_written
from gateway.store.outgoing import precedence
from gateway.store.outgoing import tries
from gateway.store.outgoing.outbox import Entry

#: seconds before the second, third, ... try; after the last one it is set aside
WAITS = (2, 5, 10, 15)

_log = structlog.get_logger("outbound")


def only_the_first(connection: Connection, claimed: list[Entry], token: str) -> list[Entry]:
    """What is tried alone of what was claimed: the first row, with those that were given its interchange; the others are given back."""
    kept = [entry for entry in claimed if _goes_with(entry, claimed[0])]
    rest = [entry.id for entry in claimed if not _goes_with(entry, claimed[0])]
    if rest:
        tries.unclaim(connection, rest, token)
    return kept


def fail_one(station: Station, stream: str, error: Exception, token: str) -> None:
    """The step failed over what is held under a token. Whose fault it is shows when each is tried alone; then it counts."""
    name = type(error).__name__
    problem = kinds.STEP_FAILED.at(NOWHERE, f"it could not be made ready to leave: {name}: {error}", found=name)
    with station.database.begin() as connection:
        held = tries.under(connection, token)
        alone = only_the_first(connection, held, token) if held else []
        now = station.clock()
        if len(alone) < len(held):
            tries.unclaim(connection, [entry.id for entry in alone], token)
            station.heads.suspect(stream)
        elif alone and alone[0].attempts > len(WAITS):
            _put_by(station, connection, alone, problem, token)
        elif alone:
            wait = timedelta(seconds=WAITS[alone[0].attempts - 1])
            tries.failed(connection, [entry.id for entry in alone], token, now + wait, problem.message)
    _log.error("rows not made ready", stream=stream, rows=[entry.id for entry in held], error=name, exc_info=error)


def give_up_the_first(station: Station, first: Entry, deaths: int, token: str) -> None:
    """Process after process ended at a row before anything of it left."""
    words = f"it could not be made ready to leave: the program ended at it without a word, {deaths} times in a row"
    problem = kinds.STEP_DIED.at(NOWHERE, words)
    with station.database.begin() as connection:
        held = tries.under(connection, token)
        alone = [entry for entry in held if _goes_with(entry, first)]
        rest = [entry.id for entry in held if not _goes_with(entry, first)]
        if rest:
            tries.unclaim(connection, rest, token)
        if alone:
            _put_by(station, connection, alone, problem, token)
        station.heads.forget(connection, first.stream, station.node)


def _put_by(station: Station, connection: Connection, rows: list[Entry], problem: Problem, token: str) -> None:
    now = station.clock()
    tries.dead(connection, [entry.id for entry in rows], token, problem.message)
    given_up.rest(connection, [entry.id for entry in rows], problem.message, now)
    journal.append(connection, [entry_of(entry, now, "set aside", {"problems": problem.code}, reason=problem.message) for entry in rows])
    for behind in precedence.streams_behind(connection, [entry.id for entry in rows]):
        streams.poke(connection, behind)
    first, error = rows[0], problem.found or problem.code
    said = partial(_log.error, "row set aside", partner=first.partner, endpoint=first.endpoint, row=first.id, error=error)
    when_written(connection, partial(said, cure=kinds.STEP_FAILED.cure))


def _goes_with(entry: Entry, first: Entry) -> bool:
    """Whether a row leaves in the same file: those that were numbered together do."""
    return entry.id == first.id or (entry.interchange_control is not None and entry.interchange_control == first.interchange_control)
