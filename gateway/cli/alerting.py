"""Commands about alerts: what is told, a test, and what nobody wants to hear for a while."""

from typing import Annotated

import typer

from gateway.cli.app import ConfigOption
from gateway.cli.app import JsonOption
from gateway.cli.app import app
from gateway.cli.app import counted
from gateway.cli.app import json_line
from gateway.cli.app import say
from gateway.cli.failures import INSTALLATION
from gateway.cli.failures import WRONG_USAGE
from gateway.cli.failures import Refused
from gateway.cli.operating import actor
from gateway.cli.operating import open_here

alerts_app = typer.Typer(no_args_is_help=True, help="Who is told what does not work.")
app.add_typer(alerts_app, name="alerts")

PartnerOption = Annotated[str | None, typer.Option("--partner", help="Alerts of this partner.", metavar="ID")]


@alerts_app.command("list")
def list_alerts(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List what stands, what is muted, and the last messages.

    Example: gateway alerts list
    """
    from gateway.pipeline.alerts.raising import why_quiet
    from gateway.store.watching import alerts

    station = open_here(config)
    try:
        with station.database.read() as connection:
            standing = list(alerts.known(connection).values())
            mutes = alerts.mutes(connection, station.clock())
            messages = alerts.latest_messages(connection)
            quiet = why_quiet(station, connection, standing)
        configured = station.installation.settings.alerts is not None
    finally:
        station.close()
    if as_json:
        say(json_line({"alerts": standing, "mutes": mutes, "messages": messages}))
        return
    if not configured:
        say("nobody is told: config.yaml has no key alerts")
    say("alerts: none" if not standing else "alerts:")
    for alert in standing:
        told = f"told {alert.told_at:%Y-%m-%d %H:%M} UTC" if alert.told_at else quiet.get(alert.name, "not told")
        ended = f", over since {alert.over_at:%Y-%m-%d %H:%M} UTC" if alert.over_at else ""
        after = f"; its end is {quiet[alert.name]}" if alert.told_at and alert.name in quiet else ""
        say(f"  {alert.severity}: {alert.name} since {alert.since:%Y-%m-%d %H:%M} UTC{ended}, {told}{after}\n    {alert.what}")
    for mute in mutes:
        what = " ".join(part for part in (mute.kind or "everything", f"of {mute.partner}" if mute.partner else "") if part)
        say(f"muted {mute.id}: {what} until {mute.until:%Y-%m-%d %H:%M} UTC by {mute.actor}: {mute.reason}")
    for message in messages:
        state = f"{message.state}: {message.last_error}" if message.state in {"waiting", "dead"} and message.last_error else message.state
        say(f"{message.created_at:%Y-%m-%d %H:%M} UTC {message.way}, {counted(len(message.items), 'alert')}: {state}")


@alerts_app.command("test")
def test_alerts(config: ConfigOption = None) -> None:
    """Send a test message by each way that config.yaml names; exit 4 where one is not taken.

    Example: gateway alerts test
    """
    from gateway.config import ConfigTrouble
    from gateway.pipeline.alerts.sending import tell
    from gateway.store.identity import new_id
    from gateway.store.watching.alerts import Message
    from gateway.transport.box import TransportError

    station = open_here(config)
    failed = False
    try:
        alerting = station.installation.settings.alerts
        if alerting is None:
            raise ConfigTrouble("config.yaml names nobody to tell: alerts: {to: [ops@us.example]}")
        for way in alerting.ways:
            now = station.clock()
            try:
                tell(station, Message(id=new_id(), way=way, created_at=now, items=(), due_at=now))
                say(f"{way}: taken")
            except (TransportError, ConfigTrouble) as error:
                failed = True
                say(f"{way}: {error}", err=True)
    finally:
        station.close()
    raise typer.Exit(INSTALLATION if failed else 0)


@alerts_app.command("mute")
def mute_alerts(
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the list.", metavar="TEXT")],
    kind: Annotated[str | None, typer.Option("--kind", help="Alerts of this kind: mailbox, sending, holds, ...", metavar="KIND")] = None,
    partner: PartnerOption = None,
    span: Annotated[str, typer.Option("--for", help="For how long.", metavar="SPAN")] = "4h",
    config: ConfigOption = None,
) -> None:
    """Tell nobody of a kind, or of a partner, for a while. What still stands then is told.

    Example: gateway alerts mute --partner acme --for 2d --reason "their server moves"
    """
    from gateway.exchange.bounds import Span
    from gateway.exchange.bounds import timedelta_of
    from gateway.pipeline.alerts.kinds import ALERT_KINDS
    from gateway.store.identity import new_id
    from gateway.store.watching import alerts

    try:
        length = timedelta_of(Span("1m", "365d").check(span))
    except ValueError as error:
        raise Refused(str(error), WRONG_USAGE) from None
    if kind is None and partner is None:
        raise Refused("Say what to mute: --kind or --partner", WRONG_USAGE)
    if kind is not None and kind not in ALERT_KINDS:
        raise Refused(f"There are no alerts of the kind '{kind}'; there are: {', '.join(ALERT_KINDS)}", WRONG_USAGE)
    station = open_here(config)
    try:
        if partner is not None and partner not in station.installation.directory.partners:
            raise Refused(f"There is no partner '{partner}': gateway partner list names them", WRONG_USAGE)
        now = station.clock()
        muted = alerts.Muted(id=new_id(), kind=kind, partner=partner, until=now + length, reason=reason, actor=actor(), at=now)
        with station.database.begin() as connection:
            alerts.mute(connection, muted)
    finally:
        station.close()
    say(f"{muted.id}: muted until {muted.until:%Y-%m-%d %H:%M} UTC")


@alerts_app.command("unmute")
def unmute_alerts(id: Annotated[str, typer.Argument(help="The mute's id.", metavar="ID")], config: ConfigOption = None) -> None:
    """Tell again what was muted by command.

    Example: gateway alerts unmute 0198c1a2
    """
    from gateway.store.watching import alerts

    station = open_here(config)
    try:
        with station.database.begin() as connection:
            done = alerts.unmute(connection, id)
    finally:
        station.close()
    if not done:
        raise Refused(f"There is no mute '{id}': gateway alerts list names them", WRONG_USAGE)
    say("it is told again")
