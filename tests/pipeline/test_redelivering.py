"""What people do to what leaves: stop it in time, try it again, pause a partner; and documents of one order that keep their order."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.arriving.handing_in import release_invoices
from gateway.pipeline.outbox import pausing
from gateway.pipeline.outbox import recording
from gateway.pipeline.outbox import redelivering
from gateway.pipeline.outbox.recording import WAITS
from gateway.pipeline.outbox.redelivering import NotDone
from gateway.pipeline.outbox.resending import resend
from gateway.pipeline.service.condition import condition_of
from gateway.store import journal
from gateway.store.outgoing import numbers
from gateway.store.outgoing import outbox
from gateway.store.records import documents
from gateway.store.rows import StaleState
from gateway.store.working import sweep
from gateway.transport.box import TransportError
from tests.crash.walk import put
from tests.pipeline.test_spread import assert_spread
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order

#: invoices can be stopped for ten minutes
UNDO = ACME.replace("{send: x12/004010/810, to: box}", "{send: x12/004010/810, to: box, undo: 600}")
#: responses longer than five letters cannot be written
SHORT_NUMBERS = ACME + "schema:\n  x12/004010/855:\n    elements:\n      BAK/03: {max: 5}\n"
LONG = "PO-FAR-TOO-LONG"


@pytest.fixture
def world(tmp_path: Path, database_url: str):
    made = World(tmp_path, database=database_url, partners={"acme": ACME})
    yield made
    made.close()


def with_partner(world: World, text: str) -> World:
    (world.folder / "partners/acme.yaml").write_text(text)
    return world


def rows(world: World, kind: str = "") -> list[outbox.Entry]:
    with world.station.database.read() as connection:
        found = outbox.search(connection, limit=1000)
    return sorted((entry for entry in found if kind in ("", entry.kind)), key=lambda entry: (entry.created_at, entry.seq))


def state(world: World, kind: str) -> str:
    [row] = rows(world, kind)
    return row.state


def ship(world: World, order: str = "PO1", number: str = "S1") -> None:
    hand_in_shipments(world.station, f"shipment,order,line,quantity\n{number},{order},1,10\n".encode(), f"{number}.csv", "tester")
    world.settle()


def bill(world: World, order: str = "PO1") -> None:
    release_invoices(world.station, [order], "tester")
    world.settle()


def entries(world: World, id: str) -> list[journal.Entry]:
    with world.station.database.read() as connection:
        return [recorded.entry for recorded in journal.of_subject(connection, "outbox", id)]


def document(world: World, id: str | None) -> documents.Document:
    with world.station.database.read() as connection:
        found = documents.get(connection, id or "")
    assert found is not None
    return found


def break_box(world: World) -> Path:
    box = world.folder / "boxes/acme/in"
    shutil.move(box, world.folder / "boxes/acme/kept")
    box.write_text("a file stands where the folder was")
    return box


def mend_box(world: World) -> None:
    (world.folder / "boxes/acme/in").unlink()
    shutil.move(world.folder / "boxes/acme/kept", world.folder / "boxes/acme/in")


def later(world: World, **time: float) -> None:
    world.clock.now += timedelta(**time)
    world.settle()


# ---------------------------------------------------------------- undo


def test_an_invoice_that_is_stopped_in_time_burns_no_control_number(world: World) -> None:
    with_partner(world, UNDO)
    world.receive(x12_order("PO1"))
    ship(world)
    bill(world)
    [row] = rows(world, "invoice")
    assert (row.state, row.interchange_control) == ("waiting", None)
    world.receive(x12_order("PO2", control=2))
    assert len([text for text in world.sent() if "ST*855" in text]) == 2, "nothing waits behind the invoice that can be stopped"
    stopped = redelivering.cancel(world.station, row.id, "anna", "price was wrong")
    assert stopped.state == "cancelled"
    made = document(world, row.document)
    assert made.state == "stopped"
    assert "credit it" in redelivering.what_remains(stopped)
    later(world, minutes=11)
    assert not [text for text in world.sent() if "ST*810" in text]
    last = entries(world, row.id)[-1]
    assert (last.actor, last.action, last.reason) == ("anna", "invoice stopped", "price was wrong")
    world.receive(x12_order("PO3", control=3))
    with world.station.database.read() as connection:
        ledger = {one.level: numbers.runs(connection, one.key, one.round) for one in numbers.countings(connection, "acme") if one.direction == "out"}
    assert {level: [(run.first, run.last) for run in runs] for level, runs in ledger.items()} == {"interchange": [(1, 7)], "group": [(1, 7)]}
    with pytest.raises(NotDone, match="too late"):
        redelivering.cancel(world.station, row.id, "anna", "again")
    # it may be sent after all
    resend(world.station, made.id, "anna", "the price was right")
    later(world, minutes=1)
    assert len([text for text in world.sent() if "ST*810" in text]) == 1
    assert document(world, made.id).state == "sent"


def test_what_is_not_stopped_leaves_when_its_window_is_over(world: World) -> None:
    with_partner(world, UNDO)
    world.receive(x12_order("PO1"))
    ship(world)
    bill(world)
    later(world, minutes=9)
    assert state(world, "invoice") == "waiting"
    later(world, minutes=2)
    [row] = rows(world, "invoice")
    assert row.state == "sent"
    with pytest.raises(NotDone, match="has left"):
        redelivering.cancel(world.station, row.id, "anna", "too late")
    with pytest.raises(NotDone, match="reason"):
        redelivering.cancel(world.station, row.id, "anna", " ")
    with pytest.raises(NotDone, match="no delivery"):
        redelivering.cancel(world.station, "X", "anna", "why not")


# ---------------------------------------------------------------- dead letters


def test_what_was_given_up_is_listed_tried_again_under_its_name_and_journaled(world: World) -> None:
    world.receive(x12_order("PO1"))
    break_box(world)
    world.receive(x12_order("PO2", control=2))
    for _ in range(24):
        later(world, hours=5)
    dead = [row for row in rows(world) if row.state == "dead"]
    assert [row.kind for row in dead] == ["acknowledgment", "order_response"]
    assert all(row.attempts == 10 and row.last_error and row.identity for row in dead)
    mend_box(world)
    assert redelivering.to_try_again(world.station, "nobody") == []
    ids = redelivering.to_try_again(world.station, "acme")
    assert ids == [row.id for row in dead]
    response = dead[1].document or ""
    assert document(world, response).state == "dead", "the document says so itself"
    redelivering.retry(world.station, ids, "anna", "their disk is mended")
    assert document(world, response).state == "created"
    world.settle()
    assert document(world, response).state == "sent"
    again = [row for row in rows(world) if row.id in ids]
    assert [(row.state, row.identity, row.interchange_control) for row in again] == [("sent", row.identity, row.interchange_control) for row in dead]
    assert [entry.action for entry in entries(world, ids[0])][-2:] == ["acknowledgment tried again", "acknowledgment sent"]
    with pytest.raises(NotDone, match="has left"):
        redelivering.retry(world.station, ids, "anna")


def test_what_waits_for_its_next_try_says_when_and_can_be_tried_now(world: World) -> None:
    break_box(world)
    world.receive(x12_order("PO1"))
    [first] = rows(world, "acknowledgment")
    waits = (first.due_at - world.clock.now).total_seconds()
    assert 3 < waits < 7, "five seconds, more or less"
    assert condition_of(world.station).next_try_at == first.due_at
    mend_box(world)
    redelivering.retry(world.station, [first.id], "anna")
    world.settle()
    assert {row.state for row in rows(world)} == {"sent"}
    assert condition_of(world.station).next_try_at is None


def test_waits_grow_and_are_bounded(world: World) -> None:
    break_box(world)
    world.receive(x12_order("PO1"))
    waits = []
    for _ in range(9):
        [row] = rows(world, "acknowledgment")
        waits.append((row.due_at - world.clock.now).total_seconds())
        world.clock.now = row.due_at
        world.settle()
    assert_spread([wait / usual for wait, usual in zip(waits, WAITS, strict=True)])
    assert state(world, "acknowledgment") == "dead"


# ---------------------------------------------------------------- the order within an order


def test_the_despatch_advice_does_not_overtake_a_dead_response_of_its_order(world: World) -> None:
    with_partner(world, SHORT_NUMBERS)
    world.receive(x12_order(LONG))
    assert state(world, "order_response") == "dead"
    ship(world, LONG)
    bill(world, LONG)
    world.receive(x12_order("PO2", control=2))
    ship(world, "PO2", "S2")
    advice, other = rows(world, "despatch_advice")
    [response, _] = rows(world, "order_response")
    assert (advice.state, advice.behind, other.state) == ("held_back", response.id, "sent")
    [invoice] = rows(world, "invoice")
    assert invoice.state == "held_back"
    assert condition_of(world.station).held_back == 2
    with world.station.database.read() as connection:
        assert sweep.streams_with_work(connection, world.clock.now) == [], "nobody spins"
    # the schema is mended, the response is tried again: all leave, in the order in which they were made
    world.close()
    with_partner(world, ACME)
    before = set(world.sent())
    redelivering.retry(world.station, [response.id], "anna")
    world.settle()
    later(world, seconds=1)
    assert {row.state for row in rows(world)} == {"sent"}
    left = sorted((tags(text, "ISA")[0][13], tags(text, "ST")[0][1]) for text in set(world.sent()) - before)
    assert [kind for _, kind in left] == ["855", "856", "810"]


def test_stopping_the_dead_one_lets_the_others_go(world: World) -> None:
    with_partner(world, SHORT_NUMBERS)
    world.receive(x12_order(LONG))
    ship(world, LONG)
    [response] = rows(world, "order_response")
    assert state(world, "despatch_advice") == "held_back" and document(world, response.document).state == "dead"
    redelivering.cancel(world.station, response.id, "anna", "told them by phone")
    world.settle()
    assert (state(world, "order_response"), state(world, "despatch_advice")) == ("cancelled", "sent")
    assert document(world, response.document).state == "stopped"


def test_a_resend_that_was_given_up_is_not_said_to_leave_and_stopping_it_leaves_what_was(world: World) -> None:
    world.receive(x12_order("PO1"))
    [first] = rows(world, "order_response")
    id = first.document or ""
    resend(world.station, id, "anna", "nothing came, they say")
    redelivering.cancel(world.station, f"{id}:2", "anna", "it was there after all")
    assert document(world, id).state == "sent", "the first one has left, whatever became of the second"
    world.close()
    with_partner(world, ACME + "schema:\n  x12/004010/855:\n    elements:\n      BAK/03: {max: 2}\n")
    resend(world.station, id, "anna", "they want new numbers", anew=True)
    assert document(world, id).state == "created"
    world.settle()
    assert rows(world, "order_response")[-1].state == "dead" and document(world, id).state == "dead"
    redelivering.cancel(world.station, f"{id}:3", "anna", "told them by phone")
    with world.station.database.read() as connection:
        last = documents.history(connection, id)[-1]
    assert (last.state, last.reason) == ("sent", "not sent again: told them by phone")


def test_what_is_rolled_back_is_not_in_the_log(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    world.receive(x12_order("PO1"))
    [row] = rows(world, "acknowledgment")
    failure = ([replace(row, attempts=1)], TransportError("their disk is full", retry=True))
    with pytest.raises(StaleState):
        recording.record(world.station, [], failure, [], "somebody else's lease")
    assert "sending failed" not in capsys.readouterr().err


def test_a_dead_one_that_is_sent_anew_stands_before_the_others(world: World) -> None:
    with_partner(world, SHORT_NUMBERS)
    world.receive(x12_order(LONG))
    ship(world, LONG)
    [response] = rows(world, "order_response")
    world.close()
    with_partner(world, ACME)
    resend(world.station, response.document or "", "anna", "mended", anew=True)
    world.settle()
    later(world, seconds=1)
    first, second = rows(world, "order_response")
    assert (first.state, second.state, state(world, "despatch_advice")) == ("cancelled", "sent", "sent")
    texts = sorted((tags(text, "ISA")[0][13], tags(text, "ST")[0][1]) for text in world.sent() if "ST*997" not in text)
    assert [kind for _, kind in texts] == ["855", "856"]


def test_a_response_in_its_undo_window_is_not_overtaken_by_its_despatch_advice_but_by_other_orders(world: World) -> None:
    with_partner(world, ACME.replace("{send: x12/004010/855, to: box}", "{send: x12/004010/855, to: box, undo: 600}"))
    world.receive(x12_order("PO1"))
    ship(world)
    assert (state(world, "order_response"), state(world, "despatch_advice")) == ("waiting", "held_back")
    later(world, minutes=11)
    later(world, seconds=1)
    assert (state(world, "order_response"), state(world, "despatch_advice")) == ("sent", "sent")
    texts = sorted((tags(text, "ISA")[0][13], tags(text, "ST")[0][1]) for text in world.sent() if "ST*997" not in text)
    assert [kind for _, kind in texts] == ["855", "856"]


def test_a_batch_holds_nobody_back_before_it_fails(world: World) -> None:
    with_partner(world, ACME.replace("{send: x12/004010/855, to: box}", "{send: x12/004010/855, to: box, batch: hourly}"))
    world.receive(x12_order("PO1"))
    ship(world)
    assert (state(world, "order_response"), state(world, "despatch_advice")) == ("waiting", "sent")
    break_box(world)
    later(world, hours=1)
    bill(world)
    assert (state(world, "order_response"), state(world, "invoice")) == ("prepared", "held_back")
    mend_box(world)
    later(world, hours=1)
    later(world, seconds=1)
    assert (state(world, "order_response"), state(world, "invoice")) == ("sent", "sent")


# ---------------------------------------------------------------- pauses


def test_nothing_leaves_to_a_paused_partner_until_it_is_resumed(world: World) -> None:
    world.receive(x12_order("PO1"))
    pausing.pause(world.station, "acme", "anna", "their server moves")
    arrived = world.receive(x12_order("PO2", control=2))
    assert [row.state for row in arrived.documents] == ["accepted"], "what arrives is taken in"
    assert len(world.sent()) == 2
    waiting = [row for row in rows(world) if row.state == "waiting"]
    assert len(waiting) == 2
    with world.station.database.read() as connection:
        assert sweep.streams_with_work(connection, world.clock.now) == [], "nobody spins"
        assert outbox.next_due(connection) is None
    [paused] = condition_of(world.station).paused
    assert (paused.partner, paused.actor, paused.reason, paused.fetching) == ("acme", "anna", "their server moves", False)
    pausing.resume(world.station, "acme", "ben", "it is up")
    world.settle()
    assert {row.state for row in rows(world)} == {"sent"}
    with world.station.database.read() as connection:
        told = [recorded.entry for recorded in journal.of_subject(connection, "partner", "acme")]
    assert [(one.actor, one.action, one.reason) for one in told] == [
        ("anna", "partner paused", "their server moves"),
        ("ben", "partner resumed", "it is up"),
    ]
    with pytest.raises(pausing.NotPaused):
        pausing.resume(world.station, "acme", "ben")
    with pytest.raises(pausing.NotPaused):
        pausing.pause(world.station, "nobody", "ben", "why")
    with pytest.raises(pausing.NotPaused):
        pausing.pause(world.station, "acme", "ben", " ")


def test_a_mailbox_is_left_alone_where_that_is_wanted(world: World) -> None:
    from gateway.pipeline.service.assembly import _look_into
    from gateway.pipeline.service.assembly import mailboxes

    [(address, (endpoint, _))] = mailboxes(world.station).items()
    look = _look_into(world.station, address, endpoint).once
    box = world.folder / "boxes/acme/out"
    put(box, "po1.edi", x12_order("PO1").decode())
    pausing.pause(world.station, "acme", "anna", "audit", fetching=True)
    pausing.pause(world.station, "acme", "anna", "audit", fetching=True)
    for _ in range(20):
        assert not look()
    assert (box / "po1.edi").exists()
    pausing.pause(world.station, "acme", "anna", "audit is over, still nothing is sent")
    for _ in range(500):
        if look():
            break
    assert not (box / "po1.edi").exists()
