"""EDIFACT orders to the canonical form of CONTRACT.md, field by field, for D.96A and D.01B."""

import re
from typing import Any

import pytest

from gateway.mapping.explain import provenance
from gateway.model.values import Source
from gateway.schema.apply import check
from tests.mapping.edifact_world import CORPUS
from tests.mapping.edifact_world import NOBODY
from tests.mapping.edifact_world import interchange
from tests.mapping.edifact_world import read
from tests.mapping.edifact_world import read_one
from tests.mapping.edifact_world import reading
from tests.mapping.edifact_world import schema
from tests.mapping.edifact_world import spec_of
from tests.mapping.edifact_world import transactions

LINE = ("LIN+1", "QTY+21:12:PCE")
DATES = "DTM+137:20260105:102"
VERSIONS = ("d93a", "d96a", "d97a", "d99b", "d01b", "d04a", "d07a")


def order(*head: str, lines: tuple[str, ...] = LINE, foot: tuple[str, ...] = (), version: str = "d96a", bgm: str = "BGM+220+PO1+9") -> bytes:
    return interchange("ORDERS", version, bgm, DATES, *head, *lines, "UNS+S", *foot)


def line(*segments: str, version: str = "d96a") -> dict[str, Any]:
    """The one line of an order with these segments behind LIN+1 and its quantity."""
    (found,) = read(
        order(
            lines=(
                "LIN+1",
                *(text for text in segments if text[:3] in BEFORE_QUANTITY),
                "QTY+21:12:PCE",
                *(text for text in segments if text[:3] not in BEFORE_QUANTITY),
            ),
            version=version,
        )
    )["lines"]
    assert found.pop("number") == "1"
    if found.get("quantity") == "12" and found.get("unit") == "H87":
        del found["quantity"], found["unit"], found["unit_source"]
    return dict(found)


def terms(segment: str, version: str) -> str:
    """Payment terms without text as the directory has them: PAT with its composite, later PYT."""
    return segment if version not in ("d04a", "d07a") else segment.replace("PAT", "PYT").replace(":", "+")


