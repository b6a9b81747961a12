"""Receipts: the message disposition notification that we build for what arrived, and the one that we read for what we sent.

A receipt counts when it is signed by a pinned certificate (where that was asked for), names our message and holds the digest
of what we sent. What a stranger or a broken line says is never final: `may_retry` stays True.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime

from gateway.exchange.as2 import mime
from gateway.exchange.as2.names import read_message_id
from gateway.exchange.as2.names import read_name
from gateway.exchange.as2.names import write_name
from gateway.exchange.as2.unwrap import SIGNATURE_TYPES
from gateway.exchange.as2.values import As2Relation
from gateway.exchange.as2.values import Expected
from gateway.exchange.as2.values import Headers
from gateway.exchange.as2.values import MdnResponse
from gateway.exchange.as2.values import Mic
from gateway.exchange.as2.values import Receipt
from gateway.exchange.as2.values import Unwrapped
from gateway.exchange.as2.wrap import FEATURES
from gateway.exchange.as2.wrap import boundary_for
from gateway.exchange.as2.wrap import http_date
from gateway.exchange.as2.wrap import no_identity
from gateway.exchange.as2.wrap import sign_entity
from gateway.exchange.as2.wrap import signing_identity
from gateway.exchange.cms.algorithms import DIGESTS
from gateway.exchange.cms.algorithms import digest_named
from gateway.exchange.cms.keys import fingerprint
from gateway.exchange.cms.signature import verify
from gateway.kinds import KINDS
from gateway.kinds import as2 as kinds
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.problem import Severity

_AUTOMATIC = "automatic-action/MDN-sent-automatically"
_WORD = re.compile(r"[\w-]+")


def build_mdn(unwrapped: Unwrapped, relation: As2Relation | None, at: datetime, *, signed: bool) -> MdnResponse | Problem:
    """The receipt for a message; a Problem where it should be signed and no key of ours may sign today."""
    us, partner = _plain(unwrapped.as2_to), _plain(unwrapped.as2_from)
    seed = hashlib.sha256(f"{unwrapped.as2_from}\n{unwrapped.as2_to}\n{unwrapped.message_id}\n{at.isoformat()}".encode()).hexdigest()[:32]
    headers, body = _report(unwrapped, us, seed)
    if signed and relation is not None:
        identity = signing_identity(relation, at)
        if identity is None:
            return no_identity(relation, at)
        digest = DIGESTS[relation.sign or "sha256"]
        headers, body = sign_entity(mime.write_headers(headers) + body, identity, digest, at, seed, pss=relation.sign_padding == "pss")
    return MdnResponse(
        headers=(
            ("AS2-Version", "1.2"),
            FEATURES,
            ("AS2-From", write_name(us)),
            ("AS2-To", write_name(partner)),
            ("Message-ID", f"<mdn-{seed}@gateway>"),
            ("Date", http_date(at)),
            ("Subject", "Receipt"),
            ("MIME-Version", "1.0"),
            *headers,
        ),
        body=body,
    )


def disposition_of(problems: Iterable[Problem]) -> str:
    """The Disposition field: the first error decides, its kind knows the word."""
    for problem in problems:
        if problem.severity is Severity.ERROR:
            word = KINDS[problem.code].mdn or "unexpected-processing-error"
            return f"{_AUTOMATIC}; failed/{word}" if word.startswith("failure:") else f"{_AUTOMATIC}; processed/error: {word}"
    return f"{_AUTOMATIC}; processed"


def read_mdn(headers: Iterable[tuple[str, str]], body: bytes, expected: Expected, relation: As2Relation, at: datetime) -> Receipt:
    """What a receipt proves about the message that `expected` describes; one that cannot be read proves nothing, and says so in its problems."""
    problems: list[Problem] = []
    signed_by: str | None = None
    try:
        entity = mime.entity_of_request(headers, body)
        if entity.media_type == "multipart/signed":
            parts = mime.split_multipart(entity)
            signature = mime.read_entity(parts[1]) if len(parts) == 2 else None
            if signature is None or signature.media_type not in SIGNATURE_TYPES:
                raise mime.Unreadable("a signed receipt without its signature")
            verified = verify(parts[0], signature.decoded(), relation.verification, at, accept=relation.old)
            if isinstance(verified, Problem):
                problems.append(verified)
            else:
                signed_by = fingerprint(verified.certificate)
            entity = mime.read_entity(parts[0])
        elif relation.receipt == "signed":
            problems.append(kinds.MDN_NOT_SIGNED.at(NOWHERE, "the receipt is not signed", found=entity.media_type[:100], expected="multipart/signed"))
        fields, text = read_report(entity)
    except mime.Unreadable as error:
        problems.append(kinds.MDN_UNREADABLE.at(NOWHERE, f"the receipt cannot be read: {error}"))
        return Receipt(disposition=None, signed_by=signed_by, problems=tuple(problems))
    proven = not problems
    disposition = fields["disposition"]
    original = read_message_id(fields.get("original-message-id", ""))
    mic_matches = _mic_matches(fields.get("received-content-mic"), expected)
    problems += _judge(fields, disposition, original, mic_matches, expected, relation)
    ours = original == expected.message_id or (not original and mic_matches is True)
    return Receipt(
        disposition=disposition,
        mic_matches=mic_matches,
        signed_by=signed_by,
        message_id=original or None,
        text=text,
        may_retry=not (proven and ours),
        problems=tuple(problems),
    )


def _report(unwrapped: Unwrapped, us: str, seed: str) -> tuple[Headers, bytes]:
    disposition = disposition_of(unwrapped.problems)
    if unwrapped.accepted:
        words = "The message was received and its content is kept.\r\n"
    else:
        words = "The message was not accepted.\r\n" + "".join(f"{problem.code}: {_plain(problem.message, 900)}\r\n" for problem in unwrapped.problems)
    text = mime.write_headers((("Content-Type", "text/plain; charset=us-ascii"), ("Content-Transfer-Encoding", "7bit"))) + words.encode("ascii")
    fields: Headers = (
        ("Reporting-UA", "order-gateway"),
        ("Original-Recipient", f"rfc822; {write_name(us)}"),
        ("Final-Recipient", f"rfc822; {write_name(us)}"),
        ("Original-Message-ID", f"<{_plain(unwrapped.message_id, 998)}>"),
        ("Disposition", disposition),
    )
    if unwrapped.mic is not None:
        fields += (("Received-content-MIC", str(unwrapped.mic)),)
    notification = mime.write_headers((("Content-Type", "message/disposition-notification"), ("Content-Transfer-Encoding", "7bit")))
    notification += mime.write_headers(fields)
    boundary = boundary_for((text, notification), f"report {seed}")
    delimiter = f"--{boundary}".encode("ascii")
    body = b"\r\n".join((delimiter, text, delimiter, notification, delimiter + b"--", b""))
    return (("Content-Type", f'multipart/report; report-type=disposition-notification; boundary="{boundary}"'),), body


def read_report(entity: mime.Entity) -> tuple[dict[str, str], str]:
    """The notification's fields and the words for people (RFC 8098); raises mime.Unreadable where there is none."""
    parts = [entity]
    if entity.media_type.startswith("multipart/"):
        parts = [mime.read_entity(part) for part in mime.split_multipart(entity)]
    text = next((part.decoded().to_bytes().decode("utf-8", "replace").strip()[:4000] for part in parts if part.media_type.startswith("text/")), "")
    for part in parts:
        if part.media_type == "message/disposition-notification":
            fields = _read_fields(part.decoded().to_bytes())
            if "disposition" not in fields:
                raise mime.Unreadable("there is no Disposition in it")
            return fields, text
    raise mime.Unreadable(f'there is no message/disposition-notification in it, only "{entity.media_type[:60]}"')


