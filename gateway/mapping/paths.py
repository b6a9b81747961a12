"""Paths into segments: `BEG/03`, `DTM[01=002]/02`, `N9/MSG/01`, `PRI/C509/5118`, `../03`, `/CUR/02`; resolved against the schema.

    /        begins at the whole transaction       ../   begins one scope outward
    (files in rows: a column by its name, behind the record where it is not the one at hand: order_no, line/quantity)
    TAG      a segment or loop that stands here; if none does, the nearest one deeper down
    [01=A|B] only where an element has one of these values; [01!=A] none of them; [01] anything
    03       an element by position, C509 a composite, 5118 an element or component by its number, 06..25 several
Knows the schema plan, not what is done with a value.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace

from gateway.mapping.plan import Hop
from gateway.mapping.plan import Route
from gateway.mapping.plan import SegmentPath
from gateway.mapping.plan import Spot
from gateway.mapping.plan import Test
from gateway.mapping.words import GROUP
from gateway.schema.plan import ElementUse
from gateway.schema.plan import LoopUse
from gateway.schema.plan import SchemaPlan
from gateway.schema.plan import SegmentUse
from gateway.yaml_source import Scalar
from gateway.yaml_source import did_you_mean

_STEP = re.compile(r"(?P<name>[A-Za-z0-9_]+(?:\.\.[0-9]+)?)(?P<tests>(?:\[[^\]]*\])*)")
_TEST = re.compile(r"\[(?P<spot>[A-Z0-9/]+|[a-z][a-z0-9_]*)(?:(?P<sign>!?=)(?P<values>[^\]]*))?\]")
_POSITION = re.compile(r"[0-9]{1,2}(?:\.\.[0-9]{1,2})?")
_NUMBER = re.compile(r"[0-9]{4}")
_COMPOSITE = re.compile(r"[CES][0-9]{3}")


class WrongPath(Exception):
    """What is wrong with a path, in one sentence."""


@dataclass(frozen=True, slots=True)
class SegmentScope:
    """Where a path begins: a loop, perhaps a segment in it, and the scope around."""

    schema: SchemaPlan
    loop: LoopUse
    segment: SegmentUse | None = None
    outer: "SegmentScope | None" = None
    #: several segments or loops that `group_by:` put together; the first of them is this one
    grouped: bool = False

    def up(self, count: int) -> "SegmentScope":
        """The scope `count` outward; -1 is the outermost. Raises WrongPath where there are not so many."""
        scope = self
        while count and scope.outer is not None:
            scope = scope.outer
            count -= 1
        if count > 0:
            raise WrongPath("`../` leads out of the transaction")
        return scope

    def inside(self, route: Route) -> "SegmentScope":
        """The scope that `each:` or `in:` opens."""
        return SegmentScope(self.schema, route.loop or self._holder(route), route.segment, self)

    def _holder(self, route: Route) -> LoopUse:
        loop = self.up(route.up).loop
        for hop in route.hops:
            child = loop.children[hop.slot]
            if isinstance(child, LoopUse):
                loop = child
        return loop


def opener(loop: LoopUse) -> SegmentUse:
    """The segment that opens a loop."""
    first = loop.children[0]
    assert isinstance(first, SegmentUse)
    return first


def resolve(scalar: Scalar, scope: SegmentScope, *, element: bool, text: str | None = None) -> SegmentPath:
    """The path of a scalar: to elements, or (`element` false) to segments and loops. Raises WrongPath."""
    text = scalar.text if text is None else text
    up, rest = _prefix(text)
    steps = _steps(rest)
    start = scope.up(up)
    names = [name for name, _ in steps]
    cut = len(names)
    if scope.schema.layout is not None:
        # files in rows: records have columns, and nothing is deeper
        cut -= element
    while scope.schema.layout is None and cut > 0 and _is_element(names[cut - 1], start):
        cut -= 1
    elements = names[cut:]
    if any(tests for _, tests in steps[cut:]):
        raise WrongPath("a qualifier stands behind a tag, as in DTM[01=002]/02")
    if names[0] == GROUP and not start.grouped:
        raise WrongPath("there is no group here: `group_by:` beside `each:` makes one")
    if element and not elements:
        raise WrongPath(f"'{text}' names no element: write {names[-1]}/01, or the number that you mean")
    if not element and elements:
        raise WrongPath(f"'{text}' names an element; a segment or loop is wanted here")
    grouped = cut > 0 and start.grouped and steps[0] == (GROUP, "")
    routes = _routes(steps[grouped:cut], start, up)
    if grouped:
        routes = tuple(replace(route, group=True) for route in routes)
    spots: tuple[Spot, ...] = ()
    if element:
        spots = tuple(spots_of(routes[0].segment, elements, scope.schema))
        # a base mapping may read what one partner never sends; only the partner's own line is in vain
        if scalar.document.file.startswith("partners/"):
            _check_used(routes[0].segment, spots, scope.schema)
    return SegmentPath(text, routes, spots, scalar.where)


def _check_used(segment: SegmentUse, spots: tuple[Spot, ...], schema: SchemaPlan) -> None:
    """An element that a partner's schema leaves unused never has anything."""
    elements = [segment.elements[spot.position - 1] for spot in spots]
    if all(use.unused or spot.use.unused for use, spot in zip(elements, spots, strict=True)):
        raise WrongPath(f"{segment.tag}/{spots[0].name} is unused in {schema.spec} as it is agreed here: nothing will ever stand there")


