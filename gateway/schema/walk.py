"""Where a segment goes that does not simply follow: over its maximum, out of order, unexpected, unknown, or after something missing.

One Walk lives as long as one transaction is checked. It puts the segment where it may stand (so that one wrong segment does not
derail the rest) and keeps what it found; words and places are made from that in findings.py.
"""

from dataclasses import dataclass
from dataclasses import field
from enum import Enum

from gateway.codecs.node import Segment
from gateway.schema.compile import SINGLE
from gateway.schema.compile import CompiledSchema
from gateway.schema.compile import LoopNode
from gateway.schema.compile import Option
from gateway.schema.compile import Position
from gateway.schema.compile import new_tree
from gateway.schema.plan import Tree


class Misplaced(Enum):
    """What is wrong with a segment's place."""

    UNKNOWN = "unknown"
    NOT_IN_TRANSACTION = "not in transaction"
    UNEXPECTED = "unexpected"
    OUT_OF_ORDER = "out of order"
    OVER_MAXIMUM = "over maximum"
    LOOP_OVER_MAXIMUM = "loop over maximum"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Stray:
    """Something wrong at `segment`; `target` is what is missing, full or out of order, `loop` the loop that it belongs to."""

    what: Misplaced
    segment: Segment
    target: Position | LoopNode | None = None
    loop: LoopNode | None = None
    #: `segment` is the last one, and what is wrong shows behind it
    at_end: bool = False


