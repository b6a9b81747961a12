"""The trail of something, from the order to the payment: one time line, events in words, technical ones folded, each with its proof."""

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field

from fastapi import Request
from fastapi.responses import HTMLResponse

from gateway.pipeline.keeping.sentences import happened
from gateway.pipeline.keeping.telling import faults
from gateway.pipeline.keeping.trails import Event
from gateway.pipeline.keeping.trails import Trail
from gateway.pipeline.keeping.trails import trail_of
from gateway.store.records.documents import Document
from gateway.web.pages import document_address
from gateway.web.pages import render
from gateway.web.pages import station_of
from gateway.web.words import kind_name
from gateway.web.words import sign_of

#: characters of a reference: a Message-ID may have so many
LONGEST = 1000
#: events that a page shows
MOST = 400
#: what happens inside of the gateway: true, proven, and of interest to few
_TECHNICAL = frozenset({"interchange opened", "interchange done", "transmission done", "document registered", "payment known"})
_TECHNICAL_ENDS = (" prepared", " kept", " handed in", " made", " enqueued")
#: action -> tone and sign
_SIGNS = (
    (("rejected", "given up", "cannot be written", "refused", "unreadable", "failed"), ("bad", "cross")),
    (("held", "not sent"), ("waits", "pause")),
    (("cancelled", "replaced"), ("ended", "dash")),
    (("accepted", "sent", "released", "applied", "done", "handed over", "acknowledged"), ("good", "check")),
)
_PLAIN = {
    "received": "File received",
    "shipment done": "Shipment booked",
    "invoice_release done": "Billed",
    "handed over": "Handed over to the ERP",
    "hold released": "Released by a person",
    "hold rejected": "Rejected by a person",
    "file released": "File released by a person",
    "file rejected": "File rejected by a person",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One event on the line."""

    event: Event
    title: str
    about: str
    tone: str
    icon: str
    link: str
    facts: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Stretch:
    """Events of one sort behind each other: business events stand by themselves, technical ones are folded."""

    technical: bool
    steps: list[Step] = field(default_factory=list)


def show(request: Request) -> HTMLResponse:
    """The search box, or the trail of what was asked for."""
    reference = request.query_params.get("q", "").strip()[:LONGEST]
    partner = request.query_params.get("partner", "").strip()[:200] or None
    trail = trail_of(station_of(request), reference, partner) if reference else None
    stretches = fold(trail) if trail is not None else []
    return render(
        request,
        "trail.html",
        reference=reference,
        partner=partner,
        trail=trail,
        stretches=stretches,
        left_out=max(0, len(trail.events) - MOST) if trail is not None else 0,
        chain=_chain(trail.documents) if trail is not None else [],
        faults=faults(trail) if trail is not None else [],
    )


def fold(trail: Trail) -> list[Stretch]:
    """The events of a trail in stretches."""
    stretches: list[Stretch] = []
    links = {row.id: document_address(row.id) for row in trail.documents}
    links.update({entry.id: links[entry.document] for entry in trail.outgoing if entry.document in links})
    seen: set[str] = set()
    for event in _unique(trail.events, seen)[:MOST]:
        technical = is_technical(event.action)
        if not stretches or stretches[-1].technical != technical:
            stretches.append(Stretch(technical))
        stretches[-1].steps.append(_step(event, links))
    return stretches


def is_technical(action: str) -> bool:
    """Whether an event is folded."""
    return action in _TECHNICAL or action.endswith(_TECHNICAL_ENDS)


def _unique(events: Iterable[Event], seen: set[str]) -> list[Event]:
    """Each entry of the journal once: a file's events belong to all of its documents."""
    answer = []
    for event in events:
        key = f"{event.hash}{event.subject}{event.action}{event.at}"
        if key not in seen:
            seen.add(key)
            answer.append(event)
    return answer


def _step(event: Event, links: dict[str, str]) -> Step:
    tone, icon = next((look for words, look in _SIGNS if any(word in event.action for word in words)), ("moves", "clock"))
    title = _PLAIN.get(event.action) or _title(event)
    facts = tuple((name.replace("_", " "), value) for name, value in event.facts.items() if value)
    return Step(event, title, _about(title, event.words), tone, icon, links.get(event.subject, ""), facts)


def _about(title: str, about: str) -> str:
    """What an event is about, without the kind where the title has said it: `Order accepted` of `PO1`."""
    kind, _, number = about.rpartition(" ")
    return number if kind and title.lower().startswith(kind) else about


def _title(event: Event) -> str:
    """What happened as a title: in the words of the trail, or the journal's where they are such words."""
    said = happened(event)
    if said is not None and event.subject_kind in {"transmission", "interchange"}:
        title = f"{event.subject_kind if event.subject_kind == 'interchange' else 'file'} {''.join(said)}"
        return title[:1].upper() + title[1:]
    if said is not None and event.action.startswith("payment "):
        return "".join(said)[:1].upper() + "".join(said)[1:]
    first, _, rest = event.action.partition(" ")
    return f"{first.replace('_', ' ').capitalize()} {rest}".strip()


def _chain(rows: list[Document]) -> list[tuple[Document, str, str]]:
    """The documents as the links of a chain: what a person follows from order to payment."""
    return [(row, kind_name(row.kind), sign_of(row.state).word) for row in rows if row.kind not in {"shipment", "invoice_release"}]
