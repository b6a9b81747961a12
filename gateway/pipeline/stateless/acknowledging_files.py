"""`gateway ack`: the acknowledgments that we would send for a file, without any state."""

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import replace
from typing import Literal

from gateway.codecs.node import GroupEnd
from gateway.codecs.node import GroupStart
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Syntax
from gateway.exchange.acknowledgment import AcknowledgmentPolicy
from gateway.exchange.acknowledgment import Answer
from gateway.exchange.acknowledgment import Policies
from gateway.exchange.acknowledgment import ReceivedEnvelope
from gateway.exchange.acknowledgment import TransactionResult
from gateway.exchange.acknowledgment import answer
from gateway.exchange.acknowledgment_result import NEVER_ACKNOWLEDGED
from gateway.exchange.application_answer import ApplicationPolicy
from gateway.exchange.application_answer import application_answer
from gateway.exchange.application_answer import outcome_of
from gateway.exchange.application_reading import APPLICATION_ANSWERS
from gateway.exchange.directory import Directory
from gateway.exchange.partner import LoadedPartner
from gateway.kinds import KINDS
from gateway.pipeline.answers.application_answering import answered_transaction
from gateway.pipeline.inbound.acknowledging import policies_of
from gateway.pipeline.plans import Plans
from gateway.pipeline.reading.payload import Decide
from gateway.pipeline.reading.payload import Read
from gateway.pipeline.reading.payload import read_payload
from gateway.pipeline.reading.progress import Progress
from gateway.pipeline.station import now_utc
from gateway.pipeline.writing.answering import Numbers
from gateway.pipeline.writing.answering import sound_answer
from gateway.problem import Severity

#: answers to groups and interchanges, and those of the application to documents
Syntactical = Literal["997", "999", "TA1", "CONTRL"]
Applied = Literal["824", "APERAK"]
Wanted = Syntactical | Applied


@dataclass(frozen=True, slots=True)
class Acknowledgment:
    """The bytes of an acknowledgment, and whether it accepts everything."""

    data: bytes
    accepted: bool


def acknowledge_file(
    chunks: Iterable[bytes],
    plans: Plans,
    decide: Decide,
    wanted: Wanted | None,
    directory: Directory | None = None,
    partner: LoadedPartner | None = None,
) -> Acknowledgment | None:
    """The acknowledgments that we would send for a file, one interchange each; None where nothing in it is acknowledged.

    Known senders get what their agreements say about form, but always and whatever is wrong: who asks wants to see something.
    """
    syntax, items = read_payload(chunks, plans, decide)
    progress, transactions = Progress(), list[tuple[int, TransactionResult]]()
    data, accepted, number = b"", True, 0
    reads: list[Read] = []
    for item in items:
        if isinstance(item, InterchangeStart):
            progress, transactions, reads = Progress(start=item), [], []
        elif isinstance(item, GroupStart):
            progress.open_group(item)
        elif isinstance(item, GroupEnd):
            progress.close_group(item)
        elif isinstance(item, Read):
            transactions.append((len(progress.groups), item.result))
            if wanted in {"824", "APERAK"}:
                # the others tell of results alone: whole transactions are not kept for them
                reads.append(item)
        elif isinstance(item, InterchangeEnd):
            progress.end = item
            if syntax not in {Syntax.X12, Syntax.EDIFACT}:
                continue
            assert progress.start is not None
            result = progress.result(transactions)
            loaded = partner or (directory.find(syntax.value, result.envelope.sender) if directory else None)
            if wanted == "824" or wanted == "APERAK":
                answers = _of_application(reads, result.envelope, syntax, wanted, loaded)
            else:
                answers = answer(result, _policies(syntax, wanted, loaded))
            for made in answers:
                number += 1
                accepted &= made.outcome == "accepted"
                data += _bytes(made, number, result.envelope.test, plans, loaded)
        else:
            progress.problems.append(item)
    return Acknowledgment(data, accepted) if data else None


def _of_application(reads: Iterable[Read], envelope: ReceivedEnvelope, syntax: Syntax, wanted: Applied, loaded: LoadedPartner | None) -> list[Answer]:
    """An 824 or APERAK for each document, as reading and mapping find it: rules need an installation's facts."""
    if (wanted == "824") != (syntax is Syntax.X12):
        return []
    codes = {code: theirs for one in (loaded.partner.receiving() if loaded else ()) for code, theirs in one.application_codes.items()}
    policy = ApplicationPolicy(wanted, "always", codes)
    made = []
    for number, read in enumerate(reads, 1):
        if read.result.type in NEVER_ACKNOWLEDGED | APPLICATION_ANSWERS:
            continue
        told = [problem for problem in read.problems if problem.severity is Severity.ERROR or KINDS[problem.code].ted]
        outcome = outcome_of(read.result.outcome == "rejected", told)
        answered = answered_transaction(
            read.result,
            envelope.sender,
            envelope.receiver,
            interchange=read.transaction.interchange_control_number,
            group=read.transaction.group_control_number,
        )
        one = application_answer(answered, told, outcome, policy, number=f"{envelope.control_number}-{number}", at=now_utc())
        made += [one] if one is not None else []
    return made


def _policies(syntax: Syntax, wanted: Syntactical | None, loaded: LoadedPartner | None) -> Policies:
    """What the partner's agreements say, or what was asked for at the command."""
    policies = policies_of(loaded, syntax.value)
    return Policies(_shown(policies.otherwise, syntax, wanted), {name: _shown(one, syntax, wanted) for name, one in policies.by_type.items()})


def _shown(policy: AcknowledgmentPolicy, syntax: Syntax, wanted: Syntactical | None) -> AcknowledgmentPolicy:
    which = wanted or (policy.which if policy.which != "none" else None) or ("CONTRL" if syntax is Syntax.EDIFACT else None)
    return replace(policy, which=which, when="always")


def _bytes(made: Answer, number: int, test: bool, plans: Plans, loaded: LoadedPartner | None) -> bytes:
    numbers = Numbers(sender="ZZ:UNKNOWN", receiver="ZZ:UNKNOWN", test=test, interchange=str(number), group=str(number), at=now_utc())
    return sound_answer(made, numbers, plans, loaded).data
