"""The web process: one socket on loopback, one uvicorn server, ended by SIGTERM or by the end of its standard input (its parent died)."""

import asyncio
import os
import socket
import threading
import time
from functools import partial

import h11
import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway.config import ConfigTrouble
from gateway.pipeline.station import Station
from gateway.web.access import Gate
from gateway.web.app import gated
from gateway.web.app import make_app
from gateway.web.app import refresh
from gateway.web.following import Following

#: seconds that requests under way get when the process is told to stop
GRACE = 3
#: seconds that the pages of a service wait for their port
WAIT_FOR_PORT = 10.0
_LARGEST_HEAD = 65_536
#: seconds for the head of a request, from its first byte or from the beginning of the line
HEAD_SECONDS = 20.0
_log = structlog.get_logger("web")


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; raises ConfigTrouble with what to do where somebody else does."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise ConfigTrouble(
            f"The web pages cannot be served at {host}:{port}: {error.strerror}. Stop what listens there, or set web.port in config.yaml"
        ) from None
    return listener


def _listen_in_time(host: str, port: int, seconds: float) -> socket.socket:
    """As above, but waits for the pages of a service that was killed a moment ago: they end when they see it."""
    end = time.monotonic() + seconds
    while True:
        try:
            return listen(host, port)
        except ConfigTrouble:
            if time.monotonic() >= end:
                raise
            time.sleep(0.1)


def server_for(app: Gate) -> uvicorn.Server:
    """A server that says nothing by itself and tells nobody what it is."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            loop="asyncio",
            http=_Patient,
            h11_max_incomplete_event_size=_LARGEST_HEAD,
            timeout_graceful_shutdown=GRACE,
            limit_concurrency=200,
        )
    )


class _Patient(H11Protocol):
    """Ends a line whose next head does not come in time: uvicorn waits for it for ever once a byte of it is there."""

    _end_of_patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin_waiting()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._begin_waiting()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _begin_waiting(self) -> None:
        if self._end_of_patience is None:
            self._end_of_patience = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._end_of_patience is not None:
            self._end_of_patience.cancel()
            self._end_of_patience = None


def serve(station: Station, following: Following | None, *, watch_stdin: bool) -> None:
    """Serve until told to stop; where the owner's configuration is followed, take over what it puts in force."""
    settings = station.installation.settings.web
    with _listen_in_time(settings.host, settings.port, WAIT_FOR_PORT if following is not None else 0.0) as listener:
        app = make_app(station)
        server = server_for(gated(app))
        if watch_stdin:
            threading.Thread(target=_watch_stdin, args=(server,), name="parent", daemon=True).start()
        if following is not None:
            threading.Thread(target=following.follow, args=(station, partial(refresh, app)), name="configuration", daemon=True).start()
        _log.info("web pages", url=f"http://{settings.host}:{settings.port}/")
        server.run(sockets=[listener])


def _watch_stdin(server: uvicorn.Server) -> None:
    """Stop when standard input ends: only the parent holds it open, so the parent is gone."""
    while os.read(0, 4096):
        pass
    server.should_exit = True
