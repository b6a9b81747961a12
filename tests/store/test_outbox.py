"""The outbox: once, in order, by lease, acknowledged."""

from datetime import timedelta

import pytest

from gateway.store.database import Database
from gateway.store.outgoing import awaited
from gateway.store.outgoing import deliveries
from gateway.store.outgoing import outbox
from gateway.store.outgoing import tries
from gateway.store.outgoing.tries import Preparation
from gateway.store.rows import StaleState
from tests.store.made import MINUTE
from tests.store.made import NOW
from tests.store.made import entry

LEASE = timedelta(minutes=2)


def claim(connection, token="t1", now=NOW, limit=10):  # type: ignore[no-untyped-def]
    return [one.id for one in tries.claim(connection, stream="out/acme", now=now, lease=LEASE, limit=limit, token=token)]


def prepare(connection, *ids, token="t1", identity="file1", **fields):  # type: ignore[no-untyped-def]
    tries.prepare(
        connection,
        token,
        [
            Preparation(
                **{
                    "id": id,
                    "identity": identity,
                    "sha256": "ab" * 32,
                    "transaction_type": "856",
                    "interchange_control": "000000007",
                    "group_control": "7",
                    "transaction_control": f"{number:04}",
                    **fields,
                }
            )
            for number, id in enumerate(ids, 1)
        ],
    )


def state(connection, id):  # type: ignore[no-untyped-def]
    return outbox.get_existing(connection, id).state


def test_the_same_leg_is_enqueued_once(database: Database) -> None:
    with database.begin() as connection:
        assert outbox.enqueue(connection, [entry("a"), entry("b"), entry("a")]) == ["a", "b"]
        assert outbox.enqueue(connection, [entry("b", body="other"), entry("c")]) == ["c"]
        assert [outbox.get_existing(connection, id).seq for id in ("a", "b", "c")] == [1, 2, 3]
        assert outbox.get_existing(connection, "b").body == ""
        assert outbox.enqueue(connection, []) == []


def test_rows_leave_in_order(database: Database) -> None:
    with database.begin() as connection:
        outbox.enqueue(connection, [entry("c"), entry("b"), entry("a", stream="else"), entry("d")])
        assert outbox.streams_due(connection, NOW) == ["else", "out/acme"]
        assert claim(connection, limit=2) == ["c", "b"]
        assert claim(connection, "t2") == []
        assert outbox.streams_due(connection, NOW) == ["else"]


def test_a_row_in_its_undo_window_keeps_the_later_ones_back(database: Database) -> None:
    with database.begin() as connection:
        outbox.enqueue(connection, [entry("a"), entry("b", due_at=NOW + MINUTE), entry("c")])
        assert claim(connection) == ["a"]
        prepare(connection, "a")
        tries.sent(connection, ["a"], "t1", NOW)
        assert claim(connection) == []
        assert outbox.streams_due(connection, NOW) == []
        assert outbox.next_due(connection) == NOW + MINUTE
        assert deliveries.cancel(connection, "b")
        assert claim(connection) == ["c"]
        assert not deliveries.cancel(connection, "c")


def test_a_lease_that_ran_out_is_taken_over_and_the_first_holder_cannot_record_any_more(database: Database) -> None:
    with database.begin() as connection:
        outbox.enqueue(connection, [entry("a")])
        assert claim(connection) == ["a"]
        prepare(connection, "a", identity="file1")
        assert claim(connection, "t2", NOW + MINUTE) == []
        taken = tries.claim(connection, stream="out/acme", now=NOW + 3 * MINUTE, lease=LEASE, limit=10, token="t2")
        assert [(one.state, one.identity, one.transaction_control, one.attempts) for one in taken] == [("prepared", "file1", "0001", 2)]
        with pytest.raises(StaleState):
            tries.sent(connection, ["a"], "t1", NOW)
        with pytest.raises(StaleState):
            tries.failed(connection, ["a"], "t1", NOW, "late")
        tries.sent(connection, ["a"], "t2", NOW + 3 * MINUTE)
        assert state(connection, "a") == "sent"


def test_identity_is_given_once_and_the_same_on_every_try(database: Database) -> None:
    with database.begin() as connection:
        outbox.enqueue(connection, [entry("a")])
        claim(connection)
        prepare(connection, "a")
        with pytest.raises(StaleState):
            prepare(connection, "a", identity="file2")
        tries.failed(connection, ["a"], "t1", NOW + MINUTE, "connection refused")
        row = outbox.get_existing(connection, "a")
        assert (row.state, row.identity, row.last_error, row.lease_token) == ("prepared", "file1", "connection refused", None)
        assert claim(connection, "t2") == []
        assert claim(connection, "t2", NOW + MINUTE) == ["a"]
        with pytest.raises(StaleState):
            prepare(connection, "a", token="t2", identity="file2")


def test_a_try_that_fails_before_the_row_is_prepared_starts_over(database: Database) -> None:
    with database.begin() as connection:
        outbox.enqueue(connection, [entry("a")])
        claim(connection)
        tries.failed(connection, ["a"], "t1", NOW, "disk full")
        assert state(connection, "a") == "waiting"
        assert outbox.get_existing(connection, "a").attempts == 1


