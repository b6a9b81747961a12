"""One value of a mapping, from its YAML node to a Leaf: where it comes from and what is done with it. The same in both directions.

Knows the words of the language, no file and no transaction.
"""

import re
from dataclasses import dataclass
from dataclasses import replace
from decimal import Decimal
from zoneinfo import available_timezones

from gateway.expression import ExpressionError
from gateway.expression import compile_expression
from gateway.mapping.desk import Desk
from gateway.mapping.desk import FieldScope
from gateway.mapping.desk import Scope
from gateway.mapping.desk import path_of
from gateway.mapping.functions import CODES_2379
from gateway.mapping.functions import FORMATS
from gateway.mapping.functions import TEXT_FUNCTIONS
from gateway.mapping.functions import to_decimal
from gateway.mapping.paths import WrongPath
from gateway.mapping.plan import All
from gateway.mapping.plan import Check
from gateway.mapping.plan import Compute
from gateway.mapping.plan import Condition
from gateway.mapping.plan import Constant
from gateway.mapping.plan import Count
from gateway.mapping.plan import FieldPath
from gateway.mapping.plan import First
from gateway.mapping.plan import Join
from gateway.mapping.plan import Leaf
from gateway.mapping.plan import Named
from gateway.mapping.plan import Origin
from gateway.mapping.plan import SegmentPath
from gateway.mapping.plan import Sum
from gateway.mapping.plan import Take
from gateway.mapping.shapes import Shape
from gateway.mapping.words import ELSE_WORDS
from gateway.mapping.words import MODIFIERS
from gateway.mapping.words import SOURCE_NAMES
from gateway.mapping.words import SOURCES
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Scalar
from gateway.yaml_source import Sequence
from gateway.yaml_source import did_you_mean

