"""Transactions to documents and back, by compiled mappings. Wrong data gives Problems; nothing here raises for what a file holds."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from gateway.codecs.node import Repeated
from gateway.codecs.node import Segment
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.mapping.compile_reading import CompiledReading
from gateway.mapping.reading import PartnerValues
from gateway.mapping.reading import Reading
from gateway.model.document import Document
from gateway.model.values import Source
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.schema.plan import Tree

if TYPE_CHECKING:
    # writing is loaded where something is written
    from gateway.mapping.compile_writing import CompiledWriting
    from gateway.mapping.writing import Writing

__all__ = ["PartnerValues", "to_document", "to_transaction"]

_EDIFACT = Syntax.EDIFACT


def to_document(
    transaction: Transaction, tree: Tree | None, reading: CompiledReading, header: Source, partner: PartnerValues
) -> tuple[Document | None, list[Problem]]:
    """The canonical document, or None where something that it must have is missing or wrong (then there is an error among the problems)."""
    document, state = run(transaction, tree, reading, header, partner)
    if state.problems and any(problem.severity is Severity.ERROR for problem in state.problems):
        document = None
    return document, state.problems


def run(transaction: Transaction, tree: Tree | None, reading: CompiledReading, header: Source, partner: PartnerValues) -> tuple[Any, Reading]:
    """The document as far as it goes, with the state of its reading (problems, and the trace of the explaining variant). Raises
    ValueError without the tree that checking builds, where the mapping reads one."""
    state = Reading(transaction, header, partner)
    if reading.plan.schema is None:
        return reading.run_for(transaction.root)(state, None, transaction.root), state
    if tree is None:
        raise ValueError(f"{reading.plan.spec} reads the tree that checking builds")
    _trim(transaction)
    return reading.run_for(None)(state, tree, tree[0]), state


def to_transaction(document: Document, writing: CompiledWriting, partner: PartnerValues) -> tuple[Any, list[Problem]]:
    """The body of a transaction as segments, or the root element of its XML; with what could not be written as it should."""
    body, state = run_writing(document, writing, partner)
    return body, state.problems


def run_writing(document: Document, writing: CompiledWriting, partner: PartnerValues) -> tuple[Any, Writing]:
    """The body with the state of its writing (problems, and the trace of the explaining variant). Raises ValueError for a document of another
    kind than the mapping writes."""
    if not isinstance(document, (writing.plan.struct, *writing.plan.also)):
        raise ValueError(f"{writing.plan.spec} writes a document of kind {writing.plan.document}, not {type(document).__name__}")
    from gateway.mapping.writing import Writing

    state = Writing(document, partner)
    return writing.run(state, document), state


def _trim(transaction: Transaction) -> None:
    """Blanks at the end of an element mean nothing (X12.6, ISO 9735). Few files have them; only those pay."""
    delimiters = transaction.delimiters
    if delimiters is None or " " not in transaction.raw:
        return
    raw = transaction.raw
    composite = transaction.syntax is _EDIFACT and f" {delimiters.component}" in raw
    if composite or f" {delimiters.element}" in raw or f" {delimiters.segment}" in raw:
        for segment in transaction.segments:
            _trim_segment(segment)


def _trim_segment(segment: Segment) -> None:
    for number, element in enumerate(segment):
        if type(element) is str:
            segment[number] = element.rstrip(" ")
        elif type(element) is Repeated:
            for inner in element:
                if isinstance(inner, list):
                    _trim_segment(inner)
        else:
            _trim_segment(element)
