"""UBL orders to the canonical form of CONTRACT.md, field by field, and back."""

import json
from typing import Any

import pytest

from gateway.conformance import xsd
from gateway.conformance.level import Level
from tests.mapping.ubl_world import CORPUS
from tests.mapping.ubl_world import UBL
from tests.mapping.ubl_world import as_json
from tests.mapping.ubl_world import read
from tests.mapping.ubl_world import read_one
from tests.mapping.ubl_world import transactions
from tests.mapping.ubl_world import write

SHELF = xsd.SchemaShelf()


def order(head: str = "", *, parties: str = "", body: str = "", lines: str = "", line: str = "") -> str:
    """A UBL order with so much more than it must have."""
    least = f"<cac:OrderLine><cac:LineItem><cbc:ID>1</cbc:ID>{line}</cac:LineItem></cac:OrderLine>"
    return (
        f'<Order xmlns="{UBL}Order-2" xmlns:cac="{UBL}CommonAggregateComponents-2" xmlns:cbc="{UBL}CommonBasicComponents-2">'
        f"<cbc:ID>PO1</cbc:ID><cbc:IssueDate>2026-01-05</cbc:IssueDate>{head}<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>"
        f"{parties}{body}{lines or least}</Order>"
    )


def party(role: str, inside: str) -> str:
    return f"<cac:{role}><cac:Party>{inside}</cac:Party></cac:{role}>"


