"""Who may do what: ONE table of routes x roles x origin check, and the gate that holds it before any page is asked.

Until accounts exist (a later issue) there is nobody to tell apart: the server listens on loopback only, and everybody who reaches it has
every role. The table is held all the same, so that giving roles to people changes `roles_of` and nothing else. A route that is not in the
table is answered by 403: forgetting to add one closes it.

Partners' machines come through a proxy of the operator's, under the names of `web.names`: they get what is for partners and for anybody,
and no page.

The gate also refuses other names of this machine (DNS rebinding), requests that change something and come from another
site's page (CSRF), and bodies that are too large; and it puts the same strict headers on every answer.
"""

from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import MutableMapping
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Role(StrEnum):
    """The kinds of people and machines that use the gateway."""

    #: anybody, also without an account: health, the look of the pages
    PUBLIC = "public"
    #: a trading partner's machine
    PARTNER = "partner"
    #: works the queues: documents, holds, money
    CLERK = "clerk"
    #: sets partners and mappings up, watches the traffic
    IT = "it"
    #: reads everything, changes nothing
    AUDITOR = "auditor"


class Origin(StrEnum):
    """Whether a request must come from our own pages (or from no page at all)."""

    #: it changes nothing
    ANY = "any"
    #: refused where a browser says that another site's page sent it
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use a route, from where, and how large its request may be. `largest` None: the room behind it limits."""

    roles: frozenset[Role]
    origin: Origin = Origin.ANY
    largest: int | None = 0


_EVERYBODY = frozenset(Role)
#: whoever reaches us without a proxy between
_AT_HOME = _EVERYBODY - {Role.PARTNER, Role.PUBLIC}
_OUTSIDE = frozenset({Role.PARTNER, Role.PUBLIC})
_READERS = frozenset({Role.CLERK, Role.IT, Role.AUDITOR})
_DECIDERS = frozenset({Role.CLERK})
_OPERATORS = frozenset({Role.CLERK, Role.IT})
_FORM = 64_000
_UPLOAD = 20_000_000

#: (method, path as it is written in app.py) -> who may
ACCESS: dict[tuple[str, str], Access] = {
    # pages
    ("GET", "/"): Access(_READERS),
    ("GET", "/documents"): Access(_READERS),
    ("GET", "/documents.json"): Access(_READERS),
    ("GET", "/documents/{id}"): Access(_READERS),
    ("GET", "/documents/{id}/payload"): Access(_READERS),
    ("POST", "/documents/{id}/resend"): Access(_OPERATORS, Origin.OWN, _FORM),
    ("GET", "/files/{id}/payload"): Access(_READERS),
    ("GET", "/sent/{id}/payload"): Access(_READERS),
    ("GET", "/deliveries"): Access(_READERS),
    ("POST", "/deliveries/{id}/retry"): Access(_OPERATORS, Origin.OWN, _FORM),
    ("POST", "/deliveries/{id}/cancel"): Access(_OPERATORS, Origin.OWN, _FORM),
    ("GET", "/webhooks"): Access(_READERS),
    ("POST", "/webhooks/retry"): Access(_OPERATORS, Origin.OWN, _FORM),
    ("GET", "/trail"): Access(_READERS),
    ("GET", "/holds"): Access(_READERS),
    ("GET", "/holds.json"): Access(_READERS),
    ("POST", "/holds/{id}/release"): Access(_DECIDERS, Origin.OWN, _FORM),
    ("POST", "/holds/{id}/reject"): Access(_DECIDERS, Origin.OWN, _FORM),
    ("GET", "/receivables"): Access(_READERS),
    ("GET", "/partners"): Access(_READERS),
    ("GET", "/partners/{id}"): Access(_READERS),
    ("POST", "/partners/{id}/pause"): Access(_OPERATORS, Origin.OWN, _FORM),
    ("POST", "/partners/{id}/resume"): Access(_OPERATORS, Origin.OWN, _FORM),
    # the API
    ("GET", "/api/openapi.json"): Access(_AT_HOME),
    ("GET", "/api/v1/documents"): Access(_READERS),
    ("GET", "/api/v1/documents/{id}"): Access(_READERS),
    ("GET", "/api/v1/holds"): Access(_READERS),
    ("POST", "/api/v1/holds/{id}/release"): Access(_DECIDERS, Origin.OWN, _FORM),
    ("POST", "/api/v1/holds/{id}/reject"): Access(_DECIDERS, Origin.OWN, _FORM),
    ("POST", "/api/v1/shipments"): Access(_OPERATORS, Origin.OWN, _UPLOAD),
    ("POST", "/api/v1/invoices"): Access(_OPERATORS, Origin.OWN, _UPLOAD),
    ("POST", "/api/v1/payments/files"): Access(_OPERATORS, Origin.OWN, _UPLOAD),
    ("PUT", "/api/v1/masterdata/{kind}"): Access(frozenset({Role.IT}), Origin.OWN, _UPLOAD),
    # machines
    ("GET", "/as2"): Access(_EVERYBODY),
    ("POST", "/as2"): Access(frozenset({Role.PARTNER}), Origin.OWN, None),
    ("POST", "/api/v1/files"): Access(frozenset({Role.PARTNER}), Origin.OWN, None),
    ("GET", "/api/v1/files/{id}"): Access(frozenset({Role.PARTNER})),
    ("GET", "/api/v1/mailbox"): Access(frozenset({Role.PARTNER})),
    ("GET", "/api/v1/mailbox/{id}"): Access(frozenset({Role.PARTNER})),
    ("DELETE", "/api/v1/mailbox/{id}"): Access(frozenset({Role.PARTNER}), Origin.OWN),
    ("GET", "/healthz"): Access(_EVERYBODY),
    ("GET", "/readyz"): Access(_AT_HOME),
    ("GET", "/metrics"): Access(frozenset({Role.IT})),
    ("GET", "/static/{name}"): Access(_AT_HOME),
    ("GET", "/favicon.ico"): Access(_AT_HOME),
}

#: names under which this machine may be asked for; anything else is another site's name that was made to point here
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
#: headers that proxies add to what they pass on
FORWARDED = frozenset({"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"})

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_SAFE = frozenset({"GET", "HEAD"})


def access_of(method: str, path: str) -> Access | None:
    """The table's line for a route; HEAD is asked like GET."""
    return ACCESS.get(("GET" if method == "HEAD" else method, path))