def test_rows_given_back_untried_cost_no_attempt(database: Database) -> None:
    with database.begin() as connection:
        outbox.enqueue(connection, [entry("a")])
        claim(connection)
        tries.unclaim(connection, ["a"], "t1")
        row = outbox.get_existing(connection, "a")
        assert (row.state, row.attempts) == ("waiting", 0)


def test_a_dead_row_keeps_nobody_back_and_can_be_revived(database: Database) -> None:
    with database.begin() as connection:
        outbox.enqueue(connection, [entry("a"), entry("b")])
        tries.claim(connection, stream="out/acme", now=NOW, lease=LEASE, limit=1, token="t1")
        prepare(connection, "a")
        tries.dead(connection, ["a"], "t1", "rejected by the server")
        assert claim(connection, "t2") == ["b"]
        assert deliveries.revive(connection, "a", NOW)
        assert not deliveries.revive(connection, "a", NOW)
        row = outbox.get_existing(connection, "a")
        assert (row.state, row.identity, row.attempts) == ("prepared", "file1", 0)


def test_a_long_sending_prolongs_its_lease(database: Database) -> None:
    with database.begin() as connection:
        outbox.enqueue(connection, [entry("a")])
        claim(connection)
        tries.extend(connection, ["a"], "t1", NOW + 9 * MINUTE)
        assert claim(connection, "t2", NOW + 5 * MINUTE) == []
        with pytest.raises(StaleState):
            tries.extend(connection, ["a"], "t2", NOW)


def acknowledge(connection, *, partner="acme", outcome, at=NOW, **numbers):  # type: ignore[no-untyped-def]
    """Find what an answer speaks of, note it there, and say how the rows stand now."""
    found = awaited.find_sent(connection, partner=partner, **numbers)
    awaited.note(connection, [one.id for one in found], outcome, at)
    return [outbox.get_existing(connection, one.id) for one in found]


def _send(connection, *ids, ack_due_at=NOW + 60 * MINUTE, **fields):  # type: ignore[no-untyped-def]
    outbox.enqueue(connection, [entry(id, expects_ack=True) for id in ids])
    claim(connection)
    prepare(connection, *ids, **fields)
    tries.sent(connection, ids, "t1", NOW, ack_due_at)


def test_an_acknowledgment_finds_its_transaction_whatever_the_zeros(database: Database) -> None:
    with database.begin() as connection:
        _send(connection, "a", "b")
        found = acknowledge(
            connection, partner="acme", outcome="accepted", at=NOW, group_control="0007", transaction_control="2", transaction_types=("856",)
        )
        assert [(one.id, one.state, one.ack_state) for one in found] == [("b", "acknowledged", "accepted")]
        assert state(connection, "a") == "sent"
        found = acknowledge(connection, partner="acme", outcome="rejected", at=NOW, group_control="7", transaction_control="0001")
        assert [(one.id, one.state) for one in found] == [("a", "rejected")]


def test_an_acknowledgment_of_the_group_leaves_a_rejected_transaction_rejected(database: Database) -> None:
    with database.begin() as connection:
        _send(connection, "a", "b")
        acknowledge(connection, partner="acme", outcome="rejected", at=NOW, group_control="7", transaction_control="0001")
        found = acknowledge(connection, partner="acme", outcome="accepted", at=NOW, group_control="7", transaction_types=("856",))
        assert [(one.id, one.state) for one in found] == [("a", "rejected"), ("b", "acknowledged")] or [(one.id, one.state) for one in found] == [
            ("b", "acknowledged"),
            ("a", "rejected"),
        ]


def test_an_acknowledgment_of_nothing_that_we_sent_says_so(database: Database) -> None:
    with database.begin() as connection:
        _send(connection, "a")
        for fields in ({"group_control": "8"}, {"group_control": "7", "transaction_types": ("810",)}, {"interchange_control": "70"}):
            assert acknowledge(connection, partner="acme", outcome="accepted", at=NOW, **fields) == []  # type: ignore[arg-type]
        assert acknowledge(connection, partner="beta", outcome="accepted", at=NOW, group_control="7") == []
        with pytest.raises(ValueError, match="control number"):
            acknowledge(connection, partner="acme", outcome="accepted", at=NOW)


def test_numbers_used_again_mean_the_latest_sending(database: Database) -> None:
    with database.begin() as connection:
        _send(connection, "old", identity="file1")
        outbox.enqueue(connection, [entry("new", expects_ack=True, created_at=NOW + MINUTE)])
        claim(connection)
        prepare(connection, "new", identity="file2")
        tries.sent(connection, ["new"], "t1", NOW + MINUTE, NOW + 60 * MINUTE)
        found = acknowledge(connection, partner="acme", outcome="accepted", at=NOW, interchange_control="7")
        assert [one.id for one in found] == ["new"]
        assert state(connection, "old") == "sent"