BEFORE_QUANTITY = ("PIA", "IMD", "MEA")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_contracts_order_comes_out_as_the_contract_shows_it(version: str) -> None:
    quantity = "21:12:PCE"
    data = interchange(
        "ORDERS",
        version,
        "BGM+220+PO1+9",
        "DTM+137:202601050930:203",
        "DTM+2:20260120:102",
        "DTM+64:20260119:102",
        "DTM+63:20260121:102",
        "DTM+37:20260117:102",
        "DTM+38:20260118:102",
        "DTM+61:20260125:102",
        "FTX+DEL+++Dock 4+EN",
        "RFF+CT:C-9",
        "RFF+RE:7",
        "NAD+BY+1234567890128::9++ACME",
        "RFF+VA:DE123456789",
        "RFF+XYZ:991-1",
        "CTA+OC+:Purchasing",
        "COM+?+49301:TE",
        "COM+po@acme.example:EM",
        "NAD+SU+4012345500004::9",
        "NAD+IV+HQ::92",
        "NAD+DP+0012::92++ACME STORE 12+12 MAIN ST+SPRINGFIELD+IL+62701+US",
        "NAD+HK+0099::92",
        "CUX+2:EUR:9",
        terms("PAT+1++5:3:D:30", version),
        terms("PAT+22++5:3:D:10", version),
        "PCD+12:2",
        "TDT+20++30",
        "TOD+6+PP+DAP",
        "LOC+1+:::Bonn",
        "ALC+C++++FC:::Freight",
        "MOA+8:10.00",
        "TAX+7+VAT+++:::19+S",
        "LIN+1++4012345500004:EN",
        "PIA+1+V5179:SA+B2033:IN",
        "PIA+1+C1:VC",
        "IMD+F++:::WIDGET BLUE LARGE",
        "IMD+F+35+:::blue",
        f"QTY+{quantity}",
        "MOA+203:96.00",
        "PRI+AAA:800.00:::100:PCE",
        "PRI+AAB:1000.00",
        "PAC+2++CT",
        "QTY+52:6",
        "TAX+7+VAT+++:::19+S",
        "SCC+1",
        "QTY+21:8",
        "DTM+2:20260120:102",
        "QTY+21:4",
        "DTM+2:20260203:102",
        "UNS+S",
        "MOA+79:96.00",
        "MOA+259:10.00",
        "MOA+124:20.14",
        "MOA+9:126.14",
        "CNT+2:1",
        "CNT+1:12",
        association="EAN008",
    )
    assert read(data) == {
        "kind": "order",
        "number": "PO1",
        "release": "7",
        "type": "standard",
        "type_source": "220",
        "purpose": "original",
        "issued_on": "2026-01-05",
        "issued_at": "2026-01-05T09:30:00Z",
        "currency": "EUR",
        "buyer": {
            "name": "ACME",
            "identifiers": {"gln": "1234567890128", "vat": "DE123456789", "other": [{"scheme": "XYZ", "value": "991-1"}]},
            "contacts": [{"role": "order", "name": "Purchasing", "phone": "+49301", "email": "po@acme.example"}],
        },
        "seller": {"identifiers": {"gln": "4012345500004"}},
        "bill_to": {"identifiers": {"buyer_assigned": "HQ"}},
        "ship_to": {
            "name": "ACME STORE 12",
            "identifiers": {"buyer_assigned": "0012"},
            "address": {"lines": ["12 MAIN ST"], "city": "SPRINGFIELD", "region": "IL", "postal_code": "62701", "country": "US"},
        },
        "parties": [{"role": "mark_for", "identifiers": {"buyer_assigned": "0099"}}],
        "delivery": {
            "requested_on": "2026-01-20",
            "deliver_not_before": "2026-01-19",
            "deliver_not_after": "2026-01-21",
            "ship_not_before": "2026-01-17",
            "ship_not_after": "2026-01-18",
            "cancel_after": "2026-01-25",
        },
        "delivery_terms": {"incoterm": "DAP", "place": "Bonn", "freight": "prepaid"},
        "transport": {"mode": "road"},
        "payment_terms": [{"basis": "invoice_date", "net_days": 30, "discounts": [{"percent": "2", "days": 10}]}],
        "references": [{"type": "contract", "value": "C-9", "source_code": "CT"}],
        "notes": [{"type": "delivery", "text": "Dock 4", "language": "en", "source_code": "DEL"}],
        "allowances_charges": [
            {
                "kind": "charge",
                "reason_code": "FC",
                "reason": "Freight",
                "amount": "10.00",
                "source_code": "C",
                "tax": {"type": "VAT", "category": "S", "rate": "19"},
            }
        ],
        "lines": [
            {
                "number": "1",
                "quantity": "12",
                "unit": "H87",
                "unit_source": "PCE",
                "price": "800.00",
                "price_base": "100",
                "price_unit": "H87",
                "price_type": "net",
                "gross_price": "1000.00",
                "net_amount": "96.00",
                "identifiers": {"buyer": "B2033", "seller": "V5179", "gtin": "4012345500004", "other": [{"scheme": "VC", "value": "C1"}]},
                "description": "WIDGET BLUE LARGE",
                "attributes": [{"type": "color", "value": "blue"}],
                "packaging": [{"type": "XCT", "units_per_pack": "6", "quantity": "2"}],
                "taxes": [{"type": "VAT", "category": "S", "rate": "19"}],
                "deliveries": [{"quantity": "8", "requested_on": "2026-01-20"}, {"quantity": "4", "requested_on": "2026-02-03"}],
            }
        ],
        "totals": {"lines": "96.00", "charges": "10.00", "tax": "20.14", "payable": "126.14", "line_count": 1, "quantity_hash": "12"},
        "source": {
            "syntax": "edifact",
            "type": "ORDERS",
            "version": version.upper(),
            "association": "EAN008",
            "sender": "14:4012345000016",
            "receiver": "14:4012345500004",
            "interchange_control_number": "R1",
            "transaction_control_number": "1",
            "test": False,
        },
    }


