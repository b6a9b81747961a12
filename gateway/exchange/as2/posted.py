"""A receipt that is posted to us: telling it from a message, and finding the message that it speaks of before anything is verified.

What stands here is read from bytes that nobody has vouched for yet: it only says where to look.
"""

from collections.abc import Sequence

from gateway.exchange.as2 import mime
from gateway.exchange.as2.mdn import read_report
from gateway.exchange.as2.names import read_message_id
from gateway.exchange.as2.values import Mic
from gateway.exchange.cms.span import Span

#: A part's head that says what it is lies in its first bytes, whatever the size of the whole.
_NEAR = 128 * 1024
_REPORTS = ("multipart/report", "message/disposition-notification")


def is_receipt(headers: Sequence[tuple[str, str]], body: bytes) -> bool:
    """Whether this is a receipt: a report, or something signed whose first part is one."""
    entity = mime.entity_of_request(headers, body)
    if entity.media_type in _REPORTS:
        return True
    if entity.media_type != "multipart/signed":
        return False
    boundary = entity.parameter("content-type", "boundary")
    if not boundary:
        return False
    start = body.find(b"--" + boundary.encode("latin-1", "replace"), 0, _NEAR)
    line_end = body.find(b"\n", start) if start >= 0 else -1
    if line_end < 0:
        return False
    try:
        return mime.read_entity(Span.of(body[line_end + 1 : line_end + 1 + _NEAR])).media_type in _REPORTS
    except mime.Unreadable:
        return False


def speaks_of(headers: Sequence[tuple[str, str]], body: bytes) -> tuple[str | None, Mic | None]:
    """The Message-ID (without brackets) that a receipt says it is for, and the digest that it confirms; None where it says none or cannot be
    read."""
    try:
        entity = mime.entity_of_request(headers, body)
        if entity.media_type == "multipart/signed":
            parts = mime.split_multipart(entity)
            entity = mime.read_entity(parts[0]) if parts else entity
        fields, _ = read_report(entity)
    except mime.Unreadable:
        return None, None
    mic = fields.get("received-content-mic")
    return read_message_id(fields.get("original-message-id", "")) or None, Mic.from_text(mic) if mic else None


def signed_parts(headers: Sequence[tuple[str, str]], body: bytes) -> tuple[bytes, bytes] | None:
    """What is signed in a signed receipt, exactly, and the signature (CMS, DER); None where it is not signed."""
    entity = mime.entity_of_request(headers, body)
    if entity.media_type != "multipart/signed":
        return None
    try:
        parts = mime.split_multipart(entity)
        return (parts[0].to_bytes(), mime.read_entity(parts[1]).decoded().to_bytes()) if len(parts) == 2 else None
    except mime.Unreadable:
        return None
