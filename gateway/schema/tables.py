"""Code tables: a mapping's own, those that all mappings of a syntax know, and those that every syntax shares (schemas/codes).

A shared table is named `codes/units` wherever a table is wanted; it is loaded where it is named. A mapping's or a partner's
`tables:` adds to a table of that name, `none` takes a code away. Knows the form of tables, not what the words mean.
"""

from collections.abc import Iterator

from gateway.yaml_source import Fault
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Resolver
from gateway.yaml_source import Scalar
from gateway.yaml_source import Sequence
from gateway.yaml_source import did_you_mean
from gateway.yaml_source import parse

#: how a shared table is named, and the folder of its file
SHARED = "codes/"
_DEPTH = 8


def lay_tables(tables: dict[str, dict[str, str]], node: Node, faults: list[Fault]) -> None:
    """Tables written as `name: {code: word}` over those that are there."""
    if not isinstance(node, Mapping):
        faults.append(node.fault("tables are written as `name: {code: word}`"))
        return
    for name, entries in node.items.items():
        lay_table(tables.setdefault(name, {}), name, entries, faults)


def lay_table(table: dict[str, str], name: str, entries: Node, faults: list[Fault]) -> None:
    """The entries of one table over those that are there; `none` takes one away."""
    if not isinstance(entries, Mapping):
        faults.append(entries.fault(f"the table '{name}' is written as {{code: word}}"))
        return
    for code, word in entries.items.items():
        if not isinstance(word, Scalar):
            faults.append(word.fault("a word of a table is plain text"))
        elif word.plain and word.text == "none":
            table.pop(code, None)
        else:
            table[code] = word.text


def shared_tables(nodes: list[Node], resolver: Resolver, sources: dict[str, str], faults: list[Fault]) -> dict[str, dict[str, str]]:
    """The shared tables that are named anywhere in these trees."""
    asked: dict[str, Scalar] = {}
    for node in nodes:
        for name in _named(node):
            asked.setdefault(name.text, name)
    return {name: held for name, place in asked.items() if (held := load_table(name, place, resolver, sources, faults)) is not None}


def load_table(name: str, place: Scalar, resolver: Resolver, sources: dict[str, str], faults: list[Fault]) -> dict[str, str] | None:
    """`codes/units` from schemas/codes/units.yaml; None (and a fault where it was named) where there is none."""
    chain: list[Mapping] = []
    seen: list[str] = []
    asked, wanted = place, name
    while True:
        found = resolver.text_of(f"schemas/{wanted}.yaml")
        if found is None:
            faults.append(asked.fault(f"no table '{wanted}'{did_you_mean(wanted, known_tables(resolver))}: it would stand in schemas/{wanted}.yaml"))
            return None
        sources[found[0]] = found[1]
        node = parse(found[1], found[0])
        words = node.get("words") if isinstance(node, Mapping) else None
        if not isinstance(node, Mapping) or not isinstance(words, Mapping):
            faults.append(node.fault("a table that is shared says `table: codes/NAME` and `words: {code: word}`"))
            return None
        faults += [key.fault(f"a table has no '{key.text}': table, extends, words") for key in node.keys.values() if key.text not in KEYS]
        own, extends = node.get("table"), node.get("extends")
        if not isinstance(own, Scalar) or own.text != wanted:
            faults.append((own or node).fault(f"this file is `table: {wanted}`"))
        chain.append(words)
        seen.append(wanted)
        if not isinstance(extends, Scalar):
            break
        if extends.text in seen or len(seen) >= _DEPTH:
            faults.append(extends.fault("tables extend each other in a circle"))
            return None
        asked, wanted = extends, extends.text
    table: dict[str, str] = {}
    for layer in reversed(chain):
        lay_table(table, name, layer, faults)
    return table


KEYS = ("table", "extends", "words")


def known_tables(resolver: Resolver) -> list[str]:
    """All shared tables that there are."""
    return [name.removeprefix("schemas/").removesuffix(".yaml") for name in resolver.names("schemas/codes/")]


def _named(node: Node) -> Iterator[Scalar]:
    """Where a shared table is named: behind `table:` and `codes:`, or as a key of `tables:`."""
    if isinstance(node, Sequence):
        for item in node.items:
            yield from _named(item)
    elif isinstance(node, Mapping):
        for key, value in node.items.items():
            if isinstance(value, Scalar):
                if key in ("table", "codes") and value.text.startswith(SHARED):
                    yield value
            else:
                if key == "tables" and isinstance(value, Mapping):
                    yield from (place for name, place in value.keys.items() if name.startswith(SHARED))
                yield from _named(value)
