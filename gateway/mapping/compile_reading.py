"""A reading plan as generated Python: one function for the document, one for each list, straight from the tree to the Structs.

The explaining variant is the same code with one more variable for each value: where it came from. It is compiled apart, so
that nobody pays for it who does not ask. Slots of the tree are resolved here, once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from gateway.mapping import compile_paths
from gateway.mapping import tracing
from gateway.mapping.code import Function
from gateway.mapping.code import Module
from gateway.mapping.compile_conversions import Conversions
from gateway.mapping.compile_conversions import Value
from gateway.mapping.compile_identifiers import Identifiers
from gateway.mapping.compile_objects import FEW
from gateway.mapping.compile_objects import Filled
from gateway.mapping.compile_objects import Objects
from gateway.mapping.compile_objects import paired
from gateway.mapping.compile_paths import CodeScope
from gateway.mapping.compile_paths import Paths
from gateway.mapping.compile_scopes import Scopes
from gateway.mapping.compile_texts import Texts
from gateway.mapping.compile_values import Values
from gateway.mapping.levels import below
from gateway.mapping.plan import Block
from gateway.mapping.plan import First
from gateway.mapping.plan import Join
from gateway.mapping.plan import Leaf
from gateway.mapping.plan import ListPlan
from gateway.mapping.plan import MappingPlan
from gateway.mapping.reading import Site
from gateway.mapping.shapes import ESSENTIAL
from gateway.mapping.shapes import Shape
from gateway.mapping.shapes import shapes_of
from gateway.mapping.xml_paths import ROOT
from gateway.model.change import ChangeLine
from gateway.model.order import OrderLine
from gateway.model.values import OtherIdentifier
from gateway.model.values import Source
from gateway.schema.moments import Only

Run = Callable[..., Any]


@dataclass(slots=True)
class CompiledReading:
    """A reading plan ready to run. XML in the root's namespace is compiled once for each namespace that comes."""

    plan: MappingPlan
    explain: bool
    _runs: dict[str, Run] = field(default_factory=dict)
    #: what was generated, by the namespace: for people who look
    modules: dict[str, Module] = field(default_factory=dict)

    def run_for(self, root: Any) -> Run:
        """The function that reads a transaction; `root` is the XML root, if it is XML."""
        if root is None and "" in self._runs:
            return self._runs[""]
        namespace = root.tag[1:].partition("}")[0] if root is not None and root.tag.startswith("{") and self.depends_on_root else ""
        run = self._runs.get(namespace)
        if run is None:
            if len(self._runs) > 32:
                self._runs.clear()
                self.modules.clear()
            run, self.modules[namespace] = _compile(self.plan, self.explain, namespace)
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


def _compile(plan: MappingPlan, explain: bool, root_namespace: str) -> tuple[Run, Module]:
    writer = _Writer(plan, explain, root_namespace)
    writer.document()
    title = f"<mapping {plan.spec}{' explain' if explain else ''}>"
    return writer.module.run(title, "read"), writer.module


