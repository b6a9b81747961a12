"""A payload becomes an AS2 request: compressed, then signed, then encrypted, as far as the relation says; its bytes untouched."""

import base64
import hashlib
from datetime import UTC
from datetime import datetime
from email.utils import format_datetime

from gateway.exchange.as2 import mime
from gateway.exchange.as2.names import check_message_id
from gateway.exchange.as2.names import read_message_id
from gateway.exchange.as2.names import write_name
from gateway.exchange.as2.values import As2Relation
from gateway.exchange.as2.values import As2Request
from gateway.exchange.as2.values import Headers
from gateway.exchange.as2.values import Mic
from gateway.exchange.cms.algorithms import CIPHERS
from gateway.exchange.cms.algorithms import DIGESTS
from gateway.exchange.cms.algorithms import Digest
from gateway.exchange.cms.algorithms import Old
from gateway.exchange.cms.compression import compress
from gateway.exchange.cms.encryption import encrypt
from gateway.exchange.cms.keys import Identity
from gateway.exchange.cms.keys import fingerprint
from gateway.exchange.cms.keys import title
from gateway.exchange.cms.keys import usable
from gateway.exchange.cms.signature import sign_digest
from gateway.kinds import as2 as kinds
from gateway.problem import NOWHERE
from gateway.problem import Problem

BINARY = ("Content-Transfer-Encoding", "binary")

#: What goes out, in pieces that follow each other: a large payload is not copied for each layer around it.
Pieces = tuple[bytes, ...]

_SIGNATURE_HEADERS = mime.write_headers(
    (("Content-Type", "application/pkcs7-signature; name=smime.p7s"), BINARY, ("Content-Disposition", "attachment; filename=smime.p7s"))
)


def wrap(
    payload: bytes, relation: As2Relation, message_id: str, at: datetime, filename: str | None = None, content_type: str | None = None
) -> As2Request | Problem:
    """The request that carries `payload`; a Problem where no key or certificate may be used today."""
    identifier = read_message_id(message_id)
    check_message_id(identifier)
    headers: Headers = (("Content-Type", content_type or relation.content_type), BINARY)
    if filename is not None:
        headers += (("Content-Disposition", mime.disposition_of(filename)),)
    body: Pieces = (payload,)
    confirmed = body  # what the MIC is over (RFC 4130 7.3.1, RFC 5402 4)
    digest = DIGESTS[relation.sign or "sha256"]
    value: bytes | None = None
    if relation.compress and not relation.compress_signed:
        confirmed = (mime.write_headers(headers), *body)
        headers, body = _cms_part("compressed-data", "smime.p7z"), (compress(confirmed),)
    if relation.sign is not None:
        identity = signing_identity(relation, at)
        if identity is None:
            return no_identity(relation, at)
        confirmed = (mime.write_headers(headers), *body)
        value = digest.of(*confirmed)
        headers, body = _signed(confirmed, value, identity, digest, at, identifier, pss=relation.sign_padding == "pss")
    if relation.compress and relation.compress_signed:
        entity = (mime.write_headers(headers), *body)
        if relation.sign is None:
            confirmed = entity
        headers, body = _cms_part("compressed-data", "smime.p7z"), (compress(entity),)
    encrypted_for: str | None = None
    if relation.encrypt is not None:
        certificates = usable(relation.encryption, at, short_keys=Old.SHORT_KEYS in relation.old)
        if not certificates:
            return _no_certificate(relation, at)
        entity = (mime.write_headers(headers), *body)
        if relation.sign is None and not relation.compress:
            confirmed = entity
        cipher = CIPHERS[relation.encrypt]
        encrypted_for = fingerprint(certificates[0].certificate)
        kind = "authEnveloped-data" if cipher.authenticated else "enveloped-data"
        headers, body = _cms_part(kind, "smime.p7m"), (encrypt(entity, certificates[0].certificate, cipher, oaep=relation.oaep),)
    return As2Request(
        headers=_request_headers(relation, identifier, at, digest) + headers,
        body=b"".join(body) if len(body) > 1 else bytes(body[0]),
        message_id=identifier,
        mic=mic_of(value or digest.of(*confirmed), digest.word),
        other_mics=(mic_of(DIGESTS["sha1"].of(*confirmed), "sha1"),) if Old.SHA1 in relation.old else (),
        content=confirmed,
        encrypted_for=encrypted_for,
    )


def can_be_read(relation: As2Relation, encrypted_for: str | None, at: datetime) -> bool:
    """Whether the partner can still read a request that was made for this certificate (None: in the clear), as agreed on now."""
    if encrypted_for is None or relation.encrypt is None:
        return encrypted_for is None and relation.encrypt is None
    return any(fingerprint(one.certificate) == encrypted_for for one in relation.encryption if one.holds(at))


