"""Transmissions and interchanges."""

import threading

import msgspec
import pytest

from gateway.problem import Place
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.store.database import Database
from gateway.store.incoming import interchanges
from gateway.store.incoming import transmissions
from gateway.store.rows import StaleState
from tests.store.made import MINUTE
from tests.store.made import NOW
from tests.store.made import interchange
from tests.store.made import transmission

PROBLEM = Problem(code="FILE-EMPTY", severity=Severity.ERROR, message="nothing in it", place=Place(offset=0))


def test_a_second_fetch_of_the_same_file_is_harmless(database: Database) -> None:
    with database.begin() as connection:
        first, fresh = transmissions.register(connection, transmission("T1", source_identity="a"))
        again, fresh_again = transmissions.register(connection, transmission("T2", source_identity="a"))
        other, fresh_other = transmissions.register(connection, transmission("T3", source_identity="b"))
    assert (fresh, fresh_again, fresh_other) == (True, False, True)
    assert again == first
    assert (first.seq, other.seq) == (1, 2)


def test_the_same_name_with_other_bytes_or_from_another_endpoint_is_another_delivery(database: Database) -> None:
    with database.begin() as connection:
        for number, fields in enumerate(({}, {"sha256": "cd" * 32}, {"endpoint": "other"})):
            assert transmissions.register(connection, transmission(f"T{number}", source_identity="a", **fields))[1]


