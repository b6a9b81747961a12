"""The walk of a received file, inward. Its order is written here, once:

    receive.register    bytes archived, journal entry, transmission on its stream           (before anything can fail)
    Splitting           the payload is cut into interchanges, transaction by transaction     (codecs)
    entitle             sender, receiver, type, endpoint -> agreement                        (exchange.partner)
                        transaction against its schema -> problems                           (schema)
                        transaction -> canonical document                                    (mapping)
    step, each chunk    documents, states, journal and cursor in one commit
    step, at its end    problems -> 997 / 999 / TA1 / CONTRL into the outbox                 (exchange.acknowledgment)
    cycle.step          rules, decision, answer: the partner's next stream                   (rules, trade)

A chunk is at most 100 transactions or about 50 ms of work, computed before the transaction that writes it; after a kill the
interchange's cursor says where to go on. One bad transaction never stops its neighbours.
"""

import time
from dataclasses import replace

import msgspec
from sqlalchemy import Connection

from gateway.codecs.choose import form_of
from gateway.codecs.choose import head_of
from gateway.codecs.choose import read as read_events
from gateway.codecs.layout import Form
from gateway.codecs.node import GroupEnd
from gateway.codecs.node import GroupStart
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.exchange.directory import BY_HAND
from gateway.kinds import file as file_kinds
from gateway.kinds import partner as partner_kinds
from gateway.kinds import pipeline as kinds
from gateway.pipeline import acknowledging
from gateway.pipeline import number_checks
from gateway.pipeline import rows
from gateway.pipeline.chunk import Chunk
from gateway.pipeline.endpoints import owner_of
from gateway.pipeline.entitlement import entitle
from gateway.pipeline.forms import forms_for
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.problem import NOWHERE
from gateway.problem import Place
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.problem import codes
from gateway.store import crash
from gateway.store import holds
from gateway.store import interchanges
from gateway.store import journal
from gateway.store import streams
from gateway.store import transmissions
from gateway.store.interchanges import Interchange
from gateway.store.rows import StaleState
from gateway.store.transmissions import Transmission

CHUNK = 100
CHUNK_SECONDS = 0.15


