"""A transaction against its compiled schema: the tree of its loops, and what is wrong.

One pass: each segment takes a step in the tables and is looked at by its generated check. Only where one of the two objects is
anything put into words and places. No input raises.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

import msgspec

from gateway.codecs import edifact as edifact_codec
from gateway.codecs import x12 as x12_codec
from gateway.codecs.node import Delimiters
from gateway.codecs.node import Repeated
from gateway.codecs.node import Segment
from gateway.codecs.node import Span
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.codecs.node import place_in
from gateway.kinds import edifact
from gateway.kinds import x12
from gateway.problem import Kind
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.schema.compile import CompiledSchema
from gateway.schema.compile import LoopNode
from gateway.schema.compile import Position
from gateway.schema.compile import Step
from gateway.schema.diagnose import diagnose
from gateway.schema.findings import Finding
from gateway.schema.levels import LEVEL_TAGS
from gateway.schema.levels import level_findings
from gateway.schema.plan import Tree
from gateway.schema.walk import Misplaced
from gateway.schema.walk import Stray
from gateway.schema.walk import Walk

#: problems of one transaction that are listed; one more says that there are others
MOST = 100
_NO_DELIMITERS = Delimiters(element="*", component=":", segment="~")


class Checked(msgspec.Struct, frozen=True):
    """What became of a transaction. `accepted`: neither here nor in its envelope (Transaction.problems) is an error."""

    tree: Tree
    problems: list[Problem]
    accepted: bool


def check(transaction: Transaction, compiled: CompiledSchema) -> Checked:
    """The transaction's tree, and its problems in the order of its segments."""
    if compiled.plan.tree is not None:
        from gateway.schema.trees_check import check_tree

        found = check_tree(transaction, compiled)
        return Checked([], found, not any(problem.severity is Severity.ERROR for problem in (*found, *transaction.problems)))
    if compiled.plan.layout is not None:
        # only where one comes: starting costs nothing for it
        from gateway.schema.rows_check import check_rows

        tree, found = check_rows(transaction, compiled.plan)
        return Checked(tree, found, not any(problem.severity is Severity.ERROR for problem in (*found, *transaction.problems)))
    delimiters = transaction.delimiters or _NO_DELIMITERS
    raw = transaction.raw
    levels: list[Tree] = [[]] * compiled.depth
    tree = levels[0] = compiled.root.template.copy()
    careful = bool(delimiters.repetition) and delimiters.repetition in raw
    doubtful: list[tuple[Segment, Position]] = []
    walk: Walk | None = None
    position = compiled.start
    segment: Segment = []
    steps: dict[str, Step] | None = position.steps
    for segment in transaction.segments:
        try:
            steps, reached, checks, depth, slot, limit, template = steps[segment[0]]  # type: ignore[index]  # None only within a round
        except KeyError:
            steps = None
        else:
            around = levels[depth]
            held = around[slot]
            if limit < 0:
                # a loop opens
                if not held:
                    levels[depth + 1] = inner = template.copy()
                    inner[0] = segment
                    around[slot] = [inner]
                elif len(held) < -limit:  # type: ignore[arg-type]  # a list of trees
                    levels[depth + 1] = inner = template.copy()
                    inner[0] = segment
                    held.append(inner)  # type: ignore[attr-defined]
                else:
                    steps = None
            elif limit:
                if not held:
                    around[slot] = [segment]
                elif len(held) < limit:  # type: ignore[arg-type]  # a list of segments
                    held.append(segment)  # type: ignore[attr-defined]
                else:
                    steps = None
            elif held is None:
                around[slot] = segment
            else:
                steps = None
        if steps is None:
            if walk is None:
                walk = Walk(compiled, levels, MOST + 1)
            position, taken = walk.place(position, segment)
            steps = position.steps
            if taken is None:
                continue
            reached, checks = taken, taken.checks
        else:
            position = reached
        if careful and _repeats(segment, delimiters):
            doubtful.append((segment, reached))
            continue
        try:
            if checks[len(segment)](segment, delimiters):
                doubtful.append((segment, reached))
        except IndexError:
            doubtful.append((segment, reached))
    if position is not compiled.root.children[-1]:
        walk = walk or Walk(compiled, levels, MOST + 1)
        walk.finish(position, segment)
    controls = not raw.isprintable() and _has_controls(raw, delimiters)
    tag = LEVEL_TAGS.get(compiled.plan.type)
    levels_wrong = list(islice(level_findings(transaction.segments, tag), MOST + 1)) if tag is not None else []
    if not doubtful and not controls and not levels_wrong and (walk is None or not walk.strays):
        return Checked(tree, [], not (transaction.problems and any(problem.severity is Severity.ERROR for problem in transaction.problems)))
    problems = _Report(transaction, compiled, delimiters).problems(doubtful, walk.strays if walk else [], controls, levels_wrong)
    return Checked(tree, problems, not any(problem.severity is Severity.ERROR for problem in (*problems, *transaction.problems)))


