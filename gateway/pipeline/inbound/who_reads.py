"""Which process reads a file: a small one this one, where it is written; a large one a process of its own, where there is one.

While that process still starts, and while all of them have other files, a file of plain text (X12, EDIFACT) is begun here and goes over to it
where the last chunk ended. A file at which such a process died is never read here: what kills a process must not kill the one that works for
everybody. Dies another one behind the same transaction, the file is at fault (setting_aside.py).
"""

import time

import structlog

from gateway.codecs.choose import HEAD
from gateway.codecs.choose import syntax_of
from gateway.codecs.node import Syntax
from gateway.pipeline.inbound.elsewhere import ReadElsewhere
from gateway.pipeline.inbound.splitting import CHUNK
from gateway.pipeline.inbound.splitting import ReadHere
from gateway.pipeline.inbound.splitting import Splitting
from gateway.pipeline.inbound.splitting import job_of
from gateway.pipeline.readers import Gone
from gateway.pipeline.readers import Reader
from gateway.pipeline.station import Station
from gateway.store.incoming.transmissions import Transmission

#: seconds that such a file waits, and those behind it, while no process to read it can begin
WITHOUT_READERS = 120.0
_log = structlog.get_logger("inbound")


class ReaderDied(Exception):
    """Processes that read a file died at the same place, one after the other."""


class WhoReads:
    """Decides it, and remembers where processes died."""

    def __init__(self) -> None:
        #: where each file's process died: interchange, and transactions of it that are written
        self._died: dict[str, tuple[int, int]] = {}
        #: files that processes with other plans would read otherwise
        self._here: set[str] = set()
        #: since when files at which a process died wait for another one, where none can begin
        self._waits_since: dict[str, float] = {}

    def splitting(self, station: Station, transmission: Transmission, known: Splitting | None) -> Splitting | None:
        """Who reads the file's next chunk; None where it has to wait for a process of its own. `known` has read it so far."""
        if isinstance(known, ReadElsewhere) or not self._is_large(station, transmission):
            return known or ReadHere(station, transmission)
        reader = self._reader_for(station, transmission)
        if reader is None:
            self._wait(station, transmission)
            return known or (ReadHere(station, transmission) if transmission.id not in self._died else None)
        if not reader.has_begun and transmission.id not in self._died and (known is not None or _is_text(station, transmission)):
            return known or ReadHere(station, transmission)
        elsewhere = ReadElsewhere(station, transmission, reader)
        if known is not None:
            known.close()
        return elsewhere

    def died(self, station: Station, transmission: Transmission, error: Gone) -> None:
        """A file's process is gone: another one goes on behind what is written; raises ReaderDied where that cannot help."""
        if not error.began:
            station.readers.could_not_begin(error)
        if not error.fault:
            return
        done = job_of(station, transmission).done
        interchange = max(done, default=0)
        at = interchange, done[interchange][1] if done else 0
        before = self._died.setdefault(transmission.id, at)
        # what killed it lies in the next chunk; the first ones of a process may be smaller than that
        is_same = at is not before and at[0] == before[0] and at[1] - before[1] < CHUNK
        self._died[transmission.id] = before if is_same else at
        if is_same:
            raise ReaderDied(f"The process that read it died behind transaction {at[1]} of interchange {at[0] + 1}, and so did another one: {error}")
        _log.warning("process that read a file is gone, another one goes on", name=transmission.name, error=str(error))

    def stays_here(self, transmission: Transmission) -> None:
        """No other process can read this file as we would."""
        self._here.add(transmission.id)

    def forget(self, transmission: Transmission) -> None:
        """The file is through, or set aside."""
        self._died.pop(transmission.id, None)
        self._here.discard(transmission.id)
        self._waits_since.pop(transmission.id, None)

    def _wait(self, station: Station, transmission: Transmission) -> None:
        """A file at which a process died waits for another one; raises ReaderDied where none can begin for long."""
        if transmission.id not in self._died or not station.readers.is_unusable():
            return
        since = self._waits_since.setdefault(transmission.id, time.monotonic())
        if time.monotonic() - since > WITHOUT_READERS:
            raise ReaderDied("The process that read it died, and no other one can begin: start the service anew, or see what its log says of readers")

    def _is_large(self, station: Station, transmission: Transmission) -> bool:
        settings = station.installation.settings.reading
        return transmission.size > settings.above_bytes and settings.count > 0 and transmission.id not in self._here

    def _reader_for(self, station: Station, transmission: Transmission) -> Reader | None:
        try:
            reader = station.readers.lease(station.installation, transmission.id)
        except OSError as error:
            # no more processes, no memory, or the program was replaced under us
            station.readers.could_not_begin(Gone(str(error), fault=False, began=False))
            return None
        if reader is None:
            return None
        self._waits_since.pop(transmission.id, None)
        try:
            reader.is_ready()
        except Gone as error:
            station.readers.give_back(transmission.id, whole=False)
            station.readers.could_not_begin(error)
            return None
        return reader


def _is_text(station: Station, transmission: Transmission) -> bool:
    """Whether a file is of a syntax that is read in Python alone, a transaction at a time."""
    with station.archive.open(transmission.sha256) as file:
        return syntax_of(file.read(HEAD)) in {Syntax.X12, Syntax.EDIFACT}
