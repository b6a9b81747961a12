"""X12 as it comes: every delimiter, every way of sending it a little wrong, and what is told about it."""

import pytest

from gateway.codecs import x12
from gateway.codecs.node import GroupEnd
from gateway.codecs.node import GroupStart
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.problem import Severity
from tests.codecs.edi import GS
from tests.codecs.edi import ISA
from tests.codecs.edi import ORDER
from tests.codecs.edi import X12
from tests.codecs.edi import codes
from tests.codecs.edi import problems
from tests.codecs.edi import read_x12
from tests.codecs.edi import transactions


def test_a_good_file_is_read_without_a_word() -> None:
    events = read_x12(X12)
    assert [type(event).__name__ for event in events] == ["InterchangeStart", "GroupStart", "Transaction", "GroupEnd", "InterchangeEnd"]
    assert not problems(events)
    start, group, order, group_end, end = events
    assert isinstance(start, InterchangeStart)
    assert isinstance(group, GroupStart)
    assert isinstance(group_end, GroupEnd)
    assert isinstance(end, InterchangeEnd)
    assert (start.sender, start.receiver, start.control_number, start.version, start.test) == (
        "ZZ:ACMEBUYER",
        "ZZ:SELLERCO",
        "000000001",
        "00401",
        False,
    )
    assert (group.type, group.sender, group.receiver, group.control_number, group.version) == ("PO", "ACMEBUYER", "SELLERCO", "1", "004010")
    assert (group_end.declared, group_end.counted, end.declared, end.counted) == (1, 1, 1, 1)
    order = transactions(events)[0]
    assert (order.type, order.version, order.control_number, order.interchange_control_number, order.group_control_number) == (
        "850",
        "004010",
        "0001",
        "000000001",
        "1",
    )
    assert order.segments[0] == ["ST", "850", "0001"]
    assert order.segments[3] == ["PO1", "1", "2", "EA", "3.50"]
    assert order.raw == ORDER
    assert X12[order.offset :].startswith(ORDER)


@pytest.mark.parametrize(
    ("element", "segment", "component", "between"),
    [
        ("*", "~", ">", "\n"),
        ("*", "~", ">", "\r\n"),
        ("*", "~", ">", "\n  \t"),
        ("*", "\n", ">", ""),
        ("*", "\r", ">", "\n"),
        ("|", "~", "^", ""),
        ("\x1d", "\x1c", "\x1f", ""),
        ("\t", "\n", "~", ""),
        ("*", "\x85", ">", ""),
        ("+", "'", ":", "\n"),
        ("*", "?", "|", ""),
    ],
)
def test_delimiters_are_what_isa_says(element: str, segment: str, component: str, between: str) -> None:
    text = X12.replace(">~", "\0").replace("*", element).replace("~", segment + between).replace("\0", component + segment + between)
    events = read_x12(text)
    assert not problems(events)
    delimiters = transactions(events)[0].delimiters
    assert delimiters is not None
    assert (delimiters.element, delimiters.segment, delimiters.component) == (element, segment, component)
    assert [one[0] for one in transactions(events)[0].segments] == ["ST", "BEG", "N1", "PO1", "CTT", "SE"]


@pytest.mark.parametrize(
    ("isa11", "version", "repetition"),
    [("U", "00401", ""), ("^", "00401", ""), ("^", "00402", "^"), ("U", "00501", ""), ("|", "00501", "|"), (" ", "00501", "")],
)
def test_isa11_separates_repetitions_from_00402_on(isa11: str, version: str, repetition: str) -> None:
    start = read_x12(X12.replace("*U*00401*", f"*{isa11}*{version}*"))[0]
    assert isinstance(start, InterchangeStart)
    assert start.delimiters is not None
    assert start.delimiters.repetition == repetition


def test_an_isa_that_is_not_padded_is_read_with_a_warning() -> None:
    events = read_x12(X12.replace("          ", "").replace("      *", "*").replace("       *", "*"))
    assert codes(events) == ["X12-ISA-NOT-PADDED"]
    assert problems(events)[0].severity is Severity.WARNING
    assert transactions(events)[0].control_number == "0001"


