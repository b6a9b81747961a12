"""A reading plan as generated Python: one function for the document, one for each list, straight from the tree to the Structs.

The explaining variant is the same code with one more variable for each value: where it came from. It is compiled apart, so
that nobody pays for it who does not ask. Slots of the tree are resolved here, once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from typing import Any

import msgspec

from gateway.mapping import compile_paths
from gateway.mapping.code import Function
from gateway.mapping.code import Module
from gateway.mapping.compile_paths import CodeScope
from gateway.mapping.compile_paths import Paths
from gateway.mapping.compile_values import Value
from gateway.mapping.compile_values import Values
from gateway.mapping.functions import Only
from gateway.mapping.functions import Remembered
from gateway.mapping.functions import check_digit_fault
from gateway.mapping.plan import Block
from gateway.mapping.plan import Keyed
from gateway.mapping.plan import Leaf
from gateway.mapping.plan import ListPlan
from gateway.mapping.plan import MappingPlan
from gateway.mapping.plan import SegmentPath
from gateway.mapping.plan import Spot
from gateway.mapping.plan import XmlPath
from gateway.mapping.reading import Site
from gateway.mapping.shapes import CHECKED
from gateway.mapping.shapes import ESSENTIAL
from gateway.mapping.shapes import Shape
from gateway.mapping.shapes import shapes_of
from gateway.mapping.xml_paths import ROOT
from gateway.model.order import OrderLine
from gateway.model.values import OtherIdentifier
from gateway.model.values import Source

Run = Callable[..., Any]

#: so many arguments that are mostly empty are worth a second call without them
_FEW = 4


@dataclass(slots=True)
class CompiledReading:
    """A reading plan ready to run. XML in the root's namespace is compiled once for each namespace that comes."""

    plan: MappingPlan
    explain: bool
    _runs: dict[str, Run] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def run_for(self, root: Any) -> Run:
        """The function that reads a transaction; `root` is the XML root, if it is XML."""
        namespace = root.tag[1:].partition("}")[0] if root is not None and root.tag.startswith("{") and self.depends_on_root else ""
        run = self._runs.get(namespace)
        if run is None:
            if len(self._runs) > 32:
                self._runs.clear()
            run, self.sources[namespace] = _compile(self.plan, self.explain, namespace)
            self._runs[namespace] = run
        return run

    @property
    def depends_on_root(self) -> bool:
        return ROOT in self.plan.namespaces.values()


def compile_reading(plan: MappingPlan, *, explain: bool = False) -> CompiledReading:
    """The plan as a function; compiled at once unless the root's namespace has a say in it."""
    assert plan.direction == "read"
    compiled = CompiledReading(plan, explain)
    if not compiled.depends_on_root:
        compiled.run_for(None)
    return compiled


def _compile(plan: MappingPlan, explain: bool, root_namespace: str) -> tuple[Run, str]:
    writer = _Writer(plan, explain, root_namespace)
    writer.document()
    title = f"<mapping {plan.spec}{' explain' if explain else ''}>"
    return writer.module.run(title)["read"], writer.module.source()


def told(origins: Any, how: str) -> list[tuple[Any, ...]]:
    """The origins of a value that was looked up, joined, ...; what is constant stays so."""
    return [origin if origin[4] == "constant" else (*origin[:4], how, *origin[5:]) for origin in origins]


def merged(placed: Any, own: Any) -> Any:
    """A party that found its place by role, with what the mapping says about this role besides; its contacts come first."""
    if placed is None or own is None:
        return placed if own is None else own
    more = {name: held for name in own.__struct_fields__ if (held := getattr(own, name)) and not getattr(placed, name)}
    if placed.contacts and own.contacts:
        more["contacts"] = (*placed.contacts, *own.contacts)
    return msgspec.structs.replace(placed, **more) if more else placed


