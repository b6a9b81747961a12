"""User-edited YAML with line and column. Every scalar stays text (leading zeros live, NO is not false); duplicate keys, anchors
and tags are refused. Whatever is wrong is a Fault that names file, line and column and shows the line with a caret.

No file is opened here: text comes from a Resolver that is handed in.
"""

import difflib
import re
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn
from typing import Protocol

import yaml

_KINDS = {yaml.ScalarNode: "tag:yaml.org,2002:str", yaml.SequenceNode: "tag:yaml.org,2002:seq", yaml.MappingNode: "tag:yaml.org,2002:map"}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """What is not tagged is text, a list or a mapping: nobody asks by eight patterns whether a text might be a number or a date."""

    def resolve(self, kind: type, value: object, implicit: object) -> str:
        return _KINDS[kind]


#: a value that should have been the name of a secret: a fault of its line is printed, logged, mailed
_SECRET = re.compile(r"""\b((?:password|passphrase|secret|token)["']?\s*:\s*\[?\s*)(?!["']?(?:env:|file:))("[^"]*"|'[^']*'|[^\s,}\]#{\[]+)""")

#: a password within an address
_WITHIN = re.compile(r"(://[^\s/:@]*:)([^\s/]*)(?=@)")
#: what follows an address: often a key of whoever may post there
_QUERY = re.compile(r"""(https?://[^\s"'?#]*\?)([^\s"',}\]]+)""")


def _hidden(found: "re.Match[str]") -> str:
    """As long as it was, so that the caret still shows the place."""
    return found[1] + "*" * len(found[2])


def _without_secrets(line: str) -> str:
    for secret in (_SECRET, _WITHIN, _QUERY):
        line = secret.sub(_hidden, line)
    return line


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a file that a user edits."""

    file: str
    line: int
    column: int
    message: str
    excerpt: str = ""

    def __str__(self) -> str:
        head = f"{self.file}:{self.line}:{self.column}: {self.message}"
        if not self.excerpt:
            return head
        number = f"{self.line:>5} | "
        return f"{head}\n{number}{self.excerpt}\n{' ' * 5} | {' ' * (self.column - 1)}^"


class Faults(Exception):
    """All faults of the files that were loaded together."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class Resolver(Protocol):
    """Finds user-edited files by their name from the top, like `mappings/x12/004010/850.yaml`."""

    def text_of(self, name: str) -> tuple[str, str] | None:
        """(path to show to people, text) of the first folder that has it; None where there is none."""
        ...

    def names(self, prefix: str) -> list[str]:
        """Sorted names of all files that start with `prefix`, over all folders."""
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """One loaded file: its path as shown and its lines, for excerpts."""

    file: str
    lines: tuple[str, ...]

    def fault(self, line: int, column: int, message: str) -> Fault:
        excerpt = _without_secrets(self.lines[line - 1]) if 0 < line <= len(self.lines) else ""
        return Fault(self.file, line, column, message, excerpt)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A piece of text; `plain` is false where it was quoted."""

    text: str
    document: Document
    line: int
    column: int
    plain: bool = True

    def fault(self, message: str) -> Fault:
        """A fault at this place."""
        return self.document.fault(self.line, self.column, message)

    @property
    def where(self) -> str:
        """`file:line`, as provenance shows it."""
        return f"{self.document.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple["Node", ...]
    document: Document
    line: int
    column: int

    def fault(self, message: str) -> Fault:
        return self.document.fault(self.line, self.column, message)

    @property
    def where(self) -> str:
        return f"{self.document.file}:{self.line}"

    def __iter__(self) -> Iterator["Node"]:
        return iter(self.items)


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys to nodes, in the order of the file. `keys[name]` is the key itself, for its place."""

    items: dict[str, "Node"]
    keys: dict[str, Scalar]
    document: Document
    line: int
    column: int

    def fault(self, message: str) -> Fault:
        return self.document.fault(self.line, self.column, message)

    @property
    def where(self) -> str:
        return f"{self.document.file}:{self.line}"

    def get(self, key: str) -> "Node | None":
        return self.items.get(key)

    def __contains__(self, key: str) -> bool:
        return key in self.items

    def __iter__(self) -> Iterator[str]:
        return iter(self.items)


Node = Scalar | Sequence | Mapping


def parse(text: str, file: str) -> Node:
    """The tree of a YAML text; raises Faults with the place where it is not what we accept. An empty file is an empty Mapping."""
    document = Document(file, tuple(text.splitlines()))
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise Faults([document.fault(line, column, error.problem or "not readable as YAML")]) from None
    except yaml.YAMLError as error:
        raise Faults([document.fault(1, 1, str(error).splitlines()[0])]) from None
    if root is None:
        return Mapping({}, {}, document, 1, 1)
    faults: list[Fault] = []
    node = _convert(root, document, faults, 0, set())
    if faults:
        raise Faults(faults)
    return node


#: tags that say nothing new, also where they are written
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "seq", "map"))


def _convert(node: yaml.Node, document: Document, faults: list[Fault], depth: int, seen: set[int]) -> Node:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    if depth > 60:
        raise Faults([document.fault(line, column, "nested more than 60 levels deep")])
    if id(node) in seen:
        # an alias is the very node that it stands for; a few of them can stand for billions
        raise Faults([document.fault(line, column, "anchors and aliases are not used here: write the value again")])
    seen.add(id(node))
    if node.tag not in _PLAIN_TAGS:
        faults.append(document.fault(line, column, f"tags like {node.tag.replace('tag:yaml.org,2002:', '!!')} are not used here"))
    if isinstance(node, yaml.ScalarNode):
        return Scalar(node.value, document, line, column, not node.style)
    if isinstance(node, yaml.SequenceNode):
        return Sequence(tuple(_convert(item, document, faults, depth + 1, seen) for item in node.value), document, line, column)
    items: dict[str, Node] = {}
    keys: dict[str, Scalar] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            faults.append(document.fault(key_node.start_mark.line + 1, key_node.start_mark.column + 1, "a key must be plain text"))
            continue
        key = Scalar(key_node.value, document, key_node.start_mark.line + 1, key_node.start_mark.column + 1, not key_node.style)
        if key.text in items:
            faults.append(key.fault(f"'{key.text}' stands here twice (first on line {keys[key.text].line})"))
            continue
        items[key.text] = _convert(value_node, document, faults, depth + 1, seen)
        keys[key.text] = key
    return Mapping(items, keys, document, line, column)


def plain(node: Node) -> object:
    """The tree as str, list and dict, without places."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [plain(item) for item in node]
    return {key: plain(value) for key, value in node.items.items()}


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean '{close[0]}'?)" if close else ""


def load(name: str, resolver: Resolver, asked_by: Scalar | None = None) -> Node:
    """Parse the file `name`; raises Faults (at `asked_by`, if given) when there is no such file."""
    found = resolver.text_of(name)
    if found is None:
        message = f"there is no file {name}" + did_you_mean(name, resolver.names(name.split("/")[0] + "/"))
        _raise(asked_by.fault(message) if asked_by else Fault(name, 1, 1, message))
    path, text = found
    return parse(text, path)


def _raise(fault: Fault) -> NoReturn:
    raise Faults([fault])
