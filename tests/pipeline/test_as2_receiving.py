"""What comes over AS2: receipts that are posted to agreed addresses only, the same receipt again for the same message, several payloads in one
message, large ones, two partners behind one pair of names."""

import hashlib
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.config import load_installation
from gateway.exchange import as2
from gateway.exchange.as2.names import agreed_address
from gateway.exchange.as2.wrap import sign_entity
from gateway.exchange.cms.algorithms import DIGESTS
from gateway.pipeline.as2.keys import Relations
from gateway.pipeline.as2.posting import written_head
from gateway.pipeline.as2.receiving import receive_as2
from gateway.store import journal
from gateway.store.incoming import as2_unopened
from gateway.store.incoming import transmissions
from gateway.store.outgoing import outbox
from gateway.store.payloads.in_folder import FolderArchive
from gateway.store.records import documents
from gateway.store.verifying.verification import verify
from gateway.store.watching import troubles
from gateway.store.working import queues
from gateway.store.working import sweep
from gateway.yaml_source import Faults
from tests.pipeline.as2_partner import PartnerStation
from tests.pipeline.as2_partner import as2_world
from tests.pipeline.as2_partner import identity
from tests.pipeline.as2_partner import keys
from tests.pipeline.as2_partner import partner_station
from tests.pipeline.as2_partner import their_relation
from tests.pipeline.world import World
from tests.pipeline.world import x12_order


@dataclass(slots=True)
class Buyer:
    """The partner's side of an exchange that it begins: what it posts, and the receipts that are posted to its station."""

    world: World
    station: PartnerStation
    relation: as2.As2Relation = field(default_factory=their_relation)

    def message(self, payload: bytes, message_id: str = "1@buyer", **changes: object) -> as2.As2Request:
        relation = replace(self.relation, receipt_delivery="async", our_receipt_url=f"{self.station.url}/receipts", **changes)  # type: ignore[arg-type]
        made = as2.wrap(payload, relation, message_id, self.world.clock(), "po.edi")
        assert isinstance(made, as2.As2Request)
        return made

    def post(self, request: as2.As2Request) -> as2.Answer:
        return receive_as2(self.world.station, Relations(self.world.station), request.headers, request.body)

    def receipts(self) -> list[tuple[tuple[tuple[str, str], ...], bytes]]:
        return [post.sent for post in self.station.posts if post.path.startswith("/receipts")]

    def read(self, request: as2.As2Request, number: int = -1) -> as2.Receipt:
        headers, body = self.receipts()[number]
        return as2.read_mdn(headers, body, request.expected, self.relation, self.world.clock())

    def came(self) -> list[transmissions.Transmission]:
        with self.world.station.database.read() as connection:
            return transmissions.search(connection, direction="in")[::-1]

    def rows(self) -> list[outbox.Entry]:
        with self.world.station.database.read() as connection:
            return [row for row in outbox.search(connection) if row.kind == "receipt"]


@pytest.fixture
def station() -> Iterator[PartnerStation]:
    with partner_station() as made:
        made.answer = lambda post: (200, (), b"")
        yield made


@pytest.fixture
def buyer(tmp_path: Path, station: PartnerStation) -> Iterator[Buyer]:
    world = as2_world(tmp_path / "installation", f"{station.url}/as2", f"receipt_addresses: {station.url}/receipts", receive_from="as2")
    station.clock = world.clock
    yield Buyer(world, station)
    world.close()


TAKEN = as2.Answer(status=200, headers=(), body=b"")


def test_a_receipt_is_posted_to_the_agreed_address(buyer: Buyer) -> None:
    sent = buyer.message(x12_order())
    assert buyer.post(sent) == TAKEN and buyer.came() == [], "answered before anybody looks into it"
    buyer.world.settle()
    receipt = buyer.read(sent)
    assert len(buyer.came()) == 1
    assert receipt.delivered and receipt.mic_matches and receipt.signed_by
    [row] = buyer.rows()
    assert row.state == "sent"
    with buyer.world.station.database.read() as connection:
        [order] = documents.search(connection, documents.Filters(kind="order"))
    assert order.state == "accepted"
    assert not verify(buyer.world.station.database, buyer.world.station.archive, buyer.world.station.journal_key()).faults


@pytest.mark.parametrize("again", [1, 2])
def test_the_same_message_again_has_the_same_receipt_posted_again(buyer: Buyer, again: int) -> None:
    sent = buyer.message(x12_order())
    buyer.post(sent)
    buyer.world.settle()
    for _ in range(again):
        assert buyer.post(sent) == TAKEN
        buyer.world.settle()
    receipts = buyer.receipts()
    assert len(receipts) == 1 + again and len(set(receipts)) == 1 and len(buyer.came()) == 1


