"""What exactly is wrong with a segment, element by element, in words. The slow and thorough side of segment_check.py.

It must find something wherever the quick check says so, and nothing where it does not. Knows the plan, the forms of values and the
kinds of problems; places in bytes are added by apply.py.
"""

from collections.abc import Iterator

from gateway.codecs.node import Delimiters
from gateway.codecs.node import Repeated
from gateway.codecs.node import Segment
from gateway.kinds import document
from gateway.kinds import edifact
from gateway.kinds import x12
from gateway.problem import Severity
from gateway.schema import known_codes
from gateway.schema.diagnose_values import ValueDiagnosis
from gateway.schema.findings import At
from gateway.schema.findings import Finding
from gateway.schema.findings import shown
from gateway.schema.plan import Condition
from gateway.schema.plan import ElementUse
from gateway.schema.plan import SegmentUse
from gateway.schema.relations import broken

#: what each relational condition asks of the elements that it names
_WANTED = {"P": "all of them or none", "R": "at least one of them", "E": "only one of them", "C": "all of them", "L": "one of them"}


def diagnose(segment: Segment, use: SegmentUse, syntax: str, delimiters: Delimiters, numbers: bool = False) -> Iterator[Finding]:
    """Everything that is wrong with the segment's elements; with `numbers` also check digits."""
    told = _Segment(segment, use, syntax, delimiters)
    yield from told.findings()
    if numbers:
        yield from told.numbers()


