"""For machines that watch: alive, ready, and numbers."""

import contextlib
import os
import secrets

from fastapi import Request
from fastapi.responses import PlainTextResponse
from fastapi.responses import Response

from gateway.pipeline.service.condition import serving
from gateway.pipeline.service.condition import workers_of
from gateway.pipeline.service.heart import SILENT
from gateway.pipeline.service.heart import database_trouble
from gateway.pipeline.service.heart import silence_of
from gateway.pipeline.station import Station
from gateway.store.database import DatabaseTrouble
from gateway.store.outgoing import outbox
from gateway.web.answers import json_answer
from gateway.web.metrics import text_of
from gateway.web.pages import station_of

GOOD = {"database": "reachable", "engine": "running", "archive": "writable"}


def alive(request: Request) -> Response:
    """This process answers."""
    return PlainTextResponse("ok\n")


def ready(request: Request) -> Response:
    """Whether work is done: the database answers, a service owns the data and turns, and what comes can be kept."""
    station = station_of(request)
    try:
        with station.database.read() as connection:
            outbox.next_due(connection)
            owner = serving(station, workers_of(station, connection))
        # a locked one can be read
        stuck = database_trouble(station.installation.data)
        found = {"database": stuck.error if stuck is not None else GOOD["database"], "engine": _engine(station, owner), "archive": _archive(station)}
    except DatabaseTrouble as error:
        found = {"database": str(error), "engine": "unknown", "archive": _archive(station)}
    return json_answer(found, 200 if found == GOOD else 503)


def _engine(station: Station, owner: str | None) -> str:
    if owner is None:
        return "none: start gateway run"
    # the nodes of a cluster tell themselves that they live
    silence = silence_of(station.installation.data) if station.installation.settings.engine == "local" else None
    if silence is not None and silence > SILENT:
        return f"{owner} has not turned for {silence:.0f} seconds: look into the log"
    return "running"


def _archive(station: Station) -> str:
    """Whether a file can be written where payloads lie; other places say it when they are written to."""
    folder = station.installation.archive_place.folder
    if folder is None:
        return GOOD["archive"]
    probe = folder / f".ready-{secrets.token_hex(4)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, b"ready")
        finally:
            os.close(descriptor)
    except OSError as error:
        return f"cannot be written: {error.strerror}"
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
    return GOOD["archive"]


def metrics(request: Request) -> Response:
    """The numbers in Prometheus' text form."""
    return Response(text_of(station_of(request), request.app.state.door), media_type="text/plain; version=0.0.4; charset=utf-8")
