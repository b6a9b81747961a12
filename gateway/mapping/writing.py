"""What generated writing code asks while it runs: parties by role, identifiers as pairs, texts in pieces, problems.

Only the rare and the wrong comes here; the straight way is in the generated source.
"""

import re
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import tzinfo
from decimal import Decimal
from decimal import DecimalException
from typing import Any

import msgspec

from gateway.codecs.node import Segment
from gateway.expression import Expression
from gateway.expression import ExpressionError
from gateway.kinds import document as kinds
from gateway.mapping.conversions import calculated
from gateway.mapping.plan import Leaf
from gateway.mapping.reading import PartnerValues
from gateway.mapping.reading import Site
from gateway.mapping.reading import counted
from gateway.mapping.texts import pieces
from gateway.problem import Kind
from gateway.problem import Place
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.schema.moments import written

MOST = 100
#: digits before and behind the point
MOST_DIGITS = 30
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Writing:
    """One document on its way to a transaction."""

    __slots__ = ("counters", "document", "hierarchy", "kind", "partner", "problems", "trace")

    def __init__(self, document: Any, partner: PartnerValues) -> None:
        self.document = document
        self.kind = str(document.__struct_config__.tag)
        self.partner = partner
        self.problems: list[Problem] = []
        #: number of the last HL segment
        self.hierarchy = 0
        #: for `counter:`, by its name: how often it was asked for
        self.counters: dict[str, int] = {}
        #: what was written (segment and element, or XML element and attribute) and where it came from
        #: (segment or XML element, name of the element or attribute in it, its origins, element and component by number)
        self.trace: list[tuple[Any, Any, list[tuple[str, str, str]], tuple[int, int | None] | None]] = []

    # Fields ------------------------------------------------------------------------------------------------------------

    def compute(self, expression: Expression, names: tuple[str, ...], values: dict[str, object], scope: Any, site: Site) -> str:
        """The value of an expression over canonical fields, as text."""
        try:
            answer = expression.evaluate(self._context(names, values, scope))
        except ExpressionError as error:
            self.report(kinds.EXPRESSION_FAILED, site, f"the expression for {site.field} could not be computed: {error}", Severity.WARNING)
            return ""
        if answer is None:
            return ""
        if isinstance(answer, bool):
            return "true" if answer else "false"
        return str(answer)

    def holds(self, expression: Expression, names: tuple[str, ...], values: dict[str, object], scope: Any, site: Site) -> bool:
        """Whether a condition over canonical fields holds."""
        try:
            return expression.holds(self._context(names, values, scope))
        except ExpressionError as error:
            self.report(kinds.EXPRESSION_FAILED, site, f"the condition of {site.field} could not be computed: {error}", Severity.WARNING)
            return False

    def _context(self, names: tuple[str, ...], values: dict[str, object], scope: Any) -> dict[str, object]:
        context = dict(values)
        for name in names:
            if name == "partner":
                context[name] = self.partner.values
            elif name not in context:
                held = getattr(scope, name, None)
                # an absent text or number is '', so that a condition may ask for it
                context[name] = "" if held is None else held
        return context

    # Problems ----------------------------------------------------------------------------------------------------------

    def report(self, kind: Kind, site: Site, message: str, severity: Severity = Severity.ERROR, found: str | None = None) -> None:
        """A problem at a canonical field."""
        if len(self.problems) < MOST:
            self.problems.append(kind.at(Place(field=site.name or site.field), message, found=found, severity=severity))

    def missing(self, site: Site, tag: str, position: int) -> None:
        """A mandatory element that nothing fills."""
        self.report(kinds.WRITE_MISSING, site, f"{tag}/{position:02} must be written, but the document has no {site.name or 'value for it'}")

    def unknown(self, site: Site, word: str, table: str) -> None:
        """A word that the table has no code for."""
        self.report(kinds.CODE_UNKNOWN, site, f"the table {table or 'of the mapping'} has no code for '{word}' ({site.name})", Severity.WARNING, word)

    def plain(self, number: Decimal, site: Site) -> str:
        """All digits of a number; a problem and nothing where there are more than any message holds."""
        if not number.is_finite() or abs(number.adjusted()) > MOST_DIGITS or int(number.as_tuple().exponent) < -MOST_DIGITS:
            self.report(kinds.WRITE_INVALID, site, f"{site.name} is {number}, which no message can hold", found=str(number))
            return ""
        return format(number, "f")

    def counted(self, name: str) -> str:
        """`counter:` one more."""
        return counted(self.counters, name)

    def calculated(self, number: Decimal, leaf: Leaf, site: Site, divide: str | None = None, multiply: str | None = None) -> Decimal:
        """divide, multiply, round; a problem where the digits do not suffice, or where a factor of the document is none."""
        try:
            return calculated(number, leaf, *(Decimal(factor) if factor is not None else None for factor in (divide, multiply)))
        except DecimalException:
            self.report(kinds.WRITE_INVALID, site, f"{site.name} is {number}, which cannot be calculated with", found=str(number))
            return Decimal(0)

    def implied(self, number: Decimal, digits: int, site: Site) -> str:
        """X12 Nn: the number without its point."""
        if not self.plain(number, site):
            return ""
        scaled = number.scaleb(digits)
        whole = scaled.to_integral_value()
        if whole != scaled:
            message = f"{site.name} is {number}, which has more than {digits} digits behind the point"
            self.report(kinds.WRITE_INVALID, site, message, found=str(number))
        return format(whole, "f")


