"""The first half of the walk of a received file, without any state: bytes -> envelopes -> transactions -> schema -> mapping.

`gateway check`, `read` and `ack` walk it as it is; pipeline/inbound/walk.py walks it with partners and a database around. One bad
transaction never stops its neighbours: what is wrong with it travels with it.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from gateway.codecs.choose import form_of
from gateway.codecs.choose import head_of
from gateway.codecs.choose import read as read_events
from gateway.codecs.layout import Form
from gateway.codecs.node import GroupEnd
from gateway.codecs.node import GroupStart
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.codecs.node import place_in
from gateway.exchange.acknowledgment import TransactionResult
from gateway.exchange.acknowledgment import number_of
from gateway.exchange.grouping import misgrouped
from gateway.kinds import KINDS
from gateway.kinds import pipeline as kinds
from gateway.mapping.apply import to_document
from gateway.mapping.reading import PartnerValues
from gateway.model.document import Document
from gateway.model.values import Source
from gateway.pipeline.plans import FORM_SYNTAXES
from gateway.pipeline.plans import Plans
from gateway.pipeline.plans import ReadingPlan
from gateway.pipeline.plans import spec_of
from gateway.problem import Place
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.schema.apply import check
from gateway.schema.compile import CompiledSchema
from gateway.schema.plan import Tree

if TYPE_CHECKING:
    # partners are checked by pydantic, which is slow to load: files without an installation need none of it
    from gateway.exchange.directory import Directory
    from gateway.exchange.partner import LoadedPartner

NO_VALUES = PartnerValues({})
_X12 = Syntax.X12
_EDIFACT = Syntax.EDIFACT
#: kinds of transactions of one interchange whose terms are remembered
_KEPT = 100


class Read(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One transaction, read: how it is answered, its document (None where rejected or where no mapping exists), its problems."""

    transaction: Transaction
    spec: str
    result: TransactionResult
    document: Document | None
    problems: list[Problem]
    plan: ReadingPlan | None


Item = InterchangeStart | GroupStart | Read | GroupEnd | InterchangeEnd | Problem


class Terms(msgspec.Struct, frozen=True):
    """How one transaction is to be read: as which spec, for whom, and whether element errors are let through."""

    spec: str | None
    partner: LoadedPartner | None = None
    accept_errors: bool | tuple[str, ...] = False
    #: classes of warnings that count as errors
    refuse_warnings: tuple[str, ...] = ()
    #: why it is refused whatever stands in it (no agreement, unknown type)
    refused: Problem | None = None
    #: what mapping finds is answered by the application (824, APERAK), not by the syntax-level acknowledgment
    application: bool = False


Decide = Callable[[InterchangeStart, GroupStart | None, Transaction], Terms]


def read_payload(chunks: Iterable[bytes], plans: Plans, decide: Decide, forms: Sequence[Form] = ()) -> tuple[Syntax, Iterator[Item]]:
    """The syntax of a payload and everything in it, one transaction at a time. `forms`: what a file may be that does not say it itself."""
    head, whole = head_of(chunks)
    syntax, events = read_events(whole, form_of(head, forms))
    return syntax, _items(events, plans, decide)


def _items(events: Iterable[object], plans: Plans, decide: Decide) -> Iterator[Item]:
    start: InterchangeStart | None = None
    group: GroupStart | None = None
    for event in events:
        if isinstance(event, Transaction):
            assert start is not None
            yield read_transaction(event, start, group, plans, decide(start, group, event))
            continue
        if isinstance(event, InterchangeStart):
            start, group = event, None
        elif isinstance(event, GroupStart):
            group = event
        elif isinstance(event, GroupEnd):
            group = None
        assert isinstance(event, InterchangeStart | GroupStart | GroupEnd | InterchangeEnd | Problem)
        yield event
        if isinstance(event, InterchangeStart) and event.advice:
            # nearly no file has one, and what judges it takes its time to load
            from gateway.pipeline.reading.advising import advice_problems

            yield from advice_problems(event, plans)


