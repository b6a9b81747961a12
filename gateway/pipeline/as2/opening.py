"""The step that opens messages whose senders were answered already: what it writes down of them, receipts to be posted among it, is one commit
with their rows among the unopened. A message that cannot be opened for want of a key of ours stays, and is tried again by the sweep."""

import structlog

from gateway.pipeline.as2.keys import Relations
from gateway.pipeline.as2.posting import read_kept
from gateway.pipeline.as2.receiving import Request
from gateway.pipeline.as2.receiving import open_kept
from gateway.pipeline.station import Station
from gateway.store import as2_unopened
from gateway.store import crash
from gateway.store import journal
from gateway.store.archive import ArchiveMissing

#: messages that are opened together, and their bytes: they are in memory at once
MOST = 32
LARGEST = 8_000_000

_log = structlog.get_logger("as2")


def step(station: Station, stream: str) -> bool:
    """Open the first messages of a stream; whether more may wait."""
    with station.database.read() as connection:
        rows = as2_unopened.next_of(connection, stream, MOST, LARGEST)
    if not rows:
        return False
    requests: list[tuple[str, Request]] = []
    for row in rows:
        try:
            requests.append((row.request_sha256, read_kept(station.archive, row.request_sha256)))
        except ArchiveMissing as error:
            _give_up(station, stream, row.request_sha256, str(error))
    done = open_kept(station, Relations(station), requests)
    crash.point(127)
    return done > 0 or len(requests) < len(rows)


def _give_up(station: Station, stream: str, request: str, error: str) -> None:
    """Its bytes are lost. Its sender, who gets no receipt, sends it again."""
    with station.database.begin() as connection:
        as2_unopened.opened(connection, [request])
        entry = journal.Entry(
            stream=f"in:{stream.partition(':')[2]}",
            at=station.clock(),
            actor="gateway",
            action="AS2 message lost unopened",
            subject_kind="as2_request",
            subject=request,
            reason=error,
        )
        journal.append(connection, [entry])
    _log.error("as2 message lost unopened", request=request, error=error, cure="its sender sends it again when no receipt comes; look at the disk")
