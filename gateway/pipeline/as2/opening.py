"""The step that opens messages whose senders were answered already: what it writes down of them, receipts to be posted among it, is one commit
with their rows among the unopened. What cannot be opened for a reason of ours (a key that is not there, bytes that the archive has lost) stays,
stands among what does not work, and is tried again by the sweep; it keeps nothing behind it back.
"""

from collections.abc import Mapping
from collections.abc import Sequence

import structlog

from gateway.pipeline.as2.arrived import Request
from gateway.pipeline.as2.keys import Relations
from gateway.pipeline.as2.posting import read_kept
from gateway.pipeline.as2.receiving import open_kept
from gateway.pipeline.station import Station
from gateway.pipeline.troubles import MENDS_ITSELF
from gateway.store import crash
from gateway.store.incoming import as2_unopened
from gateway.store.payloads.archive import ArchiveMissing
from gateway.store.watching import troubles
from gateway.store.watching.troubles import Trouble

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
    lost: dict[str, str] = {}
    for row in rows:
        try:
            requests.append((row.request_sha256, read_kept(station.archive, row.request_sha256)))
        except ArchiveMissing as error:
            lost[row.request_sha256] = str(error)
    failed = {**lost, **open_kept(station, Relations(station), requests)}
    crash.point(127)
    _tell(station, stream, failed, list(lost))
    return len(failed) < len(rows)


def _tell(station: Station, stream: str, failed: Mapping[str, str], lost: Sequence[str]) -> None:
    """What waits for us is told until nothing waits any more. What is lost goes behind the others; what waits for a key keeps its place, since
    all that is behind it needs the same key."""
    name = f"opening {stream.partition(':')[2]}"
    with station.database.read() as connection:
        standing = next((one for one in troubles.standing(connection) if one.name == name), None)
        nothing_waits = not as2_unopened.next_of(connection, stream, 1, 0)
    if standing is not None and nothing_waits:
        with station.database.begin() as connection:
            troubles.is_over(connection, name)
    if not failed:
        return
    request, reason = next(iter(failed.items()))
    error = f"an AS2 message that was answered cannot be opened: {reason}"
    with station.database.begin() as connection:
        if lost:
            as2_unopened.set_back(connection, stream, lost)
        troubles.stands(connection, Trouble(name=name, kind="step", state="retrying", error=error, cure=MENDS_ITSELF, since=station.clock()))
    if standing is None or standing.error != error:
        _log.error("as2 message waits", request=request, error=reason, cure="mend what the error names: it is tried again by itself")
