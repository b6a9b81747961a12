"""`gateway test`: the cases beside mappings and partners. `gateway impact`: a changed mapping over stored traffic."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from typing import Annotated

import msgspec
import typer

from gateway.cli.app import ConfigOption
from gateway.cli.app import JsonOption
from gateway.cli.app import app
from gateway.cli.app import counted
from gateway.cli.app import json_line
from gateway.cli.documents import Reading
from gateway.cli.failures import WRONG_DATA
from gateway.cli.failures import WRONG_USAGE
from gateway.cli.failures import Refused

if TYPE_CHECKING:
    from gateway.insight.differences import Difference
    from gateway.pipeline.cases import Outcome

#: characters of a value that a line shows
_SHOWN = 60


@app.command()
def test(
    partner: Annotated[str | None, typer.Argument(help="Only the cases of this partner.", metavar="[PARTNER]")] = None,
    accept: Annotated[bool, typer.Option("--accept", help="After a look, make what was found the expectation.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --accept: do not ask.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Run the test cases beside mappings (cases/) and partners (partners/cases/): each difference with its field and mapping line.

    Example: gateway test acme
    """
    from gateway.pipeline.cases import accept as accept_outcome
    from gateway.pipeline.cases import find_cases
    from gateway.pipeline.cases import run_case

    reading = Reading(config, None)
    if partner is not None and (reading.directory is None or partner not in reading.directory.partners):
        known = ", ".join(sorted(reading.directory.partners)) if reading.directory else ""
        raise Refused(f"There is no partner '{partner}': we know {known or 'none'}", WRONG_USAGE)
    if accept and not yes and not sys.stdin.isatty():
        raise Refused("--accept asks before it writes: give --yes where nobody can answer", WRONG_USAGE)
    differing = 0
    cases = find_cases(reading.plans.resolver, partner)  # type: ignore[arg-type]  # a folder resolver, here
    for case in cases:
        outcome = run_case(case, reading.plans, reading.installation)
        _tell(outcome, as_json)
        if outcome.passed:
            continue
        if accept and outcome.files and (yes or typer.confirm("  keep what was found?", err=True)):
            accept_outcome(outcome)
            typer.echo(f"  accepted: {case.name}", err=True)
            continue
        differing += 1
    if not as_json:
        typer.echo(
            f"{counted(len(cases), 'case')}, {differing} of them differ{'s' if differing == 1 else ''}"
            if differing
            else f"{counted(len(cases), 'case')}, all as expected"
        )
    raise typer.Exit(WRONG_DATA if differing else 0)


def _tell(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        told = {"case": outcome.case.name, "passed": outcome.passed, "differences": [msgspec.to_builtins(one) for one in outcome.differences]}
        typer.echo(json_line({**told, "trouble": outcome.trouble} if outcome.trouble else told))
        return
    if outcome.passed:
        return
    typer.echo(f"{outcome.case.name}: {outcome.trouble or 'differs'}")
    for difference in outcome.differences:
        typer.echo(f"  {words(difference)}")


def words(difference: Difference) -> str:
    """`lines[0].price: expected 9.25, found 9.50 (mappings/x12/004010/850.yaml:88)`"""
    line = f" ({difference.mapping})" if difference.mapping else ""
    return f"{difference.field}: expected {shown(difference.expected)}, found {shown(difference.found)}{line}"


def shown(value: str | None) -> str:
    """A value as a line shows it."""
    if value is None:
        return "nothing"
    return f"'{value}'" if len(value) <= _SHOWN else f"'{value[:_SHOWN]}...'"
