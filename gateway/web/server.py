"""The web process: one socket on loopback, one uvicorn server, ended by SIGTERM or by the end of its standard input (its parent died)."""

import os
import socket
import threading

import structlog
import uvicorn

from gateway.config import ConfigTrouble
from gateway.config import Installation
from gateway.pipeline.station import Station
from gateway.web.access import Gate
from gateway.web.app import gated
from gateway.web.app import make_app

#: seconds that requests under way get when the process is told to stop
GRACE = 3
_LARGEST_HEAD = 65_536
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
            http="h11",
            h11_max_incomplete_event_size=_LARGEST_HEAD,
            timeout_graceful_shutdown=GRACE,
            limit_concurrency=200,
        )
    )


def serve(installation: Installation, station: Station, *, watch_stdin: bool) -> None:
    """Serve until told to stop."""
    settings = installation.settings.web
    with listen(settings.host, settings.port) as listener:
        server = server_for(gated(make_app(station)))
        if watch_stdin:
            threading.Thread(target=_watch_stdin, args=(server,), name="parent", daemon=True).start()
        _log.info("web pages", url=f"http://{settings.host}:{settings.port}/")
        server.run(sockets=[listener])


def _watch_stdin(server: uvicorn.Server) -> None:
    """Stop when standard input ends: only the parent holds it open, so the parent is gone."""
    while os.read(0, 4096):
        pass
    server.should_exit = True
