"""The engine of one machine: one process owns the installation (a lock says so), one thread runs the steps that only compute and
commit, threads of their own send (senders.py), one thread a mailbox polls. It keeps no queue: on start, and now and then, a sweep
pokes every stream with open work. Whose turn is next is said by rota.py.

On PostgreSQL a step waits for the server half of its time: there several streams are served at once, so that one is read while the
orders of another are decided. SQLite lets one writer in at a time, and its module gives the interpreter away at each row.

The owner watches the database (at most 100 ms), so that commands and the web process are clients that insert and commit.
"""

import fcntl
import math
import os
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO

import structlog
from sqlalchemy import Connection

from gateway.pipeline.engine.clocks import Clocks
from gateway.pipeline.engine.port import SENDING
from gateway.pipeline.engine.port import Health
from gateway.pipeline.engine.port import Step
from gateway.pipeline.engine.rota import Rota
from gateway.pipeline.engine.turn import Serving
from gateway.pipeline.outbound.senders import Senders
from gateway.pipeline.outbox import leases
from gateway.pipeline.station import Station
from gateway.store import streams
from gateway.store.database import DatabaseTrouble
from gateway.store.working import sweep

WATCH = 0.1
SWEEP = 5.0
#: what comes in on a stream within so many seconds of the beginning of its last turn is gathered, and taken in together: each commit waits for
#: the disk, which those who hand messages in wait for as well. What comes after a silence has its turn at once
GATHER = 0.1
#: first words of streams that carry what comes in
_GATHERED = frozenset({"in", "open"})
#: seconds after which a step that does not come back is thought to hang
HUNG = 120.0
#: streams that are served at once where the database is a server
AT_ONCE = 4
#: seconds that steps under way get when the service is told to stop; what hangs longer (a partner's server) is cut off, as by a kill
LAST_STEPS = 4.0
_log = structlog.get_logger("engine")


