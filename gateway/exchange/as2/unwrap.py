"""An AS2 request becomes a payload: decrypted, decompressed, verified, in whichever order it was wrapped (RFC 5402 allows both).

Nothing is believed before a pinned certificate vouches for it: where the relation demands a signature, no payload comes out
without one. Every failure is a Problem whose kind knows its disposition.
"""

import re
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime

from gateway.exchange.as2 import mime
from gateway.exchange.as2.head import RelationOf
from gateway.exchange.as2.head import read_head
from gateway.exchange.as2.names import usable_digest
from gateway.exchange.as2.parts import payloads_of
from gateway.exchange.as2.values import As2Relation
from gateway.exchange.as2.values import Mic
from gateway.exchange.as2.values import Payload
from gateway.exchange.as2.values import ReceiptRequest
from gateway.exchange.as2.values import Unwrapped
from gateway.exchange.as2.wrap import mic_of
from gateway.exchange.cms.algorithms import DIGESTS
from gateway.exchange.cms.compression import decompress
from gateway.exchange.cms.decryption import decrypt
from gateway.exchange.cms.decryption import not_opened
from gateway.exchange.cms.keys import fingerprint
from gateway.exchange.cms.reading import type_of
from gateway.exchange.cms.signature import Verified
from gateway.exchange.cms.signature import verify
from gateway.exchange.cms.span import Span
from gateway.kinds import as2 as kinds
from gateway.problem import NOWHERE
from gateway.problem import Problem

CMS_TYPES = ("application/pkcs7-mime", "application/x-pkcs7-mime")
SIGNATURE_TYPES = ("application/pkcs7-signature", "application/x-pkcs7-signature")


@dataclass(slots=True)
class _Walk:
    """What is known so far on the way inward. Each layer is taken off once at most, so that nesting cannot go on for ever."""

    entity: mime.Entity
    encrypted: bool = False
    encrypted_with: str | None = None
    compressed: bool = False
    #: Whose signature, over which digest of the signed part.
    verified: Verified | None = None
    #: The signed first part, exactly as received, and the signature over it.
    signed: Span | None = None
    signature: bytes | None = None
    problems: list[Problem] = field(default_factory=list)


def unwrap(headers: Iterable[tuple[str, str]], body: bytes, relation_of: RelationOf, at: datetime) -> Unwrapped:
    """Open a request as far as it goes; `accepted` says whether its payload may be worked on."""
    lines = tuple(headers)
    request = mime.entity_of_request(lines, body)
    head = read_head(lines, relation_of)
    relation, receipt = head.relation, head.receipt
    if relation is None or head.problem is not None:
        return Unwrapped(
            as2_from=head.as2_from,
            as2_to=head.as2_to,
            message_id=head.message_id,
            receipt=receipt,
            relation=relation,
            problems=(head.problem,) if head.problem is not None else (),
        )
    walk = _Walk(request)
    payloads = _walk_inward(walk, relation, at)
    if payloads:
        walk.problems += _policy(walk, relation)
    return Unwrapped(
        as2_from=head.as2_from,
        as2_to=head.as2_to,
        message_id=head.message_id,
        payloads=payloads if not walk.problems else (),
        filename=payloads[0].filename if payloads else _claimed_name(walk),
        content_type=payloads[0].content_type if payloads else walk.entity.headers.get("content-type"),
        mic=_mic(walk, receipt, relation, readable=bool(payloads)),
        signed_by=fingerprint(walk.verified.certificate) if walk.verified else None,
        signed_with=walk.verified.digest.word if walk.verified else None,
        encrypted_with=walk.encrypted_with,
        compressed=walk.compressed,
        signed=walk.signed if walk.verified else None,
        signature=walk.signature,
        receipt=receipt,
        relation=relation,
        problems=tuple(walk.problems),
    )


def _claimed_name(walk: _Walk) -> str | None:
    """The file's name in a message that is refused, as far as it was opened: it proves nothing, people know the message by it."""
    try:
        inmost = mime.read_entity(walk.signed) if walk.signed is not None and walk.verified is None else walk.entity
    except mime.Unreadable:
        inmost = walk.entity
    return mime.filename_of(inmost)


