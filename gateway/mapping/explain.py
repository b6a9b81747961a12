"""Where each value came from: the provenance of CONTRACT.md, `--explain`, from the explaining variants of compiled mappings.

Reading: for each canonical field the segment element or XML node, with its bytes in the file. Writing: for each element the
canonical fields. Nothing is kept while documents flow; this runs on demand, from the archived bytes and plan.
"""

from typing import Any

from gateway.codecs.layout import ROW
from gateway.codecs.node import Span
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.mapping.apply import run
from gateway.mapping.apply import run_writing
from gateway.mapping.compile_reading import CompiledReading
from gateway.mapping.compile_writing import CompiledWriting
from gateway.mapping.reading import PartnerValues
from gateway.mapping.reading import locate
from gateway.model.document import Document
from gateway.model.values import Source
from gateway.model.values import Value
from gateway.schema.plan import LoopUse
from gateway.schema.plan import SchemaPlan
from gateway.schema.plan import SegmentUse
from gateway.schema.plan import Tree


class Origin(Value, frozen=True, kw_only=True):
    """One place that a value came from. `offset` and `length` are bytes of the value as sent, or as it is written; reading says nothing
    of them for a constant."""

    #: PO1/04, PRI/C509/5118, an XPath, or what a constant is: constant, partner.currency, position
    source: str
    offset: int | None = None
    length: int | None = None
    #: copied, converted, looked_up, joined, computed, constant
    how: str
    #: file:line of the mapping
    mapping: str
    #: XML: the node's own path
    path: str | None = None
    #: what the standard calls the element: Unit Price
    name: str | None = None


def provenance(
    transaction: Transaction, tree: Tree | None, reading: CompiledReading, header: Source, partner: PartnerValues
) -> dict[str, list[Origin]]:
    """For each canonical field that was filled, in the order of the document, where it came from."""
    assert reading.explain, "compile_reading(plan, explain=True)"
    document, state = run(transaction, tree, reading, header, partner)
    if document is None:
        return {}
    find = _XmlPlaces(transaction) if transaction.root is not None else _SegmentPlaces(transaction, reading.plan.schema)
    return {name: [find.origin(*told) for told in origins] for name, origins in state.trace.items() if origins}


def written_from(document: Document, writing: CompiledWriting, partner: PartnerValues, written: Transaction | None = None) -> dict[str, list[Origin]]:
    """For each element that was written (`PO1[2]/04`, an XPath) the canonical fields that it came from, and what it is called.

    `written` is the transaction as our own reader finds it in the bytes: with it each element has its place in them.
    """
    assert writing.explain, "compile_writing(plan, explain=True)"
    body, state = run_writing(document, writing, partner)
    names = _names_of(body)
    find = _WrittenPlaces(body, written) if written is not None else None
    called = ElementNames(writing.plan.schema)
    answer: dict[str, list[Origin]] = {}
    for carrier, name, origins, place in state.trace:
        held = names.get(id(carrier))
        if held is None:
            continue
        span = find.span(carrier, name, place) if find is not None else None
        title = called.of(carrier[0], *place) if place is not None else None
        answer[_written_name(held, name)] = [
            Origin(
                source=source or "constant",
                offset=span.offset if span else None,
                length=span.length if span else None,
                how=how,
                mapping=where,
                name=title,
            )
            for source, how, where in origins
        ]
    return answer


class ElementNames:
    """What the standard calls an element or a component."""

    def __init__(self, schema: SchemaPlan | None) -> None:
        self.segments: dict[str, SegmentUse] = {}
        if schema is not None:
            self._add(schema.root)

    def _add(self, loop: LoopUse) -> None:
        for child in loop.children:
            if isinstance(child, SegmentUse):
                self.segments.setdefault(child.tag, child)
            else:
                self._add(child)

    def of(self, tag: str, position: int, component: int | None) -> str | None:
        """None where the schema has no such element."""
        segment = self.segments.get(tag)
        if segment is None or not 0 < position <= len(segment.elements):
            return None
        element = segment.elements[position - 1]
        if component is not None and 0 < component <= len(element.components):
            element = element.components[component - 1]
        return element.name or None


