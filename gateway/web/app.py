"""The application: every address with the function that answers it, in the order of access.py's table. Nothing else is served.

Pages are plain functions: the framework runs them in threads, so that a slow question of one does not hold the others up.
"""

import errno
from collections.abc import Callable
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from gateway import __version__
from gateway.pipeline.as2.keys import Relations
from gateway.pipeline.station import Station
from gateway.store.database import DatabaseTrouble
from gateway.store.payloads.archive import ArchiveMissing
from gateway.store.payloads.archive import ArchiveTrouble
from gateway.web import api
from gateway.web import as2
from gateway.web import dashboard
from gateway.web import deliveries
from gateway.web import document
from gateway.web import downloads
from gateway.web import health
from gateway.web import holding_page
from gateway.web import listing
from gateway.web import partner_page
from gateway.web import partners
from gateway.web import receivables
from gateway.web import resending
from gateway.web import static_files
from gateway.web import trail_page
from gateway.web import uploads
from gateway.web import webhooks_page
from gateway.web.access import Gate
from gateway.web.answers import json_answer
from gateway.web.door import Door
from gateway.web.door import Refused
from gateway.web.pages import BadRequest
from gateway.web.pages import NotFound
from gateway.web.pages import render
from gateway.web.readable import Descriptions

_log = structlog.get_logger("web")
#: what a disk says that takes nothing
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})

Handler = Callable[..., Any]

#: pages and machines: (method, path, who answers)
PAGES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/", dashboard.show),
    ("GET", "/documents", listing.show),
    ("GET", "/documents.json", api.get_documents),
    ("GET", "/documents/{id}", document.show),
    ("GET", "/documents/{id}/payload", downloads.download),
    ("POST", "/documents/{id}/resend", resending.resend),
    ("GET", "/files/{id}/payload", downloads.download_file),
    ("GET", "/sent/{id}/payload", downloads.download_sent),
    ("GET", "/deliveries", deliveries.show),
    ("POST", "/deliveries/{id}/retry", deliveries.retry),
    ("POST", "/deliveries/{id}/cancel", deliveries.cancel),
    ("GET", "/webhooks", webhooks_page.show),
    ("POST", "/webhooks/retry", webhooks_page.retry),
    ("GET", "/trail", trail_page.show),
    ("GET", "/holds", holding_page.show),
    ("GET", "/holds.json", api.get_holds),
    ("POST", "/holds/{id}/release", holding_page.release),
    ("POST", "/holds/{id}/reject", holding_page.reject),
    ("GET", "/receivables", receivables.show),
    ("GET", "/partners", partners.show),
    ("GET", "/partners/{id}", partner_page.show),
    ("POST", "/partners/{id}/pause", partner_page.pause),
    ("POST", "/partners/{id}/resume", partner_page.resume),
    ("GET", "/as2", as2.explain),
    ("POST", "/as2", as2.receive),
    ("GET", "/healthz", health.alive),
    ("GET", "/readyz", health.ready),
    ("GET", "/metrics", health.metrics),
    ("GET", "/static/{name}", static_files.give),
    ("GET", "/favicon.ico", static_files.favicon),
)
#: the API: (method, path, who answers, what OpenAPI says about its body)
API: tuple[tuple[str, str, Handler, str], ...] = (
    ("GET", "/api/v1/documents", api.get_documents, "list"),
    ("GET", "/api/v1/documents/{id}", api.get_document, ""),
    ("GET", "/api/v1/holds", api.get_holds, ""),
    ("POST", "/api/v1/holds/{id}/release", api.post_release, "decision"),
    ("POST", "/api/v1/holds/{id}/reject", api.post_reject, "decision"),
    ("POST", "/api/v1/shipments", api.post_shipments, "shipments"),
    ("POST", "/api/v1/invoices", api.post_invoices, "invoices"),
    ("POST", "/api/v1/payments/files", api.post_payment_file, "file"),
    ("PUT", "/api/v1/masterdata/{kind}", api.put_masterdata, "masterdata"),
    ("POST", "/api/v1/files", uploads.push, "push"),
    ("GET", "/api/v1/files/{id}", uploads.state, ""),
    ("GET", "/api/v1/mailbox", uploads.waiting, ""),
    ("GET", "/api/v1/mailbox/{id}", uploads.fetch, ""),
    ("DELETE", "/api/v1/mailbox/{id}", uploads.confirm, ""),
)