@pytest.mark.parametrize(
    ("code", "purpose"),
    [
        ("1", "cancel"),
        ("50", "cancel"),
        ("4", "change"),
        ("5", "replace"),
        ("6", "confirm"),
        ("7", "duplicate"),
        ("35", "duplicate"),
        ("9", "original"),
        ("", "original"),
        ("31", "copy"),
    ],
)
def test_message_function_is_the_purpose(code: str, purpose: str) -> None:
    assert read(order(bgm=f"BGM+220+PO1+{code}"))["purpose"] == purpose


@pytest.mark.parametrize("code", ["12", "13", "16", "25", "53"])
def test_what_is_no_order_is_never_read_as_one_to_be_booked(code: str) -> None:
    assert read(order(bgm=f"BGM+220+PO1+{code}"))["purpose"] == "copy"


@pytest.mark.parametrize(
    ("code", "type_"),
    [("220", "standard"), ("105", "standard"), ("221", "blanket"), ("226", "release"), ("224", "rush"), ("228", "sample"), ("223", "other")],
)
def test_document_name_is_the_type(code: str, type_: str) -> None:
    found = read(order(bgm=f"BGM+{code}+PO1+9"))
    assert (found["type"], found["type_source"]) == (type_, code)


@pytest.mark.parametrize(
    ("text", "code", "day", "moment"),
    [
        ("20260105", "102", "2026-01-05", None),
        ("260105", "101", "2026-01-05", None),
        ("202601051730", "203", "2026-01-05", "2026-01-05T17:30:00Z"),
        ("20260105173015", "204", "2026-01-05", "2026-01-05T17:30:15Z"),
        ("05012026", "4", "2026-01-05", None),
        ("202602", "616", "2026-01-05", None),
        ("2026010520260131", "718", "2026-01-05", None),
        ("202601051730?+01", "303", "2026-01-05", "2026-01-05T16:30:00Z"),
    ],
)
def test_dates_are_read_by_their_format(text: str, code: str, day: str, moment: str | None) -> None:
    data = interchange("ORDERS", "d96a", "BGM+220+PO1+9", f"DTM+137:{text}:{code}", *LINE, "UNS+S")
    found = read(data)
    assert (found["issued_on"], found.get("issued_at")) == (day, moment)


@pytest.mark.parametrize(
    ("nad", "identifiers"),
    [
        ("4012345500004::9", {"gln": "4012345500004"}),
        ("123456789::16", {"duns": "123456789"}),
        ("S1::91", {"seller_assigned": "S1"}),
        ("B1::92", {"buyer_assigned": "B1"}),
        ("B1", {"buyer_assigned": "B1"}),
        ("X1::ZZZ", {"other": [{"scheme": "ZZZ", "value": "X1"}]}),
    ],
)
def test_party_numbers_are_known_by_their_agency(nad: str, identifiers: dict[str, Any]) -> None:
    assert read(order(f"NAD+BY+{nad}"))["buyer"] == {"identifiers": identifiers}


def test_a_party_may_have_more_numbers_in_references() -> None:
    found = read(order("NAD+BY+4012345500004::9", "RFF+VA:DE1", "RFF+IT:K77", "RFF+IA:L5"))["buyer"]
    assert found == {"identifiers": {"gln": "4012345500004", "vat": "DE1", "seller_assigned": "K77", "buyer_assigned": "L5"}}


def test_unstructured_name_and_address_is_name_and_lines() -> None:
    found = read(order("NAD+DP++ACME STORE:12 MAIN ST:SPRINGFIELD"))["ship_to"]
    assert found == {"name": "ACME STORE", "address": {"lines": ["12 MAIN ST", "SPRINGFIELD"]}}


@pytest.mark.parametrize(
    ("role", "field"), [("BY", "buyer"), ("SU", "seller"), ("SE", "seller"), ("DP", "ship_to"), ("ST", "ship_to"), ("IV", "bill_to"), ("PR", "payer")]
)
def test_parties_find_their_field_by_their_role(role: str, field: str) -> None:
    assert read(order(f"NAD+{role}+1::92"))[field] == {"identifiers": {"buyer_assigned": "1"}}


