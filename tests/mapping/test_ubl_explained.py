"""`--explain` for XML: every value that was taken stands at its bytes in the file, under its XPath, at its line of the mapping."""

import html
import re

from gateway.codecs import xml
from tests.mapping.test_camt_statement import PAYMENT
from tests.mapping.test_camt_statement import entry
from tests.mapping.test_camt_statement import statement
from tests.mapping.test_ubl_order import FULL
from tests.mapping.ubl_world import as_json
from tests.mapping.ubl_world import explained
from tests.mapping.ubl_world import read_one
from tests.mapping.ubl_world import transactions


def value_at(document: object, name: str) -> object:
    """The value of a canonical field by its name in provenance: lines[0].price."""
    for step in re.findall(r"[a-z_]+|\[\d+\]", name):
        if isinstance(document, list):
            document = document[int(step[1:-1])]
        elif isinstance(document, dict):
            document = document.get(step)
    return document


def held_against_the_bytes(text: str, spec: str) -> dict[str, list[str]]:
    """The paths by field; each copied value must be what stands at its bytes."""
    (transaction,) = transactions(text.encode())
    document = as_json(read_one(transaction, spec)[0])
    found = explained(transaction, spec)
    data = text.encode()
    for name, origins in found.items():
        for origin in origins:
            assert re.fullmatch(r"mappings/\S+\.yaml:\d+", origin.mapping), origin
            if origin.offset is None:
                assert origin.how in ("constant", "computed", "joined"), (name, origin)
                continue
            assert origin.length is not None
            assert origin.path is not None
            sent = html.unescape(data[origin.offset : origin.offset + origin.length].decode())
            span = xml.locate(transaction, origin.path)
            assert (span.offset, span.length) == (origin.offset, origin.length), (name, origin)
            if origin.how == "copied" and len(origins) == 1:
                value = value_at(document, name)
                assert sent == value or sent.lstrip("0") == str(value), (name, sent, value)
    return {name: [origin.path or origin.source for origin in origins] for name, origins in found.items()}


def test_every_value_of_an_order_stands_at_its_bytes() -> None:
    paths = held_against_the_bytes(FULL, "ubl/order")
    for name, path in {
        "number": "/Order/cbc:ID",
        "currency": "/Order/cbc:DocumentCurrencyCode",
        "buyer.name": "/Order/cac:BuyerCustomerParty/cac:Party/cac:PartyName/cbc:Name",
        "buyer.address.city": "/Order/cac:BuyerCustomerParty/cac:Party/cac:PostalAddress/cbc:CityName",
        "lines[0].price": "/Order/cac:OrderLine/cac:LineItem/cac:Price/cbc:PriceAmount",
        "lines[0].unit": "/Order/cac:OrderLine/cac:LineItem/cbc:Quantity/@unitCode",
        "lines[0].identifiers.seller": "/Order/cac:OrderLine/cac:LineItem/cac:Item/cac:SellersItemIdentification/cbc:ID",
        "lines[0].deliveries[1].quantity": "/Order/cac:OrderLine/cac:LineItem/cac:Delivery[2]/cbc:Quantity",
        "totals.payable": "/Order/cac:AnticipatedMonetaryTotal/cbc:PayableAmount",
    }.items():
        assert paths[name] == [path], name
    assert len(paths["issued_at"]) == 2
    assert len(paths["buyer.endpoint"]) == 2


def test_every_field_of_an_order_has_its_provenance() -> None:
    (transaction,) = transactions(FULL.encode())
    document = as_json(read_one(transaction, "ubl/order")[0])
    found = {re.sub(r"\[\d+\]", "", name) for name in explained(transaction, "ubl/order")}

    def leaves(value: object, name: str) -> set[str]:
        if isinstance(value, dict):
            return {leaf for key, held in value.items() for leaf in leaves(held, f"{name}.{key}".lstrip("."))}
        if isinstance(value, list):
            return {leaf for held in value for leaf in leaves(held, name)}
        return {name}

    missing = {leaf for leaf in leaves(document, "") if leaf not in found and not leaf.startswith(("source", "kind"))}
    # what is kept as it was sent is explained by the field beside it
    assert missing <= {"type_source", "lines.unit_source"}


def test_every_value_of_a_statement_stands_at_its_bytes() -> None:
    text = statement(entry(PAYMENT.format(amount='<Amt Ccy="EUR">12.00</Amt>', name="<Nm>ACME</Nm>")) + entry(amount="3.00"))
    paths = held_against_the_bytes(text, "camt/053")
    assert paths["entries[1].amount"] == ["/Document/BkToCstmrStmt/Stmt/Ntry[2]/Amt"]
    assert paths["entries[0].payer_name"] == ["/Document/BkToCstmrStmt/Stmt/Ntry[1]/NtryDtls/TxDtls/RltdPties/Dbtr/Nm"]
    assert len(paths["entries[0].text"]) == 2
