"""MIME as AS2 needs it: raw bytes cut, never re-serialised, because signatures are over the bytes as sent (RFC 1847 2.1)."""

import base64
import binascii
import quopri
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from gateway.exchange.as2.values import Headers
from gateway.exchange.cms.span import Buffer
from gateway.exchange.cms.span import Span
from gateway.transport.box import safe_name

#: A message with more header bytes than this, or deeper nested, is not taken apart.
MOST_HEADER_BYTES = 64 * 1024
MOST_PARTS = 100
_LONGEST_DELIMITER = 1000
_MOST_ALIKE = 10_000

_FIELD = re.compile(r"[!-9;-~]+")
_PARAMETER = re.compile(r';\s*([^\s=;]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')
_ENCODED_WORD = re.compile(r"=\?([\w-]+)(?:\*[\w-]+)?\?([bBqQ])\?([^?]*)\?=")


class Unreadable(ValueError):
    """These bytes are no MIME entity, or not the one that they claim to be."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A MIME entity: its headers (names in lower case), its body, and the whole of it, as they came.

    An HTTP request is an entity without a whole: its headers are not bytes of a message.
    """

    headers: dict[str, str]
    body: Span
    whole: Span | None = None

    @property
    def media_type(self) -> str:
        """`application/edi-x12`, in lower case; text/plain where nothing is said (RFC 2045 5.2)."""
        return self.headers.get("content-type", "text/plain").partition(";")[0].strip().lower()

    def parameter(self, header: str, name: str) -> str | None:
        """A parameter of a header, like the boundary of Content-Type."""
        return parameters_of(self.headers.get(header, "")).get(name)

    def decoded(self) -> Span:
        """The body without its transfer encoding; where none is named it is binary (Drummond resolved issues). Raises Unreadable."""
        encoding = self.headers.get("content-transfer-encoding", "binary").strip().lower()
        if encoding == "base64":
            try:
                return Span.of(base64.b64decode(self.body.view))
            except binascii.Error as error:
                raise Unreadable(f"the base64 text is broken: {error}") from error
        if encoding == "quoted-printable":
            return Span.of(quopri.decodestring(self.body.to_bytes()))
        if encoding in ("binary", "7bit", "8bit", ""):
            return self.body
        raise Unreadable(f'unknown Content-Transfer-Encoding "{encoding}"')


def entity_of_request(headers: Iterable[tuple[str, str]], body: Buffer) -> Entity:
    """The entity that an HTTP request or answer is."""
    return Entity(_collect(headers), Span.of(body))


def read_entity(whole: Span) -> Entity:
    """Cut an entity into headers and body; a body without headers begins with an empty line. Raises Unreadable where the headers do not end."""
    lines: list[str] = []
    raw, position = whole.data, whole.start
    last = min(whole.end, whole.start + MOST_HEADER_BYTES)
    while True:
        end = raw.find(b"\n", position, last)
        if end < 0:
            if last < whole.end or position < whole.end:
                raise Unreadable("the headers do not end")
            break  # headers only
        line = raw[position:end].rstrip(b"\r")
        position = end + 1
        if not line:
            break
        if line[:1] in b" \t" and lines:
            lines[-1] += " " + line.decode("latin-1").strip()
        else:
            lines.append(line.decode("latin-1"))
    return Entity(_collect(_split(line) for line in lines), whole.cut(position, whole.end), whole)


def split_multipart(entity: Entity) -> list[Span]:
    """The raw parts of a multipart body: what lies between two delimiter lines, without the line end before the second one
    (RFC 2046 5.1). Raises Unreadable where it has no boundary, is not closed, or has more parts than a message of AS2 may."""
    boundary = entity.parameter("content-type", "boundary")
    if not boundary or len(boundary) > 200:
        raise Unreadable("a multipart without a boundary")
    delimiter = b"--" + boundary.encode("latin-1", "replace")
    body, position, last = entity.body.data, entity.body.start, entity.body.end
    parts: list[Span] = []
    start: int | None = None
    alike = 0
    while (found := _delimiter_line(entity.body, delimiter, position)) >= 0:
        after = found + len(delimiter)
        position = after
        closing = body[after : min(after + 2, last)] == b"--"
        line_end = body.find(b"\n", after, last)
        # a delimiter line is short: what is longer need not be copied to be seen
        rest = body[after + 2 * closing : min(line_end if line_end >= 0 else last, after + _LONGEST_DELIMITER)]
        if rest.strip(b" \t\r"):
            alike += 1
            if alike > _MOST_ALIKE:
                raise Unreadable("too many lines look like its boundary")
            continue  # a longer boundary, or content that looks like one
        if start is not None:
            end = found - 1
            parts.append(entity.body.cut(start, max(start, end - (body[end - 1 : end] == b"\r"))))
        if closing:
            return parts
        if line_end < 0:
            break
        start = position = line_end + 1
        if len(parts) > MOST_PARTS:
            raise Unreadable("too many parts")
    raise Unreadable("the multipart is not closed")