class OwnerLock:
    """Exclusive ownership of an installation's data folder; the kernel frees it when the process dies."""

    def __init__(self, data: Path) -> None:
        self._path = data / "engine.lock"
        self._file: IO[str] | None = None

    def take(self, wait: float = 0.0) -> bool:
        """True when the lock is ours; waits up to `wait` seconds for a dying owner."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+")
        end = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= end:
                    file.close()
                    return False
                time.sleep(0.05)
                continue
            file.seek(0)
            file.truncate()
            file.write(str(os.getpid()))
            file.flush()
            self._file = file
            return True

    def owner(self) -> str:
        """The process that holds the lock, as it wrote it down."""
        try:
            return self._path.read_text().strip() or "unknown"
        except OSError:
            return "unknown"

    def give_back(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> "OwnerLock":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.give_back()


class LocalEngine:
    """Runs the steps of one installation. `steps` says by the stream's first word what serves it; streams that start with a
    word of `sending` are served in threads of their own, one at a time a stream."""

    def __init__(self, station: Station, steps: Mapping[str, Step], sending: frozenset[str] = SENDING) -> None:
        self._station = station
        self._sending = sending
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._serving = Serving(station, steps, self._stopping)
        self._senders = Senders(self._serve, leases.beat)
        #: no server of a partner's can hang here: a step that takes long is only a large one
        self._workers = Senders(self._work, share=AT_ONCE, busy=AT_ONCE, limit=AT_ONCE, slow=math.inf) if _is_server(station) else None
        #: streams whose turn ended before their work did; a kill loses nothing, the sweep finds them
        self._unfinished: set[str] = set()
        #: when the turns under way began
        self._began: dict[str, float] = {}
        self._rota = Rota()
        #: when the pokes were looked at
        self._looked = time.monotonic()
        self._clocks = Clocks(station, self._stopping)
        self._guard = threading.Lock()
        self._exclusive: set[str] = set()
        self._turned = time.monotonic()

    def poke(self, connection: Connection, stream: str) -> None:
        streams.poke(connection, stream)

    def wake(self) -> None:
        """Look for work now instead of at the next look at the database."""
        self._wake.set()

    def every(self, name: str, seconds: float, work: Callable[[], None], *, each_process: bool = False) -> None:
        self._clocks.every(name, seconds, work)

    def poller(self, name: str, seconds: float, look: Callable[[], bool]) -> None:
        self._clocks.poller(name, seconds, look, self.wake)

    def end_poller(self, name: str) -> None:
        self._clocks.end_poller(name)

    @contextmanager
    def exclusive(self, key: str, seconds: float) -> Iterator[bool]:
        """One thread at a time: there is no other process."""
        with self._guard:
            free = key not in self._exclusive
            self._exclusive.add(key)
        try:
            yield free
        finally:
            if free:
                with self._guard:
                    self._exclusive.discard(key)

    def health(self) -> Health:
        turns = time.monotonic() - min([self._turned, *list(self._began.values())]) < HUNG
        return Health(engine="local", serving=turns and not self._stopping.is_set())

    def run(self) -> None:
        """Serve until `stop`: sweep, then poked streams as they come."""
        self.every("sweep", SWEEP, self.sweep)
        self._clocks.start()
        seen = -1
        swept = False
        try:
            while not self._stopping.is_set():
                self._turned = time.monotonic()
                try:
                    if not swept:
                        # a database that is locked or away at this moment ends nothing
                        self.sweep()
                        swept = True
                    served, rest = self._serve_poked(gathering=True)
                    if served:
                        continue
                    counter = self._station.database.change_counter()
                except DatabaseTrouble as error:
                    _log.error("database", error=str(error))
                    self._stopping.wait(1.0)
                    continue
                if counter != seen:
                    seen = counter
                    continue
                self._wake.wait(rest)
                self._wake.clear()
        finally:
            self._finish()

    def drain(self, timeout: float = 300.0) -> None:
        """Work until nothing is due any more: what a command does where no owner runs. Raises TimeoutError."""
        end = time.monotonic() + timeout
        self.sweep()
        while time.monotonic() < end:
            # asked before the pokes are looked at: what a sender pokes at its end is seen then
            idle = self._is_idle()
            served, _ = self._serve_poked(gathering=False)
            if served:
                continue
            if idle:
                return
            if self._workers is None:
                self._senders.wait(end - time.monotonic())
            else:
                self._wake.wait(WATCH)
                self._wake.clear()
        raise TimeoutError(f"There is still work after {timeout:.0f} seconds")

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()

    def close(self) -> None:
        """Let go of the threads of an engine that only drained."""
        self._stop_streams(time.monotonic() + LAST_STEPS)

    def idle(self) -> bool:
        """Whether no thread of ours runs any more, also none that hangs at a partner's server."""
        return self._clocks.idle() and self._is_idle()

    def sweep(self) -> None:
        """Poke every stream with open work: nothing depends on a poke having survived."""
        with self._station.database.begin() as connection:
            sweep.poke_all(connection, self._station.clock())
        self._wake.set()

    def _is_idle(self) -> bool:
        return self._senders.idle() and (self._workers is None or self._workers.idle())

    def _stop_streams(self, deadline: float) -> list[str]:
        working = self._workers.stop(deadline) if self._workers is not None else []
        return working + self._senders.stop(deadline)

    def _finish(self) -> None:
        end = time.monotonic() + LAST_STEPS
        self._clocks.stop(end)
        late = self._stop_streams(end)
        if late:
            _log.warning("steps were cut off, they are tried again at the next start", streams=late)

    def _serve_poked(self, *, gathering: bool) -> tuple[bool, float]:
        """Start what threads of their own serve, and give one of the others its turn; whether there was any work, and how long to rest where
        there was none."""
        poked = self._poked()
        resting = self._resting(poked) if gathering else {}
        wanted = {*poked, *self._unfinished} - resting.keys()
        apart = {stream for stream in wanted if self._workers is not None or self._is_sent(stream)}
        for stream in sorted(apart):
            if not self._stopping.is_set():
                self._begin(stream, poked)
                (self._senders if self._workers is None or self._is_sent(stream) else self._workers).start(stream)
        ours = wanted - apart
        if ours and not self._stopping.is_set():
            self._give_turn(self._rota.first(ours), poked, gathering=gathering)
        return bool(wanted), min([WATCH, *resting.values()])

    def _give_turn(self, stream: str, poked: set[str], *, gathering: bool) -> None:
        """A stream's turn in this thread. It ends early where somebody comes who would have had it first."""
        self._begin(stream, poked)
        self._unfinished.discard(stream)
        if self._serving.turn(stream, lambda: self._gives_way(stream, gathering=gathering)):
            self._unfinished.add(stream)
        self._rota.ends(stream, time.monotonic())

    def _gives_way(self, stream: str, *, gathering: bool) -> bool:
        if time.monotonic() < self._looked + WATCH:
            return False
        came = {other for other in self._poked() if not self._is_sent(other)}
        return self._rota.gives_way(stream, came - self._resting(came).keys() if gathering else came)

    def _begin(self, stream: str, poked: set[str]) -> None:
        self._turned = time.monotonic()
        self._rota.begins(stream, self._turned)
        if stream in poked:
            with self._station.database.begin() as connection:
                streams.unpoke(connection, stream, self._station.clock())

    def _poked(self) -> set[str]:
        self._looked = time.monotonic()
        with self._station.database.read() as connection:
            return set(streams.poked(connection, self._station.clock()))

    def _is_sent(self, stream: str) -> bool:
        return stream.partition(":")[0] in self._sending

    def _resting(self, poked: set[str]) -> dict[str, float]:
        """Streams that still gather what comes in, and for how many seconds."""
        found = {}
        for stream in poked - self._unfinished:
            began = self._rota.began(stream) if stream.partition(":")[0] in _GATHERED else None
            if began is not None and (rest := began + GATHER - time.monotonic()) > 0:
                found[stream] = rest
        return found

    def _serve(self, stream: str) -> None:
        if self._serving.turn(stream):
            # at once: it would rest until the next look at the pokes
            self._senders.start(stream)

    def _work(self, stream: str) -> None:
        """A stream's turn in a thread of its own; what it poked is looked at when it ends."""
        self._began[stream] = time.monotonic()
        try:
            if self._serving.turn(stream) and self._workers is not None:
                self._workers.start(stream)
        finally:
            del self._began[stream]
            self._wake.set()


def _is_server(station: Station) -> bool:
    return station.database.dialect == "postgresql"