def test_a_byte_order_mark_and_white_space_are_warnings_and_places_still_count_bytes() -> None:
    events = read_x12(b"\xef\xbb\xbf \r\n" + X12.encode())
    assert codes(events) == ["FILE-BYTE-ORDER-MARK", "FILE-WHITE-SPACE"]
    assert all(problem.severity is Severity.WARNING for problem in problems(events))
    assert transactions(events)[0].offset == X12.index("ST*") + 6
    assert transactions(events)[0].line == 2


def test_white_space_and_padding_behind_the_end_are_nothing() -> None:
    assert not problems(read_x12(X12 + "\r\n\r\n  \0\0\x1a"))


def test_empty_segments_are_warnings() -> None:
    events = read_x12(X12.replace("N1*BY", "~ ~N1*BY").replace("GE*", "~GE*"))
    assert codes(events) == ["X12-SEGMENT-EMPTY", "X12-SEGMENT-EMPTY", "X12-SEGMENT-EMPTY"]
    assert len(transactions(events)[0].segments) == 6
    assert all(problem.severity is Severity.WARNING for problem in problems(events))
    assert problems(events)[0].place.offset == X12.index("N1*BY")


def test_interchanges_have_their_own_delimiters() -> None:
    other = X12.replace(">~", "\0").replace("*", "|").replace("~", "\n").replace("\0", ":\n").replace("000000001", "000000002")
    events = read_x12(X12 + "\r\n" + other + X12.replace("000000001", "000000003"))
    assert not problems(events)
    assert [one.interchange_control_number for one in transactions(events)] == ["000000001", "000000002", "000000003"]
    assert [one.segments[1][3] for one in transactions(events)] == ["PO1", "PO1", "PO1"]


def test_ta1_before_the_first_group_is_advice() -> None:
    events = read_x12(X12.replace(GS, "TA1*000000009*260105*1200*A*000~" + GS))
    start = events[0]
    assert isinstance(start, InterchangeStart)
    assert start.advice == (["TA1", "000000009", "260105", "1200", "A", "000"],)
    assert not problems(events)


@pytest.mark.parametrize("declared", ["0", "1"])
def test_an_interchange_of_ta1_alone_has_no_group(declared: str) -> None:
    events = read_x12(f"{ISA}TA1*000000009*260105*1200*A*000~IEA*{declared}*000000001~")
    assert not problems(events)
    assert [type(event).__name__ for event in events] == ["InterchangeStart", "InterchangeEnd"]


def test_ta1_behind_a_group_is_a_warning() -> None:
    assert codes(read_x12(X12.replace("IEA*", "TA1*000000009*260105*1200*A*000~IEA*"))) == ["X12-ADVICE-MISPLACED"]


def test_the_last_terminator_may_be_missing() -> None:
    events = read_x12(X12[:-1])
    assert codes(events) == ["X12-TERMINATOR-MISSING"]
    assert problems(events)[0].severity is Severity.WARNING
    events = read_x12(X12[: X12.index("GE*") - 1])
    assert "X12-TERMINATOR-MISSING" in codes(events)
    assert transactions(events)[0].segments[-1] == ["SE", "6", "0001"]


@pytest.mark.parametrize(
    ("old", "new", "code", "found", "expected"),
    [
        ("SE*6*", "SE*7*", "X12-SE-COUNT", "7", "6"),
        ("SE*6*", "SE*x*", "X12-SE-COUNT", "x", "6"),
        ("SE*6*0001", "SE*6*0002", "X12-SE-CONTROL-NUMBER", "0002", "0001"),
        ("GE*1*1", "GE*2*1", "X12-GE-COUNT", "2", "1"),
        ("GE*1*1", "GE*1*2", "X12-GE-CONTROL-NUMBER", "2", "1"),
        ("IEA*1*", "IEA*3*", "X12-IEA-COUNT", "3", "1"),
        ("IEA*1*000000001", "IEA*1*000000002", "X12-IEA-CONTROL-NUMBER", "000000002", "000000001"),
        ("ST*850*", "ST*ORDER*", "X12-ST-INVALID", "ORDER", "three digits"),
        ("20260105*1200*1*X", "20260105*1200*A1*X", "X12-GS-CONTROL-NUMBER-INVALID", "A1", "one to nine digits"),
    ],
)
def test_counts_and_control_numbers_are_checked_at_their_place(old: str, new: str, code: str, found: str, expected: str) -> None:
    text = X12.replace(old, new, 1)
    told = {problem.code: problem for problem in problems(read_x12(text))}
    assert code in told
    problem = told[code]
    assert problem.severity is Severity.ERROR
    assert (problem.found, problem.expected) == (found, expected)
    assert problem.place.segment == new[:2].replace("20", "GS").replace("IE", "IEA")
    assert problem.place.element is not None


