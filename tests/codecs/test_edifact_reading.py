"""EDIFACT as it comes: UNA and none, every syntax version, release characters, character sets, and what is told about faults."""

import pytest

from gateway.codecs import edifact
from gateway.codecs.node import GroupEnd
from gateway.codecs.node import GroupStart
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Repeated
from gateway.problem import Severity
from tests.codecs.edi import EDIFACT
from tests.codecs.edi import MESSAGE
from tests.codecs.edi import UNB
from tests.codecs.edi import chopped
from tests.codecs.edi import codes
from tests.codecs.edi import problems
from tests.codecs.edi import read_edifact
from tests.codecs.edi import transactions

UNG = "UNG+ORDERS+GROUPER:ZZ+GROUPEE:ZZ+260105:1200+G1+UN+D:96A:EAN008'"


def test_a_good_file_is_read_without_a_word() -> None:
    events = read_edifact(EDIFACT)
    assert [type(event).__name__ for event in events] == ["InterchangeStart", "Transaction", "InterchangeEnd"]
    assert not problems(events)
    start, end = events[0], events[-1]
    assert isinstance(start, InterchangeStart)
    assert isinstance(end, InterchangeEnd)
    assert (start.sender, start.receiver, start.control_number, start.version) == ("14:1234567890128", "14:4012345500004", "R1", "UNOC:3")
    assert (start.date, start.time, start.test, start.acknowledgment_requested) == ("260105", "1200", False, False)
    assert (end.declared, end.counted, end.control_number) == (1, 1, "R1")
    order = transactions(events)[0]
    assert (order.type, order.version, order.association, order.control_number, order.charset) == ("ORDERS", "D96A", "EAN008", "1", "UNOC:3")
    assert order.segments[0] == ["UNH", ["1"], ["ORDERS", "D", "96A", "UN", "EAN008"]]
    assert order.segments[2] == ["FTX", ["AAI"], [""], [""], ["Dock 4: it's open"]]
    assert order.raw == MESSAGE


def test_flags_of_unb() -> None:
    start = read_edifact(EDIFACT.replace("R1'", "R1+PASS+ORDERS+A+1+EANCOM+1'", 1))[0]
    assert isinstance(start, InterchangeStart)
    assert (start.test, start.acknowledgment_requested, start.application_reference) == (True, True, "ORDERS")


def test_una_says_what_the_delimiters_are() -> None:
    table = str.maketrans({"+": "*", ":": "=", "'": "~", "?": "\\"})
    events = read_edifact("UNA=*,\\ ~" + EDIFACT.translate(table).replace("it\\~s", "it's+?"))
    assert not problems(events)
    delimiters = transactions(events)[0].delimiters
    assert delimiters is not None
    assert (delimiters.element, delimiters.component, delimiters.segment, delimiters.release, delimiters.decimal) == ("*", "=", "~", "\\", ",")
    assert transactions(events)[0].segments[2][4] == ["Dock 4= it's+? open"]


@pytest.mark.parametrize("between", ["\n", "\r\n", "\r", " \r\n\t", "\n\n"])
def test_white_space_between_segments_is_nothing(between: str) -> None:
    text = "UNA:+.? '" + EDIFACT
    events = read_edifact(text.replace("'", "'" + between).replace("it?'" + between, "it?'"))
    assert not problems(events)
    assert transactions(events)[0].segments == transactions(read_edifact(EDIFACT))[0].segments


def test_a_newline_may_be_the_terminator() -> None:
    assert transactions(read_edifact("UNA:+.? \n" + EDIFACT.replace("'", "\n").replace("?\n", "'")))[0].segments[-1] == ["UNT", ["5"], ["1"]]
    events = read_edifact(EDIFACT.replace("?'", "").replace("'", "\n"))
    assert codes(events) == ["EDIFACT-DELIMITERS-GUESSED"]
    assert len(transactions(events)) == 1


def test_level_b_has_control_characters_and_no_release() -> None:
    plain = EDIFACT.replace("UNOC:3", "UNOB:1").replace("?:", "").replace("?'", "?")
    events = read_edifact(plain.translate(str.maketrans({"+": "\x1d", ":": "\x1f", "'": "\x1c"})))
    assert not problems(events)
    assert transactions(events)[0].segments[2][4] == ["Dock 4 it?s open"]


