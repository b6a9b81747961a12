"""How each partner writes an order and understands our answers, in one form for the story: X12, EDIFACT, UBL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from gateway.demo import messages_edifact
from gateway.demo import messages_ubl
from gateway.demo import messages_x12
from gateway.demo.cast import Changed
from gateway.demo.cast import Company
from gateway.demo.cast import Purchase


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a buyer reads in an invoice or a credit note."""

    number: str
    amount: Decimal


class Dialect(Protocol):
    """What the story asks of a syntax. Each `is_` says whether a file is that answer to this order."""

    #: our answers' names: acknowledgment, response, advice, invoice
    names: tuple[str, str, str, str]

    def order(self, buyer: Company, purchases: Sequence[Purchase], control: int, at: datetime) -> tuple[str, bytes]:
        """A file of orders with its name."""
        ...

    def acknowledged(self, data: bytes, control: int) -> str | None:
        """accepted or rejected where this acknowledges the interchange; None where it does not."""
        ...

    def answered(self, data: bytes, number: str) -> str | None:
        """accepted, changed or rejected where this responds to the order; None where it does not."""
        ...

    def is_advice(self, data: bytes, number: str) -> bool: ...

    def bill(self, data: bytes, number: str) -> Bill | None:
        """The invoice, where this is one for the order."""
        ...


class ChangingDialect(Dialect, Protocol):
    """A syntax in which the story changes an order."""

    #: the name of our answer to a change
    change_answer: str

    def change(self, buyer: Company, purchase: Purchase, sequence: int, lines: Sequence[Changed], control: int, at: datetime) -> tuple[str, bytes]:
        """A file with a change of an order, and its name."""
        ...

    def change_answered(self, data: bytes, number: str, sequence: int) -> dict[str, str] | None:
        """line -> what becomes of it, where this answers that change."""
        ...


class X12:
    """850 and 860 out; 997, 855, 865, 856, 810 in."""

    names = ("997", "855", "856", "810")
    change_answer = "865"

    def order(self, buyer: Company, purchases: Sequence[Purchase], control: int, at: datetime) -> tuple[str, bytes]:
        return f"850-{control:05d}.edi", messages_x12.orders(buyer, purchases, control, at)

    def acknowledged(self, data: bytes, control: int) -> str | None:
        if messages_x12.kind(data) != "997" or messages_x12.value(data, "AK1", 2) != str(control):
            return None
        return {"A": "accepted", "E": "accepted", "P": "partly accepted"}.get(messages_x12.value(data, "AK9", 1) or "", "rejected")

    def answered(self, data: bytes, number: str) -> str | None:
        if messages_x12.kind(data) != "855" or messages_x12.value(data, "BAK", 3) != number:
            return None
        said = messages_x12.value(data, "BAK", 2) or ""
        return {"AD": "accepted", "AT": "accepted", "AK": "accepted", "AC": "changed"}.get(said, "rejected" if said.startswith("R") else said)

    def change(self, buyer: Company, purchase: Purchase, sequence: int, lines: Sequence[Changed], control: int, at: datetime) -> tuple[str, bytes]:
        return f"860-{control:05d}.edi", messages_x12.change(buyer, purchase, sequence, lines, control, at)

    def change_answered(self, data: bytes, number: str, sequence: int) -> dict[str, str] | None:
        if messages_x12.kind(data) != "865" or (messages_x12.value(data, "BCA", 3), messages_x12.value(data, "BCA", 5)) != (number, str(sequence)):
            return None
        said, line = {}, ""
        for segment in messages_x12.segments(data):
            if segment[0] == "POC":
                line = segment[1]
            elif segment[0] == "ACK":
                said[line] = {"IA": "accepted", "IR": "rejected", "ID": "deleted"}.get(segment[1], "changed")
        return said

    def is_advice(self, data: bytes, number: str) -> bool:
        return messages_x12.kind(data) == "856" and messages_x12.value(data, "PRF", 1) == number

    def bill(self, data: bytes, number: str) -> Bill | None:
        if messages_x12.kind(data) != "810" or messages_x12.value(data, "BIG", 4) != number:
            return None
        return Bill(number=messages_x12.value(data, "BIG", 2) or "", amount=Decimal(messages_x12.value(data, "TDS", 1) or 0) / 100)


