"""What we write in X12 fits its schema and says what the document says: 855, 856, 810; and what the 820 says is read."""

import json
from typing import Any

import pytest

from gateway.codecs import x12
from gateway.codecs.node import Delimiters
from gateway.mapping.apply import to_transaction
from gateway.mapping.compile_writing import compile_writing
from gateway.model.document import decode
from gateway.model.document import encode
from gateway.problem import Problem
from tests.mapping.mapping_world import NOBODY
from tests.mapping.mapping_world import checked
from tests.mapping.mapping_world import load
from tests.mapping.mapping_world import read
from tests.mapping.mapping_world import shipped
from tests.mapping.mapping_world import transaction_of
from tests.mapping.mapping_world import write
from tests.mapping.mapping_world import x12_file

VERSIONS = ("003060", "004010", "004030", "005010", "006020", "007030")
MARKS = Delimiters(element="*", component=">", segment="~")
GROUPS = {"855": "PR", "856": "SH", "810": "IN"}
PARTIES = {
    "buyer": {"name": "ACME", "identifiers": {"buyer_assigned": "0001"}},
    "seller": {"name": "SELLER CO", "identifiers": {"gln": "4012345500004"}},
    "ship_to": {
        "name": "ACME STORE 12",
        "identifiers": {"buyer_assigned": "0012"},
        "address": {"lines": ["12 MAIN ST"], "city": "SPRINGFIELD", "region": "IL", "postal_code": "62701", "country": "US"},
    },
}
ITEM = {"buyer": "B1", "seller": "V1", "gtin": "012345678905"}

RESPONSE = {
    "kind": "order_response",
    "number": "R1",
    "order_number": "PO1",
    "order_issued_on": "2026-01-05",
    "response": "accepted_with_changes",
    "issued_on": "2026-01-06",
    "currency": "USD",
    **PARTIES,
    "lines": [
        {
            "number": "1",
            "action": "accepted",
            "ordered_quantity": "12",
            "quantity": "12",
            "unit": "XCS",
            "unit_source": "CA",
            "price": "8.00",
            "identifiers": ITEM,
            "description": "WIDGET",
            "promised_on": "2026-01-20",
        },
        {"number": "2", "action": "changed", "ordered_quantity": "10", "quantity": "6", "back_ordered_quantity": "4", "unit": "EA", "price": "1.5"},
        {"number": "3", "action": "back_ordered", "ordered_quantity": "7", "unit": "EA"},
        {
            "number": "4",
            "action": "rejected",
            "ordered_quantity": "9",
            "quantity": "0",
            "unit": "EA",
            "reason_code": "RULE-ITEM-UNKNOWN",
            "reason": "We do not know this item",
        },
        {
            "number": "5",
            "action": "changed",
            "ordered_quantity": "5",
            "quantity": "5",
            "unit": "EA",
            "schedule": [{"quantity": "2", "promised_on": "2026-01-20"}, {"quantity": "3", "promised_on": "2026-02-01"}],
        },
    ],
}

ADVICE = {
    "kind": "despatch_advice",
    "number": "S1",
    "issued_at": "2026-01-10T09:30:00Z",
    "despatched_on": "2026-01-10",
    "estimated_delivery_on": "2026-01-12",
    **PARTIES,
    "ship_from": {"name": "WAREHOUSE"},
    "transport": {"mode": "road", "scac": "UPSN", "consignment": "1Z999"},
    "gross_weight": "120.5",
    "weight_unit": "KGM",
    "package_count": 2,
    "orders": [
        {
            "number": "PO1",
            "issued_on": "2026-01-05",
            "units": [
                {
                    "sscc": "340123450000000015",
                    "weight": "60",
                    "weight_unit": "KGM",
                    "lines": [
                        {
                            "number": "1",
                            "order_line": "1",
                            "quantity": "6",
                            "unit": "XCS",
                            "unit_source": "CA",
                            "identifiers": ITEM,
                            "batch": "L7",
                            "best_before": "2027-01-01",
                        }
                    ],
                },
                {
                    "sscc": "340123450000000022",
                    "lines": [
                        {"number": "2", "order_line": "1", "quantity": "6", "unit": "XCS"},
                        {"number": "3", "order_line": "2", "quantity": "1", "unit": "EA", "identifiers": {"seller": "V2"}},
                    ],
                },
            ],
            "lines": [{"number": "4", "order_line": "3", "quantity": "2", "unit": "EA", "identifiers": {"seller": "V3"}}],
        }
    ],
}