class Splitting:
    """A transmission on its way through the codecs. Lives between steps; after a kill it is made anew and skips what is done."""

    def __init__(self, station: Station, transmission: Transmission) -> None:
        self._station = station
        self.transmission = transmission
        self._file = station.archive.open(transmission.sha256)
        head, whole = head_of(iter(lambda: self._file.read(1 << 18), b""))
        self.syntax, self._events = read_events(whole, form_of(head, _forms(station, transmission)))
        with station.database.read() as connection:
            self._done = {row.ordinal: row for row in interchanges.of_transmission(connection, transmission.id)}
        self._start: InterchangeStart | None = None
        self._group: GroupStart | None = None
        self._ordinal = -1
        self._cursor = 0
        self._skip = 0
        self._opens = False
        self._refused: Problem | None = None
        self._held: Problem | None = None
        self.progress = acknowledging.Progress()
        #: problems outside of any interchange
        self.loose: list[Problem] = []

    def close(self) -> None:
        self._file.close()

    def next_chunk(self) -> Chunk:
        """The next transactions: up to CHUNK of them, the rest of the interchange, or the end of the payload."""
        chunk = Chunk(start=self._start, ordinal=self._ordinal, first=self._cursor, held=self._held, refused=self._refused)
        end = time.monotonic() + CHUNK_SECONDS
        for event in self._events:
            if isinstance(event, Transaction):
                if self._take(event, chunk) and (len(chunk.entitled) >= CHUNK or time.monotonic() > end):
                    break
            elif isinstance(event, InterchangeStart):
                chunk = self._begin(event)
            elif isinstance(event, GroupStart):
                self._group = event
                self.progress.open_group(event)
            elif isinstance(event, GroupEnd):
                self._group = None
                self.progress.close_group(event)
            elif isinstance(event, InterchangeEnd):
                if self._finish(event, chunk):
                    break
            elif self._start is not None:
                self.progress.problems.append(event)
            else:
                self.loose.append(event)
        else:
            chunk.through = True
        return chunk

    def _begin(self, start: InterchangeStart) -> Chunk:
        """The first chunk of an interchange; an empty one where it was finished before a kill: nothing of it is written again."""
        self._start, self._group = start, None
        self._ordinal += 1
        known = self._done.get(self._ordinal)
        self._opens = known is None
        self._cursor = 0
        self._held = self._refused = None
        self.progress = acknowledging.Progress(start=start)
        if known is not None and known.state != "open":
            self._skip = -1
            return Chunk(ordinal=self._ordinal)
        self._skip = known.cursor if known is not None else 0
        self._refused = self._duplicate_of(start)
        if self._opens and self._refused is None:
            self._held = self._waits(start)
        return Chunk(start=start, ordinal=self._ordinal, opens=self._opens, refused=self._refused, held=self._held)

    def _waits(self, start: InterchangeStart) -> Problem | None:
        """Why an interchange behind a gap waits for a person, where its sender is checked strictly; not again when one vouched for it."""
        loaded = self._station.installation.directory.find(start.syntax.value, start.sender)
        if loaded is None or BY_HAND in {self.transmission.endpoint, self.transmission.properties.get("entitled")}:
            return None
        with self._station.database.read() as connection:
            return number_checks.must_wait(connection, loaded, start)

    def _duplicate_of(self, start: InterchangeStart) -> Problem | None:
        """An interchange of this sender with this control number that came before: answered, never booked twice."""
        if not start.control_number or start.syntax not in {Syntax.X12, Syntax.EDIFACT}:
            return None
        loaded = self._station.installation.directory.find(start.syntax.value, start.sender)
        if loaded is None:
            return None
        with self._station.database.read() as connection:
            earlier = interchanges.find_by_control(
                connection,
                partner=loaded.partner.id,
                sender=start.sender,
                receiver=start.receiver,
                control_number=start.control_number,
                excluding_transmission=self.transmission.id,
            )
            earlier = [row for row in earlier if row.state in {"open", "done"} and row.syntax == start.syntax.value]
            earlier = number_checks.still_counts(connection, loaded, start, earlier, self._station.clock()) if earlier else earlier
        if not earlier:
            return None
        return kinds.DUPLICATE_INTERCHANGE.at(
            Place(interchange=start.control_number, segment=start.segment[0] if start.segment else None, offset=start.offset),
            f"Interchange {start.control_number} of {start.sender} was received before, on {earlier[0].opened_at:%Y-%m-%d %H:%M} UTC",
            found=start.control_number,
            expected="a control number that was not used before",
        )

    def _take(self, transaction: Transaction, chunk: Chunk) -> bool:
        """True when the transaction went into the chunk."""
        if self._skip == -1:
            return False
        if self._cursor < self._skip:
            self._cursor += 1
            chunk.first = self._cursor
            return False
        assert self._start is not None
        self._cursor += 1
        if self._refused is not None or self._held is not None:
            return False
        found = entitle(
            transaction,
            self._start,
            self._group,
            self.transmission.properties.get("entitled", self.transmission.endpoint),
            self._station.installation.directory,
            self._station.plans,
        )
        if found.hold is not None and not chunk.entitled and self._cursor == 1:
            if self._is_refused(found.hold):
                self._refused = chunk.refused = msgspec.structs.replace(found.hold, place=self._party_place(found.hold))
            else:
                self._held = chunk.held = found.hold
            return False
        chunk.entitled.append(replace(found, group=len(self.progress.groups)))
        return True

    def _is_refused(self, problem: Problem) -> bool:
        """Whether nobody knows the sender, or we are not the receiver, such is refused (config.yaml), and it can be told the way the file came."""
        installation = self._station.installation
        settings = installation.settings
        refused = {partner_kinds.UNKNOWN_SENDER.code: settings.unknown_sender, partner_kinds.RECEIVER_NOT_US.code: settings.unknown_receiver}
        if refused.get(problem.code) != "reject":
            return False
        x12_or_edifact = self._start is not None and self._start.syntax in {Syntax.X12, Syntax.EDIFACT}
        return x12_or_edifact and owner_of(installation.directory, self.transmission.endpoint) is not None

    def _party_place(self, problem: Problem) -> Place:
        """Where the header names the sender, or the receiver."""
        assert self._start is not None
        start = self._start
        tag = start.segment[0] if start.segment else None
        sender, receiver = (6, 8) if tag == "ISA" else (2, 3)
        element = sender if problem.code == partner_kinds.UNKNOWN_SENDER.code else receiver
        return Place(interchange=start.control_number or None, segment=tag, element=element, offset=start.offset)

    def _finish(self, end: InterchangeEnd, chunk: Chunk) -> bool:
        skipped = self._skip == -1
        self._skip = 0
        if skipped:
            self._start = None
            return False
        chunk.end = end
        self.progress.end = end
        self._start = None
        return True


