"""Reading BER (X.690) in place: elements are positions within the bytes; nothing is copied and nothing is looked at that nobody asks for.

Lengths may be definite or not, strings in pieces or not: stations write both. What a stranger sends costs him more than us: the
elements that are looked at are counted, nothing is recursive without a limit, and every broken structure is a ValueError.
"""

from collections.abc import Iterator
from typing import NamedTuple

from gateway.exchange.cms import der
from gateway.exchange.cms.span import Buffer
from gateway.exchange.cms.span import Span

SEQUENCE = 0x30
SET = 0x31
INTEGER = 0x02
BITS = 0x03
OCTETS = 0x04
NULL = 0x05
OID = 0x06
_PIECES = 0x24

#: What reading a structure, and cryptography on its parts, raise on bytes that are not what they claim to be.
UNREADABLE = (ValueError, TypeError, KeyError, IndexError, OverflowError)

#: Elements that a structure may have: so many, and one more for each of so many octets (BouncyCastle's pieces have 1,000).
MOST_ELEMENTS = 2_000
OCTETS_AN_ELEMENT = 256
_DEEPEST = 24


class Element(NamedTuple):
    """An element: its identifier octet, where it begins, where its contents begin and end, where the next one begins."""

    data: bytes | bytearray
    tag: int
    first: int
    start: int
    end: int
    after: int

    @property
    def contents(self) -> bytes:
        """The contents octets, copied: for what is small."""
        return bytes(self.data[self.start : self.end])

    @property
    def raw(self) -> bytes:
        """The whole element, copied: for what is small."""
        return bytes(self.data[self.first : self.after])

    def children(self) -> Iterator["Element"]:
        """The elements within, one after the other."""
        if not self.tag & 0x20:
            raise ValueError(f"an element 0x{self.tag:02x} has no parts")
        position = self.start
        most = _most(self.data)
        while position < self.end:
            most -= 1
            if most < 0:
                raise ValueError("too many elements")
            child = _element(self.data, position, self.end)
            yield child
            position = child.after

    def parts(self, tag: int = SEQUENCE) -> list["Element"]:
        """The elements within one that has to have this tag."""
        self.demand(tag)
        data, position, end = self.data, self.start, self.end
        most = _most(data)
        found: list[Element] = []
        while position < end:
            child = _element(data, position, end)
            found.append(child)
            position = child.after
            if len(found) > most:
                raise ValueError("too many elements")
        return found

    def inner(self) -> "Element":
        """The first element within."""
        for child in self.children():
            return child
        raise ValueError("an element that should hold something is empty")

    def demand(self, tag: int) -> "Element":
        """Itself; ValueError where it has another tag."""
        if self.tag != tag:
            raise ValueError(f"found an element 0x{self.tag:02x}, expected 0x{tag:02x}")
        return self

    def integer(self) -> int:
        """The value of an INTEGER."""
        self.demand(INTEGER)
        if self.end - self.start > 128:
            raise ValueError("a number that is too long")
        return int.from_bytes(self.data[self.start : self.end], "big", signed=True)

    def oid(self) -> bytes:
        """The contents of an OBJECT IDENTIFIER."""
        return self.demand(OID).contents

    def octets(self, tag: int = OCTETS) -> Span:
        """The octets of an OCTET STRING (or of one that is tagged anew); of one in pieces, within pieces, joined."""
        if self.tag == tag:
            return Span(self.data, self.start, self.end)
        if self.tag != tag | 0x20:
            raise ValueError(f"found an element 0x{self.tag:02x}, expected octets")
        pieces: list[memoryview] = []
        view = memoryview(self.data)
        most = _most(self.data)
        position = self.start
        while position < self.end:
            most -= 1
            if most < 0:
                raise ValueError("too many pieces")
            if self.data[position : position + 2] == b"\0\0":  # the end of a piece of indefinite length
                position += 2
                continue
            found, length, start = _header(self.data, position)
            if found == _PIECES:
                position = start
                continue
            if found != OCTETS or length is None or start + length > self.end:
                raise ValueError("a piece of an octet string that is none")
            pieces.append(view[start : start + length])
            position = start + length
        return Span.of(b"".join(pieces))


def read(data: Buffer) -> Element:
    """The first element of the bytes. What comes after it is left alone: often a line end."""
    held = bytes(data) if isinstance(data, memoryview) else data
    return _element(held, 0, len(held))


def read_span(span: Span) -> Element:
    """The first element of a stretch of bytes."""
    return _element(span.data, span.start, span.end)


def to_der(element: Element, depth: int = 0) -> bytes:
    """The element written anew in DER: definite lengths, strings whole, sets in order."""
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    if element.tag == _PIECES:
        return der.octets(element.octets().to_bytes())
    if not element.tag & 0x20:
        return der.compose(element.tag, element.contents)
    parts = [to_der(child, depth + 1) for child in element.children()]
    return der.compose(element.tag, *(sorted(parts) if element.tag == SET else parts))


def dotted(identifier: bytes) -> str:
    """An object identifier's contents as people write it: 2.16.840.1.101.3.4.1.42."""
    numbers: list[int] = []
    number = 0
    for octet in identifier[:64]:
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(number)
            number = 0
    if not numbers:
        return "an empty identifier"
    top = min(numbers[0] // 40, 2)
    return ".".join(map(str, (top, numbers[0] - 40 * top, *numbers[1:])))


def _element(data: bytes | bytearray, position: int, limit: int) -> Element:
    tag, short = data[position], data[position + 1]
    if short < 0x80 and tag & 0x1F != 0x1F:  # nearly all of them
        start = position + 2
        end = start + short
    else:
        tag, length, start = _header(data, position)
        if start > limit:
            raise ValueError("an element is cut off")
        if length is None:
            end = _end_of_contents(data, start, limit)
            return Element(data, tag, position, start, end, end + 2)
        end = start + length
    if end > limit:
        raise ValueError("an element is cut off")
    return Element(data, tag, position, start, end, end)


def _end_of_contents(data: bytes | bytearray, position: int, limit: int) -> int:
    """Where the end-of-contents octets of an element of indefinite length are that begins here."""
    depth = 1
    most = _most(data)
    while position + 2 <= limit:
        most -= 1
        if most < 0:
            raise ValueError("too many elements")
        if data[position] == 0 and data[position + 1] == 0:
            depth -= 1
            if depth == 0:
                return position
            position += 2
            continue
        _, length, start = _header(data, position)
        if length is None:
            depth += 1
            position = start
        else:
            position = start + length
    raise ValueError("an element does not end")


def _header(data: bytes | bytearray, position: int) -> tuple[int, int | None, int]:
    """The tag, the length (None where indefinite), where the contents begin."""
    tag = data[position]
    if tag & 0x1F == 0x1F:  # CMS has no tag number above 30
        raise ValueError("a long tag")
    length = data[position + 1]
    if length < 0x80:
        return tag, length, position + 2
    octets = length & 0x7F
    if octets > 8 or (octets == 0 and not tag & 0x20):
        raise ValueError("a length that cannot be")
    start = position + 2 + octets
    if start > len(data):
        raise ValueError("an element is cut off")
    return tag, int.from_bytes(data[position + 2 : start], "big") if octets else None, start


def _most(data: bytes | bytearray) -> int:
    return MOST_ELEMENTS + len(data) // OCTETS_AN_ELEMENT
