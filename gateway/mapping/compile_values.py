"""Leaves as generated Python: the text of a value, what is done with it, and the problem where that fails.

For each leaf it writes statements that set a variable; in the explaining variant a second one holds where the value came from.
Knows the plan of a leaf, not where its value goes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace
from functools import partial

from gateway.mapping.code import Function
from gateway.mapping.code import Module
from gateway.mapping.compile_conversions import Conversions
from gateway.mapping.compile_conversions import Value
from gateway.mapping.compile_conversions import site_of
from gateway.mapping.compile_paths import CodeScope
from gateway.mapping.compile_paths import Paths
from gateway.mapping.compile_texts import Text
from gateway.mapping.compile_texts import Texts
from gateway.mapping.conversions import has_factor
from gateway.mapping.conversions import is_changed
from gateway.mapping.plan import All
from gateway.mapping.plan import Compute
from gateway.mapping.plan import Constant
from gateway.mapping.plan import Count
from gateway.mapping.plan import Counter
from gateway.mapping.plan import First
from gateway.mapping.plan import Join
from gateway.mapping.plan import Leaf
from gateway.mapping.plan import Named
from gateway.mapping.plan import SegmentPath
from gateway.mapping.plan import Sum
from gateway.mapping.plan import Take
from gateway.mapping.plan import XmlPath
from gateway.mapping.shapes import CHECKED
from gateway.mapping.texts import text_function


@dataclass(slots=True)
class Values:
    """Writes the code of leaves."""

    texts: Texts
    conversions: Conversions
    module: Module
    paths: Paths
    explain: bool

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
        with function.block(f"if {self.texts.condition(function, leaf.when, scope, label)}:"):
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
        value.site = site_of(leaf, text, kind, label, mandatory)
        if self.explain:
            function.line(f"{value.origins} = {text.origins}")
        stepwise = bool(leaf.make) or leaf.table is not None or leaf.cut is not None or leaf.pad is not None
        if kind == "text" and not stepwise and leaf.default is None and label.rpartition(".")[2] not in CHECKED:
            self._plain_text(function, text.variable, value, otherwise)
        else:
            self._made(function, leaf, kind, label, scope, text, value, otherwise, stepwise=stepwise)

    def _made(
        self,
        function: Function,
        leaf: Leaf,
        kind: str,
        label: str,
        scope: CodeScope,
        text: Text,
        value: Value,
        otherwise: Callable[[], None] | None,
        *,
        stepwise: bool,
    ) -> None:
        """What is made of a text: step by step, or its default where there is none; then converted."""
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
            final, how, unsure = self.conversions.steps(function, leaf, final, value)
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
        self.conversions.convert(function, leaf, kind, final, text, value, unsure)
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

    def _scale(self, function: Function, leaf: Leaf, label: str, scope: CodeScope, value: Value) -> None:
        """Divides and multiplies by what stands in the document."""
        factors = [
            self.leaf(function, held, "decimal", label, scope, mandatory=False).variable if held is not None else "None"
            for held in (leaf.divide_by, leaf.multiply_by)
        ]
        site, plan = self.module.constant("site", value.site), self.module.constant("leaf", leaf)
        function.line(f"{value.variable} = x.scaled({value.variable}, {plan}, {', '.join(factors)}, {site}, {value.carrier})")

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
            function.open(f"if {self.texts.condition(function, part.when, scope, '')}:")
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
                origin = self.texts.origin(segment, spot.position, spot.component, spot.name, part.where)
                self._append(function, part, variable, f"[{origin}]", held, trace)
            opened += blocks
        elif isinstance(part.origin.path, XmlPath):
            xml = part.origin.path
            element, variable = self.module.name("e"), self.module.name("r")
            function.open(f"for {element} in {self.paths.elements(xml, scope)}:")
            function.line(f"{variable} = {self.paths.text_of(element, xml.attribute)}")
            self._append(function, part, variable, f"[{self.texts.xml_origin(element, xml, part.where)}]", held, trace)
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
            return self.texts.take(function, origin.path, scope, leaf.where)
        if isinstance(origin, Constant):
            return Text(repr(origin.text), origins=self.texts.told("constant", "constant", leaf), constant=True)
        if isinstance(origin, Named):
            return self.texts.named(function, origin, scope, leaf)
        if isinstance(origin, Counter):
            return self.texts.counter(function, origin, leaf)
        if isinstance(origin, Join):
            return self._joined(function, origin, scope)
        if isinstance(origin, Count | Sum):
            return self.texts.number(function, origin, scope, leaf)
        assert isinstance(origin, Compute), origin
        return self.texts.computed(function, origin, scope, label, leaf)

    def _joined(self, function: Function, origin: Join, scope: CodeScope) -> Text:
        variable, held, traces = self.module.name("r"), self.module.name("l"), self.module.name("o")
        function.line(f"{held} = []")
        if self.explain:
            function.line(f"{traces} = []")
        for part in origin.parts:
            self._every(function, part, scope, held, f"{traces}.extend" if self.explain else "")
        function.line(f"{variable} = {origin.with_!r}.join({held})")
        return Text(variable, scope.segment or scope.element or "None", f"told({traces}, 'joined') if len({held}) > 1 else {traces}")


def _keeping(option: Leaf, keep: str | None) -> Leaf:
    if keep is None or option.keep is not None:
        return option
    return replace(option, keep=keep)
