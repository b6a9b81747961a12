"""What we post over AS2: kept before it is posted, the same bytes on every try, receipts at once and later, missing, wrong and twice."""

import ssl
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.x509.oid import NameOID

from gateway.exchange import as2
from gateway.kinds import as2 as kinds
from gateway.pipeline.as2.keys import Relations
from gateway.pipeline.as2.receiving import receive_as2
from gateway.pipeline.as2.waiting import MOST_POSTS
from gateway.pipeline.as2.waiting import watch_receipts
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.keeping.telling import trail_words
from gateway.pipeline.keeping.trails import trail_of
from gateway.pipeline.outbox.redelivering import retry
from gateway.pipeline.outbox.resending import find_document
from gateway.pipeline.outbox.resending import resend
from gateway.problem import NOWHERE
from gateway.store import journal
from gateway.store.outgoing import answers
from gateway.store.outgoing import as2_sendings
from gateway.store.outgoing import awaited
from gateway.store.outgoing import deliveries
from gateway.store.outgoing import outbox
from gateway.store.outgoing import posted
from gateway.store.records import documents
from gateway.store.verifying.verification import verify
from tests.pipeline.as2_partner import PartnerStation
from tests.pipeline.as2_partner import Post
from tests.pipeline.as2_partner import as2_world
from tests.pipeline.as2_partner import identity
from tests.pipeline.as2_partner import keys
from tests.pipeline.as2_partner import partner_station
from tests.pipeline.as2_partner import their_relation
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

ASYNC = "receipt_delivery: async\nour_receipt_url: http://seller.example/as2\nreceipt_within: 30m\n"


@dataclass(slots=True)
class Trade:
    """An installation and its partner's station; the order response is what is looked at."""

    world: World
    partner: PartnerStation
    #: seconds that the row waits when it is to be posted again, each time
    spreads: list[float] = field(default_factory=list)

    def order(self, number: str = "PO1", control: int = 1) -> None:
        """An order comes: 997 and order response leave."""
        register(
            self.world.station, [Arrival(address="folder:boxes/acme/out", name="po.edi", identity=number, data=x12_order(number, control=control))]
        )
        self.world.settle()

    def row(self, number: str = "PO1") -> outbox.Entry:
        with self.world.station.database.read() as connection:
            responses = documents.search(connection, documents.Filters(kind="order_response"))
            [wanted] = [one.id for one in responses if number in one.number]
            return next(row for row in outbox.search(connection) if row.document == wanted)

    def document_state(self, number: str = "PO1") -> str:
        with self.world.station.database.read() as connection:
            row = documents.get(connection, self.row(number).document or "")
        assert row is not None
        return row.state

    def sending(self, number: str = "PO1") -> as2_sendings.Sending:
        with self.world.station.database.read() as connection:
            found = as2_sendings.of_row(connection, self.row(number).id)
        assert found is not None
        return found

    def actions(self, number: str = "PO1") -> list[str]:
        with self.world.station.database.read() as connection:
            found = [one.entry.action for one in journal.of_subject(connection, "outbox", self.row(number).id)]
        return [action.removeprefix("order_response ") for action in found]

    def posts(self, number: str = "PO1") -> list[Post]:
        """How the order response was posted."""
        identifier = f"<{self.sending(number).message_id}>"
        return [post for post in self.partner.posts if post.header("message-id") == identifier]

    def hear(self, receipt: as2.MdnResponse) -> as2.Answer:
        """The partner posts a receipt to us."""
        headers = (*receipt.headers, ("Content-Length", str(len(receipt.body))))
        return receive_as2(self.world.station, Relations(self.world.station), headers, receipt.body)

    def later(self, **span: float) -> None:
        self.world.clock.now += timedelta(**span)
        if watch_receipts(self.world.station):
            self.spreads.append((self.row().due_at - self.world.clock()).total_seconds())
        # what is posted again is spread over half a minute
        self.world.clock.now += timedelta(seconds=31)
        self.world.settle()

    def faults(self) -> list[str]:
        station = self.world.station
        return list(verify(station.database, station.archive, station.journal_key()).faults)


@pytest.fixture
def partner() -> Iterator[PartnerStation]:
    with partner_station() as station:
        yield station


