"""What we send as UBL and Peppol: it follows the schema, its sums hold, and each profile gets the shape that it asks for."""

import copy
from typing import Any

import pytest

from gateway.codecs.node import Transaction
from gateway.conformance import en16931
from gateway.conformance import xsd
from gateway.conformance.level import Level
from tests.mapping.ubl_documents import BUYER
from tests.mapping.ubl_documents import CREDIT_NOTE
from tests.mapping.ubl_documents import DESPATCH
from tests.mapping.ubl_documents import INVOICE
from tests.mapping.ubl_documents import LEAST
from tests.mapping.ubl_documents import RESPONSE
from tests.mapping.ubl_world import names
from tests.mapping.ubl_world import texts
from tests.mapping.ubl_world import write

SHELF = xsd.SchemaShelf()
BILLING = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"


def checked(document: dict[str, Any], spec: str) -> Transaction:
    """The document as written, which must follow its schema where that is here."""
    written = write(document, spec)
    judgement = xsd.validate(written, SHELF)
    assert judgement.problems == ()
    # invoices and credit notes have their schema from a dependency: it is always here
    assert judgement.level is Level.PASSED or written.type not in en16931.DOCUMENTS
    assert not written.root.xpath("//*[not(*) and not(normalize-space())]"), "an empty element (PEPPOL-EN16931-R008)"
    return written


@pytest.mark.parametrize("spec", ["ubl/invoice", "peppol/invoice"])
@pytest.mark.parametrize("document", [INVOICE, {"kind": "invoice", **LEAST}], ids=["full", "least"])
def test_an_invoice_follows_the_schema_and_adds_up(spec: str, document: dict[str, Any]) -> None:
    written = checked(document, spec)
    assert written.type == "Invoice"
    assert en16931.judge(written).problems == ()


@pytest.mark.parametrize("spec", ["ubl/credit-note", "peppol/credit-note"])
@pytest.mark.parametrize("document", [CREDIT_NOTE, {"kind": "credit_note", **LEAST}], ids=["full", "least"])
def test_a_credit_note_follows_the_schema_and_adds_up(spec: str, document: dict[str, Any]) -> None:
    written = checked(document, spec)
    assert written.type == "CreditNote"
    assert en16931.judge(written).problems == ()


def test_a_peppol_invoice_has_the_shape_of_its_profile() -> None:
    written = checked(INVOICE, "peppol/invoice")
    assert texts(written, "cbc:CustomizationID") == [BILLING]
    assert texts(written, "cbc:ProfileID") == ["urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"]
    assert texts(written, "cbc:InvoiceTypeCode") == ["380"]
    assert texts(written, "//cbc:EndpointID") == ["4012345500004", "991-01234-44"]
    assert texts(written, "//cbc:EndpointID/@schemeID") == ["0088", "0204"]
    assert texts(written, "cbc:BuyerReference") == ["Cost 17"]
    assert texts(written, "cac:OrderReference/cbc:ID") == ["PO1"]
    assert texts(written, "cbc:Note") == ["Thank you Come again"]
    assert len(written.root.xpath("*[local-name() = 'TaxTotal']")) == 1
    assert set(texts(written, "//@currencyID")) == {"EUR"}
    assert texts(written, "//cac:AllowanceCharge/cbc:ChargeIndicator") == ["true", "false", "false", "false"]
    assert len(written.root.xpath("//*[local-name() = 'AccountingCustomerParty']/*/*[local-name() = 'PartyIdentification']")) == 1
    assert texts(written, "cac:AccountingSupplierParty/cac:Party/cac:Contact/cbc:Name") == ["Billing"]


def test_where_a_party_has_no_electronic_address_its_gln_is_one() -> None:
    written = checked({"kind": "invoice", **LEAST}, "peppol/invoice")
    assert texts(written, "//cbc:EndpointID") == ["4012345500004", "1234567890128"]
    assert texts(written, "//cbc:EndpointID/@schemeID") == ["0088", "0088"]