def test_control_numbers_of_groups_are_numbers_and_those_of_transactions_text() -> None:
    assert not problems(read_x12(X12.replace("GE*1*1~", "GE*1*001~").replace("IEA*1*000000001", "IEA*1*1")))
    assert codes(read_x12(X12.replace("SE*6*0001", "SE*6*1"))) == ["X12-SE-CONTROL-NUMBER"]
    assert not problems(read_x12(X12.replace("SE*6*", "SE*006*")))


def test_empty_numbers_are_told() -> None:
    assert "X12-ST-CONTROL-NUMBER-INVALID" in codes(read_x12(X12.replace("*0001~", "*~")))
    assert "X12-ISA-CONTROL-NUMBER-INVALID" in codes(read_x12(X12.replace("*000000001*0*P", "*00000000A*0*P")))


def test_duplicate_control_numbers_are_told_at_each_level() -> None:
    second = f"{GS}{ORDER}{ORDER}GE*2*1~"
    events = read_x12(X12.replace("IEA*1", f"{second}IEA*2") + X12)
    assert codes(events) == ["X12-GS-DUPLICATE", "X12-ST-DUPLICATE", "X12-ISA-DUPLICATE"]
    assert len(transactions(events)) == 4


def test_duplicates_are_seen_in_any_order_and_zeros_count() -> None:
    numbers = ["0005", "0001", "0002", "0003", "05", "0002", "X1", "X1", "0009", "0005"]
    body = "".join(ORDER.replace("0001", number) for number in numbers)
    events = read_x12(f"{ISA}{GS}{body}GE*10*1~IEA*1*000000001~")
    assert [problem.found for problem in problems(events) if problem.code == "X12-ST-DUPLICATE"] == ["0002", "X1", "0005"]


def test_a_missing_trailer_does_not_swallow_the_neighbour() -> None:
    body = ORDER.replace("SE*6*0001~", "") + ORDER.replace("0001", "0002") + ORDER.replace("0001", "0003")
    events = read_x12(f"{ISA}{GS}{body}GE*3*1~IEA*1*000000001~")
    assert codes(events) == ["X12-SE-MISSING"]
    assert [one.control_number for one in transactions(events)] == ["0001", "0002", "0003"]
    assert [len(one.segments) for one in transactions(events)] == [5, 6, 6]


@pytest.mark.parametrize(
    ("old", "code"),
    [("SE*6*0001~", "X12-SE-MISSING"), ("GE*1*1~", "X12-GE-MISSING"), ("IEA*1*000000001~", "X12-IEA-MISSING"), (GS, "X12-GROUP-MISSING")],
)
def test_each_missing_part_of_the_envelope_has_its_word(old: str, code: str) -> None:
    events = read_x12(X12.replace(old, ""))
    assert code in codes(events)
    assert transactions(events)[0].segments[1][3] == "PO1"


def test_without_gs_only_one_word_is_said_for_all() -> None:
    events = read_x12(f"{ISA}{ORDER}{ORDER.replace('0001', '0002')}IEA*0*000000001~")
    assert codes(events) == ["X12-GROUP-MISSING"]
    assert [one.version for one in transactions(events)] == ["004010", "004010"]


