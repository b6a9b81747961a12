"""Control numbers that partners use, and the report of a partner's countings."""

from datetime import timedelta
from pathlib import Path

import pytest

from gateway.pipeline.arriving.handing_in import Became
from gateway.pipeline.keeping.number_report import report_of
from gateway.pipeline.keeping.number_report import words_of
from gateway.pipeline.trading import holding
from gateway.store.incoming import holds
from gateway.store.outgoing import numbers
from gateway.store.outgoing import outbox
from gateway.store.outgoing import tries
from tests.pipeline.test_answers import edifact_order
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
from tests.pipeline.world import EUROCO
from tests.pipeline.world import World
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order


@pytest.fixture
def world(tmp_path: Path):
    made = World(tmp_path)
    yield made
    made.close()


def told(result: Became) -> list[tuple[str, str]]:
    return [(problem.code, problem.message) for problem in result.transmission.problems]


def order(world: World, control: int, *, group: int | None = None, sender: str = "ACMEBUYER", transaction: str = "0001") -> Became:
    data = x12_order(f"PO{control}", control=control, sender=sender, set_control=transaction)
    if group is not None:
        data = data.replace(f"*{control}*X*".encode(), f"*{group}*X*".encode()).replace(f"GE*1*{control}~".encode(), f"GE*1*{group}~".encode())
    return world.receive(data)


def report(world: World):
    return report_of(world.station, world.station.installation.directory.partners["acme"].partner)


def level(world: World, name: str, direction: str = "in"):
    return next(one for one in report(world).levels if one.level == name and one.direction == direction)


def test_a_gap_is_a_notice_and_a_late_file_fills_it(tmp_path: Path, database_url: str) -> None:
    world = World(tmp_path, database=database_url)
    assert told(order(world, 41)) == []
    result = order(world, 44)
    assert told(result) == [
        ("CONTROL-GAP", "Interchange 000000044 of ZZ:ACMEBUYER came, 42 to 43 did not come (yet)"),
        ("CONTROL-GAP", "Group 44 of ZZ:ACMEBUYER came, 42 to 43 did not come (yet)"),
    ]
    assert [row.state for row in result.documents] == ["accepted"], "a notice holds nothing up"
    assert level(world, "interchange").missing == [(42, 43)]
    assert told(order(world, 42)) == told(order(world, 43)) == []
    assert level(world, "interchange").missing == [] and level(world, "interchange").runs == [(41, 44)]
    world.close()


def test_a_duplicate_is_refused_and_counted(world: World) -> None:
    order(world, 1)
    assert [code for code, _ in told(order(world, 1))] == ["FILE-DUPLICATE-INTERCHANGE"]
    assert (level(world, "interchange").repeated, level(world, "interchange").used, level(world, "group").repeated) == (1, 1, 0)


def test_a_group_number_used_again_is_told(world: World) -> None:
    for control in range(1, 13):
        order(world, control)
    assert told(order(world, 13, group=7)) == [("CONTROL-REPEATED", "Group 7 of ZZ:ACMEBUYER was used before")]


def test_a_partner_that_begins_each_interchange_with_group_one_is_no_news(world: World) -> None:
    assert [told(order(world, control, group=1)) for control in range(1, 5)] == [[], [], [], []]
    assert level(world, "group").repeated == 3


def test_a_partner_that_counts_for_several_receivers_is_told_a_few_times_and_then_no_more(world: World) -> None:
    said = [bool(told(order(world, control, group=1))) for control in (10, 13, 17, 19, 26, 31, 37)]
    assert said == [False, True, True, True, False, False, False]
    assert len(level(world, "interchange").missing) == 6, "the ledger shows them all the same"


