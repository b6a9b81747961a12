"""Small X12 and EDIFACT files for the tests of the codecs, and ways to feed and flatten them."""

import random
from collections.abc import Iterator

from gateway.codecs import edifact
from gateway.codecs import x12
from gateway.codecs.node import Event
from gateway.codecs.node import Transaction
from gateway.problem import Problem

ISA = "ISA*00*          *00*          *ZZ*ACMEBUYER      *ZZ*SELLERCO       *260105*1200*U*00401*000000001*0*P*>~"
GS = "GS*PO*ACMEBUYER*SELLERCO*20260105*1200*1*X*004010~"
ORDER = "ST*850*0001~BEG*00*SA*PO1**20260105~N1*BY*ACME CORP*92*0012~PO1*1*2*EA*3.50~CTT*1~SE*6*0001~"
X12 = f"{ISA}{GS}{ORDER}GE*1*1~IEA*1*000000001~"

UNB = "UNB+UNOC:3+1234567890128:14+4012345500004:14+260105:1200+R1'"
MESSAGE = "UNH+1+ORDERS:D:96A:UN:EAN008'BGM+220+PO1+9'FTX+AAI+++Dock 4?: it?'s open'UNS+S'UNT+5+1'"
EDIFACT = f"{UNB}{MESSAGE}UNZ+1+R1'"


def chopped(data: bytes, seed: int = 1) -> Iterator[bytes]:
    """The bytes in chunks of odd sizes."""
    sizes = random.Random(seed)
    position = 0
    while position < len(data):
        size = sizes.choice((0, 1, 2, 7, 50))
        yield data[position : position + size]
        position += size


def each_byte(data: bytes) -> Iterator[bytes]:
    return (data[index : index + 1] for index in range(len(data)))


def read_x12(text: str | bytes) -> list[Event]:
    """All events of an X12 file; read whole, byte by byte and in odd chunks, it must be the same."""
    data = text.encode("latin-1") if isinstance(text, str) else text
    events = list(x12.read([data]))
    assert repr(list(x12.read(each_byte(data)))) == repr(events)
    assert repr(list(x12.read(chopped(data)))) == repr(events)
    return events


def read_edifact(text: str | bytes) -> list[Event]:
    """All events of an EDIFACT file; read whole, byte by byte and in odd chunks, it must be the same."""
    data = text.encode("latin-1") if isinstance(text, str) else text
    events = list(edifact.read([data]))
    assert repr(list(edifact.read(each_byte(data)))) == repr(events)
    assert repr(list(edifact.read(chopped(data)))) == repr(events)
    return events


def transactions(events: list[Event]) -> list[Transaction]:
    return [event for event in events if isinstance(event, Transaction)]


def problems(events: list[Event]) -> list[Problem]:
    """Every problem of a file, wherever it is told."""
    found: list[Problem] = []
    for event in events:
        found += [event] if isinstance(event, Problem) else getattr(event, "problems", ())
    return found


def codes(events: list[Event]) -> list[str]:
    return [problem.code for problem in problems(events)]