def test_una_may_stand_with_five_characters_and_other_delimiters_without_una() -> None:
    assert codes(read_edifact("UNA:+.?'" + EDIFACT)) == ["EDIFACT-UNA-MALFORMED"]
    events = read_edifact(EDIFACT.replace("?", "").replace(": it's", "").translate(str.maketrans({"+": '"', ":": "=", "'": ";"})))
    assert codes(events) == ["EDIFACT-DELIMITERS-GUESSED"]
    assert transactions(events)[0].segments[0][2][0] == "ORDERS"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("a??", "a?"),
        ("a???'b", "a?'b"),
        ("????", "??"),
        ("?+?:?'", "+:'"),
        ("a?b", "ab"),
        ("?'UNT?+5?+1?'", "'UNT+5+1'"),
        ("?'UNH+1", "'UNH"),
    ],
)
def test_release_characters_double_and_before_delimiters(sent: str, read: str) -> None:
    events = read_edifact(EDIFACT.replace("Dock 4?: it?'s open", sent))
    assert not problems(events)
    assert transactions(events)[0].segments[2][4] == [read]


def test_repetitions_are_cut_in_syntax_4_and_data_in_syntax_3() -> None:
    text = EDIFACT.replace("BGM+220+PO1+9", "BGM+220+PO1*PO2:x*?*+9")
    assert transactions(read_edifact(text))[0].segments[1] == ["BGM", ["220"], ["PO1*PO2", "x**"], ["9"]]
    four = text.replace("UNOC:3", "UNOC:4").replace("+260105", "+20260105")
    for una in ("", "UNA:+.?*'"):
        repeated = transactions(read_edifact(una + four))[0].segments[1][2]
        assert isinstance(repeated, Repeated)
        assert repeated == [["PO1"], ["PO2", "x"], ["*"]]


def test_groups_are_opened_and_closed() -> None:
    events = read_edifact(f"{UNB}{UNG}{MESSAGE}UNE+1+G1'UNZ+1+R1'")
    assert not problems(events)
    group, end = events[1], events[3]
    assert isinstance(group, GroupStart)
    assert isinstance(end, GroupEnd)
    assert (group.type, group.sender, group.receiver, group.control_number, group.version) == ("ORDERS", "ZZ:GROUPER", "ZZ:GROUPEE", "G1", "D96A")
    assert transactions(events)[0].group_control_number == "G1"
    assert (end.declared, end.counted) == (1, 1)


def test_a_message_beside_groups_is_told_once() -> None:
    two = MESSAGE.replace("UNH+1", "UNH+2").replace("5+1'", "5+2'") + MESSAGE.replace("UNH+1", "UNH+3").replace("5+1'", "5+3'")
    assert codes(read_edifact(f"{UNB}{UNG}{MESSAGE}UNE+1+G1'{two}UNZ+1+R1'")) == ["EDIFACT-GROUPS-MIXED"]


def test_several_interchanges_with_their_own_delimiters() -> None:
    other = "UNA|!.# ~" + EDIFACT.replace("R1", "R2").translate(str.maketrans({"+": "!", ":": "|", "'": "~", "?": "#"}))
    events = read_edifact(EDIFACT + "\r\n" + other + "UNA:+.? '" + EDIFACT.replace("R1", "R3"))
    assert not problems(events)
    assert [one.segments[2][4] for one in transactions(events)] == [["Dock 4: it's open"], ["Dock 4| it~s open"], ["Dock 4: it's open"]]
    assert [one.interchange_control_number for one in transactions(events)] == ["R1", "R2", "R3"]


@pytest.mark.parametrize(
    ("old", "new", "code", "found", "expected"),
    [
        ("UNT+5", "UNT+6", "EDIFACT-UNT-COUNT", "6", "5"),
        ("UNT+5+1", "UNT+5+2", "EDIFACT-UNT-CONTROL-NUMBER", "2", "1"),
        ("UNZ+1+R1", "UNZ+2+R1", "EDIFACT-UNZ-COUNT", "2", "1"),
        ("UNZ+1+R1", "UNZ+1+R2", "EDIFACT-UNZ-CONTROL-NUMBER", "R2", "R1"),
        ("UNH+1+ORDERS:D:96A:UN:EAN008", "UNH+1", "EDIFACT-UNH-INVALID", "", "a type such as ORDERS"),
        ("UNH+1+", "UNH++", "EDIFACT-UNH-CONTROL-NUMBER-MISSING", "", "a reference"),
    ],
)
def test_counts_and_references_are_checked_at_their_place(old: str, new: str, code: str, found: str, expected: str) -> None:
    told = {problem.code: problem for problem in problems(read_edifact(EDIFACT.replace(old, new, 1)))}
    assert code in told
    problem = told[code]
    assert problem.severity is Severity.ERROR
    assert (problem.found, problem.expected) == (found, expected)
    assert problem.place.segment == new[:3]