def _walk_inward(walk: _Walk, relation: As2Relation, at: datetime) -> tuple[Payload, ...]:
    """Take layer after layer off; what the innermost entity holds, or nothing with a problem."""
    while True:
        try:
            layer = _layer_of(walk)
            if layer is None:
                return payloads_of(walk.entity)
            problem = layer(walk, relation, at)
        except mime.Unreadable as error:
            problem = kinds.MIME_INVALID.at(NOWHERE, f"the message cannot be taken apart: {error}")
            if walk.encrypted_with is not None and walk.signed is None and not walk.compressed:
                # rubbish came out of the decryption: nobody shall learn that the padding was right
                problem = not_opened(relation.identities, at)
        if problem is not None:
            walk.problems.append(problem)
            return ()


def _layer_of(walk: _Walk) -> Callable[[_Walk, As2Relation, datetime], Problem | None] | None:
    media_type = walk.entity.media_type
    if media_type == "multipart/signed" and walk.signed is None:
        return _take_signature_off
    if media_type in ("multipart/signed", "multipart/report"):
        raise mime.Unreadable(f'a "{media_type}" where the payload is expected')
    if media_type not in CMS_TYPES:
        return None
    match type_of(walk.entity.decoded()):
        case "enveloped_data" | "authenticated_enveloped_data" if not walk.encrypted:
            return _take_encryption_off
        case "compressed_data" if not walk.compressed:
            return _take_compression_off
    hint = (walk.entity.parameter("content-type", "smime-type") or "").lower()
    if hint == "compressed-data" and not walk.compressed:
        return _take_compression_off
    if hint in ("", "enveloped-data", "authenveloped-data") and not walk.encrypted:
        return _take_encryption_off
    raise mime.Unreadable(f'no place for a layer "{walk.entity.headers.get("content-type", "")[:100]}"')


def _take_encryption_off(walk: _Walk, relation: As2Relation, at: datetime) -> Problem | None:
    walk.encrypted = True
    opened = decrypt(walk.entity.decoded(), relation.identities, at, accept=relation.old)
    if isinstance(opened, Problem):
        return opened
    walk.encrypted_with = opened.cipher.name
    walk.entity = mime.read_entity(opened.span)
    return None


def _take_compression_off(walk: _Walk, relation: As2Relation, at: datetime) -> Problem | None:
    walk.compressed = True
    content = decompress(walk.entity.decoded(), relation.limits)
    if isinstance(content, Problem):
        return content
    walk.entity = mime.read_entity(Span.of(content))
    return None


def _take_signature_off(walk: _Walk, relation: As2Relation, at: datetime) -> Problem | None:
    parts = mime.split_multipart(walk.entity)
    if len(parts) != 2:
        raise mime.Unreadable(f"a multipart/signed with {len(parts)} parts, expected 2")
    signature = mime.read_entity(parts[1])
    if signature.media_type not in SIGNATURE_TYPES:
        raise mime.Unreadable(f'the second part is "{signature.media_type[:60]}", expected application/pkcs7-signature')
    walk.signed = parts[0]
    verified = verify(parts[0], signature.decoded(), relation.verification, at, accept=relation.old)
    if isinstance(verified, Problem):
        return verified
    walk.verified = verified
    walk.signature = signature.decoded().to_bytes()
    walk.entity = mime.read_entity(parts[0])
    return None


def _policy(walk: _Walk, relation: As2Relation) -> list[Problem]:
    problems = []
    if relation.require_signature and walk.verified is None:
        problems.append(kinds.NOT_SIGNED.at(NOWHERE, f"{relation.partner} has to sign its messages; this one is not signed"))
    if relation.require_encryption and not walk.encrypted:
        problems.append(kinds.NOT_ENCRYPTED.at(NOWHERE, f"{relation.partner} has to encrypt its messages; this one is not encrypted"))
    return problems


def _mic(walk: _Walk, receipt: ReceiptRequest | None, relation: As2Relation, *, readable: bool) -> Mic | None:
    """RFC 4130 7.3.1, RFC 5402 4: over what was signed; else over the innermost entity; else, for a bare message, over its content."""
    if not readable and walk.signed is None:
        return None
    content = walk.signed if walk.signed is not None else walk.entity.whole if walk.entity.whole is not None else walk.entity.body
    verified = walk.verified
    digest = verified.digest if verified is not None else DIGESTS["sha256"]
    word = digest.word
    for asked in receipt.micalgs if receipt else ():
        usable = usable_digest(asked, relation.old)
        if usable is not None:
            digest, word = usable, re.sub(r"[^\w-]", "", asked)
            break
    known = verified is not None and verified.digest is digest
    return mic_of(verified.value if verified is not None and known else digest.of(content.view), word)
