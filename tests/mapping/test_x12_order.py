"""An X12 850 becomes the canonical order of CONTRACT.md, and whatever is bad in it becomes a problem with its place."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gateway.mapping.apply import PartnerValues
from gateway.mapping.apply import to_document
from gateway.mapping.compile_reading import compile_reading
from gateway.model.document import encode
from gateway.problem import Problem
from gateway.problem import Severity
from tests.mapping.mapping_world import NOBODY
from tests.mapping.mapping_world import checked
from tests.mapping.mapping_world import load
from tests.mapping.mapping_world import read
from tests.mapping.mapping_world import shipped
from tests.mapping.mapping_world import source_of
from tests.mapping.mapping_world import transaction_of
from tests.mapping.mapping_world import x12_file

PLAN = shipped("x12/004010/850", "read")
READING = compile_reading(PLAN)
FULL = """
BEG*00*SA*PO1*7*20260105*C77~CUR*BY*USD~REF*DP*099~REF*QQ*Q-1~PER*BD*PURCHASING*TE*5551234*EM*po@acme.example~FOB*PP*DE*Bonn*01*DAP~
SAC*C*D240***1000*3*5********Freight~ITD**3*2**10**30*****2/10 net 30~DTM*002*20260120*0930~DTM*001*20260125~DTM*063*20260121~
TD5**2*UPSN*M*ACME*******CG~
N9*L1*SEE BELOW~MSG*Dock 4~MSG*Ring twice~N9*CT*REF1~
N1*BY*ACME*92*0001~PER*OC*Joe*TE*1~N1*ST*ACME STORE 12*92*0012~N3*12 MAIN ST*Floor 2~N3*Room 3~N4*SPRINGFIELD*IL*62701*US~
N1*SE*SELLER CO*UL*4012345500004~N1*BT*HEAD OFFICE*9*0012345670000~N1*Z7*Mark*92*0099~
PO1*1*0012*CA*800.00*HP*BP*B1*VP*V1*UP*012345678905*VC*C1~PID*F****WIDGET~PID*F****BLUE~PID*F*75***blue~PO4*6***CTN25~REF*CT*L-1~
SAC*A*C310***200~TXI*VA**.19~SCH*8*CA***002*20260120~SCH*4*CA***002*20260203~
PO1**5*EA*1.5**SK*12*UK*00012345678905~SDQ*EA*92*001*2*002*3~SLN*1.1**I*2*EA*0.5***VP*S1~PID*F****SCREW~
CTT*2*17~AMT*TT*126.14~""".replace("\n", "")


def order(body: str, partner: PartnerValues = NOBODY) -> tuple[dict[str, Any], list[Problem]]:
    document, problems = read(PLAN, x12_file(body), partner)
    return (json.loads(encode(document)) if document is not None else {}), problems


def test_a_whole_order_is_read() -> None:
    held, problems = order(FULL)
    assert problems == []
    assert held == {
        "kind": "order",
        "number": "PO1",
        "release": "7",
        "type": "standard",
        "type_source": "SA",
        "purpose": "original",
        "issued_on": "2026-01-05",
        "currency": "USD",
        "buyer": {
            "name": "ACME",
            "identifiers": {"buyer_assigned": "0001"},
            "contacts": [
                {"role": "order", "name": "Joe", "phone": "1"},
                {"role": "buyer", "name": "PURCHASING", "phone": "5551234", "email": "po@acme.example"},
            ],
        },
        "seller": {"name": "SELLER CO", "identifiers": {"gln": "4012345500004"}},
        "bill_to": {"name": "HEAD OFFICE", "identifiers": {"duns": "0012345670000"}},
        "ship_to": {
            "name": "ACME STORE 12",
            "identifiers": {"buyer_assigned": "0012"},
            "address": {"lines": ["12 MAIN ST", "Floor 2", "Room 3"], "city": "SPRINGFIELD", "region": "IL", "postal_code": "62701", "country": "US"},
        },
        "parties": [{"role": "mark_for", "name": "Mark", "identifiers": {"buyer_assigned": "0099"}}],
        "delivery": {
            "requested_on": "2026-01-20",
            "requested_at": "2026-01-20T09:30:00Z",
            "deliver_not_after": "2026-01-21",
            "cancel_after": "2026-01-25",
        },
        "delivery_terms": {"incoterm": "DAP", "place": "Bonn", "freight": "prepaid"},
        "transport": {"mode": "road", "scac": "UPSN", "carrier": "ACME", "service": "ground"},
        "payment_terms": [{"basis": "invoice_date", "net_days": 30, "discounts": [{"percent": "2", "days": 10}], "text": "2/10 net 30"}],
        "references": [
            {"type": "department", "value": "099", "source_code": "DP"},
            {"type": "other", "value": "Q-1", "source_code": "QQ"},
            {"type": "contract", "value": "C77"},
            {"type": "contract", "value": "REF1", "source_code": "CT"},
        ],
        "notes": [{"type": "general", "text": "Dock 4 Ring twice", "source_code": "L1"}],
        "allowances_charges": [
            {"kind": "charge", "reason_code": "FC", "reason": "Freight", "amount": "10.00", "percent": "5", "source_code": "D240"}
        ],
        "lines": [
            {
                "number": "1",
                "quantity": "12",
                "unit": "XCS",
                "unit_source": "CA",
                "price": "800.00",
                "price_base": "100",
                "identifiers": {"buyer": "B1", "seller": "V1", "gtin": "012345678905", "other": [{"scheme": "VC", "value": "C1"}]},
                "description": "WIDGET BLUE",
                "attributes": [{"type": "color", "value": "blue"}],
                "packaging": [{"type": "XCT", "units_per_pack": "6"}],
                "references": [{"type": "contract", "value": "L-1", "source_code": "CT"}],
                "allowances_charges": [{"kind": "allowance", "reason_code": "95", "amount": "2.00", "source_code": "C310"}],
                "taxes": [{"type": "VAT", "rate": "19"}],
                "deliveries": [{"quantity": "8", "requested_on": "2026-01-20"}, {"quantity": "4", "requested_on": "2026-02-03"}],
            },
            {
                "number": "2",
                "quantity": "5",
                "unit": "EA",
                "price": "1.5",
                "identifiers": {"buyer": "12", "gtin": "00012345678905"},
                "deliveries": [
                    {"quantity": "2", "ship_to": {"identifiers": {"buyer_assigned": "001"}}},
                    {"quantity": "3", "ship_to": {"identifiers": {"buyer_assigned": "002"}}},
                ],
                "sub_lines": [
                    {
                        "number": "1.1",
                        "relation": "included",
                        "quantity": "2",
                        "unit": "EA",
                        "price": "0.5",
                        "identifiers": {"seller": "S1"},
                        "description": "SCREW",
                    }
                ],
            },
        ],
        "totals": {"line_count": 2, "quantity_hash": "17", "payable": "126.14"},
        "source": {"syntax": "x12", "type": "850", "test": False},
    }


def test_a_short_order_has_nothing_that_was_not_sent() -> None:
    held, problems = order("BEG*00*NE*PO1**20260105~PO1**1*EA~")
    assert problems == []
    assert held == {
        "kind": "order",
        "number": "PO1",
        "type": "standard",
        "type_source": "NE",
        "purpose": "original",
        "issued_on": "2026-01-05",
        "lines": [{"number": "1", "quantity": "1", "unit": "EA"}],
        "source": {"syntax": "x12", "type": "850", "test": False},
    }


@pytest.mark.parametrize(
    ("code", "purpose"), [("00", "original"), ("01", "cancel"), ("04", "change"), ("05", "replace"), ("06", "confirm"), ("07", "duplicate")]
)
def test_the_purpose_is_understood(code: str, purpose: str) -> None:
    assert order(f"BEG*{code}*SA*PO1**20260105~PO1*1*1*EA~")[0]["purpose"] == purpose


@pytest.mark.parametrize(
    ("sent", "unit"), [("EA", "EA"), ("PC", "H87"), ("CA", "XCS"), ("CT", "XCT"), ("BX", "XBX"), ("DZ", "DZN"), ("LB", "LBR"), ("KG", "KGM")]
)
def test_units_become_recommendation_20(sent: str, unit: str) -> None:
    line = order(f"BEG*00*SA*PO1**20260105~PO1*1*1*{sent}~")[0]["lines"][0]
    assert line["unit"] == unit
    assert line.get("unit_source") == (sent if sent != unit else None)


@pytest.mark.parametrize(("code", "base"), [("HP", "100"), ("TP", "1000"), ("PE", None)])
def test_a_price_may_be_for_a_hundred(code: str, base: str | None) -> None:
    assert order(f"BEG*00*SA*PO1**20260105~PO1*1*1*EA*5*{code}~")[0]["lines"][0].get("price_base") == base


def test_the_partners_currency_fills_in() -> None:
    assert order("BEG*00*SA*PO1**20260105~PO1*1*1*EA~", PartnerValues({"currency": "CAD"}))[0]["currency"] == "CAD"


def test_a_second_buyer_stands_among_the_parties() -> None:
    held, _ = order("BEG*00*SA*PO1**20260105~N1*BY*ONE~N1*BY*TWO~PO1*1*1*EA~")
    assert held["buyer"] == {"name": "ONE"}
    assert held["parties"] == [{"role": "buyer", "name": "TWO"}]


def test_blanks_at_the_end_of_elements_mean_nothing() -> None:
    held, _ = order("BEG*00*SA*PO1   **20260105~N1*ST*ACME    *92*0012  ~PO1*1*1*EA~")
    assert held["number"] == "PO1"
    assert held["ship_to"] == {"name": "ACME", "identifiers": {"buyer_assigned": "0012"}}


# Bad values


def test_a_date_that_is_none_is_a_warning_and_left_out() -> None:
    body = "BEG*00*SA*PO1**20260105~DTM*002*20260231~PO1*1*1*EA~"
    held, problems = order(body)
    assert "delivery" not in held
    assert [(problem.code, problem.severity.value, problem.found) for problem in problems] == [("MAP-VALUE-INVALID", "warning", "20260231")]
    place = problems[0].place
    assert (place.segment, place.index, place.element, place.field) == ("DTM", 3, 2, "delivery.requested_on")
    assert x12_file(body)[place.offset or 0 : (place.offset or 0) + (place.length or 0)] == b"20260231"


def test_a_quantity_that_is_none_is_left_out() -> None:
    held, problems = order("BEG*00*SA*PO1**20260105~PO1*1*1O*EA~")
    assert held["lines"] == [{"number": "1", "unit": "EA"}]
    assert problems[0].code == "MAP-VALUE-INVALID"
    assert problems[0].message == "PO1/02 is '1O', not a number for lines.quantity"


def test_a_delivery_without_its_quantity_is_an_error_and_no_document() -> None:
    held, problems = order("BEG*00*SA*PO1**20260105~PO1*1*1*EA~SCH*X*EA***002*20260120~")
    assert held == {}
    assert [(problem.code, problem.severity) for problem in problems] == [("MAP-VALUE-INVALID", Severity.ERROR)]


def test_an_order_without_number_is_an_error_and_no_document() -> None:
    held, problems = order("BEG*00*SA***20260105~PO1*1*1*EA~")
    assert held == {}
    assert [(problem.code, problem.severity.value, problem.place.field) for problem in problems] == [("MAP-FIELD-MISSING", "error", "number")]


def test_a_reference_without_value_is_left_out_with_a_warning() -> None:
    held, problems = order("BEG*00*SA*PO1**20260105~REF*CT~PO1*1*1*EA~")
    assert "references" not in held
    assert [(problem.code, problem.severity.value) for problem in problems] == [("MAP-FIELD-MISSING", "warning")]


def test_a_purpose_that_we_do_not_know_is_never_booked_as_an_order() -> None:
    """A person looks at it, as at a copy."""
    held, problems = order("BEG*ZZ*SA*PO1**20260105~PO1*1*1*EA~")
    assert (held["purpose"], problems) == ("copy", [])


def test_a_second_number_of_the_same_kind_is_kept_beside_the_first() -> None:
    held, problems = order("BEG*00*SA*PO1**20260105~PO1*1*10*EA*925**IN*V5179*BP*B2033*IN*V5179~")
    assert held["lines"][0]["identifiers"] == {"buyer": "V5179", "other": [{"scheme": "BP", "value": "B2033"}]}
    assert not problems


def test_a_wrong_check_digit_is_a_warning_and_kept() -> None:
    held, problems = order("BEG*00*SA*PO1**20260105~N1*ST**UL*4012345500005~PO1*1*1*EA***UP*012345678906~")
    assert held["ship_to"]["identifiers"] == {"gln": "4012345500005"}
    assert held["lines"][0]["identifiers"] == {"gtin": "012345678906"}
    assert [(problem.code, problem.severity.value) for problem in problems] == [("DOC-CHECK-DIGIT", "warning")] * 2


def test_deliveries_that_do_not_add_up_are_told() -> None:
    held, problems = order("BEG*00*SA*PO1**20260105~PO1*1*12*EA~SCH*8*EA***002*20260120~SCH*3*EA***002*20260203~")
    assert len(held["lines"][0]["deliveries"]) == 2
    assert [(problem.code, problem.found, problem.expected) for problem in problems] == [("DOC-DELIVERIES-DIFFER", "11", "12")]


def test_an_expression_that_fails_is_a_warning() -> None:
    plan = load("x12/004010/850", "read", "document: order\nfrom: x12/004010/850\nnumber: BEG/03\nrelease: {compute: \"sum($CUR/02, '1')\"}\n")
    document, problems = read(plan, x12_file("BEG*00*SA*PO1**20260105~CUR*BY*USD~PO1*1*1*EA~"))
    assert document is not None
    assert [(problem.code, problem.severity.value) for problem in problems] == [("MAP-EXPRESSION-FAILED", "warning")]


def test_problems_of_one_transaction_have_an_end() -> None:
    _, problems = order("BEG*00*SA*PO1**20260105~" + "".join(f"PO1*{number}*X*EA~" for number in range(300)))
    assert len(problems) == 100


def test_a_number_with_too_many_digits_to_calculate_with_is_told() -> None:
    text = "document: order\nfrom: x12/004010/850\nnumber: BEG/03\nlines: {each: PO1, number: 01, price: {from: 04, divide: 3, round: 20}}\n"
    document, problems = read(load("x12/004010/850", "read", text), x12_file(f"BEG*00*SA*PO1**20260105~PO1*1*1*EA*{'9' * 30}~"))
    assert document is not None
    assert document.lines[0].price is None
    assert [problem.code for problem in problems] == ["MAP-VALUE-INVALID"]


def test_a_value_without_end_is_shown_short() -> None:
    _, problems = order("BEG*00*SA*PO1**20260105~PO1*1*" + "X" * 5000 + "*EA~")
    assert len(problems[0].message) < 200


ELEMENT = st.text(alphabet="ABCX0129.- '\"\\^é", max_size=12)
SEGMENT = st.tuples(
    st.sampled_from(
        ["BEG", "CUR", "REF", "PER", "DTM", "N1", "N3", "N4", "PO1", "PID", "SCH", "SDQ", "SAC", "TXI", "SLN", "N9", "MSG", "CTT", "ITD"]
    ),
    st.lists(ELEMENT, max_size=14),
).map(lambda pair: "*".join([pair[0], *pair[1]]))


@settings(max_examples=150, deadline=None)
@given(st.lists(SEGMENT, max_size=25))
def test_nothing_in_a_file_makes_reading_fail(segments: list[str]) -> None:
    transaction = transaction_of(x12_file("".join(f"{segment}~" for segment in segments)))
    document, problems = to_document(transaction, checked(transaction, PLAN.spec).tree, READING, source_of(transaction), NOBODY)
    assert document is None or encode(document)
    assert document is not None or any(problem.severity is Severity.ERROR for problem in problems)
