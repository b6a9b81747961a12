"""A transaction as people read it: each segment and element under its name from the schema plan, codes with their meaning.

The schema is the one that the document type has today; a document's own plan is what judged it and stays with it.
"""

from dataclasses import dataclass
from typing import Any

from gateway.codecs.node import Repeated
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.exchange.partner import LoadedPartner
from gateway.pipeline.plans import Plans
from gateway.pipeline.plans import spec_of
from gateway.schema.apply import check
from gateway.schema.compile import CompiledSchema
from gateway.schema.compile import compile_schema
from gateway.schema.load import load_schema
from gateway.schema.plan import ElementUse
from gateway.schema.plan import LoopUse
from gateway.schema.plan import SegmentUse
from gateway.schema.plan import Tree
from gateway.web.meanings import Meanings
from gateway.yaml_source import Faults


@dataclass(frozen=True, slots=True)
class Value:
    """One element or component: its place, name, value as sent, and what it means."""

    number: int
    place: str
    name: str
    text: str
    meaning: str = ""
    problems: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment under its name; `depth` is how many loops it stands in, `opens` the loop that it opens."""

    index: int
    tag: str
    name: str
    depth: int
    opens: str
    values: tuple[Value, ...]
    problems: tuple[int, ...] = ()


class Descriptions:
    """Schemas and words to read transactions by, loaded once a process."""

    def __init__(self, plans: Plans) -> None:
        self.plans = plans
        self._schemas: dict[tuple[str, str], CompiledSchema | None] = {}
        self._meanings: dict[str, Meanings] = {}

    def schema_of(self, transaction: Transaction, loaded: LoadedPartner | None) -> CompiledSchema | None:
        """The schema to name things by: the partner's, else the base one, else that of the nearest version; None where we have none."""
        spec = self.plans.nearest(spec_of(transaction))
        if spec is None or self.plans.resolver.text_of(f"schemas/{spec}.yaml") is None:
            return None
        overlay = loaded.schemas.get(spec) if loaded else None
        key = (spec, loaded.digest if loaded is not None and overlay is not None else "")
        if key not in self._schemas:
            try:
                self._schemas[key] = compile_schema(load_schema(spec, self.plans.resolver, overlay))
            except Faults:
                # lint says what is wrong with it; the page shows the bytes
                self._schemas[key] = None
        return self._schemas[key]

    def meanings_of(self, syntax: str) -> Meanings:
        """The words of a syntax's codes."""
        if syntax not in self._meanings:
            self._meanings[syntax] = Meanings(syntax, self.plans.resolver)
        return self._meanings[syntax]


Problems = dict[int | None, list[int]]


def read_segments(
    transaction: Transaction, descriptions: Descriptions, loaded: LoadedPartner | None, problems: dict[int, Problems], first: int, most: int
) -> list[Segment]:
    """Segments `first` and following (from 1), at most so many; empty where we have no schema."""
    compiled = descriptions.schema_of(transaction, loaded)
    if compiled is None:
        return []
    found: dict[int, tuple[SegmentUse, int, str]] = {}
    _walk(compiled.plan.root, check(transaction, compiled).tree, 0, "", found)
    meanings = descriptions.meanings_of(transaction.syntax.value)
    answer = []
    for index in range(first, min(len(transaction.segments), first + most - 1) + 1):
        segment = transaction.segments[index - 1]
        use, depth, opens = found.get(id(segment), (None, 0, ""))
        here = problems.get(index, {})
        told = tuple(number for numbers in here.values() for number in numbers)
        name = use.name if use is not None else "has no place in this transaction"
        answer.append(Segment(index, segment[0], name, depth, opens, tuple(_values(transaction, segment, use, meanings, here)), told))
    return answer


def _walk(loop: LoopUse, tree: Tree, depth: int, opens: str, found: dict[int, tuple[SegmentUse, int, str]]) -> None:
    for position, (child, held) in enumerate(zip(loop.children, tree, strict=True)):
        if not held:
            continue
        label = opens if position == 0 else ""
        if isinstance(child, LoopUse):
            assert isinstance(held, list)
            for inner in held:
                _walk(child, inner, depth + 1, child.name, found)
        elif child.max == 1:
            found[id(held)] = (child, depth, label)
        else:
            assert isinstance(held, list)
            for one in held:
                found[id(one)] = (child, depth, label)


def _values(transaction: Transaction, segment: list[Any], use: SegmentUse | None, meanings: Meanings, problems: Problems) -> list[Value]:
    answer: list[Value] = []
    delimiters = transaction.delimiters
    for number, value in enumerate(segment[1:], start=1):
        element = use.elements[number - 1] if use is not None and number <= len(use.elements) else None
        told = tuple(problems.get(number, ()))
        if transaction.syntax is Syntax.EDIFACT:
            parts = [part for one in (value if isinstance(value, Repeated) else [value]) for part in ([one] if isinstance(one, str) else one)]
        elif element is not None and element.components and delimiters is not None and delimiters.component:
            parts = value.split(delimiters.component)
        else:
            parts = [value]
        if len(parts) == 1 or element is None or not element.components:
            simple = element.components[0] if element is not None and element.components else element
            text = " ".join(parts) if len(parts) > 1 else parts[0]
            if text.strip() or told:
                answer.append(_value(number, f"{number:02d}", simple or element, text, meanings, told, (segment, 0)))
            continue
        for order, part in enumerate(parts):
            component = element.components[order] if order < len(element.components) else None
            if part.strip() or (told and order == 0):
                answer.append(_value(number, f"{number:02d}.{order + 1}", component, part, meanings, told if order == 0 else (), (parts, order)))
    return answer


def _value(
    number: int, place: str, use: ElementUse | None, text: str, meanings: Meanings, told: tuple[int, ...], around: tuple[list[Any], int]
) -> Value:
    name = use.name if use is not None else "not in the schema"
    meaning = ""
    if use is not None:
        meaning = meanings.of(use.id, text) or _date(use, text, around)
    return Value(number, place, name, text, meaning, told)


def _date(use: ElementUse, text: str, around: tuple[list[Any], int]) -> str:
    """A date that is written without hyphens, with them."""
    parts, order = around
    is_date = use.type == "DT" or (use.id == "2380" and order + 1 < len(parts) and parts[order + 1] == "102")
    if is_date and len(text) == 8 and text.isdigit():
        return f"{text[:4]}-{text[4:6]}-{text[6:]}"
    return ""
