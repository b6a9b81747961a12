"""A person sends something again: the same bytes under the same name and numbers (the partner says that nothing came), or written anew with
new numbers (the partner rejected it, and what was wrong is corrected: the mapping, the partner's file, or the document itself)."""

import msgspec

from gateway.exchange.partner import Agreement
from gateway.exchange.partner import LoadedPartner
from gateway.model import document as canonical
from gateway.pipeline.answers.consequences import OVERDUE
from gateway.pipeline.answers.consequences import REJECTED
from gateway.pipeline.answers.work import Work
from gateway.pipeline.endpoints import out_stream
from gateway.pipeline.station import Station
from gateway.store import streams
from gateway.store.incoming import holds
from gateway.store.outgoing import awaited
from gateway.store.outgoing import deliveries
from gateway.store.outgoing import outbox
from gateway.store.outgoing.outbox import Entry
from gateway.store.records import documents
from gateway.store.records import references

#: documents whose amounts stand in the books
_BOOKED = frozenset({"invoice", "credit_note"})
#: rows that have ended their way
ENDED = (*outbox.LEFT, "dead", "cancelled")


class NotResent(Exception):
    """Something that cannot be sent again: not there, still on its way, or changed in what may not change. One sentence says which."""


def find_document(station: Station, reference: str) -> documents.Document:
    """The document of ours that is meant: by its id, its number, or the id or name of what left."""
    with station.database.read() as connection:
        row = documents.get(connection, reference)
        if row is not None and row.direction == "out":
            return row
        found = [one.document for one in references.find(connection, reference, whole=True)]
        rows = [one for one in documents.get_many(connection, found).values() if one.direction == "out"]
        entry = outbox.get(connection, reference)
        named = documents.get(connection, entry.document) if entry is not None and entry.document is not None else None
    exact = [one for one in rows if one.number == reference] or rows
    if named is not None:
        return named
    if len(exact) == 1:
        return exact[0]
    if exact:
        words = ", ".join(f"{one.id} ({one.kind.replace('_', ' ')} {one.number} to {one.partner})" for one in exact)
        raise NotResent(f"'{reference}' may mean {words}: give the id")
    raise NotResent(f"We sent nothing that is called '{reference}': gateway trail finds what it belongs to")


def resend(station: Station, id: str, actor: str, reason: str, *, anew: bool | None = None, corrected: bytes | None = None) -> Entry:
    """Send a document again. `anew`: written again with new numbers; None: so where the partner rejected it. `corrected`: its canonical
    JSON, to be sent instead."""
    if not reason.strip():
        raise NotResent("Sending again needs a reason: it stands in the journal")
    with station.database.begin() as connection:
        row = documents.get(connection, id)
        if row is None or row.direction != "out" or row.body is None:
            raise NotResent(f"We sent nothing that is called '{id}'")
        earlier = outbox.of_document(connection, row.id)
        last = earlier[-1] if earlier else None
        if last is None or last.state not in ENDED:
            raise NotResent(f"{_name(row)} is still on its way ({last.state if last else row.state}): it cannot be sent again yet")
        loaded, agreement = _agreement(station, row, last)
        # what never left has no bytes that could go again
        written_anew = corrected is not None or (row.state == "rejected" or last.sha256 is None if anew is None else anew)
        if not written_anew and last.sha256 is None:
            raise NotResent(f"{_name(row)} never left, so there are no bytes to send again: send it anew (--anew)")
        work = Work(station, connection, station.clock(), actor)
        body = _corrected(row, corrected) if corrected is not None else row.body
        if corrected is not None:
            documents.set_body(connection, row.id, body)
        entry = _entry(work, loaded, agreement, last, body, number=len(earlier) + 1, anew=written_anew)
        outbox.enqueue(connection, [entry])
        awaited.replace(connection, [one.id for one in earlier])
        deliveries.replace(connection, [one.id for one in earlier])
        for hold in holds.of_document(connection, row.id):
            if hold.resolved_at is None and hold.kind in {REJECTED, OVERDUE}:
                holds.resolve(connection, hold.id, decision="resend", actor=actor, reason=reason, at=work.now)
        how = "written anew" if written_anew else "the same bytes"
        work.move(
            row.id,
            row.state,
            "created",
            f"sent again ({how}): {reason}",
            # what the partner found stands with its answer: it was said of other bytes than those that leave now
            problems=tuple(problem for problem in row.problems if not problem.code.startswith("ANSWER-")),
        )
        facts = {"row": entry.id, "how": "anew" if written_anew else "same bytes", "corrected": "yes" if corrected is not None else ""}
        work.note(row, f"{row.kind} sent again", facts, reason=reason)
        work.write()
        streams.poke(connection, entry.stream)
    return entry


def _name(row: documents.Document) -> str:
    return f"{row.kind.replace('_', ' ')} {row.number}"


def _agreement(station: Station, row: documents.Document, last: Entry) -> tuple[LoadedPartner, Agreement]:
    loaded = station.installation.directory.partners.get(row.partner)
    if loaded is None:
        raise NotResent(f"The partner '{row.partner}' has no file in partners/ any more")
    # the agreement may name a newer version of the type now: what is written anew follows it
    agreement = loaded.partner.agreement_to_send(last.spec) or loaded.partner.sending(last.spec.rsplit("/", 1)[1])
    if agreement is None:
        raise NotResent(f"No agreement of {row.partner} says any longer that we send {last.spec}")
    return loaded, agreement


def _corrected(row: documents.Document, corrected: bytes) -> str:
    """The corrected document; what is in the books already may not change by it."""
    try:
        given, present = canonical.decode(corrected.decode()), canonical.decode(row.body or "")
    except (ValueError, msgspec.MsgspecError) as error:
        raise NotResent(f"The corrected document cannot be read: {error}") from None
    if type(given) is not type(present) or getattr(given, "number", None) != getattr(present, "number", None):
        raise NotResent(f"The corrected document is not {_name(row)}: kind and number must stay")
    if row.kind in _BOOKED and (getattr(given, "totals", None), getattr(given, "currency", None)) != (
        getattr(present, "totals", None),
        getattr(present, "currency", None),
    ):
        raise NotResent(f"The amounts of {_name(row)} are booked and cannot be changed by sending it again: credit it and bill anew")
    return canonical.encode(given).decode()


def _entry(work: Work, loaded: LoadedPartner, agreement: Agreement, last: Entry, body: str, *, number: int, anew: bool) -> Entry:
    endpoint = agreement.to or last.endpoint
    if loaded.partner.endpoint(endpoint) is None:
        raise NotResent(f"{loaded.partner.id} has no endpoint '{endpoint}' any more")
    fresh = Entry(
        id=f"{last.document}:{number}",
        document=last.document,
        partner=last.partner,
        endpoint=endpoint,
        stream=out_stream(last.partner, endpoint),
        kind=last.kind,
        spec=agreement.spec if anew else last.spec,
        body=body,
        test=last.test,
        created_at=work.now,
        due_at=work.now,
        expects_ack=agreement.expect_acknowledgment is not None,
    )
    if anew:
        return fresh
    return msgspec.structs.replace(
        fresh,
        identity=last.identity,
        sha256=last.sha256,
        transaction_type=last.transaction_type,
        interchange_control=last.interchange_control,
        group_control=last.group_control,
        transaction_control=last.transaction_control,
    )
