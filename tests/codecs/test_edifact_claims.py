"""What we say that we read of EDIFACT, claim by claim: each way of sending it, whole and in chunks of any size."""

import pytest

from gateway.codecs import choose
from gateway.codecs import edifact
from gateway.codecs.node import GroupStart
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Repeated
from gateway.codecs.node import Syntax
from gateway.problem import Severity
from tests.codecs.edi import EDIFACT
from tests.codecs.edi import MESSAGE
from tests.codecs.edi import UNB
from tests.codecs.edi import codes
from tests.codecs.edi import problems
from tests.codecs.edi import read_edifact
from tests.codecs.edi import transactions

SEGMENTS = transactions(read_edifact(EDIFACT))[0].segments
UNG = "UNG+ORDERS+GROUPER:ZZ+GROUPEE:ZZ+260105:1200+G1+UN+D:96A:EAN008'"


def start_of(text: str) -> InterchangeStart:
    return next(event for event in read_edifact(text) if isinstance(event, InterchangeStart))


def wrapped(text: str, width: int, end: str = "\n") -> str:
    return end.join(text[index : index + width] for index in range(0, len(text), width))


@pytest.mark.parametrize("version", ["1", "2", "3", "4"])
@pytest.mark.parametrize("una", ["", "UNA:+.? '", "UNA:+.?*'", "UNA:+,? '\r\n", "UNA:+.? ' "])
@pytest.mark.parametrize("date", ["260105", "20260105"])
def test_every_syntax_version_is_read_with_una_or_none_and_with_either_form_of_date(version: str, una: str, date: str) -> None:
    text = una + EDIFACT.replace("UNOC:3", f"UNOC:{version}").replace("+260105:1200", f"+{date}:1200")
    events = read_edifact(text)
    assert not problems(events)
    start = events[0]
    assert isinstance(start, InterchangeStart)
    assert (start.version, start.date, start.time) == (f"UNOC:{version}", date, "1200")
    assert start.delimiters is not None
    assert start.delimiters.repetition == ("*" if version == "4" and "? '" not in una else "")
    assert transactions(events)[0].segments == SEGMENTS


def test_before_version_4_an_asterisk_is_data_whatever_una_says() -> None:
    text = EDIFACT.replace("BGM+220+PO1+9", "BGM+220+PO1*PO2+9")
    for una in ("", "UNA:+.?*'"):
        assert transactions(read_edifact(una + text))[0].segments[1][2] == ["PO1*PO2"]
    four = text.replace("UNOC:3", "UNOC:4")
    for una, element in (("", Repeated([["PO1"], ["PO2"]])), ("UNA:+.?*'", Repeated([["PO1"], ["PO2"]])), ("UNA:+.? '", ["PO1*PO2"])):
        assert transactions(read_edifact(una + four))[0].segments[1][2] == element


@pytest.mark.parametrize(
    "una",
    [
        "UNA:+.? '",
        "UNA:+.?^'",
        "UNA=*,\\ ~",
        "UNA|!.# ;",
        "UNA\x1f\x1d.  \x1c",
        "UNA:+.? \n",
        "UNA:+.? \r",
        "UNA<>.?*\\",
        "UNA^+.? '",
        "UNA:+ ? '",
        "UNA:|.? '",
    ],
)
def test_una_may_name_any_characters(una: str) -> None:
    component, element, _, release, repetition, segment = una[3:]
    plain = EDIFACT.replace("UNOC:3", "UNOC:4").replace("Dock 4?: it?'s open", "TEXT").replace("BGM+220+PO1+9", "BGM+220+PO1\0PO2+9")
    text = una + plain.translate(str.maketrans({"+": element, ":": component, "'": segment, "?": release, "\0": repetition}))
    events = read_edifact(text)
    assert not problems(events), una
    expected = Repeated([["PO1"], ["PO2"]]) if repetition != " " else ["PO1 PO2"]
    assert transactions(events)[0].segments[1] == ["BGM", ["220"], expected, ["9"]]
    assert transactions(events)[0].segments[2] == ["FTX", ["AAI"], [""], [""], ["TEXT"]]


