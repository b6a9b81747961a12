"""Decryption with any of our keys (CMS EnvelopedData, AuthEnvelopedData).

Whoever tries messages out learns nothing: a key that cannot be unwrapped, a wrong padding and a wrong tag get the same answer
after the same work (Bleichenbacher 1998, Vaudenay 2002; RFC 3218). Nothing of an authenticated message is given out before its
tag is checked.
"""

import hmac
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher as Machine
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.ciphers.modes import GCM

from gateway.exchange.cms import ber
from gateway.exchange.cms.algorithms import CIPHERS_BY_IDENTIFIER
from gateway.exchange.cms.algorithms import Cipher
from gateway.exchange.cms.algorithms import Old
from gateway.exchange.cms.ber import UNREADABLE
from gateway.exchange.cms.ber import Element
from gateway.exchange.cms.certificates import facts_of
from gateway.exchange.cms.keys import Identity
from gateway.exchange.cms.keys import title
from gateway.exchange.cms.reading import content_of
from gateway.exchange.cms.reading import type_of
from gateway.exchange.cms.span import Buffer
from gateway.exchange.cms.span import Span
from gateway.exchange.cms.transport import Recipient
from gateway.exchange.cms.transport import read_recipients
from gateway.exchange.cms.transport import unwrap_key
from gateway.kinds import as2 as kinds
from gateway.problem import NOWHERE
from gateway.problem import Problem

#: Shorter tags are guessed too easily (RFC 5084 3.2).
_SHORTEST_TAG = 12


@dataclass(frozen=True, slots=True)
class Decrypted:
    """What was inside, and which of our certificates it was encrypted for."""

    span: Span
    certificate: x509.Certificate
    cipher: Cipher

    @property
    def content(self) -> bytes:
        """What was inside, as bytes of its own."""
        return self.span.to_bytes()


@dataclass(frozen=True, slots=True)
class _Sealed:
    """The encrypted content with all that opening it needs but the key."""

    cipher: Cipher
    #: Start vector or nonce.
    start: bytes
    content: Span
    tag: bytes = b""
    #: Forms of the attributes that the tag is over as well: as DER, and as received.
    bound: tuple[bytes, ...] = (b"",)


def decrypt(data: Buffer | Span, identities: Sequence[Identity], at: datetime, *, accept: Old = Old.NOTHING) -> Decrypted | Problem:
    """What an enveloped message holds, by whichever valid key of ours opens it."""
    span = data if isinstance(data, Span) else Span.of(data)
    kind = type_of(span)
    if kind not in ("enveloped_data", "authenticated_enveloped_data"):
        return kinds.DECRYPTION_FAILED.at(NOWHERE, "the encrypted part is no CMS EnvelopedData", found=kind or "something else")
    try:
        parts = content_of(span, kind)
        position = 2 if parts[1].tag == 0xA0 else 1  # originatorInfo: certificates, which we do not need
        recipients = read_recipients(parts[position])
        inner = parts[position + 1].parts()
        sealed = _read_sealed(inner, parts[position + 2 :], accept, authenticated=kind == "authenticated_enveloped_data")
    except UNREADABLE as error:
        return kinds.DECRYPTION_FAILED.at(NOWHERE, f"the encrypted part cannot be read: {error}")
    if isinstance(sealed, Problem):
        return sealed
    return _open_with_any(sealed, recipients, identities, at)


def not_opened(identities: Sequence[Identity], at: datetime) -> Problem:
    """The one answer to every message that no key of ours makes sense of."""
    return kinds.DECRYPTION_FAILED.at(
        NOWHERE,
        "none of our valid keys opens the message",
        expected="; ".join(title(identity.certificate) for identity in _valid(identities, at)) or "no key is valid today",
    )