def _delimiter_line(body: Span, delimiter: bytes, position: int) -> int:
    """Where the next line begins with the delimiter; -1 where none does. It may be the line at `position`: an empty part."""
    if position == body.start and body.data.startswith(delimiter, position, body.end):
        return position
    found = body.data.find(b"\n" + delimiter, max(position - 1, body.start), body.end)
    return found + 1 if found >= 0 else -1


def parameters_of(value: str) -> dict[str, str]:
    """The parameters of a header value, names in lower case, quotes taken off, RFC 2231 decoded where it is not cut in pieces."""
    parameters: dict[str, str] = {}
    for name, text in _PARAMETER.findall(value):
        text = text.strip()
        if text.startswith('"'):
            text = re.sub(r"\\(.)", r"\1", text[1:-1])
        name = name.lower()
        if name.endswith("*"):
            name = name[:-1]
            text = _decode_extended(text)
            parameters[name] = text
        else:
            parameters.setdefault(name, text)
    return parameters


def filename_of(entity: Entity) -> str | None:
    """The name that the sender gave the payload, made safe: one plain component, whatever path it came with."""
    name = entity.parameter("content-disposition", "filename") or entity.parameter("content-type", "name")
    if not name:
        return None
    plain = re.split(r"[/\\]", _decode_words(name))[-1]
    return safe_name(plain) if plain.strip(". ") else None


def write_headers(headers: Headers) -> bytes:
    """Header lines and the empty line after them; never folded (Drummond resolved issues). Raises ValueError for a control character."""
    for name, value in headers:
        if not value.isprintable():
            raise ValueError(f"the header {name} would hold a control character")
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("ascii") + b"\r\n"


def disposition_of(filename: str) -> str:
    """Content-Disposition for a file name: plain where it is plain, RFC 6266 with a plain stand-in where it is not."""
    safe = safe_name(filename)
    plain = "".join(character if " " <= character <= "~" and character not in '"\\' else "_" for character in safe)
    extended = (
        ""
        if plain == safe
        else "; filename*=UTF-8''"
        + "".join(
            chr(octet) if chr(octet).isascii() and (chr(octet).isalnum() or chr(octet) in "-._") else f"%{octet:02X}" for octet in safe.encode()
        )
    )
    return f'attachment; filename="{plain}"{extended}'


def _split(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not _FIELD.fullmatch(name.rstrip()):
        raise Unreadable(f'not a header: "{line[:60]}"')
    return name.strip(), value.strip()


def _collect(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Names in lower case; of a header that comes twice the first counts, so that nobody can add a second one behind it."""
    collected: dict[str, str] = {}
    for name, value in headers:
        collected.setdefault(name.lower(), value.strip())
    return collected


def _decode_extended(text: str) -> str:
    charset, quote, rest = text.partition("'")
    if not quote:
        return text
    try:
        return unquote_to_bytes(rest.partition("'")[2]).decode(charset or "ascii", "replace")
    except LookupError:
        return rest.partition("'")[2]


def _decode_words(text: str) -> str:
    """RFC 2047, which some senders use in file names although it has no place there."""

    def decode(match: re.Match[str]) -> str:
        charset, kind, word = match.groups()
        try:
            raw = base64.b64decode(word) if kind in "bB" else quopri.decodestring(word.encode("ascii"), header=True)
            return raw.decode(charset, "replace")
        except (LookupError, ValueError):
            return match.group(0)

    return _ENCODED_WORD.sub(decode, text)
