"""Interchanges of good orders, and the faults that can be put into them: each with the code and the place that must be told."""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field

ISA = "ISA*00*          *00*          *ZZ*ACMEBUYER      *ZZ*SELLERCO       *260105*1200*U*00401*000000001*0*P*>"
GS = "GS*PO*ACMEBUYER*SELLERCO*20260105*1200*1*X*004010"
UNB = "UNB+UNOC:3+5412345000013:14+4012345500004:14+260105:1200+R1"


def x12_order(number: int, lines: int) -> list[str]:
    body = [f"BEG*00*SA*PO{number}**20260105", "REF*DP*038", "DTM*002*20260120*1200", "N1*BY*ACME CORP*92*0012", "N1*ST*DOCK 4*92*0013"]
    body += ["N3*1 MAIN STREET", "N4*DAYTON*OH*45402*US"]
    for line in range(1, lines + 1):
        body += [f"PO1*{line}*{line + 1}*EA*3.5**VP*{1000 + line}", "PID*F****WIDGET"]
    body += [f"CTT*{lines}"]
    return [f"ST*850*{number:04}", *body, f"SE*{len(body) + 2}*{number:04}"]


def gtin(number: int) -> str:
    """Twelve digits with their check digit."""
    total = sum(int(digit) * (3 if position % 2 else 1) for position, digit in enumerate(f"{number:012}"))
    return f"{number:012}{-total % 10}"


def edifact_order(number: int, lines: int) -> list[str]:
    body = [
        f"BGM+220+PO{number}+9",
        "DTM+137:20260105:102",
        "DTM+2:20260120:102",
        "NAD+BY+5412345000013::9",
        "NAD+SU+4012345500004::9",
        "CUX+2:EUR:9",
    ]
    for line in range(1, lines + 1):
        body += [f"LIN+{line}++{gtin(401234550000 + line)}:EN", "IMD+F++:::WIDGET", f"QTY+21:{line + 1}", "PRI+AAA:3.5"]
    body += ["UNS+S", f"CNT+2:{lines}"]
    return [f"UNH+{number}+ORDERS:D:96A:UN:EAN008", *body, f"UNT+{len(body) + 2}+{number}"]


@dataclass
class File:
    """An interchange as segments, before faults. `order` is the transaction that gets one, `line` one of its lines (from 0)."""

    syntax: str
    orders: list[list[str]]
    order: int
    line: int
    head: list[str] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        count = len(self.orders)
        self.head = [ISA, GS] if self.syntax == "x12" else [UNB]
        self.tail = [f"GE*{count}*1", "IEA*1*000000001"] if self.syntax == "x12" else [f"UNZ+{count}+R1"]

    @property
    def chosen(self) -> list[str]:
        return self.orders[self.order]

    def at(self, tag: str, line: bool = False) -> int:
        """The position of the first segment with that tag; of the chosen line's where `line` is true."""
        found = [index for index, segment in enumerate(self.chosen) if segment[: len(tag)] == tag]
        return found[self.line if line else 0]

    def bytes(self, end: str = "") -> bytes:
        terminator = "~" if self.syntax == "x12" else "'"
        segments = [*self.head, *(segment for order in self.orders for segment in order), *self.tail]
        return "".join(segment + terminator + end for segment in segments).encode("latin-1")


@dataclass(frozen=True)
class Told:
    """What must be told: the code, the segment's tag and its number in the transaction, and the element; None is anything."""

    code: str
    segment: str | None = None
    index: int | None = None
    element: int | None = None


Change = Callable[[File], Told]


def edit(code: str, tag: str, element: int | None, value: str, *, line: bool = False) -> Change:
    """Exchange an element (of an element's components: all) of the chosen order's segment."""

    def change(file: File) -> Told:
        position = file.at(tag, line)
        separator = "*" if file.syntax == "x12" else "+"
        parts = file.chosen[position].split(separator)
        if element is None:
            file.chosen[position] += value
        else:
            parts += [""] * (element + 1 - len(parts))
            parts[element] = value
            file.chosen[position] = separator.join(parts)
        return Told(code, tag[:3].rstrip("*+"), position + 1, element)

    return change


