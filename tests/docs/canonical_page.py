"""The tables of docs/canonical.md: names and types come from the Structs, the meanings are the page's own words.

`python -m tests.docs.canonical_page` writes the tables anew and keeps every meaning; a new field gets the meaning `?`, which the test refuses.
"""

import re
import types
import typing
from datetime import date
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from gateway.model.document import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "canonical.md"
_TABLE = re.compile(r"<!-- struct: (?P<name>\w+) -->\n(?P<rows>(?:\|.*\n)*)")
_ROW = re.compile(r"\| `(?P<field>\w+)`(?P<required>\*?) \| (?P<type>[^|]*) \| (?P<meaning>.*) \|$")
_SIMPLE = {str: "text", int: "number", bool: "yes or no", date: "date", datetime: "moment", Decimal: "decimal"}


def structs() -> dict[str, type[msgspec.Struct]]:
    """Every Struct that a document holds, by its name."""
    found: dict[str, type[msgspec.Struct]] = {}

    def visit(struct: type[msgspec.Struct]) -> None:
        if struct.__name__ not in found:
            found[struct.__name__] = struct
            for hint in typing.get_type_hints(struct).values():
                for inner in _structs_in(hint):
                    visit(inner)

    for struct in KINDS.values():
        visit(struct)
    return found


def _structs_in(hint: Any) -> list[type[msgspec.Struct]]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return [hint]
    return [inner for part in typing.get_args(hint) for inner in _structs_in(part)]


def type_words(hint: Any) -> str:
    """A type as the page writes it: text, decimal, a link to a part, a list of them."""
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        return type_words(next(part for part in typing.get_args(hint) if part is not type(None)))
    if typing.get_origin(hint) is tuple:
        return f"list of {type_words(typing.get_args(hint)[0])}"
    raise TypeError(hint)


def meanings(page: str) -> dict[tuple[str, str], str]:
    """(struct, field) -> what the page says about it."""
    said = {}
    for table in _TABLE.finditer(page):
        for line in table["rows"].splitlines():
            row = _ROW.match(line)
            if row:
                said[table["name"], row["field"]] = row["meaning"]
    return said


def table(name: str, said: dict[tuple[str, str], str]) -> str:
    """The table of one Struct."""
    struct = structs()[name]
    hints = typing.get_type_hints(struct)
    rows = ["| field | type | meaning |", "|---|---|---|"]
    for one in msgspec.structs.fields(struct):
        star = "*" if one.required else ""
        rows.append(f"| `{one.name}`{star} | {type_words(hints[one.name])} | {said.get((name, one.name), '?')} |")
    return "\n".join(rows) + "\n"


def written_anew(page: str) -> str:
    """The page with its tables as they must be."""
    said = meanings(page)
    return _TABLE.sub(lambda found: f"<!-- struct: {found['name']} -->\n{table(found['name'], said)}", page)


if __name__ == "__main__":
    PAGE.write_text(written_anew(PAGE.read_text()))
