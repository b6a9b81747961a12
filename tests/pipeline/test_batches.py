"""Documents of one window leave together; acknowledgments never wait for it; numbers are drawn when they leave."""

from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.store.incoming import holds
from gateway.store.outgoing import answers
from gateway.store.outgoing import numbers
from gateway.store.outgoing import outbox
from gateway.store.outgoing import tries
from gateway.store.records import documents
from gateway.store.verifying.verification import verify
from tests.pipeline.test_answers import Talk
from tests.pipeline.test_answers import edifact_order
from tests.pipeline.world import ACME
from tests.pipeline.world import EUROCO
from tests.pipeline.world import World
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order

AT_FOUR = '{at: ["08:00", "16:00"], zone: Europe/Berlin}'


def partner(batch: str = AT_FOUR, more: str = "", text: str = ACME, kind: str = "x12/004010/855") -> str:
    return text.replace(f"{kind}, to: box", f"{kind}, to: box, batch: {batch}") + more


@pytest.fixture
def world(tmp_path: Path):
    made = World(tmp_path, partners={"acme": partner()})
    made.clock.now = datetime(2026, 1, 6, 10, 0, tzinfo=UTC)
    yield made
    made.close()


def rows(world: World, kind: str = "order_response") -> list[outbox.Entry]:
    with world.station.database.read() as connection:
        return sorted((entry for entry in outbox.search(connection, limit=1000) if entry.kind == kind), key=lambda entry: entry.seq)


def files(world: World, word: str = "ST*855", who: str = "acme") -> list[str]:
    return [text for text in world.sent(who) if word in text]


def orders(world: World, *names: str) -> None:
    for control, name in enumerate(names, 1):
        world.receive(x12_order(name, control=control))


def at(world: World, text: str) -> None:
    world.clock.now = datetime.fromisoformat(text).replace(tzinfo=UTC)
    world.settle()


def test_responses_wait_for_their_time_and_leave_in_one_interchange_in_their_order(tmp_path: Path, database_url: str) -> None:
    world = World(tmp_path, database=database_url, partners={"acme": partner()})
    world.clock.now = datetime(2026, 1, 6, 10, 0, tzinfo=UTC)
    orders(world, "PO1", "PO2", "PO3")
    assert len(files(world, "ST*997")) == 3, "acknowledgments leave at once"
    assert files(world) == []
    assert {(row.state, row.due_at, row.interchange_control) for row in rows(world)} == {("waiting", datetime(2026, 1, 6, 15, 0, tzinfo=UTC), None)}
    at(world, "2026-01-06 14:59:59")
    assert files(world) == []
    at(world, "2026-01-06 15:00:01")
    [text] = files(world)
    assert [segment[3] for segment in tags(text, "BAK")] == ["PO1", "PO2", "PO3"]
    assert [segment[2] for segment in tags(text, "ST")] == ["0001", "0002", "0003"]
    assert tags(text, "GE")[0][1] == "3" and tags(text, "IEA")[0][1] == "1"
    assert {(row.state, row.identity, row.interchange_control) for row in rows(world)} == {("sent", "855-000000004.edi", "4")}
    assert not verify(world.station.database, world.station.archive, world.station.journal_key()).faults
    world.close()


def test_several_types_share_an_interchange_each_in_its_group(tmp_path: Path) -> None:
    text = partner("hourly", text=partner("hourly"), kind="x12/004010/810")
    world = World(tmp_path, partners={"acme": text})
    from gateway.pipeline.arriving.handing_in import hand_in_shipments
    from gateway.pipeline.arriving.handing_in import release_invoices

    world.clock.now = datetime(2026, 1, 6, 10, 5, tzinfo=UTC)
    orders(world, "PO1")
    hand_in_shipments(world.station, b"shipment,order,line,quantity\nS1,PO1,1,10\n", "ship.csv", "tester")
    world.settle()
    release_invoices(world.station, ["PO1"], "tester")
    world.receive(x12_order("PO2", control=2))
    assert files(world, "ST*856"), "what has no batch does not wait for what has one"
    at(world, "2026-01-06 11:00:00")
    [sent] = files(world)
    assert [(segment[1], segment[6]) for segment in tags(sent, "GS")] == [("PR", tags(sent, "GS")[0][6]), ("IN", tags(sent, "GS")[1][6])]
    assert len({segment[6] for segment in tags(sent, "GS")}) == 2
    assert [segment[1:3] for segment in tags(sent, "ST")] == [["855", "0001"], ["855", "0003"], ["810", "0002"]]
    assert tags(sent, "IEA")[0][1] == "2"
    assert {row.identity for row in [*rows(world), *rows(world, "invoice")]} == {f"batch-{tags(sent, 'ISA')[0][13]}.edi"}
    world.close()