def _prefix(text: str) -> tuple[int, str]:
    if text.startswith("/"):
        return -1, text[1:]
    up = 0
    while text.startswith("../"):
        up += 1
        text = text[3:]
    return up, text


def _steps(text: str) -> list[tuple[str, str]]:
    answer = []
    position = 0
    while True:
        match = _STEP.match(text, position)
        if match is None:
            raise WrongPath(f"'{text}' is not a path: write TAG/01, TAG[01=AB]/02, LOOP/TAG/01")
        answer.append((match["name"], match["tests"]))
        position = match.end()
        if position == len(text):
            return answer
        if text[position] != "/":
            raise WrongPath(f"'{text}' is not a path: '{text[position:]}' is not understood")
        position += 1


def _is_element(name: str, scope: SegmentScope) -> bool:
    if _POSITION.fullmatch(name) or _NUMBER.fullmatch(name):
        return True
    return bool(_COMPOSITE.fullmatch(name)) and not any(True for _ in _uses(scope.loop, name))


def _routes(steps: list[tuple[str, str]], scope: SegmentScope, up: int) -> tuple[Route, ...]:
    if not steps:
        if scope.segment is None:
            raise WrongPath("no segment is open here: write TAG/01")
        return (Route(up, (), (), scope.segment),)
    name, tests = steps[0]
    if len(steps) == 1 and scope.segment is not None and scope.segment.tag == name:
        return (Route(up, (), _tests(tests, scope.segment, scope.schema), scope.segment),)
    found: list[tuple[tuple[Hop, ...], SegmentUse | LoopUse]] = [((), scope.loop)]
    for name, tests in steps:
        deeper: list[tuple[tuple[Hop, ...], SegmentUse | LoopUse]] = []
        for hops, use in found:
            if isinstance(use, SegmentUse):
                raise WrongPath(f"{use.tag} is a segment: no {name} stands under it")
            for more, child in _find(use, name, scope.schema):
                asked = child if isinstance(child, SegmentUse) else opener(child)
                last = more[-1]
                hop = Hop(last.slot, last.loop, last.many, _tests(tests, asked, scope.schema))
                deeper.append(((*hops, *more[:-1], hop), child))
        found = deeper
    return tuple(
        Route(up, hops, (), use if isinstance(use, SegmentUse) else opener(use), use if isinstance(use, LoopUse) else None) for hops, use in found
    )


def _uses(loop: LoopUse, name: str) -> Iterator[tuple[int, SegmentUse | LoopUse]]:
    """Children that a name means: segments by tag, loops by name or by the tag that opens them."""
    for slot, child in enumerate(loop.children):
        if isinstance(child, SegmentUse):
            if child.tag == name:
                yield slot, child
        elif name in (child.name, opener(child).tag):
            yield slot, child


def _hop(slot: int, child: SegmentUse | LoopUse) -> Hop:
    if isinstance(child, LoopUse):
        return Hop(slot, True, True)
    return Hop(slot, False, child.max != 1)


def _find(loop: LoopUse, name: str, schema: SchemaPlan) -> list[tuple[tuple[Hop, ...], SegmentUse | LoopUse]]:
    """Ways to a name from a loop: here, else in the nearest loops deeper down, where only one may have it."""
    here = [((_hop(slot, child),), child) for slot, child in _uses(loop, name)]
    if here:
        return list(here)
    level: list[tuple[tuple[Hop, ...], LoopUse]] = [((), loop)]
    while level:
        inner = [((*hops, _hop(slot, child)), child) for hops, use in level for slot, child in enumerate(use.children) if isinstance(child, LoopUse)]
        holders = [(hops, use) for hops, use in inner if any(True for _ in _uses(use, name))]
        if len(holders) > 1:
            ways = " or ".join(f"{use.name}/{name}" for _, use in holders[:6])
            raise WrongPath(f"{name} stands in several loops: write {ways}")
        if holders:
            hops, use = holders[0]
            return [((*hops, _hop(slot, child)), child) for slot, child in _uses(use, name)]
        level = inner
    here_is = f"in loop {loop.name}" if loop is not schema.root else f"in {schema.spec}"
    raise WrongPath(f"there is no {name} {here_is}{did_you_mean(name, sorted(_names(loop)))}")


