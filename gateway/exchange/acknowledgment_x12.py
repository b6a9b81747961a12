"""997, 999 and TA1: what was found in an X12 interchange as segments.

The codes stand with the kinds of problems: AK304 = 720, AK403 = 723, AK502 = 718, AK905 = 716, IK304 = 620, IK403 = 621, IK502 = 618,
TA105 = I18. Codes that only the 999 has fall back to those of the 997. How notes on segments are written stands in acknowledgment_notes.
"""

import re
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

from gateway.codecs.node import Delimiters
from gateway.codecs.node import Segment
from gateway.exchange.acknowledgment_keys import RECEIVED
from gateway.exchange.acknowledgment_keys import delimiters_of
from gateway.exchange.acknowledgment_notes import FORMS
from gateway.exchange.acknowledgment_notes import Form
from gateway.exchange.acknowledgment_notes import digits
from gateway.exchange.acknowledgment_notes import fitting
from gateway.exchange.acknowledgment_notes import segment_notes
from gateway.exchange.acknowledgment_notes import transaction_codes
from gateway.exchange.acknowledgment_result import ACKNOWLEDGMENT_GROUPS
from gateway.exchange.acknowledgment_result import NEVER_ACKNOWLEDGED
from gateway.exchange.acknowledgment_result import AcknowledgmentPolicy
from gateway.exchange.acknowledgment_result import Answer
from gateway.exchange.acknowledgment_result import GroupResult
from gateway.exchange.acknowledgment_result import InterchangeResult
from gateway.exchange.acknowledgment_result import Policies
from gateway.exchange.acknowledgment_result import ReceivedEnvelope
from gateway.exchange.acknowledgment_result import TransactionResult
from gateway.exchange.acknowledgment_result import errors_of
from gateway.exchange.acknowledgment_result import kind_of
from gateway.exchange.acknowledgment_result import listed
from gateway.exchange.acknowledgment_result import worst_of
from gateway.problem import Problem

#: AK905..909
_MOST_CODES = 5
#: AK902 to AK904 have six digits
_LARGEST = 999_999
_GROUP_MARKS = {"accepted": "A", "accepted_with_errors": "E", "partially_accepted": "P", "rejected": "R"}
_TRANSACTION_MARKS = {"accepted": "A", "accepted_with_errors": "E", "rejected": "R"}
#: who sent a group to whom: two characters to fifteen of these
_GROUP_PARTY = re.compile(r"[A-Za-z0-9 .,_&/()-]{2,15}", re.ASCII)

#: what the acknowledgments of groups share that leave together: type, version, sender and receiver of the group
_Together = tuple[str, str, str, str]


def x12_answers(result: InterchangeResult, policies: Policies) -> list[Answer]:
    """TA1 where it is due, and at most one sort of 997 and 999 for each group; groups of one version and one pair of parties leave together."""
    answers = _technical(result, policies.of(result.everything))
    if result.refused:
        return answers
    together: dict[_Together, list[tuple[tuple[Segment, ...], str]]] = {}
    how: dict[_Together, AcknowledgmentPolicy] = {}
    for group in result.groups:
        policy = policies.of(group.transactions)
        named = [transaction for transaction in group.transactions if transaction.type not in NEVER_ACKNOWLEDGED]
        if policy.which not in {None, "997", "999"} or group.type in ACKNOWLEDGMENT_GROUPS or (group.transactions and not named):
            continue
        version = policy.version or (group.version[:6] if re.fullmatch(r"\d{6}", group.version[:6]) else "004010")
        kind: str = policy.which or ("999" if version >= "005010" else "997")
        if kind == "999":
            version = max(version, "005010")
        key = (kind, version, _group_party(group.receiver), _group_party(group.sender))
        made = list(_bodies(group, named, result, policy, FORMS[kind], version))
        if made:
            together.setdefault(key, []).extend(made)
            how.setdefault(key, policy)
    for key, made in together.items():
        kind, version, sender, receiver = key
        answers.append(
            Answer(
                type=kind,
                version=version,
                bodies=tuple(body for body, _ in made),
                outcome=worst_of(outcome for _, outcome in made),
                sender=result.envelope.receiver,
                receiver=result.envelope.sender,
                group_sender=sender,
                group_receiver=receiver,
                interchange_version=_interchange_version(result.envelope, how[key], version),
                delimiters=_delimiters(result.envelope, how[key]),
            )
        )
    return answers


def _bodies(
    group: GroupResult, named: Sequence[TransactionResult], result: InterchangeResult, policy: AcknowledgmentPolicy, form: Form, version: str
) -> Iterator[tuple[tuple[Segment, ...], str]]:
    """One body for the group, or one for each of its transactions, each with its outcome."""
    problems = group_problems(group, result, policy.strict)
    if policy.by == "group" or not named:
        outcome = group_outcome(group, problems)
        if policy.when == "always" or outcome != "accepted":
            declared = group.declared if group.declared is not None else group.counted
            numbers = (declared, max(group.counted, len(group.transactions)), sum(one.outcome != "rejected" for one in group.transactions))
            yield _functional(group, listed(tuple(named)), problems, outcome, numbers, form, version), outcome
        return
    for transaction in named:
        # of a group that is answered piece by piece each answer counts what it speaks of
        outcome = "accepted_with_errors" if transaction.outcome == "accepted" and _noted(problems) else transaction.outcome
        if policy.when == "always" or outcome != "accepted":
            numbers = (1, 1, int(transaction.outcome != "rejected"))
            yield _functional(group, [transaction], problems, outcome, numbers, form, version), outcome


