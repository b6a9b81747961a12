"""Leaves as generated Python: the text of a value, what is done with it, and the problem where that fails.

For each leaf it writes statements that set a variable; in the explaining variant a second one holds where the value came from.
Knows the plan of a leaf, not where its value goes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from functools import partial
from typing import Any

from gateway.mapping.code import Function
from gateway.mapping.code import Module
from gateway.mapping.compile_paths import CodeScope
from gateway.mapping.compile_paths import Paths
from gateway.mapping.conversions import EXPECTED
from gateway.mapping.conversions import converter
from gateway.mapping.conversions import has_factor
from gateway.mapping.conversions import is_changed
from gateway.mapping.plan import All
from gateway.mapping.plan import Compute
from gateway.mapping.plan import Condition
from gateway.mapping.plan import Constant
from gateway.mapping.plan import Count
from gateway.mapping.plan import Counter
from gateway.mapping.plan import First
from gateway.mapping.plan import Join
from gateway.mapping.plan import Leaf
from gateway.mapping.plan import Named
from gateway.mapping.plan import Path
from gateway.mapping.plan import SegmentPath
from gateway.mapping.plan import Sum
from gateway.mapping.plan import Take
from gateway.mapping.plan import XmlPath
from gateway.mapping.reading import Site
from gateway.mapping.shapes import CHECKED
from gateway.mapping.texts import text_function
from gateway.schema.known_codes import check_digit_fault

_EMPTY = "''"


@dataclass(slots=True)
class Value:
    """Variables that the written code sets. `raw`: the text before conversion; empty where there is none to look at."""

    variable: str
    raw: str = ""
    origins: str = ""
    #: field beside it that keeps the code as sent
    kept: str = ""
    #: segment or element that carries it, for problems
    carrier: str = "None"
    #: it is always there: a constant, a position
    constant: bool = False
    site: Site | None = None


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
class Values:
    """Writes the code of leaves."""

    module: Module
    paths: Paths
    explain: bool
    syntax: str
    coded: dict[str, str] = field(default_factory=dict)

    # The whole leaf ----------------------------------------------------------------------------------------------------

    def leaf(
        self,
        function: Function,
        leaf: Leaf,
        kind: str,
        label: str,
        scope: CodeScope,
        *,
        mandatory: bool,
        into: Value | None = None,
        otherwise: Callable[[], None] | None = None,
    ) -> Value:
        """Statements that set a variable to the field's value, None where there is none.

        `into` names the variables to set; `otherwise` writes what is done where nothing was sent.
        """
        value = into or Value(self.module.name("v"), origins=self.module.name("o") if self.explain else "")
        if leaf.keep and not value.kept:
            value.kept = self.module.name("k")
        if leaf.when is None:
            self._value(function, leaf, kind, label, scope, mandatory, value, otherwise)
            return value
        value.raw = value.raw or self.module.name("r")
        names = [value.variable, *([value.kept] if value.kept else [])]
        function.line(f"{' = '.join(names)} = None")
        function.line(f"{value.raw} = ''")
        if value.origins:
            function.line(f"{value.origins} = ()")
        with function.block(f"if {self.condition(function, leaf.when, scope, label)}:"):
            self._value(function, leaf, kind, label, scope, mandatory, value, None)
        # a carrier found under the condition may not be set outside of it
        value.carrier = scope.segment or scope.element or "None"
        if otherwise is not None:
            with function.block(f"if not {value.raw}:"):
                otherwise()
        return value

    def _value(
        self,
        function: Function,
        leaf: Leaf,
        kind: str,
        label: str,
        scope: CodeScope,
        mandatory: bool,
        value: Value,
        otherwise: Callable[[], None] | None,
    ) -> None:
        """Where `value.raw` is named, that variable gets the text before its conversion; else it is named here."""
        if isinstance(leaf.origin, First):
            self._first(function, leaf, leaf.origin, kind, label, scope, mandatory, value, otherwise)
            return
        if isinstance(leaf.origin, All):
            self._all(function, leaf.origin, scope, value)
            if otherwise is not None:
                with function.block(f"if {value.variable} is None:"):
                    otherwise()
            return
        text = self._text(function, leaf, scope, label)
        value.carrier, value.constant = text.carrier, text.constant
        value.site = self._site(leaf, text, kind, label, mandatory)
        if self.explain:
            function.line(f"{value.origins} = {text.origins}")
        stepwise = bool(leaf.make) or leaf.table is not None or leaf.cut is not None or leaf.pad is not None
        if kind == "text" and not stepwise and leaf.default is None and label.rpartition(".")[2] not in CHECKED:
            self._plain_text(function, text.variable, value, otherwise)
            return
        final, how, unsure = text.variable, "", False
        empty: list[str] = []
        first = leaf.default is None or stepwise or bool(value.kept)
        if first:
            function.open(f"if {final}:")
        if value.kept:
            empty.append(f"{value.kept} = None")
            if leaf.table is None:
                function.line(f"{value.kept} = {final}")
        if stepwise:
            final, how, unsure = self._steps(function, leaf, final, value)
            empty.append(f"{final} = ''")
        if leaf.default is not None:
            if first:
                self._else(function, empty)
            given, empty = self.module.name("r"), []
            function.line(f"{given} = {final} or {leaf.default!r}")
            if self.explain:
                function.line(f"if not {final}: {value.origins} = [(None, None, None, 'constant', 'constant', {leaf.where!r})]")
            final, unsure, value.constant = given, False, True
            function.open(f"if {final}:")
        if value.raw and value.raw != final:
            function.line(f"{value.raw} = {final}")
            empty.append(f"{value.raw} = ''")
        value.raw = value.raw or final
        self._convert(function, leaf, kind, final, text, value, unsure)
        if has_factor(leaf):
            self._scale(function, leaf, label, scope, value)
        how = how or ("converted" if kind in ("date", "datetime", "boolean") or (kind in ("decimal", "integer") and is_changed(leaf)) else "")
        if self.explain and how:
            function.line(f"{value.origins} = told({value.origins}, {how!r})")
        empty.append(f"{value.variable} = None")
        self._else(function, empty, None if unsure else otherwise)
        if unsure and otherwise is not None:
            with function.block(f"if not {final}:"):
                otherwise()

    def _else(self, function: Function, lines: list[str], otherwise: Callable[[], None] | None = None) -> None:
        """Ends what is done where there is a text, and says what is where there is none."""
        function.close()
        if lines or otherwise is not None:
            with function.block("else:"):
                for line in lines:
                    function.line(line)
                if otherwise is not None:
                    otherwise()

    def _plain_text(self, function: Function, raw: str, value: Value, otherwise: Callable[[], None] | None) -> None:
        """A text as it is sent."""
        function.line(f"{value.variable} = {raw} or None")
        if value.kept:
            function.line(f"{value.kept} = {value.variable}")
        if value.raw and value.raw != raw:
            function.line(f"{value.raw} = {raw}")
        value.raw = value.raw or raw
        if otherwise is not None:
            with function.block(f"if {value.variable} is None:"):
                otherwise()

    def _steps(self, function: Function, leaf: Leaf, raw: str, value: Value) -> tuple[str, str, bool]:
        """What is made of a text that is there: the variable of the new text, how it came about, and whether it may be empty now."""
        how, unsure = "", False
        if leaf.make:
            made = self.module.name("r")
            calls = raw
            for name in leaf.make:
                calls = f"{self.module.constant('make', text_function(name), name)}({calls})"
            function.line(f"{made} = {calls}")
            raw, how, unsure = made, "converted", True
        if leaf.cut is not None or leaf.pad is not None:
            changed = self.module.name("r")
            cut = f"[{leaf.cut}]" if leaf.cut is not None else ""
            pad = f".zfill({leaf.pad})" if leaf.pad is not None else ""
            function.line(f"{changed} = {raw}{cut}{pad}{f' if {raw} else {_EMPTY}' if unsure else ''}")
            raw, how, unsure = changed, how or "converted", True
        if leaf.table is None:
            return raw, how, unsure
        table = self.module.constant("table", dict(leaf.table.forward), (leaf.table.name, id(leaf.table.forward)))
        word = self.module.name("r")
        function.line(f"{word} = {table}.get({raw}){f' if {raw} else {_EMPTY}' if unsure else ''}")
        with function.block(f"if {word} is None:"):
            if leaf.otherwise == "problem":
                site = self.module.constant("site", value.site)
                function.line(f"x.unknown({site}, {raw}, {value.carrier}, {leaf.table.name!r})")
            function.line(f"{word} = {raw if leaf.otherwise == 'keep' else repr(leaf.otherwise_text)}")
        if value.kept:
            function.line(f"{value.kept} = {raw} if {raw} != {word}{f' and {raw}' if unsure else ''} else None")
        unsure = unsure or not all(leaf.table.forward.values()) or not (leaf.otherwise == "keep" or leaf.otherwise_text)
        return word, "looked_up", unsure

    def _convert(self, function: Function, leaf: Leaf, kind: str, raw: str, text: Text, value: Value, unsure: bool) -> None:
        """Sets the variable; `unsure`: the text may be empty."""
        name = value.variable
        if kind == "text":
            function.line(f"{name} = {raw} or None" if unsure else f"{name} = {raw}")
            last = value.site.field.rpartition(".")[2] if value.site else ""
            if last in CHECKED:
                self.check_digit(function, last, name, value)
            return
        code = self._code(text) if kind in ("date", "datetime") and leaf.form is None else None
        table = self.module.constant(
            "to_" + kind,
            converter(kind, leaf, self.syntax, coded=code is not None),
            None if kind == "decimal" and is_changed(leaf) else (kind, leaf.form, leaf.zone, leaf.period, leaf.add_days, code is not None),
        )
        key = raw if code is None else f"{raw}, {code}"
        function.line(f"{name} = {table}[{key}]{f' if {raw} else None' if unsure else ''}")
        site = self.module.constant("site", value.site)
        with function.block(f"if {name} is None{f' and {raw}' if unsure else ''}:"):
            function.line(f"x.invalid({site}, {raw}, {value.carrier})")
        if kind == "datetime":
            function.line(f"if {name}.__class__ is Only: {name} = None")

    def _scale(self, function: Function, leaf: Leaf, label: str, scope: CodeScope, value: Value) -> None:
        """Divides and multiplies by what stands in the document."""
        factors = [
            self.leaf(function, held, "decimal", label, scope, mandatory=False).variable if held is not None else "None"
            for held in (leaf.divide_by, leaf.multiply_by)
        ]
        site, plan = self.module.constant("site", value.site), self.module.constant("leaf", leaf)
        function.line(f"{value.variable} = x.scaled({value.variable}, {plan}, {', '.join(factors)}, {site}, {value.carrier})")

    def check_digit(self, function: Function, name: str, variable: str, value: Value) -> None:
        """A warning where an identifier's check digit is wrong."""
        fault = self.module.constant("wrong_" + name, check_digit_fault(name), name)
        site = self.module.constant("site", value.site)
        with function.block(f"if {variable} and {fault}({variable}):"):
            function.line(f"x.check_digit({site}, {variable}, {fault}({variable}), {value.carrier})")

    def _code(self, text: Text) -> str | None:
        """EDIFACT: the 2379 code beside a 2380 value."""
        if not isinstance(text.path, SegmentPath) or text.spot is None or text.spot.use.id != "2380" or text.spot.component is None:
            return None
        held = text.path.routes[0].segment.elements[text.spot.position - 1]
        code = next((part for part in held.components if part.id == "2379"), None)
        if code is None:
            return None
        value = f"{text.carrier}[{text.spot.position}]"
        return f"({value}[{code.position - 1}] if len({value}) >= {code.position} else '')"

    def _site(self, leaf: Leaf, text: Text, kind: str, label: str, mandatory: bool) -> Site:
        expected = EXPECTED.get(kind, kind)
        if kind in ("date", "datetime") and leaf.form is not None:
            expected = f"{expected} as {leaf.form}"
        if text.spot is not None:
            return Site(
                field=label,
                where=leaf.where,
                mandatory=mandatory,
                expected=expected,
                position=text.spot.position,
                component=text.spot.component,
                name=text.spot.name,
            )
        if isinstance(text.path, XmlPath):
            return Site(field=label, where=leaf.where, mandatory=mandatory, expected=expected, attribute=text.path.attribute, name=text.path.text)
        return Site(field=label, where=leaf.where, mandatory=mandatory, expected=expected)

    # Several -----------------------------------------------------------------------------------------------------------

    def _first(
        self,
        function: Function,
        leaf: Leaf,
        origin: First,
        kind: str,
        label: str,
        scope: CodeScope,
        mandatory: bool,
        value: Value,
        otherwise: Callable[[], None] | None,
    ) -> None:
        """Each option stands where the one before it found nothing."""
        value.raw = value.raw or self.module.name("r")
        options = [_keeping(option, leaf.keep) for option in origin.options]
        if leaf.default is not None:
            options.append(Leaf(origin=Constant(leaf.default), where=leaf.where, form=leaf.form, zone=leaf.zone))
        found: dict[int, Value] = {}

        def write(number: int) -> None:
            more = partial(write, number + 1) if number + 1 < len(options) else otherwise
            held = Value(value.variable, value.raw, value.origins, value.kept)
            found[number] = self.leaf(function, options[number], kind, label, scope, mandatory=mandatory, into=held, otherwise=more)

        write(0)
        value.carrier = scope.segment or scope.element or "None"
        value.constant = any(held.constant for held in found.values())
        value.site = next((found[number].site for number in sorted(found) if found[number].site is not None), None)

    def _all(self, function: Function, origin: All, scope: CodeScope, value: Value) -> None:
        held = self.module.name("l")
        function.line(f"{held} = []")
        if self.explain:
            function.line(f"{value.origins} = []")
        for part in origin.parts:
            self._every(function, part, scope, held, f"{value.origins}.append" if self.explain else "")
        function.line(f"{value.variable} = tuple({held}) or None")
        if value.raw:
            function.line(f"{value.raw} = ''")

    def _every(self, function: Function, part: Leaf, scope: CodeScope, held: str, trace: str) -> None:
        """Appends every filled value of a part to a list."""
        if isinstance(part.origin, First) or part.table is not None or part.default is not None:
            # a part that is more than a path: one value, made as a field's text is made
            value = self.leaf(function, part, "text", "", scope, mandatory=False)
            with function.block(f"if {value.variable} is not None:"):
                function.line(f"{held}.append({value.variable})")
                if trace:
                    function.line(f"{trace}({value.origins})")
            return
        opened = 0
        if part.when is not None:
            function.open(f"if {self.condition(function, part.when, scope, '')}:")
            opened += 1
        if not isinstance(part.origin, Take):
            text = self._text(function, part, scope, "")
            self._append(function, part, text.variable, text.origins, held, trace)
        elif isinstance(part.origin.path, SegmentPath):
            path = part.origin.path
            segment, blocks = self.paths.every(function, path, scope)
            for spot in path.spots:
                variable = self.module.name("r")
                function.line(f"{variable} = {self.paths.value_of(segment, spot)}")
                origin = self._origin(segment, spot.position, spot.component, spot.name, part.where)
                self._append(function, part, variable, f"[{origin}]", held, trace)
            opened += blocks
        elif isinstance(part.origin.path, XmlPath):
            xml = part.origin.path
            element, variable = self.module.name("e"), self.module.name("r")
            function.open(f"for {element} in {self.paths.elements(xml, scope)}:")
            function.line(f"{variable} = {self.paths.text_of(element, xml.attribute)}")
            self._append(function, part, variable, f"[{self._xml_origin(element, xml, part.where)}]", held, trace)
            opened += 1
        function.close(opened)

    def _append(self, function: Function, part: Leaf, variable: str, origin: str, held: str, trace: str) -> None:
        with function.block(f"if {variable}:"):
            value = variable
            for name in part.make:
                value = f"{self.module.constant('make', text_function(name), name)}({value})"
            function.line(f"{held}.append({value})")
            if trace:
                function.line(f"{trace}({origin})")

    # One text ----------------------------------------------------------------------------------------------------------

    def _text(self, function: Function, leaf: Leaf, scope: CodeScope, label: str) -> Text:
        origin = leaf.origin
        if isinstance(origin, Take):
            return self.take(function, origin.path, scope, leaf.where)
        if isinstance(origin, Constant):
            return Text(repr(origin.text), origins=self._told("constant", "constant", leaf), constant=True)
        if isinstance(origin, Named):
            return self._named(function, origin, scope, leaf)
        if isinstance(origin, Counter):
            number = self.module.name("r")
            function.line(f"{number} = x.counted({origin.name!r})")
            return Text(number, origins=self._told(f"counter {origin.name}", "computed", leaf), constant=True)
        variable = self.module.name("r")
        carrier = scope.segment or scope.element or "None"
        if isinstance(origin, Join):
            held, traces = self.module.name("l"), self.module.name("o")
            function.line(f"{held} = []")
            if self.explain:
                function.line(f"{traces} = []")
            for part in origin.parts:
                self._every(function, part, scope, held, f"{traces}.extend" if self.explain else "")
            function.line(f"{variable} = {origin.with_!r}.join({held})")
            return Text(variable, carrier, f"told({traces}, 'joined') if len({held}) > 1 else {traces}")
        if isinstance(origin, Count | Sum):
            return self._number(function, origin, scope, leaf)
        assert isinstance(origin, Compute), origin
        values, taken = self._variables(function, origin, scope)
        site = self.module.constant("site", Site(field=label, where=leaf.where))
        expression = self.module.constant("expression", origin.expression)
        function.line(f"{variable} = x.compute({expression}, {values}, {site}, {carrier})")
        traces = " + ".join(f"({text.origins} if {text.variable} else [])" for text in taken) or self._told("expression", "computed", leaf)
        return Text(variable, carrier, f"told({traces}, 'computed')")

    def _named(self, function: Function, origin: Named, scope: CodeScope, leaf: Leaf) -> Text:
        if origin.family == "position":
            around = _counted_scope(scope)
            for _ in range(origin.name.count("/")):
                around = _counted_scope(around.outer) if around.outer is not None else around
            return Text(f"str({around.position or 1})", origins=self._told("position", "computed", leaf), constant=True)
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
        return Text(variable, origins=self._told(f"{origin.family}.{origin.name}", how, leaf), constant=True)

    def _number(self, function: Function, origin: Count | Sum, scope: CodeScope, leaf: Leaf) -> Text:
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
        return Text(variable, scope.segment or scope.element or "None", self._told(path.text if path else "", "computed", leaf))

    def take(self, function: Function, path: Path, scope: CodeScope, where: str) -> Text:
        """The first filled value at a path."""
        if isinstance(path, SegmentPath):
            expression, segment = self.paths.take(function, path, scope)
            variable = function.known(("value", expression)) or ""
            if variable and not self.explain:
                return Text(variable, segment, path=path, spot=path.spots[0])
            variable = function.remember(("value", expression), self.module.name("r"))
            function.line(f"{variable} = {expression}")
            *before, last = [(spot, f"[{self._origin(segment, spot.position, spot.component, spot.name, where)}]") for spot in path.spots]
            origins = last[1]
            for spot, own in reversed(before):
                origins = f"({own} if {segment} is not None and {self.paths.value_of(segment, spot)} else {origins})"
            return Text(variable, segment, origins, path=path, spot=path.spots[0])
        assert isinstance(path, XmlPath)
        variable = self.module.name("r")
        element, sure = self.paths.element(function, path, scope)
        value = self.paths.text_of(element, path.attribute)
        function.line(f"{variable} = {value}" if sure else f"{variable} = {value} if {element} is not None else ''")
        return Text(variable, element, f"[{self._xml_origin(element, path, where)}]", path=path)

    def _origin(self, segment: str, position: int, component: int | None, name: str, where: str) -> str:
        return f"({segment}, {position}, {component}, {name!r}, 'copied', {where!r})"

    def _xml_origin(self, element: str, path: XmlPath, where: str) -> str:
        return f"({element}, None, None, {path.attribute!r}, 'copied', {where!r})"

    def _told(self, name: str, how: str, leaf: Leaf) -> str:
        return f"[(None, None, None, {name!r}, {how!r}, {leaf.where!r})]"

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


def _keeping(option: Leaf, keep: str | None) -> Leaf:
    if keep is None or option.keep is not None:
        return option
    return replace(option, keep=keep)
