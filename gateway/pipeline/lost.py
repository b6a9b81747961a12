"""Whether the archive has lost one payload, or is away as a whole: an unmounted folder looks like an empty one. Where it is away everything waits
for it; what is lost alone is nobody's fault but its own, and keeps nothing else back."""

from datetime import datetime

from gateway.pipeline.station import Station
from gateway.store.incoming import transmissions
from gateway.store.keeping import erasures

#: payloads that are looked for beside it
_OTHERS = 5


def is_lost_alone(station: Station, sha256: str, at: datetime) -> bool:
    """Whether bytes that were kept at about this time are not there while others are: those that came before, since in a folder that is not
    mounted lies what came after; or any, where it was the first."""
    with station.database.read() as connection:
        before = transmissions.search(connection, after=(at, ""), limit=_OTHERS)
        others = [one.sha256 for one in before if one.sha256 != sha256 and erasures.of_payload(connection, one.sha256) is None]
        if not others:
            others = [one.sha256 for one in transmissions.search(connection, limit=_OTHERS) if one.sha256 != sha256]
    try:
        return any(station.archive.has(other) for other in others)
    except OSError:
        return False
