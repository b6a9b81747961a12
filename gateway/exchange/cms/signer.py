"""One signer of a SignedData (SignerInfo, RFC 5652 5.3): its parts, and whether its signature fits a key."""

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.exchange.cms import ber
from gateway.exchange.cms import der
from gateway.exchange.cms.algorithms import DIGESTS
from gateway.exchange.cms.algorithms import DIGESTS_BY_IDENTIFIER
from gateway.exchange.cms.algorithms import SIGNATURES
from gateway.exchange.cms.algorithms import Digest
from gateway.exchange.cms.ber import Element
from gateway.exchange.cms.certificates import PublicKey

_ATTRIBUTES = 0xA0


@dataclass(frozen=True, slots=True)
class Signer:
    """A signer's parts as they came."""

    identifier: Element
    #: Object identifier of the digest, and what we know under it.
    digest_identifier: bytes
    digest: Digest | None
    attributes: Element | None
    algorithm: Element
    signature: bytes

    def values_of(self, attribute: bytes) -> list[Element]:
        """All values of a signed attribute, however often it stands there."""
        values: list[Element] = []
        for one in self.attributes.parts(_ATTRIBUTES) if self.attributes is not None else ():
            kind, *rest = one.parts()
            if kind.oid() == attribute[2:]:
                for value in rest:
                    values += value.parts(ber.SET)
        return values


def read_signer(element: Element) -> Signer:
    """The parts of a SignerInfo; raises one of ber.UNREADABLE."""
    _, identifier, digest, *rest = element.parts()
    attributes = rest.pop(0) if rest[0].tag == _ATTRIBUTES else None
    name = digest.parts()[0].oid()
    return Signer(identifier, name, DIGESTS_BY_IDENTIFIER.get(name), attributes, rest[0], rest[1].octets().to_bytes())


def fits(signer: Signer, key: PublicKey) -> bool:
    """Whether the signature over the signed attributes is by this key."""
    digest, attributes = signer.digest, signer.attributes
    parts = signer.algorithm.parts()
    kind, own = SIGNATURES.get(parts[0].oid(), ("", None))
    if digest is None or attributes is None or not kind or (own is not None and own != digest.name):
        return False
    received = b"\x31" + attributes.raw[1:]  # signed as SET OF, sent as [0]
    if _verifies(signer.signature, received, kind, digest, parts, key):
        return True
    # RFC 5652 5.4 signs DER, whatever is sent
    ordered = ber.to_der(attributes._replace(tag=ber.SET))
    return ordered != received and _verifies(signer.signature, ordered, kind, digest, parts, key)


def _verifies(signature: bytes, signed: bytes, kind: str, digest: Digest, algorithm: list[Element], key: PublicKey) -> bool:
    try:
        if isinstance(key, rsa.RSAPublicKey) and kind == "pkcs1":
            key.verify(signature, signed, padding.PKCS1v15(), digest.algorithm)
        elif isinstance(key, rsa.RSAPublicKey) and kind == "pss":
            mask = _mask_of(algorithm[1], digest)
            if mask is None:
                return False
            key.verify(signature, signed, padding.PSS(padding.MGF1(mask.algorithm), padding.PSS.AUTO), digest.algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and kind == "ecdsa":
            key.verify(signature, signed, ec.ECDSA(digest.algorithm))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _mask_of(parameters: Element, digest: Digest) -> Digest | None:
    """The digest of the mask of RSASSA-PSS (RFC 4055 3.1); None where the signature's digest is not the signer's."""
    given = {part.tag: part.inner() for part in parameters.parts()}
    own = given[0xA0].parts()[0].oid() if 0xA0 in given else DIGESTS["sha1"].identifier[2:]
    if own != digest.identifier[2:]:
        return None
    if 0xA1 not in given:
        return DIGESTS["sha1"]
    way, mask = given[0xA1].parts()
    return DIGESTS_BY_IDENTIFIER.get(mask.parts()[0].oid()) if way.oid() == der.MGF1[2:] else None
