"""The whole of receiving as the web process calls it: answer, duplicate, archive, statuses."""

import pytest

from gateway.exchange import as2
from tests.exchange.as2_world import NOW
from tests.exchange.as2_world import codes
from tests.exchange.as2_world import identity
from tests.exchange.as2_world import ours
from tests.exchange.as2_world import request
from tests.exchange.as2_world import theirs


def received(
    sent: as2.As2Request, relation: as2.As2Relation | None = None, *, first: as2.Answer | None = None, more: as2.values.Headers = ()
) -> as2.Received:
    known = relation or ours()
    return as2.receive(
        sent.headers + more,
        sent.body,
        lambda sender, receiver: known if (sender, receiver) == (known.partner, known.us) else None,
        lambda message: first if message.message_id == sent.message_id else None,
        NOW,
    )


def test_accepted_message_is_answered_with_its_signed_receipt() -> None:
    sent = request(b"ISA")
    got = received(sent)
    assert got.is_new and got.unwrapped.payload == b"ISA" and got.answer.status == 200
    receipt = as2.read_mdn(got.answer.headers, got.answer.body, sent.expected, theirs(), NOW)
    assert receipt.delivered and receipt.signed_by


def test_duplicate_is_answered_with_the_very_first_receipt() -> None:
    sent = request(b"ISA")
    first = received(sent).answer
    again = received(request(b"ISA"), first=first)
    assert again.duplicate and not again.is_new and again.answer is first


def test_forged_message_under_a_known_message_id_does_not_get_the_first_receipt() -> None:
    sent = request(b"ISA")
    forged = request(b"evil", theirs(identities=(identity("stranger"),)))
    got = received(forged, first=received(sent).answer)
    assert not got.duplicate and not got.is_new and codes(got.unwrapped.problems) == ["AS2-SIGNER-UNKNOWN"]


def test_refused_message_is_answered_with_a_signed_refusal() -> None:
    sent = request(b"ISA", theirs(sign=None))
    got = received(sent)
    assert not got.is_new and got.answer.status == 200
    receipt = as2.read_mdn(got.answer.headers, got.answer.body, sent.expected, theirs(), NOW)
    assert codes(receipt.problems) == ["AS2-MDN-NEGATIVE"] and receipt.signed_by and "AS2-NOT-SIGNED" in receipt.text


def test_without_a_wish_for_a_receipt_the_status_alone_answers() -> None:
    got = received(request(b"ISA", theirs(receipt="none")))
    assert (got.is_new, got.answer.status, got.answer.body) == (True, 200, b"")
    got = received(request(b"ISA", theirs(receipt="none", sign=None)))
    assert (got.is_new, got.answer.status) == (False, 403) and b"AS2-NOT-SIGNED" in got.answer.body


def test_stranger_gets_an_unsigned_answer_and_costs_no_key_operation() -> None:
    got = received(request(b"ISA", theirs(us="NOBODY")))
    assert not got.is_new and got.answer.status == 200 and got.unwrapped.relation is None
    assert dict(got.answer.headers)["Content-Type"].startswith("multipart/report")
    assert b"unknown-trading-relationship" in got.answer.body


def test_message_that_we_cannot_sign_for_is_left_to_be_sent_again() -> None:
    expired = identity("expired", start=-30, days=10)
    sent = request(b"ISA", theirs(encrypt=None))
    got = received(sent, ours(identities=(expired,), require_encryption=False))
    assert not got.is_new and got.answer.status == 503 and codes(got.problems) == ["AS2-NO-USABLE-CERTIFICATE"]


def test_archived_head_has_every_header_but_secrets() -> None:
    sent = request()
    got = received(sent, more=(("Authorization", "Basic aHVudGVyMg=="), ("Cookie", "a=b"), ("X-Name", "Müller")))
    assert b"aHVudGVyMg" not in got.head and b"Cookie" not in got.head
    assert f"Message-ID: <{sent.message_id}>\r\n".encode() in got.head and "X-Name: Müller\r\n".encode("latin-1") in got.head
    assert got.head.endswith(b"\r\n\r\n")


def test_archived_request_opens_again_to_the_same_payload() -> None:
    sent = request(b"ISA\n")
    got = received(sent)
    lines = got.head.decode("latin-1").split("\r\n")
    headers = tuple((name, value) for name, _, value in (line.partition(": ") for line in lines) if name)
    again = as2.unwrap(headers, sent.body, lambda *_: ours(), NOW)
    assert again == got.unwrapped


@pytest.mark.parametrize("name", ["AS2-From", "Message-ID"])
def test_request_that_is_no_as2_is_answered_plainly(name: str) -> None:
    sent = request()
    got = as2.receive(tuple(header for header in sent.headers if header[0] != name), sent.body, lambda *_: ours(), lambda *_: None, NOW)
    assert got.answer.status == 403 and b"AS2-HEADER-MISSING" in got.answer.body
