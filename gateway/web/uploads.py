"""Partners' machines: push files, ask what became of them, fetch what lies ready and say that they have it.

The body is taken in pieces onto the disk, within limits of size and time, then handed to the pipeline in a thread; the answer comes after the
commit. A partner sees its own files only: another's do not exist.
"""

import asyncio
import io
import re
import tempfile
import urllib.parse
from collections.abc import AsyncIterator
from collections.abc import Iterator
from functools import partial
from typing import IO

from fastapi import Request
from fastapi.responses import Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.formparsers import MultiPartParser
from starlette.requests import ClientDisconnect

from gateway.pipeline.arriving.accounts import Account
from gateway.pipeline.arriving.uploading import LONGEST_KEY
from gateway.pipeline.arriving.uploading import Handed
from gateway.pipeline.arriving.uploading import OtherBytes
from gateway.pipeline.arriving.uploading import Push
from gateway.pipeline.arriving.uploading import Taken
from gateway.pipeline.arriving.uploading import take_pushes
from gateway.pipeline.inbound.receive import Kept
from gateway.pipeline.stateless.telling import state_of
from gateway.pipeline.station import Station
from gateway.store import journal
from gateway.store.outgoing import pickups
from gateway.store.payloads.archive import ArchiveMissing
from gateway.web.answers import json_answer
from gateway.web.door import Door
from gateway.web.door import Refused
from gateway.web.intake import Intake
from gateway.web.pages import station_of

#: seconds for the next piece of a body, and for all of it
PIECE_SECONDS = 30.0
WHOLE_SECONDS = 900.0
MOST_FILES = 100
LISTED = 100
#: bytes of a body that are held in memory
_IN_MEMORY = 1 << 20
_CHUNK = 1 << 18
_KEY = re.compile(rf"[\x21-\x7e](?:[\x20-\x7e]{{0,{LONGEST_KEY - 2}}}[\x21-\x7e])?\Z")
_FILE_NAME = re.compile(r"""filename\*?=(?:UTF-8'[^']*')?"?([^";]+)"?""", re.IGNORECASE)