FULL = order(
    head='<cbc:IssueTime>09:30:00+01:00</cbc:IssueTime><cbc:OrderTypeCode>221</cbc:OrderTypeCode><cbc:Note languageID="en">Mind the gap</cbc:Note>',
    parties=party(
        "BuyerCustomerParty",
        """
        <cbc:EndpointID schemeID="0088">1234567890128</cbc:EndpointID>
        <cac:PartyIdentification><cbc:ID schemeID="0088">1234567890128</cbc:ID></cac:PartyIdentification>
        <cac:PartyIdentification><cbc:ID schemeID="0060">123456789</cbc:ID></cac:PartyIdentification>
        <cac:PartyIdentification><cbc:ID schemeID="0204">991-1</cbc:ID></cac:PartyIdentification>
        <cac:PartyIdentification><cbc:ID>HQ</cbc:ID></cac:PartyIdentification>
        <cac:PartyName><cbc:Name>ACME</cbc:Name></cac:PartyName>
        <cac:PostalAddress><cbc:StreetName>Main St 12</cbc:StreetName><cbc:AdditionalStreetName>Gate 3</cbc:AdditionalStreetName>
          <cbc:CityName>Bonn</cbc:CityName><cbc:PostalZone>53111</cbc:PostalZone><cbc:CountrySubentity>NW</cbc:CountrySubentity>
          <cac:AddressLine><cbc:Line>Back yard</cbc:Line></cac:AddressLine>
          <cac:Country><cbc:IdentificationCode>DE</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
        <cac:PartyTaxScheme><cbc:CompanyID>DE123456789</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
        <cac:PartyLegalEntity><cbc:RegistrationName>ACME GmbH</cbc:RegistrationName></cac:PartyLegalEntity>
        <cac:Contact><cbc:Name>Purchasing</cbc:Name><cbc:Telephone>+49301</cbc:Telephone><cbc:ElectronicMail>po@acme.example</cbc:ElectronicMail>
        </cac:Contact>""",
    )
    + party(
        "SellerSupplierParty",
        '<cac:PartyIdentification><cbc:ID schemeID="GLN">4012345500004</cbc:ID></cac:PartyIdentification>'
        "<cac:PartyLegalEntity><cbc:RegistrationName>Seller Co</cbc:RegistrationName></cac:PartyLegalEntity>",
    )
    + party("OriginatorCustomerParty", "<cac:PartyName><cbc:Name>Ward 5</cbc:Name></cac:PartyName>")
    + party("AccountingCustomerParty", "<cac:PartyIdentification><cbc:ID>HQ2</cbc:ID></cac:PartyIdentification>"),
    body="""
      <cac:Delivery>
        <cac:DeliveryLocation><cbc:ID schemeID="0088">1234567890135</cbc:ID><cac:Address><cbc:StreetName>12 Main St</cbc:StreetName>
          <cbc:CityName>Springfield</cbc:CityName><cac:Country><cbc:IdentificationCode>US</cbc:IdentificationCode></cac:Country></cac:Address>
        </cac:DeliveryLocation>
        <cac:RequestedDeliveryPeriod><cbc:StartDate>2026-01-19</cbc:StartDate><cbc:EndDate>2026-01-21</cbc:EndDate></cac:RequestedDeliveryPeriod>
        <cac:DeliveryParty><cac:PartyName><cbc:Name>ACME Store 12</cbc:Name></cac:PartyName></cac:DeliveryParty>
      </cac:Delivery>
      <cac:DeliveryTerms><cbc:ID>DAP</cbc:ID><cac:DeliveryLocation><cbc:ID>Bonn</cbc:ID></cac:DeliveryLocation></cac:DeliveryTerms>
      <cac:PaymentTerms><cbc:Note>2/10 net 30</cbc:Note></cac:PaymentTerms>
      <cac:AllowanceCharge><cbc:ChargeIndicator>true</cbc:ChargeIndicator><cbc:AllowanceChargeReasonCode>FC</cbc:AllowanceChargeReasonCode>
        <cbc:AllowanceChargeReason>Freight</cbc:AllowanceChargeReason><cbc:MultiplierFactorNumeric>10</cbc:MultiplierFactorNumeric>
        <cbc:Amount currencyID="EUR">10.00</cbc:Amount><cbc:BaseAmount currencyID="EUR">100.00</cbc:BaseAmount>
        <cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>19</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:TaxCategory>
      </cac:AllowanceCharge>
      <cac:TaxTotal><cbc:TaxAmount currencyID="EUR">20.14</cbc:TaxAmount></cac:TaxTotal>
      <cac:AnticipatedMonetaryTotal><cbc:LineExtensionAmount currencyID="EUR">96.00</cbc:LineExtensionAmount>
        <cbc:ChargeTotalAmount currencyID="EUR">10.00</cbc:ChargeTotalAmount><cbc:PayableAmount currencyID="EUR">126.14</cbc:PayableAmount>
      </cac:AnticipatedMonetaryTotal>""",
    lines="""
      <cac:OrderLine><cbc:Note>Ring twice</cbc:Note><cac:LineItem>
        <cbc:ID>1</cbc:ID><cbc:Quantity unitCode="PCE">012</cbc:Quantity><cbc:LineExtensionAmount currencyID="EUR">96.00</cbc:LineExtensionAmount>
        <cac:Delivery><cbc:Quantity unitCode="H87">8</cbc:Quantity>
          <cac:RequestedDeliveryPeriod><cbc:EndDate>2026-01-20</cbc:EndDate></cac:RequestedDeliveryPeriod></cac:Delivery>
        <cac:Delivery><cbc:Quantity unitCode="H87">4</cbc:Quantity><cac:DeliveryLocation><cbc:ID>0012</cbc:ID></cac:DeliveryLocation>
          <cac:RequestedDeliveryPeriod><cbc:EndDate>2026-02-03</cbc:EndDate></cac:RequestedDeliveryPeriod></cac:Delivery>
        <cac:Price><cbc:PriceAmount currencyID="EUR">800.00</cbc:PriceAmount><cbc:BaseQuantity unitCode="H87">100</cbc:BaseQuantity>
          <cac:AllowanceCharge><cbc:ChargeIndicator>false</cbc:ChargeIndicator><cbc:Amount currencyID="EUR">200.00</cbc:Amount>
            <cbc:BaseAmount currencyID="EUR">1000.00</cbc:BaseAmount></cac:AllowanceCharge></cac:Price>
        <cac:Item><cbc:Description>Blue and large</cbc:Description><cbc:Name>WIDGET</cbc:Name>
          <cac:BuyersItemIdentification><cbc:ID>B2033</cbc:ID></cac:BuyersItemIdentification>
          <cac:SellersItemIdentification><cbc:ID>V5179</cbc:ID></cac:SellersItemIdentification>
          <cac:ManufacturersItemIdentification><cbc:ID>M1</cbc:ID></cac:ManufacturersItemIdentification>
          <cac:StandardItemIdentification><cbc:ID schemeID="0160">4012345500004</cbc:ID></cac:StandardItemIdentification>
          <cac:ClassifiedTaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>19</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>
          </cac:ClassifiedTaxCategory>
          <cac:AdditionalItemProperty><cbc:Name>color</cbc:Name><cbc:Value>blue</cbc:Value></cac:AdditionalItemProperty></cac:Item>
        <cac:SubLineItem><cbc:ID>1.1</cbc:ID><cbc:Quantity unitCode="H87">24</cbc:Quantity>
          <cac:Item><cac:SellersItemIdentification><cbc:ID>V1</cbc:ID></cac:SellersItemIdentification></cac:Item></cac:SubLineItem>
      </cac:LineItem></cac:OrderLine>""",
)