def trading(folder: Path, partner: PartnerStation, more: str = "") -> Trade:
    world = as2_world(folder / "installation", f"{partner.url}/as2", more)
    partner.clock = world.clock
    return Trade(world, partner)


@pytest.fixture
def trade(tmp_path: Path, partner: PartnerStation) -> Iterator[Trade]:
    made = trading(tmp_path, partner)
    yield made
    made.world.close()


@pytest.fixture
def waiting(tmp_path: Path, partner: PartnerStation) -> Iterator[Trade]:
    """Receipts are posted later."""
    made = trading(tmp_path, partner, ASYNC)
    partner.answer = partner.taken
    yield made
    made.world.close()


def test_what_is_posted_is_kept_and_its_receipt_is_evidence(trade: Trade) -> None:
    trade.order()
    [post] = trade.posts()
    sending, archive = trade.sending(), trade.world.station.archive
    head, _, body = archive.read(sending.request_sha256).partition(b"\r\n\r\n")
    assert body == post.body and f"Message-ID: <{sending.message_id}>".encode() in head
    assert sending.receipt_state == "accepted" and sending.receipt_sha256 is not None and sending.signed_by is not None
    assert archive.has(sending.signed_by.partition(":")[2]), "the certificate is kept with what it proves"
    opened = trade.partner.opened(post)
    assert sending.mics == (str(opened.mic),) and trade.row().state == "sent"
    assert opened.payload == archive.read(str(trade.row().sha256))
    assert trade.faults() == []


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, None])
def test_every_try_posts_the_same_bytes(trade: Trade, status: int | None) -> None:
    trade.partner.answer = lambda post: None if status is None else (status, (), b"not now")
    trade.order()
    trade.partner.answer = trade.partner.receipt_at_once
    trade.world.clock.now += timedelta(minutes=1)
    trade.world.settle()
    first, second = trade.posts()
    assert first.sent == second.sent
    assert trade.row().state == "sent" and trade.row().attempts == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 302, 410])
def test_what_another_try_cannot_help_is_given_up_until_a_person_says_so(trade: Trade, status: int) -> None:
    trade.partner.answer = lambda post: (status, (("Location", "http://127.0.0.1:9/"),), b"no")
    trade.order()
    trade.world.clock.now += timedelta(days=1)
    trade.world.settle()
    assert trade.row().state == "dead" and len(trade.posts()) == 1
    trade.partner.answer = trade.partner.receipt_at_once
    with trade.world.station.database.begin() as connection:
        for row in outbox.search(connection, state="dead"):
            assert deliveries.revive(connection, row.id, trade.world.clock())
    trade.world.settle()
    first, second = trade.posts()
    assert first.sent == second.sent and trade.row().state == "sent"


def nothing_but(answer: str) -> Callable[[PartnerStation, Post], tuple[int, as2.values.Headers, bytes]]:
    """Answers of 200 that are no word of the partner's."""

    def reply(partner: PartnerStation, post: Post) -> tuple[int, as2.values.Headers, bytes]:
        if answer == "a stranger's signature":
            made = partner.receipt(post, identities=(identity("stranger"),))
            return 200, made.headers, made.body
        return 200, (("Content-Type", "text/html"),), b"<html>busy</html>" if answer == "a page" else b""

    return reply


@pytest.mark.parametrize("answer", ["nothing", "a page", "a stranger's signature"])
def test_an_answer_that_proves_nothing_is_no_word_of_the_partners(trade: Trade, answer: str) -> None:
    trade.partner.answer = partial(nothing_but(answer), trade.partner)
    trade.order()
    assert trade.row().state == "prepared" and "receipt proves nothing" in trade.actions() and "refused by receipt" not in trade.actions()
    with trade.world.station.database.read() as connection:
        assert answers.of_outbox(connection, [trade.row().id]) == []
    words = trail_words(trail_of(trade.world.station, "PO1"))
    assert "rejected" not in words and "refused" not in words
    trade.partner.answer = trade.partner.receipt_at_once
    trade.world.clock.now += timedelta(minutes=1)
    trade.world.settle()
    with trade.world.station.database.read() as connection:
        assert [one.outcome for one in answers.of_outbox(connection, [trade.row().id])] == ["accepted"]