def make_app(station: Station) -> FastAPI:
    """The application over an opened installation."""
    # the framework's own pages of documentation load their scripts from elsewhere: there are none
    app = FastAPI(title="Order gateway", version=__version__, docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.state.station = station
    app.state.door = Door(station)
    app.state.pushes = uploads.intake_of(station)
    app.state.under_way = as2.UnderWay()
    refresh(app)
    for method, path, handler in PAGES:
        methods = ["GET", "HEAD"] if method == "GET" else [method]
        app.add_api_route(path, handler, methods=methods, include_in_schema=False, response_model=None)
    for method, path, handler, described in API:
        app.add_api_route(path, handler, methods=[method], response_model=None, openapi_extra=api.DESCRIBED.get(described))
    for kind, answer in _TROUBLES:
        app.add_exception_handler(kind, answer)
    return app


def refresh(app: FastAPI) -> None:
    """Make anew what follows from the configuration."""
    station: Station = app.state.station
    app.state.relations = Relations(station)
    app.state.as2 = as2.intake_of(station, app.state.relations)
    app.state.descriptions = Descriptions(station.plans)


def gated(app: FastAPI) -> Gate:
    """The application behind its gate: what is served."""
    return Gate(app, app.routes, app.state.station.installation.settings.web.names)


# ---------------------------------------------------------------- troubles, in words


def _say(request: Request, status: int, title: str, words: str) -> Response:
    """A trouble as a page for people, as JSON for machines."""
    if request.url.path.startswith("/api/") or request.url.path.endswith(".json"):
        return json_answer({"error": words}, status)
    return render(request, "trouble.html", status=status, title=title, words=words)


def _not_found(request: Request, error: Exception) -> Response:
    return _say(request, 404, "Not found", str(error))


def _bad_request(request: Request, error: Exception) -> Response:
    return _say(request, 400, "That address cannot be understood", str(error))


def _invalid(request: Request, error: Exception) -> Response:
    return _say(request, 422, "That form cannot be understood", "A field of the form is missing or too long.")


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    titles = {404: "Not found", 405: "Not possible here", 413: "Too large"}
    words = {404: "There is no such page.", 405: "This address cannot be used in this way."}
    return _say(request, error.status_code, titles.get(error.status_code, "That did not work"), words.get(error.status_code, str(error.detail)))


def _database(request: Request, error: Exception) -> Response:
    _log.error("database", error=str(error), path=request.url.path)
    return _say(request, 503, "The database does not answer", f"Nothing was changed: {error}. Try again in a moment.")


def _archive(request: Request, error: Exception) -> Response:
    _log.error("archive", error=str(error), path=request.url.path)
    return _say(request, 500, "The archive is damaged", str(error))


def _archive_away(request: Request, error: Exception) -> Response:
    _log.error("archive", error=str(error), path=request.url.path)
    return _say(request, 503, "The archive does not answer", "Nothing was changed: payloads cannot be reached now. Try again in a moment.")


def _disk(request: Request, error: Exception) -> Response:
    assert isinstance(error, OSError)
    if error.errno not in _NO_ROOM:
        raise error
    _log.error("disk", error=error.strerror, file=error.filename, path=request.url.path)
    answer = _say(request, 503, "There is no room", "Nothing was taken: a disk here is full or cannot be written. Try again later.")
    answer.headers["Retry-After"] = "60"
    return answer


_TROUBLES: tuple[tuple[Any, Any], ...] = (
    (NotFound, _not_found),
    (BadRequest, _bad_request),
    (RequestValidationError, _invalid),
    (HTTPException, _http),
    (DatabaseTrouble, _database),
    (ArchiveMissing, _archive),
    (ArchiveTrouble, _archive_away),
    (OSError, _disk),
    (Refused, uploads.turned_away),
)
