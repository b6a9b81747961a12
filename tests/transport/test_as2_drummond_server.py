"""What Drummond's rounds brought to light, as bytes over bare sockets into our running AS2 address; each test has its case's number.

Cases that concern what we send, or receipts that we read, are in test_as2_drummond_client.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from pathlib import Path

import pytest

from gateway.exchange import as2
from gateway.exchange.as2.values import Headers
from gateway.exchange.as2.wrap import sign_entity
from gateway.exchange.cms import ber
from gateway.exchange.cms import der
from gateway.exchange.cms.algorithms import CIPHERS
from gateway.exchange.cms.algorithms import DIGESTS
from gateway.exchange.cms.compression import compress
from gateway.exchange.cms.encryption import encrypt
from gateway.store.incoming import transmissions
from tests.pipeline.as2_partner import as2_world
from tests.pipeline.as2_partner import identity
from tests.pipeline.as2_partner import their_relation
from tests.pipeline.world import World
from tests.transport.as2_raw import RawStation
from tests.transport.as2_raw import Reply
from tests.transport.as2_raw import chunks
from tests.transport.as2_raw import head_of
from tests.transport.as2_raw import raw_station
from tests.transport.as2_raw import request_of
from tests.transport.as2_raw import speak
from tests.web.world import serving

NAME = "Big; Buyer! [of all]"
NOW = datetime(2026, 1, 6, 9, 0, tzinfo=UTC)
QUERY = "/receipts?station=" + "s" * 150 + "&to=%2Fa%20b"
PAYLOAD = b"ISA*00*\x00\xff\n\r~"


@dataclass(slots=True)
class Desk:
    """Our running installation and what the partner needs to write to it."""

    world: World
    port: int
    poster: RawStation
    relation: as2.As2Relation
    count: int = 0

    def message(self, payload: bytes = PAYLOAD, message_id: str | None = None, filename: str | None = None, **changes: object) -> as2.As2Request:
        self.count += 1
        made = as2.wrap(payload, replace(self.relation, **changes), message_id or f"{self.count}@drummond", NOW, filename)  # type: ignore[arg-type]
        assert isinstance(made, as2.As2Request), made
        return made

    def post(self, headers: Headers, body: bytes) -> Reply:
        return speak(self.port, head_of(headers, f"Content-Length: {len(body)}") + body)

    def taken(self, sent: as2.As2Request, reply: Reply, payload: bytes = PAYLOAD) -> as2.Receipt:
        """The message is in our store, and its receipt proves that."""
        assert reply.status == 200, reply.raw[:2000]
        receipt = as2.read_mdn(reply.headers, reply.body, sent.expected, self.relation, NOW)
        assert receipt.delivered, (receipt, reply.body)
        assert self.stored(sent.message_id) == payload
        return receipt

    def stored(self, message_id: str) -> bytes | None:
        station = self.world.station
        with station.database.read() as connection:
            found = [one for one in transmissions.search(connection, direction="in") if one.source_identity == message_id]
        return station.archive.read(found[0].sha256) if found else None

    def name_of(self, message_id: str) -> str:
        with self.world.station.database.read() as connection:
            return next(one.name for one in transmissions.search(connection, direction="in") if one.source_identity == message_id)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("drummond") / "installation"
    with raw_station(lambda raw: [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]) as poster:
        world = drummond_world(folder, poster.url)
        with serving(world.station) as site:
            relation = their_relation(us=NAME, receipt_addresses=())
            yield Desk(world, site.port, poster, relation)
        world.close()


def drummond_world(folder: Path, poster: str) -> World:
    more = f'accept_old: [sha1]\nlargest: 200\nreceipt_addresses: ["{poster}{QUERY}"]'
    world = as2_world(folder, "http://127.0.0.1:9/as2", more, receive_from="as2")
    file = folder / "partners" / "acme.yaml"
    file.write_text(file.read_text().replace("name: big buyer", f'name: "{NAME}"'))
    return world


def without(headers: Headers, *names: str) -> Headers:
    return tuple((name, value) for name, value in headers if name.lower() not in {one.lower() for one in names})


def by_hand(desk: Desk, whole: bytes, message_id: str) -> tuple[as2.As2Request, Headers, bytes]:
    """A signed and encrypted message around an entity that we would never write so."""
    headers, body = sign_entity(whole, identity("them"), DIGESTS["sha256"], NOW, message_id)
    sealed = encrypt(f"Content-Type: {headers[0][1]}\r\n\r\n".encode() + body, identity("us").certificate, CIPHERS["aes256_cbc"])
    like = desk.message(message_id=message_id)
    mic = as2.Mic(base64.b64encode(DIGESTS["sha256"].of(whole)).decode(), "sha-256")
    return replace(like, mic=mic), like.headers, sealed


def test_02_names_with_blanks_and_signs_come_back_quoted(desk: Desk) -> None:
    sent = desk.message()
    assert f'AS2-From: "{NAME}"'.encode() in head_of(sent.headers)
    reply = desk.post(sent.headers, sent.body)
    desk.taken(sent, reply)
    assert ("as2-to", f'"{NAME}"') in [(name.lower(), value) for name, value in reply.headers]
    for field in (b"Original-Recipient", b"Final-Recipient"):
        assert re.search(field + rb": rfc822; SELLER\r\n", reply.body)


def test_02_our_own_name_with_blanks_is_quoted_in_the_receipt() -> None:
    opened = as2.Unwrapped(as2_from="b", as2_to="our; name [x]!", message_id="1@x", payloads=(as2.Payload(data=b""),))
    made = as2.build_mdn(opened, None, NOW, signed=False)
    assert isinstance(made, as2.MdnResponse)
    assert b'Original-Recipient: rfc822; "our; name [x]!"\r\n' in made.body and ("AS2-From", '"our; name [x]!"') in made.headers


def test_03_06_asynchronous_is_answered_at_once_and_posted_to_its_long_address(desk: Desk) -> None:
    sent = desk.message(receipt_delivery="async", our_receipt_url=desk.poster.url + QUERY)
    assert len(QUERY) > 100 and ("Receipt-Delivery-Option", desk.poster.url + QUERY) in sent.headers
    reply = desk.post(sent.headers, sent.body)
    assert (reply.status, reply.body, desk.poster.requests) == (200, b"", [])
    assert desk.stored(sent.message_id) is None, "the answer came before the message was opened"
    desk.world.settle()
    assert desk.stored(sent.message_id) == PAYLOAD
    [posted] = desk.poster.requests
    assert posted.startswith(f"POST {QUERY} HTTP/1.1\r\n".encode())
    headers, body = request_of(posted)
    assert as2.read_mdn(headers, body, sent.expected, desk.relation, NOW).delivered


def test_06_an_address_that_differs_in_its_query_is_not_posted_to(desk: Desk) -> None:
    sent = desk.message(receipt_delivery="async", our_receipt_url=desk.poster.url + QUERY + "&more=1")
    before = len(desk.poster.requests)
    reply = desk.post(sent.headers, sent.body)
    desk.world.settle()
    assert reply.status == 403 and len(desk.poster.requests) == before and desk.stored(sent.message_id) is None


@pytest.mark.parametrize("message_id", ["no-at-sign", "x" * 255, "y" * 990, "a$b@c!d"])
def test_04_message_ids_are_long_and_need_no_at(desk: Desk, message_id: str) -> None:
    sent = desk.message(message_id=message_id)
    reply = desk.post(sent.headers, sent.body)
    assert desk.taken(sent, reply).message_id == message_id


def test_05_head_is_answered_with_nothing(desk: Desk) -> None:
    reply = speak(desk.port, b"HEAD /as2 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    assert reply.status == 200 and reply.body == b""
    assert ("content-length", "0") in [(name.lower(), value) for name, value in reply.headers]


@pytest.mark.parametrize("word", ["sha1", "sha-1", "SHA1", "SHA-1"])
def test_07_sha1_has_two_names(desk: Desk, word: str) -> None:
    sent = desk.message()
    headers = tuple((name, value.replace("sha-256", word)) for name, value in sent.headers)
    reply = desk.post(headers, sent.body)
    expected = as2.Expected(message_id=sent.message_id, mics=(as2.Mic(sha1_of(desk, sent), "sha1"),))
    receipt = as2.read_mdn(reply.headers, reply.body, expected, desk.relation, NOW)
    assert f"Received-content-MIC: {sha1_of(desk, sent)}, {word}\r\n".encode() in reply.body
    assert receipt.delivered and receipt.mic_matches


def sha1_of(desk: Desk, sent: as2.As2Request) -> str:
    made = as2.wrap(PAYLOAD, replace(desk.relation, accept_old=True, encrypt=None), sent.message_id, NOW)
    assert isinstance(made, as2.As2Request)
    return made.other_mics[0].value


def test_09_a_signed_part_without_transfer_encoding_is_binary(desk: Desk) -> None:
    payload = b"\x00\xff\r\n\n=41 \tSGVsbG8="
    sent, headers, body = by_hand(desk, b"Content-Type: application/edi-x12\r\n\r\n" + payload, "no-cte@drummond")
    desk.taken(sent, desk.post(headers, body), payload)


def test_10_content_length_and_transfer_encoding_together(desk: Desk) -> None:
    sent = desk.message()
    head = head_of(sent.headers, f"Content-Length: {len(sent.body)}", "Transfer-Encoding: chunked")
    desk.taken(sent, speak(desk.port, head, *chunks(sent.body)))


@pytest.mark.parametrize(("blanks", "extension"), [("", ""), ("  ", ""), ("      ", ""), ("", ";x=1")], ids=["none", "two", "six", "extension"])
def test_11_blanks_after_a_chunks_size(desk: Desk, blanks: str, extension: str) -> None:
    sent = desk.message(PAYLOAD * 500)
    reply = speak(desk.port, head_of(sent.headers, "Transfer-Encoding: chunked"), *chunks(sent.body, 777, blanks, extension))
    desk.taken(sent, reply, PAYLOAD * 500)


def test_14_the_first_digest_of_the_list_that_we_have(desk: Desk) -> None:
    for words, used in (("sha3-256, sha512, sha-256", "sha512"), ("sha-384,sha-512", "sha-384"), ("sha-256, sha-1", "sha-256")):
        sent = desk.message()
        headers = tuple((name, value.replace("optional, sha-256", f"optional, {words}")) for name, value in sent.headers)
        reply = desk.post(headers, sent.body)
        assert reply.status == 200 and re.search(rb"Received-content-MIC: [^\r]*, " + used.encode() + rb"\r\n", reply.body), reply.body


def to_ber(element: ber.Element) -> bytes:
    """The element without lengths, its long strings in pieces, as Java stations write it."""
    if element.tag & 0x20:
        return bytes((element.tag, 0x80)) + b"".join(map(to_ber, element.children())) + b"\0\0"
    if element.tag in (0x04, 0x80) and element.end - element.start > 1000:
        pieces = [element.contents[start : start + 1000] for start in range(0, len(element.contents), 1000)]
        return bytes((element.tag | 0x20, 0x80)) + b"".join(map(der.octets, pieces)) + b"\0\0"
    return element.raw


@pytest.mark.parametrize("cipher", ["aes256_cbc", "aes128_gcm"])
def test_15_structures_without_lengths_and_strings_in_pieces(desk: Desk, cipher: str) -> None:
    payload = PAYLOAD * 2000
    sent = desk.message(payload, encrypt=cipher)
    desk.taken(sent, desk.post(sent.headers, to_ber(ber.read(sent.body))), payload)


def test_15_a_signature_without_lengths(desk: Desk) -> None:
    sent = desk.message(encrypt=None)
    start = sent.body.index(b"smime.p7s\r\n\r\n") + len(b"smime.p7s\r\n\r\n")
    whole = ber.read(sent.body[start:])
    signed = sent.body[:start] + to_ber(whole) + sent.body[start + whole.after :]
    kind = dict(sent.headers)["Content-Type"]
    sealed = encrypt(f"Content-Type: {kind}\r\n\r\n".encode() + signed, identity("us").certificate, CIPHERS["aes256_cbc"])
    headers = (*without(sent.headers, "Content-Type"), ("Content-Type", "application/pkcs7-mime; smime-type=enveloped-data"))
    desk.taken(sent, desk.post(headers, sealed))


def test_18_content_type_and_header_names_in_any_case(desk: Desk) -> None:
    sent = desk.message()
    headers = tuple((name.upper(), value.replace("application/pkcs7-mime", "Application/PKCS7-MIME")) for name, value in sent.headers)
    desk.taken(sent, desk.post(headers, sent.body))
    sent = desk.message()
    headers = tuple((name.lower(), value.replace("smime-type", "SMIME-Type").replace("enveloped", "Enveloped")) for name, value in sent.headers)
    desk.taken(sent, desk.post(headers, sent.body))


def test_19_a_message_in_single_packets_and_without_its_last_line_end(desk: Desk) -> None:
    sent = desk.message()
    whole = head_of(sent.headers, f"Content-Length: {len(sent.body)}") + sent.body
    desk.taken(sent, speak(desk.port, *(whole[start : start + 97] for start in range(0, len(whole), 97))))
    sent = desk.message(encrypt=None)
    kind = dict(sent.headers)["Content-Type"]
    cut = f"Content-Type: {kind}\r\n\r\n".encode() + sent.body.rstrip(b"\r\n")
    headers = (*without(sent.headers, "Content-Type"), ("Content-Type", "application/pkcs7-mime; smime-type=enveloped-data"))
    desk.taken(sent, desk.post(headers, encrypt(cut, identity("us").certificate, CIPHERS["aes256_cbc"])))


@pytest.mark.parametrize("message_id", ["a/b\\c:d*e?", "../../../etc/passwd", "CON|x;y&z"])
def test_20_message_ids_that_can_be_no_file_names(desk: Desk, message_id: str) -> None:
    sent = desk.message(message_id=message_id)
    desk.taken(sent, desk.post(sent.headers, sent.body))
    assert not set(desk.name_of(message_id)) & set('/\\:*?"<>|')


def test_20_the_name_of_the_file_stands_in_content_disposition(desk: Desk) -> None:
    sent = desk.message(filename="orders 17.edi")
    desk.taken(sent, desk.post(sent.headers, sent.body))
    assert desk.name_of(sent.message_id) == "orders 17.edi"


def test_22_signed_and_compressed_parts_in_base64(desk: Desk) -> None:
    packed = compress(b"Content-Type: application/edifact\r\n\r\n" + PAYLOAD)
    entity = b"Content-Type: application/pkcs7-mime; smime-type=compressed-data\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    entity += base64.encodebytes(packed).replace(b"\n", b"\r\n")
    sent, headers, body = by_hand(desk, entity, "base64@drummond")
    desk.taken(sent, desk.post(headers, body))
    text = base64.encodebytes(body)
    again, headers, _ = by_hand(desk, entity, "base64-2@drummond")
    headers = (*without(headers, "Content-Transfer-Encoding"), ("Content-Transfer-Encoding", "base64"))
    desk.taken(again, desk.post(headers, text))


def test_23_date_is_not_needed(desk: Desk) -> None:
    sent = desk.message()
    assert "Date" in dict(sent.headers)
    desk.taken(sent, desk.post(without(sent.headers, "Date", "Subject", "MIME-Version"), sent.body))


def test_24_parameters_of_a_digest_null_or_absent(desk: Desk) -> None:
    for message_id, parameters in (("null@drummond", der.NULL), ("absent@drummond", b"")):
        whole = b"Content-Type: application/edi-x12\r\n\r\n" + PAYLOAD
        signed = replace(DIGESTS["sha256"])
        algorithm = der.sequence(signed.identifier, der.NULL)
        headers, body = sign_entity(whole, identity("them"), signed, NOW, message_id)
        start = body.index(b"smime.p7s\r\n\r\n") + len(b"smime.p7s\r\n\r\n")
        structure = ber.read(body[start:])
        changed = rewritten(structure, algorithm, der.sequence(signed.identifier, parameters))
        assert (changed == structure.raw) is (parameters == der.NULL)
        body = body[:start] + changed + body[start + structure.after :]
        sealed = encrypt(f"Content-Type: {headers[0][1]}\r\n\r\n".encode() + body, identity("us").certificate, CIPHERS["aes256_cbc"])
        like = desk.message(message_id=message_id)
        mic = as2.Mic(base64.b64encode(signed.of(whole)).decode(), "sha-256")
        desk.taken(replace(like, mic=mic), desk.post(like.headers, sealed))


def rewritten(element: ber.Element, old: bytes, new: bytes) -> bytes:
    """The structure with one part exchanged wherever it stands, and its lengths made to fit."""
    if element.raw == old:
        return new
    if not element.tag & 0x20:
        return element.raw
    return der.compose(element.tag, *(rewritten(child, old, new) for child in element.children()))


def test_25_a_large_message_is_answered_before_its_sender_gives_up(desk: Desk) -> None:
    payload = bytes(range(256)) * (20 * 4096)
    sent = desk.message(payload)
    reply = speak(desk.port, head_of(sent.headers, "Transfer-Encoding: chunked"), *chunks(sent.body, 1 << 16))
    desk.taken(sent, reply, payload)
