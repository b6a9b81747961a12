"""A change of an order that goes out as 860, ORDCHG or UBL and comes back is the same change; what a buyer may write is read as it is meant."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gateway.codecs import x12
from gateway.conformance import xsd
from gateway.conformance.level import Level
from gateway.mapping.apply import to_document
from gateway.mapping.apply import to_transaction
from gateway.mapping.compile_reading import compile_reading
from gateway.mapping.compile_writing import compile_writing
from gateway.mapping.explain import provenance
from gateway.model.document import decode
from gateway.model.document import encode
from tests.mapping import edifact_world
from tests.mapping import test_edifact_round_trip as edifact_orders
from tests.mapping import test_x12_round_trip as x12_orders
from tests.mapping import ubl_world
from tests.mapping.mapping_world import NOBODY
from tests.mapping.mapping_world import PartnerValues
from tests.mapping.mapping_world import checked
from tests.mapping.mapping_world import shipped
from tests.mapping.mapping_world import shipped_reading
from tests.mapping.mapping_world import shipped_writing
from tests.mapping.mapping_world import source_of
from tests.mapping.mapping_world import transaction_of
from tests.mapping.mapping_world import x12_file

SHELF = xsd.SchemaShelf()
PURPOSE = st.sampled_from(["change", "replace", "cancel", "copy"])
X12_ACTION = st.sampled_from(
    ["add", "delete", "change", "replace", "no_change", "quantity_change", "quantity_increase", "quantity_decrease", "price_change", "date_change"]
)
EDIFACT_ACTION = st.sampled_from(["add", "delete", "change", "replace", "no_change", "date_change"])


@st.composite
def changes(
    draw: st.DrawFn, orders: st.SearchStrategy[dict[str, Any]], actions: st.SearchStrategy[str], codes: st.SearchStrategy[str]
) -> dict[str, Any]:
    """A change with all that an order may have, made of a generated order."""
    held = {**draw(orders), "kind": "order_change", "purpose": draw(PURPOSE)}
    held["order_number"] = held.pop("number")
    if "release" in held:
        held["order_release"] = held.pop("release")
    held |= draw(st.fixed_dictionaries({"order_issued_on": x12_orders.DAY}, optional={"sequence": codes, "seller_order_number": codes}))
    held["lines"] = [{**line, "action": draw(actions)} for line in held.get("lines", [])]
    return {key: value for key, value in held.items() if value != []}


def bare(held: Any) -> Any:
    """Without source, and without the codes that reading keeps beside our words."""
    quiet = ("source", "source_code", "unit_source", "type_source", "action_source")
    if isinstance(held, dict):
        return {key: bare(value) for key, value in held.items() if key not in quiet}
    return [bare(value) for value in held] if isinstance(held, list) else held


X12_CHANGE = changes(x12_orders.orders(), X12_ACTION, st.from_regex(r"[1-9][0-9]{0,2}", fullmatch=True))


@pytest.mark.parametrize("version", ["004010", "005010"])
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(held=X12_CHANGE)
def test_any_change_comes_back_from_an_860(version: str, held: dict[str, Any]) -> None:
    for line in held["lines"]:
        # POC03 does not stand without POC04
        line["outstanding_quantity"] = line["quantity"]
    body, problems = to_transaction(decode(json.dumps(held)), shipped_writing(f"x12/{version}/860"), NOBODY)
    assert problems == []
    transaction = transaction_of(x12_file(x12.write(body, x12_orders.MARKS).decode(), type_="860", version=version))
    result = checked(transaction, f"x12/{version}/860")
    assert result.problems == []
    back, problems = to_document(transaction, result.tree, shipped_reading(f"x12/{version}/860"), source_of(transaction), NOBODY)
    assert problems == [] and back is not None
    assert bare(json.loads(encode(back))) == bare(held)


@pytest.mark.parametrize("version", ["d96a", "d01b"])
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(held=changes(edifact_orders.order(), EDIFACT_ACTION, edifact_orders.CODE.map(lambda value: value[:6])), number=edifact_orders.text(35))
def test_any_change_comes_back_from_an_ordchg(version: str, held: dict[str, Any], number: str) -> None:
    held = {**held, "number": number}
    # ORDCHG says nothing of the order's type, D.96A nothing of the sequence; what names orders is read as the order that is changed
    for name in ("type", *(("sequence",) if version == "d96a" else ())):
        held.pop(name, None)
    if "references" in held:
        held["references"] = [one for one in held["references"] if one["type"] != "order"] or [{"type": "contract", "value": "C-9"}]
    document = decode(json.dumps(held))
    back = edifact_world.read(edifact_world.message(document, f"edifact/{version}/ordchg"))
    assert bare(back) == bare(edifact_world.as_json(document))


FULL: dict[str, Any] = {
    "kind": "order_change",
    "number": "C-77",
    "sequence": "2",
    "order_number": "PO1",
    "order_issued_on": "2026-01-05",
    "seller_order_number": "S-1",
    "purpose": "change",
    "issued_on": "2026-01-07",
    "currency": "EUR",
    "buyer": {"name": "ACME", "identifiers": {"gln": "1234567890128"}, "endpoint": "0088:1234567890128"},
    "seller": {
        "name": "Seller Co",
        "identifiers": {"gln": "4012345500004"},
        "endpoint": "0088:4012345500004",
        "address": {"city": "Bonn", "country": "DE"},
    },
    "ship_to": {"name": "Store 12", "identifiers": {"gln": "1234567890135"}, "address": {"lines": ["Markt 1"], "city": "Bonn", "country": "DE"}},
    "delivery": {"requested_on": "2026-01-25"},
    "references": [{"type": "contract", "value": "C-9"}],
    "notes": [{"text": "As agreed by telephone", "language": "en"}],
    "lines": [
        {
            "number": "1",
            "action": "change",
            "quantity": "15",
            "unit": "H87",
            "price": "9.25",
            "price_type": "net",
            "identifiers": {"buyer": "B1", "seller": "V1", "gtin": "4012345500004"},
            "description": "Widget",
            "action_source": "3",
        },
        {"number": "2", "action": "delete", "identifiers": {"seller": "V2"}, "description": "Gadget", "action_source": "2"},
        {"number": "3", "action": "no_change", "description": "Thing", "action_source": "4"},
        {
            "number": "4",
            "action": "add",
            "quantity": "4",
            "unit": "XCS",
            "price": "7.50",
            "price_type": "net",
            "description": "Gloves",
            "requested_on": "2026-01-26",
            "deliveries": [{"quantity": "1", "requested_on": "2026-01-26"}, {"quantity": "3", "requested_on": "2026-01-27"}],
            "action_source": "1",
        },
    ],
}
CANCEL: dict[str, Any] = {
    "kind": "order_change",
    "number": "X-1",
    "order_number": "PO1",
    "purpose": "cancel",
    "issued_on": "2026-01-07",
    "buyer": FULL["buyer"],
    "seller": FULL["seller"],
    "references": [{"type": "contract", "value": "C-9"}],
    "notes": [{"text": "No longer needed", "type": "reason"}, {"text": "Sorry"}],
}


@pytest.mark.parametrize(
    ("held", "spec"),
    [(FULL, "ubl/order-change"), (FULL, "peppol/order-change"), (CANCEL, "ubl/order-cancellation"), (CANCEL, "peppol/order-cancellation")],
)
def test_a_change_and_a_cancel_come_back_from_ubl_and_follow_the_schema(held: dict[str, Any], spec: str) -> None:
    written = ubl_world.write(held, spec)
    judgement = xsd.validate(written, SHELF)
    assert judgement.problems == ()
    document, problems = ubl_world.read_one(written, spec.replace("peppol", "ubl"))
    assert problems == []
    back = ubl_world.as_json(document)
    customization = back.pop("source").get("customization", "")
    assert customization.startswith("urn:fdc:peppol.eu:poacc:trns:order_") == spec.startswith("peppol")
    assert back == held
    if judgement.level is Level.NOT_RUN:
        pytest.skip(f"UBL schemas: {judgement.reason}")


def test_the_official_cancellation_reads() -> None:
    file = ubl_world.CORPUS / "peppol" / "examples" / "OrderCancellation_Example.xml"
    if not file.exists():
        pytest.skip("no corpus of official examples beside the checkout")
    (transaction,) = ubl_world.transactions(file.read_bytes())
    document, problems = ubl_world.read_one(transaction, "ubl/order-cancellation")
    assert problems == []
    read = ubl_world.as_json(document)
    assert (read["order_number"], read["purpose"], read["notes"][0]["text"]) == ("Order-1", "cancel", "With reference to phone call")


def read_860(text: str) -> dict[str, Any]:
    transaction = transaction_of(x12_file(text, type_="860"))
    document, problems = to_document(
        transaction, checked(transaction, "x12/004010/860").tree, shipped_reading("x12/004010/860"), source_of(transaction), NOBODY
    )
    assert problems == [] and document is not None
    return dict(json.loads(encode(document)))


@pytest.mark.parametrize(
    ("code", "word"), [("00", "change"), ("01", "cancel"), ("03", "cancel"), ("04", "change"), ("05", "replace"), ("22", "copy"), ("ZZ", "change")]
)
def test_what_an_860_is_for(code: str, word: str) -> None:
    assert read_860(f"BCH*{code}*SA*PO1***20260105~POC*1*CA*5*5*EA~")["purpose"] == word


@pytest.mark.parametrize(
    ("code", "word"),
    [("AI", "add"), ("DI", "delete"), ("CA", "change"), ("QI", "quantity_increase"), ("QD", "quantity_decrease"), ("PC", "price_change"),
     ("CT", "date_change"), ("RS", "date_change"), ("RZ", "replace"), ("NC", "no_change"), ("PQ", "change"), ("OC", "change")],
)  # fmt: skip
def test_what_a_line_of_an_860_asks_for(code: str, word: str) -> None:
    [line] = read_860(f"BCH*04*SA*PO1***20260105~POC*1*{code}*5*4*EA*1.5~")["lines"]
    assert (line["action"], line["action_source"]) == (word, code)
    assert (line["quantity"], line["outstanding_quantity"], line["unit"], line["price"]) == ("5", "4", "EA", "1.5")


def test_a_change_that_names_no_currency_changes_none() -> None:
    transaction = transaction_of(x12_file("BCH*04*SA*PO1***20260105~POC*1*QI*15*15*EA~", type_="860"))
    dollars = PartnerValues({"currency": "USD"})
    document, _ = to_document(
        transaction, checked(transaction, "x12/004010/860").tree, shipped_reading("x12/004010/860"), source_of(transaction), dollars
    )
    assert document is not None and "currency" not in json.loads(encode(document))


def test_a_line_without_a_number_has_none() -> None:
    [line] = read_860("BCH*04*SA*PO1***20260105~POC**CA*5*5*EA*1.5**BP*B1~")["lines"]
    assert "number" not in line and line["identifiers"] == {"buyer": "B1"}


def test_each_field_of_a_change_says_where_it_came_from() -> None:
    transaction = transaction_of(x12_file("BCH*04*SA*PO1**7*20260105~POC*1*QI*15*15*EA~", type_="860"))
    explained = compile_reading(shipped("x12/004010/860", "read"), explain=True)
    origins = provenance(transaction, checked(transaction, "x12/004010/860").tree, explained, source_of(transaction), NOBODY)
    assert origins["order_number"][0].source == "BCH/03"
    assert origins["lines[0].action"][0].source == "POC/02"
    assert origins["lines[0].quantity"][0].mapping.startswith("mappings/x12/004010/860.yaml:")


RESPONSE: dict[str, Any] = {
    "kind": "order_response",
    "number": "OC-PO1-2",
    "order_number": "PO1",
    "order_issued_on": "2026-01-05",
    "response": "accepted_with_changes",
    "purpose": "change",
    "change_number": "C-77",
    "change_sequence": "2",
    "change_issued_on": "2026-01-07",
    "issued_on": "2026-01-08",
    "currency": "EUR",
    "buyer": FULL["buyer"],
    "seller": FULL["seller"],
    "lines": [
        {"number": "1", "action": "accepted", "change": "quantity_increase", "change_source": "QI", "ordered_quantity": "15", "quantity": "15",
         "outstanding_quantity": "9", "unit": "EA", "promised_on": "2026-01-20"},
        {"number": "2", "action": "deleted", "change": "delete", "ordered_quantity": "6", "quantity": "0", "outstanding_quantity": "0", "unit": "EA"},
        {"number": "3", "action": "rejected", "change": "delete", "ordered_quantity": "4", "quantity": "4", "outstanding_quantity": "0", "unit": "EA",
         "reason_code": "RULE-CHANGE-LINE-LEFT", "reason": "Line 3 has left"},
        {"number": "4", "action": "rejected", "change": "change", "quantity": "2", "unit": "EA", "reason_code": "RULE-CHANGE-LINE-UNKNOWN", "reason": "No"},
    ],
}  # fmt: skip


@pytest.mark.parametrize("version", ["004010", "005010"])
def test_an_865_answers_each_line_of_the_change(version: str) -> None:
    body, problems = to_transaction(decode(json.dumps(RESPONSE)), compile_writing(shipped(f"x12/{version}/865", "write")), NOBODY)
    assert problems == []
    text = x12.write(body, x12_orders.MARKS).decode()
    assert checked(transaction_of(x12_file(text, type_="865", version=version)), f"x12/{version}/865").problems == []
    assert [segment for segment in text.split("~") if segment[:3] in ("BCA", "POC", "ACK")] == [
        "BCA*04*AC*PO1**2*20260105***OC-PO1-2*20260108*20260107",
        "POC*1*QI*15*9*EA",
        "ACK*IA*15*EA*067*20260120",
        "POC*2*DI*6*0*EA",
        "ACK*ID*0*EA",
        "POC*3*DI*4*0*EA",
        "ACK*IR*4*EA",
        "POC*4*CA*2*2*EA",
        "ACK*IR*2*EA",
    ]


def test_an_ordrsp_names_the_change_that_it_answers() -> None:
    text = edifact_world.message(decode(json.dumps(RESPONSE)), "edifact/d96a/ordrsp").decode("latin-1")
    assert "RFF+ON:PO1'DTM+171:20260105:102'RFF+PP:C-77'DTM+171:20260107:102'" in text
    assert [segment for segment in text.split("'") if segment.startswith("LIN")] == ["LIN+1+5", "LIN+2+2", "LIN+3+7", "LIN+4+7"]


@pytest.mark.parametrize("spec", ["ubl/order-response-advanced", "peppol/order-response-advanced"])
def test_an_advanced_response_says_what_has_been_delivered_already(spec: str) -> None:
    written = ubl_world.write(RESPONSE, spec)
    assert xsd.validate(written, SHELF).problems == ()
    assert ubl_world.texts(written, "cac:OrderLine/cac:LineItem/cbc:LineStatusCode") == ["5", "5", "42", "7"]
    assert ubl_world.texts(written, "cbc:Note") == ["Answer to C-77"]
