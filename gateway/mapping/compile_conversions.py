"""What is made of a text as generated Python: cut, looked up and turned into the field's type, with the problem where that fails."""

from dataclasses import dataclass

from gateway.mapping.code import Function
from gateway.mapping.code import Module
from gateway.mapping.compile_texts import Text
from gateway.mapping.conversions import EXPECTED
from gateway.mapping.conversions import converter
from gateway.mapping.conversions import is_changed
from gateway.mapping.plan import Leaf
from gateway.mapping.plan import SegmentPath
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
class Conversions:
    """Writes the code from a text to a value."""

    module: Module
    syntax: str

    def steps(self, function: Function, leaf: Leaf, raw: str, value: Value) -> tuple[str, str, bool]:
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

    def convert(self, function: Function, leaf: Leaf, kind: str, raw: str, text: Text, value: Value, unsure: bool) -> None:
        """Sets the variable; `unsure`: the text may be empty."""
        name = value.variable
        if kind == "text":
            function.line(f"{name} = {raw} or None" if unsure else f"{name} = {raw}")
            last = value.site.field.rpartition(".")[2] if value.site else ""
            if last in CHECKED:
                self._check_digit(function, last, name, value)
            return
        code = _code(text) if kind in ("date", "datetime") and leaf.form is None else None
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

    def _check_digit(self, function: Function, name: str, variable: str, value: Value) -> None:
        """A warning where an identifier's check digit is wrong."""
        fault = self.module.constant("wrong_" + name, check_digit_fault(name), name)
        site = self.module.constant("site", value.site)
        with function.block(f"if {variable} and {fault}({variable}):"):
            function.line(f"x.check_digit({site}, {variable}, {fault}({variable}), {value.carrier})")


def site_of(leaf: Leaf, text: Text, kind: str, label: str, mandatory: bool) -> Site:
    """What a problem with this value says about where it belongs."""
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


def _code(text: Text) -> str | None:
    """EDIFACT: the 2379 code beside a 2380 value."""
    if not isinstance(text.path, SegmentPath) or text.spot is None or text.spot.use.id != "2380" or text.spot.component is None:
        return None
    held = text.path.routes[0].segment.elements[text.spot.position - 1]
    code = next((part for part in held.components if part.id == "2379"), None)
    if code is None:
        return None
    value = f"{text.carrier}[{text.spot.position}]"
    return f"({value}[{code.position - 1}] if len({value}) >= {code.position} else '')"
