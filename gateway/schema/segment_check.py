"""Python source for the quick check of one segment: is anything wrong with it at all?

A function is generated for each segment and number of elements, when the first such segment comes, so that it is one unpacking and
one expression. It answers only yes or no; what exactly is wrong, and where, is said by diagnose.py, which must agree with it (a
test holds the two together). Knows the plan and the forms of values.
"""

from collections.abc import Callable
from typing import Any

from gateway.codecs.node import Delimiters
from gateway.codecs.node import Segment
from gateway.schema import known_codes
from gateway.schema import values
from gateway.schema.plan import Condition
from gateway.schema.plan import ElementUse
from gateway.schema.plan import SegmentUse

#: true: look closer
Check = Callable[[Segment, Delimiters], Any]

_HELPERS: dict[str, Any] = {
    "integer_bad": values.integer_bad,
    "decimal_bad": values.decimal_bad,
    "number_bad": values.edifact_number_odd,
    "date_bad": values.date_bad,
    "time_bad": values.time_bad,
    "period_bad": values.period_bad,
    "x12_period_bad": values.x12_period_bad,
    "unit_odd": known_codes.unit_odd,
}


class _Source:
    """Expressions under construction and the constants that they need."""

    def __init__(self, names: dict[str, Any] | None = None) -> None:
        self.bad: list[str] = []
        self.names: dict[str, Any] = dict(_HELPERS) if names is None else names

    @property
    def expression(self) -> str:
        return " or ".join(f"({part})" for part in self.bad) or "False"

    def constant(self, value: Any) -> str:
        name = f"k{len(self.names)}"
        self.names[name] = value
        return name

    def add(self, value: str, expression: str, mandatory: bool) -> None:
        """`expression` is true where a value that is there is wrong."""
        self.bad.append(f"not {value} or {expression}" if mandatory else f"{value} and ({expression})")

    def function(self, targets: list[str]) -> Check:
        """`(segment, delimiters) -> bad` with the segment's elements unpacked into `targets`."""
        unpack = f"    {', '.join(['_', *targets])}, = s\n"
        text = f"def check(s, d):\n{unpack}    return {self.expression}\n"
        exec(compile(text, "<segment check>", "exec"), self.names)  # noqa: S102  generated from a checked plan, no data in it
        check: Check = self.names["check"]
        return check


def checks_for(use: SegmentUse, syntax: str, numbers: bool = False) -> list[Check]:
    """A check for each number of elements: `checks[len(segment)](segment, delimiters)`. Longer segments have too many."""
    checks: list[Check] = [_always]

    def builder(count: int) -> Check:
        def first(segment: Segment, delimiters: Delimiters) -> Any:
            checks[count + 1] = _build(use, syntax, count, numbers)
            return checks[count + 1](segment, delimiters)

        return first

    checks.extend(builder(count) for count in range(len(use.elements) + 1))
    return checks


def _always(segment: Segment, delimiters: Delimiters) -> bool:
    return True


def _build(use: SegmentUse, syntax: str, count: int, numbers: bool) -> Check:
    source = _Source()
    names = [f"e{element.position}" for element in use.elements[:count]]
    if any(element.mandatory for element in use.elements[count:]):
        return _always
    for position, element in enumerate(use.elements[:count]):
        if syntax == "x12":
            before = use.elements[position - 1] if position else None
            _x12_element(source, element, names[position], names[position - 1] if before is not None and before.id == "1250" else None)
        else:
            _edifact_element(source, element, names[position], numbers)
    for condition in use.conditions:
        expression = _condition(condition, count)
        if expression:
            source.bad.append(expression)
    if numbers:
        _qualified(source, use, syntax, names)
    return source.function(names)


def _qualified(source: _Source, use: SegmentUse, syntax: str, names: list[str]) -> None:
    """Numbers beside their qualifiers: GTIN, GLN and SSCC whose check digits do not fit."""
    for first, second in zip(use.elements, use.elements[1 : len(names)], strict=False):
        kinds = known_codes.X12_PAIRS.get((first.id, second.id)) if syntax == "x12" else None
        if kinds is not None:
            qualifier, value = names[first.position - 1], names[second.position - 1]
            # few of the pairs are of such a kind: one look-up for the others
            source.bad.append(f"{qualifier} in {(held := source.constant(kinds))} and {value} and {held}[{qualifier}]({value})")
    if use.tag == "GIN" and syntax == "edifact" and len(names) > 1:
        # rare, and told in full where it is looked at closer
        source.bad.append(f"{names[0]} and {names[0]}[0] in {source.constant(known_codes.GIN_KINDS)}")