INVOICE = {
    "kind": "invoice",
    "number": "I1",
    "issued_on": "2026-01-12",
    "due_on": "2026-02-11",
    "currency": "USD",
    "order_number": "PO1",
    "order_issued_on": "2026-01-05",
    "despatch_number": "S1",
    "despatched_on": "2026-01-10",
    **PARTIES,
    "payment_terms": [{"basis": "invoice_date", "net_days": 30}],
    "transport": {"mode": "road", "scac": "UPSN"},
    "notes": [{"text": "Thank you"}],
    "allowances_charges": [{"kind": "charge", "reason_code": "FC", "reason": "Freight", "amount": "10.00"}],
    "lines": [
        {
            "number": "1",
            "order_line": "1",
            "quantity": "12",
            "unit": "XCS",
            "unit_source": "CA",
            "price": "800.00",
            "price_base": "100",
            "net_amount": "96.00",
            "identifiers": ITEM,
            "name": "WIDGET",
            "tax": {"type": "VAT", "category": "S", "rate": "19"},
        }
    ],
    "taxes": [{"type": "VAT", "category": "S", "rate": "19", "taxable": "106.00", "tax": "20.14"}],
    "totals": {"lines": "96.00", "charges": "10.00", "net": "106.00", "tax": "20.14", "gross": "126.14", "payable": "126.14"},
}


def body_of(held: dict[str, Any], spec: str) -> tuple[list[str], list[Problem], list[Problem]]:
    """Segments as written, problems of writing, problems of their schema."""
    segments, problems = to_transaction(decode(json.dumps(held)), compile_writing(shipped(spec, "write")), NOBODY)
    text = x12.write(segments, MARKS).decode()
    _, version, kind = spec.split("/")
    result = checked(transaction_of(x12_file(text, kind, version, GROUPS[kind])), spec)
    return text.split("~")[:-1], problems, result.problems


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("kind", "held"), [("855", RESPONSE), ("856", ADVICE), ("810", INVOICE)])
def test_what_we_write_fits_its_schema(kind: str, held: dict[str, Any], version: str) -> None:
    _, problems, wrong = body_of(held, f"x12/{version}/{kind}")
    assert (problems, wrong) == ([], [])


def test_an_order_response_answers_each_line() -> None:
    segments, _, _ = body_of(RESPONSE, "x12/004010/855")
    assert segments[0] == "BAK*00*AC*PO1*20260105****R1*20260106"
    assert [segment for segment in segments if segment[:3] in ("PO1", "ACK", "MSG", "CTT")] == [
        "PO1*1*12*CA*8.00**BP*B1*VP*V1*UP*012345678905",
        "ACK*IA*12*CA*067*20260120",
        "PO1*2*10*EA*1.5",
        "ACK*IC*6*EA",
        "ACK*IB*4*EA",
        "PO1*3*7*EA",
        "ACK*IB*7*EA",
        "PO1*4*9*EA",
        "ACK*IR*9*EA",
        "MSG*We do not know this item",
        "PO1*5*5*EA",
        "ACK*IC*2*EA*067*20260120",
        "ACK*IC*3*EA*067*20260201",
        "CTT*5",
    ]


