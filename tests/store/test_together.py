"""Whole steps of several workers at once: nothing lost, nothing doubled, nobody waits for each other in a circle."""

import threading
from datetime import timedelta
from decimal import Decimal

from gateway.model.facts import Item
from gateway.store import journal
from gateway.store import streams
from gateway.store.database import Database
from gateway.store.journal import Entry
from gateway.store.outgoing import controls
from gateway.store.outgoing import outbox
from gateway.store.outgoing import tries
from gateway.store.outgoing.tries import Preparation
from gateway.store.records import documents
from gateway.store.records import references
from gateway.store.records.references import Reference
from gateway.store.trading import masterdata
from gateway.store.trading import stock
from gateway.store.trading.stock import Reservation
from gateway.store.trading.stock import Stock
from gateway.store.verifying.verification import verify
from tests.store.made import NOW
from tests.store.made import change
from tests.store.made import document
from tests.store.made import entry
from tests.store.made import insert

WORKERS, ROUNDS, BATCH = 4, 6, 5
ITEMS = [f"V{number}" for number in range(6)]


def _decide(database: Database, worker: int, round: int) -> None:
    """Insert and decide a batch in the worker's own stream; stock, outbox stream and journal stream are everybody's."""
    ids = [f"D{worker}-{round}-{number}" for number in range(BATCH)]
    with database.begin() as connection:
        assert streams.take(connection, f"trade/{worker}")
        insert(connection, *(document(id, stream=f"trade/{worker}") for id in ids))
        items = ITEMS[worker % 3 :] + ITEMS[: worker % 3]
        assert stock.levels(connection, items)
        documents.transition(connection, [change(id, "registered", "accepted") for id in reversed(ids)])
        stock.reserve(
            connection, [Reservation(document=id, line="1", item=items[n], quantity=Decimal(1), cause="reserve", at=NOW) for n, id in enumerate(ids)]
        )
        references.add(connection, [Reference(document=id, kind="number", value=id) for id in ids])
        outbox.enqueue(connection, [entry(f"{id}:1", document=id) for id in ids])
        journal.append(
            connection, [Entry(stream="acme", at=NOW, actor="system", action="accepted", subject_kind="document", subject=id) for id in ids]
        )
        streams.poke(connection, "out/acme")


def _send(database: Database, worker: int) -> list[tuple[str, str]]:
    """Claim, prepare and send what is there, by lease and one at a time in the stream."""
    token = f"w{worker}"
    with database.begin() as connection:
        if not streams.take(connection, "out/acme"):
            return []
        taken = tries.claim(connection, stream="out/acme", now=NOW, lease=timedelta(minutes=5), limit=7, token=token)
        if not taken:
            return []
        control = str(controls.draw(connection, "acme", "us", "interchange"))
        tries.prepare(
            connection, token, [Preparation(id=one.id, identity=f"file{control}", sha256="ab" * 32, interchange_control=control) for one in taken]
        )
    with database.begin() as connection:
        tries.sent(connection, [one.id for one in taken], token, NOW)
        journal.append(
            connection, [Entry(stream="acme", at=NOW, actor="system", action="sent", subject_kind="outbox", subject=one.id) for one in taken]
        )
    return [(one.id, control) for one in taken]


def test_workers_and_senders_at_once(database: Database) -> None:
    with database.begin() as connection:
        masterdata.put_items(connection, [Item(number=number) for number in ITEMS])
        stock.put_stock(connection, [Stock(item=number, on_hand=Decimal(1000), at=NOW) for number in ITEMS])
    failures: list[BaseException] = []
    sent: list[tuple[str, str]] = []

    def work(worker: int) -> None:
        try:
            for round in range(ROUNDS):
                _decide(database, worker, round)
                sent.extend(_send(database, worker))
        except BaseException as error:  # noqa: BLE001  told to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    while left := _send(database, 99):
        sent.extend(left)
    everything = WORKERS * ROUNDS * BATCH
    assert len(sent) == len({id for id, _ in sent}) == everything
    numbers = sorted({int(control) for _, control in sent})
    assert numbers == list(range(1, len(numbers) + 1))
    with database.read() as connection:
        assert sum(one.count for one in documents.counts(connection)) == everything
        assert [one.state for one in documents.counts(connection)] == ["accepted"]
        assert stock.check_reserved(connection) == []
    verified = verify(database, None, None)
    assert (verified.faults, verified.entries) == ([], everything * 2)