def test_a_message_again_while_its_receipt_waits_makes_no_second_one(buyer: Buyer) -> None:
    sent = buyer.message(x12_order())
    buyer.post(sent)
    buyer.post(sent)
    buyer.world.settle()
    assert len(buyer.receipts()) == 1


def test_a_receipt_that_was_posted_stands_in_the_answer_when_that_is_asked_for_now(buyer: Buyer) -> None:
    sent = buyer.message(x12_order())
    buyer.post(sent)
    buyer.world.settle()
    now = as2.wrap(x12_order(), buyer.relation, "1@buyer", buyer.world.clock(), "po.edi")
    assert isinstance(now, as2.As2Request)
    assert buyer.post(now).body == buyer.receipts()[0][1]


def test_a_receipt_that_the_station_does_not_take_is_tried_again_byte_for_byte(buyer: Buyer) -> None:
    buyer.station.answer = lambda post: (503, (), b"")
    sent = buyer.message(x12_order())
    buyer.post(sent)
    buyer.world.settle()
    buyer.station.answer = lambda post: (200, (), b"")
    buyer.world.clock.now += timedelta(minutes=1)
    buyer.world.settle()
    first, second = buyer.receipts()
    assert first == second and buyer.rows()[0].state == "sent"


def test_a_receipt_waits_for_no_document_and_no_document_for_a_receipt(buyer: Buyer) -> None:
    def only_receipts_fail(post: object) -> tuple[int, as2.values.Headers, bytes]:
        return (503 if "/receipts" in getattr(post, "path", "") else 404, (), b"")

    buyer.station.answer = only_receipts_fail
    buyer.post(buyer.message(x12_order()))
    buyer.world.settle()
    assert {post.path for post in buyer.station.posts} == {"/receipts", "/as2"}


def test_what_came_again_before_it_was_opened_is_taken_once(buyer: Buyer) -> None:
    """The very same bytes; signed and encrypted once more; and one whose receipt stands in the answer, so that it is opened first."""
    sent, anew = buyer.message(x12_order()), buyer.message(x12_order())
    at_once = as2.wrap(x12_order(), buyer.relation, "1@buyer", buyer.world.clock(), "po.edi")
    assert isinstance(at_once, as2.As2Request) and sent.body != anew.body
    assert [buyer.post(one) for one in (sent, anew, sent)] == [TAKEN] * 3
    answer = buyer.post(at_once)
    buyer.world.settle()
    assert len(buyer.came()) == 1 and {body for _, body in buyer.receipts()} == {answer.body}
    with buyer.world.station.database.read() as connection:
        actions = [one.entry.action for one in journal.after(connection, 0) if one.entry.subject_kind == "as2_request"]
        assert len(documents.search(connection, documents.Filters(kind="order"))) == 1
    assert sorted(actions) == ["AS2 message came again"] * 3 + ["AS2 message waits to be opened"] * 2


def test_another_content_under_a_message_id_that_waits_is_refused_when_it_is_opened(buyer: Buyer) -> None:
    first, other = buyer.message(x12_order()), buyer.message(x12_order("PO2"))
    assert [buyer.post(first), buyer.post(other)] == [TAKEN] * 2
    buyer.world.settle()
    assert [buyer.read(first, 0).delivered, buyer.read(other, 1).delivered] == [True, False] and len(buyer.came()) == 1


def test_a_message_that_cannot_be_opened_after_it_was_answered_waits_for_the_key(buyer: Buyer) -> None:
    key = buyer.world.folder / "keys/us.key"
    text = key.read_bytes()
    buyer.post(buyer.message(x12_order()))
    key.unlink()
    buyer.world.settle()
    assert buyer.came() == [] and buyer.rows() == []
    with buyer.world.station.database.read() as connection:
        assert sweep.streams_with_work(connection, buyer.world.clock()) == ["open:as2:big buyer to SELLER"]
        assert queues.oldest(connection, buyer.world.clock())["in"] is not None, "it waits visibly"
        assert [(one.name, "us.key" in one.error) for one in troubles.standing(connection)] == [("opening as2:big buyer to SELLER", True)]
    key.write_bytes(text)
    buyer.world.settle()
    assert len(buyer.came()) == 1 and buyer.rows()[0].state == "sent"
    with buyer.world.station.database.read() as connection:
        assert [one for one in troubles.standing(connection) if one.name.startswith("opening")] == []


