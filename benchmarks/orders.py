"""Large interchanges of purchase orders as partners send them, the same bytes each time."""

import random


def x12(orders: int, lines: int) -> bytes:
    """One ISA and GS with so many 850 of so many lines."""
    chance = random.Random(1)
    parts = [
        "ISA*00*          *00*          *ZZ*ACMEBUYER      *ZZ*SELLERCO       *260105*1200*U*00401*000000001*0*P*>",
        "GS*PO*ACMEBUYER*SELLERCO*20260105*1200*1*X*004010",
    ]
    for number in range(1, orders + 1):
        body = [
            f"ST*850*{number:09d}",
            f"BEG*00*SA*PO{number:08d}**20260105",
            "CUR*BY*USD",
            "REF*DP*038",
            "DTM*002*20260120",
            "N1*BY*ACME CORP*UL*1234567890128",
            "N1*ST*ACME STORE 12*92*0012",
            "N3*12 MAIN ST",
            "N4*SPRINGFIELD*IL*62701*US",
        ]
        for line in range(1, lines + 1):
            body.append(
                f"PO1*{line}*{chance.randint(1, 99)}*EA*{chance.randint(100, 9999) / 100:.2f}**BP*B{chance.randint(1000, 9999)}"
                f"*VP*V{chance.randint(1000, 9999)}*UP*{gtin(chance, 12)}"
            )
            body.append("PID*F****WIDGET BLUE LARGE")
        parts += [*body, f"CTT*{lines}", f"SE*{len(body) + 2}*{number:09d}"]
    return ("~".join([*parts, f"GE*{orders}*1", "IEA*1*000000001"]) + "~").encode()


def edifact(orders: int, lines: int) -> bytes:
    """One UNB with so many ORDERS D.96A of so many lines."""
    chance = random.Random(1)
    parts = ["UNA:+.? 'UNB+UNOC:3+5412345000013:14+4012345500004:14+260105:1200+REF1++ORDERS"]
    for number in range(1, orders + 1):
        body = [
            f"UNH+{number}+ORDERS:D:96A:UN:EAN008",
            f"BGM+220+PO{number:08d}+9",
            "DTM+137:20260105:102",
            "DTM+2:20260120:102",
            f"FTX+AAI+++{'Rush?: dock 4? ?+ gate?' + chr(39) + 's bell' if number % 50 == 0 else 'Deliver to dock 4'}",
            "NAD+BY+5412345000013::9",
            "NAD+SU+4012345500004::9",
            "NAD+DP+5412345000020::9",
            "CUX+2:EUR:9",
        ]
        for line in range(1, lines + 1):
            body += [
                f"LIN+{line}++{gtin(chance, 13)}:EN",
                f"PIA+1+V{chance.randint(1000, 9999)}:SA",
                "IMD+F++:::Widget blue large",
                f"QTY+21:{chance.randint(1, 99)}:PCE",
                f"PRI+AAA:{chance.randint(100, 9999) / 100:.2f}",
            ]
        parts += [*body, "UNS+S", f"CNT+2:{lines}", f"UNT+{len(body) + 3}+{number}"]
    return ("'".join([*parts, f"UNZ+{orders}+REF1"]) + "'").encode()


def gtin(chance: random.Random, digits: int) -> str:
    """A GS1 number with its check digit."""
    body = f"{chance.randrange(10 ** (digits - 2), 10 ** (digits - 1)):0{digits - 1}d}"
    return f"{body}{-sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body))) % 10}"