def _repeats(segment: Segment, delimiters: Delimiters) -> bool:
    """Whether an element of the segment is sent with repetitions."""
    return any(delimiters.repetition in element if type(element) is str else type(element) is Repeated for element in segment)


@lru_cache(maxsize=64)
def _controls_but(delimiters: str) -> re.Pattern[str]:
    allowed = set(delimiters) | {"\t", "\n", "\r"}
    return re.compile("[" + re.escape("".join(chr(code) for code in (*range(32), 127) if chr(code) not in allowed)) + "]")


def _controls(delimiters: Delimiters) -> re.Pattern[str]:
    return _controls_but("".join((delimiters.element, delimiters.component, delimiters.segment, delimiters.release, delimiters.repetition)))


def _has_controls(raw: str, delimiters: Delimiters) -> bool:
    return _controls(delimiters).search(raw) is not None


class _Report:
    """Puts what was found into words and places."""

    def __init__(self, transaction: Transaction, compiled: CompiledSchema, delimiters: Delimiters) -> None:
        self.transaction = transaction
        self.compiled = compiled
        self.delimiters = delimiters
        self.x12 = compiled.plan.syntax == "x12"
        self.kinds = x12 if self.x12 else edifact
        self.index = {id(segment): index for index, segment in enumerate(transaction.segments, 1)}
        self.answer: list[tuple[int, Problem]] = []
        #: what is no error is listed apart, so that it crowds no error out
        self.warnings: list[tuple[int, Problem]] = []
        self.left_out = False

    def problems(
        self, doubtful: list[tuple[Segment, Position]], strays: list[Stray], controls: bool, levels: list[tuple[Segment, Finding]]
    ) -> list[Problem]:
        malformed = {problem.place.index for problem in self.transaction.problems if problem.code == self.kinds.TAG_MALFORMED.code}
        for stray in strays:
            index = self.index.get(id(stray.segment), 0) + stray.at_end
            if stray.what is not Misplaced.UNKNOWN or index not in malformed:
                self.answer.append((index, self._misplaced(stray, index)))
        for segment, position in doubtful:
            if len(self.answer) > MOST:
                break
            loop = position.loop.use.name if position.loop.parent else None
            self._tell(segment, loop, diagnose(segment, position.use, self.compiled.plan.syntax, self.delimiters, self.compiled.numbers))
        for segment, finding in levels:
            self._tell(segment, finding.loop, [finding])
        if controls:
            self._tell_controls()
        self.answer.sort(key=lambda pair: pair[0])
        told = sorted([*self.answer[:MOST], *self.warnings], key=lambda pair: pair[0])
        listed = [problem for _, problem in told]
        if len(self.answer) > MOST or self.left_out:
            last = self.answer[MOST][0] if len(self.answer) > MOST else told[-1][0]
            place = place_in(self.transaction, index=last, span=self._span(last))
            listed.append(
                self.kinds.PROBLEMS_TOO_MANY.at(
                    place, f"There are more than {MOST} problems; only the first {MOST} are listed", found=f"more than {MOST}", expected="none"
                )
            )
        return listed

    def _span(self, index: int, element: int | None = None, component: int | None = None, repetition: int | None = None) -> Span | None:
        if self.transaction.delimiters is None:
            return None
        locate = x12_codec.locate if self.transaction.syntax is Syntax.X12 else edifact_codec.locate
        return locate(self.transaction, index, element, component, repetition)

    def _tell(self, segment: Segment, loop: str | None, findings: Iterable[Finding]) -> None:
        index = self.index[id(segment)]
        for finding in findings:
            if (finding.severity or finding.kind.severity) is Severity.WARNING and len(self.warnings) >= MOST:
                self.left_out = True
                continue
            span = self._span(index, finding.element, finding.component, finding.repetition)
            place = place_in(
                self.transaction, index=index, element=finding.element, component=finding.component, repetition=finding.repetition, span=span
            )
            place = msgspec.structs.replace(place, loop=loop, element_reference=finding.reference)
            problem = finding.kind.at(place, finding.message, found=finding.found, expected=finding.expected, severity=finding.severity)
            (self.warnings if problem.severity is Severity.WARNING else self.answer).append((index, problem))

    def _tell_controls(self) -> None:
        pattern = _controls(self.delimiters)
        for index, segment in enumerate(self.transaction.segments, 1):
            for number, element in enumerate(segment):
                text = element if isinstance(element, str) else repr(element)
                match = pattern.search(element) if isinstance(element, str) else _first_control(element, pattern)
                if match and number:
                    code = f"{ord(match[0]):02X}"
                    place = place_in(self.transaction, index=index, element=number, span=self._span(index, number))
                    self.answer.append(
                        (
                            index,
                            self.kinds.ELEMENT_CHARACTER.at(
                                place,
                                f"{segment[0]}-{number:02d} holds the control character {code} (hexadecimal), which is allowed nowhere in data",
                                found=f"control character {code}",
                                expected="characters that can be printed",
                            ),
                        )
                    )
                    if len(self.answer) > 2 * MOST or not text:
                        return

    def _misplaced(self, stray: Stray, index: int) -> Problem:
        kind, message, found, expected, tag = self._words(stray)
        span = self._span(index)
        if stray.what is Misplaced.MISSING and span is not None:
            span = Span(span.offset, 0, span.line)
        loop = stray.target if isinstance(stray.target, LoopNode) else stray.loop
        name = loop.use.name if loop is not None and loop.parent is not None else None
        place = msgspec.structs.replace(place_in(self.transaction, index=index, span=span), segment=tag, loop=name)
        return kind.at(place, message, found=found, expected=expected)

    def _words(self, stray: Stray) -> tuple[Kind, str, str | None, str | None, str]:
        """Kind, sentence, found, expected, and the tag that the place names."""
        kinds, tag, type_ = self.kinds, str(stray.segment[0]) if stray.segment else "", self.compiled.plan.type
        word = "loop" if self.x12 else "group"
        target = stray.target
        if stray.what is Misplaced.MISSING and target is not None:
            what = f"{word} {target.use.name} with its segment {target.tag}" if isinstance(target, LoopNode) else f"{target.tag} ({target.use.name})"
            where = f"the transaction ended with {tag or 'nothing'}" if stray.at_end else f"it was expected before {tag}"
            return kinds.SEGMENT_MISSING, f"{what} is missing; {where}", tag, target.tag, target.tag
        if stray.what in {Misplaced.OVER_MAXIMUM, Misplaced.LOOP_OVER_MAXIMUM} and target is not None:
            most = f"at most {target.use.max} {'is' if target.use.max == 1 else 'are'} allowed"
            name = f"{word} {target.use.name}" if isinstance(target, LoopNode) else f"{tag} ({target.use.name})"
            kind = kinds.LOOP_OVER_MAXIMUM if isinstance(target, LoopNode) else kinds.SEGMENT_OVER_MAXIMUM
            return kind, f"{name} stands here once too often, {most}", f"number {(target.use.max or 0) + 1}", f"at most {target.use.max}", tag
        if stray.what is Misplaced.OUT_OF_ORDER:
            return kinds.SEGMENT_OUT_OF_ORDER, f"{tag} stands too late: the segments before it must follow it", tag, "the order of the schema", tag
        if stray.what is Misplaced.UNEXPECTED and stray.loop is not None:
            home = stray.loop.parent if stray.loop.tag == tag and stray.loop.parent else stray.loop
            name = f"{word} {home.use.name}, which {home.tag} opens"
            return kinds.SEGMENT_UNEXPECTED, f"{tag} is not expected here; it belongs to {name}", tag, f"{home.tag} before it", tag
        if stray.what is Misplaced.NOT_IN_TRANSACTION:
            return kinds.SEGMENT_NOT_IN_TRANSACTION, f"{tag} is no segment of {type_}", tag, f"a segment of {type_}", tag
        directory = type_ if "/service/" in self.compiled.plan.spec else self.compiled.plan.version
        return kinds.SEGMENT_UNKNOWN, f"'{tag}' is no segment that {directory} knows", tag, f"a segment of {type_}", tag


def _first_control(element: object, pattern: re.Pattern[str]) -> re.Match[str] | None:
    """The first control character in an element of components."""
    if isinstance(element, str):
        return pattern.search(element)
    for part in element if isinstance(element, list) else ():
        match = _first_control(part, pattern)
        if match is not None:
            return match
    return None
