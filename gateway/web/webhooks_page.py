"""Webhooks: how each one stands, with a form to try again what was given up for it."""

from typing import Annotated

from fastapi import Form
from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.responses import RedirectResponse
from fastapi.responses import Response

from gateway.pipeline.outbound import hooking
from gateway.pipeline.outbound.hook_states import hook_states
from gateway.web.pages import address
from gateway.web.pages import render
from gateway.web.pages import station_of

WebhookField = Annotated[str, Form(max_length=2000)]


def show(request: Request) -> HTMLResponse:
    """The page of webhooks."""
    return page(request)


def page(request: Request, *, status: int = 200, trouble: str = "") -> HTMLResponse:
    """The page, also after a form that could not be carried out."""
    station = station_of(request)
    with station.database.read() as connection:
        hooks = hook_states(station.installation, connection)
    return render(request, "webhooks.html", hooks=hooks, done=request.query_params.get("done"), trouble=trouble, status=status)


def retry(request: Request, webhook: WebhookField) -> Response:
    """Try again what was given up for a webhook, and at once what waits."""
    station = station_of(request)
    if webhook not in {hook.target for hook in station.installation.settings.webhooks}:
        return page(request, status=409, trouble="config.yaml does not name this webhook any more: nobody is there to be told")
    hooking.retry(station, webhook)
    return RedirectResponse(address("/webhooks", {"done": webhook}), status_code=303)
