"""What came from outside commands no terminal: nothing of it is printed that would move a cursor, clear a screen or begin a line of its own."""

import json
import re
from pathlib import Path

import gateway.cli
from tests.cli.conftest import Command
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

FORGED = "po\x1b]0;owned\x07\x1b[2J\r\n997 acknowledged: accepted\x9b31m.edi"
COMMANDING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def test_the_name_of_a_file_is_written_out_where_it_is_shown(world: World, command: Command) -> None:
    world.receive(x12_order("PO1"), name=FORGED)
    world.receive(b"nothing that we can read", name=FORGED)
    told = command("trail", "PO1")
    assert told.code == 0 and "po\\u001b]0;owned" in told.out
    for said in (told, command("hold", "list"), command("status"), command("trail", "PO1", "--json")):
        assert not COMMANDING.search(said.out + said.err)
        assert not any(line.startswith("997 acknowledged") for line in said.out.splitlines())


def test_json_says_the_same(world: World, command: Command) -> None:
    world.receive(x12_order("PO1"), name="a\x9b\u202eb.edi")
    assert "a\\\\u009b\\\\u202eb.edi" in command("trail", "PO1", "--json").out
    assert json.loads(command("trail", "PO1", "--json").out)


def test_commands_print_by_one_function() -> None:
    """`say` of gateway/cli/app.py, which writes out what commands a terminal."""
    folder = Path(gateway.cli.__file__).parent
    assert [path.name for path in sorted(folder.glob("*.py")) if "typer.echo(" in path.read_text()] == ["app.py"]
