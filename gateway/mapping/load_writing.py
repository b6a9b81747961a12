"""A writing mapping, from its YAML tree to segments in their order. Knows the words of writing, no document."""

from collections.abc import Iterator

from gateway.mapping.desk import Desk
from gateway.mapping.desk import FieldScope
from gateway.mapping.desk import load_group
from gateway.mapping.desk import path_of
from gateway.mapping.differences import tag_of
from gateway.mapping.load_modifiers import WRITTEN
from gateway.mapping.load_targets import check_filled
from gateway.mapping.load_targets import check_segments
from gateway.mapping.load_targets import check_value
from gateway.mapping.load_values import load_condition
from gateway.mapping.load_values import load_leaf
from gateway.mapping.paths import WrongPath
from gateway.mapping.paths import opener
from gateway.mapping.paths import spots_of
from gateway.mapping.plan import Constant
from gateway.mapping.plan import FieldPath
from gateway.mapping.plan import Leaf
from gateway.mapping.plan import Table
from gateway.mapping.plan import WriteComposite
from gateway.mapping.plan import WritePairs
from gateway.mapping.plan import WriteSegment
from gateway.mapping.shapes import is_keyed
from gateway.mapping.words import SEGMENT_WORDS
from gateway.mapping.words import is_value
from gateway.schema.plan import ElementUse
from gateway.schema.plan import LoopUse
from gateway.schema.plan import SegmentUse
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Scalar
from gateway.yaml_source import Sequence
from gateway.yaml_source import did_you_mean

_DEPTH = 16


def load_segments(root: Mapping, scope: FieldScope, desk: Desk) -> tuple[WriteSegment, ...]:
    """The body of a transaction."""
    held = root.get("segments")
    assert desk.schema is not None
    if not isinstance(held, Sequence):
        desk.fault(root.get("document") or root, "a mapping that writes lists its `segments:` in their order")
        return ()
    before = len(desk.faults)
    answer = _segments(held, scope, (desk.schema.root,), desk, 0)
    if len(desk.faults) == before:
        check_segments(root.keys["segments"], answer, desk)
    return answer


def _segments(node: Sequence, scope: FieldScope, loops: tuple[LoopUse, ...], desk: Desk, depth: int) -> tuple[WriteSegment, ...]:
    if depth > _DEPTH:
        desk.fault(node, f"segments are nested more than {_DEPTH} levels deep")
        return ()
    answer: list[WriteSegment] = []
    for entry in node.items:
        if isinstance(entry, Mapping) and list(entry) == ["use"]:
            name = desk.text(entry.items["use"], "`use:`")
            if name is not None and name.text not in desk.lists:
                desk.fault(name, f"no list of segments '{name.text}' under parts:{did_you_mean(name.text, desk.lists)}")
            elif name is not None:
                desk.used.add(f"part {name.text}")
                answer += _segments(desk.lists[name.text], scope, loops, desk, depth + 1)
            continue
        segment = _segment(entry, scope, loops, desk, depth)
        if segment is not None:
            answer.append(segment)
    return tuple(answer)


def _place(tag: str, loops: tuple[LoopUse, ...]) -> tuple[SegmentUse, tuple[LoopUse, ...]] | None:
    """The segment with this tag here, or in a loop around (levels of HL are one loop in the schema), and the loops within it."""
    for number in range(len(loops), 0, -1):
        loop = loops[number - 1]
        for child in loop.children:
            if isinstance(child, LoopUse) and opener(child).tag == tag:
                return opener(child), (*loops[:number], child)
        for child in loop.children:
            if isinstance(child, SegmentUse) and child.tag == tag:
                return child, loops[:number] if number < len(loops) else loops
    return None


