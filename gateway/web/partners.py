"""The partners with their agreements, as their files say. No secret stands in a partner, only its name, and not even that is shown."""

from fastapi import Request
from fastapi.responses import HTMLResponse

from gateway.exchange.endpoint import Endpoint
from gateway.exchange.keys import without_query
from gateway.web.pages import render
from gateway.web.pages import station_of


def show(request: Request) -> HTMLResponse:
    """The page of partners."""
    directory = station_of(request).installation.directory
    loaded = [found for _, found in sorted(directory.partners.items())]
    files = {found.partner.id: found.file for found in loaded}
    return render(request, "partners.html", partners=[found.partner for found in loaded], files=files, way=way_of)


def way_of(endpoint: Endpoint) -> str:
    """An endpoint in words, without users, passwords and keys, which may stand behind a question mark, too."""
    value = without_query(str(getattr(endpoint, endpoint.transport)))
    scheme, found, rest = value.partition("://")
    place = f"{scheme}://{rest.rsplit('@', 1)[-1]}" if found else value
    return f"{endpoint.transport.upper() if endpoint.transport in {'sftp', 'as2', 'https'} else endpoint.transport}: {place}"
