"""What was not taken as it came is told where operators look: a line in the log with ids and codes, counts in `gateway status`."""

import json
from pathlib import Path

import pytest

from gateway.cli.watching import _words
from gateway.pipeline.keeping.trails import trail_of
from gateway.pipeline.service.condition import condition_of
from gateway.store.incoming import transmissions
from tests.pipeline.world import World
from tests.pipeline.world import x12_order


def test_what_was_turned_away_stands_in_the_log_and_in_the_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = World(tmp_path)
    world.receive(x12_order("PO1"))
    world.receive(x12_order("PO1"), "again.edi")
    world.receive(x12_order("HIDDEN-PO", control=2).replace(b"PO1*1*10*", b"PO1*1*TENFOLD*"), "faulty.edi")
    world.receive(b"rubbish", "rubbish.txt")
    world.receive(x12_order("PO3", control=3, sender="STRANGER"), "strange.edi")
    text = capsys.readouterr().err
    lines = [json.loads(line) for line in text.splitlines() if '"problems"' in line]
    assert [(line["event"], line["problems"].split(",")[0]) for line in lines] == [
        ("interchange refused", "FILE-DUPLICATE-INTERCHANGE"),
        ("document rejected", "X12-ELEMENT-CHARACTER"),
        ("file unreadable", "FILE-UNREADABLE"),
        ("interchange held", "PARTNER-UNKNOWN-SENDER"),
    ]
    assert (lines[2]["partner"], lines[2]["endpoint"]) == ("acme", "folder:boxes/acme/out"), "the endpoint says whose it is"
    with world.station.database.read() as connection:
        [file] = transmissions.search(connection, state="unreadable")
    assert file.partner == "acme"
    assert "file rubbish.txt of acme, over folder:boxes/acme/out" in world.command("hold", "list").stdout
    assert "TENFOLD" not in text and "HIDDEN-PO" not in text
    # each of the ids leads to its trail
    for line in lines:
        id = next(line[key] for key in ("document", "interchange", "transmission") if line.get(key))
        assert trail_of(world.station, id) is not None, line

    found = condition_of(world.station)
    assert (found.lately.rejected, found.lately.held, found.lately.duplicates) == (1, 2, 1)
    words = _words(found)
    assert "in the last 24 hours: 1 document rejected, 2 held for a person, 1 file twice" in words
    assert f"acme: X12-ELEMENT-CHARACTER, MAP-VALUE-INVALID: gateway trail {found.lately.newest[0].document}" in words
    assert "gateway hold list" in words
    world.close()
