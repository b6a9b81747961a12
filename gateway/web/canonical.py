"""A canonical document as a tree of fields, each with its path, what is wrong with it and, where asked for, where it came from."""

import json
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Any

#: fields that a page shows; more are counted
MOST_FIELDS = 2000


@dataclass(slots=True)
class Source:
    """Where a value came from; `link` leads to the bytes on the page."""

    source: str
    how: str
    mapping: str
    link: str = ""


@dataclass(slots=True)
class Node:
    """A field, an object or an item of a list."""

    name: str
    path: str
    value: str | None = None
    children: list["Node"] = field(default_factory=list)
    #: what an object is about, on one line
    summary: str = ""
    problems: tuple[int, ...] = ()
    sources: tuple[Source, ...] = ()

    @property
    def anchor(self) -> str:
        return "f-" + "".join(letter if letter.isalnum() else "-" for letter in self.path)

    @property
    def holds_problems(self) -> bool:
        return bool(self.problems) or any(child.holds_problems for child in self.children)


@dataclass(slots=True)
class Canonical:
    """The whole tree; `left_out` counts the fields that are not shown."""

    nodes: list[Node]
    left_out: int = 0


def tree_of(body: str, problems: Mapping[str, Sequence[int]], sources: Mapping[str, Sequence[Source]]) -> Canonical:
    """The tree of a document's JSON."""
    # the digits stay as they are written
    value = json.loads(body, parse_float=str, parse_int=str)
    maker = _Maker(problems, sources)
    nodes = [maker.node(name, name, inner) for name, inner in value.items()] if isinstance(value, dict) else []
    return Canonical([node for node in nodes if node is not None], maker.left_out)


class _Maker:
    def __init__(self, problems: Mapping[str, Sequence[int]], sources: Mapping[str, Sequence[Source]]) -> None:
        self._problems = problems
        self._sources = sources
        self._made = 0
        self.left_out = 0

    def node(self, name: str, path: str, value: Any) -> Node | None:
        if self._made >= MOST_FIELDS:
            self.left_out += 1
            return None
        self._made += 1
        node = Node(name.replace("_", " "), path, problems=tuple(self._problems.get(path, ())), sources=tuple(self._sources.get(path, ())))
        if isinstance(value, dict):
            node.children = self._all((str(key), f"{path}.{key}", inner) for key, inner in value.items())
            node.summary = _summary(value)
        elif isinstance(value, list):
            one = name[:-1] if name.endswith("s") else name
            node.children = self._all((f"{one} {place + 1}", f"{path}[{place}]", inner) for place, inner in enumerate(value))
            node.summary = str(len(value))
        else:
            node.value = {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
        return node

    def _all(self, parts: Any) -> list[Node]:
        return [node for name, path, value in parts if (node := self.node(name, path, value)) is not None]


def _summary(value: dict[str, Any]) -> str:
    """The few words of an object that tell it from its neighbours."""
    words = []
    quantity = value.get("quantity")
    if isinstance(quantity, str):
        words.append(f"{quantity} {value.get('unit', '')}".strip())
    for name in ("price", "amount", "name", "description", "type", "value", "text", "number"):
        found = value.get(name)
        if isinstance(found, str) and len(words) < 3:
            words.append(("× " if name == "price" else "") + (found if len(found) <= 40 else found[:39] + "…"))
    return " · ".join(words)
