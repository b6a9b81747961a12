"""The proof of what was exchanged over AS2, in both directions: what was signed, by whom, what the other side confirmed; shown in the trail,
and written out as files that anybody can check without us: `openssl` is all that is needed."""

import io
import json
import re
import zipfile
from collections.abc import Iterable
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Connection

from gateway.exchange.as2 import signed_parts
from gateway.exchange.cms.algorithms import digest_named
from gateway.exchange.cms.keys import title
from gateway.pipeline.as2.posting import read_kept
from gateway.pipeline.station import Station
from gateway.store.incoming.transmissions import Transmission
from gateway.store.outgoing import as2_sendings
from gateway.store.outgoing import receipts
from gateway.store.outgoing.outbox import Entry
from gateway.store.payloads.archive import Archive
from gateway.store.payloads.archive import ArchiveMissing

_NOT_IN_NAMES = re.compile(r"[^\w.@-]+")

_README = """\
What was exchanged over AS2 (RFC 4130), with the signatures of both sides. `sh verify.sh` checks all of it; it needs openssl and nothing else.
Each folder is one message. What is in it, where it was signed and confirmed:

  content        the bytes that were signed; the partner's business document stands in them
  message.p7s    the sender's signature over `content`; message.pem is the certificate that it is pinned by
  message.http   the message as it went over the line
  receipt.http   the receipt (MDN) as it went over the line
  receipt.signed the part of the receipt that is signed: it names the message, says what became of it, and holds the digest of `content`
  receipt.p7s    the recipient's signature over `receipt.signed`; receipt.pem is the certificate that it is pinned by
  facts.json     Message-ID, names, times, digests

One signature by hand:

  openssl cms -verify -binary -inform DER -in receipt.p7s -content receipt.signed -certfile receipt.pem -nointern -noverify -out /dev/null

The digest that the receipt must hold (facts.json says which algorithm):

  openssl dgst -sha256 -binary content | openssl base64 -A

-noverify leaves out who issued the certificate: the very certificate was agreed on. Ask the partner for its fingerprint
(openssl x509 -in receipt.pem -noout -fingerprint -sha256) to be sure that it is its own.
"""

_VERIFY = """\
#!/bin/sh
# Checks every signature and every digest in this folder; ends with 1 where one does not hold.
cd "$(dirname "$0")" || exit 2
wrong=0
told() { echo "$1: $2"; [ "$2" = "holds" ] || wrong=1; }
signature() {
  [ -f "$1/$2.p7s" ] || return 0
  if openssl cms -verify -binary -inform DER -in "$1/$2.p7s" -content "$1/$3" -certfile "$1/$2.pem" -nointern -noverify -out /dev/null 2>/dev/null
  then told "$1 $2 signature" "holds"; else told "$1 $2 signature" "DOES NOT HOLD"; fi
}
for folder in */; do
  folder=${folder%/}
  signature "$folder" message content
  signature "$folder" receipt receipt.signed
  if [ -f "$folder/digest" ] && [ -f "$folder/receipt.signed" ]; then
    mic=$(openssl dgst "-$(cat "$folder/digest")" -binary "$folder/content" | openssl base64 -A)
    if tr -d ' \\t\\r\\n' < "$folder/receipt.signed" | grep -qF "eceived-content-MIC:$mic"
    then told "$folder digest in the receipt" "holds"; else told "$folder digest in the receipt" "DOES NOT HOLD"; fi
  fi
done
exit $wrong
"""


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
    certificate = _certificate(archive, fingerprint)
    return title(certificate) if certificate is not None else ""


def _certificate(archive: Archive, fingerprint: str | None) -> x509.Certificate | None:
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


# ---------------------------------------------------------------- files for others


def write_evidence(station: Station, exchanges: Iterable[Exchange], out: Path) -> int:
    """A ZIP file with everything that proves these exchanges; how many there are."""
    count = 0
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("README.txt", _README)
        file.writestr("verify.sh", _VERIFY)
        for count, exchange in enumerate(exchanges, start=1):  # noqa: B007  the last one is how many
            folder = f"{count:03d}-{exchange.direction}-{_NOT_IN_NAMES.sub('_', exchange.message_id)[:60]}"
            try:
                for name, data in _files(station.archive, exchange):
                    file.writestr(f"{folder}/{name}", data)
            except ArchiveMissing as error:
                # erased after its time of keeping, or lost: what is left is written out all the same
                file.writestr(f"{folder}/MISSING.txt", f"{error}\n")
    return count


def _as_openssl_prints(fingerprint: str) -> str:
    """`openssl x509 -fingerprint -sha256` has upper case and colons: what people compare by the eye looks alike."""
    kind, _, digits = fingerprint.partition(":")
    return f"{kind}:{digits.upper()[:2]}" + "".join(f":{digits.upper()[at : at + 2]}" for at in range(2, len(digits), 2)) if digits else fingerprint


def _files(archive: Archive, exchange: Exchange) -> Iterator[tuple[str, bytes]]:
    facts = {name: value for name, value in msgspec.to_builtins(exchange).items() if value}
    printed = {"signed_by": exchange.fingerprint, "receipt_signed_by": exchange.receipt_fingerprint}
    facts |= {name: value for name, value in printed.items() if value}
    yield "facts.json", json.dumps(facts, indent=2, ensure_ascii=False).encode() + b"\n"
    yield "message.http", archive.read(exchange.message)
    content = _content(archive, exchange)
    if content is not None:
        yield "content", content
    if exchange.signature:
        yield "message.p7s", archive.read(exchange.signature)
    yield from _pem(archive, "message.pem", exchange.signed_by)
    if not exchange.receipt:
        return
    headers, body, whole = _receipt(archive, exchange)
    if not body:
        return
    yield "receipt.http", whole
    signed = signed_parts(headers, body)
    if signed is not None:
        yield "receipt.signed", signed[0]
        yield "receipt.p7s", signed[1]
        digest = digest_named(exchange.mic.rpartition(",")[2])
        if digest is not None and content is not None:
            yield "digest", digest.name.encode()
    yield from _pem(archive, "receipt.pem", exchange.receipt_signed_by)


def _receipt(archive: Archive, exchange: Exchange) -> tuple[tuple[tuple[str, str], ...], bytes, bytes]:
    """Head, body and whole of the receipt: a partner's is kept whole, ours as the answer that it was."""
    if exchange.direction == "sent":
        headers, body = read_kept(archive, exchange.receipt)
        return headers, body, archive.read(exchange.receipt)
    given = tuple(exchange.receipt_headers.items())
    body = archive.read(exchange.receipt)
    whole = io.BytesIO()
    for name, value in given:
        whole.write(f"{name}: {value}\r\n".encode("latin-1", "replace"))
    whole.write(b"\r\n" + body)
    return given, body, whole.getvalue()


def _content(archive: Archive, exchange: Exchange) -> bytes | None:
    if exchange.content:
        return archive.read(exchange.content)
    if not exchange.payload or (exchange.direction == "received" and not exchange.signature):
        return None
    return exchange.content_head.encode("latin-1") + archive.read(exchange.payload)


def _pem(archive: Archive, name: str, fingerprint: str) -> Iterator[tuple[str, bytes]]:
    certificate = _certificate(archive, fingerprint)
    if certificate is not None:
        yield name, certificate.public_bytes(Encoding.PEM)
