"""Connections of PostgreSQL: each process takes more of them as it has more to do, and without one everything stands still. Told while there
is time: at the start, and when another process comes."""

from datetime import timedelta

from gateway.pipeline.station import Station
from gateway.store.watching import troubles
from gateway.store.watching.troubles import Trouble
from gateway.store.working import nodes
from gateway.store.working.connections import connections_of

EVERY = 60.0
#: what a process takes under load; `gateway run` is two of them, with its pages
NEEDED = 20
#: part of all connections that may be in use
BUSY = 0.9
TROUBLE = "database connections"
CURE = "Raise max_connections of PostgreSQL (and restart it), give the gateway a server of its own, or start fewer processes."


class ConnectionWatch:
    """Compares what there is with what all processes may take."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def look(self) -> None:
        """What a timer of one process at a time calls."""
        station = self._station
        settings = station.installation.settings
        with station.database.read() as connection:
            found = connections_of(connection)
            if found is None:
                return
            alive = nodes.alive(connection, timedelta(seconds=settings.cluster.silence)) if settings.engine == "cluster" else []
            told = next((trouble for trouble in troubles.standing(connection) if trouble.name == TROUBLE), None)
        processes = sum(2 if node.role == "service" else 1 for node in alive) or 2
        error, state = "", "warning"
        if found.used > BUSY * found.most:
            error, state = f"more than {BUSY:.0%} of the server's {found.most} connections are in use", "stopped"
        elif found.most < processes * NEEDED:
            error = f"the server gives {found.most} connections, {processes} processes of the gateway may need {processes * NEEDED}"
        if error == (told.error if told is not None else ""):
            return
        with station.database.begin() as connection:
            if error:
                stands = Trouble(name=TROUBLE, kind="connections", state=state, error=error, cure=CURE, since=station.clock())
                troubles.stands(connection, stands)
            else:
                troubles.is_over(connection, TROUBLE)
