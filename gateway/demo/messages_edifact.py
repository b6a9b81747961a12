"""EDIFACT as our partner writes and reads it: ORDERS D.96A out, what we send it in. Its own code, none of ours."""

import re
from collections.abc import Sequence
from datetime import datetime

from gateway.demo.cast import US
from gateway.demo.cast import Changed
from gateway.demo.cast import Company
from gateway.demo.cast import Purchase


def orders(buyer: Company, purchases: Sequence[Purchase], control: str, at: datetime) -> bytes:
    """One interchange of ORDERS messages."""
    segments = [f"UNB+UNOC:3+{buyer.identity}:14+{US.gln}:14+{at:%y%m%d:%H%M}+{control}"]
    for position, purchase in enumerate(purchases, 1):
        segments += _order(buyer, purchase, position)
    segments.append(f"UNZ+{len(purchases)}+{control}")
    return ("'\n".join(["UNA:+.? ", *segments]) + "'\n").encode("latin-1")


def _order(buyer: Company, purchase: Purchase, position: int) -> list[str]:
    body = [
        f"UNH+{position}+ORDERS:D:96A:UN:EAN008",
        f"BGM+220+{purchase.number}+{'1' if purchase.cancels else '9'}",
        f"DTM+137:{purchase.issued_on:%Y%m%d}:102",
        f"DTM+2:{purchase.requested_on:%Y%m%d}:102",
        f"NAD+BY+{buyer.gln}::9++{buyer.name}+{buyer.street}+{buyer.city}++{buyer.postal_code}+{buyer.country}",
        f"NAD+SU+{US.gln}::9",
        f"NAD+DP+{buyer.gln}::9",
        f"CUX+2:{buyer.currency}:9",
    ]
    for number, line in enumerate(purchase.lines, 1):
        body += [
            f"LIN+{number}++{line.ware.gtin}:EN",
            f"PIA+1+{line.ware.number}:SA+{line.ware.number_of(buyer.id)}:IN",
            f"IMD+F++:::{line.ware.name}",
            f"QTY+21:{line.quantity}:PCE",
            f"PRI+AAA:{line.price}",
        ]
    body += ["UNS+S", f"CNT+2:{len(purchase.lines)}"]
    return [*body, f"UNT+{len(body) + 1}+{position}"]


def change(buyer: Company, purchase: Purchase, sequence: int, lines: Sequence[Changed], control: str, at: datetime) -> bytes:
    """An ORDCHG: lines of an order that are to be otherwise."""
    body = [
        "UNH+1+ORDCHG:D:96A:UN:EAN008",
        f"BGM+230+{purchase.number}-C{sequence}+4",
        f"DTM+137:{at:%Y%m%d}:102",
        f"RFF+ON:{purchase.number}",
        f"NAD+BY+{buyer.gln}::9",
        f"NAD+SU+{US.gln}::9",
    ]
    for one in lines:
        body.append(f"LIN+{one.line}+{2 if one.quantity is None else 3}+{one.ware.gtin}:EN")
        body += [] if one.quantity is None else [f"QTY+21:{one.quantity}:PCE"]
    body += ["UNS+S", f"CNT+2:{len(lines)}"]
    body.append(f"UNT+{len(body) + 1}+1")
    head = ["UNA:+.? ", f"UNB+UNOC:3+{buyer.identity}:14+{US.gln}:14+{at:%y%m%d:%H%M}+{control}"]
    return ("'\n".join([*head, *body, f"UNZ+1+{control}"]) + "'\n").encode("latin-1")


def segments(data: bytes) -> list[list[list[str]]]:
    """The segments of an interchange: elements, each cut into its components."""
    text = data.decode("latin-1")
    if text.startswith("UNA"):
        text = text[9:]
    raw = [segment.strip() for segment in re.split(r"(?<!\?)'", text) if segment.strip()]
    return [[re.split(r"(?<!\?):", element) for element in re.split(r"(?<!\?)\+", segment)] for segment in raw]


def value(data: bytes, tag: str, element: int, component: int = 0, qualifier: str | None = None) -> str | None:
    """A component of the first segment with this tag (and this first component)."""
    for segment in segments(data):
        if segment[0][0] == tag and len(segment) > element and (qualifier is None or segment[1][0] == qualifier):
            parts = segment[element]
            return parts[component] if len(parts) > component else None
    return None


def kind(data: bytes) -> str | None:
    """CONTRL, ORDRSP, ...: what the interchange holds."""
    return value(data, "UNH", 2)