@pytest.mark.parametrize("una", ["UNA++.? '", "UNA:+.?+'", "UNA:+.?:'", "UNA:+.??'", "UNAA+.? '", "UNA:7.? '", "UNA: .? '", "UNA:+.?A'", "UNA:+.x '"])
def test_a_una_whose_delimiters_cannot_be_told_apart_is_refused(una: str) -> None:
    events = list(edifact.read([(una + EDIFACT).encode()]))
    assert codes(events)[0] == "EDIFACT-DELIMITERS-UNUSABLE"
    assert choose.syntax_of((una + EDIFACT).encode()) is Syntax.EDIFACT


def test_groups_and_sections() -> None:
    group = f"{UNG}{MESSAGE}{MESSAGE.replace('UNH+1', 'UNH+2').replace('5+1', '5+2')}UNE+2+G1'"
    events = read_edifact(f"{UNB}{group}{group.replace('G1', 'G2')}UNZ+2+R1'")
    assert not problems(events)
    assert [event.control_number for event in events if isinstance(event, GroupStart)] == ["G1", "G2"]
    assert [one.group_control_number for one in transactions(events)] == ["G1", "G1", "G2", "G2"]
    assert [one[0] for one in transactions(events)[0].segments] == ["UNH", "BGM", "FTX", "UNS", "UNT"]


@pytest.mark.parametrize("association", ["", "EAN008", "EAN010", "EAN011", "1.1e", "S009", "EDIT30"])
def test_the_association_code_of_unh_is_kept(association: str) -> None:
    text = EDIFACT.replace(":EAN008", f":{association}" if association else "")
    assert not problems(read_edifact(text))
    order = transactions(read_edifact(text))[0]
    assert (order.type, order.version, order.association) == ("ORDERS", "D96A", association)


@pytest.mark.parametrize(("sent", "test"), [("", False), ("+1", True), ("+2", True), ("+0", False)])
def test_the_test_indicator_of_unb(sent: str, test: bool) -> None:
    assert start_of(EDIFACT.replace("+R1'", f"+R1++++++{sent[1:]}'" if sent else "+R1'", 1)).test is test


def test_several_interchanges_with_and_without_una() -> None:
    parts = []
    for number, (una, table) in enumerate(
        [("", {}), ("UNA:+.? '", {}), ("UNA|!.# ~", {"+": "!", ":": "|", "'": "~", "?": "#"}), ("", {}), ("UNA:+.? \n", {"'": "\n"})], 1
    ):
        text = EDIFACT.replace("R1", f"R{number}").replace("it?'s", "its").translate(str.maketrans(table))
        parts.append(una + text)
    for between in ("", "\n", "\r\n\r\n"):
        events = read_edifact(between.join(parts))
        assert not problems(events)
        assert [one.interchange_control_number for one in transactions(events)] == ["R1", "R2", "R3", "R4", "R5"]
        assert len({str(one.segments).replace("4:", "4|") for one in transactions(events)}) == 1


def test_segments_without_elements() -> None:
    events = read_edifact(EDIFACT.replace("UNS+S'", "ODI'UNS'").replace("UNT+5", "UNT+6"))
    assert not problems(events)
    assert transactions(events)[0].segments[3:5] == [["ODI"], ["UNS"]]


