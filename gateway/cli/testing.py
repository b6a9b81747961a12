"""`gateway test`: the cases beside mappings and partners. `gateway impact`: a changed mapping over stored traffic."""

from __future__ import annotations

import re
import sys
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated

import msgspec
import typer

from gateway.cli.app import ConfigOption
from gateway.cli.app import JsonOption
from gateway.cli.app import app
from gateway.cli.app import counted
from gateway.cli.app import json_line
from gateway.cli.app import say
from gateway.cli.documents import Reading
from gateway.cli.failures import UNKNOWN_INPUT
from gateway.cli.failures import WRONG_DATA
from gateway.cli.failures import WRONG_USAGE
from gateway.cli.failures import Refused
from gateway.user_files import default_resolver

if TYPE_CHECKING:
    from gateway.insight.cases import Outcome
    from gateway.insight.differences import Difference
    from gateway.insight.impact import Impact

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
    from gateway.insight.cases import accept as accept_outcome
    from gateway.insight.cases import find_cases
    from gateway.insight.cases import run_case

    reading = Reading(config, None)
    if partner is not None and (reading.directory is None or partner not in reading.directory.partners):
        known = ", ".join(sorted(reading.directory.partners)) if reading.directory else ""
        raise Refused(f"There is no partner '{partner}': we know {known or 'none'}", WRONG_USAGE)
    if accept and not yes and not sys.stdin.isatty():
        raise Refused("--accept asks before it writes: give --yes where nobody can answer", WRONG_USAGE)
    differing = 0
    # an installation has cases of its own; those that are shipped are held by the shipped mappings alone
    resolver = reading.installation.resolver.ours() if reading.installation is not None else default_resolver()
    cases = find_cases(resolver, partner)
    for case in cases:
        outcome = run_case(case, reading.plans, reading.installation)
        _tell(outcome, as_json)
        if outcome.passed:
            continue
        if accept and outcome.files and (yes or typer.confirm("  keep what was found?", err=True)):
            accept_outcome(outcome)
            say(f"  accepted: {case.name}", err=True)
            continue
        differing += 1
    if not as_json:
        say(
            f"{counted(len(cases), 'case')}, {differing} of them differ{'s' if differing == 1 else ''}"
            if differing
            else f"{counted(len(cases), 'case')}, all as expected"
        )
    raise typer.Exit(WRONG_DATA if differing else 0)


@app.command()
def impact(
    mapping: Annotated[Path, typer.Option("--mapping", help="The changed file: in mappings/ or partners/, or a draft of one.", metavar="FILE")],
    since: Annotated[str, typer.Option("--since", help="How far back: 90d, 12h, or a date.", metavar="SPAN")] = "90d",
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Run stored traffic again with a changed mapping, and say what would be the same, different, or rejected. Nothing is changed.

    Example: gateway impact --mapping drafts/850.yaml --since 90d
    """
    from gateway.cli.app import load_installation
    from gateway.cli.progress import counting
    from gateway.insight import impact as insight
    from gateway.pipeline.station import open_station

    begin = _since(since)
    if not mapping.is_file():
        raise Refused(f"{mapping} cannot be opened", UNKNOWN_INPUT)
    station = open_station(load_installation(config))
    try:
        with counting("documents") as progress:
            found = insight.impact(station, mapping, begin, progress)
    except insight.WrongFile as error:
        raise Refused(str(error), WRONG_USAGE) from None
    finally:
        station.close()
    if as_json:
        say(json_line(found))
    else:
        say("\n".join(_impact_words(found, since)))
    raise typer.Exit(WRONG_DATA if found.failing else 0)


def _since(text: str) -> datetime:
    match = re.fullmatch(r"(\d{1,5})([hdw])", text)
    if match is not None:
        hours = {"h": 1, "d": 24, "w": 168}[match[2]]
        return datetime.now(UTC) - timedelta(hours=int(match[1]) * hours)
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise Refused(f"'{text}' is no span like 90d or 12h, and no date like 2026-01-31", WRONG_USAGE) from None


def _impact_words(found: Impact, since: str) -> list[str]:
    if not found.documents:
        return [f"No document of the last {since} was read with {found.mapping}."]
    counts = [f"{found.same} same", f"{found.changed} changed", f"{found.failing} now failing"]
    counts += [f"{found.mended} rejected then and read now"] if found.mended else []
    counts += [f"{found.unread} that could not be compared"] if found.unread else []
    lines = [f"{found.mapping}: {counted(found.documents, 'document')} since {since}: {', '.join(counts)}"]
    for one in found.fields:
        lines.append(f"  {one.field}: in {counted(one.documents, 'document')}")
        lines += [f"    {example.document}: {example.field} {shown(example.before)} -> {shown(example.after)}" for example in one.examples]
    for failure in found.failures:
        lines.append(f"  now failing: {failure.document}")
        lines += [f"    {problem}" for problem in failure.problems]
    return lines


def _tell(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        told = {"case": outcome.case.name, "passed": outcome.passed, "differences": [msgspec.to_builtins(one) for one in outcome.differences]}
        say(json_line({**told, "trouble": outcome.trouble} if outcome.trouble else told))
        return
    if outcome.passed:
        return
    say(f"{outcome.case.name}: {outcome.trouble or 'differs'}")
    for difference in outcome.differences:
        say(f"  {words(difference)}")


def words(difference: Difference) -> str:
    """`lines[0].price: expected 9.25, found 9.50 (mappings/x12/004010/850.yaml:88)`"""
    line = f" ({difference.mapping})" if difference.mapping else ""
    return f"{difference.field}: expected {shown(difference.expected)}, found {shown(difference.found)}{line}"


def shown(value: str | None) -> str:
    """A value as a line shows it."""
    if value is None:
        return "nothing"
    return f"'{value}'" if len(value) <= _SHOWN else f"'{value[:_SHOWN]}...'"
