"""Whether this process sees the archive that everybody writes to: a folder that is not mounted looks like an empty one. Asked again and again for
what came last; other places (the database, an object store) say themselves when they cannot be reached."""

from gateway.pipeline.station import Station
from gateway.pipeline.troubles import Standing
from gateway.store.incoming import transmissions
from gateway.store.keeping import erasures

EVERY = 30.0
CURE = (
    "See that the folder is mounted here, and the same on every machine. Work on these files waits, or is done by other machines; "
    "where the files are gone, gateway journal verify names them: bring them back from a backup."
)
_LAST = 5


class ArchiveWatch:
    """Looks for the last files that came."""

    def __init__(self, station: Station, node: str = "") -> None:
        self._station = station
        self._trouble = Standing(station, "archive", f"on {node}" if node else "of this machine")

    def look(self) -> None:
        """What a timer calls."""
        station = self._station
        if station.installation.archive_place.folder is None:
            return
        with station.database.read() as connection:
            last = {one.sha256 for one in transmissions.search(connection, limit=_LAST)}
            missing = [sha256 for sha256 in sorted(last) if not station.archive.has(sha256) and erasures.of_payload(connection, sha256) is None]
        if missing:
            words = f"{len(missing)} of the last {len(last)} payloads are not in {station.archive.place}, {missing[0]} for one"
            self._trouble.stands(words, CURE, stopped=True)
        else:
            self._trouble.is_over()
