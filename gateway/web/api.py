"""The API for other systems, under /api/v1: documents and holds to read, shipments, invoices, bank files and master data to hand in.

Everything handed in goes the way that commands and folders go (pipeline.handing_in): kept, journaled, then worked on by the owner; the
answer is 202 and says under which ids it is found. The same shipment (by its number) or file (by its bytes) again is harmless.
"""

import csv
import io
from typing import Annotated
from typing import Any

import msgspec
from fastapi import Depends
from fastapi import Request
from fastapi.responses import Response
from sqlalchemy.exc import IntegrityError

from gateway.exchange.directory import BY_HAND
from gateway.pipeline.arriving.handing_in import NotTaken
from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.arriving.handing_in import release_invoices
from gateway.pipeline.as2.taking import safe_name
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.station import Station
from gateway.pipeline.trading import holding
from gateway.problem import problem_json
from gateway.store import journal
from gateway.store.rows import StaleState
from gateway.store.trading import masterdata
from gateway.web import document
from gateway.web import holding_page
from gateway.web import listing
from gateway.web.answers import json_answer
from gateway.web.pages import BadRequest
from gateway.web.pages import station_of

ACTOR = "api (local user)"
MASTERDATA = ("items", "item_references", "places", "prices", "stock")
_MOST_ROWS = 200_000


async def _raw(request: Request) -> bytes:
    return await request.body()


Body = Annotated[bytes, Depends(_raw)]


def _content(*types: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    """How a raw body is described in OpenAPI."""
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema or {"type": "string", "format": "binary"}} for kind in types}}}


_DECISION = {"type": "object", "required": ["reason"], "properties": {"reason": {"type": "string", "maxLength": holding_page.LONGEST_REASON}}}
_RELEASE = {
    "type": "object",
    "required": ["orders"],
    "properties": {"orders": {"type": "array", "items": {"type": "string"}}, "partner": {"type": "string"}},
}
#: what OpenAPI says about bodies and queries that are read by hand
DESCRIBED: dict[str, dict[str, Any]] = {
    "decision": _content("application/json", schema=_DECISION),
    "shipments": _content("application/json", "text/csv"),
    "invoices": _content("application/json", schema=_RELEASE),
    "file": _content("application/octet-stream"),
    "masterdata": _content("text/csv", "application/json"),
    "push": {
        **_content("application/octet-stream", "multipart/form-data"),
        "parameters": [
            {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "maxLength": 200}},
            {"name": "name", "in": "query", "required": False, "schema": {"type": "string"}},
        ],
    },
    "list": {
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": {"type": "string"}}
            for name in ("q", "state", "kind", "partner", "direction", "test", "after")
        ]
    },
}