@pytest.mark.parametrize(("sign", "state"), [("none", "sent"), ("sha256", "dead")])
def test_a_receipt_without_a_digest_confirms_what_was_not_signed(tmp_path: Path, partner: PartnerStation, sign: str, state: str) -> None:
    """Stations that compute a digest of signed messages only say 'processed' all the same."""
    trade = trading(tmp_path, partner, f"sign: {sign}")
    partner.relation = their_relation(require_signature=False)

    def without_digest(post: Post) -> tuple[int, as2.values.Headers, bytes]:
        made = as2.build_mdn(replace(partner.opened(post), mic=None), partner.relation, partner.clock(), signed=True)
        assert isinstance(made, as2.MdnResponse)
        return 200, made.headers, made.body

    partner.answer = without_digest
    trade.order()
    assert (trade.row().state, trade.row().attempts) == (state, 1)
    if state == "sent":
        with trade.world.station.database.read() as connection:
            [answer] = answers.of_outbox(connection, [trade.row().id])
        assert answer.outcome == "accepted" and [problem.code for problem in answer.problems] == ["AS2-MDN-MIC-MISSING"]
    trade.world.close()


def test_waits_between_tries_grow_and_end(trade: Trade) -> None:
    trade.partner.answer = lambda post: (503, (), b"")
    trade.order()
    waits = []
    while trade.row().state != "dead":
        waits.append(trade.row().due_at - trade.world.clock())
        trade.world.clock.now = trade.row().due_at
        trade.world.settle()
    assert len(waits) > 5 and waits[0] < timedelta(seconds=10) and waits[-1] > timedelta(hours=3)
    assert len({(post.headers, post.body) for post in trade.posts()}) == 1


@pytest.mark.parametrize(("asked", "waits"), [("1800", 1800), ("9999999", 3600), ("soon", 0), ("Sun, 06 Nov 1994 08:49:37 GMT", 0)])
def test_a_station_that_asks_for_time_gets_it_within_reason(trade: Trade, asked: str, waits: int) -> None:
    trade.partner.answer = lambda post: (503, (("Retry-After", asked),), b"")
    trade.order()
    left = (trade.row().due_at - trade.world.clock()).total_seconds()
    assert waits - 60 < left <= waits if waits else left < 10


def test_a_receipt_that_is_posted_later_confirms(waiting: Trade) -> None:
    waiting.order()
    assert waiting.row().state == "posted" and waiting.row().due_at > waiting.world.clock() + timedelta(minutes=29)
    [post] = waiting.posts()
    assert post.header("receipt-delivery-option") == "http://seller.example/as2"
    assert waiting.hear(waiting.partner.receipt(post)) == as2.Answer(status=200, headers=(), body=b"")
    row = waiting.row()
    assert (row.state, waiting.sending().receipt_state) == ("sent", "accepted")
    with waiting.world.station.database.read() as connection:
        [answer] = answers.of_outbox(connection, [row.id])
        [response] = documents.search(connection, documents.Filters(kind="order_response"))
    assert (answer.kind, answer.outcome, response.state) == ("MDN", "accepted", "sent")
    assert waiting.actions() == ["prepared", "posted", "sent"]
    waiting.later(hours=2)
    assert len(waiting.posts()) == 1 and waiting.faults() == []


def test_what_waits_for_its_receipt_keeps_nothing_back(waiting: Trade) -> None:
    waiting.order("PO1")
    waiting.order("PO2", control=2)
    assert waiting.row("PO1").state == waiting.row("PO2").state == "posted"


def test_a_receipt_that_does_not_come_has_the_same_message_posted_again_and_then_given_up(waiting: Trade) -> None:
    waiting.order()
    for _ in range(MOST_POSTS - 1):
        assert waiting.row().state == "posted"
        waiting.later(days=1)
    assert all(0 <= seconds <= 30 for seconds in waiting.spreads) and len(set(waiting.spreads)) == MOST_POSTS - 1, waiting.spreads
    posts = waiting.posts()
    assert len(posts) == MOST_POSTS and len({post.sent for post in posts}) == 1
    waiting.later(days=1)
    row = waiting.row()
    assert row.state == "dead" and "no receipt came" in str(row.last_error)
    assert len(waiting.posts()) == MOST_POSTS
    assert waiting.actions().count("not confirmed") == MOST_POSTS - 1 and waiting.actions()[-1] == "given up"
    assert waiting.document_state() == "dead"
    # who confirms it in the end has it: nobody sends it again
    waiting.hear(waiting.partner.receipt(posts[0]))
    assert (waiting.row().state, waiting.document_state(), waiting.actions()[-1]) == ("sent", "sent", "sent")


