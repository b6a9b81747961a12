"""What every page needs: the opened station, the templates with their words, addresses that keep their query, answers with a status.

Templates escape everything; no page writes a script, a style or a style attribute into itself.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment
from jinja2 import FileSystemLoader
from jinja2 import StrictUndefined

from gateway import __version__
from gateway.pipeline.station import Station
from gateway.web import words

HERE = Path(__file__).parent
STATIC = HERE / "static"
#: name of a static file -> what it is
STATIC_FILES = {"app.css": "text/css; charset=utf-8", "app.js": "text/javascript; charset=utf-8", "favicon.svg": "image/svg+xml"}


class NotFound(Exception):
    """There is nothing under this address: one sentence says what was looked for."""


class BadRequest(Exception):
    """The address or form cannot be understood: one sentence says what is expected."""


def station_of(request: Request) -> Station:
    """The installation that this process serves, with the configuration of this moment."""
    station: Station = request.app.state.station
    return station.fixed()


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page from its template."""
    station = station_of(request)
    us = station.installation.settings.us.name
    text = (
        _templates()
        .get_template(template)
        .render(**values, now=station.clock(), path=request.url.path, us=us, version=__version__, query=dict(request.query_params))
    )
    return HTMLResponse(text, status_code=status)


def address(path: str, query: Mapping[str, object] | None = None) -> str:
    """An address with a query; what is empty or None is left out, lists become repeated keys."""
    pairs: list[tuple[str, str]] = []
    for name, value in (query or {}).items():
        for one in value if isinstance(value, list | tuple) else (value,):
            if one is not None and one != "":
                pairs.append((name, str(one)))
    return f"{path}?{urlencode(pairs)}" if pairs else path


def document_address(id: str, **query: object) -> str:
    """The page of a document."""
    return address(f"/documents/{quote(id, safe='')}", query)


def trail_address(reference: str, partner: str | None = None) -> str:
    """The trail of something (of this partner's: others may have the same number)."""
    return address("/trail", {"q": reference, "partner": partner})


def key_of(moment: datetime, id: str) -> str:
    """Where a list goes on: behind this row."""
    return f"{moment.isoformat()}~{id}"


def key_from(text: str | None) -> tuple[datetime, str] | None:
    """The row that a list goes on behind; BadRequest where the address was changed by hand into something else."""
    if not text:
        return None
    moment, _, id = text.partition("~")
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        raise BadRequest("The address names a row to go on behind that is none: begin the list anew") from None
    if parsed.tzinfo is None or not id:
        raise BadRequest("The address names a row to go on behind that is none: begin the list anew")
    return parsed, id


def static_address(name: str) -> str:
    """The address of a static file, which changes with its content, so that browsers may keep it for ever."""
    return f"/static/{name}?v={_digest(name)}"


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


@cache
def _templates() -> Environment:
    made = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters.update(
        sign=words.sign_of,
        kind=words.kind_name,
        called=lambda row: f"{words.kind_name(row.kind) if row.kind else row.transaction_type} {row.number or row.transaction_control}".strip(),
        money=words.money,
        exact=words.exact,
        size=words.size_of,
        short_hash=words.short_hash,
        account=words.masked_account,
    )
    made.globals.update(
        address=address,
        document_address=document_address,
        trail_address=trail_address,
        static_address=static_address,
        ago=words.ago,
        due=words.due,
        HOLDS=words.HOLDS,
        LINKS=words.LINKS,
    )
    return made
