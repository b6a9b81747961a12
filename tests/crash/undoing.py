"""Responses that rest before they leave, in the crash tests: one of two is stopped in its undo window, the window ends, the other one leaves;
then a person sends both again, the one as it left, the other one anew. Run by tests/crash/server.py in a child process; it may be begun again.
"""

from pathlib import Path

from gateway.pipeline.outbox import redelivering
from gateway.pipeline.outbox import resending
from gateway.pipeline.service.assembly import seal
from gateway.pipeline.service.assembly import work_off
from gateway.pipeline.station import Station
from gateway.store.outgoing import outbox
from gateway.store.outgoing.outbox import Entry
from gateway.store.records import documents
from tests.crash.batch import window_comes
from tests.crash.walk import open_here
from tests.crash.walk import take_in


def walk(folder: Path) -> None:
    """Two orders; the response to PO2 is stopped in time, and sent after all."""
    station = open_here(folder)
    take_in(station)
    if [row.state for row in responses(station, "PO2")] == ["waiting"]:
        redelivering.cancel(station, responses(station, "PO2")[0].id, "clerk", "price was wrong")
    window_comes(station)
    work_off(station)
    for number in ("PO1", "PO2"):
        rows = responses(station, number)
        if len(rows) == 1:
            resending.resend(station, rows[0].document or "", "clerk", "agreed by phone")
    window_comes(station)
    work_off(station)
    seal(station)
    station.close()


def responses(station: Station, number: str) -> list[Entry]:
    """The rows of the response to an order, the oldest first."""
    with station.database.read() as connection:
        rows = [row for row in outbox.search(connection, limit=100) if row.kind == "order_response"]
        of = documents.get_many(connection, [row.document or "" for row in rows])
    return sorted((row for row in rows if of[row.document or ""].number == f"OR-{number}"), key=lambda row: row.id)
