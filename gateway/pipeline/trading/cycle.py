"""Which trade step is next: documents of a stream, in their order, each to the room that knows its kind.

A step takes the stream, reads a batch, decides, and writes states, journal and outbox in one transaction. A batch that fails is
tried one by one, so that one document fails alone; after its last try it waits for a person.
"""

import time
from collections.abc import Callable
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from itertools import groupby

import structlog
from sqlalchemy import Connection

from gateway.kinds import pipeline as kinds
from gateway.pipeline.answers.work import Work
from gateway.pipeline.heads import First
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.pipeline.trading.applying import apply_bank_statements
from gateway.pipeline.trading.applying import apply_remittance_advices
from gateway.pipeline.trading.changing import changes_step
from gateway.pipeline.trading.deciding import decide_orders
from gateway.pipeline.trading.invoicing import invoice_releases
from gateway.pipeline.trading.shipping import ship
from gateway.pipeline.turned_away import log_turned_away
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.store import crash
from gateway.store import journal
from gateway.store import streams
from gateway.store.database import DatabaseTrouble
from gateway.store.incoming import holds
from gateway.store.records import documents

BATCH = 100
TRIES = 3

#: kind of document -> what is done with a batch of it
ROOMS: dict[str, Callable[[Work, Sequence[documents.Document]], None]] = {
    "order": decide_orders,
    "order_change": changes_step,
    "shipment": ship,
    "invoice_release": invoice_releases,
    "remittance_advice": apply_remittance_advices,
    "bank_statement": apply_bank_statements,
}

#: what is looked into by one step alone, before it locks anything else: a bank's entry and the advice of the same money, each in its partner's
#: stream, must see each other
CASH = "cash"
#: seconds that a step waits for another one which looks into money, before it leaves its turn to another stream
PATIENCE = 0.5
_CASH = frozenset({"bank_statement", "remittance_advice"})

_log = structlog.get_logger("cycle")


def step(station: Station, stream: str) -> bool:
    """Decide the next batch of a stream; true when more may be waiting."""
    first = _first(station, stream) if station.heads.is_new(stream) else None
    with station.heads.tried(station.database, station.node, station.clock(), stream, first) as careful:
        if careful.is_enough:
            _died(station, stream, careful.deaths)
            return True
        went_on = _one_by_one(station, stream, 1) if careful.alone else _together(station, stream)
        if not went_on:
            # another process is in the stream, or looks into money
            careful.rests()
        return went_on


def _first(station: Station, stream: str) -> First | None:
    with station.database.read() as connection:
        rows = documents.next_registered(connection, stream, 1, station.clock())
    return First(rows[0].id, rows[0].created_at) if rows else None


def _together(station: Station, stream: str) -> bool:
    try:
        return _batch(station, stream, BATCH)
    except Exception as error:
        if isinstance(error, DatabaseTrouble) and not error.refused:
            raise
        # whose fault it is shows when each is tried alone
        _log.exception("batch failed, trying one by one", stream=stream)
        return _one_by_one(station, stream, BATCH)


def _batch(station: Station, stream: str, limit: int) -> bool:
    with station.database.begin() as connection:
        if not streams.take(connection, stream):
            streams.poke(connection, stream)
            return False
        rows = documents.next_registered(connection, stream, limit, station.clock())
        if not rows:
            station.heads.rests(stream)
            return False
        # whoever waited for an order that is among these looks for it when it is decided
        rows = [row for row in rows if not documents.waits(row)] or rows
        if any(row.kind in _CASH for row in rows) and not _alone_with_money(connection):
            streams.poke(connection, stream)
            return False
        crash.point(40)
        work = Work(station, connection, station.clock())
        for kind, group in groupby(rows, key=lambda row: row.kind):
            room = ROOMS.get(kind)
            if room is None:
                _file_away(work, list(group))
            else:
                room(work, list(group))
        work.write()
    log_turned_away(work.entries)
    crash.point(44)
    # a document that waits behind another of its number may be next now
    return True


def _alone_with_money(connection: Connection) -> bool:
    """Be the only step that looks into money until this transaction ends; false where another one is long at it: then other streams go first."""
    end = time.monotonic() + PATIENCE
    while not streams.take(connection, CASH):
        if time.monotonic() >= end:
            return False
        time.sleep(0.02)
    return True


def _file_away(work: Work, rows: Sequence[documents.Document]) -> None:
    """Kinds that nothing has to be decided about are done when they are kept."""
    for row in rows:
        work.move(row.id, row.state, "done", "kept for reference")
        work.note(row, f"{row.kind or 'document'} kept", {})


def _one_by_one(station: Station, stream: str, number: int) -> bool:
    for _ in range(number):
        try:
            if not _batch(station, stream, 1):
                return False
        except Exception as error:
            if isinstance(error, DatabaseTrouble) and not error.refused:
                raise
            # this document fails alone; it is shown to a person
            _log.error("document failed", document=_fail(station, stream, error), exc_info=error)
    return True


def _fail(station: Station, stream: str, error: Exception) -> str:
    """Note a failed try of the stream's next document, whose id it is; after the last one it waits for a person."""
    name = type(error).__name__
    problem = kinds.STEP_FAILED.at(NOWHERE, f"The document could not be worked on: {name}: {error}", found=name)
    with station.database.begin() as connection:
        rows = documents.next_registered(connection, stream, 1, station.clock())
        if not rows:
            return ""
        _note_try(connection, rows[0], rows[0].attempts + 1, problem, station.clock(), final=rows[0].attempts + 1 >= TRIES)
    return rows[0].id


def _died(station: Station, stream: str, deaths: int) -> None:
    """Process after process ended at the stream's next document: it waits for a person."""
    words = f"The document could not be worked on: the program ended at it without a word, {deaths} times in a row"
    problem = kinds.STEP_DIED.at(NOWHERE, words)
    with station.database.begin() as connection:
        rows = documents.next_registered(connection, stream, 1, station.clock())
        if not rows or not streams.take(connection, stream):
            return
        _note_try(connection, rows[0], rows[0].attempts + deaths, problem, station.clock(), final=True)
        station.heads.forget(connection, stream, station.node)
    _log.error("document set aside", document=rows[0].id, error=problem.code, cure=kinds.STEP_DIED.cure)


def _note_try(connection: Connection, row: documents.Document, attempts: int, problem: Problem, now: datetime, *, final: bool) -> None:
    documents.transition(
        connection,
        [
            documents.Change(
                document=row.id,
                expected="registered",
                state="failed" if final else "registered",
                actor="gateway",
                reason=problem.message,
                at=now,
                due_at=None if final else now + timedelta(seconds=2**attempts),
                attempts=attempts,
            )
        ],
    )
    if final:
        holds.open_hold(
            connection,
            holds.Hold(id=short_id("H", row.id, row.transition_no), document=row.id, kind="failure", reasons=(problem,), opened_at=now),
        )
    journal.append(
        connection,
        [
            journal.Entry(
                stream=row.stream,
                at=now,
                actor="gateway",
                action="step failed",
                subject_kind="document",
                subject=row.id,
                facts={"attempts": str(attempts), "error": problem.found or problem.code},
            )
        ],
    )