def _x12_element(source: _Source, use: ElementUse, value: str, period_form: str | None) -> None:
    if use.unused:
        source.bad.append(value)
    elif use.components:
        composite = source.constant(_x12_composite(use))
        source.add(value, f"{composite}({value}, d)", use.mandatory)
    elif use.repeat > 1:
        one = _Source()
        _simple(one, use, "e1", "x12", True)
        source.add(value, f"{source.constant(_repeating(one.function(['e1']), use.repeat))}({value}, d)", use.mandatory)
    else:
        _simple(source, use, value, "x12", use.mandatory)
        if period_form is not None and use.id == "1251":
            source.bad.append(f"{value} and {period_form} and x12_period_bad({value}, {period_form})")


def _repeating(one: Check, most: int) -> Callable[[str, Delimiters], bool]:
    """Checks an X12 element that may repeat."""

    def check(value: str, delimiters: Delimiters) -> bool:
        parts = value.split(delimiters.repetition) if delimiters.repetition else [value]
        return len(parts) > most or any(one(["", part], delimiters) for part in parts)

    return check


def _x12_composite(use: ElementUse) -> Callable[[str, Delimiters], bool]:
    """Checks an X12 composite that is not empty, in each of its repetitions."""
    checks = [_always, *(_composite_check(use, "x12", count + 1) for count in range(len(use.components)))]

    def check(value: str, delimiters: Delimiters) -> bool:
        parts = value.split(delimiters.repetition) if delimiters.repetition and use.repeat > 1 else [value]
        if len(parts) > use.repeat:
            return True
        for part in parts:
            components = part.split(delimiters.component)
            if len(components) >= len(checks) or checks[len(components)](["", *components], delimiters):
                return True
        return False

    return check


def _composite_check(use: ElementUse, syntax: str, count: int) -> Check:
    """A check of the first `count` components of a composite that is not empty, given as a segment."""
    if any(component.mandatory for component in use.components[count:]):
        return _always
    source = _Source()
    for component in use.components[:count]:
        _simple(source, component, f"e{component.position}", syntax, component.mandatory)
    source.bad += [broken for condition in use.conditions if (broken := _condition(condition, count))]
    ids = {component.id: f"e{component.position}" for component in use.components[:count]}
    if syntax == "edifact" and "2380" in ids and "2379" in ids:
        source.bad.append(f"{ids['2380']} and {ids['2379']} and period_bad({ids['2380']}, {ids['2379']})")
    return source.function([f"e{component.position}" for component in use.components[:count]])


def _simple(source: _Source, use: ElementUse, value: str, syntax: str, mandatory: bool) -> None:
    """The expression of a simple element or component."""
    if use.unused:
        source.bad.append(value)
        return
    least, most = use.min, use.max
    if use.codes is not None:
        codes = use.codes if mandatory else use.codes | {""}
        source.bad.append(f"{value} not in {source.constant(codes)}")
        return
    kind = use.type[0] if syntax == "x12" and use.type[0] == "N" else use.type
    quick = f"{value}.isdecimal() and {value}.isascii() and {_length(value, least, most)}"
    if kind == "N":
        source.add(value, f"not ({quick}) and integer_bad({value}, {least}, {most})", mandatory)
    elif kind == "R":
        quick = quick.replace(".isdecimal()", ".replace('.', '', 1).isdecimal()")
        # a decimal point makes the text longer than the number, so that only the upper bound holds for the quick answer
        quick = quick.replace(_length(value, least, most), _length(value, 1 if least <= 1 else least + 1, most))
        source.add(value, f"not ({quick}) and decimal_bad({value}, {least}, {most})", mandatory)
    elif kind == "n":
        source.add(value, f"not ({quick}) and number_bad({value}, {least}, {most})", mandatory)
    elif kind in {"DT", "TM"}:
        length = "" if kind == "DT" and (least, most) == (6, 8) else f" or not {_length(value, least, most)}"
        source.add(value, f"{'date_bad' if kind == 'DT' else 'time_bad'}({value}){length}", mandatory)
    elif least <= 1:
        source.bad.append(f"not 0 < len({value}) <= {most}" if mandatory else f"len({value}) > {most}")
    elif mandatory:
        source.bad.append(f"not {_length(value, least, most)}")
    else:
        source.add(value, f"not {_length(value, least, most)}", False)
    if (known := known_codes.KNOWN.get(use.id)) is not None:
        source.bad.append(f"{value} and {value} not in {source.constant(known)}")
    elif use.id in known_codes.UNITS:
        source.bad.append(f"{value} and {value} not in {source.constant(known_codes.USUAL_UNITS)} and unit_odd({value})")
    if kind == "a":
        source.bad.append(f"not {value}.isalpha() and any(c.isdecimal() for c in {value})")