def _read_sealed(inner: list[Element], rest: list[Element], accept: Old, *, authenticated: bool) -> _Sealed | Problem:
    name, *parameters = inner[1].parts()
    cipher = CIPHERS_BY_IDENTIFIER.get(name.oid())
    if cipher is None or (cipher.old and Old.TRIPLEDES not in accept) or cipher.authenticated != authenticated:
        return kinds.ALGORITHM_REFUSED.at(
            NOWHERE,
            "the message is encrypted in a way that we do not accept",
            found=cipher.name if cipher is not None else ber.dotted(name.oid()),
            expected="AES with 128, 192 or 256 bits",
        )
    content = inner[2].octets(0x80)
    if not authenticated:
        return _Sealed(cipher, parameters[0].octets().to_bytes(), content)
    nonce, *length = parameters[0].parts()
    attributes = rest.pop(0) if rest[0].tag == 0xA1 else None
    tag = rest[0].octets().to_bytes()
    if not _SHORTEST_TAG <= len(tag) <= 16 or len(tag) != (length[0].integer() if length else _SHORTEST_TAG):
        raise ValueError("the authentication tag is too short")
    bound: tuple[bytes, ...] = (b"",)
    if attributes is not None:
        bound = tuple(dict.fromkeys((ber.to_der(attributes._replace(tag=ber.SET)), b"\x31" + attributes.raw[1:])))
    return _Sealed(cipher, nonce.octets().to_bytes(), content, tag, bound)


def _open_with_any(sealed: _Sealed, recipients: list[Recipient], identities: Sequence[Identity], at: datetime) -> Decrypted | Problem:
    valid = _valid(identities, at)
    tried = False
    for recipient, identity in _pairs(recipients, valid):
        key = unwrap_key(recipient, identity.key)
        if key is None or len(key) != sealed.cipher.key_bytes:
            continue
        tried = True
        span = _open(sealed, key)
        if span is not None:
            return Decrypted(span, identity.certificate, sealed.cipher)
    if not tried:  # the same work as for a key that could be unwrapped
        _open(sealed, AESGCM.generate_key(256)[: sealed.cipher.key_bytes])
    for identity in identities:
        if identity not in valid and any(_is_for(recipient, identity) for recipient in recipients):
            return kinds.DECRYPTION_FAILED.at(
                NOWHERE,
                f"the message is encrypted for our certificate {title(identity.certificate)}, which does not hold today",
                found=at.date().isoformat(),
                expected=identity.days,
            )
    return not_opened(identities, at)


def _valid(identities: Sequence[Identity], at: datetime) -> list[Identity]:
    return [identity for identity in identities if identity.decrypts and identity.holds(at)]


def _pairs(recipients: Sequence[Recipient], identities: Sequence[Identity]) -> Iterator[tuple[Recipient, Identity]]:
    """Recipients with the keys that they name; where none of ours is named (a renewed certificate), each with each."""
    named = [(recipient, identity) for recipient in recipients for identity in identities if _is_for(recipient, identity)]
    yield from named or ((recipient, identity) for recipient in recipients for identity in identities)


def _is_for(recipient: Recipient, identity: Identity) -> bool:
    try:
        return recipient.is_for(facts_of(identity.certificate))
    except UNREADABLE:
        return False


def _open(sealed: _Sealed, key: bytes) -> Span | None:
    """The content, or None where this key does not open it."""
    for bound in sealed.bound:
        try:
            return _open_authenticated(sealed, key, bound) if sealed.cipher.authenticated else _open_padded(sealed, key)
        except (*UNREADABLE, UnsupportedAlgorithm, InvalidTag):
            continue
    return None


def _open_padded(sealed: _Sealed, key: bytes) -> Span | None:
    block = TripleDES.block_size // 8 if sealed.cipher.old else 16
    machine = Machine(TripleDES(key) if sealed.cipher.old else AES(key), CBC(sealed.start)).decryptor()
    padded = machine.update(sealed.content.view)
    machine.finalize()
    fill = padded[-1] if padded else 0
    if not 1 <= fill <= block or not hmac.compare_digest(padded[-fill:], bytes((fill,)) * fill):
        return None
    return Span(padded, 0, len(padded) - fill)


def _open_authenticated(sealed: _Sealed, key: bytes, bound: bytes) -> Span:
    machine = Machine(AES(key), GCM(sealed.start, sealed.tag, min_tag_length=_SHORTEST_TAG)).decryptor()
    if bound:
        machine.authenticate_additional_data(bound)
    opened = machine.update(sealed.content.view)
    machine.finalize()  # InvalidTag, and nothing of it is given out
    return Span.of(opened)
