"""What a mapping that reads takes from a transaction: for each place in the schema the elements, the codes that choose, the fields they go to.

A place is the way of child slots from the root of the schema: (3,) is the fourth child, (5, 0) the segment that opens the loop at slot 5.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field

from gateway.mapping.plan import All
from gateway.mapping.plan import Block
from gateway.mapping.plan import Compute
from gateway.mapping.plan import Condition
from gateway.mapping.plan import First
from gateway.mapping.plan import Join
from gateway.mapping.plan import Leaf
from gateway.mapping.plan import ListPlan
from gateway.mapping.plan import MappingPlan
from gateway.mapping.plan import Origin
from gateway.mapping.plan import Path
from gateway.mapping.plan import Route
from gateway.mapping.plan import SegmentPath
from gateway.mapping.plan import Sum
from gateway.mapping.plan import Take
from gateway.mapping.plan import Test
from gateway.mapping.plan import XmlPath
from gateway.schema.plan import LoopUse

Way = tuple[int, ...]
#: element position and component (None: the whole element)
Spot = tuple[int, int | None]


@dataclass(slots=True)
class Taken:
    """What is done with one element: where it goes, which codes mean what."""

    fields: dict[str, None] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Usage:
    """Everything that a mapping takes. `paths` for XML: the path as the mapping writes it."""

    segments: dict[Way, dict[Spot, Taken]] = field(default_factory=dict)
    paths: dict[str, Taken] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Scope:
    """The loop that paths begin at, its own segment, and for XML the path so far."""

    way: Way
    loop: LoopUse | None
    segment: Way
    path: str = ""


def usage_of(plan: MappingPlan) -> Usage:
    """What a reading mapping takes."""
    walk = _Walk(plan)
    if plan.root is not None:
        walk.block(plan.root, "")
    return walk.usage


class _Walk:
    def __init__(self, plan: MappingPlan) -> None:
        self.usage = Usage()
        self.scopes = [_Scope((), plan.schema.root if plan.schema else None, ())]

    def block(self, block: Block, prefix: str) -> None:
        opened = 0
        for path in (*block.around, block.each, block.within):
            if path is not None:
                opened += self._open(path, prefix)
        for pair in (block.matching, block.lonely):
            for path in pair or ():
                self._take(path, prefix.rstrip("."), {})
        if block.pairs is not None:
            self._take(block.pairs, prefix.rstrip("."), {})
        self._condition(block.when, prefix.rstrip("."))
        for shape, value in block.fields:
            self._value(value, f"{prefix}{shape.name}")
        for keyed in block.keyed:
            name = prefix.rstrip(".")
            around = self._open(keyed.each, prefix) if keyed.each is not None else 0
            for leaf in (keyed.key, keyed.value):
                if leaf is not None:
                    self._leaf(leaf, name, keyed.table.forward if leaf is keyed.key else {})
            for path in keyed.pairs:
                self._take(path, name, {})
                self._qualifiers(path, keyed.table.forward)
            self._condition(keyed.when, name)
            del self.scopes[len(self.scopes) - around :]
        del self.scopes[len(self.scopes) - opened :]

    def _value(self, value: Leaf | Block | ListPlan, name: str) -> None:
        if isinstance(value, Leaf):
            self._leaf(value, name, {})
        elif isinstance(value, Block):
            self.block(value, f"{name}.")
        else:
            for block in value.blocks:
                self.block(block, f"{name}.")

    def _leaf(self, leaf: Leaf, name: str, codes: Mapping[str, str]) -> None:
        table = {**codes, **(leaf.table.forward if leaf.table else {})}
        told = name + _done_with(leaf)
        for path in _paths(leaf.origin):
            self._take(path, told, table)
        self._condition(leaf.when, name)

    def _condition(self, condition: Condition | None, name: str) -> None:
        if condition is None:
            return
        for check in condition.checks:
            self._take(check.take.path, "", {value: f"for {name}" for value in check.values if not check.negated})

    def _open(self, path: Path, prefix: str) -> int:
        if isinstance(path, XmlPath):
            self.scopes.append(_Scope((), None, (), _joined(self._scope(path.up).path, path.text)))
            return 1
        if not isinstance(path, SegmentPath) or not path.routes:
            return 0
        self._take(path, prefix.rstrip("."), {})
        self.scopes.append(self._reach(path.routes[0], prefix.rstrip(".")))
        return 1

    def _take(self, path: Path, name: str, codes: Mapping[str, str]) -> None:
        if isinstance(path, XmlPath):
            self._note(self.usage.paths.setdefault(_joined(self._scope(path.up).path, path.text), Taken()), name, codes)
        elif isinstance(path, SegmentPath):
            for route in path.routes:
                taken = self.usage.segments.setdefault(self._reach(route, name).segment, {})
                for spot in path.spots:
                    self._note(taken.setdefault((spot.position, spot.component), Taken()), name, codes)

    def _qualifiers(self, path: SegmentPath, codes: Mapping[str, str]) -> None:
        """The codes of pairs stand in the first of each two elements (X12); in composites beside the value."""
        for route in path.routes:
            taken = self.usage.segments.setdefault(self._reach(route, "").segment, {})
            for place, spot in enumerate(path.spots):
                if spot.component is None and place % 2 == 0 and len(path.spots) > 1:
                    self._note(taken.setdefault((spot.position, None), Taken()), "", codes)

    def _scope(self, up: int) -> _Scope:
        return self.scopes[0] if up < 0 or up >= len(self.scopes) else self.scopes[-1 - up]

    def _reach(self, route: Route, name: str) -> _Scope:
        """Where a route ends: in a loop, at its opening segment, or at a segment of the loop that it began in."""
        start = self._scope(route.up)
        way, loop, segment = start.way, start.loop, start.segment
        for hop in route.hops:
            assert loop is not None
            child = loop.children[hop.slot]
            segment = (*way, hop.slot)
            if isinstance(child, LoopUse):
                way, loop, segment = segment, child, (*segment, 0)
            self._tests(hop.tests, segment, name)
        self._tests(route.tests, segment, name)
        return _Scope(way, loop, segment)

    def _tests(self, tests: tuple[Test, ...], segment: Way, name: str) -> None:
        for test in tests:
            taken = self.usage.segments.setdefault(segment, {}).setdefault((test.spot.position, test.spot.component), Taken())
            if not test.negated:
                for value in test.values:
                    known = taken.codes.get(value)
                    if name and (known is None or name not in known.split(", ")):
                        taken.codes[value] = name if known is None else f"{known}, {name}"

    @staticmethod
    def _note(taken: Taken, name: str, codes: Mapping[str, str]) -> None:
        if name:
            taken.fields[name] = None
        for code, word in codes.items():
            taken.codes.setdefault(code, word.replace("_", " "))


def _paths(origin: Origin) -> Iterator[Path]:
    if isinstance(origin, Take | Sum):
        yield origin.path
    elif isinstance(origin, First):
        for leaf in origin.options:
            yield from _paths(leaf.origin)
    elif isinstance(origin, Join | All):
        for leaf in origin.parts:
            yield from _paths(leaf.origin)
    elif isinstance(origin, Compute):
        for _, take in origin.paths:
            yield take.path


def _done_with(leaf: Leaf) -> str:
    """What a partner must know about the value: ` (divided by 100)`."""
    words = []
    if leaf.divide:
        words.append(f"divided by {leaf.divide}")
    if leaf.multiply:
        words.append(f"times {leaf.multiply}")
    if leaf.form:
        words.append(f"as {leaf.form}")
    return f" ({', '.join(words)})" if words else ""


def _joined(base: str, text: str) -> str:
    return text.lstrip("/") if text.startswith("/") or not base else base if text == "." else f"{base}/{text}"
