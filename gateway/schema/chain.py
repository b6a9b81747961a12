"""The file of a description (rows, JSON, XML) with what it extends and a partner's differences laid over: a key replaces a key, a
block goes key by key, `none` takes away. Knows the form of differences, not what they mean."""

from dataclasses import dataclass
from dataclasses import field
from typing import Any

from gateway.yaml_source import Fault
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Resolver
from gateway.yaml_source import Scalar
from gateway.yaml_source import did_you_mean
from gateway.yaml_source import parse
from gateway.yaml_source import plain

_DEPTH = 8


@dataclass(slots=True)
class Chain:
    """All of it in one tree; every node keeps its own file."""

    root: Mapping
    sources: dict[str, str]
    #: the partner's difference without places, for the digest
    overlay: Any = None
    faults: list[Fault] = field(default_factory=list)


def load_chain(spec: str, resolver: Resolver, overlay: Mapping | None, keys: tuple[str, ...]) -> Chain:
    """`schemas/<spec>.yaml` and what it extends; raises Faults where a file is missing or no list of keys."""
    layers: list[Mapping] = []
    sources: dict[str, str] = {}
    faults: list[Fault] = []
    name, asked = spec, None
    while True:
        node = _file(name, asked, resolver, sources)
        own = node.get("schema")
        if not isinstance(own, Scalar) or own.text != name:
            faults.append((own or node).fault(f"this file is `schema: {name}`"))
        layers.append(node)
        extends = node.get("extends")
        if not isinstance(extends, Scalar):
            break
        if len(layers) >= _DEPTH or extends.text.split("/")[0] != spec.split("/")[0] or extends.text == name:
            raise Faults([extends.fault(f"`extends:` names another {spec.split('/')[0]} file, and not in a circle")])
        name, asked = extends.text, extends
    root = layers.pop()
    for layer in (*reversed(layers), *([overlay] if overlay is not None else [])):
        root = _over(root, layer, faults)
    for key, place in root.keys.items():
        if key not in keys and key in root:
            faults.append(place.fault(f"a description has no '{key}'{did_you_mean(key, keys)}"))
    return Chain(root, sources, plain(overlay) if overlay is not None else None, faults)


def _file(name: str, asked: Scalar | None, resolver: Resolver, sources: dict[str, str]) -> Mapping:
    found = resolver.text_of(f"schemas/{name}.yaml")
    if found is None:
        known = [one.removeprefix("schemas/").removesuffix(".yaml") for one in resolver.names(f"schemas/{name.split('/')[0]}/")]
        message = f"there is no file schemas/{name}.yaml{did_you_mean(name, known)}"
        raise Faults([asked.fault(message) if asked is not None else Fault(f"schemas/{name}.yaml", 1, 1, message)])
    sources[found[0]] = found[1]
    node = parse(found[1], found[0])
    if not isinstance(node, Mapping):
        raise Faults([node.fault("a description is a list of keys: schema, name, columns, ...")])
    return node


def _over(base: Mapping, layer: Mapping, faults: list[Fault]) -> Mapping:
    items: dict[str, Node] = dict(base.items)
    keys = dict(base.keys)
    for key, value in layer.items.items():
        old = items.get(key)
        if key == "extends":
            continue
        if isinstance(value, Scalar) and value.plain and value.text == "none" and key not in ("quote", "line_end"):
            if old is None:
                faults.append(layer.keys[key].fault(f"there is no '{key}' to remove{did_you_mean(key, items)}"))
            items.pop(key, None)
            keys.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(old, Mapping):
            items[key] = _over(old, value, faults)
        elif isinstance(value, Mapping) and isinstance(old, Scalar):
            # a column in short form: `a: M text` is {use: M text}
            use = Scalar("use", old.document, old.line, old.column)
            items[key] = _over(Mapping({"use": old}, {"use": use}, old.document, old.line, old.column), value, faults)
        else:
            items[key], keys[key] = value, layer.keys[key]
    return Mapping(items, keys, base.document, base.line, base.column)
