"""A trail is found by whatever somebody has in hand, and told in plain sentences with the codes of what went wrong."""

from pathlib import Path

import pytest

from gateway.pipeline.keeping.found_under import control_forms
from gateway.pipeline.keeping.telling import trail_words
from gateway.pipeline.keeping.trails import trail_of
from gateway.pipeline.trading import holding
from gateway.pipeline.trading.holding import find_hold
from gateway.problem import codes
from gateway.store.incoming import holds
from tests.pipeline.test_answers import edifact_order
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
from tests.pipeline.world import EUROCO
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

#: words of the rooms inside, which nobody outside knows
INTERNAL = ("enqueued", "transmission", "D-", "I-", "document registered")


@pytest.fixture
def world(tmp_path: Path):
    made = World(tmp_path)
    yield made
    made.close()


def told(world: World, reference: str) -> str:
    found = trail_of(world.station, reference)
    assert found is not None, f"nothing is known under {reference}"
    return trail_words(found)


def test_control_numbers_are_found_with_and_without_their_zeros(tmp_path: Path, database_url: str) -> None:
    world = World(tmp_path, database=database_url)
    world.receive(x12_order("PO1", control=47))
    sent = sorted((path.name for path in (world.folder / "boxes/acme/in").iterdir()), reverse=True)
    # theirs (ISA13, GS06, ST02) and ours
    for reference in ("000000047", "47", "0047"):
        assert "order PO1 (accepted)" in told(world, reference), reference
    ours = sent[0].removesuffix(".edi").rpartition("-")[2]
    for reference in (ours, ours.lstrip("0")):
        assert sent[0] in told(world, reference), reference
    world.close()


def test_an_edifact_number_is_found_with_and_without_its_zeros(tmp_path: Path) -> None:
    world = World(tmp_path, config=CONFIG, partners={"euroco": EUROCO})
    world.receive(edifact_order("BE1", control="0000021"), address="folder:boxes/euroco/out")
    assert "order BE1" in told(world, "0000021")
    assert "order BE1" in told(world, "21")
    assert "order BE1" in told(world, "00000000000021")
    world.close()


def test_a_number_of_nothing_but_zeros_is_no_control_number() -> None:
    assert control_forms("000") == [] and control_forms("PO1") == [] and control_forms("²") == []
    assert control_forms("0047")[:3] == ["47", "047", "00047"]


def test_files_are_found_whichever_way_they_went(world: World) -> None:
    world.receive(x12_order("PO1"), "in.edi")
    assert "order PO1 (accepted)" in told(world, "in.edi")
    for path in (world.folder / "boxes/acme/in").iterdir():
        words = told(world, path.name)
        assert "order PO1 (accepted)" in words and f"sent by the gateway as {path.name}" in words


def test_a_duplicate_is_told_with_its_code_and_cure(world: World) -> None:
    world.receive(x12_order("PO1"), "first.edi")
    world.receive(x12_order("PO1"), "again.edi")
    words = told(world, "again.edi")
    assert words.startswith("again.edi: file again.edi, a duplicate: no document came of it")
    assert "refused by the gateway as a duplicate (FILE-DUPLICATE-INTERCHANGE)" in words
    assert "what to do: Nothing, if the partner sent it twice" in words
    # and whoever looks at the order sees that it came twice
    assert "file again.edi: received" in told(world, "PO1")


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("rubbish.txt", b"rubbish", "FILE-UNREADABLE"),
        ("unknown.edi", x12_order("PO1", sender="NOBODYY"), "PARTNER-UNKNOWN-SENDER"),
    ],
)
def test_what_waits_is_told_with_its_code_cure_and_hold(world: World, name: str, data: bytes, code: str) -> None:
    world.receive(data, name)
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    words = told(world, name)
    assert "held by the gateway, until a person decides" in words
    assert f"file {name}: {code}: " in words and "what to do: " in words
    assert f"gateway hold release {hold.id}" in words
    assert find_hold(world.station, name) == hold


def test_a_rejected_order_is_told_with_its_code_and_cure(world: World) -> None:
    world.receive(x12_order("PO1").replace(b"PO1*1*10*", b"PO1*1*TEN*"), "faulty.edi")
    words = told(world, "faulty.edi")
    assert words.splitlines()[0].endswith("(rejected)")
    assert "850 transaction 0001: rejected by the gateway (X12-ELEMENT-CHARACTER" in words
    assert "850 transaction 0001: X12-ELEMENT-CHARACTER: " in words and "what to do: Send digits" in words


def test_lines_stand_in_the_order_in_which_things_happened_in_plain_words(world: World) -> None:
    world.receive(x12_order("PO1"), "in.edi")
    words = told(world, "PO1")
    order = (
        "file in.edi: received",
        "order PO1: read",
        "order PO1: accepted by the gateway",
        "order response OR-PO1: made",
        "order response OR-PO1: sent",
    )
    assert [words.index(one) for one in order] == sorted(words.index(one) for one in order)
    assert not [word for word in INTERNAL if word in words]


def test_an_order_that_was_released_says_who_let_it_pass(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": ACME.replace("credit: none", "credit: {limit: '1 USD'}")})
    world.receive(x12_order("PO1"))
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    holding.release(world.station, hold.id, "anna", "agreed by phone")
    world.settle()
    words = told(world, "PO1")
    lines = ["order PO1: held by the gateway", "order PO1: released by anna: agreed by phone", "order PO1: accepted by the gateway", "OR-PO1: made"]
    assert [words.index(one) for one in lines] == sorted(words.index(one) for one in lines)
    accepted = next(line for line in words.splitlines() if "order PO1: accepted" in line)
    assert f"anna let {codes(hold.reasons).replace(',', ', ')} pass (agreed by phone); nothing else speaks against it" in accepted
    world.close()