def test_an_acknowledgment_quicker_than_our_record_of_the_sending_is_not_lost(database: Database) -> None:
    with database.begin() as connection:
        outbox.enqueue(connection, [entry("a", expects_ack=True)])
        claim(connection)
        prepare(connection, "a")
        assert [one.state for one in acknowledge(connection, partner="acme", outcome="accepted", at=NOW, group_control="7")] == ["acknowledged"]
        tries.sent(connection, ["a"], "t1", NOW, NOW + 60 * MINUTE)
        row = outbox.get_existing(connection, "a")
        assert (row.state, row.ack_state, row.ack_due_at, row.lease_token) == ("acknowledged", "accepted", None, None)


def test_what_is_acknowledged_is_not_sent_again_when_the_try_looked_failed(database: Database) -> None:
    with database.begin() as connection:
        outbox.enqueue(connection, [entry("a", expects_ack=True)])
        claim(connection)
        prepare(connection, "a")
        acknowledge(connection, partner="acme", outcome="accepted", at=NOW, group_control="7")
        tries.failed(connection, ["a"], "t1", NOW, "connection reset")
        assert state(connection, "a") == "acknowledged"
        assert claim(connection, "t2", NOW + 10 * MINUTE) == []


def test_an_acknowledgment_that_does_not_come_is_overdue_and_may_still_come(database: Database) -> None:
    with database.begin() as connection:
        _send(connection, "a", ack_due_at=NOW + MINUTE)
        assert awaited.overdue(connection, NOW) == []
        assert [one.id for one in awaited.overdue(connection, NOW + MINUTE)] == ["a"]
        assert awaited.mark_overdue(connection, "a")
        assert not awaited.mark_overdue(connection, "a")
        assert awaited.overdue(connection, NOW + MINUTE) == []
        assert [one.ack_state for one in acknowledge(connection, partner="acme", outcome="accepted", at=NOW, group_control="7")] == ["accepted"]


def test_what_expects_no_acknowledgment_does_not_wait_for_one(database: Database) -> None:
    with database.begin() as connection:
        outbox.enqueue(connection, [entry("a", kind="acknowledgment")])
        claim(connection)
        prepare(connection, "a")
        tries.sent(connection, ["a"], "t1", NOW, NOW + MINUTE)
        row = outbox.get_existing(connection, "a")
        assert (row.state, row.ack_state, row.ack_due_at) == ("sent", None, None)


def test_what_a_document_led_to_and_pages(database: Database) -> None:
    from tests.store.made import document
    from tests.store.made import insert

    with database.begin() as connection:
        insert(connection, document())
        outbox.enqueue(connection, [entry("b", document="D1"), entry("a", document="D1"), entry("c")])
        assert [one.id for one in outbox.of_document(connection, "D1")] == ["b", "a"]
        first = outbox.search(connection, limit=2)
        assert [one.id for one in first] == ["c", "b"]
        assert [one.id for one in outbox.search(connection, after=(first[-1].created_at, first[-1].id))] == ["a"]
        assert outbox.search(connection, state="sent") == []


def test_a_row_without_a_body_leaves_with_that_of_its_document(database: Database) -> None:
    from tests.store.made import document
    from tests.store.made import insert

    with database.begin() as connection:
        insert(connection, document(body='{"kind":"order_response"}'))
        outbox.enqueue(connection, [entry("a", document="D1", body=""), entry("b", document="D1", body="own"), entry("c", body="")])
        taken = tries.claim(connection, stream="out/acme", now=NOW, lease=LEASE, limit=10, token="t1")
        assert [one.body for one in taken] == ['{"kind":"order_response"}', "own", ""]
        # it is nowhere twice
        assert [outbox.get_existing(connection, id).body for id in ("a", "b", "c")] == ["", "own", ""]


def test_an_answer_to_one_partners_file_says_nothing_of_anothers_that_is_named_alike(database: Database) -> None:
    """Each partner's numbers count from 1: a file of the same name that was given up, or is about to leave, has not arrived by that."""
    with database.begin() as connection:
        _send(connection, "a", identity="855-000000002.edi")
        outbox.enqueue(connection, [entry("b", partner="beta", stream="out/beta"), entry("c", partner="gamma", stream="out/gamma"), entry("d")])
        for stream, id in (("out/beta", "b"), ("out/gamma", "c"), ("out/acme", "d")):
            tries.claim(connection, stream=stream, now=NOW, lease=LEASE, limit=10, token="t1")
            prepare(connection, id, identity="855-000000002.edi")
        tries.dead(connection, ["c"], "t1", "given up")
        awaited.note(connection, ["a"], "accepted", NOW)
        # d lies in the file that was answered
        assert [state(connection, id) for id in "abcd"] == ["acknowledged", "prepared", "dead", "sent"]


def test_numbers_count_for_each_syntax_by_itself(database: Database) -> None:
    with database.begin() as connection:
        outbox.enqueue(connection, [entry("x"), entry("e", spec="edifact/d96a/ordrsp")])
        claim(connection)
        prepare(connection, "x", identity="855-000000007.edi")
        prepare(connection, "e", identity="ordrsp-000000007.edi")
        for syntax, id in (("x12", "x"), ("edifact", "e")):
            assert [one.id for one in awaited.find_sent(connection, partner="acme", syntax=syntax, interchange_control="7")] == [id]