def can_be_sent(relation: As2Relation, at: datetime) -> bool:
    """Whether there are the keys and certificates today that a message needs."""
    signs = relation.sign is None or signing_identity(relation, at) is not None
    return signs and (relation.encrypt is None or bool(usable(relation.encryption, at, short_keys=Old.SHORT_KEYS in relation.old)))


def mic_of(value: bytes, word: str) -> Mic:
    """The MIC whose digest is `value`, naming its algorithm by `word`."""
    return Mic(base64.b64encode(value).decode("ascii"), word)


def sign_entity(entity: bytes, identity: Identity, digest: Digest, at: datetime, seed: str, *, pss: bool = False) -> tuple[Headers, bytes]:
    """A multipart/signed around an entity (RFC 1847): its headers and body."""
    headers, body = _signed((entity,), digest.of(entity), identity, digest, at, seed, pss=pss)
    return headers, b"".join(body)


def _signed(entity: Pieces, value: bytes, identity: Identity, digest: Digest, at: datetime, seed: str, *, pss: bool) -> tuple[Headers, Pieces]:
    boundary = boundary_for(entity, f"signed {seed}")
    delimiter = f"--{boundary}".encode("ascii")
    signature = sign_digest(value, identity, digest, at, pss=pss)
    body = (delimiter, b"\r\n", *entity, b"\r\n", delimiter, b"\r\n", _SIGNATURE_HEADERS, signature, b"\r\n", delimiter, b"--\r\n")
    kind = f'multipart/signed; protocol="application/pkcs7-signature"; micalg={digest.word}; boundary="{boundary}"'
    return (("Content-Type", kind),), body


def boundary_for(content: Pieces, seed: str) -> str:
    """A boundary that does not occur in `content`, the same at every try."""
    counter = 0
    while True:
        boundary = f"=_{hashlib.sha256(f'{seed} {counter}'.encode()).hexdigest()[:40]}"
        # pieces begin and end where headers do: a boundary has no line end in it and cannot lie across
        if not any(boundary.encode("ascii") in piece for piece in content):
            return boundary
        counter += 1


def signing_identity(relation: As2Relation, at: datetime) -> Identity | None:
    """The first of our keys that may sign today."""
    return next(iter(usable((identity for identity in relation.identities if identity.signs), at)), None)


def no_identity(relation: As2Relation, at: datetime) -> Problem:
    """What to say when none of our keys may sign."""
    return kinds.NO_USABLE_CERTIFICATE.at(
        NOWHERE,
        f"none of our certificates for {relation.partner} can be used to sign today ({at.date().isoformat()})",
        found="; ".join(title(identity.certificate) for identity in relation.identities) or "none is set",
    )


def http_date(at: datetime) -> str:
    """The Date header's form."""
    return format_datetime(at.astimezone(UTC), usegmt=True)


def _no_certificate(relation: As2Relation, at: datetime) -> Problem:
    return kinds.NO_USABLE_CERTIFICATE.at(
        NOWHERE,
        f"no certificate of {relation.partner} can be encrypted for today ({at.date().isoformat()})",
        found="; ".join(title(one.certificate) for one in relation.encryption) or "none is pinned",
    )


def _cms_part(kind: str, name: str) -> Headers:
    return (
        ("Content-Type", f"application/pkcs7-mime; smime-type={kind}; name={name}"),
        BINARY,
        ("Content-Disposition", f"attachment; filename={name}"),
    )


#: What we can do beyond RFC 4130 (RFC 6017): several files in one message, the same Message-ID at every try and one receipt for it.
FEATURES = ("EDIINT-Features", "multiple-attachments, AS2-Reliability")


def _request_headers(relation: As2Relation, message_id: str, at: datetime, digest: Digest) -> Headers:
    headers: Headers = (
        ("AS2-Version", "1.2"),
        FEATURES,
        ("AS2-From", write_name(relation.us)),
        ("AS2-To", write_name(relation.partner)),
        ("Message-ID", f"<{message_id}>"),
        ("Date", http_date(at)),
        ("Subject", relation.subject),
        ("MIME-Version", "1.0"),
    )
    if relation.receipt != "none":
        headers += (("Disposition-Notification-To", write_name(relation.us)),)
    if relation.receipt != "none" and relation.receipt_delivery == "async":
        headers += (("Receipt-Delivery-Option", str(relation.our_receipt_url)),)
    if relation.receipt == "signed":
        headers += (
            ("Disposition-Notification-Options", f"signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, {digest.word}"),
        )
    return headers
