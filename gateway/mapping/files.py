"""From files to one tree: finds a mapping's file, what it extends, its tables and a partner's differences, and lays them over
each other. Knows the rules of differences, not what a mapping means. Every node keeps its own file, so that each later
fault stands where it was written.

A difference: a block is laid over a block key by key; a value replaces a value; `none` removes; a dotted key reaches into
blocks (`identifiers.buyer`) and values (`price.divide`); `segments:` as a mapping changes a list of segments by their tags.
"""

import hashlib
import re
from collections.abc import Sequence as Many
from dataclasses import dataclass

from gateway.mapping.differences import lay_segments
from gateway.mapping.words import SOURCES
from gateway.mapping.words import is_value
from gateway.schema.nearest import nearest_version
from gateway.schema.tables import lay_tables
from gateway.schema.tables import shared_tables
from gateway.yaml_source import Fault
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Resolver
from gateway.yaml_source import Scalar
from gateway.yaml_source import Sequence
from gateway.yaml_source import did_you_mean
from gateway.yaml_source import parse

_DEPTH = 8
_HEAD = ("document", "from", "to", "extends", "tables")


@dataclass(frozen=True, slots=True)
class Gathered:
    """All files of one mapping in one tree."""

    root: Mapping
    tables: dict[str, dict[str, str]]
    sources: tuple[tuple[str, str], ...]
    digest: str
    #: tables and parts that the mapping and its differences write themselves, with their place
    own_tables: dict[str, Scalar]
    own_parts: dict[str, Scalar]


def known_specs(resolver: Resolver, direction: str | None = None) -> list[str]:
    """All mappings that there are (`x12/004010/850`), the ones of a direction only if asked."""
    names = {name.removeprefix("mappings/").removesuffix(".yaml") for name in resolver.names("mappings/") if name.endswith(".yaml")}
    answer = set()
    for name in names:
        if name.startswith(("tables/", "parts/")) or "/cases/" in name or name.endswith((".cases", "-read", "-write")):
            continue
        if direction is None or _own_file(name, direction, resolver) is not None:
            answer.add(name)
    return sorted(answer)


def gather(spec: str, direction: str, resolver: Resolver, overlays: Many[Mapping]) -> Gathered:
    """The mapping with everything laid over; raises Faults."""
    name = file_for(spec, direction, resolver)
    if name is None:
        verb = {"read": "reads", "write": "writes"}[direction]
        raise Faults([Fault(f"mappings/{spec}.yaml", 1, 1, f"no mapping {verb} {spec}{did_you_mean(spec, known_specs(resolver, direction))}")])
    sources: dict[str, str] = {}
    faults: list[Fault] = []
    chain = _chain(name, resolver, sources, faults)
    tables = shared_tables([*chain, *overlays], resolver, sources, faults)
    for shared in ("common", _family(spec)):
        found = resolver.text_of(f"mappings/tables/{shared}.yaml")
        if found is not None:
            sources[found[0]] = found[1]
            node = parse(found[1], found[0])
            lay_tables(tables, node, faults)
    root = chain[-1]
    for layer in reversed(chain):
        if "tables" in layer:
            lay_tables(tables, layer.items["tables"], faults)
        root = layer if layer is chain[-1] else _over(root, layer, faults)
    for overlay in overlays:
        sources.setdefault(overlay.document.file, "\n".join(overlay.document.lines))
        if "tables" in overlay:
            lay_tables(tables, overlay.items["tables"], faults)
        root = _over(root, _without(overlay, _HEAD), faults)
    if faults:
        raise Faults(faults)
    digest = hashlib.sha256()
    for file, text in sorted(sources.items()):
        digest.update(f"{file}\0{len(text)}\0{text}\0".encode())
    for overlay in overlays:
        digest.update(f"{overlay.where}:{overlay.column}\0".encode())
    return Gathered(
        root, tables, tuple(sources.items()), digest.hexdigest(), _own([chain[0], *overlays], "tables"), _own([chain[0], *overlays], "parts")
    )


def _own(layers: Many[Mapping], key: str) -> dict[str, Scalar]:
    """Tables or parts that stand in a mapping's own file and its differences (what it extends may have others, for many); tables of a
    partner for all its mappings are laid over with a quoted key."""
    answer: dict[str, Scalar] = {}
    for layer in layers:
        held = layer.get(key)
        if isinstance(held, Mapping) and layer.keys[key].plain:
            answer |= held.keys
    return answer


def _family(spec: str) -> str:
    first = spec.split("/")[0]
    return {"peppol": "ubl"}.get(first, first)


#: at the left edge of a file, where only its own keys stand
_TO = re.compile(r"""^(?:to|"to"|'to')[ \t]*:""", re.MULTILINE)


def _direction_of(text: str) -> str:
    """A mapping that says `to:` writes. Looked up in the text: a file is parsed once, when it is loaded."""
    return "write" if _TO.search(text) else "read"


def file_for(spec: str, direction: str, resolver: Resolver) -> str | None:
    """The file that maps in this direction. A version that has a schema and no mapping of its own is mapped as the nearest version is."""
    own = _own_file(spec, direction, resolver)
    if own is not None or not spec.startswith(("x12/", "edifact/")) or spec.count("/") != 2 or resolver.text_of(f"schemas/{spec}.yaml") is None:
        return own
    kind = spec.rpartition("/")[2]
    there = {name.rpartition("/")[0].removeprefix("mappings/") for name in resolver.names(f"mappings/{_family(spec)}/")}
    known = [name for folder in there if _own_file(name := f"{folder}/{kind}", direction, resolver) is not None]
    nearest = nearest_version(spec, known)
    return _own_file(nearest, direction, resolver) if nearest is not None else None