def group_problems(group: GroupResult, result: InterchangeResult, strict: Collection[str] = ()) -> list[Problem]:
    """The errors of the group itself: those of its trailer, and those of its header, which the reader tells by the way."""
    told = [problem for problem in result.problems if problem.place.group == group.control_number and _is_noted(problem)]
    return errors_of([*group.problems, *told], strict)


def _is_noted(problem: Problem) -> bool:
    kind = kind_of(problem)
    return bool(kind.ak9 or kind.ak9_newer)


def _noted(problems: Iterable[Problem]) -> bool:
    return any(_is_noted(problem) for problem in problems)


def group_outcome(group: GroupResult, problems: Iterable[Problem] | None = None) -> str:
    """accepted, accepted_with_errors, partially_accepted or rejected: AK901 in words. What was done with the transactions counts."""
    noted = _noted(errors_of(group.problems) if problems is None else problems)
    if not group.transactions:
        return "rejected" if noted or group.counted else "accepted"
    outcome = worst_of(transaction.outcome for transaction in group.transactions)
    return "accepted_with_errors" if noted and outcome == "accepted" else outcome


def _functional(
    group: GroupResult,
    transactions: Sequence[TransactionResult],
    problems: list[Problem],
    outcome: str,
    numbers: tuple[int, int, int],
    form: Form,
    version: str,
) -> tuple[Segment, ...]:
    """AK1, AK2 with its notes and AK5 or IK5, AK9."""
    body: list[Segment] = [["AK1", fitting(group.type, 2, 2, "ZZ"), digits(group.control_number, 1)]]
    if form.implementation:
        body[0].append(fitting(group.version, 1, 12, version))
    for transaction in transactions:
        body.append(["AK2", fitting(transaction.type, 3, 3, "000"), fitting(transaction.control_number, 4, 9, "0000")])
        if version >= "005010":
            body[-1].append(fitting(transaction.association, 0, 35, ""))
        codes: list[str] = []
        if transaction.outcome != "accepted":
            body += segment_notes(transaction, form, version)
            codes = transaction_codes(transaction, form)
        body.append([form.transaction, _TRANSACTION_MARKS[transaction.outcome], *codes])
    told = list(problems)
    if outcome == "rejected":
        told += [problem for transaction in transactions[:100] for problem in errors_of(transaction.problems)]
    body.append(["AK9", _GROUP_MARKS[outcome], *(str(min(number, _LARGEST)) for number in numbers), *_group_codes(told, version)])
    return tuple(_trimmed(segment) for segment in body)


def _group_codes(problems: Iterable[Problem], version: str) -> list[str]:
    """AK905 to AK909. A number that is not unique has a code of its own from 005010 on; before, that one meant something else."""
    codes = []
    for problem in problems:
        kind = kind_of(problem)
        codes.append(kind.ak9_newer or kind.ak9 if version >= "005010" else kind.ak9)
    return [code for code in dict.fromkeys(codes) if code][:_MOST_CODES]


def _technical(result: InterchangeResult, policy: AcknowledgmentPolicy) -> list[Answer]:
    """TA1: where it was asked for (ISA14) or agreed, and where the interchange as a whole is refused."""
    envelope = result.envelope
    errors = [problem for problem in errors_of(result.problems, policy.strict) if kind_of(problem).ta1]
    # what a TA1 notes costs nobody anything: the header's oddities that are no errors to us are told there too
    noted = errors or [problem for problem in result.problems if kind_of(problem).ta1]
    refused = result.refused or bool(errors and not result.groups)
    asked = envelope.acknowledgment_requested or policy.which == "TA1" or policy.technical == "always"
    due = policy.technical != "never" and policy.which != "none" and (asked or (refused and policy.technical == "asked_or_refused"))
    if not due or not envelope.control_number or (result.groups and all(group.type in ACKNOWLEDGMENT_GROUPS for group in result.groups)):
        return []
    if not refused and not noted and policy.when == "on_error":
        return []
    outcome = "rejected" if refused else "accepted_with_errors" if noted else "accepted"
    code = kind_of(noted[0]).ta1 if noted else "024" if refused else "000"
    numbers = [digits(envelope.control_number, 9), digits(envelope.date, 6)[:6], digits(envelope.time, 4)[:4]]
    segment: Segment = ["TA1", *numbers, _TRANSACTION_MARKS[outcome], code]
    return [
        Answer(
            type="TA1",
            version=policy.version or envelope.version,
            bodies=((segment,),),
            outcome=outcome,
            sender=envelope.receiver,
            receiver=envelope.sender,
            interchange_version=_interchange_version(envelope, policy, "004010"),
            delimiters=_delimiters(envelope, policy),
        )
    ]


def _interchange_version(envelope: ReceivedEnvelope, policy: AcknowledgmentPolicy, version: str) -> str:
    """ISA12 of the answer: as agreed, else as received, else as its group's."""
    if policy.version:
        return policy.version[:5]
    return envelope.version if re.fullmatch(r"\d{5}", envelope.version) else version[:5]


def _delimiters(envelope: ReceivedEnvelope, policy: AcknowledgmentPolicy) -> Delimiters | None:
    if policy.delimiters == RECEIVED:
        # the header of a file without ISA was guessed, and one without component separator has too few
        return envelope.delimiters if envelope.delimiters is not None and envelope.delimiters.component else None
    return delimiters_of(policy.delimiters, "x12") if policy.delimiters else None


def _group_party(text: str) -> str:
    """GS02 and GS03 as received; nothing where they cannot be sent back."""
    return text if _GROUP_PARTY.fullmatch(text) else ""


def _trimmed(segment: Segment) -> Segment:
    values = list(segment)
    while len(values) > 1 and values[-1] == "":
        values.pop()
    return values
