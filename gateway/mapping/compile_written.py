"""Values for writing as generated Python: from canonical fields to text. Mirrors compile_values, which reads."""

import contextlib
from dataclasses import dataclass
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from decimal import DecimalException
from typing import Any

from gateway.mapping.code import Function
from gateway.mapping.code import Module
from gateway.mapping.conversions import calculated
from gateway.mapping.conversions import has_factor
from gateway.mapping.conversions import zone_of
from gateway.mapping.functions import to_decimal
from gateway.mapping.plan import All
from gateway.mapping.plan import Compute
from gateway.mapping.plan import Condition
from gateway.mapping.plan import Constant
from gateway.mapping.plan import Count
from gateway.mapping.plan import Counter
from gateway.mapping.plan import FieldPath
from gateway.mapping.plan import First
from gateway.mapping.plan import Join
from gateway.mapping.plan import Leaf
from gateway.mapping.plan import Named
from gateway.mapping.plan import Sum
from gateway.mapping.plan import Take
from gateway.mapping.reading import Site
from gateway.mapping.shapes import shapes_of
from gateway.mapping.texts import text_function
from gateway.mapping.writing import as_day
from gateway.mapping.writing import as_time
from gateway.mapping.writing import in_form
from gateway.schema.moments import FORMATS
from gateway.schema.plan import ElementUse

_DEFAULTS = {
    "x12": {"date": "CCYYMMDD", "time": "HHMM", "datetime": "CCYYMMDDHHMM"},
    "edifact": {"date": "CCYYMMDD", "time": "HHMM", "datetime": "CCYYMMDDHHMM"},
    "csv": {"date": "ISO", "time": "HH:MM:SS", "datetime": "ISO"},
    "fixed": {"date": "ISO", "time": "HH:MM:SS", "datetime": "ISO"},
    "xml": {"date": "ISO", "time": "HH:MM:SS", "datetime": "ISO"},
}


@dataclass(slots=True)
class WriteScope:
    """Variables of an object in the generated code."""

    variable: str
    struct: Any
    #: variable with its canonical path, in the explaining variant: `lines[0].`
    path: str = "''"
    position: str = ""
    outer: "WriteScope | None" = None
    #: variable with the members of the group that the scope stands for, and (explaining) the one with their canonical paths
    group: str = ""
    group_paths: str = ""

    def up(self, count: int) -> "WriteScope":
        """The scope `count` outward, at most the outermost."""
        scope = self
        while count and scope.outer is not None:
            scope = scope.outer
            count -= 1
        return scope


@dataclass(slots=True)
class Written:
    """A text variable (empty: nothing to write), and whether it says that something of the document is there."""

    variable: str
    #: condition in Python; empty where a constant says nothing
    sent: str
    origins: str = "[]"
    site: Site | None = None


