"""A mail taken apart: its sender, its identity, and its attachments as files.

Bytes in, values out; hostile mail is expected. Text and pictures that are shown in the mail are not files. What would have to be opened
first (archives, winmail.dat, mail within mail, encrypted) is a file with a problem: somebody must look, nothing is guessed.
"""

import binascii
import contextlib
import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from email.header import decode_header
from email.message import Message
from email.parser import BytesFeedParser
from email.parser import BytesParser
from email.policy import compat32
from functools import partial

from gateway.exchange.keys import mail_address
from gateway.exchange.mail_bodies import Left
from gateway.exchange.mail_bodies import decoder
from gateway.exchange.mail_bodies import without_bodies
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
_LONGEST_MAGIC = 8
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
    #: a large one, which is read where the mail lies: `data` is empty
    large: "Large | None" = None

    @property
    def size(self) -> int:
        return len(self.data) if self.large is None else self.large.size


@dataclass(frozen=True, slots=True)
class Large:
    """The bytes of a large attachment, decoded as often as somebody goes through them."""

    size: int
    pieces: Callable[[], Iterator[bytes]]


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
    whole = memoryview(data)
    return _files((bytes(whole[start : start + _PIECE]) for start in range(0, len(data), _PIECE)), None)


def read_large(lines: Iterable[bytes], left: Left) -> list[Attachment]:
    """The same of a large mail, which is read line by line; large bodies stay where they are, and are read there."""
    return _files(without_bodies(lines, left.mark), left)


def _files(pieces: Iterable[bytes], left: Left | None) -> list[Attachment]:
    try:
        message = _parsed(pieces)
        return [found for index, part, closed in _leaves(message) if (found := _attachment(index, part, closed, left)) is not None]
    except Unreadable:
        raise
    except Exception as error:  # noqa: BLE001  see above; parts within parts within parts end in a RecursionError
        raise Unreadable(f"it cannot be taken apart ({type(error).__name__})") from None


def _parsed(pieces: Iterable[bytes]) -> Message:
    """The mail taken apart; fed in pieces, since the parser would copy all of it as text first."""
    parser = BytesFeedParser(policy=compat32)
    for piece in pieces:
        parser.feed(piece)
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


def _attachment(index: int, part: Message, closed: bool, left: Left | None) -> Attachment | None:
    """A part as a file, None where it is none."""
    kind = part.get_content_type()
    name = _name(part)
    said = str(part.get("Content-Disposition", "")).partition(";")[0].strip().lower()
    if kind in _SIGNATURES or (not name and said != "attachment" and kind not in _DOCUMENTS and not closed and not kind.startswith("message/")):
        return None
    if kind.startswith("image/") and said != "attachment":
        return None
    if kind.startswith("message/"):
        inner = part.as_bytes() if part.is_multipart() else b""
        return _refused(Attachment(index, name, left.whole(inner) if left is not None else inner), kinds.WITHIN_MAIL, kind)
    large = _large(part, left)
    data, is_whole = _decoded(part) if large is None else (b"", True)
    found = Attachment(index, name, data, large=large)
    if closed or kind in _ENCRYPTED:
        return _refused(found, kinds.ENCRYPTED, kind)
    if kind == "application/ms-tnef" or name.lower() == "winmail.dat":
        return _refused(found, kinds.WINMAIL, kind)
    if _ARCHIVES.search(name) or _beginning(found).startswith(_MAGIC):
        return _refused(found, kinds.PACKED, name or kind)
    if not is_whole:
        return _refused(found, kinds.DAMAGED, str(part.get("Content-Transfer-Encoding", "")))
    return found


def _refused(attachment: Attachment, kind: Kind, found: str) -> Attachment:
    words = f"The attachment '{attachment.name or attachment.index}' is not taken: {kind.title}"
    return replace(attachment, problem=kind.at(NOWHERE, words, found=found[:100]))


def _beginning(attachment: Attachment) -> bytes:
    if attachment.large is None:
        return attachment.data
    beginning = b""
    for piece in attachment.large.pieces():
        beginning += piece
        if len(beginning) >= _LONGEST_MAGIC:
            break
    return beginning


def _large(part: Message, left: Left | None) -> Large | None:
    """The part's bytes where they were left; None where it has all of them, as it has then in any case."""
    payload = part.get_payload()
    if left is None or not isinstance(payload, str) or left.mark not in payload:
        return None
    marked = _undecoded(part)
    decode = decoder(_encoding(part))
    if decode is not None:
        pieces = partial(_pieces, decode, left, marked)
        with contextlib.suppress(binascii.Error):
            return Large(sum(map(len, pieces())), pieces)
    part.set_payload(left.whole(marked).decode("ascii", "surrogateescape"))
    return None


def _undecoded(part: Message) -> bytes:
    """The body as it came: the library gives it as bytes where it thinks that nothing is encoded."""
    encoding = part["Content-Transfer-Encoding"]
    del part["Content-Transfer-Encoding"]
    data = part.get_payload(decode=True)
    if encoding is not None:
        part["Content-Transfer-Encoding"] = encoding
    assert isinstance(data, bytes)
    return data


def _pieces(decode: Callable[[Iterable[bytes]], Iterator[bytes]], left: Left, marked: bytes) -> Iterator[bytes]:
    return decode(left.pieces(marked))


def _encoding(part: Message) -> str:
    return str(part.get("Content-Transfer-Encoding", "")).strip().lower()


def _decoded(part: Message) -> tuple[bytes, bool]:
    """The bytes, and whether they are what was sent."""
    encoding = _encoding(part)
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