def test_a_late_receipt_after_another_posting_counts(waiting: Trade) -> None:
    waiting.order()
    receipt = waiting.partner.receipt(waiting.posts()[0])
    waiting.later(minutes=31)
    assert len(waiting.posts()) == 2
    waiting.hear(receipt)
    assert waiting.row().state == "sent"


def test_a_receipt_that_comes_twice_changes_nothing(waiting: Trade) -> None:
    waiting.order()
    receipt = waiting.partner.receipt(waiting.posts()[0])
    waiting.hear(receipt)
    before = waiting.row()
    assert waiting.hear(receipt).status == 200 and waiting.row() == before
    assert waiting.actions()[-1] == "receipt came again"


def test_a_receipt_that_is_quicker_than_our_recording_counts(waiting: Trade) -> None:
    """The partner posts its receipt before it has answered our post."""

    def at_once(post: Post) -> tuple[int, as2.values.Headers, bytes]:
        waiting.hear(waiting.partner.receipt(post))
        return 200, (), b""

    waiting.partner.answer = at_once
    waiting.order()
    assert waiting.row().state == "sent" and waiting.sending().receipt_state == "accepted"
    waiting.later(days=2)
    assert len(waiting.posts()) == 1 and waiting.row().state == "sent"


def test_a_refusal_that_is_quicker_than_our_recording_counts(waiting: Trade) -> None:
    def refuse(post: Post) -> tuple[int, as2.values.Headers, bytes]:
        waiting.hear(refusal(waiting, post))
        return 200, (), b""

    waiting.partner.answer = refuse
    waiting.order()
    assert waiting.row().state == "dead" and waiting.sending().receipt_state == "refused"
    waiting.later(days=2)
    assert len(waiting.posts()) == 1


def refusal(trade: Trade, post: Post) -> as2.MdnResponse:
    """The partner's signed word that it could not decrypt the message."""
    relation = trade.partner.relation
    opened = replace(trade.partner.opened(post), payloads=(), problems=(kinds.DECRYPTION_FAILED.at(NOWHERE, "it cannot be decrypted"),))
    made = as2.build_mdn(opened, relation, trade.world.clock(), signed=True)
    assert isinstance(made, as2.MdnResponse)
    return made


def test_a_signed_refusal_ends_it_until_a_person_has_it_posted_again(waiting: Trade) -> None:
    waiting.order()
    waiting.hear(refusal(waiting, waiting.posts()[0]))
    assert waiting.row().state == "dead" and "could not process" in str(waiting.row().last_error)
    with waiting.world.station.database.read() as connection:
        assert [answer.outcome for answer in answers.of_outbox(connection, [waiting.row().id])] == ["rejected"]
    waiting.later(days=2)
    assert len(waiting.posts()) == 1
    with waiting.world.station.database.begin() as connection:
        assert deliveries.revive(connection, waiting.row().id, waiting.world.clock())
    waiting.world.settle()
    first, second = waiting.posts()
    assert first.sent == second.sent and waiting.row().state == "posted"
    waiting.hear(waiting.partner.receipt(second))
    assert waiting.row().state == "sent"


@pytest.mark.parametrize("what", ["another signer", "not signed", "other content"])
def test_a_receipt_that_proves_nothing_changes_nothing_and_is_told(waiting: Trade, what: str) -> None:
    waiting.order()
    [post] = waiting.posts()
    if what == "another signer":
        wrong = waiting.partner.receipt(post, identities=(identity("stranger"),))
    elif what == "not signed":
        unsigned = as2.build_mdn(waiting.partner.opened(post), waiting.partner.relation, waiting.world.clock(), signed=False)
        assert isinstance(unsigned, as2.MdnResponse)
        wrong = unsigned
    else:
        other = replace(waiting.partner.opened(post), mic=as2.Mic("AAAA", "sha-256"))
        forged = as2.build_mdn(other, replace(waiting.partner.relation, identities=(identity("stranger"),)), waiting.world.clock(), signed=True)
        assert isinstance(forged, as2.MdnResponse)
        wrong = forged
    assert waiting.hear(wrong).status == 200
    assert waiting.row().state == "posted" and waiting.actions()[-1] == "receipt proves nothing" and waiting.sending().trouble
    waiting.hear(waiting.partner.receipt(post))
    assert waiting.row().state == "sent"


