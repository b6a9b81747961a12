"""All kinds of canonical documents, and their JSON form (CONTRACT.md, gateway read)."""

from datetime import date
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from gateway.model.change import OrderChange
from gateway.model.despatch import DespatchAdvice
from gateway.model.invoice import CreditNote
from gateway.model.invoice import Invoice
from gateway.model.order import Order
from gateway.model.payment import BankStatement
from gateway.model.payment import RemittanceAdvice
from gateway.model.response import OrderResponse

Document = Order | OrderChange | OrderResponse | DespatchAdvice | Invoice | CreditNote | RemittanceAdvice | BankStatement

KINDS: dict[str, type] = {
    "order": Order,
    "order_change": OrderChange,
    "order_response": OrderResponse,
    "despatch_advice": DespatchAdvice,
    "invoice": Invoice,
    "credit_note": CreditNote,
    "remittance_advice": RemittanceAdvice,
    "bank_statement": BankStatement,
}

_KIND_OF = {struct: kind for kind, struct in KINDS.items()}

_ENCODER = msgspec.json.Encoder(decimal_format="string")
_DECODER = msgspec.json.Decoder(Document)


def kind_of(document: Document) -> str:
    """The kind of a document: `order`, `invoice`, ..."""
    return _KIND_OF[type(document)]


def number_of(document: Document) -> str:
    """The number by which people know a document. A change that has none of its own goes by its order, and which change of it it is."""
    if isinstance(document, OrderChange):
        return document.number or "-".join(part for part in (document.order_number, document.sequence) if part)
    return str(getattr(document, "number", None) or "")


def encode(document: Document) -> bytes:
    """JSON of a document on one line, without a line end."""
    return _ENCODER.encode(document)


def decode(data: bytes | str) -> Document:
    """A document from its JSON; raises msgspec.ValidationError with the path of what is wrong."""
    document: Document = _DECODER.decode(data)
    return document


def encode_plainly(document: Document) -> bytes:
    """JSON with every number written out: Python writes tiny decimals as 1E-7, which no reader of amounts expects."""
    data = _ENCODER.encode(document)
    if b"E-" in data or b"E+" in data:
        data = msgspec.json.encode(_written_out(msgspec.to_builtins(document, builtin_types=(Decimal, date, datetime))), enc_hook=str)
    return on_one_line(data)


def on_one_line(data: bytes) -> bytes:
    """JSON without the characters that some readers of lines take for a line end (NEL, LS, PS)."""
    if not data.isascii():
        for sequence, escaped in ((b"\xc2\x85", b"\\u0085"), (b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029")):
            data = data.replace(sequence, escaped)
    return data


def _written_out(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return {key: _written_out(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_written_out(item) for item in value]
    return value