def test_counts_and_references_of_groups() -> None:
    good = f"{UNB}{UNG}{MESSAGE}UNE+1+G1'UNZ+1+R1'"
    assert codes(read_edifact(good.replace("UNE+1", "UNE+2"))) == ["EDIFACT-UNE-COUNT"]
    assert codes(read_edifact(good.replace("UNE+1+G1", "UNE+1+G2"))) == ["EDIFACT-UNE-CONTROL-NUMBER"]
    assert codes(read_edifact(good.replace("UNE+1+G1'", ""))) == ["EDIFACT-UNE-MISSING"]
    twice = f"{UNB}{UNG}{MESSAGE}UNE+1+G1'{UNG}{MESSAGE}UNE+1+G1'UNZ+2+R1'"
    assert codes(read_edifact(twice)) == ["EDIFACT-UNG-DUPLICATE"]


def test_duplicates_are_told() -> None:
    events = read_edifact(f"{UNB}{MESSAGE}{MESSAGE}UNZ+2+R1'{EDIFACT}")
    assert codes(events) == ["EDIFACT-UNH-DUPLICATE", "EDIFACT-UNB-DUPLICATE"]


@pytest.mark.parametrize(
    ("old", "code"), [("UNT+5+1'", "EDIFACT-UNT-MISSING"), ("UNZ+1+R1'", "EDIFACT-UNZ-MISSING"), (UNB, "EDIFACT-ENVELOPE-MISSING")]
)
def test_each_missing_part_of_the_envelope_has_its_word(old: str, code: str) -> None:
    events = read_edifact(EDIFACT.replace(old, ""))
    assert code in codes(events)
    assert transactions(events)[0].segments[1][2] == ["PO1"]


def test_a_missing_trailer_does_not_swallow_the_neighbour() -> None:
    body = MESSAGE.replace("UNT+5+1'", "") + MESSAGE.replace("UNH+1", "UNH+2").replace("5+1'", "5+2'")
    events = read_edifact(f"{UNB}{body}UNZ+2+R1'")
    assert codes(events) == ["EDIFACT-UNT-MISSING"]
    assert [len(one.segments) for one in transactions(events)] == [4, 5]


@pytest.mark.parametrize("length", range(len(EDIFACT)))
def test_a_file_cut_anywhere_says_so(length: int) -> None:
    events = list(edifact.read([EDIFACT[:length].encode()]))
    for problem in problems(events):
        assert problem.place.offset is None or 0 <= problem.place.offset <= length
        if problem.code == "EDIFACT-FILE-TRUNCATED":
            assert f"ends at byte {length} inside message" in problem.message
            assert problem.place.offset == length
    if 0 < length < len(EDIFACT) - 1:
        assert problems(events)


def test_a_truncated_interchange_does_not_swallow_the_next_one() -> None:
    second = EDIFACT.replace("R1", "R2")
    for after in (second, "UNA:+.? '" + second):
        events = read_edifact(EDIFACT[: EDIFACT.index("UNS")] + after)
        assert [one.interchange_control_number for one in transactions(events)] == ["R1", "R2"]
        assert not transactions(events)[1].problems


def test_a_bare_message_is_read_with_a_problem() -> None:
    for una in ("", "UNA:+.? '\n"):
        events = read_edifact(una + MESSAGE)
        assert codes(events) == ["EDIFACT-ENVELOPE-MISSING"]
        assert isinstance(events[0], InterchangeStart)
        assert (events[0].sender, events[0].control_number) == ("", "")
        assert transactions(events)[0].type == "ORDERS"
    assert codes(read_edifact("UNH|1|ORDERS")) == ["EDIFACT-DELIMITERS-UNUSABLE", "EDIFACT-JUNK"]


