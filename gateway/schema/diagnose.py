"""What exactly is wrong with a segment, element by element, in words. The slow and thorough side of segment_check.py.

It must find something wherever the quick check says so, and nothing where it does not. Knows the plan, the forms of values and the
kinds of problems; places in bytes are added by apply.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.codecs.node import Delimiters
from gateway.codecs.node import Repeated
from gateway.codecs.node import Segment
from gateway.kinds import document
from gateway.kinds import edifact
from gateway.kinds import x12
from gateway.problem import Kind
from gateway.problem import Severity
from gateway.schema import known_codes
from gateway.schema import values
from gateway.schema.plan import Condition
from gateway.schema.plan import ElementUse
from gateway.schema.plan import SegmentUse
from gateway.schema.relations import broken

#: codes that are named in a sentence before it says how many more there are
_NAMED_CODES = 8
#: characters of a wrong value that are shown
_SHOWN = 99


#: what each relational condition asks of the elements that it names
_WANTED = {"P": "all of them or none", "R": "at least one of them", "E": "only one of them", "C": "all of them", "L": "one of them"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong inside a segment."""

    kind: Kind
    message: str
    element: int | None = None
    component: int | None = None
    repetition: int | None = None
    reference: str | None = None
    #: the loop it stands in, where the segment's place in the schema does not say it
    loop: str | None = None
    found: str | None = None
    expected: str | None = None
    severity: Severity | None = None


def diagnose(segment: Segment, use: SegmentUse, syntax: str, delimiters: Delimiters, numbers: bool = False) -> Iterator[Finding]:
    """Everything that is wrong with the segment's elements; with `numbers` also check digits."""
    told = _Segment(segment, use, syntax, delimiters)
    yield from told.findings()
    if numbers:
        yield from told.numbers()


def _shown(value: str) -> str:
    return value if len(value) <= _SHOWN else value[:_SHOWN] + "..."


def _codes_in_words(codes: frozenset[str]) -> str:
    ordered = sorted(codes, key=lambda code: (len(code), code))
    if len(ordered) == 1:
        return ordered[0]
    if len(ordered) <= _NAMED_CODES:
        return "one of " + ", ".join(ordered)
    return "one of " + ", ".join(ordered[:_NAMED_CODES]) + f" and {len(ordered) - _NAMED_CODES} more"


def _characters(count: int) -> str:
    return f"{count} character" + ("" if count == 1 else "s")


@dataclass(frozen=True, slots=True)
class _At:
    """An element, component and repetition, as far as they matter."""

    element: int
    component: int | None = None
    repetition: int | None = None


