"""Archived files that are gone or altered are found by `gateway journal verify`, and named: digest, file, document."""

from pathlib import Path

import pytest

from gateway.config import load_installation
from gateway.store.incoming import transmissions
from gateway.store.outgoing import outbox
from tests.pipeline.world import World
from tests.pipeline.world import x12_order


@pytest.fixture
def world(tmp_path: Path, database_url: str):
    made = World(tmp_path, database=database_url)
    yield made
    made.close()


def test_what_is_missing_or_altered_is_named_with_its_file_and_document(world: World) -> None:
    [order] = world.receive(x12_order("PO1"), name="po-of-monday.edi").documents
    with world.station.database.read() as connection:
        received = transmissions.get(connection, order.transmission or "")
        response = next(entry for entry in outbox.search(connection) if entry.kind == "order_response")
    assert received is not None and response.sha256 is not None
    clean = world.command("journal", "verify")
    assert clean.returncode == 0 and "nothing was changed" in clean.stdout
    archive = load_installation(world.folder / "config.yaml").data / "archive"
    [gone] = archive.rglob(received.sha256)
    gone.unlink()
    [altered] = archive.rglob(response.sha256)
    altered.chmod(0o600)
    altered.write_bytes(altered.read_bytes().replace(b"PO1", b"PO9"))
    found = world.command("journal", "verify")
    assert found.returncode == 1 and "2 faults" in found.stdout
    first, second = found.stderr.strip().splitlines()
    assert first.startswith(f"the archive lacks the file {received.sha256} (")
    assert '"po-of-monday.edi"' in first and f"order PO1 ({order.id})" in first
    assert second.startswith(f"the archive's file {response.sha256} was altered (")
    assert f'file "{response.identity}" to acme with order response OR-PO1' in second and response.document in second  # type: ignore[operator]


def test_a_delivery_whose_bytes_are_gone_is_not_sent_and_says_so(world: World) -> None:
    """Bytes that were prepared and vanish before they leave: the row fails with words, and leaves when they are restored."""
    box = world.folder / "boxes/acme/in"
    box.rmdir()
    box.write_text("a file stands where the folder was")
    world.receive(x12_order("PO1"))
    with world.station.database.read() as connection:
        first = min(outbox.search(connection), key=lambda entry: entry.seq)
    assert first.sha256 is not None
    archive = load_installation(world.folder / "config.yaml").data / "archive"
    [kept] = archive.rglob(first.sha256)
    data = kept.read_bytes()
    kept.unlink()
    box.unlink()
    box.mkdir()
    world.clock.now = first.due_at
    world.settle()
    with world.station.database.read() as connection:
        row = outbox.get_existing(connection, first.id)
    assert row.state == "prepared" and first.sha256 in (row.last_error or "") and list(box.iterdir()) == []
    kept.write_bytes(data)
    world.clock.now = row.due_at
    world.settle()
    assert len(world.sent()) == 2
