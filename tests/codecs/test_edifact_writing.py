"""EDIFACT written is EDIFACT read: for any segments and any delimiters; and every place is where the bytes are."""

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gateway.codecs import edifact
from gateway.codecs.edifact_header import DEFAULT
from gateway.codecs.node import Delimiters
from gateway.codecs.node import Repeated
from gateway.codecs.node import Segment
from tests.codecs.edi import EDIFACT
from tests.codecs.edi import chopped
from tests.codecs.edi import each_byte
from tests.codecs.edi import problems
from tests.codecs.edi import read_edifact
from tests.codecs.edi import transactions

CHARACTERS = "+:'?*|~^!#\\=\x1c\x1d\x1e\x1f;"


@st.composite
def delimiter_sets(draw: st.DrawFn) -> Delimiters:
    element, component, segment, release, repetition = draw(st.lists(st.sampled_from(CHARACTERS), min_size=5, max_size=5, unique=True))
    return Delimiters(element=element, component=component, segment=segment, release=release, repetition=draw(st.sampled_from(["", repetition])))


def trimmed(element: list[str]) -> list[str]:
    while len(element) > 1 and not element[-1]:
        element = element[:-1]
    return element


def segments_for(delimiters: Delimiters) -> st.SearchStrategy[list[Segment]]:
    used = delimiters.element + delimiters.component + delimiters.segment + delimiters.release + (delimiters.repetition or "*")
    data = st.text(st.sampled_from(used * 3 + "AZaz09 .\u00fc\u0141\u6771"), max_size=6)
    composite = st.lists(data, min_size=1, max_size=4).map(trimmed)
    element: st.SearchStrategy[list[str] | Repeated] = composite
    if delimiters.repetition:
        element = st.one_of(composite, st.lists(composite, min_size=2, max_size=3).map(Repeated))
    tag = st.from_regex(r"[A-Z][A-Z0-9]{2}", fullmatch=True).filter(lambda one: one[:2] not in {"UN", "UI"})
    return st.lists(st.builds(lambda name, elements: without_empty_end([name, *elements]), tag, st.lists(element, max_size=5)), max_size=8)


def without_empty_end(segment: Segment) -> Segment:
    while len(segment) > 1 and segment[-1] == [""]:
        segment = segment[:-1]
    return segment


def whole(body: list[Segment]) -> list[Segment]:
    return [
        ["UNB", ["UNOY", "4"], ["ACME", "ZZ"], ["SELLER", "14"], ["20260105", "1200"], ["R1"]],
        ["UNH", ["1"], ["ORDERS", "D", "96A", "UN"]],
        *body,
        ["UNT", [str(len(body) + 2)], ["1"]],
        ["UNZ", ["1"], ["R1"]],
    ]


@given(st.data(), delimiter_sets(), st.sampled_from(["", "\n", "\r\n"]))
@settings(max_examples=80, deadline=None)
def test_what_is_written_is_read(data: st.DataObject, delimiters: Delimiters, line_end: str) -> None:
    body = data.draw(segments_for(delimiters))
    written = edifact.write(whole(body), delimiters, line_end=line_end, charset="UNOY", una=True)
    for chunks in ([written], each_byte(written), chopped(written), [written, b"\r\n rubbish \0"]):
        read = transactions(list(edifact.read(chunks)))
        assert [one.segments for one in read] == [whole(body)[1:-1]]
        assert read[0].delimiters == delimiters
    assert not problems(list(edifact.read([written])))


@given(st.data(), delimiter_sets())
@settings(max_examples=60, deadline=None)
def test_every_place_is_where_the_bytes_are(data: st.DataObject, delimiters: Delimiters) -> None:
    body = data.draw(segments_for(delimiters))
    written = b" \n" + edifact.write(whole(body), delimiters, line_end="\n", charset="UNOY", una=True)
    order = transactions(list(edifact.read([written])))[0]

    def sent(value: str) -> bytes:
        return (
            edifact.write([["XXX", [value]]], delimiters, charset="UNOY", una=False).split(b"XXX" + delimiters.element.encode(), 1)[-1][:-1]
            if value
            else b""
        )

    for index, segment in enumerate(order.segments, 1):
        span = edifact.locate(order, index)
        assert written[span.offset :].startswith(segment[0].encode())
        assert span.line == written[: span.offset].count(b"\n") + 1
        for number, element in enumerate(segment[1:], 1):
            repeats = element if isinstance(element, Repeated) else [element]
            for repetition, parts in enumerate(repeats, 1):
                for component, value in enumerate(parts, 1):
                    span = edifact.locate(order, index, number, component, repetition)
                    assert written[span.offset : span.offset + span.length] == sent(value)


def test_una_is_written_when_asked_for_or_needed() -> None:
    assert edifact.write([["BGM", ["220"]]]) == b"BGM+220'"
    assert edifact.write([["BGM", ["220"]]], una=True) == b"UNA:+.? 'BGM+220'"
    other = Delimiters(element="*", component=":", segment="~", release="?", repetition="^")
    assert edifact.write([["BGM", ["2*0"]]], other, line_end="\n") == b"UNA:*.?^~\nBGM*2?*0~\n"


def test_elements_may_be_text_and_empty_ends_are_left_out() -> None:
    segments: list[Segment] = [["NAD", "BY", ["", "", "9", ""], "", [""]], ["UNS", "S"], ["FTX", ["it's a+b:c?"]]]
    assert edifact.write(segments) == b"NAD+BY+::9'UNS+S'FTX+it?'s a?+b?:c??'"


def test_what_cannot_be_written_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="FTX segment 1: 'a:b' contains a delimiter, and there is no release character"):
        edifact.write([["FTX", ["a:b"]]], Delimiters(element="+", component=":", segment="'"))
    with pytest.raises(ValueError, match="FTX segment 1: these delimiters cannot write repetitions"):
        edifact.write([["FTX", Repeated([["a"], ["b"]])]], DEFAULT)
    with pytest.raises(ValueError, match="NAD.*segment 2: '\u0141' is no character of UNOC"):
        edifact.write([["BGM", ["1"]], ["NAD", ["BY"], ["\u0141\u00f3d\u017a"]]], charset="UNOC")


def test_places_of_what_is_not_there_are_empty() -> None:
    order = transactions(read_edifact(EDIFACT))[0]
    span = edifact.locate(order, 2, 9, 1)
    assert (span.length, span.offset) == (0, EDIFACT.index("'FTX"))
    span = edifact.locate(order, 2, 2, 5)
    assert (span.length, span.offset) == (0, EDIFACT.index("+9'FTX"))
