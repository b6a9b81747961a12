"""The walk of a received file, inward. Its order is written here, once:

    receive.register    bytes archived, journal entry, transmission on its stream           (before anything can fail)
    who_reads           this process, or for a large file one of its own
    cutting             the payload is cut into interchanges, transaction by transaction     (codecs)
    entitle             sender, receiver, type, endpoint -> agreement                        (exchange.partner)
                        transaction against its schema -> problems                           (schema)
                        transaction -> canonical document                                    (mapping)
    step, each chunk    documents, states, journal and cursor in one commit
    step, at its end    problems -> 997 / 999 / TA1 / CONTRL into the outbox                 (exchange.acknowledgment)
    cycle.step          rules, decision, answer: the partner's next stream                   (rules, trade)

A chunk is at most 100 transactions or about 150 ms of work, computed before the transaction that writes it (small files that wait
behind each other share one: small_files.py); after a kill the
interchange's cursor says where to go on. One bad transaction never stops its neighbours.
"""

import time
from functools import partial

import structlog
from sqlalchemy import Connection
from structlog.contextvars import bind_contextvars

from gateway.codecs.node import InterchangeStart
from gateway.kinds import pipeline as kinds
from gateway.pipeline.heads import First
from gateway.pipeline.heads import Try
from gateway.pipeline.heads import lies_elsewhere
from gateway.pipeline.inbound import acknowledging
from gateway.pipeline.inbound import number_checks
from gateway.pipeline.inbound import rows
from gateway.pipeline.inbound.chunk import OtherPlans
from gateway.pipeline.inbound.chunk import Part
from gateway.pipeline.inbound.elsewhere import WAIT
from gateway.pipeline.inbound.entries import interchange_closed
from gateway.pipeline.inbound.entries import interchange_opened
from gateway.pipeline.inbound.entries import transmission_ended
from gateway.pipeline.inbound.setting_aside import Tries
from gateway.pipeline.inbound.setting_aside import died
from gateway.pipeline.inbound.setting_aside import failed
from gateway.pipeline.inbound.setting_aside import set_aside
from gateway.pipeline.inbound.shipment_files import is_shipments
from gateway.pipeline.inbound.shipment_files import take_file
from gateway.pipeline.inbound.small_files import MOST_FILES
from gateway.pipeline.inbound.small_files import take_together
from gateway.pipeline.inbound.splitting import Earlier
from gateway.pipeline.inbound.splitting import ReadHere
from gateway.pipeline.inbound.splitting import Splitting
from gateway.pipeline.inbound.splitting import new_interchange
from gateway.pipeline.inbound.unreadable import leave_unread
from gateway.pipeline.inbound.who_reads import WhoReads
from gateway.pipeline.lost import is_lost_alone
from gateway.pipeline.readers import Gone
from gateway.pipeline.reading.chunk import Chunk
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.pipeline.turned_away import log_turned_away
from gateway.problem import Severity
from gateway.problem import codes
from gateway.store import crash
from gateway.store import journal
from gateway.store import streams
from gateway.store.database import DatabaseTrouble
from gateway.store.incoming import holds
from gateway.store.incoming import interchanges
from gateway.store.incoming import transmissions
from gateway.store.incoming.interchanges import Interchange
from gateway.store.incoming.transmissions import Transmission
from gateway.store.payloads.archive import ArchiveMissing
from gateway.store.rows import StaleState

_log = structlog.get_logger("inbound")


