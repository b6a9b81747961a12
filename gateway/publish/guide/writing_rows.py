"""Chapters about what we send to a partner: the segments and elements that our mapping fills, and what from."""

from collections.abc import Iterator

from gateway.mapping.plan import All
from gateway.mapping.plan import Compute
from gateway.mapping.plan import Constant
from gateway.mapping.plan import Count
from gateway.mapping.plan import FieldPath
from gateway.mapping.plan import First
from gateway.mapping.plan import Join
from gateway.mapping.plan import Leaf
from gateway.mapping.plan import MappingPlan
from gateway.mapping.plan import Named
from gateway.mapping.plan import Sum
from gateway.mapping.plan import Take
from gateway.mapping.plan import WriteComposite
from gateway.mapping.plan import WriteElement
from gateway.mapping.plan import WriteSegment
from gateway.publish.guide.reading_rows import element_row
from gateway.publish.guide.reading_rows import maximum
from gateway.publish.guide.usage import Taken
from gateway.publish.guide.values import ElementRow
from gateway.publish.guide.values import PathRow
from gateway.publish.guide.values import SegmentRow
from gateway.schema.plan import ElementUse


def segment_rows(plan: MappingPlan) -> list[SegmentRow]:
    """The segments that we send, in their order."""
    return list(_rows(plan.segments, 0))


def path_rows(plan: MappingPlan) -> list[PathRow]:
    """The elements and attributes of the XML documents that we send."""
    rows: dict[str, Taken] = {}
    if plan.element is not None:
        _element_paths(plan.element, "", rows)
    return [PathRow(path=path, usage="sent", codes=tuple(taken.codes.items()), fields=tuple(taken.fields)) for path, taken in rows.items()]


def _rows(segments: tuple[WriteSegment, ...], depth: int) -> Iterator[SegmentRow]:
    for segment in segments:
        level = f"level {segment.level}" if segment.level else ""
        each = f"one for each of {segment.each.text}" if segment.each is not None else ""
        yield SegmentRow(
            depth=depth,
            tag=segment.use.tag,
            name=segment.use.name,
            usage="must" if segment.use.mandatory else "used",
            max=maximum(segment.use.max),
            opens=", ".join(part for part in (level, each) if part),
            elements=tuple(_elements(segment)),
            note=segment.use.note,
        )
        yield from _rows(segment.then, depth + 1)


def _elements(segment: WriteSegment) -> Iterator[ElementRow]:
    uses = {use.position: use for use in segment.use.elements}
    filled: dict[int, Leaf | WriteComposite] = dict(segment.elements)
    for pairs in segment.pairs:
        words = {code: word.replace("_", " ") for code, word in pairs.table.forward.items()}
        for position in range(pairs.first, min(pairs.first + 1, pairs.last) + 1):
            if position in uses:
                codes = words if position == pairs.first and pairs.composite is None else {}
                yield _row(segment, uses[position], Taken({pairs.path.text: None}, codes))
    for position, value in sorted(filled.items()):
        if position not in uses:
            continue
        if isinstance(value, Leaf):
            yield _row(segment, uses[position], _taken(value))
        else:
            yield _row(segment, uses[position], Taken())
            components = {component.position: component for component in uses[position].components}
            for part, leaf in value.parts:
                if part in components:
                    ref = f"{segment.use.tag}-{position:02d}-{part:02d}"
                    yield element_row(ref, components[part], _taken(leaf), component=True)


def _row(segment: WriteSegment, use: ElementUse, taken: Taken) -> ElementRow:
    return element_row(f"{segment.use.tag}-{use.position:02d}", use, taken)


def _taken(leaf: Leaf) -> Taken:
    """Fields and codes of a value that we write."""
    taken = Taken()
    _add(leaf, taken)
    return taken


def _add(leaf: Leaf, taken: Taken) -> None:
    origin = leaf.origin
    table = leaf.table.back() if leaf.table else {}
    for word, code in table.items():
        taken.codes.setdefault(code, word.replace("_", " "))
    if isinstance(origin, Take | Sum) and isinstance(origin.path, FieldPath):
        taken.fields[origin.path.text] = None
    elif isinstance(origin, Constant):
        taken.codes.setdefault(origin.text, "")
    elif isinstance(origin, Named):
        taken.fields[f"{origin.family}.{origin.name}" if origin.family and origin.name else origin.name or origin.family] = None
    elif isinstance(origin, Count):
        taken.fields[f"the number of {origin.tag or (origin.path.text if origin.path else 'items')}"] = None
    elif isinstance(origin, Compute):
        taken.fields["calculated"] = None
    elif isinstance(origin, First):
        for option in origin.options:
            _add(option, taken)
    elif isinstance(origin, Join | All):
        for part in origin.parts:
            _add(part, taken)
    if leaf.default is not None:
        taken.codes.setdefault(leaf.default, "where we know no other")


def _element_paths(element: WriteElement, base: str, rows: dict[str, Taken]) -> None:
    path = base if not element.tag else f"{base}/{element.tag}" if base else element.tag
    for attribute, leaf in element.attributes:
        _add(leaf, rows.setdefault(f"{path}/@{attribute}", Taken()))
    if element.text is not None:
        _add(element.text, rows.setdefault(path, Taken()))
    for child in element.children:
        _element_paths(child, path, rows)
