"""X12 written is X12 read: for any segments and any delimiters; and every place is where the bytes are."""

import pytest
from hypothesis import assume
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gateway.codecs import x12
from gateway.codecs.node import Delimiters
from gateway.codecs.node import Repeated
from gateway.codecs.node import Segment
from tests.codecs.edi import X12
from tests.codecs.edi import chopped
from tests.codecs.edi import each_byte
from tests.codecs.edi import problems
from tests.codecs.edi import read_x12
from tests.codecs.edi import transactions

USUAL = Delimiters(element="*", component=">", segment="~")
REPEATING = Delimiters(element="*", component=":", segment="~", repetition="^")
CHARACTERS = "*|~^>:<!'\"+?\n\r\t\x1c\x1d\x1e\x1f\x85"


@st.composite
def delimiter_sets(draw: st.DrawFn) -> Delimiters:
    element, component, segment, repetition = draw(st.lists(st.sampled_from(CHARACTERS), min_size=4, max_size=4, unique=True))
    assume(element not in "\r\n")
    assume(component not in "\r\n")
    assume(repetition not in "\r\n\t")
    return Delimiters(element=element, component=component, segment=segment, repetition=repetition)


def segments_for(delimiters: Delimiters) -> st.SearchStrategy[list[Segment]]:
    forbidden = delimiters.element + delimiters.segment
    data = st.text(st.characters(exclude_characters=forbidden + "\x85", exclude_categories=["Cs"]), max_size=12)
    tag = st.from_regex(r"[A-Z][A-Z0-9]{1,2}", fullmatch=True).filter(lambda one: one not in {"ISA", "IEA", "GS", "GE", "ST", "SE"})
    segment = st.builds(lambda name, elements: trimmed([name, *elements]), tag, st.lists(data, max_size=6))
    return st.lists(segment, max_size=8)


def trimmed(segment: Segment) -> Segment:
    while len(segment) > 1 and not segment[-1]:
        segment = segment[:-1]
    return segment


def whole(body: list[Segment], delimiters: Delimiters, control: str = "0001") -> list[Segment]:
    repetition = delimiters.repetition or "U"
    return [
        ["ISA", "00", "", "00", "", "ZZ", "ACME", "ZZ", "SELLER", "260105", "1200", repetition, "00501", "7", "0", "P", delimiters.component],
        ["GS", "PO", "ACME", "SELLER", "20260105", "1200", "1", "X", "005010"],
        ["ST", "850", control],
        *body,
        ["SE", str(len(body) + 2), control],
        ["GE", "1", "1"],
        ["IEA", "1", "000000007"],
    ]


@given(st.data(), delimiter_sets(), st.sampled_from(["", "\n", "\r\n"]))
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read(data: st.DataObject, delimiters: Delimiters, line_end: str) -> None:
    assume(delimiters.segment not in "\r\n" or not line_end)
    assume(not set(line_end) & {delimiters.element, delimiters.component, delimiters.repetition})
    body = data.draw(segments_for(delimiters))
    encoding = "utf-8" if (delimiters.element + delimiters.segment + delimiters.component + delimiters.repetition).isascii() else "latin-1"
    if encoding == "latin-1":
        assume(all(ord(character) < 128 for segment in body for element in segment for character in element))
    written = x12.write(whole(body, delimiters), delimiters, line_end=line_end, as_sent=True, encoding=encoding)
    rubbish = b"\r\n rubbish \0"
    for chunks in ([written], each_byte(written), chopped(written), [written, rubbish]):
        events = list(x12.read(chunks))
        read = transactions(events)
        assert [one.segments for one in read] == [whole(body, delimiters)[2:-2]]
        assert read[0].delimiters == delimiters
    assert not problems(list(x12.read([written])))


@given(st.data(), delimiter_sets())
@settings(max_examples=60, deadline=None)
def test_every_place_is_where_the_bytes_are(data: st.DataObject, delimiters: Delimiters) -> None:
    assume((delimiters.element + delimiters.segment + delimiters.component + delimiters.repetition).isascii())
    body = data.draw(segments_for(delimiters))
    written = b"\n\n" + x12.write(whole(body, delimiters), delimiters, line_end="\n" if delimiters.segment not in "\r\n" else "", as_sent=True)
    order = transactions(list(x12.read([written])))[0]
    for index, segment in enumerate(order.segments, 1):
        span = x12.locate(order, index)
        assert written[span.offset : span.offset + span.length].decode() == delimiters.element.join(segment)
        assert span.line == written[: span.offset].count(b"\n") + 1
        for element in range(len(segment)):
            span = x12.locate(order, index, element)
            assert written[span.offset : span.offset + span.length].decode() == segment[element]
            for repetition, repeated in enumerate(segment[element].split(delimiters.repetition), 1):
                for component, value in enumerate(repeated.split(delimiters.component), 1):
                    span = x12.locate(order, index, element, component, repetition)
                    assert written[span.offset : span.offset + span.length].decode() == value


def test_places_of_what_is_not_there_are_empty_and_where_it_should_begin() -> None:
    order = transactions(read_x12(X12))[0]
    span = x12.locate(order, 4, 9)
    assert (span.length, span.offset) == (0, X12.index("~CTT"))
    span = x12.locate(order, 99)
    assert (span.length, span.offset) == (0, X12.index("~GE"))


def test_places_count_the_segments_that_are_read() -> None:
    text = X12.replace("N1*BY", "~ ~\n N1*BY")
    order = transactions(read_x12(text))[0]
    span = x12.locate(order, 3, 1)
    assert text[span.offset : span.offset + span.length] == "BY"
    assert span.line == 2


def test_composites_and_repetitions_are_written_from_lists() -> None:
    segments = [["REF", "A", "", "", ["a", "b", ""]], ["PID", Repeated(["x", ["y", "z"]]), "", ""]]
    assert x12.write(segments, REPEATING) == b"REF*A***a:b~PID*x^y:z~"
    with pytest.raises(ValueError, match="PID segment 1, element 1: these delimiters cannot write repetitions"):
        x12.write([["PID", Repeated(["x", "y"])]], USUAL)


@pytest.mark.parametrize("value", ["a*b", "a~b", "a>b"])
def test_data_with_a_delimiter_is_refused_by_name(value: str) -> None:
    with pytest.raises(ValueError, match=r"N1 segment 2, element 2: 'a.b' contains the delimiter"):
        x12.write([["BEG", "00"], ["N1", "BY", value]], USUAL)
    with pytest.raises(ValueError, match=r"N1 segment 1, element 1: 'a.b' contains the delimiter"):
        x12.write([["N1", ["x", value]]], USUAL)


def test_isa_is_padded_and_its_faults_are_refused() -> None:
    isa = whole([], USUAL)[0]
    assert len(x12.write([isa], USUAL)) == 106
    assert x12.write([isa], USUAL)[90:99] == b"000000007"
    with pytest.raises(ValueError, match="ISA06 .* has 16 characters, at most 15 fit"):
        x12.write([[*isa[:6], "A" * 16, *isa[7:]]], USUAL)
    with pytest.raises(ValueError, match="ISA has 15 elements"):
        x12.write([isa[:16]], USUAL)
    with pytest.raises(ValueError, match="ISA08 'A.B' contains a delimiter"):
        x12.write([[*isa[:8], "A*B", *isa[9:]]], USUAL)
