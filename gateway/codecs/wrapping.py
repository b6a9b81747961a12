"""Files whose lines were broken at a width by an old system, without regard to segments: how their beginning shows it.

It knows no syntax. Its rule: lines of one width, one after the other, some of which do not end with a terminator, are no chance.
"""

from collections.abc import Sequence
from itertools import takewhile

#: bytes of an interchange that show whether its lines are broken at a width
WIDEST = 8192
#: lengths of records, and of lines on screens and printers
USUAL_WIDTHS = frozenset({72, 80, 100, 120, 128, 132, 133, 160, 200, 240, 250, 254, 255, 256, 400, 500, 512, 800, 1000, 1024, 2000, 2048})
LINE_ENDS = ("\r", "\n")
_BREAKS = str.maketrans("", "", "\r\n")


def unwrap(text: str) -> str:
    """The text without the line breaks of a wrapped interchange."""
    return text.translate(_BREAKS)


def full_lines(head: str) -> list[str]:
    """The lines of a head that ends anywhere, without the last one."""
    return [line.removesuffix("\r") for line in head.split("\n")][:-1]


def are_broken(lines: Sequence[str], segment: str) -> bool:
    """Whether the first lines have one width, the others are shorter, and not all of the first ones end with a terminator.

    The interchange may begin in the middle of the first line. Two lines of one width can be chance, unless the width is a usual one.
    """
    if len(lines) > 1 and len(lines[0]) < len(lines[1]):
        lines = lines[1:]
    width = len(lines[0]) if lines else 0
    same = list(takewhile(lambda line: len(line) == width, lines))
    enough = len(same) >= (2 if width in USUAL_WIDTHS else 3)
    return enough and all(len(line) < width for line in lines[len(same) :]) and any(not line.endswith(segment) for line in same)
