"""Identifiers by their kind as generated Python: qualifiers and values by turns, composites, keys and values anywhere.

The first identifier of a kind stays; what the table does not know goes to `other` under its code.
"""

from collections.abc import Mapping

from gateway.mapping.code import Function
from gateway.mapping.compile_paths import CodeScope
from gateway.mapping.compile_scopes import Scopes
from gateway.mapping.compile_values import Values
from gateway.mapping.plan import Block
from gateway.mapping.plan import Keyed
from gateway.mapping.plan import SegmentPath
from gateway.mapping.reading import Site
from gateway.mapping.shapes import CHECKED
from gateway.mapping.shapes import shapes_of
from gateway.schema.known_codes import check_digit_fault

#: pairs of a segment that are read without a loop
_UNROLLED = 4


class Identifiers:
    """Writes the code that fills identifiers."""

    def __init__(self, scopes: Scopes, values: Values, syntax: str) -> None:
        self.scopes = scopes
        self.module = scopes.module
        self.paths = scopes.paths
        self.values = values
        self.texts = values.texts
        self.syntax = syntax

    def keyed(self, function: Function, block: Block, variable: str, label: str, scope: CodeScope, trace: str, names: Mapping[str, str]) -> None:
        """Sets the variable to the identifiers, None where there are none. They are gathered in a list, one place for each kind."""
        known, others = self.module.name("d"), self.module.name("l")
        origins = self.module.name("q") if trace else ""
        kinds = [name for name, shape in shapes_of(block.struct).items() if shape.kind == "text"]
        first = [names.get(name, "None") for name in kinds]
        function.line(f"{known} = [{', '.join(first)}]")
        function.line(f"{others} = ()")
        if trace:
            function.line(f"{origins} = []")
        for keyed in block.keyed:
            self._key(function, keyed, kinds, known, others, label, scope, trace)
        held = {name: self.module.name("v") for name in kinds}
        function.line(f"{', '.join(held.values())}, = {known}")
        for name in sorted(CHECKED & set(kinds) - set(names)):
            fault = self.module.constant("wrong_" + name, check_digit_fault(name), name)
            site = self.module.constant("site", Site(field=f"{label}.{name}", where=block.where))
            with function.block(f"if {held[name]} is not None and {fault}({held[name]}):"):
                function.line(f"x.check_digit({site}, {held[name]}, {fault}({held[name]}), {scope.segment or scope.element or 'None'})")
        struct = self.module.constant(block.struct.__name__, block.struct, block.struct)
        arguments = ", ".join(f"{name}={value}" for name, value in held.items())
        with function.block(f"if {others}:"):
            function.line(f"{variable} = {struct}({arguments}, other=tuple({others}))")
        with function.block(f"elif {' or '.join(held.values())}:"):
            function.line(f"{variable} = {struct}({arguments})")

    def _key(self, function: Function, keyed: Keyed, kinds: list[str], known: str, others: str, label: str, scope: CodeScope, trace: str) -> None:
        inner, opened = scope, 0
        if keyed.each is not None:
            inner, opened = self.scopes.loop(function, keyed.each, scope)
        if keyed.when is not None:
            function.open(f"if {self.texts.condition(function, keyed.when, inner, label)}:")
            opened += 1
        if keyed.pairs:
            for path in keyed.pairs:
                self._pairs(function, keyed, path, kinds, known, others, label, inner, trace)
        else:
            assert keyed.key is not None
            assert keyed.value is not None
            key = self.values.leaf(function, keyed.key, "text", f"{label}.key", inner, mandatory=False)
            value = self.values.leaf(function, keyed.value, "text", f"{label}.value", inner, mandatory=False)
            with function.block(f"if {value.variable}:"):
                code = f"({key.variable} or '')"
                self._keep(function, keyed, code, value.variable, kinds, known, others, label, inner, trace, key.origins, value.origins)
        function.close(opened)

    def _pairs(
        self,
        function: Function,
        keyed: Keyed,
        path: SegmentPath,
        kinds: list[str],
        known: str,
        others: str,
        label: str,
        scope: CodeScope,
        trace: str,
    ) -> None:
        code, value = self.module.name("r"), self.module.name("r")
        segment, opened = self.paths.every(function, path, scope)
        if self.syntax == "x12":
            first, last = path.spots[0].position, path.spots[-1].position
            if not trace:
                self._pair(function, keyed, kinds, known, others, label, scope, segment, first, last, _UNROLLED)
                function.close(opened)
                return
            number = self.module.name("i")
            function.open(f"for {number}, ({code}, {value}) in enumerate(zip({segment}[{first}:{last}:2], {segment}[{first + 1}:{last + 1}:2])):")
            places = [
                f"[({segment}, {first + side} + 2 * {number}, None, f'{{{first + side} + 2 * {number}:02}}', 'copied', {keyed.where!r})]"
                for side in (0, 1)
            ]
            function.open(f"if {value}:")
            self._keep(function, keyed, code, value, kinds, known, others, label, scope, trace, places[0], places[1])
            function.close(2 + opened)
            return
        for spot in path.spots:
            held = path.routes[0].segment.elements[spot.position - 1]
            position = next((part.position for part in held.components if part.id in ("7143", "3055", "1153")), 2)
            part = self.module.name("c")
            if spot.repeats:
                function.open(f"for {part} in x.parts({segment}, {spot.position}):")
            else:
                function.open(f"if len({segment}) > {spot.position}:")
                function.line(f"{part} = {segment}[{spot.position}]")
            function.open(f"if {part} and {part}[0]:")
            function.line(f"{value} = {part}[0]")
            function.line(f"{code} = {part}[{position - 1}] if len({part}) >= {position} else ''")
            places = [
                f"[({segment}, {spot.position}, {number}, '{held.id}/{held.components[number - 1].id}', 'copied', {keyed.where!r})]"
                for number in (position, 1)
            ]
            self._keep(function, keyed, code, value, kinds, known, others, label, scope, trace, places[0], places[1])
            function.close(2)
        function.close(opened)

    def _pair(
        self,
        function: Function,
        keyed: Keyed,
        kinds: list[str],
        known: str,
        others: str,
        label: str,
        scope: CodeScope,
        segment: str,
        first: int,
        last: int,
        unrolled: int,
    ) -> None:
        """The pair of elements at `first` and those behind it: the first few in so many words, the others in a loop."""
        length = function.known(("length", segment))
        if length is None:
            length = function.remember(("length", segment), self.module.name("n"))
            function.line(f"{length} = len({segment})")
        value = self.module.name("r")
        if not unrolled:
            position = self.module.name("i")
            function.open(f"for {position} in range({first + 1}, min({length}, {last + 1}), 2):")
            function.line(f"{value} = {segment}[{position}]")
            with function.block(f"if {value}:"):
                self._keep(function, keyed, f"{segment}[{position} - 1]", value, kinds, known, others, label, scope, "", "", "")
            function.close()
            return
        function.open(f"if {length} > {first + 1}:")
        function.line(f"{value} = {segment}[{first + 1}]")
        with function.block(f"if {value}:"):
            self._keep(function, keyed, f"{segment}[{first}]", value, kinds, known, others, label, scope, "", "", "")
        if first + 3 <= last:
            self._pair(function, keyed, kinds, known, others, label, scope, segment, first + 2, last, unrolled - 1)
        function.close()

    def _keep(
        self,
        function: Function,
        keyed: Keyed,
        code: str,
        value: str,
        kinds: list[str],
        known: str,
        others: str,
        label: str,
        scope: CodeScope,
        trace: str,
        code_origin: str,
        value_origin: str,
    ) -> None:
        """An identifier under its kind; the first of a kind stays, another one goes to the others."""
        places = {code: kinds.index(name) for code, name in keyed.table.forward.items()}
        table = self.module.constant("places", places, ("keyed", keyed.table.name, id(keyed.table.forward)))
        name = self.module.name("r")
        function.line(f"{name} = {table}.get({code})")
        with function.block(f"if {name} is None:"):
            if keyed.otherwise == "problem":
                site = self.module.constant("site", Site(field=label, where=keyed.where))
                function.line(f"x.unknown({site}, {code}, {scope.segment or scope.element or 'None'}, {keyed.table.name!r})")
            if keyed.otherwise == "keep":
                if trace:
                    function.line(f"if {code}: {trace}[f'other[{{len({others})}}].scheme'] = {code_origin}")
                    function.line(f"if {code}: {trace}[f'other[{{len({others})}}].value'] = {value_origin}")
                with function.block(f"if {code}:"):
                    function.line(f"if not {others}: {others} = []")
                    function.line(f"{others}.append(OtherIdentifier(scheme={code}, value={value}))")
        with function.block(f"elif {known}[{name}] is None:"):
            function.line(f"{known}[{name}] = {value}")
            if trace:
                names = self.module.constant("names", tuple(kinds), tuple(kinds))
                function.line(f"{trace}[{names}[{name}]] = {value_origin}")
        if keyed.otherwise == "keep":
            # a second number of the same kind is another number: nothing that was sent is dropped
            with function.block(f"elif {known}[{name}] != {value} and {code}:"):
                if trace:
                    function.line(f"{trace}[f'other[{{len({others})}}].scheme'] = {code_origin}")
                    function.line(f"{trace}[f'other[{{len({others})}}].value'] = {value_origin}")
                function.line(f"if not {others}: {others} = []")
                function.line(f"{others}.append(OtherIdentifier(scheme={code}, value={value}))")
