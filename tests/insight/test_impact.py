"""A changed mapping over what is stored: same, changed by field with before and after, failing."""

import json
from datetime import UTC
from datetime import datetime
from pathlib import Path

import pytest

from gateway.config import default_resolver
from gateway.insight.differences import differences
from gateway.insight.impact import WrongFile
from gateway.insight.impact import impact
from gateway.yaml_source import Faults
from tests.pipeline.world import ACME
from tests.pipeline.world import EUROCO
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
BASE = default_resolver().text_of("mappings/x12/004010/850.yaml")[1]  # type: ignore[index]


def silent(done: int, total: int) -> None:
    assert 0 <= done <= total


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "gateway", partners={"acme": ACME, "euroco": EUROCO})
    for number in range(1, 4):
        world.receive(x12_order(f"PO{number}", control=number), f"{number}.edi")
    return world


def draft(folder: Path, *changes: tuple[str, str]) -> Path:
    text = BASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = folder / "draft.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize("workers", [1, 2])
def test_a_mapping_that_says_the_same_changes_nothing(world: World, tmp_path: Path, workers: int) -> None:
    found = impact(world.station, draft(tmp_path), LONG_AGO, silent, workers)
    assert (found.documents, found.same, found.changed, found.failing) == (3, 3, 0, 0)
    assert found.mapping == "mappings/x12/004010/850.yaml"


@pytest.mark.parametrize("workers", [1, 2])
def test_what_changes_is_grouped_by_field_with_before_and_after(world: World, tmp_path: Path, workers: int) -> None:
    file = draft(
        tmp_path,
        ("  quantity:      02\n", "  quantity:      {from: 02, multiply: 10}\n"),
        ("release:         BEG/04", "release:         {from: BEG/04, default: R1}"),
    )
    found = impact(world.station, file, LONG_AGO, silent, workers)
    assert (found.same, found.changed, found.failing) == (0, 3, 0)
    fields = {one.field: one for one in found.fields}
    assert set(fields) == {"lines[].quantity", "release"}
    quantity = fields["lines[].quantity"]
    assert quantity.documents == 3
    example = quantity.examples[0]
    assert example.before is not None
    assert (example.field, float(example.after or 0)) == ("lines[0].quantity", 10 * float(example.before))
    assert (fields["release"].examples[0].before, fields["release"].examples[0].after) == (None, "R1")


def test_what_would_be_rejected_is_named_with_its_problems(world: World, tmp_path: Path) -> None:
    found = impact(world.station, draft(tmp_path, ("number:          BEG/03", "number:          BEG/04")), LONG_AGO, silent, 1)
    assert found.failing == 3
    assert found.failures[0].problems


def test_a_partners_file_is_a_mapping_too(world: World, tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(ACME + "mapping:\n  x12/004010/850:\n    lines:\n      price: {from: 04, divide: 100}\n")
    found = impact(world.station, file, LONG_AGO, silent, 1)
    assert found.mapping == "partners/acme.yaml"
    assert [one.field for one in found.fields] == ["lines[].price"]


def test_other_traffic_and_older_traffic_do_not_count(world: World, tmp_path: Path) -> None:
    assert impact(world.station, draft(tmp_path), datetime(2030, 1, 1, tzinfo=UTC), silent).documents == 0


def test_a_wrong_file_is_told_before_anything_is_read(world: World, tmp_path: Path) -> None:
    with pytest.raises(Faults):
        impact(world.station, draft(tmp_path, ("number:          BEG/03", "number:          BEG/99")), LONG_AGO, silent)
    (tmp_path / "x.yaml").write_text("a: b\n")
    with pytest.raises(WrongFile):
        impact(world.station, tmp_path / "x.yaml", LONG_AGO, silent)


def test_the_command(world: World, tmp_path: Path) -> None:
    file = draft(tmp_path, ("  quantity:      02\n", "  quantity:      {from: 02, multiply: 10}\n"))
    world.close()
    said = world.command("impact", "--mapping", str(file), "--since", "2020-01-01")
    assert said.returncode == 0, said.stderr
    assert "3 documents since 2020-01-01: 0 same, 3 changed, 0 now failing" in said.stdout
    assert "lines[].quantity: in 3 documents" in said.stdout
    told = json.loads(world.command("impact", "--mapping", str(file), "--since", "5000d", "--json").stdout)
    assert (told["documents"], told["changed"]) == (3, 3)
    assert world.command("impact", "--mapping", str(file), "--since", "soon").returncode == 2


def test_differences_name_each_leaf() -> None:
    found = differences({"a": {"b": "1"}, "l": [{"x": "1"}]}, {"a": {"b": "2"}, "l": [{"x": "1"}, {"x": "2", "y": True}]})
    assert [(one.field, one.expected, one.found) for one in found] == [("a.b", "1", "2"), ("l[1].x", None, "2"), ("l[1].y", None, "true")]
