"""Provenance is exact: the bytes that it names are the value as sent, and every value that is there has one."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from gateway.mapping.apply import to_document
from gateway.mapping.compile_reading import compile_reading
from gateway.mapping.compile_writing import compile_writing
from gateway.mapping.explain import Origin
from gateway.mapping.explain import provenance
from gateway.mapping.explain import written_from
from gateway.model.document import decode
from gateway.model.document import encode
from tests.mapping.mapping_world import NOBODY
from tests.mapping.mapping_world import checked
from tests.mapping.mapping_world import edifact_file
from tests.mapping.mapping_world import load
from tests.mapping.mapping_world import read
from tests.mapping.mapping_world import shipped
from tests.mapping.mapping_world import source_of
from tests.mapping.mapping_world import transaction_of
from tests.mapping.mapping_world import x12_file
from tests.mapping.test_x12_order import FULL
from tests.mapping.test_x12_written import ADVICE
from tests.mapping.test_x12_written import INVOICE

EDIFACT = (
    "BGM+220+PO1+9'DTM+137:20260105:102'DTM+2:20260120:102'FTX+DEL+3++Dock ?+ 4:Ring twice'RFF+CT:C-9'"
    "NAD+BY+1234567890128::9++ACME'CTA+OC+:Joe'COM+joe@acme.example:EM'NAD+SU+4012345500004::9'CUX+2:EUR:9'"
    "LIN+1++4012345500004:SRV'PIA+1+V5179:SA+B2033:IN'IMD+F++:::WIDGET:BLUE'QTY+21:12:PCE'PRI+AAA:800.00::::100:PCE'"
    "LIN+2++4012345500011:SRV'QTY+21:3'UNS+S'CNT+2:2'"
)
UBL = """<?xml version="1.0" encoding="UTF-8"?>
<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"
  xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
  xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2">
  <cbc:ID>PO1</cbc:ID><cbc:IssueDate>2026-01-05</cbc:IssueDate><cbc:Note>Größe &amp; Farbe</cbc:Note>
  <cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
  <cac:BuyerCustomerParty><cac:Party><cac:PartyName><cbc:Name>ACME</cbc:Name></cac:PartyName></cac:Party></cac:BuyerCustomerParty>
  <cac:OrderLine><cac:LineItem><cbc:ID>1</cbc:ID><cbc:Quantity unitCode="XCS">2</cbc:Quantity>
    <cac:Price><cbc:PriceAmount currencyID="EUR">9.90</cbc:PriceAmount></cac:Price>
    <cac:Item><cbc:Name>WIDGET</cbc:Name></cac:Item></cac:LineItem></cac:OrderLine>
