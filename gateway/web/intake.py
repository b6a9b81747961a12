"""Requests that wait to be taken in: those that come while others are at work are taken in together, and share what the disk and the
database cost. Nobody waits for company: whoever comes alone is taken in at once, and whoever has waited for PATIENCE is taken in beside those
that are at work."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")

#: threads that take in; one does as a rule
THREADS = 4
#: requests that are taken in together at most
MOST = 32
#: seconds after which a request no longer waits for those before it, but is taken in beside them
PATIENCE = 0.5
#: seconds that a thread without work waits for more
_IDLE = 10.0


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[In, Out]):
    work: In
    loop: asyncio.AbstractEventLoop
    outcome: "asyncio.Future[Out]"
    since: float


class Intake(Generic[In, Out]):
    """`together` is given what waits, and answers each: with what becomes of it, or with the exception that it ends in."""

    def __init__(self, name: str, together: Callable[[Sequence[In]], Sequence[Out | Exception]]) -> None:
        self._name = name
        self._together = together
        self._changed = threading.Condition()
        self._waiting: deque[_Waiting[In, Out]] = deque()
        self._threads = 0
        self._idle = 0
        self._busy = 0

    async def take(self, work: In) -> Out:
        """What became of it."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Out] = loop.create_future()
        waiting = _Waiting(work, loop, future, time.monotonic())
        with self._changed:
            self._waiting.append(waiting)
            if self._idle:
                if len(self._waiting) == 1:
                    self._changed.notify()
            elif self._threads < THREADS:
                self._threads += 1
                # ends with the process: what is half done then is begun again by its sender
                threading.Thread(target=self._work, name=self._name, daemon=True).start()
        return await future

    def _work(self) -> None:
        while batch := self._next():
            outcomes: Sequence[Out | Exception]
            try:
                outcomes = self._together([one.work for one in batch])
            except Exception as error:  # noqa: BLE001  it is told to everybody who waits for it
                outcomes = [error] * len(batch)
            with self._changed:
                self._busy -= 1
            _tell(batch, outcomes)

    def _next(self) -> list[_Waiting[In, Out]]:
        """What waits, as much as is taken in at once; nothing where nothing came for long: then the thread ends."""
        end = time.monotonic() + _IDLE
        with self._changed:
            self._idle += 1
            while not self._waiting or (self._busy and time.monotonic() < self._waiting[0].since + PATIENCE):
                now = time.monotonic()
                if not self._waiting and now >= end:
                    self._idle -= 1
                    self._threads -= 1
                    return []
                self._changed.wait(self._waiting[0].since + PATIENCE - now if self._waiting else end - now)
            self._idle -= 1
            self._busy += 1
            return [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]


def _tell(batch: Sequence[_Waiting[In, Out]], outcomes: Sequence[Out | Exception]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Out], Out | Exception]]] = {}
    for one, outcome in zip(batch, outcomes, strict=True):
        by_loop.setdefault(one.loop, []).append((one.outcome, outcome))
    for loop, told in by_loop.items():
        with suppress(RuntimeError):  # the server has stopped: its senders ask again
            loop.call_soon_threadsafe(_settle, told)


def _settle(told: Sequence[tuple["asyncio.Future[Out]", Out | Exception]]) -> None:
    for future, outcome in told:
        if future.done():  # nobody waits any more
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
