"""What the story comes to: documents by type and outcome, the journal, the checks; as a table for people and as JSON."""

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.demo.telling import Check
from gateway.demo.telling import Teller
from gateway.pipeline.station import Station
from gateway.store.outgoing import outbox
from gateway.store.records import documents
from gateway.store.trading import ledger
from gateway.store.verifying.verification import verify

#: documents in the order in which they appear in an order's life; what stands between are papers of our own house
_ORDER = (
    "order", "order_change", "order_response", "shipment", "despatch_advice", "invoice_release", "invoice", "credit_note",
    "remittance_advice", "bank_statement",
)  # fmt: skip
#: entries of the outbox that are looked through
_MOST = 5000


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """What `gateway journal verify` says."""

    ok: bool
    entries: int
    streams: int
    files: int
    faults: tuple[str, ...] = ()


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What `gateway demo --json` prints."""

    ok: bool
    seconds: float
    documents: dict[str, dict[str, int]]
    checks: tuple[Check, ...]
    chapters: tuple[str, ...]
    journal: Journal
    url: str
    data: str


def count_documents(station: Station) -> dict[str, dict[str, int]]:
    """How many documents of each type came to which outcome, test traffic by itself; then our acknowledgments by what they say."""
    found: dict[str, dict[str, int]] = {}
    with station.database.read() as connection:
        for count in documents.counts(connection):
            outcomes = found.setdefault(count.kind or "unreadable", {})
            outcome = f"{count.state} (test)" if count.test else count.state
            outcomes[outcome] = outcomes.get(outcome, 0) + count.count
        acknowledgments = [entry for entry in outbox.search(connection, limit=_MOST) if entry.kind == "acknowledgment"]
    said: dict[str, dict[str, int]] = {}
    for entry in acknowledgments:
        outcomes = said.setdefault(entry.spec.rsplit("/", 1)[1].partition("-")[0].upper(), {})
        outcome = str(entry.properties.get("outcome") or entry.state)
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    known = [kind for kind in _ORDER if kind in found]
    found |= said
    return {kind: dict(sorted(found[kind].items())) for kind in (*known, *sorted(set(found) - set(known)))}


def check_the_end(station: Station, teller: Teller) -> Journal:
    """What must hold when everything is told: nothing waits to leave or was given up, the sums are right, the journal is whole."""
    with station.database.read() as connection:
        dead = outbox.search(connection, state="dead", limit=10)
        sums = ledger.check_sums(connection)
    teller.check("everything that was to leave has left", not dead, "; ".join(f"{entry.spec}: {entry.last_error}" for entry in dead))
    teller.check("open amounts and allocations add up", not sums, "; ".join(sums))
    found = verify(station.database, station.archive, station.journal_key())
    teller.check("the journal verifies", found.ok, "; ".join(found.faults[:3]))
    return Journal(ok=found.ok, entries=found.entries, streams=found.streams, files=found.files, faults=tuple(found.faults))


def print_summary(teller: Teller, counts: Mapping[str, Mapping[str, int]], journal: Journal) -> None:
    """The table at the end."""
    teller.chapter("What it comes to")
    for kind, outcomes in counts.items():
        words = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in outcomes.items())
        teller.plain(f"       {kind.replace('_', ' '):<18} {words}")
    teller.plain("")
    state = "nothing was changed" if journal.ok else f"{len(journal.faults)} FAULTS"
    teller.plain(f"       journal verify: {journal.entries} entries in {journal.streams} streams, {journal.files} archived files: {state}")
    kept = sum(check.ok for check in teller.checks)
    teller.plain(f"       {kept} of {len(teller.checks)} expectations held, {teller.seconds:.0f} seconds")


def as_json(result: Result) -> dict[str, Any]:
    """The result as plain values."""
    plain = msgspec.to_builtins(result)
    assert isinstance(plain, dict)
    return plain
