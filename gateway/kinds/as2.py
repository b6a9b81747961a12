"""Kinds of problems: AS2 exchange. `mdn` is what the disposition says after its first part (RFC 4130 7.4.3, 7.5.2).

A modifier that begins with "failure:" is answered as `failed/failure: ...`, every other one as `processed/error: ...`.
Kinds without one concern receipts that we read or messages that we could not build: nobody is answered.
"""

from gateway.problem import Kind
from gateway.problem import Severity

HEADER_MISSING = Kind(
    code="AS2-HEADER-MISSING",
    title="A header that AS2 needs is missing or unreadable",
    cure="Ask the partner's operator to set AS2-From, AS2-To and Message-ID.",
    mdn="unexpected-processing-error",
)
RELATION_UNKNOWN = Kind(
    code="AS2-RELATION-UNKNOWN",
    title="No endpoint has this pair of AS2 names",
    cure="Compare AS2-From and AS2-To, letter by letter, with the partner's endpoint.",
    mdn="unknown-trading-relationship",
)
MIME_INVALID = Kind(
    code="AS2-MIME-INVALID",
    title="The message cannot be taken apart",
    cure="Ask the partner to send the message again; if it repeats, send the partner the archived transmission.",
    mdn="unexpected-processing-error",
)
ASYNC_REFUSED = Kind(
    code="AS2-ASYNC-REFUSED",
    title="A receipt to an address that is not listed was asked for",
    cure="Ask the partner to request a synchronous receipt, or list the address in receipt_addresses: at the endpoint.",
    mdn="unexpected-processing-error",
)
MESSAGE_ID_USED = Kind(
    code="AS2-MESSAGE-ID-USED",
    title="The Message-ID was used before for another content",
    cure="Ask the partner to send it again under a Message-ID of its own: the first message stands, this one was not taken.",
    mdn="unexpected-processing-error",
)
RECEIPT_FORMAT_UNSUPPORTED = Kind(
    code="AS2-RECEIPT-FORMAT-UNSUPPORTED",
    title="A form of signed receipt that we do not know was required",
    cure="Ask the partner to request signed-receipt-protocol=pkcs7-signature.",
    mdn="failure: unsupported format",
)
MIC_ALGORITHM_UNSUPPORTED = Kind(
    code="AS2-MIC-ALGORITHM-UNSUPPORTED",
    title="No digest that the receipt was required to have is one of ours",
    cure="Ask the partner to request sha-256.",
    mdn="failure: unsupported MIC-algorithms",
)
NOT_SIGNED = Kind(
    code="AS2-NOT-SIGNED",
    title="The message is not signed",
    cure="Ask the partner to sign its messages, or set require_signature: false at the endpoint.",
    mdn="insufficient-message-security",
)
NOT_ENCRYPTED = Kind(
    code="AS2-NOT-ENCRYPTED",
    title="The message is not encrypted",
    cure="Ask the partner to encrypt its messages, or set require_encryption: false at the endpoint.",
    mdn="insufficient-message-security",
)
ALGORITHM_REFUSED = Kind(
    code="AS2-ALGORITHM-REFUSED",
    title="The message is protected by an algorithm that we do not accept",
    cure="Ask the partner to use SHA-256 and AES; until then accept_old: [sha1] or [tripledes] at the endpoint takes the old one.",
    mdn="insufficient-message-security",
)
SIGNER_UNKNOWN = Kind(
    code="AS2-SIGNER-UNKNOWN",
    title="No signature is by a certificate that is pinned for the partner",
    cure="Compare the partner's certificate with the pinned ones; a new one is added beside the old one before the change.",
    mdn="authentication-failed",
)
SIGNATURE_INVALID = Kind(
    code="AS2-SIGNATURE-INVALID",
    title="The signature does not fit or is incomplete",
    cure="Ask the partner to send the message again; if it repeats, send the partner the archived transmission.",
    mdn="authentication-failed",
)
CONTENT_CHANGED = Kind(
    code="AS2-CONTENT-CHANGED",
    title="The content is not the one that was signed",
    cure="Look for a proxy between the partner and us that changes line ends or headers.",
    mdn="integrity-check-failed",
)
CERTIFICATE_EXPIRED = Kind(
    code="AS2-CERTIFICATE-EXPIRED",
    title="The certificate that was used is outside of its dates",
    cure="Exchange new certificates with the partner, as docs/partners.md shows under AS2 in practice; until: at the endpoint may end one early.",
    mdn="authentication-failed",
)
DECRYPTION_FAILED = Kind(
    code="AS2-DECRYPTION-FAILED",
    title="The message cannot be decrypted with our keys",
    cure="Ask the partner which of our certificates it encrypts for.",
    mdn="decryption-failed",
)
DECOMPRESSION_FAILED = Kind(
    code="AS2-DECOMPRESSION-FAILED",
    title="The message cannot be decompressed",
    cure="Ask the partner to send the message again, or without compression.",
    mdn="decompression-failed",
)
TOO_LARGE = Kind(
    code="AS2-TOO-LARGE",
    title="The decompressed message is larger than allowed",
    cure="Ask the partner whether the size is right, then raise largest: at the endpoint.",
    mdn="decompression-failed",
)

NO_USABLE_CERTIFICATE = Kind(
    code="AS2-NO-USABLE-CERTIFICATE",
    title="No certificate of the endpoint can be used today",
    cure="Add a certificate that holds today, with an RSA key of 2048 bits or more or one of an elliptic curve; look at from: and until: too.",
)

MDN_UNREADABLE = Kind(
    code="AS2-MDN-UNREADABLE",
    title="The partner's receipt cannot be read",
    cure="Look at the archived answer; the message is sent again under the same Message-ID.",
)
MDN_NOT_SIGNED = Kind(
    code="AS2-MDN-NOT-SIGNED",
    title="The receipt is not signed although that was asked for",
    cure="Ask the partner to sign its receipts, or set receipt: unsigned at the endpoint.",
)
MDN_OTHER_MESSAGE = Kind(
    code="AS2-MDN-OTHER-MESSAGE",
    title="The receipt is for another message",
    cure="Ask the partner; the message is sent again under the same Message-ID.",
)
MDN_MIC_WRONG = Kind(
    code="AS2-MDN-MIC-WRONG",
    title="The receipt does not confirm the content that we sent",
    cure="Compare the content with the partner before sending it again: it may have been changed on its way.",
)
MDN_MIC_MISSING = Kind(
    code="AS2-MDN-MIC-MISSING",
    title="The receipt for an unsigned message does not say which content was processed",
    cure="Nothing to do: some stations compute a digest of signed messages only. With sign: sha256 at the endpoint the receipt proves the content.",
    severity=Severity.WARNING,
)
MDN_NEGATIVE = Kind(
    code="AS2-MDN-NEGATIVE",
    title="The partner could not process the message",
    cure="Read the partner's reason, correct it, then send the document again.",
)
MDN_WARNING = Kind(
    code="AS2-MDN-WARNING",
    title="The partner processed the message with a warning",
    cure="Nothing to do if the warning says duplicate after a resend.",
    severity=Severity.WARNING,
)
MDN_RECIPIENT_DIFFERS = Kind(
    code="AS2-MDN-RECIPIENT-DIFFERS",
    title="The receipt names another recipient than the one we sent to",
    cure="Nothing to do; tell the partner.",
    severity=Severity.WARNING,
)
