"""Key agreement with elliptic curves (KeyAgreeRecipientInfo, RFC 5753): a key of the moment on our side, the certificate's on theirs."""

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from gateway.exchange.cms import ber
from gateway.exchange.cms import der
from gateway.exchange.cms.algorithms import DIGESTS
from gateway.exchange.cms.algorithms import Cipher
from gateway.exchange.cms.ber import Element

#: What unwrapping a key raises where it is not for us, or is rubbish.
UNWRAPPING = (*ber.UNREADABLE, UnsupportedAlgorithm, InvalidTag, InvalidUnwrap)

_EC_PUBLIC_KEY = bytes.fromhex("06072a8648ce3d0201")
_STANDARD_SHA256 = bytes.fromhex("06062b8104010b01")
_WRAPS = {16: bytes.fromhex("0609608648016503040105"), 24: bytes.fromhex("0609608648016503040119"), 32: bytes.fromhex("060960864801650304012d")}
_WRAP_BYTES = {identifier[2:]: size for size, identifier in _WRAPS.items()}
#: dhSinglePass, standard and cofactor (the same where the cofactor is 1), by the digest of its derivation.
_SCHEMES: dict[bytes, HashAlgorithm] = {
    bytes.fromhex(identifier): DIGESTS[digest].algorithm
    for identifier, digest in (
        ("2b81051086483f0002", "sha1"),
        ("2b8104010b01", "sha256"),
        ("2b8104010b02", "sha384"),
        ("2b8104010b03", "sha512"),
        ("2b81051086483f0003", "sha1"),
        ("2b8104010e01", "sha256"),
        ("2b8104010e02", "sha384"),
        ("2b8104010e03", "sha512"),
    )
}


@dataclass(frozen=True, slots=True)
class Offer:
    """The sender's half: its public point, and keying material that both know."""

    point: bytes
    material: bytes


def wrap_key(key: bytes, public: ec.EllipticCurvePublicKey, name: bytes, cipher: Cipher) -> bytes:
    """The RecipientInfo that holds `key` for the holder of a public key, who goes by `name` (DER)."""
    moment = ec.generate_private_key(public.curve)
    point = moment.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    wrapping = der.sequence(_WRAPS[cipher.key_bytes])
    secret = _derive(moment.exchange(ec.ECDH(), public), SHA256(), wrapping, cipher.key_bytes, b"")
    return der.compose(
        0xA1,
        der.integer(3),
        der.explicit(0, der.explicit(1, der.sequence(_EC_PUBLIC_KEY), der.compose(ber.BITS, b"\0", point))),
        der.sequence(_STANDARD_SHA256, wrapping),
        der.sequence(der.sequence(name, der.octets(aes_key_wrap(secret, key)))),
    )


def read_offer(info: Element) -> tuple[Offer, Element, list[tuple[Element, bytes]]]:
    """The sender's half, the algorithm, and the wrapped key of each recipient; raises one of ber.UNREADABLE."""
    _, originator, *rest = info.children()
    [public] = originator.parts(0xA0)
    material = b""
    if rest[0].tag == 0xA1:
        material = rest.pop(0).inner().octets().to_bytes()
    point = public.parts(0xA1)[1].demand(ber.BITS).contents[1:]
    keys = []
    for one in rest[1].parts():
        identifier, wrapped = one.parts()
        keys.append((identifier, wrapped.octets().to_bytes()))
    return Offer(point, material), rest[0], keys


def unwrap_key(offer: Offer, algorithm: Element, wrapped: bytes, private: ec.EllipticCurvePrivateKey) -> bytes:
    """The content's key; raises one of UNWRAPPING. A point that is not on our curve is refused before it meets our key."""
    scheme, wrapping = algorithm.parts()
    size = _WRAP_BYTES[wrapping.parts()[0].oid()]
    public = ec.EllipticCurvePublicKey.from_encoded_point(private.curve, offer.point)
    secret = _derive(private.exchange(ec.ECDH(), public), _SCHEMES[scheme.oid()], wrapping.raw, size, offer.material)
    return aes_key_unwrap(secret, wrapped)


def _derive(shared: bytes, digest: HashAlgorithm, wrapping: bytes, size: int, material: bytes) -> bytes:
    """RFC 5753 7.2: the wrapping's algorithm, the material and the wanted length go into the derived key."""
    user = der.explicit(0, der.octets(material)) if material else b""
    told = der.sequence(wrapping, user, der.explicit(2, der.octets((size * 8).to_bytes(4, "big"))))
    return X963KDF(digest, size, told).derive(shared)
