"""Small files that wait behind each other, written in one commit: what is plain needs no transaction of its own.

Plain is a fresh file with one whole interchange of at most CHUNK transactions that nobody has to look at as a whole: no duplicate, no
acknowledgment of ours, no TA1, no partner whose numbers must follow each other. Files in which nothing can be read are held with the others.
The first file that is neither ends the batch and goes its own way (walk.step), so files are taken in the order in which they came. What is
written is the same, row for row.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import msgspec
from sqlalchemy import Connection

from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Syntax
from gateway.exchange.acknowledgment import TransactionResult
from gateway.pipeline.inbound import acknowledging
from gateway.pipeline.inbound import number_checks
from gateway.pipeline.inbound import rows
from gateway.pipeline.inbound.chunk import Part
from gateway.pipeline.inbound.entries import interchange_closed
from gateway.pipeline.inbound.entries import interchange_opened
from gateway.pipeline.inbound.entries import transmission_ended
from gateway.pipeline.inbound.shipment_files import is_shipments
from gateway.pipeline.inbound.splitting import ReadHere
from gateway.pipeline.inbound.splitting import new_interchange
from gateway.pipeline.inbound.unreadable import leave_all_unread
from gateway.pipeline.reading.chunk import Chunk
from gateway.pipeline.reading.drafts import SHIPMENT
from gateway.pipeline.reading.drafts import Draft
from gateway.pipeline.reading.entitlement import ACKNOWLEDGMENTS
from gateway.pipeline.reading.progress import decode_result
from gateway.pipeline.station import Station
from gateway.pipeline.turned_away import log_turned_away
from gateway.problem import Problem
from gateway.problem import codes
from gateway.store import crash
from gateway.store import journal
from gateway.store import streams
from gateway.store.incoming import interchanges
from gateway.store.incoming import transmissions
from gateway.store.incoming.transmissions import Transmission
from gateway.store.outgoing import outbox

#: files of one commit, bytes of the largest one among them, seconds of reading before they are written
MOST_FILES = 50
LARGEST = 64_000
SECONDS = 0.15


@dataclass(frozen=True, slots=True)
class _Small:
    """A plain file, read."""

    transmission: Transmission
    splitting: ReadHere
    chunk: Chunk
    #: problems outside of its interchange
    loose: tuple[Problem, ...]

    @property
    def is_unreadable(self) -> bool:
        return self.chunk.start is None

    @property
    def start(self) -> InterchangeStart:
        assert self.chunk.start is not None
        return self.chunk.start

    @property
    def key(self) -> tuple[str, str, str] | None:
        """What two interchanges share of which one is a duplicate; None where nothing is."""
        if self.is_unreadable:
            return None
        start = self.start
        if not start.control_number or start.syntax not in {Syntax.X12, Syntax.EDIFACT}:
            return None
        return start.sender, start.receiver, start.control_number


def take_together(station: Station, stream: str, waiting: Sequence[Transmission]) -> int:
    """Write as many of these files as are plain, from the first on, in one commit; how many that were. 0: the first one goes its own way."""
    crash.point(30)
    read = _read(station, waiting)
    if len(read) < 2:
        return 0
    with station.database.begin() as connection:
        if not streams.take(connection, stream):
            return 0
        fresh = _without_duplicates(connection, read)
        if len(fresh) < 2:
            return 0
        plain, unreadable = [small for small in fresh if not small.is_unreadable], [small for small in fresh if small.is_unreadable]
        entries = _write(station, connection, plain, unreadable)
    log_turned_away(entries)
    crash.point(36)
    crash.point(33)
    crash.point(38)
    return len(fresh)


def _read(station: Station, waiting: Sequence[Transmission]) -> list[_Small]:
    """The plain files from the first on."""
    found: list[_Small] = []
    keys = set()
    end = time.monotonic() + SECONDS
    for transmission in waiting:
        if transmission.state != "received" or transmission.size > LARGEST or is_shipments(transmission) or (found and time.monotonic() > end):
            break
        small = _read_one(station, transmission)
        # the same number twice in one batch: the second is looked at once the first is written
        if small is None or small.key in keys:
            break
        if small.key is not None:
            keys.add(small.key)
        found.append(small)
    return found


def _read_one(station: Station, transmission: Transmission) -> _Small | None:
    splitting = ReadHere(station, transmission, alone=False)
    try:
        chunk = splitting.next_chunk()
        if chunk.start is None and chunk.through:
            return _Small(transmission, splitting, chunk, tuple(splitting.loose))
        if not _is_plain(station, chunk):
            return None
        rest = chunk if chunk.through else splitting.next_chunk()
        if not rest.through or (rest is not chunk and (rest.start is not None or rest.drafts)):
            return None
        return _Small(transmission, splitting, chunk, tuple(splitting.loose))
    finally:
        splitting.close()


def _is_plain(station: Station, chunk: Chunk) -> bool:
    """Whether a file's first interchange is whole, and nothing in it concerns anything but its documents."""
    start = chunk.start
    if start is None or chunk.end is None or chunk.held is not None or chunk.refused is not None or not chunk.drafts or start.advice:
        return False
    loaded = station.installation.directory.find(start.syntax.value, start.sender)
    checks = loaded.partner.check_control_numbers if loaded is not None else None
    if checks is not None and (checks.interchange == "strict" or checks.transaction != "none"):
        return False
    return all(_is_plain_document(draft) for draft in chunk.drafts)


