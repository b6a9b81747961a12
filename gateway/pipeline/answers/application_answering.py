"""Answers of our application (824, APERAK) into the outbox: after mapping has refused a document, and after rules have judged it."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import structlog

from gateway.codecs.node import Syntax
from gateway.exchange.acknowledgment import Answer
from gateway.exchange.acknowledgment import TransactionResult
from gateway.exchange.application_answer import Answered
from gateway.exchange.application_answer import ApplicationPolicy
from gateway.exchange.application_answer import application_answer
from gateway.exchange.application_answer import outcome_of
from gateway.exchange.partner import Agreement
from gateway.exchange.partner import LoadedPartner
from gateway.kinds import pipeline as kinds
from gateway.model.change import OrderChange
from gateway.model.order import Order
from gateway.model.values import Source
from gateway.pipeline.answers.work import Work
from gateway.pipeline.endpoints import endpoint_for
from gateway.pipeline.endpoints import out_stream
from gateway.pipeline.reading.drafts import Draft
from gateway.pipeline.reading.progress import decode_result
from gateway.pipeline.station import Station
from gateway.pipeline.writing.answering import Numbers
from gateway.pipeline.writing.answering import sound_answer
from gateway.pipeline.writing.rendering import identity_of
from gateway.problem import Outcome
from gateway.problem import Problem
from gateway.problem import codes
from gateway.store.incoming import transmissions
from gateway.store.incoming.interchanges import Interchange
from gateway.store.outgoing import outbox
from gateway.store.records import documents

_log = structlog.get_logger("application answers")


def application_policy(agreement: Agreement | None) -> ApplicationPolicy:
    """What an agreement says about answers of our application."""
    if agreement is None:
        return ApplicationPolicy()
    return ApplicationPolicy(agreement.application_errors, agreement.application_when, agreement.application_codes)


def answered_transaction(result: TransactionResult, sender: str, receiver: str, *, interchange: str, group: str) -> Answered:
    """A transaction that mapping made no document of, as its answer names it; `interchange` and `group` are the numbers that it stood in."""
    return Answered(
        type=result.type,
        version=result.version,
        association=result.association,
        number=result.number,
        sender=sender,
        receiver=receiver,
        interchange_control_number=interchange,
        group_control_number=group,
        control_number=result.control_number,
    )


def answered_document(source: Source, number: str, lines: Sequence[str] = ()) -> Answered:
    """A document, as its answer names it."""
    return Answered(
        type=source.type,
        version=source.version or "",
        association=source.association or "",
        number=number,
        sender=source.sender or "",
        receiver=source.receiver or "",
        interchange_control_number=source.interchange_control_number or "",
        group_control_number=source.group_control_number or "",
        control_number=source.transaction_control_number or "",
        lines=tuple(lines),
    )


def refused_by_mapping(
    station: Station,
    row: documents.Document,
    draft: Draft,
    agreement: Agreement | None,
    loaded: LoadedPartner,
    interchange: Interchange,
    address: str,
) -> outbox.Entry | None:
    """The answer to a transaction whose syntax was good, but of which no document could be made."""
    if agreement is None or draft.body is not None or not draft.accepted:
        return None
    result = decode_result(draft.result).result
    found = [problem for problem in draft.problems if problem not in result.problems]
    now = station.clock()
    answered = answered_transaction(
        result, interchange.sender, interchange.receiver, interchange=draft.interchange_control, group=draft.group_control
    )
    made = application_answer(answered, found, "rejected", application_policy(agreement), number=_number(row), at=now)
    return _entry(station, row, made, loaded, endpoint_for(loaded.partner, address), now) if made is not None else None


def judged_by_rules(
    work: Work, loaded: LoadedPartner, row: documents.Document, order: Order | OrderChange, state: str, problems: Sequence[Problem]
) -> None:
    """The answer to an order or a change that was decided; nothing while it waits for a person, or with its order."""
    source = order.source
    if source is None or state in {"held", "waiting"}:
        return
    spec = f"{source.syntax}/{(source.version or '')[:6].lower()}/{source.type.lower()}"
    agreement = next((one for one in loaded.partner.receiving() if one.receive == spec), None)
    policy = application_policy(agreement)
    if policy.which == "none":
        return
    told = [problem for problem in problems if problem.outcome not in {None, Outcome.ACCEPT}]
    outcome = outcome_of(state == "rejected", told)
    answered = answered_document(
        source, order.order_number if isinstance(order, OrderChange) else order.number, [line.number or "" for line in order.lines]
    )
    made = application_answer(answered, told, outcome, policy, number=_number(row), at=work.now)
    if made is None:
        return
    transmission = transmissions.get(work.connection, row.transmission) if row.transmission else None
    entry = _entry(work.station, row, made, loaded, endpoint_for(loaded.partner, transmission.endpoint if transmission else None), work.now)
    if entry is None:
        work.note(row, f"{made.type} not sent", {}, reason="the partner has no endpoint to send it to")
        return
    work.outgoing.append(entry)
    work.pokes.add(entry.stream)
    work.note(row, f"{made.type} enqueued", {"outcome": outcome, "problems": codes(told)})


def _number(row: documents.Document) -> str:
    """The answer's own number: the document's, and which decision on it this is."""
    return f"{row.id}-{row.transition_no}"


def _entry(
    station: Station, row: documents.Document, made: Answer, loaded: LoadedPartner, endpoint: str | None, now: datetime
) -> outbox.Entry | None:
    """The answer as a row of the outbox, after it was built, read back and checked once."""
    if endpoint is None:
        return None
    syntax = Syntax.X12 if made.type == "824" else Syntax.EDIFACT
    us, them = station.installation.settings.us.identifiers, loaded.partner.identifiers
    numbers = Numbers(sender=identity_of(us, syntax), receiver=identity_of(them, syntax), test=row.test, at=now)
    sound = sound_answer(made, numbers, station.plans, loaded)
    if sound.faults:
        _log.error("answer replaced", document=row.id, type=made.type, problems=codes(sound.faults), cure=kinds.ANSWER_REPLACED.cure)
    return outbox.Entry(
        # found with the acknowledgments of the interchange (outbox.of_interchange)
        id=f"{row.interchange or row.id}:{row.id}:{row.transition_no}:{made.type}",
        partner=loaded.partner.id,
        endpoint=endpoint,
        stream=out_stream(loaded.partner.id, endpoint),
        kind="application_answer",
        spec=f"{syntax.value}/{made.version.lower()}/{made.type.lower()}",
        body=msgspec.json.encode(sound.answer).decode(),
        properties={"document": row.id, "outcome": made.outcome},
        test=row.test,
        created_at=now,
        due_at=now,
    )
