"""The window that readers look through: linear whatever the chunks, flat in memory, right about lines and numbers."""

import time
import tracemalloc
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codecs import edifact
from gateway.codecs import x12
from gateway.codecs.node import Event
from gateway.codecs.node import Transaction
from gateway.codecs.window import Numbers
from gateway.codecs.window import Window
from gateway.problem import Problem
from tests.codecs.edi import EDIFACT
from tests.codecs.edi import GS
from tests.codecs.edi import ISA
from tests.codecs.edi import MESSAGE
from tests.codecs.edi import ORDER
from tests.codecs.edi import UNB
from tests.machine import is_quick


@given(st.lists(st.one_of(st.integers(0, 300).map(str), st.integers(0, 30).map(lambda one: f"{one:04}"), st.text(max_size=2))))
def test_a_number_is_new_once(numbers: list[str]) -> None:
    seen, ours = set(), Numbers()
    for number in numbers:
        assert ours.add(number) is (number not in seen)
        seen.add(number)


def test_runs_of_numbers_are_remembered_wherever_they_lie() -> None:
    ours = Numbers()
    starts = range(0, 200_000, 1000)
    assert all(ours.add(f"{start + offset:09}") for start in starts for offset in range(100))
    assert not any(ours.add(f"{start + offset:09}") for start in starts for offset in range(100))
    assert all(ours.add(f"{start + 500:09}") for start in starts)


def test_a_million_numbers_cost_no_memory() -> None:
    ours = Numbers()
    tracemalloc.start()
    for number in range(200_000):
        ours.add(f"{number:09}")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


def test_lines_are_counted_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.codecs.window.BLOCK", 16)
    text = "".join(f"line {number}\n" for number in range(1, 200))
    window = Window(iter([text.encode()]))
    for number in range(1, 200):
        distance = window.find(f"line {number}\n", 10_000)
        assert distance == 0
        assert window.line == number
        assert window.offset == text.index(f"line {number}\n")
        window.position += len(f"line {number}\n")


def test_small_blocks_give_the_same_events(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = [ORDER.replace("0001", f"{number:04}") for number in range(1, 30)]
    data = f"{ISA}{GS}{''.join(bodies)}GE*29*1~IEA*1*000000001~".replace("~", "~\n").encode()
    messages = "".join(MESSAGE.replace("UNH+1", f"UNH+{number}").replace("UNT+5+1", f"UNT+5+{number}") for number in range(1, 30))
    other = f"{UNB}\n{messages}\r\nUNZ+29+R1'{EDIFACT}".encode()
    expected = [repr(list(x12.read([data]))), repr(list(edifact.read([other])))]
    for block in (1, 7, 64, 1000):
        monkeypatch.setattr("gateway.codecs.window.BLOCK", block)
        assert [repr(list(x12.read([data]))), repr(list(edifact.read([other])))] == expected


def orders(count: int) -> Iterator[bytes]:
    yield f"{ISA}{GS}".encode()
    for number in range(1, count + 1):
        yield ORDER.replace("0001", f"{number:09}").encode()
    yield f"GE*{count}*1~IEA*1*000000001~".encode()


def messages(count: int) -> Iterator[bytes]:
    yield UNB.encode()
    for number in range(1, count + 1):
        yield MESSAGE.replace("UNH+1", f"UNH+{number}").replace("UNT+5+1", f"UNT+5+{number}").encode()
    yield f"UNZ+{count}+R1'".encode()


@pytest.mark.parametrize(("reader", "chunks"), [(x12.read, orders(15_000)), (edifact.read, messages(15_000))], ids=["x12", "edifact"])
def test_a_long_file_streams_flat_in_memory(reader: Callable[[Iterable[bytes]], Iterator[Event]], chunks: Iterator[bytes]) -> None:
    tracemalloc.start()
    count = 0
    for event in reader(chunks):
        count += isinstance(event, Transaction) and not event.problems
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 15_000
    assert peak < 6_000_000


def test_a_file_of_rubbish_does_not_tell_a_million_problems() -> None:
    for events in (
        x12.read([f"{ISA}{GS}{'SE*1*1~' * 5000}{ORDER}GE*1*1~IEA*1*000000001~".encode()]),
        edifact.read([UNB.encode() + b"UNT+1+1'" * 5000]),
    ):
        assert sum(isinstance(event, Problem) for event in events) == 1000


HOSTILE = {
    "no terminator": f"{ISA}GS*PO" + "*A" * 3_000_000,
    "only headers": f"{ISA}{GS}" + "ST*850*0001~" * 30_000,
    "no trailer": f"{ISA}{GS}ST*850*0001~" + "PO1*1*2*EA~" * 250_000,
    "one segment": f"{ISA}{GS}ST*850*0001~N3*" + "a" * 3_000_000,
    "terminators": ISA + "~" * 3_000_000,
    "blanks": ISA + " \n" * 3_000_000,
    "empty segments": f"{ISA}{GS}ST*850*0001~" + "~ " * 3_000_000,
    "many ISA": "ISA*" * 1_250_000,
    "ISA and junk": "ISA*00*" + "x" * 3_000_000,
    "misplaced": f"{ISA}" + "PO1*1~" * 300_000,
    "edifact headers": UNB + "UNH+1+ORDERS:D:96A:UN'" * 30_000,
    "edifact released": f"{UNB}UNH+1+ORDERS:D:96A:UN'FTX+" + "?'" * 3_000_000,
    "edifact releases": f"{UNB}UNH+1+ORDERS:D:96A:UN'FTX+" + "?" * 3_000_000 + "'UNT+3+1'",
    "edifact trailers": f"{UNB}UNH+1+ORDERS:D:96A:UN'" + "?'UNT+" * 250_000,
    "edifact no terminator": "UNB+UNOC:3+" + "a" * 3_000_000,
    "edifact junk": "UNB+UNOC:3'" + "UNA" * 1_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_cost_linear_time(name: str) -> None:
    data = HOSTILE[name].encode()
    reader = edifact.read if name.startswith("edifact") else x12.read
    begun = time.process_time()
    last: Event | None = None
    for event in reader(data[index : index + 5000] for index in range(0, len(data), 5000)):
        last = event
    assert last is not None
    assert is_quick(time.process_time() - begun, 20)
