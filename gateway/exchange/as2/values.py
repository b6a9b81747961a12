"""What AS2 speaks in: the relation of two names, requests and answers, what was opened, what a receipt says."""

import re
from dataclasses import dataclass
from dataclasses import field

from gateway.exchange.cms.algorithms import CIPHERS
from gateway.exchange.cms.algorithms import DIGESTS
from gateway.exchange.cms.algorithms import Old
from gateway.exchange.cms.compression import Limits
from gateway.exchange.cms.keys import Identity
from gateway.exchange.cms.keys import Pinned
from gateway.exchange.cms.span import Span
from gateway.problem import Problem
from gateway.problem import Severity

#: Header names and values in their order. Names keep the case they are sent in; looking one up ignores it.
Headers = tuple[tuple[str, str], ...]

_NAME = re.compile(r"[\x20-\x7e]{1,128}")


def check_name(name: str) -> None:
    """ValueError unless this can be an AS2 name (RFC 4130 6.2)."""
    if not _NAME.fullmatch(name) or name != name.strip():
        raise ValueError(f'"{name}" is no AS2 name: expected 1 to 128 printable ASCII characters, no space at either end')


@dataclass(frozen=True, slots=True, kw_only=True)
class As2Relation:
    """What two AS2 names agreed on. Keys and certificates are listed in the order of preference; each counts within its dates only."""

    us: str
    partner: str
    #: Our keys: the first usable one signs, every valid one decrypts.
    identities: tuple[Identity, ...] = ()
    #: The partner's certificates: every valid one verifies, the first usable one is encrypted for.
    verification: tuple[Pinned, ...] = ()
    encryption: tuple[Pinned, ...] = ()
    #: Digest of the signature and of the MIC that we ask for, or None for no signature.
    sign: str | None = "sha256"
    #: "pkcs1" or "pss", where our key is an RSA key.
    sign_padding: str = "pkcs1"
    #: Cipher, or None for no encryption.
    encrypt: str | None = "aes256_cbc"
    #: Key transport by OAEP with this digest, or None for PKCS #1 v1.5 (what most AS2 systems expect).
    oaep: str | None = None
    compress: bool = False
    #: Compress what was signed, instead of signing what was compressed (RFC 5402 allows both).
    compress_signed: bool = False
    #: "signed", "unsigned" or "none": the receipt that we ask for.
    receipt: str = "signed"
    #: "sync" for a receipt in the answer, "async" for one that is posted to `our_receipt_url` later.
    receipt_delivery: str = "sync"
    our_receipt_url: str | None = None
    require_signature: bool = True
    require_encryption: bool = True
    #: Read all that is old of this partner, or some of it; never written.
    accept_old: bool = False
    accept: Old = Old.NOTHING
    #: Addresses that a receipt may be posted to; empty: only the HTTP answer itself.
    receipt_addresses: tuple[str, ...] = ()
    content_type: str = "application/octet-stream"
    subject: str = "Business documents"
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        check_name(self.us)
        check_name(self.partner)
        for known, chosen in ((DIGESTS, self.sign), (CIPHERS, self.encrypt)):
            if chosen is not None and (chosen not in known or known[chosen].old):
                raise ValueError(f'"{chosen}" is not offered: choose one of {", ".join(name for name, one in known.items() if not one.old)}')
        if self.oaep is not None and self.oaep not in DIGESTS:
            raise ValueError(f'"{self.oaep}" is no digest: choose one of {", ".join(DIGESTS)}')
        for name, value, words in (
            ("receipt", self.receipt, ("signed", "unsigned", "none")),
            ("sign_padding", self.sign_padding, ("pkcs1", "pss")),
            ("receipt_delivery", self.receipt_delivery, ("sync", "async")),
        ):
            if value not in words:
                raise ValueError(f'{name} "{value}": expected {", ".join(words[:-1])} or {words[-1]}')
        if self.receipt_delivery == "async" and self.our_receipt_url is None:
            raise ValueError("receipts that are posted need an address of ours: our_receipt_url")
        for text in (self.content_type, self.subject):
            if not text.isascii() or not text.isprintable():
                raise ValueError(f'"{text}" cannot stand in a header: expected printable ASCII')

    @property
    def old(self) -> Old:
        """All that is taken although it is old."""
        return Old.EVERYTHING if self.accept_old else self.accept


