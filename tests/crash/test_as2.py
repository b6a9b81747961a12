"""Killed at each point of a message's way over AS2, begun again, and looked at from the partner's side: one Message-ID, the same bytes on
every try, one receipt that counts. (What comes in over AS2 is killed in tests/web/test_as2.py.)"""

import signal
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from pathlib import Path

import pytest

from gateway.exchange import as2
from gateway.pipeline.as2.posting import read_kept
from gateway.pipeline.as2.posting import written_head
from gateway.store import journal
from gateway.store.incoming import transmissions
from gateway.store.outgoing import as2_sendings
from gateway.store.outgoing import outbox
from gateway.store.outgoing import receipts
from gateway.store.verifying.verification import verify
from tests.crash.house import ForkServer
from tests.pipeline.as2_partner import PartnerStation
from tests.pipeline.as2_partner import as2_world
from tests.pipeline.as2_partner import partner_station
from tests.pipeline.as2_partner import their_relation
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

ASYNC = "receipt_delivery: async\nour_receipt_url: http://seller.example/as2\n"


@pytest.fixture
def partner() -> Iterator[PartnerStation]:
    with partner_station() as station:
        yield station


def built(folder: Path, partner: PartnerStation, database: str, more: str = "") -> World:
    world = as2_world(folder / "installation", f"{partner.url}/as2", more, database)
    world.clock.now = datetime.now(UTC)
    return world


def response(world: World) -> tuple[outbox.Entry, as2_sendings.Sending, list[str]]:
    """The order response, its message, and what the journal says happened to it."""
    with world.station.database.read() as connection:
        [row] = [row for row in outbox.search(connection) if row.kind == "order_response"]
        sending = as2_sendings.of_row(connection, row.id)
        actions = [one.entry.action for one in journal.of_subject(connection, "outbox", row.id)]
    assert sending is not None
    return row, sending, actions


def demand_whole(world: World) -> None:
    assert not verify(world.station.database, world.station.archive, world.station.journal_key()).faults


def demand_sent_once(world: World, partner: PartnerStation) -> None:
    """The same message on every try, one receipt that counts, one record."""
    row, sending, actions = response(world)
    assert (row.state, sending.receipt_state) == ("sent", "accepted"), (row, sending)
    assert {post.sent for post in partner.posts} == {partner.posts[0].sent}
    assert partner.posts[0].header("message-id") == f"<{sending.message_id}>"
    assert actions.count("order_response sent") == 1
    demand_whole(world)


def put_message(world: World, relation: as2.As2Relation, name: str = "message", number: str = "PO1", id: str = "order@buyer") -> as2.As2Request:
    """A message that the partner posts."""
    message = as2.wrap(x12_order(number), relation, id, datetime.now(UTC), "po.edi")
    assert isinstance(message, as2.As2Request)
    (world.folder / f"{name}.txt").write_bytes(written_head(message.headers) + message.body)
    return message


def demand_taken_once_and_receipted_later(world: World, partner: PartnerStation, message: as2.As2Request, relation: as2.As2Relation) -> None:
    """One receipt, the same on every try, and one transmission."""
    receipts = [post.sent for post in partner.posts if post.path == "/receipts"]
    assert receipts and len(set(receipts)) == 1
    proof = as2.read_mdn(*receipts[0], message.expected, relation, datetime.now(UTC))
    assert proof.delivered and proof.mic_matches
    with world.station.database.read() as connection:
        assert len(transmissions.search(connection, direction="in")) == 1
        assert [row.state for row in outbox.search(connection) if row.kind == "receipt"] == ["sent"]
    demand_whole(world)


def demand_taken_once_and_receipted_at_once(world: World, message: as2.As2Request) -> None:
    """A good receipt in answer.txt, and one transmission."""
    answer = (world.folder / "answer.txt").read_bytes()
    proof = as2.read_mdn(*read_kept(world.station.archive, world.station.archive.keep(answer)), message.expected, their_relation(), datetime.now(UTC))
    assert proof.delivered and proof.mic_matches
    with world.station.database.read() as connection:
        assert len(transmissions.search(connection, direction="in")) == 1
    demand_whole(world)


def demand_each_taken_once(world: World, count: int) -> None:
    """Messages `0@buyer` and those after it."""
    with world.station.database.read() as connection:
        came = transmissions.search(connection, direction="in")
        known = [receipts.find(connection, "big buyer", "SELLER", f"{number}@buyer") for number in range(count)]
    assert sorted(one.source_identity for one in came) == [f"{number}@buyer" for number in range(count)]
    assert {one.transmission for one in known if one is not None} == {one.id for one in came}
    demand_whole(world)