class WrittenValues:
    """Writes the code of leaves for writing."""

    def __init__(self, module: Module, syntax: str, explain: bool, shared: frozenset[str]) -> None:
        #: fields that every kind of document of the mapping has
        self.shared = shared
        self.module = module
        self.syntax = syntax
        self.explain = explain

    # Fields ------------------------------------------------------------------------------------------------------------

    def field(self, function: Function, path: FieldPath, scope: WriteScope) -> str:
        """The variable of a canonical field's value, None where it is absent."""
        base = scope.up(path.up)
        if self.leads_through_lists(path):
            name = self.module.name("f")
            function.line(f"{name} = next(iter({self.every(path, scope)}), None)")
            return name
        variable, sure = base.variable, True
        for step in range(len(path.names)):
            key = (base.variable, path.names[: step + 1])
            known = function.known(key)
            if known is None:
                known = function.remember(key, self.module.name("f"))
                name, index = path.names[step]
                if step == 0 and base.outer is None and name not in self.shared:
                    value = "x.kind" if name == "kind" else f"getattr({variable}, {name!r}, None)"
                    function.line(f"{known} = {value}")
                    variable, sure = known, False
                    continue
                value = f"{variable}.{name}" if index is None else f"({variable}.{name}[{index}] if len({variable}.{name}) > {index} else None)"
                function.line(f"{known} = {value}" if sure else f"{known} = {value} if {variable} is not None else None")
            variable, sure = known, False
        return variable

    def leads_through_lists(self, path: FieldPath) -> bool:
        """`notes.text`: every step but the last one into a list without a number."""
        struct = path.root
        if path.group:
            return True
        if len(path.names) < 2 or path.names[0][0] not in shapes_of(struct):
            return False
        for name, index in path.names[:-1]:
            shape = shapes_of(struct)[name]
            if shape.kind == "objects" and index is None:
                return True
            struct = shape.struct
        return False

    def every(self, path: FieldPath, scope: WriteScope) -> str:
        """An expression with all values of a path."""
        names = self.module.constant("names", path.names, path.names)
        base = scope.up(path.up)
        return f"[v for d in {base.group} for v in through(d, {names})]" if path.group else f"through({base.variable}, {names})"

    # Leaves ------------------------------------------------------------------------------------------------------------

    def leaf(self, function: Function, leaf: Leaf, scope: WriteScope, use: ElementUse | None = None) -> Written:
        """Statements that set a text variable."""
        if leaf.when is None:
            return self._value(function, leaf, scope, use)
        variable, sent, origins = self.module.name("w"), self.module.name("b"), self.module.name("o")
        function.line(f"{variable} = ''")
        function.line(f"{sent} = False")
        if self.explain:
            function.line(f"{origins} = []")
        with function.block(f"if {self.condition(function, leaf.when, scope)}:"):
            held = self._value(function, leaf, scope, use)
            function.line(f"{variable} = {held.variable}")
            # what stands under a condition is no mere constant: it says that the condition holds
            function.line(f"{sent} = {held.sent or f'bool({held.variable})'}")
            if self.explain:
                function.line(f"{origins} = {held.origins}")
        return Written(variable, sent, origins if self.explain else "[]", held.site)

    def _value(self, function: Function, leaf: Leaf, scope: WriteScope, use: ElementUse | None) -> Written:
        origin = leaf.origin
        if isinstance(origin, First):
            return self._first(function, leaf, origin, scope, use)
        held = self._text(function, leaf, scope, use)
        text, how = held.variable, ""
        site = held.site or Site(field=use.id if use else "", where=leaf.where)
        for name in leaf.make:
            text = self._assign(function, f"{self.module.constant('make', text_function(name), name)}({text}) if {text} else ''")
            how = "converted"
        if leaf.cut is not None or leaf.pad is not None:
            cut = f"[{leaf.cut}]" if leaf.cut is not None else ""
            pad = f".zfill({leaf.pad})" if leaf.pad is not None else ""
            text, how = self._assign(function, f"{text}{cut}{pad} if {text} else ''"), "converted"
        if leaf.table is not None:
            text, how = self._table(function, leaf, text, site, scope), "looked_up"
        sent = held.sent
        if leaf.default is not None:
            asked = text
            # a default fills a gap, it does not show that there is something to write
            sent = f"bool({asked})"
            text = self._assign(function, f"{asked} or {leaf.default!r}")
            if self.explain:
                constant = f"[('', 'constant', {leaf.where!r})]"
                return Written(text, sent, f"({self._told(held.origins, how)} if {asked} else {constant})", site)
        elif sent and leaf.table is not None:
            sent = f"bool({text})"
        return Written(text, sent, self._told(held.origins, how), site)

    def _told(self, origins: str, how: str) -> str:
        return f"told({origins}, {how!r})" if self.explain and how else origins

    def _assign(self, function: Function, value: str) -> str:
        variable = self.module.name("w")
        function.line(f"{variable} = {value}")
        return variable

    def _table(self, function: Function, leaf: Leaf, text: str, site: Site, scope: WriteScope) -> str:
        assert leaf.table is not None
        table = self.module.constant("back", leaf.table.back(), (leaf.table.name, id(leaf.table.forward)))
        variable = self.module.name("w")
        function.line(f"{variable} = {table}.get({text}) if {text} else ''")
        if leaf.kept is not None:
            assert isinstance(leaf.kept, FieldPath)
            # the code as it was sent: where it means this word, or where neither it nor the word is in the table
            forward = self.module.constant("table", dict(leaf.table.forward), (leaf.table.name, id(leaf.table.forward)))
            kept = self.field(function, leaf.kept, scope)
            function.line(f"if {kept} and {text} and {forward}.get({kept}) == ({text} if {variable} is not None else None): {variable} = {kept}")
        with function.block(f"if {variable} is None:"):
            if leaf.otherwise == "problem":
                place = self.module.constant("site", site)
                function.line(f"x.unknown({place}, {text}, {leaf.table.name!r})")
            function.line(f"{variable} = {text if leaf.otherwise == 'keep' else repr(leaf.otherwise_text)}")
        return variable

    def _first(self, function: Function, leaf: Leaf, origin: First, scope: WriteScope, use: ElementUse | None) -> Written:
        variable, sent, origins = self.module.name("w"), self.module.name("b"), self.module.name("o")
        site = None
        function.line(f"{variable} = ''")
        function.line(f"{sent} = False")
        if self.explain:
            function.line(f"{origins} = []")
        options = [*origin.options]
        if leaf.default is not None:
            options.append(Leaf(origin=Constant(leaf.default), where=leaf.where))
        for number, option in enumerate(options):
            if number:
                function.open(f"if not {variable}:")
            held = self.leaf(function, option, scope, use)
            function.line(f"{variable} = {held.variable}")
            if held.sent:
                function.line(f"{sent} = {held.sent}")
            if self.explain:
                function.line(f"{origins} = {held.origins}")
            if number:
                function.close()
            site = site or held.site
        return Written(variable, sent, origins if self.explain else "[]", site)

    # One text ----------------------------------------------------------------------------------------------------------

    def _text(self, function: Function, leaf: Leaf, scope: WriteScope, use: ElementUse | None) -> Written:
        origin = leaf.origin
        if isinstance(origin, Constant):
            return Written(repr(origin.text), "", f"[('', 'constant', {leaf.where!r})]")
        if isinstance(origin, Take):
            assert isinstance(origin.path, FieldPath)
            return self._take(function, leaf, origin.path, scope, use)
        if isinstance(origin, Named):
            if origin.family == "position":
                around = _counted_scope(scope)
                for _ in range(origin.name.count("/")):
                    around = _counted_scope(around.outer) if around.outer is not None else around
                return Written(f"str({around.position or 1})", "", f"[('position', 'computed', {leaf.where!r})]")
            text = self._assign(function, f"x.partner.get({origin.name!r})")
            return Written(text, f"bool({text})", f"[('partner.{origin.name}', 'constant', {leaf.where!r})]")
        if isinstance(origin, Counter):
            return Written(self._assign(function, f"x.counted({origin.name!r})"), "", f"[('counter {origin.name}', 'computed', {leaf.where!r})]")
        if isinstance(origin, Join | All):
            return self._join(function, leaf, origin, scope)
        if isinstance(origin, Count | Sum):
            return self._number(function, leaf, origin, scope, use)
        assert isinstance(origin, Compute)
        values = ", ".join(f"{name!r}: {self._variable(function, take, scope)}" for name, take in origin.paths)
        site = Site(field=use.id if use else "value", where=leaf.where)
        place, expression = self.module.constant("site", site), self.module.constant("expression", origin.expression)
        text = self._assign(function, f"x.compute({expression}, {origin.names!r}, {{{values}}}, {scope.variable}, {place})")
        if self._numeric(leaf, use):
            number = self.module.constant("number", lambda text, *factors, leaf=leaf: _calculated_text(text, leaf, *factors))
            text = self._assign(function, f"{number}({', '.join([text, *self._factors(function, leaf, scope)])})")
        return Written(text, f"bool({text})", f"[({', '.join(origin.names)!r}, 'computed', {leaf.where!r})]", site)

    def _variable(self, function: Function, take: Take, scope: WriteScope) -> str:
        assert isinstance(take.path, FieldPath)
        return self.field(function, take.path, scope)

    def _take(self, function: Function, leaf: Leaf, path: FieldPath, scope: WriteScope, use: ElementUse | None) -> Written:
        held = self.field(function, path, scope) if path.names else scope.up(path.up).variable
        name = ".".join(part if index is None else f"{part}[{index}]" for part, index in path.names)
        site = Site(field=path.text, where=leaf.where, name=name)
        text = self._assign(function, self._formed(held, path.shape.kind, leaf, use, site, self._factors(function, leaf, scope)))
        origins = "[]"
        if self.explain:
            how = "converted" if path.shape.kind in ("date", "datetime", "boolean") or self._numeric(leaf, use) else "copied"
            base = scope.up(path.up)
            origins = f"[({base.path} + {name!r}, {how!r}, {leaf.where!r})]"
        # a canonical word that is false or zero is there as well
        return Written(text, f"{held} is not None", origins, site)

    def _numeric(self, leaf: Leaf, use: ElementUse | None) -> bool:
        return any(part is not None for part in (leaf.divide, leaf.multiply, leaf.round)) or has_factor(leaf) or self._implied(leaf, use) > 0

    def _factors(self, function: Function, leaf: Leaf, scope: WriteScope) -> list[str]:
        """Variables of what it is divided and multiplied by, where that stands in the document."""
        if not has_factor(leaf):
            return []
        return [self.leaf(function, held, scope).variable if held is not None else "None" for held in (leaf.divide_by, leaf.multiply_by)]

    def _implied(self, leaf: Leaf, use: ElementUse | None) -> int:
        if leaf.implied is not None:
            return leaf.implied
        return int(use.type[1]) if use is not None and len(use.type) == 2 and use.type[0] == "N" and use.type[1].isdecimal() else 0

    def _formed(self, held: str, kind: str, leaf: Leaf, use: ElementUse | None, site: Site, factors: list[str] | None = None) -> str:
        """The expression for the text of a value that may be None."""
        if kind in ("decimal", "integer"):
            number, place = held, self.module.constant("site", site)
            if self._numeric(replace(leaf, implied=0), None):
                number = f"x.calculated({', '.join([held, self.module.constant('leaf', leaf), place, *(factors or ())])})"
            if kind == "integer" and number == held:
                return f"str({held}) if {held} is not None else ''"
            digits = self._implied(leaf, use)
            if digits:
                return f"x.implied({number}, {digits}, {place}) if {held} is not None else ''"
            return f"x.plain({number}, {place}) if {held} is not None else ''"
        if kind in ("date", "datetime"):
            key = (kind, leaf.form, leaf.zone, leaf.add_days, use.type if use else "", use.max if use else 0)
            form = self.module.constant("form", self._date_form(kind, leaf, use), key)
            return f"{form}({held}) if {held} is not None else ''"
        if kind == "boolean":
            return f"text_of({held})"
        if self.syntax == "xml":
            return f"{held} or ''" if kind == "text" else f"text_of({held})"
        return f"cleaned({held}) if {held} else ''" if kind == "text" else f"text_of({held})"

    def _date_form(self, kind: str, leaf: Leaf, use: ElementUse | None) -> Any:
        form = self._plain_form(kind, leaf, use)
        if not leaf.add_days:
            return form
        days = timedelta(days=leaf.add_days)
        return lambda value: form(value + days)

    def _plain_form(self, kind: str, leaf: Leaf, use: ElementUse | None) -> Any:
        zone = zone_of(leaf)
        defaults = _DEFAULTS[self.syntax]
        said = leaf.form
        if said is None and use is not None and use.type.startswith(("date", "datetime")):
            # a column of a file in rows: its form, or the usual one of its kind
            column, _, form = use.type.partition(" ")
            said = form or column
        if said is None and use is not None and use.type in ("DT", "TM"):
            said = "date" if use.type == "DT" else "time"
        day = "YYMMDD" if use is not None and use.type == "DT" and use.max == 6 else defaults["date"]
        if said == "date" or (said is None and kind == "date"):
            return as_day(day, zone)
        if said == "time":
            return as_time(defaults["time"], zone)
        if said is None or said == "datetime":
            return in_form(defaults["datetime"], zone)
        if "%H" in FORMATS[said] and "%d" not in FORMATS[said]:
            return as_time(said, zone)
        return in_form(said, zone)

    def _join(self, function: Function, leaf: Leaf, origin: Join | All, scope: WriteScope) -> Written:
        held, trace = self.module.name("l"), self.module.name("o")
        function.line(f"{held} = []")
        if self.explain:
            function.line(f"{trace} = []")
        for part in origin.parts:
            if (
                isinstance(part.origin, Take)
                and isinstance(part.origin.path, FieldPath)
                and part.origin.path.shape.kind in ("texts", "text")
                and (part.origin.path.shape.kind == "texts" or self.leads_through_lists(part.origin.path))
            ):
                function.line(f"{held} += filter(None, {self.every(part.origin.path, scope)})")
                if self.explain:
                    base = scope.up(part.origin.path.up)
                    if part.origin.path.group:
                        name = part.origin.path.text.partition(".")[2]
                        function.line(f"{trace} += [(p + {name!r}, 'joined', {leaf.where!r}) for p in {base.group_paths}]")
                        continue
                    function.line(f"if {held}: {trace}.append(({base.path} + {part.origin.path.text!r}, 'joined', {leaf.where!r}))")
                continue
            value = self.leaf(function, part, scope)
            with function.block(f"if {value.variable}:"):
                function.line(f"{held}.append({value.variable})")
                if self.explain:
                    function.line(f"{trace} += {value.origins}")
        glue = origin.with_ if isinstance(origin, Join) else " "
        text = self._assign(function, f"{glue!r}.join({held})")
        if self.syntax != "xml":
            text = self._assign(function, f"cleaned({text})")
        return Written(text, f"bool({held})", f"(told({trace}, 'joined') if len({held}) > 1 else {trace})" if self.explain else "[]")

    def _number(self, function: Function, leaf: Leaf, origin: Count | Sum, scope: WriteScope, use: ElementUse | None) -> Written:
        path = origin.path
        if isinstance(origin, Count) and path is None:
            asked = "" if origin.tag == "segments" else f" if s[0] == {origin.tag!r}"
            text = self._assign(function, f"str(sum(1 for s in out{asked}))")
            return Written(text, "", f"[({origin.tag!r}, 'computed', {leaf.where!r})]")
        assert isinstance(path, FieldPath)
        if isinstance(origin, Count):
            text = self._assign(function, f"str(len({self.every(path, scope)}))")
        else:
            total = self._assign(function, f"sum(v for v in {self.every(path, scope)} if v is not None)")
            text = self._assign(function, self._formed(f"Decimal({total})", "decimal", leaf, use, Site(field=path.text, where=leaf.where)))
        return Written(text, "", f"[({path.text!r}, 'computed', {leaf.where!r})]")

    # Conditions --------------------------------------------------------------------------------------------------------

    def condition(self, function: Function, condition: Condition, scope: WriteScope) -> str:
        """A Python condition; statements that it needs stand before."""
        parts = []
        for check in condition.checks:
            path = check.take.path
            assert isinstance(path, FieldPath)
            held = self.field(function, path, scope) if path.names else scope.up(path.up).variable
            if not check.values:
                there = f"({held} is not None and {held} != ())"
                parts.append(f"not {there}" if check.negated else there)
            else:
                parts.append(f"text_of({held}) {'not in' if check.negated else 'in'} {check.values!r}")
        if condition.expression is not None:
            compute = condition.expression
            values = ", ".join(f"{name!r}: {self._variable(function, take, scope)}" for name, take in compute.paths)
            site = self.module.constant("site", Site(field="when", where=condition.where))
            expression = self.module.constant("expression", compute.expression)
            parts.append(f"x.holds({expression}, {compute.names!r}, {{{values}}}, {scope.variable}, {site})")
        if condition.options:
            parts.append(f"({' or '.join(self.condition(function, option, scope) for option in condition.options)})")
        return " and ".join(parts) or "True"


def _counted_scope(scope: WriteScope) -> WriteScope:
    """The nearest scope that counts its items, this one or one around."""
    while not scope.position and scope.outer is not None:
        scope = scope.outer
    return scope


def _calculated_text(text: str, leaf: Leaf, *factors: str | None) -> str:
    number = to_decimal(text)
    with contextlib.suppress(DecimalException):
        held = [Decimal(factor) if factor is not None else None for factor in factors]
        return format(calculated(number, leaf, *held), "f") if number is not None else text
    return text
