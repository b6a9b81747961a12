"""Files in rows: what is read, what is wrong with it and where, and that what is written reads back the same."""

import time

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gateway.codecs import lines
from gateway.codecs import rows
from gateway.codecs.choose import form_of
from gateway.codecs.layout import Column
from gateway.codecs.layout import Layout
from gateway.codecs.layout import Record
from gateway.codecs.lines import LinesForm
from gateway.codecs.lines_writing import write
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import Transaction
from gateway.problem import Problem
from tests.machine import is_quick

COLUMNS = (
    Column(name="order_no", header="Order No", mandatory=True),
    Column(name="item", header="Item"),
    Column(name="qty", header="Qty", kind="decimal"),
)
HEADED = Layout(spec="csv/orders", fixed=False, records=(Record(name="row", columns=COLUMNS),), header=True, group_by=(1,))
BARE = Layout(spec="csv/orders", fixed=False, records=(Record(name="row", columns=COLUMNS),), group_by=(1,), line_end="\n")
MARKED = Layout(
    spec="csv/orders",
    fixed=False,
    records=(
        Record(name="head", mark="H", columns=COLUMNS[:1]),
        Record(name="line", mark="L", columns=COLUMNS[1:]),
        Record(name="end", mark="Z", columns=COLUMNS[:1]),
    ),
    delimiter=";",
    opens="head",
    of_file=frozenset({"end"}),
)
FIXED = Layout(
    spec="fixed/orders",
    fixed=True,
    records=(
        Record(name="head", mark="10", columns=(Column(name="order_no", header="order_no", start=3, end=8),)),
        Record(
            name="line",
            mark="20",
            columns=(
                Column(name="item", header="item", start=3, end=8),
                Column(name="qty", header="qty", kind="N2", start=9, end=14, right=True, fill="0"),
            ),
        ),
    ),
    mark_at=(1, 2),
    opens="head",
)


def read(data: bytes, layout: Layout) -> tuple[list[Transaction], list[Problem]]:
    events = list(lines.read([data], layout))
    transactions = [event for event in events if isinstance(event, Transaction)]
    return transactions, [event for event in events if isinstance(event, Problem)] + [problem for one in transactions for problem in one.problems]


def documents(data: bytes, layout: Layout) -> list[list[list[str]]]:
    return [transaction.segments for transaction in read(data, layout)[0]]


def test_columns_are_found_by_their_names_in_any_order() -> None:
    data = b'qty;"ORDER-no";Item\r\n1;PO1;A\r\n2;PO1;B\r\n\r\n3;PO2;C\r\n'
    layout = Layout(spec="csv/orders", fixed=False, records=HEADED.records, header=True, group_by=(1,), delimiter=";")
    assert documents(data, layout) == [[["row", "PO1", "A", "1"], ["row", "PO1", "B", "2"]], [["row", "PO2", "C", "3"]]]


def test_rows_with_marks_make_documents() -> None:
    data = b"H;PO1\nL;A;1\nL;B;2\nH;PO2\nL;C;3\nZ;2\n"
    assert documents(data, MARKED) == [[["head", "PO1"], ["line", "A", "1"], ["line", "B", "2"]], [["head", "PO2"], ["line", "C", "3"]]]


def test_fixed_width_is_cut_by_its_places() -> None:
    assert documents(b"10PO1   \r\n20A      00150\r\n", FIXED) == [[["head", "PO1"], ["line", "A", "00150"]]]


@pytest.mark.parametrize(
    "layout", [BARE, Layout(spec="csv/x", fixed=False, records=BARE.records), Layout(spec="csv/x", fixed=False, records=BARE.records, whole=True)]
)
def test_a_file_is_read_the_same_byte_by_byte(layout: Layout) -> None:
    data = b'\xef\xbb\xbfPO1,"a ""b""\r\nc",1\r\nPO1,d,2\rPO2,e,3'
    whole = list(lines.read([data], layout))
    pieces = list(lines.read([data[position : position + 1] for position in range(len(data))], layout))
    assert [event.segments for event in whole if isinstance(event, Transaction)] == [
        event.segments for event in pieces if isinstance(event, Transaction)
    ]
    assert sum(len(event.segments) for event in whole if isinstance(event, Transaction)) == 3