class _WrittenPlaces:
    """Where the parts of a body lie in the bytes: the reader's segments or nodes are those of the body, one by one."""

    def __init__(self, body: Any, written: Transaction) -> None:
        self.written = written
        if isinstance(body, list):
            # behind ST or UNH
            self.index = {id(segment): number for number, segment in enumerate(body, start=2)}
            self.nodes: dict[int, Any] = {}
        else:
            self.index = {}
            self.nodes = {id(element): node for element, node in zip(body.iter(), written.root.iter(), strict=False)}

    def span(self, carrier: Any, name: str | None, place: tuple[int, int | None] | None) -> Span | None:
        """None where it cannot be told."""
        if place is not None:
            return locate(self.written, self.index[id(carrier)], *place) if id(carrier) in self.index else None
        node = self.nodes.get(id(carrier))
        if node is None:
            return None
        from gateway.codecs import xml

        return xml.locate(self.written, node, name)


class _SegmentPlaces:
    """Offsets of elements; segments are found by identity."""

    def __init__(self, transaction: Transaction, schema: SchemaPlan | None) -> None:
        self.transaction = transaction
        self.names = ElementNames(schema)
        self.index = {id(segment): number for number, segment in enumerate(transaction.segments, start=1)}

    def origin(self, carrier: Any, position: int | None, component: int | None, name: str, how: str, where: str) -> Origin:
        index = self.index.get(id(carrier)) if carrier is not None else None
        if index is None or position is None:
            return Origin(source=name, how=how, mapping=where)
        # a simple EDIFACT element is its own only component
        span = locate(self.transaction, index, position, component)
        source = name if carrier[0] == ROW else f"{carrier[0]}/{name}"
        called = self.names.of(carrier[0], position, component)
        return Origin(source=source, offset=span.offset, length=span.length, how=how, mapping=where, name=called)


class _XmlPlaces:
    """Offsets and paths of XML nodes."""

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction

    def origin(self, carrier: Any, position: int | None, component: int | None, name: str | None, how: str, where: str) -> Origin:
        if carrier is None:
            return Origin(source=name or "constant", how=how, mapping=where)
        if self.transaction.syntax is Syntax.JSON:
            return self._in_json(carrier, how, where)
        from gateway.codecs import xml

        span = xml.locate(self.transaction, carrier, name)
        path = xml.path_in(self.transaction, carrier, name)
        return Origin(source=_plain_path(path), offset=span.offset, length=span.length, how=how, mapping=where, path=path)

    def _in_json(self, carrier: Any, how: str, where: str) -> Origin:
        from gateway.codecs import json

        span, path = json.locate(self.transaction, carrier), json.path_of(carrier)
        return Origin(source=_plain_path(path), offset=span.offset, length=span.length, how=how, mapping=where, path=path)


def _plain_path(path: str) -> str:
    """An XPath without its counts: what the value is, not which of them."""
    return "".join(part.partition("]")[2] if number else part for number, part in enumerate(path.split("[")))


def _names_of(body: Any) -> dict[int, str]:
    """What stands in the body by identity: `PO1[2]`, or an XPath."""
    if not isinstance(body, list):
        tree = body.getroottree()
        return {id(element): tree.getpath(element) for element in _kept(body)}
    counts: dict[str, int] = {}
    answer = {}
    for segment in body:
        counts[segment[0]] = counts.get(segment[0], 0) + 1
        answer[id(segment)] = f"{segment[0]}[{counts[segment[0]]}]"
    return answer


def _kept(root: Any) -> list[Any]:
    return list(root.iter())


def _written_name(written: str, name: str | None) -> str:
    if written.startswith("/"):
        return f"{written}/@{name}" if name else written
    return f"{written}/{name}"
