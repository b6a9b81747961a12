"""Mails taken apart: senders that are plain and those that are not, file names in every dress, and what is not opened."""

import base64
import tracemalloc
import zipfile
from email.message import EmailMessage
from io import BytesIO

import pytest

from gateway.exchange.mail_authentication import is_authentic
from gateway.exchange.mail_message import MOST_PARTS
from gateway.exchange.mail_message import Unreadable
from gateway.exchange.mail_message import read_attachments
from gateway.exchange.mail_message import read_head

HEAD = b"From: orders@acme.example\r\nMessage-ID: <1@acme.example>\r\nMIME-Version: 1.0\r\n"


def mail(*files: tuple[str, bytes], text: str = "see attached") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "ACME <orders@acme.example>"
    message["To"] = "edi@seller.example"
    message["Message-ID"] = "<1@acme.example>"
    message.set_content(text)
    message.add_alternative(f"<p>{text}</p>", subtype="html")
    for name, data in files:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message


def mixed(*parts: bytes, kind: bytes = b"mixed") -> bytes:
    body = b"".join(b"--XX\r\n" + part + b"\r\n" for part in parts)
    return HEAD + b"Content-Type: multipart/" + kind + b"; boundary=XX\r\n\r\n" + body + b"--XX--\r\n"


def codes(data: bytes) -> list[tuple[str, str | None]]:
    return [(one.name, one.problem.code if one.problem else None) for one in read_attachments(data)]


@pytest.mark.parametrize(
    ("line", "sender"),
    [
        ("orders@acme.example", "orders@acme.example"),
        ("<Orders@ACME.example>", "orders@acme.example"),
        ('"Doe, Jane <x@evil.example>" <orders@acme.example>', "orders@acme.example"),
        ("=?utf-8?B?w4TDtg==?= <orders@acme.example>", "orders@acme.example"),
        ("ACME\r\n <orders@acme.example>", "orders@acme.example"),
    ],
)
def test_a_plain_sender_is_read(line: str, sender: str) -> None:
    assert read_head(f"From: {line}\r\n\r\n".encode()).sender == sender


@pytest.mark.parametrize(
    "line",
    [
        "orders@acme.example, evil@evil.example",
        "orders@acme.example <evil@evil.example>",
        "<orders@acme.example> <evil@evil.example>",
        "orders@acme.example (comment) <evil@evil.example>",
        "alice@acme.example)bob@evil.example",
        "group: a@b.example;",
        "orders@[127.0.0.1]",
        "nobody",
        "",
        "orders@acme.example\r\nFrom: evil@evil.example",
    ],
)
def test_a_sender_that_can_be_read_in_two_ways_is_nobody(line: str) -> None:
    with pytest.raises(Unreadable, match="From"):
        read_head(f"From: {line}\r\n\r\n".encode())


def test_a_report_about_another_mail_is_no_delivery() -> None:
    with pytest.raises(Unreadable, match="report about the delivery"):
        read_head(HEAD + b"Content-Type: multipart/report; boundary=X\r\n\r\n")


def test_attachments_are_files_and_text_and_pictures_are_not() -> None:
    message = mail(("po.edi", b"ISA*\x00\xff~"), ("other.xml", b"<Order/>"))
    message.add_attachment(b"GIF89a", maintype="image", subtype="gif", filename="logo.gif", disposition="inline")
    found = read_attachments(message.as_bytes())
    assert [(one.name, one.data, one.problem) for one in found] == [("po.edi", b"ISA*\x00\xff~", None), ("other.xml", b"<Order/>", None)]
    assert [one.index for one in found] == [3, 4]
    assert read_attachments(mail().as_bytes()) == []


def test_an_interchange_is_a_file_also_where_it_has_no_name() -> None:
    assert codes(HEAD + b"Content-Type: application/edi-x12\r\n\r\nISA*00*") == [("", None)]
    [found] = read_attachments(mixed(b"Content-Type: text/plain\r\n\r\nhello", b"Content-Type: application/EDIFACT\r\n\r\nUNB+UNOC:3'\r\nUNZ'"))
    assert found.data == b"UNB+UNOC:3'\r\nUNZ'"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b'Content-Disposition: attachment; filename="po.edi"', "po.edi"),
        (b"Content-Disposition: attachment; filename*=UTF-8''Bestellung%20%C3%84.edi", "Bestellung \u00c4.edi"),
        (b"Content-Disposition: attachment; filename*0=po-; filename*1=long.edi", "po-long.edi"),
        (b'Content-Disposition: attachment; filename="=?iso-8859-1?Q?Bestellung_=C4.edi?="', "Bestellung \u00c4.edi"),
        (b'Content-Type: application/octet-stream; name="po.edi"', "po.edi"),
        (b"Content-Disposition: attachment; filename*=nonsense''%FF.edi", "\xff.edi"),
        (b'Content-Disposition: attachment; filename="=?nonsense?Q?x?="', "=?nonsense?Q?x?="),
        (b'Content-Disposition: attachment; filename="../../etc/passwd"', "../../etc/passwd"),
        (b"Content-Disposition: attachment", ""),
    ],
)
def test_names_are_read_in_every_dress(header: bytes, name: str) -> None:
    [found] = read_attachments(mixed(header + b"\r\n\r\nISA"))
    assert (found.name.replace("\ufffd", "\xff"), found.data) == (name, b"ISA")


def zipped() -> bytes:
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("po.edi", "ISA")
    return data.getvalue()


