"""Hard ends of conversations: one thread for all of them, the nearest end first."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from gateway.transport.deadline import cut_off_after

LONG = 60.0


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(LONG)
        yield ours, theirs


def test_a_conversation_that_takes_too_long_is_cut_off(line: tuple[socket.socket, socket.socket]) -> None:
    with cut_off_after(0.05, lambda: line[0]) as late:
        assert line[0].recv(1) == b"", "the end of the stream"
        assert late()


def test_one_that_ends_in_time_is_left_alone(line: tuple[socket.socket, socket.socket]) -> None:
    with cut_off_after(0.01, lambda: None) as late:
        while not late():
            time.sleep(0.001)
    with cut_off_after(LONG, lambda: line[0]) as late:
        line[1].send(b"x")
        assert line[0].recv(1) == b"x" and not late()


def test_a_near_end_among_far_ones_comes_first_and_needs_no_thread_of_its_own(line: tuple[socket.socket, socket.socket]) -> None:
    before = time.monotonic()
    with ExitStack() as far:
        late_ones = [far.enter_context(cut_off_after(LONG, lambda: None)) for _ in range(50)]
        with cut_off_after(0.05, lambda: line[0]):
            assert line[0].recv(1) == b""
        assert not any(late() for late in late_ones)
        assert [thread.name for thread in threading.enumerate()].count("deadlines") == 1
    assert time.monotonic() - before < LONG / 2
