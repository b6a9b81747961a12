"""Reading CMS structures that others wrote: what asn1crypto raises on rubbish, the one way in, and BER's octets in pieces.

asn1crypto joins the pieces of a constructed OCTET STRING in quadratic time and looks at every piece several times, so pieces
are counted before and joined here: a message of a million one-octet pieces costs its sender more than us.
"""

from typing import Any

from asn1crypto import cms

from gateway.exchange.cms import der

#: What asn1crypto and cryptography raise on bytes that are not what they claim to be.
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError)

#: Elements that a structure may have: so many, and one more for each of so many octets (BouncyCastle's pieces have 1,000).
MOST_ELEMENTS = 2_000
OCTETS_AN_ELEMENT = 256

_TYPES = {
    der.SIGNED_DATA: "signed_data",
    der.ENVELOPED_DATA: "enveloped_data",
    der.COMPRESSED_DATA: "compressed_data",
    der.AUTHENTICATED_ENVELOPED_DATA: "authenticated_enveloped_data",
}


def type_of(data: bytes) -> str:
    """The content type (`enveloped_data`, ...), or "" where the bytes are no CMS that we know."""
    try:
        if data[0] != 0x30:
            return ""
        start = _header(data, 0)[2]
        return _TYPES.get(data[start : start + 2 + data[start + 1]], "")
    except UNREADABLE:
        return ""


def content_of(data: bytes, kind: str) -> Any:
    """The structure within a ContentInfo of this kind; raises one of UNREADABLE. Bytes after it are left alone (a CRLF often)."""
    found = type_of(data)
    if found != kind:
        raise ValueError(f"found {found or 'something else'}, expected {kind}")
    _demand_few_elements(data)
    return cms.ContentInfo.load(data)["content"]


def octets_of(value: Any) -> bytes:
    """The octets of an OCTET STRING, also of one in pieces within pieces (BER)."""
    contents: bytes = value.contents or b""
    if value.method == 0:
        return contents
    view = memoryview(contents)
    pieces = []
    position = 0
    while position < len(contents):
        constructed, length, start = _header(contents, position)
        if constructed:
            position = start
        else:
            if length > len(contents) - start:
                raise ValueError("a piece ends too late")
            if contents[position] == 0x04:
                pieces.append(view[start : start + length])
            position = start + length
    return b"".join(pieces)


def _demand_few_elements(data: bytes) -> None:
    """Walk over the headers, into what is constructed, past what is not."""
    most = MOST_ELEMENTS + len(data) // OCTETS_AN_ELEMENT
    position = count = 0
    while position < len(data):
        try:
            constructed, length, start = _header(data, position)
        except (IndexError, ValueError):
            return  # cut off, or bytes after the structure: reading it will tell
        count += 1
        if count > most:
            raise ValueError(f"more than {most} elements in {len(data)} bytes")
        position = start if constructed else start + length


def _header(data: bytes, position: int) -> tuple[bool, int, int]:
    """Whether an element is constructed, its length (0 where indefinite), where its value begins."""
    constructed = bool(data[position] & 0x20)
    if data[position] & 0x1F == 0x1F:  # CMS has no tag number above 30
        raise ValueError("a long tag")
    length = data[position + 1]
    if length < 0x80:
        return constructed, length, position + 2
    octets = length & 0x7F
    if octets > 8 or (octets == 0 and not constructed):
        raise ValueError("a length that cannot be")
    start = position + 2 + octets
    return constructed, int.from_bytes(data[position + 2 : start], "big"), start
