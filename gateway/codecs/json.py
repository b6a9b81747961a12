"""JSON files <-> transactions, by a layout. Each document becomes a small XML tree under the names of the layout, so that mappings walk it by
the same paths as any XML; every element keeps the bytes of its value. Digits stay as they are sent.

What the layout does not have is left out with a warning; what it wants and does not find is an error of that document alone.
"""

import re
from bisect import bisect_left
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lxml import etree

from gateway.codecs import json_text
from gateway.codecs.json_text import Value
from gateway.codecs.layout import Column
from gateway.codecs.node import Event
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Span
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.kinds import file as file_kinds
from gateway.kinds import json as kinds
from gateway.problem import Kind
from gateway.problem import Place
from gateway.problem import Problem

#: a whole file is held in memory, at about ten times its size
MAX_BYTES = 64 << 20
#: problems of one document that are told
MOST = 100
ROOT = "document"
_AT = "_at"
_SHOWN = 60
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST_DIGITS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A name of an object: one value (`column`), or an object of `fields`; `many` where it is a list of them."""

    name: str
    key: str
    mandatory: bool = False
    many: bool = False
    column: Column | None = None
    fields: "tuple[Field, ...]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLayout:
    """A JSON file: where its documents are, and what is in one."""

    spec: str
    fields: tuple[Field, ...]
    #: names down to the list of documents; empty: the file is one document, or a list of them
    documents: tuple[str, ...] = ()
    #: names of fields down to the value that says who sends
    sender: tuple[str, ...] = ()


#: why a value is not what its column says (kind, message, expected); made by the schema's room
Judge = Callable[[Column, str], tuple[Kind, str, str] | None]


@dataclass(frozen=True, slots=True)
class JsonForm:
    """A layout as a form that a file may have."""

    layout: JsonLayout
    judge: Judge
    said: bool = False
    owner: str = ""

    @property
    def spec(self) -> str:
        return self.layout.spec

    def fits(self, head: bytes) -> bool:
        """Whether it begins like JSON and names what every document must have."""
        text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if not text.startswith((b"{", b"[")):
            return False
        wanted = self.layout.documents[:1] or [field.key for field in self.layout.fields if field.mandatory][:1]
        return all(f'"{name}"'.encode() in head for name in wanted) or len(head) < 2

    def read(self, chunks: Iterable[bytes]) -> Iterator[Event]:
        """`read` with this form's layout."""
        return read(chunks, self.layout, self.judge, self.owner)


def read(chunks: Iterable[bytes], layout: JsonLayout, judge: Judge, owner: str = "") -> Iterator[Event]:
    """The file as one interchange, each document a transaction."""
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > MAX_BYTES:
            place = Place(offset=MAX_BYTES)
            yield kinds.TOO_LARGE.at(place, f"the JSON file is larger than {MAX_BYTES} bytes", expected=f"at most {MAX_BYTES} bytes")
            return
    yield InterchangeStart(syntax=Syntax.JSON)
    raw = data.decode("latin-1")
    start = 3 if raw.startswith("\xef\xbb\xbf") else 0
    try:
        whole = json_text.parse(" " * start + raw[start:])
    except json_text.Wrong as wrong:
        line, column = _line_and_column(raw, wrong.offset)
        kind = kinds.TOO_DEEP if wrong.deep else kinds.NOT_WELL_FORMED
        words = f"{wrong.message}, at line {line}, column {column}"
        yield kind.at(Place(offset=wrong.offset, line=line, column=column), words, found=raw[wrong.offset : wrong.offset + 20])
        return
    documents = _documents(whole, layout)
    if documents is None or not documents:
        where = "/".join(layout.documents) or "the file"
        yield file_kinds.EMPTY.at(Place(offset=0), f"there is no document in {where}", expected="an object, or a list of objects")
    ends = [match.start() for match in re.finditer("\n", raw)]
    for value in documents or ():
        yield _Builder(raw, layout, judge).transaction(value, owner, bisect_left(ends, value.start) + 1)
    yield InterchangeEnd(offset=len(data), segment=[], control_number="", declared=None, counted=len(documents or ()))


def _documents(whole: Value, layout: JsonLayout) -> list[Value] | None:
    held: Value | None = whole
    for name in layout.documents:
        held = (held.members or {}).get(name) if held is not None else None
    if held is None:
        return None
    return held.items if held.kind == "list" else [held]


