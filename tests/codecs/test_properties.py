"""Whatever comes in, nothing but events comes out: no exception, each place inside of the file, the same for all chunks; and what we write we read."""

import os
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gateway.codecs import choose
from gateway.codecs import edifact
from gateway.codecs import x12
from gateway.codecs import xml
from gateway.codecs.node import Delimiters
from gateway.codecs.node import Event
from gateway.codecs.node import GroupEnd
from gateway.codecs.node import GroupStart
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.problem import Problem
from tests.codecs.edi import GS
from tests.codecs.edi import ISA
from tests.codecs.edi import UNB
from tests.codecs.edi import problems
from tests.codecs.edi import transactions
from tests.codecs.strategies import EDIFACT_DELIMITERS
from tests.codecs.strategies import FILES
from tests.codecs.strategies import X12_DELIMITERS
from tests.codecs.strategies import any_bytes
from tests.codecs.strategies import edifact_segments
from tests.codecs.strategies import mutated
from tests.codecs.strategies import pieces
from tests.codecs.strategies import x12_segments

Reader = Callable[[Iterable[bytes]], Iterator[Event]]
READERS: list[Reader] = [x12.read, edifact.read, xml.read, lambda chunks: choose.read(chunks)[1]]
#: GATEWAY_EXAMPLES=5000 looks further, each time elsewhere
EXAMPLES = os.environ.get("GATEWAY_EXAMPLES")
QUICK = settings(max_examples=int(EXAMPLES or 80), deadline=None, derandomize=not EXAMPLES, database=None, suppress_health_check=list(HealthCheck))


def assert_sane(data: bytes, events: list[Event]) -> None:
    """Envelopes open and close in their order, and each place lies inside of the file."""
    is_open = group_open = False
    for event in events:
        if isinstance(event, InterchangeStart):
            assert not is_open
            is_open = True
        elif isinstance(event, InterchangeEnd):
            assert is_open
            assert not group_open
            is_open = False
        elif isinstance(event, GroupStart):
            assert is_open
            assert not group_open
            group_open = True
        elif isinstance(event, GroupEnd):
            assert group_open
            group_open = False
        else:
            assert isinstance(event, Transaction | Problem)
            assert is_open or isinstance(event, Problem)
    assert not is_open
    for problem in problems(events):
        assert problem.message
        place = problem.place
        assert place.offset is None or 0 <= place.offset <= len(data)
        assert place.length is None or place.offset is None or place.offset + place.length <= len(data)
        assert place.line is None or 1 <= place.line <= data.count(b"\n") + data.count(b"\r") + 1
    for transaction in transactions(events):
        if transaction.syntax in {Syntax.X12, Syntax.EDIFACT}:
            codec = x12 if transaction.syntax is Syntax.X12 else edifact
            assert data[transaction.offset : transaction.offset + len(transaction.raw)].decode("latin-1") == transaction.raw
            for index in range(len(transaction.segments) + 2):
                for element in (None, 0, 1, 99):
                    span = codec.locate(transaction, index, element, 1, 1)
                    assert 0 <= span.offset <= span.offset + span.length <= len(data)


@pytest.mark.parametrize("read", READERS, ids=["x12", "edifact", "xml", "any"])
@given(data=st.one_of(any_bytes, pieces, mutated()))
@QUICK
def test_nothing_but_events_comes_out_of_any_bytes(read: Reader, data: bytes) -> None:
    assert_sane(data, list(read([data])))


@given(data=st.one_of(pieces, mutated()), cuts=st.lists(st.integers(0, 500), max_size=5))
@QUICK
def test_chunks_of_any_size_give_the_same_events(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), max([len(data), *cuts])]
    chunks = [data[start:end] for start, end in zip(edges, edges[1:], strict=False)]
    for read in (x12.read, edifact.read):
        assert repr(list(read(chunks))) == repr(list(read([data])))


@pytest.mark.parametrize("name", FILES)
def test_a_chunk_may_end_at_every_byte(name: str) -> None:
    data = FILES[name].encode("latin-1")
    read = x12.read if name.startswith("x12") else edifact.read
    whole = repr(list(read([data])))
    for cut in range(len(data) + 1):
        assert repr(list(read([data[:cut], data[cut:]]))) == whole, cut


@pytest.mark.parametrize("delimiters", X12_DELIMITERS, ids=["*", "|", "controls", "+"])
@given(data=st.data())
@QUICK
def test_x12_that_was_written_is_read_as_it_was(delimiters: Delimiters, data: st.DataObject) -> None:
    body = data.draw(x12_segments(delimiters))
    isa = [*ISA.rstrip("~").split("*")[:16], delimiters.component]
    isa[11], isa[12] = delimiters.repetition, "00501"
    segments = [["ST", "850", "0001"], *body, ["SE", str(len(body) + 2), "0001"]]
    written = x12.write([isa, GS.rstrip("~").split("*"), *segments, ["GE", "1", "1"], ["IEA", "1", "000000001"]], delimiters, as_sent=True)
    events = list(x12.read([written]))
    assert [one.segments for one in transactions(events)] == [segments]
    assert not problems(events)


@pytest.mark.parametrize("delimiters", EDIFACT_DELIMITERS, ids=["+", "!", "controls"])
@given(data=st.data())
@QUICK
def test_edifact_that_was_written_is_read_as_it_was(delimiters: Delimiters, data: st.DataObject) -> None:
    body = data.draw(edifact_segments(delimiters))
    unb = list(transactions_head(UNB.replace("UNOC:3", "UNOY:4")))
    segments = [["UNH", ["1"], ["ORDERS", "D", "96A", "UN"]], *body, ["UNT", [str(len(body) + 2)], ["1"]]]
    written = edifact.write([unb, *segments, ["UNZ", ["1"], ["R1"]]], delimiters, charset="UNOY")
    events = list(edifact.read([written]))
    assert [one.segments for one in transactions(events)] == [segments]
    assert not problems(events)


def transactions_head(unb: str) -> list[object]:
    """UNB as a segment."""
    start = next(iter(edifact.read([unb.encode()])))
    assert isinstance(start, InterchangeStart)
    return start.segment
