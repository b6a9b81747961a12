"""Paths as generated Python: how a segment, an element or an XML node is reached from a scope. Knows trees, not documents."""

from dataclasses import dataclass
from dataclasses import field
from typing import Any

from gateway.mapping.code import Function
from gateway.mapping.code import Module
from gateway.mapping.plan import Route
from gateway.mapping.plan import SegmentPath
from gateway.mapping.plan import Spot
from gateway.mapping.plan import Test
from gateway.mapping.plan import XmlPath
from gateway.mapping.xml_paths import ROOT_MARK
from gateway.mapping.xml_paths import xpath_namespaces

#: so many codes are looked for one by one
_FEW = 3


@dataclass(slots=True)
class CodeScope:
    """Variables of a scope in the generated code: its tree and segment, or its XML element."""

    tree: str = ""
    segment: str = ""
    element: str = ""
    position: str = ""
    #: variables of a pair of elements: first, second, its number
    pair: tuple[str, ...] = ()
    #: the path whose pairs they are
    pair_path: SegmentPath | None = None
    #: variable with all members of the group that the scope stands for: (tree, segment), or elements
    group: str = ""
    outer: "CodeScope | None" = None
    #: children of XML elements that are asked for, by element variable
    children: "dict[str, Children]" = field(default_factory=dict)

    def up(self, count: int) -> "CodeScope":
        """The scope `count` outward, at most the outermost."""
        scope = self
        while count and scope.outer is not None:
            scope = scope.outer
            count -= 1
        return scope

    def chain(self) -> "list[CodeScope]":
        """This scope and those around it, outermost first."""
        return [*(self.outer.chain() if self.outer else []), self]

    def anew(self) -> "CodeScope":
        """The same scopes in another function."""
        outer = self.outer.anew() if self.outer else None
        return CodeScope(self.tree, self.segment, self.element, self.position, self.pair, self.pair_path, self.group, outer)

    def variables(self) -> list[str]:
        """All variables that code in this scope may use, outermost first."""
        names = [
            name for scope in self.chain() for name in (scope.tree, scope.segment, scope.element, scope.position, scope.group, *scope.pair) if name
        ]
        return list(dict.fromkeys(names))


@dataclass(slots=True)
class Children:
    """First children of an XML element by tag: one walk over them, or a search each, whatever is less."""

    variable: str
    sure: bool
    wanted: dict[str, str] = field(default_factory=dict)

    def lines(self, scope: CodeScope, own_tag: str = "") -> list[str]:
        """The statements that look the wanted children up, and theirs in turn."""
        inner: list[str] = []
        if len(self.wanted) > 2:
            inner.append(f"c = {{n.tag: n for n in {self.variable}.iterchildren(reversed=True)}}.get")
            inner += [f"{name} = c({tag!r})" for tag, name in self.wanted.items()]
        else:
            inner += [f"{name} = next({self.variable}.iterchildren({tag!r}), None)" for tag, name in self.wanted.items()]
        if own_tag:
            # the first of several may lack what a later one has
            inner += [f"if {name} is None: {name} = later({self.variable}, {own_tag!r}, {tag!r})" for tag, name in self.wanted.items()]
        for tag, name in self.wanted.items():
            held = scope.children.get(name)
            if held is not None:
                inner += held.lines(scope, tag)
        if self.sure:
            return inner
        names = self.all_names(scope)
        return [f"{' = '.join(names)} = None", f"if {self.variable} is not None:", *("    " + line for line in inner)]

    def all_names(self, scope: CodeScope) -> list[str]:
        """Every variable that `lines` sets."""
        answer = list(self.wanted.values())
        for name in self.wanted.values():
            held = scope.children.get(name)
            if held is not None:
                answer += held.all_names(scope)
        return answer


