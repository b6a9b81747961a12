"""What we write as ORDRSP, DESADV and INVOIC: whole messages as a partner sees them, and that our own schema accepts whatever is written."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gateway.model.document import decode
from tests.mapping.edifact_world import message
from tests.mapping.test_edifact_round_trip import ALLOWANCE
from tests.mapping.test_edifact_round_trip import CODE
from tests.mapping.test_edifact_round_trip import DAY
from tests.mapping.test_edifact_round_trip import ITEM
from tests.mapping.test_edifact_round_trip import MOMENT
from tests.mapping.test_edifact_round_trip import NOTE
from tests.mapping.test_edifact_round_trip import PARTY
from tests.mapping.test_edifact_round_trip import REFERENCE
from tests.mapping.test_edifact_round_trip import TAX
from tests.mapping.test_edifact_round_trip import TERMS
from tests.mapping.test_edifact_round_trip import UNIT
from tests.mapping.test_edifact_round_trip import filled
from tests.mapping.test_edifact_round_trip import gs1
from tests.mapping.test_edifact_round_trip import number
from tests.mapping.test_edifact_round_trip import some
from tests.mapping.test_edifact_round_trip import text

VERSIONS = ("d96a", "d97a", "d99b", "d01b", "d04a", "d07a")
BUYER = {
    "name": "ACME",
    "identifiers": {"gln": "1234567890128", "vat": "DE123456789"},
    "address": {"lines": ["Main St 1"], "city": "Bonn", "region": "NW", "postal_code": "53111", "country": "DE"},
}
SELLER = {"name": "Seller Co", "identifiers": {"gln": "4012345500004", "vat": "DE987654321"}}
PARTIES = {"buyer": BUYER, "seller": SELLER, "ship_to": {"name": "ACME STORE 12", "identifiers": {"buyer_assigned": "0012"}}}

RESPONSE = {
    "kind": "order_response",
    "number": "OR-PO1",
    "order_number": "PO1",
    "order_issued_on": "2026-01-05",
    "response": "accepted_with_changes",
    "purpose": "original",
    "issued_on": "2026-01-06",
    "currency": "EUR",
    **PARTIES,
    "delivery": {"requested_on": "2026-01-20"},
    "references": [{"type": "contract", "value": "C-9", "source_code": "CT"}, {"type": "other", "value": "X", "source_code": "ABC"}],
    "notes": [{"type": "reason", "text": "Line 2 is late"}],
    "lines": [
        {
            "number": "1",
            "action": "accepted",
            "ordered_quantity": "12",
            "quantity": "12",
            "unit": "H87",
            "unit_source": "PCE",
            "price": "8.00",
            "net_amount": "96.00",
            "identifiers": {"gtin": "4012345500004", "seller": "V1", "buyer": "B1"},
            "description": "WIDGET",
            "promised_on": "2026-01-20",
        },
        {
            "number": "2",
            "action": "changed",
            "ordered_quantity": "10",
            "quantity": "6",
            "back_ordered_quantity": "4",
            "unit": "XCT",
            "price": "100",
            "price_base": "100",
            "price_unit": "XCT",
            "identifiers": {"seller": "V2"},
            "reason_code": "RULE-X",
            "reason": "Stock is short",
            "schedule": [{"quantity": "4", "promised_on": "2026-01-20"}, {"quantity": "2", "promised_on": "2026-02-01"}],
        },
        {"number": "3", "action": "back_ordered", "ordered_quantity": "10", "quantity": "0", "back_ordered_quantity": "10", "unit": "EA"},
        {"number": "4", "action": "rejected", "ordered_quantity": "1", "unit": "EA", "reason": "No such item"},
    ],
    "totals": {"lines": "102.00", "line_count": 4},
}

ADVICE = {
    "kind": "despatch_advice",
    "number": "DA1",
    "purpose": "original",
    "issued_on": "2026-01-19",
    "issued_at": "2026-01-19T08:00:00Z",
    "despatched_on": "2026-01-19",
    "estimated_delivery_on": "2026-01-20",
    **PARTIES,
    "ship_from": {"name": "Depot"},
    "transport": {"carrier": "UPS", "scac": "UPSN", "consignment": "1Z999"},
    "delivery_terms": {"incoterm": "DAP"},
    "gross_weight": "120.5",
    "weight_unit": "KGM",
    "package_count": 2,
    "orders": [
        {
            "number": "PO1",
            "units": [
                {
                    "sscc": "340123450000000015",
                    "type": "XPX",
                    "weight": "60.5",
                    "weight_unit": "KGM",
                    "lines": [
                        {
                            "number": "1",
                            "order_number": "PO1",
                            "order_line": "1",
                            "quantity": "8",
                            "unit": "H87",
                            "unit_source": "PCE",
                            "ordered_quantity": "12",
                            "outstanding_quantity": "0",
                            "identifiers": {"gtin": "4012345500004", "seller": "V1"},
                            "description": "WIDGET",
                            "batch": "L77",
                            "best_before": "2026-12-31",
                        }
                    ],
                },
                {
                    "sscc": "340123450000000022",
                    "type": "XCT",
                    "lines": [{"number": "2", "order_number": "PO1", "order_line": "1", "quantity": "4", "unit": "H87"}],
                },
            ],
        },
        {"number": "PO2", "lines": [{"number": "3", "order_number": "PO2", "order_line": "7", "quantity": "1", "unit": "EA"}]},
    ],
}

INVOICE = {
    "kind": "invoice",
    "number": "INV1",
    "type": "380",
    "issued_on": "2026-01-21",
    "due_on": "2026-02-20",
    "currency": "EUR",
    "order_number": "PO1",
    "order_issued_on": "2026-01-05",
    "despatch_number": "DA1",
    "despatched_on": "2026-01-19",
    "delivered_on": "2026-01-20",
    "buyer_reference": "KST 4",
    **PARTIES,
    "payment_terms": [{"basis": "invoice_date", "net_days": 30, "discounts": [{"percent": "2", "days": 10}]}],
    "payment_means": [
        {"type": "credit_transfer", "iban": "DE02120300000000202051", "bic": "BYLADEM1001", "account_name": "Seller Co", "reference": "RF18INV1"}
    ],
    "allowances_charges": [
        {"kind": "charge", "reason_code": "FC", "reason": "Freight", "amount": "10.00", "tax": {"type": "VAT", "category": "S", "rate": "19"}}
    ],
    "lines": [
        {
            "number": "1",
            "order_number": "PO1",
            "order_line": "1",
            "despatch_number": "DA1",
            "quantity": "12",
            "unit": "H87",
            "unit_source": "PCE",
            "price": "8.00",
            "net_amount": "91.20",
            "identifiers": {"gtin": "4012345500004", "seller": "V1"},
            "name": "WIDGET",
            "tax": {"type": "VAT", "category": "S", "rate": "19"},
            "allowances_charges": [
                {"kind": "allowance", "reason_code": "95", "reason": "Discount", "amount": "4.80", "percent": "5", "base_amount": "96.00"}
            ],
        }
    ],
    "taxes": [{"type": "VAT", "category": "S", "rate": "19", "taxable": "101.20", "tax": "19.23"}],
    "totals": {"lines": "91.20", "charges": "10.00", "net": "101.20", "tax": "19.23", "gross": "120.43", "payable": "120.43"},
}
CREDIT_NOTE = {
    **{name: value for name, value in INVOICE.items() if name != "type"},
    "kind": "credit_note",
    "number": "CN1",
    "invoice_number": "INV1",
    "invoice_issued_on": "2026-01-21",
    "reason": "Goods returned",
}


def segments(held: dict[str, Any], spec: str) -> list[str]:
    """What is written between UNH and UNT."""
    data = message(decode(json.dumps(held)), spec).decode("latin-1")
    return data.split("'")[2:-3]


NADS = ["NAD+BY+1234567890128::9++ACME+Main St 1+Bonn+NW+53111+DE", "RFF+VA:DE123456789", "NAD+SU+4012345500004::9++Seller Co", "RFF+VA:DE987654321"]
SHIP_TO = "NAD+DP+0012::92++ACME STORE 12"


def test_an_order_response_says_what_becomes_of_each_line() -> None:
    assert segments(RESPONSE, "edifact/d96a/ordrsp") == [
        "BGM+231+OR-PO1+4",
        "DTM+137:20260106:102",
        "DTM+2:20260120:102",
        "FTX+ACD+++Line 2 is late",
        "RFF+ON:PO1",
        "DTM+171:20260105:102",
        "RFF+CT:C-9",
        *NADS,
        SHIP_TO,
        "CUX+2:EUR:9",
        "LIN+1+5+4012345500004:EN",
        "PIA+1+B1:IN+V1:SA",
        "IMD+F++:::WIDGET",
        "QTY+21:12:PCE",
        "QTY+113:12:PCE",
        "DTM+69:20260120:102",
        "MOA+203:96.00",
        "PRI+AAA:8.00",
        "LIN+2+6",
        "PIA+1+V2:SA",
        "QTY+21:10:CT",
        "QTY+113:6:CT",
        "QTY+83:4:CT",
        "FTX+ACD+++Stock is short",
        "PRI+AAA:100:::100:CT",
        "SCC+1",
        "QTY+113:4:CT",
        "DTM+69:20260120:102",
        "SCC+1",
        "QTY+113:2:CT",
        "DTM+69:20260201:102",
        "LIN+3+6",
        "QTY+21:10:EA",
        "QTY+113:0:EA",
        "QTY+83:10:EA",
        "LIN+4+7",
        "QTY+21:1:EA",
        "FTX+ACD+++No such item",
        "UNS+S",
        "MOA+79:102.00",
        "CNT+2:4",
    ]


def test_a_despatch_advice_numbers_its_handling_units_under_the_shipment() -> None:
    assert segments(ADVICE, "edifact/d96a/desadv") == [
        "BGM+351+DA1+9",
        "DTM+137:202601190800:203",
        "DTM+11:20260119:102",
        "DTM+17:20260120:102",
        "MEA+PD+AAD+KGM:120.5",
        "RFF+CN:1Z999",
        *NADS,
        "NAD+SF+++Depot",
        SHIP_TO,
        "TOD+6++DAP",
        "TDT+20+1Z999+++UPSN::182:UPS",
        "CPS+1",
        "PAC+2",
        "LIN+3",
        "QTY+12:1:EA",
        "RFF+ON:PO2:7",
        "CPS+2+1",
        "PAC+1++PX",
        "MEA+PD+AAB+KGM:60.5",
        "PCI+33E",
        "GIN+BJ+340123450000000015",
        "LIN+1++4012345500004:EN",
        "PIA+1+V1:SA",
        "PIA+1+L77:NB",
        "IMD+F++:::WIDGET",
        "QTY+12:8:PCE",
        "QTY+21:12:PCE",
        "QTY+73:0:PCE",
        "DTM+361:20261231:102",
        "RFF+ON:PO1:1",
        "CPS+3+1",
        "PAC+1++CT",
        "PCI+33E",
        "GIN+BJ+340123450000000022",
        "LIN+2",
        "QTY+12:4:PCE",
        "RFF+ON:PO1:1",
        "CNT+2:3",
    ]


INVOICED = ["DTM+137:20260121:102", "DTM+35:20260120:102", "DTM+11:20260119:102", "PAI+::30"]
ACCOUNT = [NADS[0], NADS[1], NADS[2], "FII+RB+DE02120300000000202051:Seller Co+BYLADEM1001:25:5", NADS[3], SHIP_TO]
BILLED = [
    "CUX+2:EUR:4",
    "PAT+1++5:3:D:30",
    "PAT+22++5:3:D:10",
    "PCD+12:2",
    "PAT+3",
    "DTM+13:20260220:102",
    "ALC+C++++FC:::Freight",
    "MOA+8:10.00",
    "TAX+7+VAT+++:::19+S",
    "LIN+1++4012345500004:EN",
    "PIA+1+V1:SA",
    "IMD+F++:::WIDGET",
    "QTY+47:12:PCE",
    "MOA+203:91.20",
    "PRI+AAA:8.00",
    "RFF+ON:PO1:1",
    "RFF+AAK:DA1",
    "TAX+7+VAT+++:::19+S",
    "ALC+A++++95:::Discount",
    "PCD+1:5",
    "MOA+8:4.80",
    "MOA+25:96.00",
    "UNS+S",
    "CNT+2:1",
    "MOA+79:91.20",
    "MOA+259:10.00",
    "MOA+125:101.20",
    "MOA+124:19.23",
    "MOA+77:120.43",
    "MOA+9:120.43",
    "TAX+7+VAT+++:::19+S",
    "MOA+125:101.20",
    "MOA+124:19.23",
]


def test_an_invoice_carries_its_lines_taxes_and_how_to_pay() -> None:
    assert segments(INVOICE, "edifact/d96a/invoic") == [
        "BGM+380+INV1+9",
        *INVOICED,
        "RFF+ON:PO1",
        "DTM+171:20260105:102",
        "RFF+AAK:DA1",
        "RFF+CR:KST 4",
        "RFF+PQ:RF18INV1",
        *ACCOUNT,
        *BILLED,
    ]


def test_a_credit_note_names_the_invoice_and_the_reason() -> None:
    assert segments(CREDIT_NOTE, "edifact/d96a/invoic") == [
        "BGM+381+CN1+9",
        *INVOICED,
        "FTX+ACD+++Goods returned",
        "RFF+ON:PO1",
        "DTM+171:20260105:102",
        "RFF+AAK:DA1",
        "RFF+CR:KST 4",
        "RFF+IV:INV1",
        "DTM+171:20260121:102",
        "RFF+PQ:RF18INV1",
        *ACCOUNT,
        *BILLED,
    ]


@pytest.mark.parametrize(("held", "type_"), [(RESPONSE, "ordrsp"), (ADVICE, "desadv"), (INVOICE, "invoic"), (CREDIT_NOTE, "invoic")])
def test_d01b_says_the_same_with_its_own_composites(held: dict[str, Any], type_: str) -> None:
    old, new = segments(held, f"edifact/d96a/{type_}"), segments(held, f"edifact/d01b/{type_}")
    assert [text.replace(":EN", ":SRV") for text in old] == new


@pytest.mark.parametrize(("response", "code"), [("accepted", "29"), ("accepted_with_changes", "4"), ("rejected", "27")])
def test_the_answer_as_a_whole_is_the_message_function(response: str, code: str) -> None:
    assert segments({**RESPONSE, "response": response}, "edifact/d96a/ordrsp")[0] == f"BGM+231+OR-PO1+{code}"


def test_characters_that_cut_a_message_are_released() -> None:
    held = {**RESPONSE, "notes": [{"type": "reason", "text": "Rush? Dock+Gate: 'A'"}]}
    assert b"FTX+ACD+++Rush?? Dock?+Gate?: ?'A?''" in message(decode(json.dumps(held)), "edifact/d96a/ordrsp")


QUANTITY = number()
RESPONSE_LINE = st.tuples(
    some(
        {
            "ordered_quantity": QUANTITY,
            "quantity": QUANTITY,
            "back_ordered_quantity": QUANTITY,
            "price": number(),
            "price_base": number(5, 0),
            "net_amount": number(),
            "identifiers": ITEM,
            "description": text(200),
            "promised_on": DAY,
            "reason": text(400),
            "schedule": st.lists(some({"promised_on": DAY}, quantity=QUANTITY), min_size=1, max_size=3),
        },
        action=st.sampled_from(["accepted", "changed", "back_ordered", "rejected"]),
    ),
    UNIT,
).map(lambda pair: {**pair[0], **pair[1]})
DESPATCH_LINE = st.tuples(
    some(
        {
            "order_number": text(35),
            "order_line": st.integers(1, 999).map(str),
            "ordered_quantity": QUANTITY,
            "outstanding_quantity": QUANTITY,
            "identifiers": ITEM,
            "description": text(200),
            "batch": CODE,
            "best_before": DAY,
            "references": st.lists(REFERENCE, max_size=2),
        },
        quantity=QUANTITY,
    ),
    UNIT,
).map(lambda pair: {**pair[0], **pair[1]})
INVOICE_LINE = st.tuples(
    some(
        {
            "order_number": text(35),
            "order_line": st.integers(1, 999).map(str),
            "despatch_number": text(35),
            "price_base": number(5, 0),
            "gross_price": number(),
            "identifiers": ITEM,
            "name": text(200),
            "tax": TAX,
            "allowances_charges": st.lists(ALLOWANCE, max_size=2),
            "notes": st.lists(NOTE, max_size=2),
        },
        quantity=QUANTITY,
        price=number(),
        net_amount=number(),
    ),
    UNIT,
).map(lambda pair: {**pair[0], **pair[1]})
PEOPLE = {"buyer": PARTY, "seller": PARTY, "ship_to": PARTY, "notes": st.lists(NOTE, max_size=3), "references": st.lists(REFERENCE, max_size=3)}


def numbered(lines: list[dict[str, Any]], start: int = 1) -> list[dict[str, Any]]:
    return [{"number": str(at), **line} for at, line in enumerate(lines, start)]


RESPONSES = some(
    {
        **PEOPLE,
        "bill_to": PARTY,
        "order_issued_on": DAY,
        "order_release": text(35),
        "currency": st.just("EUR"),
        "delivery": filled(some({"promised_on": DAY, "requested_on": DAY})),
        "totals": filled(some({"lines": number()})),
    },
    kind=st.just("order_response"),
    number=text(35),
    order_number=text(35),
    issued_at=MOMENT,
    response=st.sampled_from(["accepted", "accepted_with_changes", "rejected"]),
    lines=st.lists(RESPONSE_LINE, max_size=3).map(numbered),
)
UNITS = st.lists(
    some(
        {"sscc": gs1(18), "type": st.sampled_from(["XPX", "XCT", "XAA"]), "weight": number()},
        lines=st.lists(DESPATCH_LINE, min_size=1, max_size=2).map(numbered),
    ),
    max_size=2,
)
ADVICES = some(
    {
        **PEOPLE,
        "ship_from": PARTY,
        "despatched_at": MOMENT,
        "despatched_on": DAY,
        "estimated_delivery_on": DAY,
        "gross_weight": number(),
        "package_count": st.integers(0, 999),
        "transport": filled(some({"scac": st.just("UPSN"), "carrier": text(35), "consignment": CODE})),
    },
    kind=st.just("despatch_advice"),
    number=text(35),
    issued_on=DAY,
    orders=st.lists(
        some({"issued_on": DAY, "units": UNITS, "lines": st.lists(DESPATCH_LINE, max_size=2).map(numbered)}, number=text(35)), min_size=1, max_size=2
    ),
)
INVOICES = some(
    {
        **PEOPLE,
        "bill_to": PARTY,
        "payee": PARTY,
        "due_on": DAY,
        "tax_point_on": DAY,
        "order_number": text(35),
        "contract_number": text(35),
        "buyer_reference": text(35),
        "payment_terms": st.lists(TERMS, max_size=2),
        "allowances_charges": st.lists(ALLOWANCE, max_size=2),
        "payment_means": st.lists(
            filled(
                some({"type": st.just("credit_transfer"), "iban": CODE, "bic": st.just("BYLADEM1001"), "account_name": text(100), "reference": CODE})
            ),
            max_size=1,
        ),
    },
    kind=st.sampled_from(["invoice", "credit_note"]),
    number=text(35),
    issued_on=DAY,
    currency=st.just("EUR"),
    lines=st.lists(INVOICE_LINE, max_size=2).map(numbered),
    taxes=st.lists(
        some({"rate": number(2, 2), "exemption_reason": text(100)}, category=st.sampled_from(["S", "E"]), taxable=number(), tax=number()), max_size=2
    ),
    totals=st.fixed_dictionaries({"lines": number(), "net": number(), "payable": number()}),
)


@pytest.mark.parametrize(("type_", "held"), [("ordrsp", RESPONSES), ("desadv", ADVICES), ("invoic", INVOICES)])
def test_whatever_is_written_is_right_by_our_own_schema(type_: str, held: st.SearchStrategy[dict[str, Any]]) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(document=held, version=st.sampled_from(VERSIONS))
    def holds(document: dict[str, Any], version: str) -> None:
        message(decode(json.dumps(document)), f"edifact/{version}/{type_}")

    holds()


def test_amounts_keep_their_digits() -> None:
    held = {**INVOICE, "totals": {**INVOICE["totals"], "payable": str(Decimal("120.430"))}}  # type: ignore[dict-item]  # a dict of texts
    assert "MOA+9:120.430" in segments(held, "edifact/d96a/invoic")
