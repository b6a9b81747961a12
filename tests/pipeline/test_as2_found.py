"""Whoever telephones an AS2 partner has a Message-ID in hand, with its angle brackets or without: what was received, sent, refused, came again or
waits to be opened is found by it, on the page and by the command."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.exchange import as2
from gateway.pipeline.as2.keys import Relations
from gateway.pipeline.as2.receiving import receive_as2
from gateway.pipeline.keeping.telling import trail_json
from gateway.pipeline.keeping.telling import trail_words
from gateway.pipeline.keeping.trails import trail_of
from gateway.store.incoming import as2_requests
from gateway.store.outgoing import as2_sendings
from gateway.store.outgoing import outbox
from tests.pipeline.as2_partner import PARTNER
from tests.pipeline.as2_partner import as2_world
from tests.pipeline.as2_partner import identity
from tests.pipeline.as2_partner import partner_station
from tests.pipeline.as2_partner import their_relation
from tests.pipeline.test_as2_receiving import Buyer
from tests.pipeline.test_as2_receiving import several
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.web.world import serving

NOWHERE = "http://127.0.0.1:9/as2"
BETA = (
    PARTNER.replace("id: acme", "id: beta")
    .replace("ACMEBUYER", "BETASTORES")
    .replace('gln: "1234567890128"', 'gln: "4006381333931"')
    .replace("big buyer", "beta as2")
)


@dataclass
class Desk:
    """Our side; `post` is a partner's."""

    world: World

    def post(self, message_id: str, data: bytes = x12_order(), name: str = "po 1.edi", **changes: object) -> bytes:
        made = as2.wrap(data, their_relation(**changes), message_id, self.world.clock(), name)
        assert isinstance(made, as2.As2Request)
        return receive_as2(self.world.station, Relations(self.world.station), made.headers, made.body).body

    def told(self, reference: str, partner: str | None = None) -> str:
        found = trail_of(self.world.station, reference, partner)
        return trail_words(found) if found is not None else "nothing"


@pytest.fixture
def desk(tmp_path: Path, request: pytest.FixtureRequest):
    url = str(request.getfixturevalue("migrated_postgres_url")) if getattr(request, "param", "") == "postgresql" else None
    world = as2_world(tmp_path, NOWHERE, "require_encryption: false", receive_from="as2", database=url)
    (tmp_path / "partners" / "beta.yaml").write_text(BETA.format(url=NOWHERE, receive_from="as2", more=""))
    yield Desk(world)
    world.close()


@pytest.mark.parametrize("desk", ["sqlite", "postgresql"], indirect=True)
def test_a_message_that_was_taken_is_found_by_its_message_id(desk: Desk) -> None:
    long = f"{'x' * 240}@buyer"
    desk.post("o1@buyer")
    desk.post(long, x12_order("PO2", control=2))
    # before anything was read of it
    assert "file po 1.edi: received by the gateway over as2:big buyer to SELLER" in desk.told("o1@buyer")
    desk.world.settle()
    for reference in ("o1@buyer", "<o1@buyer>", " <o1@buyer> ", "Message-ID: <o1@buyer>"):
        words = desk.told(reference)
        assert "order PO1 (accepted)" in words and "AS2 message o1@buyer received" in words, reference
    assert "order PO2 (accepted)" in desk.told(long) and "order PO2" in desk.told(f"<{long}>")
    assert desk.told("o1@buyer", "beta") == "nothing" and desk.told("o2@buyer") == "nothing"
    with serving(desk.world.station) as site:
        for reference, order in (("%3Co1@buyer%3E", "PO1"), (long, "PO2")):
            assert order in site.get(f"/trail?q={reference}").text
            assert f"<strong>{order}</strong>" in site.get(f"/documents?q={reference}").text


def test_the_same_message_id_of_two_partners_shows_both(desk: Desk) -> None:
    desk.post("o1@buyer")
    desk.post("o1@buyer", x12_order("PO7", sender="BETASTORES"), "beta.edi", us="beta as2")
    desk.world.settle()
    found = trail_of(desk.world.station, "<o1@buyer>")
    assert found is not None and found.partners == ("acme", "beta") and "--partner" in trail_words(found)
    assert sorted(one.partner for one in found.exchanges if one.direction == "received") == ["acme", "beta"], "each has its own proof"
    words = desk.told("o1@buyer", "beta")
    assert "order PO7" in words and "PO1" not in words
    theirs = trail_of(desk.world.station, "o1@buyer", "beta")
    assert theirs is not None and [one.partner for one in theirs.exchanges if one.direction == "received"] == ["beta"]