class Decision(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a release or rejection."""

    reason: str


class InvoiceRelease(msgspec.Struct, forbid_unknown_fields=True):
    """Orders whose despatched goods are to be billed."""

    orders: list[str]
    partner: str | None = None


def get_documents(request: Request) -> Response:
    """Documents, newest first: filters as on the page, `next` is the address of the next page."""
    return json_answer(listing.list_json(station_of(request), listing.query_of(request), request.url.path))


def get_document(request: Request, id: str) -> Response:
    """One document with its canonical form, problems, history and what was sent for it."""
    return json_answer(document.as_json(station_of(request), id))


def get_holds(request: Request) -> Response:
    """What waits for a person, longest first."""
    return json_answer(holding_page.list_json(station_of(request), request, request.url.path))


def post_release(request: Request, id: str, body: Body) -> Response:
    """Let something held walk on; the reason stands in the journal."""
    return _decide(request, id, body, "release")


def post_reject(request: Request, id: str, body: Body) -> Response:
    """End something held; the partner may read the reason."""
    return _decide(request, id, body, "reject")


def _decide(request: Request, id: str, body: bytes, decision: str) -> Response:
    asked = _decoded(body, Decision)
    try:
        holding_page.decide(station_of(request), id, asked.reason, decision, ACTOR)
    except (holding.Undecidable, StaleState) as error:
        return json_answer({"error": str(error)}, 409)
    return json_answer({"id": id, "decision": decision}, 200)


def post_shipments(request: Request, body: Body) -> Response:
    """Hand in what left the warehouse, as JSON or CSV; the buyer gets a despatch advice."""
    given = request.query_params
    return _handed_in(lambda: hand_in_shipments(station_of(request), body, _name(request, "shipments"), ACTOR, given.get("partner") or None))


def post_invoices(request: Request, body: Body) -> Response:
    """Release what was despatched of orders for billing."""
    asked = _decoded(body, InvoiceRelease)
    return _handed_in(lambda: release_invoices(station_of(request), asked.orders, ACTOR, asked.partner))


def _handed_in(hand_in: Any) -> Response:
    try:
        return json_answer({"documents": hand_in()}, 202)
    except NotTaken as error:
        return json_answer({"error": str(error), "problems": [problem_json(problem) for problem in error.problems]}, 422)


def post_payment_file(request: Request, body: Body) -> Response:
    """Hand in a bank file or remittance advice (camt.053, 820, REMADV)."""
    station = station_of(request)
    if not body:
        raise BadRequest("The file is empty")
    partner = request.query_params.get("partner") or None
    if partner is not None and partner not in station.installation.directory.partners:
        raise BadRequest(f"There is no partner '{partner}'")
    digest = station.archive.keep(body)
    arrival = Arrival(address=BY_HAND, name=_name(request, "payments"), identity=f"api|{digest}", data=body, partner=partner)
    [(transmission, fresh)] = register(station, [arrival], ACTOR)
    return json_answer({"transmission": transmission.id, "sha256": digest, "new": fresh}, 202 if fresh else 200)


def put_masterdata(request: Request, kind: str, body: Body) -> Response:
    """Add or change items, item_references, places, prices or stock: CSV with a head, or a JSON list of objects. All rows or none."""
    if kind not in MASTERDATA:
        raise BadRequest(f"There is no master data '{kind}': expected {', '.join(MASTERDATA)}")
    try:
        count, faults = import_masterdata(station_of(request), kind, _rows(body))
    except IntegrityError:
        return json_answer({"error": "A row names an item that is not there: hand in the items first. Nothing was taken."}, 422)
    return json_answer({"rows": count, "faults": faults[:100]}, 422 if faults else 200)


def import_masterdata(station: Station, kind: str, rows: list[dict[str, str]]) -> tuple[int, list[str]]:
    """Take rows into the store, with a journal entry."""
    with station.database.begin() as connection:
        now = station.clock()
        count, faults = masterdata.import_rows(connection, kind, rows, now)
        if not faults:
            entry = journal.Entry(
                stream="masterdata",
                at=now,
                actor=ACTOR,
                action="master data taken in",
                subject_kind="masterdata",
                subject=kind,
                facts={"rows": str(count)},
            )
            journal.append(connection, [entry])
    return count, faults


def _rows(body: bytes) -> list[dict[str, str]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest(f"The rows are not UTF-8 at byte {error.start}") from None
    if text.lstrip().startswith("["):
        given = _decoded(text.encode(), list[dict[str, str | int | None]])
        rows = [{name: "" if value is None else str(value) for name, value in row.items()} for row in given]
    else:
        try:
            found = csv.DictReader(io.StringIO(text), strict=True)
            rows = [{name: value or "" for name, value in row.items() if isinstance(name, str)} for row in found]
        except csv.Error as error:
            raise BadRequest(f"The CSV cannot be read: {error}") from None
    if len(rows) > _MOST_ROWS:
        raise BadRequest(f"There are {len(rows)} rows: at most {_MOST_ROWS} at once")
    return rows


def _decoded(body: bytes, of: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=of)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRequest(f"The body is not what is expected: {error}") from None


def _name(request: Request, default: str) -> str:
    """The name of what is handed in, for people; never a path."""
    return safe_name(request.query_params.get("name") or default, default)