def _is_plain_document(draft: Draft) -> bool:
    return draft.hold is None and draft.type not in ACKNOWLEDGMENTS and draft.kind != SHIPMENT


def _without_duplicates(connection: Connection, read: Sequence[_Small]) -> list[_Small]:
    """The files up to the first whose number its sender has used before."""
    keys = {small.key for small in read if small.key is not None}
    interchanges.take_controls(connection, keys)
    known = interchanges.known_controls(connection, keys)
    fresh = []
    for small in read:
        if small.key in known:
            break
        fresh.append(small)
    return fresh


def _write(station: Station, connection: Connection, files: Sequence[_Small], unreadable: Sequence[_Small]) -> list[journal.Entry]:
    """Everything that these files change, in the caller's transaction; what the journal says of it."""
    entries = leave_all_unread(station, connection, [(small.transmission, small.loose) for small in unreadable])
    if files:
        _write_plain(station, connection, files, entries)
    crash.point(37)
    journal.append(connection, entries)
    return entries


def _write_plain(station: Station, connection: Connection, files: Sequence[_Small], entries: list[journal.Entry]) -> None:
    parts = [_part(station, small) for small in files]
    interchanges.open_many(connection, [part.interchange for part in parts])
    crash.point(31)
    entries += [interchange_opened(part.transmission, part.interchange) for part in parts]
    rows.insert_documents(station, connection, parts, entries)
    crash.point(32)
    crash.point(34)
    outgoing: list[outbox.Entry] = []
    outcomes = []
    for small, part in zip(files, parts, strict=True):
        results = partial(_results, small)
        answered = acknowledging.answers_to(station, small.splitting.progress, part.interchange, small.transmission, results, entries)
        outgoing += answered.outgoing if answered is not None else ()
        outcomes.append(answered.outcome if answered is not None else "accepted")
    outbox.enqueue(connection, outgoing)
    for stream in sorted({entry.stream for entry in outgoing}):
        streams.poke(connection, stream)
    crash.point(35)
    told = _count(station, connection, files)
    now = station.clock()
    closed, ended = [], []
    for small, part, outcome, notices in zip(files, parts, outcomes, told, strict=True):
        progress = small.splitting.progress
        problems = (*small.loose, *progress.alerts, *notices)
        closed.append(msgspec.structs.replace(part.interchange, state="done", outcome=outcome, finished_at=now, envelope=progress.encode()))
        ended.append(transmissions.Ended(id=small.transmission.id, partner=part.interchange.partner, problems=problems))
        facts = {"transactions": str(len(small.chunk.drafts)), **({"notices": codes(notices)} if notices else {})}
        entries.append(interchange_closed(small.transmission, part.interchange, "done", outcome, facts, now))
        entries.append(transmission_ended(small.transmission, "done", problems, now))
    interchanges.finish_many(connection, closed)
    transmissions.end_many(connection, ended)


def _part(station: Station, small: _Small) -> Part:
    start = small.start
    loaded = station.installation.directory.find(start.syntax.value, start.sender)
    partner = loaded.partner.id if loaded else next((draft.partner for draft in small.chunk.drafts if draft.partner), None)
    return Part(new_interchange(station, small.transmission, start, small.chunk.ordinal, partner), small.transmission, small.chunk, station)


def _results(small: _Small) -> list[tuple[int, TransactionResult]]:
    return [(draft.group, decode_result(draft.result).result) for draft in small.chunk.drafts]


def _count(station: Station, connection: Connection, files: Sequence[_Small]) -> list[list[Problem]]:
    """Enter the numbers of the interchanges and their groups; what is told about each file."""
    used = []
    for small in files:
        start = small.start
        loaded = station.installation.directory.find(start.syntax.value, start.sender)
        used.append(number_checks.Used(loaded, start, tuple(group.control_number for group in small.splitting.progress.groups)))
    return number_checks.enter_many(connection, used, station.clock())
