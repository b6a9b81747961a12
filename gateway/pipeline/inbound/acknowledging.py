"""Acknowledgments at the end of an interchange: what was found in it, gathered from the stored results, is answered into the outbox.
What partners answer to us is heard in pipeline/answers/reconciling.py."""

from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
import structlog
from sqlalchemy import Connection

from gateway.codecs.node import Syntax
from gateway.exchange.acknowledgment import AcknowledgmentPolicy
from gateway.exchange.acknowledgment import Answer
from gateway.exchange.acknowledgment import InterchangeResult
from gateway.exchange.acknowledgment import Policies
from gateway.exchange.acknowledgment import TransactionResult
from gateway.exchange.acknowledgment import answer as answers_of
from gateway.exchange.partner import Agreement
from gateway.exchange.partner import LoadedPartner
from gateway.kinds import pipeline as kinds
from gateway.pipeline.answers.reconciling import apply_advice
from gateway.pipeline.endpoints import endpoint_for
from gateway.pipeline.endpoints import out_stream
from gateway.pipeline.endpoints import owner_of
from gateway.pipeline.reading.progress import Progress
from gateway.pipeline.reading.progress import decode_result
from gateway.pipeline.station import Station
from gateway.pipeline.writing.answering import Numbers
from gateway.pipeline.writing.answering import sound_answer
from gateway.pipeline.writing.rendering import identity_of
from gateway.problem import codes
from gateway.store import journal
from gateway.store import streams
from gateway.store.incoming.interchanges import Interchange
from gateway.store.incoming.transmissions import Transmission
from gateway.store.outgoing import outbox
from gateway.store.records import documents

_log = structlog.get_logger("acknowledging")


def results_of(connection: Connection, interchange: str) -> Iterable[tuple[int, TransactionResult]]:
    """The stored results of an interchange's transactions, in their order, page by page."""
    after = -1
    while True:
        page = documents.results_of_interchange(connection, interchange, after_ordinal=after)
        for _, result in page:
            if result is not None:
                kept = decode_result(result)
                yield kept.group, kept.result
        if len(page) < 1000:
            return
        after = page[-1][0]


def policy_of(agreement: Agreement) -> AcknowledgmentPolicy:
    """What an agreement says about acknowledgments."""
    return AcknowledgmentPolicy(
        which=agreement.acknowledge,
        when=agreement.acknowledge_when,
        by=agreement.acknowledge_by,
        technical=agreement.acknowledge_interchange,
        delimiters=agreement.acknowledge_delimiters or "",
        version=agreement.acknowledge_version or "",
        strict=frozenset(agreement.refuse_warnings),
    )


def policies_of(loaded: LoadedPartner | None, syntax: str) -> Policies:
    """What a partner gets for each type that it may send; for any other as the first of its agreements that says something says."""
    agreements = [one for one in loaded.partner.receiving() if one.receive and one.receive.split("/")[0] == syntax] if loaded else []
    by_type: dict[str, AcknowledgmentPolicy] = {}
    for one in agreements:
        by_type.setdefault(str(one.receive).rsplit("/", 1)[1].upper(), policy_of(one))
    plain = AcknowledgmentPolicy()
    return Policies(next((policy for policy in by_type.values() if policy != plain), plain), by_type)


def answer(
    station: Station, connection: Connection, progress: Progress, interchange: Interchange, transmission: Transmission, entries: list[journal.Entry]
) -> str | None:
    """Put the acknowledgments of a finished interchange into the outbox; the interchange's outcome in one word."""
    made = answers_to(station, progress, interchange, transmission, lambda: results_of(connection, interchange.id), entries)
    if made is None:
        return None
    if made.sender is not None and progress.start is not None:
        apply_advice(station, connection, progress.start.advice, made.sender, transmission.id, entries)
    outbox.enqueue(connection, made.outgoing)
    for stream in sorted({entry.stream for entry in made.outgoing}):
        streams.poke(connection, stream)
    return made.outcome


@dataclass(frozen=True, slots=True)
class Answered:
    """What a finished interchange leads to: rows for the outbox, its outcome in one word, and whose it is."""

    outgoing: list[outbox.Entry]
    outcome: str
    sender: LoadedPartner | None


