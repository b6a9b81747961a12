"""EDIFACT orders as a partner sends them."""

EUROCO = "5412345000013"


def edifact_order(number: str, control: int, sender: str = EUROCO, *, test: bool = False) -> bytes:
    """An ORDERS D96A of one line."""
    body = [
        "UNH+1+ORDERS:D:96A:UN",
        f"BGM+220+{number}+9",
        "DTM+137:20260105:102",
        "DTM+2:20260120:102",
        f"NAD+BY+{sender}::9",
        "NAD+SU+4012345500004::9",
        "CUX+2:EUR:9",
        "LIN+1++SKU1:SA",
        "QTY+21:10:PCE",
        "PRI+AAA:9.25",
        "UNS+S",
        "CNT+2:1",
    ]
    head = f"UNB+UNOC:3+{sender}:14+4012345500004:14+260105:1200+{control}" + ("++++++1" if test else "")
    return ("'".join([head, *body, f"UNT+{len(body) + 1}+1", f"UNZ+1+{control}"]) + "'").encode()