def test_a_message_whose_bytes_are_lost_before_it_was_opened_keeps_nothing_back(buyer: Buyer) -> None:
    lost, good = buyer.message(x12_order()), buyer.message(x12_order("PO2", control=2), "2@buyer")
    buyer.post(lost)
    with buyer.world.station.database.read() as connection:
        [waits] = as2_unopened.next_of(connection, "open:as2:big buyer to SELLER", 9, 9)
    kept = buyer.world.station.archive.read(waits.request_sha256)
    buyer.world.station.archive.remove(waits.request_sha256)
    buyer.post(good)
    buyer.world.settle()
    assert [one.source_identity for one in buyer.came()] == ["2@buyer"]
    with buyer.world.station.database.read() as connection:
        assert "opening as2:big buyer to SELLER" in [one.name for one in troubles.standing(connection)]
    buyer.world.station.archive.keep(kept)  # from a backup; or its sender, who got no receipt, sent it again
    buyer.world.settle()
    assert [one.source_identity for one in buyer.came()] == ["2@buyer", "1@buyer"]


def test_a_refusal_is_posted_as_well(buyer: Buyer) -> None:
    sent = buyer.message(x12_order(), identities=(identity("stranger"),))
    assert buyer.post(sent) == TAKEN and buyer.came() == []
    buyer.world.settle()
    receipt = buyer.read(sent)
    assert not receipt.delivered and "authentication-failed" in str(receipt.disposition) and not receipt.may_retry


@pytest.mark.parametrize("headers", ["the same", "another Date"])
def test_the_same_bytes_again_get_the_first_receipt_after_a_change_of_certificates(buyer: Buyer, headers: str) -> None:
    sent = as2.wrap(x12_order(), buyer.relation, "1@buyer", buyer.world.clock(), "po.edi")
    assert isinstance(sent, as2.As2Request)
    first = buyer.post(sent)
    (buyer.world.folder / "keys/them.pem").write_bytes(keys("them next")[1])
    later = (
        sent if headers == "the same" else replace(sent, headers=(*sent.headers[:-1], ("Date", "Tue, 06 Jan 2026 10:00:00 GMT"), sent.headers[-1]))
    )
    assert buyer.post(later) == first
    forged = replace(sent, body=sent.body[:-9] + b"forgery\r\n")
    assert buyer.post(forged).body != first.body and len(buyer.came()) == 1, "the bytes alone are known, not the Message-ID"


def test_the_same_bytes_again_have_their_receipt_posted_again_after_a_change_of_certificates(buyer: Buyer) -> None:
    sent = buyer.message(x12_order())
    buyer.post(sent)
    buyer.world.settle()
    (buyer.world.folder / "keys/them.pem").write_bytes(keys("them next")[1])
    assert buyer.post(sent) == TAKEN
    buyer.world.settle()
    first, again = buyer.receipts()
    assert first == again and buyer.read(sent).delivered


def test_a_duplicate_whose_receipt_is_no_longer_kept_gets_a_new_one_that_says_the_same(buyer: Buyer) -> None:
    sent = as2.wrap(x12_order(), buyer.relation, "1@buyer", buyer.world.clock(), "po.edi")
    assert isinstance(sent, as2.As2Request)
    first = buyer.post(sent)
    archive = buyer.world.station.archive
    archive.remove(hashlib.sha256(first.body).hexdigest())
    again = buyer.post(sent)
    receipt = as2.read_mdn(again.headers, again.body, sent.expected, buyer.relation, buyer.world.clock())
    assert receipt.delivered and receipt.mic_matches and len(buyer.came()) == 1
    with buyer.world.station.database.read() as connection:
        [told] = [one.entry for one in journal.after(connection, 0) if one.entry.action == "AS2 message came again"]
    assert again.body in [archive.read(digest) for digest in told.references], "what was answered is kept"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/receipts",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "{station}/receipts/../admin",
        "{station}/receipts?to=elsewhere",
        "{station}/receipts#x",
        "{station}/admin",
        "http://user@127.0.0.1/receipts",
        "{station}@evil.example/receipts",
        "javascript:alert(1)",
        "//127.0.0.1/receipts",
        "http://[::1",
        "",
    ],
)
def test_a_receipt_goes_to_no_address_that_was_not_agreed_on(buyer: Buyer, url: str) -> None:
    sent = buyer.message(x12_order())
    wanted = url.replace("{station}", buyer.station.url)
    headers = tuple((name, wanted if name == "Receipt-Delivery-Option" else value) for name, value in sent.headers)
    answer = buyer.post(replace(sent, headers=headers))
    buyer.world.settle()
    posts = [post for post in buyer.station.posts if post.path != "/as2"]
    if wanted:
        assert answer.status == 403 and b"AS2-ASYNC-REFUSED" in answer.body and buyer.came() == []
    assert posts == [] and buyer.rows() == []