@pytest.mark.parametrize("length", range(len(X12)))
def test_a_file_cut_anywhere_says_so_at_its_end(length: int) -> None:
    events = list(x12.read([X12[:length].encode()]))
    for problem in problems(events):
        assert problem.place.offset is None or 0 <= problem.place.offset <= length
    if len(ISA) + len(GS) + 3 <= length < X12.index("GE*") - 1:
        told = {problem.code: problem for problem in problems(events)}
        if "X12-FILE-TRUNCATED" in told:
            problem = told["X12-FILE-TRUNCATED"]
            assert f"ends at byte {length} inside transaction" in problem.message
            assert problem.place.offset == length
        else:
            assert "SE*" in X12[:length]
    if 0 < length < len(X12) - 1:
        assert problems(events)


def test_a_truncated_interchange_does_not_swallow_the_next_one() -> None:
    for cut in (X12.index("PO1*1") + 7, X12.index("N1*BY"), X12.index("GE*") - 3):
        for between in ("", "\n"):
            for second in (X12, X12.replace(">~", "\0").replace("*", "|").replace("~", "!").replace("\0", ":!")):
                events = read_x12(X12[:cut] + between + second.replace("000000001", "000000002"))
                assert [one.interchange_control_number for one in transactions(events)] == ["000000001", "000000002"], (cut, between)
                assert not transactions(events)[1].problems
                assert transactions(events)[0].problems


def test_an_interchange_without_last_terminator_does_not_swallow_the_next_one() -> None:
    for between in ("", "\n", "\r\n"):
        events = read_x12(X12[:-1] + between + X12.replace("000000001", "000000002"))
        assert codes(events) == ["X12-TERMINATOR-MISSING"]
        assert len(transactions(events)) == 2


def test_junk_between_interchanges_is_told_and_skipped() -> None:
    events = read_x12("hello ISA world\n" + X12 + "what is ISA* this" + X12.replace("000000001", "000000002") + "bye")
    assert codes(events) == ["X12-JUNK", "X12-JUNK", "X12-JUNK"]
    assert len(transactions(events)) == 2
    assert problems(events)[1].place.offset == len("hello ISA world\n" + X12)


def test_the_letters_isa_and_se_in_data_are_data() -> None:
    events = read_x12(X12.replace("ACME CORP", "ISA SE*ISA*SE").replace("PO1**", "SE*ISAAC**").replace("SE*6", "ISA*x~SE*7"))
    assert len(transactions(events)) == 1
    assert transactions(events)[0].segments[2][2:5] == ["ISA SE", "ISA", "SE"]
    assert not problems(events)


def test_a_bare_transaction_is_read_with_a_problem() -> None:
    for text in (ORDER, ORDER.replace("~", "\n"), ORDER.replace("~", "~\r\n"), ORDER.replace("*", "|").replace("~", "'")):
        events = read_x12(text + text.replace("0001", "0002"))
        assert codes(events) == ["X12-ENVELOPE-MISSING"]
        assert isinstance(events[0], InterchangeStart)
        assert (events[0].sender, events[0].control_number) == ("", "")
        assert [one.type for one in transactions(events)] == ["850", "850"]


def test_a_bare_group_is_read_with_a_problem() -> None:
    events = read_x12(f"{GS}{ORDER}GE*1*1~")
    assert codes(events) == ["X12-ENVELOPE-MISSING"]
    assert transactions(events)[0].version == "004010"
    assert transactions(events)[0].group_control_number == "1"


def test_lower_case_is_refused_with_a_clear_word() -> None:
    events = read_x12(X12.lower())
    assert codes(events) == ["X12-LOWER-CASE"]
    assert not transactions(events)
    assert codes(read_x12(X12.replace("PO1*1*2", "po1*1*2"))) == ["X12-TAG-MALFORMED"]
    assert "lower case" in problems(read_x12(X12.replace("PO1*1*2", "po1*1*2")))[0].message
    assert codes(read_x12(X12.replace("ST*850", "st*850").replace("SE*6", "se*6")))[0] == "X12-LOWER-CASE"


def test_segments_outside_of_transactions_are_one_problem_for_a_run() -> None:
    events = read_x12(X12.replace("GE*1", "N1*BY~N3*X~N4*Y~GE*1").replace(GS, GS + "SE*1*2~"))
    assert codes(events) == ["X12-SEGMENT-MISPLACED", "X12-SEGMENT-MISPLACED"]
    assert "3 segments from 'N1'" in problems(events)[1].message
    assert problems(events)[1].place.offset == X12.index("GE*1") + len("SE*1*2~")