def drop(code: str, tag: str, segment: str | None = None, *, count: bool = True) -> Change:
    """Take a segment of the chosen order out; its trailer counts right, where there is one."""

    def change(file: File) -> Told:
        del file.chosen[file.at(tag)]
        if count:
            recount(file)
        return Told(code, segment)

    return change


def put(code: str, segment: str, before: str, *, index: bool = True, line: bool = False) -> Change:
    """Put a segment into the chosen order; its trailer counts right."""

    def change(file: File) -> Told:
        position = file.at(before, line)
        file.chosen.insert(position, segment)
        recount(file)
        return Told(code, segment[:3].rstrip("*+") if index and segment else None, position + 1 if index else None)

    return change


def recount(file: File) -> None:
    separator = "*" if file.syntax == "x12" else "+"
    parts = file.chosen[-1].split(separator)
    parts[1] = str(len([segment for segment in file.chosen if segment]))
    file.chosen[-1] = separator.join(parts)


def envelope(code: str, part: str, position: int, old: str, new: str | None, segment: str | None, element: int | None = None) -> Change:
    """Change a segment of the head or the tail, or take it out."""

    def change(file: File) -> Told:
        segments = file.head if part == "head" else file.tail
        if new is None:
            del segments[position]
        else:
            assert old in segments[position]
            segments[position] = segments[position].replace(old, new)
        return Told(code, segment, None, element)

    return change


def same_number(code: str, tag: str) -> Change:
    """The chosen order gets the control number of the one before it."""

    def change(file: File) -> Told:
        other = file.orders[file.order - 1]
        separator = "*" if file.syntax == "x12" else "+"
        number = other[0].split(separator)[2 if file.syntax == "x12" else 1]
        own = file.chosen[0].split(separator)[2 if file.syntax == "x12" else 1]
        file.chosen[0] = file.chosen[0].replace(f"{separator}{own}", f"{separator}{number}", 1)
        file.chosen[-1] = file.chosen[-1].removesuffix(own) + number
        # whichever of the two comes later is told
        return Told(code, tag, 1, 2 if file.syntax == "x12" else 1)

    return change


def cut_off(code: str) -> Change:
    """The file ends inside of the chosen order."""

    def change(file: File) -> Told:
        del file.orders[file.order + 1 :]
        del file.chosen[file.at("PO1" if file.syntax == "x12" else "LIN", True) + 1 :]
        file.tail.clear()
        return Told(code, "PO1" if file.syntax == "x12" else "LIN", len(file.chosen))

    return change


def swap(code: str, tag: str, before: str, segment: str) -> Change:
    """Move a segment of the chosen order before another one."""

    def change(file: File) -> Told:
        moved = file.chosen.pop(file.at(tag))
        file.chosen.insert(file.at(before), moved)
        return Told(code, segment)

    return change


