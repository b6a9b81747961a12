"""Commands that save an installation and bring it back: backup, restore."""

import os
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated

import typer

from gateway.cli.app import ConfigOption
from gateway.cli.app import JsonOption
from gateway.cli.app import app
from gateway.cli.app import counted
from gateway.cli.app import json_line
from gateway.cli.app import say
from gateway.cli.failures import INSTALLATION
from gateway.cli.failures import WRONG_DATA
from gateway.cli.failures import WRONG_USAGE
from gateway.cli.failures import Refused
from gateway.cli.operating import actor
from gateway.cli.operating import open_here
from gateway.cli.progress import counting

if TYPE_CHECKING:
    from gateway.pipeline.keeping.restoring import Restored

PassphraseOption = Annotated[
    str | None, typer.Option("--passphrase", help="What keys are sealed with: env:NAME or file:PATH.", metavar="SECRET", show_default=False)
]


def _passphrase(named: str | None) -> str | None:
    if named is None:
        return None
    kind, _, rest = named.partition(":")
    if kind == "env" and os.environ.get(rest):
        return os.environ[rest]
    if kind == "file":
        text = Path(rest).read_text(encoding="utf-8").strip()
        if text:
            return text
    raise Refused("--passphrase names a secret that is there and not empty: env:NAME or file:PATH", WRONG_USAGE)