class _Builder:
    """One document on its way to its tree."""

    def __init__(self, raw: str, layout: JsonLayout, judge: Judge) -> None:
        self.raw = raw
        self.layout = layout
        self.judge = judge
        self.problems: list[Problem] = []

    def transaction(self, value: Value, owner: str, line: int) -> Transaction:
        root = etree.Element(ROOT)
        root.set(_AT, f"{value.start}:{value.end}")
        if value.kind == "object":
            self._fill(root, value, self.layout.fields, "")
        else:
            self._tell(kinds.VALUE_INVALID, value, "the document is no object", "an object", "")
        sender = root.findtext("/".join(self.layout.sender)) if self.layout.sender else ""
        return Transaction(
            syntax=Syntax.JSON,
            type=self.layout.spec.partition("/")[2],
            version="",
            control_number="",
            segments=[],
            raw=self.raw,
            offset=value.start,
            line=line,
            sender=sender or "",
            owner=owner,
            root=root,
            problems=self.problems,
        )

    def _tell(self, kind: Kind, value: Value, message: str, expected: str, path: str) -> None:
        if len(self.problems) < MOST:
            self.problems.append(kind.at(place_in(self.raw, value.start, value.end, path), message, found=self._shown(value), expected=expected))

    def _shown(self, value: Value) -> str:
        return value.text[:_SHOWN] if value.kind not in ("object", "list") else value.kind

    def _fill(self, parent: Any, value: Value, fields: tuple[Field, ...], path: str) -> None:
        members = value.members or {}
        for name, at in value.twice:
            here = Value("text", at, at + len(name) + 2, name)
            self._tell(kinds.KEY_TWICE, here, f"'{name[:_SHOWN]}' stands twice in one object", "each name once", f"{path}/{name}")
        known = {field.key for field in fields}
        for name, held in members.items():
            if name not in known:
                self._tell(kinds.KEY_UNKNOWN, held, f"'{name[:_SHOWN]}' is not known and left out", ", ".join(sorted(known))[:200], f"{path}/{name}")
        for field in fields:
            held_or_none = members.get(field.key)
            if held_or_none is None or held_or_none.kind == "null":
                if field.mandatory:
                    self._tell(
                        kinds.VALUE_MISSING,
                        held_or_none or value,
                        f"'{field.key}' is missing, and it must be there",
                        field.key,
                        f"{path}/{field.key}",
                    )
                continue
            self._field(parent, held_or_none, field, f"{path}/{field.key}")

    def _field(self, parent: Any, value: Value, field: Field, path: str) -> None:
        if not field.many:
            self._one(parent, value, field, path)
            return
        if value.kind != "list":
            self._tell(kinds.VALUE_INVALID, value, f"'{field.key}' is no list", "a list", path)
            return
        if field.mandatory and not value.items:
            self._tell(kinds.VALUE_MISSING, value, f"'{field.key}' is an empty list, and something must be in it", field.key, path)
        for number, item in enumerate(value.items or (), 1):
            self._one(parent, item, field, f"{path}[{number}]")

    def _one(self, parent: Any, value: Value, field: Field, path: str) -> None:
        if field.fields:
            if value.kind != "object":
                self._tell(kinds.VALUE_INVALID, value, f"'{field.key}' is no object", "an object", path)
                return
            element = etree.SubElement(parent, field.name)
            element.set(_AT, f"{value.start}:{value.end}")
            self._fill(element, value, field.fields, path)
            return
        assert field.column is not None
        if value.kind in ("object", "list", "null"):
            self._tell(kinds.VALUE_INVALID, value, f"'{field.key}' is {'an object' if value.kind == 'object' else value.kind}", "one value", path)
            return
        text = _plain(value).strip()
        if not text:
            if field.mandatory:
                self._tell(kinds.VALUE_MISSING, value, f"'{field.key}' is empty, and it must be there", field.key, path)
            return
        wrong = self.judge(field.column, text)
        if wrong is not None:
            self._tell(wrong[0], value, wrong[1], wrong[2], path)
        element = etree.SubElement(parent, field.name)
        element.set(_AT, f"{value.start}:{value.end}")
        element.text = _NOT_IN_XML.sub("\ufffd", text)


def _plain(value: Value) -> str:
    """The text of a value; `1.5e3` is 1500."""
    if value.kind == "number" and ("e" in value.text or "E" in value.text):
        number = Decimal(value.text)
        return format(number, "f") if abs(number.adjusted()) < _MOST_DIGITS else value.text
    return value.text


def _line_and_column(raw: str, offset: int) -> tuple[int, int]:
    begin = raw.rfind("\n", 0, offset) + 1
    return raw.count("\n", 0, offset) + 1, len(raw[begin:offset].encode("latin-1").decode("utf-8", "replace")) + 1


def place_in(raw: str, start: int, end: int, path: str) -> Place:
    """The place of some bytes, with the way to them."""
    line, column = _line_and_column(raw, start)
    return Place(path=path or "/", offset=start, length=end - start, line=line, column=column)


def locate(transaction: Transaction, element: Any) -> Span:
    """Where the value of an element lies."""
    start, _, end = (element.get(_AT) or "0:0").partition(":")
    line, column = _line_and_column(transaction.raw, int(start))
    return Span(int(start), int(end) - int(start), line, column)


def path_of(element: Any) -> str:
    """The way to an element: /lines[2]/sku"""
    path: str = element.getroottree().getpath(element)
    return path.removeprefix(f"/{ROOT}") or "/"


def write(root: Any, layout: JsonLayout) -> bytes:
    """The document as JSON, in the order of the layout. Raises ValueError for a number that is none."""
    text = _object(root, layout.fields, 1 + len(layout.documents))
    for number, name in reversed(list(enumerate(layout.documents, 1))):
        inner = f"[{text}]" if number == len(layout.documents) else text
        text = "{" + f"{_quoted(name)}: {inner}" + "}"
    return f"{text}\n".encode()


def _object(element: Any, fields: tuple[Field, ...], depth: int) -> str:
    parts = []
    for field in fields:
        held = element.findall(field.name)
        if not held:
            continue
        values = [_object(one, field.fields, depth + 1) if field.fields else _scalar(one.text or "", field) for one in held]
        parts.append(f"{_quoted(field.key)}: {'[' + ', '.join(values) + ']' if field.many else values[0]}")
    indent = "  " * depth
    return "{" + ",".join(f"\n{indent}{part}" for part in parts) + f"\n{indent[2:]}" + "}" if parts else "{}"


def _scalar(text: str, field: Field) -> str:
    assert field.column is not None
    if field.column.kind == "boolean":
        return "true" if text.lower() in ("true", "1", "yes") else "false"
    if field.column.is_number:
        number = re.fullmatch(r"(-?)0*([0-9]+(?:\.[0-9]+)?)", text)
        if number is None:
            raise ValueError(f"{field.name} is '{text}', which is no number")
        return number[1] + number[2]
    return _quoted(text)


def _quoted(text: str) -> str:
    escaped = "".join(_ESCAPES.get(sign) or (f"\\u{ord(sign):04x}" if sign < " " else sign) for sign in text)
    return f'"{escaped}"'


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
