"""The outermost structure of every CMS message (ContentInfo, RFC 5652 3), and what all of its readers share."""

from gateway.exchange.cms import ber
from gateway.exchange.cms import der
from gateway.exchange.cms.ber import UNREADABLE
from gateway.exchange.cms.ber import Element
from gateway.exchange.cms.certificates import Facts
from gateway.exchange.cms.span import Span

_TYPES = {
    der.SIGNED_DATA[2:]: "signed_data",
    der.ENVELOPED_DATA[2:]: "enveloped_data",
    der.COMPRESSED_DATA[2:]: "compressed_data",
    der.AUTHENTICATED_ENVELOPED_DATA[2:]: "authenticated_enveloped_data",
}
_IDENTIFIER = 0x80


def type_of(span: Span) -> str:
    """The content type (`enveloped_data`, ...), or "" where the bytes are no CMS that we know."""
    try:
        return _TYPES.get(ber.read_span(span).demand(ber.SEQUENCE).inner().oid(), "")
    except UNREADABLE:
        return ""


def content_of(span: Span, kind: str) -> list[Element]:
    """The parts of the structure within a ContentInfo of this kind; raises one of UNREADABLE. Bytes after it are left alone."""
    parts = ber.read_span(span).parts()
    found = _TYPES.get(parts[0].oid(), "") if parts else ""
    if found != kind:
        raise ValueError(f"found {found or 'something else'}, expected {kind}")
    [content] = parts[1].parts(0xA0)
    return content.parts()


def names(identifier: Element, facts: Facts) -> bool:
    """Whether the identifier of a signer or recipient is this certificate's: issuer and serial number, or the key's identifier."""
    if identifier.tag & 0x1F:  # SEQUENCE has 0x10
        issuer, number = identifier.parts()
        return number.integer() == facts.serial_number and issuer.raw == facts.issuer
    return identifier.octets(_IDENTIFIER).to_bytes() == facts.key_identifier


def name_of(identifier: Element) -> str:
    """An identifier in a sentence for people."""
    if identifier.tag & 0x1F:
        issuer, number = identifier.parts()
        return f"{_words_of(issuer)}, serial number {number.integer():x}"
    return f"key identifier {identifier.octets(_IDENTIFIER).to_bytes()[:64].hex()}"


def _words_of(name: Element) -> str:
    """The texts of a distinguished name, the last first, as people write it."""
    words = []
    for relative in name.parts():
        for attribute in relative.parts(ber.SET):
            value = attribute.parts()[1].contents
            words.append("".join(letter if letter.isprintable() else "?" for letter in value.decode("utf-8", "replace")))
    return ", ".join(reversed(words))[:200]
