"""What a row of the outbox waits for and what helps, in words: the same on pages and for commands, and the same as the trouble of its endpoint
says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from gateway.pipeline.troubles import cure_of_sending
from gateway.store.outgoing.outbox import Entry
from gateway.store.watching import troubles
from gateway.store.watching.troubles import Trouble

_SENDING = "sending "
_WAITING = frozenset({"waiting", "prepared"})


@dataclass(frozen=True, slots=True)
class Waits:
    """The endpoints that are stopped at this moment, as `partner:endpoint`."""

    stopped: Mapping[str, Trouble]
    now: datetime

    def trouble_of(self, entry: Entry) -> Trouble | None:
        """Why nothing leaves by the endpoint of a row that waits; None where it is not stopped."""
        return self.stopped.get(f"{entry.partner}:{entry.endpoint}") if entry.state in _WAITING else None

    def words(self, entry: Entry) -> str:
        """What it waits for."""
        if entry.state not in _WAITING:
            return ""
        trouble = self.trouble_of(entry)
        if trouble is not None:
            return f"its endpoint is stopped since {trouble.since:%Y-%m-%d %H:%M} UTC"
        if entry.due_at <= self.now:
            return "waits for its turn behind what stands before it"
        return f"{'next try at' if entry.last_error else 'leaves at'} {entry.due_at:%Y-%m-%d %H:%M:%S} UTC"

    def cure(self, entry: Entry) -> str:
        """What helps."""
        trouble = self.trouble_of(entry)
        return trouble.cure if trouble is not None else cure_of_sending(entry.state, entry.last_error)


def waits(connection: Connection, now: datetime) -> Waits:
    """What rows wait for now."""
    stopped = {one.name.removeprefix(_SENDING): one for one in troubles.standing(connection) if one.name.startswith(_SENDING)}
    return Waits({name: one for name, one in stopped.items() if one.state == "stopped"}, now)