CANONICAL: dict[str, Any] = {
    "kind": "order",
    "number": "PO1",
    "type": "blanket",
    "type_source": "221",
    "purpose": "original",
    "issued_on": "2026-01-05",
    "issued_at": "2026-01-05T08:30:00Z",
    "currency": "EUR",
    "buyer": {
        "name": "ACME",
        "endpoint": "0088:1234567890128",
        "identifiers": {
            "gln": "1234567890128",
            "duns": "123456789",
            "vat": "DE123456789",
            "buyer_assigned": "HQ",
            "other": [{"scheme": "0204", "value": "991-1"}],
        },
        "address": {"lines": ["Main St 12", "Gate 3", "Back yard"], "city": "Bonn", "region": "NW", "postal_code": "53111", "country": "DE"},
        "contacts": [{"name": "Purchasing", "phone": "+49301", "email": "po@acme.example"}],
    },
    "seller": {"name": "Seller Co", "identifiers": {"gln": "4012345500004"}},
    "bill_to": {"identifiers": {"buyer_assigned": "HQ2"}},
    "ship_to": {
        "name": "ACME Store 12",
        "identifiers": {"gln": "1234567890135"},
        "address": {"lines": ["12 Main St"], "city": "Springfield", "country": "US"},
    },
    "parties": [{"role": "originator", "name": "Ward 5"}],
    "delivery": {"requested_on": "2026-01-21", "deliver_not_before": "2026-01-19", "deliver_not_after": "2026-01-21"},
    "delivery_terms": {"incoterm": "DAP", "place": "Bonn"},
    "payment_terms": [{"text": "2/10 net 30"}],
    "notes": [{"text": "Mind the gap", "language": "en"}],
    "allowances_charges": [
        {
            "kind": "charge",
            "reason_code": "FC",
            "reason": "Freight",
            "amount": "10.00",
            "percent": "10",
            "base_amount": "100.00",
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
            "identifiers": {"buyer": "B2033", "seller": "V5179", "gtin": "4012345500004", "manufacturer": "M1"},
            "description": "WIDGET",
            "attributes": [{"type": "color", "value": "blue"}],
            "notes": [{"text": "Ring twice"}, {"text": "Blue and large", "type": "item"}],
            "taxes": [{"type": "VAT", "category": "S", "rate": "19"}],
            "deliveries": [
                {"quantity": "8", "requested_on": "2026-01-20"},
                {"quantity": "4", "requested_on": "2026-02-03", "ship_to": {"identifiers": {"buyer_assigned": "0012"}}},
            ],
            "sub_lines": [
                {
                    "number": "1.1",
                    "relation": "component",
                    "quantity": "24",
                    "unit": "H87",
                    "quantity_basis": "total",
                    "identifiers": {"seller": "V1"},
                }
            ],
        }
    ],
    "totals": {"lines": "96.00", "charges": "10.00", "tax": "20.14", "payable": "126.14", "line_count": 1},
    "source": {"syntax": "ubl", "type": "Order", "version": "2.1", "test": False},
}


def test_an_order_comes_out_in_the_form_of_the_contract() -> None:
    assert read(FULL, "ubl/order") == CANONICAL


def test_the_least_that_an_order_can_say() -> None:
    assert read(order(), "ubl/order") == {
        "kind": "order",
        "number": "PO1",
        "type": "standard",
        "purpose": "original",
        "issued_on": "2026-01-05",
        "currency": "EUR",
        "lines": [{"number": "1"}],
        "source": {"syntax": "ubl", "type": "Order", "version": "2.1", "test": False},
    }


def test_the_profile_stands_in_the_source() -> None:
    text = order().replace("<cbc:ID>PO1", "<cbc:CustomizationID>urn:c</cbc:CustomizationID><cbc:ProfileID>urn:p</cbc:ProfileID><cbc:ID>PO1")
    source = read(text, "ubl/order")["source"]
    assert (source["customization"], source["profile"]) == ("urn:c", "urn:p")


@pytest.mark.parametrize(
    ("period", "delivery"),
    [
        ("<cbc:StartDate>2026-01-19</cbc:StartDate>", {"requested_on": "2026-01-19"}),
        ("<cbc:EndDate>2026-01-21</cbc:EndDate>", {"requested_on": "2026-01-21"}),
        (
            "<cbc:StartDate>2026-01-19</cbc:StartDate><cbc:EndDate>2026-01-21</cbc:EndDate>",
            {"requested_on": "2026-01-21", "deliver_not_before": "2026-01-19", "deliver_not_after": "2026-01-21"},
        ),
    ],
)
def test_a_date_alone_is_requested_and_two_are_a_window(period: str, delivery: dict[str, str]) -> None:
    text = order(body=f"<cac:Delivery><cac:RequestedDeliveryPeriod>{period}</cac:RequestedDeliveryPeriod></cac:Delivery>")
    assert read(text, "ubl/order")["delivery"] == delivery


