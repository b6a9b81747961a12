"""Files in rows and canonical documents: the shipped mappings, both ways, with the places of what they read."""

import json

import pytest

from gateway.codecs import lines
from gateway.codecs.lines_writing import write as write_rows
from gateway.codecs.node import Transaction
from gateway.mapping.compile_reading import compile_reading
from gateway.mapping.compile_writing import compile_writing
from gateway.mapping.explain import provenance
from gateway.mapping.explain import written_from
from gateway.model.document import decode
from gateway.model.document import encode
from gateway.model.values import Source
from gateway.schema.apply import check
from gateway.yaml_source import Faults
from tests.mapping.mapping_world import NOBODY
from tests.mapping.mapping_world import load
from tests.mapping.mapping_world import read
from tests.mapping.mapping_world import schema
from tests.mapping.mapping_world import shipped
from tests.mapping.mapping_world import write

ORDER = """\
Order No,order date,Requested Date,Ship To No,Ship To Name,Street,City,Country,Line No,Item,Customer Item,GTIN,Description,Quantity,Unit,Price,Note
PO1,2026-01-05,2026-01-20,0012,ACME STORE 12,12 MAIN ST,SPRINGFIELD,USA,10,V1,B1,4012345500004,"Widget, blue",10,ctn,1.50,"Ring twice"
PO1,2026-01-05,2026-01-20,0012,ACME STORE 12,12 MAIN ST,SPRINGFIELD,USA,,V2,,,,2.5,kg,,
"""
DOCUMENT = {
    "kind": "order",
    "number": "PO1",
    "issued_on": "2026-01-05",
    "ship_to": {
        "name": "ACME STORE 12",
        "identifiers": {"buyer_assigned": "0012"},
        "address": {"lines": ["12 MAIN ST"], "city": "SPRINGFIELD", "country": "US"},
    },
    "delivery": {"requested_on": "2026-01-20"},
    "lines": [
        {
            "number": "10",
            "quantity": "10",
            "unit": "XCT",
            "unit_source": "CTN",
            "price": "1.50",
            "identifiers": {"seller": "V1", "buyer": "B1", "gtin": "4012345500004"},
            "description": "Widget, blue",
            "notes": [{"text": "Ring twice"}],
        },
        {"number": "2", "quantity": "2.5", "unit": "KGM", "unit_source": "KG", "identifiers": {"seller": "V2"}},
    ],
}


def plain(document: object) -> dict[str, object]:
    held = json.loads(encode(document))  # type: ignore[arg-type]  # any document
    del held["source"]
    return held


def test_an_order_in_rows_is_read() -> None:
    document, problems = read(shipped("csv/orders", "read"), ORDER.encode())
    assert problems == []
    assert plain(document) == DOCUMENT


@pytest.mark.parametrize("spec", ["csv/orders", "fixed/orders"])
def test_what_is_written_reads_back_the_same(spec: str) -> None:
    document = decode(json.dumps({**DOCUMENT, "lines": [{**line, "notes": []} for line in DOCUMENT["lines"]]}))  # type: ignore[attr-defined]
    rows, problems = write(shipped(spec, "write"), document)
    assert problems == []
    layout = schema(spec).plan.layout
    assert layout is not None
    again, problems = read(shipped(spec, "read"), write_rows(rows, layout))
    assert problems == []
    second, _ = write(shipped(spec, "write"), again)
    assert second == rows
    assert again.number == "PO1"
    assert [line.quantity for line in again.lines] == [line.quantity for line in document.lines]  # type: ignore[union-attr]


def test_a_warehouse_is_told_what_to_ship() -> None:
    rows, problems = write(shipped("csv/warehouse-order", "write"), decode(json.dumps(DOCUMENT)))
    assert problems == []
    layout = schema("csv/warehouse-order").plan.layout
    assert layout is not None
    head, first, second, _ = write_rows(rows, layout).decode().split("\r\n")
    row = dict(zip(head.split(","), first.replace("Widget, blue", "Widget").replace('"', "").split(","), strict=True))
    assert {name: value for name, value in row.items() if value} == {
        "order_no": "PO1",
        "ordered_on": "2026-01-05",
        "deliver_by": "2026-01-20",
        "ship_to_no": "0012",
        "ship_to_name": "ACME STORE 12",
        "ship_to_street": "12 MAIN ST",
        "ship_to_city": "SPRINGFIELD",
        "ship_to_country": "US",
        "line_no": "10",
        "sku": "V1",
        "gtin": "4012345500004",
        "description": "Widget",
        "quantity": "10",
        "unit": "XCT",
        "instructions": "Ring twice",
    }
    assert second.endswith(",2,V2,,,2.5,KGM,")


