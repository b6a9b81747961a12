"""Large bodies of a mail are left where the mail lies: what is taken apart is the mail with a mark in the place of each, and what is in them is
decoded piece by piece when somebody wants it.

A mark is a line of its own with a word that nobody can know who wrote the mail (the digest of all of it), and where the body stands.
"""

import binascii
import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass

#: bodies up to so many bytes stay in the mail
SHORT = 64 << 10
_PIECE = 1 << 20
_BLANKS = b" \t\r\n\v\f"
_PLAIN = frozenset({"", "7bit", "8bit", "binary"})


@dataclass(frozen=True, slots=True)
class Left:
    """Where bodies were left: `read` gives so many bytes from an offset on, `mark` is the word of the marks."""

    mark: str
    read: Callable[[int, int], bytes]

    def whole(self, data: bytes) -> bytes:
        """What has marks, without them."""
        return b"".join(self.pieces(data))

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """The same piece by piece."""
        done = 0
        for found in re.finditer(rb"%s:(\d+):(\d+);" % self.mark.encode(), data):
            yield data[done : found.start()]
            done = found.end()
            offset, length = int(found.group(1)), int(found.group(2))
            for start in range(offset, offset + length, _PIECE):
                yield self.read(start, min(_PIECE, offset + length - start))
        yield data[done:]


def without_bodies(lines: Iterable[bytes], mark: str) -> Iterator[bytes]:
    """The mail with marks in the places of its large bodies. `lines` have their ends; a long line may come in several pieces."""
    offset, start, size = 0, 0, 0
    in_body = False
    at_line = True
    short: list[bytes] = []
    last = b""

    def body() -> Iterator[bytes]:
        if size <= SHORT:
            yield from short
        else:
            end = b"\r\n" if last.endswith(b"\r\n") else b"\n" if last.endswith(b"\n") else b""
            yield f"{mark}:{start}:{size - len(end)};".encode() + end

    for line in lines:
        # whatever may be a line between two parts, also to who takes a lone CR for the end of one, is looked at by whom the mail is taken apart
        if (at_line and line.startswith(b"--")) or b"\r" in line.removesuffix(b"\r\n"):
            yield from body()
            short, size, in_body = [], 0, False
            yield line
        elif not in_body:
            yield line
            in_body = at_line and not line.strip(b"\r\n")
            start = offset + len(line)
        else:
            size += len(line)
            if size <= SHORT:
                short.append(line)
            else:
                short.clear()
            last = line
        offset += len(line)
        at_line = line.endswith(b"\n")
    yield from body()


def decoder(encoding: str) -> Callable[[Iterable[bytes]], Iterator[bytes]] | None:
    """How a body is decoded piece by piece; None for what has to be seen as a whole."""
    if encoding == "base64":
        return _base64
    if encoding == "quoted-printable":
        return _quoted_printable
    return iter if encoding in _PLAIN else None


def _base64(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Raises binascii.Error where it is not base64 from the first to the last character."""
    rest, ended = b"", False
    for piece in pieces:
        clean = rest + piece.translate(None, _BLANKS)
        cut = len(clean) // 4 * 4
        if ended and clean:
            raise binascii.Error("there is more behind its end")
        if cut:
            yield binascii.a2b_base64(clean[:cut], strict_mode=True)
            ended = clean[cut - 1 : cut] == b"="
        rest = clean[cut:]
    if rest:
        yield binascii.a2b_base64(rest, strict_mode=True)


def _quoted_printable(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        whole, end, rest = (rest + piece).rpartition(b"\n")
        yield binascii.a2b_qp(whole + end)
    yield binascii.a2b_qp(rest)