def test_an_invoice_carries_every_value_of_the_document() -> None:
    written = checked(INVOICE, "peppol/invoice")
    for path, found in [
        ("cbc:ID", "RE-2026-1"),
        ("cbc:IssueDate", "2026-01-21"),
        ("cbc:DueDate", "2026-02-20"),
        ("cac:DespatchDocumentReference/cbc:ID", "LS-1"),
        ("cac:ContractDocumentReference/cbc:ID", "C-9"),
        ("cac:Delivery/cbc:ActualDeliveryDate", "2026-01-20"),
        ("cac:Delivery/cac:DeliveryLocation/cbc:ID", "1234567890135"),
        ("cac:PaymentMeans/cbc:PaymentMeansCode", "30"),
        ("cac:PaymentMeans/cbc:PaymentID", "RF18539007547034"),
        ("cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID", "DE89370400440532013000"),
        ("cac:PaymentTerms/cbc:Note", "2/10 net 30"),
        ("cac:LegalMonetaryTotal/cbc:PayableAmount", "147.93"),
        ("cac:TaxTotal/cbc:TaxAmount", "19.23"),
        ("cac:InvoiceLine[1]/cbc:Note", "Handle with care"),
        ("cac:InvoiceLine[1]/cac:Item/cbc:Name", "WIDGET"),
        ("cac:InvoiceLine[2]/cac:Item/cbc:Name", "V9"),
        ("cac:InvoiceLine[1]/cac:OrderLineReference/cbc:LineID", "1"),
        ("cac:InvoiceLine[1]/cac:Price/cac:AllowanceCharge/cbc:Amount", "200.00"),
        ("cac:InvoiceLine[1]/cac:Price/cbc:BaseQuantity/@unitCode", "H87"),
        ("cac:InvoiceLine[2]/cbc:InvoicedQuantity/@unitCode", "C62"),
        ("cac:InvoiceLine[2]/cac:AllowanceCharge/cbc:AllowanceChargeReason", "Damaged box"),
        ("cac:AccountingCustomerParty/cac:Party/cac:PartyLegalEntity/cbc:RegistrationName", "ACME & Sons <Ltd>"),
        ("cac:AccountingCustomerParty/cac:Party/cac:PartyTaxScheme/cbc:CompanyID", "DE123456789"),
        ("cac:AccountingSupplierParty/cac:Party/cac:PostalAddress/cac:AddressLine/cbc:Line", "Halle 3, Rampe 4"),
    ]:
        assert texts(written, path) == [found], path


def test_a_category_outside_of_tax_has_no_rate() -> None:
    written = checked({"kind": "invoice", **LEAST}, "peppol/invoice")
    assert texts(written, "//cbc:Percent") == []
    assert texts(written, "//cac:TaxCategory/cbc:TaxExemptionReasonCode") == ["VATEX-EU-O"]


def test_a_reason_that_is_no_code_of_its_list_is_said_in_words_only() -> None:
    document = copy.deepcopy(INVOICE)
    document["allowances_charges"] = [{**document["allowances_charges"][0], "reason_code": "D240"}, document["allowances_charges"][1]]
    written = checked(document, "peppol/invoice")
    assert texts(written, "cac:AllowanceCharge/cbc:AllowanceChargeReasonCode") == ["95"]
    assert texts(written, "cac:AllowanceCharge/cbc:AllowanceChargeReason") == ["Freight", "Discount"]


