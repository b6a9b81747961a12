"""What a writing mapping must fill, and what it may: found when it is loaded, not when the first document is refused.

Knows the schema and the values of a segment, no document.
"""

import re
from collections.abc import Iterator

from gateway.mapping.desk import Desk
from gateway.mapping.paths import opener
from gateway.mapping.plan import Constant
from gateway.mapping.plan import FieldPath
from gateway.mapping.plan import Leaf
from gateway.mapping.plan import Take
from gateway.mapping.plan import WriteComposite
from gateway.mapping.plan import WritePairs
from gateway.mapping.plan import WriteSegment
from gateway.schema.plan import ElementUse
from gateway.schema.plan import LoopUse
from gateway.schema.plan import SchemaPlan
from gateway.schema.plan import SegmentUse
from gateway.yaml_source import Node
from gateway.yaml_source import did_you_mean

#: what the envelope writes
_ENVELOPE = frozenset({"ST", "SE", "UNH", "UNT"})
#: kinds of elements that a field can never be written to
_NEVER = {
    "date": re.compile(r"R|N[0-9]|decimal|integer|boolean"),
    "datetime": re.compile(r"R|N[0-9]|decimal|integer|boolean"),
    "decimal": re.compile(r"DT|TM|a|date.*|boolean"),
    "integer": re.compile(r"DT|TM|a|date.*|boolean"),
    "boolean": re.compile(r"R|N[0-9]|DT|TM|decimal|integer|date.*"),
}
_SOUND = {
    "R": re.compile(r"-?[0-9]*\.?[0-9]+"),
    "N": re.compile(r"-?[0-9]+"),
    "DT": re.compile(r"[0-9]{6}(?:[0-9]{2})?"),
    "TM": re.compile(r"[0-9]{4,8}"),
}


def check_value(node: Node, leaf: Leaf, use: ElementUse, name: str, desk: Desk) -> None:
    """A value against the element that it is written to: a constant as a whole, a field by its kind."""
    if use.unused:
        desk.fault(node, f"{name} is unused in the schema as it is agreed here: nothing may stand there")
    if isinstance(leaf.origin, Constant) and leaf.table is None and not leaf.make:
        _check_constant(node, leaf.origin.text, use, name, desk)
    elif isinstance(leaf.origin, Take) and isinstance(leaf.origin.path, FieldPath) and not (leaf.table or leaf.make or leaf.cut or leaf.form):
        never = _NEVER.get(leaf.origin.path.shape.kind)
        if never is not None and never.fullmatch(use.type):
            desk.fault(node, f"'{leaf.origin.path.text}' is a {leaf.origin.path.shape.kind}, {name} ({use.name}) is of type {use.type}")


def _check_constant(node: Node, text: str, use: ElementUse, name: str, desk: Desk) -> None:
    if not text:
        return
    if use.codes is not None and text not in use.codes:
        desk.fault(node, f"'{text}' is no code of {name} ({use.name}){did_you_mean(text, use.codes)}")
    elif use.max and len(text) > use.max:
        desk.fault(node, f"'{text}' is {len(text)} characters long, {name} takes at most {use.max}")
    elif len(text) < use.min:
        desk.fault(node, f"'{text}' is {len(text)} characters long, {name} takes at least {use.min}")
    sound = _SOUND.get(use.type if use.type in _SOUND else use.type[:1] if re.fullmatch(r"N[0-9]", use.type) else "")
    if sound is not None and not sound.fullmatch(text):
        desk.fault(node, f"'{text}' is no value of {name} ({use.name}), which is of type {use.type}")


def check_filled(
    node: Node, use: SegmentUse, elements: tuple[tuple[int, Leaf | WriteComposite], ...], pairs: tuple[WritePairs, ...], level: bool, desk: Desk
) -> None:
    """What the schema wants in a segment and nothing fills."""
    assert desk.schema is not None
    filled = {position for position, _ in elements}
    for pair in pairs:
        filled |= set(range(pair.first, pair.last + 1))
    if level:
        # numbers and levels of HL and CPS are worked out
        filled |= {1, 2, 3, 4}
    for element in use.elements:
        if element.mandatory and not element.unused and element.position not in filled:
            desk.fault(node, f"nothing fills {_name(use, element, None, desk.schema)} ({element.name}), which must be written")
    for position, held in elements:
        if not isinstance(held, WriteComposite):
            continue
        there = {number for number, _ in held.parts}
        element = use.elements[position - 1]
        for part in element.components:
            if part.mandatory and part.position not in there and there:
                desk.fault(node, f"nothing fills {_name(use, element, part, desk.schema)} ({part.name}), which must be written")


def _name(use: SegmentUse, element: ElementUse, part: ElementUse | None, schema: SchemaPlan) -> str:
    if schema.layout is not None:
        return element.id
    if schema.syntax == "edifact":
        return f"{use.tag}/{element.id}/{part.id}" if part is not None else f"{use.tag}/{element.id}"
    return f"{use.tag}/{element.position:02}" + (f"/{part.position}" if part is not None else "")


def check_segments(node: Node, segments: tuple[WriteSegment, ...], desk: Desk) -> None:
    """Segments that the schema wants, in the transaction and in each loop that is written."""
    assert desk.schema is not None
    written = {id(segment.use) for segment in _all(segments)}
    for loop in _loops(desk.schema.root):
        if loop is not desk.schema.root and id(opener(loop)) not in written:
            continue
        for child in loop.children:
            wanted = opener(child) if isinstance(child, LoopUse) else child
            if (
                not child.mandatory
                or wanted.tag in _ENVELOPE
                or id(wanted) in written
                or (desk.schema.layout is not None and child is loop.children[0])
            ):
                continue
            if any(other.tag == wanted.tag for other in (segment.use for segment in _all(segments))):
                # it is written elsewhere: levels of HL are one loop in the schema and many in the mapping
                continue
            where = "" if loop is desk.schema.root else f" in loop {loop.name}"
            desk.fault(node, f"nothing writes {wanted.tag} ({wanted.name}){where}, which must be there")


def _all(segments: tuple[WriteSegment, ...]) -> Iterator[WriteSegment]:
    for segment in segments:
        yield segment
        yield from _all(segment.then)


def _loops(loop: LoopUse) -> Iterator[LoopUse]:
    yield loop
    for child in loop.children:
        if isinstance(child, LoopUse):
            yield from _loops(child)