@pytest.mark.parametrize(("code", "word"), [("220", "standard"), ("105", "standard"), ("226", "release"), ("227", "other"), ("999", "other")])
def test_the_code_of_the_type_is_kept_beside_our_word(code: str, word: str) -> None:
    document = read(order(head=f"<cbc:OrderTypeCode>{code}</cbc:OrderTypeCode>"), "ubl/order")
    assert (document["type"], document["type_source"]) == (word, code)


def test_the_references_that_an_order_may_carry() -> None:
    body = "".join(
        f"<cac:{name}><cbc:ID>{value}</cbc:ID></cac:{name}>"
        for name, value in [
            ("QuotationDocumentReference", "Q1"),
            ("OrderDocumentReference", "PO0"),
            ("OriginatorDocumentReference", "R1"),
            ("CatalogueReference", "K1"),
            ("AdditionalDocumentReference", "D1"),
            ("Contract", "C1"),
            ("ProjectReference", "P1"),
        ]
    )
    head = "<cbc:CustomerReference>Joe</cbc:CustomerReference><cbc:AccountingCost>4711</cbc:AccountingCost>"
    found = {reference["type"]: reference["value"] for reference in read(order(head=head, body=body), "ubl/order")["references"]}
    assert found == {
        "quotation": "Q1",
        "previous_order": "PO0",
        "requisition": "R1",
        "catalogue": "K1",
        "document": "D1",
        "contract": "C1",
        "project": "P1",
        "buyer_reference": "Joe",
        "cost_center": "4711",
    }


def test_an_identifier_with_a_wrong_check_digit_is_kept_with_a_warning() -> None:
    number = '<cac:PartyIdentification><cbc:ID schemeID="0088">1234567890123</cbc:ID></cac:PartyIdentification>'
    text = order(parties=party("BuyerCustomerParty", number))
    (transaction,) = transactions(text.encode())
    document, problems = read_one(transaction, "ubl/order")
    assert as_json(document)["buyer"]["identifiers"] == {"gln": "1234567890123"}
    assert [problem.severity.value for problem in problems] == ["warning"]


def test_what_is_no_number_is_an_error_at_its_place() -> None:
    text = order(line='<cbc:Quantity unitCode="H87">twelve</cbc:Quantity>')
    (transaction,) = transactions(text.encode())
    document, problems = read_one(transaction, "ubl/order")
    problem = problems[0]
    assert problem.place.path == "/Order/cac:OrderLine/cac:LineItem/cbc:Quantity"
    assert problem.place.offset == text.index("twelve")
    assert problem.place.length == len("twelve")
    assert document is None or "quantity" not in as_json(document)["lines"][0]


def test_an_order_without_its_number_is_none() -> None:
    (transaction,) = transactions(order().replace("<cbc:ID>PO1</cbc:ID>", "").encode())
    document, problems = read_one(transaction, "ubl/order")
    assert document is None
    assert any("number" in problem.message for problem in problems)


def test_an_order_comes_back_the_same_from_ubl() -> None:
    written = write(CANONICAL, "ubl/order")
    document, problems = read_one(written, "ubl/order")
    assert problems == []
    # UBL 2.1 has no place for the unit as the buyer wrote it
    expected = json.loads(json.dumps(CANONICAL))
    del expected["lines"][0]["unit_source"]
    assert as_json(document) == expected


def test_what_is_written_follows_the_schema() -> None:
    judgement = xsd.validate(write(CANONICAL, "ubl/order"), SHELF)
    if judgement.level is Level.NOT_RUN:
        pytest.skip(f"UBL schemas: {judgement.reason}")
    assert judgement.problems == ()


def test_the_official_examples_read_without_an_error_and_come_back() -> None:
    files = sorted((CORPUS / "peppol" / "examples" / "Order_use_cases").glob("*.xml"))
    if not files:
        pytest.skip("no corpus of official examples beside the checkout")
    for file in files:
        (transaction,) = transactions(file.read_bytes())
        document, problems = read_one(transaction, "ubl/order")
        # one example holds a GTIN, another a GLN with a wrong check digit
        assert {problem.severity.value for problem in problems} <= {"warning"}, file
        again, _ = read_one(write(as_json(document), "ubl/order"), "ubl/order")
        first, second = as_json(document), as_json(again)
        for note in first.get("notes", []):
            note.pop("type", None)
        assert first == second, file