def _segment(entry: Node, scope: FieldScope, loops: tuple[LoopUse, ...], desk: Desk, depth: int) -> WriteSegment | None:
    tag = tag_of(entry)
    if not isinstance(entry, Mapping) or tag is None:
        desk.fault(entry, "a segment is written as `- TAG: {01: value}`, with `then:` beside it for what stands under it")
        return None
    place = _place(tag, loops)
    if place is None:
        known = {name for loop in loops for name in _tags(loop)}
        desk.fault(entry.keys[tag], f"there is no {tag} in loop {loops[-1].name} or around it{did_you_mean(tag, sorted(known))}")
        return None
    use, inner_loops = place
    body = entry.items[tag]
    if not isinstance(body, Mapping):
        desk.fault(body, f"the elements of {tag} are written as {{01: value, 02: value}}")
        return None
    body = desk.with_parts(body)
    body = desk.with_parts(body)
    each = within = None
    inner = scope
    for word in ("each", "in"):
        if word in body:
            path = path_of(body.items[word], scope, desk)
            if not isinstance(path, FieldPath):
                return None
            wanted = ("objects", "texts") if word == "each" else ("object",)
            if path.shape.kind not in wanted:
                desk.fault(body.items[word], f"'{path.text}' is {'no list' if word == 'each' else 'no object'}")
                return None
            inner = FieldScope(path.shape.struct, scope)
            each, within = (path, within) if word == "each" else (each, path)
    inner, group_by = load_grouping(body, inner, desk)
    before = len(desk.faults)
    elements, pairs = _elements(body, use, inner, desk)
    if len(desk.faults) == before:
        check_filled(entry.keys[tag], use, elements, pairs, "level" in body, desk)
    then = entry.get("then")
    children: tuple[WriteSegment, ...] = ()
    if isinstance(then, Sequence):
        children = _segments(then, inner, inner_loops, desk, depth + 1)
    elif then is not None:
        desk.fault(then, "`then:` is a list of segments")
    level = desk.text(body.get("level"), "`level:`")
    if level is not None and desk.schema is not None and desk.schema.layout is not None:
        desk.fault(level, "`level:` belongs to segments")
    elif level is not None and tag not in ("HL", "CPS"):
        desk.fault(level, "`level:` belongs to HL (and CPS)")
    return WriteSegment(
        use=use,
        elements=elements,
        pairs=pairs,
        each=each,
        group_by=group_by,
        within=within,
        when=load_condition(body.items["when"], inner, desk) if "when" in body else None,
        level=level.text if level is not None else None,
        then=children,
        always=load_always(body, desk) or not _varies(elements, pairs),
        where=entry.keys[tag].where,
    )


def load_grouping(body: Mapping, scope: FieldScope, desk: Desk) -> tuple[FieldScope, tuple[FieldPath, ...]]:
    """The scope that `group_by:` makes, and what its items have in common."""
    if "group_by" not in body:
        return scope, ()
    inner, paths = load_group(body, scope, desk)
    assert isinstance(inner, FieldScope)
    return inner, tuple(path for path in paths if isinstance(path, FieldPath))


def load_always(body: Mapping, desk: Desk) -> bool:
    """`always: yes`."""
    said = desk.text(body.get("always"), "`always:`")
    if said is not None and said.text not in ("yes", "no"):
        desk.fault(said, "`always:` is yes or no")
    return said is not None and said.text == "yes"


def _tags(loop: LoopUse) -> Iterator[str]:
    for child in loop.children:
        yield child.tag if isinstance(child, SegmentUse) else opener(child).tag


def _varies(elements: tuple[tuple[int, Leaf | WriteComposite], ...], pairs: tuple[WritePairs, ...]) -> bool:
    return bool(pairs) or any(not isinstance(leaf.origin, Constant) for _, leaf in leaves(elements))


def leaves(elements: tuple[tuple[int, Leaf | WriteComposite], ...]) -> Iterator[tuple[int, Leaf]]:
    """All values of a segment with the position of their element."""
    for position, held in elements:
        if isinstance(held, Leaf):
            yield position, held
        else:
            yield from ((position, leaf) for _, leaf in held.parts)