class _Segment(ValueDiagnosis):
    """One segment under the lens."""

    def findings(self) -> Iterator[Finding]:
        for use in self.use.elements:
            value = self.elements[use.position - 1] if use.position <= len(self.elements) else ""
            yield from self._element(use, value)
        if len(self.elements) > len(self.use.elements):
            most, count = len(self.use.elements), len(self.elements)
            # separators that nothing follows are bad manners, not bad data
            empty = not any(any(element) for element in self.elements[most:])
            kind = x12.ELEMENTS_TOO_MANY if self.x12 else edifact.SEPARATORS_TRAILING if empty else edifact.ELEMENTS_TOO_MANY
            yield Finding(
                kind=kind,
                element=most + 1,
                found=str(count),
                message=f"{self.tag} has {count} elements, at most {most} {'is' if most == 1 else 'are'} allowed"
                + ("; those beyond are empty" if empty else ""),
                expected=f"at most {most} elements",
                severity=Severity.WARNING if empty else None,
            )
        for condition in self.use.conditions:
            yield from self._condition(condition)

    def _element(self, use: ElementUse, value: object) -> Iterator[Finding]:
        repetitions = self._repetitions(use, value)
        # an X12 composite of nothing but separators is there, if wrong
        if not any(any(repetition) for repetition in repetitions) and not (self.x12 and value and use.components):
            if use.mandatory:
                yield self._missing(At(use.position), use)
            # an element that has more components than it may is wrong even where all are empty
            if self.x12 or not any(len(repetition) > max(1, len(use.components)) for repetition in repetitions):
                return
        if use.unused:
            kind = x12.ELEMENT_NOT_USED if self.x12 else edifact.ELEMENT_NOT_USED
            text = self._text(value)
            yield self.say(At(use.position), use, kind, f"({use.name}) is '{shown(text)}', but is not used here and must stay empty", text, "nothing")
            return
        if len(repetitions) > 1 and use.repeat == 1 and self.x12 and use.type in {"AN", "ID"} and use.codes is None:
            # many who never repeat anything send the character in text, whatever ISA11 says
            yield Finding(
                kind=x12.REPETITIONS_TOO_MANY,
                element=use.position,
                reference=use.id,
                severity=Severity.WARNING,
                message=f"{self.tag}-{use.position:02d} holds the repetition separator '{self.delimiters.repetition}', "
                "but may not be repeated; the character was taken as data",
                found=str(len(repetitions)),
                expected="one value",
            )
            repetitions = [[self._text(value)]]
        if len(repetitions) > use.repeat:
            kind = x12.REPETITIONS_TOO_MANY if self.x12 else edifact.REPETITIONS_TOO_MANY
            yield self.say(
                At(use.position, None, use.repeat + 1),
                use,
                kind,
                f"({use.name}) stands {len(repetitions)} times, at most {use.repeat} {'is' if use.repeat == 1 else 'are'} allowed",
                str(len(repetitions)),
                f"at most {use.repeat}",
                whole=At(use.position),
            )
            return
        for number, components in enumerate(repetitions, 1):
            yield from self._repetition(At(use.position, None, number if len(repetitions) > 1 else None), use, components)

    def _text(self, value: object) -> str:
        if isinstance(value, str):
            return value
        assert isinstance(value, list)
        if isinstance(value, Repeated):
            return (self.delimiters.repetition or "*").join(self._text(one) for one in value)
        return self.delimiters.component.join(str(component) for component in value)

    def _repetitions(self, use: ElementUse, value: object) -> list[list[str]]:
        """The element as repetitions of components."""
        if isinstance(value, Repeated):
            return [one if isinstance(one, list) else [one] for one in value] or [[]]
        if isinstance(value, list):
            return [value]
        assert isinstance(value, str)
        parts = value.split(self.delimiters.repetition) if self.delimiters.repetition and self.x12 else [value]
        return [part.split(self.delimiters.component) if use.components and self.delimiters.component else [part] for part in parts]

    def _repetition(self, at: At, use: ElementUse, components: list[str]) -> Iterator[Finding]:
        most = max(1, len(use.components))
        if len(components) > most:
            kind = x12.COMPONENTS_TOO_MANY if self.x12 else edifact.COMPONENTS_TOO_MANY
            empty = not any(components[most:])
            yield self.say(
                At(at.element, most + 1, at.repetition),
                use,
                kind,
                f"({use.name}) has {len(components)} components, at most {most} {'is' if most == 1 else 'are'} allowed"
                + ("; those beyond are empty" if empty else ""),
                self._text(components),
                f"at most {most}",
                whole=at,
                severity=Severity.WARNING if empty else None,
            )
        if not use.components:
            if components and components[0]:
                yield from self.value(at, use, components[0])
            elif at.repetition is not None:
                yield self._missing(at, use)
            return
        if not any(components) and not self.x12:
            return
        for component in use.components:
            here = At(at.element, component.position, at.repetition)
            value = components[component.position - 1] if component.position <= len(components) else ""
            if value:
                yield from self.value(here, component, value)
            elif component.mandatory:
                yield self._missing(here, component)
        for condition in use.conditions:
            yield from self._inner_condition(condition, at, use, components)
        if not self.x12:
            yield from self.period(at, use, components)

    def _missing(self, at: At, use: ElementUse) -> Finding:
        kind = x12.ELEMENT_MISSING if self.x12 else edifact.ELEMENT_MISSING
        return self.say(at, use, kind, f"({use.name}) is missing but mandatory", None, "a value")

    def numbers(self) -> Iterator[Finding]:
        """GTIN, GLN and SSCC beside their qualifiers."""
        uses = self.use.elements[: len(self.elements)]
        for first, second in zip(uses, uses[1:], strict=False):
            kinds = known_codes.X12_PAIRS.get((first.id, second.id)) if self.x12 else None
            if kinds is not None and str(self.elements[first.position - 1]) in kinds:
                qualifier, value = self.elements[first.position - 1], self.elements[second.position - 1]
                yield from self._number_fault(At(second.position), second, value, kinds[qualifier](value) if value else None)
        for use in () if self.x12 else uses:
            told = self.elements[use.position - 1]
            if use.id in known_codes.EDIFACT_COMPOSITES and isinstance(told, list) and not isinstance(told, Repeated):
                at, by, kinds = known_codes.EDIFACT_COMPOSITES[use.id]
                if len(told) >= by and told[by - 1] in kinds and told[at - 1]:
                    yield from self._number_fault(At(use.position, at), use.components[at - 1], told[at - 1], kinds[told[by - 1]](told[at - 1]))
        if self.tag == "GIN" and not self.x12 and self.elements and self.elements[0] and self.elements[0][0] in known_codes.GIN_KINDS:
            check = known_codes.GIN_KINDS[self.elements[0][0]]
            for use in uses[1:]:
                for number, value in enumerate(self.elements[use.position - 1][: len(use.components)], 1):
                    if value:
                        yield from self._number_fault(At(use.position, number), use.components[number - 1], value, check(value))

    def _number_fault(self, at: At, use: ElementUse, value: str, fault: str | None) -> Iterator[Finding]:
        if fault is not None:
            yield self.say(at, use, document.CHECK_DIGIT, f"({use.name}) is '{shown(value)}', expected {fault}", value, fault)

    # relational conditions (X12.6)

    def _condition(self, condition: Condition) -> Iterator[Finding]:
        found = broken(
            condition,
            lambda position: position <= len(self.elements) and bool(self.elements[position - 1]),
            lambda position: f"{self.tag}-{position:02d}",
        )
        if found is not None:
            yield Finding(
                kind=self.exclusion if found.exclusive else self.dependence,
                element=found.position,
                reference=self.use.elements[found.position - 1].id,
                message=found.message,
                found=found.found,
                expected=f"{_WANTED[condition.kind]} (condition {found.rule})",
            )

    def _inner_condition(self, condition: Condition, at: At, use: ElementUse, components: list[str]) -> Iterator[Finding]:
        """The same among the components of a composite."""
        found = broken(
            condition,
            lambda position: position <= len(components) and bool(components[position - 1]),
            lambda position: self.name(At(at.element, position, at.repetition)),
        )
        if found is not None:
            yield Finding(
                kind=self.exclusion if found.exclusive else self.dependence,
                element=at.element,
                component=found.position,
                repetition=at.repetition,
                reference=use.components[found.position - 1].id,
                message=found.message,
                found=found.found,
                expected=f"{_WANTED[condition.kind]} (condition {found.rule})",
            )