def test_other_roles_stand_among_the_parties_also_unknown_ones() -> None:
    found = read(order("NAD+UC+1::92", "NAD+CA+2::92", "NAD+LSP+3::92"))["parties"]
    assert [party["role"] for party in found] == ["ultimate_consignee", "carrier", "LSP"]


@pytest.mark.parametrize("version", VERSIONS)
def test_region_of_both_versions(version: str) -> None:
    assert read(order("NAD+DP+++ACME+1 ST+TOWN+NW+53111+DE", version=version))["ship_to"]["address"] == {
        "lines": ["1 ST"],
        "city": "TOWN",
        "region": "NW",
        "postal_code": "53111",
        "country": "DE",
    }


def test_the_currency_of_the_order_is_its_reference_currency() -> None:
    assert read(order("CUX+2:GBP:9+3:EUR:4+1.67"))["currency"] == "GBP"
    assert read(order("CUX+3:EUR:4+2:GBP:9"))["currency"] == "GBP"


@pytest.mark.parametrize(
    ("segments", "terms"),
    [
        (("PAT+1++5:3:D:30",), [{"basis": "invoice_date", "net_days": 30}]),
        (("PAT+1++5:3:W:2",), [{"basis": "invoice_date", "net_days": 14}]),
        (("PAT+3", "DTM+13:20260301:102"), [{"due_on": "2026-03-01"}]),
        (("PAT+1++5:6:D:30",), [{"basis": "end_of_month", "net_days": 30}]),
        (("PAT+22++5:3:D:10", "PCD+12:2.5"), [{"discounts": [{"percent": "2.5", "days": 10}]}]),
        (
            ("PAT+1+6::91:2/10 net 30+5:3:D:30", "PAT+22++5:3:D:10", "PCD+12:2"),
            [{"basis": "invoice_date", "net_days": 30, "text": "2/10 net 30", "discounts": [{"percent": "2", "days": 10}]}],
        ),
    ],
)
def test_payment_terms(segments: tuple[str, ...], terms: list[dict[str, Any]]) -> None:
    assert read(order(*segments))["payment_terms"] == terms


@pytest.mark.parametrize(("code", "unit"), [("PCE", "H87"), ("KGM", None), ("CT", "XCT"), ("CS", "XCS"), ("PF", "XPX"), ("EA", None), ("DZN", None)])
def test_units_are_recommendation_20_and_packages_21(code: str, unit: str | None) -> None:
    (found,) = read(order(lines=("LIN+1", f"QTY+21:12:{code}")))["lines"]
    assert (found["unit"], found.get("unit_source")) == ((unit, code) if unit else (code, None))


@pytest.mark.parametrize(
    ("code", "scheme"),
    [("EN", "gtin"), ("SRV", "gtin"), ("UP", "gtin"), ("IN", "buyer"), ("BP", "buyer"), ("SA", "seller"), ("VN", "seller"), ("MF", "manufacturer")],
)
def test_item_numbers_are_known_by_their_type(code: str, scheme: str) -> None:
    number = "4012345500004" if scheme == "gtin" else "ABC"
    for segments in ((f"LIN+1++{number}:{code}",), ("LIN+1", f"PIA+1+{number}:{code}"), ("LIN+1", f"PIA+5+{number}:{code}")):
        (found,) = read(order(lines=(*segments, "QTY+21:1:PCE")))["lines"]
        assert found["identifiers"] == {scheme: number}


def test_a_substitute_is_not_the_item_that_is_ordered() -> None:
    (found,) = read(order(lines=("LIN+1++4012345500004:EN", "PIA+4+OLD:SA", "QTY+21:1:PCE")))["lines"]
    assert found["identifiers"] == {"gtin": "4012345500004"}


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        (("PRI+AAA:10.50",), {"price": "10.50", "price_type": "net"}),
        (("PRI+AAB:12",), {"price": "12", "price_type": "gross", "gross_price": "12"}),
        (("PRI+AAB:12:::10:PCE", "PRI+AAA:10.5"), {"price": "10.5", "price_type": "net", "gross_price": "12"}),
        (("PRI+AAA:800:CT:AAE:100:KGM",), {"price": "800", "price_base": "100", "price_unit": "KGM", "price_type": "net"}),
        (("PRI+AAE:19.99",), {}),
    ],
)
def test_prices(prices: tuple[str, ...], expected: dict[str, Any]) -> None:
    assert line(*prices) == expected


