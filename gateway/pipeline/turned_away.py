"""What was not taken as it came, in the log: a line for each document that was rejected or held and each file that came twice or cannot be read,
with ids and codes. The journal's entries are the source, so that no way in is forgotten; told once they are committed."""

from collections.abc import Iterable

import structlog

from gateway.store.journal import Entry

_log = structlog.get_logger("turned away")
#: what the journal says -> what the log says
_TOLD = {
    "document rejected": "document rejected",
    "document held": "document held",
    "order rejected": "document rejected",
    "order held": "document held",
    "change rejected": "document rejected",
    "change held": "document held",
    "shipment rejected": "document rejected",
    "shipment held": "document held",
    "invoice_release rejected": "document rejected",
    "interchange refused": "interchange refused",
    "interchange held": "interchange held",
    "transmission unreadable": "file unreadable",
}


def log_turned_away(entries: Iterable[Entry]) -> None:
    """Tell what these committed entries turned away."""
    for entry in entries:
        event = _TOLD.get(entry.action)
        if event is not None:
            whose = {name: entry.facts[name] for name in ("partner", "endpoint") if name in entry.facts}
            _log.info(event, problems=entry.facts.get("problems", ""), **{entry.subject_kind: entry.subject}, **whose)
