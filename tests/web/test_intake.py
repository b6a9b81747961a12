"""Requests that wait to be taken in: alone at once, in company together, and nobody for ever behind a slow one."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from gateway.web.intake import MOST
from gateway.web.intake import Intake


class Taking:
    """Takes numbers in; `gate` closed holds whoever is in the first batch."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.entered = threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[str | Exception]:
        first = not self.batches
        self.batches.append(list(numbers))
        self.entered.set()
        if first:
            assert self.gate.wait(30)
        return [ValueError(str(number)) if number < 0 else f"taken {number}" for number in numbers]


async def _after_the_first(taking: Taking, intake: Intake[int, str], numbers: Sequence[int]) -> list[str | BaseException]:
    """The first number is at work while the others come; then the gate opens."""
    first = asyncio.ensure_future(intake.take(numbers[0]))
    while not taking.entered.is_set():
        await asyncio.sleep(0.001)
    others = [asyncio.ensure_future(intake.take(number)) for number in numbers[1:]]
    await asyncio.sleep(0)
    taking.gate.set()
    return await asyncio.gather(first, *others, return_exceptions=True)


def test_whoever_comes_alone_is_taken_in_at_once() -> None:
    taking = Taking()
    taking.gate.set()
    intake = Intake("test", taking)

    async def one_after_the_other() -> list[str]:
        return [await intake.take(number) for number in range(3)]

    assert asyncio.run(one_after_the_other()) == ["taken 0", "taken 1", "taken 2"]
    assert taking.batches == [[0], [1], [2]]


def test_those_that_come_meanwhile_are_taken_in_together_and_told_for_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.web.intake.PATIENCE", 60.0)
    taking = Taking()
    told = asyncio.run(_after_the_first(taking, Intake("test", taking), [0, *range(1, MOST), -1, 99]))
    assert taking.batches == [[0], [*range(1, MOST), -1], [99]]
    assert told[0] == "taken 0" and told[-1] == "taken 99" and isinstance(told[-2], ValueError)


def test_nobody_waits_for_ever_behind_a_slow_one() -> None:
    taking = Taking()
    intake = Intake("test", taking)

    async def quick_behind_slow() -> tuple[str, str]:
        slow = asyncio.ensure_future(intake.take(0))
        while not taking.entered.is_set():
            await asyncio.sleep(0.001)
        quick = await asyncio.wait_for(intake.take(1), 30)
        taking.gate.set()
        return quick, await slow

    assert asyncio.run(quick_behind_slow()) == ("taken 1", "taken 0")


def test_what_fails_as_a_whole_is_told_to_everybody() -> None:
    def failing(numbers: Sequence[int]) -> list[str | Exception]:
        raise OSError("the disk is full")

    async def both() -> list[str | BaseException]:
        intake: Intake[int, str] = Intake("test", failing)
        return await asyncio.gather(intake.take(1), intake.take(2), return_exceptions=True)

    assert [str(error) for error in asyncio.run(both())] == ["the disk is full"] * 2
