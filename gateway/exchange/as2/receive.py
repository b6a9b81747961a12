"""One AS2 request from its bytes to the answer: the web process calls this, keeps what arrived, commits, then answers.

The caller limits the body's size, archives `head` and the body before anything else, and answers only after its commit. The
answer to an accepted message is kept with it: a duplicate gets the very same one (draft-ietf-ediint-rfc4130bis).
"""

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from enum import Enum

from gateway.exchange.as2.head import RelationOf
from gateway.exchange.as2.head import agreed_receipt_address
from gateway.exchange.as2.head import read_head
from gateway.exchange.as2.mdn import build_mdn
from gateway.exchange.as2.unwrap import unwrap
from gateway.exchange.as2.values import Headers
from gateway.exchange.as2.values import MdnResponse
from gateway.exchange.as2.values import Unwrapped
from gateway.kinds import as2 as kinds
from gateway.problem import Problem

#: Headers that hold secrets of the way here and are not archived.
_NOT_KEPT = frozenset({"authorization", "cookie", "proxy-authorization"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Headers
    body: bytes


#: The answer to a message whose receipt is posted.
_TAKEN = Answer(status=200, headers=(), body=b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What became of a request: what to keep, what to answer, whether there is new work."""

    #: The request's header lines as they are archived, before the body.
    head: bytes
    unwrapped: Unwrapped
    answer: Answer
    #: The same message was accepted before: nothing to do but to answer.
    duplicate: bool = False
    #: A duplicate whose first receipt is no longer kept: this one is made anew and says the same.
    anew: bool = False
    #: What stands against a message that could be opened (no key to sign the receipt with).
    problems: tuple[Problem, ...] = ()
    #: A receipt to post to a listed address instead of answering with it.
    post_to: str | None = None
    post: MdnResponse | None = None

    @property
    def is_new(self) -> bool:
        """Whether the payload is to be handed to the pipeline."""
        return self.unwrapped.accepted and not self.duplicate and not self.problems


class Lost(Enum):
    """What is known of an accepted message whose receipt is no longer kept."""

    RECEIPT = "receipt"


#: The answer that an accepted message got before under this Message-ID, or that it is no longer kept; a Problem where that one had another
#: content. Refused ones must not be remembered: they may be sent again, and a stranger could spoil a partner's next Message-ID.
Seen = Callable[[Unwrapped], Answer | Lost | Problem | None]


def receive(headers: Sequence[tuple[str, str]], body: bytes, relation_of: RelationOf, seen: Seen, at: datetime) -> Received:
    """Open a request and make its answer."""
    head = archived_head(headers)
    unwrapped = unwrap(headers, body, relation_of, at)
    if unwrapped.accepted:
        first = seen(unwrapped)
        if isinstance(first, Answer):
            return _again(head, unwrapped, first)
        if isinstance(first, Lost):
            return replace(_answered(head, unwrapped, at), duplicate=True, anew=True)
        if first is not None:
            unwrapped = replace(unwrapped, payloads=(), problems=(*unwrapped.problems, first))
    return _answered(head, unwrapped, at)


def receive_again(headers: Sequence[tuple[str, str]], relation_of: RelationOf, first: Answer) -> Received | None:
    """A request whose body was taken under its Message-ID before, byte for byte: its first receipt, whatever the certificate that it is signed
    with and the key that opens it are worth by now. None where its head alone does not answer it."""
    head = read_head(headers, relation_of)
    if head.problem is not None:
        return None
    unwrapped = Unwrapped(as2_from=head.as2_from, as2_to=head.as2_to, message_id=head.message_id, receipt=head.receipt, relation=head.relation)
    return _again(archived_head(headers), unwrapped, first)


def _answered(head: bytes, unwrapped: Unwrapped, at: datetime) -> Received:
    """What was opened with an answer of its own."""
    codes = {problem.code for problem in unwrapped.problems}
    if unwrapped.receipt is None or codes & {kinds.ASYNC_REFUSED.code, kinds.HEADER_MISSING.code}:
        return Received(head=head, unwrapped=unwrapped, answer=_plain_answer(unwrapped))
    mdn = build_mdn(unwrapped, unwrapped.relation, at, signed=unwrapped.receipt.signed)
    if isinstance(mdn, Problem):  # not accepted, so that the partner tries again when the key is renewed
        return Received(head=head, unwrapped=unwrapped, problems=(mdn,), answer=_text_answer(503, "The receipt cannot be signed at the moment."))
    if unwrapped.receipt.address is not None:
        address = agreed_receipt_address(unwrapped.receipt, unwrapped.relation)
        if address is None:  # a stranger's: posted nowhere
            return Received(head=head, unwrapped=unwrapped, answer=_plain_answer(unwrapped))
        return Received(head=head, unwrapped=unwrapped, answer=_TAKEN, post_to=address, post=mdn)
    return Received(head=head, unwrapped=unwrapped, answer=Answer(status=200, headers=mdn.headers, body=mdn.body))


def _again(head: bytes, unwrapped: Unwrapped, first: Answer) -> Received:
    """A message that came before: its first receipt, byte for byte, in the way that is asked for now."""
    address = agreed_receipt_address(unwrapped.receipt, unwrapped.relation)
    if address is None or not first.body:
        return Received(head=head, unwrapped=unwrapped, answer=first, duplicate=True)
    post = MdnResponse(headers=first.headers, body=first.body)
    return Received(head=head, unwrapped=unwrapped, answer=_TAKEN, duplicate=True, post_to=address, post=post)


def archived_head(headers: Sequence[tuple[str, str]]) -> bytes:
    """The header lines as they are archived, with the empty line that comes before the body."""
    kept = [f"{name}: {value}\r\n" for name, value in headers if name.lower() not in _NOT_KEPT]
    return "".join(kept).encode("latin-1", "replace") + b"\r\n"


def _plain_answer(unwrapped: Unwrapped) -> Answer:
    """The answer where no receipt stands in it: 200 for an accepted message, 403 for one that sending again will not help."""
    if unwrapped.accepted:
        return Answer(status=200, headers=(), body=b"")
    return _text_answer(403, "; ".join(f"{problem.code}: {problem.message}" for problem in unwrapped.problems))


def _text_answer(status: int, words: str) -> Answer:
    return Answer(status=status, headers=(("Content-Type", "text/plain; charset=utf-8"),), body=(words + "\n").encode())
