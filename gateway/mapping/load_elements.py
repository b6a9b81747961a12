"""A mapping that writes XML or JSON, from its YAML tree to elements in their order. Knows the words of writing, no document."""

from gateway.mapping.desk import Desk
from gateway.mapping.desk import FieldScope
from gateway.mapping.desk import SeenPath
from gateway.mapping.desk import path_of
from gateway.mapping.load_modifiers import WRITTEN
from gateway.mapping.load_values import load_condition
from gateway.mapping.load_values import load_leaf
from gateway.mapping.load_writing import load_always
from gateway.mapping.load_writing import load_grouping
from gateway.mapping.paths import WrongPath
from gateway.mapping.plan import Constant
from gateway.mapping.plan import FieldPath
from gateway.mapping.plan import Leaf
from gateway.mapping.plan import WriteElement
from gateway.mapping.words import ELEMENT_WORDS
from gateway.mapping.words import is_value
from gateway.mapping.xml_paths import tag_of as xml_tag
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Scalar
from gateway.yaml_source import Sequence
from gateway.yaml_source import did_you_mean

_DEPTH = 16
#: words that an XML element's value may have beside its attributes
_VALUE_WORDS = ("each", "in", "group_by", "use", "always")


def load_root(root: Mapping, scope: FieldScope, desk: Desk) -> WriteElement | None:
    """The XML document from its root element."""
    name, held = root.get("root"), root.get("elements")
    if name is None and desk.own_names and held is not None:
        # a JSON document has no name
        name = Scalar("document", root.document, root.line, root.column)
    if not isinstance(name, Scalar) or not isinstance(held, Mapping):
        desk.fault(root.get("document") or root, "a mapping that writes XML says `root:` (the name of the element) and `elements:` in their order")
        return None
    try:
        tag = xml_tag(name.text, desk.namespaces)
    except WrongPath as wrong:
        desk.fault(name, str(wrong))
        return None
    children, attributes = _children(held, scope, desk, 0)
    return WriteElement(tag=tag, attributes=attributes, children=children, always=True, where=name.where)


def _children(node: Mapping, scope: FieldScope, desk: Desk, depth: int) -> tuple[tuple[WriteElement, ...], tuple[tuple[str, Leaf], ...]]:
    if depth > _DEPTH:
        desk.fault(node, f"elements are nested more than {_DEPTH} levels deep")
        return (), ()
    children: list[WriteElement] = []
    attributes: list[tuple[str, Leaf]] = []
    for key, value in node.items.items():
        if key in ELEMENT_WORDS or key == "when":
            continue
        if key.startswith("@"):
            attributes += _attribute(key, value, scope, desk)
            continue
        if ":" not in key and not key[:1].isupper() and not desk.own_names:
            desk.fault(node.keys[key], f"'{key}' is no element{did_you_mean(key, ELEMENT_WORDS)}; words here are {', '.join(ELEMENT_WORDS)}")
            continue
        try:
            tag = xml_tag(key, desk.namespaces)
        except WrongPath as wrong:
            desk.fault(node.keys[key], str(wrong))
            continue
        desk.way.append(tag)
        desk.seen.append(SeenPath(node.keys[key], tuple(desk.way)))
        for item in value.items if isinstance(value, Sequence) else (value,):
            element = _element(tag, item, scope, desk, depth + 1)
            if element is not None:
                children.append(element)
        desk.way.pop()
    return tuple(children), tuple(attributes)


def _attribute(key: str, value: Node, scope: FieldScope, desk: Desk) -> list[tuple[str, Leaf]]:
    desk.seen.append(SeenPath(value, tuple(desk.way), key[1:]))
    leaf = load_leaf(value, WRITTEN, scope, desk)
    if leaf is None:
        return []
    try:
        return [(xml_tag(key[1:], {prefix: held for prefix, held in desk.namespaces.items() if prefix}), leaf)]
    except WrongPath as wrong:
        desk.fault(value, str(wrong))
        return []


def _element(tag: str, node: Node, scope: FieldScope, desk: Desk, depth: int) -> WriteElement | None:
    if isinstance(node, Sequence):
        desk.fault(node, "a list in a list")
        return None
    if isinstance(node, Scalar):
        leaf = load_leaf(node, WRITTEN, scope, desk)
        return WriteElement(tag=tag, text=leaf, always=isinstance(leaf.origin, Constant), where=node.where) if leaf is not None else None
    if "use" in node:
        node = desk.with_parts(node)
    if isinstance(node.get("each"), Sequence):
        return _nested(tag, node, scope, desk, depth)
    each = within = None
    inner = scope
    for word in ("each", "in"):
        if word not in node:
            continue
        path = path_of(node.items[word], scope, desk)
        if not isinstance(path, FieldPath):
            return None
        if path.shape.kind not in (("objects", "texts") if word == "each" else ("object",)):
            desk.fault(node.items[word], f"'{path.text}' is {'no list' if word == 'each' else 'no object'}")
            return None
        inner = FieldScope(path.shape.struct, scope)
        each, within = (path, within) if word == "each" else (each, path)
    inner, group_by = load_grouping(node, inner, desk)
    when = load_condition(node.items["when"], inner, desk) if "when" in node else None
    plain = {key: held for key, held in node.items.items() if not key.startswith("@") and key not in (*_VALUE_WORDS, "when")}
    attributes = [pair for key, held in node.items.items() if key.startswith("@") for pair in _attribute(key, held, inner, desk)]
    body = Mapping(plain, {key: node.keys[key] for key in plain}, node.document, node.line, node.column)
    if is_value(body):
        leaf = load_leaf(body, WRITTEN, inner, desk)
        if leaf is None:
            return None
        return WriteElement(
            tag=tag,
            text=leaf,
            attributes=tuple(attributes),
            each=each,
            group_by=group_by,
            within=within,
            when=when,
            always=isinstance(leaf.origin, Constant),
            where=node.where,
        )
    children, _ = _children(body, inner, desk, depth)
    return WriteElement(
        tag=tag,
        attributes=tuple(attributes),
        each=each,
        group_by=group_by,
        within=within,
        when=when,
        children=children,
        always=load_always(node, desk),
        where=node.where,
    )


def _nested(tag: str, node: Mapping, scope: FieldScope, desk: Desk, depth: int) -> WriteElement | None:
    """`each: [orders, units, lines]`: lists within lists, one element for each item of the last; `../` is the item around."""
    held = node.items["each"]
    assert isinstance(held, Sequence)
    path = path_of(held.items[0], scope, desk) if held.items else None
    if not isinstance(path, FieldPath):
        if not held.items:
            desk.fault(held, "`each:` names at least one list")
        return None
    if path.shape.kind != "objects":
        desk.fault(held.items[0], f"'{path.text}' is no list of objects")
        return None
    rest = held.items[1] if len(held.items) == 2 else Sequence(held.items[1:], held.document, held.line, held.column)
    items = {key: rest if key == "each" else value for key, value in node.items.items() if key != "each" or len(held.items) > 1}
    inner = Mapping(items, {key: node.keys[key] for key in items}, node.document, node.line, node.column)
    element = _element(tag, inner, FieldScope(path.shape.struct, scope), desk, depth + 1)
    # an element without a tag stands for nothing itself: its children take its place
    return WriteElement(tag="", each=path, children=(element,), where=node.where) if element is not None else None
