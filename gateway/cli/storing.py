"""Commands that look after where things are kept: store migrate."""

import json
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.app import ConfigOption
from gateway.cli.app import JsonOption
from gateway.cli.app import app
from gateway.cli.app import json_line
from gateway.cli.app import load_installation
from gateway.cli.app import say
from gateway.cli.failures import INSTALLATION
from gateway.cli.failures import WRONG_DATA
from gateway.cli.failures import WRONG_USAGE
from gateway.cli.failures import Refused
from gateway.cli.operating import open_here
from gateway.cli.progress import counting

store_app = typer.Typer(no_args_is_help=True, help="Where documents and payloads are kept.")
app.add_typer(store_app, name="store")


@store_app.command("migrate")
def store_migrate(
    to: Annotated[str, typer.Option("--to", help="The new database: a URL, or env:NAME or file:PATH that hold one.", metavar="URL")],
    archive: Annotated[
        str | None,
        typer.Option(
            "--archive",
            help="Where payloads go: folder, database, a URL, or what `archive:` shall say ('{url: ..., key: ...}'); default: where they are now.",
            metavar="PLACE",
        ),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Copy the installation into another database (and archive), also while it runs, and prove that the copy is whole.

    The target must be empty or a former copy of this installation. Run it again to bring what is new.

    Example: gateway store migrate --to postgresql://gateway@db.example/gateway --archive database
    """
    import pydantic

    from gateway.config.archiving import Archive
    from gateway.pipeline.keeping.moving import migrate_store
    from gateway.store.keeping.copying import CopyRefused
    from gateway.store.keeping.copying import totals

    installation = load_installation(config)
    url = installation.secret(to) if to.startswith(("env:", "file:")) else to
    try:
        keys = (
            installation.settings.archive
            if archive is None
            else Archive.model_validate(_as_written(archive) or {**_opener(installation.settings.archive, archive), "url": archive})
        )
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "extra_forbidden":
            raise Refused(f"--archive: '{first['loc'][-1]}' is no key of it; known are {', '.join(Archive.model_fields)}", WRONG_USAGE) from None
        raise Refused(f"--archive {first['msg'].removeprefix('Value error, ')}", WRONG_USAGE) from None
    station = open_here(config)
    try:
        with counting("Copying") as told:
            moved = migrate_store(station, url, installation.place_of(keys), lambda what, done, total: told(done, total or done))
    except CopyRefused as error:
        raise Refused(f"Nothing was copied: {error}", INSTALLATION) from None
    finally:
        station.close()
    summed = totals(moved.tables)
    wrong = [*(f"the payload {sha256} was lost or altered before the copy" for sha256 in moved.damaged), *moved.verification.faults]
    if as_json:
        say(json_line({"ok": not wrong, **summed, "payloads": moved.copied, "verification": moved.verification, "tables": moved.tables}))
    else:
        say(
            f"{summed['rows']} rows in {len(moved.tables)} tables are the same on both sides ({summed['added']} added, {summed['changed']} changed, "
            f"{summed['removed']} removed); {moved.copied} payloads copied, {moved.present} were there."
        )
        for fault in wrong:
            say(fault, err=True)
        verified = moved.verification
        say(f"The journal on the new side: {verified.entries} entries, {'nothing was changed' if verified.ok else f'{len(verified.faults)} faults'}.")
        if not wrong:
            say(_next_steps(installation.file, to, None if archive is None else _in_words(keys.model_dump(exclude_none=True))))
    raise typer.Exit(WRONG_DATA if wrong else 0)


def _as_written(archive: str) -> object:
    """What `archive:` would say in config.yaml, where several keys are given; None where it is a word or a URL."""
    if not archive.lstrip().startswith("{"):
        return None
    from gateway.yaml_source import Faults
    from gateway.yaml_source import parse
    from gateway.yaml_source import plain

    try:
        return plain(parse(archive, "--archive"))
    except Faults as error:
        raise Refused(str(error), WRONG_USAGE) from None


def _in_words(keys: dict[str, str]) -> str:
    """The same in one line of config.yaml; secrets are only named in it."""
    return keys["url"] if list(keys) == ["url"] else f"{{{', '.join(f'{name}: {json.dumps(value)}' for name, value in keys.items())}}}"


def _opener(present: object, archive: str) -> dict[str, str | None]:
    """What opens an S3 store, where the new place is one and config.yaml names it already."""
    if not archive.startswith("s3://"):
        return {}
    return {name: getattr(present, name) for name in ("endpoint", "region", "key", "secret")}


def _next_steps(file: Path, to: str, archive: str | None) -> str:
    named = to if to.startswith(("env:", "file:")) or "@" not in to or ":" not in to.partition("://")[2].partition("@")[0] else "env:GATEWAY_DATABASE"
    lines = [
        "",
        "To change over:",
        "  1. stop the service (gateway run, gateway worker)",
        "  2. run this command again: it brings what is new",
        f"  3. in {file} write",
        f"       database: {named}",
    ]
    if archive is not None:
        lines.append(f"       archive: {archive}")
    if named == "env:GATEWAY_DATABASE":
        lines.append("     and put the address with its password into the service's environment as GATEWAY_DATABASE")
    return "\n".join([*lines, "  4. start the service, and keep the old database until you are sure"])
