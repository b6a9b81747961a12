"""Commands that show how the installation does, and have its files read again: status, reload."""

from typing import Annotated
from typing import Any

import typer

from gateway.cli.app import ConfigOption
from gateway.cli.app import JsonOption
from gateway.cli.app import app
from gateway.cli.app import counted
from gateway.cli.app import json_line
from gateway.cli.app import say
from gateway.cli.failures import INSTALLATION
from gateway.cli.failures import WRONG_DATA


@app.command()
def status(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show whether the service runs, what does not work now and what waits; exit 4 where something does not work.

    Example: gateway status
    """
    from gateway.cli.operating import open_here
    from gateway.pipeline.service.condition import condition_of

    station = open_here(config)
    try:
        found = condition_of(station)
    finally:
        station.close()
    if as_json:
        say(json_line(found))
    else:
        say(_words(found))
    # a certificate that ends in two months is told, but nothing fails yet
    raise typer.Exit(INSTALLATION if any(trouble.state != "warning" for trouble in found.troubles) else 0)


def _words(found: Any) -> str:
    lines = [f"service: {f'running ({found.owner})' if found.owner else 'not running; start it with gateway run'}"]
    for worker in found.workers:
        timers = f", {counted(len(worker.timers), 'timer')}" if worker.timers else ""
        files = f", files {worker.files}" if worker.files else ""
        lines.append(f"  {worker.role} on {worker.host} (process {worker.process}) since {worker.since:%Y-%m-%d %H:%M} UTC{timers}{files}")
        lines += [f"    looks into {address}" for address in worker.mailboxes]
    lines.append("not working: nothing" if not found.troubles else "not working:")
    for trouble in found.troubles:
        state = {"stopped": "is stopped", "warning": "needs you"}.get(trouble.state, "fails")
        whose = f" (partner {trouble.partner})" if trouble.partner and trouble.partner not in trouble.name else ""
        lines.append(f"  {trouble.name}{whose} {state} since {trouble.since:%Y-%m-%d %H:%M} UTC")
        lines += [f"    {trouble.error}", f"    {trouble.cure}"]
    lines.append(f"waiting for a person: {counted(found.held, 'hold')}, {found.dead} deliver{'y' if found.dead == 1 else 'ies'} given up")
    lines += _lately(found.lately)
    for hook in found.webhooks_given_up:
        lines.append(f"webhook {hook.webhook}: {counted(hook.dead, 'event')} given up: {hook.last_error}")
        lines.append(f"  gateway webhooks retry {hook.webhook}" if hook.configured else "  config.yaml does not name it any more")
    behind = f", {found.held_back} behind another of their order" if found.held_back else ""
    again = f", next try at {found.next_try_at:%Y-%m-%d %H:%M:%S} UTC" if found.next_try_at else ""
    for pause in found.paused:
        what = "nothing is sent or fetched" if pause.fetching else "nothing is sent"
        lines.append(f"paused: {pause.partner}, {what} since {pause.since:%Y-%m-%d %H:%M} UTC ({pause.actor}: {pause.reason})")
    answers = f"answers of partners: {found.answers_waiting} waited for, {found.answers_overdue} overdue"
    lines.append(f"to be sent: {found.leaving}{behind}{again}; {answers}")
    return "\n".join(lines)


def _lately(lately: Any) -> list[str]:
    """What was not taken as it came in the last 24 hours, and what to do about it."""
    counts = f"{counted(lately.rejected, 'document')} rejected, {lately.held} held for a person, {counted(lately.duplicates, 'file')} twice"
    lines = [f"in the last 24 hours: {counts}"]
    if lately.rejected:
        lines.append("  rejected: the partner has been answered and sends it anew; what was wrong with the newest:")
        lines += _newest(lately.newest)
    if lately.own_refused:
        what = "1 shipment or invoice release" if lately.own_refused == 1 else f"{lately.own_refused} shipments and invoice releases"
        lines.append(f"  not booked: {what} of ours; nobody outside was told: correct what was wrong and hand it in anew:")
        lines += _newest(lately.own_newest)
    if lately.held:
        lines.append("  held: gateway hold list")
    if lately.duplicates:
        lines.append("  twice: nothing is booked twice; where the partner meant a new one, ask for it under a new control number")
    return lines


def _newest(rejected: Any) -> list[str]:
    return [
        f"    {one.at:%Y-%m-%d %H:%M} UTC {one.partner or 'nobody known'}: {', '.join(one.problems)}: gateway trail {one.document}"
        for one in rejected
    ]


@app.command()
def reload(
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds to wait for the service.", metavar="SECONDS")] = 60.0,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Have the running service read config.yaml, partners, mappings and schemas again, and try at once what was stopped. It does so by itself
    when a file changes; this says what came of it. Exit 1 where a file is wrong: what it said before goes on.

    Example: gateway reload
    """
    from gateway.cli.operating import actor
    from gateway.config import config_here
    from gateway.config.installation import config_text
    from gateway.pipeline.service import asking

    file = config or config_here()
    config_text(file)
    told = asking.reload(file, actor(), timeout)
    if as_json:
        say(json_line({"changed": told.changed, "faults": told.faults, "restart": told.restart, "since": told.since}))
    else:
        for fault in told.faults:
            say(fault, err=True)
        say(_reloaded(told))
    raise typer.Exit(WRONG_DATA if told.faults else 0)


def _reloaded(told: Any) -> str:
    lines = [f"in force since {told.since:%Y-%m-%d %H:%M:%S} UTC: {', '.join(told.changed) or 'all files as they were at the start'}"]
    if told.faults:
        lines.append(f"{counted(len(told.faults), 'fault')}: what those files said before goes on")
    lines += [f"{words}: it holds from the next start on" for words in told.restart]
    return "\n".join(lines)
