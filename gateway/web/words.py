"""How values are said on pages: states with their sign and tone, money, times, kinds of documents. Data, and small functions over it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime

from gateway.model.money import from_minor


@dataclass(frozen=True, slots=True)
class Sign:
    """A state on the page: its word, the tone it is coloured in, and the sign that says the same without colour."""

    word: str
    tone: str
    icon: str


_GOOD = ("good", "check")
_BAD = ("bad", "cross")
_WAITS = ("waits", "pause")
_MOVES = ("moves", "clock")
_ENDED = ("ended", "dash")

#: states of documents, outbox rows, transmissions, acknowledgments, payments
STATES: Mapping[str, Sign] = {
    "accepted": Sign("accepted", *_GOOD),
    "accepted_with_errors": Sign("accepted with errors", *_GOOD),
    "already_there": Sign("they have it already", *_GOOD),
    "partially_accepted": Sign("partly accepted", *_WAITS),
    "done": Sign("done", *_GOOD),
    "sent": Sign("sent", *_GOOD),
    "acknowledged": Sign("acknowledged", *_GOOD),
    "applied": Sign("applied", *_GOOD),
    "despatched": Sign("despatched", *_GOOD),
    "invoiced": Sign("invoiced", *_GOOD),
    "closed": Sign("closed", *_GOOD),
    "held": Sign("held", *_WAITS),
    "on_account": Sign("on account", *_WAITS),
    "unapplied": Sign("unmatched", *_WAITS),
    "part_applied": Sign("partly applied", *_WAITS),
    "overdue": Sign("overdue", *_WAITS),
    "held_back": Sign("behind another", *_WAITS),
    "registered": Sign("being worked on", *_MOVES),
    "received": Sign("received", *_MOVES),
    "opening": Sign("being opened", *_MOVES),
    "created": Sign("made", *_MOVES),
    "waiting": Sign("waiting", *_MOVES),
    "claimed": Sign("being sent", *_MOVES),
    "posted": Sign("receipt awaited", *_MOVES),
    "prepared": Sign("ready to be sent", *_MOVES),
    "part_despatched": Sign("partly despatched", *_MOVES),
    "rejected": Sign("rejected", *_BAD),
    "failed": Sign("failed", *_BAD),
    "dead": Sign("given up", *_BAD),
    "unreadable": Sign("unreadable", *_BAD),
    "cancelled": Sign("cancelled", *_ENDED),
    "stopped": Sign("stopped before it left", *_ENDED),
    "replaced": Sign("replaced", *_ENDED),
    "taken_back": Sign("taken back by the bank", *_ENDED),
    "reversal": Sign("takes money back", *_ENDED),
}

#: kinds of documents: one, many
KINDS: Mapping[str, tuple[str, str]] = {
    "order": ("Order", "Orders"),
    "order_response": ("Order response", "Order responses"),
    "order_change": ("Order change", "Order changes"),
    "shipment": ("Shipment", "Shipments"),
    "despatch_advice": ("Despatch advice (ASN)", "Despatch advices (ASN)"),
    "invoice_release": ("Invoice release", "Invoice releases"),
    "invoice": ("Invoice", "Invoices"),
    "credit_note": ("Credit note", "Credit notes"),
    "remittance_advice": ("Remittance advice", "Remittance advices"),
    "bank_statement": ("Bank statement", "Bank statements"),
    "acknowledgment": ("Acknowledgment", "Acknowledgments"),
    "application_answer": ("Application answer", "Application answers"),
    "": ("Unread document", "Unread documents"),
}

#: why something is held
HOLDS: Mapping[str, str] = {
    "credit": "Credit",
    "rules": "Rules",
    "entitlement": "Sender not entitled",
    "interchange": "Sender not known or not entitled",
    "unreadable": "File not readable",
    "shipment": "Shipment not booked",
    "failure": "Our own failure",
    "handover": "Not handed to the ERP",
    "matching": "Matching",
    "answer": "Rejected by the partner",
    "overdue": "Answer overdue",
}

LINKS: Mapping[str, str] = {
    "answers": "answered by",
    "changes": "changed by",
    "ships": "shipped by",
    "invoices": "invoiced by",
    "credits": "credited by",
    "pays": "paid by",
    "takes_back": "taken back by",
    "named_by": "named by",
    "acknowledges": "acknowledged by",
    "replays": "replayed as",
}


def sign_of(state: str) -> Sign:
    """The sign of a state; one that is not in the table is said as it is."""
    return STATES.get(state) or Sign(state.replace("_", " "), *_MOVES)


def kind_name(kind: str, many: bool = False) -> str:
    """A kind of document in words."""
    names = KINDS.get(kind)
    return names[many] if names else kind.replace("_", " ").capitalize()


def money(minor: int | None, currency: str | None) -> str:
    """`1,234.50`: the digits of the currency's minor unit, without the currency, which stands beside it."""
    if minor is None:
        return ""
    amount = from_minor(minor, currency or "EUR")
    return f"{amount:,f}"


def exact(moment: datetime) -> str:
    """A point in time, exactly: `2026-01-06 09:00:12 UTC`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in words; a date where that is easier to grasp."""
    seconds = (now - moment).total_seconds()
    if seconds < 0:
        return "in " + _span(-seconds)
    if seconds < 45:
        return "just now"
    if seconds < 7 * 86400:
        return f"{_span(seconds)} ago"
    moment = moment.astimezone(UTC)
    return moment.strftime("%d %b").lstrip("0") if moment.year == now.year else moment.strftime("%d %b %Y").lstrip("0")


def _span(seconds: float) -> str:
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {word}" + ("s" if count != 1 else "")
    return f"{max(1, round(seconds))} seconds"


def due(day: date, today: date) -> str:
    """How far a due day is away, in words."""
    days = (day - today).days
    if days == 0:
        return "due today"
    if days > 0:
        return f"due in {days} day{'s' if days != 1 else ''}"
    return f"{-days} day{'s' if days != -1 else ''} overdue"


def size_of(count: int) -> str:
    """A number of bytes in words."""
    if count < 10_000:
        return f"{count:,} bytes"
    if count < 10_000_000:
        return f"{count / 1000:,.0f} kB"
    return f"{count / 1_000_000:,.1f} MB"


def short_hash(digest: str) -> str:
    """The beginning of a digest, enough to compare by eye."""
    return digest[:12]


def masked_account(account: str | None) -> str:
    """A bank account with only its ends: never in full on a page."""
    if not account:
        return ""
    bare = account.replace(" ", "")
    return f"{bare[:4]}…{bare[-4:]}" if len(bare) > 10 else f"…{bare[-3:]}"