@pytest.mark.parametrize(
    ("data", "layout", "code", "line", "column", "kept"),
    [
        (b'PO1,"a,1\nPO2,b,2\n', BARE, "LINES-QUOTE", 1, 6, 2),
        (b'PO1,"a"b,1\n', BARE, "LINES-QUOTE", 1, 10, 1),
        (b"PO1,a,1,more\n", BARE, "LINES-COLUMNS", 1, 9, 1),
        (b"Order No,Item,Qty\nPO1,a\n", HEADED, "LINES-COLUMNS", 2, 6, 1),
        (b"PO1,a,1\nPO2,b,2\nPO1,c,3\n", BARE, "LINES-GROUP-AGAIN", 3, 1, 3),
        (b"PO1,\xfcber,1\n", BARE, "LINES-CHARSET", 1, 5, 1),
        (b"\xff\xfeP\0", BARE, "LINES-CHARSET", 1, None, 0),
        (b"Item,Qty\na,1\n", HEADED, "LINES-HEADER", 1, 1, 0),
        (b"Order No,Item,Qty,Item\nPO1,a,1,b\n", HEADED, "LINES-HEADER", 1, 1, 0),
        (b"Order No,Item,Qty,Color\nPO1,a,1,red\n", HEADED, "LINES-COLUMN-UNKNOWN", 1, 19, 1),
        (b"H;PO1\nX;1\nL;A;1\n", MARKED, "LINES-RECORD-UNKNOWN", 2, 1, 1),
        (b"L;A;1\nH;PO1\nL;B;1\n", MARKED, "LINES-RECORD-MISPLACED", 1, 1, 1),
        (b"PO1," + b"a" * (rows.MAX_ROW + 1) + b",1\nPO2,b,2\n", BARE, "LINES-TOO-LONG", 1, 1, 2),
        (b"Order No,Item,Qty\n", HEADED, "FILE-EMPTY", None, None, 0),
    ],
)
def test_what_is_wrong_is_told_with_line_and_column_and_the_rest_goes_on(
    data: bytes, layout: Layout, code: str, line: int | None, column: int | None, kept: int
) -> None:
    transactions, problems = read(data, layout)
    assert code in [problem.code for problem in problems]
    problem = next(problem for problem in problems if problem.code == code)
    assert (problem.place.line, problem.place.column) == (line, column)
    assert len(transactions) == kept


def test_an_open_quote_costs_its_own_row_only() -> None:
    data = b'PO1,"a,1\n' + b"".join(b"PO%d,b,2\n" % number for number in range(2, 40_000))
    transactions, problems = read(data, BARE)
    assert len(transactions) == 39_999
    assert [problem.code for problem in problems] == ["LINES-QUOTE"]
    assert transactions[-1].line == 39_999


def test_a_document_of_too_many_rows_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_ROWS", 3)
    transactions, problems = read(b"PO1,a,1\n" * 9, BARE)
    assert [problem.code for problem in problems] == ["LINES-TOO-LONG"]
    assert len(transactions[0].segments) == 3


def test_where_a_value_lies_is_found_again() -> None:
    data = 'Order No,Item,Qty\r\nPO1,"grün, ""b""\r\nc",1.50\r\n\r\n# no row\r\nPO1,rot,2\r\n'.encode()
    layout = Layout(spec="csv/orders", fixed=False, records=HEADED.records, header=True, group_by=(1,), comment="#")
    transaction = read(data, layout)[0][0]
    assert transaction.segments == [["row", "PO1", 'grün, "b"\r\nc', "1.50"], ["row", "PO1", "rot", "2"]]
    for index, position, text, line, column in ((1, 3, b"1.50", 3, 4), (2, 2, b"rot", 6, 5), (1, 1, b"PO1", 2, 1)):
        span = lines.locate(transaction, index, position)
        assert data[span.offset : span.offset + span.length] == text
        assert (span.line, span.column) == (line, column)
    with pytest.raises(LookupError):
        lines.locate(transaction, 3, 1)
    fixed = read(b"10PO1\n20A      00150\n", FIXED)[0][0]
    assert lines.locate(fixed, 2, 2) == lines.Span(15, 5, 2, 10)


def test_the_sender_stands_in_its_column() -> None:
    layout = Layout(spec="csv/orders", fixed=False, records=BARE.records, group_by=(1,), sender=("row", 2))
    assert [transaction.sender for transaction in read(b"PO1,C1,1\nPO2,C2,1\n", layout)[0]] == ["C1", "C2"]


@pytest.mark.parametrize(
    ("head", "layout", "fits"),
    [
        (b"Item,Order No\n", HEADED, True),
        (b"Item,Qty\n", HEADED, False),
        (b"H;PO1\n", MARKED, True),
        (b"L;PO1\n", MARKED, True),
        (b"Q;PO1\n", MARKED, False),
        (b"PO1,a,1\n", BARE, True),
        (b"PO1,a,1,x,y\n", BARE, False),
        (b"10PO1\n", FIXED, True),
        (b"30PO1\n", FIXED, False),
        (b"<Order/>", BARE, False),
        (b"{}", BARE, False),
        (b"", BARE, False),
        (b"\0\0", BARE, False),
    ],
)
def test_a_file_is_told_by_its_first_row(head: bytes, layout: Layout, fits: bool) -> None:
    assert LinesForm(layout).fits(head) is fits
    assert (form_of(head, [LinesForm(layout)]) is not None) is fits


