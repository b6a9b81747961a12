"""The address that partners' AS2 stations post to: reads the request, hands it to the pipeline in a thread, answers what comes back."""

import asyncio
from dataclasses import dataclass
from dataclasses import field
from functools import partial

from fastapi import Request
from fastapi.responses import PlainTextResponse
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from gateway.exchange.as2 import Answer
from gateway.pipeline.as2.arrived import Request as Asked
from gateway.pipeline.as2.keys import Relations
from gateway.pipeline.as2.posting import AT_ONCE
from gateway.pipeline.as2.receiving import may_come
from gateway.pipeline.as2.receiving import most_bytes
from gateway.pipeline.as2.receiving import receive_as2
from gateway.pipeline.as2.receiving import receive_together
from gateway.pipeline.as2.receiving import refuse_larger
from gateway.pipeline.station import Station
from gateway.web.intake import Intake
from gateway.web.uploads import PIECE_SECONDS
from gateway.web.uploads import WHOLE_SECONDS

#: bytes of bodies that are held at a time; one message alone may be larger
MOST_UNDER_WAY = 500_000_000
_TOO_MANY = "There were too many messages from names that are not known here: wait a minute.\n"
_NO_ROOM = "There are too many large messages at the moment: try again later.\n"
_WORDS = "This is an AS2 address: messages and receipts are posted here.\n"


@dataclass(slots=True)
class UnderWay:
    """Bytes of bodies that are held in memory, of all requests together: those that come, and those that are being opened."""

    held: int = 0


@dataclass(slots=True)
class _Body:
    """What came of a body."""

    pieces: list[bytes] = field(default_factory=list)
    size: int = 0

    def whole(self) -> bytes:
        """The whole of it; its pieces are let go of, so that a large message is not held twice while it is opened."""
        whole = b"".join(self.pieces)
        self.pieces.clear()
        return whole


def intake_of(station: Station, relations: Relations) -> Intake[Asked, Answer]:
    """Where requests wait to be taken in."""
    return Intake("as2", partial(receive_together, station, relations))


def explain(request: Request) -> Response:
    """What this address is, for somebody who opens it in a browser. Some stations ask by HEAD before they post: 200 and nothing."""
    return Response(b"") if request.method == "HEAD" else PlainTextResponse(_WORDS)


async def receive(request: Request) -> Response:
    """One AS2 message, or a receipt for one of ours."""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
    relations = request.app.state.relations
    if not may_come(relations, headers):
        return PlainTextResponse(_TOO_MANY, status_code=429, headers={"Retry-After": "60", "Connection": "close"})
    limit = most_bytes(relations, headers)
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > limit:
        return await _too_large(request, headers, limit)
    body = _Body()
    under_way: UnderWay = request.app.state.under_way
    try:
        stopped = await _read(request, body, limit, under_way)
        if body.size > limit:
            return await _too_large(request, headers, limit)
        if stopped is not None:
            return stopped
        intake: Intake[Asked, Answer] = request.app.state.as2
        if body.size > AT_ONCE:
            # a large one keeps nobody else waiting
            answer = await run_in_threadpool(receive_as2, request.app.state.station, relations, headers, body.whole())
        else:
            answer = await intake.take((headers, body.whole()))
    finally:
        under_way.held -= body.size
    response = Response(answer.body, status_code=answer.status)
    # the receipt's own header lines, as they were signed or kept
    del response.headers["content-length"]
    response.raw_headers = [
        *((name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers),
        (b"content-length", str(len(answer.body)).encode()),
    ]
    return response


async def _too_large(request: Request, headers: list[tuple[str, str]], limit: int) -> Response:
    await run_in_threadpool(refuse_larger, request.app.state.station, request.app.state.relations, headers, limit)
    return PlainTextResponse(f"The message is too large: at most {limit} bytes.\n", status_code=413, headers={"Connection": "close"})


async def _read(request: Request, body: _Body, limit: int, under_way: UnderWay) -> Response | None:
    """The body as it comes; the answer where it does not come in time, or there is no room for it."""
    now = asyncio.get_running_loop().time
    end = now() + WHOLE_SECONDS
    try:
        async with asyncio.timeout_at(min(now() + PIECE_SECONDS, end)) as patience:
            async for piece in request.stream():
                body.pieces.append(piece)
                body.size += len(piece)
                under_way.held += len(piece)
                if body.size > limit:
                    break
                if under_way.held > MOST_UNDER_WAY and under_way.held > body.size:
                    return PlainTextResponse(_NO_ROOM, status_code=503, headers={"Retry-After": "10", "Connection": "close"})
                patience.reschedule(min(now() + PIECE_SECONDS, end))
    except TimeoutError:
        words = f"The message did not come in time: {PIECE_SECONDS:.0f} seconds for a piece, {WHOLE_SECONDS:.0f} for all.\n"
        return PlainTextResponse(words, status_code=408, headers={"Connection": "close"})
    except ClientDisconnect:
        # nobody is left to be answered, and half a message is none
        return PlainTextResponse("", status_code=400)
    return None
