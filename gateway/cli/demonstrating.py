"""The demo's command."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from gateway.cli.app import JsonOption
from gateway.cli.app import app
from gateway.cli.failures import INSTALLATION
from gateway.cli.failures import WRONG_DATA
from gateway.cli.failures import Refused


@app.command()
def demo(
    data: Annotated[
        Path | None, typer.Option("--data", help="Its folder, made anew each time (default: data/demo; with --once a temporary one).", metavar="DIR")
    ] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port of the pages (default: 8080, or a free one).", min=1, max=65535)] = None,
    once: Annotated[bool, typer.Option("--once", help="Tell the story and end, instead of serving the pages until Ctrl-C.")] = False,
    as_json: JsonOption = False,
) -> None:
    """A seeded world to look at: partners as processes of their own, a month of order to cash, a story that is checked.

    Example: gateway demo --port 8080
    """
    from gateway.demo.children import ChildDied
    from gateway.demo.premises import NotOurs
    from gateway.demo.run import PortTaken
    from gateway.demo.run import Wish
    from gateway.demo.run import run_demo
    from gateway.demo.summary import as_json as plainly
    from gateway.demo.watching import DidNotHappen

    out = sys.stdout if not as_json else sys.stderr if sys.stderr.isatty() else None
    try:
        result = run_demo(Wish(data=data, port=port, once=once), out)
    except (ChildDied, NotOurs, PortTaken, DidNotHappen) as error:
        raise Refused(str(error), INSTALLATION) from None
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(plainly(result)) + b"\n")
        sys.stdout.buffer.flush()
    raise typer.Exit(0 if result.ok else WRONG_DATA)
