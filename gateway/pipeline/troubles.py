"""Standing troubles of the service, told when they change: to the log by whoever meets them, to the store here, so that the pages, the
metrics and `gateway status` show what does not work now and what to do. A trouble of the database itself cannot be kept there: the log
has it."""

import time

import structlog

from gateway.pipeline.station import Station
from gateway.store.database import DatabaseTrouble
from gateway.store.watching import troubles
from gateway.store.watching.troubles import Trouble

MENDS_ITSELF = "It is tried again by itself."
UNREACHED = (
    "It is tried again by itself, after five minutes at the latest, each time with one try. Where it lasts longer than that, ask the partner whether "
    "its server runs and lets us in."
)
TRY_AGAIN = "Mend what the error names; then it is tried again at once. Where no file of ours changed by that: gateway reload."
OUR_FAULT = "It is tried again by itself; if it stays, the program's log has the whole error: report it."

#: seconds after which a trouble that stands is written anew: another process of a cluster may have thought it over
RETOLD = 60.0

_log = structlog.get_logger("troubles")


def cure_of_sending(state: str, error: str | None) -> str:
    """What helps a row of the outbox that did not leave."""
    if state == "dead":
        return "Mend what the error names, then try it again; or stop it for good."
    if state == "held_back":
        return "It leaves by itself when what stands before it in its order has left or was stopped."
    return MENDS_ITSELF if error else ""


class Standing:
    """One thing that may fail again and again: it is written only when what is known of it changes."""

    def __init__(self, station: Station, kind: str, subject: str, partner: str | None = None) -> None:
        self._station = station
        self._name = f"{kind} {subject}"
        self._kind = kind
        self._partner = partner
        self._told: tuple[str, str] | None = None
        self._told_at = 0.0
        self._over = False

    def is_news(self, error: str) -> bool:
        """Whether this is not what was told last."""
        return self._told is None or self._told[1] != error

    def stands(self, error: str, cure: str, *, stopped: bool = False) -> None:
        """It does not work."""
        state = "stopped" if stopped else "retrying"
        if self._over or (self._told == (state, error) and time.monotonic() - self._told_at < RETOLD):
            return
        trouble = Trouble(name=self._name, kind=self._kind, partner=self._partner, state=state, error=error, cure=cure, since=self._station.clock())
        try:
            with self._station.database.begin() as connection:
                troubles.stands(connection, trouble)
        except DatabaseTrouble as failure:
            _log.warning("trouble not kept", trouble=self._name, error=str(failure))
            return
        self._told = (state, error)
        self._told_at = time.monotonic()

    def is_over(self) -> None:
        """It works (again)."""
        if self._told is None or self._over:
            return
        try:
            with self._station.database.begin() as connection:
                troubles.is_over(connection, self._name)
        except DatabaseTrouble as failure:
            _log.warning("end of a trouble not kept", trouble=self._name, error=str(failure))
            return
        self._told = None

    @property
    def partner(self) -> str | None:
        """Whose it is."""
        return self._partner

    @property
    def is_standing(self) -> bool:
        """Whether it did not work when it was last tried."""
        return self._told is not None

    def let_go(self) -> None:
        """Nobody looks after it any more (a mailbox that was removed): it is over, and whoever hangs in it tells nothing later."""
        self.is_over()
        self._over = True
