"""What we say that we read of X12, claim by claim: each way of sending it, whole and in chunks of any size."""

import pytest

from gateway.codecs import choose
from gateway.codecs import x12
from gateway.codecs.node import Delimiters
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Syntax
from gateway.problem import Severity
from tests.codecs.edi import GS
from tests.codecs.edi import ISA
from tests.codecs.edi import ORDER
from tests.codecs.edi import X12
from tests.codecs.edi import codes
from tests.codecs.edi import problems
from tests.codecs.edi import read_x12
from tests.codecs.edi import transactions

SEGMENTS = transactions(read_x12(X12))[0].segments
VERSIONS = ["00200", "00201", "00204", "00300", "00302", "00303", "00304", "00305", "00306", "00307", "00400", "00401", "00402", "00403", "00404"]
VERSIONS += ["00405", "00406", "00500", "00501", "00502", "00503", "00504", "00505", "00600", "00602", "00603", "00700", "00703", "00800", "00801"]


def wrapped(text: str, width: int, end: str = "\n") -> str:
    return end.join(text[index : index + width] for index in range(0, len(text), width))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_isa12_is_read(version: str) -> None:
    text = X12.replace("*U*00401*", f"*{'^' if version >= '00402' else 'U'}*{version}*").replace("*X*004010", "*X*")
    events = read_x12(text)
    assert not problems(events)
    assert transactions(events)[0].version == version + "0"
    start = events[0]
    assert isinstance(start, InterchangeStart)
    assert start.delimiters is not None
    assert start.delimiters.repetition == ("^" if version >= "00402" else "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("*00*          *00*          *", "*00**00**"),
        ("ACMEBUYER      *", "ACMEBUYER*"),
        ("*000000001*0*P*", "*1*0*P*"),
        ("*260105*", "*20260105*"),
        ("ACMEBUYER      *", "ACMEBUYER            *"),
        ("*00*          *00*          *ZZ*ACMEBUYER      *ZZ*SELLERCO       *", "*00**00**ZZ*ACMEBUYER*ZZ*SELLERCO*"),
    ],
)
def test_an_isa_of_other_widths_is_read_with_a_warning(old: str, new: str) -> None:
    assert old in X12
    events = read_x12(X12.replace(old, new, 1).replace("IEA*1*000000001", "IEA*1*1" if "*1*0*P" in new else "IEA*1*000000001"))
    assert codes(events) == ["X12-ISA-NOT-PADDED"]
    assert transactions(events)[0].segments == SEGMENTS


@pytest.mark.parametrize("start", ["isa", "Isa", "ISa"])
def test_tags_in_lower_case_are_refused_with_a_clear_word(start: str) -> None:
    events = read_x12(X12.replace("ISA", start))
    told = problems(events)[0]
    assert (told.code, told.found, told.expected) == ("X12-LOWER-CASE", start, "ISA")
    assert "upper case" in told.message
    assert choose.syntax_of(X12.replace("ISA", start).encode()) is Syntax.X12


@pytest.mark.parametrize(("tag", "other"), [("GS", "gs"), ("GS", "Gs"), ("GE", "ge"), ("IEA", "iea"), ("ST", "St"), ("TA1", "ta1")])
def test_a_tag_of_an_envelope_in_lower_case_is_named(tag: str, other: str) -> None:
    text = X12.replace(GS, "TA1*000000009*260105*1200*A*000~" + GS) if tag == "TA1" else X12
    events = read_x12(text.replace(f"~{tag}*", f"~{other}*", 1))
    told = {problem.code: problem for problem in problems(events)}["X12-LOWER-CASE"]
    assert (told.found, told.expected) == (other, tag)


def test_several_ta1_stand_before_the_first_group() -> None:
    advice = "TA1*000000009*260105*1200*A*000~\r\nTA1*000000010*260105*1201*R*006~\r\n"
    start = read_x12(X12.replace(GS, advice + GS))[0]
    assert isinstance(start, InterchangeStart)
    assert [segment[1] for segment in start.advice] == ["000000009", "000000010"]


