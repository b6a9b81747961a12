"""AS2 (RFC 4130, RFC 5402 and draft-ietf-ediint-rfc4130bis): bytes in, values out; no socket, no file, no clock.

`wrap` and `read_mdn` are the sending side, `receive` (`unwrap`, `build_mdn`) the receiving one. What the house needs of it
stands here; the modules behind it are values, names, mime, parts, wrap, head, unwrap, mdn, receive, expiry, and gateway/exchange/cms.
"""

from gateway.exchange.as2.expiry import Expiry
from gateway.exchange.as2.expiry import expiries
from gateway.exchange.as2.expiry import expiry_of_line
from gateway.exchange.as2.head import Head
from gateway.exchange.as2.head import read_head
from gateway.exchange.as2.mdn import build_mdn
from gateway.exchange.as2.mdn import read_mdn
from gateway.exchange.as2.posted import is_receipt
from gateway.exchange.as2.posted import signed_parts
from gateway.exchange.as2.posted import speaks_of
from gateway.exchange.as2.receive import Answer
from gateway.exchange.as2.receive import Lost
from gateway.exchange.as2.receive import Received
from gateway.exchange.as2.receive import archived_head
from gateway.exchange.as2.receive import receive
from gateway.exchange.as2.receive import receive_again
from gateway.exchange.as2.unwrap import unwrap
from gateway.exchange.as2.values import As2Relation
from gateway.exchange.as2.values import As2Request
from gateway.exchange.as2.values import Expected
from gateway.exchange.as2.values import MdnResponse
from gateway.exchange.as2.values import Mic
from gateway.exchange.as2.values import Payload
from gateway.exchange.as2.values import Receipt
from gateway.exchange.as2.values import Unwrapped
from gateway.exchange.as2.wrap import can_be_read
from gateway.exchange.as2.wrap import can_be_sent
from gateway.exchange.as2.wrap import wrap
from gateway.exchange.cms.algorithms import Old
from gateway.exchange.cms.compression import Limits
from gateway.exchange.cms.keys import Identity
from gateway.exchange.cms.keys import Pinned
from gateway.exchange.cms.keys import fingerprint
from gateway.exchange.cms.keys import make_key_and_certificate
from gateway.exchange.cms.keys import read_certificate
from gateway.exchange.cms.keys import read_identity

__all__ = [
    "Answer",
    "As2Relation",
    "As2Request",
    "Expected",
    "Expiry",
    "Head",
    "Identity",
    "Limits",
    "Lost",
    "MdnResponse",
    "Mic",
    "Old",
    "Payload",
    "Pinned",
    "Receipt",
    "Received",
    "Unwrapped",
    "archived_head",
    "build_mdn",
    "expiries",
    "expiry_of_line",
    "can_be_read",
    "can_be_sent",
    "fingerprint",
    "is_receipt",
    "make_key_and_certificate",
    "read_certificate",
    "read_head",
    "read_identity",
    "read_mdn",
    "receive",
    "receive_again",
    "signed_parts",
    "speaks_of",
    "unwrap",
    "wrap",
]
