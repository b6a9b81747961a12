"""What Drummond's rounds brought to light, seen from the sender: our HTTP client and a station that answers over bare sockets.

Each test has its case's number; those of our own AS2 address are in test_as2_drummond_server.
"""

import re
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import replace

import pytest

from gateway.exchange import as2
from gateway.transport.as2_http import post
from gateway.transport.box import TransportError
from tests.exchange.as2_world import NOW
from tests.exchange.as2_world import ours
from tests.exchange.as2_world import request
from tests.exchange.as2_world import theirs
from tests.exchange.test_as2_hostile import resigned
from tests.transport.as2_raw import answer_bytes
from tests.transport.as2_raw import chunks
from tests.transport.as2_raw import raw_station
from tests.transport.as2_raw import request_of

Change = dict[bytes, bytes]
#: How a station puts its receipt on the line.
Writing = Callable[[as2.MdnResponse], Iterable[bytes]]


def plainly(mdn: as2.MdnResponse) -> Iterable[bytes]:
    return [answer_bytes(mdn.headers, mdn.body)]


def receipt_to(raw: bytes, relation: as2.As2Relation | None = None) -> as2.MdnResponse:
    """The seller's station opens what came and makes its receipt."""
    headers, body = request_of(raw)
    got = as2.receive(headers, body, lambda *_: relation or ours(), lambda *_: None, NOW)
    assert got.is_new, got.unwrapped.problems
    return as2.MdnResponse(headers=got.answer.headers, body=got.answer.body)


def exchanged(
    sent: as2.As2Request, change: Change | None = None, write: Writing = plainly, relation: as2.As2Relation | None = None
) -> tuple[as2.Receipt, list[bytes]]:
    """Post a message to a station that answers so; what its receipt proves, and what it heard."""

    def script(raw: bytes) -> Iterable[bytes]:
        mdn = receipt_to(raw, relation)
        if change:
            made = resigned(mdn, change)
            mdn = as2.MdnResponse(headers=tuple(one for one in mdn.headers if one[0] != "Content-Type") + made.headers, body=made.body)
        return write(mdn)

    with raw_station(script) as station:
        answer = post(station.url + "/as2", sent.headers, sent.body, timeout_seconds=20)
        return as2.read_mdn(answer.headers, answer.body, sent.expected, theirs(), NOW), station.requests


def test_01_a_receipt_needs_no_message_id_of_its_own() -> None:
    def write(mdn: as2.MdnResponse) -> Iterable[bytes]:
        return [answer_bytes(tuple((name, value) for name, value in mdn.headers if name != "Message-ID"), mdn.body)]

    receipt, _ = exchanged(request(), write=write)
    assert receipt.delivered and not receipt.problems


@pytest.mark.parametrize("name", ["big buyer", "a;b", "hi!", "x [y]", 'say "hi"', "back\\slash"])
def test_02_names_are_sent_quoted_and_recipients_read_so(name: str) -> None:
    relation = ours(partner=name)
    sent = request(relation=theirs(us=name))
    receipt, [heard] = exchanged(sent, {rb"Final-Recipient: rfc822; SELLER": b'Final-Recipient: rfc822; "SELLER"'}, relation=relation)
    assert receipt.delivered and not receipt.problems
    quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert (f"AS2-From: {quoted}" if re.search(r'[ "\\]', name) else f"AS2-From: {name}") in heard.decode("latin-1")


@pytest.mark.parametrize("message_id", ["no-at", "x" * 255, "y" * 995])
def test_04_message_ids_may_be_long(message_id: str) -> None:
    receipt, [heard] = exchanged(request(message_id=message_id))
    assert receipt.delivered and f"\r\nMessage-ID: <{message_id}>\r\n".encode() in heard


def test_06_a_long_address_with_a_query_goes_out_as_it_is() -> None:
    path = "/as2?to=" + "a" * 150 + "&x=%2F%20;b"
    with raw_station(lambda raw: plainly(receipt_to(raw))) as station:
        sent = request()
        post(station.url + path, sent.headers, sent.body)
        assert station.requests[0].startswith(f"POST {path} HTTP/1.1\r\n".encode())
    sent = request(relation=theirs(receipt_delivery="async", our_receipt_url="https://edi.example" + path))
    assert ("Receipt-Delivery-Option", "https://edi.example" + path) in sent.headers