def test_provenance_names_the_column_and_its_bytes() -> None:
    plan = shipped("csv/orders", "read")
    assert plan.schema is not None and plan.schema.layout is not None
    transaction = next(event for event in lines.read([ORDER.encode()], plan.schema.layout) if isinstance(event, Transaction))
    tree = check(transaction, schema("csv/orders")).tree
    found = provenance(transaction, tree, compile_reading(plan, explain=True), Source(syntax="csv", type="orders", test=False), NOBODY)
    [origin] = found["lines[0].description"]
    assert (origin.source, origin.how) == ("description", "copied")
    assert origin.offset is not None and origin.length is not None
    assert ORDER[origin.offset : origin.offset + origin.length] == "Widget, blue"
    assert origin.mapping.endswith("mappings/csv/orders.yaml:32")
    assert found["lines[0].unit"][0].how == "looked_up"
    assert found["lines[1].number"][0].source == "position"


def test_explained_writing_names_columns() -> None:
    plan = shipped("fixed/orders", "write")
    found = written_from(decode(json.dumps(DOCUMENT)), compile_writing(plan, explain=True), NOBODY)
    assert found["line[1]/quantity"][0].source == "lines[0].quantity"
    assert found["head[1]/order_date"][0].how == "converted"


HEAD = "document: order\nfrom: csv/orders\nnumber: order_no\n"
LINES = HEAD + "lines:\n  each: row\n  number: position\n"
WRITES = "document: order\nto: csv/orders\nsegments:\n"


@pytest.mark.parametrize(
    ("text", "direction", "expected"),
    [
        (HEAD + "release: relase\n", "read", "4:10: there is no column 'relase' in csv/orders"),
        (LINES + "  quantity: quanity\n", "read", "7:13: there is no column 'quanity' in csv/orders (did you mean 'quantity'?)"),
        (LINES + "  price: rows/price\n", "read", "7:10: there is no rows in csv/orders (did you mean 'row'?)"),
        (LINES + "  identifiers: {pairs: 06..07, table: {A: buyer}}\n", "read", "7:24: `pairs:` reads segments"),
        (HEAD + "issued_on: {from: quantity}\n", "read", "4:12: 'issued_on' is a date, quantity (quantity) is of kind decimal"),
        (WRITES + "  - row: {each: lines, order_no: /number, quanity: quantity}\n", "write", "4:43: row has no column 'quanity'"),
        (WRITES + "  - row: {each: lines, order_no: /number}\n", "write", "4:5: nothing fills quantity (quantity), which must be written"),
        (WRITES + "  - row: {each: lines, order_no: /number, quantity: x}\n", "write", "4:53: OrderLine has no field 'x'"),
        (
            WRITES + "  - row: {each: lines, order_no: /number, quantity: quantity, price: requested_on}\n",
            "write",
            "4:70: 'requested_on' is a date, price",
        ),
        (WRITES + "  - rows: {each: lines, order_no: /number}\n", "write", "4:5: there is no rows in loop"),
        (WRITES + "  - row: {each: lines, level: H, order_no: /number}\n", "write", "4:31: `level:` belongs to segments"),
    ],
)
def test_a_mapping_of_rows_is_checked_against_its_columns(text: str, direction: str, expected: str) -> None:
    with pytest.raises(Faults) as caught:
        load("csv/orders", direction, text)
    found = [str(fault).splitlines()[0] for fault in caught.value.faults]
    assert any(fault.startswith(f"mappings/csv/orders.yaml:{expected}") for fault in found), found


def test_numbers_behind_a_point_that_is_not_written_and_dates_of_their_own_form() -> None:
    data = (
        "10PO1         2026010520260120\r\n"
        "15Ring twice\r\n"
        "20   1V1                00000010500CTN00000000150Widget\r\n"
    )  # fmt: skip
    document, problems = read(shipped("fixed/orders", "read"), data.encode())
    assert problems == []
    held = plain(document)
    assert held["delivery"] == {"requested_on": "2026-01-20"}
    assert held["notes"] == [{"text": "Ring twice"}]
    assert held["lines"][0]["quantity"] == "10.500"  # type: ignore[index]
    assert held["lines"][0]["price"] == "1.50"  # type: ignore[index]