def test_interchanges_of_all_sorts_stand_in_one_file() -> None:
    def other(number: int, table: dict[int, str], between: str = "", version: str = "00401") -> str:
        text = X12.replace("000000001", f"{number:09}").replace("*U*00401*", f"*^*{version}*" if version > "00401" else "*U*00401*")
        end = "~".translate(table)
        return text.translate(table).replace(end, end + between)

    parts = [
        other(2, str.maketrans("*~>", "|\n:")),
        other(3, {}, "\r\n"),
        other(4, str.maketrans("*~>", "+'^")),
        wrapped(other(5, {}), 80),
        other(6, {}, "", "00501"),
        other(7, str.maketrans("*~>", "\x1d\x1c\x1f"), "\n"),
    ]
    events = read_x12("\n".join(parts))
    assert codes(events) == ["X12-WRAPPED"]
    assert [one.interchange_control_number for one in transactions(events)] == [f"{number:09}" for number in range(2, 8)]
    assert all(one.segments == SEGMENTS for one in transactions(events))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("width", [20, 40, 72, 79, 80, 81, 100, 103, 104, 105, 106, 107, 108, 110, 128, 132, 133, 160, 200, 256, 512, 1024, 2048])
def test_lines_of_any_width_are_joined(width: int, end: str) -> None:
    lines = "".join(f"PO1*{number}*2*EA*3.50**VP*{number:06}~" for number in range(1, 200))
    order = ORDER.replace("PO1*1*2*EA*3.50~", lines).replace("SE*6", "SE*204")
    text = ISA + "TA1*000000009*260105*1200*A*000~" + GS + order + ORDER.replace("0001", "0002") + "GE*2*1~IEA*1*000000001~"
    plain = read_x12(text)
    assert not problems(plain)
    events = list(x12.read([wrapped(text, width, end).encode()]))
    assert codes(events) == ["X12-WRAPPED"]
    assert [one.segments for one in transactions(events)] == [one.segments for one in transactions(plain)]
    assert [getattr(event, "advice", None) for event in events if isinstance(event, InterchangeStart)] == [plain[0].advice]  # type: ignore[union-attr]


@pytest.mark.parametrize("width", [80, 128, 256, 300])
def test_a_second_interchange_may_begin_anywhere_in_a_line(width: int) -> None:
    order = ORDER.replace("PO1*1*2*EA*3.50~", "PO1*1*2*EA*3.50~" * 60).replace("SE*6", "SE*65")
    first = f"{ISA}{GS}{order}GE*1*1~IEA*1*000000001~"
    for length in range(40):
        head = first.replace("ACME CORP", "A" * (length + 1))
        whole = head + first.replace("000000001", "000000002")
        plain, events = list(x12.read([whole.encode()])), list(x12.read([wrapped(whole, width).encode()]))
        assert [one.segments for one in transactions(events)] == [one.segments for one in transactions(plain)], length
        assert set(codes(events)) == {"X12-WRAPPED"}


def test_where_line_breaks_end_segments_only_isa_is_joined() -> None:
    """Both at once cannot be told apart: each line is a segment then, and what is no tag is told."""
    text = X12.replace("~", "\n")
    broken = text[:70] + "\n" + text[70:]
    events = read_x12(broken)
    assert codes(events) == ["X12-WRAPPED"]
    assert "line breaks end segments" in problems(events)[0].message
    assert transactions(events)[0].segments == SEGMENTS
    again = read_x12(text.replace("ACME CORP", "ACME\nCORP"))
    assert transactions(again)[0].segments[3] == ["CORP", "92", "0012"]
    assert "X12-SE-COUNT" in codes(again)


def test_a_line_break_in_a_text_is_data_where_no_line_is_wrapped() -> None:
    events = read_x12(X12.replace("ACME CORP", "ACME\nCORP"))
    assert not problems(events)
    assert transactions(events)[0].segments[2][2] == "ACME\nCORP"


@pytest.mark.parametrize("behind", ["\n", "\r\n", "\r", " ", "   ", " \r\n", "\r\n\r\n", "\t", "\n\n\n", "      \n"])
def test_line_ends_and_spaces_behind_terminators_are_nothing(behind: str) -> None:
    events = read_x12(X12.replace("~", "~" + behind))
    assert not problems(events)
    assert transactions(events)[0].segments == SEGMENTS


