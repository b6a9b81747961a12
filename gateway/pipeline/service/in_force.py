"""The configuration in force, as the owner wrote it down in the data folder: the web process follows it, commands compare with it. And the
request of a command to read the files anew. Both are replaced by rename."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from gateway.config.held import Held
from gateway.store import crash
from gateway.store.identity import new_id

_NAME = "configuration.json"
#: seconds that a service waits for a worker which answers at this moment
_WAIT = 20.0
_REQUEST = "configuration.request"


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """What holds now."""

    #: counts every reading that was put in force, so that keys that were replaced under the same texts are read again too
    number: int
    #: when it was put in force, and the files that were other than before
    since: datetime
    changed: tuple[str, ...] = ()
    config: str
    texts: dict[str, str]
    #: config.yaml as it was when the service began: some of its keys hold until it ends
    began: str
    #: what is wrong in the files as they are now, and what waits for the next start
    faults: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    #: the last request that this is the answer to
    request: str = ""

    @property
    def held(self) -> Held:
        return Held(self.config, self.texts)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody asks for the files to be read anew."""

    id: str
    actor: str


def path_in(data: Path) -> Path:
    return data / _NAME


def read(path: Path) -> InForce | None:
    """What is in force; None where no service ever ran (or an older one of another form)."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=InForce)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def write(path: Path, now: InForce) -> None:
    """Put down what is in force from now on."""
    _replace(path, msgspec.json.encode(now))


class Lead:
    """Who of the processes in one data folder writes down what is in force, and answers commands: the service for as long as it lives, a worker
    for the moment where no service is. The kernel frees it when a process dies."""

    def __init__(self, data: Path, *, stays: bool) -> None:
        self._file = (data / "configuration.lock").open("a")
        self._stays = stays

    def close(self) -> None:
        """Leave it to others."""
        self._file.close()

    @contextmanager
    def taken(self) -> Iterator[bool]:
        """Whether it is ours for the length of the block. The service waits for a worker that has it for a moment."""
        end = time.monotonic() + (_WAIT if self._stays else 0.0)
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not self._stays:
                    yield False
                    return
                if time.monotonic() > end:
                    break  # whoever hangs with it does not keep the service from its files
                time.sleep(0.05)
        try:
            yield True
        finally:
            if not self._stays:
                fcntl.flock(self._file, fcntl.LOCK_UN)


def ask(data: Path, actor: str) -> Request:
    """Ask the owner to read the files anew."""
    request = Request(id=new_id(), actor=actor)
    _replace(data / _REQUEST, msgspec.json.encode(request))
    return request


def take_request(data: Path) -> Request | None:
    """The request that waits, once."""
    path = data / _REQUEST
    try:
        content = path.read_bytes()
        path.unlink()
        return msgspec.json.decode(content, type=Request)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    crash.point(141)
    temporary.replace(path)
    crash.point(142)