def test_places_of_a_line_are_its_deliveries() -> None:
    found = line("LOC+7+3312345502000::9", "QTY+11:8", "DTM+2:20020915:102", "LOC+7+3312345501003::9", "QTY+11:4", "DTM+2:20020913:102")
    assert found["deliveries"] == [
        {"quantity": "8", "requested_on": "2002-09-15", "ship_to": {"identifiers": {"gln": "3312345502000"}}},
        {"quantity": "4", "requested_on": "2002-09-13", "ship_to": {"identifiers": {"gln": "3312345501003"}}},
    ]


def test_a_place_without_quantity_is_where_the_line_goes() -> None:
    assert line("LOC+7+3312345502000::9") == {"ship_to": {"identifiers": {"gln": "3312345502000"}}}
    assert line("NAD+DP+3312345502000::9") == {"ship_to": {"identifiers": {"gln": "3312345502000"}}}


def test_tax_of_the_head_holds_for_lines_that_say_none() -> None:
    lines = ("LIN+1", "QTY+21:1:PCE", "TAX+7+VAT+++:::7+S", "LIN+2", "QTY+21:1:PCE")
    found = read(order("TAX+7+VAT+++:::19+S", lines=lines))["lines"]
    assert [[tax["rate"] for tax in held["taxes"]] for held in found] == [["7"], ["19"]]


@pytest.mark.parametrize("version", VERSIONS)
def test_allowances_of_a_line(version: str) -> None:
    reason = "Trade discount" if version == "d93a" else "Trade:discount"
    found = line(f"ALC+A++++TD:::{reason}", "QTY+1:2", "PCD+1:5", "MOA+204:1.20", "MOA+25:24", "RTE+1:0.5", version=version)
    assert found["allowances_charges"] == [
        {
            "kind": "allowance",
            "reason_code": "TD",
            "reason": "Trade discount",
            "amount": "1.20",
            "percent": "5",
            "base_amount": "24",
            "rate": "0.5",
            "quantity": "2",
            "source_code": "A",
        }
    ]


def test_summed_allowances_at_the_end_are_not_counted_again() -> None:
    found = read(order("ALC+C++++FC", "MOA+8:10", foot=("MOA+86:110", "ALC+C++++FC", "MOA+131:10")))
    assert len(found["allowances_charges"]) == 1


def test_long_texts_in_several_components_are_one() -> None:
    found = read(order("FTX+AAI+++Deliver to:dock 4:at the back"))["notes"]
    assert found == [{"text": "Deliver to dock 4 at the back", "type": "general", "source_code": "AAI"}]


def test_characteristics_are_attributes() -> None:
    assert line("IMD+C+98+XL::91")["attributes"] == [{"type": "size", "value": "XL"}]
    assert line("CCI+++V::91:Voltage", "CAV+:::230 V")["attributes"] == [{"type": "Voltage", "value": "230 V"}]


def test_a_line_without_number_gets_its_position() -> None:
    found = read(order(lines=("LIN+++A:SA", "QTY+21:1", "LIN+++B:SA", "QTY+21:2")))["lines"]
    assert [held["number"] for held in found] == ["1", "2"]


def test_decimal_comma_and_leading_zeros() -> None:
    (found,) = read(order(lines=("LIN+1", "QTY+21:0012,50:KGM", "PRI+AAA:007.10")))["lines"]
    assert (found["quantity"], found["price"]) == ("12.50", "7.10")


def test_release_characters_come_out_as_text() -> None:
    assert read(order("FTX+AAI+++Rush?: dock 4? ?+ gate?'s bell??"))["notes"][0]["text"] == "Rush: dock 4 + gate's bell?"


