"""What a person decides about something held: release lets it walk on, reject ends it. The reason is kept in the journal, and the
answer to the partner follows."""

from collections.abc import Mapping

from gateway.pipeline.answers.consequences import OVERDUE
from gateway.pipeline.answers.consequences import REJECTED
from gateway.pipeline.answers.work import Work
from gateway.pipeline.station import Station
from gateway.pipeline.trading import handing_over
from gateway.pipeline.trading.changing import reject_change
from gateway.pipeline.trading.deciding import reject_order
from gateway.store import crash
from gateway.store import journal
from gateway.store import streams
from gateway.store.incoming import holds
from gateway.store.incoming import interchanges
from gateway.store.incoming import transmissions
from gateway.store.incoming.holds import Hold
from gateway.store.incoming.transmissions import Transmission
from gateway.store.records import documents

#: our own step failed at it again and again
FAILURE = "failure"


class Undecidable(Exception):
    """A hold that cannot be decided: not there, decided already, or the reason is missing. One sentence says which."""


def release(station: Station, hold_id: str, actor: str, reason: str, partner: str | None = None) -> Hold:
    """Let something held walk on: an order is decided again without the problems that held it."""
    return _decide(station, hold_id, "release", actor, reason, partner)


def reject(station: Station, hold_id: str, actor: str, reason: str, partner: str | None = None) -> Hold:
    """End something held: an order is answered with a rejection that carries the reason."""
    return _decide(station, hold_id, "reject", actor, reason, partner)


def find_hold(station: Station, text: str, partner: str | None = None) -> Hold:
    """The open hold that is meant: by its own id (or the beginning of it), its document's id or number, its file's id or name; of `partner`, where
    that is said."""
    with station.database.read() as connection:
        exact = holds.get(connection, text)
        if exact is not None:
            return exact
        waiting = holds.list_open(connection, limit=10_000)
        rows = documents.get_many(connection, [hold.document for hold in waiting if hold.document])
        files = transmissions.get_many(connection, [hold.transmission for hold in waiting if hold.transmission])
    meant = [
        hold
        for hold in waiting
        if hold.id.startswith(text)
        or text in (hold.document, hold.transmission)
        or (hold.document in rows and rows[hold.document].number == text)
        or (hold.document is None and hold.transmission in files and files[hold.transmission].name == text)
    ]
    if partner is not None:
        meant = [hold for hold in meant if partner == _whose(hold, rows, files)]
    if len(meant) == 1:
        return meant[0]
    if meant:
        named = ", ".join(f"{hold.id} ({_name(hold, rows, files)})" for hold in meant)
        raise Undecidable(f"'{text}' may mean {named}: give the whole id, or say whose it is with --partner")
    raise Undecidable(f"Nothing {f'of {partner} ' if partner else ''}that waits is called '{text}': gateway hold list shows what waits")


def _whose(hold: Hold, rows: Mapping[str, documents.Document], files: Mapping[str, Transmission]) -> str | None:
    row, file = rows.get(hold.document or ""), files.get(hold.transmission or "")
    return row.partner if row is not None else file.partner if file is not None else None


def _name(hold: Hold, rows: Mapping[str, documents.Document], files: Mapping[str, Transmission]) -> str:
    row, file = rows.get(hold.document or ""), files.get(hold.transmission or "")
    what = f"{row.kind.replace('_', ' ')} {row.number}" if row is not None else f"file {file.name}" if file is not None else hold.kind
    return f"{what} of {_whose(hold, rows, files) or 'nobody known'}"