def test_a_line_that_comes_in_two_parts_promises_each_of_them_once() -> None:
    line = {
        "number": "1",
        "action": "back_ordered",
        "ordered_quantity": "40",
        "quantity": "25",
        "back_ordered_quantity": "15",
        "unit": "EA",
        "promised_on": "2026-01-20",
        "schedule": [{"quantity": "25", "promised_on": "2026-01-20"}, {"quantity": "15", "promised_on": "2026-02-01"}],
    }
    segments, problems, wrong = body_of({**RESPONSE, "lines": [line]}, "x12/004010/855")
    assert [segment for segment in segments if segment[:3] == "ACK"] == ["ACK*IA*25*EA*067*20260120", "ACK*IB*15*EA*067*20260201"]
    nothing = {**line, "quantity": "0", "back_ordered_quantity": "40", "schedule": []}
    later, _, _ = body_of({**RESPONSE, "lines": [nothing]}, "x12/004010/855")
    assert [segment for segment in later if segment[:3] == "ACK"] == ["ACK*IB*40*EA"]
    assert (problems, wrong) == ([], [])


def test_a_despatch_advice_is_a_hierarchy() -> None:
    segments, _, _ = body_of(ADVICE, "x12/004010/856")
    assert segments[0] == "BSN*00*S1*20260110*0930*0001"
    assert [segment for segment in segments if segment[:2] == "HL"] == [
        "HL*1**S*1",
        "HL*2*1*O*1",
        "HL*3*2*P*1",
        "HL*4*3*I*0",
        "HL*5*2*P*1",
        "HL*6*5*I*0",
        "HL*7*5*I*0",
        "HL*8*2*I*0",
    ]
    assert [segment for segment in segments if segment[:3] == "MAN"] == ["MAN*GM*00340123450000000015", "MAN*GM*00340123450000000022"]
    assert "PRF*PO1***20260105" in segments
    assert "TD1*CTN*2****G*120.5*KG" in segments
    assert segments[-1] == "CTT*8"


def test_a_despatch_advice_without_packages_hangs_items_on_the_order() -> None:
    held = {
        **ADVICE,
        "orders": [{"number": "PO1", "lines": [{"number": "1", "order_line": "1", "quantity": "6", "unit": "EA", "identifiers": ITEM}]}],
    }
    segments, problems, wrong = body_of(held, "x12/004010/856")
    assert (problems, wrong) == ([], [])
    assert segments[0].endswith("*0004")
    assert [segment for segment in segments if segment[:2] == "HL"] == ["HL*1**S*1", "HL*2*1*O*1", "HL*3*2*I*0"]


def test_an_invoice_says_its_amounts_without_points_where_x12_wants_it() -> None:
    segments, _, _ = body_of(INVOICE, "x12/004010/810")
    assert segments[0] == "BIG*20260112*I1*20260105*PO1***DI*00"
    assert "IT1*1*12*CA*800.00*HP*BP*B1*VP*V1*UP*012345678905" in segments
    assert "TDS*12614" in segments
    assert "SAC*C*D240***1000**********Freight" in segments
    assert "TXI*VA*20.14*0.19" in segments


def test_a_credit_note_is_written_by_the_same_mapping() -> None:
    held = {**INVOICE, "kind": "credit_note", "number": "C1", "invoice_number": "I1"}
    segments, problems, wrong = body_of(held, "x12/004010/810")
    assert (problems, wrong) == ([], [])
    assert segments[0] == "BIG*20260112*C1*20260105*PO1***CR*00"
    assert "REF*OI*I1" in segments


def test_a_value_that_must_be_written_and_is_missing_is_an_error() -> None:
    held = {key: value for key, value in ADVICE.items() if key != "issued_at"}
    _, problems, _ = body_of(held, "x12/004010/856")
    assert [(problem.code, problem.severity.value) for problem in problems] == [("MAP-WRITE-MISSING", "error")]
    assert problems[0].message.startswith("BSN/03 must be written")


def test_an_amount_with_too_many_digits_is_an_error() -> None:
    held = {**INVOICE, "totals": {"gross": "126.145"}}
    _, problems, _ = body_of(held, "x12/004010/810")
    assert [(problem.code, problem.found, problem.place.field) for problem in problems] == [("MAP-WRITE-INVALID", "126.145", "totals.gross")]


