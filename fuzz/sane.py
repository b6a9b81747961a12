"""What holds for the events of any file, whatever stands in it."""

from collections.abc import Callable

from gateway.codecs.node import Event
from gateway.codecs.node import Span
from gateway.codecs.node import Transaction
from gateway.problem import Problem


def assert_sane(data: bytes, events: list[Event], locate: Callable[[Transaction, int, int], Span] | None) -> None:
    """Each place lies inside of the file, and what was read is what stands there."""
    for event in events:
        for problem in [event] if isinstance(event, Problem) else getattr(event, "problems", ()):
            assert problem.message
            assert problem.place.offset is None or 0 <= problem.place.offset <= len(data), problem
        if isinstance(event, Transaction) and locate is not None:
            assert data[event.offset : event.offset + len(event.raw)].decode("latin-1") == event.raw
            for index in range(1, len(event.segments) + 1):
                span = locate(event, index, 1)
                assert 0 <= span.offset <= span.offset + span.length <= len(data)
