"""What became of a file, told to the partner who sent it, in the form of `gateway check --json`: what its acknowledgments say, and no more.

Why an order waits for a person (credit, prices) is our business: the partner reads it in the order response.
"""

from typing import Any

import msgspec
from sqlalchemy import Connection

from gateway.codecs.node import outcome_word
from gateway.exchange.acknowledgment_result import TransactionResult
from gateway.pipeline.inbound.acknowledging import results_of
from gateway.pipeline.reading.progress import Kept
from gateway.pipeline.stateless.checking import MOST_LISTED
from gateway.pipeline.station import Station
from gateway.problem import Problem
from gateway.problem import problem_json
from gateway.store.incoming import interchanges
from gateway.store.incoming import transmissions
from gateway.store.incoming.interchanges import Interchange
from gateway.store.incoming.transmissions import Transmission
from gateway.store.outgoing import outbox

#: a transmission's state in a partner's words
_STATES = {"received": "waiting", "opening": "in work", "held": "held", "unreadable": "unreadable", "done": "done"}
_KEPT = msgspec.json.Decoder(Kept)


def state_of(station: Station, address: str, id: str) -> dict[str, Any] | None:
    """The state of a file that came by this address, None where no such file did."""
    with station.database.read() as connection:
        transmission = transmissions.get(connection, id)
        if transmission is None or transmission.direction != "in" or transmission.endpoint != address:
            return None
        return _Telling(transmission).tell(connection)


class _Telling:
    """Gathers one file's answer."""

    def __init__(self, transmission: Transmission) -> None:
        self._transmission = transmission
        self._problems: list[Problem] = []
        self._transactions = 0
        self._rejected = 0
        self._outcomes: list[str] = []

    def tell(self, connection: Connection) -> dict[str, Any]:
        transmission = self._transmission
        rows = interchanges.of_transmission(connection, transmission.id)
        shown = [self._interchange(connection, row) for row in rows]
        if not rows:
            self._note(transmission.problems)
        outcome = "unreadable" if transmission.state == "unreadable" else outcome_word(self._outcomes) if transmission.state == "done" else None
        return {
            "id": transmission.id,
            "received_at": transmission.received_at,
            "size": transmission.size,
            "sha256": transmission.sha256,
            "state": _STATES[transmission.state],
            "file": transmission.name,
            "syntax": rows[0].syntax if rows else "unknown",
            "outcome": outcome,
            "counts": {"transactions": self._transactions, "accepted": self._transactions - self._rejected, "rejected": self._rejected},
            "interchanges": shown,
            "problems": [problem_json(problem) for problem in self._problems],
            "acknowledgments": [_acknowledgment(entry) for row in rows for entry in outbox.of_interchange(connection, row.id)],
        }

    def _interchange(self, connection: Connection, row: Interchange) -> dict[str, Any]:
        kept = _KEPT.decode(row.envelope)
        groups: list[dict[str, Any]] = [
            {"type": group.type, "control_number": group.control_number, "version": group.version, "outcome": "accepted", "transactions": []}
            for group in kept.groups
        ]
        outcomes: dict[int, list[str]] = {}
        for number, result in results_of(connection, row.id):
            if number == 0 and not groups:
                # EDIFACT without UNG, XML: one group that nobody sent
                groups.append({"type": result.type, "control_number": "", "version": result.version, "outcome": "accepted", "transactions": []})
            outcomes.setdefault(number, []).append(result.outcome)
            self._transaction(result, groups[max(0, number - 1)]["transactions"] if groups else [])
        for number, group in enumerate(groups, 1):
            group["outcome"] = outcome_word(outcomes.get(number, outcomes.get(0, [])))
        self._note([*kept.problems, *(problem for group in kept.groups for problem in group.problems)])
        outcome = row.outcome if row.state in {"done", "refused"} else None
        self._outcomes += [result for found in outcomes.values() for result in found] or [_of_refused(row)]
        return {
            "control_number": row.control_number,
            "sender": row.sender,
            "receiver": row.receiver,
            "test": row.test,
            "outcome": outcome,
            "groups": groups,
        }

    def _transaction(self, result: TransactionResult, listed: list[dict[str, Any]]) -> None:
        self._transactions += 1
        self._rejected += result.outcome == "rejected"
        if result.problems and len(self._problems) < MOST_LISTED:
            shown = {"type": result.type, "control_number": result.control_number, "outcome": result.outcome}
            listed.append({**shown, "problems": self._note(result.problems)})

    def _note(self, problems: tuple[Problem, ...] | list[Problem]) -> list[int]:
        first = len(self._problems)
        self._problems += problems
        return list(range(first, len(self._problems)))


def _of_refused(row: Interchange) -> str:
    return "rejected" if row.state == "refused" else "accepted"


def _acknowledgment(entry: outbox.Entry) -> dict[str, Any]:
    return {
        "type": entry.spec.rpartition("/")[2].partition("-")[0].upper() if entry.spec.startswith("edifact") else entry.spec.rpartition("/")[2],
        "outcome": entry.properties.get("outcome"),
        "state": "sent" if entry.state in outbox.LEFT else "not sent" if entry.state in {"dead", "cancelled"} else "waiting",
        "file": entry.identity,
        "sent_at": entry.sent_at,
    }