def test_every_file_of_a_message_is_found(desk: Desk) -> None:
    buyer = Buyer(desk.world, None)  # type: ignore[arg-type]  # nothing is posted to its station
    buyer.post(several(buyer, ("1.edi", x12_order()), ("2.edi", x12_order("PO2", control=2))))
    desk.world.settle()
    words = desk.told("<several@buyer>")
    assert "order PO1 (accepted)" in words and "order PO2 (accepted)" in words


def test_a_message_that_came_again_says_so_in_its_trail(desk: Desk) -> None:
    desk.post("o1@buyer")
    desk.world.settle()
    desk.post("o1@buyer")  # with another Date
    for reference in ("o1@buyer", "PO1"):
        assert "AS2 message o1@buyer: answered again by the gateway, as it was the first time" in desk.told(reference), reference


def test_a_message_that_was_refused_is_found_when_its_row_has_left(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.incoming.as2_refusals.MOST", 1)
    other = {"identities": (identity("somebody else"),)}
    desk.post("o1@buyer", **other)
    desk.post("o2@buyer", **other)
    words = desk.told("<o1@buyer>")
    assert words.splitlines()[0] == "<o1@buyer>: an AS2 message that was refused" and "AS2-SIGNER-UNKNOWN" in words
    assert desk.told("o1@buyer", "beta") == "nothing"
    with desk.world.station.database.read() as connection:
        assert [one.partner for one in as2_requests.named(connection, "o1@buyer")] == ["acme"]


def test_a_receipt_that_fits_nothing_is_found_by_what_it_speaks_of_and_called_a_receipt(desk: Desk) -> None:
    kind = 'multipart/report; report-type=disposition-notification; boundary="b"'
    headers = [("AS2-From", '"big buyer"'), ("AS2-To", "SELLER"), ("Message-ID", "<mdn1@buyer>"), ("Content-Type", kind)]
    report = b"Original-Message-ID: <x@seller>\r\nDisposition: automatic-action/MDN-sent-automatically; processed\r\n"
    body = b"--b\r\nContent-Type: text/plain\r\n\r\nok\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\n" + report + b"\r\n--b--\r\n"
    assert receive_as2(desk.world.station, Relations(desk.world.station), headers, body).status == 200
    words = desk.told("<x@seller>")
    assert words.splitlines()[0] == "<x@seller>: an AS2 request of which nothing was taken"
    assert "AS2 message x@seller: receipt kept by the gateway, although it fits nothing that we sent" in words


def test_a_message_that_was_answered_and_waits_to_be_opened_is_found(desk: Desk) -> None:
    config = (desk.world.folder / "partners" / "acme.yaml").read_text()
    (desk.world.folder / "partners" / "acme.yaml").write_text(config.replace("  box:", "    receipt_addresses: [http://127.0.0.1:9/r]\n  box:"))
    desk.world.close()
    later = {"receipt_delivery": "async", "our_receipt_url": "http://127.0.0.1:9/r"}
    assert desk.post("o1@buyer", **later) == b""
    for reference in ("o1@buyer", "<o1@buyer>"):
        words = desk.told(reference)
        assert "an AS2 message that waits to be opened" in words.splitlines()[0], reference
        assert "AS2 message o1@buyer: taken by the gateway, to be opened" in words
    found = trail_of(desk.world.station, "o1@buyer")
    assert found is not None and [one["message_id"] for one in trail_json(found)["unopened"]] == ["o1@buyer"]
    with serving(desk.world.station) as site:
        assert "waits to be opened" in site.get("/trail?q=o1@buyer").text
    desk.world.settle()
    assert "order PO1 (accepted)" in desk.told("o1@buyer") and "waits" not in desk.told("o1@buyer").splitlines()[0]


def test_a_message_that_we_sent_is_found_with_all_that_left_in_it(tmp_path: Path) -> None:
    with partner_station() as partner:
        world = as2_world(tmp_path, f"{partner.url}/as2", receive_from="as2")
        partner.clock, partner.relation = world.clock, their_relation(require_encryption=False)
        desk = Desk(world)
        desk.post("o1@buyer")
        world.settle()
        with world.station.database.read() as connection:
            sent = as2_sendings.of_rows(connection, [one.id for one in outbox.search(connection, partner="acme")])
        assert len(sent) == 2
        for one in sent:
            words = desk.told(f"<{one.message_id}>")
            assert "order PO1 (accepted)" in words and f"AS2 message {one.message_id} sent" in words
        world.close()
