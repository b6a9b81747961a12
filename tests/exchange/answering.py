"""The walk of a file to its answer, as the pipeline makes it: read, checked against the shipped schemas, answered, wrapped, read back."""

from collections.abc import Iterable
from datetime import UTC
from datetime import datetime

from gateway.codecs import choose
from gateway.codecs.node import GroupEnd
from gateway.codecs.node import GroupStart
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Segment
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.codecs.node import place_in
from gateway.exchange.acknowledgment import AcknowledgmentPolicy
from gateway.exchange.acknowledgment import Answer
from gateway.exchange.acknowledgment import GroupResult
from gateway.exchange.acknowledgment import InterchangeResult
from gateway.exchange.acknowledgment import ReceivedEnvelope
from gateway.exchange.acknowledgment import TransactionResult
from gateway.exchange.acknowledgment import answer
from gateway.exchange.acknowledgment import number_of
from gateway.exchange.acknowledgment import received_envelope
from gateway.kinds import pipeline as pipeline_kinds
from gateway.pipeline.writing.answering import Numbers
from gateway.pipeline.writing.answering import wrap_answer
from gateway.problem import Place
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.schema.apply import check
from tests.schema.world import compiled

AT = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
KNOWN = {"850", "ORDERS"}


def found_in(text: str, *, accept_errors: bool = False, refused: bool = False) -> InterchangeResult:
    """What is found in the first interchange of a file."""
    _, events = choose.read([text.encode("latin-1")])
    envelope: ReceivedEnvelope | None = None
    groups: list[GroupResult] = []
    results: list[TransactionResult] = []
    own: list[TransactionResult] = []
    problems: list[Problem] = []
    group: GroupStart | None = None
    for event in events:
        if isinstance(event, InterchangeStart):
            envelope = received_envelope(event)
        elif isinstance(event, GroupStart):
            group, results = event, []
        elif isinstance(event, Transaction):
            (own if group is None else results).append(judged(event, accept_errors))
        elif isinstance(event, GroupEnd):
            assert group is not None
            groups.append(
                GroupResult(
                    type=group.type,
                    control_number=group.control_number,
                    version=group.version,
                    sender=group.sender,
                    receiver=group.receiver,
                    declared=event.declared,
                    counted=event.counted,
                    problems=event.problems,
                    transactions=tuple(results),
                )
            )
            group = None
        elif isinstance(event, InterchangeEnd):
            problems += event.problems
            break
        else:
            problems.append(event)
    assert envelope is not None
    return InterchangeResult(envelope=envelope, groups=tuple(groups), transactions=tuple(own), problems=tuple(problems), refused=refused)


def judged(transaction: Transaction, accept_errors: bool) -> TransactionResult:
    """One transaction, checked against its schema."""
    problems = list(transaction.problems)
    x12 = transaction.syntax is Syntax.X12
    if transaction.type in KNOWN:
        version = transaction.version if x12 else transaction.version.lower()
        problems += check(transaction, compiled(f"{transaction.syntax.value}/{version}/{transaction.type.lower()}")).problems
    elif transaction.type not in {"997", "999", "CONTRL"}:
        problems.append(pipeline_kinds.TYPE_UNSUPPORTED.at(header_place(transaction), "unknown"))
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    lenient = accept_errors and all(problem.place.element for problem in errors)
    number, number_at = number_of(transaction.segments)
    return TransactionResult(
        number=number,
        number_at=number_at,
        type=transaction.type,
        control_number=transaction.control_number,
        version=transaction.version,
        association=transaction.association,
        outcome="accepted" if not errors else "accepted_with_errors" if lenient else "rejected",
        problems=tuple(problems),
    )


def header_place(transaction: Transaction) -> Place:
    """ST or UNH of a transaction."""
    return place_in(transaction, index=1)


def answered(text: str, policy: AcknowledgmentPolicy | None = None, *, accept_errors: bool = False, refused: bool = False) -> list[Answer]:
    return answer(found_in(text, accept_errors=accept_errors, refused=refused), policy or AcknowledgmentPolicy())


def sent(made: Answer) -> bytes:
    """The answer in its interchange, as it leaves."""
    return wrap_answer(made, Numbers(sender="ZZ:SELLERCO", receiver="ZZ:ACMEBUYER", interchange="9", at=AT))


def read_back(data: bytes) -> list[Transaction]:
    """What we send, read by our own reader and checked against our own schema: without a word."""
    _, events = choose.read([data])
    found = []
    for event in events:
        assert not isinstance(event, Problem), event
        assert not getattr(event, "problems", ()), event
        if isinstance(event, Transaction):
            spec = (
                f"x12/{event.version}/{event.type}"
                if event.syntax is Syntax.X12
                else f"edifact/service/contrl-{'4' if event.charset.endswith('4') else '3'}"
            )
            assert not check(event, compiled(spec)).problems, check(event, compiled(spec)).problems
            found.append(event)
    return found


def bodies(made: Iterable[Answer]) -> list[list[Segment]]:
    """The bodies of all answers, as the partner reads them."""
    return [transaction.segments[1:-1] for one in made for transaction in read_back(sent(one))]


def lines(segments: list[Segment]) -> list[str]:
    """Segments as one would write them on paper."""
    texts = []
    for segment in segments:
        texts.append(
            "+".join(":".join(part) if isinstance(part, list) else part for part in segment) if isinstance(segment[-1], list) else "*".join(segment)
        )
    return texts
