"""What leaves: waiting, sent, acknowledged, given up; with a form to try again what was given up."""

from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.responses import RedirectResponse
from fastapi.responses import Response

from gateway.pipeline.station import Station
from gateway.store import journal
from gateway.store import outbox
from gateway.store import streams
from gateway.web.holding_page import ACTOR
from gateway.web.pages import BadRequest
from gateway.web.pages import NotFound
from gateway.web.pages import address
from gateway.web.pages import key_from
from gateway.web.pages import key_of
from gateway.web.pages import render
from gateway.web.pages import station_of

PAGE = 50
#: what may be asked for of the partner's answer
ANSWERS = ("waiting", "overdue", "received", "accepted", "accepted_with_errors", "partially_accepted", "rejected")
STATES = ("waiting", "claimed", "prepared", "posted", "sent", "acknowledged", "rejected", "dead", "cancelled")


def show(request: Request) -> HTMLResponse:
    """The page of deliveries, newest first."""
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
        retried = outbox.get(connection, request.query_params.get("retried") or "")
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
        retried=retried if retried is not None and retried.state != "dead" else None,
        partners={id: loaded.partner.name for id, loaded in sorted(station.installation.directory.partners.items())},
        next_address=address("/deliveries", {"state": state, "partner": partner, "answer": answer, "after": following}) if following else None,
    )


def retry(request: Request, id: str) -> Response:
    """Try again what was given up, under the identity that it has."""
    if not revive(station_of(request), id):
        raise NotFound(f"Nothing that was given up is called '{id}': it may have been tried again meanwhile")
    return RedirectResponse(address("/deliveries", {"retried": id}), status_code=303)


def revive(station: Station, id: str) -> bool:
    """Wake a dead row; False where it is not dead (any more)."""
    with station.database.begin() as connection:
        now = station.clock()
        if not outbox.revive(connection, id, now):
            return False
        entry = outbox.get_existing(connection, id)
        facts = {"spec": entry.spec, "identity": entry.identity or ""}
        journal.append(
            connection,
            [
                journal.Entry(
                    stream=entry.stream, at=now, actor=ACTOR, action=f"{entry.kind} tried again", subject_kind="outbox", subject=id, facts=facts
                )
            ],
        )
        streams.poke(connection, entry.stream)
    return True