def all_parties(document: Any, roles: tuple[str, ...]) -> Iterator[Any]:
    """Every party of a document with its role: buyer, seller, ..., then the further ones."""
    for role in roles:
        party = getattr(document, role, None)
        if party is not None:
            yield msgspec.structs.replace(party, role=role)
    yield from document.parties


def party_names(document: Any, roles: tuple[str, ...]) -> Iterator[str]:
    """The canonical paths of `all_parties`."""
    for role in roles:
        if getattr(document, role, None) is not None:
            yield role
    for number in range(len(document.parties)):
        yield f"parties[{number}]"


def through(held: Any, names: tuple[tuple[str, int | None], ...]) -> list[Any]:
    """All values of a path that leads through lists: `notes.text`."""
    values = [held]
    for name, index in names:
        found = []
        for value in values:
            inner = getattr(value, name, None)
            if isinstance(inner, tuple):
                found += [inner[index]] if index is not None and index < len(inner) else [] if index is not None else list(inner)
            elif inner is not None:
                found.append(inner)
        values = found
    return values


def grouped(items: Any, *names: tuple[tuple[str, int | None], ...]) -> list[tuple[list[Any], list[int]]]:
    """Items that have the values of these paths in common, with the numbers that they have in their list; what has none of them
    stands alone."""
    groups: dict[Any, tuple[list[Any], list[int]]] = {}
    for number, item in enumerate(items):
        key = tuple(str(next(iter(through(item, path)), "")) for path in names)
        members, numbers = groups.setdefault(key if any(key) else number, ([], []))
        members.append(item)
        numbers.append(number)
    return list(groups.values())


def identifier_pairs(held: Any, codes: Mapping[str, str], otherwise: str, most: int) -> list[tuple[str, str, str]]:
    """Identifiers as (code, value, field): by their kind, then the others under their own scheme."""
    if held is None:
        return []
    answer = []
    for name in held.__struct_fields__:
        if name == "other":
            continue
        value = getattr(held, name)
        code = codes.get(name)
        if value and code is not None:
            answer.append((code, value, name))
    if otherwise == "keep":
        answer += [(other.scheme, other.value, f"other[{number}].value") for number, other in enumerate(held.other)]
    return answer[:most]


def cleaned(text: str) -> str:
    """A text for a segment: control characters and line ends are blanks."""
    return text if text.isprintable() else " ".join("".join(character if character.isprintable() else " " for character in text).split())


def permitted(text: str) -> str:
    """A text for an XML element: what XML 1.0 cannot hold is a blank."""
    return _NOT_IN_XML.sub(" ", text) if _NOT_IN_XML.search(text) else text


def text_of(value: Any) -> str:
    """A canonical value as text where the target says nothing about its form."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() and abs(value.adjusted()) <= MOST_DIGITS else ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def in_form(form: str, zone: tzinfo) -> Callable[[Any], str]:
    """Dates in a format by name; a text stays as it is."""

    def write(value: Any) -> str:
        if isinstance(value, date):
            return written(value, form, zone)
        return text_of(value)

    return write


def as_day(form: str, zone: tzinfo) -> Callable[[Any], str]:
    """The day of a date or of a moment."""

    def write(value: Any) -> str:
        if isinstance(value, datetime):
            return written(value.astimezone(zone).date(), form, zone)
        return written(value, form, zone) if isinstance(value, date) else text_of(value)

    return write


def as_time(form: str, zone: tzinfo) -> Callable[[Any], str]:
    """The time of a moment; nothing of a mere day."""

    def write(value: Any) -> str:
        return written(value, form, zone) if isinstance(value, datetime) else ""

    return write


def chunks(text: str, size: int, count: int) -> list[list[str]]:
    """A long text in pieces, `count` of them for each segment; one empty piece where there is no text, for what else the segment says."""
    held = pieces(text, size) or [""]
    return [held[start : start + count] for start in range(0, len(held), count)]


def folded(text: str, size: int, count: int) -> list[str]:
    """A text in exactly `count` pieces, cut between words if it then fits, else wherever a piece is full; what is longer is cut off."""
    held = pieces(text, size)
    if len(held) > count:
        held = [text[start : start + size] for start in range(0, size * count, size)]
    return [*held, *[""] * (count - len(held))]


def put(segment: Segment, position: int, value: Any) -> None:
    """An element at its position."""
    while len(segment) <= position:
        segment.append("")
    segment[position] = value


def trim(segment: Segment) -> None:
    """Takes the empty elements at its end away."""
    while len(segment) > 1 and (not segment[-1] or segment[-1] == [""]):
        segment.pop()
