"""What is done around every step: it works with the configuration of its beginning, what it logs names its stream and partner, and its time
is taken."""

import time

from structlog.contextvars import bind_contextvars
from structlog.contextvars import unbind_contextvars

from gateway.pipeline.engine.port import Step
from gateway.pipeline.station import Station

#: what a step says it is at, with each line that it logs
WORDS = ("stream", "partner", "document", "transmission", "endpoint", "row")


def attended(step: Step) -> Step:
    """The step as engines run it."""

    def run(station: Station, stream: str) -> bool:
        now = station.fixed()
        began = time.perf_counter()
        unbind_contextvars(*WORDS)
        bind_contextvars(stream=stream)
        try:
            more = step(now, stream)
        finally:
            station.meters.step(stream.partition(":")[0], transport_of(now, stream), time.perf_counter() - began)
        # where it failed, what it was at goes with the line that says so
        unbind_contextvars(*WORDS)
        return more

    return run


def transport_of(station: Station, stream: str) -> str:
    """By what a stream's bytes come or go: sftp, folder, as2, ...; empty where none move."""
    kind, _, rest = stream.partition(":")
    if kind in {"in", "open"}:
        return rest.partition(":")[0]
    if kind != "out":
        return ""
    partner, _, name = rest.partition(":")
    loaded = station.installation.directory.partners.get(partner)
    endpoint = loaded.partner.endpoints.get(name.partition(":")[0]) if loaded is not None else None
    return endpoint.transport if endpoint is not None else "none"
