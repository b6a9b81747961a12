"""Accepted orders are given to the ERP: a file in a folder, JSON or CSV, one an order, with a receipt. The file's name follows from
the order, so that a repeated handover writes the same file."""

import csv
import io
from datetime import timedelta

import msgspec

from gateway.model import document as canonical
from gateway.model.order import Order
from gateway.pipeline.answers.work import Work
from gateway.pipeline.station import Station
from gateway.pipeline.trading.warehousing import tell_warehouses
from gateway.store import crash
from gateway.store import journal
from gateway.store.records import documents
from gateway.store.trading import handovers
from gateway.trade.acceptance import Decision
from gateway.transport.box import RENAMED
from gateway.transport.box import WRITTEN
from gateway.transport.box import TransportError
from gateway.transport.box import safe_name
from gateway.transport.folder import FolderBox

TARGET = "erp"
STREAM = "erp:handover"
#: what a kill at a moment of the folder is called here
POINTS = {WRITTEN: 128, RENAMED: 129}
_COLUMNS = (
    "document",
    "partner",
    "order",
    "line",
    "item",
    "buyer_item",
    "gtin",
    "description",
    "quantity",
    "back_ordered",
    "unit",
    "price",
    "currency",
    "promised_on",
    "ship_to",
    "requested_on",
    "version",
)


def hand_over(work: Work, row: documents.Document, order: Order, decision: Decision, version: int = 1, change: str | None = None) -> None:
    """Offer an accepted order to the ERP, where config.yaml names its folder, and to warehouses. A later version takes the
    place of the one before."""
    tell_warehouses(work, row, order, decision, version)
    erp = work.station.installation.settings.erp
    if erp is None:
        return
    body = _csv(row, order, decision, version) if erp.format == "csv" else _json(row, order, decision, version, change)
    suffix = f"-v{version}" if version > 1 else ""
    work.handovers.append(
        handovers.Handover(
            id=f"{row.id}:{TARGET}{suffix}",
            document=row.id,
            target=TARGET,
            kind=f"order{suffix}.{erp.format}",
            body=body,
            created_at=work.now,
            due_at=work.now,
        )
    )
    work.pokes.add(STREAM)


def hand_over_end(work: Work, ended: documents.Document, by: documents.Document, state: str) -> None:
    """Tell the ERP that an order which it was given is cancelled or replaced."""
    if work.station.installation.settings.erp is None:
        return
    body = msgspec.json.encode({"document": ended.id, "partner": ended.partner, "number": ended.number, "state": state, "by": by.id}).decode()
    work.handovers.append(
        handovers.Handover(
            id=f"{ended.id}:{TARGET}:{state}", document=ended.id, target=TARGET, kind=f"{state}.json", body=body, created_at=work.now, due_at=work.now
        )
    )
    work.pokes.add(STREAM)


def _json(row: documents.Document, order: Order, decision: Decision, version: int, change: str | None) -> str:
    return msgspec.json.encode(
        {
            "document": row.id,
            "partner": row.partner,
            "version": version,
            **({"change": change} if change else {}),
            "order": msgspec.Raw(canonical.encode(order)),
            "decision": {"state": decision.state, "currency": decision.currency, "total": decision.total, "lines": decision.lines},
        }
    ).decode()


def _csv(row: documents.Document, order: Order, decision: Decision, version: int) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    ship_to = order.ship_to.identifiers if order.ship_to else None
    for decided in decision.lines:
        line = order.lines[decided.index]
        names = line.identifiers
        cells = (
            row.id,
            row.partner,
            order.number,
            decided.number,
            decided.item,
            names.buyer if names else None,
            names.gtin if names else None,
            line.description,
            decided.quantity,
            decided.back_ordered,
            decided.unit,
            decided.price,
            decision.currency,
            decided.promised_on,
            (ship_to.gln or ship_to.buyer_assigned) if ship_to else None,
            order.delivery.requested_on if order.delivery else None,
            version,
        )
        writer.writerow(_cell(cell) for cell in cells)
    return out.getvalue()


def _cell(value: object) -> str:
    """A cell that a spreadsheet does not take for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in "=+@\t\r" or (text[:1] == "-" and not text[1:2].isdigit()) else text


def step(station: Station, stream: str) -> bool:
    """Write what waits for the ERP into its folder; the file under its name is the receipt that we record."""
    erp = station.installation.settings.erp
    if erp is None:
        return False
    with station.database.read() as connection:
        waiting = handovers.list_waiting(connection, TARGET, station.clock(), limit=100)
    if not waiting:
        return False
    box = FolderBox(None, station.installation.path(erp.folder), create_send_to=True, passing=lambda moment: crash.point(POINTS[moment]))
    for handover in waiting:
        kind, _, ending = handover.kind.partition(".")
        name = safe_name(f"{kind}-{handover.document}.{ending}")
        now = station.clock()
        try:
            box.send(name, handover.body.encode())
        except TransportError as error:
            wait = min(3600, 5 * 2 ** min(handover.attempts, 10))
            with station.database.begin() as connection:
                handovers.failed(connection, handover.id, error=error.message, next_due=now + timedelta(seconds=wait))
            return False
        with station.database.begin() as connection:
            if handovers.confirm(connection, handover.id, receipt=name, at=now):
                journal.append(
                    connection,
                    [
                        journal.Entry(
                            stream=stream,
                            at=now,
                            actor="gateway",
                            action="handed over",
                            subject_kind="document",
                            subject=handover.document,
                            facts={"file": name, "target": TARGET},
                        )
                    ],
                )
    return True
