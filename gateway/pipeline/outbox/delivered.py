"""What is known after a try to deliver: facts and archived evidence for the journal, and the partner's receipt where its transport gives
one, at once or later."""

from dataclasses import dataclass
from dataclasses import field
from datetime import datetime

from gateway.problem import Problem
from gateway.transport.box import TransportError


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the partner's AS2 receipt (MDN) says: accepted, accepted_with_errors or rejected, its disposition, and what is wrong."""

    outcome: str
    disposition: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A receipt as it is kept with the message that it speaks of."""

    message_id: str
    #: accepted or refused; waiting where it proves nothing
    state: str
    #: head, empty line and body in the archive
    sha256: str
    disposition: str | None
    #: fingerprint of the certificate that it is signed by
    signed_by: str | None
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """The partner's station took the message; its receipt is to be posted to us."""

    message_id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Delivered:
    """What is known after a delivery: facts for the journal, digests of archived evidence, the receipt where one was asked for."""

    facts: dict[str, str] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    receipt: Receipt | None = None
    told: Told | None = None
    awaited: Awaited | None = None


class ReceiptRefused(TransportError):
    """The partner's receipt says that the message was not processed; or, without a verdict, it is none that counts. Its evidence is archived."""

    def __init__(self, message: str, *, retry: bool, delivered: Delivered) -> None:
        super().__init__(message, retry=retry)
        self.delivered = delivered


class NotHere(TransportError):
    """Our own archive does not show us the bytes: nothing was tried. Another machine may see them."""


class Lost(TransportError):
    """The archive is there, and has these bytes no more: they were lost, altered, or erased by their rule."""


class NoCertificate(TransportError):
    """Nothing can be signed or encrypted with today: what is to leave by this endpoint waits for a new certificate."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retry=False, stop=True)