def test_one_rejected_of_a_batch_rejects_that_one(world: World) -> None:
    orders(world, "PO1", "PO2", "PO3")
    at(world, "2026-01-06 15:00:00")
    group = rows(world)[0].group_control
    body = f"AK1*PR*{group}~" + "".join(
        f"AK2*855*{number}~{said}" for number, said in (("0001", "AK5*A~"), ("0002", "AK3*BAK*2**8~AK4*3*324*7*PO2~AK5*R*5~"), ("0003", "AK5*A~"))
    )
    Talk(world).x12(f"{body}AK9*P*3*3*2~")
    assert [(row.state, row.ack_state) for row in rows(world)] == [
        ("acknowledged", "accepted"),
        ("rejected", "rejected"),
        ("acknowledged", "accepted"),
    ]
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
        row = documents.get(connection, hold.document or "")
        said = answers.of_outbox(connection, [entry.id for entry in rows(world)])
    assert row is not None and row.number == "OR-PO2"
    assert (row.problems[1].place.transaction, row.problems[1].found) == ("0002", "PO2")
    assert sorted(one.outcome for one in said) == ["accepted", "accepted", "rejected"]


def test_a_ta1_rejects_all_of_a_batch(world: World) -> None:
    orders(world, "PO1", "PO2")
    at(world, "2026-01-06 15:00:00")
    control = str(rows(world)[0].interchange_control).zfill(9)
    Talk(world).x12("", advice=f"TA1*{control}*260106*1500*R*006~")
    assert {row.ack_state for row in rows(world)} == {"rejected"}


def test_an_answer_to_one_shows_that_all_of_its_interchange_have_left(world: World) -> None:
    orders(world, "PO1", "PO2")
    with world.station.database.begin() as connection:
        ids = [row.id for row in rows(world)]
        claimed = tries.claim(
            connection, stream=rows(world)[0].stream, now=world.clock() + timedelta(days=1), lease=timedelta(minutes=2), limit=9, token="t"
        )
        prepared = [
            tries.Preparation(
                id=id,
                identity="855-7.edi",
                sha256="ab",
                transaction_type="855",
                interchange_control="7",
                group_control="7",
                transaction_control=f"000{n}",
            )
            for n, id in enumerate(ids, 1)
        ]
        tries.prepare(connection, "t", prepared)
        assert len(claimed) == 2
    Talk(world).x12("AK1*PR*7~AK2*855*0002~AK5*A~AK9*A*2*2*2~")
    assert [row.state for row in rows(world)] == ["acknowledged", "acknowledged"], "the group was accepted"
    assert [row.attempts for row in rows(world)] == [1, 1]


@pytest.mark.parametrize("usage", ["several", "one"])
def test_each_in_its_own_interchange_where_the_partner_wants_it(tmp_path: Path, usage: str) -> None:
    world = World(tmp_path, partners={"acme": partner(f"{{at: hourly, interchanges: {usage}}}")})
    world.clock.now = datetime(2026, 1, 6, 10, 30, tzinfo=UTC)
    orders(world, "PO1", "PO2")
    at(world, "2026-01-06 11:00:00")
    assert len(files(world)) == (2 if usage == "several" else 1)
    assert len({row.interchange_control for row in rows(world)}) == len(files(world))
    world.close()


def test_test_and_production_never_share_an_interchange(world: World) -> None:
    world.receive(x12_order("PO1", control=1))
    world.receive(x12_order("PO2", control=2, usage="T"))
    world.receive(x12_order("PO3", control=3))
    at(world, "2026-01-06 15:00:00")
    sent = files(world)
    assert sorted((tags(text, "ISA")[0][15], [one[3] for one in tags(text, "BAK")]) for text in sent) == [("P", ["PO1", "PO3"]), ("T", ["PO2"])]


def test_one_that_cannot_be_written_rests_and_the_others_leave(tmp_path: Path) -> None:
    more = "schema:\n  x12/004010/855:\n    elements:\n      BAK/03: {max: 5}\n"
    world = World(tmp_path, partners={"acme": partner(more=more)})
    world.clock.now = datetime(2026, 1, 6, 10, 0, tzinfo=UTC)
    orders(world, "PO1", "PO-FAR-TOO-LONG", "PO3")
    at(world, "2026-01-06 15:00:00")
    [text] = files(world)
    assert [segment[3] for segment in tags(text, "BAK")] == ["PO1", "PO3"]
    assert [segment[2] for segment in tags(text, "ST")] == ["0001", "0002"], "a number is drawn for what leaves"
    assert [row.state for row in rows(world)] == ["sent", "dead", "sent"]
    world.close()


