"""The proof of what was exchanged over AS2, in both directions: what was signed, by whom, what the other side confirmed; shown in the trail,
and written out for others (evidence_files)."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

import msgspec
from cryptography import x509
from sqlalchemy import Connection

from gateway.exchange.cms.keys import title
from gateway.store.incoming.transmissions import Transmission
from gateway.store.outgoing import as2_sendings
from gateway.store.outgoing import receipts
from gateway.store.outgoing.outbox import Entry
from gateway.store.payloads.archive import Archive
from gateway.store.payloads.archive import ArchiveMissing


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One message over AS2, sent or received, and what proves it. Digests are those of the archive."""

    direction: str
    partner: str
    as2_from: str
    as2_to: str
    message_id: str
    at: datetime
    mic: str
    #: fingerprint and name of whoever signed the message, and the receipt
    signed_by: str = ""
    signer: str = ""
    disposition: str = ""
    receipt_signed_by: str = ""
    receipt_signer: str = ""
    #: head and body as they went over the line
    message: str
    receipt: str = ""
    #: head of the receipt where the archive holds its body alone
    receipt_headers: dict[str, str] = {}
    signature: str = ""
    payload: str = ""
    content_head: str = ""
    content: str = ""

    @property
    def fingerprint(self) -> str:
        """The fingerprint of whoever signed the message, as openssl prints it."""
        return _as_openssl_prints(self.signed_by)

    @property
    def receipt_fingerprint(self) -> str:
        """That of whoever signed the receipt."""
        return _as_openssl_prints(self.receipt_signed_by)


def exchanges_of(connection: Connection, archive: Archive, outgoing: Iterable[Entry], arrived: Iterable[Transmission]) -> list[Exchange]:
    """What was exchanged over AS2 for these rows and files, in time."""
    sent = as2_sendings.of_files(connection, [entry.id for entry in outgoing])
    found = [_sent(sending, sha256, archive) for sending, sha256 in sent]
    for transmission in arrived:
        if transmission.properties.get("raw_message"):
            found.append(_received(connection, archive, transmission))
    # several files of one message are one; partners count for themselves, and two may have used the same Message-ID
    unique = {(one.direction, one.as2_from, one.as2_to, one.message_id): one for one in found}
    return sorted(unique.values(), key=lambda one: (one.at, one.message_id))


def _sent(sending: as2_sendings.Sending, payload: str, archive: Archive) -> Exchange:
    return Exchange(
        direction="sent",
        partner=sending.partner,
        as2_from=sending.us,
        as2_to=sending.them,
        message_id=sending.message_id,
        at=sending.wrapped_at,
        mic=sending.mics[0],
        disposition=sending.disposition or "",
        receipt_signed_by=sending.signed_by or "",
        receipt_signer=signer_of(archive, sending.signed_by),
        message=sending.request_sha256,
        receipt=sending.receipt_sha256 or "",
        payload=payload,
        content_head=sending.content_head or "",
        content=sending.content_sha256 or "",
    )


def _received(connection: Connection, archive: Archive, transmission: Transmission) -> Exchange:
    facts = transmission.properties
    kept = receipts.find(connection, facts["as2_from"], facts.get("as2_to", ""), facts["message_id"])
    return Exchange(
        direction="received",
        partner=transmission.partner or "",
        as2_from=facts["as2_from"],
        as2_to=facts.get("as2_to", ""),
        message_id=facts["message_id"],
        at=transmission.received_at,
        mic=facts.get("mic", ""),
        signed_by=facts.get("signed_by", ""),
        signer=signer_of(archive, facts.get("signed_by")),
        disposition="processed" if kept is not None and kept.headers else "",
        receipt_signed_by=facts.get("answered_by", ""),
        receipt_signer=signer_of(archive, facts.get("answered_by")),
        message=facts["raw_message"],
        receipt=facts.get("mdn", ""),
        receipt_headers=dict(kept.headers) if kept is not None else {},
        signature=facts.get("signature", ""),
        payload=transmission.sha256,
        content_head=facts.get("content_head", ""),
        content=facts.get("content", ""),
    )


def signer_of(archive: Archive, fingerprint: str | None) -> str:
    """Who a certificate is of, for people; nothing where it is not kept."""
    certificate = certificate_of(archive, fingerprint)
    return title(certificate) if certificate is not None else ""


def certificate_of(archive: Archive, fingerprint: str | None) -> x509.Certificate | None:
    digest = (fingerprint or "").partition(":")[2]
    if not digest:
        return None
    try:
        return _read(archive.read(digest))
    except ArchiveMissing:
        return None


@lru_cache(maxsize=256)
def _read(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def _as_openssl_prints(fingerprint: str) -> str:
    """`openssl x509 -fingerprint -sha256` has upper case and colons: what people compare by the eye looks alike."""
    kind, _, digits = fingerprint.partition(":")
    return f"{kind}:{digits.upper()[:2]}" + "".join(f":{digits.upper()[at : at + 2]}" for at in range(2, len(digits), 2)) if digits else fingerprint
