"""What makes a large file quick, where it could be wrong: what is kept from one step to the next, and identifiers that are neighbours."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.model import document as canonical
from gateway.model.document import KINDS
from gateway.pipeline.at_hand import AtHand
from gateway.pipeline.plans import Kept
from gateway.pipeline.reading.kept_plans import keep
from gateway.pipeline.station import id_after
from gateway.pipeline.station import id_within
from gateway.store.records import documents
from gateway.store.records import plans as plan_store
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import x12_order


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, partners={"acme": ACME})
    yield made
    made.close()


def test_what_is_at_hand_is_what_stands_in_the_row() -> None:
    one, other = (canonical.decode(f'{{"kind":"order","number":"{number}","lines":[]}}') for number in ("1", "2"))
    at_hand = AtHand(most=100)
    at_hand.put("a" * 60, one)
    assert at_hand.take("a" * 60) is one
    body = canonical.encode(other).decode()
    # taken once; and what was written anew by somebody else is read anew
    at_hand.put("a" * 60, one)
    assert at_hand.take(body) == other and at_hand.take("a" * 60) is one
    with pytest.raises(ValueError, match="JSON"):
        at_hand.take("a" * 60)
    at_hand.put("a" * 60, one)
    at_hand.put("b" * 60, other)
    assert at_hand.take("b" * 60) is other
    with pytest.raises(ValueError, match="JSON"):
        at_hand.take("a" * 60)  # the oldest went: there was too much of it


def test_identifiers_of_one_file_are_neighbours_and_each_is_its_own() -> None:
    ids = [id_within("D", "I-4f1c0a9b2e7d0000", number) for number in range(1, 1200)]
    assert ids == sorted(set(ids)) and ids[0] == "D-4f1c0a9b2e7d0000-00001"
    kinds = [*KINDS, "warehouse_order"]
    assert len({id_after(ids[0], kind, 1) for kind in kinds}) == len(kinds)
    made = [id_after(id, "order_response", place) for id in ids[:3] for place in (1, 2)]
    assert made == sorted(set(made)) and all(ids[place] < made[2 * place] < ids[place + 1] for place in range(3))


def test_a_plan_counts_as_archived_only_once_that_is_committed(world: World) -> None:
    station, part = world.station, Kept("rules", "rules.yaml", "1" * 64, "[]")
    with pytest.raises(RuntimeError, match="cut off"), station.database.begin() as connection:
        keep(station, connection, part)
        raise RuntimeError("cut off")
    assert part.digest not in station.kept_plans
    with station.database.begin() as connection:
        keep(station, connection, part)
    with station.database.read() as connection:
        assert plan_store.get(connection, part.digest) is not None
    assert part.digest in station.kept_plans


def test_the_rules_that_judged_an_order_stand_with_it_whenever_they_were_read(world: World) -> None:
    for number in (1, 2):
        world.receive(x12_order(f"PO{number}", control=number))
    with world.station.database.read() as connection:
        rows = [documents.get(connection, row.id) for row in documents.search(connection, documents.Filters(kind="order"))]
        assert len({row.plan_digests["rules"] for row in rows if row is not None}) == 1 and len(rows) == 2
        assert plan_store.get(connection, rows[0].plan_digests["rules"] if rows[0] else "") is not None
