"""Chapters about what a partner sends us: the schema in force, with what our mapping takes from it."""

from collections.abc import Iterator

from gateway.publish.guide.usage import Taken
from gateway.publish.guide.usage import Usage
from gateway.publish.guide.usage import Way
from gateway.publish.guide.values import ElementRow
from gateway.publish.guide.values import PathRow
from gateway.publish.guide.values import SegmentRow
from gateway.schema.plan import Condition
from gateway.schema.plan import ElementUse
from gateway.schema.plan import LoopUse
from gateway.schema.plan import SchemaPlan
from gateway.schema.plan import SegmentUse

#: header and trailer are told with the envelope
_AROUND = {"ST", "SE", "UNH", "UNT"}
_CONDITIONS = {
    "P": "{names}: all of them or none",
    "R": "{names}: at least one of them",
    "E": "{names}: at most one of them",
    "C": "where {first} is sent, {rest} must be sent too",
    "L": "where {first} is sent, at least one of {rest} must be sent too",
}


def segment_rows(schema: SchemaPlan, usage: Usage) -> list[SegmentRow]:
    """The segments in use, in their order: those that must be there and those that we look at."""
    return list(_loop_rows(schema.root, (), usage, 0))


def ignored_tags(schema: SchemaPlan, usage: Usage) -> list[str]:
    """Tags that may be sent and that we never look at."""
    used = {row.tag for row in segment_rows(schema, usage)}
    return sorted(set(_tags(schema.root)) - used - _AROUND)


def path_rows(usage: Usage) -> list[PathRow]:
    """The elements and attributes of an XML document that we look at."""
    rows = []
    for path, taken in usage.paths.items():
        if taken.fields or taken.codes:
            rows.append(PathRow(path=path, usage="used", codes=tuple(taken.codes.items()), fields=tuple(taken.fields)))
    return rows


def _tags(loop: LoopUse) -> Iterator[str]:
    for child in loop.children:
        if isinstance(child, LoopUse):
            yield from _tags(child)
        else:
            yield child.tag


def _loop_rows(loop: LoopUse, way: Way, usage: Usage, depth: int) -> Iterator[SegmentRow]:
    for slot, child in enumerate(loop.children):
        here = (*way, slot)
        if isinstance(child, LoopUse):
            if child.mandatory or any(other[: len(here)] == here for other in usage.segments):
                rows = list(_loop_rows(child, here, usage, depth + 1))
                yield from _opened(rows, child)
        elif child.tag not in _AROUND and (child.mandatory and (not way or slot == 0 or depth) or here in usage.segments or (way and slot == 0)):
            yield _row(child, usage.segments.get(here, {}), depth)


def _opened(rows: list[SegmentRow], loop: LoopUse) -> Iterator[SegmentRow]:
    """The first row of a loop says that it opens it."""
    for place, row in enumerate(rows):
        if place == 0:
            usage = row.usage if loop.mandatory else "used" if row.usage == "must" else row.usage
            values = {name: getattr(row, name) for name in row.__dataclass_fields__}
            yield SegmentRow(**{**values, "opens": loop.name, "opens_max": maximum(loop.max), "usage": usage})
        else:
            yield row


def maximum(value: int | None) -> str:
    """How often, in words."""
    return "any number of times" if value is None else "once" if value == 1 else f"up to {value} times"


def _row(use: SegmentUse, taken: dict[tuple[int, int | None], Taken], depth: int) -> SegmentRow:
    elements: list[ElementRow] = []
    for element in use.elements:
        elements += _element_rows(use.tag, element, taken)
    return SegmentRow(
        depth=depth,
        tag=use.tag,
        name=use.name,
        usage="must" if use.mandatory else "used",
        max=maximum(use.max),
        elements=tuple(elements),
        conditions=tuple(condition_words(use.tag, condition) for condition in use.conditions if _concerns(condition, elements, use.tag)),
        note=use.note,
    )


def _concerns(condition: Condition, rows: list[ElementRow], tag: str) -> bool:
    """Whether a partner that sends only what is in use could break it."""
    shown = {row.ref for row in rows}
    return any(f"{tag}-{position:02d}" in shown for position in condition.positions)


def condition_words(tag: str, condition: Condition) -> str:
    """A relational condition as a sentence."""
    names = [f"{tag}-{position:02d}" for position in condition.positions]
    return _CONDITIONS[condition.kind].format(names=", ".join(names), first=names[0], rest=" and ".join(names[1:]))


def _element_rows(tag: str, element: ElementUse, taken: dict[tuple[int, int | None], Taken]) -> Iterator[ElementRow]:
    ref = f"{tag}-{element.position:02d}"
    whole = taken.get((element.position, None))
    if not element.components:
        if whole is not None or element.mandatory or element.note:
            yield element_row(ref, element, whole)
        return
    parts = {part: here for (position, part), here in taken.items() if position == element.position and part is not None}
    if not parts and whole is None and not element.mandatory:
        return
    yield element_row(ref, element, whole)
    for component in element.components:
        here = parts.get(component.position)
        if here is not None or component.mandatory or component.note:
            yield element_row(f"{ref}-{component.position:02d}", component, here, component=True)


def element_row(ref: str, use: ElementUse, taken: Taken | None, *, component: bool = False) -> ElementRow:
    """One element with what is known of it: codes that we know by their meaning, or those that the schema lists."""
    codes = dict(taken.codes) if taken else {}
    if use.codes is not None:
        codes = (
            {code: codes.get(code, "") for code in sorted(use.codes)}
            if len(use.codes) < 60 or not codes
            else {c: w for c, w in codes.items() if c in use.codes}
        )
    return ElementRow(
        ref=ref,
        id=use.id,
        name=use.name,
        usage="must" if use.mandatory else "used",
        type="" if use.type == "composite" else use.type,
        length=""
        if use.type == "composite"
        else str(use.max)
        if use.min == use.max
        else f"{use.min}..{use.max}"
        if use.min > 1
        else f"up to {use.max}",
        repeat=use.repeat,
        codes=tuple(codes.items()),
        fields=tuple(taken.fields) if taken else (),
        note=use.note,
        component=component,
    )
