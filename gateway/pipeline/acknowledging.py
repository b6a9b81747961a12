"""Acknowledgments at the end of an interchange: what was found in it, gathered from the stored results, is answered into the outbox; and
acknowledgments that partners send us are put to what we sent."""

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field

import msgspec
from sqlalchemy import Connection

from gateway.codecs.node import GroupEnd
from gateway.codecs.node import GroupStart
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Segment
from gateway.codecs.node import Syntax
from gateway.exchange.acknowledgment import Acknowledged
from gateway.exchange.acknowledgment import AcknowledgmentPolicy
from gateway.exchange.acknowledgment import GroupResult
from gateway.exchange.acknowledgment import InterchangeResult
from gateway.exchange.acknowledgment import ReceivedEnvelope
from gateway.exchange.acknowledgment import TransactionResult
from gateway.exchange.acknowledgment import answer as answers_of
from gateway.exchange.acknowledgment import read_acknowledgment
from gateway.exchange.acknowledgment import read_advice
from gateway.exchange.acknowledgment import received_envelope
from gateway.exchange.partner import Agreement
from gateway.exchange.partner import LoadedPartner
from gateway.pipeline.endpoints import endpoint_for
from gateway.pipeline.endpoints import out_stream
from gateway.pipeline.plans import Plans
from gateway.pipeline.reading import Decide
from gateway.pipeline.reading import Read
from gateway.pipeline.reading import read_payload
from gateway.pipeline.rendering import wrap_answer
from gateway.pipeline.station import Station
from gateway.pipeline.station import now_utc
from gateway.problem import Problem
from gateway.store import crash
from gateway.store import documents
from gateway.store import journal
from gateway.store import outbox
from gateway.store import streams
from gateway.store.interchanges import Interchange
from gateway.store.transmissions import Transmission