def _own_file(spec: str, direction: str, resolver: Resolver) -> str | None:
    """The plain name in its natural direction, else with `-read` or `-write`."""
    for name in (f"mappings/{spec}.yaml", f"mappings/{spec}-{direction}.yaml"):
        found = resolver.text_of(name)
        if found is not None and _direction_of(found[1]) == direction:
            return name
    return None


def _chain(name: str, resolver: Resolver, sources: dict[str, str], faults: list[Fault]) -> list[Mapping]:
    """The file and what it extends, outward."""
    chain: list[Mapping] = []
    asked: Scalar | None = None
    seen: list[str] = []
    while True:
        found = resolver.text_of(name)
        if found is None:
            message = f"there is no file {name}{did_you_mean(name, resolver.names('mappings/'))}"
            raise Faults([*faults, asked.fault(message) if asked else Fault(name, 1, 1, message)])
        path, text = found
        sources[path] = text
        node = parse(text, path)
        if not isinstance(node, Mapping):
            raise Faults([*faults, node.fault("a mapping file holds keys and values")])
        chain.append(node)
        seen.append(name)
        extends = node.get("extends")
        if extends is None:
            return chain
        if not isinstance(extends, Scalar):
            raise Faults([*faults, extends.fault("`extends:` names one mapping, like x12/004010/850")])
        name, asked = f"mappings/{extends.text}.yaml", extends
        if name in seen or len(chain) >= _DEPTH:
            message = "mappings extend each other in a circle" if name in seen else f"more than {_DEPTH} files extend each other"
            raise Faults([*faults, extends.fault(message)])


def _without(node: Mapping, names: tuple[str, ...]) -> Mapping:
    items = {key: value for key, value in node.items.items() if key not in names}
    return Mapping(items, {key: node.keys[key] for key in items}, node.document, node.line, node.column)


def _over(base: Mapping, layer: Mapping, faults: list[Fault]) -> Mapping:
    """`base` with the differences of `layer`."""
    items, keys = dict(base.items), dict(base.keys)
    for key, value in layer.items.items():
        place = layer.keys[key]
        if key in ("extends", "tables"):
            continue
        if key == "segments" and isinstance(value, Mapping) and isinstance(items.get(key), Sequence):
            items[key] = lay_segments(items[key], value, faults)
            continue
        _set(items, keys, key.split(".") if _dotted(key) else [key], place, value, faults)
    return Mapping(items, keys, base.document, base.line, base.column)


def _dotted(key: str) -> bool:
    return "." in key and not key.startswith((".", "/")) and ".." not in key and "/" not in key and ":" not in key


def _set(items: dict[str, Node], keys: dict[str, Scalar], names: list[str], place: Scalar, value: Node, faults: list[Fault]) -> None:
    name = names[0]
    old = items.get(name)
    if len(names) > 1:
        rest = Scalar(".".join(names[1:]), place.document, place.line, place.column)
        inner = Mapping({rest.text: value}, {rest.text: rest}, place.document, place.line, place.column)
        if old is None and _removes(value):
            faults.append(place.fault(f"there is no '{name}' to remove anything from"))
            return
        if isinstance(old, Scalar):
            # a value in short form: `price: 04` is {from: 04}
            source = Scalar("from", old.document, old.line, old.column)
            old = Mapping({"from": old}, {"from": source}, old.document, old.line, old.column)
        if isinstance(old, Mapping):
            items[name] = _over(old, inner, faults)
        elif isinstance(old, Sequence):
            items[name] = _first_of(old, _expand(inner, faults))
        else:
            items[name] = _expand(inner, faults)
            keys[name] = place
        return
    if _removes(value):
        if name not in items:
            faults.append(place.fault(f"there is no '{name}' to remove{did_you_mean(name, items)}"))
        items.pop(name, None)
        keys.pop(name, None)
    elif (
        name != "when" and isinstance(value, Mapping) and isinstance(old, Mapping) and not is_value(old) and not any(key in value for key in SOURCES)
    ):
        items[name] = _over(old, value, faults)
    elif isinstance(value, Mapping) and isinstance(old, Mapping | Scalar) and not any(key in value for key in SOURCES) and is_value(value):
        # only modifiers, such as {divide: 100}: laid over the value that is there
        base = (
            old
            if isinstance(old, Mapping)
            else Mapping({"from": old}, {"from": Scalar("from", old.document, old.line, old.column)}, old.document, old.line, old.column)
        )
        items[name] = _over(base, value, faults)
    elif isinstance(value, Mapping) and isinstance(old, Sequence) and "each" not in value and not is_value(value):
        items[name] = _first_of(old, _expand(value, faults))
    else:
        items[name] = _expand(value, faults) if isinstance(value, Mapping) and not is_value(value) else value
        keys[name] = place


def _expand(node: Mapping, faults: list[Fault]) -> Mapping:
    """Dotted keys of a new block as blocks."""
    if not any(_dotted(key) for key in node):
        return node
    return _over(Mapping({}, {}, node.document, node.line, node.column), node, faults)


def _first_of(old: Sequence, block: Mapping) -> Sequence:
    """A further block before those that are there: the first one that fills a field wins."""
    return Sequence((block, *old.items), old.document, old.line, old.column)


def _removes(value: Node) -> bool:
    return isinstance(value, Scalar) and value.plain and value.text == "none"
