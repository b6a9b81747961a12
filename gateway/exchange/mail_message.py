"""A mail taken apart: its sender, its identity, and its attachments as files.

Bytes in, values out; hostile mail is expected. Text and pictures that are shown in the mail are not files. What would have to be opened
first (archives, winmail.dat, mail within mail, encrypted) is a file with a problem: somebody must look, nothing is guessed.
"""

import binascii
import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import decode_header
from email.message import Message
from email.parser import BytesFeedParser
from email.parser import BytesParser
from email.policy import compat32

from gateway.exchange.keys import mail_address
from gateway.kinds import mail as kinds
from gateway.problem import NOWHERE
from gateway.problem import Kind
from gateway.problem import Problem

#: parts of one mail, and how deep they may lie within each other
MOST_PARTS = 200
DEEPEST = 20
#: types that are files also where nobody says so
_DOCUMENTS = frozenset(
    {"application/edi-x12", "application/edifact", "application/edi-consent", "application/xml", "text/xml", "application/json", "text/csv"}
)
_SIGNATURES = frozenset({"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"})
_ENCRYPTED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted"})
_ARCHIVES = re.compile(r"\.(zip|gz|tgz|bz2|xz|7z|rar|tar|cab|arj|lzh|zst)\Z", re.IGNORECASE)
_MAGIC = (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"BZh", b"\xfd7zXZ\x00")
_ENCODINGS = frozenset({"", "7bit", "8bit", "binary", "base64", "quoted-printable"})
_BLANKS = b" \t\r\n\v\f"
_PIECE = 1 << 16
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_ANGLED = re.compile(r"([^<>@,;:]*)<\s*([^<>\s]+)\s*>\s*\Z")


class Unreadable(Exception):
    """The mail is nothing that can be taken apart: one sentence why."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail. `index` counts the mail's parts; `problem`: why somebody must look at it."""

    index: int
    name: str
    data: bytes
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's head. `authentication`: the lines that mail servers wrote about its sender, topmost first."""

    sender: str
    message_id: str | None
    authentication: tuple[str, ...] = ()


def read_head(data: bytes) -> Letter:
    """Who sent a mail; raises Unreadable where that is not plain."""
    try:
        message = BytesParser(policy=compat32).parsebytes(data, headersonly=True)
        senders = [str(value) for value in message.get_all("From", [])]
        ids = [str(value).strip() for value in message.get_all("Message-ID", [])]
        results = tuple(" ".join(str(value).split()) for value in message.get_all("Authentication-Results", []))
        kind = message.get_content_type()
    except Exception as error:  # noqa: BLE001  the standard library's parser has failed on hostile mail before; such a mail is left where it is
        raise Unreadable(f"its head cannot be read ({type(error).__name__})") from None
    if len(senders) != 1:
        raise Unreadable("it has no From, or several")
    sender = _address(senders[0])
    if kind == "multipart/report":
        raise Unreadable(f"it is a report about the delivery of another mail, from {sender}")
    return Letter(sender, ids[0] if len(ids) == 1 and 3 <= len(ids[0]) <= 500 else None, results)


def read_attachments(data: bytes) -> list[Attachment]:
    """The files in a mail; raises Unreadable where it cannot be taken apart."""
    try:
        message = _parsed(data)
        return [found for index, part, closed in _leaves(message) if (found := _attachment(index, part, closed)) is not None]
    except Unreadable:
        raise
    except Exception as error:  # noqa: BLE001  see above; parts within parts within parts end in a RecursionError
        raise Unreadable(f"it cannot be taken apart ({type(error).__name__})") from None


def _parsed(data: bytes) -> Message:
    """The mail taken apart; fed in pieces, since the parser would copy all of it as text first."""
    parser = BytesFeedParser(policy=compat32)
    whole = memoryview(data)
    for start in range(0, len(data), _PIECE):
        parser.feed(bytes(whole[start : start + _PIECE]))
    return parser.close()


def _address(value: str) -> str:
    """The one address of a From, in lower case. Strict: what two mail programs could read differently is nobody's."""
    text = _QUOTED.sub("", " ".join(value.split()))
    found = _ANGLED.match(text)
    address = found.group(2) if found else text.strip()
    try:
        return mail_address(address).lower()
    except ValueError:
        raise Unreadable("its From is not one plain address") from None


def _leaves(message: Message) -> Iterator[tuple[int, Message, bool]]:
    """All parts that hold bytes, in order, each with whether it lies in something encrypted; a mail within is one part."""
    waiting: list[tuple[Message, int, bool]] = [(message, 0, False)]
    count = 0
    while waiting:
        part, depth, closed = waiting.pop()
        kind = part.get_content_type()
        if part.is_multipart() and not kind.startswith("message/"):
            if depth >= DEEPEST:
                raise Unreadable(f"its parts lie more than {DEEPEST} deep in each other")
            closed = closed or kind == "multipart/encrypted"
            inner = part.get_payload()
            assert isinstance(inner, list)
            waiting += [(one, depth + 1, closed) for one in reversed(inner) if isinstance(one, Message)]
            continue
        count += 1
        if count > MOST_PARTS:
            raise Unreadable(f"it has more than {MOST_PARTS} parts")
        yield count, part, closed


def _attachment(index: int, part: Message, closed: bool) -> Attachment | None:
    """A part as a file, None where it is none."""
    kind = part.get_content_type()
    name = _name(part)
    said = str(part.get("Content-Disposition", "")).partition(";")[0].strip().lower()
    if kind in _SIGNATURES or (not name and said != "attachment" and kind not in _DOCUMENTS and not closed and not kind.startswith("message/")):
        return None
    if kind.startswith("image/") and said != "attachment":
        return None
    if kind.startswith("message/"):
        return _refused(index, name, part.as_bytes() if part.is_multipart() else b"", kinds.WITHIN_MAIL, kind)
    data, is_whole = _decoded(part)
    if closed or kind in _ENCRYPTED:
        return _refused(index, name, data, kinds.ENCRYPTED, kind)
    if kind == "application/ms-tnef" or name.lower() == "winmail.dat":
        return _refused(index, name, data, kinds.WINMAIL, kind)
    if _ARCHIVES.search(name) or data.startswith(_MAGIC):
        return _refused(index, name, data, kinds.PACKED, name or kind)
    if not is_whole:
        return _refused(index, name, data, kinds.DAMAGED, str(part.get("Content-Transfer-Encoding", "")))
    return Attachment(index, name, data)


def _refused(index: int, name: str, data: bytes, kind: Kind, found: str) -> Attachment:
    return Attachment(index, name, data, kind.at(NOWHERE, f"The attachment '{name or index}' is not taken: {kind.title}", found=found[:100]))


def _decoded(part: Message) -> tuple[bytes, bool]:
    """The bytes, and whether they are what was sent."""
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoding == "base64":
        # the library is lenient and skips what is no base64: half a file must not pass for a whole one
        raw = str(part.get_payload()).encode("ascii", "replace").translate(None, _BLANKS)
        with contextlib.suppress(binascii.Error):
            return binascii.a2b_base64(raw, strict_mode=True), True
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data, encoding in _ENCODINGS - {"base64"}


def _name(part: Message) -> str:
    """The file's name in whatever way it was written (RFC 2231, RFC 2047), as text; making it safe is the caller's."""
    name = part.get_filename() or ""
    if "=?" in name:
        try:
            pieces = decode_header(name)
            name = "".join(piece if isinstance(piece, str) else piece.decode(charset or "ascii", "replace") for piece, charset in pieces)
        except (LookupError, ValueError):
            return name
    return str(name)
