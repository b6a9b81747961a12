"""Finding documents that a payment mentions: structured references, document numbers, numbers in free text. Says where it read what.

Knows open items by their numbers and references; what to do with what was found is trade.cash.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from itertools import takewhile

from gateway.model.values import Value
from gateway.trade.reference import bare_reference
from gateway.trade.reference import rf_reference

#: a number of digits alone is a mention only from this length on: shorter ones are dates, counts, house numbers
_FEWEST_DIGITS = 5
#: pieces that one number may be written in: INV 2026-00 017
_MOST_PIECES = 5
_MOST_DIGIT_PIECES = 3
_TOKEN = re.compile(r"[A-Za-z0-9]+")
_DIGITS = re.compile(r"[0-9]+")
_RF = re.compile(r"(?i)(?<![A-Za-z0-9])RF\d\d(?: ?[A-Za-z0-9]{1,4}){1,6}")
_MOST_TEXT = 4000


class OpenItem(Value, frozen=True, kw_only=True):
    """An invoice, or a credit note with a negative amount, that is not settled. `id` is ours."""

    id: str
    number: str
    partner: str
    kind: str = "invoice"
    currency: str
    open: Decimal
    order_number: str | None = None
    #: structured reference that we asked the payer to repeat; made from the number where it is not known
    reference: str | None = None


class Evidence(Value, frozen=True, kw_only=True):
    """Why an item is meant: the rule, and the text that was read (`start` and `end` count characters of `field`)."""

    rule: str
    item: str
    field: str
    text: str
    start: int = 0
    end: int = 0
    #: false for a hit that is worth a look but not enough by itself
    strong: bool = True


class Index:
    """Open items by all that a payer may write for them."""

    def __init__(self, items: Iterable[OpenItem]) -> None:
        self.items = list(items)
        self.by_reference: dict[str, list[OpenItem]] = {}
        self.by_number: dict[str, list[OpenItem]] = {}
        self.by_digits: dict[str, list[OpenItem]] = {}
        for item in self.items:
            number = bare_reference(item.number)
            references = {bare_reference(item.reference)} if item.reference else {rf_reference(item.number)} if number else set()
            for reference in references:
                self.by_reference.setdefault(reference, []).append(item)
            self.by_number.setdefault(number, []).append(item)
            # All digits of a number, and its counter alone: payers write 107207 for IN26-107207.
            counter = _DIGITS.findall(item.number)[-1:]
            for digits in {_digits(number), *counter}:
                if len(digits) >= _FEWEST_DIGITS:
                    self.by_digits.setdefault(digits.lstrip("0"), []).append(item)

    def of_reference(self, text: str, field: str) -> list[Evidence]:
        """A structured reference as sent: whole, as our document's number, or by its digits."""
        bare = bare_reference(text)
        for rule, found in (
            ("reference", self.by_reference.get(bare)),
            ("reference", self.by_number.get(bare)),
            ("reference_digits", self._digits_of(bare)),
        ):
            if found:
                return [Evidence(rule=rule, item=item.id, field=field, text=text, end=len(text), strong=len(found) == 1) for item in found]
        return []

    def of_number(self, text: str, field: str) -> list[Evidence]:
        """A document number in a field of its own: whole, or by its digits (payers drop prefixes and leading zeros)."""
        bare = bare_reference(text)
        for rule, found in (("number", self.by_number.get(bare)), ("number_digits", self._digits_of(bare))):
            if found:
                return [Evidence(rule=rule, item=item.id, field=field, text=text, end=len(text), strong=len(found) == 1) for item in found]
        return []

    def of_text(self, text: str, field: str) -> list[Evidence]:
        """Everything that free text mentions. Digits alone are weak: they may be a date or an order."""
        text = text[:_MOST_TEXT]
        found = self._references_in(text, field)
        tokens = [(token.group(), token.start(), token.end()) for token in _TOKEN.finditer(text)]
        position = 0
        while position < len(tokens):
            taken = 1
            for count in range(min(_MOST_PIECES, len(tokens) - position), 0, -1):
                start, end = tokens[position][1], tokens[position + count - 1][2]
                items = self.by_number.get("".join(token for token, _, _ in tokens[position : position + count]).upper())
                if items and end - start <= 60:
                    strong = len(items) == 1 and _is_telling(items[0].number)
                    found += [
                        Evidence(rule="number_in_text", item=item.id, field=field, text=text[start:end], start=start, end=end, strong=strong)
                        for item in items
                    ]
                    taken = count
                    break
            else:
                weak, taken = self._digits_in(tokens[position : position + _MOST_DIGIT_PIECES], text, field)
                found += weak
            position += taken
        return found

    def _digits_in(self, tokens: list[tuple[str, int, int]], text: str, field: str) -> tuple[list[Evidence], int]:
        """A number of digits alone, in one piece or in groups; and how many pieces it takes."""
        digits = list(takewhile(lambda token: token[0].isdecimal() and token[0].isascii(), tokens))
        for count in range(len(digits), 0, -1):
            start, end = digits[0][1], digits[count - 1][2]
            items = self._digits_of("".join(token for token, _, _ in digits[:count]))
            if items:
                return [
                    Evidence(rule="digits_in_text", item=item.id, field=field, text=text[start:end], start=start, end=end, strong=False)
                    for item in items
                ], count
        return [], 1

    def _references_in(self, text: str, field: str) -> list[Evidence]:
        found = []
        for match in _RF.finditer(text):
            words = match.group().split(" ")
            for count in range(len(words), 0, -1):
                written = " ".join(words[:count])
                items = self.by_reference.get(bare_reference(written))
                if items:
                    end = match.start() + len(written)
                    found += [
                        Evidence(rule="reference", item=item.id, field=field, text=written, start=match.start(), end=end, strong=len(items) == 1)
                        for item in items
                    ]
                    break
        return found

    def _digits_of(self, bare: str) -> list[OpenItem] | None:
        digits = _digits(bare)
        return self.by_digits.get(digits.lstrip("0")) if len(digits) >= _FEWEST_DIGITS else None


def numbers_in(*texts: str | None) -> set[str]:
    """All that may be a document's number in these texts, as numbers are compared; such as hardly stand there by chance."""
    found: set[str] = set()
    for text in texts:
        tokens = _TOKEN.findall((text or "")[:_MOST_TEXT])
        for start in range(len(tokens)):
            for count in range(1, _MOST_PIECES + 1):
                bare = "".join(tokens[start : start + count]).upper()
                found |= {number for number in (bare, bare[4:] if bare.startswith("RF") else "") if _is_telling(number)}
    return found


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isascii() and sign.isdigit())


def _is_telling(number: str) -> bool:
    """Whether a number can hardly stand in a text by chance: letters and digits together, or many digits."""
    bare = bare_reference(number)
    digits = _digits(bare)
    return len(bare) >= _FEWEST_DIGITS and (len(digits) < len(bare) and len(digits) >= 2 or len(digits) >= 8)


def one_each(found: Iterable[Evidence]) -> list[Evidence]:
    """The first (and strongest) evidence for each item."""
    kept: dict[str, Evidence] = {}
    for evidence in found:
        if evidence.item not in kept or (evidence.strong and not kept[evidence.item].strong):
            kept[evidence.item] = evidence
    return list(kept.values())
