"""The versions of an order on the pages: each field before and after."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.records import documents
from tests.pipeline.test_changes import LIMITED
from tests.pipeline.world import World
from tests.pipeline.world import poc
from tests.pipeline.world import x12_change
from tests.pipeline.world import x12_order
from tests.web.conftest import Seeded
from tests.web.world import serving


@pytest.fixture
def changed(tmp_path: Path) -> Iterator[Seeded]:
    """An order that was changed once, and a second change that waits for its credit."""
    world = World(tmp_path, partners={"acme": LIMITED})
    world.receive(x12_order("PO1"))
    world.receive(x12_change("PO1", sequence="1", lines=(poc("1", "QI", "15", "9.25", "SKU1"), "POC*2*AI*1*1*EA*2.00**BP*BSKU2*VP*SKU2")))
    world.receive(x12_change("PO1", sequence="2", control=3, lines=(poc("1", "QI", "80", "9.25", "SKU1"),)))
    with serving(world.station) as site:
        yield Seeded(world, site)
    world.close()


def page_of(changed: Seeded, row: documents.Document) -> str:
    return " ".join(changed.site.ask("GET", f"/documents/{row.id}").text.split())


def test_the_page_of_an_order_shows_its_versions(changed: Seeded) -> None:
    text = page_of(changed, changed.document("PO1", kind="order"))
    assert "Changed by the buyer" in text
    assert "Version 2, by" in text and "change PO1-1" in text
    assert 'line 1 quantity</th><td data-label="Before"><del>10</del></td><td data-label="After"><ins>15</ins>' in text
    assert "<ins>1 EA SKU2</ins>" in text


def test_the_page_of_a_change_shows_before_and_after(changed: Seeded) -> None:
    text = page_of(changed, changed.document("PO1-1", kind="order_change"))
    assert "What it changed" in text and "It made version 2 of" in text
    assert '<del>10</del></td><td data-label="After"><ins>15</ins>' in text


def test_a_change_that_waits_shows_what_it_asks_for(changed: Seeded) -> None:
    text = page_of(changed, changed.document("PO1-2", kind="order_change"))
    assert "What it asks for" in text and "nothing of it is done yet" in text
    assert '<del>15</del></td><td data-label="After"><ins>80</ins>' in text
    assert "It waits for your decision" in text


def test_the_api_gives_the_versions(changed: Seeded) -> None:
    reply = changed.site.ask("GET", f"/api/v1/documents/{changed.document('PO1', kind='order').id}")
    assert '"versions"' in reply.text and '"field":"line 1 quantity","before":"10","after":"15"' in reply.text.replace(": ", ":").replace(", ", ",")
