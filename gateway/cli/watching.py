"""Commands that show how the installation does: status."""

from typing import Any

import typer

from gateway.cli.app import ConfigOption
from gateway.cli.app import JsonOption
from gateway.cli.app import app
from gateway.cli.app import counted
from gateway.cli.app import json_line
from gateway.cli.failures import INSTALLATION


@app.command()
def status(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show whether the service runs, what does not work now and what waits; exit 4 where something does not work.

    Example: gateway status
    """
    from gateway.cli.operating import open_here
    from gateway.pipeline.condition import condition_of

    station = open_here(config)
    try:
        found = condition_of(station)
    finally:
        station.close()
    if as_json:
        typer.echo(json_line(found))
    else:
        typer.echo(_words(found))
    raise typer.Exit(INSTALLATION if found.troubles else 0)


def _words(found: Any) -> str:
    lines = [f"service: {f'running (process {found.owner})' if found.owner else 'not running; start it with gateway run'}"]
    lines.append("not working: nothing" if not found.troubles else "not working:")
    for trouble in found.troubles:
        lines.append(f"  {trouble.name} {'is stopped' if trouble.state == 'stopped' else 'fails'} since {trouble.since:%Y-%m-%d %H:%M} UTC")
        lines += [f"    {trouble.error}", f"    {trouble.cure}"]
    lines.append(f"waiting for a person: {counted(found.held, 'hold')}, {found.dead} deliver{'y' if found.dead == 1 else 'ies'} given up")
    lines.append(f"to be sent: {found.leaving}; answers of partners: {found.answers_waiting} waited for, {found.answers_overdue} overdue")
    return "\n".join(lines)
