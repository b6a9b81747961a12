"""Threads that send: partners whose servers hang hold up nobody but themselves."""

import statistics
import threading
import time
from collections import defaultdict

import pytest

from gateway.pipeline.outbound.senders import Senders
from tests.machine import PATIENCE


class Server:
    """Serves streams: those of `hanging` partners wait until they are let go."""

    def __init__(self, *hanging: str) -> None:
        self.hanging = set(hanging)
        self.let_go = threading.Event()
        self.served: list[str] = []
        self.at: dict[str, int] = defaultdict(int)
        self.most: dict[str, int] = defaultdict(int)
        self.two_in_one_stream = False
        self._streams: set[str] = set()
        self._guard = threading.Lock()

    def __call__(self, stream: str) -> None:
        partner = stream.split(":")[1]
        with self._guard:
            self.two_in_one_stream |= stream in self._streams
            self._streams.add(stream)
            self.at[partner] += 1
            self.most[partner] = max(self.most[partner], self.at[partner])
        if partner in self.hanging:
            self.let_go.wait(PATIENCE)
        with self._guard:
            self._streams.discard(stream)
            self.at[partner] -= 1
            self.served.append(stream)


def until(what, seconds: float = PATIENCE) -> bool:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


@pytest.fixture
def server():
    made = Server()
    yield made
    made.let_go.set()


def test_hanging_partners_take_their_share_and_the_others_go_on(server: Server) -> None:
    server.hanging = {f"bad{number}" for number in range(12)}
    senders = Senders(server)
    for partner in sorted(server.hanging):
        for box in ("a", "b", "c"):
            senders.start(f"out:{partner}:{box}")
    waits = []
    for number in range(20):
        began = time.monotonic()
        senders.start(f"out:good:{number}")
        assert until(lambda number=number: f"out:good:{number}" in server.served)
        waits.append(time.monotonic() - began)
    assert statistics.median(waits) < PATIENCE / 50, "who hangs does so for PATIENCE"
    assert {server.most[partner] for partner in server.hanging} == {2}, "the third stream of a partner waits"
    assert not senders.idle()
    server.let_go.set()
    assert senders.wait(PATIENCE)
    assert sorted(one for one in server.served if "bad" in one) == sorted(f"out:{partner}:{box}" for partner in server.hanging for box in "abc")


def test_more_hanging_partners_than_threads_leave_room_for_those_that_answered_before(server: Server) -> None:
    senders = Senders(server, busy=4, limit=12, slow=0.2)
    server.hanging = {f"bad{number}" for number in range(30)}
    for partner in sorted(server.hanging):
        senders.start(f"out:{partner}:box")
    # each of them hangs once, and is known for it then
    assert until(lambda: len(senders.under_way()) == 12)
    server.let_go.set()
    assert senders.wait(PATIENCE)
    server.let_go.clear()
    for partner in sorted(server.hanging):
        senders._slow.add(partner)
        senders.start(f"out:{partner}:box")
    began = time.monotonic()
    assert until(lambda: len(senders.under_way()) == 8), "the last four are kept for others"
    senders.start("out:good:box")
    assert until(lambda: "out:good:box" in server.served)
    assert time.monotonic() - began < PATIENCE / 2


def test_who_was_slow_once_is_served_again_also_by_one_thread(server: Server) -> None:
    for limit in (1, 4):
        server.served.clear()
        senders = Senders(server, busy=limit, limit=limit, slow=-1.0)  # everybody is slow
        for _ in range(3):
            senders.start("out:acme:box")
            senders.start("out:other:box")
            assert senders.wait(PATIENCE), f"{senders.under_way()} of {limit}"
        assert sorted(server.served) == ["out:acme:box"] * 3 + ["out:other:box"] * 3


def test_a_stream_is_served_by_one_thread_and_again_when_it_was_wanted_meanwhile(server: Server) -> None:
    server.hanging = {"acme"}
    senders = Senders(server)
    for _ in range(5):
        senders.start("out:acme:box")
    server.let_go.set()
    assert senders.wait(PATIENCE)
    assert server.served == ["out:acme:box"] * 2
    assert not server.two_in_one_stream


def test_many_streams_are_all_served_by_few_threads(server: Server) -> None:
    senders = Senders(server, busy=3)
    for number in range(500):
        senders.start(f"out:p{number % 50}:{number}")
    assert senders.wait(PATIENCE)
    assert sorted(server.served) == sorted(f"out:p{number % 50}:{number}" for number in range(500))
    assert max(server.most.values()) <= 2


def test_what_fails_ends_no_thread(server: Server) -> None:
    def failing(stream: str) -> None:
        server(stream)
        raise ValueError(stream)

    senders = Senders(failing, busy=1)
    for number in range(5):
        senders.start(f"out:acme:{number}")
    assert senders.wait(PATIENCE)
    assert len(server.served) == 5


def test_stopping_waits_for_what_is_under_way_and_names_what_hangs(server: Server) -> None:
    server.hanging = {"bad"}
    senders = Senders(server)
    senders.start("out:bad:box")
    senders.start("out:good:box")
    assert until(lambda: "out:good:box" in server.served)
    began = time.monotonic()
    assert senders.stop(time.monotonic() + 0.3) == ["out:bad:box"]
    assert 0.25 < time.monotonic() - began < PATIENCE / 2
    senders.start("out:late:box")
    server.let_go.set()
    assert senders.stop(time.monotonic() + PATIENCE) == []
    assert "out:late:box" not in server.served


def test_the_beat_goes_while_something_is_under_way(server: Server) -> None:
    server.hanging = {"acme"}
    beats = threading.Semaphore(0)

    def beat() -> None:
        beats.release()
        raise ValueError("a beat that fails is followed by another")

    senders = Senders(server, beat)
    senders.start("out:acme:box")
    assert beats.acquire(timeout=PATIENCE) and beats.acquire(timeout=PATIENCE)
    server.let_go.set()
    assert senders.wait(PATIENCE)