def _forms(station: Station, transmission: Transmission) -> list[Form]:
    """What a file may be that does not say itself what it is."""
    said = transmission.properties.get("as")
    directory = station.installation.directory
    partner = directory.partners.get(transmission.partner or "") if said else None
    address = transmission.properties.get("entitled", transmission.endpoint)
    return forms_for(station.plans, directory, partner, said, address)


class Inbound:
    """The step, with the transmissions that this process is splitting between two calls of it."""

    def __init__(self) -> None:
        self._splittings: dict[str, Splitting] = {}
        self._stale: set[str] = set()

    def step(self, station: Station, stream: str) -> bool:
        """Split off the next chunk of the stream's first open transmission; true when more may be waiting."""
        with station.database.read() as connection:
            transmission = transmissions.next_open(connection, stream)
        if transmission is None:
            return False
        splitting = self._splittings.get(transmission.id)
        if splitting is None:
            crash.point(30)
            splitting = self._splittings[transmission.id] = Splitting(station, transmission)
        try:
            chunk = splitting.next_chunk()
            with station.database.begin() as connection:
                if not streams.take(connection, stream):
                    self._forget(splitting)
                    return False
                _commit(station, connection, splitting, chunk)
        except StaleState:
            # another worker was quicker: begin again from what it wrote; twice running it is no race, and must not turn for ever
            self._forget(splitting)
            if transmission.id in self._stale:
                self._stale.discard(transmission.id)
                raise
            self._stale.add(transmission.id)
            return True
        except BaseException:
            self._forget(splitting)
            raise
        self._stale.discard(transmission.id)
        if chunk.end is not None:
            crash.point(36)
        crash.point(33)
        if chunk.through:
            crash.point(38)
            self._forget(splitting)
        return True

    def _forget(self, splitting: Splitting) -> None:
        self._splittings.pop(splitting.transmission.id, None)
        splitting.close()


def _commit(station: Station, connection: Connection, splitting: Splitting, chunk: Chunk) -> None:
    """Everything that one chunk changes, in the caller's transaction."""
    transmission = splitting.transmission
    entries: list[journal.Entry] = []
    if chunk.start is not None:
        interchange = _interchange(station, connection, splitting, chunk, entries)
        rows.insert_documents(station, connection, interchange, transmission, chunk, entries)
        _count_transactions(station, connection, splitting, chunk)
        crash.point(32)
        if chunk.end is not None or chunk.through:
            _close(station, connection, splitting, chunk, interchange, entries)
        else:
            interchanges.advance(
                connection,
                interchange.id,
                expected_cursor=chunk.first,
                cursor=chunk.first + len(chunk.entitled),
                byte_offset=chunk.entitled[-1].read.transaction.offset if chunk.entitled else chunk.start.offset,
            )
    if chunk.through:
        _end_transmission(station, connection, splitting, entries)
        crash.point(37)
    journal.append(connection, entries)


def _count(
    station: Station,
    connection: Connection,
    splitting: Splitting,
    start: InterchangeStart,
    interchange: Interchange,
    facts: dict[str, str],
    *,
    duplicate: bool,
) -> None:
    """Enter the interchange's and its groups' numbers; what is missing before them is told with the file."""
    loaded = station.installation.directory.find(start.syntax.value, start.sender)
    if loaded is None:
        return
    groups = [group.control_number for group in splitting.progress.groups]
    # a new round of its counting begins with this interchange, not after it
    told = number_checks.enter(connection, loaded, start, groups, interchange.opened_at, duplicate=duplicate)
    if told:
        splitting.loose += told
        facts["notices"] = codes(told)


def _count_transactions(station: Station, connection: Connection, splitting: Splitting, chunk: Chunk) -> None:
    """Enter the transactions' own numbers, where their partner counts them through."""
    loaded = chunk.entitled[0].partner if chunk.entitled else None
    if loaded is not None and chunk.start is not None:
        used = ((found.read.transaction.type, found.read.transaction.control_number) for found in chunk.entitled)
        splitting.loose += number_checks.enter_transactions(connection, loaded, chunk.start, used, station.clock())


