"""A received payload on its way through the codecs: cut into interchanges and transactions, a chunk at a time. Writes nothing."""

import time
from dataclasses import replace

import msgspec

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
from gateway.kinds import partner as partner_kinds
from gateway.kinds import pipeline as kinds
from gateway.pipeline.endpoints import owner_of
from gateway.pipeline.inbound import acknowledging
from gateway.pipeline.inbound import number_checks
from gateway.pipeline.inbound.chunk import Chunk
from gateway.pipeline.reading.entitlement import entitle
from gateway.pipeline.reading.forms import forms_for
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.problem import Place
from gateway.problem import Problem
from gateway.store.incoming import interchanges
from gateway.store.incoming.interchanges import Interchange
from gateway.store.incoming.transmissions import Transmission

CHUNK = 100
CHUNK_SECONDS = 0.15


def new_interchange(station: Station, transmission: Transmission, start: InterchangeStart, ordinal: int, partner: str | None) -> Interchange:
    """The row of an interchange that begins."""
    return Interchange(
        id=short_id("I", transmission.id, ordinal),
        transmission=transmission.id,
        ordinal=ordinal,
        syntax=start.syntax.value,
        sender=start.sender,
        receiver=start.receiver,
        partner=partner,
        control_number=start.control_number,
        test=start.test,
        opened_at=station.clock(),
        byte_offset=start.offset,
    )


class Splitting:
    """A transmission on its way through the codecs. Lives between steps; after a kill it is made anew and skips what is done."""

    def __init__(self, station: Station, transmission: Transmission, *, alone: bool = True) -> None:
        """`alone` False: a fresh file among others that are written in one commit; whoever does that looks for duplicates."""
        self._station = station
        self._alone = alone
        self.transmission = transmission
        self._file = station.archive.open(transmission.sha256)
        head, whole = head_of(iter(lambda: self._file.read(1 << 18), b""))
        self.syntax, self._events = read_events(whole, form_of(head, _forms(station, transmission)))
        self._done: dict[int, interchanges.Interchange] = {}
        if alone:
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
        if self._alone:
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