@pytest.mark.parametrize("text", ["UNA", "UNA:+.? ", "UNB+UNOC:3", "UNH+1", "UNT+5+1", "UNZ+1+R1", "A UNA+B", "UNO+1", "UIH+1"])
def test_tags_in_a_text_are_data(text: str) -> None:
    for sent in (text, text.replace("+", "?+").replace(":", "?:").replace("? ", "?? "), text + "?'" + text):
        events = read_edifact(EDIFACT.replace("Dock 4?: it?'s open", sent))
        assert not problems(events), sent
        assert len(transactions(events)) == 1
        assert len(transactions(events)[0].segments) == 5


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("a??", "a?"),
        ("??", "?"),
        ("????", "??"),
        ("a???'b", "a?'b"),
        ("?+", "+"),
        ("?:", ":"),
        ("a??b", "a?b"),
        ("?a", "a"),
        ("?'?'", "''"),
        ("?\n", "\n"),
    ],
)
def test_release_characters_before_delimiters_and_doubled(sent: str, read: str) -> None:
    for place in ("+{}'", "+{}:B'", "+{}+B'", "+A:{}'"):
        sent_segment = "FTX" + place.format(sent)
        events = read_edifact(EDIFACT.replace("FTX+AAI+++Dock 4?: it?'s open'", sent_segment))
        assert not problems(events), sent_segment
        segment = transactions(events)[0].segments[2]
        assert segment[1][1 if place.startswith("+A") else 0] == read
        assert len(transactions(events)[0].segments) == 5


def test_release_characters_in_the_envelope() -> None:
    text = EDIFACT.replace("+1234567890128:14+", "+A?'B??:14+").replace("R1'", "R?'1'").replace("UNZ+1+R?'1'", "UNZ+1+R?'1'")
    events = read_edifact(text)
    assert not problems(events)
    start = events[0]
    assert isinstance(start, InterchangeStart)
    assert (start.sender, start.control_number) == ("14:A'B?", "R'1")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("charset", ["UNOA", "UNOB", "UNOC", "UNOY"])
@pytest.mark.parametrize("width", [20, 35, 70, 72, 79, 80, 81, 100, 128, 132, 200, 256, 512, 1024, 2048])
def test_lines_of_any_width_are_joined(width: int, charset: str, end: str) -> None:
    lines = "".join(f"LIN+{number}++4000000{number:06}:EN'QTY+21:{number}'" for number in range(1, 200))
    message = MESSAGE.replace("Dock 4?: it?'s open", "DOCK 4?: IT?'S OPEN").replace("UNS+S'", lines + "UNS+S'").replace("UNT+5", "UNT+403")
    text = f"{UNB.replace('UNOC', charset)}{message}{message.replace('UNH+1', 'UNH+2').replace('403+1', '403+2')}UNZ+2+R1'"
    plain, events = list(edifact.read([text.encode()])), list(edifact.read([wrapped(text, width, end).encode()]))
    assert not problems(plain)
    assert codes(events) == ["EDIFACT-WRAPPED"]
    assert [one.segments for one in transactions(events)] == [one.segments for one in transactions(plain)]


def test_a_line_break_where_a_terminator_is_missing_is_no_wrapped_line() -> None:
    for charset in ("UNOA", "UNOC"):
        text = EDIFACT.upper().replace("UNOC", charset).replace("R1'", "R1\n", 1).replace("'", "'\n")
        events = read_edifact(text)
        assert codes(events) == ["EDIFACT-TERMINATOR-MISSING"]
        assert len(transactions(events)) == 1


# ---- character sets


@pytest.mark.parametrize(
    ("charset", "text", "first", "element"),
    [
        ("UNOA", "DOCK 4 open", "o", 4),
        ("UNOA", "A_B", "_", 4),
        ("UNOA", "A@B", "@", 4),
        ("UNOB", "a_b", "_", 4),
        ("UNOB", "a#b", "#", 4),
        ("UNOX", "\x1b$B", "\x1b", 4),
    ],
)
def test_characters_outside_of_the_level_are_a_warning_once_an_interchange(charset: str, text: str, first: str, element: int) -> None:
    message = MESSAGE.replace("Dock 4?: it?'s open", text)
    body = message + message.replace("UNH+1", "UNH+2").replace("5+1", "5+2")
    events = read_edifact(f"{UNB.replace('UNOC', charset)}{body}UNZ+2+R1'")
    assert codes(events) == ["EDIFACT-CHARSET"]
    told = problems(events)[0]
    assert (told.severity, told.found, told.place.segment, told.place.index, told.place.element) == (Severity.WARNING, first, "FTX", 3, element)
    assert transactions(events)[1].segments[2][4] == [text]


