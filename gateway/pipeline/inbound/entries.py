"""What the journal says of a received file: opened, closed, through. One place, whether the file is written alone or among others."""

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime

from gateway.problem import Problem
from gateway.store import journal
from gateway.store.incoming.interchanges import Interchange
from gateway.store.incoming.transmissions import Transmission


def interchange_opened(transmission: Transmission, interchange: Interchange) -> journal.Entry:
    """An interchange of a file is begun."""
    return journal.Entry(
        stream=transmission.stream,
        at=interchange.opened_at,
        actor="gateway",
        action="interchange opened",
        subject_kind="interchange",
        subject=interchange.id,
        facts={
            "transmission": transmission.id,
            "sender": interchange.sender,
            "receiver": interchange.receiver,
            "control": interchange.control_number,
            "syntax": interchange.syntax,
            "test": "yes" if interchange.test else "no",
        },
    )


def interchange_closed(
    transmission: Transmission, interchange: Interchange, state: str, outcome: str, facts: Mapping[str, str], now: datetime
) -> journal.Entry:
    """An interchange is through, or waits."""
    return journal.Entry(
        stream=transmission.stream,
        at=now,
        actor="gateway",
        action=f"interchange {state}",
        subject_kind="interchange",
        subject=interchange.id,
        facts={**facts, "outcome": outcome},
    )


def transmission_ended(
    transmission: Transmission, state: str, problems: Sequence[Problem], now: datetime, *, partner: str | None = None
) -> journal.Entry:
    """A file is through, or waits; then it is said over which endpoint it came, and whose that is."""
    waits = {"endpoint": transmission.endpoint, "partner": partner or transmission.partner or ""} if state != "done" else {}
    told = {"problems": ",".join(sorted({problem.code for problem in problems})), **waits}
    return journal.Entry(
        stream=transmission.stream,
        at=now,
        actor="gateway",
        action=f"transmission {state}",
        subject_kind="transmission",
        subject=transmission.id,
        facts={name: value for name, value in told.items() if value},
    )
