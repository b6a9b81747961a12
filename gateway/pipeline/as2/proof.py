"""What is kept with a received AS2 message so that anybody can prove later, without us and without our keys, who sent what and what we
answered: the message as it came, what was signed in it, the signature, the signer's certificate, our receipt and the certificate that it is
signed by. Digests of the archive stand with the transmission and in the journal. What came goes into the archive at once; receipt and
signature, which are small, with the commit."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.exchange.as2 import Unwrapped
from gateway.exchange.as2 import fingerprint
from gateway.exchange.as2.wrap import signing_identity
from gateway.exchange.cms.span import Span
from gateway.pipeline.as2.arrived import Arrived
from gateway.pipeline.as2.keys import keep_certificate
from gateway.pipeline.as2.posting import AT_ONCE
from gateway.store.payloads.in_rows import SMALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Digests of the archive; `content_head` is what stands before the payload in what was signed, where the rest is the payload itself."""

    request: str
    mdn: str
    signature: str | None
    content: str | None
    content_head: str | None
    certificates: tuple[str, ...]
    answered_by: str | None

    @property
    def references(self) -> tuple[str, ...]:
        """All archived files besides the payload."""
        return tuple(digest for digest in (self.request, self.mdn, self.signature, self.content, *self.certificates) if digest)

    def properties(self, message: Unwrapped, position: int) -> dict[str, str]:
        """What stands with the transmission of one of the message's payloads."""
        facts = {
            "message_id": message.message_id,
            "as2_from": message.as2_from,
            "as2_to": message.as2_to,
            "mic": str(message.mic) if message.mic else "",
            "signed_by": message.signed_by or "",
            "signed_with": message.signed_with or "",
            "encrypted": "yes" if message.encrypted else "no",
            "encrypted_with": message.encrypted_with or "",
            "part": f"{position + 1} of {len(message.payloads)}" if len(message.payloads) > 1 else "",
            "raw_message": self.request,
            "mdn": self.mdn,
            "signature": self.signature or "",
            "content": self.content or "",
            "content_head": self.content_head or "",
            "answered_by": self.answered_by or "",
        }
        return {name: value for name, value in facts.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept of a message: its proof, and its payloads by their digests."""

    proof: Proof
    payloads: tuple[str, ...]
    #: what is still to be kept, by the transaction that names it
    small: tuple[bytes, ...]


def keep_proofs(arrived: Arrived, messages: Sequence[tuple[Unwrapped, str, bytes]], now: datetime) -> list[Kept]:
    """Payloads in the archive, with what the signatures are over and both sides' certificates; receipts and signatures to be kept. Of each
    message what was opened, the digest of its request, and its receipt."""
    contents = [_content(message) for message, _, _ in messages]
    smalls = [_small(message, receipt) for message, _, receipt in messages]
    bundles = [_bundle(message, receipt, content) for (message, _, receipt), (_, content) in zip(messages, contents, strict=True)]
    archive = arrived.archive
    digests = iter(arrived.keep_with([data for bundle in bundles for data in bundle]))
    kept = []
    for (message, request, receipt), (head, content), small in zip(messages, contents, smalls, strict=True):
        assert message.relation is not None
        ours = signing_identity(message.relation, now) if message.receipt is not None and message.receipt.signed else None
        answered_by = fingerprint(ours.certificate) if ours is not None else None
        for _ in _large(message, receipt):
            next(digests)
        payloads = tuple(next(digests) for _ in message.payloads)
        content_sha256 = None
        if content is not None:
            content_sha256 = next(digests) if len(content) <= AT_ONCE else archive.keep_stream([content.to_bytes()])[0]
        certificates = (
            *keep_certificate(archive, message.relation.verification, message.signed_by),
            *keep_certificate(archive, message.relation.identities, answered_by),
        )
        proof = Proof(
            request=request,
            mdn=hashlib.sha256(receipt).hexdigest(),
            signature=hashlib.sha256(message.signature).hexdigest() if message.signature is not None else None,
            content=content_sha256,
            content_head=head,
            certificates=certificates,
            answered_by=answered_by,
        )
        kept.append(Kept(proof=proof, payloads=payloads, small=small))
    return kept


def _small(message: Unwrapped, receipt: bytes) -> tuple[bytes, ...]:
    """Receipt and signature, as far as they are small."""
    return tuple(data for data in (receipt, message.signature) if data is not None and len(data) <= SMALL)


def _large(message: Unwrapped, receipt: bytes) -> tuple[bytes, ...]:
    """Receipt and signature that are not: a chain of many certificates stands in them."""
    return tuple(data for data in (receipt, message.signature) if data is not None and len(data) > SMALL)


def _bundle(message: Unwrapped, receipt: bytes, content: Span | None) -> list[bytes]:
    """What is kept of a message in the archive, besides what is too large to be copied."""
    bundle = [*_large(message, receipt), *(payload.data for payload in message.payloads)]
    if content is not None and len(content) <= AT_ONCE:
        bundle.append(content.to_bytes())
    return bundle


def _content(message: Unwrapped) -> tuple[str | None, Span | None]:
    """What was signed: its head, where the payload follows, or all of it."""
    signed = message.signed
    if signed is None:
        return None, None
    payload = message.payloads[0].data
    if len(message.payloads) == 1 and signed.data.endswith(payload, signed.start, signed.end):
        return bytes(signed.view[: len(signed) - len(payload)]).decode("latin-1"), None
    # compressed, encoded or several: it is not just a head and the payload
    return None, signed