def test_the_gap_may_change_on_the_way() -> None:
    text = X12.replace("~N1", "~\nN1").replace("~CTT", "~\r\nCTT").replace("~GE", "~   GE").replace("~GS", "~\n\nGS")
    assert transactions(read_x12(text))[0].segments == SEGMENTS
    assert not problems(read_x12(text))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_are_terminators(end: str) -> None:
    events = read_x12(X12.replace("~", end))
    assert not problems(events)
    assert transactions(events)[0].segments == SEGMENTS
    assert not problems(read_x12(X12.replace("~", end) + end))


@pytest.mark.parametrize("trailers", [0, 1, 2, 3])
def test_trailers_and_the_last_terminator_may_be_missing(trailers: int) -> None:
    cut = ["IEA*", "GE*", "SE*"][:trailers]
    text = X12[: min((X12.index(tag) for tag in cut), default=len(X12))]
    for last in (text, text[:-1]):
        events = read_x12(last)
        order = transactions(events)[0]
        assert order.segments == SEGMENTS[: 5 if trailers == 3 else 6]
        assert ("X12-FILE-TRUNCATED" in codes(events)) is (trailers == 3)
        assert ("X12-GE-MISSING" in codes(events)) is (trailers >= 2)
        assert ("X12-IEA-MISSING" in codes(events)) is (trailers >= 1)


def test_a_missing_repetition_separator_is_a_warning_from_00402_on() -> None:
    for sent in ("U", " ", "A", "1", "*", ">", "~"):
        text = X12.replace("*U*00401*", "*\0*00501*").replace("\0", sent, 1)
        if sent in "*~":
            continue
        events = read_x12(text)
        assert codes(events) == ["X12-REPETITION-SEPARATOR-MISSING"], sent
        assert problems(events)[0].severity is Severity.WARNING
        assert (problems(events)[0].found, problems(events)[0].place.element) == (sent, 11)
        start = events[0]
        assert isinstance(start, InterchangeStart)
        assert start.delimiters is not None
        assert start.delimiters.repetition == ""


@pytest.mark.parametrize("component", ["A", "7", " ", "U"])
def test_a_component_separator_that_is_data_cuts_nothing(component: str) -> None:
    events = read_x12(X12.replace("*P*>~", f"*P*{component}~"))
    assert codes(events) == ["X12-COMPONENT-SEPARATOR-MISSING"]
    assert (problems(events)[0].found, problems(events)[0].severity) == (component, Severity.WARNING)
    delimiters = transactions(events)[0].delimiters
    assert delimiters is not None
    assert delimiters.component == ""
    assert transactions(events)[0].segments == SEGMENTS


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("*P*>~", "*P*>*", "not different"),
        ("*P*>~", "*P*>>", "not different"),
        ("*P*>~", "*P**~", "not different"),
        ("*P*>~", "*P*>A", "a character of data"),
        ("*P*>~", "*P*>7", "a character of data"),
        ("*P*>~", "*P*> ", "a character of data"),
    ],
)
def test_delimiters_that_cannot_be_told_apart_are_refused(old: str, new: str, words: str) -> None:
    events = read_x12(X12.replace(old, new, 1))
    assert codes(events)[0] == "X12-ISA-MALFORMED"
    assert words in problems(events)[0].message
    assert not transactions(events)


@pytest.mark.parametrize("separator", ["A", "0", " ", "x"])
def test_an_element_separator_that_is_data_is_refused(separator: str) -> None:
    text = X12.replace("*", separator)
    events = read_x12(text)
    assert codes(events) == ["X12-ISA-MALFORMED"]
    assert f"is '{separator}', a character of data" in problems(events)[0].message
    assert choose.syntax_of(text.encode()) is Syntax.X12


def test_the_component_separator_in_free_text_is_data() -> None:
    events = read_x12(X12.replace("ACME CORP", "ACME > CORP >>"))
    assert not problems(events)
    assert transactions(events)[0].segments[2][2] == "ACME > CORP >>"


@pytest.mark.parametrize("text", ["ISA", "ISAAC", "ISA-1", "A ISA", "\nISA is here", "ISA*00*x"])
def test_the_letters_isa_in_a_text_are_data(text: str) -> None:
    events = read_x12(X12.replace("ACME CORP", text))
    assert len(transactions(events)) == 1
    assert transactions(events)[0].segments[2][2] == text.split("*")[0]
    assert not problems(events)


