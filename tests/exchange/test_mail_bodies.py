"""A large mail whose bodies stay where they are is taken apart as one that is whole in memory."""

import base64
import hashlib
import quopri
import random
import tracemalloc
from io import BytesIO

import pytest

from gateway.exchange import mail_bodies
from gateway.exchange.mail_bodies import Left
from gateway.exchange.mail_message import Attachment
from gateway.exchange.mail_message import Unreadable
from gateway.exchange.mail_message import read_attachments
from gateway.exchange.mail_message import read_large
from gateway.kinds import mail as kinds

HEAD = b"From: orders@acme.example\r\nMessage-ID: <1@acme.example>\r\nMIME-Version: 1.0\r\n"
TEXT = b"ISA*00*          *00*~\r\n--no boundary\r\n" + bytes(range(32, 127)) * 9 + b"\r\n= \xe9\xff\r\n"
NAMED = b'Content-Disposition: attachment; filename="a.edi"\r\n'


def part(encoding: bytes, body: bytes, kind: bytes = b"application/edi-x12") -> bytes:
    return b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: " + encoding + b"\r\n" + NAMED + b"\r\n" + body


def mixed(*parts: bytes, boundary: bytes = b"XX", end: bytes = b"--XX--\r\n") -> bytes:
    return (
        b"Content-Type: multipart/mixed; boundary="
        + boundary
        + b"\r\n\r\n"
        + b"".join(b"--" + boundary + b"\r\n" + one + b"\r\n" for one in parts)
        + end
    )


LONG = base64.encodebytes(TEXT * 4).replace(b"\n", b"\r\n")
PARTS = (
    part(b"base64", LONG),
    part(b"base64", LONG.replace(b"\r\n", b"")),
    part(b"base64", LONG[:-6] + b"*"),
    part(b"base64", LONG + LONG),
    part(b"quoted-printable", quopri.encodestring(TEXT)),
    part(b"8bit", TEXT),
    part(b"", TEXT.replace(b"\r\n", b"\n")),
    part(b"7bit", b"\r\n\r\nA\rB\r--XX\rC\r\n"),
    part(b"x-uuencode", b"begin 644 a\r\n#86)C\r\n`\r\nend\r\n"),
    part(b"7bit", b"From: a@b.example\r\n\r\n" + TEXT, b"message/rfc822"),
    part(b"base64", base64.encodebytes(b"PK\x03\x04" + TEXT)),
    mixed(part(b"base64", LONG), part(b"8bit", TEXT), boundary=b"YY", end=b"--YY--\r\n"),
    mixed(part(b"base64", LONG), boundary=b"YY", end=b""),
)


def taken(data: bytes, *, pieces: bool) -> object:
    def read(offset: int, length: int) -> bytes:
        return data[offset : offset + length]

    try:
        if not pieces:
            return [(one.index, one.name, _plain(one, one.data), one.problem) for one in read_attachments(data)]
        file = BytesIO(data)
        found = read_large(iter(lambda: file.readline(50), b""), Left(hashlib.sha256(data).hexdigest(), read))
        return [(one.index, one.name, _plain(one, one.data if one.large is None else b"".join(one.large.pieces())), one.problem) for one in found]
    except Unreadable as error:
        return str(error)


def _plain(one: Attachment, data: bytes) -> list[bytes]:
    """Of a mail within, which is not taken, the library writes the ends of lines anew."""
    return data.splitlines() if one.problem is not None and one.problem.code == kinds.WITHIN_MAIL.code else [data]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_bodies, "SHORT", 60)
    monkeypatch.setattr(mail_bodies, "_PIECE", 37)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("number", range(len(PARTS)))
def test_every_body_is_the_same(number: int) -> None:
    for data in (HEAD + mixed(PARTS[number]), HEAD + mixed(PARTS[0], PARTS[number], PARTS[5]), HEAD + PARTS[number]):
        assert taken(data, pieces=True) == taken(data, pieces=False)
        assert taken(data.replace(b"\r\n", b"\n"), pieces=True) == taken(data.replace(b"\r\n", b"\n"), pieces=False)


@pytest.mark.usefixtures("small")
def test_so_is_what_is_damaged() -> None:
    chance = random.Random(8)
    for _ in range(400):
        data = bytearray(HEAD + mixed(*chance.sample(PARTS, 3)))
        for _ in range(chance.randrange(6)):
            at = chance.randrange(len(HEAD), len(data))
            data[at : at + chance.randrange(3)] = chance.choice((b"\r", b"\n", b"--", b"--XX\r\n", b"=", b"\r\n\r\n", b"\0", b"\xff", b""))
        assert taken(bytes(data), pieces=True) == taken(bytes(data), pieces=False), bytes(data)


def test_nothing_large_is_whole_in_memory() -> None:
    body = base64.encodebytes(bytes(6_000_000))
    data = HEAD + mixed(part(b"base64", body))
    file = BytesIO(data)

    def read(offset: int, length: int) -> bytes:
        file.seek(offset)
        return file.read(length)

    tracemalloc.start()
    [found] = read_large(iter(lambda: file.readline(1 << 20), b""), Left(hashlib.sha256(data).hexdigest(), read))
    assert found.large is not None and sum(map(len, found.large.pieces())) == found.size == 6_000_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000
