"""`python -m gateway.pipeline.reading.reader FD`: reads large files for the process that started it (pipeline/readers.py) and sends what it found.

It opens payloads in the archive and writes nothing anywhere but into the pipe to its parent. When the parent dies the kernel ends it, also
where it is deep in a parser.
"""

import contextlib
import fcntl
import gc
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import msgspec

from gateway import __version__
from gateway.config import Installation
from gateway.config import load_installation
from gateway.config.held import Held
from gateway.config.settings import Settings
from gateway.pipeline.plans import Plans
from gateway.pipeline.readers import ALIVE
from gateway.pipeline.readers import CHUNK
from gateway.pipeline.readers import FAILED
from gateway.pipeline.readers import GREETING
from gateway.pipeline.readers import IDLE
from gateway.pipeline.readers import IDLE_CODE
from gateway.pipeline.readers import Setup
from gateway.pipeline.readers import send
from gateway.pipeline.reading.chunk import Failure
from gateway.pipeline.reading.chunk import Job
from gateway.pipeline.reading.cutting import Cutting
from gateway.store.payloads.archive import Archive
from gateway.store.payloads.archive import ArchiveMissing
from gateway.store.payloads.in_folder import FolderArchive

#: bytes that are read from the archive at a time
PIECE = 1 << 18
#: seconds between two signs of life
_SIGN = 1.0
INSTALLATION_FAILED = 4
_encode = msgspec.msgpack.Encoder().encode


def main() -> int:
    """Read one file after the other until nobody is there to ask."""
    # a Ctrl-C or a stop of the service goes to all processes: our parent ends us when it needs us no more
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    with contextlib.suppress(OSError):
        # where memory runs out this one is ended, and not the process that works for everybody
        Path("/proc/self/oom_score_adj").write_text("1000")
    # what anything prints must not get between the messages
    messages = os.dup(1)
    os.dup2(2, 1)
    os.set_blocking(messages, False)
    with os.fdopen(int(sys.argv[-1]), "rb") as file:
        setup = msgspec.msgpack.decode(file.read(), type=Setup)
    if setup.version != __version__:
        print(f"the reader is of version {__version__}, the service of {setup.version}: start the service anew", file=sys.stderr)
        return INSTALLATION_FAILED
    installation = _installation(setup)
    installation.directory  # noqa: B018  loading is checking
    reading = FileReader(installation, _archive(installation), messages)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (setup.memory, setup.memory))
    # as in every process of ours (gateway/cli): what is loaded stays
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    try:
        send(messages, GREETING, IDLE)
        while (job := _next_job()) is not None:
            _end_with_parent()
            reading.read(job)
    except BrokenPipeError:
        return 0
    except TimeoutError:
        return IDLE_CODE
    return 0


class FileReader:
    """Reads files of one installation."""

    def __init__(self, installation: Installation, archive: Archive, messages: int) -> None:
        self._installation = installation
        self._plans = Plans(installation.resolver)
        self._archive = archive
        self._messages = messages
        self._said = 0.0

    def read(self, job: Job) -> None:
        """Send everything that is in a file, or why that cannot be."""
        try:
            with self._archive.open(job.sha256) as file:
                cutting = Cutting(self._installation, self._plans, job, self._pieces(file))
                through = False
                while not through:
                    chunk = cutting.next_chunk()
                    through = chunk.through
                    message = CHUNK + _encode(chunk)
                    if through:
                        _live_on()
                    self._send(message)
        except (BrokenPipeError, TimeoutError):
            raise
        except Exception as error:  # noqa: BLE001  what to do about it is decided where the file is written
            _live_on()
            self._send(FAILED + _encode(_failure_of(error)))

    def _pieces(self, file: BinaryIO) -> Iterator[bytes]:
        while piece := file.read(PIECE):
            yield piece
            if time.monotonic() - self._said > _SIGN:
                self._send(ALIVE)

    def _send(self, message: bytes) -> None:
        send(self._messages, message, IDLE)
        self._said = time.monotonic()


def _failure_of(error: Exception) -> Failure:
    if isinstance(error, ArchiveMissing):
        return Failure(kind="missing", name=type(error).__name__, words=str(error))
    if isinstance(error, OSError):
        return Failure(kind="os", name=type(error).__name__, words=str(error))
    if isinstance(error, MemoryError):
        return Failure(kind="memory", name=type(error).__name__, words="")
    if type(error).__name__ == "DatabaseTrouble":  # its module comes with the database, which only its archive needs
        return Failure(kind="database", name=type(error).__name__, words=str(error))
    where, trace = "", error.__traceback__
    while trace is not None:
        where, trace = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}", trace.tb_next
    return Failure(kind="fault", name=type(error).__name__, words=str(error), where=where)


def _installation(setup: Setup) -> Installation:
    installation = load_installation(Path(setup.file), Held(setup.config, setup.texts))
    running = Settings.model_validate(setup.running)
    kept = {key: getattr(running, key) for key in setup.running}
    return replace(installation, settings=installation.settings.model_copy(update=kept))


def _archive(installation: Installation) -> Archive:
    place = installation.archive_place
    if place.folder is not None:
        return FolderArchive(place.folder)
    from gateway.store.database import open_database
    from gateway.store.payloads.opening import open_archive

    return open_archive(place, open_database(installation.database_url))


def _next_job() -> Job | None:
    """What our parent wants read; None where it is gone, TimeoutError where it wants nothing for long."""
    length = _exactly(4)
    body = _exactly(int.from_bytes(length, "big")) if length is not None else None
    return msgspec.msgpack.decode(body, type=Job) if body is not None else None


def _exactly(count: int) -> bytes | None:
    found = b""
    while len(found) < count:
        if not select.select([0], [], [], IDLE)[0]:
            raise TimeoutError
        data = os.read(0, count - len(found))
        if not data:
            return None
        found += data
    return found


def _end_with_parent() -> None:
    """From now on the kernel sends SIGIO, which ends us, when the pipe of our jobs is closed: only our parent holds its other end."""
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    poll = select.poll()
    poll.register(0, 0)
    if poll.poll(0):
        raise BrokenPipeError  # it was closed before we asked to be told


def _live_on() -> None:
    """The last message of a job: the next one may come as soon as it is sent, and is no end."""
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) & ~os.O_ASYNC)


if __name__ == "__main__":
    sys.exit(main())
