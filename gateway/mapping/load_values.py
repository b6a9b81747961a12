"""One value of a mapping, from its YAML node to a Leaf: where it comes from and what is done with it. The same in both directions.

Knows the words of the language, no file and no transaction.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from gateway.codecs.layout import ROW
from gateway.expression import ExpressionError
from gateway.expression import compile_expression
from gateway.mapping.desk import Desk
from gateway.mapping.desk import FieldScope
from gateway.mapping.desk import Scope
from gateway.mapping.desk import path_of
from gateway.mapping.load_modifiers import WRITTEN
from gateway.mapping.load_modifiers import Wanted
from gateway.mapping.load_modifiers import load_modifiers
from gateway.mapping.load_modifiers import shaped
from gateway.mapping.load_modifiers import with_article
from gateway.mapping.paths import WrongPath
from gateway.mapping.plan import All
from gateway.mapping.plan import Check
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
from gateway.mapping.plan import Origin
from gateway.mapping.plan import Path
from gateway.mapping.plan import SegmentPath
from gateway.mapping.plan import Sum
from gateway.mapping.plan import Take
from gateway.mapping.words import MODIFIERS
from gateway.mapping.words import SOURCE_NAMES
from gateway.mapping.words import SOURCES
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Scalar
from gateway.yaml_source import Sequence
from gateway.yaml_source import did_you_mean

#: modifiers that `first:` hands on to its options
_HANDED_ON = ("as", "period", "add_days", "table", "else", "make", "divide", "multiply", "round", "rounding", "zone", "cut", "pad")
_POSITION = re.compile(r"((?:\.\./)*)position")
_TAG = re.compile(r"[A-Z][A-Z0-9]{1,2}")
#: a field of an item by its number, which YAML wants in quotes: "address.lines[0]", "contacts[0].name"
_ITEM = re.compile(r"(?:/|(?:\.\./)+)?[a-z_]+(?:\.[a-z_]+)*\[[0-9]+\](?:\.[a-z_]+|\[[0-9]+\])*")
_VARIABLE = re.compile(r"\$\{([^}]+)\}|\$([A-Za-z0-9_@:/]+)")
_QUOTED = re.compile(r"(\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')")


def load_leaf(node: Node, wanted: Wanted, scope: Scope, desk: Desk) -> Leaf | None:
    """The value that a node says; None (and faults) where it is wrong."""
    if isinstance(node, Sequence):
        desk.fault(node, "a list stands here where one value is wanted; write first:, all: or join:")
        return None
    if isinstance(node, Scalar):
        origin = _scalar(node, wanted, scope, desk)
        if origin is not None:
            _check_kind(node, Leaf(origin=origin, where=node.where), wanted, desk)
        return shaped(Leaf(origin=origin, where=node.where), wanted) if origin is not None else None
    desk.known(node, SOURCES + MODIFIERS, "a value")
    said = [key for key in SOURCES if key in node]
    if len(said) != 1:
        desk.fault(node, f"say where the value comes from, once: {', '.join(SOURCES)}")
        return None
    before = len(desk.faults)
    origin = _origin(said[0], node, wanted, scope, desk)
    leaf = _modified(node, origin, wanted, scope, desk)
    held = node.get("table")
    if isinstance(origin, Take) and isinstance(held, Mapping) and not leaf.make and leaf.cut is None:
        for code in held.keys.values():
            check_codes(origin.path, (code.text,), code, desk)
    _check_kind(node, leaf, wanted, desk)
    if "with" in node and said[0] != "join":
        desk.fault(node.keys["with"], "`with:` belongs to `join:`")
    return leaf if len(desk.faults) == before else None


#: kinds of elements and columns that can never be what a field is
_NEVER = {
    "date": re.compile(r"R|N[1-9]|decimal.*|boolean"),
    "datetime": re.compile(r"R|N[1-9]|decimal.*|boolean"),
    "decimal": re.compile(r"DT|TM|a|date.*|boolean"),
    "integer": re.compile(r"DT|TM|a|date.*|boolean|N[1-9]"),
}
_WORDS = {"R": "a decimal number", "DT": "a date", "TM": "a time", "a": "letters only", "boolean": "yes or no"}


def _check_kind(node: Node, leaf: Leaf, wanted: Wanted, desk: Desk) -> None:
    """A field that its source can never fill: a date from a decimal number, a number from a date."""
    never = _NEVER.get(wanted.kind)
    if never is None or not isinstance(leaf.origin, Take) or not isinstance(leaf.origin.path, SegmentPath) or leaf.make or leaf.table or leaf.cut:
        return
    path = leaf.origin.path
    use = path.spots[0].use
    if len(path.spots) == 1 and leaf.form is None and never.fullmatch(use.type):
        words = _WORDS.get(use.type, f"of kind {use.type}")
        rows = desk.schema is not None and desk.schema.layout is not None
        source = path.spots[0].name if rows else f"{path.routes[0].segment.tag}/{path.spots[0].name}"
        desk.fault(node, f"'{wanted.name}' is {with_article(wanted.kind)}, {source} ({use.name}) is {words}")


def load_condition(node: Node, scope: Scope, desk: Desk) -> Condition | None:
    """`when:` as {path: value}, as a list of such of which one must hold, or as an expression."""
    if isinstance(node, Scalar):
        expression = _compute(node, scope, desk)
        return Condition((), expression, node.where) if expression is not None else None
    if isinstance(node, Sequence):
        return Condition((), None, node.where, _options(node, scope, desk))
    checks: list[Check] = []
    options: tuple[Condition, ...] = ()
    for key, value in node.items.items():
        if key == "or":
            options = _options(value, scope, desk)
            continue
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
            check_codes(path, values, held, desk)
            checks.append(Check(Take(path), values, negated))
    return Condition(tuple(checks), None, node.where, options)


def check_codes(path: Path, values: Iterable[str], place: Node, desk: Desk) -> None:
    """Where the schema has the list of codes of an element, what it is compared with must be one of them."""
    if not isinstance(path, SegmentPath) or len(path.spots) != 1 or desk.direction != "read":
        return
    use, codes = path.spots[0].use, path.spots[0].use.codes or frozenset()
    for value in values if codes else ():
        # an empty one asks whether nothing was sent
        if value and value not in codes:
            name = f"{path.routes[0].segment.tag}/{path.spots[0].name}"
            desk.fault(place, f"'{value}' is no code of {name} ({use.name}){did_you_mean(value, codes)}")


def _options(node: Node, scope: Scope, desk: Desk) -> tuple[Condition, ...]:
    """`[{05: QT}, {02: any, 06: none}]`: one of them holds."""
    if not isinstance(node, Sequence) or len(node.items) < 2:
        desk.fault(node, "conditions of which one must hold are written as a list: [{05: QT}, {02: any}]")
        return ()
    held = [load_condition(item, scope, desk) for item in node.items]
    return tuple(condition for condition in held if condition is not None)


def _scalar(node: Scalar, wanted: Wanted, scope: Scope, desk: Desk) -> Origin | None:
    if isinstance(scope, FieldScope) and not node.plain and not _ITEM.fullmatch(node.text):
        return Constant(node.text)
    position = _POSITION.fullmatch(node.text)
    if node.plain and position is not None:
        return Named("position", position[1])
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
    if said == "counter":
        return Counter(scalar.text)
    if said == "compute":
        return _compute(scalar, scope, desk)
    if said == "count":
        records = desk.schema.known_tags | {ROW} if desk.schema is not None and desk.schema.layout is not None else ()
        if isinstance(scope, FieldScope) and (_TAG.fullmatch(scalar.text) or scalar.text == "segments" or scalar.text in records):
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
    return FieldPath(scalar.text, outer.up, (*outer.names, *inner.names), inner.shape, scalar.where, outer.root, outer.group)


def _with_modifiers(option: Node, outer: Mapping, scope: Scope) -> Node:
    """An option of `first:` with what the whole says about form and table; constants and words of the partner stay as they are."""
    if isinstance(option, Sequence):
        return option
    if isinstance(option, Scalar):
        word = option.plain and (_POSITION.fullmatch(option.text) is not None or option.text.startswith(("partner.", "source.", "pair.")))
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


def _modified(node: Mapping, origin: Origin | None, wanted: Wanted, scope: Scope, desk: Desk) -> Leaf:
    return replace(
        load_modifiers(node, origin or Constant(""), wanted, desk),
        kept=_kept(node, wanted, scope, desk),
        when=load_condition(node.items["when"], scope, desk) if "when" in node else None,
        divide_by=_factor(node, "divide", wanted, scope, desk),
        multiply_by=_factor(node, "multiply", wanted, scope, desk),
    )


def _factor(node: Mapping, key: str, wanted: Wanted, scope: Scope, desk: Desk) -> Leaf | None:
    """A factor that stands in the document: {from: 03, table: {DZ: "12"}, else: "1"}."""
    held = node.get(key)
    if not isinstance(held, Mapping):
        return None
    if wanted.kind not in ("decimal", "written"):
        desk.fault(node.keys[key], f"'{wanted.name}' is {with_article(wanted.kind)}: nothing to {key}")
    return load_leaf(held, WRITTEN if wanted.kind == "written" else Wanted(wanted.name, "decimal", {}), scope, desk)


def _kept(node: Mapping, wanted: Wanted, scope: Scope, desk: Desk) -> FieldPath | None:
    """Writing: the field that kept the code when the document was read."""
    if wanted.kind != "written" or "keep" not in node:
        return None
    if "table" not in node:
        desk.fault(node.keys["keep"], "`keep:` gives back the code that a table was asked with when reading: it needs `table:`")
    path = path_of(node.items["keep"], scope, desk)
    return path if isinstance(path, FieldPath) else None