@app.command()
def backup(
    out: Annotated[Path, typer.Argument(help="The file to write; it must not be there yet.", metavar="OUT.zip")],
    passphrase: PassphraseOption = None,
    without_payloads: Annotated[
        bool, typer.Option("--without-payloads", help="Leave the archive to a tool that copies only what is new; run that afterwards.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Save the installation in one file, also while it runs: database, payloads, configuration; keys only with a passphrase.

    Example: gateway backup /backups/gateway-monday.zip --passphrase file:/root/backup-passphrase
    """
    from gateway.pipeline.keeping.backing_up import PayloadsWanted
    from gateway.pipeline.keeping.backing_up import make_backup

    if out.exists():
        raise Refused(f"{out} is there already: name another file, a backup is never written over", WRONG_USAGE)
    if not out.parent.is_dir():
        raise Refused(f"There is no folder {out.parent}", WRONG_USAGE)
    secret = _passphrase(passphrase)
    station = open_here(config)
    try:
        with counting("Saving") as told:
            made = make_backup(station, out, secret, lambda what, done, total: told(done, total or done), payloads=not without_payloads)
    except PayloadsWanted as error:
        raise Refused(f"Not saved: {error}", WRONG_USAGE) from None
    finally:
        station.close()
    if as_json:
        say(json_line(made))
    else:
        say(
            f"{out}: {counted(made.rows, 'row')}, {counted(made.payloads, 'payload')} and {counted(made.files, 'file')} "
            f"of {_moment(made.made_at)}, {made.size / 1e6:.1f} MB."
        )
        for words in made.left_out:
            say(f"Not in it: {words}")
    for sha256 in made.damaged:
        say(f"The payload {sha256} was altered before the backup: gateway journal verify says whose it is", err=True)
    raise typer.Exit(WRONG_DATA if made.damaged else 0)


@app.command()
def restore(
    backup: Annotated[Path, typer.Argument(help="A file that gateway backup wrote.", metavar="IN.zip", exists=True, dir_okay=False)],
    into: Annotated[Path, typer.Option("--into", help="The folder to restore into (default: here).", metavar="DIR")] = Path(),
    passphrase: PassphraseOption = None,
    database: Annotated[
        str | None,
        typer.Option("--database", help="An empty database to restore into (default: the one that its config.yaml names).", metavar="URL"),
    ] = None,
    gap: Annotated[
        int,
        typer.Option("--gap", min=0, max=1_000_000, help="How far numbers go on; 0: nothing came or left after the backup.", metavar="N"),
    ] = 1000,
    as_json: JsonOption = False,
) -> None:
    """Bring an installation back out of a backup, into a place where none is.

    Numbers go on behind a gap and sending is paused for every partner, since what left after the backup is not known here.

    Example: gateway restore /backups/gateway-monday.zip --into /srv/gateway --passphrase file:/root/backup-passphrase
    """
    from gateway.pipeline.keeping.restoring import RestoreRefused
    from gateway.pipeline.keeping.restoring import Wanted
    from gateway.pipeline.keeping.restoring import restore as bring_back
    from gateway.pipeline.service.logs import set_up_logs
    from gateway.store.keeping.backup_file import BackupTrouble

    set_up_logs()
    wanted = Wanted(backup, into, _passphrase(passphrase), database, gap, actor(), datetime.now(UTC))
    try:
        with counting("Restoring") as told:
            restored = bring_back(wanted, lambda what, done, total: told(done, total))
    except (RestoreRefused, BackupTrouble) as error:
        raise Refused(f"Not restored: {error}", INSTALLATION) from None
    if as_json:
        say(json_line(restored))
    else:
        for line in _told(restored, database):
            say(line)
    for fault in restored.verification.faults:
        say(fault, err=True)
    raise typer.Exit(0 if restored.verification.ok else WRONG_DATA)


def _told(restored: "Restored", database: str | None) -> list[str]:
    verified = restored.verification
    lines = [
        f"Restored {restored.file} as it was at {_moment(restored.made_at)}: {counted(restored.rows, 'row')}, "
        f"{counted(restored.payloads, 'payload')}, {counted(restored.files, 'file')}.",
        f"The journal: {verified.entries} entries, {'nothing was changed' if verified.ok else counted(len(verified.faults), 'fault')}.",
    ]
    if database is not None:
        lines.append("Write the new database into config.yaml before you start the service (database: ...).")
    if restored.key_wanted is not None:
        lines.append(f"The journal's key was not in the backup: put it back as {restored.key_wanted} before you start the service.")
    lines += [_left_out(words, restored.key_wanted is not None) for words in restored.left_out]
    if restored.folders_made:
        lines.append(f"Made the folders of partners and of your own systems: {_some(restored.folders_made)}.")
    if restored.folders_missing:
        lines.append(f"Folders that must be there before you start the service: {_some(restored.folders_missing)}.")
    if not restored.paused and not restored.numbers:
        return [*lines, "Nothing came after the backup, as you say: open work goes on when the service starts."]
    return [
        *lines,
        "",
        "What came or left after that moment is not known here:",
        "- Files that partners sent since must be asked for again. What came before is known: sent again, it is told as a duplicate.",
        "- What we sent since may be made again under other numbers. So nothing leaves: every partner is paused "
        f"({', '.join(restored.paused[:8])}{', ...' if len(restored.paused) > 8 else ''}).",
        f"- {restored.numbered} deliveries had their numbers: they leave again under the same ones, and partners see that they have them. "
        f"{restored.unnumbered} had none yet: ask whether the partner has them, and stop those.",
        f"- {counted(len(restored.numbers), 'numbering')} went on by a gap, so that no number is used twice:",
        *(f"    {name}: {words}" for name, words in list(restored.numbers.items())[:20]),
        "- Shipments, invoices and payments that were handed in since must be handed in again.",
        "When you have compared with a partner: gateway partner resume ID",
    ]


def _left_out(words: str, journal_key: bool) -> str:
    """What a backup left out, with what that means now; the manifest says what it meant then."""
    what, _, why = words.partition(": ")
    if what == "the keys":
        others = "other keys" if journal_key else "the keys"
        return f"Not in the backup: {others}. Put back the files that `file:` names in config.yaml and partners/, where there are any."
    if what == "the payloads":
        return "Not in the backup: the payloads. What is not in the archive's place is named as missing."
    return f"Not in the backup: {what}, since {why}."


def _some(paths: Sequence[Path]) -> str:
    return ", ".join(str(path) for path in paths[:8]) + (f" and {len(paths) - 8} more" if len(paths) > 8 else "")


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S} UTC"
