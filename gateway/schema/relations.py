"""Relational conditions (X12.6) in words: which of the elements that belong together is missing, or too many.

The same for the elements of a segment and the components of a composite; who asks says what is sent and how a position is called.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.schema.plan import Condition


@dataclass(frozen=True, slots=True)
class Broken:
    """A condition that is not met: at which position, and what to say."""

    position: int
    #: elements stand together that exclude each other; else one is missing that others need
    exclusive: bool
    message: str
    found: str
    #: as the standard writes the condition, P0304
    rule: str


def broken(condition: Condition, sent: Callable[[int], bool], name: Callable[[int], str]) -> Broken | None:
    """What is wrong with a condition; None where it is met."""
    there = [position for position in condition.positions if sent(position)]
    empty = [position for position in condition.positions if position not in there]
    first, *rest = condition.positions
    lone = [position for position in rest if position in empty] if first in there else []

    def names(positions: list[int], word: str = "and") -> str:
        called = [name(position) for position in positions]
        return called[0] if len(called) == 1 else f"{', '.join(called[:-1])} {word} {called[-1]}"

    def are(positions: list[int]) -> str:
        return "is" if len(positions) == 1 else "are"

    def told(position: int, message: str) -> Broken:
        rule = condition.kind + "".join(f"{number:02d}" for number in condition.positions)
        others = [one for one in there if one != position]
        exclusive = condition.kind == "E"
        found = "nothing" if not others else f"with {names(others)}" if exclusive else f"{names(others)} without it"
        return Broken(position, exclusive, message, found, rule)

    if condition.kind == "E" and len(there) > 1:
        return told(there[1], f"{names(there)} stand together, but only one of them is allowed")
    if condition.kind == "R" and not there:
        return told(first, f"one of {names(empty)} is needed, but all are empty")
    if condition.kind == "P" and there and empty:
        return told(empty[0], f"{names(empty)} {are(empty)} empty, but {names(there)} {are(there)} sent")
    if condition.kind == "C" and lone:
        return told(lone[0], f"{names(lone)} {are(lone)} empty, but {name(first)} is sent")
    if condition.kind == "L" and lone and len(lone) == len(rest):
        return told(lone[0], f"{names(rest, 'or')} is needed, because {name(first)} is sent")
    return None
