"""Threads that send: as many as are needed, one stream at a time each, and no more of them for one partner than its share. A partner
whose server hangs therefore holds up its own streams and nobody else's, however many such partners there are.

    at once a partner    SHARE threads: its third stream waits
    at once in all       BUSY threads that come along well; those that sit at one stream for longer than SLOW seconds do not count
    never more than      LIMIT threads, of which the last BUSY are kept for partners that were not slow the last time; a quarter is
                         for slow ones however few there are

Knows streams by name and nothing of what serves them.
"""

import threading
import time
from collections import Counter
from collections import deque
from collections.abc import Callable

import structlog

from gateway.pipeline.endpoints import partner_of_stream

SHARE = 2
BUSY = 64
LIMIT = 256
#: seconds after which a stream's server is thought to hang
SLOW = 2.0
#: seconds that a thread without work waits for more
IDLE = 10.0
#: seconds between two looks at what is under way
TICK = 1.0

_log = structlog.get_logger("senders")


class Senders:
    """Serves streams in threads of its own. `beat` is called every second while anything is under way."""

    def __init__(
        self,
        serve: Callable[[str], None],
        beat: Callable[[], None] | None = None,
        *,
        share: int = SHARE,
        busy: int = BUSY,
        limit: int = LIMIT,
        slow: float = SLOW,
    ) -> None:
        self._serve = serve
        self._beat = beat
        self._share, self._busy, self._limit, self._slow_after = share, busy, limit, slow
        #: threads that slow partners may have: without one a partner that was slow once would never be served again
        self._for_slow = max(limit - busy, limit // 4, 1)
        guard = threading.Lock()
        self._change = threading.Condition(guard)
        #: threads without work wait here
        self._work_came = threading.Condition(guard)
        #: stream -> when its thread began with it
        self._running: dict[str, float] = {}
        #: streams that were wanted while they were under way: they have their turn again
        self._again: set[str] = set()
        #: streams without a thread, in the order in which they came
        self._waiting: dict[str, None] = {}
        #: streams that were given to a thread which has not woken yet
        self._handed: deque[str] = deque()
        self._idle_threads = 0
        #: partners whose last serving took long
        self._slow: set[str] = set()
        self._stopping = False
        self._ticker: threading.Thread | None = None

    def start(self, stream: str) -> None:
        """Serve a stream, at once where its partner and all together have a thread left, and once more where it is under way already."""
        with self._change:
            if self._stopping:
                return
            if stream in self._running:
                self._again.add(stream)
                return
            self._waiting.setdefault(stream)
            self._launch()

    def idle(self) -> bool:
        """Whether nothing is under way and nothing waits for a thread."""
        with self._change:
            return not self._running and not self._waiting

    def under_way(self) -> list[str]:
        """The streams that a thread is at, by name."""
        with self._change:
            return sorted(self._running)

    def wait(self, seconds: float) -> bool:
        """Wait until idle; False where it is not after this time."""
        with self._change:
            return self._change.wait_for(lambda: not self._running and not self._waiting, max(0.0, seconds))

    def stop(self, deadline: float) -> list[str]:
        """Begin nothing any more and wait for what is under way, until `deadline` on the monotonic clock. Returns the streams whose thread
        still hangs then: their threads end with the process."""
        with self._change:
            self._stopping = True
            self._waiting.clear()
            self._again.clear()
            self._work_came.notify_all()
            self._change.wait_for(lambda: not self._running, max(0.0, deadline - time.monotonic()))
            return sorted(self._running)

    # ------------------------------------------------------------ how

    def _launch(self) -> None:
        """Give threads to waiting streams, as far as they may have one. The guard is held."""
        if not self._waiting or self._stopping:
            return
        now = time.monotonic()
        each = Counter(partner_of_stream(stream) for stream in self._running)
        hanging = sum(1 for began in self._running.values() if now - began > self._slow_after)
        of_slow = sum(number for partner, number in each.items() if partner in self._slow)
        for stream in list(self._waiting):
            if len(self._running) - hanging >= self._busy or len(self._running) >= self._limit:
                break
            partner = partner_of_stream(stream)
            if each[partner] >= self._share or (partner in self._slow and of_slow >= self._for_slow):
                continue
            if not self._give_thread(stream):
                break
            del self._waiting[stream]
            self._running[stream] = now
            each[partner] += 1
            of_slow += partner in self._slow
        self._keep_ticking()

    def _give_thread(self, stream: str) -> bool:
        if self._idle_threads:
            self._idle_threads -= 1
            self._handed.append(stream)
            self._work_came.notify()
            return True
        try:
            threading.Thread(target=self._work, args=(stream,), name="send", daemon=True).start()
        except RuntimeError as error:
            # the system gives no more threads: what waits is looked at again by the next tick
            _log.exception("no thread to send", error=str(error), running=len(self._running))
            return False
        return True

    def _work(self, first: str) -> None:
        """A thread's life: one stream after the other, until there is none for a while."""
        stream: str | None = first
        while stream is not None:
            try:
                self._serve(stream)
            except Exception:  # noqa: BLE001  who serves shows its own faults; the thread is there for the next stream
                _log.exception("serving failed", stream=stream)
            with self._change:
                self._done(stream)
            stream = self._next()

    def _done(self, stream: str) -> None:
        partner = partner_of_stream(stream)
        if time.monotonic() - self._running.pop(stream) > self._slow_after:
            self._slow.add(partner)
        else:
            self._slow.discard(partner)
        if stream in self._again:
            self._again.discard(stream)
            self._waiting.setdefault(stream)
        self._launch()
        self._change.notify_all()

    def _next(self) -> str | None:
        with self._change:
            self._idle_threads += 1
            # waiting streams may have been kept back for want of a thread: now there is one
            self._launch()
            if self._work_came.wait_for(lambda: bool(self._handed) or self._stopping, IDLE) and self._handed:
                return self._handed.popleft()
            self._idle_threads -= 1
            return None

    def _keep_ticking(self) -> None:
        if self._ticker is None or not self._ticker.is_alive():
            self._ticker = threading.Thread(target=self._tick, name="send beat", daemon=True)
            self._ticker.start()

    def _tick(self) -> None:
        while True:
            time.sleep(TICK)
            with self._change:
                if not self._running and not self._waiting:
                    self._ticker = None
                    return
                self._launch()
            if self._beat is not None:
                try:
                    self._beat()
                except Exception:  # noqa: BLE001  the next beat tries again; without a ticker nothing would be prolonged any more
                    _log.exception("beat failed")