@pytest.mark.parametrize(
    ("charset", "codec", "text"),
    [
        ("UNOA", "ascii", "PLAIN"),
        ("UNOC", "latin-1", "M\u00fcller & S\u00f8n"),
        ("UNOD", "iso8859-2", "\u0141\u00f3d\u017a"),
        ("UNOE", "iso8859-5", "\u041c\u043e\u0441\u043a\u0432\u0430"),
        ("UNOF", "iso8859-7", "\u0391\u03b8\u03ae\u03bd\u03b1"),
        ("UNOK", "iso8859-9", "\u0130stanbul"),
        ("UNOL", "iso8859-15", "100 \u20ac"),
        ("UNOW", "utf-8", "\u6771\u4eac \u20ac"),
        ("UNOY", "utf-8", "\u0141\u00f3d\u017a \u6771\u4eac"),
    ],
)
def test_text_is_in_the_declared_character_set(charset: str, codec: str, text: str) -> None:
    data = EDIFACT.replace("UNOC", charset).replace("Dock 4?: it?'s open", text).encode(codec)
    events = read_edifact(data)
    assert not problems(events)
    assert transactions(events)[0].segments[2][4] == [text]


@pytest.mark.parametrize(
    ("charset", "codec", "text"),
    [
        ("UNOC", "utf-8", "M\u00fcller"),
        ("UNOC", "cp1252", "100 \u20ac"),
        ("UNOA", "utf-8", "M\u00fcller"),
        ("UNOB", "latin-1", "M\u00fcller"),
        ("UNOY", "latin-1", "M\u00fcller"),
    ],
)
def test_text_in_another_character_set_is_read_with_a_warning(charset: str, codec: str, text: str) -> None:
    events = read_edifact(EDIFACT.replace("UNOC", charset).replace("Dock 4?: it?'s open", text).encode(codec))
    assert codes(events) == ["EDIFACT-CHARSET"]
    assert problems(events)[0].severity is Severity.WARNING
    assert transactions(events)[0].segments[2][4] == [text]


def test_any_bytes_are_read_somehow() -> None:
    noise = bytes(byte for byte in range(256) if chr(byte) not in "+:'?\r\n")
    for charset in ("UNOA", "UNOC", "UNOD", "UNOI", "UNOY", "KECA", "XXXX"):
        data = EDIFACT.replace("UNOC", charset).encode().replace(b"Dock 4?: it?'s open", noise)
        assert len(transactions(list(edifact.read([data])))) == 1


def test_unknown_character_sets_and_versions_are_warnings() -> None:
    assert codes(read_edifact(EDIFACT.replace("UNOC:3", "XYZA:3"))) == ["EDIFACT-CHARSET-UNKNOWN"]
    assert codes(read_edifact(EDIFACT.replace("UNOC:3", "UNOC:9"))) == ["EDIFACT-SYNTAX-UNSUPPORTED"]
    assert not problems(read_edifact(EDIFACT.replace("UNOC:3", "IATB:1")))


def test_a_unb_without_its_elements_is_told() -> None:
    assert codes(read_edifact(f"UNB+UNOC:3+A+B'{MESSAGE}UNZ+1+'"))[0] == "EDIFACT-UNB-MALFORMED"


def test_a_segment_without_terminator_before_a_line_break_is_repaired() -> None:
    events = read_edifact(EDIFACT.replace("R1'", "R1\n", 1))
    assert codes(events) == ["EDIFACT-TERMINATOR-MISSING"]
    assert len(transactions(events)) == 1
    assert codes(read_edifact(EDIFACT[:-1])) == ["EDIFACT-TERMINATOR-MISSING"]


def test_byte_order_mark_white_space_and_junk() -> None:
    events = read_edifact(b"\xef\xbb\xbf\n" + EDIFACT.encode() + b"\r\n junk UNB and UNA+ \n" + EDIFACT.replace("R1", "R2").encode() + b"\x1a")
    assert codes(events) == ["FILE-BYTE-ORDER-MARK", "FILE-WHITE-SPACE", "EDIFACT-JUNK"]
    assert len(transactions(events)) == 2
    assert transactions(events)[0].offset == EDIFACT.index("UNH") + 4


def test_the_letters_una_and_unb_in_data_are_data() -> None:
    events = read_edifact(EDIFACT.replace("Dock 4?: it?'s open", "UNA+UNB+UNT UNH").replace("UNS+S'", "UNS+UNB+UNOC:3'"))
    assert len(transactions(events)) == 1
    assert not problems(events)


