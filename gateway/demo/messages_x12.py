"""X12 as our partners write and read it: purchase orders and remittances out, what we send them in. Their own code, none of ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gateway.demo.cast import US
from gateway.demo.cast import Changed
from gateway.demo.cast import Company
from gateway.demo.cast import Purchase


@dataclass(frozen=True, slots=True, kw_only=True)
class Remitted:
    """One invoice that a payment is for."""

    invoice: str
    amount: Decimal


def orders(buyer: Company, purchases: Sequence[Purchase], control: int, at: datetime, *, test: bool = False, sender: str | None = None) -> bytes:
    """One interchange of 850s."""
    sets = [_order(buyer, purchase, position) for position, purchase in enumerate(purchases, 1)]
    return _interchange(buyer, "PO", sets, control, at, test=test, sender=sender)


def _order(buyer: Company, purchase: Purchase, position: int) -> list[str]:
    body = [
        f"ST*850*{position:04d}",
        f"BEG*{'01' if purchase.cancels else '00'}*SA*{purchase.number}**{purchase.issued_on:%Y%m%d}",
        f"CUR*BY*{buyer.currency}",
        f"DTM*002*{purchase.requested_on:%Y%m%d}",
        f"N1*BY*{buyer.name.upper()}*UL*{buyer.gln}",
        f"N1*ST*{buyer.name.upper()} STORE 12*92*0012",
        f"N3*{buyer.street.upper()}",
        f"N4*{buyer.city.upper()}*{buyer.region}*{buyer.postal_code}*{buyer.country}",
    ]
    for number, line in enumerate(purchase.lines, 1):
        body.append(f"PO1*{number}*{line.quantity}*EA*{line.price}**BP*{line.ware.number_of(buyer.id)}*VP*{line.ware.number}")
        body.append(f"PID*F****{line.ware.name.upper()}")
    body.append(f"CTT*{len(purchase.lines)}")
    return [*body, f"SE*{len(body) + 1}*{position:04d}"]


def change(buyer: Company, purchase: Purchase, sequence: int, lines: Sequence[Changed], control: int, at: datetime) -> bytes:
    """An 860: lines of an order that are to be otherwise."""
    body = ["ST*860*0001", f"BCH*04*SA*{purchase.number}**{sequence}*{purchase.issued_on:%Y%m%d}*****{at:%Y%m%d}"]
    for one in lines:
        names = f"BP*{one.ware.number_of(buyer.id)}*VP*{one.ware.number}"
        if one.quantity is None:
            body.append(f"POC*{one.line}*DI******{names}")
        else:
            body.append(f"POC*{one.line}*{'QI' if one.more else 'QD'}*{one.quantity}*{one.quantity}*EA***{names}")
    body.append(f"CTT*{len(lines)}")
    return _interchange(buyer, "PC", [[*body, f"SE*{len(body) + 1}*0001"]], control, at)


def remittance(buyer: Company, trace: str, paid: Sequence[Remitted], control: int, at: datetime) -> bytes:
    """An 820 that travels with its payment."""
    total = sum((one.amount for one in paid), Decimal(0))
    body = [
        "ST*820*0001",
        f"BPR*C*{total}*C*ACH*CTX*01*071000013*DA*55501*1{buyer.id.upper():0<9.9}**01*071000505*DA*77701*{at:%Y%m%d}",
        f"TRN*1*{trace}",
        f"DTM*097*{at:%Y%m%d}",
        f"N1*PR*{buyer.name.upper()}",
        f"N1*PE*{US.name.upper()}",
        "ENT*1",
        *(f"RMR*IV*{one.invoice}**{one.amount}" for one in paid),
    ]
    return _interchange(buyer, "RA", [[*body, f"SE*{len(body) + 1}*0001"]], control, at)


def acknowledgment(buyer: Company, received: bytes, control: int, at: datetime) -> bytes:
    """The 997 that accepts a group of ours with its one transaction."""
    group, type, number = (value(received, tag, element) or "" for tag, element in (("GS", 1), ("ST", 1), ("ST", 2)))
    body = ["ST*997*0001", f"AK1*{group}*{value(received, 'GS', 6)}", f"AK2*{type}*{number}", "AK5*A", "AK9*A*1*1*1"]
    return _interchange(buyer, "FA", [[*body, f"SE*{len(body) + 1}*0001"]], control, at)


def _interchange(
    buyer: Company, group: str, sets: Sequence[Sequence[str]], control: int, at: datetime, *, test: bool = False, sender: str | None = None
) -> bytes:
    us, them = US.identity, sender or buyer.identity
    head = [
        f"ISA*00*          *00*          *ZZ*{them:<15}*ZZ*{us:<15}*{at:%y%m%d*%H%M}*U*00401*{control:09d}*0*{'T' if test else 'P'}*>",
        f"GS*{group}*{them}*{us}*{at:%Y%m%d*%H%M}*{control}*X*004010",
    ]
    tail = [f"GE*{len(sets)}*{control}", f"IEA*1*{control:09d}"]
    return ("~\n".join([*head, *(segment for one in sets for segment in one), *tail]) + "~\n").encode()


def segments(data: bytes) -> list[list[str]]:
    """The segments of an interchange, each cut into its elements."""
    text = data.decode("latin-1")
    if not text.startswith("ISA") or len(text) < 106:
        return []
    return [segment.strip().split(text[3]) for segment in text.split(text[105]) if segment.strip()]


def value(data: bytes, tag: str, element: int, where: tuple[int, str] | None = None) -> str | None:
    """An element of the first segment with this tag (and this value in another of its elements)."""
    for segment in segments(data):
        if segment[0] == tag and len(segment) > element and (where is None or (len(segment) > where[0] and segment[where[0]] == where[1])):
            return segment[element]
    return None


def kind(data: bytes) -> str | None:
    """997, 855, ...: what the interchange holds."""
    return value(data, "ST", 1)