def _length(value: str, least: int, most: int) -> str:
    """The value is there already, or its emptiness is seen elsewhere: 1 as least length needs no test of its own."""
    if least == most:
        return f"(len({value}) == {most})"
    return f"(len({value}) <= {most})" if least <= 1 else f"({least} <= len({value}) <= {most})"


def _edifact_element(source: _Source, use: ElementUse, value: str, numbers: bool) -> None:
    """An element is a list of components; [] and [""] are both empty."""
    if use.unused:
        source.bad.append(f"any({value})")
        return
    if not use.components:
        one = _Source(source.names)
        _simple(one, use, f"{value}[0]", "edifact", use.mandatory)
        source.bad.append(f"len({value}) != 1 or {one.expression}" if use.mandatory else f"{value} and (len({value}) != 1 or {one.expression})")
        return
    checks = source.constant(_edifact_composite(use, numbers))
    source.bad.append(f"(len({value}) > {len(use.components)} or {checks}[len({value})]({value}, d))")


def _edifact_composite(use: ElementUse, numbers: bool) -> list[Callable[[list[str], Delimiters], Any]]:
    """Checks of an EDIFACT composite by its number of components, generated when first needed."""

    def empty(value: list[str], delimiters: Delimiters) -> bool:
        return use.mandatory

    checks: list[Callable[[list[str], Delimiters], Any]] = [empty]

    def builder(count: int) -> Callable[[list[str], Delimiters], Any]:
        def first(value: list[str], delimiters: Delimiters) -> Any:
            checks[count] = _edifact_composite_check(use, count, numbers)
            return checks[count](value, delimiters)

        return first

    checks.extend(builder(count + 1) for count in range(len(use.components)))
    return checks


def _edifact_composite_check(use: ElementUse, count: int, numbers: bool) -> Callable[[list[str], Delimiters], Any]:
    missing = any(component.mandatory for component in use.components[count:])
    source = _Source()
    names = [f"e{component.position}" for component in use.components[:count]]
    for component, name in zip(use.components, names, strict=False):
        _simple(source, component, name, "edifact", component.mandatory)
    source.bad += [broken for condition in use.conditions if (broken := _condition(condition, count))]
    ids = {component.id: name for component, name in zip(use.components, names, strict=False)}
    if "2380" in ids and "2379" in ids:
        source.bad.append(f"{ids['2380']} and {ids['2379']} and period_bad({ids['2380']}, {ids['2379']})")
    number = known_codes.EDIFACT_COMPOSITES.get(use.id) if numbers else None
    if number is not None and count >= number[1]:
        value, qualifier = names[number[0] - 1], names[number[1] - 1]
        held = source.constant(number[2])
        source.bad.append(f"{qualifier} in {held} and {value} and {held}[{qualifier}]({value}) is not None")
    wrong = "True" if missing else source.expression
    sent = " or ".join(names)
    answer = f"not ({sent}) or {wrong}" if use.mandatory else f"({wrong}) and ({sent})"
    text = f"def check(value, d):\n    {', '.join(names)}, = value\n    return {answer}\n"
    exec(compile(text, "<composite check>", "exec"), source.names)  # noqa: S102  generated from a checked plan, no data in it
    check: Callable[[list[str], Delimiters], Any] = source.names["check"]
    return check


def _condition(condition: Condition, count: int) -> str:
    """Where the relational condition (X12.6) is broken, for a segment of `count` elements; empty where it cannot be."""
    here = [f"e{position}" for position in condition.positions if position <= count]
    absent = len(here) < len(condition.positions)
    first_here = condition.positions[0] <= count
    if condition.kind == "R":
        return f"not ({' or '.join(here)})" if here else "True"
    if condition.kind == "E":
        return f"sum(map(bool, ({', '.join(here)}))) > 1" if len(here) > 1 else ""
    if condition.kind == "P":
        if absent:
            return " or ".join(here)
        return f"not ({' and '.join(here)}) and ({' or '.join(here)})"
    if not first_here:
        return ""
    rest = here[1:]
    if condition.kind == "C":
        return here[0] if absent else f"{here[0]} and not ({' and '.join(rest)})"
    return f"{here[0]} and not ({' or '.join(rest)})" if rest else here[0]
