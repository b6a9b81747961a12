"""What all loading shares: where faults are gathered, the tables and parts of the file, and the scopes in which paths begin."""

from collections.abc import Mapping as Lookup
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from typing import Any

from gateway.mapping import paths
from gateway.mapping import xml_paths
from gateway.mapping.paths import SegmentScope
from gateway.mapping.paths import WrongPath
from gateway.mapping.plan import FieldPath
from gateway.mapping.plan import Path
from gateway.mapping.plan import Table
from gateway.mapping.plan import XmlPath
from gateway.mapping.shapes import Shape
from gateway.mapping.shapes import shapes_of
from gateway.mapping.words import GROUP
from gateway.model.document import KINDS
from gateway.schema.plan import SchemaPlan
from gateway.yaml_source import Fault
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Scalar
from gateway.yaml_source import Sequence
from gateway.yaml_source import did_you_mean


@dataclass(frozen=True, slots=True)
class SeenPath:
    """An XML path of a mapping from the root of the document: its elements as {namespace}name, and the attribute at its end."""

    place: Node
    steps: tuple[str, ...]
    attribute: str | None = None


@dataclass(slots=True)
class Desk:
    """Faults are gathered here, so that all of them are told at once."""

    direction: str
    schema: SchemaPlan | None
    tables: dict[str, dict[str, str]]
    parts: dict[str, Mapping]
    namespaces: Lookup[str, str]
    partner_names: frozenset[str]
    #: parts that are lists of segments
    lists: dict[str, Sequence] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    #: names of tables and parts that were asked for
    used: set[str] = field(default_factory=set)
    #: (writing) tags that are written, each in the loop that it stands in, by the loop's identity
    written: set[tuple[int, str]] = field(default_factory=set)
    #: XML: every path from the root, for whoever knows the document's XSD
    seen: list[SeenPath] = field(default_factory=list)
    #: XML and JSON of somebody's own, whose elements may be named in small letters
    own_names: bool = False
    #: (writing) the element that is being loaded, from the root
    way: list[str] = field(default_factory=list)

    def fault(self, node: Node, message: str) -> None:
        """One more fault."""
        self.faults.append(node.fault(message))

    def text(self, node: Node | None, what: str) -> Scalar | None:
        """The node where plain text is wanted."""
        if node is None or isinstance(node, Scalar):
            return node
        self.fault(node, f"{what} is plain text")
        return None

    def table(self, node: Node) -> Table | None:
        """A table by its name, or written on the spot."""
        if isinstance(node, Mapping):
            words = {}
            for code, word in node.items.items():
                if isinstance(word, Scalar):
                    words[code] = word.text
                else:
                    self.fault(word, "a word of a table is plain text")
            return Table("", words)
        name = self.text(node, "a table's name")
        if name is None:
            return None
        self.used.add(name.text)
        if name.text not in self.tables:
            self.fault(name, f"no table '{name.text}'{did_you_mean(name.text, self.tables)}")
            return None
        return Table(name.text, self.tables[name.text])

    def with_parts(self, node: Mapping, seen: tuple[str, ...] = ()) -> Mapping:
        """The block with what `use:` names in its place, its own keys over it."""
        if "use" not in node:
            return node
        items: dict[str, Node] = {}
        keys: dict[str, Scalar] = {}
        for key, value in node.items.items():
            if key != "use":
                items[key], keys[key] = value, node.keys[key]
                continue
            for item in value.items if isinstance(value, Sequence) else (value,):
                name = self.text(item, "`use:`")
                part = self.parts.get(name.text) if name is not None else None
                self.used.add(f"part {name.text}" if name is not None else "")
                if name is not None and name.text in seen:
                    self.fault(name, f"the part '{name.text}' uses itself")
                elif name is not None and part is not None:
                    part = self.with_parts(part, (*seen, name.text))
                    items.update({inner: held for inner, held in part.items.items() if inner not in node})
                    keys.update({inner: held for inner, held in part.keys.items() if inner not in node})
                elif name is not None:
                    self.fault(name, f"no part '{name.text}' under parts:{did_you_mean(name.text, self.parts)}")
        return Mapping(items, keys, node.document, node.line, node.column)

    def known(self, node: Mapping, words: tuple[str, ...], what: str) -> None:
        """A fault for each key that is none of the words."""
        for key, place in node.keys.items():
            if key not in words:
                self.fault(place, f"{what} has no '{key}'{did_you_mean(key, words)}")


@dataclass(frozen=True, slots=True)
class XmlScope:
    """An element of an XML document; which one is known when it is read."""

    outer: "XmlScope | None" = None
    #: elements from the root to it; None where an XPath says more than names
    steps: tuple[str, ...] | None = ()
    #: several elements that `group_by:` put together
    grouped: bool = False


@dataclass(frozen=True, slots=True)
class FieldScope:
    """An object of the canonical document (writing)."""

    struct: Any
    outer: "FieldScope | None" = None
    #: further kinds of documents that are written by the same mapping
    also: tuple[Any, ...] = ()
    #: several items that `group_by:` put together
    grouped: bool = False

    def shapes(self) -> dict[str, Shape]:
        """The fields that a path may begin with; `kind` is that of the document."""
        answer = dict(shapes_of(self.struct)) if self.struct is not None else {}
        for other in self.also:
            answer |= {name: shape for name, shape in shapes_of(other).items() if name not in answer}
        if self.struct in KINDS.values():
            answer["kind"] = Shape("kind", "text", None, False)
        return answer