@dataclass(frozen=True, slots=True)
class Mic:
    """A message integrity check: base64 of a digest, and its algorithm in the word that was asked for."""

    value: str
    algorithm: str

    def __str__(self) -> str:
        return f"{self.value}, {self.algorithm}"

    @classmethod
    def from_text(cls, text: str) -> "Mic":
        """What `str` wrote, or a partner: the value may be folded, the space after the comma missing (Drummond resolved issues)."""
        value, _, algorithm = text.rpartition(",")
        return cls("".join(value.split()), algorithm.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a receipt must confirm: which message, and one of the digests of its content."""

    message_id: str
    mics: tuple[Mic, ...]
    #: the same left before: who refuses it as a duplicate has it
    repeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class As2Request:
    """What goes out by HTTP POST, and what the receipt must confirm. The same request is posted at every try."""

    headers: Headers
    body: bytes
    mic: Mic
    message_id: str
    #: Other digests of the same content that a partner with old algorithms may answer with.
    other_mics: tuple[Mic, ...] = ()
    #: What the digests are over, in pieces; the payload itself is the last one unless it was compressed before.
    content: tuple[bytes, ...] = field(default=(), repr=False)
    #: Fingerprint of the certificate whose holder alone can read it; None where it is not encrypted.
    encrypted_for: str | None = None

    @property
    def expected(self) -> Expected:
        """What the receipt must confirm; kept until it has come."""
        return Expected(message_id=self.message_id, mics=(self.mic, *self.other_mics))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRequest:
    """The receipt that a sender asks for; `micalgs` in the sender's order and words."""

    signed: bool
    micalgs: tuple[str, ...] = ()
    #: Post the receipt there instead of answering with it.
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One payload of a message, with the name and type that the sender gave it."""

    data: bytes = field(repr=False)
    filename: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwrapped:
    """A message that was opened as far as it could be; it counts only when `accepted`."""

    as2_from: str
    as2_to: str
    message_id: str
    #: What was inside, each by itself: one as a rule, several where the sender attached more (RFC 6362). None of a message that
    #: is not accepted.
    payloads: tuple[Payload, ...] = ()
    filename: str | None = None
    content_type: str | None = None
    #: Over the whole, however many payloads it has.
    mic: Mic | None = None
    #: Fingerprint of the certificate whose holder signed, or None.
    signed_by: str | None = None
    #: How it was signed, as `sha-256`, and encrypted, as `aes256_cbc`.
    signed_with: str | None = None
    encrypted_with: str | None = None
    compressed: bool = False
    #: What was signed, exactly as received, and the signature (CMS) over it: the proof of where it is from.
    signed: Span | None = field(default=None, repr=False)
    signature: bytes | None = field(default=None, repr=False)
    receipt: ReceiptRequest | None = None
    relation: As2Relation | None = field(default=None, repr=False)
    problems: tuple[Problem, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the payload may be worked on."""
        return bool(self.payloads) and not any(problem.severity is Severity.ERROR for problem in self.problems)

    @property
    def payload(self) -> bytes | None:
        """The first payload's bytes."""
        return self.payloads[0].data if self.payloads else None

    @property
    def encrypted(self) -> bool:
        """Whether it came encrypted."""
        return self.encrypted_with is not None

    @property
    def mic_algorithm(self) -> str | None:
        """The MIC's algorithm in the word that was asked for."""
        return self.mic.algorithm if self.mic else None


@dataclass(frozen=True, slots=True, kw_only=True)
class MdnResponse:
    """A receipt as it goes out: in the HTTP answer, or posted."""

    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a partner's receipt says about a message of ours."""

    #: As sent, like `automatic-action/MDN-sent-automatically; processed`; None where it could not be read.
    disposition: str | None
    #: Whether the MIC is that of what we sent; None where it has none.
    mic_matches: bool | None = None
    #: Fingerprint of the certificate whose holder signed, or None.
    signed_by: str | None = None
    message_id: str | None = None
    #: The partner's words for people.
    text: str = ""
    #: Whether the same message may be sent again: not after a proven refusal.
    may_retry: bool = True
    problems: tuple[Problem, ...] = ()

    @property
    def delivered(self) -> bool:
        """Whether the partner has the message, as far as we asked it to prove that."""
        return self.disposition is not None and not any(problem.severity is Severity.ERROR for problem in self.problems)
