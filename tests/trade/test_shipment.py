"""Shipment files: JSON and CSV, each wrong row with its line."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.trade.shipment import read_shipments
from gateway.trade.sscc import bare_sscc
from gateway.trade.sscc import check_digit
from gateway.trade.sscc import make_sscc
from gateway.trade.sscc import sscc_fault

SSCC = "340123450000000017"


def faults(data: bytes) -> list[tuple[str, int | None, str]]:
    shipments, problems = read_shipments(data)
    assert shipments == []
    return [(problem.code, problem.place.line, problem.message) for problem in problems]


def test_a_csv_file_is_one_shipment() -> None:
    text = f"order,line,quantity,sscc,type,weight,scac,tracking\nPO1,1,8,{SSCC},pallet,120.5,UPSN,1Z1\nPO1,2,4,,,,UPSN,1Z2\n"
    [shipment] = read_shipments(text.encode())[0]
    assert (shipment.scac, shipment.tracking, len(shipment.rows)) == ("UPSN", "1Z1", 2)
    first, second = shipment.rows
    assert (first.order, first.line, first.quantity, first.sscc, first.type, first.weight, first.source_line) == (
        "PO1",
        "1",
        Decimal(8),
        SSCC,
        "XPX",
        Decimal("120.5"),
        2,
    )
    assert (second.sscc, second.tracking) == (None, "1Z2")


def test_a_csv_file_from_a_spreadsheet_is_read() -> None:
    [shipment] = read_shipments("\ufeffPO Number;Line Number;Qty\r\n0001;1;3\r\n".encode())[0]
    assert (shipment.rows[0].order, shipment.rows[0].quantity) == ("0001", Decimal(3))


def test_a_column_shipment_parts_the_file() -> None:
    shipments, _ = read_shipments(b"shipment,order,quantity\nS1,PO1,1\nS2,PO2,1\nS1,PO3,1\n")
    assert [(shipment.number, [row.order for row in shipment.rows]) for shipment in shipments] == [("S1", ["PO1", "PO3"]), ("S2", ["PO2"])]


def test_a_json_shipment_gives_its_rows_what_it_says_itself() -> None:
    [shipment] = read_shipments(
        b'{"number": "S1", "shipped_on": "2026-11-22", "scac": "UPSN", "rows": [{"order": "PO1", "line": 1, "quantity": 1.50}]}'
    )[0]
    assert (shipment.number, shipment.shipped_on, shipment.scac) == ("S1", date(2026, 11, 22), "UPSN")
    assert (shipment.rows[0].line, shipment.rows[0].quantity) == ("1", Decimal("1.50"))


def test_json_shipments_in_a_list_are_kept_apart() -> None:
    shipments, _ = read_shipments(b'[{"rows": [{"order": "PO1", "quantity": 1}]}, {"rows": [{"order": "PO2", "quantity": "2"}]}]')
    assert [shipment.rows[0].order for shipment in shipments] == ["PO1", "PO2"]


def test_a_bare_list_of_rows_is_one_shipment() -> None:
    [shipment] = read_shipments(b'[{"order": "PO1", "quantity": 1}, {"order": "PO1", "quantity": 2}]')[0]
    assert len(shipment.rows) == 2


def test_all_wrong_rows_are_named_and_nothing_is_shipped() -> None:
    rows = [f"PO1,1,none,{SSCC},2026-01-01", "PO1,1,0,,2026-01-01", "PO1,2,1,340123450000000018,2026-01-01", ",3,1,,", "PO1,4,1,,tomorrow"]
    text = "\n".join(["order,line,quantity,sscc,shipped_on", *rows])
    assert faults(text.encode()) == [
        ("SHIPMENT-UNREADABLE", 2, "'none' is no quantity: a number above 0 is expected"),
        ("SHIPMENT-UNREADABLE", 3, "'0' is no quantity: a number above 0 is expected"),
        ("SHIPMENT-SSCC", 4, "SSCC '340123450000000018' ends in 8, its check digit is 7"),
        ("SHIPMENT-UNREADABLE", 5, "A row needs an order and a quantity"),
        ("SHIPMENT-UNREADABLE", 6, "'tomorrow' is no date"),
        ("SHIPMENT-UNREADABLE", 6, "'shipped_on' is 'tomorrow' here and '2026-01-01' before in the same shipment"),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"{", "Not readable as JSON"),
        (b"[" * 100_000, "Not readable as JSON"),
        (b"order,line\nPO1,1\n", "columns quantity are missing"),
        (b"order,quantity\nPO1,1,2\n", "another number of columns"),
        (b"order,quantity\nPO1\n", "another number of columns"),
        (b'order,quantity\n"PO1"x,1\n', "Not readable as CSV"),
        (b"", "missing"),
        (b"order,quantity\n", "holds no goods"),
        (b"[]", "holds no goods"),
        (b'{"rows": []}', "holds no goods"),
        (b'{"rows": 5}', "are a list"),
        (b'{"rows": [5]}', "not an object"),
        (b'{"rows": [{"order": "PO1", "quantity": true}]}', "not text or a number"),
        (b"order,quantity,colour\nPO1,1,blue\n", "'colour' is not known"),
        (b"order,quantity\nPO1,1e20\n", "no quantity"),
        (b"order,quantity\nPO1,NaN\n", "no quantity"),
        (b"order,quantity\nPO1,0.0000000000001\n", "no quantity"),
    ],
)
def test_a_wrong_file_is_a_problem_never_an_exception(data: bytes, message: str) -> None:
    assert message in faults(data)[0][2]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_exception(data: bytes) -> None:
    shipments, problems = read_shipments(data)
    assert bool(shipments) != bool(problems)


def test_the_check_digit_of_gs1() -> None:
    assert check_digit("34012345000000001") == "7"
    assert check_digit("401234550000") == "4"


@given(serial=st.integers(0, 10**9 - 1), extension=st.integers(0, 9))
def test_a_made_sscc_is_right(serial: int, extension: int) -> None:
    sscc = make_sscc("4012345", serial, extension)
    assert (len(sscc), sscc_fault(sscc), sscc[1:8]) == (18, None, "4012345")
    wrong = sscc[:-1] + str((int(sscc[-1]) + 1) % 10)
    assert sscc_fault(wrong) is not None


def test_an_sscc_that_does_not_fit_is_refused() -> None:
    for prefix, serial in (("12", 1), ("4012345", 10**9), ("40123x5", 1), ("4012345", -1)):
        with pytest.raises(ValueError, match="no GS1 company prefix|does not fit"):
            make_sscc(prefix, serial)


def test_an_sscc_is_read_with_its_application_identifier() -> None:
    assert bare_sscc("(00) 340123450000000017") == bare_sscc("00340123450000000017") == SSCC
    assert sscc_fault("123") == "SSCC '123' has 3 digits, 18 are expected"
    assert sscc_fault("34012345000000001X") is not None