Scope = SegmentScope | XmlScope | FieldScope


def path_of(node: Node, scope: Scope, desk: Desk, *, element: bool = True, text: str | None = None) -> Path | None:
    """The path that a scalar writes, in its scope; None (and a fault) where it is wrong."""
    scalar = desk.text(node, "a path")
    if scalar is None:
        return None
    try:
        if isinstance(scope, SegmentScope):
            return paths.resolve(scalar, scope, element=element, text=text)
        if isinstance(scope, XmlScope):
            path = xml_paths.resolve(scalar, desk.namespaces, text=text, grouped=scope.grouped)
            steps = steps_of(path, scope, desk.namespaces)
            if steps is not None:
                desk.seen.append(SeenPath(scalar, steps, path.attribute))
            return path
        return field_path(scalar, scope, text=text)
    except WrongPath as wrong:
        desk.fault(scalar, str(wrong))
        return None


def steps_of(path: XmlPath, scope: XmlScope, namespaces: Lookup[str, str]) -> tuple[str, ...] | None:
    """The elements from the root to where a path leads; None where that cannot be told from its names."""
    base: XmlScope | None = scope
    count = path.up
    while base is not None and base.outer is not None and count:
        base, count = base.outer, count - 1
    own = path.steps if path.steps is not None else xml_paths.plain_steps(path.xpath or "", namespaces)
    if base is None or base.steps is None or own is None:
        return None
    return (*base.steps, *own)


def inside(path: Path, scope: Scope, namespaces: Lookup[str, str] | None = None) -> Scope:
    """The scope that `each:` or `in:` opens."""
    if isinstance(scope, SegmentScope):
        return scope.inside(path.routes[0])  # type: ignore[union-attr]  # paths and scopes are of one kind
    if isinstance(scope, XmlScope):
        assert isinstance(path, XmlPath)
        return XmlScope(scope, steps_of(path, scope, namespaces or {}))
    assert isinstance(path, FieldPath)
    return FieldScope(path.shape.struct, scope)


def load_group(node: Mapping, scope: Scope, desk: Desk) -> tuple[Scope, tuple[Path, ...]]:
    """`group_by: 09` or `[09, 03]`, values that items of one group have in common; and the scope of such a group."""
    held = node.items["group_by"]
    if not isinstance(node.get("each"), Scalar):
        desk.fault(node.keys["group_by"], "`group_by:` puts the items of one `each:` together")
        return scope, ()
    paths = [path_of(item, scope, desk) for item in (held.items if isinstance(held, Sequence) else (held,))]
    return replace(scope, grouped=True), tuple(path for path in paths if path is not None)


def field_path(scalar: Scalar, scope: FieldScope, *, text: str | None = None) -> FieldPath:
    """A canonical field: `number`, `buyer.identifiers.gln`, `address.lines[0]`, `../number`, `/currency`. Raises WrongPath."""
    text = scalar.text if text is None else text
    rest, up, start = text, 0, scope
    if rest.startswith("/"):
        up, rest = -1, rest[1:]
        while start.outer is not None:
            start = start.outer
    while rest.startswith("../"):
        if start.outer is None:
            raise WrongPath("`../` leads out of the document")
        up, rest, start = up + 1, rest[3:], start.outer
    names: list[tuple[str, int | None]] = []
    struct: Any = start.struct
    shape: Shape | None = None
    group = start.grouped and rest.split(".")[0] == GROUP
    if group:
        rest = rest.partition(".")[2]
        if not rest:
            return FieldPath(text, up, (), Shape(GROUP, "objects", struct, False), scalar.where, struct, group=True)
    if rest == ".":
        return FieldPath(text, up, (), Shape("", "text" if struct is None else "object", struct, False), scalar.where)
    for part in rest.split("."):
        name, index = part, None
        if part.endswith("]") and "[" in part:
            name, _, number = part[:-1].partition("[")
            if not number.isdecimal():
                raise WrongPath(f"'{part}': the number of an item is written as in lines[0]")
            index = int(number)
        known = start.shapes() if not names else shapes_of(struct) if struct is not None else {}
        shape = known.get(name)
        if shape is None:
            where = f"{struct.__name__}" if struct is not None else "a text"
            quoted = f'; a constant is written in quotes: "{text}"' if text.isupper() or text.isdecimal() else ""
            raise WrongPath(f"{where} has no field '{name}'{did_you_mean(name, known)}{quoted}")
        if index is not None and shape.kind not in ("texts", "objects"):
            raise WrongPath(f"'{name}' is no list")
        if index is not None:
            shape = Shape(name, "text" if shape.kind == "texts" else "object", shape.struct, False)
        names.append((name, index))
        struct = shape.struct
    assert shape is not None
    return FieldPath(text, up, tuple(names), shape, scalar.where, start.struct, group)