def _decide(station: Station, hold_id: str, decision: str, actor: str, reason: str, partner: str | None) -> Hold:
    if not reason.strip():
        raise Undecidable("A decision needs a reason: it stands in the journal and may be read by the buyer")
    hold = find_hold(station, hold_id, partner)
    if hold.resolved_at is not None:
        raise Undecidable(f"{hold.id} was decided already: {hold.decision} by {hold.actor}")
    if hold.kind in {REJECTED, OVERDUE} and decision == "reject":
        raise Undecidable("What we sent cannot be rejected by ourselves: release the hold when it is settled with the partner, or gateway resend")
    with station.database.begin() as connection:
        now = station.clock()
        holds.resolve(connection, hold.id, decision=decision, actor=actor, reason=reason, at=now)
        work = Work(station, connection, now, actor)
        if hold.document is not None:
            _decide_document(work, hold, decision, reason)
        elif hold.kind == REJECTED:
            _settle(work, hold, reason)
        else:
            _decide_transmission(work, hold, decision, reason)
        work.write()
        crash.point(45)
    return hold


def _decide_document(work: Work, hold: Hold, decision: str, reason: str) -> None:
    assert hold.document is not None
    row = documents.get(work.connection, hold.document)
    assert row is not None
    if hold.kind in {REJECTED, OVERDUE}:
        # a person settled it with the partner: nothing is sent, and the document stays as it is
        work.note(row, f"{row.kind} settled", {"hold": hold.id}, reason=reason)
        return
    if hold.kind == handing_over.HELD:
        # the order itself was decided, and answered
        work.note(row, f"handover {decision}d" if decision == "release" else "handover rejected", {"hold": hold.id}, reason=reason)
        handing_over.decide(work, row, decision)
        return
    work.note(
        row,
        f"hold {decision}d" if decision == "release" else "hold rejected",
        {"hold": hold.id, "problems": ",".join(p.code for p in hold.reasons)},
        reason=reason,
    )
    if decision == "release" and row.body is not None:
        work.move(row.id, row.state, "registered", reason)
        work.pokes.add(row.stream)
    elif row.kind == "order" and row.state == "held" and hold.kind != "entitlement":
        reject_order(work, row, reason)
    elif row.kind == "order_change" and row.state == "held" and hold.kind != "entitlement":
        reject_change(work, row, reason)
    else:
        work.move(row.id, row.state, "rejected", reason)


def _settle(work: Work, hold: Hold, reason: str) -> None:
    """An answer to something without a document (an acknowledgment of ours): there is nothing to do but to know it."""
    assert hold.transmission is not None
    transmission = transmissions.get(work.connection, hold.transmission)
    assert transmission is not None
    work.entries.append(
        journal.Entry(
            stream=transmission.stream,
            at=work.now,
            actor=work.actor,
            action="rejection settled",
            subject_kind="transmission",
            subject=transmission.id,
            reason=reason,
            facts={"hold": hold.id},
        )
    )


def _decide_transmission(work: Work, hold: Hold, decision: str, reason: str) -> None:
    """A whole file waited: its sender is unknown, or not entitled to the endpoint, or it could not be read."""
    assert hold.transmission is not None
    connection = work.connection
    transmission = transmissions.get(connection, hold.transmission)
    assert transmission is not None
    begun = interchanges.of_transmission(connection, transmission.id)
    held = [row for row in begun if row.state == "held"]
    # a failure of ours says nothing of who sent the file, and what was taken of it stays: it goes on behind that
    failed = hold.kind == FAILURE
    if decision == "release":
        for row in held:
            interchanges.reopen(connection, row.id)
        transmissions.set_state(
            connection,
            transmission.id,
            transmission.state,
            "opening" if held or (failed and begun) else "received",
            # a person vouches for it: from now on it counts as handed in by hand
            properties=None if failed else {**transmission.properties, "entitled": "command"},
        )
        streams.poke(connection, transmission.stream)
    else:
        for row in begun if failed else held:
            if row.state in {"held", "open"}:
                interchanges.finish(connection, row.id, at=work.now, state="refused", outcome="rejected", expected=row.state)
        transmissions.set_state(connection, transmission.id, transmission.state, "done")
    work.entries.append(
        journal.Entry(
            stream=transmission.stream,
            at=work.now,
            actor=work.actor,
            action=f"file {decision}d" if decision == "release" else "file rejected",
            subject_kind="transmission",
            subject=transmission.id,
            reason=reason,
            facts={"hold": hold.id},
        )
    )