def adopt_merged(trace: dict[str, Any], role: str, inner: dict[str, Any]) -> None:
    """The trace of a party that found its place by role, over what is told about this role already."""
    told_already = {name: trace.pop(name) for name in list(trace) if name.startswith(role + ".")}
    contacts = {name.partition("]")[0] for name in inner if name.startswith("contacts[")}
    for name, origins in told_already.items():
        if name.startswith(f"{role}.contacts["):
            number, _, rest = name[len(role) + 10:].partition("]")
            trace[f"{role}.contacts[{int(number) + len(contacts)}]{rest}"] = origins
        else:
            trace[name] = origins
    adopt(trace, role + ".", inner)


def adopt(trace: dict[str, Any], prefix: str, inner: dict[str, Any]) -> None:
    """The trace of a part as a part of the whole."""
    for name, origins in inner.items():
        trace[prefix + name] = origins


@dataclass(slots=True)
class _Filled:
    """What the code of an object's fields has set."""

    arguments: list[str] = field(default_factory=list)
    #: conditions that show that something was sent
    sent: list[str] = field(default_factory=list)
    #: mandatory fields: (name, variable, raw text variable, carrier, whether to skip without a word)
    wanted: list[tuple[str, str, str, str, bool]] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    #: arguments that most objects leave empty, with the variable that says so
    rare: list[tuple[str, str]] = field(default_factory=list)
    after: list[str] = field(default_factory=list)