@pytest.mark.parametrize(("charset", "text"), [("UNOA", 'DOCK 4 (A-B) =!"%&*;<>.'), ("UNOB", 'Dock 4 (a-b) =!"%&*;<>,/'), ("UNOC", "a_b#@[]{}~")])
def test_characters_of_the_level_are_nothing_to_tell(charset: str, text: str) -> None:
    assert not problems(read_edifact(EDIFACT.replace("UNOC", charset).replace("Dock 4?: it?'s open", text)))


@pytest.mark.parametrize(
    ("charset", "codec", "text", "taken_for"),
    [
        ("UNOC", "cp1252", "100 € “quoted”", "Windows-1252"),
        ("UNOC", "utf-8", "Müller", "UTF-8"),
        ("UNOD", "cp1250", "€ Łódź „x”", "Windows-1250"),
        ("UNOE", "cp1251", "„Москва“ 1", "Windows-1251"),
        ("UNOF", "cp1253", "Αθήνα €", "Windows-1253"),
        ("UNOK", "cp1254", "İstanbul €", "Windows-1254"),
        ("UNOL", "utf-8", "100 €", "UTF-8"),
        ("UNOY", "cp1252", "100 €", "Windows-1252"),
        ("UNOW", "latin-1", "Müller", "Windows-1252"),
        ("UNOA", "latin-1", "MÜLLER", "Windows-1252"),
    ],
)
def test_bytes_of_another_set_are_a_warning_at_their_place(charset: str, codec: str, text: str, taken_for: str) -> None:
    events = read_edifact(EDIFACT.replace("UNOC", charset).replace("Dock 4?: it?'s open", text).encode(codec))
    assert codes(events) == ["EDIFACT-CHARSET"]
    told = problems(events)[0]
    assert (told.severity, told.found, told.expected) == (Severity.WARNING, taken_for, charset)
    assert (told.place.segment, told.place.index, told.place.element) == ("FTX", 3, 4)
    assert transactions(events)[0].segments[2][4] == [text]


@pytest.mark.parametrize(
    ("charset", "codec", "text"),
    [
        ("UNOG", "iso8859-3", "Ħal Għaxaq"),
        ("UNOH", "iso8859-4", "Ķekava"),
        ("UNOI", "iso8859-6", "مرحبا"),
        ("UNOJ", "iso8859-8", "שלום"),
        ("KECA", "euc_kr", "서울"),
    ],
)
def test_the_other_sets_are_read(charset: str, codec: str, text: str) -> None:
    events = read_edifact(EDIFACT.replace("UNOC", charset).replace("Dock 4?: it?'s open", text).encode(codec))
    assert not problems(events)
    assert transactions(events)[0].segments[2][4] == [text]


def test_a_sender_in_another_set_is_told_at_unb() -> None:
    events = read_edifact(EDIFACT.replace("+1234567890128:14+", "+MÜLLER:14+").encode())
    assert codes(events) == ["EDIFACT-CHARSET"]
    assert problems(events)[0].place.segment == "UNB"
    start = next(event for event in events if isinstance(event, InterchangeStart))
    assert start.sender == "14:MÜLLER"


# ---- what is refused


@pytest.mark.parametrize("tag", ["UIB", "UIH", "UIT", "UIZ"])
def test_interactive_segments_are_refused_politely(tag: str) -> None:
    alone = read_edifact(f"{tag}+UNOA:1+1'")
    assert codes(alone) == ["EDIFACT-INTERACTIVE"]
    assert choose.syntax_of(f"{tag}+UNOA:1+1'".encode()) is Syntax.EDIFACT
    inside = read_edifact(EDIFACT.replace("UNZ+", f"{tag}+1+X'UNZ+"))
    assert codes(inside) == ["EDIFACT-INTERACTIVE"]
    assert len(transactions(inside)) == 1


