"""Composing DER by hand: a handful of types is all that CMS needs when written."""

from datetime import datetime

#: Object identifiers, whole: tag, length, value.
DATA = bytes.fromhex("06092a864886f70d010701")
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
ENVELOPED_DATA = bytes.fromhex("06092a864886f70d010703")
COMPRESSED_DATA = bytes.fromhex("060b2a864886f70d0109100109")
AUTHENTICATED_ENVELOPED_DATA = bytes.fromhex("060b2a864886f70d0109100117")
CONTENT_TYPE = bytes.fromhex("06092a864886f70d010903")
MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010904")
SIGNING_TIME = bytes.fromhex("06092a864886f70d010905")
RSA_ENCRYPTION = bytes.fromhex("06092a864886f70d010101")
RSA_PSS = bytes.fromhex("06092a864886f70d01010a")
RSA_OAEP = bytes.fromhex("06092a864886f70d010107")
MGF1 = bytes.fromhex("06092a864886f70d010108")
ZLIB = bytes.fromhex("060b2a864886f70d0109100308")

NULL = b"\x05\x00"


def head(tag: int, length: int) -> bytes:
    """Tag and length of a value that follows."""
    if length < 128:
        return bytes((tag, length))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets


def compose(tag: int, *parts: bytes) -> bytes:
    """Tag, length, value."""
    return b"".join((head(tag, sum(map(len, parts))), *parts))


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE."""
    return compose(0x30, *parts)


def set_of(*parts: bytes) -> bytes:
    """SET OF, in DER's order."""
    return compose(0x31, *sorted(parts))


def octets(value: bytes) -> bytes:
    """OCTET STRING."""
    return compose(0x04, value)


def integer(value: int) -> bytes:
    """INTEGER."""
    return compose(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def explicit(number: int, *parts: bytes) -> bytes:
    """[number] EXPLICIT, or IMPLICIT of something constructed."""
    return compose(0xA0 | number, *parts)


def moment(at: datetime) -> bytes:
    """UTCTime until 2049, GeneralizedTime from then on (RFC 5652 11.3); `at` is in UTC."""
    if at.year < 2050:
        return compose(0x17, at.strftime("%y%m%d%H%M%SZ").encode())
    return compose(0x18, at.strftime("%Y%m%d%H%M%SZ").encode())