# ---- binary segments

BINARY = "~".join(["\0\xff~SE*6*0001", "GE*1*1", "IEA*1*000000001", "ISA*00*", "BIN*3*abc", "*>\r\n"])
DELIMITERS = Delimiters(element="*", component=">", segment="~")


def with_binary(*segments: str) -> str:
    order = ORDER.replace("SE*6", f"SE*{6 + len(segments)}").replace("CTT*1~", "".join(one + "~" for one in segments) + "CTT*1~")
    return f"{ISA}{GS}{order}{ORDER.replace('0001', '0002')}GE*2*1~IEA*1*000000001~"


@pytest.mark.parametrize("head", ["BIN*{}*", "BDS*ASC*{}*"])
@pytest.mark.parametrize("data", ["", "x", "plain text", "a*b", "~", "~~~", BINARY, "".join(map(chr, range(256))), BINARY * 3000])
def test_binary_segments_hold_any_bytes(head: str, data: str) -> None:
    text = with_binary(head.format(len(data)) + data, head.format(len(data)) + data)
    events = read_x12(text) if len(text) < 10_000 else list(x12.read([text.encode("latin-1")]))
    assert not problems(events)
    first, second = transactions(events)
    assert [one[0] for one in first.segments] == ["ST", "BEG", "N1", "PO1", head[:3], head[:3], "CTT", "SE"]
    assert first.segments[4][-1] == first.segments[5][-1] == data
    assert first.segments[4][-2] == str(len(data))
    assert second.segments[1:-1] == SEGMENTS[1:-1]
    assert text[first.offset :].startswith(first.raw)
    span = x12.locate(first, 6, 2 if head[:3] == "BIN" else 3)
    assert text[span.offset : span.offset + span.length] == data
    span = x12.locate(first, 5, 1)
    assert text[span.offset : span.offset + span.length] == head.split("*")[1].format(len(data))
    span = x12.locate(first, 7)
    assert text[span.offset : span.offset + span.length] == "CTT*1"
    assert x12.write(first.segments, DELIMITERS, as_sent=True).decode("latin-1") == first.raw


def test_text_beside_binary_bytes_is_still_utf_8() -> None:
    data = with_binary("BIN*2*\xff~").replace("ACME CORP", "M\u00fcller").encode("latin-1").replace(b"M\xfcller", "Müller €".encode())
    events = read_x12(data)
    assert not problems(events)
    assert transactions(events)[0].segments[2][2] == "Müller €"
    assert transactions(events)[0].segments[4][2] == "\xff~"


@pytest.mark.parametrize(
    "sent", ["BIN*11a*BINARY DATA", "BIN*9*BINARY DATA", "BIN*99999999999*x", "BIN**x", "BIN*4", "BDS*ASC*x*y", "BDS*ASC", "BIN*5*ab~cd*e"]
)
def test_a_wrong_length_is_told_and_the_segment_cut_like_any_other(sent: str) -> None:
    text = with_binary(sent)
    if sent.endswith("~cd*e"):
        text = text.replace("SE*7", "SE*8").replace("~cd", "~CD")
    events = read_x12(text)
    assert codes(events) == ["X12-BINARY-LENGTH"]
    told = problems(events)[0]
    assert (told.place.segment, told.place.index, told.place.element) == (sent[:3], 5, 1 if sent[:3] == "BIN" else 2)
    assert transactions(events)[0].segments[-1][0] == "SE"
    assert len(transactions(events)) == 2


def test_binary_data_of_the_wrong_length_is_not_written() -> None:
    for segment in (["BIN", "3", "ab"], ["BIN", "x", "ab"], ["BDS", "ASC", "2"]):
        with pytest.raises(ValueError, match="length"):
            x12.write([segment], DELIMITERS)
    with pytest.raises(ValueError, match="no bytes"):
        x12.write([["BIN", "1", "\u20ac"]], DELIMITERS)
    assert x12.write([["BIN", "3", "~*\xff"], ["N1", "é"]], DELIMITERS) == b"BIN*3*~*\xff~N1*\xc3\xa9~"
