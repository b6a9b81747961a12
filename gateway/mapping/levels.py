"""Levels of a shipment while it is read: HL of X12, CPS of EDIFACT. In the transaction they stand one after another; who belongs under whom is said
by numbers (X12.22 HL01 and HL02; D.96A 7164 and 7166). Some X12 partners leave HL02 out: then the order and the level codes (HL03) say it.
"""

from collections.abc import Iterable
from typing import Any

Pair = tuple[Any, Any]

#: tag -> position of the level's number, its parent's number, its code
LEVELS: dict[str, tuple[int, int, int | None]] = {"HL": (1, 2, 3), "CPS": (1, 2, None)}


def below(pairs: Iterable[Pair], tag: str) -> dict[int, list[Pair]]:
    """(tree, segment) of all levels by the id() of the segment that they hang under; under 0 those that hang under none."""
    own, parent, code = LEVELS[tag]
    numbered: dict[str, Any] = {}
    children: dict[int, list[Pair]] = {}
    #: the levels that are open at this point: (code, segment)
    line: list[tuple[str, Any]] = []
    for pair in pairs:
        segment = pair[1]
        above = numbered.get(_text(segment, parent))  # a level that names itself is not there yet: it hangs under none
        level = _text(segment, code) if code is not None else ""
        if code is not None:
            if _text(segment, parent):
                # a level that names its parent closes everything that is open below that parent
                while line and line[-1][1] is not above:
                    line.pop()
            else:
                place = next((place for place, (known, _) in enumerate(line) if known == level), len(line))
                del line[place:]
                above = line[-1][1] if line else None
            line.append((level, segment))
        numbered.setdefault(_text(segment, own), segment)
        children.setdefault(id(above) if above is not None else 0, []).append(pair)
    return children


def _text(segment: Any, position: int) -> str:
    if len(segment) <= position:
        return ""
    value = segment[position]
    while not isinstance(value, str):
        value = value[0] if value else ""
    return value
