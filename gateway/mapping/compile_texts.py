"""One text of a transaction as generated Python: taken at a path, named, counted or computed; and conditions over such texts.

Each comes with where it was taken from. Knows nothing of what becomes of a text.
"""

from dataclasses import dataclass
from typing import Any

from gateway.mapping.code import Function
from gateway.mapping.code import Module
from gateway.mapping.compile_paths import CodeScope
from gateway.mapping.compile_paths import Paths
from gateway.mapping.conversions import converter
from gateway.mapping.plan import Compute
from gateway.mapping.plan import Condition
from gateway.mapping.plan import Count
from gateway.mapping.plan import Counter
from gateway.mapping.plan import Leaf
from gateway.mapping.plan import Named
from gateway.mapping.plan import Path
from gateway.mapping.plan import SegmentPath
from gateway.mapping.plan import Sum
from gateway.mapping.plan import XmlPath
from gateway.mapping.reading import Site


@dataclass(slots=True)
class Text:
    """A text variable (empty where nothing was sent), and where it is."""

    variable: str
    carrier: str = "None"
    origins: str = ""
    constant: bool = False
    path: Path | None = None
    spot: Any = None


@dataclass(slots=True)
class Texts:
    """Writes the code that sets a variable to a text."""

    module: Module
    paths: Paths
    explain: bool
    syntax: str

    def take(self, function: Function, path: Path, scope: CodeScope, where: str) -> Text:
        """The first filled value at a path."""
        if isinstance(path, SegmentPath):
            expression, segment = self.paths.take(function, path, scope)
            variable = function.known(("value", expression)) or ""
            if variable and not self.explain:
                return Text(variable, segment, path=path, spot=path.spots[0])
            variable = function.remember(("value", expression), self.module.name("r"))
            function.line(f"{variable} = {expression}")
            *before, last = [(spot, f"[{self.origin(segment, spot.position, spot.component, spot.name, where)}]") for spot in path.spots]
            origins = last[1]
            for spot, own in reversed(before):
                origins = f"({own} if {segment} is not None and {self.paths.value_of(segment, spot)} else {origins})"
            return Text(variable, segment, origins, path=path, spot=path.spots[0])
        assert isinstance(path, XmlPath)
        variable = self.module.name("r")
        element, sure = self.paths.element(function, path, scope)
        value = self.paths.text_of(element, path.attribute)
        function.line(f"{variable} = {value}" if sure else f"{variable} = {value} if {element} is not None else ''")
        return Text(variable, element, f"[{self.xml_origin(element, path, where)}]", path=path)

    def origin(self, segment: str, position: int, component: int | None, name: str, where: str) -> str:
        """Where a value of a segment came from, as the explaining variant notes it."""
        return f"({segment}, {position}, {component}, {name!r}, 'copied', {where!r})"

    def xml_origin(self, element: str, path: XmlPath, where: str) -> str:
        """The same of XML."""
        return f"({element}, None, None, {path.attribute!r}, 'copied', {where!r})"

    def told(self, name: str, how: str, leaf: Leaf) -> str:
        """The same of what stands nowhere in the transaction."""
        return f"[(None, None, None, {name!r}, {how!r}, {leaf.where!r})]"

    def named(self, function: Function, origin: Named, scope: CodeScope, leaf: Leaf) -> Text:
        """What has a name: a position, a side of a pair, a word of the partner or of the header."""
        if origin.family == "position":
            around = _counted_scope(scope)
            for _ in range(origin.name.count("/")):
                around = _counted_scope(around.outer) if around.outer is not None else around
            return Text(f"str({around.position or 1})", origins=self.told("position", "computed", leaf), constant=True)
        if origin.family == "pair":
            held = scope
            while not held.pair and held.outer is not None:
                held = held.outer
            assert held.pair_path is not None, "pair.first stands outside of pairs:"
            side = 0 if origin.name == "first" else 1
            position = held.pair_path.spots[0].position + side
            place = f"{position} + 2 * {held.pair[2]}"
            return Text(f"({held.pair[side]} or '')", held.segment, f"[({held.segment}, {place}, None, f'{{{place}:02}}', 'copied', {leaf.where!r})]")
        variable = self.module.name("r")
        value = f"x.partner.get({origin.name!r})" if origin.family == "partner" else f"(x.header.{origin.name} or '')"
        function.line(f"{variable} = {value}")
        how = "constant" if origin.family == "partner" else "copied"
        return Text(variable, origins=self.told(f"{origin.family}.{origin.name}", how, leaf), constant=True)

    def counter(self, function: Function, origin: Counter, leaf: Leaf) -> Text:
        """The next number of a counter of this document."""
        number = self.module.name("r")
        function.line(f"{number} = x.counted({origin.name!r})")
        return Text(number, origins=self.told(f"counter {origin.name}", "computed", leaf), constant=True)

    def number(self, function: Function, origin: Count | Sum, scope: CodeScope, leaf: Leaf) -> Text:
        """How many there are, or their sum."""
        variable, total = self.module.name("r"), self.module.name("n")
        function.line(f"{total} = 0")
        path = origin.path
        if isinstance(path, SegmentPath):
            segment, opened = self.paths.every(function, path, scope)
            if isinstance(origin, Count):
                function.line(f"{total} += 1")
            else:
                # what is done with the sum is done once, not with each of its parts
                plain = converter("decimal", Leaf(origin=origin, where=leaf.where), self.syntax, coded=False)
                sums = self.module.constant("to_decimal", plain, ("decimal", "sum"))
                for spot in path.spots:
                    function.line(f"{total} += {sums}[{self.paths.value_of(segment, spot)}] or 0")
            function.close(opened)
        elif isinstance(path, XmlPath):
            function.line(f"{total} = sum(1 for _ in {self.paths.elements(path, scope)})")
        function.line(f"{variable} = str({total})")
        return Text(variable, scope.segment or scope.element or "None", self.told(path.text if path else "", "computed", leaf))

    def computed(self, function: Function, origin: Compute, scope: CodeScope, label: str, leaf: Leaf) -> Text:
        """What an expression over values of the transaction gives."""
        variable, carrier = self.module.name("r"), scope.segment or scope.element or "None"
        values, taken = self._variables(function, origin, scope)
        site = self.module.constant("site", Site(field=label, where=leaf.where))
        expression = self.module.constant("expression", origin.expression)
        function.line(f"{variable} = x.compute({expression}, {values}, {site}, {carrier})")
        traces = " + ".join(f"({text.origins} if {text.variable} else [])" for text in taken) or self.told("expression", "computed", leaf)
        return Text(variable, carrier, f"told({traces}, 'computed')")

    # Conditions --------------------------------------------------------------------------------------------------------

    def condition(self, function: Function, condition: Condition, scope: CodeScope, label: str) -> str:
        """A Python condition; statements that it needs stand before."""
        parts = []
        for check in condition.checks:
            text = self.take(function, check.take.path, scope, condition.where).variable
            if not check.values:
                parts.append(f"not {text}" if check.negated else text)
            elif len(check.values) == 1:
                parts.append(f"{text} {'!=' if check.negated else '=='} {check.values[0]!r}")
            else:
                parts.append(f"{text} {'not in' if check.negated else 'in'} {check.values!r}")
        if condition.expression is not None:
            values, _ = self._variables(function, condition.expression, scope)
            site = self.module.constant("site", Site(field=label, where=condition.where))
            expression = self.module.constant("expression", condition.expression.expression)
            parts.append(f"x.holds({expression}, {values}, {site}, {scope.segment or scope.element or 'None'})")
        if condition.options:
            parts.append(f"({' or '.join(self.condition(function, option, scope, label) for option in condition.options)})")
        return " and ".join(parts) or "True"

    def _variables(self, function: Function, compute: Compute, scope: CodeScope) -> tuple[str, list[Text]]:
        texts = [self.take(function, take.path, scope, "") for _, take in compute.paths]
        parts = [f"{name!r}: {text.variable}" for (name, _), text in zip(compute.paths, texts, strict=True)]
        if "position" in compute.names:
            parts.append(f"'position': {scope.position or 1}")
        named = ", **x.names()" if {"partner", "source"} & set(compute.names) else ""
        return f"{{{', '.join(parts)}{named}}}", texts


def _counted_scope(scope: CodeScope) -> CodeScope:
    """The nearest scope that counts its items, this one or one around."""
    while not scope.position and scope.outer is not None:
        scope = scope.outer
    return scope
