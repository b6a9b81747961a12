"""The form that sends a document of ours again."""

from typing import Annotated

from fastapi import Form
from fastapi import Request
from fastapi.responses import RedirectResponse
from fastapi.responses import Response

from gateway.pipeline.outbox.resending import NotResent
from gateway.pipeline.outbox.resending import resend as send_again
from gateway.store.rows import StaleState
from gateway.web import document
from gateway.web.holding_page import ACTOR
from gateway.web.holding_page import LONGEST_REASON
from gateway.web.holding_page import ReasonField
from gateway.web.pages import document_address
from gateway.web.pages import station_of

HowField = Annotated[str, Form(pattern="^(anew|same)$")]


def resend(request: Request, id: str, reason: ReasonField = "", how: HowField = "anew") -> Response:
    """Send a document again, anew or as the same bytes."""
    try:
        if len(reason.strip()) > LONGEST_REASON:
            raise NotResent(f"The reason is {len(reason.strip())} characters long, at most {LONGEST_REASON} are kept")
        send_again(station_of(request), id, ACTOR, reason.strip(), anew=how == "anew")
    except (NotResent, StaleState) as error:
        return document.page(request, id, status=409 if isinstance(error, StaleState) or reason.strip() else 422, trouble=str(error))
    return RedirectResponse(document_address(id, resent=1), status_code=303)