def test_a_line_width_of_80_is_unwrapped() -> None:
    lines = [X12[index : index + 80] for index in range(0, len(X12), 80)]
    events = read_x12("\r\n".join(lines))
    assert codes(events) == ["X12-WRAPPED"]
    assert transactions(events)[0].segments == transactions(read_x12(X12))[0].segments


def test_utf_8_is_read_as_such_and_other_bytes_as_latin_1() -> None:
    utf = transactions(read_x12(X12.replace("ACME CORP", "M\u00dcLLER \u0141\u00d3D\u0179").encode()))[0]
    assert utf.segments[2][2] == "M\u00dcLLER \u0141\u00d3D\u0179"
    assert len(utf.raw) == len(ORDER) + 6
    latin = transactions(read_x12(X12.replace("ACME CORP", "M\u00dcLLER")))[0]
    assert latin.segments[2][2] == "M\u00dcLLER"


def test_isa_that_makes_no_sense_is_told() -> None:
    assert codes(read_x12("ISA*00*too short~GS*PO~")) == ["X12-ISA-MALFORMED"]
    assert codes(read_x12(X12.replace("P*>~", "P*>*", 1))) == ["X12-ISA-MALFORMED"]
    assert codes(read_x12(X12.replace("*P*>~", "*P**>", 1)))[0] == "X12-ISA-MALFORMED"
    assert codes(read_x12(b"ISA*" + b"x" * 5000)) == ["X12-ISA-MALFORMED"]
    assert codes(read_x12(X12.replace(">~", "~")))[0] == "X12-COMPONENT-SEPARATOR-MISSING"


def test_an_interchange_without_end_of_segment_is_given_up_soon() -> None:
    events = list(x12.read([ISA.encode() + b"GS*PO" + b"*A" * 4_000_000]))
    assert codes(events) == ["X12-SEGMENT-ENDLESS", "X12-IEA-MISSING"]


def test_a_transaction_too_large_is_refused_and_its_neighbour_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x12, "MAXIMUM_TRANSACTION", 300_000)
    large = ORDER.replace("CTT*1~", "PO1*1*2*EA*3.50~" * 50_000)
    events = list(x12.read([f"{ISA}{GS}{large}{ORDER.replace('0001', '0002')}GE*2*1~IEA*1*000000001~".encode()]))
    assert codes(events) == ["X12-TRANSACTION-TOO-LARGE"]
    assert [len(one.segments) for one in transactions(events)] == [1, 6]


def test_a_segment_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x12, "MAXIMUM_SEGMENT", 1000)
    events = list(x12.read([X12.replace("ACME CORP", "A" * 2000).encode()]))
    assert codes(events) == ["X12-SEGMENT-ENDLESS"]


def test_versions_are_the_six_digits_of_the_release() -> None:
    for sent, version in (("004010", "004010"), ("004010VICS", "004010"), ("005010X220A1", "005010"), ("", "004010")):
        events = read_x12(X12.replace("*X*004010", f"*X*{sent}"))
        assert transactions(events)[0].version == version
        assert isinstance(events[1], GroupStart)
        assert events[1].version == sent
    assert transactions(read_x12(X12.replace("ST*850*0001", "ST*850*0001*005010X1")))[0].association == "005010X1"


@pytest.mark.parametrize("text", ["ISA", "ISA*", "isa*00*", "ST*850*1~BEG*", "GS*PO*A*B*20260105*1200*1*X*004010~ST*850*0001~"])
def test_heads_that_look_like_x12(text: str) -> None:
    assert x12.looks_like(text.encode()) is (text != "ISA")


@pytest.mark.parametrize("text", ["", "ISABEL*", "STREET", "GSM*", "UNB+UNOA", "<ISA*>", '{"ISA": 1}', "Stock*850*1~"])
def test_heads_that_do_not_look_like_x12(text: str) -> None:
    assert not x12.looks_like(text.encode())
    assert isinstance(list(x12.read([text.encode()])), list)