def test_a_redirect_of_the_agreed_address_is_not_followed(buyer: Buyer) -> None:
    buyer.station.answer = lambda post: (302, (("Location", f"{buyer.station.url}/elsewhere"),), b"")
    buyer.post(buyer.message(x12_order()))
    buyer.world.settle()
    assert [post.path for post in buyer.station.posts if post.path != "/as2"] == ["/receipts"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("https://acme.example/mdn", True),
        ("HTTPS://ACME.example:443/mdn", True),
        (" https://acme.example/mdn ", True),
        ("https://acme.example:8443/mdn", False),
        ("http://acme.example/mdn", False),
        ("https://acme.example/MDN", False),
        ("https://acme.example/mdn/", False),
        ("https://acme.example/mdn?x=1", False),
        ("https://acme.example/q?x=1", True),
        ("https://acme.example\\@evil.example/mdn", False),
        ("https://acme.example.evil.example/mdn", False),
        ("https://acme.example:99999/mdn", False),
    ],
)
def test_addresses_are_the_same_by_all_their_parts(asked: str, found: bool) -> None:
    listed = ("https://acme.example/mdn", "https://acme.example/q?x=1")
    assert (agreed_address(asked, listed) in listed) is found


def several(buyer: Buyer, *payloads: tuple[str, bytes]) -> as2.As2Request:
    """A signed message with several attachments (RFC 6362)."""
    parts = b"".join(
        f"--in\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n"
        f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'.encode()
        + data
        + b"\r\n"
        for name, data in payloads
    )
    entity = b'Content-Type: multipart/related; boundary="in"\r\n\r\n' + parts + b"--in--\r\n"
    headers, body = sign_entity(entity, buyer.relation.identities[0], DIGESTS["sha256"], buyer.world.clock(), "several")
    plain = as2.wrap(b"", replace(buyer.relation, sign=None, encrypt=None), "several@buyer", buyer.world.clock())
    assert isinstance(plain, as2.As2Request)
    kept = tuple((name, value) for name, value in plain.headers if not name.lower().startswith("content-"))
    return as2.As2Request(headers=(*kept, *headers), body=body, mic=plain.mic, message_id=plain.message_id)


def test_several_payloads_of_a_message_are_several_files_with_one_receipt(tmp_path: Path, station: PartnerStation) -> None:
    world = as2_world(tmp_path / "installation", f"{station.url}/as2", "require_encryption: false", receive_from="as2")
    buyer = Buyer(world, station)
    files = (("po.edi", x12_order("PO1")), ("../../drawing.pdf", b"%PDF-1.4\r\n\x00\n"), ("po.edi", x12_order("PO2", control=2)))
    sent = several(buyer, *files)
    answer = buyer.post(sent)
    assert answer.status == 200 and b"processed" in answer.body
    came = buyer.came()
    assert [one.source_identity for one in came] == ["several@buyer", "several@buyer 2", "several@buyer 3"]
    assert [one.name for one in came] == ["po.edi", "drawing.pdf", "po.edi"]
    assert [world.station.archive.read(one.sha256) for one in came] == [data for _, data in files]
    assert [one.properties["part"] for one in came] == ["1 of 3", "2 of 3", "3 of 3"]
    assert buyer.post(sent).body == answer.body and len(buyer.came()) == 3, "again: one receipt, no file twice"
    world.settle()
    with world.station.database.read() as connection:
        orders = documents.search(connection, documents.Filters(kind="order"))
        subjects = [one.entry.subject for one in journal.after(connection, 0) if one.entry.action == "received"]
    assert sorted(row.number for row in orders) == ["PO1", "PO2"] and set(subjects) == {one.id for one in came}
    assert not verify(world.station.database, world.station.archive, world.station.journal_key()).faults
    world.close()


def test_what_cannot_be_opened_for_now_is_asked_for_again_later(buyer: Buyer) -> None:
    key = buyer.world.folder / "keys/us.key"
    text = key.read_bytes()
    key.unlink()
    sent = buyer.message(x12_order())
    assert buyer.post(sent).status == 503
    assert buyer.world.station.archive.read(digest_of(sent)) == written_head(sent.headers) + sent.body, "kept, whatever its sender was told"
    key.write_bytes(text)
    assert buyer.post(sent) == TAKEN