def _names(loop: LoopUse) -> set[str]:
    answer = set()
    for child in loop.children:
        if isinstance(child, SegmentUse):
            answer.add(child.tag)
        else:
            answer |= {child.name} | _names(child)
    return answer


def _tests(text: str, segment: SegmentUse, schema: SchemaPlan) -> tuple[Test, ...]:
    answer = []
    position = 0
    while position < len(text):
        match = _TEST.match(text, position)
        if match is None:
            raise WrongPath(f"'{text[position:]}' is not a qualifier: write [01=AB], [01=AB|CD], [01!=AB] or [01]")
        spots = spots_of(segment, match["spot"].split("/"), schema)
        values = tuple(match["values"].split("|")) if match["sign"] else ()
        codes = spots[0].use.codes
        for value in values:
            if codes is not None and value not in codes:
                raise WrongPath(f"'{value}' is no code of {segment.tag}/{match['spot']}{did_you_mean(value, codes)}")
        answer.append(Test(spots[0], values, match["sign"] == "!="))
        position = match.end()
    return tuple(answer)


def spots_of(segment: SegmentUse, names: list[str], schema: SchemaPlan) -> list[Spot]:
    """The elements and components that `names` mean in a segment. Raises WrongPath where the schema lacks them."""
    name = names[0]
    elements = _numbered(segment, name, schema) if _POSITION.fullmatch(name) else [use for use in segment.elements if use.id == name]
    if schema.layout is not None and not elements:
        known_names = [use.id for use in segment.elements]
        guess = did_you_mean(name, known_names) or f"; there are {', '.join(known_names[:12])}"
        raise WrongPath(f"there is no column '{name}' in {schema.spec}{guess}")
    if len(names) > 2:
        raise WrongPath(f"'{'/'.join(names)}' goes deeper than element and component")
    if not elements and len(names) == 1:
        elements = _holding(segment, name)
        names = [elements[0].id, name] if elements else names
    if not elements:
        known = {use.id for use in segment.elements} | {part.id for use in segment.elements for part in use.components}
        raise WrongPath(f"there is no {name} in {segment.tag} of {schema.version}{did_you_mean(name, sorted(known))}")
    spots: list[Spot] = []
    for element in elements:
        if len(names) == 1:
            if element.components and schema.syntax == "edifact":
                raise WrongPath(f"{segment.tag}/{element.id} is a composite: name the component, as in {element.id}/{element.components[0].id}")
            spots.append(Spot(element.position, None, element, _spot_name(element, None, schema), element.repeat > 1))
        else:
            spots += [
                Spot(element.position, part.position, part, _spot_name(element, part, schema), element.repeat > 1)
                for part in _components(segment, element, names[1], schema)
            ]
    return spots


def _numbered(segment: SegmentUse, name: str, schema: SchemaPlan) -> list[ElementUse]:
    first, _, last = name.partition("..")
    wanted = range(int(first), int(last or first) + 1)
    count = len(segment.elements)
    wrong = next((number for number in wanted if not 1 <= number <= count), None)
    if wrong is not None:
        raise WrongPath(f"{segment.tag}/{wrong:02} does not exist: {segment.tag} has {count} element{'s' * (count != 1)} in {schema.version}")
    return [segment.elements[number - 1] for number in wanted]


def _holding(segment: SegmentUse, name: str) -> list[ElementUse]:
    """The composite that holds a component by its number; it may stand in the segment several times."""
    holders = [use for use in segment.elements if any(part.id == name for part in use.components)]
    different = sorted({use.id for use in holders})
    if len(different) > 1:
        raise WrongPath(f"{name} stands in several composites of {segment.tag}: write {' or '.join(f'{held}/{name}' for held in different)}")
    return holders


def _components(segment: SegmentUse, element: ElementUse, name: str, schema: SchemaPlan) -> list[ElementUse]:
    if not element.components:
        raise WrongPath(f"{segment.tag}/{element.position:02} has no components in {schema.version}")
    if _POSITION.fullmatch(name):
        first, _, last = name.partition("..")
        wanted = range(int(first), int(last or first) + 1)
        count = len(element.components)
        wrong = next((number for number in wanted if not 1 <= number <= count), None)
        if wrong is not None:
            raise WrongPath(f"{segment.tag}/{element.id}/{wrong:02} does not exist: {element.id} has {count} components in {schema.version}")
        return [element.components[number - 1] for number in wanted]
    found = [part for part in element.components if part.id == name]
    if not found:
        known = ", ".join(dict.fromkeys(part.id for part in element.components))
        raise WrongPath(f"there is no {name} in {element.id} of {schema.version} (it has {known})")
    return found


def _spot_name(element: ElementUse, part: ElementUse | None, schema: SchemaPlan) -> str:
    if schema.layout is not None:
        return element.id
    if schema.syntax == "edifact":
        return f"{element.id}/{part.id}" if part is not None else element.id
    return f"{element.position:02}/{part.position}" if part is not None else f"{element.position:02}"