def _read_fields(content: bytes) -> dict[str, str]:
    """Fields over one or more blocks, folded or not; lines that are none are left out."""
    fields: dict[str, str] = {}
    name = ""
    for line in content[: mime.MOST_HEADER_BYTES].decode("utf-8", "replace").splitlines():
        if line[:1] in (" ", "\t") and name:
            fields[name] += line
        else:
            name, colon, value = line.partition(":")
            name = name.strip().lower() if colon else ""
            if name:
                fields.setdefault(name, value.strip())
    return fields


def _mic_matches(text: str | None, expected: Expected) -> bool | None:
    if not text:
        return None
    return is_one_of(Mic.from_text(text), expected.mics)


def is_one_of(mic: Mic, ours: Iterable[Mic]) -> bool:
    """Whether a digest is one of ours, however its algorithm is spelled."""
    digest = digest_named(mic.algorithm)
    return digest is not None and any(mic.value == one.value and digest_named(one.algorithm) == digest for one in ours)


def _judge(
    fields: dict[str, str], disposition: str, original: str, mic_matches: bool | None, expected: Expected, relation: As2Relation
) -> list[Problem]:
    problems = []
    if original != expected.message_id and (original or mic_matches is not True):
        problems.append(
            kinds.MDN_OTHER_MESSAGE.at(NOWHERE, "the receipt is for another message", found=original[:998] or None, expected=expected.message_id)
        )
    state, grade, reason = _parts_of(disposition)
    duplicate = "duplicate" in reason.lower()
    if (state != "processed" or grade in ("error", "failure", "failed")) and not (duplicate and expected.repeat):
        problems.append(
            kinds.MDN_NEGATIVE.at(
                NOWHERE, f"{relation.partner} could not process the message: {reason or disposition}", found=disposition[:500], expected="processed"
            )
        )
        return problems
    if grade:
        problems.append(kinds.MDN_WARNING.at(NOWHERE, f"{relation.partner} processed the message with a warning: {reason}", found=disposition[:500]))
    repeated = duplicate and (grade == "warning" or expected.repeat)  # an answer to a resend; some leave the digest out then
    if mic_matches is None and relation.sign is None and not repeated:
        # RFC 4130 7.3.1 has a digest of unsigned messages too, but many stations compute none: the message named was processed all the same
        problems.append(kinds.MDN_MIC_MISSING.at(NOWHERE, "the receipt holds no digest of what we sent"))
    elif mic_matches is False or (mic_matches is None and not repeated):
        problems.append(
            kinds.MDN_MIC_WRONG.at(
                NOWHERE,
                "the receipt does not hold the digest of what we sent",
                found=fields.get("received-content-mic"),
                expected=" or ".join(map(str, expected.mics)),
            )
        )
    recipient = read_name(fields.get("final-recipient", "").partition(";")[2])
    if recipient and recipient != relation.partner:
        problems.append(
            kinds.MDN_RECIPIENT_DIFFERS.at(NOWHERE, "the receipt names another recipient", found=recipient[:128], expected=relation.partner)
        )
    return problems


def _parts_of(disposition: str) -> tuple[str, str, str]:
    """State, grade and reason of `mode; processed/error: reason`, however it is spaced and spelled."""
    state, slash, modifier = disposition.partition(";")[2].partition("/")
    grade, _, reason = modifier.partition(":")
    state, grade = state.strip().lower(), grade.strip().lower()
    if not _WORD.fullmatch(state) or (slash and not _WORD.fullmatch(grade)):
        return "", "", ""
    return state, grade, reason.strip()


def _plain(text: str, most: int = 128) -> str:
    """What a stranger sent, so that it may stand in a header of ours."""
    return "".join(character if " " <= character <= "~" else "?" for character in text)[:most]
