"""What generated reading code asks while it runs: values behind delimiters, and problems with their places.

Only the rare and the wrong comes here; the straight way is in the generated source.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any

import msgspec

from gateway.codecs import node
from gateway.codecs.layout import ROW
from gateway.codecs.node import Repeated
from gateway.codecs.node import Segment
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.expression import Expression
from gateway.expression import ExpressionError
from gateway.kinds import document as kinds
from gateway.mapping.conversions import calculated
from gateway.mapping.plan import Leaf
from gateway.model.values import Source
from gateway.problem import Kind
from gateway.problem import Place
from gateway.problem import Problem
from gateway.problem import Severity

#: problems that one transaction may give
MOST = 100
#: characters of a value that a message shows
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class PartnerValues:
    """What mappings may ask of a partner: `partner.currency`, `partner.country`, ..."""

    values: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """What the partner's file says; empty where it says nothing."""
        return self.values.get(name, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place in a mapping, for problems: the canonical field, where the value stands, how bad it is when it fails."""

    field: str
    where: str
    mandatory: bool = False
    #: wanted form in words
    expected: str = ""
    position: int | None = None
    component: int | None = None
    name: str = ""
    attribute: str | None = None

    @property
    def severity(self) -> Severity:
        return Severity.ERROR if self.mandatory else Severity.WARNING


#: how a value came about, with the segment or XML element that it was in: (carrier, spot position, component, source name, how, file:line)
Trace = dict[str, list[tuple[Any, int | None, int | None, str, str, str]]]


class Reading:
    """One transaction on its way to a document."""

    __slots__ = ("_component", "_repetition", "counters", "header", "indexes", "partner", "problems", "trace", "transaction")

    def __init__(self, transaction: Transaction, header: Source, partner: PartnerValues) -> None:
        self.transaction = transaction
        self.header = header
        self.partner = partner
        self.problems: list[Problem] = []
        self.trace: Trace = {}
        #: for `matching:` and `>HL`, by its name: value (or parent) -> (tree, segment) of all that have it
        self.indexes: dict[str, dict[Any, list[tuple[Any, Any]]]] = {}
        #: for `counter:`, by its name: how often it was asked for
        self.counters: dict[str, int] = {}
        delimiters = transaction.delimiters
        self._component = delimiters.component if delimiters else ""
        self._repetition = delimiters.repetition if delimiters else ""

    # Values that the codec leaves uncut --------------------------------------------------------------------------------

    def part(self, segment: Segment, position: int, component: int | None) -> str:
        """X12: the first repetition of an element, or a component of it."""
        if len(segment) <= position:
            return ""
        value = segment[position]
        if not isinstance(value, str):
            value = value[0] if isinstance(value, Repeated) else value
            return value if isinstance(value, str) else _component(value, component or 1)
        if self._repetition and self._repetition in value:
            value = value.split(self._repetition, 1)[0]
        if component is None or not self._component:
            return value if component in (None, 1) else ""
        return _component(value.split(self._component), component)

    def repeated(self, segment: Segment, position: int, component: int | None) -> str:
        """EDIFACT: the first repetition of an element that may repeat."""
        if len(segment) <= position:
            return ""
        value = segment[position]
        if isinstance(value, Repeated):
            value = value[0] if value else []
        return _component(value, component or 1)

    def parts(self, segment: Segment, position: int) -> list[list[str]]:
        """EDIFACT: all repetitions of a composite."""
        if len(segment) <= position:
            return []
        value = segment[position]
        return list(value) if isinstance(value, Repeated) else [value]

    # Expressions -------------------------------------------------------------------------------------------------------

    def compute(self, expression: Expression, values: dict[str, object], site: Site, carrier: Any = None) -> str:
        """The value of an expression as text; a problem and nothing where it cannot be computed."""
        try:
            answer = expression.evaluate(values)
        except ExpressionError as error:
            self.report(kinds.EXPRESSION_FAILED, site, carrier, f"the expression for {site.field} could not be computed: {error}")
            return ""
        if answer is None:
            return ""
        if isinstance(answer, bool):
            return "true" if answer else "false"
        return str(answer)

    def holds(self, expression: Expression, values: dict[str, object], site: Site, carrier: Any = None) -> bool:
        """Whether a condition holds; a problem and no where it cannot be computed."""
        try:
            return expression.holds(values)
        except ExpressionError as error:
            self.report(kinds.EXPRESSION_FAILED, site, carrier, f"the condition of {site.field} could not be computed: {error}")
            return False

    def counted(self, name: str) -> str:
        """`counter:` one more."""
        return counted(self.counters, name)

    def scaled(self, number: Any, leaf: Leaf, divide: Any, multiply: Any, site: Site, carrier: Any) -> Any:
        """A number with the factors that stand in the document; a problem and nothing where one is missing or nothing comes of it."""
        if number is None:
            return None
        missing = (leaf.divide_by is not None and divide is None) or (leaf.multiply_by is not None and multiply is None)
        try:
            answer = None if missing else calculated(number, leaf, divide, multiply)
        except ArithmeticError:
            answer = None
        if answer is None:
            factor = "its factor is missing" if missing else "the factor that stands in the document is no good"
            self.report(kinds.VALUE_INVALID, site, carrier, f"{site.field} cannot be calculated: {factor}", found=str(number), expected="a factor")
        return answer

    def names(self) -> dict[str, object]:
        """`partner` and `source` as expressions see them."""
        return {"partner": self.partner.values, "source": self.header}

    def header_with(self, **values: str | None) -> Source:
        """The source with what the transaction itself says about it."""
        return msgspec.structs.replace(self.header, **{name: value for name, value in values.items() if value is not None})

    # Problems ----------------------------------------------------------------------------------------------------------

    def report(
        self,
        kind: Kind,
        site: Site,
        carrier: Any,
        message: str,
        *,
        found: str | None = None,
        expected: str | None = None,
        severity: Severity | None = None,
    ) -> None:
        """A problem at the segment or element that carries the value."""
        if len(self.problems) < MOST:
            self.problems.append(kind.at(self.place(site, carrier), message, found=found, expected=expected, severity=severity or site.severity))

    def invalid(self, site: Site, text: str, carrier: Any) -> None:
        """A value that cannot be converted."""
        text = shown(text)
        message = f"{self.source_name(site, carrier)} is '{text}', not {site.expected} for {site.field}"
        self.report(kinds.VALUE_INVALID, site, carrier, message, found=text, expected=site.expected)

    def unknown(self, site: Site, text: str, carrier: Any, table: str) -> None:
        """A code that the table lacks."""
        name, text = self.source_name(site, carrier), shown(text)
        self.report(
            kinds.CODE_UNKNOWN,
            site,
            carrier,
            f"{name} is '{text}', which the table {table or 'of the mapping'} does not know",
            found=text,
            expected=f"a code of the table {table}" if table else "a code of the mapping's table",
        )

    def missing(self, site: Site, carrier: Any) -> None:
        """A part that lacks what it must have: without it the part is left out, or there is no document."""
        left = "" if site.mandatory else ", so it is left out"
        self.report(kinds.FIELD_MISSING, site, carrier, f"{site.expected} has no {site.field.rpartition('.')[2]}{left}", expected=site.name or None)

    def check_digit(self, site: Site, text: str, expected: str, carrier: Any) -> None:
        """A GTIN, GLN or SSCC whose check digit is wrong: kept as sent."""
        name, text = site.field.rpartition(".")[2].upper(), shown(text)
        self.report(
            kinds.CHECK_DIGIT,
            site,
            carrier,
            f"the {name} '{text}' is not right: expected {expected}",
            found=text,
            expected=expected,
            severity=Severity.WARNING,
        )

    def differ(self, site: Site, ordered: object, total: object, carrier: Any) -> None:
        """Deliveries of a line that do not add up to its quantity."""
        self.report(
            kinds.DELIVERIES_DIFFER,
            site,
            carrier,
            f"the deliveries add up to {total}, the line's quantity is {ordered}",
            found=str(total),
            expected=str(ordered),
            severity=Severity.WARNING,
        )

    def source_name(self, site: Site, carrier: Any) -> str:
        """`PO1/04`, or the XPath as the mapping writes it."""
        if isinstance(carrier, list) and carrier and isinstance(carrier[0], str) and site.name and carrier[0] != ROW:
            return f"{carrier[0]}/{site.name}"
        return site.name or site.field

    def place(self, site: Site, carrier: Any) -> Place:
        """Where the value is, in bytes."""
        return place_of(self.transaction, carrier, site.position, site.component, site.attribute, site.field)


def counted(counters: dict[str, int], name: str) -> str:
    """The next number of a counter."""
    counters[name] = counters.get(name, 0) + 1
    return str(counters[name])


def _component(parts: list[str], component: int) -> str:
    return parts[component - 1] if len(parts) >= component else ""


def shown(text: str) -> str:
    """A value as a message shows it: not endless."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def filled(parts: Iterable[str]) -> list[str]:
    """Those that are not empty."""
    return [part for part in parts if part]


def place_of(transaction: Transaction, carrier: Any, position: int | None, component: int | None, attribute: str | None, name: str) -> Place:
    """The place of a segment's element or of an XML element, with its bytes; of the transaction where there is no carrier."""
    if transaction.syntax is Syntax.JSON:
        return _place_in_json(transaction, carrier, name)
    if transaction.root is not None:
        from gateway.codecs import xml

        if carrier is None:
            return Place(field=name)
        try:
            found = xml.place_of(carrier, attribute, span=xml.locate(transaction, carrier, attribute))
        except LookupError:
            found = xml.place_of(carrier, attribute)
        return Place(path=found.path, line=found.line, offset=found.offset, length=found.length, field=name)
    index = index_of(transaction, carrier)
    if index is None:
        return Place(
            interchange=transaction.interchange_control_number or None,
            group=transaction.group_control_number or None,
            transaction=transaction.control_number or None,
            field=name,
        )
    span = locate(transaction, index, position, component)
    place = node.place_in(transaction, index=index, element=position, component=component, span=span)
    return Place(
        interchange=place.interchange,
        group=place.group,
        transaction=place.transaction,
        segment=place.segment,
        index=place.index,
        element=place.element,
        component=place.component,
        offset=place.offset,
        length=place.length,
        line=place.line,
        column=place.column,
        field=name,
    )


def _place_in_json(transaction: Transaction, carrier: Any, name: str) -> Place:
    from gateway.codecs import json

    if carrier is None:
        return Place(field=name)
    span = json.locate(transaction, carrier)
    return Place(path=json.path_of(carrier), line=span.line, column=span.column, offset=span.offset, length=span.length, field=name)


def index_of(transaction: Transaction, segment: Any) -> int | None:
    """The position of a segment in its transaction, found by identity."""
    return next((number for number, held in enumerate(transaction.segments, start=1) if held is segment), None)


def locate(transaction: Transaction, index: int, position: int | None, component: int | None, repetition: int | None = None) -> node.Span:
    """The bytes of an element, by the codec of the transaction."""
    if transaction.syntax in (Syntax.CSV, Syntax.FIXED):
        from gateway.codecs import lines

        return lines.locate(transaction, index, position)
    if transaction.syntax is Syntax.EDIFACT:
        from gateway.codecs import edifact

        return edifact.locate(transaction, index, position, component, repetition)
    from gateway.codecs import x12

    return x12.locate(transaction, index, position, component, repetition)