class Edifact:
    """ORDERS and ORDCHG out; CONTRL, ORDRSP, DESADV, INVOIC in."""

    names = ("CONTRL", "ORDRSP", "DESADV", "INVOIC")
    change_answer = "ORDRSP"

    def order(self, buyer: Company, purchases: Sequence[Purchase], control: int, at: datetime) -> tuple[str, bytes]:
        return f"orders-{control:05d}.edi", messages_edifact.orders(buyer, purchases, f"R{control}", at)

    def acknowledged(self, data: bytes, control: int) -> str | None:
        if messages_edifact.kind(data) != "CONTRL" or messages_edifact.value(data, "UCI", 1) != f"R{control}":
            return None
        return "accepted" if messages_edifact.value(data, "UCI", 4) in {"7", "8", "1"} else "rejected"

    def answered(self, data: bytes, number: str) -> str | None:
        if messages_edifact.kind(data) != "ORDRSP" or not self._about(data, number) or messages_edifact.value(data, "RFF", 1, 1, "PP"):
            return None
        said = messages_edifact.value(data, "BGM", 3) or ""
        return {"29": "accepted", "44": "accepted", "4": "changed", "27": "rejected"}.get(said, said)

    def change(self, buyer: Company, purchase: Purchase, sequence: int, lines: Sequence[Changed], control: int, at: datetime) -> tuple[str, bytes]:
        return f"ordchg-{control:05d}.edi", messages_edifact.change(buyer, purchase, sequence, lines, f"R{control}", at)

    def change_answered(self, data: bytes, number: str, sequence: int) -> dict[str, str] | None:
        if messages_edifact.kind(data) != "ORDRSP" or messages_edifact.value(data, "RFF", 1, 1, "PP") != f"{number}-C{sequence}":
            return None
        lines = [segment for segment in messages_edifact.segments(data) if segment[0][0] == "LIN"]
        return {line[1][0]: {"5": "accepted", "7": "rejected", "2": "deleted"}.get(line[2][0], "changed") for line in lines}

    def is_advice(self, data: bytes, number: str) -> bool:
        return messages_edifact.kind(data) == "DESADV" and self._about(data, number)

    def bill(self, data: bytes, number: str) -> Bill | None:
        if messages_edifact.kind(data) != "INVOIC" or not self._about(data, number):
            return None
        amounts = (messages_edifact.value(data, "MOA", 1, 1, qualifier) for qualifier in ("9", "77", "39"))
        return Bill(number=messages_edifact.value(data, "BGM", 2) or "", amount=Decimal(next((amount for amount in amounts if amount), "0")))

    def _about(self, data: bytes, number: str) -> bool:
        return messages_edifact.value(data, "RFF", 1, 1, "ON") == number


class Ubl:
    """Order out; OrderResponse, DespatchAdvice, Invoice, CreditNote in. There is no acknowledgment of syntax."""

    names = ("", "OrderResponse", "DespatchAdvice", "Invoice")

    def order(self, buyer: Company, purchases: Sequence[Purchase], control: int, at: datetime) -> tuple[str, bytes]:
        [purchase] = purchases
        return f"order-{purchase.number}.xml", messages_ubl.order(buyer, purchase)

    def acknowledged(self, data: bytes, control: int) -> str | None:
        return None

    def answered(self, data: bytes, number: str) -> str | None:
        if messages_ubl.kind(data) != "OrderResponse" or not messages_ubl.mentions(data, number):
            return None
        said = messages_ubl.value(data, "OrderResponseCode") or ""
        return {"AP": "accepted", "AB": "accepted", "CA": "changed", "RE": "rejected"}.get(said, said)

    def is_advice(self, data: bytes, number: str) -> bool:
        return messages_ubl.kind(data) == "DespatchAdvice" and messages_ubl.mentions(data, number)

    def bill(self, data: bytes, number: str) -> Bill | None:
        return self._bill(data, "Invoice", number)

    def credit(self, data: bytes, invoice: str) -> Bill | None:
        """The credit note, where this is one for the invoice."""
        return self._bill(data, "CreditNote", invoice)

    def _bill(self, data: bytes, kind: str, number: str) -> Bill | None:
        if messages_ubl.kind(data) != kind or not messages_ubl.mentions(data, number):
            return None
        return Bill(number=messages_ubl.value(data, "ID") or "", amount=Decimal(messages_ubl.value(data, "PayableAmount") or 0))
