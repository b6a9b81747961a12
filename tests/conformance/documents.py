"""A small right invoice, order and credit note in UBL, to be broken by tests."""

from gateway.codecs import xml
from gateway.codecs.node import Transaction

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
NAMESPACES = f'xmlns:cac="{UBL}CommonAggregateComponents-2" xmlns:cbc="{UBL}CommonBasicComponents-2"'


def _party(role: str, name: str) -> str:
    return f"<cac:{role}><cac:Party><cac:PartyName><cbc:Name>{name}</cbc:Name></cac:PartyName></cac:Party></cac:{role}>"


def _line(number: int, amount: str, category: str, rate: str, document: str, quantity: str) -> str:
    return (
        f'<cac:{document}Line><cbc:ID>{number}</cbc:ID><cbc:{quantity} unitCode="EA">1</cbc:{quantity}>'
        f'<cbc:LineExtensionAmount currencyID="EUR">{amount}</cbc:LineExtensionAmount>'
        f"<cac:Item><cbc:Name>Thing {number}</cbc:Name><cac:ClassifiedTaxCategory><cbc:ID>{category}</cbc:ID><cbc:Percent>{rate}</cbc:Percent>"
        f"<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:ClassifiedTaxCategory></cac:Item>"
        f'<cac:Price><cbc:PriceAmount currencyID="EUR">{amount}</cbc:PriceAmount></cac:Price></cac:{document}Line>'
    )


def _allowance(charge: str, amount: str, category: str, rate: str) -> str:
    return (
        f"<cac:AllowanceCharge><cbc:ChargeIndicator>{charge}</cbc:ChargeIndicator><cbc:AllowanceChargeReason>because</cbc:AllowanceChargeReason>"
        f'<cbc:Amount currencyID="EUR">{amount}</cbc:Amount><cac:TaxCategory><cbc:ID>{category}</cbc:ID><cbc:Percent>{rate}</cbc:Percent>'
        "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:TaxCategory></cac:AllowanceCharge>"
    )


def _subtotal(taxable: str, tax: str, category: str, rate: str) -> str:
    return (
        f'<cac:TaxSubtotal><cbc:TaxableAmount currencyID="EUR">{taxable}</cbc:TaxableAmount><cbc:TaxAmount currencyID="EUR">{tax}</cbc:TaxAmount>'
        f"<cac:TaxCategory><cbc:ID>{category}</cbc:ID><cbc:Percent>{rate}</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>"
        "</cac:TaxCategory></cac:TaxSubtotal>"
    )


def bill(document: str = "Invoice", zero: str = "E") -> str:
    """Lines 100.00 at 19 % and 50.00 in the category `zero`, allowance 10.00, charge 5.00, prepaid 20.00, rounding 0.05."""
    quantity = "InvoicedQuantity" if document == "Invoice" else "CreditedQuantity"
    code = "<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>" if document == "Invoice" else "<cbc:CreditNoteTypeCode>381</cbc:CreditNoteTypeCode>"
    return (
        f'<?xml version="1.0"?>\n<{document} xmlns="{UBL}{document}-2" {NAMESPACES}>'
        "<cbc:ID>INV1</cbc:ID><cbc:IssueDate>2026-01-05</cbc:IssueDate>"
        f"{code}<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>{_party('AccountingSupplierParty', 'Seller')}"
        f"{_party('AccountingCustomerParty', 'Buyer')}{_allowance('false', '10.00', 'S', '19')}{_allowance('true', '5.00', 'S', '19')}"
        f'<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">18.05</cbc:TaxAmount>{_subtotal("95.00", "18.05", "S", "19")}'
        f"{_subtotal('50.00', '0.00', zero, '0')}</cac:TaxTotal><cac:LegalMonetaryTotal>"
        '<cbc:LineExtensionAmount currencyID="EUR">150.00</cbc:LineExtensionAmount>'
        '<cbc:TaxExclusiveAmount currencyID="EUR">145.00</cbc:TaxExclusiveAmount>'
        '<cbc:TaxInclusiveAmount currencyID="EUR">163.05</cbc:TaxInclusiveAmount><cbc:AllowanceTotalAmount currencyID="EUR">10.00'
        '</cbc:AllowanceTotalAmount><cbc:ChargeTotalAmount currencyID="EUR">5.00</cbc:ChargeTotalAmount>'
        '<cbc:PrepaidAmount currencyID="EUR">20.00</cbc:PrepaidAmount>'
        '<cbc:PayableRoundingAmount currencyID="EUR">0.05</cbc:PayableRoundingAmount>'
        '<cbc:PayableAmount currencyID="EUR">143.10</cbc:PayableAmount></cac:LegalMonetaryTotal>'
        f"{_line(1, '100.00', 'S', '19', document, quantity)}{_line(2, '50.00', zero, '0', document, quantity)}</{document}>"
    )


def order() -> str:
    """The least that the UBL schema takes as an order."""
    return (
        f'<Order xmlns="{UBL}Order-2" {NAMESPACES}><cbc:ID>PO1</cbc:ID><cbc:IssueDate>2026-01-05</cbc:IssueDate>'
        f"{_party('BuyerCustomerParty', 'Buyer')}"
        f"{_party('SellerSupplierParty', 'Seller')}<cac:OrderLine><cac:LineItem><cbc:ID>1</cbc:ID>"
        "<cac:Item><cbc:Name>Thing</cbc:Name></cac:Item></cac:LineItem></cac:OrderLine></Order>"
    )


def transaction_of(text: str) -> Transaction:
    """The one transaction of an XML text."""
    found = [event for event in xml.read([text.encode()]) if isinstance(event, Transaction)]
    assert len(found) == 1
    return found[0]