def test_an_interchange_in_a_syntax_of_its_own_is_never_taken_for_rows() -> None:
    whole = Layout(spec="csv/x", fixed=False, records=BARE.records)
    isa = b"ISA*00*          *00*          *ZZ*A              *ZZ*B              *260105*1200*U*00401*000000001*0*P*>~"
    assert form_of(isa, [LinesForm(whole)]) is None
    assert form_of(isa, [LinesForm(whole, said=True)]) is not None


VALUES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12).map(str.strip)


@given(st.lists(st.tuples(VALUES, VALUES, st.decimals(allow_nan=False, allow_infinity=False, places=2)), min_size=1, max_size=5))
@settings(max_examples=150, deadline=None)
def test_what_is_written_reads_back_the_same(table: list[tuple[str, str, object]]) -> None:
    layout = Layout(spec="csv/x", fixed=False, records=HEADED.records, header=True, whole=True, formulas="keep", decimal=",", delimiter=";")
    segments = [["row", f"N{first}", second, format(number, "f")] for first, second, number in table]
    held = documents(write(segments, layout), layout)[0]
    assert [[*row[:3], row[3].replace(",", ".")] for row in held] == segments


def test_fixed_width_reads_back_the_same() -> None:
    segments = [["head", "PO1"], ["line", "A B", "150"], ["line", "C", "-7"], ["line"]]
    data = write(segments, FIXED)
    assert data == b"10PO1   \r\n20A B   000150\r\n20C     -00007\r\n20            \r\n"
    assert documents(data, FIXED) == [[["head", "PO1"], ["line", "A B", "000150"], ["line", "C", "-00007"], ["line", "", ""]]]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30 1", "'+49 30 1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("-2.50", "-2.50"),
        ("a=b", "a=b"),
        ("\tx", '"\'\tx"'),
    ],
)
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(value: str, written: str) -> None:
    layout = Layout(spec="csv/x", fixed=False, records=BARE.records)
    assert write([["row", "PO1", value, "-3"]], layout) in (f"PO1,{written},-3\r\n".encode(), f"PO1,'{value},-3\r\n".encode())


def test_a_text_is_refused_or_kept_where_the_layout_says_so() -> None:
    with pytest.raises(ValueError, match="formula"):
        write([["row", "PO1", "=1"]], Layout(spec="csv/x", fixed=False, records=BARE.records, formulas="refuse"))
    assert write([["row", "PO1", "=1"]], Layout(spec="csv/x", fixed=False, records=BARE.records, formulas="keep")) == b"PO1,=1,\r\n"


@pytest.mark.parametrize(
    ("segment", "layout", "words"),
    [
        (["head", "PO1234567"], FIXED, "9 characters long; its field has 6"),
        (["row", "\u20ac"], Layout(spec="csv/x", fixed=False, records=BARE.records, charset="iso8859-1"), "cannot be written in iso8859-1"),
        (["row", "a;b"], Layout(spec="csv/x", fixed=False, records=BARE.records, delimiter=";", quote=""), "holds the delimiter"),
    ],
)
def test_what_does_not_fit_is_refused(segment: list[str], layout: Layout, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        write([segment], layout)


@pytest.mark.parametrize(
    "data",
    [
        b'"' + b'\n""' * 60_000,
        b"," * 400_000,
        b"\n" * 300_000,
        b'"' * 400_000,
        b"a\n" * 50_000,
        b'"a\n' * 60_000,
        b"\r" * 300_000,
        b'a"' * 200_000,
    ],
)
def test_time_grows_with_the_size_and_no_more(data: bytes) -> None:
    start = time.process_time()
    events = list(lines.read([data[position : position + 65536] for position in range(0, len(data), 65536)], BARE))
    assert isinstance(events[-1], InterchangeEnd)
    assert is_quick(time.process_time() - start, 6)


@given(st.binary(max_size=300), st.sampled_from([HEADED, BARE, MARKED, FIXED]))
@settings(max_examples=300, deadline=None)
def test_no_bytes_make_reading_fail(data: bytes, layout: Layout) -> None:
    for event in lines.read([data], layout):
        if isinstance(event, Transaction):
            for index, segment in enumerate(event.segments, 1):
                for position in range(1, len(segment)):
                    lines.locate(event, index, position)