def test_a_word_without_a_code_is_a_warning() -> None:
    held = {**INVOICE, "allowances_charges": [{"kind": "deposit", "amount": "1.00"}]}
    _, problems, _ = body_of(held, "x12/004010/810")
    assert ("MAP-CODE-UNKNOWN", "warning", "deposit") in [(problem.code, problem.severity.value, problem.found) for problem in problems]


@pytest.mark.parametrize("number", ["1E+999999", "NaN", "1E-99"])
def test_a_number_that_no_message_holds_is_an_error(number: str) -> None:
    held = {**ADVICE, "gross_weight": number}
    _, problems, _ = body_of(held, "x12/004010/856")
    assert ("MAP-WRITE-INVALID", "error", "gross_weight") in [(problem.code, problem.severity.value, problem.place.field) for problem in problems]


def test_line_ends_in_a_text_become_blanks() -> None:
    plan = load(
        "x12/004010/850",
        "write",
        'document: order\nto: x12/004010/850\nsegments:\n  - BEG: {01: "00", 02: "SA", 03: number, 05: issued_on}\n  - PO1: {each: lines, 01: number}\n    then:\n      - PID: {01: "F", 05: description}\n',
    )
    document = decode('{"kind": "order", "number": "1", "lines": [{"number": "1", "description": "TWO\\nLINES\\u0007"}]}')
    assert write(plan, document)[0][-1] == ["PID", "F", "", "", "", "TWO LINES"]


def test_a_document_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="writes a document of kind order, not Invoice"):
        write(shipped("x12/004010/850", "write"), decode(json.dumps(INVOICE)))


# 820

REMITTANCE = (
    "BPR*C*4980.5*C*ACH*CTX*01*021000021*DA*123456*******20260210~TRN*1*TR-77~CUR*PR*USD~REF*CR*C-5~"
    "N1*PR*ACME*92*0001~N3*12 MAIN ST~N4*SPRINGFIELD*IL*62701~N1*PE*SELLER CO*UL*4012345500004~"
    "ENT*1~RMR*IV*I1**4900.5*5000*50~DTM*003*20260112~ADX*-49.5*01~RMR*CM*C1**-20~RMR*IV*I2**100*100~"
)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_remittance_advice_is_read(version: str) -> None:
    document, problems = read(shipped(f"x12/{version}/820", "read"), x12_file(REMITTANCE, "820", version, "RA"))
    assert problems == []
    held = json.loads(encode(document))
    assert held == {
        "kind": "remittance_advice",
        "number": "TR-77",
        "trace": "TR-77",
        "issued_on": "2026-02-10",
        "paid_on": "2026-02-10",
        "currency": "USD",
        "amount": "4980.5",
        "method": "credit_transfer",
        "payer": {
            "name": "ACME",
            "identifiers": {"buyer_assigned": "0001"},
            "address": {"lines": ["12 MAIN ST"], "city": "SPRINGFIELD", "region": "IL", "postal_code": "62701"},
        },
        "payee": {"name": "SELLER CO", "identifiers": {"gln": "4012345500004"}},
        "references": [{"type": "buyer_reference", "value": "C-5", "source_code": "CR"}],
        "lines": [
            {
                "type": "invoice",
                "number": "I1",
                "issued_on": "2026-01-12",
                "paid": "4900.5",
                "gross": "5000",
                "discount": "50",
                "deduction": "49.5",
                "deduction_code": "01",
            },
            {"type": "credit_note", "number": "C1", "paid": "-20"},
            {"type": "invoice", "number": "I2", "paid": "100", "gross": "100"},
        ],
        "source": {"syntax": "x12", "type": "820", "test": False},
    }


def test_an_adjustment_by_itself_is_a_line() -> None:
    body = "BPR*C*50*C*CHK************20260210~TRN*1*T~ENT*1~ADX*-30*01*CM*C-9~NTE*OTH*Damaged goods~"
    document, problems = read(shipped("x12/004010/820", "read"), x12_file(body, "820", "004010", "RA"))
    assert problems == []
    assert json.loads(encode(document))["lines"] == [
        {"type": "credit_note", "number": "C-9", "paid": "-30", "deduction_code": "01", "reason": "Damaged goods"}
    ]
