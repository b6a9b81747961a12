"""The address that partners' AS2 stations post to: reads the request, hands it to the pipeline in a thread, answers what comes back."""

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

_TOO_MANY = "There were too many messages from names that are not known here: wait a minute.\n"
_WORDS = "This is an AS2 address: messages and receipts are posted here.\n"


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
    pieces: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                return await _too_large(request, headers, limit)
            pieces.append(chunk)
    except ClientDisconnect:
        # nobody is left to be answered, and half a message is none
        return PlainTextResponse("", status_code=400)
    intake: Intake[Asked, Answer] = request.app.state.as2
    if size > AT_ONCE:
        # a large one keeps nobody else waiting
        answer = await run_in_threadpool(receive_as2, request.app.state.station, relations, headers, _joined(pieces))
    else:
        answer = await intake.take((headers, b"".join(pieces)))
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


def _joined(pieces: list[bytes]) -> bytes:
    """The whole body; its pieces are let go of, so that a large message is not held twice while it is opened."""
    body = b"".join(pieces)
    pieces.clear()
    return body