class Inbound:
    """The step, with the transmissions that this process is splitting between two calls of it."""

    def __init__(self) -> None:
        self._splittings: dict[str, Splitting] = {}
        self._stale: set[str] = set()
        #: files that were not plain, or were read when something failed: each is taken alone
        self._single: set[str] = set()
        self._tries = Tries()
        self._who_reads = WhoReads()

    def step(self, station: Station, stream: str) -> bool:
        """Take in the stream's next small files together, or split off the next chunk of its first open transmission; true when more may
        be waiting."""
        with station.database.read() as connection:
            waiting = transmissions.next_open(connection, stream, MOST_FILES)
        if not waiting:
            station.heads.rests(stream)
            return False
        transmission = waiting[0]
        bind_contextvars(transmission=transmission.id, **({"partner": transmission.partner} if transmission.partner else {}))
        first = First(transmission.id, transmission.received_at, partial(_progress, transmission))
        with station.heads.tried(station.database, station.node, station.clock(), stream, first) as careful:
            if careful.is_enough:
                return set_aside(station, stream, transmission, died(transmission, careful.deaths))
            if not careful.alone and self._take_together(station, stream, waiting):
                return True
            return self._take_alone(station, stream, transmission, careful)

    def _take_alone(self, station: Station, stream: str, transmission: Transmission, careful: Try) -> bool:
        """Split off the transmission's next chunk; set it aside where that fails again and again."""
        try:
            return self._split(station, stream, transmission, careful)
        except Exception as error:
            lost = isinstance(error, ArchiveMissing) and is_lost_alone(station, transmission.sha256, transmission.received_at)
            if lies_elsewhere(error) and not lost:
                raise
            if not self._tries.failed(transmission.id) or not set_aside(station, stream, transmission, failed(transmission, error), error):
                raise
            self._tries.forget(transmission.id)
            self._who_reads.forget(transmission)
            return True

    def _split(self, station: Station, stream: str, transmission: Transmission, careful: Try) -> bool:
        """Split off the transmission's next chunk and write it."""
        if is_shipments(transmission):
            return take_file(station, stream, transmission)
        splitting = self._splitting_of(station, transmission)
        if splitting is None:
            careful.rests()
            time.sleep(WAIT)
            return True
        try:
            chunk = splitting.next_chunk()
            if chunk is None:
                careful.rests()
                return True
            with station.database.begin() as connection:
                if not streams.take(connection, stream):
                    careful.rests()
                    self._forget(splitting)
                    return False
                entries = _commit(station, connection, splitting, chunk)
        except Gone as error:
            careful.rests()
            self._forget(splitting)
            self._who_reads.died(station, transmission, error)
            return True
        except OtherPlans as error:
            _log.warning("read here: the process for large files has other plans", plan=str(error), cure="start the service anew after an upgrade")
            self._forget(splitting)
            self._who_reads.stays_here(transmission)
            return True
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
        self._tries.forget(transmission.id)
        log_turned_away(entries)
        if chunk.end is not None:
            crash.point(36)
        crash.point(33)
        if chunk.through:
            crash.point(38)
            self._forget(splitting)
            self._who_reads.forget(transmission)
        return True

    def _splitting_of(self, station: Station, transmission: Transmission) -> Splitting | None:
        """Who reads the transmission; None where it has to wait for that."""
        known = self._splittings.get(transmission.id)
        if known is None:
            crash.point(30)
        try:
            splitting = self._who_reads.splitting(station, transmission, known)
        except Gone as error:
            # it ended between two of its files; what was begun here goes on here
            station.readers.give_back(transmission.id, whole=False)
            self._who_reads.died(station, transmission, error)
            return None
        if splitting is not None:
            self._splittings[transmission.id] = splitting
        return splitting

    def _take_together(self, station: Station, stream: str, waiting: list[Transmission]) -> bool:
        """Whether several files were written in one commit. Where that fails each goes its own way, so that one fails alone."""
        if len(waiting) < 2 or waiting[0].id in self._splittings or waiting[0].id in self._single:
            return False
        try:
            taken = take_together(station, stream, waiting)
        except Exception as error:
            if isinstance(error, DatabaseTrouble) and not error.refused:
                raise
            # whose fault it is shows when each is taken alone
            _log.exception("files not taken together, trying one by one", stream=stream)
            self._single = {transmission.id for transmission in waiting}
            return False
        if not taken:
            self._single = {waiting[0].id}
        return taken > 0

    def _forget(self, splitting: Splitting) -> None:
        self._splittings.pop(splitting.transmission.id, None)
        splitting.close()
        if isinstance(splitting, ReadHere):
            # a process that would have gone on with it never had to
            splitting.station.readers.give_back(splitting.transmission.id, whole=True)


