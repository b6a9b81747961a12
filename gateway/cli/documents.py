"""Commands over files without any state: check, read, write, ack, schema."""

from __future__ import annotations

import sys
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated
from typing import Any

import msgspec
import typer

from gateway.cli.app import ConfigOption
from gateway.cli.app import JsonOption
from gateway.cli.app import PartnerOption
from gateway.cli.app import app
from gateway.cli.app import counted
from gateway.cli.app import json_line
from gateway.cli.app import load_installation
from gateway.cli.app import say
from gateway.cli.failures import UNKNOWN_INPUT
from gateway.cli.failures import WRONG_DATA
from gateway.cli.failures import WRONG_USAGE
from gateway.cli.failures import Refused
from gateway.cli.progress import with_progress
from gateway.mapping.files import file_for
from gateway.pipeline.plans import FORMS
from gateway.pipeline.plans import Plans
from gateway.pipeline.reading.payload import Read
from gateway.pipeline.reading.payload import read_payload
from gateway.pipeline.reading.payload import stateless
from gateway.pipeline.stateless.checking import Report
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.problem import problem_json
from gateway.user_files import default_resolver
from gateway.user_files import find_config

if TYPE_CHECKING:
    from gateway.codecs.layout import Form
    from gateway.config import Installation
    from gateway.exchange.directory import Directory
    from gateway.exchange.partner import LoadedPartner

CHUNK = 1 << 20

Judge = Callable[[Any], tuple[dict[str, str], list[Problem]]]

FilesArgument = Annotated[list[Path], typer.Argument(help="Files to read; `-` is standard input.", metavar="FILE...")]
SpecOption = Annotated[str | None, typer.Option("--as", help="Read as this document type, like x12/004010/850 or csv/orders.", metavar="SPEC")]


class InputTrouble(Exception):
    """A file that cannot be opened or read (a broken pipe behind us is not meant)."""


def chunks_of(file: Path) -> Iterator[bytes]:
    """A file in pieces; raises InputTrouble where it cannot be read."""
    try:
        if str(file) == "-":
            yield from iter(lambda: sys.stdin.buffer.read(CHUNK), b"")
            return
        with file.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                yield chunk
    except OSError as error:
        raise InputTrouble(error.strerror or str(error)) from None


class Reading:
    """Plans and partners for the stateless commands: the base plans, and partners where a config.yaml is there or named."""

    def __init__(self, config: Path | None, partner: str | None) -> None:
        file = config or find_config(Path.cwd())
        self.installation: Installation | None = load_installation(file) if file is not None else None
        self.directory: Directory | None = self.installation.directory if self.installation else None
        self.plans = Plans(self.installation.resolver if self.installation else default_resolver())
        self.partner: LoadedPartner | None = None
        if partner is not None:
            if self.directory is None:
                raise Refused("--partner needs a config.yaml: name one with --config FILE", WRONG_USAGE)
            if partner not in self.directory.partners:
                raise Refused(f"There is no partner '{partner}': we know {', '.join(sorted(self.directory.partners)) or 'none'}", WRONG_USAGE)
            self.partner = self.directory.partners[partner]

    def forms(self, spec: str | None) -> list[Form]:
        """What a file may be that does not say itself what it is: the type that was said, or those that we have agreed on."""
        if spec is not None and spec.split("/")[0] in FORMS and self.plans.resolver.text_of(f"schemas/{spec}.yaml") is None:
            raise Refused(f"There is no schemas/{spec}.yaml", WRONG_USAGE)
        if spec is None and self.directory is None:
            return []
        from gateway.pipeline.reading.forms import forms_for

        return forms_for(self.plans, self.directory, self.partner, spec)


@app.command()
def check(
    files: FilesArgument,
    partner: PartnerOption = None,
    spec: SpecOption = None,
    as_json: JsonOption = False,
    second_opinion: Annotated[bool, typer.Option("--second-opinion", help="Show where pyx12 or pydifact disagree with us.")] = False,
    config: ConfigOption = None,
) -> None:
    """Read and validate files of any supported kind; no state is touched.

    Example: gateway check orders.edi --json
    """
    reading = Reading(config, partner)
    judge = _judge()
    worst = 0
    for file in files:
        report = Report(str(file))
        try:
            report.feed(
                with_progress(file, chunks_of(file)),
                reading.plans,
                stateless(reading.plans, reading.directory, reading.partner, _base_of(spec)),
                judge,
                reading.forms(spec),
            )
        except InputTrouble as error:
            report.cannot_open(str(error))
        answer = report.json()
        if second_opinion:
            from gateway.pipeline.stateless.second_opinion import second_opinion_of

            answer["second_opinion"] = second_opinion_of(file, report.outcome, {problem.code for problem in report.problems})
        worst = max(worst, report.exit_code)
        say(json_line(answer) if as_json else _words(answer))
    raise typer.Exit(worst)