def answers_to(
    station: Station,
    progress: Progress,
    interchange: Interchange,
    transmission: Transmission,
    results: Callable[[], Iterable[tuple[int, TransactionResult]]],
    entries: list[journal.Entry],
) -> Answered | None:
    """The acknowledgments of a finished interchange, built and checked; None where nobody can be answered."""
    if progress.start is None:
        return None
    directory, syntax = station.installation.directory, progress.start.syntax
    # a partner may have been added while its first file waited
    sender = directory.partners.get(interchange.partner or "") or directory.find(syntax.value, progress.start.sender)
    # the refusal of an unknown sender goes back the way it came, in the mailbox of whoever shares it
    loaded = sender or owner_of(directory, transmission.endpoint)
    if loaded is None:
        return None
    result = progress.result(results())
    made = answers_of(result, policies_of(sender, syntax.value)) if syntax in {Syntax.X12, Syntax.EDIFACT} else []
    name = endpoint_for(loaded.partner, transmission.endpoint)
    if made and name is None:
        entries.append(_entry(interchange, transmission, station, "acknowledgment not sent", {}, "the partner has no endpoint to send it to"))
    outgoing = [_row_of(station, one, progress, loaded, str(name), interchange, transmission, entries) for one in made if name is not None]
    return Answered(outgoing, _outcome(result), sender)


def _row_of(
    station: Station,
    made: Answer,
    progress: Progress,
    loaded: LoadedPartner,
    endpoint: str,
    interchange: Interchange,
    transmission: Transmission,
    entries: list[journal.Entry],
) -> outbox.Entry:
    """One acknowledgment as a row of the outbox, after it was built, read back and checked once."""
    now = station.clock()
    syntax = Syntax.EDIFACT if made.type == "CONTRL" else Syntax.X12
    us, them = station.installation.settings.us.identifiers, loaded.partner.identifiers
    sound = sound_answer(
        made, Numbers(sender=identity_of(us, syntax), receiver=identity_of(them, syntax), test=interchange.test, at=now), station.plans, loaded
    )
    if sound.faults:
        problem = sound.problem()
        progress.alerts.append(problem)
        _log.error("answer replaced", interchange=interchange.id, type=made.type, problems=codes(sound.faults), cure=kinds.ANSWER_REPLACED.cure)
        entries.append(_entry(interchange, transmission, station, f"{made.type} replaced", {"problems": codes(sound.faults)}, problem.message))
    answer_ = sound.answer
    stream = out_stream(loaded.partner.id, endpoint)
    spec = f"x12/{answer_.version}/{answer_.type}" if answer_.type != "CONTRL" else f"edifact/service/contrl-{answer_.version}"
    number = f":{answer_.number}" if answer_.number > 1 else ""
    entries.append(_entry(interchange, transmission, station, f"{answer_.type} enqueued", {"outcome": answer_.outcome}))
    return outbox.Entry(
        id=f"{interchange.id}:{answer_.type}:{answer_.version}{number}",
        partner=loaded.partner.id,
        endpoint=endpoint,
        stream=stream,
        kind="acknowledgment",
        spec=spec,
        body=msgspec.json.encode(answer_).decode(),
        properties={"interchange": interchange.id, "outcome": answer_.outcome},
        test=interchange.test,
        created_at=now,
        due_at=now,
    )


def _outcome(result: InterchangeResult) -> str:
    outcomes = {transaction.outcome for group in result.groups for transaction in group.transactions} | {one.outcome for one in result.transactions}
    if not outcomes or outcomes == {"accepted"}:
        return "accepted"
    if outcomes == {"rejected"}:
        return "rejected"
    return "partially_accepted" if "rejected" in outcomes else "accepted_with_errors"


def _entry(
    interchange: Interchange, transmission: Transmission, station: Station, action: str, facts: dict[str, str], reason: str = ""
) -> journal.Entry:
    return journal.Entry(
        stream=transmission.stream,
        at=station.clock(),
        actor="gateway",
        action=action,
        subject_kind="interchange",
        subject=interchange.id,
        reason=reason,
        facts=facts,
    )
