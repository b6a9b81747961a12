"""Whatever wake-ups were lost, a sweep finds all open work; and a sole sender frees what its dead predecessor held."""

from datetime import timedelta

from gateway.store import streams
from gateway.store.database import Database
from gateway.store.incoming import transmissions
from gateway.store.outgoing import outbox
from gateway.store.outgoing import tries
from gateway.store.outgoing.tries import Preparation
from gateway.store.trading import handovers
from gateway.store.trading.handovers import Handover
from gateway.store.turns import Turns
from gateway.store.working.sweep import streams_with_work
from tests.store.made import MINUTE
from tests.store.made import NOW
from tests.store.made import document
from tests.store.made import entry
from tests.store.made import insert
from tests.store.made import transmission


def test_all_open_work_is_found_without_any_poke(database: Database) -> None:
    with database.begin() as connection:
        assert streams_with_work(connection, NOW) == []
        transmissions.register(connection, transmission())
        insert(connection, document("D1"), document("D2", stream="later", due_at=NOW + MINUTE), document("D3", stream="finished", state="accepted"))
        outbox.enqueue(connection, [entry(), entry("late", stream="out/late", due_at=NOW + MINUTE)])
        handovers.offer(connection, [Handover(id="H", document="D1", target="erp", kind="order", body="", created_at=NOW, due_at=NOW)])
        streams.poke(connection, "poked")
        assert streams_with_work(connection, NOW) == ["erp:handover", "in/acme", "out/acme", "poked", "trade/acme"]
        assert streams_with_work(connection, NOW + MINUTE) == ["erp:handover", "in/acme", "later", "out/acme", "out/late", "poked", "trade/acme"]


def test_a_sole_sender_frees_what_its_dead_predecessor_held_and_keeps_identities(database: Database) -> None:
    with database.begin() as connection:
        outbox.enqueue(connection, [entry("a"), entry("b"), entry("c")])
        tries.claim(connection, stream="out/acme", now=NOW, lease=timedelta(minutes=9), limit=2, token="dead")
        tries.prepare(connection, "dead", [Preparation(id="a", identity="file1", sha256="ab" * 32)])
        assert outbox.streams_due(connection, NOW) == []
        assert tries.forget_leases(connection) == 2
        taken = tries.claim(connection, stream="out/acme", now=NOW, lease=MINUTE, limit=10, token="new")
        assert [(one.id, one.state, one.identity) for one in taken] == [("a", "prepared", "file1"), ("b", "claimed", None), ("c", "claimed", None)]


def test_acknowledgments_of_an_interchange(database: Database) -> None:
    with database.begin() as connection:
        outbox.enqueue(connection, [entry("I1:997"), entry("I1:TA1"), entry("I10:997"), entry("I1")])
        assert [one.id for one in outbox.of_interchange(connection, "I1")] == ["I1:997", "I1:TA1"]


def test_turns_are_given_in_the_order_of_asking() -> None:
    import threading

    turns = Turns()
    order: list[int] = []
    assert turns.take(1)

    def work(number: int) -> None:
        assert turns.take(10)
        order.append(number)
        turns.give()

    threads = []
    for number in range(5):
        thread = threading.Thread(target=work, args=(number,))
        thread.start()
        threads.append(thread)
        while len(turns._waiting) <= number:
            pass
    turns.give()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_who_gives_up_waiting_does_not_keep_the_turn() -> None:
    turns = Turns()
    assert turns.take(1)
    assert not turns.take(0.01)
    turns.give()
    assert turns.take(0.01)