class _Segment:
    """One segment under the lens."""

    def __init__(self, segment: Segment, use: SegmentUse, syntax: str, delimiters: Delimiters) -> None:
        self.tag = use.tag
        self.elements = segment[1:]
        self.use = use
        self.x12 = syntax == "x12"
        self.delimiters = delimiters
        self.dependence = x12.ELEMENT_CONDITION if self.x12 else edifact.ELEMENT_CONDITION
        self.exclusion = x12.ELEMENT_EXCLUSION if self.x12 else edifact.ELEMENT_CONDITION

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

    # elements

    def _name(self, at: _At) -> str:
        name = f"{self.tag}-{at.element:02d}"
        if at.component is not None:
            name += f"-{at.component:02d}"
        return name + (f" (repetition {at.repetition})" if at.repetition is not None else "")

    def _say(
        self,
        at: _At,
        use: ElementUse,
        kind: Kind,
        message: str,
        found: str | None = None,
        expected: str | None = None,
        *,
        whole: _At | None = None,
        severity: Severity | None = None,
    ) -> Finding:
        """A finding at `at`; the sentence names `whole` where it is about all repetitions or components together."""
        return Finding(
            kind=kind,
            element=at.element,
            component=at.component,
            repetition=at.repetition,
            reference=use.id,
            severity=severity,
            message=f"{self._name(whole or at)} {message}",
            found=None if found is None else _shown(found),
            expected=expected,
        )

    def _element(self, use: ElementUse, value: object) -> Iterator[Finding]:
        repetitions = self._repetitions(use, value)
        # an X12 composite of nothing but separators is there, if wrong
        if not any(any(repetition) for repetition in repetitions) and not (self.x12 and value and use.components):
            if use.mandatory:
                yield self._missing(_At(use.position), use)
            # an element that has more components than it may is wrong even where all are empty
            if self.x12 or not any(len(repetition) > max(1, len(use.components)) for repetition in repetitions):
                return
        if use.unused:
            kind = x12.ELEMENT_NOT_USED if self.x12 else edifact.ELEMENT_NOT_USED
            text = self._text(value)
            yield self._say(
                _At(use.position), use, kind, f"({use.name}) is '{_shown(text)}', but is not used here and must stay empty", text, "nothing"
            )
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
            yield self._say(
                _At(use.position, None, use.repeat + 1),
                use,
                kind,
                f"({use.name}) stands {len(repetitions)} times, at most {use.repeat} {'is' if use.repeat == 1 else 'are'} allowed",
                str(len(repetitions)),
                f"at most {use.repeat}",
                whole=_At(use.position),
            )
            return
        for number, components in enumerate(repetitions, 1):
            yield from self._repetition(_At(use.position, None, number if len(repetitions) > 1 else None), use, components)

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

    def _repetition(self, at: _At, use: ElementUse, components: list[str]) -> Iterator[Finding]:
        most = max(1, len(use.components))
        if len(components) > most:
            kind = x12.COMPONENTS_TOO_MANY if self.x12 else edifact.COMPONENTS_TOO_MANY
            empty = not any(components[most:])
            yield self._say(
                _At(at.element, most + 1, at.repetition),
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
                yield from self._value(at, use, components[0])
            elif at.repetition is not None:
                yield self._missing(at, use)
            return
        if not any(components) and not self.x12:
            return
        for component in use.components:
            here = _At(at.element, component.position, at.repetition)
            value = components[component.position - 1] if component.position <= len(components) else ""
            if value:
                yield from self._value(here, component, value)
            elif component.mandatory:
                yield self._missing(here, component)
        for condition in use.conditions:
            yield from self._inner_condition(condition, at, use, components)
        if not self.x12:
            yield from self._period(at, use, components)

    def _missing(self, at: _At, use: ElementUse) -> Finding:
        kind = x12.ELEMENT_MISSING if self.x12 else edifact.ELEMENT_MISSING
        return self._say(at, use, kind, f"({use.name}) is missing but mandatory", None, "a value")

    def numbers(self) -> Iterator[Finding]:
        """GTIN, GLN and SSCC beside their qualifiers."""
        uses = self.use.elements[: len(self.elements)]
        for first, second in zip(uses, uses[1:], strict=False):
            kinds = known_codes.X12_PAIRS.get((first.id, second.id)) if self.x12 else None
            if kinds is not None and str(self.elements[first.position - 1]) in kinds:
                qualifier, value = self.elements[first.position - 1], self.elements[second.position - 1]
                yield from self._number_fault(_At(second.position), second, value, kinds[qualifier](value) if value else None)
        for use in () if self.x12 else uses:
            told = self.elements[use.position - 1]
            if use.id in known_codes.EDIFACT_COMPOSITES and isinstance(told, list) and not isinstance(told, Repeated):
                at, by, kinds = known_codes.EDIFACT_COMPOSITES[use.id]
                if len(told) >= by and told[by - 1] in kinds and told[at - 1]:
                    yield from self._number_fault(_At(use.position, at), use.components[at - 1], told[at - 1], kinds[told[by - 1]](told[at - 1]))
        if self.tag == "GIN" and not self.x12 and self.elements and self.elements[0] and self.elements[0][0] in known_codes.GIN_KINDS:
            check = known_codes.GIN_KINDS[self.elements[0][0]]
            for use in uses[1:]:
                for number, value in enumerate(self.elements[use.position - 1][: len(use.components)], 1):
                    if value:
                        yield from self._number_fault(_At(use.position, number), use.components[number - 1], value, check(value))

    def _number_fault(self, at: _At, use: ElementUse, value: str, fault: str | None) -> Iterator[Finding]:
        if fault is not None:
            yield self._say(at, use, document.CHECK_DIGIT, f"({use.name}) is '{_shown(value)}', expected {fault}", value, fault)

    def _known(self, at: _At, use: ElementUse, value: str) -> Iterator[Finding]:
        """Codes of currencies, countries and units."""
        known = known_codes.KNOWN.get(use.id)
        kind, asked = document.UNIT, "capital letters and digits"
        if known is known_codes.CURRENCIES:
            kind, asked = document.CURRENCY, "a currency of ISO 4217"
        elif known is known_codes.COUNTRIES:
            kind, asked = document.COUNTRY, "a country of ISO 3166"
        if (known is not None and value not in known) or (use.id in known_codes.UNITS and known_codes.unit_odd(value)):
            yield self._say(at, use, kind, f"({use.name}) is '{_shown(value)}', expected {asked}", value, asked)

    # values

    def _value(self, at: _At, use: ElementUse, value: str) -> Iterator[Finding]:
        if use.unused:
            kind = x12.ELEMENT_NOT_USED if self.x12 else edifact.ELEMENT_NOT_USED
            yield self._say(at, use, kind, f"({use.name}) is '{_shown(value)}', but is not used here and must stay empty", value, "nothing")
        elif use.codes is not None:
            if value not in use.codes:
                yield self._length(at, use, value, len(value)) or self._code(at, use, value, use.codes)
        elif use.type in {"R", "n"} or use.type[0] == "N":
            yield from self._number(at, use, value)
        elif use.type in {"DT", "TM"}:
            yield from self._moment(at, use, value)
        else:
            wrong = self._length(at, use, value, len(value))
            if wrong is not None:
                yield wrong
            if use.type == "a" and not value.isalpha() and any(character.isdecimal() for character in value):
                yield self._say(at, use, edifact.ELEMENT_CHARACTER, f"is '{_shown(value)}', but only letters are allowed", value, "letters")
            if wrong is None:
                yield from self._known(at, use, value)
            if self.x12 and use.id == "1251":
                yield from self._x12_period(at, use, value)

    def _length(self, at: _At, use: ElementUse, value: str, length: int) -> Finding | None:
        kinds = x12 if self.x12 else edifact
        if use.min <= length <= use.max:
            return None
        exact = use.min == use.max
        if length > use.max:
            kind, asked = kinds.ELEMENT_TOO_LONG, f"exactly {use.max}" if exact else f"at most {use.max}"
        else:
            kind, asked = kinds.ELEMENT_TOO_SHORT, f"exactly {use.min}" if exact else f"at least {use.min}"
        bound = use.max if length > use.max else use.min
        return self._say(
            at,
            use,
            kind,
            f"is {_characters(length)} long, {asked} {'is' if bound == 1 else 'are'} allowed",
            value,
            f"{asked} character{'' if bound == 1 else 's'}",
        )

    def _code(self, at: _At, use: ElementUse, value: str, codes: frozenset[str]) -> Finding:
        words = _codes_in_words(codes)
        kind = x12.ELEMENT_CODE if self.x12 else edifact.ELEMENT_CODE
        return self._say(at, use, kind, f"({use.name}) is '{_shown(value)}', expected {words}", value, words)

    def _number(self, at: _At, use: ElementUse, value: str) -> Iterator[Finding]:
        if self.x12:
            good = values.is_decimal(value) if use.type == "R" else values.is_integer(value)
            asked = "a number with digits, a minus and a decimal point" if use.type == "R" else "a whole number of digits"
        else:
            good, asked = values.is_edifact_number(value), "a number with digits, a sign and a decimal mark"
        if not good:
            kind = x12.ELEMENT_CHARACTER if self.x12 else edifact.DECIMAL if values.has_marks_only(value) else edifact.ELEMENT_CHARACTER
            yield self._say(at, use, kind, f"({use.name}) is '{_shown(value)}', expected {asked}", value, asked)
            return
        wrong = self._length(at, use, value, values.digits_of(value))
        odd = None if self.x12 else values.edifact_number_oddity(value)
        if wrong is not None:
            yield wrong
        elif not self.x12 and (mark := value.lstrip("+-")[:1]) in {".", ","}:
            asked = f"a digit before '{mark}'"
            yield self._say(at, use, edifact.DIGIT_MISSING, f"({use.name}) is '{_shown(value)}', expected {asked}", value, asked)
        elif odd is not None:
            asked = "digits, a minus where the number is negative, and a decimal mark before decimals"
            yield self._say(
                at, use, edifact.ELEMENT_CHARACTER, f"({use.name}) is '{_shown(value)}', with {odd}", value, asked, severity=Severity.WARNING
            )

    def _moment(self, at: _At, use: ElementUse, value: str) -> Iterator[Finding]:
        date = use.type == "DT"
        if values.date_bad(value) if date else values.time_bad(value):
            wrong = self._length(at, use, value, len(value))
            if wrong is not None:
                yield wrong
                return
            asked = f"a date like {'260131' if use.max == 6 else '20260131'}" if date else "a time like 1430"
            kind = x12.ELEMENT_DATE if date else x12.ELEMENT_TIME
            yield self._say(at, use, kind, f"({use.name}) is '{_shown(value)}', expected {asked}", value, asked)
            return
        wrong = self._length(at, use, value, len(value))
        if wrong is not None:
            yield wrong

    def _period(self, at: _At, use: ElementUse, components: list[str]) -> Iterator[Finding]:
        """2380 in the format that 2379 names."""
        sent = {
            component.id: (component, components[component.position - 1]) for component in use.components if component.position <= len(components)
        }
        if "2380" not in sent or "2379" not in sent:
            return
        (date, value), (_, form) = sent["2380"], sent["2379"]
        if value and form and values.period_bad(value, form):
            asked = f"{values.period_words(form, False)} (format {form})"
            yield self._say(
                _At(at.element, date.position, at.repetition),
                date,
                edifact.ELEMENT_DATE,
                f"({date.name}) is '{_shown(value)}', expected {asked}",
                value,
                asked,
            )

    def _x12_period(self, at: _At, use: ElementUse, value: str) -> Iterator[Finding]:
        """1251 in the format that the 1250 before it names."""
        before = self.use.elements[at.element - 2] if at.element > 1 and at.component is None else None
        form = self.elements[at.element - 2] if before is not None and before.id == "1250" else ""
        if form and values.x12_period_bad(value, form):
            asked = f"{values.period_words(form, True)} (format {form})"
            yield self._say(at, use, x12.ELEMENT_DATE, f"({use.name}) is '{_shown(value)}', expected {asked}", value, asked)

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

    def _inner_condition(self, condition: Condition, at: _At, use: ElementUse, components: list[str]) -> Iterator[Finding]:
        """The same among the components of a composite."""
        found = broken(
            condition,
            lambda position: position <= len(components) and bool(components[position - 1]),
            lambda position: self._name(_At(at.element, position, at.repetition)),
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