@pytest.mark.parametrize("word", ["sha-256", "sha256", "SHA256", "SHA-256", "rsa-sha256"])
def test_07_a_digest_has_several_names(word: str) -> None:
    receipt, _ = exchanged(request(), {rb", sha-256\r\n": b", " + word.encode() + b"\r\n"})
    assert receipt.delivered and receipt.mic_matches


@pytest.mark.parametrize("changes", [{}, {"sign": "sha512"}, {"encrypt": None}, {"encrypt": None, "compress": True}, {"sign": None}], ids=str)
def test_08_no_header_that_we_send_is_folded(changes: dict[str, object]) -> None:
    sent = request(relation=theirs(**changes), filename="name " * 36 + ".edi", message_id="m" * 200)
    relation = ours(require_signature=False, require_encryption=False)
    receipt, [heard] = exchanged(sent, relation=relation)
    assert receipt.delivered
    head = heard.partition(b"\r\n\r\n")[0]
    assert not re.search(rb"\r\n[ \t]", head) and not re.search(rb"[^\r]\n", head)
    if changes.get("encrypt", "") is None:
        parts = heard.partition(b"\r\n\r\n")[2]
        for part in re.findall(rb"\r\n(Content-(?:.|\r\n)*?)\r\n\r\n", parts):
            assert not re.search(rb"\r\n[ \t]", part)


def test_10_an_answer_with_both_lengths() -> None:
    def write(mdn: as2.MdnResponse) -> Iterable[bytes]:
        headers = (*mdn.headers, ("Transfer-Encoding", "chunked"), ("Content-Length", str(len(mdn.body))))
        return [answer_bytes(headers, b"", length=False), *chunks(mdn.body)]

    assert exchanged(request(), write=write)[0].delivered


@pytest.mark.parametrize("blanks", ["", "  ", "      "])
def test_11_blanks_after_the_size_of_a_chunk(blanks: str) -> None:
    def write(mdn: as2.MdnResponse) -> Iterable[bytes]:
        return [answer_bytes((*mdn.headers, ("Transfer-Encoding", "chunked")), b"", length=False), *chunks(mdn.body, 333, blanks)]

    assert exchanged(request(), write=write)[0].delivered


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "203 Other", "206 Partial Content", "299 Fine"])
def test_12_any_status_from_200_to_299_is_an_answer(status: str) -> None:
    assert exchanged(request(), write=lambda mdn: [answer_bytes(mdn.headers, mdn.body, status)])[0].delivered


def test_12_204_is_enough_where_no_receipt_stands_in_the_answer() -> None:
    sent = request(relation=theirs(receipt="none"))
    with raw_station(lambda _: [b"HTTP/1.1 204 No Content\r\n\r\n"]) as station:
        assert post(station.url, sent.headers, sent.body).status == 204


@pytest.mark.parametrize("digest", ["sha256", "sha512"])
@pytest.mark.parametrize("way", ["no blank", "blanks", "wrapped"])
def test_13_the_digest_of_a_receipt_in_every_spelling(digest: str, way: str) -> None:
    sent = request(relation=theirs(sign=digest))
    value = sent.mic.value.encode()
    word = sent.mic.algorithm.encode()
    written = {
        "no blank": value + b"," + word,
        "blanks": b"  " + value + b" ,   " + word + b"  ",
        "wrapped": value[:30] + b"\r\n " + value[30:] + b",\r\n\t" + word,
    }[way]
    receipt, _ = exchanged(sent, {rb"Received-content-MIC: [^\r]*": b"Received-content-MIC: " + written})
    assert receipt.delivered and receipt.mic_matches


@pytest.mark.parametrize(
    "written",
    [
        "automatic-action/MDN-sent-automatically;processed",
        "automatic-action / MDN-sent-automatically ;   processed ",
        "  Automatic-Action/MDN-Sent-Automatically;  PROCESSED",
        "manual-action/MDN-sent-manually; processed",
    ],
)
def test_16_a_disposition_with_blanks(written: str) -> None:
    receipt, _ = exchanged(request(), {rb"Disposition: [^\r]*": b"Disposition: " + written.encode()})
    assert receipt.delivered and not receipt.problems


def test_16_an_error_with_blanks_is_an_error() -> None:
    receipt, _ = exchanged(
        request(), {rb"Disposition: [^\r]*": b"Disposition: automatic-action/MDN-sent-automatically; processed / Error :  decryption-failed"}
    )
    assert not receipt.delivered and not receipt.may_retry