class _Writer:
    def __init__(self, plan: MappingPlan, explain: bool, root_namespace: str) -> None:
        self.plan = plan
        self.explain = explain
        self.syntax = plan.schema.syntax if plan.schema is not None else "xml"
        self.module = Module()
        self.module.constants.update(
            told=tracing.told,
            adopt=tracing.adopt,
            adopt_merged=tracing.adopt_merged,
            below=below,
            merged=tracing.merged,
            Only=Only,
            OtherIdentifier=OtherIdentifier,
            later=compile_paths.later,
            first_filled=compile_paths.first_filled,
        )
        self.paths = Paths(self.module, self.syntax, plan.namespaces, root_namespace)
        self.objects = Objects(self.module)
        self.texts = Texts(self.module, self.paths, explain, self.syntax)
        self.values = Values(self.texts, Conversions(self.module, self.syntax), self.module, self.paths, explain)
        self.scopes = Scopes(self.module, self.paths, self.texts)
        self.identifiers = Identifiers(self.scopes, self.values, self.syntax)

    def document(self) -> None:
        root = self.plan.root
        assert root is not None
        function = self.module.function("read", "x, t0, s0")
        scope = CodeScope(tree="t0", segment="s0") if self.plan.schema is not None else CodeScope(element="s0")
        self.paths.prelude(function, scope)
        trace = "x.trace" if self.explain else ""
        filled = self.fields(function, root, scope, "", trace, essential=True)
        source = next((held for shape, held in root.fields if shape.name == "source"), None)
        if source is None and "source" in shapes_of(self.plan.struct):
            filled.arguments.append("source=x.header")
        for name, variable, raw, carrier, _ in filled.wanted:
            words = f"the {self.plan.document.replace('_', ' ')}"
            site = self.module.constant("site", Site(field=name, where=root.where, mandatory=True, expected=words))
            with function.block(f"if {variable} is None:"):
                function.line(f"if not {raw or repr('')}: x.missing({site}, {carrier})")
                function.line("return None")
        self.objects.construct(function, "answer", self.plan.struct, filled)
        function.line("return answer")

    # Fields ------------------------------------------------------------------------------------------------------------

    def fields(
        self, function: Function, block: Block, scope: CodeScope, label: str, trace: str, *, essential: bool, skip: tuple[str, ...] = ()
    ) -> Filled:
        """The code that fills every field of a block into variables."""
        filled = Filled()
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
        if block.struct in (OrderLine, ChangeLine):
            self._deliveries(function, label, filled, scope)
        return filled

    def _leaf(
        self,
        function: Function,
        shape: Shape,
        leaf: Leaf,
        name: str,
        scope: CodeScope,
        trace: str,
        essential: bool,
        filled: Filled,
        plain: set[str],
        skip: tuple[str, ...],
    ) -> None:
        value = self._value(function, shape, leaf, name, scope, mandatory=shape.mandatory and essential)
        filled.names[shape.name] = value.variable
        if shape.kind == "texts" or shape.kind == "boolean":
            default = "()" if shape.kind == "texts" else "False"
            filled.arguments.append(f"{shape.name}={value.variable} or {default}")
        elif shape.name not in skip:
            filled.arguments.append(f"{shape.name}={value.variable}" + (" or ''" if shape.empty else ""))
        if not value.constant:
            filled.sent.append(f"{value.variable} is not None")
        if shape.mandatory:
            filled.wanted.append((shape.name, value.variable, value.raw, value.carrier, leaf.otherwise == "skip"))
        if value.kept and leaf.keep and leaf.keep not in plain:
            filled.arguments.append(f"{leaf.keep}={value.kept}")
            filled.names[leaf.keep] = value.kept
        if trace:
            self._trace(function, trace, shape, value, leaf, plain)

    def _value(self, function: Function, shape: Shape, leaf: Leaf, name: str, scope: CodeScope, *, mandatory: bool) -> Value:
        """The code of a leaf; what has several sources is passed over where none of them was sent."""
        slots = self.scopes.needed(leaf, scope) if isinstance(leaf.origin, First | Join) and leaf.when is None else None
        guards = list(dict.fromkeys(slots or ()))
        if not 0 < len(guards) < FEW:
            return self.values.leaf(function, leaf, shape.kind, name, scope, mandatory=mandatory)
        with function.block(f"if {' or '.join(guards)}:"):
            value = self.values.leaf(function, leaf, shape.kind, name, scope, mandatory=mandatory)
        with function.block("else:"):
            function.line(f"{' = '.join(held for held in (value.variable, value.kept) if held)} = None")
            if value.raw:
                function.line(f"{value.raw} = ''")
            if value.origins:
                function.line(f"{value.origins} = ()")
        value.carrier = scope.segment or "None"
        return value

    def _trace(self, function: Function, trace: str, shape: Shape, value: Value, leaf: Leaf, plain: set[str]) -> None:
        if shape.kind == "texts":
            with function.block(f"for n, o in enumerate({value.origins}):"):
                function.line(f"{trace}[f'{shape.name}[{{n}}]'] = o")
            return
        function.line(f"if {value.variable} is not None: {trace}[{shape.name!r}] = {value.origins}")
        if value.kept and leaf.keep and leaf.keep not in plain:
            function.line(f"if {value.kept}: {trace}[{leaf.keep!r}] = told({value.origins}, 'copied')")

    def _deliveries(self, function: Function, label: str, filled: Filled, scope: CodeScope) -> None:
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
        slots = [self.scopes.needed(block, scope) for block in blocks]
        guards = list(dict.fromkeys(slot for needed in slots for slot in needed or ()))
        guarded = all(slots) and len(guards) <= FEW and shape.struct is not Source
        if guarded:
            function.open(f"if {' or '.join(guards)}:")
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
        if guarded:
            function.close()
        return variable

    def _one(self, function: Function, block: Block, variable: str, label: str, scope: CodeScope, trace: str, shape: Shape) -> None:
        opened = 0
        if block.within is not None:
            scope, opened = self.scopes.enter(function, block.within, scope)
        if block.when is not None:
            function.open(f"if {self.texts.condition(function, block.when, scope, label)}:")
            opened += 1
        self._build(function, block, variable, label, scope, trace, header=shape.struct is Source)
        function.close(opened)

    def _build(self, function: Function, block: Block, variable: str, label: str, scope: CodeScope, trace: str, *, header: bool = False) -> None:
        """Sets the variable to the object of a block, if anything of it was sent."""
        essential = block.struct in ESSENTIAL
        filled = self.fields(function, block, scope, label, trace, essential=essential)
        if block.keyed:
            self.identifiers.keyed(function, block, variable, label, scope, trace, filled.names)
            return
        if header:
            function.line(f"{variable} = x.header_with({', '.join(filled.arguments)})")
            return
        sent = " or ".join(filled.sent) or "True"
        function.open(f"if {sent}:")
        self.objects.wanted(
            function, block, label, filled, essential, scope, lambda: self.objects.construct(function, variable, block.struct, filled)
        )
        function.close()

    # Lists -------------------------------------------------------------------------------------------------------------

    def _list(self, function: Function, shape: Shape, held: ListPlan, label: str, scope: CodeScope, trace: str) -> tuple[str, str]:
        """The code of a list: its variable, and that of parties which found their place by role."""
        variable = self.module.name("l")
        placed = self.module.name("d") if held.roles else ""
        guards = [self.scopes.guard(block, scope) for block in held.blocks]
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

    def _items(
        self, function: Function, block: Block, variable: str, placed: str, label: str, scope: CodeScope, roles: tuple[str, ...], guard: str
    ) -> None:
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
            position, groups = self.module.name("i"), self.module.name("g")
            body.line(f"{position} = 0")
            if block.group_by:
                body.line(f"{groups} = {{}}")
            for place, path in enumerate((*block.around, block.each)):
                below = block.below[place] if place < len(block.below) else None
                if below is not None:
                    inner, more = self.scopes.levels(body, path, below, inner)
                elif block.matching is not None:
                    inner, more = self.scopes.matching(body, block, inner)
                else:
                    inner, more = self.scopes.loop(body, path, inner)
                opened += more
            if block.lonely is not None:
                asked = self.texts.take(body, block.lonely[0], inner, block.where)
                body.open(f"if {asked.variable} not in {self.scopes.index(block.lonely[1], block.lonely[1].spots)}(x, {scope.up(-1).tree}):")
                opened += 1
            if block.group_by:
                if block.when is not None:
                    body.open(f"if {self.texts.condition(body, block.when, inner, label)}:")
                    opened += 1
                inner, opened = self.scopes.group(body, block, inner, groups, opened), 1
            body.line(f"{position} += 1")
            inner.position = position
        elif block.within is not None:
            inner, opened = self.scopes.enter(body, block.within, inner)
        if block.pairs is not None:
            inner, more = self.scopes.open_pairs(body, block.pairs, inner)
            opened += more
        if block.when is not None and not block.group_by:
            body.open(f"if {self.texts.condition(body, block.when, inner, label)}:")
            opened += 1
        trace = self.module.name("q") if self.explain else ""
        if trace:
            body.line(f"{trace} = {{}}")
        self._item(body, block, label, inner, trace, roles)
        body.close(opened)

    def _item(self, body: Function, block: Block, label: str, scope: CodeScope, trace: str, roles: tuple[str, ...]) -> None:
        essential = block.struct in ESSENTIAL
        filled = self.fields(body, block, scope, label, trace, essential=essential, skip=("role",) if roles else ())
        if block.keyed:
            variable = self.module.name("p")
            body.line(f"{variable} = None")
            self.identifiers.keyed(body, block, variable, label, scope, trace, filled.names)
            body.line(f"if {variable} is not None: out.append({paired(variable, trace)})")
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
                self.objects.place_by_role(body, block, filled, trace, roles, item)
                return
            self.objects.construct(body, item, block.struct, filled)
            body.line(f"out.append({paired(item, trace)})")

        self.objects.wanted(body, block, label, filled, essential, scope, build)
        body.close(opened)
