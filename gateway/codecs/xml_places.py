"""Where the values of an XML document lie in its bytes, and how an element is named by a path.

Computed once for a document, when somebody asks: one expat pass notes where each element starts and ends, in the order of the
document. Paths are XPath with the root's namespace as the default element namespace and the document's own prefixes for the
others: `/Order/cac:OrderLine[2]/cac:LineItem/cbc:Quantity/@unitCode`.
"""

import re
from array import array
from typing import Any
from xml.parsers import expat

from gateway.codecs.node import Span

#: the prefixes that everybody knows, whatever a document calls them
_PREFIXES = {
    "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2": "cac",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2": "cbc",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2": "ext",
    "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100": "ram",
    "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100": "udt",
    "urn:un:unece:uncefact:data:standard:QualifiedDataType:100": "qdt",
}
_STEP = re.compile(r"(?:(?P<prefix>[\w.-]+):)?(?P<local>[\w.-]+)(?:\[(?P<position>[1-9]\d*)\])?")
_ATTRIBUTE = re.compile(r"""([^\s=/<>"']+)\s*=\s*("[^"]*"|'[^']*')""")
_TAG_END = re.compile(r"""(?:[^>"']|"[^"]*"|'[^']*')*>""")
_CDATA, _CDATA_END = "<![CDATA[", "]]>"


def path_of(element: Any, attribute: str | None = None, positions: dict[Any, str] | None = None) -> str:
    """The path of an element, or of its attribute; a step has its position where it has brothers of its name.
    `positions` (Spots.positions) spares the counting where many paths of one document are asked for."""
    steps = [] if attribute is None else [f"@{attribute}"]
    home = name_of(element.getroottree().getroot())[0]
    while element is not None:
        steps.append(_name(element, home) + (_position(element) if positions is None else positions.get(element, "")))
        element = element.getparent()
    return "/" + "/".join(reversed(steps))


def _position(element: Any) -> str:
    before = sum(1 for _ in element.itersiblings(element.tag, preceding=True))
    return f"[{before + 1}]" if before or next(element.itersiblings(element.tag), None) is not None else ""


def name_of(element: Any) -> tuple[str, str]:
    """Namespace and local name; both empty for a comment. etree.QName raises where a parser let a wrong name through (`<:a/>`)."""
    tag = element.tag
    if not isinstance(tag, str):
        return "", ""
    namespace, brace, local = tag.rpartition("}")
    return (namespace[1:], local) if brace else ("", tag)


def _name(element: Any, home: str) -> str:
    namespace, local = name_of(element)
    if namespace == home:
        return local
    prefix = _PREFIXES.get(namespace, element.prefix)
    return f"{prefix}:{local}" if prefix else local


def element_at(root: Any, path: str, attribute: str | None = None) -> tuple[Any, str | None]:
    """The element (and attribute) that a path as `path_of` writes it names; raises LookupError where there is none."""
    home = name_of(root)[0]
    steps = path.removesuffix("/text()").strip("/").split("/")
    if steps[-1].startswith("@"):
        attribute = steps.pop()[1:]
    current: Any = None
    for depth, step in enumerate(steps):
        match = _STEP.fullmatch(step)
        if match is None:
            raise LookupError(f"'{path}' is no path that we write")
        wanted = f"{match['prefix']}:{match['local']}" if match["prefix"] else match["local"]
        brothers = [root] if depth == 0 else list(current)
        named = [child for child in brothers if _name(child, home) == wanted]
        position = int(match["position"] or 1)
        if position > len(named):
            raise LookupError(f"there is no '{step}' in '{path}'")
        current = named[position - 1]
    return current, attribute


class Spots:
    """Start and end of every element of one document, found by one expat pass over its bytes."""

    def __init__(self, data: bytes, root: Any) -> None:
        self._data = data
        self._starts = array("q")
        self._ends = array("q")
        self._lines = array("q")
        self._codec = codec_of(data)
        self._ordinals = {element: ordinal for ordinal, element in enumerate(root.iter("*"))}
        self._positions: dict[Any, str] | None = None
        self._scan()

    def _scan(self) -> None:
        parser = expat.ParserCreate()
        starts, ends, lines = self._starts, self._ends, self._lines
        open_elements: list[int] = []

        def start(*_: object) -> None:
            open_elements.append(len(starts))
            starts.append(parser.CurrentByteIndex)
            lines.append(parser.CurrentLineNumber)
            ends.append(-1)

        def end(_: object) -> None:
            ends[open_elements.pop()] = parser.CurrentByteIndex

        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.Parse(self._data, True)

    @property
    def positions(self) -> dict[Any, str]:
        """`[2]` for every element that has brothers of its name."""
        if self._positions is None:
            self._positions = {}
            for parent in self._ordinals:
                brothers: dict[str, list[Any]] = {}
                for child in parent:
                    brothers.setdefault(child.tag, []).append(child)
                for group in brothers.values():
                    if len(group) > 1:
                        self._positions.update((child, f"[{position}]") for position, child in enumerate(group, 1))
        return self._positions

    def span_of(self, element: Any, attribute: str | None = None) -> Span:
        """Bytes of the element's text without the white space around it, or of its attribute's value. Raises LookupError for an element
        of another document."""
        ordinal = self._ordinals.get(element)
        if ordinal is None:
            raise LookupError("the element does not stand in this document")
        start, end, line = self._starts[ordinal], self._ends[ordinal], self._lines[ordinal]
        if len(element) and attribute is None:
            close = ">".encode(self._codec)
            return Span(start, self._data.find(close, end) + len(close) - start, line)
        # up to its first child, or to `</`; of an empty element expat names the place behind its tag
        text = self._data[start : self._starts[ordinal + 1] if len(element) else end].decode(self._codec)
        tag = _TAG_END.match(text)
        if tag is None:
            raise LookupError("the start tag of the element is not found")
        if attribute is not None:
            return self._attribute(text, tag.end(), attribute, start, line)
        first, last = tag.end(), len(text)
        inside = text[first:]
        leading = len(inside) - len(inside.lstrip())
        first, last = first + leading, first + leading + len(inside.strip())
        if inside.strip().startswith(_CDATA) and inside.strip().endswith(_CDATA_END) and inside.count(_CDATA) == 1:
            first, last = first + len(_CDATA), last - len(_CDATA_END)
        return self._span(text, first, last, start, line)

    def _attribute(self, text: str, tag_end: int, attribute: str, start: int, line: int) -> Span:
        for found in _ATTRIBUTE.finditer(text, 0, tag_end):
            if found[1] == attribute or found[1].rpartition(":")[2] == attribute:
                return self._span(text, found.start(2) + 1, found.end(2) - 1, start, line)
        raise LookupError(f"the element has no attribute '{attribute}'")

    def _span(self, text: str, first: int, last: int, start: int, line: int) -> Span:
        return Span(start + self._bytes(text[:first]), self._bytes(text[first:last]), line + text.count("\n", 0, first))

    def _bytes(self, text: str) -> int:
        return len(text.encode(self._codec))


def codec_of(data: bytes) -> str:
    """latin-1 stands for every encoding in which the characters of markup are one byte, so that a character is a byte."""
    if data.startswith((b"\xff\xfe", b"<\0")):
        return "utf-16-le"
    if data.startswith((b"\xfe\xff", b"\0<")):
        return "utf-16-be"
    return "latin-1"