def test_a_strict_partner_waits_behind_a_gap_until_a_person_lets_it_pass(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": ACME + "check_control_numbers: strict\n"})
    order(world, 1)
    held = order(world, 3)
    assert held.transmission.state == "held"
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    assert (hold.reasons[0].code, hold.reasons[0].severity.value) == ("CONTROL-GAP", "error")
    assert hold.reasons[0].message == "Interchange 000000003 of ZZ:ACMEBUYER came, 2 did not come"
    assert [row.state for row in order(world, 2).documents] == ["accepted"]
    holding.release(world.station, hold.id, "clerk", "number 2 came since")
    world.settle()
    assert level(world, "interchange").runs == [(1, 3)]
    world.close()


def test_nothing_is_entered_where_the_partner_is_not_to_be_checked(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": ACME + "check_control_numbers: none\n"})
    order(world, 1)
    assert told(order(world, 9)) == []
    assert [one for one in report(world).levels if one.direction == "in"] == []
    world.close()


def test_transactions_are_counted_by_type_where_the_partners_file_says_so(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": ACME + "check_control_numbers: {transaction: warn}\n"})
    order(world, 1, transaction="0100")
    assert told(order(world, 2, transaction="0103")) == [("CONTROL-GAP", "Transaction 850 0103 of ZZ:ACMEBUYER came, 101 to 102 did not come (yet)")]
    assert (level(world, "transaction").type, level(world, "transaction").missing) == ("850", [(101, 102)])
    world.close()


def test_after_a_roll_over_old_numbers_are_new_again_but_not_those_of_this_month(world: World) -> None:
    order(world, 5)
    order(world, 999_999_998)
    assert [code for code, _ in told(order(world, 5))] == ["FILE-DUPLICATE-INTERCHANGE"], "sent again, it is the one of this month"
    world.clock.now += timedelta(days=40)
    assert told(order(world, 5)) == []
    assert level(world, "interchange").rolled == 1
    assert [code for code, _ in told(order(world, 5))] == ["FILE-DUPLICATE-INTERCHANGE"]


def test_test_traffic_counts_for_itself(world: World) -> None:
    order(world, 1)
    world.receive(x12_order("PO-T", control=50, usage="T"))
    assert told(order(world, 2)) == []
    assert sorted((one.test, one.last) for one in report(world).levels if one.level == "interchange" and one.direction == "in") == [
        (False, 2),
        (True, 50),
    ]


def test_the_report_says_what_comes_next_and_what_never_arrived(world: World) -> None:
    order(world, 7)
    order(world, 9)
    with world.station.database.begin() as connection:
        row = outbox.search(connection)[0]
        tries.claim(connection, stream=row.stream, now=world.clock(), lease=timedelta(minutes=1), limit=1, token="t")
    assert words_of(report(world)) == (
        "we send to acme as ZZ:SELLERCO\n"
        "  interchange      1 to 4; next 5 of 999999999; no gap\n"
        "  group            1 to 4; next 5 of 999999999; no gap\n"
        "acme sends as ZZ:ACMEBUYER\n"
        "  interchange      7, 9; missing 8\n"
        "  group            7, 9; missing 8"
    )
    with world.station.database.begin() as connection:
        from sqlalchemy import update

        from gateway.store import tables

        connection.execute(update(tables.outbox).where(tables.outbox.c.id == row.id).values(state="dead", last_error="the partner refused it"))
    assert f"never delivered: interchange {row.interchange_control} ({row.spec}, given up: the partner refused it)" in words_of(report(world))


def test_a_partner_without_traffic_has_an_empty_ledger(world: World) -> None:
    assert words_of(report(world)) == "No control numbers were exchanged with acme yet."
    with world.station.database.read() as connection:
        assert numbers.countings(connection) == []


def test_the_command_prints_the_ledger(world: World) -> None:
    order(world, 7)
    world.close()
    done = world.command("controls", "acme")
    assert done.returncode == 0 and "acme sends as ZZ:ACMEBUYER\n" in done.stdout and "next 3 of 999999999; no gap" in done.stdout
    done = world.command("controls", "acme", "--json")
    assert '"direction":"in","identity":"ZZ:ACMEBUYER","level":"interchange"' in done.stdout
    done = world.command("controls", "acne")
    assert done.returncode == 2 and "did you mean 'acme'?" in done.stderr


def test_a_ta1_draws_no_number_that_it_does_not_carry(tmp_path: Path) -> None:
    first = World(tmp_path / "first", partners={"acme": ACME, "euroco": EUROCO})
    order(first, 1)
    order(first, 1)
    order(first, 2)
    files = first.sent()
    assert sum("~TA1*" in file for file in files) == 1
    carried = {"ISA": 13, "GS": 6}
    numbers_of = {tag: sorted(int(one[place]) for file in files for one in tags(file, tag)) for tag, place in carried.items()}
    assert numbers_of == {"ISA": [1, 2, 3, 4, 5], "GS": [1, 2, 3, 4]}
    assert (level(first, "interchange", "out").runs, level(first, "group", "out").runs) == ([(1, 5)], [(1, 4)])
    # EDIFACT has no groups of ours at all
    for _ in range(2):
        first.receive(edifact_order(), address="folder:boxes/euroco/out")
    euroco = report_of(first.station, first.station.installation.directory.partners["euroco"].partner)
    assert [(one.level, one.runs) for one in euroco.levels if one.direction == "out"] == [("interchange", [(1, 3)])]
    # the same on the other side, which reads what we sent in its order
    them = ACME.replace("ZZ:ACMEBUYER", "ZZ:SELLERCO")
    second = World(tmp_path / "second", config=CONFIG.replace("ZZ:SELLERCO", "ZZ:ACMEBUYER"), partners={"acme": them})
    for file in sorted(files, key=lambda file: tags(file, "ISA")[0][13]):
        assert not any(code.startswith("CONTROL-") for code, _ in told(second.receive(file.encode("latin-1"))))
    assert (level(second, "interchange").runs, level(second, "group").runs) == ([(1, 5)], [(1, 4)])
    first.close()
    second.close()
