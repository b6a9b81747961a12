"""A reading mapping, from its YAML tree to blocks shaped like the canonical document. Knows the words of blocks, no transaction."""

import re
from dataclasses import dataclass
from typing import Any

from gateway.mapping.desk import Desk
from gateway.mapping.desk import Scope
from gateway.mapping.desk import inside
from gateway.mapping.desk import load_group
from gateway.mapping.desk import path_of
from gateway.mapping.levels import LEVELS
from gateway.mapping.load_modifiers import Wanted
from gateway.mapping.load_values import load_condition
from gateway.mapping.load_values import load_leaf
from gateway.mapping.paths import SegmentScope
from gateway.mapping.paths import WrongPath
from gateway.mapping.paths import spots_of
from gateway.mapping.plan import Block
from gateway.mapping.plan import Keyed
from gateway.mapping.plan import Leaf
from gateway.mapping.plan import ListPlan
from gateway.mapping.plan import Path
from gateway.mapping.plan import SegmentPath
from gateway.mapping.plan import Table
from gateway.mapping.shapes import Shape
from gateway.mapping.shapes import is_keyed
from gateway.mapping.shapes import role_fields
from gateway.mapping.shapes import shapes_of
from gateway.mapping.words import BLOCK_WORDS
from gateway.mapping.words import HEAD_WORDS
from gateway.mapping.words import KEYED_WORDS
from gateway.mapping.words import PAIR_WORDS
from gateway.mapping.words import is_value
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Scalar
from gateway.yaml_source import Sequence
from gateway.yaml_source import did_you_mean

_DEPTH = 12
_PAIRS = re.compile(r"(?P<way>.*/)?(?P<first>[0-9]{2})\.\.(?P<last>[0-9]{2})")

Held = Leaf | Block | ListPlan


def load_document(root: Mapping, struct: Any, scope: Scope, desk: Desk) -> Block:
    """The whole document."""
    fields: list[tuple[Shape, Held]] = []
    items = {key: value for key, value in root.items.items() if key not in HEAD_WORDS}
    if isinstance(root.get("source"), Mapping):
        # what the transaction itself says about its source (UBL customization and profile)
        items["source"] = root.items["source"]
    node = Mapping(items, root.keys, root.document, root.line, root.column)
    _fill(node, struct, scope, desk, fields, (), 0)
    filled = {shape.name for shape, _ in fields}
    _mandatory(root.get("document") or root, struct, filled, desk)
    return Block(struct=struct, fields=tuple(fields), where=root.where)


def _mandatory(node: Node, struct: Any, filled: set[str], desk: Desk) -> None:
    for shape in shapes_of(struct).values():
        if shape.mandatory and shape.name not in filled and struct.__name__ != "Source":
            desk.fault(node, f"nothing fills '{shape.name}', which {_words(struct)} must have")


def _words(struct: Any) -> str:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", struct.__name__).lower()
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _fill(node: Mapping, struct: Any, scope: Scope, desk: Desk, fields: list[tuple[Shape, Held]], words: tuple[str, ...], depth: int) -> None:
    shapes = shapes_of(struct)
    for key, value in node.items.items():
        if key in words:
            continue
        shape = shapes.get(key)
        if shape is None:
            desk.fault(node.keys[key], f"{_words(struct)} has no field '{key}'{did_you_mean(key, [*shapes, *words])}")
            continue
        held = _field(value, shape, struct, shapes, scope, desk, depth)
        if held is not None:
            fields.append((shape, held))
        else:
            # a fault is told already; do not add that nothing fills it
            fields.append((shape, Block(struct=None)))


def _field(value: Node, shape: Shape, struct: Any, shapes: dict[str, Shape], scope: Scope, desk: Desk, depth: int) -> Held | None:
    if shape.kind == "objects":
        blocks = [_block(item, shape.struct, scope, desk, depth + 1) for item in (value.items if isinstance(value, Sequence) else (value,))]
        roles = role_fields(struct) if shape.name == "parties" else ()
        return ListPlan(struct=shape.struct, blocks=tuple(block for block in blocks if block is not None), roles=roles)
    if shape.kind == "object":
        if isinstance(value, Sequence) and not is_keyed(shape.struct):
            blocks = [_block(item, shape.struct, scope, desk, depth + 1, single=True) for item in value.items]
            return ListPlan(struct=shape.struct, blocks=tuple(block for block in blocks if block is not None))
        return _block(value, shape.struct, scope, desk, depth + 1, single=True)
    if isinstance(value, Mapping) and not is_value(value):
        desk.fault(value, f"'{shape.name}' is one value ({shape.kind}), no block: say where it comes from, as in {{from: ...}}")
        return None
    return load_leaf(value, Wanted(shape.name, shape.kind, shapes), scope, desk)


