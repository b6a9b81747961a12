"""Answers that do not come: when they are due, by the partner's calendar, and what happens when that time has passed. The wait itself is a
column of the outbox; looking at it again and again, on any process, tells each overdue answer once."""

from datetime import datetime

import structlog
from sqlalchemy import Connection

from gateway.exchange.calendar import Calendar
from gateway.exchange.partner import Partner
from gateway.kinds import answer as kinds
from gateway.pipeline.answers.consequences import OVERDUE
from gateway.pipeline.answers.consequences import hold_id
from gateway.pipeline.station import Station
from gateway.problem import NOWHERE
from gateway.store import crash
from gateway.store import journal
from gateway.store.incoming import holds
from gateway.store.outgoing import awaited
from gateway.store.outgoing.outbox import Entry

#: rows that one transaction tells
_BATCH = 50
_log = structlog.get_logger("answers")


def calendar_of(station: Station, partner: Partner, *, workdays_only: bool, zone: str | None = None) -> Calendar:
    """The days that count with a partner: its holidays and ours, in its zone unless another one is named."""
    settings = station.installation.settings
    return Calendar(zone or partner.zone or settings.zone, frozenset({*settings.holidays, *partner.holidays}), workdays_only)


def answer_due(station: Station, entry: Entry, sent: datetime) -> datetime | None:
    """When the partner's answer to something that left at this moment is overdue; None where none is expected in a certain time."""
    loaded = station.installation.directory.partners.get(entry.partner)
    agreement = loaded.partner.agreement_to_send(entry.spec) if loaded is not None and entry.expects_ack else None
    expected = agreement.expect_acknowledgment if agreement is not None else None
    if loaded is None or expected is None:
        return None
    return expected.due(sent, calendar_of(station, loaded.partner, workdays_only=expected.calendar == "workdays"))


def watch(station: Station) -> int:
    """Tell every answer that is overdue by now: in the journal, the log, and before a person. How many there were."""
    told = 0
    while True:
        with station.database.read() as connection:
            late = awaited.overdue(connection, station.clock(), limit=_BATCH)
        if not late:
            return told
        with station.database.begin() as connection:
            entries = [entry for entry in late if awaited.mark_overdue(connection, entry.id)]
            for entry in entries:
                _tell(station, connection, entry)
            crash.point(80)
        told += len(entries)
        for entry in entries:
            _log.error(
                "answer overdue",
                partner=entry.partner,
                row=entry.id,
                spec=entry.spec,
                name=entry.identity,
                due=entry.ack_due_at.isoformat() if entry.ack_due_at else "",
                cure="ask the partner whether it arrived; gateway resend sends it again",
            )


def _tell(station: Station, connection: Connection, entry: Entry) -> None:
    now = station.clock()
    loaded = station.installation.directory.partners.get(entry.partner)
    name = loaded.partner.name if loaded is not None else entry.partner
    assert entry.sent_at is not None and entry.ack_due_at is not None
    due = f"{entry.ack_due_at:%Y-%m-%d %H:%M} UTC"
    words = f"{name} has not answered {entry.identity}: it left on {entry.sent_at:%Y-%m-%d %H:%M} UTC, the answer was due by {due}"
    holds.open_hold(
        connection,
        holds.Hold(
            id=hold_id(entry, OVERDUE),
            document=entry.document,
            kind=OVERDUE,
            reasons=(kinds.OVERDUE.at(NOWHERE, words, expected=f"an answer by {due}"),),
            opened_at=now,
        ),
    )
    journal.append(
        connection,
        [
            journal.Entry(
                stream=entry.stream,
                at=now,
                actor="gateway",
                action=f"{entry.kind} not answered in time",
                subject_kind="outbox",
                subject=entry.id,
                facts={"spec": entry.spec, "identity": entry.identity or "", "due": entry.ack_due_at.isoformat()},
            )
        ],
    )
