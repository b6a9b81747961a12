"""A SchemaPlan made ready to run: positions with their transition tables, and a generated check for each segment.

A position is a segment at its place in its loop. From a position and the tag that comes next follows the step: where that segment
belongs. Steps and checks are made when they are first needed and then kept, so that starting costs little and walking is two
look-ups a segment. Only tags of the plan are ever kept, so that no input can make the tables grow.
"""

import sys
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from gateway.codecs.node import Segment
from gateway.schema.plan import LoopUse
from gateway.schema.plan import SchemaPlan
from gateway.schema.plan import SegmentUse
from gateway.schema.plan import Tree
from gateway.schema.segment_check import Check
from gateway.schema.segment_check import checks_for

UNLIMITED = sys.maxsize
#: limit of a step that fills a slot for one segment
SINGLE = 0


@dataclass(slots=True, eq=False, repr=False)
class LoopNode:
    """A loop with its place in the loop around it. The root has no parent."""

    use: LoopUse
    parent: "LoopNode | None"
    #: its slot in the parent's tree
    slot: int
    depth: int
    children: "list[Position | LoopNode]" = field(default_factory=list)
    #: an empty tree of this loop, to be copied
    template: Tree = field(default_factory=list)

    @property
    def tag(self) -> str:
        """The tag that opens the loop."""
        return self.opener.tag

    @property
    def opener(self) -> "Position":
        first = self.children[0]
        assert isinstance(first, Position)
        return first

    @property
    def limit(self) -> int:
        """How a step into it is told from one to a segment: negative."""
        return -(self.use.max or UNLIMITED)

    def __repr__(self) -> str:
        return f"<loop {self.use.name}>"


@dataclass(slots=True, eq=False, repr=False)
class Position:
    """A segment at its place in a loop, with what may come next."""

    use: SegmentUse
    loop: LoopNode
    slot: int
    checks: list[Check]
    #: tag to where it goes from here, where that needs no thought
    steps: "dict[str, Step]" = field(default_factory=dict)
    #: tag to every place that it could go to from here, the nearest first
    options: "dict[str, tuple[Option, ...]]" = field(default_factory=dict)

    @property
    def tag(self) -> str:
        return self.use.tag

    @property
    def limit(self) -> int:
        return SINGLE if self.use.max == 1 else self.use.max or UNLIMITED

    def __repr__(self) -> str:
        return f"<{self.tag} in {self.loop!r}>"


#: (where it goes from there, position reached, its checks, depth of the tree, slot in it, limit, empty tree of the loop): limit SINGLE for
#: one segment, positive for a list of segments, negative for a loop that opens
Step = tuple["dict[str, Step]", Position, list[Check], int, int, int, Tree]


@dataclass(frozen=True, slots=True)
class Option:
    """A place that a segment could go to, and what is mandatory and left out on the way there."""

    target: "Position | LoopNode"
    left_out: "tuple[tuple[LoopNode, Position | LoopNode], ...]"

    @property
    def loop(self) -> LoopNode:
        """The loop whose tree holds the target."""
        if isinstance(self.target, Position):
            return self.target.loop
        assert self.target.parent is not None
        return self.target.parent

    @property
    def position(self) -> Position:
        return self.target if isinstance(self.target, Position) else self.target.opener

    def step(self) -> Step:
        """What checking needs of it, in the order in which it takes it apart."""
        position = self.position
        return (position.steps, position, position.checks, self.loop.depth, self.target.slot, self.target.limit, position.loop.template)


@dataclass(slots=True, eq=False, repr=False)
class CompiledSchema:
    """A plan with its tables. One may be used by several threads: what is added to the tables is always the same."""

    plan: SchemaPlan
    root: LoopNode
    #: before the first segment
    start: Position
    depth: int
    #: tags that the transaction uses, each with the loop that it stands in first
    tags: dict[str, LoopNode]
    #: XML of somebody's own: its XSD, made when the first document comes
    xsd: Any = None
    #: whether check digits of GTIN, GLN and SSCC are looked at
    numbers: bool = False

    def options(self, position: Position, tag: str) -> tuple[Option, ...]:
        """Every place forward that `tag` could go to from `position`: in the loop, as a new repetition of it, then outward."""
        if tag not in self.tags:
            return ()
        if tag not in position.options:
            position.options[tag] = tuple(_options(position, tag))
        return position.options[tag]


def compile_schema(plan: SchemaPlan, *, numbers: bool = False) -> CompiledSchema:
    """The plan's tables, empty but for the start; keep the result, it fills as it is used. `numbers`: check digits are looked at too."""
    root = LoopNode(plan.root, None, 0, 0)
    if plan.layout is not None or plan.tree is not None:
        # rows are checked by their layout: no tables
        return CompiledSchema(plan, root, Position(plan.root.children[0], root, -1, []), 1, {})  # type: ignore[arg-type]  # a loop begins with its segment
    checks: dict[SegmentUse, list[Check]] = {}
    tags: dict[str, LoopNode] = {}
    depth = _add_children(root, plan.syntax, checks, tags, numbers)
    before = Position(root.opener.use, root, -1, [])
    return CompiledSchema(plan, root, before, depth + 1, tags, numbers=numbers)


def _add_children(loop: LoopNode, syntax: str, checks: dict[SegmentUse, list[Check]], tags: dict[str, LoopNode], numbers: bool) -> int:
    deepest = loop.depth
    by_elements: dict[tuple[int, int], list[Check]] = {}
    for slot, child in enumerate(loop.use.children):
        if isinstance(child, SegmentUse):
            key = (id(child.elements), id(child.conditions))
            if key not in by_elements:
                by_elements[key] = checks_for(child, syntax, numbers)
            loop.children.append(Position(child, loop, slot, by_elements[key]))
            loop.template.append(None if child.max == 1 else ())
            tags.setdefault(child.tag, loop)
        else:
            inner = LoopNode(child, loop, slot, loop.depth + 1)
            deepest = max(deepest, _add_children(inner, syntax, checks, tags, numbers))
            loop.children.append(inner)
            loop.template.append(())
    return deepest


def _options(position: Position, tag: str) -> list[Option]:
    found: list[Option] = []
    left_out: list[tuple[LoopNode, Position | LoopNode]] = []
    loop: LoopNode | None = position.loop
    at = position.slot
    while loop is not None:
        for slot in range(max(at, 0), len(loop.children)):
            child = loop.children[slot]
            # a segment that stands once, and stands here already, has no room for another
            if child.tag == tag and not (child is position and child.limit == SINGLE):
                found.append(Option(child, tuple(left_out)))
            if slot > at and child.use.mandatory:
                left_out.append((loop, child))
        at, loop = loop.slot, loop.parent
    # in a correct transaction nothing mandatory is ever left out, so what leaves nothing out comes first
    return sorted(found, key=lambda option: bool(option.left_out))


def new_tree(loop: LoopNode, segment: Segment) -> Tree:
    """A tree of the loop, opened by `segment`."""
    tree = loop.template.copy()
    tree[0] = segment
    return tree
