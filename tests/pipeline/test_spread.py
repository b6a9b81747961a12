"""Waits between two tries are spread; the tests of those who wait ask `assert_spread` about their own."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest

from gateway.pipeline.service import assembly
from gateway.pipeline.spread import SHARE
from gateway.pipeline.spread import spread
from gateway.pipeline.spread import within
from gateway.transport.box import TransportError
from tests.pipeline.world import World


def assert_spread(shares: Sequence[float]) -> None:
    """Waits, each as a share of the usual one: no two are the same, none is far off."""
    assert all(1 - SHARE - 0.003 <= share <= 1 + SHARE + 0.003 for share in shares), shares
    assert len({round(share, 5) for share in shares}) > len(shares) / 2, shares


def test_a_wait_is_a_fifth_longer_or_shorter_and_another_each_time() -> None:
    assert SHARE == 0.2
    shares = [spread(10) / 10 for _ in range(200)]
    assert_spread(shares)
    assert min(shares) < 0.9 and max(shares) > 1.1


def test_some_time_within_a_while() -> None:
    times = [within(30) for _ in range(200)]
    assert min(times) < 10 and max(times) > 20 and 0 <= min(times) <= max(times) <= 30


def test_mailboxes_that_fail_at_one_moment_are_not_looked_into_again_at_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path)
    now, tries = [0.0], [0]

    def fails(*_: object, **__: object) -> NoReturn:
        tries[0] += 1
        raise TransportError("the folder is away", retry=True)

    monkeypatch.setattr(assembly, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(assembly.fetching, "poll", fails)
    [looker] = assembly.lookers(world.station).values()
    waiting = [looker.make() for _ in range(20)]
    for look in waiting:
        look.once()
    shares: list[float] = []
    while len(shares) < 20:
        now[0] += 0.002
        for look in list(waiting):
            before = tries[0]
            look.once()
            if tries[0] > before:
                waiting.remove(look)
                shares.append(now[0] / assembly.BACK_OFF[0])
    assert_spread(shares)
    world.close()
