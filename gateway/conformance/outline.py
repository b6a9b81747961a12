"""What an XSD lets stand where, as a small table: which elements and attributes a type has. xmlschema reads the schema as an object,
which takes seconds; the table is kept beside the artefacts under the digest of what it was made of, and costs nothing from then on.

Knows schemas, no mapping. A type that takes anything (an extension) has no fault.
"""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: types of one schema; UBL has some 170
_MOST = 5000
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Outline:
    """Roots by their name, types by a number: their elements (name to type) and attributes, and whether they take anything."""

    roots: dict[str, str]
    types: dict[str, dict[str, Any]]

    def fault(self, root: str, steps: Sequence[str], attribute: str | None) -> tuple[str, list[str]] | None:
        """What of a way from the root the schema does not have, and what it has there instead; None where it has all of it."""
        kind = self.roots.get(root)
        if kind is None:
            return root, sorted(self.roots)
        for step in steps:
            held = self.types[kind]
            following = held["elements"].get(step)
            if following is None:
                return None if held["any"] else (step, list(held["elements"]))
            kind = following
        if attribute is not None:
            held = self.types[kind]
            if attribute not in held["attributes"] and not held["any"] and not attribute.startswith("{"):
                return f"@{attribute}", [f"@{name}" for name in held["attributes"]]
        return None


def outline_of(path: Path, digest: str, cache: Path | None) -> Outline:
    """The outline of an XSD; `digest` is that of all its files. Raises ValueError where it is no schema that can be read."""
    kept = cache / f"{digest}.json" if cache is not None else None
    if kept is not None and kept.is_file():
        with contextlib.suppress(ValueError, KeyError, TypeError):
            content = json.loads(kept.read_text())
            return Outline(content["roots"], content["types"])
    made = _read(str(path), path.name)
    if kept is not None:
        # another process may write the same; a folder that is not ours costs the seconds again
        with contextlib.suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            half = kept.with_name(f".{kept.name}.{id(made)}")
            half.write_text(json.dumps({"roots": made.roots, "types": made.types}))
            half.replace(kept)
    return made


def outline_of_text(text: str) -> Outline:
    """The outline of an XSD that is one text. Raises ValueError."""
    return _read(text, "the xsd")


def _read(source: str, name: str) -> Outline:
    import xmlschema

    try:
        schema = xmlschema.XMLSchema(source, allow="local", defuse="always")
    except (xmlschema.XMLSchemaException, OSError, SyntaxError) as error:
        raise ValueError(f"{name} is no XML schema: {' '.join(str(error).split())[:_SHOWN]}") from None
    names: dict[int, str] = {}
    types: dict[str, dict[str, Any]] = {}
    waiting: list[Any] = []

    def number(kind: Any) -> str:
        if id(kind) not in names:
            names[id(kind)] = str(len(names))
            waiting.append(kind)
        return names[id(kind)]

    # of a UBL document the root has the name of its file; of a schema of one's own every global element may be one
    roots = {element.name: number(element.type) for element in schema.elements.values()}
    while waiting and len(types) < _MOST:
        kind = waiting.pop()
        elements: dict[str, str] = {}
        anything = False
        if kind.has_complex_content():
            for element in kind.content.iter_elements():
                if element.name is None:
                    anything = True
                else:
                    elements[element.name] = number(element.type)
        attributes = [name for name in getattr(kind, "attributes", {}) or {} if name is not None]
        types[names[id(kind)]] = {"elements": elements, "attributes": attributes, "any": anything or None in (getattr(kind, "attributes", {}) or {})}
    return Outline(roots, {**{name: {"elements": {}, "attributes": [], "any": True} for name in names.values()}, **types})
