"""Accepted orders are given to the ERP: a file in a folder, JSON or CSV, one an order, with a receipt. The file's name follows from
the order, so that a repeated handover writes the same file."""

import csv
import io
from datetime import datetime
from datetime import timedelta

import msgspec
import structlog

from gateway.kinds import pipeline as kinds
from gateway.model import document as canonical
from gateway.model.order import Order
from gateway.pipeline.answers.work import Work
from gateway.pipeline.heads import lies_elsewhere
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.pipeline.trading.warehousing import tell_warehouses
from gateway.problem import NOWHERE
from gateway.store import crash
from gateway.store import journal
from gateway.store.incoming import holds
from gateway.store.records import documents
from gateway.store.trading import handovers
from gateway.store.watching import troubles
from gateway.trade.acceptance import Decision
from gateway.transport.box import RENAMED
from gateway.transport.box import WRITTEN
from gateway.transport.box import TransportError
from gateway.transport.box import safe_name
from gateway.transport.folder import FolderBox

TARGET = "erp"
STREAM = "erp:handover"
#: the kind of the hold of a document whose handover was set aside
HELD = "handover"
#: seconds before the second, third, ... try where our own step fails; after the last one a person is asked
WAITS = (2, 5, 10, 15)
_TROUBLE = "folder of the ERP"
_CURE = "See that the folder is there, writable for us, and has room. It is tried again by itself, after an hour at the latest."
_log = structlog.get_logger("erp")
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
    """Write what waits for the ERP into its folder; the file under its name is the receipt that we record. One that fails by a fault of ours lets
    those of other documents pass, and waits for a person after its last try."""
    erp = station.installation.settings.erp
    if erp is None:
        return False
    with station.database.read() as connection:
        waiting = handovers.list_waiting(connection, TARGET, station.clock(), limit=100)
    if not waiting:
        return False
    box = FolderBox(None, station.installation.path(erp.folder), create_send_to=True, passing=lambda moment: crash.point(POINTS[moment]))
    for handover in waiting:
        try:
            _write(station, box, handover)
        except TransportError as error:
            _not_taken(station, erp.folder, handover, error.message)
            return False
        except Exception as error:
            if lies_elsewhere(error):
                raise
            _failed(station, handover, error)
    return True


def _write(station: Station, box: FolderBox, handover: handovers.Handover) -> None:
    kind, _, ending = handover.kind.partition(".")
    name = safe_name(f"{kind}-{handover.document}.{ending}")
    now = station.clock()
    box.send(name, handover.body.encode())
    with station.database.begin() as connection:
        if handovers.confirm(connection, handover.id, receipt=name, at=now):
            journal.append(connection, [_entry(handover, now, "handed over", {"file": name})])
        if handover.last_error is not None:
            troubles.is_over(connection, _TROUBLE)


def _not_taken(station: Station, folder: str, handover: handovers.Handover, error: str) -> None:
    """The folder takes nothing: that is told, and tried again later and later."""
    now = station.clock()
    wait = timedelta(seconds=min(3600, 5 * 2 ** min(handover.attempts, 10)))
    with station.database.begin() as connection:
        handovers.failed(connection, handover.id, error=error, next_due=now + wait)
        words = f"orders cannot be put into {folder}: {error}"
        troubles.stands(
            connection, troubles.Trouble(name=_TROUBLE, kind="folder", state="retrying", error=words, cure=_CURE, since=now, partner=None)
        )


def _failed(station: Station, handover: handovers.Handover, error: Exception) -> None:
    """Our own step failed over one of them; after its last try a person is asked."""
    now, name, tried = station.clock(), type(error).__name__, handover.attempts + 1
    over = tried > len(WAITS)
    problem = kinds.STEP_FAILED.at(NOWHERE, f"It could not be handed to the ERP: {name}: {error}", found=name)
    with station.database.begin() as connection:
        handovers.failed(connection, handover.id, error=problem.message, next_due=None if over else now + timedelta(seconds=WAITS[tried - 1]))
        if over:
            hold = holds.Hold(
                id=short_id("H", handover.id, now.isoformat()), document=handover.document, kind=HELD, reasons=(problem,), opened_at=now
            )
            holds.open_hold(connection, hold)
            journal.append(connection, [_entry(handover, now, "handover set aside", {"hold": hold.id, "error": name})])
    _log.error("handover set aside" if over else "handover failed", document=handover.document, error=name, exc_info=error)


def decide(work: Work, row: documents.Document, decision: str) -> None:
    """What a person says of a document whose handover was set aside: it is tried again, or stays as it is."""
    if decision == "release":
        handovers.revive(work.connection, row.id, TARGET, work.now)
    else:
        handovers.drop(work.connection, row.id, TARGET)
    # either may be waited for by what came later of the same document
    work.pokes.add(STREAM)


def _entry(handover: handovers.Handover, now: datetime, action: str, facts: dict[str, str]) -> journal.Entry:
    return journal.Entry(
        stream=STREAM,
        at=now,
        actor="gateway",
        action=action,
        subject_kind="document",
        subject=handover.document,
        facts={**facts, "target": TARGET},
    )
