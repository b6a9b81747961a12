"""Commands that run and look after an installation: run, receive, hold, trail, journal."""

import getpass
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from typing import Any

import typer

from gateway.cli.app import ConfigOption
from gateway.cli.app import JsonOption
from gateway.cli.app import PartnerOption
from gateway.cli.app import app
from gateway.cli.app import counted
from gateway.cli.app import installation_now
from gateway.cli.app import json_line
from gateway.cli.app import load_installation
from gateway.cli.app import problem_lines
from gateway.cli.app import say
from gateway.cli.failures import UNKNOWN_INPUT
from gateway.cli.failures import WRONG_DATA
from gateway.cli.failures import WRONG_USAGE
from gateway.cli.failures import Refused
from gateway.problem import problem_json

hold_app = typer.Typer(no_args_is_help=True, help="Documents that wait for a person.")
journal_app = typer.Typer(no_args_is_help=True, help="The tamper-evident journal.")
app.add_typer(hold_app, name="hold")
app.add_typer(journal_app, name="journal")


def actor() -> str:
    """Who is behind a command, for the journal."""
    return f"{getpass.getuser()} (command)"


def open_here(config: Path | None) -> Any:
    """The opened installation of this command; while its files are wrong, as the service that runs works on."""
    from gateway.pipeline.service.logs import set_up_logs
    from gateway.pipeline.station import open_station

    # what becomes of documents a command prints in its own words
    set_up_logs(logging.WARNING)
    return open_station(installation_now(config))


def partner_named(station: Any, partner: str | None) -> Any:
    """The partner that --partner names, None where it is not given; refused where there is none of that id."""
    if partner is None:
        return None
    loaded = station.installation.directory.partners.get(partner)
    if loaded is None:
        raise Refused(f"There is no partner '{partner}': gateway partner list names them", WRONG_USAGE)
    return loaded


@contextmanager
def opened(config: Path | None, *refusals: type[Exception], code: int = WRONG_USAGE) -> Iterator[Any]:
    """The opened installation, closed at the end. Of these `refusals` the command says what they say, and ends with `code`."""
    station = open_here(config)
    try:
        yield station
    except refusals as error:
        raise Refused(str(error), code) from None
    finally:
        station.close()


@app.command()
def run(config: ConfigOption = None) -> None:
    """Run the service: engine, pollers, AS2 server and web pages, until it is told to stop.

    Example: gateway run --config config.yaml
    """
    from gateway.pipeline.service.running import run_service

    if not run_service(load_installation(config)):
        sys.stderr.flush()
        os._exit(0)


@app.command()
def worker(config: ConfigOption = None) -> None:
    """Run one more process that does the work, on this machine or another one; the pages come with gateway run.

    It needs `engine: cluster` and PostgreSQL in config.yaml, and the same partners and keys on every machine.

    Example: gateway worker --config config.yaml
    """
    from gateway.pipeline.service.running import run_worker

    if not run_worker(load_installation(config)):
        sys.stderr.flush()
        os._exit(0)


