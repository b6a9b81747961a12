"""UBL as our Peppol partner writes and reads it: Order out, what we send it in. Its own code, none of ours."""

from decimal import Decimal
from xml.sax.saxutils import escape

from lxml import etree

from gateway.demo.cast import US
from gateway.demo.cast import Company
from gateway.demo.cast import Purchase
from gateway.demo.cast import with_vat

_CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
_PARTY = """\
    <cac:Party>
      <cbc:EndpointID schemeID="0088">{gln}</cbc:EndpointID>
      <cac:PartyIdentification><cbc:ID schemeID="0088">{gln}</cbc:ID></cac:PartyIdentification>
      <cac:PartyName><cbc:Name>{name}</cbc:Name></cac:PartyName>
      <cac:PostalAddress>
        <cbc:StreetName>{street}</cbc:StreetName>
        <cbc:CityName>{city}</cbc:CityName>
        <cbc:PostalZone>{postal_code}</cbc:PostalZone>
        <cac:Country><cbc:IdentificationCode>{country}</cbc:IdentificationCode></cac:Country>
      </cac:PostalAddress>
      <cac:PartyTaxScheme><cbc:CompanyID>{vat}</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
      <cac:PartyLegalEntity><cbc:RegistrationName>{name}</cbc:RegistrationName></cac:PartyLegalEntity>
    </cac:Party>"""
_LINE = """\
  <cac:OrderLine>
    <cac:LineItem>
      <cbc:ID>{number}</cbc:ID>
      <cbc:Quantity unitCode="H87">{quantity}</cbc:Quantity>
      <cbc:LineExtensionAmount currencyID="{currency}">{amount}</cbc:LineExtensionAmount>
      <cac:Price><cbc:PriceAmount currencyID="{currency}">{price}</cbc:PriceAmount></cac:Price>
      <cac:Item>
        <cbc:Name>{name}</cbc:Name>
        <cac:BuyersItemIdentification><cbc:ID>{buyers}</cbc:ID></cac:BuyersItemIdentification>
        <cac:SellersItemIdentification><cbc:ID>{sellers}</cbc:ID></cac:SellersItemIdentification>
        <cac:StandardItemIdentification><cbc:ID schemeID="0160">{gtin}</cbc:ID></cac:StandardItemIdentification>
        <cac:ClassifiedTaxCategory>
          <cbc:ID>S</cbc:ID><cbc:Percent>19</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>
        </cac:ClassifiedTaxCategory>
      </cac:Item>
    </cac:LineItem>
  </cac:OrderLine>"""
_ORDER = """\
<?xml version="1.0" encoding="UTF-8"?>
<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"
       xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
       xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:CustomizationID>urn:fdc:peppol.eu:poacc:trns:order:3</cbc:CustomizationID>
  <cbc:ProfileID>urn:fdc:peppol.eu:poacc:bis:ordering:3</cbc:ProfileID>
  <cbc:ID>{number}</cbc:ID>
  <cbc:IssueDate>{issued_on}</cbc:IssueDate>
  <cbc:OrderTypeCode>220</cbc:OrderTypeCode>
  <cbc:DocumentCurrencyCode>{currency}</cbc:DocumentCurrencyCode>
  <cbc:CustomerReference>{number}</cbc:CustomerReference>
  <cac:BuyerCustomerParty>
{buyer}
  </cac:BuyerCustomerParty>
  <cac:SellerSupplierParty>
{seller}
  </cac:SellerSupplierParty>
  <cac:Delivery>
    <cac:DeliveryLocation>
      <cbc:ID schemeID="0088">{gln}</cbc:ID>
      <cac:Address>
        <cbc:StreetName>{street}</cbc:StreetName>
        <cbc:CityName>{city}</cbc:CityName>
        <cbc:PostalZone>{postal_code}</cbc:PostalZone>
        <cac:Country><cbc:IdentificationCode>{country}</cbc:IdentificationCode></cac:Country>
      </cac:Address>
    </cac:DeliveryLocation>
    <cac:RequestedDeliveryPeriod><cbc:EndDate>{requested_on}</cbc:EndDate></cac:RequestedDeliveryPeriod>
  </cac:Delivery>
  <cac:TaxTotal><cbc:TaxAmount currencyID="{currency}">{tax}</cbc:TaxAmount></cac:TaxTotal>
  <cac:AnticipatedMonetaryTotal>
    <cbc:LineExtensionAmount currencyID="{currency}">{total}</cbc:LineExtensionAmount>
    <cbc:TaxExclusiveAmount currencyID="{currency}">{total}</cbc:TaxExclusiveAmount>
    <cbc:TaxInclusiveAmount currencyID="{currency}">{gross}</cbc:TaxInclusiveAmount>
    <cbc:PayableAmount currencyID="{currency}">{gross}</cbc:PayableAmount>
  </cac:AnticipatedMonetaryTotal>
{lines}
</Order>
"""


def order(buyer: Company, purchase: Purchase) -> bytes:
    """One Order, as Peppol BIS 3 wants it."""
    amounts = [line.quantity * Decimal(line.price) for line in purchase.lines]
    total = sum(amounts, Decimal(0))
    gross = with_vat(total)
    lines = [
        _LINE.format(
            number=number,
            quantity=line.quantity,
            currency=buyer.currency,
            amount=amount,
            price=line.price,
            name=escape(line.ware.name),
            buyers=line.ware.number_of(buyer.id),
            sellers=line.ware.number,
            gtin=line.ware.gtin,
        )
        for number, (line, amount) in enumerate(zip(purchase.lines, amounts, strict=True), 1)
    ]
    text = _ORDER.format(
        number=purchase.number,
        issued_on=purchase.issued_on,
        requested_on=purchase.requested_on,
        currency=buyer.currency,
        buyer=_party(buyer),
        seller=_party(US),
        gln=buyer.gln,
        street=escape(buyer.street),
        city=escape(buyer.city),
        postal_code=buyer.postal_code,
        country=buyer.country,
        total=total,
        tax=gross - total,
        gross=gross,
        lines="\n".join(lines),
    )
    return text.encode()


def _party(company: Company) -> str:
    return _PARTY.format(
        gln=company.gln,
        name=escape(company.name),
        street=escape(company.street),
        city=escape(company.city),
        postal_code=company.postal_code,
        country=company.country,
        vat=company.vat,
    )


def _root(data: bytes) -> "etree._Element":
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    return etree.fromstring(data, parser)


def value(data: bytes, name: str) -> str | None:
    """The first basic component of this name, wherever it stands."""
    found = next(_root(data).iter(f"{_CBC}{name}"), None)
    return found.text if found is not None else None


def mentions(data: bytes, text: str) -> bool:
    """Whether any value of the document is this text."""
    return any(element.text == text for element in _root(data).iter())


def kind(data: bytes) -> str | None:
    """OrderResponse, DespatchAdvice, Invoice, CreditNote; None for what is no XML."""
    try:
        return etree.QName(_root(data)).localname
    except etree.XMLSyntaxError:
        return None
