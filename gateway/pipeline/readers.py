"""Processes that read large files, seen from the process that writes: started when one is needed, leased to one file at a time, ended with us.

A reader is a fresh Python (no fork: nothing of ours is shared with it, no lock, no connection) that loads the configuration in force here, texts
that we hand to it, and answers a job with messages (reading/reader.py). What it sends waits in a pipe until we take it: so it is a chunk or
two ahead, and no memory grows. It holds nothing that anybody could miss: it may be killed at any moment.
"""

import contextlib
import fcntl
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import msgspec
import structlog

from gateway import __version__
from gateway.config import Installation
from gateway.config.held import files_in
from gateway.config.held import read_texts

#: seconds after which a reader that says nothing is thought to hang; reading a file it says each second that it goes on
HUNG = 300.0
#: seconds for which a reader stays that nobody needs
IDLE = 600.0
#: seconds after which a file that nobody asked about gives its reader to another one
UNASKED = 60.0
#: seconds for which none is started where one could not begin
UNUSABLE = 60.0
#: seconds that a job may take on its way into the pipe
_HAND_OVER = 10.0
#: exit code of a reader that ended because nobody needed it
IDLE_CODE = 75
#: bytes that wait in the pipe
_PIPE = 1 << 20

#: first byte of a message
GREETING, ALIVE, CHUNK, FAILED = b"G", b"A", b"C", b"F"
_LENGTH = 4
_log = structlog.get_logger("readers")


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader begins with."""

    version: str
    file: str
    config: str
    texts: dict[str, str]
    #: keys as the running service has them, whatever config.yaml says now
    running: dict[str, object]
    memory: int


class Gone(Exception):
    """The reader has ended."""

    def __init__(self, words: str, *, fault: bool, began: bool = True) -> None:
        super().__init__(words)
        #: whether it may have been the file's doing
        self.fault = fault
        #: whether it ever was ready to read
        self.began = began


class Reader:
    """One such process."""

    #: what it runs; the descriptor of its setup follows
    COMMAND = ("-m", "gateway.pipeline.reading.reader")

    def __init__(self, installation: Installation) -> None:
        self.number = installation.number
        self.used = time.monotonic()
        self.has_begun = False
        self._heard = self.used
        self._received = bytearray()
        self._taken_away = False
        # in memory: a container may have no place to write to, and nobody else can read it there
        with os.fdopen(os.memfd_create("reader"), "w+b") as setup:
            setup.write(msgspec.msgpack.encode(setup_of(installation)))
            setup.flush()
            setup.seek(0)
            self._process = subprocess.Popen(
                [sys.executable, *self.COMMAND, str(setup.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[setup.fileno()],
            )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._jobs, self._messages = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._jobs, False)
        widen(self._messages)
        self._poll = select.poll()
        self._poll.register(self._messages, select.POLLIN)

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def is_ready(self) -> bool:
        """Whether it has begun; Gone where it never will."""
        if not self.has_begun and (message := self._take(0.0)) is not None:
            self._begin(message)
        return self.has_begun

    def ask(self, job: bytes) -> None:
        """Hand over a job; raises Gone."""
        self.used = self._heard = time.monotonic()
        try:
            send(self._jobs, job, _HAND_OVER)
        except (OSError, TimeoutError):
            gone = self._gone()
            gone.fault = False  # it was gone before it saw the file
            raise gone from None

    def take(self, wait: float) -> bytes | None:
        """The next message of the job, None where there is none within so many seconds; raises Gone."""
        self.used = time.monotonic()
        end = self.used + wait
        while (message := self._take(max(0.0, end - time.monotonic()))) is not None:
            if not self.has_begun:
                self._begin(message)
            elif message != ALIVE:
                return message
        return None

    def kill(self) -> None:
        """End it now: it holds nothing."""
        self._taken_away = True
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def _begin(self, message: bytes) -> None:
        if message != GREETING:
            raise Gone("it is of another version", fault=False, began=False)
        self.has_begun = True

    def _take(self, wait: float) -> bytes | None:
        if self._taken_away:
            raise Gone("it was given to another file", fault=False)
        end = time.monotonic() + wait
        while True:
            message = self._whole_message()
            if message is not None:
                return message
            if not self._poll.poll(max(0.0, end - time.monotonic()) * 1000):
                if time.monotonic() - self._heard > HUNG:
                    self._process.kill()
                    self._process.wait()
                    raise Gone(f"it said nothing for {HUNG:.0f} seconds", fault=self.has_begun, began=self.has_begun)
                return None
            data = os.read(self._messages, _PIPE)
            if not data:
                raise self._gone()
            self._received += data
            self._heard = time.monotonic()

    def _whole_message(self) -> bytes | None:
        received = self._received
        if len(received) < _LENGTH:
            return None
        end = _LENGTH + int.from_bytes(received[:_LENGTH], "big")
        if len(received) < end:
            return None
        message = bytes(memoryview(received)[_LENGTH:end])
        del received[:end]
        return message

    def _gone(self) -> Gone:
        if self._taken_away:
            return Gone("it was given to another file", fault=False)
        self._process.kill()  # where only its end of a pipe is closed
        code = self._process.wait()
        if code == IDLE_CODE:
            return Gone("nobody needed it any more", fault=False)
        # one that never began cannot have looked at a file
        words = f"it was ended by signal {-code}" if code < 0 else f"it ended with code {code}"
        return Gone(words, fault=self.has_begun, began=self.has_begun)


class Readers:
    """The readers of one process, at most as many as config.yaml allows."""

    def __init__(self, start: Callable[[Installation], Reader] = Reader) -> None:
        self._start = start
        self._guard = threading.Lock()
        self._free: list[Reader] = []
        self._leased: dict[str, Reader] = {}
        self._not_before = 0.0

    def lease(self, installation: Installation, file: str) -> Reader | None:
        """The reader of a file, one that has it already or one that it gets; None where there is none to be had. It may still be starting."""
        with self._guard:
            mine = self._leased.get(file)
            if mine is not None:
                return mine
            fit = [reader for reader in self._free if reader.number == installation.number and reader.is_alive()]
            for reader in self._free:
                if reader not in fit:
                    reader.kill()
            self._free = fit
            if not fit and not self._has_room(installation):
                return None
            reader = self._leased[file] = self._free.pop() if fit else self._start(installation)
            reader.used = time.monotonic()
            return reader

    def give_back(self, file: str, *, whole: bool) -> None:
        """A file needs its reader no more; `whole`: it is through, and the reader can read another one."""
        with self._guard:
            reader = self._leased.pop(file, None)
            if reader is None:
                return
            if whole:
                self._free.append(reader)
            else:
                reader.kill()

    def could_not_begin(self, error: Gone) -> None:
        """A reader ended before it began: none is started for a while."""
        with self._guard:
            self._not_before = time.monotonic() + UNUSABLE
        _log.error("no process to read large files", error=str(error), cure="they are read in the service's own process meanwhile")

    def is_unusable(self) -> bool:
        """Whether one could not begin just now."""
        with self._guard:
            return time.monotonic() < self._not_before

    def tidy(self) -> None:
        """Let go of those that ended because nobody needed them."""
        with self._guard:
            for reader in [reader for reader in self._free if not reader.is_alive()]:
                self._free.remove(reader)
                reader.kill()

    def close(self) -> None:
        """End all of them."""
        with self._guard:
            for reader in (*self._free, *self._leased.values()):
                reader.kill()
            self._free, self._leased = [], {}

    def _has_room(self, installation: Installation) -> bool:
        if time.monotonic() < self._not_before:
            return False
        most = installation.settings.reading.count
        if len(self._leased) >= most:
            # another worker may have taken such a file over: then nobody asks here any more
            for file, reader in list(self._leased.items()):
                if time.monotonic() - reader.used > UNASKED:
                    reader.kill()
                    del self._leased[file]
        return len(self._leased) < most


def setup_of(installation: Installation) -> Setup:
    """The configuration in force, whatever the files say by now."""
    texts = installation.resolver.held
    if texts is None:
        # a command reads its files as they are; it lives too short for them to change under it
        texts, _ = read_texts(files_in(installation.resolver.places[0]))
    settings = installation.settings
    return Setup(
        version=__version__,
        file=str(installation.file),
        config=installation.text,
        texts=dict(texts),
        running=settings.model_dump(mode="json", include={"data", "database", "archive"}),
        memory=settings.reading.memory_bytes,
    )


def send(pipe: int, message: bytes, wait: float) -> None:
    """Write a message into a pipe that does not block; TimeoutError where nobody takes it for so many seconds."""
    left = memoryview(len(message).to_bytes(_LENGTH, "big") + message)
    poll = select.poll()
    poll.register(pipe, select.POLLOUT)
    while left:
        try:
            left = left[os.write(pipe, left) :]
        except BlockingIOError:
            if not poll.poll(wait * 1000):
                raise TimeoutError from None


def widen(pipe: int) -> None:
    """Let more wait in a pipe, where the system allows it."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