def test_two_pollers_register_one_file_once(database: Database) -> None:
    fresh: list[bool] = []

    def work(id: str) -> None:
        with database.begin() as connection:
            fresh.append(transmissions.register(connection, transmission(id, source_identity="same"))[1])

    threads = [threading.Thread(target=work, args=(f"T{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(fresh) == [False, False, False, True]


def test_what_we_sent_twice_is_two_transmissions(database: Database) -> None:
    with database.begin() as connection:
        for id in ("T1", "T2"):
            assert transmissions.register(connection, transmission(id, direction="out", source_identity="a", state="done"))[1]
        assert not transmissions.register(connection, transmission("T2", direction="out", source_identity="a"))[1]


def test_transmissions_are_opened_in_order(database: Database) -> None:
    with database.begin() as connection:
        for id in ("T2", "T1"):
            transmissions.register(connection, transmission(id))
        assert transmissions.streams_open(connection) == ["in/acme"]
        [first] = transmissions.next_open(connection, "in/acme")
        assert first is not None and first.id == "T2"
        assert transmissions.set_state(connection, "T2", "received", "opening")
        assert transmissions.next_open(connection, "in/acme")[0].id == "T2"
        assert transmissions.set_state(connection, "T2", "opening", "held", problems=(PROBLEM,), partner="acme")
        assert transmissions.next_open(connection, "in/acme")[0].id == "T1"
        assert not transmissions.set_state(connection, "T2", "opening", "done")
        held = transmissions.get(connection, "T2")
        assert held is not None and held.problems == (PROBLEM,) and held.partner == "acme"


def test_bytes_that_came_before_are_found(database: Database) -> None:
    with database.begin() as connection:
        transmissions.register(connection, transmission("T1"))
        transmissions.register(connection, transmission("T2", received_at=NOW + MINUTE))
        assert [one.id for one in transmissions.with_bytes(connection, "ab" * 32)] == ["T1", "T2"]


def test_pages_of_transmissions_neither_repeat_nor_skip(database: Database) -> None:
    with database.begin() as connection:
        for number in range(7):
            transmissions.register(connection, transmission(f"T{number}", received_at=NOW + (number // 2) * MINUTE))
        seen: list[str] = []
        after = None
        while page := transmissions.search(connection, after=after, limit=2):
            seen += [one.id for one in page]
            after = (page[-1].received_at, page[-1].id)
    assert seen == ["T6", "T5", "T4", "T3", "T2", "T1", "T0"]


def test_names_from_broken_files_do_not_stop_a_batch(database: Database) -> None:
    name = "a\x00b\udc80\u00fc"
    with database.begin() as connection:
        transmissions.register(connection, transmission("T1", name=name, properties={"x": "a\x00b"}))
        kept = transmissions.get(connection, "T1")
    assert kept is not None
    assert kept.name == "a\u2400b?\u00fc"
    assert kept.properties == {"x": "a\x00b"}


def test_an_interchange_is_begun_once_and_resumed(database: Database) -> None:
    with database.begin() as connection:
        transmissions.register(connection, transmission())
        opened, fresh = interchanges.open_one(connection, interchange("I1"))
        assert fresh
        interchanges.advance(connection, "I1", expected_cursor=0, cursor=100, byte_offset=5000, envelope='{"x": 1}')
        again, fresh = interchanges.open_one(connection, interchange("I2"))
        assert not fresh
        assert again == msgspec.structs.replace(opened, cursor=100, byte_offset=5000, envelope='{"x": 1}')


def test_a_chunk_cannot_be_done_twice(database: Database) -> None:
    with database.begin() as connection:
        transmissions.register(connection, transmission())
        interchanges.open_one(connection, interchange())
        interchanges.advance(connection, "I1", expected_cursor=0, cursor=100, byte_offset=5000)
        with pytest.raises(StaleState):
            interchanges.advance(connection, "I1", expected_cursor=0, cursor=100, byte_offset=5000)
        interchanges.finish(connection, "I1", at=NOW, outcome="accepted")
        with pytest.raises(StaleState):
            interchanges.finish(connection, "I1", at=NOW, outcome="accepted")
        with pytest.raises(StaleState):
            interchanges.advance(connection, "I1", expected_cursor=100, cursor=200, byte_offset=9000)
        done = interchanges.get(connection, "I1")
        assert done is not None and (done.state, done.outcome, done.finished_at) == ("done", "accepted", NOW)
        assert interchanges.of_transmission(connection, "T1") == [done]


def test_a_held_interchange_goes_on(database: Database) -> None:
    with database.begin() as connection:
        transmissions.register(connection, transmission())
        interchanges.open_one(connection, interchange())
        interchanges.finish(connection, "I1", at=NOW, state="held")
        interchanges.reopen(connection, "I1")
        with pytest.raises(StaleState):
            interchanges.reopen(connection, "I1")
        interchanges.advance(connection, "I1", expected_cursor=0, cursor=1, byte_offset=1)


def test_a_control_number_seen_before_is_found(database: Database) -> None:
    with database.begin() as connection:
        for number in (1, 2):
            transmissions.register(connection, transmission(f"T{number}"))
            interchanges.open_one(connection, interchange(f"I{number}", transmission=f"T{number}", opened_at=NOW + number * MINUTE))
        search = {"partner": "acme", "sender": "ZZ:ACME", "receiver": "ZZ:US", "control_number": "000000001"}
        assert [one.id for one in interchanges.find_by_control(connection, **search)] == ["I2", "I1"]  # type: ignore[arg-type]
        assert [one.id for one in interchanges.find_by_control(connection, **search, excluding_transmission="T2")] == ["I1"]  # type: ignore[arg-type]
        assert interchanges.find_by_control(connection, **{**search, "receiver": "ZZ:ELSE"}) == []  # type: ignore[arg-type]
        assert len(interchanges.find_by_control(connection, **{**search, "partner": None})) == 2  # type: ignore[arg-type]


def test_many_are_registered_in_their_order_and_each_once(database: Database) -> None:
    with database.begin() as connection:
        transmissions.register(connection, transmission("T0", source_identity="b"))
    batch = [transmission(f"T{number}", source_identity=source) for number, source in enumerate("abca", 1)]
    with database.begin() as connection:
        told = transmissions.register_many(connection, batch)
    assert [(one.id, fresh) for one, fresh in told] == [("T1", True), ("T0", False), ("T3", True), ("T1", False)]
    with database.begin() as connection:
        again = transmissions.register_many(connection, batch)
        assert transmissions.register_many(connection, []) == []
    assert [(one.id, fresh) for one, fresh in again] == [("T1", False), ("T0", False), ("T3", False), ("T1", False)]
    assert told[0][0].seq < told[2][0].seq == again[2][0].seq
