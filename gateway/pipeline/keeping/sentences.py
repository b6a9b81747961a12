"""One event of a trail as a plain sentence: what it is about, what happened, by whom, why, and the codes of what went wrong. The journal's own
words are of the gateway's rooms; here they are said in the words of those who read them."""

from collections.abc import Callable

from gateway.pipeline.keeping.trails import Event

_Facts = dict[str, str]
#: what was done, and what else is to be said of it behind who did it
_Told = tuple[str, str]


def _received(facts: _Facts) -> _Told:
    way, size = facts.get("address", ""), facts.get("size")
    return "received", (f" over {way}" if ":" in way else "") + (f", {size} bytes" if size else "")


def _opened(facts: _Facts) -> _Told:
    sides = f", from {facts['sender']} to {facts.get('receiver') or 'nobody'}" if facts.get("sender") else ""
    return "opened", sides + (", a test" if facts.get("test") == "yes" else "")


def _closed(facts: _Facts) -> _Told:
    return "read to its end", f", {facts.get('outcome', 'accepted').replace('_', ' ')}"


def _numbered(facts: _Facts) -> str:
    return f" as {facts['identity']}" if facts.get("identity") else ""


def _written(facts: _Facts) -> _Told:
    number = facts.get("control", "")
    # as it stands in the file: ISA13 has nine digits
    number = number.zfill(9) if number.isdigit() and facts.get("spec", "").startswith("x12/") else number
    return "written", _numbered(facts) + (f", interchange {number}" if number else "")


def _answered(facts: _Facts) -> _Told:
    outcome = facts.get("outcome", "").replace("_", " ")
    return "answered", " with {}" + (f", {outcome}" if outcome else "")


def _plainly(verb: str, more: str = "") -> Callable[[_Facts], _Told]:
    return lambda _: (verb, more)


def _paid(verb: str, to: str = "") -> Callable[[_Facts], _Told]:
    """A payment, with its amount, its payer and the invoices."""

    def told(facts: _Facts) -> _Told:
        amount = f" of {facts['amount'].removeprefix('-')}" if facts.get("amount") else ""
        payer = f" from {facts['partner']}" if facts.get("partner") else ""
        numbers = ", ".join(facts.get("numbers", "").split(","))
        return f"payment{amount}{payer} {verb}", f" {to} {numbers}" if to and numbers else ""

    return told


_UNTIL_DECIDED = _plainly("held", ", until a person decides")
#: what the journal says -> what a person reads, by what it is about and what happened to it. What is not here is said as it stands.
_WORDS: dict[tuple[str, str], Callable[[_Facts], _Told]] = {
    ("transmission", "received"): _received,
    ("transmission", "transmission done"): _plainly("worked through"),
    ("transmission", "transmission held"): _UNTIL_DECIDED,
    ("transmission", "transmission unreadable"): _plainly("held", ", until a person decides, since it cannot be read"),
    ("transmission", "file released"): _plainly("released"),
    ("transmission", "file rejected"): _plainly("rejected"),
    ("interchange", "interchange opened"): _opened,
    ("interchange", "interchange done"): _closed,
    ("interchange", "interchange held"): _UNTIL_DECIDED,
    ("interchange", "interchange refused"): lambda facts: ("refused", " as a duplicate" if facts.get("outcome") == "duplicate" else ""),
    ("interchange", "acknowledgment not sent"): _plainly("not acknowledged"),
    ("document", "document registered"): lambda facts: ("read", f" as {facts.get('type', '')} {facts.get('control', '')}".rstrip()),
    ("document", "document rejected"): _plainly("rejected"),
    ("document", "document held"): _UNTIL_DECIDED,
    ("document", "document done"): _plainly("read"),
    ("document", "payment known"): _plainly("not booked again"),
    ("document", "payment applied"): _paid("applied", "to"),
    ("document", "payment on_account"): _paid("put on account"),
    ("document", "payment unapplied"): _paid("left unmatched"),
    ("document", "payment reversal"): _paid("taken back", "from"),
    ("document", "hold released"): _plainly("released"),
    ("document", "hold rejected"): _plainly("rejected"),
    ("document", "step failed"): lambda facts: ("not finished", f", try {facts.get('attempts', '')} failed ({facts.get('error', '')})"),
    ("as2_request", "AS2 message came again"): _plainly("answered again", ", as it was the first time"),
    ("as2_request", "AS2 receipt fits nothing that we sent"): _plainly("receipt kept", ", although it fits nothing that we sent"),
    ("as2_request", "AS2 message waits to be opened"): _plainly("taken", ", to be opened"),
    ("document", "handed over"): _plainly("handed over", " to our own systems"),
}
#: the same by the end of what the journal says; {} is what stands before it
_ENDS: tuple[tuple[str, str, Callable[[_Facts], _Told]], ...] = (
    ("interchange", " enqueued", _answered),
    ("document", " enqueued", _answered),
    ("document", " kept", _plainly("kept", "; nothing follows from it")),
    ("outbox", " prepared", _written),
    ("outbox", " sent", lambda facts: ("sent", _numbered(facts))),
    ("outbox", " posted", lambda facts: ("handed", f" to the partner's station{_numbered(facts)}; its receipt comes later")),
)


def happened(event: Event) -> _Told | None:
    """What happened, in words that somebody outside of this program understands: `sent`, ` as 855-000000003.edi`. None: the journal's own words
    are such words."""
    exact = _WORDS.get((event.subject_kind, event.action))
    if exact is not None:
        return exact(event.facts)
    for kind, end, words in _ENDS:
        if event.subject_kind == kind and event.action.endswith(end):
            verb, more = words(event.facts)
            return verb, more.replace("{}", event.action.removesuffix(end))
    return None


def _as_it_stands(event: Event) -> str:
    """The journal's words, without the kind of document where the name has said it: `order accepted` of `order PO1`."""
    action = event.action.replace("_", " ")
    about = event.words.rpartition(" ")[0]
    for said in (about, "acknowledgment" if event.subject_kind == "outbox" else ""):
        if said and action.startswith(f"{said} "):
            return action.removeprefix(f"{said} ")
    return action


def told(event: Event) -> str:
    """One sentence: what it is about, what happened, by whom, why, with the codes of what was wrong."""
    verb, more = happened(event) or (_as_it_stands(event), "")
    who = f"partner {event.actor.removeprefix('partner:')}" if event.actor.startswith("partner:") else event.actor
    who = "the gateway" if who == "gateway" else who
    codes = ", ".join(code for code in event.facts.get("problems", "").split(",") if code and code not in event.reason)
    why = (f": {event.reason}" if event.reason else "") + (f" ({codes})" if codes else "")
    return f"{event.words or event.subject}: {verb} by {who}{more}{why}"