def _block(value: Node, struct: Any, scope: Scope, desk: Desk, depth: int, *, single: bool = False) -> Block | None:
    if depth > _DEPTH:
        desk.fault(value, f"blocks are nested more than {_DEPTH} levels deep")
        return None
    nodes = list(value.items) if isinstance(value, Sequence) else [value]
    if len(nodes) == 1 and isinstance(nodes[0], Scalar) or any(not isinstance(node, Mapping) for node in nodes):
        desk.fault(value, f"{_words(struct)} is written as a block of its fields")
        return None
    before = len(desk.faults)
    fields: list[tuple[Shape, Held]] = []
    keyed: list[Keyed] = []
    entered = _Entered(inner=scope)
    pairs: SegmentPath | None = None
    group_by: tuple[Path, ...] = ()
    matching: tuple[SegmentPath, SegmentPath] | None = None
    lonely: tuple[SegmentPath, SegmentPath] | None = None
    when = None
    first = nodes[0]
    assert isinstance(first, Mapping)
    for node in nodes:
        assert isinstance(node, Mapping)
        node = desk.with_parts(node)
        inner = scope
        words: tuple[str, ...] = BLOCK_WORDS
        if is_keyed(struct) and any(key in node for key in KEYED_WORDS):
            # `each:` and `when:` are for key and value; fields that are named stand in the scope around
            words = BLOCK_WORDS + KEYED_WORDS
            keyed.append(_keyed(node, struct, scope, desk))
        else:
            if "each" in node or "in" in node:
                here = _enter(node, scope, desk, single=single)
                if here is None:
                    return None
                entered, inner = here, here.inner
            if "group_by" in node:
                inner, group_by = load_group(node, inner, desk)
                if "pairs" in node:
                    desk.fault(node.keys["pairs"], "write `group_by:` or `pairs:`, not both")
            if "matching" in node:
                matching, lonely = _matching(node.items["matching"], entered.each, inner, scope, desk)
            if "when" in node:
                when = load_condition(node.items["when"], inner, desk)
            if "pairs" in node and not single:
                words = BLOCK_WORDS + PAIR_WORDS
                pairs = _pairs(node.items["pairs"], inner, desk)
        new: list[tuple[Shape, Held]] = []
        _fill(node, struct, inner, desk, new, words, depth)
        known = {shape.name for shape, _ in fields}
        fields += [(shape, held) for shape, held in new if shape.name not in known]
    if not keyed:
        _mandatory(first, struct, {shape.name for shape, _ in fields}, desk)
    if len(desk.faults) > before:
        return None
    return Block(
        struct=struct,
        each=entered.each,
        around=entered.around,
        below=entered.below,
        within=entered.within,
        matching=matching,
        lonely=lonely,
        group_by=group_by,
        pairs=pairs,
        fields=tuple(fields),
        keyed=tuple(keyed),
        when=when,
        where=first.where,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entered:
    """Where a block looks: at each place of a list, or at the first one (`within`); and the scope there."""

    inner: Scope
    each: Path | None = None
    within: Path | None = None
    around: tuple[Path, ...] = ()
    below: tuple[int | None, ...] = ()


def _enter(node: Mapping, scope: Scope, desk: Desk, *, single: bool) -> _Entered | None:
    """`each:` and `in:`, from outside inward."""
    if "each" in node and single:
        desk.fault(node.keys["each"], "`each:` makes a list; write `in:` for the first one")
    if "in" in node and "each" in node:
        desk.fault(node.keys["in"], "write `each:` or `in:`, not both")
    word = "each" if "each" in node else "in"
    held = node.items[word]
    lists: list[Path] = []
    levels: list[int | None] = []
    for item in held.items if isinstance(held, Sequence) and word == "each" and held.items else (held,):
        level = _level(item, scope, desk) if word == "each" else None
        opened = path_of(item, scope, desk, element=False, text=f"/{level[0]}" if level else None)
        if opened is None:
            return None
        levels.append(level[1] if level else None)
        scope = inside(opened, scope, desk.namespaces)
        lists.append(opened)
    *around, last = lists
    if word == "each":
        return _Entered(inner=scope, each=last, around=tuple(around), below=tuple(levels))
    return _Entered(inner=scope, within=last, around=tuple(around), below=tuple(levels))


def _level(node: Node, scope: Scope, desk: Desk) -> tuple[str, int] | None:
    """`>HL[03=P]`: the path behind the sign, and how many scopes outward the level is that they hang under (-1: under none)."""
    if not isinstance(node, Scalar) or not node.text.startswith(">"):
        return None
    text = node.text[1:].strip()
    tag = text.split("[", 1)[0]
    if tag not in LEVELS or not isinstance(scope, SegmentScope):
        desk.fault(node, f"`>` asks for the levels below: {' or '.join(f'>{known}' for known in LEVELS)}")
        return text, -1
    outward, at = 0, scope
    while at.outer is not None:
        if at.segment is not None and at.segment.tag == tag:
            return text, outward
        outward, at = outward + 1, at.outer
    return text, -1


Both = tuple[SegmentPath, SegmentPath]


def _matching(node: Node, each: Path | None, inner: Scope, scope: Scope, desk: Desk) -> tuple[Both | None, Both | None]:
    """`each: /LIN` with `matching: {C829/1082: LIN/01}`: only those whose C829/1082 is the LIN/01 of the scope around.
    `matching: {C829/1082: {not: /LIN/01}}`: only those whose C829/1082 is no LIN/01 at all."""
    outermost = isinstance(scope, SegmentScope) and scope.outer is None
    whole = isinstance(each, SegmentPath) and len(each.routes) == 1 and (outermost or each.routes[0].up == -1)
    if not isinstance(node, Mapping) or len(node.items) != 1 or not whole:
        desk.fault(node, "`matching: {its value: our value}` goes with an `each:` that begins at the whole transaction, as in each: /LIN")
        return None, None
    ((key, value),) = node.items.items()
    negated = isinstance(value, Mapping) and list(value) == ["not"]
    held = value.items["not"] if isinstance(value, Mapping) and negated else value
    theirs, ours = path_of(node.keys[key], inner, desk), path_of(held, scope, desk)
    if not isinstance(theirs, SegmentPath) or not isinstance(ours, SegmentPath):
        return None, None
    if theirs.routes[0].hops or theirs.routes[0].up:
        desk.fault(node.keys[key], "the value on the left stands in the segment of `each:` itself")
    if negated and (len(ours.routes) != 1 or not ours.routes[0].hops):
        desk.fault(held, "behind `not:` stands a path from the whole transaction, as in /LIN/01")
    return (None, (theirs, ours)) if negated else ((theirs, ours), None)


def _keyed(node: Mapping, struct: Any, scope: Scope, desk: Desk) -> Keyed:
    key, value = node.get("key"), node.get("value")
    pairs: list[SegmentPath] = []
    each = path_of(node.items["each"], scope, desk, element=False) if "each" in node else None
    inner = inside(each, scope, desk.namespaces) if each is not None else scope
    if "pairs" in node:
        held = node.items["pairs"]
        for item in held.items if isinstance(held, Sequence) else (held,):
            path = _pairs(item, inner, desk)
            if path is not None:
                pairs.append(path)
    elif key is None or value is None:
        desk.fault(node, "identifiers by their kind say `key:` and `value:`, or `pairs:`")
    table_node = node.get("table") or (key.get("table") if isinstance(key, Mapping) else None)
    table = desk.table(table_node) if table_node is not None else None
    if table_node is None:
        desk.fault(node, "identifiers by their kind need a `table:` from codes to fields")
    for code, word in (table.forward if table is not None else {}).items():
        shape = shapes_of(struct).get(word)
        if shape is None or shape.kind != "text":
            desk.fault(table_node or node, f"'{word}' (for {code}) is no identifier of {_words(struct)}{did_you_mean(word, shapes_of(struct))}")
            break
    otherwise_node = node.get("else") or (key.get("else") if isinstance(key, Mapping) else None)
    otherwise = otherwise_node.text if isinstance(otherwise_node, Scalar) else "keep"
    if otherwise not in ("keep", "skip", "problem"):
        desk.fault(otherwise_node or node, "of a kind that the table lacks: keep (in `other`), skip or problem")
    key_leaf = value_leaf = None
    if "pairs" not in node and key is not None and value is not None:
        plain = {name: held for name, held in key.items.items() if name not in ("table", "else")} if isinstance(key, Mapping) else {}
        node_of_key = Mapping(plain, key.keys, key.document, key.line, key.column) if isinstance(key, Mapping) else key
        key_leaf = load_leaf(node_of_key, Wanted("key", "text", {}), inner, desk)
        value_leaf = load_leaf(value, Wanted("value", "text", {}), inner, desk)
    when = load_condition(node.items["when"], inner, desk) if "when" in node else None
    return Keyed(
        each=each, key=key_leaf, value=value_leaf, table=table or Table("", {}), otherwise=otherwise, pairs=tuple(pairs), when=when, where=node.where
    )


def _pairs(item: Node, scope: Scope, desk: Desk) -> SegmentPath | None:
    """`06..25`: (X12) qualifiers and values by turns. `C212`, `PIA/C212`: (EDIFACT) composites with value and code."""
    scalar = desk.text(item, "`pairs:`")
    if scalar is None:
        return None
    if not isinstance(scope, SegmentScope):
        desk.fault(scalar, "`pairs:` reads segments; in XML write `key:` and `value:`")
        return None
    if scope.schema.layout is not None:
        desk.fault(scalar, "`pairs:` reads segments; in a file in rows name the columns")
        return None
    if scope.schema.syntax == "edifact":
        way, _, composite = scalar.text.rpartition("/")
        path = path_of(scalar, scope, desk, text=f"{way}/{composite}/01" if way else f"{composite}/01")
        return path if isinstance(path, SegmentPath) else None
    match = _PAIRS.fullmatch(scalar.text)
    if match is None:
        desk.fault(scalar, "`pairs:` is written as first and last element, as in 06..25")
        return None
    path = path_of(scalar, scope, desk, text=f"{match['way'] or ''}{match['first']}")
    if not isinstance(path, SegmentPath):
        return None
    try:
        spots_of(path.routes[0].segment, [match["last"]], scope.schema)
    except WrongPath as wrong:
        desk.fault(scalar, str(wrong))
        return None
    last = spots_of(path.routes[0].segment, [match["last"]], scope.schema)[0]
    return SegmentPath(scalar.text, path.routes, (path.spots[0], last), scalar.where)