@pytest.mark.parametrize("start", ["unb", "Unb", "UNb", "una"])
def test_tags_in_lower_case_are_refused_with_a_clear_word(start: str) -> None:
    text = f"{start}:+.? '{EDIFACT.lower()}" if start == "una" else EDIFACT.replace("UNB", start)
    told = problems(read_edifact(text))[0]
    assert (told.code, told.found, told.expected) == ("EDIFACT-LOWER-CASE", start, start.upper())


# ---- packages

OBJECT = "\0'UNT+5+1'UNZ+1+R1'UNB+UNOC:3+\xff?''UNP"


@pytest.mark.parametrize("content", ["", "x", "plain", OBJECT, "'" * 50, OBJECT * 2000, "".join(map(chr, range(256)))])
@pytest.mark.parametrize("between", ["", "\r\n"])
def test_a_package_beside_messages_is_stepped_over(content: str, between: str) -> None:
    package = f"UNO+P1+1:Doc+13:application/pdf+{len(content)}:1:1:A'{content}{between}UNP+{len(content)}+P1'"
    second = MESSAGE.replace("UNH+1", "UNH+2").replace("5+1", "5+2")
    for count in (2, 3):
        text = f"{UNB}{MESSAGE}{package}{second}UNZ+{count}+R1'"
        events = read_edifact(text) if len(text) < 10_000 else list(edifact.read([text.encode("latin-1")]))
        assert codes(events) == ["EDIFACT-PACKAGE"]
        told = problems(events)[0]
        assert (told.severity, told.found, told.place.segment, told.place.offset) == (
            Severity.WARNING,
            str(len(content)),
            "UNO",
            len(UNB + MESSAGE),
        )
        assert [one.control_number for one in transactions(events)] == ["1", "2"]
        end = events[-1]
        assert isinstance(end, InterchangeEnd)
        assert end.counted == count


@pytest.mark.parametrize("content", ["", "x", OBJECT, "'" * 50, OBJECT * 2000])
def test_a_package_inside_of_a_message_is_stepped_over(content: str) -> None:
    package = f"UNO+P1+1:Doc+13:application/pdf+{len(content)}'{content}UNP+{len(content)}+P1'"
    text = EDIFACT.replace("UNT+5+1'UNZ", "UNT+9+1'UNZ").replace("UNS+S'", package * 2 + "UNS+S'")
    events = read_edifact(text) if len(text) < 10_000 else list(edifact.read([text.encode("latin-1")]))
    assert codes(events) == ["EDIFACT-PACKAGE", "EDIFACT-PACKAGE"]
    order = transactions(events)[0]
    assert [one[0] for one in order.segments] == ["UNH", "BGM", "FTX", "UNO", "UNP", "UNO", "UNP", "UNS", "UNT"]
    assert text[order.offset :].startswith(order.raw)
    for index, tag in ((4, "UNO"), (5, "UNP"), (7, "UNP"), (8, "UNS"), (9, "UNT")):
        assert text[edifact.locate(order, index).offset :].startswith(tag)


@pytest.mark.parametrize(
    "package",
    [
        "UNO+P1+1:Doc+13+4'abcUNP+3+P1'",
        "UNO+P1+1:Doc+13+x'abcUNP+3+P1'",
        "UNO+P1'abcUNP+3+P1'",
        "UNO+P1+1:Doc+13+3'abcUNP+4+P1'",
        "UNO+P1+1:Doc+13+3'abcUNP+3+P2'",
        "UNO+P1+1:Doc+13+999999999999'abcUNP+3+P1'",
    ],
)
def test_a_package_that_does_not_end_where_it_says_is_an_error(package: str) -> None:
    events = read_edifact(EDIFACT.replace("UNZ+", package + "UNZ+"))
    assert codes(events) == ["EDIFACT-PACKAGE-MALFORMED"]
    assert len(transactions(events)) == 1
    inside = read_edifact(EDIFACT.replace("UNS+S'", package + "UNS+S'"))
    assert "EDIFACT-PACKAGE-MALFORMED" in codes(inside)
    assert transactions(inside)[0].segments[-1][0] == "UNT"
