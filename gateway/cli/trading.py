"""Commands of the trade cycle: ship, invoice, pay."""

from decimal import Decimal
from decimal import InvalidOperation
from pathlib import Path
from typing import Annotated
from typing import Any

import typer

from gateway.cli.app import ConfigOption
from gateway.cli.app import JsonOption
from gateway.cli.app import PartnerOption
from gateway.cli.app import app
from gateway.cli.app import json_line
from gateway.cli.app import problem_lines
from gateway.cli.app import say
from gateway.cli.failures import UNKNOWN_INPUT
from gateway.cli.failures import WRONG_DATA
from gateway.cli.failures import WRONG_USAGE
from gateway.cli.failures import Refused
from gateway.cli.operating import actor
from gateway.cli.operating import open_here
from gateway.cli.operating import partner_named
from gateway.problem import problem_json


@app.command()
def ship(
    files: Annotated[list[Path], typer.Argument(help="Shipments as JSON or CSV: order, line, quantity, sscc, ...", metavar="FILE...")],
    partner: PartnerOption = None,
    spec: Annotated[str | None, typer.Option("--as", help="Their type, where not our own: csv/warehouse-shipment.", metavar="SPEC")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Hand in what left the warehouse; the buyer gets a despatch advice.

    Example: gateway ship shipment.csv
    """
    from gateway.pipeline.arriving.handing_in import NotTaken
    from gateway.pipeline.arriving.handing_in import hand_in_shipments
    from gateway.pipeline.service.assembly import work_off

    station = open_here(config)
    worst = 0
    try:
        partner_named(station, partner)
        made: list[str] = []
        for file in files:
            try:
                made += hand_in_shipments(station, file.read_bytes(), file.name, actor(), partner, spec)
            except OSError as error:
                raise Refused(f"{file} cannot be opened: {error.strerror or error}", UNKNOWN_INPUT) from None
            except NotTaken as error:
                _problems(str(file), error.problems)
                worst = WRONG_DATA
        work_off(station, documents=made)
        worst = max(worst, _tell(station, made, as_json))
    finally:
        station.close()
    raise typer.Exit(worst)


@app.command()
def invoice(
    orders: Annotated[list[str] | None, typer.Argument(help="Orders whose despatched goods are billed.", metavar="[ORDER...]")] = None,
    every: Annotated[bool, typer.Option("--all", help="All orders with goods despatched and not billed.")] = False,
    credit: Annotated[str | None, typer.Option("--credit", help="Credit this invoice instead.", metavar="INVOICE")] = None,
    line: Annotated[list[str] | None, typer.Option("--line", help="Credit only this: LINE=QUANTITY.", metavar="LINE=QUANTITY")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why it is credited.", metavar="TEXT")] = "",
    partner: PartnerOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Release invoices for what was despatched, or a credit note for an invoice.

    Example: gateway invoice PO4711
    """
    from gateway.pipeline.arriving.handing_in import NotTaken
    from gateway.pipeline.arriving.handing_in import release_credit
    from gateway.pipeline.arriving.handing_in import release_invoices
    from gateway.pipeline.arriving.handing_in import release_orders
    from gateway.pipeline.service.assembly import work_off
    from gateway.pipeline.trading.owners import to_bill

    if credit is not None and not reason:
        raise Refused("A credit note needs a --reason", WRONG_USAGE)
    if credit is None and not every and not orders:
        raise Refused("Name the orders to bill, or --all", WRONG_USAGE)
    station = open_here(config)
    worst = 0
    try:
        partner_named(station, partner)
        made: list[str] = []
        try:
            if credit is not None:
                made = release_credit(station, credit, [_credit_line(text) for text in line or ()], reason, actor())
            else:
                made = release_invoices(station, orders or (), actor(), partner)
        except NotTaken as error:
            _problems("invoice", error.problems)
            worst = WRONG_DATA
        if every and credit is None:
            # what is wrong with an order that was named keeps no other from being billed
            work_off(station, documents=made)
            with station.database.read() as connection:
                meant = to_bill(connection, [partner] if partner is not None else station.installation.directory.partners)
            made += release_orders(station, meant, actor())
            if not made and not worst and not as_json:
                say("Nothing is despatched that was not billed.")
        work_off(station, documents=made)
        worst = max(worst, _tell(station, made, as_json))
    finally:
        station.close()
    raise typer.Exit(worst)


def _credit_line(text: str) -> Any:
    from gateway.trade.crediting import CreditLine

    number, equals, quantity = text.partition("=")
    try:
        return CreditLine(line=number, quantity=Decimal(quantity) if equals else None)
    except InvalidOperation:
        raise Refused(f"'{text}' is no line with a quantity: write it like 1=5", WRONG_USAGE) from None


@app.command()
def pay(
    files: Annotated[list[Path], typer.Argument(help="Bank files (camt.053) and remittance advices (820, REMADV).", metavar="FILE...")],
    partner: PartnerOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Hand in bank files and remittance advices; the money is matched to the invoices.

    Example: gateway pay statement.xml
    """
    from gateway.pipeline.arriving.handing_in import hand_in_files
    from gateway.pipeline.service.assembly import work_off
    from gateway.store.records import documents
    from gateway.store.trading import ledger

    station = open_here(config)
    worst = 0
    try:
        loaded = partner_named(station, partner)
        missing = [file for file in files if not file.is_file()]
        if missing:
            raise Refused(f"{missing[0]} cannot be opened", UNKNOWN_INPUT)
        taken = hand_in_files(station, files, loaded, actor())
        work_off(station, files=[transmission.id for transmission in taken])
        with station.database.read() as connection:
            for file, transmission in zip(files, taken, strict=True):
                rows = documents.of_transmission(connection, transmission.id)
                whole = documents.get_many(connection, [row.id for row in rows])
                for row in rows:
                    _tell_paid(file, whole[row.id], ledger.payments_of(connection, row.id), as_json)
                    worst = max(worst, WRONG_DATA if row.state in {"rejected", "failed"} else 0)
                if not rows:
                    say(f"{file}: nothing that we can read", err=True)
                    worst = UNKNOWN_INPUT
    finally:
        station.close()
    raise typer.Exit(worst)


def _tell_paid(file: Path, row: Any, payments: list[Any], as_json: bool) -> None:
    """What became of one bank file or advice."""
    if as_json:
        problems = [problem_json(one) for one in row.problems]
        told = {"file": str(file), "document": row.id, "kind": row.kind, "number": row.number, "state": row.state}
        say(json_line({**told, "payments": payments, "problems": problems}))
        return
    say(f"{file}: {row.kind.replace('_', ' ')} {row.number}: {row.state}")
    for payment in payments:
        say(_payment_words(payment))
    _problems(str(file), row.problems)


def _payment_words(payment: Any) -> str:
    payer = payment.payer_name or payment.partner or "somebody"
    left = f", {_money(payment.unapplied_minor, payment.currency)} not applied" if payment.unapplied_minor else ""
    return f"  {_money(payment.amount_minor, payment.currency)} from {payer}: {payment.state}{left}"


def _money(minor: int, currency: str) -> str:
    from gateway.model.money import from_minor

    return f"{from_minor(minor, currency):,} {currency}"


def _problems(name: str, problems: Any) -> None:
    for problem in problems:
        first, *more = problem_lines(problem)
        say("\n".join([f"{name}: {first}", *more]), err=True)


def _tell(station: Any, made: list[str], as_json: bool) -> int:
    """What became of documents that were handed in, and what they led to."""
    from gateway.store.outgoing import outbox
    from gateway.store.records import documents
    from gateway.store.records import references

    worst = 0
    with station.database.read() as connection:
        for row in documents.get_many(connection, made).values():
            made_ids = [link.to_document for link in references.links_of(connection, row.id) if link.from_document == row.id]
            results = list(documents.get_many(connection, made_ids).values())
            sent = [entry for result in results for entry in outbox.of_document(connection, result.id)]
            if as_json:
                say(
                    json_line(
                        {
                            "document": row.id,
                            "kind": row.kind,
                            "number": row.number,
                            "state": row.state,
                            "problems": [problem_json(one) for one in row.problems],
                            "made": [{"id": one.id, "kind": one.kind, "number": one.number, "state": one.state} for one in results],
                            "sent": [{"id": one.id, "spec": one.spec, "state": one.state, "identity": one.identity} for one in sent],
                        }
                    )
                )
            else:
                say(f"{row.kind.replace('_', ' ')} {row.number}: {row.state}")
                for one in results:
                    say(f"  {one.kind.replace('_', ' ')} {one.number}: {one.state}")
                _problems(row.kind, row.problems)
            for entry in sent:
                if entry.state == "dead":
                    say(f"{entry.spec} was given up: {entry.last_error}", err=True)
                    worst = WRONG_DATA
            worst = max(worst, WRONG_DATA if row.state in {"rejected", "failed"} else 0)
    return worst
