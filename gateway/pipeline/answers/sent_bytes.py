"""What we sent, read again from the archived bytes: the transaction of an outbox row, and the place in it that a partner's answer means."""

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.codecs import edifact
from gateway.codecs import x12
from gateway.codecs.choose import read as read_events
from gateway.codecs.node import Repeated
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.codecs.node import place_in
from gateway.exchange.acknowledgment import Mark
from gateway.pipeline.station import Station
from gateway.problem import NOWHERE
from gateway.problem import Place
from gateway.store.outgoing.outbox import Entry
from gateway.store.payloads.archive import ArchiveMissing

_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in what we sent, with the value that stands there."""

    place: Place
    value: str | None = None


def sent_transactions(station: Station, entries: Iterable[Entry]) -> dict[str, Transaction]:
    """The transactions of these rows by the rows' ids; each archived file is read once, also where many rows left in it."""
    by_file: dict[str, dict[tuple[str, str], str]] = {}
    for entry in entries:
        if entry.sha256 is not None and entry.transaction_control is not None:
            by_file.setdefault(entry.sha256, {})[entry.group_control or "", entry.transaction_control] = entry.id
    found: dict[str, Transaction] = {}
    for sha256, wanted in by_file.items():
        try:
            for transaction in _transactions_in(station, sha256):
                id = wanted.get((transaction.group_control_number, transaction.control_number))
                if id is not None:
                    found[id] = transaction
        except ArchiveMissing:
            # the journal's verification says that the archive is damaged; an answer is kept all the same
            continue
    return found


def _transactions_in(station: Station, sha256: str) -> Iterator[Transaction]:
    with station.archive.open(sha256) as file:
        for event in read_events(iter(lambda: file.read(_CHUNK), b""))[1]:
            if isinstance(event, Transaction):
                yield event


def spot_of(transaction: Transaction | None, mark: Mark) -> Spot:
    """The place that a mark means. Where the partner counts otherwise than we do, the nearest segment of that name is meant."""
    if transaction is None or transaction.root is not None:
        return Spot(Place(segment=mark.segment or None, index=mark.index, element=mark.element, component=mark.component))
    index = _index_of(transaction, mark)
    if index is None:
        return Spot(Place(segment=mark.segment or None, element=mark.element, component=mark.component) if mark.segment else NOWHERE)
    segment = transaction.segments[index - 1]
    element = None if mark.missing else mark.element
    place = place_in(transaction, index=index, element=element, component=None if mark.missing else mark.component)
    return Spot(place, _value(segment, element, mark.component) if element is not None else None)


def _index_of(transaction: Transaction, mark: Mark) -> int | None:
    count = len(transaction.segments)
    said = mark.index if mark.index is not None and 0 < mark.index <= count else None
    if not mark.segment or mark.missing:
        # a missing segment is shown where it was expected
        return said
    if said is not None and transaction.segments[said - 1][0] == mark.segment:
        return said
    there: list[int] = [index for index, segment in enumerate(transaction.segments, 1) if segment[0] == mark.segment]
    if mark.index is not None and there:
        wanted = mark.index
        return min(there, key=lambda index: abs(index - wanted))
    return there[0] if len(there) == 1 else said


def _value(segment: list[object], element: int, component: int | None) -> str | None:
    if element >= len(segment):
        return ""
    value = segment[element]
    if isinstance(value, Repeated):
        value = value[0] if value else ""
    if isinstance(value, list):
        parts = [str(part) for part in value]
        if component is not None:
            return parts[component - 1] if component <= len(parts) else ""
        return ":".join(parts)
    return str(value)


@dataclass(frozen=True, slots=True)
class MarkedSegment:
    """A segment as it left, and where in it (from 0) the marked part begins; `length` 0: all of it is meant."""

    index: int
    text: str
    start: int = 0
    length: int = 0

    @property
    def caret(self) -> str:
        """A line under the text that points at the marked part."""
        return " " * self.start + "^" * self.length if self.length else "^" * len(self.text)


def marked_segment(transaction: Transaction, place: Place) -> MarkedSegment | None:
    """The segment at a place, with its element or component marked; None where the place names no segment of it."""
    if place.index is None or not 0 < place.index <= len(transaction.segments) or transaction.root is not None:
        return None
    codec = edifact if transaction.syntax is Syntax.EDIFACT else x12
    whole = codec.locate(transaction, place.index)
    begin = whole.offset - transaction.offset
    terminator = transaction.delimiters.segment if transaction.delimiters is not None else ""
    text = transaction.raw[begin : begin + whole.length].removesuffix(terminator).replace("\n", " ").replace("\r", " ")
    if place.element is None or place.element >= len(transaction.segments[place.index - 1]):
        return MarkedSegment(place.index, text)
    part = codec.locate(transaction, place.index, place.element, place.component)
    return MarkedSegment(place.index, text, part.offset - whole.offset, max(part.length, 1))
