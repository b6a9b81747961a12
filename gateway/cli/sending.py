"""Commands about what leaves: the outbox with its dead letters, and partners that are paused."""

from typing import Annotated
from typing import Any

import typer

from gateway.cli.app import ConfigOption
from gateway.cli.app import JsonOption
from gateway.cli.app import app
from gateway.cli.app import counted
from gateway.cli.app import json_line
from gateway.cli.app import say
from gateway.cli.failures import WRONG_DATA
from gateway.cli.failures import WRONG_USAGE
from gateway.cli.failures import Refused
from gateway.cli.operating import actor
from gateway.cli.operating import open_here
from gateway.cli.operating import opened
from gateway.cli.partner import partner_app

outbox_app = typer.Typer(no_args_is_help=True, help="What leaves: list it, try it again, stop it.")
app.add_typer(outbox_app, name="outbox")

#: what `list` shows: everything that has not left
_UNFINISHED = ("dead", "held_back", "waiting", "claimed", "prepared", "posted")
_STATES = (*_UNFINISHED, "sent", "acknowledged", "rejected", "cancelled")
_MOST = 10_000

ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it stands in the journal.", metavar="TEXT")]
PartnerIdOption = Annotated[str | None, typer.Option("--partner", help="Only what goes to this partner.", metavar="ID")]


