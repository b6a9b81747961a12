"""How an installation does at this moment: whether a service owns it, what does not work, what waits. For `gateway status`."""

import fcntl
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from gateway.pipeline.as2.refused_lately import refused_lately
from gateway.pipeline.outbound.hook_states import HookState
from gateway.pipeline.outbound.hook_states import hook_states
from gateway.pipeline.outbox.waits import waits
from gateway.pipeline.service.heart import database_trouble
from gateway.pipeline.service.same_files import digest_of
from gateway.pipeline.station import Station
from gateway.store.incoming import holds
from gateway.store.incoming import interchanges
from gateway.store.incoming.holds import Hold
from gateway.store.outgoing import awaited
from gateway.store.outgoing import outbox
from gateway.store.outgoing import pauses
from gateway.store.outgoing.pauses import Pause
from gateway.store.records import documents
from gateway.store.watching import troubles
from gateway.store.watching.set_aside import set_aside
from gateway.store.watching.troubles import Trouble
from gateway.store.working import claims
from gateway.store.working import nodes
from gateway.store.working.nodes import Node

#: rows that are counted one by one
_COUNTED = 10_000
#: how far back what was turned away is counted
LATELY = timedelta(hours=24)
#: kinds of documents that our own people and systems hand in
_OWN = frozenset({"shipment", "invoice_release"})
#: rejected documents that are named
_NAMED = 3


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """One process of a cluster, and what it alone does now."""

    host: str
    process: int
    #: service, worker, or command
    role: str
    version: str
    since: datetime
    #: its last sign of life
    seen: datetime
    #: addresses that it looks into
    mailboxes: tuple[str, ...]
    timers: tuple[str, ...]
    #: one digest of the files that it works by
    files: str


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A document that was rejected lately."""

    document: str
    partner: str
    at: datetime
    #: codes of what was wrong with it
    problems: tuple[str, ...]


class Lately(msgspec.Struct, frozen=True, kw_only=True):
    """What was not taken as it came, in the last 24 hours."""

    #: what partners sent
    rejected: int
    #: shipments and releases that our own people and systems handed in
    own_refused: int
    #: of what waits for a person
    held: int
    #: interchanges that had come before
    duplicates: int
    #: the newest of those that were rejected, and of our own
    newest: list[Rejected]
    own_newest: list[Rejected]


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator wants to know first."""

    #: process that owns the data, or all that work on it; None where no service runs
    owner: str | None
    #: the processes of a cluster
    workers: list[Worker]
    troubles: list[Trouble]
    #: documents and files that wait for a person
    held: int
    lately: Lately
    #: rows of the outbox that have not left
    leaving: int
    #: when the next one of them is tried that failed before
    next_try_at: datetime | None
    #: rows that wait behind another one of their order
    held_back: int
    #: deliveries that were given up
    dead: int
    #: partners to whom nothing is sent for now
    paused: list[Pause]
    #: answers of partners that are waited for in time, and those that are late
    answers_waiting: int
    answers_overdue: int
    #: webhooks for which events were given up
    webhooks_given_up: list[HookState]


def condition_of(station: Station) -> Condition:
    """The present condition."""
    with station.database.read() as connection:
        awaiting = awaited.counts(connection)
        waiting = holds.list_open(connection, limit=_COUNTED)
        workers = workers_of(station, connection)
        return Condition(
            owner=serving(station, workers),
            workers=workers,
            troubles=not_working(station, connection),
            held=len(waiting),
            lately=_lately(station, connection, waiting),
            leaving=sum(len(outbox.search(connection, state=state, limit=_COUNTED)) for state in outbox.OPEN),
            next_try_at=outbox.next_try(connection, waits(connection, station.clock()).stopped),
            held_back=len(outbox.search(connection, state="held_back", limit=_COUNTED)),
            paused=pauses.standing(connection),
            dead=len(outbox.search(connection, state="dead", limit=_COUNTED)),
            answers_waiting=sum(number for (state, _), number in awaiting.items() if state == "waiting"),
            answers_overdue=sum(number for (state, _), number in awaiting.items() if state == "overdue"),
            webhooks_given_up=[one for one in hook_states(station.installation, connection) if one.dead],
        )


def _lately(station: Station, connection: Connection, waiting: Sequence[Hold]) -> Lately:
    since = station.clock() - LATELY
    refused = documents.rejected_since(connection, since, limit=_COUNTED)
    rejected = [id for id, kind in refused if kind not in _OWN]
    own = [id for id, kind in refused if kind in _OWN]
    return Lately(
        rejected=len(rejected),
        own_refused=len(own),
        held=sum(hold.opened_at >= since for hold in waiting),
        duplicates=interchanges.duplicates_since(connection, since, station.installation.directory.partners),
        newest=_rejected(connection, rejected[:_NAMED]),
        own_newest=_rejected(connection, own[:_NAMED]),
    )


def _rejected(connection: Connection, ids: Sequence[str]) -> list[Rejected]:
    rows = documents.get_many(connection, ids)
    return [
        Rejected(document=row.id, partner=row.partner, at=row.created_at, problems=tuple(dict.fromkeys(one.code for one in row.problems)))
        for row in (rows[id] for id in ids)
    ]


def not_working(station: Station, connection: Connection) -> list[Trouble]:
    """Everything that does not work now, also that the database takes nothing, which cannot stand in it."""
    database = database_trouble(station.installation.data)
    refused = refused_lately(connection, station.clock())
    return [*([database] if database is not None else []), *set_aside(connection), *troubles.standing(connection), *refused]


def workers_of(station: Station, connection: Connection) -> list[Worker]:
    """The processes of a cluster that are alive, longest first; none where one machine does all."""
    settings = station.installation.settings
    if settings.engine != "cluster":
        return []
    held: dict[str, list[str]] = {}
    for claim in claims.standing(connection):
        held.setdefault(claim.holder, []).append(claim.key)

    def named(node: Node, kind: str) -> tuple[str, ...]:
        return tuple(key.removeprefix(f"{kind}:") for key in held.get(node.id, ()) if key.startswith(f"{kind}:"))

    alive = nodes.alive(connection, timedelta(seconds=settings.cluster.silence))
    files = nodes.files_of(connection, [node.id for node in alive])
    return [
        Worker(
            host=node.host,
            process=node.process,
            role=node.role,
            version=node.version,
            since=node.started_at,
            seen=node.beat_at,
            mailboxes=named(node, "poll"),
            timers=named(node, "clock"),
            files=digest_of(files[node.id]) if node.id in files else "",
        )
        for node in alive
    ]


def serving(station: Station, workers: Sequence[Worker]) -> str | None:
    """Which processes do the work that comes in, in words; None where none does."""
    if station.installation.settings.engine != "cluster":
        owner = owner_of(station.installation.data)
        return f"process {owner}" if owner else None
    standing = [worker for worker in workers if worker.role != "command"]
    return ", ".join(f"process {worker.process} on {worker.host}" for worker in standing) or None


def owner_of(data: Path) -> str | None:
    """The process that holds the owner's lock. Asked with a shared lock that is given back at once, so that nothing changes hands."""
    try:
        with (data / "engine.lock").open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read().strip() or "unknown"
    except FileNotFoundError:
        return None
    return None