X12 = {
    "SE01 counts wrong": edit("X12-SE-COUNT", "SE*", 1, "99"),
    "SE02 is another number": edit("X12-SE-CONTROL-NUMBER", "SE*", 2, "9999"),
    "no SE": drop("X12-SE-MISSING", "SE*", count=False),
    "GE01 counts wrong": envelope("X12-GE-COUNT", "tail", 0, "GE*", "GE*9", "GE", 1),
    "GE02 is another number": envelope("X12-GE-CONTROL-NUMBER", "tail", 0, "*1", "*12", "GE", 2),
    "no GE": envelope("X12-GE-MISSING", "tail", 0, "", None, None),
    "IEA01 counts wrong": envelope("X12-IEA-COUNT", "tail", 1, "IEA*1", "IEA*2", "IEA", 1),
    "IEA02 is another number": envelope("X12-IEA-CONTROL-NUMBER", "tail", 1, "000000001", "000000002", "IEA", 2),
    "no IEA": envelope("X12-IEA-MISSING", "tail", 1, "", None, None),
    "no GS": envelope("X12-GROUP-MISSING", "head", 1, "", None, "ST"),
    "GS06 in letters": envelope("X12-GS-CONTROL-NUMBER-INVALID", "head", 1, "*1*X", "*A*X", "GS", 6),
    "ISA13 in letters": envelope("X12-ISA-CONTROL-NUMBER-INVALID", "head", 0, "000000001", "00000000A", "ISA", 13),
    "ISA not padded": envelope("X12-ISA-NOT-PADDED", "head", 0, "ACMEBUYER      ", "ACMEBUYER", "ISA"),
    "delimiters not different": envelope("X12-ISA-MALFORMED", "head", 0, "*P*>", "*P*~", "ISA"),
    "TA1 behind the group": envelope("X12-ADVICE-MISPLACED", "tail", 1, "IEA", "TA1*1*2*3*A*000~IEA", "TA1"),
    "a segment behind GE": envelope("X12-SEGMENT-MISPLACED", "tail", 1, "IEA", "N1*BY~IEA", "N1"),
    "junk behind the end": envelope("X12-JUNK", "tail", 1, "000000001", "000000001~what is this", None),
    "the same ST02 twice": same_number("X12-ST-DUPLICATE", "ST"),
    "ST01 in letters": edit("X12-ST-INVALID", "ST*", 1, "PO"),
    "ST02 empty": edit("X12-ST-CONTROL-NUMBER-INVALID", "ST*", 2, ""),
    "the file ends early": cut_off("X12-FILE-TRUNCATED"),
    "an empty segment": put("X12-SEGMENT-EMPTY", "", "N1", index=False),
    "a tag in lower case": put("X12-TAG-MALFORMED", "po1*1*2", "PO1", line=True),
    "an unknown tag": put("X12-SEGMENT-UNKNOWN", "QQQ*1", "PO1", line=True),
    "no BEG": drop("X12-SEGMENT-MISSING", "BEG", "BEG"),
    "BEG twice": put("X12-SEGMENT-OVER-MAXIMUM", "BEG*00*SA*PO1**20260105", "REF"),
    "BEG behind N1": swap("X12-SEGMENT-OUT-OF-ORDER", "BEG", "N3", "BEG"),
    "BEG01 no code": edit("X12-ELEMENT-CODE", "BEG", 1, "QQ"),
    "BEG03 empty": edit("X12-ELEMENT-MISSING", "BEG", 3, ""),
    "BEG03 too long": edit("X12-ELEMENT-TOO-LONG", "BEG", 3, "P" * 23),
    "BEG05 no date": edit("X12-ELEMENT-DATE", "BEG", 5, "20261305"),
    "BEG05 too short": edit("X12-ELEMENT-TOO-SHORT", "BEG", 5, "260105"),
    "DTM03 no time": edit("X12-ELEMENT-TIME", "DTM", 3, "2561"),
    "PO102 in letters": edit("X12-ELEMENT-CHARACTER", "PO1", 2, "two", line=True),
    "PO103 too long": edit("X12-ELEMENT-TOO-LONG", "PO1", 3, "EACH", line=True),
    "PO106 without PO107": edit("X12-ELEMENT-CONDITION", "PO1", 7, "", line=True),
    "too many elements": edit("X12-ELEMENTS-TOO-MANY", "CTT", None, "*******9"),
    "N103 without N104": edit("X12-ELEMENT-CONDITION", "N1*BY", 4, ""),
    "a binary length that is wrong": put("X12-BINARY-LENGTH", "BIN*9x*x", "CTT"),
}

