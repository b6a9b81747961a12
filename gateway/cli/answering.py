"""Commands about what we exchange with partners: resend, and the ledger of control numbers."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.app import ConfigOption
from gateway.cli.app import JsonOption
from gateway.cli.app import app
from gateway.cli.app import json_line
from gateway.cli.app import say
from gateway.cli.failures import UNKNOWN_INPUT
from gateway.cli.failures import WRONG_DATA
from gateway.cli.failures import WRONG_USAGE
from gateway.cli.failures import Refused


@app.command()
def resend(
    reference: Annotated[str, typer.Argument(help="Number or id of a document that we sent.", metavar="REFERENCE")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the journal.", metavar="TEXT")],
    anew: Annotated[
        bool | None,
        typer.Option("--anew/--same-bytes", help="With new control numbers, or the same bytes (default: anew where it was rejected)."),
    ] = None,
    document: Annotated[Path | None, typer.Option("--document", help="The corrected canonical document, to be sent instead.", metavar="FILE")] = None,
    config: ConfigOption = None,
) -> None:
    """Send a document again: written anew after a correction, or the same bytes where the partner says that nothing came.

    Example: gateway resend INV-000042 --reason "partner's item number corrected"
    """
    from gateway.cli.operating import actor
    from gateway.cli.operating import open_here
    from gateway.pipeline.outbox.resending import NotResent
    from gateway.pipeline.outbox.resending import find_document
    from gateway.pipeline.outbox.resending import resend as send_again
    from gateway.pipeline.service.assembly import work_off
    from gateway.store.outgoing import outbox

    if document is not None and anew is False:
        raise Refused("A corrected document is always written anew: leave --same-bytes out", WRONG_USAGE)
    if document is not None and not document.is_file():
        raise Refused(f"{document} cannot be opened", UNKNOWN_INPUT)
    station = open_here(config)
    try:
        try:
            row = find_document(station, reference)
            corrected = document.read_bytes() if document is not None else None
            entry = send_again(station, row.id, actor(), reason, anew=anew, corrected=corrected)
        except NotResent as error:
            raise Refused(str(error), WRONG_DATA) from None
        work_off(station, documents=[row.id])
        with station.database.read() as connection:
            entry = outbox.get_existing(connection, entry.id)
        name = f"{row.kind.replace('_', ' ')} {row.number}"
        say(f"{name}: {entry.spec} {entry.state}{f' as {entry.identity}' if entry.identity else ''} to {entry.endpoint}")
        if entry.state == "dead":
            raise Refused(f"{name} could not be sent: {entry.last_error}", WRONG_DATA)
    finally:
        station.close()


@app.command()
def controls(
    partner: Annotated[str, typer.Argument(help="The partner's id.", metavar="PARTNER")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show the control numbers used with a partner, ours and theirs: what comes next, what is missing, what came twice.

    Example: gateway controls acme
    """
    from gateway.cli.operating import open_here
    from gateway.pipeline.keeping.number_report import report_of
    from gateway.pipeline.keeping.number_report import words_of
    from gateway.yaml_source import did_you_mean

    station = open_here(config)
    try:
        known = station.installation.directory.partners
        if partner not in known:
            raise Refused(f"There is no partner '{partner}'{did_you_mean(partner, known)}: gateway partner list names them", WRONG_USAGE)
        report = report_of(station, known[partner].partner)
    finally:
        station.close()
    say(json_line(report) if as_json else words_of(report))