def test_a_credit_note_names_the_invoice_and_is_positive() -> None:
    written = checked(CREDIT_NOTE, "peppol/credit-note")
    assert texts(written, "cbc:CustomizationID") == [BILLING]
    assert texts(written, "cbc:CreditNoteTypeCode") == ["381"]
    assert texts(written, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID") == ["RE-2025-9"]
    assert texts(written, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:IssueDate") == ["2025-12-30"]
    assert texts(written, "cac:CreditNoteLine/cbc:CreditedQuantity") == ["12", "1"]
    assert texts(written, "cac:PaymentMeans/cbc:PaymentDueDate") == ["2026-02-20"]
    assert texts(written, "cac:LegalMonetaryTotal/cbc:PayableAmount") == ["147.93"]


@pytest.mark.parametrize("spec", ["ubl/order-response", "peppol/order-response"])
@pytest.mark.parametrize(("response", "code", "lines"), [("accepted", "AP", 0), ("rejected", "RE", 0), ("accepted_with_changes", "CA", 3)])
def test_only_a_conditional_response_has_lines(spec: str, response: str, code: str, lines: int) -> None:
    written = checked({**RESPONSE, "response": response}, spec)
    assert texts(written, "cbc:OrderResponseCode") == [code]
    assert len(written.root.xpath("*[local-name() = 'OrderLine']")) == lines


def test_a_peppol_order_response_says_of_each_line_what_becomes_of_it() -> None:
    written = checked(RESPONSE, "peppol/order-response")
    assert texts(written, "cbc:CustomizationID") == ["urn:fdc:peppol.eu:poacc:trns:order_response:3"]
    assert texts(written, "cbc:ProfileID") == ["urn:fdc:peppol.eu:poacc:bis:ordering:3"]
    assert texts(written, "cbc:DocumentCurrencyCode") == ["EUR"]
    assert texts(written, "//cbc:EndpointID") == ["4012345500004", "991-01234-44"]
    assert texts(written, "cac:OrderLine/cac:LineItem/cbc:LineStatusCode") == ["5", "3", "7"]
    assert texts(written, "cac:OrderLine/cac:LineItem/cbc:Quantity") == ["12", "4", "0"]
    assert texts(written, "cac:OrderLine/cac:LineItem/cbc:MaximumBackorderQuantity") == ["6"]
    assert texts(written, "cac:OrderLine/cac:LineItem/cac:Item/cbc:Name") == ["WIDGET", "4012345500004", "B1"]
    assert texts(written, "cac:OrderLine/cac:OrderLineReference/cbc:LineID") == ["1", "2", "3"]
    assert texts(written, "cac:OrderLine/cac:LineItem/cbc:Note") == ["No longer made"]
    # T76 knows one promise for a line, and no date of the order
    assert texts(written, "cac:OrderLine/cac:LineItem/cac:Delivery/cac:PromisedDeliveryPeriod/cbc:EndDate") == ["2026-01-20", "2026-01-20"]
    assert names(written.root.xpath("*[local-name() = 'OrderReference']")[0]) == ["ID"]
    assert {name for party in written.root.xpath("//*[local-name() = 'Party']") for name in names(party)} <= {
        "EndpointID",
        "PartyIdentification",
        "PartyLegalEntity",
    }


def test_the_schedule_of_a_line_stands_in_a_plain_ubl_response() -> None:
    written = checked(RESPONSE, "ubl/order-response")
    assert texts(written, "cac:OrderLine[2]/cac:LineItem/cac:Delivery/cbc:Quantity") == ["4", "6"]
    assert texts(written, "cac:OrderLine[2]/cac:LineItem/cac:Delivery/cbc:Quantity/@unitCode") == ["XCT", "XCT"]


@pytest.mark.parametrize("spec", ["ubl/despatch-advice", "peppol/despatch-advice"])
def test_a_despatch_advice_has_a_line_for_each_order_line_in_each_unit(spec: str) -> None:
    written = checked(DESPATCH, spec)
    line = "cac:DespatchLine"
    unit = f"{line}/cac:Shipment/cac:TransportHandlingUnit"
    assert texts(written, f"{line}/cbc:ID") == ["1", "2", "3", "4"]
    assert texts(written, f"{line}/cbc:DeliveredQuantity") == ["8", "1", "4", "3"]
    assert texts(written, f"{line}/cac:OrderLineReference/cbc:LineID") == ["1", "2", "1", "7"]
    assert texts(written, f"{line}/cac:OrderLineReference/cac:OrderReference/cbc:ID") == ["PO1", "PO1", "PO1", "PO2"]
    assert texts(written, f"{unit}/cbc:ID") == ["340123450000000018", "340123450000000018", "340123450000000025"]
    assert texts(written, f"{unit}/cbc:TransportHandlingUnitTypeCode") == ["PX", "PX", "CT"]
    assert texts(written, f"{unit}/cac:MeasurementDimension/cbc:Measure") == ["60.25", "60.25"]
    assert texts(written, f"{line}/cac:Item/cbc:Name") == ["WIDGET", "V9", "WIDGET", "V1"]
    assert texts(written, f"{line}[1]/cac:Item/cac:ItemInstance/cac:LotIdentification/cbc:LotNumberID") == ["L77"]
    assert texts(written, f"{line}/cbc:OutstandingQuantity") == ["4"]
    assert texts(written, f"{line}/cbc:OutstandingReason") == ["To follow"]
    assert texts(written, "cac:Shipment/cac:Delivery/cac:Despatch/cbc:ActualDespatchDate") == ["2026-01-20"]
    assert texts(written, "cac:Shipment/cac:Delivery/cac:EstimatedDeliveryPeriod/cbc:EndDate") == ["2026-01-21"]
    assert texts(written, "cac:Shipment/cac:ShipmentStage/cbc:TransportModeCode") == ["3"]


def test_a_peppol_despatch_advice_has_the_shape_of_its_profile() -> None:
    written = checked(DESPATCH, "peppol/despatch-advice")
    assert texts(written, "cbc:CustomizationID") == ["urn:fdc:peppol.eu:poacc:trns:despatch_advice:3"]
    assert texts(written, "cac:DespatchSupplierParty/cac:Party/cbc:EndpointID") == ["4012345500004"]
    # the place of delivery has no electronic address: the buyer's
    assert texts(written, "cac:DeliveryCustomerParty/cac:Party/cbc:EndpointID") == [BUYER["endpoint"].partition(":")[2]]
    assert texts(written, "cac:DeliveryCustomerParty/cac:Party/cac:PartyLegalEntity/cbc:RegistrationName") == ["Store 12"]
    assert names(written.root.xpath("*[local-name() = 'OrderReference']")[0]) == ["ID"]
    assert texts(written, "cac:DespatchLine/cac:Shipment/cbc:ID") == ["NA", "NA", "NA"]


def test_what_is_absent_leaves_no_element_behind() -> None:
    written = checked(
        {
            "kind": "order_response",
            "number": "AB1",
            "order_number": "PO1",
            "response": "rejected",
            "issued_on": "2026-01-06",
            "buyer": {"name": "ACME"},
            "seller": {"name": "Seller Co"},
        },
        "ubl/order-response",
    )
    assert names(written.root) == ["ID", "IssueDate", "OrderResponseCode", "OrderReference", "SellerSupplierParty", "BuyerCustomerParty"]


@pytest.mark.parametrize(
    ("document", "spec"), [(RESPONSE, "peppol/order-response"), (DESPATCH, "peppol/despatch-advice"), (INVOICE, "peppol/invoice")]
)
def test_a_buyer_is_identified_once(document: dict[str, Any], spec: str) -> None:
    written = checked(document, spec)
    role = "AccountingCustomerParty" if spec == "peppol/invoice" else "BuyerCustomerParty"
    assert texts(written, f"cac:{role}/cac:Party/cac:PartyIdentification/cbc:ID") == ["1234567890128"]


def test_what_xml_cannot_hold_is_a_blank() -> None:
    document = copy.deepcopy(INVOICE)
    document["buyer"]["name"] = "A\x01B\ufffe \U0001f600"
    written = checked(document, "peppol/invoice")
    assert texts(written, "cac:AccountingCustomerParty/cac:Party/cac:PartyLegalEntity/cbc:RegistrationName") == ["A B  \U0001f600"]
