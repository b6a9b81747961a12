"""JSON text to values that know where they stand. Own, because no reader in the library keeps places, digits and double names.

Works on bytes as latin-1 text, so that a character is a byte; texts are decoded one by one. Its limits: MAX_DEPTH, and the size that
whoever calls it allows. Wrong text raises Wrong with its place, and nothing else.
"""

import re
from dataclasses import dataclass

MAX_DEPTH = 32
_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_TEXT = re.compile(r'"((?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*)"')
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")
_SIGNS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORD = re.compile(r"true|false|null")
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")


class Wrong(Exception):
    """The text is no JSON: what is wrong, and at which byte."""

    def __init__(self, message: str, offset: int, *, deep: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.deep = deep


@dataclass(slots=True)
class Value:
    """A value and its bytes. `kind`: text, number, word (true, false), null, object, list."""

    kind: str
    start: int
    end: int
    text: str = ""
    members: "dict[str, Value] | None" = None
    items: "list[Value] | None" = None
    #: names that stand twice in the object, with the byte of the later one
    twice: tuple[tuple[str, int], ...] = ()


def parse(raw: str) -> Value:
    """The value that the text is; raises Wrong."""
    value, position = _value(raw, _skip(raw, 0), 0)
    position = _skip(raw, position)
    if position < len(raw):
        raise Wrong("something stands behind the end of the JSON value", position)
    return value


def _skip(raw: str, position: int) -> int:
    match = _SPACE.match(raw, position)
    return match.end() if match else position


def _value(raw: str, position: int, depth: int) -> tuple[Value, int]:
    if depth > MAX_DEPTH:
        raise Wrong(f"objects and lists are nested more than {MAX_DEPTH} levels deep", position, deep=True)
    sign = raw[position : position + 1]
    if sign == "{":
        return _object(raw, position, depth)
    if sign == "[":
        return _list(raw, position, depth)
    if sign == '"':
        text, end = _string(raw, position)
        return Value("text", position + 1, end - 1, text), end
    match = _NUMBER.match(raw, position) or _WORD.match(raw, position)
    if match is None:
        raise Wrong("a value is missing here" if not sign or sign in ",]}" else f"'{sign}' begins no value", position)
    word = match.group()
    kind = "null" if word == "null" else "word" if word in ("true", "false") else "number"
    return Value(kind, position, match.end(), word), match.end()


def _string(raw: str, position: int) -> tuple[str, int]:
    match = _TEXT.match(raw, position)
    if match is None:
        raise Wrong("a name or text in double quotes is wanted, or does not end, or holds a line end or an unknown escape", position)
    try:
        text = match[1].encode("latin-1").decode("utf-8")
    except UnicodeDecodeError as error:
        raise Wrong("the bytes of a text are no UTF-8", match.start(1) + error.start) from None
    if "\\" in text:
        text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _SIGNS.get(found[2], found[2]), text)
        text = _SURROGATES.sub(_joined, text)
    return text, match.end()


def _joined(match: re.Match[str]) -> str:
    """Two halves of a character are one; a half alone is none."""
    pair = match.group()
    return pair.encode("utf-16", "surrogatepass").decode("utf-16") if len(pair) == 2 else "\ufffd"


def _object(raw: str, start: int, depth: int) -> tuple[Value, int]:
    members: dict[str, Value] = {}
    twice: list[tuple[str, int]] = []
    position = _skip(raw, start + 1)
    while raw[position : position + 1] != "}" or members:
        at = position
        name, position = _string(raw, position)
        position = _skip(raw, position)
        if raw[position : position + 1] != ":":
            raise Wrong("a colon is wanted behind the name", position)
        value, position = _value(raw, _skip(raw, position + 1), depth + 1)
        if name in members:
            twice.append((name, at))
        else:
            members[name] = value
        position = _skip(raw, position)
        sign = raw[position : position + 1]
        if sign == "}":
            break
        if sign != ",":
            raise Wrong("a comma or the end of the object is wanted", position)
        position = _skip(raw, position + 1)
    return Value("object", start, position + 1, members=members, twice=tuple(twice)), position + 1


def _list(raw: str, start: int, depth: int) -> tuple[Value, int]:
    items: list[Value] = []
    position = _skip(raw, start + 1)
    while raw[position : position + 1] != "]" or items:
        value, position = _value(raw, position, depth + 1)
        items.append(value)
        position = _skip(raw, position)
        sign = raw[position : position + 1]
        if sign == "]":
            break
        if sign != ",":
            raise Wrong("a comma or the end of the list is wanted", position)
        position = _skip(raw, position + 1)
    return Value("list", start, position + 1, items=items), position + 1