def _progress(transmission: Transmission, connection: Connection) -> str:
    """How far a transmission is taken in."""
    if transmission.state == "received":
        return ""
    begun = interchanges.of_transmission(connection, transmission.id)
    return f"{len(begun)} {begun[-1].cursor}" if begun else ""


def _commit(station: Station, connection: Connection, splitting: Splitting, chunk: Chunk) -> list[journal.Entry]:
    """Everything that one chunk changes, in the caller's transaction; what the journal says of it."""
    transmission = splitting.transmission
    entries: list[journal.Entry] = []
    if chunk.start is not None:
        if chunk.first == 0 and chunk.held is None and chunk.refused is None:
            Earlier(splitting.station, transmission).look_again(connection, chunk.start)
        interchange = _interchange(station, connection, splitting, chunk, entries)
        rows.insert_documents(station, connection, [Part(interchange, transmission, chunk, splitting.station)], entries)
        _count_transactions(station, connection, splitting, chunk)
        crash.point(32)
        if chunk.ends:
            _close(station, connection, splitting, chunk, interchange, entries)
        else:
            interchanges.advance(
                connection,
                interchange.id,
                expected_cursor=chunk.first,
                cursor=chunk.first + len(chunk.drafts),
                byte_offset=chunk.drafts[-1].offset if chunk.drafts else chunk.start.offset,
            )
    if chunk.through:
        _end_transmission(station, connection, splitting, entries)
        crash.point(37)
    journal.append(connection, entries)
    return entries


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
    partner = chunk.drafts[0].partner if chunk.drafts else None
    loaded = splitting.station.installation.directory.partners.get(partner) if partner is not None else None
    if loaded is not None and chunk.start is not None:
        used = ((draft.type, draft.control) for draft in chunk.drafts)
        splitting.loose += number_checks.enter_transactions(connection, loaded, chunk.start, used, station.clock())


def _interchange(station: Station, connection: Connection, splitting: Splitting, chunk: Chunk, entries: list[journal.Entry]) -> Interchange:
    """The interchange's row, made when its first chunk is written."""
    assert chunk.start is not None
    start, transmission = chunk.start, splitting.transmission
    loaded = station.installation.directory.find(start.syntax.value, start.sender)
    partner = loaded.partner.id if loaded else next((draft.partner for draft in chunk.drafts if draft.partner), None)
    interchange, fresh = interchanges.open_one(connection, new_interchange(station, transmission, start, chunk.ordinal, partner))
    if fresh:
        if transmission.state == "received" and chunk.ordinal == 0:
            transmissions.set_state(connection, transmission.id, "received", "opening", partner=partner)
        crash.point(31)
        entries.append(interchange_opened(transmission, interchange))
    return interchange


def _close(
    station: Station, connection: Connection, splitting: Splitting, chunk: Chunk, interchange: Interchange, entries: list[journal.Entry]
) -> None:
    """The interchange is through: hold it, refuse it, or acknowledge it."""
    transmission = splitting.transmission
    now = station.clock()
    facts = {"transactions": str(chunk.first + len(chunk.drafts))}
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
        if not chunk.first and not chunk.drafts:
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
    entries.append(interchange_closed(transmission, interchange, state, outcome, facts, now))


def _end_transmission(station: Station, connection: Connection, splitting: Splitting, entries: list[journal.Entry]) -> None:
    transmission = splitting.transmission
    states = [row.state for row in interchanges.of_transmission(connection, transmission.id)]
    if not states:
        entries.append(leave_unread(station, connection, transmission, splitting.loose))
        return
    state, problems = "held" if "held" in states else "done", tuple(splitting.loose)
    if not transmissions.set_state(connection, transmission.id, "opening", state, problems=problems):
        raise StaleState(f"transmission {transmission.id} is no longer opening")
    entries.append(transmission_ended(transmission, state, problems, station.clock()))
