"""What exactly is wrong with one value, in words: its length, its characters, its code, its date (X12.6; ISO 9735).

Knows the element's description and the value; which values a segment has is diagnose.py's.
"""

from collections.abc import Iterator

from gateway.codecs.node import Delimiters
from gateway.codecs.node import Segment
from gateway.kinds import document
from gateway.kinds import edifact
from gateway.kinds import x12
from gateway.problem import Kind
from gateway.problem import Severity
from gateway.schema import known_codes
from gateway.schema import values
from gateway.schema.findings import At
from gateway.schema.findings import Finding
from gateway.schema.findings import shown
from gateway.schema.plan import ElementUse
from gateway.schema.plan import SegmentUse

#: codes that are named in a sentence before it says how many more there are
_NAMED_CODES = 8


class ValueDiagnosis:
    """The values of one segment under the lens."""

    def __init__(self, segment: Segment, use: SegmentUse, syntax: str, delimiters: Delimiters) -> None:
        self.tag = use.tag
        self.elements = segment[1:]
        self.use = use
        self.x12 = syntax == "x12"
        self.delimiters = delimiters
        self.dependence = x12.ELEMENT_CONDITION if self.x12 else edifact.ELEMENT_CONDITION
        self.exclusion = x12.ELEMENT_EXCLUSION if self.x12 else edifact.ELEMENT_CONDITION

    def name(self, at: At) -> str:
        """The element as a sentence names it."""
        name = f"{self.tag}-{at.element:02d}"
        if at.component is not None:
            name += f"-{at.component:02d}"
        return name + (f" (repetition {at.repetition})" if at.repetition is not None else "")

    def say(
        self,
        at: At,
        use: ElementUse,
        kind: Kind,
        message: str,
        found: str | None = None,
        expected: str | None = None,
        *,
        whole: At | None = None,
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
            message=f"{self.name(whole or at)} {message}",
            found=None if found is None else shown(found),
            expected=expected,
        )

    def value(self, at: At, use: ElementUse, value: str) -> Iterator[Finding]:
        """A value that is there, against its description."""
        if use.unused:
            kind = x12.ELEMENT_NOT_USED if self.x12 else edifact.ELEMENT_NOT_USED
            yield self.say(at, use, kind, f"({use.name}) is '{shown(value)}', but is not used here and must stay empty", value, "nothing")
        elif use.codes is not None:
            if value not in use.codes:
                yield self.length(at, use, value, len(value)) or self._code(at, use, value, use.codes)
        elif use.type in {"R", "n"} or use.type[0] == "N":
            yield from self._number(at, use, value)
        elif use.type in {"DT", "TM"}:
            yield from self._moment(at, use, value)
        else:
            wrong = self.length(at, use, value, len(value))
            if wrong is not None:
                yield wrong
            if use.type == "a" and not value.isalpha() and any(character.isdecimal() for character in value):
                yield self.say(at, use, edifact.ELEMENT_CHARACTER, f"is '{shown(value)}', but only letters are allowed", value, "letters")
            if wrong is None:
                yield from self._known(at, use, value)
            if self.x12 and use.id == "1251":
                yield from self.x12_period(at, use, value)

    def length(self, at: At, use: ElementUse, value: str, length: int) -> Finding | None:
        """The length of a value, where it is wrong."""
        kinds = x12 if self.x12 else edifact
        if use.min <= length <= use.max:
            return None
        exact = use.min == use.max
        if length > use.max:
            kind, asked = kinds.ELEMENT_TOO_LONG, f"exactly {use.max}" if exact else f"at most {use.max}"
        else:
            kind, asked = kinds.ELEMENT_TOO_SHORT, f"exactly {use.min}" if exact else f"at least {use.min}"
        bound = use.max if length > use.max else use.min
        return self.say(
            at,
            use,
            kind,
            f"is {_characters(length)} long, {asked} {'is' if bound == 1 else 'are'} allowed",
            value,
            f"{asked} character{'' if bound == 1 else 's'}",
        )

    def _code(self, at: At, use: ElementUse, value: str, codes: frozenset[str]) -> Finding:
        words = _codes_in_words(codes)
        kind = x12.ELEMENT_CODE if self.x12 else edifact.ELEMENT_CODE
        return self.say(at, use, kind, f"({use.name}) is '{shown(value)}', expected {words}", value, words)

    def _number(self, at: At, use: ElementUse, value: str) -> Iterator[Finding]:
        if self.x12:
            good = values.is_decimal(value) if use.type == "R" else values.is_integer(value)
            asked = "a number with digits, a minus and a decimal point" if use.type == "R" else "a whole number of digits"
        else:
            good, asked = values.is_edifact_number(value), "a number with digits, a sign and a decimal mark"
        if not good:
            kind = x12.ELEMENT_CHARACTER if self.x12 else edifact.DECIMAL if values.has_marks_only(value) else edifact.ELEMENT_CHARACTER
            yield self.say(at, use, kind, f"({use.name}) is '{shown(value)}', expected {asked}", value, asked)
            return
        wrong = self.length(at, use, value, values.digits_of(value))
        odd = None if self.x12 else values.edifact_number_oddity(value)
        if wrong is not None:
            yield wrong
        elif not self.x12 and (mark := value.lstrip("+-")[:1]) in {".", ","}:
            asked = f"a digit before '{mark}'"
            yield self.say(at, use, edifact.DIGIT_MISSING, f"({use.name}) is '{shown(value)}', expected {asked}", value, asked)
        elif odd is not None:
            asked = "digits, a minus where the number is negative, and a decimal mark before decimals"
            yield self.say(
                at, use, edifact.ELEMENT_CHARACTER, f"({use.name}) is '{shown(value)}', with {odd}", value, asked, severity=Severity.WARNING
            )

    def _moment(self, at: At, use: ElementUse, value: str) -> Iterator[Finding]:
        date = use.type == "DT"
        if values.date_bad(value) if date else values.time_bad(value):
            wrong = self.length(at, use, value, len(value))
            if wrong is not None:
                yield wrong
                return
            asked = f"a date like {'260131' if use.max == 6 else '20260131'}" if date else "a time like 1430"
            kind = x12.ELEMENT_DATE if date else x12.ELEMENT_TIME
            yield self.say(at, use, kind, f"({use.name}) is '{shown(value)}', expected {asked}", value, asked)
            return
        wrong = self.length(at, use, value, len(value))
        if wrong is not None:
            yield wrong

    def period(self, at: At, use: ElementUse, components: list[str]) -> Iterator[Finding]:
        """2380 in the format that 2379 names."""
        sent = {
            component.id: (component, components[component.position - 1]) for component in use.components if component.position <= len(components)
        }
        if "2380" not in sent or "2379" not in sent:
            return
        (date, value), (_, form) = sent["2380"], sent["2379"]
        if value and form and values.period_bad(value, form):
            asked = f"{values.period_words(form, False)} (format {form})"
            yield self.say(
                At(at.element, date.position, at.repetition),
                date,
                edifact.ELEMENT_DATE,
                f"({date.name}) is '{shown(value)}', expected {asked}",
                value,
                asked,
            )

    def x12_period(self, at: At, use: ElementUse, value: str) -> Iterator[Finding]:
        """1251 in the format that the 1250 before it names."""
        before = self.use.elements[at.element - 2] if at.element > 1 and at.component is None else None
        form = self.elements[at.element - 2] if before is not None and before.id == "1250" else ""
        if form and values.x12_period_bad(value, form):
            asked = f"{values.period_words(form, True)} (format {form})"
            yield self.say(at, use, x12.ELEMENT_DATE, f"({use.name}) is '{shown(value)}', expected {asked}", value, asked)

    def _known(self, at: At, use: ElementUse, value: str) -> Iterator[Finding]:
        """Codes of currencies, countries and units."""
        known = known_codes.KNOWN.get(use.id)
        kind, asked = document.UNIT, "capital letters and digits"
        if known is known_codes.CURRENCIES:
            kind, asked = document.CURRENCY, "a currency of ISO 4217"
        elif known is known_codes.COUNTRIES:
            kind, asked = document.COUNTRY, "a country of ISO 3166"
        if (known is not None and value not in known) or (use.id in known_codes.UNITS and known_codes.unit_odd(value)):
            yield self.say(at, use, kind, f"({use.name}) is '{shown(value)}', expected {asked}", value, asked)


def _codes_in_words(codes: frozenset[str]) -> str:
    ordered = sorted(codes, key=lambda code: (len(code), code))
    if len(ordered) == 1:
        return ordered[0]
    if len(ordered) <= _NAMED_CODES:
        return "one of " + ", ".join(ordered)
    return "one of " + ", ".join(ordered[:_NAMED_CODES]) + f" and {len(ordered) - _NAMED_CODES} more"


def _characters(count: int) -> str:
    return f"{count} character" + ("" if count == 1 else "s")