class Paths:
    """Writes the code that follows paths."""

    def __init__(self, module: Module, syntax: str, namespaces: Any, root_namespace: str) -> None:
        self.module = module
        self.syntax = syntax
        self.namespaces = namespaces
        self.root_namespace = root_namespace

    # Segments ----------------------------------------------------------------------------------------------------------

    def value_of(self, segment: str, spot: Spot, function: Function | None = None) -> str:
        """The text at a spot of a segment that is there; empty where it is not sent."""
        position, component = spot.position, spot.component
        length = (function.known(("length", segment)) if function is not None else None) or f"len({segment})"
        if self.asks(spot):
            call = "repeated" if self.syntax == "edifact" else "part"
            return f"x.{call}({segment}, {position}, {component})"
        if self.syntax == "edifact":
            held = f"{segment}[{position}]"
            if component is None or component == 1:
                return f"({held}[0] if {length} > {position} and {held} else '')"
            return f"({held}[{component - 1}] if {length} > {position} and len({held}) >= {component} else '')"
        return f"({segment}[{position}] if {length} > {position} else '')"

    def filled_value_of(self, segment: str, spot: Spot) -> str:
        """The text at a spot of a segment that is known to be filled there."""
        if self.asks(spot):
            return self.value_of(segment, spot)
        return f"{segment}[{spot.position}]" + (f"[{(spot.component or 1) - 1}]" if self.syntax == "edifact" else "")

    def asks(self, spot: Spot) -> bool:
        """Whether the value is cut out while the code runs: what repeats, and components of X12."""
        return spot.repeats or (self.syntax != "edifact" and spot.component is not None)

    def holds(self, segment: str, tests: tuple[Test, ...], function: Function | None = None) -> str:
        """A condition on a segment."""
        answer = []
        for test in tests:
            value = self.value_of(segment, test.spot, function)
            if not test.values:
                answer.append(f"not {value}" if test.negated else value)
            elif len(test.values) == 1:
                answer.append(f"{value} {'!=' if test.negated else '=='} {test.values[0]!r}")
            else:
                answer.append(f"{value} {'not in' if test.negated else 'in'} {{{', '.join(map(repr, test.values))}}}")
        return " and ".join(answer)

    def walk(self, function: Function, tree: str, route: Route, *, names: tuple[str, str] | None = None) -> tuple[str, str, int]:
        """Opens a loop over all segments of a route. Gives its tree and segment variables and how many blocks were opened."""
        opened = 0
        segment = ""
        for number, hop in enumerate(route.hops):
            last = number == len(route.hops) - 1
            if hop.loop:
                inner = names[0] if names and last else self.module.name("t")
                function.open(f"for {inner} in {tree}[{hop.slot}]:")
                opened += 1
                tree = inner
                segment = names[1] if names and last else self.module.name("s")
                if last or hop.tests:
                    function.line(f"{segment} = {tree}[0]")
            else:
                segment = names[1] if names and last else self.module.name("s")
                if hop.many:
                    function.open(f"for {segment} in {tree}[{hop.slot}]:")
                else:
                    function.line(f"{segment} = {tree}[{hop.slot}]")
                    function.open(f"if {segment} is not None:")
                opened += 1
            if hop.tests:
                length = function.remember(("length", segment), self.module.name("n"))
                function.line(f"{length} = len({segment})")
                function.open(f"if {self.holds(segment, hop.tests, function)}:")
                opened += 1
        return tree, segment, opened

    def take(self, function: Function, path: SegmentPath, scope: CodeScope) -> tuple[str, str]:
        """The first filled value at a path as an expression, empty where there is none, and the variable of its segment."""
        route = path.routes[0]
        base = scope.up(route.up)
        if not route.hops:
            value = self._first_of(base.segment, path, function)
            return (f"({value} if {self.holds(base.segment, route.tests, function)} else '')" if route.tests else value), base.segment
        hop = route.hops[0]
        if len(path.routes) == 1 and len(route.hops) == 1 and not hop.many and not hop.loop and not hop.tests:
            segment = function.known((base.tree, hop.slot))
            if segment is None:
                segment = function.remember((base.tree, hop.slot), self.module.name("s"))
                function.line(f"{segment} = {base.tree}[{hop.slot}]")
                length = function.remember(("length", segment), self.module.name("n"))
                function.line(f"{length} = len({segment}) if {segment} is not None else 0")
            value = self._first_of(segment, path, function)
            return (f"({value} if {segment} is not None else '')" if any(map(self.asks, path.spots)) else value), segment
        name = self._finder(path)
        segment = function.known((name, base.tree)) or ""
        if not segment:
            segment = function.remember((name, base.tree), self.module.name("s"))
            guard = self._may_find(function, path, base.tree)
            function.line(f"{segment} = {name}(x, {base.tree}){f' if {guard} else None' if guard else ''}")
        value = self.filled_value_of(segment, path.spots[0]) if len(path.spots) == 1 else self._first_of(segment, path, function)
        return f"({value} if {segment} is not None else '')", segment

    def _first_of(self, segment: str, path: SegmentPath, function: Function) -> str:
        value = " or ".join(self.value_of(segment, spot, function) for spot in path.spots)
        return f"({value})" if len(path.spots) > 1 else value

    def _may_find(self, function: Function, path: SegmentPath, tree: str) -> str:
        """A quick look whether it is worth looking: is there such a segment, and does any have the code that is asked for?"""
        if len(path.routes) > 1:
            return ""
        hop = path.routes[0].hops[0]
        held = f"{tree}[{hop.slot}]"
        test = next((test for test in hop.tests if test.values and not test.negated and len(test.values) <= _FEW and not self.asks(test.spot)), None)
        if test is None or not (hop.many or hop.loop):
            return held
        key = ("codes", tree, hop.slot, test.spot)
        codes = function.known(key)
        if codes is None:
            codes = function.remember(key, self.module.name("q"))
            segment = "s[0]" if hop.loop else "s"
            function.line(f"{codes} = [{self.value_of(segment, test.spot)} for s in {held}] if {held} else ()")
        return " or ".join(f"{value!r} in {codes}" for value in test.values)

    def _finder(self, path: SegmentPath) -> str:
        key = ("find", path.routes, path.spots)
        name = self.module.shared(key)
        if name is not None:
            return name
        name = self.module.share(key, self.module.name("find"))
        function = self.module.function(name, "x, t")
        for route in path.routes:
            _, segment, opened = self.walk(function, "t", route)
            filled = " or ".join(self.value_of(segment, spot, function) for spot in path.spots) or "True"
            with function.block(f"if {filled}:"):
                function.line(f"return {segment}")
            function.close(opened)
        function.line("return None")
        return name

    def every(self, function: Function, path: SegmentPath, scope: CodeScope) -> tuple[str, int]:
        """Opens a loop over all segments of a path, gives its variable and how many blocks were opened."""
        route = path.routes[0]
        base = scope.up(route.up)
        if route.group:
            tree, segment = self.members(function, base)
            _, inner, opened = self.walk(function, tree, route)
            return (inner if route.hops else segment), opened + 1
        if not route.hops:
            if route.tests:
                function.open(f"if {self.holds(base.segment, route.tests, function)}:")
            return base.segment, 1 if route.tests else 0
        if len(path.routes) == 1:
            _, segment, opened = self.walk(function, base.tree, route)
            return segment, opened
        _, segment, opened = self.routes(function, path, base.tree)
        return segment, opened

    def members(self, function: Function, scope: CodeScope) -> tuple[str, str]:
        """Opens a loop over the members of a scope's group."""
        tree, segment = self.module.name("t"), self.module.name("s")
        function.open(f"for {tree}, {segment} in {scope.group}:")
        return tree, segment

    def routes(self, function: Function, path: SegmentPath, tree: str, names: tuple[str, str] | None = None) -> tuple[str, str, int]:
        """Opens a loop over trees and segments of a path with several routes."""
        key = ("walk", path.routes)
        name = self.module.shared(key)
        if name is None:
            name = self.module.share(key, self.module.name("walk"))
            walker = self.module.function(name, "x, t")
            for route in path.routes:
                inner, segment, opened = self.walk(walker, "t", route)
                walker.line(f"yield {inner}, {segment}")
                walker.close(opened)
        inner, segment = names or (self.module.name("t"), self.module.name("s"))
        function.open(f"for {inner}, {segment} in {name}(x, {tree}):")
        return inner, segment, 1

    # XML ---------------------------------------------------------------------------------------------------------------

    def tag(self, step: str) -> str:
        """A step of a path with the namespace of this document's root."""
        return step.replace(f"{{{ROOT_MARK}}}", f"{{{self.root_namespace}}}" if self.root_namespace else "")

    def element(self, function: Function, path: XmlPath, scope: CodeScope) -> tuple[str, bool]:
        """The variable of the first element at a path, and whether it is surely there."""
        base = scope.up(path.up)
        if path.steps is None:
            variable = self.module.name("e")
            function.line(f"{variable} = first_filled({self.xpath(path)}({base.element}), {path.attribute!r})")
            return variable, False
        variable = base.element
        for step in path.steps:
            children = base.children.get(variable)
            if children is None:
                children = base.children[variable] = Children(variable, variable == base.element)
            tag = self.tag(step)
            if tag not in children.wanted:
                children.wanted[tag] = self.module.name("e")
            variable = children.wanted[tag]
        return variable, not path.steps

    def xpath(self, path: XmlPath) -> str:
        """The name of a constant that finds all elements of a path; called with an element."""
        from lxml import etree

        text = path.xpath
        if text is None:
            return self.module.constant("all_of", _finder([self.tag(step) for step in path.steps or ()]), (path.steps, self.root_namespace))
        finder = etree.XPath(text, namespaces=xpath_namespaces(self.namespaces, self.root_namespace), smart_strings=False)
        return self.module.constant("xpath", finder, text)

    def elements(self, path: XmlPath, scope: CodeScope) -> str:
        """An expression that gives all elements of a path."""
        base = scope.up(path.up)
        if path.group:
            return base.group if path.steps == () else f"[e for g in {base.group} for e in {self.xpath(path)}(g)]"
        if path.steps is not None and len(path.steps) == 1:
            return f"{base.element}.iterchildren({self.tag(path.steps[0])!r})"
        if path.steps == ():
            return f"({base.element},)"
        return f"{self.xpath(path)}({base.element})"

    def text_of(self, element: str, attribute: str | None) -> str:
        """The text of an element that is there, or of its attribute."""
        return f"({element}.get({attribute!r}) or '').strip()" if attribute else f"({element}.text or '').strip()"

    def prelude(self, function: Function, scope: CodeScope) -> None:
        """Room for the children of the scope's element, which are known when the scope is written."""
        if scope.element:
            function.later(lambda: scope.children[scope.element].lines(scope) if scope.element in scope.children else [])


def _finder(tags: list[str]) -> Any:
    from lxml import etree

    names = {f"n{number}": tag[1:].partition("}")[0] for number, tag in enumerate(tags) if tag.startswith("{")}
    steps = [f"n{number}:{tag.partition('}')[2]}" if tag.startswith("{") else tag for number, tag in enumerate(tags)]
    return etree.XPath("/".join(steps) or ".", namespaces=names or None, smart_strings=False)


def later(element: Any, tag: str, wanted: str) -> Any:
    """The first `wanted` under a later sibling."""
    for sibling in element.itersiblings(tag):
        found = next(sibling.iterchildren(wanted), None)
        if found is not None:
            return found
    return None


def first_filled(elements: Any, attribute: str | None) -> Any:
    """The first element that has text, or the attribute."""
    for element in elements if isinstance(elements, list) else ():
        if (element.get(attribute) if attribute else element.text or "").strip():
            return element
    return None