def read_transaction(transaction: Transaction, start: InterchangeStart, group: GroupStart | None, plans: Plans, terms: Terms) -> Read:
    """Schema, then mapping of one transaction."""
    problems = [*transaction.problems, *misgrouped(transaction, group, header_place)]
    sent = spec_of(transaction)
    plan = plans.reading(terms.spec, terms.partner) if terms.spec is not None else None
    if terms.refused is not None:
        problems.append(at_header(transaction, terms.refused))
    elif plan is None or (plan.schema is None and plan.mapping is None):
        problems.append(unsupported(transaction, sent))
        plan = None
    elif terms.spec != sent:
        problems.append(
            kinds.VERSION_NEAREST.at(
                header_place(transaction), f"We have no description of {sent}; it was checked as {terms.spec}", found=sent, expected=terms.spec
            )
        )
    document = None
    told_by_syntax = len(problems)
    if plan is not None and terms.refused is None:
        tree = None
        if plan.schema is not None:
            tree, found_wrong = _checked(transaction, plan.schema, sent, plans, terms)
            problems += found_wrong
        told_by_syntax = len(problems)
        if plan.mapping is not None:
            values = PartnerValues(terms.partner.partner.values()) if terms.partner else NO_VALUES
            document, found = to_document(transaction, tree, plan.mapping, source_of(start, group, transaction), values)
            problems += found
    if terms.refuse_warnings:
        problems = [as_error(problem) if KINDS[problem.code].error_class in terms.refuse_warnings else problem for problem in problems]
    # what is a matter of envelope and schema alone (no mapping of ours) counts as mapped
    outcome = outcome_of(problems, terms.accept_errors, document is not None or plan is None or plan.mapping is None)
    answered = problems
    if terms.application and outcome == "rejected":
        # the syntax may be good enough: then the application alone refuses
        syntax = outcome_of(problems[:told_by_syntax], terms.accept_errors, True)
        if syntax != "rejected":
            document, outcome, answered = None, syntax, problems[:told_by_syntax]
    number, number_at = number_of(transaction.segments)
    result = TransactionResult(
        number=number,
        number_at=number_at,
        type=transaction.type,
        control_number=transaction.control_number,
        version=transaction.version,
        association=transaction.association,
        outcome=outcome,
        problems=tuple(answered),
    )
    return Read(
        transaction=transaction,
        spec=terms.spec or sent,
        result=result,
        document=None if outcome == "rejected" else document,
        problems=problems,
        plan=plan,
    )


def _checked(transaction: Transaction, schema: CompiledSchema, sent: str, plans: Plans, terms: Terms) -> tuple[Tree, list[Problem]]:
    """The transaction's tree, and what is wrong with it as far as it matters in what was sent."""
    checked = check(transaction, schema)
    found = checked.problems
    if found and terms.partner is not None and terms.spec in terms.partner.schemas:
        found = by_guide(found, transaction, plans.schema(terms.spec))
    # what another version finds wrong may be right in the one that was sent
    return checked.tree, found if terms.spec == sent else [as_warning(problem) for problem in found]


def by_guide(problems: list[Problem], transaction: Transaction, base: CompiledSchema | None) -> list[Problem]:
    """The same problems, marked where only the partner's differences forbid what the base schema allows: a 999 tells the two apart."""
    if base is None:
        return problems
    also = {(problem.code, problem.place) for problem in check(transaction, base).problems}
    return [problem if (problem.code, problem.place) in also else msgspec.structs.replace(problem, guide=True) for problem in problems]


def as_warning(problem: Problem) -> Problem:
    """The problem, no longer counted against its transaction."""
    return msgspec.structs.replace(problem, severity=Severity.WARNING)


def as_error(problem: Problem) -> Problem:
    """The problem, counted against its transaction."""
    return msgspec.structs.replace(problem, severity=Severity.ERROR)


def outcome_of(problems: Sequence[Problem], accept_errors: bool | tuple[str, ...], mapped: bool) -> str:
    """accepted, accepted_with_errors (where the partner's agreement lets all element errors, or those of some classes, through) or rejected."""
    errors = [problem for problem in problems if problem.severity is Severity.ERROR] if problems else ()
    if not errors:
        return "accepted" if mapped else "rejected"
    if isinstance(accept_errors, bool):
        lenient = accept_errors and all(problem.place.element is not None for problem in errors)
    else:
        lenient = all(KINDS[problem.code].error_class in accept_errors for problem in errors)
    return "accepted_with_errors" if lenient and mapped else "rejected"