class _Bad(Exception):
    """A push that cannot be taken: the status and the words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


async def push(request: Request) -> Response:
    """POST /api/v1/files: one file as the body, or several as multipart/form-data."""
    try:
        account = _account_of(request)
        key = _key_of(request)
        files = await _files(request, account)
        taken = await _taken(request, account, files, key)
    except _Bad as error:
        # what still comes of the body is not read: the line ends here
        answered = json_answer({"error": str(error)}, error.status)
        answered.headers["Connection"] = "close"
        return answered
    except OtherBytes:
        return json_answer({"error": "This Idempotency-Key stood for other bytes before. Nothing was taken: each push has a key of its own."}, 422)
    except ClientDisconnect:
        # nobody is left to be answered, and half a file is none
        return Response(status_code=400)
    except OSError as error:
        return json_answer({"error": f"The files cannot be kept now ({error.strerror or type(error).__name__}): nothing was taken, try again."}, 503)
    return Response(taken.answer, 202, media_type="application/json", headers={} if taken.fresh else {"Idempotency-Replayed": "true"})


def state(request: Request, id: str) -> Response:
    """GET /api/v1/files/{id}: what became of a file that this partner pushed."""
    account = _account_of(request)
    found = state_of(station_of(request), account.address, id)
    return json_answer(found) if found is not None else _nothing()


def waiting(request: Request) -> Response:
    """GET /api/v1/mailbox: what lies ready for this partner, oldest first."""
    account = _account_of(request)
    with station_of(request).database.read() as connection:
        found = pickups.waiting(connection, account.address, limit=LISTED)
    listed = [
        {"id": one.id, "name": one.name, "size": one.size, "sha256": one.sha256, "since": one.created_at, "file": f"/api/v1/mailbox/{one.id}"}
        for one in found
    ]
    return json_answer({"files": listed})


def fetch(request: Request, id: str) -> Response:
    """GET /api/v1/mailbox/{id}: the bytes, as often as they are asked for."""
    account = _account_of(request)
    station = station_of(request)
    with station.database.read() as connection:
        found = pickups.get(connection, account.address, id)
    if found is None:
        return _nothing()
    try:
        file = station.archive.open(found.sha256)
    except ArchiveMissing:
        if found.taken_at is None:
            raise
        return json_answer({"error": "You have fetched this file and said so; it is no longer kept."}, 410)
    name = urllib.parse.quote(found.name, safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "Content-Length": str(found.size), "ETag": f'"{found.sha256}"'}
    return StreamingResponse(_chunks(file), media_type="application/octet-stream", headers=headers)


def confirm(request: Request, id: str) -> Response:
    """DELETE /api/v1/mailbox/{id}: the partner has the file; the same again is harmless."""
    account = _account_of(request)
    station = station_of(request)
    with station.database.begin() as connection:
        found = pickups.get(connection, account.address, id)
        if found is None:
            return _nothing()
        now = station.clock()
        if pickups.confirm(connection, account.address, id, now):
            entry = journal.Entry(
                stream=f"pickup:{account.name}",
                at=now,
                actor=account.actor,
                action="fetched by the partner",
                subject_kind="pickup",
                subject=id,
                facts={"name": found.name},
                references=(found.sha256,),
            )
            journal.append(connection, [entry])
    return Response(status_code=204)


def _account_of(request: Request) -> Account:
    """Whose key the request carries; raises Refused, which the application answers (`turned_away`)."""
    door: Door = request.app.state.door
    return door.let_in(request)


def turned_away(request: Request, error: Exception) -> Response:
    """The answer to who is not let in; what still comes of a body is not read."""
    assert isinstance(error, Refused)
    answered = json_answer({"error": str(error)}, error.status)
    answered.headers.update({**error.headers, "Connection": "close"})
    return answered


def _nothing() -> Response:
    return json_answer({"error": "There is no such file of yours."}, 404)


def _key_of(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.match(key):
        raise _Bad(400, f"An Idempotency-Key has 1 to {LONGEST_KEY} visible ASCII characters.")
    return key


async def _files(request: Request, account: Account) -> list[tuple[str | None, IO[bytes]]]:
    """The files of the body, each on the disk or in memory, with the names that they were given."""
    if _declared(request) > account.largest:
        raise _Bad(413, f"The request is too large: at most {account.largest} bytes.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        async with asyncio.timeout(WHOLE_SECONDS):
            if kind == "multipart/form-data":
                return await _parts(request, account)
            return [(_name_of(request), await _whole(request, account))]
    except TimeoutError:
        raise _Bad(408, f"The body did not come in time: {PIECE_SECONDS:.0f} seconds for a piece, {WHOLE_SECONDS:.0f} for all.") from None


async def _whole(request: Request, account: Account) -> IO[bytes]:
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  closed when it is taken in
    try:
        async for piece in _pieces(request, account):
            file.write(piece)
        if not file.tell():
            raise _Bad(400, "The file is empty.")
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


async def _parts(request: Request, account: Account) -> list[tuple[str | None, IO[bytes]]]:
    async def stream() -> AsyncIterator[bytes]:
        async for piece in _pieces(request, account):
            yield piece

    try:
        form = await MultiPartParser(request.headers, stream(), max_files=MOST_FILES, max_fields=0).parse()  # type: ignore[arg-type]
    except MultiPartException as error:
        raise _Bad(400, f"The multipart body cannot be read: {error.message} Each part is a file with a filename.") from None
    found = [(value.filename, value.file) for _, value in form.multi_items() if isinstance(value, UploadFile)]
    if not found or not all(value.size for _, value in form.multi_items() if isinstance(value, UploadFile)):
        raise _Bad(400, "There is no file in the body, or one of them is empty.")
    return [(name, file) for name, file in found]


async def _pieces(request: Request, account: Account) -> AsyncIterator[bytes]:
    """The body as it comes; who sends nothing for long, or too much, is cut off."""
    came = 0
    stream = request.stream().__aiter__()
    while True:
        try:
            async with asyncio.timeout(PIECE_SECONDS):
                piece = await anext(stream)
        except StopAsyncIteration:
            return
        came += len(piece)
        if came > account.largest:
            raise _Bad(413, f"The request is too large: at most {account.largest} bytes.")
        yield piece


def intake_of(station: Station) -> Intake[Push, Taken]:
    """Where pushes wait to be taken in."""
    return Intake("pushes", partial(take_pushes, station))


async def _taken(request: Request, account: Account, files: list[tuple[str | None, IO[bytes]]], key: str | None) -> Taken:
    """What became of a push; a large one goes onto the disk before it waits for its turn."""
    try:
        handed = await run_in_threadpool(_handed, station_of(request), files)
    finally:
        for _, file in files:
            file.close()
    intake: Intake[Push, Taken] = request.app.state.pushes
    return await intake.take(Push(account, handed, key))


def _handed(station: Station, files: list[tuple[str | None, IO[bytes]]]) -> tuple[Handed, ...]:
    """The bytes of small pushes, and of large ones where they are kept."""
    sizes = [file.seek(0, io.SEEK_END) for _, file in files]
    for _, file in files:
        file.seek(0)
    if sum(sizes) <= _IN_MEMORY:
        return tuple(Handed(name, file.read()) for name, file in files)
    return tuple(Handed(name, _kept(station, file)) for name, file in files)


def _kept(station: Station, file: IO[bytes]) -> Kept:
    sha256, size = station.archive.keep_stream(_chunks(file))
    return Kept(sha256=sha256, size=size)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _name_of(request: Request) -> str | None:
    """The name that the sender gave to the body, in the address or in the head."""
    said = request.query_params.get("name")
    found = _FILE_NAME.search(request.headers.get("content-disposition", ""))
    return said or (urllib.parse.unquote(found.group(1)).strip() if found else None)


def _declared(request: Request) -> int:
    length = request.headers.get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() else 0