@dataclass(slots=True, repr=False)
class Walk:
    """The slow side of one walk. `levels` are the trees that are open, the root's first; the quick side shares them."""

    compiled: CompiledSchema
    levels: list[Tree]
    #: as many as are worth telling
    most: int
    strays: list[Stray] = field(default_factory=list)
    _told: dict[tuple[int, int], Stray | None] = field(default_factory=dict)

    def place(self, position: Position, segment: Segment) -> tuple[Position, Position | None]:
        """Puts the segment where it belongs; answers where the walk stands then, and what the segment was taken for (None: nothing)."""
        tag = segment[0]
        options = self.compiled.options(position, tag)
        if options and not options[0].left_out and tag not in position.steps:
            position.steps[tag] = options[0].step()
        clean = [option for option in options if not self._missing(option)]
        for some in (clean, [option for option in options if option not in clean]):
            if some and some is not clean and self._belongs_before_section(some[0], position, tag):
                break
            for option in some:
                if self._has_room(option):
                    reached = self._enter(option, segment)
                    return reached, reached
            if some:
                reached = self._overflow(some[0], segment)
                return reached, reached
        return self._look_back(position, segment)

    def _belongs_before_section(self, option: Option, position: Position, tag: str) -> bool:
        """Whether a segment that has a place behind a section mark (UNS) which has not come also has one in the groups that are open:
        that one is meant, and the segment stands too late in it."""
        if not any(child.tag == "UNS" for _, child in self._missing(option)):
            return False
        loop: LoopNode | None = position.loop
        at = position.slot
        while loop is not None and loop.parent is not None:
            if any(child.tag == tag for child in loop.children[: at + 1]):
                return True
            at, loop = loop.slot, loop.parent
        return False

    def finish(self, position: Position, last: Segment) -> None:
        """What is still missing when no segment is left; the trailer's absence is the codec's to tell."""
        trailer = self.compiled.root.children[-1].tag
        for option in self.compiled.options(position, trailer):
            self._tell_missing(option, last, at_end=True)

    def _tree(self, loop: LoopNode) -> Tree:
        return self.levels[loop.depth]

    def _missing(self, option: Option) -> list[tuple[LoopNode, Position | LoopNode]]:
        return [(loop, child) for loop, child in option.left_out if not self._tree(loop)[child.slot]]

    def _has_room(self, option: Option) -> bool:
        held = self._tree(option.loop)[option.target.slot]
        limit = option.target.limit
        return not held or (limit != SINGLE and len(held) < abs(limit))  # type: ignore[arg-type]  # a list, where it is no single

    def _enter(self, option: Option, segment: Segment) -> Position:
        self._tell_missing(option, segment)
        return self._put(option.target, option.loop, segment)

    def _overflow(self, option: Option, segment: Segment) -> Position:
        """Over its maximum: told once, kept where the slot is a list."""
        self._tell_missing(option, segment)
        target, tree = option.target, self._tree(option.loop)
        what = Misplaced.LOOP_OVER_MAXIMUM if isinstance(target, LoopNode) else Misplaced.OVER_MAXIMUM
        self._tell_once(what, segment, target, option.loop)
        if target.limit == SINGLE:
            return option.position
        assert tree[target.slot]
        return self._put(target, option.loop, segment)

    def _put(self, target: Position | LoopNode, loop: LoopNode, segment: Segment) -> Position:
        tree = self._tree(loop)
        if isinstance(target, Position) and target.limit == SINGLE:
            tree[target.slot] = segment
            return target
        value: object = segment
        if isinstance(target, LoopNode):
            value = self.levels[target.depth] = new_tree(target, segment)
        held = tree[target.slot]
        if isinstance(held, list):
            held.append(value)
        else:
            tree[target.slot] = [value]
        return target if isinstance(target, Position) else target.opener

    def _tell(
        self, what: Misplaced, segment: Segment, target: Position | LoopNode | None = None, loop: LoopNode | None = None, *, at_end: bool = False
    ) -> Stray | None:
        if len(self.strays) >= self.most:
            return None
        self.strays.append(Stray(what, segment, target, loop, at_end))
        return self.strays[-1]

    def _tell_once(self, what: Misplaced, segment: Segment, target: Position | LoopNode, loop: LoopNode, *, at_end: bool = False) -> None:
        """Each slot of each tree is complained about once."""
        key = (id(self._tree(loop)), target.slot)
        if key not in self._told:
            self._told[key] = self._tell(what, segment, target, loop, at_end=at_end)

    def _untell_missing(self, target: Position | LoopNode, loop: LoopNode) -> None:
        """What was said to be missing came after all, if late."""
        told = self._told.pop((id(self._tree(loop)), target.slot), None)
        if told is not None and told.what is Misplaced.MISSING:
            self.strays = [stray for stray in self.strays if stray is not told]

    def _tell_missing(self, option: Option, segment: Segment, *, at_end: bool = False) -> None:
        for loop, child in self._missing(option):
            self._tell_once(Misplaced.MISSING, segment, child, loop, at_end=at_end)

    def _look_back(self, position: Position, segment: Segment) -> tuple[Position, Position | None]:
        """Nothing forward fits: an earlier place in the open loops, the nearest loop first, or none."""
        tag = segment[0]
        loop: LoopNode | None = position.loop
        at = position.slot
        while loop is not None:
            for child in loop.children[: at + 1]:
                if child.tag == tag:
                    return self._put_back(child, loop, position, segment)
            at, loop = loop.slot, loop.parent
        if tag in self.compiled.tags:
            self._tell(Misplaced.UNEXPECTED, segment, None, self.compiled.tags[tag])
        elif tag in self.compiled.plan.known_tags:
            self._tell(Misplaced.NOT_IN_TRANSACTION, segment)
        else:
            self._tell(Misplaced.UNKNOWN, segment)
        return position, None

    def _put_back(self, child: Position | LoopNode, loop: LoopNode, position: Position, segment: Segment) -> tuple[Position, Position]:
        """Into an earlier place. A segment leaves the walk where it stands; a loop that opens takes it along."""
        held = self._tree(loop)[child.slot]
        if isinstance(child, Position) and child.limit == SINGLE and held:
            self._tell_once(Misplaced.OVER_MAXIMUM, segment, child, loop)
            return position, child
        if isinstance(held, list) and len(held) >= abs(child.limit):
            what = Misplaced.LOOP_OVER_MAXIMUM if isinstance(child, LoopNode) else Misplaced.OVER_MAXIMUM
            self._tell_once(what, segment, child, loop)
        else:
            self._untell_missing(child, loop)
            self._tell(Misplaced.OUT_OF_ORDER, segment, child, loop)
        reached = self._put(child, loop, segment)
        return (reached if isinstance(child, LoopNode) else position), reached