@app.command()
def receive(
    files: Annotated[list[Path], typer.Argument(help="Files to hand in.", metavar="FILE...")],
    partner: PartnerOption = None,
    spec: Annotated[str | None, typer.Option("--as", help="What the files are, where they do not say it: csv/orders.", metavar="SPEC")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Hand files to the pipeline as if they had arrived; wait; print what became of each document and what was sent.

    Example: gateway receive orders.edi
    """
    from gateway.pipeline.arriving.handing_in import became
    from gateway.pipeline.arriving.handing_in import hand_in_files
    from gateway.pipeline.service.assembly import work_off

    station = open_here(config)
    try:
        loaded = partner_named(station, partner)
        if spec is not None and station.installation.resolver.text_of(f"schemas/{spec}.yaml") is None:
            raise Refused(f"There is no schemas/{spec}.yaml", WRONG_USAGE)
        worst, there = 0, []
        for file in files:
            if file.is_file():
                there.append(file)
            else:
                say(f"{file} cannot be opened", err=True)
                worst = UNKNOWN_INPUT
        taken = hand_in_files(station, there, loaded, actor(), spec)
        work_off(station, files=[transmission.id for transmission in taken])
        for file, transmission in zip(there, taken, strict=True):
            result = became(station, str(file), transmission.id)
            worst = max(worst, _exit_code(result))
            say(json_line(_became_json(result)) if as_json else _became_words(result))
    finally:
        station.close()
    raise typer.Exit(worst)


def _waiting(result: Any) -> tuple[Any, ...]:
    """Why a file waits, where that is not told already."""
    return tuple(problem for problem in result.waits_for if problem not in result.transmission.problems)


def _state(result: Any) -> str:
    """One word for people: a file that brought nothing new is a duplicate."""
    duplicate = any(problem.code == "FILE-DUPLICATE-INTERCHANGE" for problem in result.transmission.problems)
    if duplicate and not result.documents:
        return "duplicate"
    return "held, waits for a person" if result.transmission.state == "held" else str(result.transmission.state)


def _exit_code(result: Any) -> int:
    if result.transmission.state == "unreadable":
        return UNKNOWN_INPUT
    wrong = any(problem.severity == "error" for problem in result.transmission.problems)
    return WRONG_DATA if wrong or any(row.state in {"rejected", "failed"} for row in result.documents) else 0


def _became_json(result: Any) -> dict[str, Any]:
    return {
        "file": result.file,
        "transmission": result.transmission.id,
        "state": result.transmission.state,
        "documents": [
            {
                "id": row.id,
                "kind": row.kind,
                "number": row.number,
                "partner": row.partner,
                "type": row.transaction_type,
                "control_number": row.transaction_control,
                "state": row.state,
                "test": row.test,
                "problems": [problem_json(problem) for problem in row.problems],
            }
            for row in result.documents
        ],
        "sent": [
            {"id": entry.id, "spec": entry.spec, "state": entry.state, "identity": entry.identity, "endpoint": entry.endpoint}
            for entry in result.outgoing
        ],
        "problems": [problem_json(problem) for problem in (*result.transmission.problems, *_waiting(result))],
    }


def _became_words(result: Any) -> str:
    lines = [f"{result.file}: {_state(result)}"]
    for row in result.documents:
        name = " ".join(part for part in (row.kind.replace("_", " ") or row.transaction_type, row.number) if part)
        state = row.state
        if state == "registered" and row.due_at is not None:
            state = f"waits until {row.due_at:%Y-%m-%d %H:%M} UTC for what comes before it"
        elif state == "waiting":
            state = "waits with its order"
        lines.append(f"  {name}{' (test)' if row.test else ''}: {state}")
        lines += [f"    {problem.code}: {problem.message}" for problem in row.problems]
    lines += [f"  {problem.code}: {problem.message}" for problem in (*result.transmission.problems, *_waiting(result))]
    for entry in result.outgoing:
        lines.append(f"  {entry.spec} {entry.state}{f' as {entry.identity}' if entry.identity else ''} to {entry.endpoint}")
    return "\n".join(lines)


@hold_app.command("list")
def hold_list(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List what waits for a person, longest first.

    Example: gateway hold list
    """
    from gateway.store.incoming import holds
    from gateway.store.incoming import transmissions
    from gateway.store.records import documents

    station = open_here(config)
    try:
        with station.database.read() as connection:
            waiting = holds.list_open(connection, limit=10_000)
            rows = documents.get_many(connection, [hold.document for hold in waiting if hold.document])
            files = {hold.transmission: transmissions.get(connection, hold.transmission) for hold in waiting if hold.transmission}
    finally:
        station.close()
    for hold in waiting:
        row, file = rows.get(hold.document or ""), files.get(hold.transmission or "")
        if as_json:
            say(
                json_line(
                    {
                        "id": hold.id,
                        "kind": hold.kind,
                        "document": hold.document,
                        "transmission": hold.transmission,
                        "number": row.number if row else None,
                        "partner": row.partner if row else file.partner if file else None,
                        "file": file.name if file else None,
                        "endpoint": file.endpoint if file else None,
                        "opened_at": hold.opened_at,
                        "reasons": [problem_json(problem) for problem in hold.reasons],
                    }
                )
            )
        else:
            whose = f" of {file.partner}" if file and file.partner else ""
            what = f"{row.kind} {row.number} of {row.partner}" if row else f"file {file.name}{whose}, over {file.endpoint}" if file else "?"
            say(f"{hold.id}  {hold.opened_at:%Y-%m-%d %H:%M}  {what}")
            for line in (line for problem in hold.reasons for line in problem_lines(problem)):
                say(f"    {line}")
    if not waiting and not as_json:
        say("Nothing waits for a person.")


ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it stands in the journal.", metavar="TEXT")]
HoldArgument = Annotated[str, typer.Argument(help="The hold's id, or the number of the held document.", metavar="ID")]
HeldOfOption = Annotated[str | None, typer.Option("--partner", help="Whose it is, where several have this number.", metavar="PARTNER")]


@hold_app.command("release")
def hold_release(hold: HoldArgument, reason: ReasonOption, partner: HeldOfOption = None, config: ConfigOption = None) -> None:
    """Let something held walk on; the answer to the partner follows.

    Example: gateway hold release PO4711 --reason "price agreed by phone"
    """
    _decide_hold("release", hold, reason, partner, config)


@hold_app.command("reject")
def hold_reject(hold: HoldArgument, reason: ReasonOption, partner: HeldOfOption = None, config: ConfigOption = None) -> None:
    """Reject something held; the partner is told the reason.

    Example: gateway hold reject PO4711 --reason "we do not sell this any more"
    """
    _decide_hold("reject", hold, reason, partner, config)


def _decide_hold(decision: str, hold: str, reason: str, partner: str | None, config: Path | None) -> None:
    from gateway.pipeline.service.assembly import work_off
    from gateway.pipeline.trading import holding
    from gateway.store.records import documents
    from gateway.store.rows import StaleState

    with opened(config, holding.Undecidable, StaleState) as station:
        decided = (holding.release if decision == "release" else holding.reject)(station, hold, actor(), reason, partner)
        work_off(
            station,
            files=[decided.transmission] if decided.transmission else [],
            documents=[decided.document] if decided.document else [],
        )
        with station.database.read() as connection:
            row = documents.get(connection, decided.document) if decided.document else None
    say(f"{decided.id} {'released' if decision == 'release' else 'rejected'}" + (f": {row.kind} {row.number} is {row.state}" if row else ""))
    for problem in row.problems if row is not None and row.state == "held" else ():
        say("\n".join(f"    {line}" for line in problem_lines(problem)))


@app.command()
def trail(
    reference: Annotated[
        str, typer.Argument(help="An order, invoice, control number, file name, payment, or the Message-ID of an AS2 message.", metavar="REFERENCE")
    ],
    evidence: Annotated[
        Path | None,
        typer.Option(help="Also write what went over AS2, with signatures and certificates, to this ZIP file.", metavar="OUT.zip"),
    ] = None,
    partner: Annotated[
        str | None,
        typer.Option("--partner", help="Whose it is, where several partners have the same number or name.", metavar="PARTNER"),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Print the trail of something from the purchase order to the payment.

    Example: gateway trail PO4711 --evidence proof.zip
    """
    from gateway.pipeline.as2.evidence_files import write_evidence
    from gateway.pipeline.as2.untaken import untaken_of
    from gateway.pipeline.keeping.telling import trail_json
    from gateway.pipeline.keeping.telling import trail_words
    from gateway.pipeline.keeping.trails import trail_of

    missing: tuple[tuple[str, str, str], ...] = ()
    station = open_here(config)
    try:
        found = trail_of(station, reference, partner)
        if found is None:
            what = (
                "a number or its beginning (order, invoice, shipment, SSCC, control number), the whole name of a file that came or left, "
                "the Message-ID of an AS2 message, or an id of the log"
            )
            raise Refused(f"Nothing is known under '{reference}'{f' of {partner}' if partner else ''}: ask for {what}", WRONG_DATA)
        untaken = untaken_of(found.refused, found.requests)
        whose = sorted({one or "nobody known" for one in (*(one.partner for one in found.exchanges), *(one.partner for one in untaken))})
        if evidence is not None and len(whose) > 1:
            # whoever is given the file must not get another partner's messages
            raise Refused(f"'{reference}' leads to messages of {' and '.join(whose)}: say with --partner whose proof it shall be", WRONG_DATA)
        if evidence is not None and not found.exchanges and not untaken:
            raise Refused(f"Nothing of '{reference}' went over AS2: there are no signatures to write out", WRONG_DATA)
        if evidence is not None:
            written = write_evidence(station, found.exchanges, evidence, untaken)
            say(f"{evidence}: {counted(written.count, 'message')}; sh verify.sh in it checks the signatures", err=True)
            missing = written.missing
            for message_id, name, why in missing:
                say(f"AS2 message {message_id} is proven only in part: {name} is missing, {why}", err=True)
    finally:
        station.close()
    say(json_line(trail_json(found)) if as_json else trail_words(found))
    if missing:
        raise typer.Exit(WRONG_DATA)


@journal_app.command("verify")
def journal_verify(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Verify the journal: chains, checkpoints and their signatures, and that every archived file is what was entered.

    Example: gateway journal verify
    """
    from gateway.store.verifying.verification import verify

    station = open_here(config)
    try:
        result = verify(station.database, station.archive, station.journal_key())
    finally:
        station.close()
    if as_json:
        say(json_line(result))
    else:
        for fault in result.faults:
            say(fault, err=True)
        say(
            f"{result.entries} entries in {result.streams} streams, {result.checkpoints} checkpoints over {result.sealed} of them, "
            f"{result.files} archived files: {'nothing was changed' if result.ok else f'{len(result.faults)} faults'}"
        )
        if result.erased:
            say(f"{result.erased} archived files were erased by rule, as the journal says:")
            for one in result.erasures[:20]:
                say(f"  {one.sha256} of {one.subject}, erased on {one.at[:10]} by {one.rule}")
            if result.erased > 20:
                say("  ... and more (--json lists them)")
    raise typer.Exit(0 if result.ok else WRONG_DATA)
