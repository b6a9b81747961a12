"""How the content's key reaches its recipient (RecipientInfo, RFC 5652 6.2): by RSA (PKCS #1 v1.5, OAEP) or by elliptic curves.

A key that cannot be unwrapped is None, whatever the reason: no hint for who tries messages out.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.exchange.cms import agreement
from gateway.exchange.cms import ber
from gateway.exchange.cms import der
from gateway.exchange.cms.algorithms import DIGESTS
from gateway.exchange.cms.algorithms import DIGESTS_BY_IDENTIFIER
from gateway.exchange.cms.algorithms import Cipher
from gateway.exchange.cms.algorithms import Digest
from gateway.exchange.cms.ber import Element
from gateway.exchange.cms.certificates import Facts
from gateway.exchange.cms.keys import PrivateKey
from gateway.exchange.cms.reading import names

_AGREEMENT = 0xA1
#: More keys than this are not looked at: each may cost an operation with a private key.
MOST_RECIPIENTS = 16


@dataclass(frozen=True, slots=True)
class Recipient:
    """One who may open the message: the key for them, wrapped."""

    identifier: Element
    algorithm: Element
    wrapped: bytes
    #: The sender's half of a key agreement, and what else goes into it.
    agreed: agreement.Offer | None = None

    def is_for(self, facts: Facts) -> bool:
        """Whether it names the holder of this certificate."""
        if self.agreed is not None and self.identifier.tag == 0xA0:  # a key identifier in a SEQUENCE of its own
            return self.identifier.inner().octets().to_bytes() == facts.key_identifier
        return names(self.identifier, facts)


def wrap_key(key: bytes, facts: Facts, cipher: Cipher, *, oaep: str | None) -> bytes:
    """The RecipientInfo that holds `key` for the holder of a certificate."""
    name = der.sequence(facts.issuer, der.integer(facts.serial_number))
    if not isinstance(facts.key, rsa.RSAPublicKey):
        return agreement.wrap_key(key, facts.key, name, cipher)
    if oaep is not None:
        # SHA-1 is as good as any here: nothing rests on collisions (RFC 8017 B.1)
        chosen = DIGESTS[oaep]
        way: padding.AsymmetricPadding = padding.OAEP(padding.MGF1(chosen.algorithm), chosen.algorithm, None)
        digest = der.sequence(chosen.identifier, der.NULL)
        parts = () if oaep == "sha1" else (der.explicit(0, digest), der.explicit(1, der.sequence(der.MGF1, digest)))  # DER leaves defaults out
        algorithm = der.sequence(der.RSA_OAEP, der.sequence(*parts))
    else:
        way = padding.PKCS1v15()
        algorithm = der.sequence(der.RSA_ENCRYPTION, der.NULL)
    return der.sequence(der.integer(0), name, algorithm, der.octets(facts.key.encrypt(key, way)))


def read_recipients(infos: Element) -> list[Recipient]:
    """Those of a RecipientInfos that we know how to be; raises one of ber.UNREADABLE."""
    found: list[Recipient] = []
    for info in infos.parts(ber.SET):
        if info.tag == ber.SEQUENCE:
            _, identifier, algorithm, wrapped = info.children()
            found.append(Recipient(identifier, algorithm, wrapped.octets().to_bytes()))
        elif info.tag == _AGREEMENT:
            offer, algorithm, keys = agreement.read_offer(info)
            found += [Recipient(identifier, algorithm, wrapped, offer) for identifier, wrapped in keys[:MOST_RECIPIENTS]]
        if len(found) >= MOST_RECIPIENTS:
            break
    return found[:MOST_RECIPIENTS]


def unwrap_key(recipient: Recipient, private: PrivateKey) -> bytes | None:
    """The content's key, or None where this private key does not give it."""
    try:
        if not isinstance(private, rsa.RSAPrivateKey):
            return agreement.unwrap_key(recipient.agreed, recipient.algorithm, recipient.wrapped, private) if recipient.agreed else None
        if recipient.agreed is not None:
            return None
        return private.decrypt(recipient.wrapped, _padding_of(recipient.algorithm))
    except agreement.UNWRAPPING:
        return None


def _padding_of(algorithm: Element) -> padding.AsymmetricPadding:
    name, *parameters = algorithm.parts()
    if name.oid() == der.RSA_ENCRYPTION[2:]:
        return padding.PKCS1v15()
    if name.oid() != der.RSA_OAEP[2:]:
        raise ValueError("a key transport that we do not know")
    # RFC 4055 4.1: each part may be left out, and then is SHA-1
    given = {part.tag: part.inner() for part in (parameters[0].parts() if parameters else ())}
    digest = DIGESTS_BY_IDENTIFIER[given[0xA0].parts()[0].oid()] if 0xA0 in given else DIGESTS["sha1"]
    mask = _digest_of_mask(given[0xA1]) if 0xA1 in given else DIGESTS["sha1"]
    label = given[0xA2].parts()[1].octets().to_bytes() if 0xA2 in given else b""
    return padding.OAEP(padding.MGF1(mask.algorithm), digest.algorithm, label or None)


def _digest_of_mask(way: Element) -> Digest:
    """The digest of MGF1."""
    name, digest = way.parts()
    if name.oid() != der.MGF1[2:]:
        raise ValueError("a mask that we do not know")
    return DIGESTS_BY_IDENTIFIER[digest.parts()[0].oid()]
