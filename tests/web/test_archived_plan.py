"""A document is explained with the plan of its day, whatever the partner's file says now."""

from pathlib import Path

from gateway.store.records import documents
from gateway.web.explanation import explain
from gateway.web.payload import payload_of
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

DIFFERENCE = "mapping:\n  x12/004010/850:\n    lines:\n      price: {from: PO1/04, as: decimal, divide: 100}\n"


def test_a_changed_mapping_does_not_change_what_an_older_document_is_explained_with(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": ACME + DIFFERENCE})
    world.receive(x12_order("PO1", lines=(("1", "10", "925", "SKU1"),)))
    world.close()
    (tmp_path / "partners" / "acme.yaml").write_text(ACME)
    with world.station.database.read() as connection:
        row = documents.get(connection, documents.search(connection, documents.Filters(kind="order"))[0].id)
    assert row is not None
    assert '"price":"9.25"' in (row.body or "")
    payload = payload_of(world.station, row, (), True)
    assert payload is not None
    explanation = explain(world.station, row, payload)
    [origin] = explanation.origins["lines[0].price"]
    assert explanation.note == ""
    assert (origin.how, origin.mapping) == ("converted", f"partners/acme.yaml:{len(ACME.splitlines()) + 4}")
    world.close()