def source_of(start: InterchangeStart, group: GroupStart | None, transaction: Transaction) -> Source:
    """What the document says about where it came from."""
    syntax = transaction.syntax
    if syntax is not _X12 and syntax is not _EDIFACT and syntax in {Syntax.UBL, Syntax.CII, Syntax.CAMT, *FORM_SYNTAXES}:
        return Source(syntax=transaction.syntax.value, type=transaction.type, version=transaction.version or None, test=start.test)
    return Source(
        syntax="x12" if syntax is _X12 else syntax.value,
        type=transaction.type,
        version=transaction.version or None,
        association=transaction.association or None,
        sender=start.sender or None,
        receiver=start.receiver or None,
        interchange_control_number=start.control_number or None,
        group_control_number=group.control_number if group is not None and group.control_number else None,
        transaction_control_number=transaction.control_number or None,
        test=start.test,
    )


def header_place(transaction: Transaction) -> Place:
    """The place of the transaction as a whole: its ST or UNH, or the root of its XML."""
    if transaction.root is not None:
        return Place(path=f"/{transaction.type}", line=transaction.line, offset=transaction.offset)
    if transaction.syntax in {Syntax.CSV, Syntax.FIXED}:
        from gateway.codecs import lines

        return lines.place_of(transaction, 1)
    place = place_in(transaction, index=1)
    return Place(
        interchange=place.interchange,
        group=place.group,
        transaction=place.transaction,
        segment=place.segment,
        index=1,
        offset=transaction.offset,
        line=transaction.line,
    )


def at_header(transaction: Transaction, problem: Problem) -> Problem:
    return Problem(
        code=problem.code,
        severity=problem.severity,
        message=problem.message,
        found=problem.found,
        expected=problem.expected,
        place=header_place(transaction),
        outcome=problem.outcome,
    )


def unsupported(transaction: Transaction, spec: str) -> Problem:
    """We have neither schema nor mapping for this type."""
    return kinds.TYPE_UNSUPPORTED.at(
        header_place(transaction),
        f"We have no description of {transaction.type} {transaction.version}".rstrip(),
        found=spec,
        expected="a transaction that we take: see gateway schema and schemas/",
        # an XML document is judged by its levels (XSD, EN 16931), whether we map it or not
        severity=Severity.WARNING if transaction.root is not None else None,
    )


def stateless(plans: Plans, directory: Directory | None = None, partner: LoadedPartner | None = None, spec: str | None = None) -> Decide:
    """Terms without state: the base plans (the nearest version where ours lacks), a known sender's differences, no entitlement."""

    held: dict[str, Terms] = {}
    of: InterchangeStart | None = None

    def decide(start: InterchangeStart, group: GroupStart | None, transaction: Transaction) -> Terms:
        nonlocal of
        if start is not of:
            held.clear()
            of = start
        sent = spec_of(transaction)
        if transaction.syntax in FORM_SYNTAXES:
            return _terms(start, sent, transaction)
        if sent not in held:
            if len(held) > _KEPT:
                held.clear()
            held[sent] = _terms(start, sent)
        return held[sent]

    def _terms(start: InterchangeStart, sent: str, transaction: Transaction | None = None) -> Terms:
        found = partner
        if found is None and directory is not None:
            found = directory.find(start.syntax.value, start.sender)
            if transaction is not None:
                # without an envelope each document may be somebody else's
                from gateway.pipeline.reading.forms import sender_of

                found = sender_of(transaction, sent, directory) or directory.partners.get(transaction.owner)
        wanted = spec or plans.nearest(sent)
        agreement = None
        if found is not None:
            agreement = next((one for one in found.partner.receiving() if one.receive == wanted), None)
        if agreement is None:
            return Terms(wanted, found)
        return Terms(wanted, found, agreement.accept_errors, agreement.refuse_warnings)

    return decide