KINDS = ("text", "decimal", "integer", "boolean", "date", "datetime", "texts")
#: what `as:` may say besides a format, when writing
_WRITTEN = ("date", "time", "datetime", "text", "decimal", "integer")
_ROUNDINGS = ("half_up", "half_even", "down", "up")
#: modifiers that `first:` hands on to its options
_HANDED_ON = ("as", "table", "else", "make", "divide", "multiply", "round", "rounding", "zone", "cut", "pad")
_TAG = re.compile(r"[A-Z][A-Z0-9]{1,2}")
#: a field of an item by its number, which YAML wants in quotes: "address.lines[0]", "contacts[0].name"
_ITEM = re.compile(r"(?:/|(?:\.\./)+)?[a-z_]+(?:\.[a-z_]+)*\[[0-9]+\](?:\.[a-z_]+|\[[0-9]+\])*")
_VARIABLE = re.compile(r"\$\{([^}]+)\}|\$([A-Za-z0-9_@:/]+)")
_QUOTED = re.compile(r"(\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the value is for: the kind of the field (reading), and the fields beside it that `keep:` may fill."""

    name: str
    kind: str
    beside: dict[str, Shape]


WRITTEN = Wanted("", "written", {})


def load_leaf(node: Node, wanted: Wanted, scope: Scope, desk: Desk) -> Leaf | None:
    """The value that a node says; None (and faults) where it is wrong."""
    if isinstance(node, Sequence):
        desk.fault(node, "a list stands here where one value is wanted; write first:, all: or join:")
        return None
    if isinstance(node, Scalar):
        origin = _scalar(node, wanted, scope, desk)
        return _shaped(Leaf(origin=origin, where=node.where), wanted) if origin is not None else None
    desk.known(node, SOURCES + MODIFIERS, "a value")
    said = [key for key in SOURCES if key in node]
    if len(said) != 1:
        desk.fault(node, f"say where the value comes from, once: {', '.join(SOURCES)}")
        return None
    before = len(desk.faults)
    origin = _origin(said[0], node, wanted, scope, desk)
    leaf = _modified(node, origin, wanted, scope, desk)
    if "with" in node and said[0] != "join":
        desk.fault(node.keys["with"], "`with:` belongs to `join:`")
    return leaf if len(desk.faults) == before else None


def load_condition(node: Node, scope: Scope, desk: Desk) -> Condition | None:
    """`when:` as {path: value} or as an expression."""
    if isinstance(node, Scalar):
        expression = _compute(node, scope, desk)
        return Condition((), expression, node.where) if expression is not None else None
    if isinstance(node, Sequence):
        desk.fault(node, "a condition is {path: value}, or an expression in quotes")
        return None
    checks = []
    for key, value in node.items.items():
        path = path_of(node.keys[key], scope, desk)
        negated = isinstance(value, Mapping) and list(value) == ["not"]
        held: Node = value.items["not"] if isinstance(value, Mapping) and negated else value
        if isinstance(held, Scalar) and held.plain and held.text in ("any", "none"):
            values: tuple[str, ...] = ()
            negated = negated != (held.text == "none")
        elif isinstance(held, Scalar):
            values = (held.text,)
        elif isinstance(held, Sequence) and all(isinstance(item, Scalar) for item in held):
            values = tuple(item.text for item in held if isinstance(item, Scalar))
        else:
            desk.fault(held, "write a value, [one, of, several], any, none, or {not: value}")
            continue
        if path is not None:
            checks.append(Check(Take(path), values, negated))
    return Condition(tuple(checks), None, node.where)


def _scalar(node: Scalar, wanted: Wanted, scope: Scope, desk: Desk) -> Origin | None:
    if isinstance(scope, FieldScope) and not node.plain and not _ITEM.fullmatch(node.text):
        return Constant(node.text)
    if node.plain and node.text == "position":
        return Named("position", "")
    family, _, name = node.text.partition(".")
    if node.plain and family == "partner" and name:
        if name not in desk.partner_names:
            desk.fault(node, f"partners have no '{name}'{did_you_mean(name, desk.partner_names)}")
            return None
        return Named("partner", name)
    if node.plain and family == "source" and name and not isinstance(scope, FieldScope):
        if name not in SOURCE_NAMES:
            desk.fault(node, f"the source has no '{name}'{did_you_mean(name, SOURCE_NAMES)}")
            return None
        return Named("source", name)
    if node.plain and family == "pair" and not isinstance(scope, FieldScope):
        if name not in ("first", "second"):
            desk.fault(node, f"a pair has first and second, no '{name}'")
            return None
        return Named("pair", name)
    return _take(node, wanted, scope, desk)


def _take(node: Scalar, wanted: Wanted, scope: Scope, desk: Desk) -> Origin | None:
    path = path_of(node, scope, desk)
    if path is None:
        return None
    if isinstance(path, FieldPath) and path.shape.kind in ("object", "objects") and wanted.kind == "written":
        desk.fault(node, f"'{path.text}' is {'a list' if path.shape.kind == 'objects' else 'an object'}: name one of its fields")
        return None
    if wanted.kind == "texts":
        return All((Leaf(origin=Take(path), where=node.where),))
    return Take(path)


def _origin(said: str, node: Mapping, wanted: Wanted, scope: Scope, desk: Desk) -> Origin | None:
    value = node.items[said]
    if said == "first":
        options = []
        for option in value.items if isinstance(value, Sequence) else (value,):
            leaf = load_leaf(_with_modifiers(option, node, scope), wanted, scope, desk)
            if leaf is not None:
                options.append(leaf)
        return First(tuple(options))
    if said in ("all", "join"):
        if said == "all" and wanted.kind not in ("texts", "written"):
            desk.fault(node.keys[said], f"'{wanted.name}' is one {wanted.kind}, no list: write join: or first:")
            return None
        parts = [
            load_leaf(part, Wanted(wanted.name, "text", {}) if wanted.kind != "written" else WRITTEN, scope, desk)
            for part in (value.items if isinstance(value, Sequence) else (value,))
        ]
        held = tuple(part for part in parts if part is not None)
        if said == "all":
            return All(held)
        glue = desk.text(node.get("with"), "`with:`")
        return Join(held, glue.text if glue is not None else " ")
    scalar = desk.text(value, f"`{said}:`")
    if scalar is None:
        return None
    if said == "constant":
        return Constant(scalar.text)
    if said == "compute":
        return _compute(scalar, scope, desk)
    if said == "count":
        if isinstance(scope, FieldScope) and _TAG.fullmatch(scalar.text):
            return Count(None, scalar.text)
        path = path_of(scalar, scope, desk, element=False)
        return Count(path) if path is not None else None
    if said == "sum":
        path = _sum_path(scalar, scope, desk)
        return Sum(path) if path is not None else None
    plain = Scalar(scalar.text, scalar.document, scalar.line, scalar.column)
    return _scalar(plain, wanted, scope, desk)


def _sum_path(scalar: Scalar, scope: Scope, desk: Desk) -> "FieldPath | SegmentPath | None":
    """Reading: a path of elements. Writing: `lines.quantity`, a field of every item."""
    if not isinstance(scope, FieldScope):
        path = path_of(scalar, scope, desk)
        return path if isinstance(path, SegmentPath) else None
    listed, _, name = scalar.text.rpartition(".")
    outer = path_of(scalar, scope, desk, text=listed or scalar.text)
    if not isinstance(outer, FieldPath):
        return None
    if outer.shape.kind != "objects":
        desk.fault(scalar, f"'{listed}' is no list: write sum: lines.quantity")
        return None
    inner = path_of(scalar, FieldScope(outer.shape.struct), desk, text=name)
    if not isinstance(inner, FieldPath):
        return None
    return FieldPath(scalar.text, outer.up, (*outer.names, *inner.names), inner.shape, scalar.where, outer.root)


def _with_modifiers(option: Node, outer: Mapping, scope: Scope) -> Node:
    """An option of `first:` with what the whole says about form and table; constants and words of the partner stay as they are."""
    if isinstance(option, Sequence):
        return option
    if isinstance(option, Scalar):
        word = option.plain and (option.text == "position" or option.text.startswith(("partner.", "source.", "pair.")))
        if word or (isinstance(scope, FieldScope) and not option.plain and not _ITEM.fullmatch(option.text)):
            return option
        source = Scalar("from", option.document, option.line, option.column)
        option = Mapping({"from": option}, {"from": source}, option.document, option.line, option.column)
    if "constant" in option:
        return option
    more = {key: outer.items[key] for key in _HANDED_ON if key in outer and key not in option}
    keys = {key: outer.keys[key] for key in more}
    return Mapping({**option.items, **more}, {**option.keys, **keys}, option.document, option.line, option.column)


def _compute(scalar: Scalar, scope: Scope, desk: Desk) -> Compute | None:
    paths: list[tuple[str, Take]] = []
    failed = False

    def variable(match: re.Match[str]) -> str:
        nonlocal failed
        path = path_of(scalar, scope, desk, text=match.group(1) or match.group(2))
        if path is None:
            failed = True
            return "''"
        paths.append((f"_p{len(paths)}", Take(path)))
        return paths[-1][0]

    parts = _QUOTED.split(scalar.text)
    source = "".join(part if number % 2 else _VARIABLE.sub(variable, part) for number, part in enumerate(parts))
    try:
        expression = compile_expression(source)
    except ExpressionError as error:
        desk.fault(scalar, f"expression: {error}")
        return None
    names = sorted(expression.variables - {name for name, _ in paths})
    for name in names:
        if name in ("position", "partner", "source"):
            continue
        if not isinstance(scope, FieldScope):
            desk.fault(scalar, f"expression: there is no '{name}'; a path is written with a dollar: ${name}, $05")
            failed = True
            continue
        try:
            _ = path_of(Scalar(name, scalar.document, scalar.line, scalar.column), scope, desk)
        except WrongPath as wrong:
            desk.fault(scalar, f"expression: {wrong}")
            failed = True
    return None if failed else Compute(expression, tuple(paths), tuple(names))


def _shaped(leaf: Leaf, wanted: Wanted) -> Leaf:
    """What the schema says about the value: X12 N2 has two digits behind a point that is not written."""
    if wanted.kind == "decimal" and isinstance(leaf.origin, Take) and isinstance(leaf.origin.path, SegmentPath):
        match = re.fullmatch(r"N([1-9])", leaf.origin.path.spots[0].use.type)
        if match:
            return replace(leaf, implied=int(match.group(1)))
    return leaf


def _modified(node: Mapping, origin: Origin | None, wanted: Wanted, scope: Scope, desk: Desk) -> Leaf:
    text: dict[str, str] = {}
    for key in ("as", "else", "keep", "default", "divide", "multiply", "round", "rounding", "zone", "cut", "pad", "split"):
        scalar = desk.text(node.get(key), f"`{key}:`")
        if scalar is not None:
            text[key] = scalar.text
    otherwise, otherwise_text = _otherwise(node, desk)
    split, most = _pieces(node, text, desk)
    leaf = Leaf(
        origin=origin or Constant(""),
        where=node.where,
        make=_make(node, desk),
        table=desk.table(node.items["table"]) if "table" in node else None,
        otherwise=otherwise,
        otherwise_text=otherwise_text,
        keep=_keep(node, text.get("keep"), wanted, desk),
        kept=_kept(node, wanted, scope, desk),
        default=text.get("default"),
        when=load_condition(node.items["when"], scope, desk) if "when" in node else None,
        form=_form(node, text.get("as"), wanted, desk),
        zone=_zone(node, text.get("zone"), desk),
        implied=_implied(text.get("as"), wanted),
        divide=_factor(node, "divide", text, wanted, desk),
        multiply=_factor(node, "multiply", text, wanted, desk),
        round=_whole(node, "round", text, desk),
        rounding=text.get("rounding", "half_up"),
        cut=_whole(node, "cut", text, desk),
        pad=_whole(node, "pad", text, desk),
        split=split,
        pieces=most,
    )
    if leaf.rounding not in _ROUNDINGS:
        guess = did_you_mean(leaf.rounding, _ROUNDINGS)
        desk.fault(node.items["rounding"], f"no rounding '{leaf.rounding}'{guess}; known are {', '.join(_ROUNDINGS)}")
    if leaf.divide and leaf.round is None and not _exact(leaf.divide):
        desk.fault(node.items["divide"], f"1/{leaf.divide} has no end: say `round:` with the digits to keep")
    return leaf if leaf.implied is not None else _shaped(leaf, wanted)


def _otherwise(node: Mapping, desk: Desk) -> tuple[str, str]:
    held = node.get("else")
    if not isinstance(held, Scalar):
        return "problem", ""
    if "table" not in node:
        desk.fault(node.keys["else"], "`else:` says what becomes of a code that the table lacks; for a value that was not sent write `default:`")
    if held.plain and held.text in ELSE_WORDS:
        return held.text, ""
    return "text", held.text


def _make(node: Mapping, desk: Desk) -> tuple[str, ...]:
    held = node.get("make")
    names = []
    for item in held.items if isinstance(held, Sequence) else (held,) if held is not None else ():
        name = desk.text(item, "`make:`")
        if name is not None and name.text not in TEXT_FUNCTIONS:
            desk.fault(name, f"no function '{name.text}'{did_you_mean(name.text, TEXT_FUNCTIONS)}; known are {', '.join(TEXT_FUNCTIONS)}")
        elif name is not None:
            names.append(name.text)
    return tuple(names)


def _keep(node: Mapping, name: str | None, wanted: Wanted, desk: Desk) -> str | None:
    if name is None or wanted.kind == "written":
        return None
    shape = wanted.beside.get(name)
    if shape is None or shape.kind != "text":
        texts = [key for key, held in wanted.beside.items() if held.kind == "text"]
        desk.fault(node.items["keep"], f"no field '{name}' to keep the code in{did_you_mean(name, texts)}")
        return None
    return name


def _kept(node: Mapping, wanted: Wanted, scope: Scope, desk: Desk) -> FieldPath | None:
    """Writing: the field that kept the code when the document was read."""
    if wanted.kind != "written" or "keep" not in node:
        return None
    if "table" not in node:
        desk.fault(node.keys["keep"], "`keep:` gives back the code that a table was asked with when reading: it needs `table:`")
    path = path_of(node.items["keep"], scope, desk)
    return path if isinstance(path, FieldPath) else None


def _form(node: Mapping, said: str | None, wanted: Wanted, desk: Desk) -> str | None:
    if said is None:
        return None
    if wanted.kind == "written":
        if said in _WRITTEN or said in FORMATS:
            return said
        if said in CODES_2379 and CODES_2379[said] in FORMATS:
            return CODES_2379[said]
        forms = [*_WRITTEN, *FORMATS]
        desk.fault(node.items["as"], f"no format '{said}'{did_you_mean(said, forms)}; known are {', '.join(forms)}")
        return None
    if said == wanted.kind or _implied(said, wanted) is not None:
        return None
    if wanted.kind in ("date", "datetime") and (said in FORMATS or said in CODES_2379):
        return said if said in FORMATS else CODES_2379[said]
    if said in KINDS or said in FORMATS or said == "time":
        desk.fault(node.items["as"], f"'{wanted.name}' is {_article(wanted.kind)}, not {_article(said)}")
    else:
        known = [*FORMATS] if wanted.kind in ("date", "datetime") else [wanted.kind]
        desk.fault(node.items["as"], f"no form '{said}'{did_you_mean(said, known)}; '{wanted.name}' is {_article(wanted.kind)}: {', '.join(known)}")
    return None


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _implied(said: str | None, wanted: Wanted) -> int | None:
    match = re.fullmatch(r"N([0-9])", said or "")
    return int(match.group(1)) if match and wanted.kind in ("decimal", "written") else None


def _zone(node: Mapping, name: str | None, desk: Desk) -> str | None:
    if name is not None and name not in available_timezones():
        desk.fault(node.items["zone"], f"no time zone '{name}': write a name like Europe/Berlin")
        return None
    return name


def _factor(node: Mapping, key: str, text: dict[str, str], wanted: Wanted, desk: Desk) -> str | None:
    said = text.get(key)
    if said is None:
        return None
    number = to_decimal(said)
    if not number:
        desk.fault(node.items[key], f"`{key}:` wants a number, not '{said}'")
        return None
    if wanted.kind not in ("decimal", "integer", "written"):
        desk.fault(node.items[key], f"'{wanted.name}' is {_article(wanted.kind)}: nothing to {key}")
        return None
    return said


def _whole(node: Mapping, key: str, text: dict[str, str], desk: Desk) -> int | None:
    said = text.get(key)
    if said is None:
        return None
    if not said.isascii() or not said.isdecimal() or len(said) > 4:
        desk.fault(node.items[key], f"`{key}:` wants a whole number, not '{said}'")
        return None
    return int(said)


def _pieces(node: Mapping, text: dict[str, str], desk: Desk) -> tuple[int | None, int | None]:
    """`35`: pieces of so many characters, as many as there are. `35x2`: two of them, the rest is cut."""
    said = text.get("split")
    if said is None:
        return None, None
    match = re.fullmatch(r"([1-9][0-9]{0,3})(?:x([1-9][0-9]?))?", said, re.ASCII)
    if match is None:
        desk.fault(node.items["split"], f"`split:` wants the length of a piece, or with the most pieces like 35x2, not '{said}'")
        return None, None
    return int(match[1]), int(match[2]) if match[2] else None


def _exact(text: str) -> bool:
    number = Decimal(text).normalize()
    digits = int("".join(map(str, number.as_tuple().digits)))
    for factor in (2, 5):
        while digits % factor == 0:
            digits //= factor
    return digits == 1