def test_a_receipt_for_nothing_that_we_sent_is_kept_and_shown(waiting: Trade) -> None:
    waiting.order()
    unknown = replace(waiting.partner.opened(waiting.posts()[0]), message_id="never-sent@seller")
    receipt = as2.build_mdn(unknown, waiting.partner.relation, waiting.world.clock(), signed=True)
    assert isinstance(receipt, as2.MdnResponse)
    assert waiting.hear(receipt).status == 200
    with waiting.world.station.database.read() as connection:
        [answer] = answers.unmatched(connection, "acme")
        told = [one.entry for one in journal.after(connection, 0) if one.entry.action == "AS2 receipt fits nothing that we sent"]
    assert "never-sent@seller" in answer.speaks_of and waiting.world.station.archive.read(told[0].subject).endswith(receipt.body)


@pytest.mark.parametrize("digest", ["ours", "another one"])
def test_a_receipt_that_names_no_message_is_put_to_it_by_the_digest(waiting: Trade, digest: str) -> None:
    waiting.order()
    opened = waiting.partner.opened(waiting.posts()[0])
    nameless = replace(opened, message_id="", mic=opened.mic if digest == "ours" else as2.Mic("AAAA", "sha-256"))
    receipt = as2.build_mdn(nameless, waiting.partner.relation, waiting.world.clock(), signed=True)
    assert isinstance(receipt, as2.MdnResponse) and b"Original-Message-ID: <>" in receipt.body
    assert waiting.hear(receipt).status == 200
    assert waiting.row().state == ("sent" if digest == "ours" else "posted")
    with waiting.world.station.database.read() as connection:
        assert len(answers.unmatched(connection, "acme")) == (0 if digest == "ours" else 1)


@pytest.mark.parametrize("body", [b"", b"--x\r\n\r\nrubbish", b"--x\r\nContent-Type: multipart/report\r\n\r\n--x--"])
def test_rubbish_that_calls_itself_a_receipt_harms_nothing(waiting: Trade, body: bytes) -> None:
    for kind in ('multipart/report; boundary="x"', 'multipart/signed; boundary="x"', "message/disposition-notification"):
        headers = (("AS2-From", "big buyer"), ("AS2-To", "SELLER"), ("Message-ID", "<1@x>"), ("Content-Type", kind))
        answer = receive_as2(waiting.world.station, Relations(waiting.world.station), headers, body)
        assert answer.status in {200, 403}


def test_a_receipt_in_the_answer_is_taken_although_it_was_to_be_posted(waiting: Trade) -> None:
    waiting.partner.answer = waiting.partner.receipt_at_once
    waiting.order()
    assert waiting.row().state == "sent" and waiting.sending().receipt_state == "accepted"


def test_an_acknowledgment_that_comes_before_the_receipt_ends_the_wait(waiting: Trade) -> None:
    waiting.order()
    with waiting.world.station.database.begin() as connection:
        awaited.note(connection, [waiting.row().id], "accepted", waiting.world.clock())
    assert waiting.row().state == "acknowledged"
    waiting.later(days=1)
    assert len(waiting.posts()) == 1
    waiting.hear(waiting.partner.receipt(waiting.posts()[0]))
    assert waiting.row().state == "acknowledged" and waiting.sending().receipt_state == "accepted"


def test_a_request_is_encrypted_anew_only_when_its_certificate_is_replaced(trade: Trade) -> None:
    trade.partner.answer = lambda post: (503, (), b"")
    trade.order()
    before = trade.sending()
    (trade.world.folder / "keys/them.pem").write_bytes(keys("them again")[1])
    trade.partner.relation = as2_relation_of("them again")
    trade.partner.answer = trade.partner.receipt_at_once
    trade.world.clock.now += timedelta(minutes=1)
    trade.world.settle()
    first, second = trade.posts()
    after = trade.sending()
    assert first.body != second.body and first.header("message-id") == second.header("message-id")
    assert before.encrypted_for != after.encrypted_for and "encrypted anew" in trade.actions()
    assert trade.row().state == "sent" and trade.faults() == []


def as2_relation_of(name: str) -> as2.As2Relation:
    return their_relation(identities=(identity(name),))


