"""Encryption for the holder of a certificate (CMS EnvelopedData, and AuthEnvelopedData of RFC 5083 for AES-GCM).

Randomness comes from OpenSSL through AESGCM.generate_key and keys of the moment: here alone the room is not a function of its arguments.
"""

from cryptography import x509
from cryptography.hazmat.primitives.ciphers import Cipher as Machine
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.ciphers.modes import GCM

from gateway.exchange.cms import der
from gateway.exchange.cms.algorithms import Cipher
from gateway.exchange.cms.certificates import facts_of
from gateway.exchange.cms.span import Content
from gateway.exchange.cms.span import length_of
from gateway.exchange.cms.span import pieces_of
from gateway.exchange.cms.transport import wrap_key

_TAG = 16


def encrypt(content: Content, certificate: x509.Certificate, cipher: Cipher, *, oaep: str | None = None) -> bytes:
    """`content` for the holder of this certificate; `oaep` names the digest of OAEP for RSA keys, instead of PKCS #1 v1.5."""
    assert not cipher.old, "old ciphers are never written"
    pieces = pieces_of(content)
    key = AESGCM.generate_key(cipher.key_bytes * 8)
    recipients = der.set_of(wrap_key(key, facts_of(certificate), cipher, oaep=oaep))
    size = length_of(pieces)
    if cipher.authenticated:
        nonce = AESGCM.generate_key(128)[:12]
        sealing = Machine(AES(key), GCM(nonce)).encryptor()
        sealed = [sealing.update(piece) for piece in pieces]
        sealing.finalize()
        parameters = der.sequence(der.octets(nonce), der.integer(_TAG))
        return _composed(der.AUTHENTICATED_ENVELOPED_DATA, recipients, der.sequence(cipher.identifier, parameters), sealed, size, sealing.tag)
    start = AESGCM.generate_key(128)
    machine = Machine(AES(key), CBC(start)).encryptor()
    fill = 16 - size % 16
    encrypted = [machine.update(piece) for piece in (*pieces, bytes((fill,)) * fill)]
    return _composed(der.ENVELOPED_DATA, recipients, der.sequence(cipher.identifier, der.octets(start)), encrypted, size + fill, None)


def _composed(kind: bytes, recipients: bytes, algorithm: bytes, encrypted: list[bytes], size: int, tag: bytes | None) -> bytes:
    """The whole structure; the encrypted content is copied once, whatever stands around it."""
    head = der.DATA + algorithm + der.head(0x80, size)
    inner = der.head(0x30, len(head) + size) + head
    last = der.octets(tag) if tag is not None else b""
    inside = der.integer(0) + recipients + inner
    length = len(inside) + size + len(last)
    body = der.head(0x30, length) + inside
    outer = der.head(0xA0, len(body) + size + len(last)) + body
    return b"".join((der.head(0x30, len(kind) + len(outer) + size + len(last)), kind, outer, *encrypted, last))
