"""What leaves: waiting, sent, acknowledged, given up; with forms to try again what failed and to stop what has not begun to leave."""

from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.responses import RedirectResponse
from fastapi.responses import Response

from gateway.pipeline.outbound.hook_states import hook_states
from gateway.pipeline.outbox import redelivering
from gateway.pipeline.outbox.redelivering import NotDone
from gateway.pipeline.outbox.under_way import in_hand
from gateway.pipeline.outbox.waits import waits
from gateway.store.outgoing import outbox
from gateway.store.outgoing import pauses
from gateway.store.rows import StaleState
from gateway.web.holding_page import ACTOR
from gateway.web.holding_page import LONGEST_REASON
from gateway.web.holding_page import ReasonField
from gateway.web.pages import BadRequest
from gateway.web.pages import address
from gateway.web.pages import key_from
from gateway.web.pages import key_of
from gateway.web.pages import render
from gateway.web.pages import station_of

PAGE = 50
#: what may be asked for of the partner's answer
ANSWERS = ("waiting", "overdue", "received", "accepted", "accepted_with_errors", "already_there", "partially_accepted", "rejected")
STATES = ("waiting", "claimed", "prepared", "posted", "sent", "acknowledged", "rejected", "held_back", "dead", "cancelled")


def show(request: Request) -> HTMLResponse:
    """The page of deliveries, newest first."""
    return page(request)


def page(request: Request, *, status: int = 200, trouble: str = "") -> HTMLResponse:
    """The page, also after a form that could not be carried out."""
    station = station_of(request)
    state, partner = request.query_params.get("state") or None, request.query_params.get("partner") or None
    if state is not None and state not in STATES:
        raise BadRequest(f"state is '{state}': expected one of {', '.join(STATES)}")
    answer = request.query_params.get("answer") or None
    if answer is not None and answer not in ANSWERS:
        raise BadRequest(f"answer is '{answer}': expected one of {', '.join(ANSWERS)}")
    with station.database.read() as connection:
        after = key_from(request.query_params.get("after"))
        rows = outbox.search(connection, state=state, partner=partner, ack_state=answer, after=after, limit=PAGE + 1)
        done = outbox.get(connection, request.query_params.get("done") or "")
        paused = {one.partner for one in pauses.standing(connection)}
        hooks = hook_states(station.installation, connection)
        now = station.clock()
        what = waits(connection, now)
    following = key_of(rows[PAGE - 1].created_at, rows[PAGE - 1].id) if len(rows) > PAGE else None
    return render(
        request,
        "deliveries.html",
        rows=rows[:PAGE],
        state=state,
        partner=partner,
        answer=answer,
        answers=ANSWERS,
        states=STATES,
        done=done if done is not None and done.state != "dead" else None,
        paused=paused,
        under_way={row.id: words for row in rows[:PAGE] if (words := in_hand(station.installation, row, now))},
        hooks=hooks,
        hooks_given_up=any(hook.dead for hook in hooks),
        waits=what,
        can_stop=redelivering.can_stop,
        can_retry=redelivering.can_retry,
        what_remains=redelivering.what_remains,
        trouble=trouble,
        status=status,
        partners={id: loaded.partner.name for id, loaded in sorted(station.installation.directory.partners.items())},
        next_address=address("/deliveries", {"state": state, "partner": partner, "answer": answer, "after": following}) if following else None,
    )


def retry(request: Request, id: str) -> Response:
    """Try again what was given up, or at once what waits for its next try, under the identity that it has."""
    try:
        redelivering.retry(station_of(request), [id], ACTOR)
    except NotDone as error:
        return page(request, status=409, trouble=str(error))
    return RedirectResponse(address("/deliveries", {"done": id}), status_code=303)


def cancel(request: Request, id: str, reason: ReasonField = "") -> Response:
    """Stop something before it leaves."""
    try:
        if len(reason.strip()) > LONGEST_REASON:
            raise NotDone(f"The reason is {len(reason.strip())} characters long, at most {LONGEST_REASON} are kept")
        redelivering.cancel(station_of(request), id, ACTOR, reason.strip())
    except (NotDone, StaleState) as error:
        return page(request, status=409, trouble=str(error))
    return RedirectResponse(address("/deliveries", {"done": id}), status_code=303)
