"""All kinds of canonical documents, and their JSON form (CONTRACT.md, gateway read)."""

import msgspec

from gateway.model.despatch import DespatchAdvice
from gateway.model.invoice import CreditNote
from gateway.model.invoice import Invoice
from gateway.model.order import Order
from gateway.model.payment import BankStatement
from gateway.model.payment import RemittanceAdvice
from gateway.model.response import OrderResponse

Document = Order | OrderResponse | DespatchAdvice | Invoice | CreditNote | RemittanceAdvice | BankStatement

KINDS: dict[str, type] = {
    "order": Order,
    "order_response": OrderResponse,
    "despatch_advice": DespatchAdvice,
    "invoice": Invoice,
    "credit_note": CreditNote,
    "remittance_advice": RemittanceAdvice,
    "bank_statement": BankStatement,
}

_ENCODER = msgspec.json.Encoder(decimal_format="string")
_DECODER = msgspec.json.Decoder(Document)


def encode(document: Document) -> bytes:
    """JSON of a document on one line, without a line end."""
    return _ENCODER.encode(document)


def decode(data: bytes | str) -> Document:
    """A document from its JSON; raises msgspec.ValidationError with the path of what is wrong."""
    return _DECODER.decode(data)
