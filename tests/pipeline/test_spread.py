"""Waits between two tries are spread; the tests of those who wait ask `assert_spread` about their own."""

from collections.abc import Sequence

from gateway.pipeline.spread import SHARE
from gateway.pipeline.spread import spread
from gateway.pipeline.spread import within


def assert_spread(shares: Sequence[float]) -> None:
    """Waits, each as a share of the usual one: no two are the same, none is far off."""
    assert all(1 - SHARE - 0.001 <= share <= 1 + SHARE + 0.001 for share in shares), shares
    assert len({round(share, 5) for share in shares}) > len(shares) / 2, shares


def test_a_wait_is_a_fifth_longer_or_shorter_and_another_each_time() -> None:
    assert SHARE == 0.2
    shares = [spread(10) / 10 for _ in range(200)]
    assert_spread(shares)
    assert min(shares) < 0.9 and max(shares) > 1.1


def test_some_time_within_a_while() -> None:
    times = [within(30) for _ in range(200)]
    assert min(times) < 10 and max(times) > 20 and 0 <= min(times) <= max(times) <= 30
