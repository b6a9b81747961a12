"""Numbers as people say them: with the word for what it is before it, without the letters that our series begin with, with the application
identifier that a label's barcode has before an SSCC. Only asked where nothing is called exactly so."""

import re
from collections.abc import Sequence
from string import Formatter

from gateway.store.records.references import normalise
from gateway.trade.sscc import bare_sscc

#: what people say before a number, in the normalised form of numbers; the longest first
_WORDS = ("purchase order", "credit note", "delivery note", "despatch advice", "order", "invoice", "shipment", "delivery", "inv", "po", "sscc")
_SAID = re.compile(rf"^\s*({'|'.join(_WORDS)})\b[\s.:#-]*(?:(?:number|no|nr)\b[\s.:#-]*)?(?=.*\d)", re.IGNORECASE)
#: words behind which a bare number is one of our own series
_OURS = frozenset({"invoice", "inv", "credit note"})


def spoken_forms(reference: str, series: Sequence[str]) -> list[str]:
    """What may be meant by it, likeliest first. `series`: how our own numbers are made (`INV-{number:06d}`)."""
    said = _SAID.match(reference)
    word, rest = (said[1].lower(), reference[said.end() :].strip()) if said else ("", reference.strip())
    forms = [rest] if said else []
    forms += [number for form in series if (number := _numbered(form, reference, rest if word in _OURS else "")) is not None]
    sscc = bare_sscc(rest)
    if len(sscc) == 18 and sscc != rest:
        forms.append(sscc)
    if rest.isascii() and rest.isdigit() and rest.strip("0"):
        bare = rest.lstrip("0")
        forms += [bare, f"PO{bare}"]
    return [form for form in dict.fromkeys(forms) if normalise(form) != normalise(reference)]


def _numbered(form: str, reference: str, bare: str) -> str | None:
    """The number of our own series that is meant: `INV-1`, or a bare number behind a word for it."""
    parts = list(Formatter().parse(form))
    before, whole = normalise(parts[0][0]), normalise(reference)
    counts = [whole.removeprefix(before) if before and whole.startswith(before) else "", normalise(bare)]
    return next((form.format(number=int(count)) for count in counts if count.isascii() and count.isdigit() and len(count) <= 12), None)
