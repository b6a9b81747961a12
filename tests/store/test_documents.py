"""Documents: inserted once, changed only from where they were, in order, counted."""

import random
from collections import Counter

import pytest

from gateway.problem import Problem
from gateway.problem import Severity
from gateway.store.database import Database
from gateway.store.incoming import interchanges
from gateway.store.incoming import transmissions
from gateway.store.records import documents
from gateway.store.records.documents import Filters
from gateway.store.rows import StaleState
from tests.store.made import MINUTE
from tests.store.made import NOW
from tests.store.made import change
from tests.store.made import document
from tests.store.made import insert
from tests.store.made import interchange
from tests.store.made import transmission


def ids(found: list[documents.Document]) -> list[str]:
    return [one.id for one in found]


def test_a_document_comes_back_whole(database: Database) -> None:
    problems = (Problem(code="X", severity=Severity.WARNING, message="m"),)
    whole = document(
        hold_key="acme/1",
        byte_offset=5,
        byte_length=6,
        sha256="ab" * 32,
        amount_minor=2**40,
        currency="USD",
        problems=problems,
        result="{}",
        plan_digests={"mapping": "d"},
        due_at=NOW,
        test=True,
        body='{"number": "ü"}',
    )
    with database.begin() as connection:
        inserted = insert(connection, whole)
        assert documents.get(connection, "D1") == inserted[0]
        assert documents.get_many(connection, ["D1", "none"]) == {"D1": inserted[0]}
        assert documents.get(connection, "none") is None


def test_a_repeated_chunk_cannot_double(database: Database) -> None:
    with database.begin() as connection:
        transmissions.register(connection, transmission())
        interchanges.open_one(connection, interchange())
        insert(connection, *(document(f"D{n}", interchange="I1", transmission="T1", ordinal=n) for n in range(3)))
    with pytest.raises(StaleState):
        with database.begin() as connection:
            insert(connection, *(document(f"E{n}", interchange="I1", transmission="T1", ordinal=n) for n in range(3)))
    with database.read() as connection:
        assert ids(documents.of_interchange(connection, "I1")) == ["D0", "D1", "D2"]
        assert ids(documents.of_interchange(connection, "I1", after_ordinal=0, limit=1)) == ["D1"]
        assert ids(documents.of_transmission(connection, "T1")) == ["D0", "D1", "D2"]


def test_sequence_follows_the_order_given(database: Database) -> None:
    with database.begin() as connection:
        inserted = insert(connection, document("B"), document("A"), document("C", stream="other"))
        assert [one.seq for one in inserted] == [1, 2, 1]
        assert ids(documents.next_registered(connection, "trade/acme", 10, NOW)) == ["B", "A"]
        assert documents.streams_registered(connection, NOW) == ["other", "trade/acme"]


def test_a_change_waits_for_the_order_before_it_only_until_that_is_registered_no_longer(database: Database) -> None:
    with database.begin() as connection:
        insert(
            connection,
            document("ORDER", hold_key="acme/1"),
            document("CHANGE", hold_key="acme/1"),
            document("ELSE", hold_key="acme/2"),
            document("FREE"),
        )
        assert ids(documents.next_registered(connection, "trade/acme", 10, NOW)) == ["ORDER", "ELSE", "FREE"]
        documents.transition(connection, [change("ORDER", "registered", "held")])
        assert ids(documents.next_registered(connection, "trade/acme", 10, NOW)) == ["CHANGE", "ELSE", "FREE"]


def test_a_change_waits_while_the_order_is_retried(database: Database) -> None:
    with database.begin() as connection:
        insert(connection, document("ORDER", hold_key="acme/1"), document("CHANGE", hold_key="acme/1"))
        documents.transition(connection, [change("ORDER", "registered", "registered", due_at=NOW + MINUTE, attempts=1)])
        assert ids(documents.next_registered(connection, "trade/acme", 10, NOW)) == []
        assert documents.streams_registered(connection, NOW) == ["trade/acme"]
        found = documents.next_registered(connection, "trade/acme", 10, NOW + MINUTE)
        assert ids(found) == ["ORDER"]
        assert found[0].attempts == 1


def test_a_state_changes_only_from_where_it_was_and_its_history_is_kept(database: Database) -> None:
    with database.begin() as connection:
        insert(connection, document())
        documents.transition(connection, [change("D1", "registered", "held", reason="credit", amount_minor=500, currency="USD", number="N")])
        documents.transition(
            connection, [change("D1", "held", "accepted", actor="ann", at=NOW + MINUTE, body='{"b": 1}', plan_digests={"rules": "r"})]
        )
        for expected in ("held", "registered"):
            with pytest.raises(StaleState, match="D1 is accepted"):
                documents.transition(connection, [change("D1", expected, "rejected")])
        with pytest.raises(StaleState, match="does not exist"):
            documents.transition(connection, [change("none", "held", "rejected")])
        history = documents.history(connection, "D1")
        now = documents.get(connection, "D1")
    assert [(one.transition_no, one.state_before, one.state, one.actor) for one in history] == [
        (1, None, "registered", "system"),
        (2, "registered", "held", "system"),
        (3, "held", "accepted", "ann"),
    ]
    assert now is not None
    assert (now.state, now.transition_no, now.amount_minor, now.number, now.body, now.plan_digests) == (
        "accepted",
        3,
        500,
        "N",
        '{"b": 1}',
        {"rules": "r"},
    )


