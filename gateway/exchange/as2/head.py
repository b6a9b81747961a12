"""What an AS2 request says before anything is opened: between whom, under which Message-ID, and which receipt is asked for.

Anybody may write a head. It says where to look and what would be answered; that the message is the partner's shows when it is opened.
"""

from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field

from gateway.exchange.as2 import mime
from gateway.exchange.as2.names import agreed_address
from gateway.exchange.as2.names import read_message_id
from gateway.exchange.as2.names import read_name
from gateway.exchange.as2.names import read_receipt_request
from gateway.exchange.as2.values import As2Relation
from gateway.exchange.as2.values import ReceiptRequest
from gateway.exchange.cms.algorithms import Old
from gateway.kinds import as2 as kinds
from gateway.problem import NOWHERE
from gateway.problem import Problem

#: Finds what two AS2 names agreed on: (the sender's name, ours).
RelationOf = Callable[[str, str], As2Relation | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A request's head as it was read."""

    as2_from: str
    as2_to: str
    message_id: str
    relation: As2Relation | None = field(default=None, repr=False)
    receipt: ReceiptRequest | None = None
    #: Why the message is refused unopened.
    problem: Problem | None = None

    @property
    def post_to(self) -> str | None:
        """Where the receipt is posted, as agreed; None where it stands in the answer."""
        return agreed_receipt_address(self.receipt, self.relation)


def read_head(lines: Iterable[tuple[str, str]], relation_of: RelationOf) -> Head:
    """Read the head of a request."""
    headers = mime.entity_of_request(lines, b"").headers
    names = (read_name(headers.get("as2-from", "")), read_name(headers.get("as2-to", "")))
    message_id = read_message_id(headers.get("message-id", ""))
    relation = relation_of(*names) if all(names) else None
    receipt, refusal = read_receipt_request(headers, old=relation.old if relation is not None else Old.NOTHING)
    problem = _unreadable(names, message_id)
    if problem is None and relation is None:
        problem = kinds.RELATION_UNKNOWN.at(NOWHERE, "no endpoint has these AS2 names", found=f"from {names[0]!r} to {names[1]!r}")
    if problem is None and relation is not None and receipt is not None and receipt.address is not None:
        problem = _elsewhere(receipt.address, relation)
    return Head(as2_from=names[0], as2_to=names[1], message_id=message_id, relation=relation, receipt=receipt, problem=problem or refusal)


def agreed_receipt_address(receipt: ReceiptRequest | None, relation: As2Relation | None) -> str | None:
    """Where a receipt is posted: the listed address that is asked for; None where it stands in the answer, or may be posted nowhere."""
    if receipt is None or receipt.address is None or relation is None:
        return None
    return agreed_address(receipt.address, relation.receipt_addresses)


def _unreadable(names: tuple[str, str], message_id: str) -> Problem | None:
    for header, value in (("AS2-From", names[0]), ("AS2-To", names[1]), ("Message-ID", message_id)):
        if not value or len(value) > 998 or not value.isprintable():
            return kinds.HEADER_MISSING.at(NOWHERE, f"the header {header} is missing or not readable", found=value[:100] or None)
    return None


def _elsewhere(address: str, relation: As2Relation) -> Problem | None:
    if agreed_address(address, relation.receipt_addresses) is not None:
        return None
    return kinds.ASYNC_REFUSED.at(
        NOWHERE,
        "a receipt to an address that is not listed was asked for",
        found=address[:500],
        expected=", ".join(relation.receipt_addresses) or "a receipt in the answer itself",
    )