EDIFACT = {
    "UNT counts wrong": edit("EDIFACT-UNT-COUNT", "UNT", 1, "99"),
    "UNT is another reference": edit("EDIFACT-UNT-CONTROL-NUMBER", "UNT", 2, "X99"),
    "no UNT": drop("EDIFACT-UNT-MISSING", "UNT", "UNT", count=False),
    "UNZ counts wrong": envelope("EDIFACT-UNZ-COUNT", "tail", 0, "UNZ+", "UNZ+9", "UNZ", 1),
    "UNZ is another reference": envelope("EDIFACT-UNZ-CONTROL-NUMBER", "tail", 0, "+R1", "+R2", "UNZ", 2),
    "no UNZ": envelope("EDIFACT-UNZ-MISSING", "tail", 0, "", None, None),
    "no UNB": envelope("EDIFACT-ENVELOPE-MISSING", "head", 0, "", None, None),
    "UNB too short": envelope("EDIFACT-UNB-MALFORMED", "head", 0, "+260105:1200+R1", "", "UNB"),
    "syntax version 9": envelope("EDIFACT-SYNTAX-UNSUPPORTED", "head", 0, "UNOC:3", "UNOC:9", "UNB", 1),
    "an unknown character set": envelope("EDIFACT-CHARSET-UNKNOWN", "head", 0, "UNOC", "XXXX", "UNB", 1),
    "delimiters not different": envelope("EDIFACT-DELIMITERS-UNUSABLE", "head", 0, "UNB", "UNA++.? 'UNB", None),
    "an interactive segment": envelope("EDIFACT-INTERACTIVE", "tail", 0, "UNZ", "UIH+1'UNZ", "UIH"),
    "a package": envelope("EDIFACT-PACKAGE", "tail", 0, "UNZ", "UNO+P+1:1+1+3'abcUNP+3+P'UNZ", "UNO"),
    "a package that does not end": envelope("EDIFACT-PACKAGE-MALFORMED", "tail", 0, "UNZ", "UNO+P+1:1+1+4'abcUNP+3+P'UNZ", "UNO"),
    "a segment behind UNT": envelope("EDIFACT-SEGMENT-MISPLACED", "tail", 0, "UNZ", "BGM+1'UNZ", "BGM"),
    "junk behind the end": envelope("EDIFACT-JUNK", "tail", 0, "+R1", "+R1'what is this", None),
    "a group for some": envelope("EDIFACT-UNE-MISSING", "head", 0, "+R1", "+R1'UNG+ORDERS+A+B+260105:1200+1+UN+D:96A", None),
    "the same reference twice": same_number("EDIFACT-UNH-DUPLICATE", "UNH"),
    "UNH without type": edit("EDIFACT-UNH-INVALID", "UNH", 2, ""),
    "UNH without reference": edit("EDIFACT-UNH-CONTROL-NUMBER-MISSING", "UNH", 1, ""),
    "the file ends early": cut_off("EDIFACT-FILE-TRUNCATED"),
    "an empty segment": put("EDIFACT-SEGMENT-EMPTY", "", "NAD", index=False),
    "a tag in lower case": put("EDIFACT-TAG-MALFORMED", "lin+1", "LIN", line=True),
    "an unknown tag": put("EDIFACT-SEGMENT-UNKNOWN", "QQQ+1", "LIN", line=True),
    "no BGM": drop("EDIFACT-SEGMENT-MISSING", "BGM", "BGM"),
    "BGM twice": put("EDIFACT-SEGMENT-OVER-MAXIMUM", "BGM+220+PO1+9", "DTM"),
    "BGM behind NAD": swap("EDIFACT-SEGMENT-OUT-OF-ORDER", "BGM", "CUX", "BGM"),
    "bytes of another set": edit("EDIFACT-CHARSET", "IMD", 3, ":::\x80 \xd6", line=True),
    "DTM no date": edit("EDIFACT-ELEMENT-DATE", "DTM", 1, "137:20261305:102"),
    "QTY in letters": edit("EDIFACT-ELEMENT-CHARACTER", "QTY", 1, "21:two", line=True),
    "QTY without a value": edit("EDIFACT-ELEMENT-MISSING", "QTY", 1, "21", line=True),
    "BGM too long": edit("EDIFACT-ELEMENT-TOO-LONG", "BGM", 2, "P" * 40),
    "too many elements": edit("EDIFACT-ELEMENTS-TOO-MANY", "UNS", None, "+++9"),
    "too many components": edit("EDIFACT-COMPONENTS-TOO-MANY", "QTY", 1, "21:2:PCE:9", line=True),
    "BGM no code": edit("EDIFACT-ELEMENT-CODE", "BGM", 3, "QQ"),
}

FAULTS: dict[str, dict[str, Change]] = {"x12": X12, "edifact": EDIFACT}


def good_file(syntax: str, sizes: list[int], order: int, line: int) -> File:
    """Orders with so many lines each; the one that gets the fault, and its line."""
    make = x12_order if syntax == "x12" else edifact_order
    return File(syntax, [make(number, size) for number, size in enumerate(sizes, 1)], order, line)
