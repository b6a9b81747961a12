"""Waits that are a little different each time, so that what failed at one moment is not tried again at one moment."""

import random

#: a wait is longer or shorter by so much of it
SHARE = 0.2


def spread(seconds: float) -> float:
    """About so many seconds: a fifth more or less."""
    return seconds * random.uniform(1 - SHARE, 1 + SHARE)  # noqa: S311  spreads tries, guards nothing


def within(seconds: float) -> float:
    """Some time within so many seconds."""
    return random.uniform(0, seconds)  # noqa: S311  as above