</Order>""".encode()
#: leading rubbish moves every offset
FILES = {"x12/004010/850": b"\xef\xbb\xbf" + x12_file(FULL), "edifact/d96a/orders": edifact_file(EDIFACT), "ubl/order": UBL}


def explained(spec: str) -> tuple[dict[str, Any], dict[str, list[Origin]], bytes]:
    data = FILES[spec]
    transaction = transaction_of(data)
    plan = shipped(spec, "read")
    tree = checked(transaction, spec).tree if plan.schema is not None else None
    document, _ = to_document(transaction, tree, compile_reading(plan), source_of(transaction), NOBODY)
    assert document is not None
    return json.loads(encode(document)), provenance(transaction, tree, compile_reading(plan, explain=True), source_of(transaction), NOBODY), data


def leaves(held: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(held, dict):
        for key, value in held.items():
            if path or key not in ("kind", "source"):
                yield from leaves(value, f"{path}.{key}" if path else key)
    elif isinstance(held, list):
        for number, value in enumerate(held):
            yield from leaves(value, f"{path}[{number}]")
    else:
        yield path, held


@pytest.mark.parametrize("spec", FILES)
def test_every_value_says_where_it_came_from(spec: str) -> None:
    held, origins, _ = explained(spec)
    assert [path for path, _ in leaves(held) if path not in origins] == []
    assert [path for path in origins if path not in dict(leaves(held))] == []


@pytest.mark.parametrize("spec", FILES)
def test_the_bytes_of_a_copied_value_are_the_value(spec: str) -> None:
    held, origins, data = explained(spec)
    values = dict(leaves(held))
    copied = 0
    for path, parts in origins.items():
        for origin in parts:
            assert origin.mapping.startswith((f"mappings/{spec}.yaml:", "mappings/parts/"))
            if origin.how == "constant" or origin.offset is None:
                continue
            assert origin.length is not None
            sent = data[origin.offset : origin.offset + origin.length].decode()
            assert sent, path
            if origin.how == "copied" and len(parts) == 1:
                copied += 1
                plain = sent.replace("&amp;", "&").replace("?+", "+")
                assert plain == values[path] or Decimal(plain) == Decimal(values[path]), path
    assert copied >= 6


def test_an_x12_value_says_segment_and_element() -> None:
    _, origins, data = explained("x12/004010/850")
    (price,) = origins["lines[0].price"]
    assert (price.source, price.how) == ("PO1/04", "copied")
    assert data[price.offset or 0 :][:6] == b"800.00"
    assert [(origin.source, origin.how) for origin in origins["lines[0].description"]] == [("PID/05", "joined"), ("PID/05", "joined")]
    assert origins["lines[0].unit"][0].how == "looked_up"
    assert origins["issued_on"][0].how == "converted"
    assert origins["lines[1].number"] == [Origin(source="position", how="computed", mapping=origins["lines[1].number"][0].mapping)]
    assert origins["references[2].type"][0].how == "constant"
    assert [origin.source for origin in origins["delivery.requested_at"]] == ["DTM/02", "DTM/03"]
    assert origins["lines[1].deliveries[1].quantity"][0].source == "SDQ/06"
    assert origins["lines[0].identifiers.gtin"][0].source == "PO1/11"


def test_an_edifact_value_says_its_composite() -> None:
    _, origins, data = explained("edifact/d96a/orders")
    (price,) = origins["lines[0].price"]
    assert (price.source, price.how, price.length) == ("PRI/C509/5118", "copied", 6)
    assert data[price.offset or 0 :][:6] == b"800.00"


def test_an_xml_value_says_its_path() -> None:
    _, origins, data = explained("ubl/order")
    (unit,) = origins["lines[0].unit"]
    assert data[unit.offset or 0 :][: unit.length] == b"XCS"
    assert unit.path is not None
    assert unit.path.endswith("/@unitCode")
    assert origins["number"][0].path is not None


def test_what_was_written_says_which_fields_it_came_from() -> None:
    document = decode(json.dumps(INVOICE))
    origins = written_from(document, compile_writing(shipped("x12/004010/810", "write"), explain=True), NOBODY)
    assert [(origin.source, origin.how) for origin in origins["IT1[1]/04"]] == [("lines[0].price", "copied")]
    assert [(origin.source, origin.how) for origin in origins["TDS[1]/01"]] == [("totals.gross", "converted")]
    assert [(origin.source, origin.how) for origin in origins["BIG[1]/08"]] == [("constant", "constant")]
    assert [(origin.source, origin.how) for origin in origins["N1[1]/01"]] == [("buyer.role", "looked_up")]
    assert [(origin.source, origin.how) for origin in origins["N1[1]/04"]] == [("buyer.identifiers.buyer_assigned", "copied")]
    assert origins["BIG[1]/02"][0].mapping.startswith("mappings/x12/004010/810.yaml:")


def test_written_levels_name_their_goods() -> None:
    origins = written_from(decode(json.dumps(ADVICE)), compile_writing(shipped("x12/004010/856", "write"), explain=True), NOBODY)
    assert ("orders[0].units[1].sscc", "joined") in [(origin.source, origin.how) for origin in origins["MAN[2]/02"]]
    assert [origin.source for origin in origins["SN1[3]/02"]] == ["orders[0].units[1].lines[1].quantity"]


def test_written_xml_names_its_fields() -> None:
    held, _, _ = explained("ubl/order")
    plan = shipped("ubl/order", "write")
    origins = written_from(decode(json.dumps(held)), compile_writing(plan, explain=True), NOBODY)
    found = {path: [(origin.source, origin.how) for origin in parts] for path, parts in origins.items()}
    assert found["/*/cbc:ID"] == [("number", "copied")]
    assert ("lines[0].quantity", "copied") in [part for parts in found.values() for part in parts]


def test_a_partners_line_is_named_in_the_partners_file() -> None:
    text = "document: order\nfrom: x12/004010/850\nnumber: BEG/03\nlines:\n  each: PO1\n  number: 01\n  price: 04\n"
    plan = load("x12/004010/850", "read", text, ("lines:\n  price: {from: 04, divide: 100}\n",))
    data = x12_file("BEG*00*SA*PO1**20260105~PO1*1*1*EA*1250~")
    document, _ = read(plan, data)
    transaction = transaction_of(data)
    origins = provenance(transaction, checked(transaction, plan.spec).tree, compile_reading(plan, explain=True), source_of(transaction), NOBODY)
    assert str(document.lines[0].price) == "12.50"
    assert (origins["lines[0].price"][0].mapping, origins["lines[0].price"][0].how) == ("partners/0.yaml:2", "converted")
    assert origins["lines[0].number"][0].mapping == "mappings/x12/004010/850.yaml:6"