Elements = tuple[tuple[int, Leaf | WriteComposite], ...]


def _elements(body: Mapping, use: SegmentUse, scope: FieldScope, desk: Desk) -> tuple[Elements, tuple[WritePairs, ...]]:
    assert desk.schema is not None
    elements: dict[int, Leaf | WriteComposite] = {}
    lone: dict[int, dict[int, Leaf]] = {}
    pairs: list[WritePairs] = []
    for key, value in body.items.items():
        if key == "pairs":
            held = _pairs(value, use, scope, desk)
            pairs += [held] if held is not None else []
            continue
        if key in SEGMENT_WORDS:
            continue
        holders = _holders(key, use)
        if len(holders) == 1:
            leaf = load_leaf(value, WRITTEN, scope, desk)
            if leaf is not None:
                part = next(part for part in holders[0].components if part.id == key)
                check_value(value, leaf, part, f"{use.tag}/{holders[0].id}/{part.id}", desk)
                lone.setdefault(holders[0].position, {})[part.position] = leaf
            continue
        element = _element_of(key, body.keys[key], use, desk)
        if element is None:
            continue
        if element.position in elements:
            desk.fault(body.keys[key], f"{use.tag}/{element.position:02} is written twice")
        if element.components and not (isinstance(value, Scalar) and desk.schema.syntax == "x12"):
            elements[element.position] = _composite(value, element, use, scope, desk)
            continue
        leaf = load_leaf(value, WRITTEN, scope, desk)
        if leaf is not None:
            name = element.id if desk.schema.layout is not None else f"{use.tag}/{element.position:02}"
            check_value(value, leaf, element, name, desk)
            elements[element.position] = leaf
    for position, parts in lone.items():
        element = use.elements[position - 1]
        if position in elements:
            desk.fault(body, f"{use.tag}/{element.id} is written twice: as a whole, and by its components")
        elements[position] = WriteComposite(use=element, parts=tuple(sorted(parts.items())))
    return tuple(sorted(elements.items())), tuple(pairs)


def _holders(key: str, use: SegmentUse) -> list[ElementUse]:
    """The composites that a component belongs to which is named alone, by its number: `1004` is `C106: {1004: ...}` where it is no element itself."""
    if len(key) != 4 or not key.isdecimal() or any(element.id == key for element in use.elements):
        return []
    return [element for element in use.elements if any(part.id == key for part in element.components)]


def _element_of(key: str, place: Scalar, use: SegmentUse, desk: Desk) -> ElementUse | None:
    assert desk.schema is not None
    if desk.schema.layout is not None:
        return _column_of(key, place, use, desk)
    if not (key.isdecimal() or key[:1].isupper()):
        desk.fault(place, f"{use.tag} has no '{key}'{did_you_mean(key, SEGMENT_WORDS)}: write element numbers, or {', '.join(SEGMENT_WORDS)}")
        return None
    found = [element for element in use.elements if element.id == key] if len(key) == 4 else []
    if len(found) > 1:
        desk.fault(place, f"{key} stands in {use.tag} {len(found)} times: write its position, from {found[0].position:02} to {found[-1].position:02}")
        return None
    if found:
        return found[0]
    holders = _holders(key, use)
    if holders:
        places = " and in ".join(f"{use.tag}/{element.position:02}" for element in holders)
        desk.fault(place, f"{key} stands in {places}: write the composite by its position")
        return None
    try:
        position = spots_of(use, [key, "01"] if len(key) == 4 else [key], desk.schema)[0].position if not key.isdecimal() else int(key)
        if not 1 <= position <= len(use.elements):
            spots_of(use, [key], desk.schema)
            raise WrongPath(f"{use.tag} has {len(use.elements)} elements in {desk.schema.version}")
        return use.elements[position - 1]
    except WrongPath as wrong:
        desk.fault(place, str(wrong))
        return None