@pytest.mark.parametrize("point", [82, 83, 84, 74, 75, 57, 58])
def test_killed_while_sending_it_posts_the_same_message_again(
    point: int, tmp_path: Path, database_url: str, forks: ForkServer, partner: PartnerStation
) -> None:
    world = built(tmp_path, partner, database_url)
    # the first passages of the general points belong to the acknowledgment, which leaves by folder
    passage = ":2" if point in {57, 58} else ""
    assert forks.run("as2", world.folder, f"{point}{passage}") == -signal.SIGKILL
    assert forks.run("as2", world.folder) == 0
    demand_sent_once(world, partner)
    assert len(partner.posts) == (1 if point in {82, 83, 84, 58} else 2)
    world.close()


@pytest.mark.parametrize("point", [74, 57])
def test_killed_after_the_station_took_it_the_posted_receipt_still_counts(
    point: int, tmp_path: Path, database_url: str, forks: ForkServer, partner: PartnerStation
) -> None:
    world = built(tmp_path, partner, database_url, ASYNC)
    partner.answer = partner.taken
    assert forks.run("as2", world.folder, f"{point}{':2' if point == 57 else ''}") == -signal.SIGKILL
    keep_receipt(world, partner.receipt(partner.posts[0]))
    assert forks.run("as2 hear", world.folder) == 0
    assert forks.run("as2", world.folder) == 0
    row, sending, actions = response(world)
    assert (row.state, sending.receipt_state, len(partner.posts)) == ("sent", "accepted", 1)
    assert actions.count("order_response sent") == 1
    world.close()


@pytest.mark.parametrize("point", [70, 71, 85, 86])
def test_killed_while_a_posted_receipt_is_heard_it_is_heard_once(
    point: int, tmp_path: Path, database_url: str, forks: ForkServer, partner: PartnerStation
) -> None:
    world = built(tmp_path, partner, database_url, ASYNC)
    partner.answer = partner.taken
    assert forks.run("as2", world.folder) == 0
    assert response(world)[0].state == "posted"
    keep_receipt(world, partner.receipt(partner.posts[0]))
    assert forks.run("as2 hear", world.folder, str(point)) == -signal.SIGKILL
    assert forks.run("as2 hear", world.folder) == 0
    row, sending, actions = response(world)
    assert (row.state, sending.receipt_state, len(partner.posts)) == ("sent", "accepted", 1)
    assert actions.count("order_response sent") == 1
    demand_whole(world)
    world.close()


@pytest.mark.parametrize("point", [70, 71, 125, 126, 72, 127, 56, 57, 58])
def test_killed_on_the_way_to_a_posted_receipt_the_partner_gets_one_and_the_same(
    point: int, tmp_path: Path, database_url: str, forks: ForkServer, partner: PartnerStation
) -> None:
    world = as2_world(tmp_path / "installation", f"{partner.url}/as2", f"receipt_addresses: {partner.url}/receipts", database_url, receive_from="as2")
    partner.answer = lambda post: (200, (), b"") if post.path == "/receipts" else partner.receipt_at_once(post)
    relation = their_relation(receipt_delivery="async", our_receipt_url=f"{partner.url}/receipts")
    message = put_message(world, relation)
    assert forks.run("as2 take", world.folder, str(point)) == -signal.SIGKILL
    assert forks.run("as2 take", world.folder) == 0
    demand_taken_once_and_receipted_later(world, partner, message, relation)
    world.close()


@pytest.mark.parametrize("point", [72, 73])
def test_killed_on_the_way_to_a_receipt_at_once_the_message_is_taken_once(
    point: int, tmp_path: Path, database_url: str, forks: ForkServer, partner: PartnerStation
) -> None:
    world = as2_world(tmp_path / "installation", f"{partner.url}/as2", "", database_url, receive_from="as2")
    message = put_message(world, their_relation())
    assert forks.run("as2 take", world.folder, str(point)) == -signal.SIGKILL
    answers = []
    for _ in range(2):
        assert forks.run("as2 take", world.folder) == 0
        answers.append((world.folder / "answer.txt").read_bytes())
    assert answers[0] == answers[1]
    demand_taken_once_and_receipted_at_once(world, message)
    world.close()


@pytest.mark.parametrize("point", ["70", "10:2", "71", "72", "26", "73"])
def test_killed_while_several_messages_are_taken_in_together_each_is_taken_once(
    point: str, tmp_path: Path, database_url: str, forks: ForkServer, partner: PartnerStation
) -> None:
    world = as2_world(tmp_path / "installation", f"{partner.url}/as2", "", database_url, receive_from="as2")
    for number in range(3):
        put_message(world, their_relation(), f"message-{number}", f"PO{number}", f"{number}@buyer")
    assert forks.run("as2 together", world.folder, point) == -signal.SIGKILL
    assert forks.run("as2 together", world.folder) == 0
    demand_each_taken_once(world, 3)
    world.close()


def keep_receipt(world: World, receipt: as2.MdnResponse) -> None:
    (world.folder / "receipt.txt").write_bytes(written_head(receipt.headers) + receipt.body)
