"""Small files are written together as they would be alone, row for row; what is not plain ends a batch, and what fails fails alone."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.pipeline.inbound import small_files as inbound_small
from gateway.pipeline.inbound import walk as inbound
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.station import Station
from gateway.store import journal
from gateway.store import tables
from tests.pipeline.world import World
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order

BOX = "folder:boxes/acme/out"
#: a clean one, a gap in the numbers, two transactions' worth of faults, a duplicate of the first, rubbish, one of a stranger, and more clean ones
FILES = {
    "po1.edi": x12_order("PO1", control=1),
    "po2.edi": x12_order("PO2", control=2),
    "po5.edi": x12_order("PO5", control=5),
    "bad.edi": x12_order("PO6", control=6).replace(b"BEG*00*", b"BEG*XX*"),
    "again.edi": x12_order("PO1", control=1),
    "rubbish.edi": b"not a file that anybody knows\n",
    "more rubbish.edi": b"nor this one\n",
    "po11.edi": x12_order("PO11", control=11),
    "broken.xml": b"<?xml version='1.0'?><Order xmlns='urn:oasis:names:specification:ubl:schema:xsd:Order-2'><Na",
    "stranger.edi": x12_order("PO7", control=7).replace(b"ACMEBUYER ", b"STRANGER  "),
    "po8.edi": x12_order("PO8", control=8),
    "po9.edi": x12_order("PO9", control=9),
    "late.edi": x12_order("PO3", control=3),
    "po10.edi": x12_order("PO10", control=10),
}


def take_in(world: World) -> None:
    register(world.station, [Arrival(address=BOX, name=name, identity=name, data=data) for name, data in FILES.items()])
    world.settle()


def remembered(station: Station) -> dict[str, list[Any]]:
    """What the database says, in the names that people know: identifiers differ from run to run."""
    with station.database.read() as connection:
        names = {row.id: row.name for row in connection.execute(select(tables.transmission))}
        told = {
            "transmissions": [
                (row.name, row.state, row.partner, [problem.code for problem in row.problems])
                for row in connection.execute(select(tables.transmission))
            ],
            "interchanges": [
                (names[row.transmission], row.state, row.outcome, row.partner, row.control_number, row.envelope)
                for row in connection.execute(select(tables.interchange))
            ],
            "documents": [
                (names.get(row.transmission), row.kind, row.number, row.state, row.hold_key, row.byte_offset, row.body)
                for row in connection.execute(select(tables.document, tables.document_content.c.body).join(tables.document_content))
                if row.direction == "in"
            ],
            "histories": [
                (row.state_before, row.state, row.actor, row.reason)
                for row in connection.execute(select(tables.document_state))
                if row.reason.startswith("received")
            ],
            # the names of what left are numbered in the order of leaving
            "references": [(row.kind, row.value) for row in connection.execute(select(tables.reference)) if not row.value.startswith("855-")],
            "holds": [
                (names.get(row.transmission), row.kind, [problem.code for problem in row.reasons]) for row in connection.execute(select(tables.hold))
            ],
            "outbox": [(row.kind, row.spec, row.state) for row in connection.execute(select(tables.outbox))],
            "runs": [(row.level, row.round, row.first, row.last) for row in connection.execute(select(tables.control_run)) if row.direction == "in"],
            "countings": [
                (row.level, row.highest, row.used, row.repeated) for row in connection.execute(select(tables.counting)) if row.direction == "in"
            ],
            "journal": [
                (one.entry.stream, one.entry.action, one.entry.subject_kind, sorted(one.entry.facts))
                for one in journal.after(connection, 0, 10_000)
                if one.entry.stream.startswith("in:")
            ],
        }
    return {name: sorted(rows, key=repr) for name, rows in told.items()}


def test_files_written_together_are_what_they_would_be_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together, alone = World(tmp_path / "together"), World(tmp_path / "alone")
    sizes: list[int] = []
    real = inbound_small.take_together

    def counted(*arguments: Any) -> int:
        sizes.append(real(*arguments))
        return sizes[-1]

    monkeypatch.setattr(inbound, "take_together", counted)
    take_in(together)
    assert max(sizes) >= 3, f"files were taken together as {sizes}"
    monkeypatch.setattr(inbound, "take_together", lambda *arguments: 0)
    take_in(alone)
    ours, theirs = remembered(together.station), remembered(alone.station)
    for name in ours:
        assert ours[name] == theirs[name], name
    accepted = [segment[2] for text in together.sent() for segment in tags(text, "AK2")]
    assert len(accepted) == 9
    together.close()
    alone.close()


def test_one_file_that_fails_lets_the_others_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path)

    def broken(*arguments: Any) -> None:
        raise RuntimeError("the batch cannot be written")

    monkeypatch.setattr(inbound_small, "_write", broken)
    take_in(world)
    with world.station.database.read() as connection:
        states = {row.name: row.state for row in connection.execute(select(tables.transmission))}
    assert states["po10.edi"] == states["po1.edi"] == "done"
    assert states["stranger.edi"] == "held"
    world.close()


def test_two_files_of_one_number_in_one_batch_are_one_order(tmp_path: Path, database_url: str) -> None:
    world = World(tmp_path, database=database_url)
    data = [x12_order(number, control=4) for number in ("POA", "POB")]
    register(world.station, [Arrival(address=BOX, name=f"{place}.edi", identity=str(place), data=one) for place, one in enumerate(data)])
    world.settle()
    with world.station.database.read() as connection:
        outcomes = sorted(row.outcome for row in connection.execute(select(tables.interchange)))
        numbers = [row.number for row in connection.execute(select(tables.sales_order))]
    assert outcomes == ["accepted", "duplicate"]
    assert numbers == ["POA"]
    world.close()