class GroupSeen(msgspec.Struct, kw_only=True):
    """A functional group on its way: its header, and what its trailer said when it came."""

    type: str
    control_number: str
    version: str
    sender: str
    receiver: str
    declared: int | None = None
    counted: int = 0
    problems: tuple[Problem, ...] = ()


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of an interchange's envelope."""

    envelope: ReceivedEnvelope | None
    groups: tuple[GroupSeen, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class Progress:
    """The envelope of an interchange while it is split."""

    start: InterchangeStart | None = None
    groups: list[GroupSeen] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    end: InterchangeEnd | None = None
    #: nothing in it is taken, whatever stands in it (a duplicate)
    refused: bool = False

    def open_group(self, start: GroupStart) -> None:
        self.groups.append(
            GroupSeen(type=start.type, control_number=start.control_number, version=start.version, sender=start.sender, receiver=start.receiver)
        )

    def close_group(self, end: GroupEnd) -> None:
        if self.groups:
            group = self.groups[-1]
            group.declared, group.counted, group.problems = end.declared, end.counted, end.problems

    def encode(self) -> str:
        """The envelope as it is stored with the interchange."""
        return msgspec.json.encode(
            Kept(envelope=received_envelope(self.start) if self.start else None, groups=tuple(self.groups), problems=tuple(self.all_problems))
        ).decode()

    @property
    def all_problems(self) -> list[Problem]:
        return [*self.problems, *(self.end.problems if self.end else ())]

    def result(self, transactions: Iterable[tuple[int, TransactionResult]]) -> InterchangeResult:
        """Everything found; each transaction with the number of its group (0: none)."""
        assert self.start is not None
        by_group: dict[int, list[TransactionResult]] = {}
        for group, transaction in transactions:
            by_group.setdefault(group, []).append(transaction)
        return InterchangeResult(
            envelope=received_envelope(self.start),
            refused=self.refused,
            problems=tuple(self.all_problems),
            transactions=tuple(by_group.get(0, ())),
            groups=tuple(
                GroupResult(
                    type=group.type,
                    control_number=group.control_number,
                    version=group.version,
                    sender=group.sender,
                    receiver=group.receiver,
                    declared=group.declared,
                    counted=group.counted,
                    problems=group.problems,
                    transactions=tuple(by_group.get(number, ())),
                )
                for number, group in enumerate(self.groups, 1)
            ),
        )


class KeptResult(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction's result as it is stored with its document. `group` counts the interchange's groups from 1."""

    group: int
    result: TransactionResult


_RESULT = msgspec.json.Decoder(KeptResult)


def encode_result(group: int, result: TransactionResult) -> str:
    return msgspec.json.encode(KeptResult(group=group, result=result)).decode()


def results_of(connection: Connection, interchange: str) -> Iterable[tuple[int, TransactionResult]]:
    """The stored results of an interchange's transactions, in their order, page by page."""
    after = -1
    while True:
        page = documents.of_interchange(connection, interchange, after_ordinal=after)
        for row in page:
            if row.result is not None:
                kept = _RESULT.decode(row.result)
                yield kept.group, kept.result
        if len(page) < 1000:
            return
        after = page[-1].ordinal


def policy_of(agreement: Agreement | None, loaded: LoadedPartner | None) -> AcknowledgmentPolicy:
    """What a partner gets: as the agreement says; where none applies, as the partner's other agreements say."""
    if agreement is None and loaded is not None:
        agreement = next((one for one in loaded.partner.receiving() if one.acknowledge is not None), None)
    if agreement is None:
        return AcknowledgmentPolicy()
    return AcknowledgmentPolicy(which=agreement.acknowledge, when=agreement.acknowledge_when)


def answer(
    station: Station, connection: Connection, progress: Progress, interchange: Interchange, transmission: Transmission, entries: list[journal.Entry]
) -> str | None:
    """Put the acknowledgments of a finished interchange into the outbox; the interchange's outcome in one word."""
    if progress.start is None:
        return None
    directory = station.installation.directory
    # a partner may have been added while its first file waited
    loaded = directory.partners.get(interchange.partner or "") or directory.find(progress.start.syntax.value, progress.start.sender)
    if loaded is None:
        return None
    _apply_advice(station, connection, progress.start.advice, loaded, entries)
    result = progress.result(results_of(connection, interchange.id))
    spec_agreement = _agreement_of(loaded, progress.start, result)
    made = answers_of(result, policy_of(spec_agreement, loaded))
    name = endpoint_for(loaded.partner, transmission.endpoint)
    if made and name is None:
        entries.append(_entry(interchange, transmission, station, "acknowledgment not sent", {}, "the partner has no endpoint to send it to"))
    for answer_ in made if name is not None else ():
        stream = out_stream(loaded.partner.id, str(name))
        spec = f"x12/{answer_.version}/{answer_.type}" if answer_.type != "CONTRL" else f"edifact/service/contrl-{answer_.version}"
        outbox.enqueue(
            connection,
            [
                outbox.Entry(
                    id=f"{interchange.id}:{answer_.type}:{answer_.version}",
                    partner=loaded.partner.id,
                    endpoint=str(name),
                    stream=stream,
                    kind="acknowledgment",
                    spec=spec,
                    body=msgspec.json.encode(answer_).decode(),
                    properties={"interchange": interchange.id, "outcome": answer_.outcome},
                    test=interchange.test,
                    created_at=station.clock(),
                    due_at=station.clock(),
                )
            ],
        )
        streams.poke(connection, stream)
        entries.append(_entry(interchange, transmission, station, f"{answer_.type} enqueued", {"outcome": answer_.outcome}))
    return _outcome(result)


def _agreement_of(loaded: LoadedPartner, start: InterchangeStart, result: InterchangeResult) -> Agreement | None:
    """The agreement of the first transaction that has one."""
    types = {transaction.type.lower() for group in result.groups for transaction in group.transactions} | {
        one.type.lower() for one in result.transactions
    }
    return next(
        (
            agreement
            for agreement in loaded.partner.receiving()
            if agreement.receive and agreement.receive.split("/")[0] == start.syntax.value and agreement.receive.rsplit("/", 1)[1] in types
        ),
        None,
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


# ---------------------------------------------------------------- what partners send us


def apply_received(
    station: Station, connection: Connection, row: documents.Document, read: Read, loaded: LoadedPartner | None, entries: list[journal.Entry]
) -> None:
    """Record a partner's 997, 999 or CONTRL on what it speaks of."""
    if loaded is None:
        return
    for said in read_acknowledgment(read.transaction):
        _apply(station, connection, said, loaded, entries, row.id)


def _apply_advice(station: Station, connection: Connection, advice: Iterable[Segment], loaded: LoadedPartner, entries: list[journal.Entry]) -> None:
    for segment in advice:
        said = read_advice(segment)
        if said is not None and said.outcome != "accepted":
            _apply(station, connection, said, loaded, entries, "TA1")


def _apply(station: Station, connection: Connection, said: Acknowledged, loaded: LoadedPartner, entries: list[journal.Entry], source: str) -> None:
    now = station.clock()
    numbers = {
        "interchange": {"interchange_control": said.control_number},
        "group": {"group_control": said.control_number},
        "transaction": {"group_control": said.group_control_number, "transaction_control": said.control_number},
    }[said.level]
    if said.level == "transaction" and not said.group_control_number:
        numbers = {"transaction_control": said.control_number}
    numbers = {name: value for name, value in numbers.items() if value}
    if not numbers:
        return
    meant = outbox.acknowledge(connection, partner=loaded.partner.id, outcome=said.outcome, at=now, transaction_type=said.type or None, **numbers)
    crash.point(59)
    for entry in meant:
        entries.append(
            journal.Entry(
                stream=entry.stream,
                at=now,
                actor=f"partner {loaded.partner.id}",
                action=f"{entry.kind} acknowledged: {said.outcome}",
                subject_kind="outbox",
                subject=entry.id,
                reason="; ".join(said.notes)[:500],
                facts={"by": source, "level": said.level},
            )
        )


# ---------------------------------------------------------------- without state


@dataclass(frozen=True, slots=True)
class Acknowledgment:
    """The bytes of an acknowledgment, and whether it accepts everything."""

    data: bytes
    accepted: bool


def acknowledge_file(chunks: Iterable[bytes], plans: Plans, decide: Decide, kind: str | None) -> Acknowledgment | None:
    """The acknowledgments that we would send for a file, one interchange each; None where nothing in it is acknowledged."""
    syntax, items = read_payload(chunks, plans, decide)
    progress, transactions = Progress(), list[tuple[int, TransactionResult]]()
    data, accepted, number = b"", True, 0
    for item in items:
        if isinstance(item, InterchangeStart):
            progress, transactions = Progress(start=item), []
        elif isinstance(item, GroupStart):
            progress.open_group(item)
        elif isinstance(item, GroupEnd):
            progress.close_group(item)
        elif isinstance(item, Read):
            transactions.append((len(progress.groups), item.result))
        elif isinstance(item, InterchangeEnd):
            progress.end = item
            default = kind or ("CONTRL" if syntax is Syntax.EDIFACT else None)
            result = progress.result(transactions)
            if syntax not in {Syntax.X12, Syntax.EDIFACT}:
                continue
            for made in answers_of(result, AcknowledgmentPolicy(which=default)):  # type: ignore[arg-type]  # checked by the command
                number += 1
                accepted &= made.outcome == "accepted"
                data += wrap_answer(
                    made,
                    sender=result.envelope.receiver,
                    receiver=result.envelope.sender,
                    test=result.envelope.test,
                    interchange_control=str(number),
                    group_control=str(number),
                    at=now_utc(),
                    syntax_version=result.envelope.version,
                )
        else:
            progress.problems.append(item)
    return Acknowledgment(data, accepted) if data else None