def test_a_stale_change_writes_nothing_of_its_batch(database: Database) -> None:
    with database.begin() as connection:
        insert(connection, document("D1"), document("D2"))
        with pytest.raises(StaleState):
            documents.transition(connection, [change("D1", "registered", "accepted"), change("D2", "held", "accepted")])
        assert ids(documents.next_registered(connection, "trade/acme", 10, NOW)) == ["D1", "D2"]


def test_one_document_may_change_twice_in_a_batch(database: Database) -> None:
    with database.begin() as connection:
        insert(connection, document("D1"), document("D2"))
        documents.transition(
            connection, [change("D1", "registered", "accepted"), change("D2", "registered", "held"), change("D1", "accepted", "done")]
        )
        assert [one.state for one in documents.history(connection, "D1")] == ["registered", "accepted", "done"]


def test_two_workers_cannot_both_change_a_document(migrated_postgres_url: str) -> None:
    from gateway.store.database import open_database

    database = open_database(migrated_postgres_url)
    with database.begin() as connection:
        insert(connection, document())
    import threading

    outcomes: list[str] = []
    barrier = threading.Barrier(2)

    def work() -> None:
        barrier.wait()
        try:
            with database.begin() as connection:
                documents.transition(connection, [change("D1", "registered", "accepted")])
            outcomes.append("done")
        except StaleState:
            outcomes.append("stale")

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "stale"]
    database.close()


def test_counters_always_say_what_a_count_would_say(database: Database) -> None:
    chance = random.Random(7)
    states = ("registered", "held", "accepted")
    with database.begin() as connection:
        made = insert(
            connection,
            *(
                document(
                    f"D{n}",
                    partner=chance.choice(("a", "b")),
                    kind=chance.choice(("order", "invoice")),
                    test=n % 5 == 0,
                    stream=chance.choice(("s", "t")),
                )
                for n in range(40)
            ),
        )
        present = {one.id: one.state for one in made}
        for _ in range(10):
            chosen = chance.sample(sorted(present), 8)
            moves = {id: chance.choice(states) for id in chosen}
            documents.transition(connection, [change(id, present[id], state) for id, state in moves.items()])
            present.update(moves)
        wanted = Counter((one.partner, one.direction, one.kind, present[one.id], one.test) for one in made)
        counted = {(one.partner, one.direction, one.kind, one.state, one.test): one.count for one in documents.counts(connection)}
    assert counted == dict(wanted)


def test_pages_of_documents_neither_repeat_nor_skip(database: Database) -> None:
    with database.begin() as connection:
        insert(connection, *(document(f"D{n:02}", created_at=NOW + (n // 3) * MINUTE) for n in range(10)))
        seen: list[str] = []
        after = None
        while page := documents.search(connection, Filters(), after=after, limit=4):
            seen += ids(page)
            after = (page[-1].created_at, page[-1].id)
    assert seen == [f"D{n:02}" for n in range(9, -1, -1)]


def test_filters_of_a_list(database: Database) -> None:
    with database.begin() as connection:
        insert(
            connection,
            document("D1"),
            document("D2", partner="beta", created_at=NOW + MINUTE),
            document("D3", kind="invoice", direction="out", test=True),
        )
        documents.transition(connection, [change("D2", "registered", "held")])
        for filters, wanted in (
            (Filters(partner="beta"), ["D2"]),
            (Filters(states=("held",)), ["D2"]),
            (Filters(states=("held", "registered")), ["D2", "D3", "D1"]),
            (Filters(kind="invoice"), ["D3"]),
            (Filters(direction="in"), ["D2", "D1"]),
            (Filters(number="PO-D1"), ["D1"]),
            (Filters(test=False), ["D2", "D1"]),
            (Filters(since=NOW + MINUTE), ["D2"]),
            (Filters(until=NOW + MINUTE), ["D3", "D1"]),
            (Filters(partner="acme", kind="invoice"), ["D3"]),
        ):
            assert ids(documents.search(connection, filters)) == wanted, filters


def test_a_body_is_replaced(database: Database) -> None:
    with database.begin() as connection:
        insert(connection, document())
        documents.set_body(connection, "D1", '{"a": 1}')
        assert documents.get(connection, "D1").body == '{"a": 1}'  # type: ignore[union-attr]
        with pytest.raises(StaleState):
            documents.set_body(connection, "none", "{}")
