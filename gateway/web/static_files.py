"""The look of the pages: three files, named in one table, so that no path of a request ever reaches the file system."""

from functools import cache

from fastapi import Request
from fastapi.responses import Response

from gateway.web.pages import STATIC
from gateway.web.pages import STATIC_FILES
from gateway.web.pages import NotFound


def give(request: Request, name: str) -> Response:
    """A static file. Its address changes with its content: browsers may keep it."""
    if name not in STATIC_FILES:
        raise NotFound(f"There is no file '{name}'")
    keep = "public, max-age=31536000, immutable" if request.query_params.get("v") else "no-cache"
    return Response(_read(name), media_type=STATIC_FILES[name], headers={"Cache-Control": keep})


def favicon(request: Request) -> Response:
    """What browsers ask for by themselves."""
    return give(request, "favicon.svg")


@cache
def _read(name: str) -> bytes:
    return (STATIC / name).read_bytes()
