"""Commands about webhooks: what is on its way to whom, and trying again what was given up."""

from typing import Annotated

import typer

from gateway.cli.app import ConfigOption
from gateway.cli.app import JsonOption
from gateway.cli.app import app
from gateway.cli.app import counted
from gateway.cli.app import json_line
from gateway.cli.app import say
from gateway.cli.failures import WRONG_USAGE

webhooks_app = typer.Typer(no_args_is_help=True, help="Events that other systems are told about.")
app.add_typer(webhooks_app, name="webhooks")


@webhooks_app.command("list")
def list_webhooks(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show each webhook with what waits, what was posted in the last days and what was given up, and the last error.

    Example: gateway webhooks list
    """
    from gateway.cli.operating import open_here
    from gateway.pipeline.outbound.hook_states import hook_states

    station = open_here(config)
    try:
        with station.database.read() as connection:
            shown = hook_states(station.installation, connection)
    finally:
        station.close()
    if as_json:
        say(json_line(shown))
        return
    for one in shown:
        gone = "" if one.configured else " (not in config.yaml any more)"
        last = f", the last one on {one.last_sent_at:%Y-%m-%d %H:%M} UTC" if one.last_sent_at else ""
        say(f"{one.webhook}{gone}: {one.waiting} waiting, {one.sent} posted{last}, {one.dead} given up")
        if one.last_error:
            say(f"  {one.last_error}")
    if not shown:
        say("config.yaml names no webhooks")


@webhooks_app.command("retry")
def retry_webhook(
    target: Annotated[str, typer.Argument(help="The webhook's name, or its URL where it has none.", metavar="WEBHOOK")], config: ConfigOption = None
) -> None:
    """Try again what was given up for a webhook, and at once what waits; the service does it.

    Example: gateway webhooks retry erp
    """
    from gateway.cli.operating import open_here
    from gateway.pipeline.outbound.hooking import retry

    station = open_here(config)
    try:
        named = [hook.target for hook in station.installation.settings.webhooks]
        if target not in named:
            there = f"it names {', '.join(named)}" if named else "it names none; webhooks: [{name: erp, url: https://...}] would be one"
            say(f"There is no webhook '{target}' in config.yaml: {there}", err=True)
            raise typer.Exit(WRONG_USAGE)
        count = retry(station, target)
    finally:
        station.close()
    say(f"{counted(count, 'event')} that {'was' if count == 1 else 'were'} given up {'is' if count == 1 else 'are'} on the way again")
