"""`each:`, `in:`, `matching:` and `pairs:` as generated Python: the loops that go through segments, loops and XML elements.

Knows how a scope is opened, not what is read in it.
"""

from dataclasses import replace
from typing import Any

from gateway.mapping.code import Function
from gateway.mapping.code import Module
from gateway.mapping.compile_paths import CodeScope
from gateway.mapping.compile_paths import Paths
from gateway.mapping.compile_texts import Texts
from gateway.mapping.plan import All
from gateway.mapping.plan import Block
from gateway.mapping.plan import Constant
from gateway.mapping.plan import First
from gateway.mapping.plan import Join
from gateway.mapping.plan import Leaf
from gateway.mapping.plan import ListPlan
from gateway.mapping.plan import Named
from gateway.mapping.plan import Path
from gateway.mapping.plan import SegmentPath
from gateway.mapping.plan import Spot
from gateway.mapping.plan import Take
from gateway.mapping.plan import XmlPath


class Scopes:
    """Opens the scopes of blocks."""

    def __init__(self, module: Module, paths: Paths, texts: Texts) -> None:
        self.module = module
        self.paths = paths
        self.texts = texts

    def enter(self, function: Function, path: Any, scope: CodeScope) -> tuple[CodeScope, int]:
        """Into the first segment, loop or element of a path; what follows is skipped where there is none."""
        if isinstance(path, XmlPath):
            if path.steps is None:
                name = self.module.name("e")
                function.line(f"{name} = next(iter({self.paths.elements(path, scope)}), None)")
                function.open(f"if {name} is not None:")
                inner = CodeScope(element=name, outer=scope)
            else:
                element, _ = self.paths.element(function, path, scope)
                function.open(f"if {element} is not None:")
                # a name of its own: the scope around may ask for the same children
                name = self.module.name("e")
                function.line(f"{name} = {element}")
                inner = CodeScope(element=name, outer=scope)
            self.paths.prelude(function, inner)
            return inner, 1
        assert isinstance(path, SegmentPath)
        route = path.routes[0]
        base = scope.up(route.up)
        tree, segment = self.module.name("t"), self.module.name("s")
        key = ("enter", path.routes)
        name = self.module.shared(key) or ""
        if not name:
            name = self.module.share(key, self.module.name("enter"))
            finder = self.module.function(name, "x, t")
            for one in path.routes:
                inner_tree, inner_segment, opened = self.paths.walk(finder, "t", one)
                finder.line(f"return {inner_tree}, {inner_segment}")
                finder.close(opened)
            finder.line("return None, None")
        if not route.hops:
            function.line(f"{tree}, {segment} = {base.tree}, {base.segment}")
            condition = self.paths.holds(segment, route.tests) or "True"
        else:
            guard = f" if {base.tree}[{route.hops[0].slot}] else (None, None)" if len(path.routes) == 1 else ""
            function.line(f"{tree}, {segment} = {name}(x, {base.tree}){guard}")
            condition = f"{segment} is not None"
        function.open(f"if {condition}:")
        return CodeScope(tree=tree, segment=segment, outer=scope), 1

    def loop(self, function: Function, path: Any, scope: CodeScope) -> tuple[CodeScope, int]:
        """Opens a loop over all instances of a path."""
        if isinstance(path, XmlPath):
            element = self.module.name("e")
            function.open(f"for {element} in {self.paths.elements(path, scope)}:")
            inner = CodeScope(element=element, outer=scope)
            self.paths.prelude(function, inner)
            return inner, 1
        assert isinstance(path, SegmentPath)
        base = scope.up(path.routes[0].up)
        names = (self.module.name("t"), self.module.name("s"))
        if path.routes[0].group:
            tree, segment = self.paths.members(function, base)
            opened = 1
            if path.routes[0].hops:
                tree, segment, opened = self.paths.walk(function, tree, path.routes[0], names=names)
                opened += 1
        elif len(path.routes) > 1:
            tree, segment, opened = self.paths.routes(function, path, base.tree, names)
        elif not path.routes[0].hops:
            function.open(f"if {self.paths.holds(base.segment, path.routes[0].tests) or 'True'}:")
            tree, segment, opened = base.tree, base.segment, 1
        else:
            tree, segment, opened = self.paths.walk(function, base.tree, path.routes[0], names=names)
        if function.known(("length", segment)) is None:
            length = function.remember(("length", segment), self.module.name("n"))
            function.line(f"{length} = len({segment})")
        return CodeScope(tree=tree, segment=segment, outer=scope), opened

    def matching(self, function: Function, block: Block, scope: CodeScope) -> tuple[CodeScope, int]:
        """Opens a loop over the instances that have a value of the scope around."""
        assert block.matching is not None
        assert isinstance(block.each, SegmentPath)
        index = self.index(block.each, block.matching[0].spots)
        ours = self.texts.take(function, block.matching[1], scope, block.where)
        tree, segment = self.module.name("t"), self.module.name("s")
        function.open(f"for {tree}, {segment} in {index}(x, {scope.up(-1).tree}).get({ours.variable}, ()):")
        return CodeScope(tree=tree, segment=segment, outer=scope), 1

    def levels(self, function: Function, path: Path, outward: int, scope: CodeScope) -> tuple[CodeScope, int]:
        """Opens a loop over the levels right below another one."""
        tree, segment = self.module.name("t"), self.module.name("s")
        above = f"id({scope.up(outward).segment})" if outward >= 0 else "0"
        function.open(f"for {tree}, {segment} in {self._children(path)}(x, {scope.up(-1).tree}).get({above}, ()):")
        assert isinstance(path, SegmentPath)
        tests = tuple(test for hop in path.routes[0].hops for test in hop.tests)
        function.open(f"if {self.paths.holds(segment, tests) or 'True'}:")
        return CodeScope(tree=tree, segment=segment, outer=scope), 2

    def _children(self, path: Path) -> str:
        """The name of a function that gives all levels by the one they hang under; they are gone through once for each transaction."""
        assert isinstance(path, SegmentPath)
        route = path.routes[0]
        plain = replace(route, hops=tuple(replace(hop, tests=()) for hop in route.hops))
        key = ("levels", plain)
        known = self.module.shared(key)
        if known is not None:
            return known
        name = self.module.share(key, self.module.name("levels"))
        function = self.module.function(name, "x, t")
        function.line(f"held = x.indexes.get({name!r})")
        with function.block("if held is None:"):
            function.line("pairs = []")
            tree, segment, opened = self.paths.walk(function, "t", plain)
            function.line(f"pairs.append(({tree}, {segment}))")
            function.close(opened)
            function.line(f"held = x.indexes[{name!r}] = below(pairs, {route.segment.tag!r})")
        function.line("return held")
        return name

    def index(self, path: SegmentPath, spots: tuple[Spot, ...]) -> str:
        """The name of a function that gives all instances of a path by their value; they are gone through once for each transaction."""
        key = ("index", path.routes, spots)
        known = self.module.shared(key)
        if known is not None:
            return known
        name = self.module.share(key, self.module.name("index"))
        function = self.module.function(name, "x, t")
        function.line(f"held = x.indexes.get({name!r})")
        with function.block("if held is None:"):
            function.line(f"held = x.indexes[{name!r}] = {{}}")
            tree, segment, opened = self.paths.walk(function, "t", path.routes[0])
            function.line(f"value = {' or '.join(self.paths.value_of(segment, spot) for spot in spots)}")
            function.line(f"if value: held.setdefault(value, []).append(({tree}, {segment}))")
            function.close(opened)
        function.line("return held")
        return name

    def group(self, function: Function, block: Block, scope: CodeScope, groups: str, opened: int) -> CodeScope:
        """Puts the instances of the open loops into groups, closes the loops, and opens one over the groups; its scope is the first
        member's. What has none of the values stands alone."""
        keys = [self.texts.take(function, path, scope, block.where).variable for path in block.group_by]
        key, member = self.module.name("r"), f"({scope.tree}, {scope.segment})" if scope.tree else scope.element
        function.line(f"{key} = ({', '.join(keys)},)")
        function.line(f"{groups}.setdefault({key} if any({key}) else len({groups}), []).append({member})")
        function.close(opened)
        held = self.module.name("g")
        function.open(f"for {held} in {groups}.values():")
        if scope.tree:
            inner = CodeScope(tree=self.module.name("t"), segment=self.module.name("s"), group=held, outer=scope.outer)
            function.line(f"{inner.tree}, {inner.segment} = {held}[0]")
            return inner
        inner = CodeScope(element=self.module.name("e"), group=held, outer=scope.outer)
        function.line(f"{inner.element} = {held}[0]")
        self.paths.prelude(function, inner)
        return inner

    def open_pairs(self, function: Function, path: SegmentPath, scope: CodeScope) -> tuple[CodeScope, int]:
        """Opens a loop over the pairs of elements of a segment."""
        segment, opened = self.paths.every(function, path, scope)
        first, last = path.spots[0].position, path.spots[-1].position
        pair = (self.module.name("r"), self.module.name("r"), self.module.name("i"))
        function.open(f"for {pair[2]}, ({pair[0]}, {pair[1]}) in enumerate(zip({segment}[{first}:{last}:2], {segment}[{first + 1}:{last + 1}:2])):")
        return CodeScope(tree=scope.tree, segment=segment, pair=pair, pair_path=path, outer=scope), opened + 1

    def guard(self, block: Block, scope: CodeScope) -> str:
        """A quick look whether there is anything to do."""
        if block.below and block.below[0] is not None:
            return ""
        if block.matching is not None:
            assert isinstance(block.each, SegmentPath)
            return f"{self.index(block.each, block.matching[0].spots)}(x, {scope.up(-1).tree})"
        return self._slot(block.around[0] if block.around else block.each, scope)

    # What must be there for anything to be read at all

    def needed(self, held: Leaf | Block | ListPlan, scope: CodeScope) -> list[str] | None:
        """Slots of trees of which one must be filled for anything to be read here; None where that cannot be said beforehand."""
        if isinstance(held, Leaf):
            return self._needed_of_leaf(held, scope)
        if isinstance(held, ListPlan):
            guards = [self.guard(block, scope) if block.each is not None else "" for block in held.blocks]
            return guards if all(guards) else None
        if held.keyed or held.pairs is not None or held.each is not None or held.when is not None:
            return None
        if held.within is not None:
            guard = self._slot(held.within, scope)
            return [guard] if guard else None
        answer: list[str] = []
        for _, inner in held.fields:
            slots = self.needed(inner, scope)
            if slots is None:
                return None
            answer += slots
        return answer

    def _needed_of_leaf(self, leaf: Leaf, scope: CodeScope) -> list[str] | None:
        origin = leaf.origin
        if (
            isinstance(origin, Constant)
            or (isinstance(origin, Named) and origin.family != "pair")
            or (leaf.default is not None and leaf.when is None)
        ):
            # what is always there makes no object
            return []
        if isinstance(origin, Take):
            slot = self._slot(origin.path, scope)
            return [slot] if slot else None
        parts = origin.options if isinstance(origin, First) else origin.parts if isinstance(origin, Join | All) else None
        if parts is None or leaf.default is not None:
            return None
        answer: list[str] = []
        for part in parts:
            slots = None if isinstance(part.origin, Constant | Named) or part.default is not None else self._needed_of_leaf(part, scope)
            if slots is None:
                return None
            answer += slots
        return answer

    def _slot(self, path: Any, scope: CodeScope) -> str:
        """The slot that the one route of a path begins in."""
        if not isinstance(path, SegmentPath) or len(path.routes) != 1 or not path.routes[0].hops:
            return ""
        route = path.routes[0]
        return "" if route.group else f"{scope.up(route.up).tree}[{route.hops[0].slot}]"
