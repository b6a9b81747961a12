"""JSON files: what is read, what is wrong with it and where; digits and places stay, and no bytes make it fail."""

import json as library
import time

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gateway.codecs import json
from gateway.codecs import json_text
from gateway.codecs.json import JsonForm
from gateway.codecs.json import JsonLayout
from gateway.codecs.node import Transaction
from gateway.config import default_resolver
from gateway.problem import Problem
from gateway.schema.load import load_schema
from gateway.schema.rows_check import judge
from tests.machine import is_quick


def layout() -> JsonLayout:
    held = load_schema("json/orders", default_resolver()).tree
    assert isinstance(held, JsonLayout)
    return held


def read(text: str | bytes) -> tuple[list[Transaction], list[Problem]]:
    data = text.encode() if isinstance(text, str) else text
    events = list(json.read([data], layout(), judge))
    transactions = [event for event in events if isinstance(event, Transaction)]
    return transactions, [event for event in events if isinstance(event, Problem)] + [problem for one in transactions for problem in one.problems]


GOOD = '{"orders": [{"number": "1", "lines": [{"quantity": 1.50}]}, {"number": "2", "lines": [{"quantity": "2"}]}]}'


def test_each_order_is_a_document_and_digits_stay() -> None:
    transactions, problems = read("\ufeff" + GOOD)
    assert problems == []
    assert [one.root.findtext("lines/quantity") for one in transactions] == ["1.50", "2"]
    assert [one.type for one in transactions] == ["orders", "orders"]


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ('{"orders": [', "JSON-NOT-WELL-FORMED", 1, 13),
        ('{"orders": [{"number": "1",}]}', "JSON-NOT-WELL-FORMED", 1, 28),
        ("{'orders': []}", "JSON-NOT-WELL-FORMED", 1, 2),
        ('{"orders": [01]}', "JSON-NOT-WELL-FORMED", 1, 14),
        (GOOD + "\n\nx", "JSON-NOT-WELL-FORMED", 3, 1),
        (b'{"orders": ["\xff"]}', "JSON-NOT-WELL-FORMED", 1, 14),
        ('{"orders": ["a\nb"]}', "JSON-NOT-WELL-FORMED", 1, 13),
        ("[" * 40 + "]" * 40, "JSON-TOO-DEEP", 1, 34),
        ('{"orders": []}', "FILE-EMPTY", None, None),
        ('{"order": 1}', "FILE-EMPTY", None, None),
        ('{"orders": [7]}', "JSON-VALUE-INVALID", 1, 13),
        ('{"orders": [{"lines": [{"quantity": 1}]}]}', "JSON-VALUE-MISSING", 1, 13),
        ('{"orders": [{"number": null, "lines": [{"quantity": 1}]}]}', "JSON-VALUE-MISSING", 1, 24),
        ('{"orders": [{"number": "1", "lines": []}]}', "JSON-VALUE-MISSING", 1, 38),
        ('{"orders": [{"number": "1", "lines": {}}]}', "JSON-VALUE-INVALID", 1, 38),
        ('{"orders": [{"number": ["1"], "lines": [{"quantity": 1}]}]}', "JSON-VALUE-INVALID", 1, 24),
        ('{"orders": [{"number": "1",\n "lines": [{"quantity": "é"}]}]}', "JSON-VALUE-INVALID", 2, 26),
        ('{"orders": [{"number": "1", "currency": "EURO", "lines": [{"quantity": 1}]}]}', "JSON-VALUE-LENGTH", 1, 42),
        ('{"orders": [{"number": "1", "number": "2", "lines": [{"quantity": 1}]}]}', "JSON-KEY-TWICE", 1, 29),
        ('{"orders": [{"number": "1", "nr": "2", "lines": [{"quantity": 1}]}]}', "JSON-KEY-UNKNOWN", 1, 36),
    ],
)
def test_what_is_wrong_is_told_with_line_and_column(text: str | bytes, code: str, line: int | None, column: int | None) -> None:
    _, problems = read(text)
    assert [problem.code for problem in problems] == [code]
    assert (problems[0].place.line, problems[0].place.column) == (line, column)


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "MAX_BYTES", 50)
    assert [problem.code for problem in read(GOOD)[1]] == ["JSON-TOO-LARGE"]


def test_one_bad_order_leaves_its_neighbours_alone() -> None:
    transactions, _ = read('{"orders": [{"number": "1"}, {"number": "2", "lines": [{"quantity": 2}]}]}')
    assert [bool(one.problems) for one in transactions] == [True, False]


def test_where_a_value_lies_is_found_again() -> None:
    data = '{"orders": [\n {"number": "ü\\u00e4\\ud83d\\ude00", "lines": [{"quantity": 1.5e1}]}]}'.encode()
    [transaction], problems = read(data)
    assert problems == []
    number, quantity = transaction.root.find("number"), transaction.root.find("lines/quantity")
    assert (number.text, quantity.text) == ("üä\U0001f600", "15")
    span = json.locate(transaction, quantity)
    assert data[span.offset : span.offset + span.length] == b"1.5e1"
    assert (span.line, json.path_of(quantity)) == (2, "/lines/quantity")
    span = json.locate(transaction, number)
    assert data[span.offset : span.offset + span.length] == "ü\\u00e4\\ud83d\\ude00".encode()


def test_the_sender_stands_in_its_field() -> None:
    [transaction], _ = read('{"orders": [{"number": "1", "customer": {"number": "C1"}, "lines": [{"quantity": 1}]}]}')
    assert transaction.sender == "C1"


def test_a_file_is_told_by_what_it_must_have() -> None:
    form = JsonForm(layout(), judge)
    assert form.fits(GOOD.encode())
    assert form.fits(b"\xef\xbb\xbf " + GOOD.encode())
    assert not form.fits(b'{"invoices": []}')
    assert not form.fits(b"orders")


def test_what_is_written_reads_back_the_same() -> None:
    [transaction], _ = read(
        '{"orders": [{"number": "a\\"b\\\\c\\n\\u0001", "shipTo": {"street": ["x", "y"]}, "lines": [{"quantity": -0.50}, {"quantity": 007}]}]}'.replace(
            "007", "7"
        )
    )
    data = json.write(transaction.root, layout())
    assert library.loads(data)["orders"][0]["lines"] == [{"quantity": -0.5}, {"quantity": 7}]
    assert b"-0.50" in data
    [again], problems = read(data)
    assert problems == []
    assert [element.text for element in again.root.iter()][1:4] == [element.text for element in transaction.root.iter()][1:4]
    transaction.root.find("lines/quantity").text = "many"
    with pytest.raises(ValueError, match="no number"):
        json.write(transaction.root, layout())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(JSON, st.booleans())
@settings(max_examples=200, deadline=None)
def test_what_the_library_writes_is_read(value: object, ascii_only: bool) -> None:
    def plain(held: json_text.Value) -> object:
        if held.kind == "object":
            return {name: plain(inner) for name, inner in (held.members or {}).items()}
        if held.kind == "list":
            return [plain(inner) for inner in held.items or ()]
        return held.text if held.kind == "text" else library.loads(held.text)

    text = library.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert plain(json_text.parse(text.decode("latin-1"))) == value


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_no_bytes_make_reading_fail(data: bytes) -> None:
    list(json.read([data], layout(), judge))


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"orders": [' + b"{}," * 20_000 + b"{}]}", b'"' + b"\\u0041" * 50_000 + b'"', b'{"a":' * 50_000])
def test_time_grows_with_the_size_and_no_more(data: bytes) -> None:
    start = time.process_time()
    list(json.read([data], layout(), judge))
    assert is_quick(time.process_time() - start, 8)