def roles_of(headers: dict[str, str], names: frozenset[str]) -> frozenset[Role]:
    """The roles of whoever asks: all of them on this machine, until accounts exist. Through a proxy, which shows itself by the name that is
    asked for or by a header that proxies add, there are only partners. Those headers give nothing: they only take."""
    came_far = name_of(headers.get("host", "")) in names or not headers.keys().isdisjoint(FORWARDED)
    return _OUTSIDE if came_far else _EVERYBODY


def name_of(host: str) -> str:
    """The name in a Host header (`127.0.0.1:8080`, `[::1]:8080`), in lower case; empty where there is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return ""


def is_loopback_name(host: str) -> bool:
    """Whether a Host header names this machine by its loopback."""
    return name_of(host) in LOOPBACK_NAMES


def is_own_page(headers: dict[str, str]) -> bool:
    """Whether a request comes from one of our pages, or from no page at all (a command, a partner's machine)."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
    return True


class TooLarge(Exception):
    """A body that goes on after the limit."""


class Gate:
    """Stands before the application: nothing gets in that the table does not let in, nothing gets out without the headers."""

    def __init__(self, app: App, routes: Iterable[Any], names: Iterable[str] = ()) -> None:
        self._app = app
        self._names = frozenset(names)
        self._routes: Sequence[Any] = list(routes)
        #: most are asked for by a path that stands in the table as it is, and that no route before it fits
        plain = [(method, str(route.path)) for route in self._routes if "{" not in route.path for method in route.methods or ()]
        self._plain = frozenset(one for one in plain if self._first_of({"type": "http", "method": one[0], "path": one[1]}) == one[1])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refused, access = self._look(scope, headers)
        body = _Body()
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                # whatever became of a body that broke off at the limit, the limit is the reason
                status = 413 if body.too_large else message["status"]
                message = {**message, "status": status, "headers": _with_headers(message["headers"])}
            await send(message)

        if refused is not None:
            await _answer(guarded, *refused)
            return
        limit = access.largest if access is not None else 0
        if limit is not None and _declared(headers) > limit:
            await _answer(guarded, 413, f"The request is too large: at most {limit} bytes.")
            return
        try:
            await self._app(scope, receive if limit is None else body.limited(receive, limit), guarded)
        except TooLarge:
            if not started:
                await _answer(guarded, 413, f"The request is too large: at most {limit} bytes.")

    def _look(self, scope: Scope, headers: dict[str, str]) -> tuple[tuple[int, str] | None, Access | None]:
        """Why a request is refused, or the table's line for it."""
        name = name_of(headers.get("host", ""))
        if name not in LOOPBACK_NAMES and name not in self._names:
            return (421, "This gateway is not asked for by this name: web.names in config.yaml has those for partners."), None
        roles = roles_of(headers, self._names)
        path = self._path_of(scope)
        if path is None and roles == _OUTSIDE:
            return (404, "There is nothing here."), None
        if path is None:
            # no such page: the application says so, in its own words
            if scope["method"] not in _SAFE and not is_own_page(headers):
                return (403, "This request came from another site's page."), None
            return None, None
        access = access_of(scope["method"], path)
        if access is None or not access.roles & roles:
            return (403, "This is not there through a proxy: ask on the machine itself." if roles == _OUTSIDE else "You may not do this."), None
        if access.origin is Origin.OWN and not is_own_page(headers):
            return (403, "This request came from another site's page."), None
        return None, access

    def _path_of(self, scope: Scope) -> str | None:
        """The route's path as it is written, `/documents/{id}`, where one fits path and method."""
        return str(scope["path"]) if (scope["method"], scope["path"]) in self._plain else self._first_of(scope)

    def _first_of(self, scope: Scope) -> str | None:
        from starlette.routing import Match

        for route in self._routes:
            if route.matches(scope)[0] is Match.FULL:
                return str(route.path)
        return None


def _with_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    given = list(headers)
    names = {name.lower() for name, _ in given}
    more = [(name, value) for name, value in _HEADERS if name not in names]
    if b"cache-control" not in names:
        more.append((b"cache-control", b"no-store"))
    return [*given, *more]


def _declared(headers: dict[str, str]) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() else 0


class _Body:
    """The body of one request as it comes, until it is more than the limit: a length that was not declared, or was a lie."""

    def __init__(self) -> None:
        self.too_large = False
        self._came = 0

    def limited(self, receive: Receive, limit: int) -> Receive:
        async def next_message() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                self._came += len(message.get("body", b""))
                if self._came > limit:
                    self.too_large = True
                    raise TooLarge
            return message

        return next_message


async def _answer(send: Send, status: int, words: str) -> None:
    body = (words + "\n").encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode()), (b"connection", b"close")],
        }
    )
    await send({"type": "http.response.body", "body": body})
