"""A writing plan as generated Python: one function from the document to its segments, or to its XML element, in the order of the file.

A segment or element is written when something of the document is in it: constants alone say nothing, unless it has nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gateway.mapping import writing
from gateway.mapping.code import Function
from gateway.mapping.code import Module
from gateway.mapping.compile_written import WriteScope
from gateway.mapping.compile_written import Written
from gateway.mapping.compile_written import WrittenValues
from gateway.mapping.plan import Constant
from gateway.mapping.plan import FieldPath
from gateway.mapping.plan import Leaf
from gateway.mapping.plan import MappingPlan
from gateway.mapping.plan import WriteComposite
from gateway.mapping.plan import WriteElement
from gateway.mapping.plan import WriteSegment
from gateway.mapping.reading import Site
from gateway.mapping.shapes import role_fields
from gateway.mapping.shapes import shapes_of
from gateway.schema.plan import ElementUse

Run = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class CompiledWriting:
    """A writing plan ready to run."""

    plan: MappingPlan
    explain: bool
    run: Run
    #: what was generated: for people who look
    module: Module


def compile_writing(plan: MappingPlan, *, explain: bool = False) -> CompiledWriting:
    """The plan as a function."""
    assert plan.direction == "write"
    module = Module()
    module.constants.update(
        all_parties=writing.all_parties,
        party_names=writing.party_names,
        through=writing.through,
        grouped=writing.grouped,
        pairs_of=writing.identifier_pairs,
        cleaned=writing.cleaned,
        permitted=writing.permitted,
        text_of=writing.text_of,
        chunks=writing.chunks,
        folded=writing.folded,
        put=writing.put,
        trim=writing.trim,
        Decimal=Decimal,
        told=_told,
    )
    writer = _Segments(plan, module, explain) if plan.schema is not None else _Elements(plan, module, explain)
    writer.document()
    title = f"<mapping {plan.spec} write{' explain' if explain else ''}>"
    return CompiledWriting(plan, explain, module.run(title, "write"), module)


def _told(origins: list[tuple[str, str, str]], how: str) -> list[tuple[str, str, str]]:
    return [origin if origin[1] == "constant" else (origin[0], how, origin[2]) for origin in origins]


class _Scopes:
    """What segments and elements share: opening `each:`, `in:` and `when:`."""

    def __init__(self, plan: MappingPlan, module: Module, explain: bool) -> None:
        self.plan = plan
        self.module = module
        self.explain = explain
        self.syntax = plan.schema.syntax if plan.schema is not None else "xml"
        #: elements are plain texts (X12, files in rows), not lists of components
        self.flat = self.syntax not in ("edifact", "xml")
        shared = frozenset.intersection(*(frozenset(shapes_of(struct)) for struct in (plan.struct, *plan.also)))
        self.values = WrittenValues(module, self.syntax, explain, shared)

    def enter(self, function: Function, plan: WriteSegment | WriteElement, scope: WriteScope) -> tuple[WriteScope, int]:
        """Into the items of a list, or an object; nothing of what follows is written where there is none."""
        each, within = plan.each, plan.within
        if each is not None and plan.group_by:
            return self._groups(function, each, plan.group_by, scope)
        if each is not None:
            return self._each(function, each, scope)
        if within is not None:
            held = self.values.field(function, within, scope)
            function.open(f"if {held} is not None:")
            path = self.module.name("g")
            if self.explain:
                function.line(f"{path} = {scope.up(within.up).path} + {within.text.lstrip('./') + '.'!r}")
            return WriteScope(held, within.shape.struct, path if self.explain else "''", scope.position, scope), 1
        return scope, 0

    def _each(self, function: Function, each: FieldPath, scope: WriteScope) -> tuple[WriteScope, int]:
        item, position, path = self.module.name("d"), self.module.name("i"), self.module.name("g")
        base = scope.up(each.up)
        roles = role_fields(base.struct) if [name for name, _ in each.names] == ["parties"] and base.outer is None else ()
        if roles:
            names = self.module.constant("roles", roles, roles)
            items = f"all_parties({base.variable}, {names})"
        elif self.values.leads_through_lists(each):
            items = self.values.every(each, scope)
        else:
            items = f"{self.values.field(function, each, scope)} or ()"
        if each.group and not each.names:
            function.open(f"for {position}, {item} in enumerate({base.group}, 1):")
            if self.explain:
                function.line(f"{path} = {base.group_paths}[{position} - 1]")
        elif self.explain and roles:
            function.open(f"for {position}, ({item}, {path}) in enumerate(zip({items}, party_names({base.variable}, {names})), 1):")
            function.line(f"{path} += '.'")
        else:
            function.open(f"for {position}, {item} in enumerate({items}, 1):")
            if self.explain:
                dot = "." if each.shape.struct is not None else ""
                function.line(f"{path} = {base.path} + f'{each.text.lstrip('./')}[{{{position} - 1}}]{dot}'")
        return WriteScope(item, each.shape.struct, path if self.explain else "''", position, scope), 1

    def _groups(self, function: Function, each: FieldPath, group_by: tuple[FieldPath, ...], scope: WriteScope) -> tuple[WriteScope, int]:
        """One scope for each group of items; it is that of the first member."""
        item, position, path, held, paths = (self.module.name(stem) for stem in ("d", "i", "g", "d", "g"))
        items = self.values.every(each, scope) if self.values.leads_through_lists(each) else f"{self.values.field(function, each, scope)} or ()"
        names = [self.module.constant("names", key.names, key.names) for key in group_by]
        function.open(f"for {position}, ({held}, {paths}) in enumerate(grouped({', '.join([items, *names])}), 1):")
        function.line(f"{item} = {held}[0]")
        if self.explain:
            function.line(f"{paths} = [{scope.up(each.up).path} + f'{each.text.lstrip('./')}[{{n}}].' for n in {paths}]")
            function.line(f"{path} = {paths}[0]")
        return WriteScope(item, each.shape.struct, path if self.explain else "''", position, scope, held, paths), 1


class _Segments(_Scopes):
    def document(self) -> None:
        function = self.module.function("write", "x, d0")
        function.line("out = []")
        scope = WriteScope("d0", self.plan.struct)
        for segment in self.plan.segments:
            self.segment(function, segment, scope, "")
        function.line("return out")

    def segment(self, function: Function, plan: WriteSegment, scope: WriteScope, parent: str) -> None:
        """A segment, and what stands under it where it is written."""
        inner, opened = self.enter(function, plan, scope)
        if plan.when is not None:
            function.open(f"if {self.values.condition(function, plan.when, inner)}:")
            opened += 1
        variable = self.module.name("s")
        if plan.level is not None:
            parent = self._level(function, plan, inner, variable, parent)
            for child in plan.then:
                self.segment(function, child, inner, parent)
            if self.flat:
                function.line(f"{variable}[4] = '1' if x.hierarchy > {parent} else '0'")
            function.close(opened)
            return
        opened += self._build(function, plan, inner, variable)
        for child in plan.then:
            self.segment(function, child, inner, parent)
        function.close(opened)

    def _level(self, function: Function, plan: WriteSegment, scope: WriteScope, variable: str, parent: str) -> str:
        """HL: its number, its parent's, its level, and whether others stand under it. CPS: its number and its parent's."""
        number = self.module.name("h")
        function.line("x.hierarchy += 1")
        function.line(f"{number} = x.hierarchy")
        above = f"str({parent})" if parent else "''"
        x12 = self.flat
        head = f"['HL', str({number}), {above}, {plan.level!r}, '0']" if x12 else f"['CPS', [str({number})], [{above}]]"
        function.line(f"{variable} = {head}")
        for position, held in plan.elements:
            assert isinstance(held, Leaf)
            value = self.values.leaf(function, held, scope, plan.use.elements[position - 1])
            function.line(f"put({variable}, {position}, {value.variable if x12 else f'[{value.variable}]'})")
        function.line(f"out.append({variable})")
        return number

    def _build(self, function: Function, plan: WriteSegment, scope: WriteScope, variable: str) -> int:
        """The elements of a segment; gives how many blocks stand open behind it."""
        parts: dict[int, str] = {}
        sent: list[str] = []
        needed: list[str] = []
        origins: list[tuple[str, str, Written]] = []
        split: tuple[int, int, Leaf, Written, ElementUse] | None = None
        mandatory: list[tuple[int, str, Site | None]] = []
        for position, held in plan.elements:
            use = plan.use.elements[position - 1]
            if isinstance(held, WriteComposite):
                text, shows, inner_split = self._composite(function, held, scope, origins)
                split = inner_split or split
                parts[position] = text
                sent += shows
                mandatory.append((position, text, None))
                continue
            value = self.values.leaf(function, held, scope, use)
            origins.append((self._name(use, None), f"({position}, None)", value))
            sent += [value.sent] if value.sent else []
            parts[position] = value.variable if self.flat else f"[{value.variable}]"
            mandatory.append((position, value.variable, value.site))
            if held.split is not None:
                split = (position, 0, held, value, use)
            if use.mandatory and held.otherwise == "skip" and held.table is not None:
                # a code that the table lacks and that must be there: without it no segment
                needed.append(value.variable)
        pairs = [self._pairs_variable(function, held.path, held, scope) for held in plan.pairs]
        sent += pairs
        # pairs that must be there: without them no segment
        needed += [name for pair, name in zip(plan.pairs, pairs, strict=True) if plan.use.elements[pair.first - 1].mandatory]
        opened = 0
        if plan.pairs or (sent and not plan.always):
            function.open(f"if {' or '.join(dict.fromkeys(sent)) or 'True'}:")
            opened += 1
        if needed:
            function.open(f"if {' and '.join(needed)}:")
            opened += 1
        if split is not None:
            opened += self._split(function, plan, split, parts)
        last = max(parts, default=0)
        empty = "''" if self.flat else "['']"
        elements = [parts.get(position, empty) for position in range(1, last + 1)]
        function.line(f"{variable} = [{', '.join([repr(plan.use.tag), *elements])}]")
        for pair, name in zip(plan.pairs, pairs, strict=True):
            self._write_pairs(function, pair, name, variable, scope)
        for position, text, site in mandatory:
            if plan.use.elements[position - 1].mandatory and not text.startswith("'"):
                place = self.module.constant("site", site or Site(field=plan.use.tag, where=plan.where))
                function.line(f"if not {text}: x.missing({place}, {plan.use.tag!r}, {position})")
        for use in plan.use.elements:
            if use.mandatory and use.position not in parts and not plan.pairs:
                place = self.module.constant("site", Site(field=plan.use.tag, where=plan.where))
                function.line(f"x.missing({place}, {plan.use.tag!r}, {use.position})")
        function.line(f"trim({variable})")
        function.line(f"out.append({variable})")
        if self.explain:
            for name, place, value in origins:
                function.line(f"if {value.variable}: x.trace.append(({variable}, {name!r}, {value.origins}, {place}))")
        return opened

    def _name(self, use: ElementUse, part: ElementUse | None) -> str:
        if self.plan.schema is not None and self.plan.schema.layout is not None:
            return use.id
        if self.syntax == "edifact":
            return f"{use.id}/{part.id}" if part is not None else use.id
        return f"{use.position:02}/{part.position}" if part is not None else f"{use.position:02}"

    def _composite(
        self, function: Function, held: WriteComposite, scope: WriteScope, origins: list[tuple[str, str, Written]]
    ) -> tuple[str, list[str], tuple[int, int, Leaf, Written, ElementUse] | None]:
        """A list of components; empty where nothing of the document is in it. Constants beside a value stand and fall with it."""
        texts: dict[int, str] = {}
        sent: list[str] = []
        split = None
        for number, leaf in held.parts:
            part = held.use.components[number - 1]
            value = self.values.leaf(function, leaf, scope, part)
            texts[number] = value.variable
            origins.append((self._name(held.use, part), f"({held.use.position}, {number})", value))
            sent += [value.sent] if value.sent else []
            if leaf.pieces is not None:
                texts[number] = f"*folded({value.variable}, {leaf.split}, {leaf.pieces})"
                texts.update({number + further: "" for further in range(1, leaf.pieces)})
            elif leaf.split is not None:
                split = (held.use.position, number, leaf, value, part)
        components = ", ".join(filter(None, (texts.get(number, "''") for number in range(1, max(texts, default=0) + 1))))
        variable = self.module.name("c")
        shows = list(dict.fromkeys(sent))
        constant = all(isinstance(leaf.origin, Constant) for _, leaf in held.parts)
        condition = "True" if constant or not shows else " or ".join(shows)
        function.line(f"{variable} = [{components}] if {condition} else ['']")
        filled = self.module.name("b")
        function.line(f"{filled} = any({variable})")
        return (variable, [filled] if shows else [], split)

    def _split(self, function: Function, plan: WriteSegment, split: tuple[int, int, Leaf, Written, ElementUse], parts: dict[int, str]) -> int:
        """A long text goes on in the following components, then in a further segment."""
        position, number, leaf, value, part = split
        chunk = self.module.name("w")
        if number == 0:
            function.open(f"for {chunk}, in chunks({value.variable}, {leaf.split}, 1):")
            parts[position] = chunk if self.flat else f"[{chunk}]"
            return 1
        held = plan.use.elements[position - 1]
        room = sum(1 for other in held.components[number - 1 :] if other.id == part.id)
        function.open(f"for {chunk} in chunks({value.variable}, {leaf.split}, {room}):")
        parts[position] = f"[*{parts[position]}[:{number - 1}], *{chunk}]"
        return 1

    def _pairs_variable(self, function: Function, path: FieldPath, held: Any, scope: WriteScope) -> str:
        variable = self.module.name("p")
        most = (held.last - held.first + 1) if held.composite else (held.last - held.first + 1) // 2
        codes = self.module.constant("back", held.table.back(), (held.table.name, id(held.table.forward)))
        function.line(f"{variable} = pairs_of({self.values.field(function, path, scope)}, {codes}, {held.otherwise!r}, {most})")
        return variable

    def _write_pairs(self, function: Function, held: Any, name: str, variable: str, scope: WriteScope) -> None:
        names = "".join(f"{part}." if index is None else f"{part}[{index}]." for part, index in held.path.names)
        path = f"{scope.up(held.path.up).path} + {names!r}"
        with function.block(f"for n, (code, value, key) in enumerate({name}):"):
            if held.composite is None:
                function.line(f"put({variable}, {held.first} + 2 * n, code)")
                function.line(f"put({variable}, {held.first + 1} + 2 * n, value)")
                trace, place = f"f'{{{held.first + 1} + 2 * n:02}}'", f"({held.first + 1} + 2 * n, None)"
            else:
                parts = ["''"] * max(held.composite)
                parts[held.composite[0] - 1], parts[held.composite[1] - 1] = "value", "code"
                function.line(f"put_composite({variable}, {held.first} + n, [{', '.join(parts)}])")
                self.module.constants.setdefault("put_composite", _put_composite)
                trace, place = f"f'{{{held.first} + n:02}}'", f"({held.first} + n, {held.composite[0]})"
            if self.explain:
                function.line(f"x.trace.append(({variable}, {trace}, [({path} + key, 'copied', {held.where!r})], {place}))")


def _put_composite(segment: list[Any], position: int, value: list[str]) -> None:
    while len(segment) <= position:
        segment.append([""])
    segment[position] = value


class _Elements(_Scopes):
    def document(self) -> None:
        from lxml import etree

        root = self.plan.element
        assert root is not None
        self.module.constants.update(Element=etree.Element, SubElement=etree.SubElement)
        names = self.module.constant("prefixes", _prefixes(self.plan.namespaces, root))
        function = self.module.function("write", "x, d0")
        function.line(f"root = Element({root.tag!r}, nsmap={names})")
        scope = WriteScope("d0", self.plan.struct)
        for name, leaf in root.attributes:
            value = self.values.leaf(function, leaf, scope)
            function.line(f"if {value.variable}: root.set({name!r}, {value.variable})")
        for child in root.children:
            self.element(function, child, scope, "root", "")
        function.line("return root")

    def element(self, function: Function, plan: WriteElement, scope: WriteScope, parent: str, flag: str) -> None:
        """An element under its parent; `flag` is set where it shows something of the document."""
        inner, opened = self.enter(function, plan, scope)
        if plan.when is not None:
            function.open(f"if {self.values.condition(function, plan.when, inner)}:")
            opened += 1
        shows = opened > 0
        if not plan.tag:
            for child in plan.children:
                self.element(function, child, inner, parent, flag)
        elif plan.text is not None:
            self._text(function, plan, inner, parent, flag, shows)
        else:
            self._block(function, plan, inner, parent, flag, shows)
        function.close(opened)

    def _text(self, function: Function, plan: WriteElement, scope: WriteScope, parent: str, flag: str, shows: bool) -> None:
        assert plan.text is not None
        value = self.values.leaf(function, plan.text, scope)
        element = self.module.name("e")
        with function.block(f"if {value.variable}:"):
            function.line(f"{element} = SubElement({parent}, {plan.tag!r})")
            function.line(f"{element}.text = permitted({value.variable})")
            if self.explain:
                function.line(f"x.trace.append(({element}, None, {value.origins}, None))")
            self._attributes(function, plan, scope, element)
            if flag and (value.sent or (shows and plan.each is None)):
                function.line(f"{flag} = {flag} or {value.sent or 'True'}")

    def _attributes(self, function: Function, plan: WriteElement, scope: WriteScope, element: str) -> list[str]:
        sent = []
        for name, leaf in plan.attributes:
            value = self.values.leaf(function, leaf, scope)
            with function.block(f"if {value.variable}:"):
                function.line(f"{element}.set({name!r}, permitted({value.variable}))")
                if self.explain:
                    function.line(f"x.trace.append(({element}, {name!r}, {value.origins}, None))")
            sent += [value.sent] if value.sent else []
        return sent

    def _block(self, function: Function, plan: WriteElement, scope: WriteScope, parent: str, flag: str, shows: bool) -> None:
        element, own = self.module.name("e"), self.module.name("b")
        function.line(f"{element} = SubElement({parent}, {plan.tag!r})")
        function.line(f"{own} = False")
        attributes = self._attributes(function, plan, scope, element)
        for child in plan.children:
            self.element(function, child, scope, element, own)
        for condition in attributes if not plan.children else []:
            function.line(f"{own} = {own} or {condition}")
        if is_constant(plan):
            # nothing but constants: written wherever its parent is
            if flag and shows and plan.each is None:
                function.line(f"{flag} = True")
            return
        if plan.always:
            return
        with function.block(f"if {own}:"):
            if flag:
                function.line(f"{flag} = True")
        with function.block("else:"):
            function.line(f"{parent}.remove({element})")


def is_constant(plan: WriteElement) -> bool:
    """Whether nothing of the document can stand in an element."""
    if plan.each is not None or plan.within is not None or plan.when is not None:
        return plan.text is None and bool(plan.children) and all(is_constant(child) for child in plan.children)
    if plan.text is not None:
        return isinstance(plan.text.origin, Constant)
    leaves = [leaf for _, leaf in plan.attributes]
    if not plan.children:
        return bool(leaves) and all(isinstance(leaf.origin, Constant) for leaf in leaves)
    return all(is_constant(child) for child in plan.children)


def _prefixes(namespaces: Any, root: WriteElement) -> dict[str | None, str]:
    """The namespaces that the document uses, by prefix."""
    used: set[str] = set()

    def look(element: WriteElement) -> None:
        used.add(element.tag[1:].partition("}")[0])
        used.update(name[1:].partition("}")[0] for name, _ in element.attributes if name.startswith("{"))
        for child in element.children:
            look(child)

    look(root)
    return {prefix or None: namespace for prefix, namespace in sorted(namespaces.items(), key=lambda item: item[0] != "") if namespace in used}


__all__ = ["CompiledWriting", "compile_writing"]
