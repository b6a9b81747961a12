"""Files made to cost much: a head, one unit again and again, a tail. `python -m tests.codecs.hostile NAME BYTES [check]` reads one and prints
the events, the CPU seconds and the peak of memory in megabytes."""

import gc
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.codecs import choose
from tests.codecs.edi import GS
from tests.codecs.edi import ISA
from tests.codecs.edi import MESSAGE
from tests.codecs.edi import ORDER
from tests.codecs.edi import UNB

G = ISA + GS
OPEN = f"{G}ST*850*0001~"
END = "SE*3*0001~GE*1*1~IEA*1*000000001~"
UNH = "UNH+1+ORDERS:D:96A:UN'"
EDI_END = "UNT+3+1'UNZ+1+R1'"
FOUR, LEVEL_A = UNB.replace("UNOC:3", "UNOC:4"), UNB.replace("UNOC", "UNOA")


@dataclass(frozen=True)
class Hostile:
    """`unit` is a text, or makes the text of a number from 0 on."""

    head: str
    unit: str | Callable[[int], str]
    tail: str = ""

    def chunks(self, size: int) -> Iterator[bytes]:
        """About `size` bytes of it, 64 kB at a time."""
        unit = self.unit
        yield self.head.encode("latin-1")
        if isinstance(unit, str):
            block = (unit * (65536 // len(unit))).encode("latin-1")
            for _ in range(max(1, size // len(block))):
                yield block
        else:
            done = number = 0
            while done < size:
                text = "".join(unit(one) for one in range(number, number + 1000))
                number, done = number + 1000, done + len(text)
                yield text.encode("latin-1")
        yield self.tail.encode("latin-1")


CASES = {
    "x12 no terminator": Hostile(f"{OPEN}N3*", "a"),
    "x12 no terminator in GS": Hostile(f"{ISA}GS*PO", "*A"),
    "x12 empty segments": Hostile(OPEN, "~", END),
    "x12 empty lines": Hostile(OPEN, "~\r\n", END),
    "x12 empty segments outside": Hostile(G, "~", ORDER),
    "x12 blanks": Hostile(ISA, " \n"),
    "x12 repetitions": Hostile(ISA.replace("U*00401", "^*00501") + GS + "ST*850*0001~N3*", "a^", "~" + END),
    "x12 components": Hostile(f"{OPEN}N3*", "a>", "~" + END),
    "x12 elements": Hostile(f"{OPEN}N3", "*a", "~" + END),
    "x12 deep HL": Hostile(G.replace("PO*", "SH*") + "ST*856*0001~BSN*00*1*20260105*1200~", lambda n: f"HL*{n + 1}*{n or ''}*I~", END),
    "x12 an order of a million lines": Hostile(
        f"{G}ST*850*0001~BEG*00*SA*PO1**20260105~",
        lambda n: (
            f"PO1*{n}*{n % 97 + 1}*EA*3.50**VP*{n:012}~PID*F****A WIDGET OF SOME SORT THAT HAS A LONG NAME, NUMBER {n:012}, IN BLUE, LARGE, FOR "
            "THOSE WHO BUY A MILLION OF THEM AT ONCE AND SEND ONE ORDER FOR ALL~"
        ),
        END,
    ),
    "x12 bad tags": Hostile(OPEN, "po1*1~", END),
    "x12 problems": Hostile(OPEN, "PO1*x*x*x*x~", END),
    "x12 bad orders": Hostile(G, lambda n: f"ST*850*{n:07}~PO1*x*x*x~SE*3*{n:07}~"),
    "x12 tiny interchanges": Hostile("", lambda n: ISA.replace("000000001", f"{n:09}") + f"IEA*0*{n:09}~"),
    "x12 the same interchange": Hostile("", ISA + "IEA*0*000000001~"),
    "x12 wrapped interchanges": Hostile("", f"{ISA[:80]}\n{ISA[80:]}IEA*0*000000001~"),
    "x12 wrapped": Hostile(OPEN[:70] + "\n" + OPEN[70:], "N3*aaaaaa\naaaaaaaaaaaaaaaaa~", END),
    "x12 only ISA": Hostile("", ISA),
    "x12 groups": Hostile(ISA, GS),
    "x12 wrong groups": Hostile(ISA, lambda n: f"GS*PO*A*B*20260105*1200*{n * 7919 % 1000003}*X*004010~GE*9*9~"),
    "x12 only ST": Hostile(G, "ST*850*0001~"),
    "x12 ST SE": Hostile(G, "ST*850*0001~SE*2*0001~"),
    "x12 only SE": Hostile(G, "SE*2*0001~"),
    "x12 only TA1": Hostile(ISA, "TA1*1*2*3*A*000~"),
    "x12 broken ISA": Hostile(ISA, "ISA*00*"),
    "x12 BIN": Hostile(OPEN, "BIN*1*~~", END),
    "x12 BIN too short": Hostile(OPEN, "BIN*9*a~", END),
    "x12 BIN too long": Hostile(OPEN, "BIN*9999999*a~"),
    "edifact no terminator": Hostile(f"{UNB}{UNH}FTX+", "a"),
    "edifact empty segments": Hostile(UNB + UNH, "'", EDI_END),
    "edifact empty segments outside": Hostile(UNB, "'"),
    "edifact release characters": Hostile(f"{UNB}{UNH}FTX+", "?", "'" + EDI_END),
    "edifact released terminators": Hostile(f"{UNB}{UNH}FTX+", "?'", "'" + EDI_END),
    "edifact released trailers": Hostile(f"{UNB}{UNH}FTX+", "?'UNT+", "'" + EDI_END),
    "edifact repetitions": Hostile(f"{FOUR}{UNH}FTX+", "a*", "'" + EDI_END),
    "edifact components": Hostile(f"{UNB}{UNH}FTX+", "a:", "'" + EDI_END),
    "edifact elements": Hostile(f"{UNB}{UNH}FTX", "+a", "'" + EDI_END),
    "edifact problems": Hostile(UNB + UNH, "LIN+x+x+x+x'", EDI_END),
    "edifact bad tags": Hostile(UNB + UNH, "bgm+1'", EDI_END),
    "edifact lower case": Hostile(LEVEL_A, UNH + "BGM+a_b'UNT+3+1'"),
    "edifact only UNG": Hostile(UNB, "UNG+ORDERS+A+B+260105:1200+1+UN+D:96A'"),
    "edifact only UNA": Hostile("", "UNA:+.? '"),
    "edifact UNA UNB": Hostile("", "UNA:+.? '" + UNB),
    "edifact long UNA": Hostile("UNA", " ", UNB),
    "edifact UNA in junk": Hostile(UNB, "UNA"),
    "edifact tiny interchanges": Hostile("", lambda n: f"{UNB.replace('R1', f'R{n}')}UNZ+0+R{n}'\n"),
    "edifact only UNH": Hostile(UNB, UNH),
    "edifact messages": Hostile(UNB, MESSAGE),
    "edifact UNO": Hostile(UNB, "UNO+1+1+1+5'aaaaaUNP+5+1'"),
    "edifact UNO inside": Hostile(UNB + UNH, "UNO+1+1+1+5'aaaaaUNP+5+1'", EDI_END),
    "edifact UNO without end": Hostile(UNB, "UNO+1+1+1+9999999'"),
    "edifact UNO inside without end": Hostile(UNB + UNH, "UNO+1+1+1+9999999'"),
    "edifact UIH": Hostile(UNB, "UIH+1'"),
    "junk": Hostile("", "x"),
}


def seconds(name: str, size: int) -> float:
    """CPU seconds to read it, without those of the collector, which comes when it likes."""
    chunks = list(CASES[name].chunks(size))
    gc.collect()
    gc.disable()
    try:
        begun = time.process_time()
        for _ in choose.read(chunks)[1]:
            pass
        return time.process_time() - begun
    finally:
        gc.enable()


def main() -> None:
    name, size = sys.argv[1], int(sys.argv[2])
    begun = time.process_time()
    if sys.argv[3:] == ["check"]:
        from gateway.config import default_resolver
        from gateway.pipeline.plans import Plans
        from gateway.pipeline.reading.payload import stateless
        from gateway.pipeline.stateless.checking import Report

        plans = Plans(default_resolver())
        report = Report(name)
        report.feed(CASES[name].chunks(size), plans, stateless(plans), None)
        shown = f"{len(str(report.json()))} characters of report, {report.outcome}"
    else:
        shown = f"{sum(1 for _ in choose.read(CASES[name].chunks(size))[1])} events"
    # not getrusage: it counts what the parent had when it started this process
    [peak] = [int(line.split()[1]) // 1024 for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    print(f"{name}: {shown}, {time.process_time() - begun:.2f} s, {peak} MB")


if __name__ == "__main__":
    main()