def test_17_another_final_recipient_is_told_and_no_more() -> None:
    receipt, _ = exchanged(request(), {rb"Final-Recipient: [^\r]*": b"Final-Recipient: rfc822; SOMEBODY@else"})
    assert receipt.delivered and [problem.code for problem in receipt.problems] == ["AS2-MDN-RECIPIENT-DIFFERS"]


def test_18_content_types_of_a_receipt_in_any_case() -> None:
    def write(mdn: as2.MdnResponse) -> Iterable[bytes]:
        headers = tuple((name.upper(), re.sub("^multipart/signed", "Multipart/SIGNED", value)) for name, value in mdn.headers)
        return [answer_bytes(headers, mdn.body)]

    change = {
        rb"Content-Type: multipart/report; report-type=disposition-notification": b"CONTENT-TYPE: Multipart/Report; Report-Type=Disposition-Notification",
        rb"Content-Type: message/disposition-notification": b"content-type: Message/Disposition-Notification",
    }
    receipt, _ = exchanged(request(), change, write)
    assert receipt.delivered and not receipt.problems


@pytest.mark.parametrize("size", [1, 7, 64])
def test_19_a_receipt_in_single_packets(size: int) -> None:
    def write(mdn: as2.MdnResponse) -> Iterable[bytes]:
        whole = answer_bytes(mdn.headers, mdn.body)
        return [whole[start : start + size] for start in range(0, len(whole), size)]

    assert exchanged(request(), write=write)[0].delivered


def test_19_a_receipt_without_its_last_line_end_or_length() -> None:
    def write(mdn: as2.MdnResponse) -> Iterable[bytes]:
        return [answer_bytes((*mdn.headers, ("Connection", "close")), mdn.body.rstrip(b"\r\n"), length=False)]

    assert exchanged(request(), write=write)[0].delivered


def test_20_the_name_of_the_file_goes_along_and_the_message_id_is_only_an_id() -> None:
    sent = request(filename="orders 17.edi", message_id="a/b\\c:d*e?", relation=theirs(encrypt=None, sign=None))
    receipt, [heard] = exchanged(sent, relation=ours(require_signature=False, require_encryption=False))
    assert receipt.delivered and b'\r\nContent-Disposition: attachment; filename="orders 17.edi"\r\n' in heard


@pytest.mark.parametrize("times", [1, 5])
def test_21_processing_is_no_answer_yet(times: int) -> None:
    def write(mdn: as2.MdnResponse) -> Iterable[bytes]:
        return [*[b"HTTP/1.1 102 Processing\r\n\r\n"] * times, b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", answer_bytes(mdn.headers, mdn.body)]

    assert exchanged(request(), write=write)[0].delivered


def test_21_a_station_that_only_ever_processes_is_given_up() -> None:
    with raw_station(lambda _: [b"HTTP/1.1 102 Processing\r\n\r\n"] * 100) as station, pytest.raises(TransportError, match="provisional") as raised:
        post(station.url, request().headers, request().body, timeout_seconds=5)
    assert raised.value.retry


def test_23_a_receipt_needs_no_date() -> None:
    def write(mdn: as2.MdnResponse) -> Iterable[bytes]:
        return [answer_bytes(tuple((name, value) for name, value in mdn.headers if name not in ("Date", "Subject", "MIME-Version")), mdn.body)]

    assert exchanged(request(), write=write)[0].delivered


def test_25_a_large_message_to_a_station_that_takes_its_time() -> None:
    payload = bytes(range(256)) * (20 * 4096)

    def write(mdn: as2.MdnResponse) -> Iterable[bytes]:
        return [b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.1 102 Processing\r\n\r\n", answer_bytes(mdn.headers, mdn.body)]

    receipt, [heard] = exchanged(request(payload), write=write)
    assert receipt.delivered and len(heard) > len(payload)


def test_the_same_bytes_go_out_at_every_try() -> None:
    """Not a case of its own, but what case 4 is for: a resend is the same message."""
    sent = replace(request())
    with raw_station(lambda raw: plainly(receipt_to(raw))) as station:
        for _ in range(3):
            post(station.url, sent.headers, sent.body)
        assert len(station.requests) == 3 and len(set(station.requests)) == 1