def test_what_would_have_to_be_opened_is_a_file_with_a_problem() -> None:
    attached = b"Content-Disposition: attachment; filename="
    inner = mail(("po.edi", b"ISA")).as_bytes()
    encoded = base64.encodebytes(zipped())
    assert codes(mixed(attached + b"orders.zip\r\n\r\nwhatever")) == [("orders.zip", "MAIL-PACKED")]
    assert codes(mixed(attached + b"orders.edi\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encoded)) == [("orders.edi", "MAIL-PACKED")]
    assert codes(mixed(attached + b"winmail.dat\r\n\r\nwhatever")) == [("winmail.dat", "MAIL-WINMAIL")]
    assert codes(mixed(b"Content-Type: application/ms-tnef\r\n" + attached + b"a.dat\r\n\r\nx")) == [("a.dat", "MAIL-WINMAIL")]
    assert codes(mixed(b"Content-Type: message/rfc822\r\n\r\n" + inner)) == [("", "MAIL-WITHIN-MAIL")]
    assert codes(HEAD + b"Content-Type: application/pkcs7-mime; name=smime.p7m\r\n\r\nx") == [("smime.p7m", "MAIL-ENCRYPTED")]
    pgp = mixed(
        b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1", b"Content-Type: application/octet-stream\r\n\r\n-----", kind=b"encrypted"
    )
    assert [code for _, code in codes(pgp)] == ["MAIL-ENCRYPTED"] * 2


def test_the_signature_beside_a_file_is_no_file() -> None:
    signed = mixed(
        b"Content-Type: application/edi-x12\r\n\r\nISA", b"Content-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nx", kind=b"signed"
    )
    assert codes(signed) == [("", None)]


@pytest.mark.parametrize("body", [b"SVNB*!!!", b"SVN", b"SVNB=SVNB"])
def test_half_a_file_does_not_pass_for_a_whole_one(body: bytes) -> None:
    attached = b"Content-Disposition: attachment; filename=po.edi\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    assert codes(mixed(attached + body)) == [("po.edi", "MAIL-DAMAGED")]
    assert codes(mixed(attached.replace(b"base64", b"x-odd") + b"ISA")) == [("po.edi", "MAIL-DAMAGED")]
    assert codes(mixed(attached + b"SVNB\r\n KioA\r\n")) == [("po.edi", None)]


def test_a_large_mail_is_not_held_many_times_over() -> None:
    """At most its lines, its text and its file at one time: it was eight times its size before."""
    body = base64.encodebytes(bytes(range(256)) * 4000).replace(b"\n", b"\r\n")
    data = HEAD + b'Content-Type: application/edi-x12; name="po.edi"\r\nContent-Transfer-Encoding: base64\r\n\r\n' + body
    tracemalloc.start()
    try:
        [found] = read_attachments(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.problem is None and found.data == bytes(range(256)) * 4000
    assert peak < 4 * len(data)


def test_too_many_parts_and_too_deep_ones_are_not_taken_apart() -> None:
    with pytest.raises(Unreadable, match="more than 200 parts"):
        read_attachments(mixed(*[b"Content-Type: text/plain\r\n\r\nx"] * (MOST_PARTS + 1)))
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=B%d\r\n\r\n--B%d\r\n" % (level, level) for level in range(30))
    with pytest.raises(Unreadable, match="deep in each other"):
        read_attachments(HEAD + deep + b"\r\nx")
    bottomless = b"".join(b"Content-Type: multipart/mixed; boundary=B%d\r\n\r\n--B%d\r\n" % (level, level) for level in range(3000))
    with pytest.raises(Unreadable):
        read_attachments(HEAD + bottomless + b"\r\nx")


@pytest.mark.parametrize("cut", range(0, 900, 37))
def test_a_mail_that_breaks_off_is_never_a_fault_of_ours(cut: int) -> None:
    data = mail(("po.edi", b"ISA*00*" * 20)).as_bytes()[:cut]
    try:
        read_head(data)
        read_attachments(data)
    except Unreadable:
        pass


PASS = "mx.seller.example; "


@pytest.mark.parametrize(
    ("lines", "good"),
    [
        ([PASS + "dkim=pass header.d=acme.example header.s=x"], True),
        ([PASS + "dkim=pass (2048-bit; good) header.d=acme.example"], True),
        (["MX.seller.example 1; spf=fail; dkim=pass header.i=@acme.example"], True),
        ([PASS + "spf=pass smtp.mailfrom=bounce@acme.example"], True),
        ([PASS + "dmarc=pass (p=reject) header.from=acme.example"], True),
        ([PASS + "dkim=pass header.d=example"], False),
        ([PASS + "dkim=pass header.d=evil.example"], False),
        ([PASS + "dkim=pass header.d=xacme.example"], False),
        ([PASS + "dkim=fail header.d=acme.example"], False),
        ([PASS + "dkim=none"], False),
        ([PASS + 'dkim=fail reason="dkim=pass header.d=acme.example"'], False),
        ([PASS + 'dkim=fail header.i="@evil.example; dkim=pass header.d=acme.example"'], False),
        ([PASS + 'dkim=pass header.d="acme.example"'], True),
        (["other.example; dkim=pass header.d=acme.example"], False),
        ([PASS + "dkim=fail", PASS + "dkim=pass header.d=acme.example"], False),
        (["other.example; dkim=fail", PASS + "dkim=pass header.d=acme.example"], True),
        (["mx.seller.example"], False),
        ([""], False),
        ([], False),
    ],
)
def test_our_servers_word_about_the_sender_is_believed_and_nobody_elses(lines: list[str], good: bool) -> None:
    assert is_authentic("orders@acme.example", lines, ["mx.seller.example"]) is good


def test_a_company_signs_for_its_departments() -> None:
    assert is_authentic("x@eu.acme.example", [PASS + "dkim=pass header.d=acme.example"], ["mx.seller.example"])
    assert not is_authentic("x@acme.example", [PASS + "dkim=pass header.d=eu.acme.example"], ["mx.seller.example"])