def _base_of(spec: str | None) -> str | None:
    """`peppol/invoice` is read by the UBL mapping; its rules are a level of its own."""
    return spec.replace("peppol/", "ubl/", 1) if spec and spec.startswith("peppol/") else spec


def _judge() -> Judge:
    """Levels of XML documents, with everything heavy loaded only when the first one comes."""
    shelf: list[Any] = []

    def judge(transaction: Any) -> tuple[dict[str, str], list[Problem]]:
        from gateway.conformance.judge import judge as judge_levels
        from gateway.conformance.xsd import SchemaShelf

        if not shelf:
            shelf.append(SchemaShelf())
        conformance = judge_levels(transaction, shelf[0])
        return dict(conformance.levels), list(conformance.problems)

    return judge


def _words(answer: dict[str, Any]) -> str:
    """A report for people: the outcome, then one line a problem with its place."""
    counts = answer["counts"]
    lines = [
        f"{answer['file']}: {answer['outcome'].replace('_', ' ')} ({answer['syntax']}, {counted(counts['transactions'], 'transaction')}, "
        f"{counts['accepted']} accepted, {counts['rejected']} rejected)"
    ]
    for problem in answer["problems"]:
        place = problem["place"]
        where = [f"line {place['line']}"] if place["line"] else []
        if place.get("column"):
            where.append(f"column {place['column']}")
        if place["path"]:
            where.append(place["path"])
        elif place["segment"]:
            where.append(f"{place['segment']} segment {place['index']}" if place["index"] else place["segment"])
        if place["offset"] is not None:
            where.append(f"byte {place['offset']}")
        lines.append(f"  {problem['severity']} {problem['code']} at {', '.join(where) or 'the file'}: {problem['message']}")
    if answer.get("problems_left_out"):
        lines.append(f"  and {answer['problems_left_out']} more")
    if "levels" in answer:
        lines.append("  " + ", ".join(f"{name} {word.replace('_', ' ')}" for name, word in answer["levels"].items()))
    for disagreement in answer.get("second_opinion", {}).get("differences", []):
        lines.append(f"  second opinion: {disagreement}")
    return "\n".join(lines)