def _column_of(key: str, place: Scalar, use: SegmentUse, desk: Desk) -> ElementUse | None:
    """Files in rows: a column by its name."""
    found = next((element for element in use.elements if element.id == key), None)
    if found is None:
        known = [element.id for element in use.elements]
        guess = did_you_mean(key, [*known, *SEGMENT_WORDS])
        desk.fault(place, f"{use.tag} has no column '{key}'{guess}; there are {', '.join(known)}")
    return found


def _composite(value: Node, element: ElementUse, use: SegmentUse, scope: FieldScope, desk: Desk) -> WriteComposite:
    """By component numbers, or as a list in their order; one value alone is the first component."""
    parts: dict[int, Leaf] = {}
    if isinstance(value, Scalar) or (isinstance(value, Mapping) and is_value(value)):
        value = Sequence((value,), value.document, value.line, value.column)
    named: list[tuple[int, Node]] = []
    if isinstance(value, Sequence):
        if len(value.items) > len(element.components):
            desk.fault(value, f"{element.id} has {len(element.components)} components, here are {len(value.items)}")
        named = [(number, item) for number, item in enumerate(value.items[: len(element.components)], start=1)]
    else:
        for key, item in value.items.items():
            found = [part.position for part in element.components if part.id == key and len(key) == 4]
            number = found[0] if found else int(key) if key.isdecimal() and len(key) < 3 else 0
            if not 1 <= number <= len(element.components):
                known = ", ".join(dict.fromkeys(part.id for part in element.components))
                desk.fault(value.keys[key], f"there is no {key} in {element.id or use.tag} (it has {known})")
            else:
                named.append((number, item))
    for number, item in named:
        if isinstance(item, Scalar) and not item.text:
            continue
        leaf = load_leaf(item, WRITTEN, scope, desk)
        if leaf is not None:
            part = element.components[number - 1]
            check_value(item, leaf, part, f"{use.tag}/{element.id}/{part.id}", desk)
            parts[number] = leaf
    return WriteComposite(use=element, parts=tuple(sorted(parts.items())))


def _pairs(value: Node, use: SegmentUse, scope: FieldScope, desk: Desk) -> WritePairs | None:
    """`pairs: {from: 06, of: identifiers, table: item_identifier}`."""
    if not isinstance(value, Mapping):
        desk.fault(value, "pairs are written as {from: 06, of: identifiers, table: item_identifier}")
        return None
    desk.known(value, ("from", "to", "of", "table", "else"), "pairs")
    first, last = desk.text(value.get("from"), "`from:`"), desk.text(value.get("to"), "`to:`")
    of, table_node = desk.text(value.get("of"), "`of:`"), value.get("table")
    otherwise = desk.text(value.get("else"), "`else:`")
    table: Table | None = desk.table(table_node) if table_node is not None else None
    if first is None or of is None or table is None:
        if first is None or of is None or table_node is None:
            desk.fault(value, "pairs say `from:` (the first element), `of:` (the identifiers) and `table:`")
        return None
    path = path_of(of, scope, desk)
    if isinstance(path, FieldPath) and not is_keyed(path.shape.struct):
        desk.fault(of, f"'{of.text}' holds no identifiers")
        return None
    start = _element_of(first.text, first, use, desk)
    end = _element_of(last.text, last, use, desk) if last is not None else use.elements[-1]
    if start is None or end is None or not isinstance(path, FieldPath):
        return None
    composite = None
    if start.components:
        code = next((part.position for part in start.components if part.id in ("7143", "3055", "1153")), 2)
        composite = (1, code)
        if last is None:
            end = [element for element in use.elements if element.id == start.id][-1]
    return WritePairs(
        first=start.position,
        last=end.position,
        path=path,
        table=table,
        otherwise=otherwise.text if otherwise is not None else "keep",
        composite=composite,
        where=value.where,
    )