class _Writer:
    def __init__(self, plan: MappingPlan, explain: bool, root_namespace: str) -> None:
        self.plan = plan
        self.explain = explain
        self.syntax = plan.schema.syntax if plan.schema is not None else "xml"
        self.module = Module()
        self.module.constants.update(
            told=told, adopt=adopt, adopt_merged=adopt_merged, merged=merged, Only=Only, OtherIdentifier=OtherIdentifier,
            later=compile_paths.later, first_filled=compile_paths.first_filled)
        self.paths = Paths(self.module, self.syntax, plan.namespaces, root_namespace)
        self.values = Values(self.module, self.paths, explain, self.syntax)

    def document(self) -> None:
        root = self.plan.root
        assert root is not None
        function = self.module.function("read", "x, t0, s0")
        scope = CodeScope(tree="t0", segment="s0") if self.plan.schema is not None else CodeScope(element="s0")
        self.paths.prelude(function, scope)
        trace = "x.trace" if self.explain else ""
        filled = self.fields(function, root, scope, "", trace, essential=True)
        source = next((held for shape, held in root.fields if shape.name == "source"), None)
        if source is None:
            filled.arguments.append("source=x.header")
        for name, variable, raw, carrier, _ in filled.wanted:
            words = f"the {self.plan.document.replace('_', ' ')}"
            site = self.module.constant("site", Site(field=name, where=root.where, mandatory=True, expected=words))
            with function.block(f"if {variable} is None:"):
                function.line(f"if not {raw or repr('')}: x.missing({site}, {carrier})")
                function.line("return None")
        self._construct(function, "answer", self.plan.struct, filled)
        function.line("return answer")

    def _construct(self, function: Function, variable: str, struct: Any, filled: _Filled) -> None:
        name = self.module.constant(struct.__name__, struct, struct)
        rare = [(argument, held) for argument, held in filled.rare if argument in filled.arguments]
        if len(rare) < _FEW:
            function.line(f"{variable} = {name}({', '.join(filled.arguments)})")
            return
        # msgspec looks for each keyword among all fields: what is mostly empty is not passed at all
        often = [argument for argument in filled.arguments if argument not in {held for held, _ in rare}]
        with function.block(f"if {' or '.join(held for _, held in rare)}:"):
            function.line(f"{variable} = {name}({', '.join(filled.arguments)})")
        with function.block("else:"):
            function.line(f"{variable} = {name}({', '.join(often)})")

    # Fields ------------------------------------------------------------------------------------------------------------

    def fields(self, function: Function, block: Block, scope: CodeScope, label: str, trace: str, *, essential: bool,
               skip: tuple[str, ...] = ()) -> _Filled:
        """The code that fills every field of a block into variables."""
        filled = _Filled()
        plain = {shape.name for shape, _ in block.fields}
        roles: list[str] = []
        for shape, held in block.fields:
            name = f"{label}.{shape.name}" if label else shape.name
            if isinstance(held, Leaf):
                self._leaf(function, shape, held, name, scope, trace, essential, filled, plain, skip)
            elif isinstance(held, ListPlan) and shape.kind == "objects":
                variable, placed = self._list(function, shape, held, name, scope, trace)
                filled.arguments.append(f"{shape.name}=tuple({variable})")
                filled.rare.append((filled.arguments[-1], variable))
                filled.sent.append(variable)
                filled.names[shape.name] = variable
                if placed:
                    roles = list(held.roles)
                    filled.after.append(placed)
            else:
                variable = self._object(function, shape, held, name, scope, trace)
                filled.names[shape.name] = variable
                if shape.name not in skip:
                    filled.arguments.append(f"{shape.name}={variable}")
                    if not (isinstance(held, Block) and held.keyed):
                        filled.rare.append((filled.arguments[-1], variable))
                filled.sent.append(f"{variable} is not None")
        for role in roles:
            placed = filled.after[0]
            own = filled.names.get(role)
            if own is None:
                filled.arguments.append(f"{role}={placed}.get({role!r})")
            else:
                filled.arguments.remove(f"{role}={own}")
                filled.arguments.append(f"{role}=merged({placed}.get({role!r}), {own})")
        if block.struct is OrderLine:
            self._deliveries(function, label, filled, scope)
        return filled

    def _leaf(self, function: Function, shape: Shape, leaf: Leaf, name: str, scope: CodeScope, trace: str, essential: bool, filled: _Filled,
              plain: set[str], skip: tuple[str, ...]) -> None:
        value = self.values.leaf(function, leaf, shape.kind, name, scope, mandatory=shape.mandatory and essential)
        filled.names[shape.name] = value.variable
        if shape.kind == "texts" or shape.kind == "boolean":
            default = "()" if shape.kind == "texts" else "False"
            filled.arguments.append(f"{shape.name}={value.variable} or {default}")
        elif shape.name not in skip:
            filled.arguments.append(f"{shape.name}={value.variable}")
        if not value.constant:
            filled.sent.append(f"{value.variable} is not None")
        if shape.mandatory:
            filled.wanted.append((shape.name, value.variable, value.raw, value.carrier, leaf.otherwise == "skip"))
        if value.kept and leaf.keep and leaf.keep not in plain:
            filled.arguments.append(f"{leaf.keep}={value.kept}")
            filled.names[leaf.keep] = value.kept
        if trace:
            self._trace(function, trace, shape, value, leaf, plain)

    def _trace(self, function: Function, trace: str, shape: Shape, value: Value, leaf: Leaf, plain: set[str]) -> None:
        if shape.kind == "texts":
            with function.block(f"for n, o in enumerate({value.origins}):"):
                function.line(f"{trace}[f'{shape.name}[{{n}}]'] = o")
            return
        function.line(f"if {value.variable} is not None: {trace}[{shape.name!r}] = {value.origins}")
        if value.kept and leaf.keep and leaf.keep not in plain:
            function.line(f"if {value.kept}: {trace}[{leaf.keep!r}] = told({value.origins}, 'copied')")

    def _deliveries(self, function: Function, label: str, filled: _Filled, scope: CodeScope) -> None:
        """Deliveries of a line add up to its quantity, or a problem says so (CONTRACT, gateway read)."""
        quantity, deliveries = filled.names.get("quantity"), filled.names.get("deliveries")
        if quantity is None or deliveries is None:
            return
        site = self.module.constant("site", Site(field=f"{label}.deliveries", where=""))
        with function.block(f"if {deliveries} and {quantity} is not None:"):
            function.line(f"total = sum([d.quantity for d in {deliveries}])")
            with function.block(f"if total != {quantity}:"):
                function.line(f"x.differ({site}, {quantity}, total, {scope.segment or scope.element})")

    # Objects -----------------------------------------------------------------------------------------------------------

    def _object(self, function: Function, shape: Shape, held: Leaf | Block | ListPlan, label: str, scope: CodeScope, trace: str) -> str:
        """The code of one object: its variable, None where nothing of it was sent."""
        variable = self.module.name("p")
        blocks = held.blocks if isinstance(held, ListPlan) else (held,)
        inner_trace = self.module.name("q") if trace else ""
        function.line(f"{variable} = None")
        for number, block in enumerate(blocks):
            assert isinstance(block, Block)
            if number:
                function.open(f"if {variable} is None:")
            if inner_trace:
                function.line(f"{inner_trace} = {{}}")
            self._one(function, block, variable, label, scope, inner_trace, shape)
            if inner_trace:
                function.line(f"if {variable} is not None: adopt({trace}, {shape.name + '.'!r}, {inner_trace})")
            if number:
                function.close()
        return variable

    def _one(self, function: Function, block: Block, variable: str, label: str, scope: CodeScope, trace: str, shape: Shape) -> None:
        opened = 0
        if block.within is not None:
            scope, opened = self._enter(function, block.within, scope)
        if block.when is not None:
            function.open(f"if {self.values.condition(function, block.when, scope, label)}:")
            opened += 1
        self._build(function, block, variable, label, scope, trace, header=shape.struct is Source)
        function.close(opened)

    def _enter(self, function: Function, path: Any, scope: CodeScope) -> tuple[CodeScope, int]:
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

    def _build(self, function: Function, block: Block, variable: str, label: str, scope: CodeScope, trace: str, *, header: bool = False) -> None:
        """Sets the variable to the object of a block, if anything of it was sent."""
        essential = block.struct in ESSENTIAL
        filled = self.fields(function, block, scope, label, trace, essential=essential)
        if block.keyed:
            self._keyed(function, block, variable, label, scope, trace, filled)
            return
        if header:
            function.line(f"{variable} = x.header_with({', '.join(filled.arguments)})")
            return
        sent = " or ".join(filled.sent) or "True"
        function.open(f"if {sent}:")
        self._wanted(function, block, label, filled, essential, scope, lambda: self._construct(function, variable, block.struct, filled))
        function.close()

    def _wanted(self, function: Function, block: Block, label: str, filled: _Filled, essential: bool, scope: CodeScope,
                build: Callable[[], None]) -> None:
        """Builds where every mandatory field is there; else a problem, unless the mapping skips it or one is told already."""
        words = _words(block.struct)
        opened = 0
        for name, name_variable, raw, _, skips in filled.wanted:
            site = self.module.constant("site", Site(field=f"{label}.{name}", where=block.where, mandatory=essential, expected=words))
            with function.block(f"if {name_variable} is None:"):
                if not skips:
                    function.line(f"if not {raw or repr('')}: x.missing({site}, {scope.segment or scope.element or 'None'})")
            function.open("else:")
            opened += 1
        build()
        function.close(opened)

    # Identifiers by kind -----------------------------------------------------------------------------------------------

    def _keyed(self, function: Function, block: Block, variable: str, label: str, scope: CodeScope, trace: str, filled: _Filled) -> None:
        known, others = self.module.name("d"), self.module.name("l")
        origins = self.module.name("q") if trace else ""
        function.line(f"{known} = {{}}")
        function.line(f"{others} = []")
        if trace:
            function.line(f"{origins} = []")
        for name in filled.names:
            shape = shapes_of(block.struct)[name]
            if shape.kind == "text":
                function.line(f"if {filled.names[name]} is not None: {known}[{name!r}] = {filled.names[name]}")
        for keyed in block.keyed:
            self._key(function, keyed, block, known, others, label, scope, trace)
        for name in sorted(CHECKED & set(shapes_of(block.struct))):
            held = self.module.name("v")
            site = Site(field=f"{label}.{name}", where=block.where)
            if name in filled.names:
                continue
            wrong = self.module.constant("wrong_" + name, Remembered(check_digit_fault(name)), name)
            with function.block(f"if {name!r} in {known}:"):
                function.line(f"{held} = {known}[{name!r}]")
                place = self.module.constant("site", site)
                function.line(f"if {wrong}[{held}]: x.check_digit({place}, {held}, {wrong}[{held}], {scope.segment or scope.element or 'None'})")
        struct = self.module.constant(block.struct.__name__, block.struct, block.struct)
        with function.block(f"if {others}:"):
            function.line(f"{variable} = {struct}(**{known}, other=tuple({others}))")
        with function.block(f"elif {known}:"):
            function.line(f"{variable} = {struct}(**{known})")

    def _key(self, function: Function, keyed: Keyed, block: Block, known: str, others: str, label: str, scope: CodeScope, trace: str) -> None:
        inner, opened = scope, 0
        if keyed.each is not None:
            inner, opened = self._loop(function, keyed.each, scope)
        if keyed.when is not None:
            function.open(f"if {self.values.condition(function, keyed.when, inner, label)}:")
            opened += 1
        if keyed.pairs:
            for path in keyed.pairs:
                self._pairs(function, keyed, path, known, others, label, inner, trace)
        else:
            assert keyed.key is not None
            assert keyed.value is not None
            key = self.values.leaf(function, keyed.key, "text", f"{label}.key", inner, mandatory=False)
            value = self.values.leaf(function, keyed.value, "text", f"{label}.value", inner, mandatory=False)
            with function.block(f"if {value.variable}:"):
                self._keep(function, keyed, f"({key.variable} or '')", value.variable, known, others, label, inner, trace, key.origins, value.origins)
        function.close(opened)

    def _pairs(self, function: Function, keyed: Keyed, path: SegmentPath, known: str, others: str, label: str, scope: CodeScope, trace: str) -> None:
        code, value = self.module.name("r"), self.module.name("r")
        segment, opened = self.paths.every(function, path, scope)
        if self.syntax == "x12":
            first, last = path.spots[0].position, path.spots[-1].position
            number = self.module.name("i")
            if trace:
                function.open(f"for {number}, ({code}, {value}) in enumerate(zip({segment}[{first}:{last}:2], {segment}[{first + 1}:{last + 1}:2])):")
                places = [f"[({segment}, {first + side} + 2 * {number}, None, f'{{{first + side} + 2 * {number}:02}}', 'copied', {keyed.where!r})]"
                          for side in (0, 1)]
            else:
                function.open(f"for {code}, {value} in zip({segment}[{first}:{last}:2], {segment}[{first + 1}:{last + 1}:2]):")
                places = ["", ""]
            function.open(f"if {value}:")
            self._keep(function, keyed, code, value, known, others, label, scope, trace, places[0], places[1])
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
            places = [f"[({segment}, {spot.position}, {number}, '{held.id}/{held.components[number - 1].id}', 'copied', {keyed.where!r})]"
                      for number in (position, 1)]
            self._keep(function, keyed, code, value, known, others, label, scope, trace, places[0], places[1])
            function.close(2)
        function.close(opened)

    def _keep(self, function: Function, keyed: Keyed, code: str, value: str, known: str, others: str, label: str, scope: CodeScope, trace: str,
              code_origin: str, value_origin: str) -> None:
        """An identifier under its kind; the first of a kind stays."""
        table = self.module.constant("table", dict(keyed.table.forward), ("keyed", keyed.table.name, id(keyed.table.forward)))
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
                function.line(f"if {code}: {others}.append(OtherIdentifier(scheme={code}, value={value}))")
        with function.block(f"elif {name} not in {known}:"):
            function.line(f"{known}[{name}] = {value}")
            if trace:
                function.line(f"{trace}[{name}] = {value_origin}")

    # Lists -------------------------------------------------------------------------------------------------------------

    def _list(self, function: Function, shape: Shape, held: ListPlan, label: str, scope: CodeScope, trace: str) -> tuple[str, str]:
        """The code of a list: its variable, and that of parties which found their place by role."""
        variable = self.module.name("l")
        placed = self.module.name("d") if held.roles else ""
        guards = [self._guard(block, scope) for block in held.blocks]
        guarded = all(guards)
        function.line(f"{variable} = {'()' if guarded else '[]'}")
        if placed:
            function.line(f"{placed} = {{}}")
        if guarded:
            function.open(f"if {' or '.join(dict.fromkeys(guards))}:")
            function.line(f"{variable} = []")
        for block, guard in zip(held.blocks, guards, strict=True):
            self._items(function, block, variable, placed, label, scope, held.roles, "" if guarded and len(guards) == 1 else guard)
        if guarded:
            function.close()
        if trace:
            index, item, part = self.module.name("i"), self.module.name("p"), self.module.name("q")
            with function.block(f"for {index}, ({item}, {part}) in enumerate({variable}):"):
                function.line(f"adopt({trace}, f'{shape.name}[{{{index}}}].', {part})")
            function.line(f"{variable} = [{item} for {item}, _ in {variable}]")
            if placed:
                with function.block(f"for {item}, ({part}, o) in {placed}.items():"):
                    function.line(f"adopt_merged({trace}, {item}, o)")
                function.line(f"{placed} = {{role: held for role, (held, _) in {placed}.items()}}")
        return variable, placed

    def _items(self, function: Function, block: Block, variable: str, placed: str, label: str, scope: CodeScope, roles: tuple[str, ...],
               guard: str) -> None:
        """A function for one source of a list, and its call."""
        name = self.module.name("items")
        names = scope.variables()
        out = ["out", *(["placed"] if placed else [])]
        body = self.module.function(name, ", ".join(["x", *names, *out]))
        call = f"{name}({', '.join(['x', *names, variable, *([placed] if placed else [])])})"
        function.line(f"if {guard}: {call}" if guard else call)
        # the function begins anew: children of outer elements are looked up again where they are asked for
        inner, opened = scope.anew(), 0
        for around in inner.chain():
            self.paths.prelude(body, around)
        if block.each is not None:
            position = self.module.name("i")
            body.line(f"{position} = 0")
            for path in (*block.around, block.each):
                inner, more = self._matching(body, block, inner) if block.matching is not None else self._loop(body, path, inner)
                opened += more
            if block.lonely is not None:
                asked = self.values.take(body, block.lonely[0], inner, block.where)
                body.open(f"if {asked.variable} not in {self._index(block.lonely[1], block.lonely[1].spots)}(x, {scope.up(-1).tree}):")
                opened += 1
            body.line(f"{position} += 1")
            inner.position = position
        elif block.within is not None:
            inner, opened = self._enter(body, block.within, inner)
        if block.pairs is not None:
            inner, more = self._open_pairs(body, block.pairs, inner)
            opened += more
        if block.when is not None:
            body.open(f"if {self.values.condition(body, block.when, inner, label)}:")
            opened += 1
        trace = self.module.name("q") if self.explain else ""
        if trace:
            body.line(f"{trace} = {{}}")
        self._item(body, block, label, inner, trace, roles, placed)
        body.close(opened)

    def _item(self, body: Function, block: Block, label: str, scope: CodeScope, trace: str, roles: tuple[str, ...], placed: str) -> None:
        essential = block.struct in ESSENTIAL
        filled = self.fields(body, block, scope, label, trace, essential=essential, skip=("role",) if roles else ())
        if block.keyed:
            variable = self.module.name("p")
            body.line(f"{variable} = None")
            self._keyed(body, block, variable, label, scope, trace, filled)
            body.line(f"if {variable} is not None: out.append({self._paired(variable, trace)})")
            return
        opened = 0
        if not (essential and block.each is not None):
            sent = " or ".join(filled.sent)
            if sent:
                body.open(f"if {sent}:")
                opened = 1
        item = self.module.name("p")

        def build() -> None:
            if roles:
                self._place_by_role(body, block, filled, trace, roles, item)
                return
            self._construct(body, item, block.struct, filled)
            body.line(f"out.append({self._paired(item, trace)})")

        self._wanted(body, block, label, filled, essential, scope, build)
        body.close(opened)

    def _paired(self, item: str, trace: str) -> str:
        return f"({item}, {trace})" if trace else item

    def _place_by_role(self, body: Function, block: Block, filled: _Filled, trace: str, roles: tuple[str, ...], item: str) -> None:
        """The first party in a role of the document stands there, every other one in the list with its role."""
        role = filled.names.get("role", "None")
        known = self.module.constant("roles", frozenset(roles), roles)
        skips = any(shape.name == "role" and isinstance(held, Leaf) and held.otherwise == "skip" for shape, held in block.fields)
        arguments = [argument for argument in filled.arguments if not argument.startswith("role=")]
        struct = self.module.constant(block.struct.__name__, block.struct, block.struct)
        with function_or_plain(body, f"if {role} is not None:" if skips else ""):
            with body.block(f"if {role} in {known} and {role} not in placed:"):
                if trace:
                    body.line(f"{trace}.pop('role', None)")
                body.line(f"{item} = {struct}({', '.join(arguments)})")
                body.line(f"placed[{role}] = {self._paired(item, trace)}")
            with body.block("else:"):
                body.line(f"{item} = {struct}({', '.join([f'role={role}', *arguments])})")
                body.line(f"out.append({self._paired(item, trace)})")

    def _loop(self, function: Function, path: Any, scope: CodeScope) -> tuple[CodeScope, int]:
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
        if len(path.routes) > 1:
            tree, segment, opened = self.paths.routes(function, path, base.tree, names)
        elif not path.routes[0].hops:
            function.open(f"if {self.paths.holds(base.segment, path.routes[0].tests) or 'True'}:")
            tree, segment, opened = base.tree, base.segment, 1
        else:
            tree, segment, opened = self.paths.walk(function, base.tree, path.routes[0], names=names)
        length = function.remember(("length", segment), self.module.name("n"))
        function.line(f"{length} = len({segment})")
        return CodeScope(tree=tree, segment=segment, outer=scope), opened

    def _matching(self, function: Function, block: Block, scope: CodeScope) -> tuple[CodeScope, int]:
        """Opens a loop over the instances that have a value of the scope around."""
        assert block.matching is not None
        assert isinstance(block.each, SegmentPath)
        index = self._index(block.each, block.matching[0].spots)
        ours = self.values.take(function, block.matching[1], scope, block.where)
        tree, segment = self.module.name("t"), self.module.name("s")
        function.open(f"for {tree}, {segment} in {index}(x, {scope.up(-1).tree}).get({ours.variable}, ()):")
        return CodeScope(tree=tree, segment=segment, outer=scope), 1

    def _index(self, path: SegmentPath, spots: tuple[Spot, ...]) -> str:
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

    def _open_pairs(self, function: Function, path: SegmentPath, scope: CodeScope) -> tuple[CodeScope, int]:
        """Opens a loop over the pairs of elements of a segment."""
        segment, opened = self.paths.every(function, path, scope)
        first, last = path.spots[0].position, path.spots[-1].position
        pair = (self.module.name("r"), self.module.name("r"), self.module.name("i"))
        function.open(f"for {pair[2]}, ({pair[0]}, {pair[1]}) in enumerate(zip({segment}[{first}:{last}:2], {segment}[{first + 1}:{last + 1}:2])):")
        return CodeScope(tree=scope.tree, segment=segment, pair=pair, pair_path=path, outer=scope), opened + 1

    def _guard(self, block: Block, scope: CodeScope) -> str:
        """A quick look whether there is anything to do."""
        if block.matching is not None:
            assert isinstance(block.each, SegmentPath)
            return f"{self._index(block.each, block.matching[0].spots)}(x, {scope.up(-1).tree})"
        path = block.around[0] if block.around else block.each
        if not isinstance(path, SegmentPath) or len(path.routes) != 1 or not path.routes[0].hops:
            return ""
        route = path.routes[0]
        return f"{scope.up(route.up).tree}[{route.hops[0].slot}]"


def _words(struct: Any) -> str:
    name = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in struct.__name__).strip()
    return f"the {name}"


class function_or_plain:  # noqa: N801  # reads as a statement
    """A block where there is a head, else nothing."""

    def __init__(self, function: Function, head: str) -> None:
        self.function = function
        self.head = head

    def __enter__(self) -> None:
        if self.head:
            self.function.open(self.head)

    def __exit__(self, *_: object) -> None:
        if self.head:
            self.function.close()