@app.command()
def read(
    files: FilesArgument,
    partner: PartnerOption = None,
    spec: SpecOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Add where each field came from.")] = False,
    json_problems: Annotated[
        Path | None, typer.Option("--json-problems", help="Write problems as `check --json` objects to this file.", metavar="FILE")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Print the canonical documents of files, one JSON document a line; problems go to stderr.

    Example: gateway read orders.edi --explain
    """
    reading = Reading(config, partner)
    worst = 0
    reports: list[str] = []
    for file in files:
        errors = 0
        found: list[Problem] = []
        transactions = 0
        try:
            decide = stateless(reading.plans, reading.directory, reading.partner, _base_of(spec))
            _, items = read_payload(with_progress(file, chunks_of(file)), reading.plans, decide, reading.forms(spec))
            for item in items:
                if isinstance(item, Read):
                    transactions += 1
                    _print_document(file, item, reading if explain else None)
                problems = [item] if isinstance(item, Problem) else list(getattr(item, "problems", ()))
                if problems:
                    errors += sum(problem.severity is Severity.ERROR for problem in problems)
                    found += problems
                    _tell(file, problems)
        except InputTrouble as error:
            say(f"{file} cannot be opened: {error}", err=True)
            worst = UNKNOWN_INPUT
            continue
        if transactions == 0:
            worst = UNKNOWN_INPUT
            if not found:
                say(f"{file}: nothing that we can read", err=True)
        elif errors:
            worst = max(worst, WRONG_DATA)
        reports.append(json_line({"file": str(file), "problems": [problem_json(problem) for problem in found]}))
    sys.stdout.buffer.flush()
    if json_problems is not None:
        json_problems.write_text("".join(f"{report}\n" for report in reports))
    raise typer.Exit(worst)


def _print_document(file: Path, item: Read, explained_by: Reading | None) -> None:
    from gateway.model.document import encode_plainly

    if item.document is not None:
        line = encode_plainly(item.document)
        sys.stdout.buffer.write((_with_provenance(line, item, explained_by) if explained_by is not None else line) + b"\n")
    elif item.result.outcome != "rejected":
        say(f"{file}: {item.spec} was checked, but there is no mapping that reads it", err=True)


def _tell(file: Path, problems: list[Problem]) -> None:
    for problem in problems:
        where = f"line {problem.place.line}, {problem.place.words()}" if problem.place.line and not problem.place.path else problem.place.words()
        say(f"{file}: {problem.severity.value} {problem.code} at {where}: {problem.message}", err=True)


def _with_provenance(line: bytes, item: Read, reading: Reading) -> bytes:
    """The document with where each of its fields came from."""
    from gateway.pipeline.reading.explaining import provenance_of

    return line[:-1] + b',"provenance":' + json_line(provenance_of(item, reading.plans, reading.partner)).encode() + b"}"


@app.command()
def write(
    document: Annotated[Path, typer.Argument(help="A canonical document; `-` is standard input.", metavar="DOCUMENT.json")],
    spec: Annotated[str, typer.Option("--as", help="What to write, like x12/004010/856, edifact/d96a/desadv or ubl/invoice.", metavar="SPEC")],
    partner: PartnerOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Print JSON: the bytes as text, and where each element in them came from.")] = False,
    config: ConfigOption = None,
) -> None:
    """Write a canonical document as X12, EDIFACT, UBL or by a description of your own (csv/...) to standard output.

    Example: gateway write asn.json --as x12/004010/856
    """
    from gateway.model.document import decode
    from gateway.pipeline.stateless.writing import Explained
    from gateway.pipeline.stateless.writing import Unwritable
    from gateway.pipeline.stateless.writing import explain_writing
    from gateway.pipeline.stateless.writing import write_document

    reading = Reading(config, partner)
    try:
        text = b"".join(chunks_of(document))
    except InputTrouble as error:
        raise Refused(f"{document} cannot be opened: {error}", UNKNOWN_INPUT) from None
    try:
        canonical = decode(text)
    except msgspec.MsgspecError as error:
        raise Refused(f"{document} is no canonical document: {error}", UNKNOWN_INPUT) from None
    if file_for(spec, "write", reading.plans.resolver) is None:
        known = sorted(name.removeprefix("mappings/").removesuffix(".yaml") for name in reading.plans.resolver.names("mappings/"))
        raise Refused(f"There is no mapping {spec}; we have {', '.join(known)}", WRONG_USAGE)
    make = explain_writing if explain else write_document
    written = make(canonical, spec, reading.plans, reading.partner, reading.installation)
    if isinstance(written, Unwritable):
        _tell(document, list(written.problems))
        raise typer.Exit(WRONG_DATA)
    if isinstance(written, Explained):
        say(json_line({"payload": written.data.decode("utf-8", "replace"), "provenance": written.provenance}))
        return
    sys.stdout.buffer.write(written)
    sys.stdout.buffer.flush()


@app.command()
def ack(
    file: Annotated[Path, typer.Argument(help="The file to acknowledge.", metavar="FILE")],
    partner: PartnerOption = None,
    kind: Annotated[str | None, typer.Option("--type", help="997, 999, TA1, CONTRL, 824 or APERAK.", metavar="TYPE")] = None,
    config: ConfigOption = None,
) -> None:
    """Print the acknowledgment that we would send for a file.

    Example: gateway ack orders.edi --type 997
    """
    from gateway.pipeline.stateless.acknowledging_files import acknowledge_file

    if kind is not None and kind not in {"997", "999", "TA1", "CONTRL", "824", "APERAK"}:
        raise Refused(f"'{kind}' is no acknowledgment: 997, 999, TA1, CONTRL, 824 or APERAK", WRONG_USAGE)
    reading = Reading(config, partner)
    try:
        answer = acknowledge_file(
            chunks_of(file),
            reading.plans,
            stateless(reading.plans, reading.directory, reading.partner),
            kind,  # type: ignore[arg-type]  # looked at above
            reading.directory,
            reading.partner,
        )
    except InputTrouble as error:
        raise Refused(f"{file} cannot be opened: {error}", UNKNOWN_INPUT) from None
    if answer is None:
        raise Refused(f"{file}: nothing in it that is acknowledged", UNKNOWN_INPUT)
    sys.stdout.buffer.write(answer.data)
    if sys.stdout.isatty():
        # so that the prompt does not stick to it; a file or pipe gets the bytes as they would leave
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()
    raise typer.Exit(0 if answer.accepted else WRONG_DATA)


@app.command()
def schema(kind: Annotated[str, typer.Argument(help="order, order_response, despatch_advice, invoice, ...", metavar="KIND")]) -> None:
    """Print the JSON Schema of a canonical document.

    Example: gateway schema order
    """
    from gateway.model.document import KINDS

    if kind not in KINDS:
        raise Refused(f"There is no document '{kind}': {', '.join(KINDS)}", WRONG_USAGE)
    text = msgspec.json.format(msgspec.json.encode(msgspec.json.schema(KINDS[kind])), indent=2)
    sys.stdout.buffer.write(text + b"\n")