def test_rows_of_one_file_share_their_receipt(waiting: Trade) -> None:
    waiting.order()
    with waiting.world.station.database.read() as connection:
        assert [row.id for row in posted.of_file(connection, waiting.row())] == [waiting.row().id]


def test_a_server_that_asks_who_we_are_is_shown_our_client_certificate(trade: Trade, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line's own key and authorities, which are not those of the messages: from a file, or from the environment."""
    partner, folder = trade.partner, trade.world.folder / "keys"
    key, certificate = authority_and_line(folder)
    own = trade.world.folder / "temporary"  # the machine's is everybody's
    own.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificate)
    partner.socket = context.wrap_socket(partner.socket, server_side=True)
    text = (trade.world.folder / "partners/acme.yaml").read_text()
    monkeypatch.setenv("LINE_KEY", key.read_text())
    for number, secret in enumerate(("file:keys/line.key", "env:LINE_KEY"), start=1):
        more = f'    authorities: keys/line.pem\n    client_key: "{secret}"\n    client_certificate: keys/line.pem\n'
        changed = text.replace("as2: http:", "as2: https:").replace("    name: big buyer\n", f"    name: big buyer\n{more}")
        (trade.world.folder / "partners/acme.yaml").write_text(changed)
        trade.world.close()
        trade.order(f"PO{number}", control=number)
        assert trade.row(f"PO{number}").state == "sent", trade.row(f"PO{number}").last_error
    assert list(own.iterdir()) == [], "no key lies about in a file"
    (trade.world.folder / "partners/acme.yaml").write_text(
        text.replace("as2: http:", "as2: https:").replace("    name: big", "    authorities: keys/line.pem\n    name: big")
    )
    trade.world.close()
    trade.order("PO3", control=3)
    assert trade.row("PO3").state != "sent"


def authority_and_line(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine that is its own authority."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "line")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    key, certificate = folder / "line.key", folder / "line.pem"
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    return key, certificate


def refusing_duplicates(partner: PartnerStation, disposition: str = "processed/error: duplicate-document") -> Callable[[Post], Any]:
    def answer(post: Post) -> tuple[int, as2.values.Headers, bytes]:
        made = partner.receipt(post)
        return 200, made.headers, made.body.replace(b"; processed", f"; {disposition}".encode())

    return answer


@pytest.mark.parametrize("disposition", ["processed/error: duplicate-document", "failed/failure: duplicate message"])
def test_who_refuses_a_resend_as_a_duplicate_has_it(tmp_path: Path, partner: PartnerStation, disposition: str) -> None:
    trade = trading(tmp_path, partner, "receipt: unsigned\n")
    trade.order()
    assert trade.row().state == "sent"
    trade.partner.answer = refusing_duplicates(partner, disposition)
    resend(trade.world.station, find_document(trade.world.station, "OR-PO1").id, "clerk", "they say that it never came")
    trade.world.settle()
    assert len({post.header("message-id") for post in trade.partner.posts[-2:]}) == 2
    with trade.world.station.database.read() as connection:
        [document] = documents.search(connection, documents.Filters(number="OR-PO1", direction="out"))
        assert [row.state for row in outbox.of_document(connection, document.id)] == ["sent", "sent"]
        assert document.state == "sent"
    # one that left only once is refused in earnest, also when a person has it tried again
    trade.order("PO2", 2)
    assert trade.row("PO2").state == "dead"
    retry(trade.world.station, [trade.row("PO2").id], "clerk", "tell us once more")
    trade.world.settle()
    assert (trade.row("PO2").state, len(trade.posts("PO2"))) == ("dead", 2)
    trade.world.close()


def test_who_refuses_as_a_duplicate_what_was_tried_before_a_person_said_again_has_it(tmp_path: Path, partner: PartnerStation) -> None:
    trade = trading(tmp_path, partner, "receipt: unsigned\n")
    trade.partner.answer = lambda post: None
    trade.order()
    while trade.row().state == "prepared":
        trade.later(hours=5)
    assert trade.row().state == "dead"
    trade.partner.answer = refusing_duplicates(partner)
    retry(trade.world.station, [trade.row().id], "clerk", "they are up again")
    trade.world.settle()
    assert (trade.row().state, trade.document_state(), trade.row().last_error) == ("sent", "sent", None)
    trade.world.close()