def _interchange(station: Station, connection: Connection, splitting: Splitting, chunk: Chunk, entries: list[journal.Entry]) -> Interchange:
    """The interchange's row, made when its first chunk is written."""
    assert chunk.start is not None
    start, transmission = chunk.start, splitting.transmission
    loaded = station.installation.directory.find(start.syntax.value, start.sender)
    partner = loaded.partner.id if loaded else next((found.partner.partner.id for found in chunk.entitled if found.partner), None)
    interchange, fresh = interchanges.open_one(
        connection,
        Interchange(
            id=short_id("I", transmission.id, chunk.ordinal),
            transmission=transmission.id,
            ordinal=chunk.ordinal,
            syntax=start.syntax.value,
            sender=start.sender,
            receiver=start.receiver,
            partner=partner,
            control_number=start.control_number,
            test=start.test,
            opened_at=station.clock(),
            byte_offset=start.offset,
        ),
    )
    if fresh:
        if transmission.state == "received" and chunk.ordinal == 0:
            transmissions.set_state(connection, transmission.id, "received", "opening", partner=partner)
        crash.point(31)
        entries.append(
            journal.Entry(
                stream=transmission.stream,
                at=station.clock(),
                actor="gateway",
                action="interchange opened",
                subject_kind="interchange",
                subject=interchange.id,
                facts={
                    "transmission": transmission.id,
                    "sender": start.sender,
                    "receiver": start.receiver,
                    "control": start.control_number,
                    "syntax": start.syntax.value,
                    "test": "yes" if start.test else "no",
                },
            )
        )
    return interchange


def _close(
    station: Station, connection: Connection, splitting: Splitting, chunk: Chunk, interchange: Interchange, entries: list[journal.Entry]
) -> None:
    """The interchange is through: hold it, refuse it, or acknowledge it."""
    transmission = splitting.transmission
    now = station.clock()
    facts = {"transactions": str(chunk.first + len(chunk.entitled))}
    if chunk.held is not None:
        state, outcome = "held", "held"
        holds.open_hold(
            connection,
            holds.Hold(
                id=short_id("H", interchange.id, now.isoformat()),
                transmission=transmission.id,
                kind="interchange",
                reasons=(chunk.held,),
                opened_at=now,
            ),
        )
        facts["problems"] = chunk.held.code
    elif chunk.refused is not None:
        state, outcome = "refused", "duplicate" if chunk.refused.code == kinds.DUPLICATE_INTERCHANGE.code else "rejected"
        splitting.progress.problems.append(chunk.refused)
        # what is in it was answered when it came first: only the interchange as a whole is refused
        splitting.progress.groups.clear()
        splitting.progress.refused = True
        splitting.loose.append(chunk.refused)
        facts["problems"] = chunk.refused.code
    else:
        state, outcome = "done", "accepted"
        if not chunk.first and not chunk.entitled:
            # no document will tell what is wrong with it: the file does
            splitting.loose += [problem for problem in splitting.progress.all_problems if problem.severity is Severity.ERROR]
    if state != "held":
        crash.point(34)
        answered = acknowledging.answer(station, connection, splitting.progress, interchange, transmission, entries)
        if state == "done" and answered is not None:
            outcome = answered
        splitting.loose += splitting.progress.alerts
        crash.point(35)
    if chunk.start is not None and (state == "done" or outcome == "duplicate"):
        _count(station, connection, splitting, chunk.start, interchange, facts, duplicate=outcome == "duplicate")
    interchanges.finish(connection, interchange.id, at=now, state=state, outcome=outcome, envelope=splitting.progress.encode())
    entries.append(
        journal.Entry(
            stream=transmission.stream,
            at=now,
            actor="gateway",
            action=f"interchange {state}",
            subject_kind="interchange",
            subject=interchange.id,
            facts={**facts, "outcome": outcome},
        )
    )


def _end_transmission(station: Station, connection: Connection, splitting: Splitting, entries: list[journal.Entry]) -> None:
    transmission = splitting.transmission
    states = [row.state for row in interchanges.of_transmission(connection, transmission.id)]
    problems = tuple(splitting.loose)
    if not states:
        state = "unreadable"
        if not problems:
            problems = (
                file_kinds.UNREADABLE.at(NOWHERE, f"'{transmission.name}' is nothing that we can read", expected="X12, EDIFACT, UBL or a bank file"),
            )
        holds.open_hold(
            connection,
            holds.Hold(
                id=short_id("H", transmission.id, station.clock().isoformat()),
                transmission=transmission.id,
                kind="unreadable",
                reasons=problems,
                opened_at=station.clock(),
            ),
        )
    else:
        state = "held" if "held" in states else "done"
    expected = "opening" if states else transmission.state
    if not transmissions.set_state(connection, transmission.id, expected, state, problems=problems):
        raise StaleState(f"transmission {transmission.id} is no longer {expected}")
    entries.append(
        journal.Entry(
            stream=transmission.stream,
            at=station.clock(),
            actor="gateway",
            action=f"transmission {state}",
            subject_kind="transmission",
            subject=transmission.id,
            facts={"problems": ",".join(sorted({problem.code for problem in problems}))} if problems else {},
        )
    )