def test_edifact_messages_share_an_interchange(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"euroco": partner(text=EUROCO, kind="edifact/d96a/ordrsp")})
    world.clock.now = datetime(2026, 1, 6, 10, 0, tzinfo=UTC)
    for number in (1, 2):
        world.receive(edifact_order(f"PO{number}", f"R{number}"), address="folder:boxes/euroco/out")
    at(world, "2026-01-06 15:00:00")
    [text] = files(world, "ORDRSP", "euroco")
    assert text.count("UNH+") == 2 and "UNH+1+ORDRSP" in text and "UNH+2+ORDRSP" in text and "UNZ+2+" in text
    world.close()


def test_a_failed_delivery_keeps_the_interchange_together_under_its_numbers(world: World) -> None:
    orders(world, "PO1", "PO2")
    box = world.folder / "boxes/acme/in"
    before = {path: path.read_bytes() for path in box.iterdir()}
    for path in before:
        path.unlink()
    box.rmdir()
    box.write_text("a file stands where the folder was")
    at(world, "2026-01-06 15:00:00")
    first = rows(world)
    assert {(row.state, bool(row.last_error)) for row in first} == {("prepared", True)}
    world.receive(x12_order("PO3", control=3))
    box.unlink()
    box.mkdir()
    at(world, "2026-01-07 07:00:00")
    assert [(row.identity, row.interchange_control, row.sha256) for row in rows(world)[:2]] == [
        (row.identity, row.interchange_control, row.sha256) for row in first
    ]
    assert sorted([one[3] for one in tags(text, "BAK")] for text in files(world)) == [["PO1", "PO2"], ["PO3"]]


# ---------------------------------------------------------------- numbers


def ledger(world: World, direction: str) -> list[tuple[str, str, list[tuple[int, int]]]]:
    with world.station.database.read() as connection:
        found = [one for one in numbers.countings(connection, "acme") if one.direction == direction]
        return [(one.level, one.kind, [(run.first, run.last) for run in numbers.runs(connection, one.key, one.round)]) for one in found]


def test_what_leaves_is_entered_in_the_ledger_without_a_gap(world: World) -> None:
    orders(world, "PO1", "PO2")
    at(world, "2026-01-06 15:00:00")
    assert ledger(world, "out") == [("group", "", [(1, 3)]), ("interchange", "", [(1, 3)])]


def test_numbers_start_end_and_count_as_the_partners_file_says(tmp_path: Path) -> None:
    more = (
        "control_numbers: {interchange: {start: 9000, maximum: 9999}, group: {start: 50, by_type: true}, transaction: {start: 700, by_type: true}}\n"
    )
    world = World(tmp_path, partners={"acme": ACME + more})
    orders(world, "PO1", "PO2")
    assert [(row.interchange_control, row.group_control, row.transaction_control) for row in rows(world)] == [
        ("9001", "50", "0700"),
        ("9003", "51", "0701"),
    ]
    assert [(row.interchange_control, row.group_control, row.transaction_control) for row in rows(world, "acknowledgment")] == [
        ("9000", "50", "0001"),
        ("9002", "51", "0001"),
    ]
    assert ledger(world, "out") == [
        ("group", "855", [(50, 51)]),
        ("group", "997", [(50, 51)]),
        ("interchange", "", [(9000, 9003)]),
        ("transaction", "855", [(700, 701)]),
    ]
    assert [tags(text, "ST")[0][2] for text in files(world)] == ["0700", "0701"]
    world.close()


def test_a_numbering_rolls_over_to_its_start(tmp_path: Path) -> None:
    from gateway.store.outgoing import controls

    world = World(tmp_path, partners={"acme": ACME + "control_numbers: {interchange: {start: 10, maximum: 2000}}\n"})
    with world.station.database.begin() as connection:
        controls.set_last(connection, "acme", "ZZ:SELLERCO", "interchange", 1998)
    orders(world, "PO1", "PO2")
    assert sorted(str(row.interchange_control) for row in [*rows(world), *rows(world, "acknowledgment")]) == ["10", "11", "1999", "2000"]
    with world.station.database.read() as connection:
        [counting] = [one for one in numbers.countings(connection, "acme") if one.level == "interchange" and one.direction == "out"]
    assert (counting.round, counting.latest, counting.used) == (1, 11, 4)
    world.close()