@outbox_app.command("list")
def list_rows(
    state: Annotated[str | None, typer.Option("--state", help="Only this state: dead, waiting, prepared, sent, ...", metavar="STATE")] = None,
    partner: PartnerIdOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List what has not left, with tries, the next try, the error and what helps; what was given up first.

    Example: gateway outbox list --state dead
    """
    from gateway.pipeline.outbox.under_way import in_hand
    from gateway.pipeline.outbox.waits import waits
    from gateway.store.outgoing import outbox
    from gateway.store.outgoing import pauses

    if state is not None and state not in _STATES:
        raise Refused(f"There is no state '{state}': {', '.join(_STATES)}", WRONG_USAGE)
    station = open_here(config)
    try:
        _demand_partner(station, partner)
        with station.database.read() as connection:
            rows = [
                entry
                for one in ((state,) if state else _UNFINISHED)
                for entry in outbox.search(connection, state=one, partner=partner, limit=_MOST)[::-1]
            ]
            paused = {one.partner for one in pauses.standing(connection)}
            now = station.clock()
            what = waits(connection, now)
        held = {entry.id: in_hand(station.installation, entry, now) for entry in rows}
    finally:
        station.close()
    for entry in rows:
        is_paused = entry.partner in paused
        say(json_line(_row_json(entry, what, is_paused)) if as_json else _row_words(entry, what, is_paused, held[entry.id]))
    if not rows and not as_json:
        say("Nothing was given up." if state == "dead" else "Nothing waits to leave." if state is None else "Nothing is in this state.")


def _row_json(entry: Any, what: Any, paused: bool) -> dict[str, Any]:
    stopped = what.trouble_of(entry) is not None
    is_tried = entry.state in {"waiting", "prepared"} and not stopped
    return {
        "id": entry.id,
        "document": entry.document,
        "partner": entry.partner,
        "endpoint": entry.endpoint,
        "kind": entry.kind,
        "spec": entry.spec,
        "state": entry.state,
        "attempts": entry.attempts,
        "next_try_at": entry.due_at if is_tried else None,
        "identity": entry.identity,
        "error": entry.last_error,
        "cure": what.cure(entry),
        "stopped": stopped,
        "behind": entry.behind,
        "paused": paused,
    }


def _row_words(entry: Any, what: Any, paused: bool, in_hand: str = "") -> str:
    words = entry.state.replace("_", " ")
    if entry.attempts:
        words += f", {counted(entry.attempts, 'try').replace('trys', 'tries')}"
    if in_hand:
        words += f", {in_hand}"
    elif paused and entry.state in {"waiting", "prepared", "held_back"}:
        words += ", the partner is paused"
    elif waiting := what.words(entry):
        words += f", {waiting}"
    lines = [f"{entry.id}  {entry.kind.replace('_', ' ')} {entry.spec} to {entry.partner} over {entry.endpoint}: {words}"]
    if entry.behind:
        lines.append(f"    behind {entry.behind}")
    if entry.last_error and entry.state != "cancelled":
        lines.append(f"    {entry.last_error}")
    if entry.state in _UNFINISHED and (cure := what.cure(entry)):
        lines.append(f"    {cure}")
    return "\n".join(lines)


@outbox_app.command("retry")
def retry(
    reference: Annotated[str | None, typer.Argument(help="Id of the delivery, or number of its document.", metavar="ID")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything that was given up or waits for its next try.")] = False,
    partner: PartnerIdOption = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the journal.", metavar="TEXT")] = "",
    config: ConfigOption = None,
) -> None:
    """Try deliveries again, under the name and numbers that they have: what was given up, or at once what waits for its next try.

    Example: gateway outbox retry --all --partner acme
    """
    from gateway.pipeline.outbox import redelivering
    from gateway.pipeline.outbox.waits import waits
    from gateway.pipeline.service.assembly import work_off
    from gateway.store.outgoing import outbox

    if (reference is None) is not everything:
        raise Refused("Name one delivery, or say --all", WRONG_USAGE)
    with opened(config, redelivering.NotDone, code=WRONG_DATA) as station:
        _demand_partner(station, partner)
        if reference is not None:
            ids = [redelivering.find_row(station, reference).id]
        else:
            ids = redelivering.to_try_again(station, partner)
        taken = redelivering.retry(station, ids, actor(), reason)
        if taken:
            work_off(station, deliveries=[entry.id for entry in taken])
        with station.database.read() as connection:
            now = outbox.get_many(connection, [entry.id for entry in taken])
            what = waits(connection, station.clock())
    for entry in now:
        say(_row_words(entry, what, False))
    if not now:
        say("There is nothing to try again.")
    if any(entry.state == "dead" or entry.last_error for entry in now):
        raise typer.Exit(WRONG_DATA)


@outbox_app.command("cancel")
def cancel(
    reference: Annotated[str, typer.Argument(help="Id of the delivery, or number of its document.", metavar="ID")],
    reason: ReasonOption,
    config: ConfigOption = None,
) -> None:
    """Stop something before it leaves (in its undo window, before its batch, while its partner is paused), or for good where it was given up.

    Example: gateway outbox cancel INV-000042 --reason "price was wrong"
    """
    from gateway.pipeline.outbox import redelivering
    from gateway.store.rows import StaleState

    with opened(config, redelivering.NotDone, StaleState, code=WRONG_DATA) as station:
        stopped = redelivering.cancel(station, redelivering.find_row(station, reference).id, actor(), reason)
    say(f"{redelivering.name_of(stopped)} was stopped: it does not leave.")
    remains = redelivering.what_remains(stopped)
    if remains:
        say(remains)


@partner_app.command("pause")
def pause(
    partner: Annotated[str, typer.Argument(help="The partner.", metavar="ID")],
    reason: ReasonOption,
    fetching_too: Annotated[bool, typer.Option("--fetching-too", help="Do not look into its mailboxes either.")] = False,
    config: ConfigOption = None,
) -> None:
    """Send nothing to a partner until it is resumed; what arrives is still taken in.

    Example: gateway partner pause acme --reason "their server moves tonight"
    """
    from gateway.pipeline.outbox import pausing

    with opened(config, pausing.NotPaused) as station:
        _demand_partner(station, partner)
        pausing.pause(station, partner, actor(), reason, fetching=fetching_too)
    say(f"{partner} is paused: nothing is sent{' or fetched' if fetching_too else ''} until gateway partner resume {partner}.")


@partner_app.command("resume")
def resume(
    partner: Annotated[str, typer.Argument(help="The partner.", metavar="ID")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the journal.", metavar="TEXT")] = "",
    config: ConfigOption = None,
) -> None:
    """Let a paused partner go on: what waited leaves now, in its order.

    Example: gateway partner resume acme
    """
    from gateway.pipeline.outbox import pausing

    with opened(config, pausing.NotPaused, code=WRONG_DATA) as station:
        pausing.resume(station, partner, actor(), reason)
    say(f"{partner} goes on.")


def _demand_partner(station: Any, partner: str | None) -> None:
    from gateway.yaml_source import did_you_mean

    known = station.installation.directory.partners
    if partner is not None and partner not in known:
        raise Refused(f"There is no partner '{partner}'{did_you_mean(partner, known)}: gateway partner list names them", WRONG_USAGE)