def test_interactive_interchanges_and_packages_are_refused_politely() -> None:
    assert codes(read_edifact("UIB+UNOA:1+1'UIH+ORDERS:D:96A:UN'UIT'UIZ'")) == ["EDIFACT-INTERACTIVE"]
    assert codes(read_edifact("UNA:+.? 'UIB+UNOA:1+1'" + EDIFACT)) == ["EDIFACT-INTERACTIVE"]
    assert codes(read_edifact(EDIFACT.replace("UNZ+", "UIH+X'UNZ+"))) == ["EDIFACT-INTERACTIVE"]
    assert codes(read_edifact(EDIFACT.replace("UNZ+", "UNO+1+X+Y+3'abcUNP+3+1'UNZ+"))) == ["EDIFACT-PACKAGE"]


def test_lower_case_is_refused_with_a_clear_word() -> None:
    assert codes(read_edifact(EDIFACT.lower())) == ["EDIFACT-LOWER-CASE"]
    assert codes(read_edifact(EDIFACT.replace("BGM", "bgm"))) == ["EDIFACT-TAG-MALFORMED"]
    assert codes(read_edifact(EDIFACT.replace("UNH+", "unh+")))[0] == "EDIFACT-LOWER-CASE"


def test_empty_and_misplaced_segments() -> None:
    assert codes(read_edifact(EDIFACT.replace("UNS", "''UNS").replace("UNZ", "'UNZ"))) == ["EDIFACT-SEGMENT-EMPTY"] * 3
    events = read_edifact(EDIFACT.replace("UNZ", "BGM+1'DTM+2'UNZ").replace("UNH+1", "UNT+1+1'UNH+1"))
    assert codes(events) == ["EDIFACT-SEGMENT-MISPLACED", "EDIFACT-SEGMENT-MISPLACED"]


def test_wrapped_lines_are_unwrapped_where_line_breaks_cannot_be_data() -> None:
    text = EDIFACT.replace("UNOC", "UNOB")
    lines = "\r\n".join(text[index : index + 31] for index in range(0, len(text), 31))
    events = read_edifact(lines)
    assert codes(events) == ["EDIFACT-WRAPPED"]
    assert transactions(events)[0].segments == transactions(read_edifact(text))[0].segments
    kept = transactions(read_edifact(EDIFACT.replace("it?'s", "it\nis")))[0]
    assert kept.segments[2][4] == ["Dock 4: it\nis open"]


def test_delimiters_that_cannot_be_are_refused() -> None:
    for una in ("UNA++.? '", "UNA:+.?+'", "UNAx+.? '"):
        assert codes(list(edifact.read([(una + EDIFACT).encode()])))[0] == "EDIFACT-DELIMITERS-UNUSABLE", una


def test_a_message_too_large_is_refused_and_its_neighbour_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edifact, "MAXIMUM_TRANSACTION", 300_000)
    large = MESSAGE.replace("UNS+S'", "FTX+AAI+++text'" * 50_000)
    text = f"{UNB}{large}{MESSAGE.replace('UNH+1', 'UNH+2').replace('5+1', '5+2')}UNZ+2+R1'"
    events = list(edifact.read(chopped(text.encode())))
    assert codes(events) == ["EDIFACT-TRANSACTION-TOO-LARGE"]
    assert [len(one.segments) for one in transactions(events)] == [1, 5]


def test_an_interchange_without_end_of_segment_is_given_up_soon() -> None:
    assert codes(list(edifact.read([UNB.encode() + b"UNG+" + b"A+" * 3_000_000]))) == ["EDIFACT-SEGMENT-ENDLESS", "EDIFACT-UNZ-MISSING"]


@pytest.mark.parametrize(
    "text", ["UNA:+.? 'UNB+", "UNB+UNOC:3+", "UNH+1+ORDERS:D:96A:UN'", "UIB+UNOA", "unb+unoa:1", "\n\nUNB+UNOA:1+", "'UNA:+.? '\nUNB+"]
)
def test_heads_that_look_like_edifact(text: str) -> None:
    assert edifact.looks_like(text.encode())


@pytest.mark.parametrize("text", ["", "UN", "UNABLE", "UNBELIEVABLE", "UNH  Message Header", "ISA*00*", "unh, he said", "una volta"])
def test_heads_that_do_not_look_like_edifact(text: str) -> None:
    assert not edifact.looks_like(text.encode())
    assert isinstance(list(edifact.read([text.encode()])), list)
