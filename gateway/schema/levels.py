"""Whether levels of a shipment hang together: HL of X12 (HL01, HL02), CPS of EDIFACT (7164, 7166). A level whose parent is nowhere would take its
goods out of the shipment without a word.
"""

from collections.abc import Iterator

from gateway.codecs.node import Segment
from gateway.kinds import edifact
from gateway.kinds import x12
from gateway.schema.findings import Finding

#: the segment of a level in the transactions that have levels
LEVEL_TAGS = {"856": "HL", "DESADV": "CPS"}


def level_findings(segments: list[Segment], tag: str) -> Iterator[tuple[Segment, Finding]]:
    """Levels whose number was there before, or whose parent was not."""
    kinds = (x12.HL_NUMBER_TWICE, x12.HL_PARENT_UNKNOWN) if tag == "HL" else (edifact.CPS_NUMBER_TWICE, edifact.CPS_PARENT_UNKNOWN)
    seen: set[str] = set()
    for segment in segments:
        if segment[0] != tag:
            continue
        number, parent = _text(segment, 1), _text(segment, 2)
        if parent and parent not in seen:
            message = f"{tag}-02 names the level '{parent}', but no level before this one has that number"
            yield (
                segment,
                Finding(
                    kind=kinds[1],
                    message=message,
                    element=2,
                    loop="HL" if tag == "HL" else None,
                    found=parent,
                    expected="the number of a level before this one",
                ),
            )
        if number in seen:
            message = f"{tag}-01 is '{number}', which another level has already"
            yield (
                segment,
                Finding(
                    kind=kinds[0],
                    message=message,
                    element=1,
                    loop="HL" if tag == "HL" else None,
                    found=number,
                    expected="a number of its own for each level",
                ),
            )
        if number:
            seen.add(number)


def _text(segment: Segment, position: int) -> str:
    value = segment[position] if len(segment) > position else ""
    while not isinstance(value, str):
        value = value[0] if value else ""
    return value
