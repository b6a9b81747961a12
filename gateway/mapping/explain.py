"""Where each value came from: the provenance of CONTRACT.md, `--explain`, from the explaining variants of compiled mappings.

Reading: for each canonical field the segment element or XML node, with its bytes in the file. Writing: for each element the
canonical fields. Nothing is kept while documents flow; this runs on demand, from the archived bytes and plan.
"""

from typing import Any

from gateway.codecs.layout import ROW
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
from gateway.schema.plan import Tree


class Origin(Value, frozen=True, kw_only=True):
    """One place that a value came from. `offset` and `length` are bytes of the value as sent; nothing for a constant."""

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


def provenance(
    transaction: Transaction, tree: Tree | None, reading: CompiledReading, header: Source, partner: PartnerValues
) -> dict[str, list[Origin]]:
    """For each canonical field that was filled, in the order of the document, where it came from."""
    assert reading.explain, "compile_reading(plan, explain=True)"
    document, state = run(transaction, tree, reading, header, partner)
    if document is None:
        return {}
    find = _XmlPlaces(transaction) if transaction.root is not None else _SegmentPlaces(transaction)
    return {name: [find.origin(*told) for told in origins] for name, origins in state.trace.items() if origins}


def written_from(document: Document, writing: CompiledWriting, partner: PartnerValues) -> dict[str, list[Origin]]:
    """For each element that was written (`PO1[2]/04`, an XPath) the canonical fields that it came from."""
    assert writing.explain, "compile_writing(plan, explain=True)"
    body, state = run_writing(document, writing, partner)
    names = _names_of(body)
    answer: dict[str, list[Origin]] = {}
    for carrier, name, origins in state.trace:
        written = names.get(id(carrier))
        if written is not None:
            key = _written_name(written, name)
            answer[key] = [Origin(source=source or "constant", how=how, mapping=where) for source, how, where in origins]
    return answer


class _SegmentPlaces:
    """Offsets of elements; segments are found by identity."""

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction
        self.index = {id(segment): number for number, segment in enumerate(transaction.segments, start=1)}

    def origin(self, carrier: Any, position: int | None, component: int | None, name: str, how: str, where: str) -> Origin:
        index = self.index.get(id(carrier)) if carrier is not None else None
        if index is None or position is None:
            return Origin(source=name, how=how, mapping=where)
        # a simple EDIFACT element is its own only component
        span = locate(self.transaction, index, position, component)
        source = name if carrier[0] == ROW else f"{carrier[0]}/{name}"
        return Origin(source=source, offset=span.offset, length=span.length, how=how, mapping=where)


class _XmlPlaces:
    """Offsets and paths of XML nodes."""

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction

    def origin(self, carrier: Any, position: int | None, component: int | None, name: str | None, how: str, where: str) -> Origin:
        if carrier is None:
            return Origin(source=name or "constant", how=how, mapping=where)
        from gateway.codecs import xml

        span = xml.locate(self.transaction, carrier, name)
        path = xml.path_in(self.transaction, carrier, name)
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
