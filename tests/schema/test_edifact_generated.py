"""Messages made from the schemas themselves, at random: what a directory allows is never refused, and what it demands is missed."""

import random

import pytest

from gateway.config import default_resolver
from gateway.schema.apply import check
from gateway.schema.load import known_specs
from gateway.schema.plan import ElementUse
from gateway.schema.plan import LoopUse
from gateway.schema.plan import SegmentUse
from tests.schema.world import compiled
from tests.schema.world import transaction

SPECS = [spec for spec in known_specs(default_resolver()) if spec.startswith("edifact/")]
#: levels of a despatch advice, whose numbers say how they hang together
OTHERS_CHECK = ("EDIFACT-CPS",)


def _value(use: ElementUse) -> str:
    if use.codes:
        return sorted(use.codes)[0]
    return ("1" if use.type == "n" else "A") * max(1, use.min)


def _element(use: ElementUse) -> str:
    if not use.mandatory:
        return ""
    if not use.components:
        return _value(use)
    return ":".join(_value(part) if part.mandatory else "" for part in use.components).rstrip(":") or _value(use.components[0])


def _segment(use: SegmentUse) -> str:
    return "+".join([use.tag, *map(_element, use.elements)]).rstrip("+")


def _message(loop: LoopUse, chance: float, dice: random.Random, depth: int = 0) -> list[str]:
    """A message in the order of its directory: what is mandatory, and of the rest now this, now that, once or twice."""
    lines: list[str] = []
    for slot, child in enumerate(loop.children):
        if isinstance(child, SegmentUse) and child.tag in {"UNH", "UNT"}:
            continue
        opens = slot == 0 and depth > 0
        times = 0
        if opens or child.mandatory or dice.random() < chance:
            times = 1 if opens or child.max == 1 else dice.randint(1, 2)
        for _ in range(times):
            lines += [_segment(child)] if isinstance(child, SegmentUse) else _message(child, chance * 0.8, dice, depth + 1)
    return lines


def _problems(spec: str, lines: list[str]) -> list[str]:
    found = check(transaction(spec, lines), compiled(spec)).problems
    return [f"{problem.place.index} {problem.code} {problem.message}" for problem in found if not problem.code.startswith(OTHERS_CHECK)]


@pytest.mark.parametrize("spec", SPECS)
def test_what_a_directory_allows_is_never_refused(spec: str) -> None:
    dice = random.Random(spec)
    for chance in (0.15, 0.3, 0.5):
        lines = _message(compiled(spec).plan.root, chance, dice)
        if spec in {"edifact/d93a/delfor", "edifact/d96a/delfor"} and "NAD" in str(lines[lines.index("UNS+D") :]):
            continue  # by places or by items: the directory forbids both in one message
        assert _problems(spec, lines) == [], lines


@pytest.mark.parametrize("spec", SPECS)
def test_each_mandatory_segment_is_missed(spec: str) -> None:
    whole = _message(compiled(spec).plan.root, 0, random.Random(1))
    for at, line in enumerate(whole):
        if whole.count(line) == 1:
            assert _problems(spec, whole[:at] + whole[at + 1 :]) != [], line


def test_every_segment_of_every_message_is_generated_somewhere() -> None:
    spec = "edifact/d07a/orders"
    lines = _message(compiled(spec).plan.root, 3, random.Random(2))
    assert {line[:3] for line in lines} == set(compiled(spec).tags) - {"UNH", "UNT"}