def test_lines_that_are_part_of_another_one_are_its_sub_lines() -> None:
    lines = (
        "LIN+1++4012345500004:EN",
        "QTY+21:5:PCE",
        "LIN+2++A:SA+1:1",
        "QTY+21:10:PCE",
        "PRI+AAA:2",
        "LIN+3++B:SA+1:1",
        "IMD+F++:::Bolt",
        "QTY+21:15:PCE",
        "LIN+4++C:SA",
        "QTY+21:1",
    )
    first, second = read(order(lines=lines))["lines"]
    assert (first["number"], second["number"], "sub_lines" in second) == ("1", "4", False)
    assert first["sub_lines"] == [
        {
            "number": "2",
            "relation": "component",
            "quantity": "10",
            "unit": "H87",
            "unit_source": "PCE",
            "quantity_basis": "total",
            "price": "2",
            "identifiers": {"seller": "A"},
        },
        {
            "number": "3",
            "relation": "component",
            "quantity": "15",
            "unit": "H87",
            "unit_source": "PCE",
            "quantity_basis": "total",
            "identifiers": {"seller": "B"},
            "description": "Bolt",
        },
    ]


def test_a_sub_line_whose_line_is_not_there_is_a_line_and_never_lost() -> None:
    lines = ("LIN+1++A:SA", "QTY+21:5", "LIN+2++B:SA+1:9", "QTY+21:6", "LIN+3++C:SA+1", "QTY+21:7", "LIN+4++D:SA+1:2", "QTY+21:8")
    assert [held["quantity"] for held in read(order(lines=lines))["lines"]] == ["5", "6", "7", "8"]


def test_many_lines_with_sub_lines_are_read_in_linear_time() -> None:
    lines = tuple(text for at in range(6000) for text in (f"LIN+{at + 1}++A:SA" + (f"+1:{at}" if at % 2 else ""), "QTY+21:1"))
    found = read(order(lines=lines))["lines"]
    assert (len(found), sum(len(held["sub_lines"]) for held in found)) == (3000, 3000)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of samples is not beside the checkout")
def test_all_orders_of_the_corpus_are_read_without_raising() -> None:
    count = 0
    for path in sorted((CORPUS / "edifact").glob("*ORDERS*")):
        for start, transaction in transactions(path.read_bytes()) if b"UNB" in path.read_bytes()[:300] else ():
            if transaction.type == "ORDERS" and transaction.version in ("D96A", "D01B"):
                document, problems = read_one(start, transaction)
                assert document is not None or problems, path.name
                count += 1
    assert count > 50


def test_every_value_that_was_copied_stands_at_its_offset() -> None:
    data = order(
        "FTX+DEL+++Rush?: gate?'s:bell",
        "RFF+CT:C-9",
        "NAD+BY+4012345500004::9++ACME?+CO",
        "RFF+VA:DE1",
        "CUX+2:EUR:9",
        lines=("LIN+1++4012345500004:EN", "PIA+1+V?:1:SA+B2:IN", "IMD+F++:::Widget:blue", "QTY+21:12:PCE", "PRI+AAA:8.50:::1:PCE"),
    )
    ((start, transaction),) = transactions(data)
    spec = spec_of(transaction)
    checked = check(transaction, schema(spec))
    header = Source(syntax="edifact", type="ORDERS", version="D96A", sender=start.sender, test=False)
    traced = provenance(transaction, checked.tree, reading(spec, explain=True), header, NOBODY)
    held = read(data)
    copied = {path: entry for path, entries in traced.items() for entry in entries if len(entries) == 1 and entry.how == "copied"}
    for path, entry in copied.items():
        value: Any = held
        for step in re.findall(r"[a-z_]+|\d+", path):
            value = value[int(step)] if step.isdecimal() else value[step]
        assert entry.offset is not None and entry.length is not None
        raw = data[entry.offset : entry.offset + entry.length].decode("latin-1")
        assert re.sub(r"\?(.)", r"\1", raw) == value, path
        assert entry.mapping.startswith(("mappings/edifact/d96a/orders.yaml:", "mappings/parts/edifact-read.yaml:"))
    wanted = {"number", "buyer.name", "buyer.identifiers.vat", "lines[0].price", "lines[0].identifiers.seller", "lines[0].identifiers.gtin"}
    assert wanted <= set(copied)
    assert [entry.how for entry in traced["lines[0].description"]] == ["joined", "joined"]
    assert traced["lines[0].unit"][0].source == "QTY/C186/6411"
