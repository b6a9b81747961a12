"""The typer application that the commands register with, and the options that many of them share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated

import typer

import gateway
from gateway.visible import visible

if TYPE_CHECKING:
    from gateway.config import Installation
    from gateway.problem import Problem

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="An EDI and document gateway for order to cash.",
)

ConfigOption = Annotated[Path | None, typer.Option("--config", help="The installation's config.yaml (default: here, then upward).", metavar="FILE")]
PartnerOption = Annotated[str | None, typer.Option("--partner", help="Whose it is: this partner's, with its differences.", metavar="ID")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


def say(words: object = "", *, err: bool = False, nl: bool = True) -> None:
    """Tell whoever called: names, numbers and texts of partners among it cannot command the terminal."""
    typer.echo(visible(str(words)), err=err, nl=nl)


def _version(wanted: bool) -> None:
    if wanted:
        say(f"gateway {gateway.__version__}")
        raise typer.Exit


@app.callback()
def top(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False) -> None:
    """An EDI and document gateway for order to cash: X12, EDIFACT and UBL from the purchase order to the payment."""


def load_installation(config: Path | None) -> Installation:
    """The installation of a config.yaml; what checks it is loaded now, not with the command."""
    from gateway.config import load_installation as load

    return load(config)


def installation_now(config: Path | None) -> Installation:
    """The installation as it is worked by: where its files have faults and a service runs, as they were before, with a word of that."""
    from gateway.config import config_here
    from gateway.pipeline.service.asking import installation_now as now

    installation, faults = now(config or config_here())
    if faults is not None:
        more = f"\nand {counted(len(faults.faults) - 1, 'fault')} more: gateway lint" if len(faults.faults) > 1 else ""
        say(f"Not in force: {faults.faults[0]}{more}\nThe service works by what was there before, and so does this command.", err=True)
    return installation


def counted(number: int, word: str) -> str:
    """`1 fault`, `2 faults`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def problem_lines(problem: Problem) -> list[str]:
    """What is wrong: its code, where and what; below what was found and expected, and what to do about it."""
    from gateway.kinds import KINDS

    where = f"line {problem.place.line}: " if problem.place.line else ""
    found = f"found: {problem.found}" if problem.found else ""
    expected = f"expected: {problem.expected}" if problem.expected else ""
    lines = [f"{problem.code}: {where}{problem.message}"]
    if found or expected:
        lines.append(f"    {'; '.join(part for part in (found, expected) if part)}")
    if problem.code in KINDS:
        lines.append(f"    what to do: {KINDS[problem.code].cure}")
    return lines


def json_line(value: object) -> str:
    """A value as JSON on one line, whatever characters are in it."""
    import msgspec

    from gateway.model.document import on_one_line

    return on_one_line(msgspec.json.encode(value, enc_hook=str)).decode()