def digest_of(sent: as2.As2Request) -> str:
    return hashlib.sha256(written_head(sent.headers) + sent.body).hexdigest()


def test_a_message_and_what_is_found_in_it_are_kept_together_before_the_commit(
    tmp_path: Path, station: PartnerStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = as2_world(tmp_path / "installation", f"{station.url}/as2", receive_from="as2")
    buyer = Buyer(world, station)
    kept: list[list[str]] = []
    keep_many = FolderArchive.keep_many

    def keeping(self: FolderArchive, payloads: Iterable[bytes]) -> list[str]:
        assert buyer.came() == [], "not committed yet"
        kept.append(keep_many(self, payloads))
        return kept[-1]

    for certificate in ("us", "them"):
        world.station.archive.keep(identity(certificate).certificate.public_bytes(Encoding.DER))
    monkeypatch.setattr(FolderArchive, "keep_many", keeping)
    sent = as2.wrap(x12_order(), buyer.relation, "1@buyer", world.clock(), "po.edi")
    assert isinstance(sent, as2.As2Request) and buyer.post(sent).status == 200
    [row], [together] = buyer.came(), kept
    facts = row.properties
    assert sorted(together) == sorted([row.sha256, facts["raw_message"]]) and facts["raw_message"] == digest_of(sent)
    # receipt and signature came with the commit itself
    archive = world.station.archive
    assert not [name for name in ("mdn", "signature") if list((world.folder / "data/archive").rglob(facts[name])) or not archive.verify(facts[name])]
    world.close()


VAN = """\
id: {id}
name: {id}
identifiers: {{x12: "ZZ:{sender}"}}
endpoints:
  van: {{as2: "{url}/as2", name: big buyer, our_name: {us}, our_key: "file:keys/us.key", our_certificate: keys/us.pem, certificates: keys/them.pem}}
  box: {{folder: boxes/{id}/out, send_to: boxes/{id}/in}}
agreements:
  - {{receive: x12/004010/850, from: {receives}, acknowledge: "997"}}
  - {{send: x12/004010/855, to: box}}
currency: USD
credit: none
"""


def test_many_partners_behind_one_name_are_told_apart_by_their_envelopes(tmp_path: Path, station: PartnerStation) -> None:
    world = as2_world(tmp_path / "installation", f"{station.url}/as2", receive_from="as2")
    for id, sender, us, receives in (
        ("second", "SECOND", "SELLER", "van"),
        ("folder", "FOLDERONLY", "SELLER", "box"),
        ("elsewhere", "ELSE", "OTHER", "van"),
    ):
        (world.folder / f"partners/{id}.yaml").write_text(VAN.format(id=id, sender=sender, url=station.url, us=us, receives=receives))
        for box in ("in", "out"):
            (world.folder / "boxes" / id / box).mkdir(parents=True, exist_ok=True)
    buyer = Buyer(world, station)
    for number, sender in enumerate(("ACMEBUYER", "SECOND", "FOLDERONLY", "ELSE"), start=1):
        message = as2.wrap(x12_order(f"PO{number}", sender=sender), buyer.relation, f"{number}@van", world.clock(), "po.edi")
        assert isinstance(message, as2.As2Request)
        assert buyer.post(message).status == 200
    world.settle()
    with world.station.database.read() as connection:
        orders = {row.partner: row.number for row in documents.search(connection, documents.Filters(kind="order"))}
    # the third may send by folder only, and the fourth has the same name for itself, but another one for us
    assert orders == {"acme": "PO1", "second": "PO2"}
    assert [one.state for one in buyer.came()] == ["done", "done", "held", "held"]
    world.close()


def test_two_partners_with_one_pair_of_names_have_the_same_certificates(tmp_path: Path, station: PartnerStation) -> None:
    world = as2_world(tmp_path / "installation", f"{station.url}/as2", receive_from="as2")
    (world.folder / "keys/other.pem").write_bytes((world.folder / "keys/us.pem").read_bytes())
    text = VAN.format(id="second", sender="SECOND", url=station.url, us="SELLER", receives="van")
    (world.folder / "partners/second.yaml").write_text(text.replace("keys/them.pem", "keys/other.pem"))
    with pytest.raises(Faults) as told:
        load_installation(world.folder / "config.yaml").directory  # noqa: B018  loading is checking
    [fault] = told.value.faults
    assert fault.file.endswith("second.yaml") and "but not with its certificates" in fault.message
