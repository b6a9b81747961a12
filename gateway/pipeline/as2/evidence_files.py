"""What was exchanged over AS2 as files that anybody can check without us: `openssl` is all that is needed."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.exchange.as2 import signed_parts
from gateway.exchange.cms.algorithms import digest_named
from gateway.pipeline.as2.evidence import Exchange
from gateway.pipeline.as2.evidence import certificate_of
from gateway.pipeline.as2.posting import read_kept
from gateway.pipeline.as2.untaken import Untaken
from gateway.pipeline.station import Station
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
  expected       the files that belong to this message; MISSING.txt says why one of them is not there

A folder that is called not-taken is a message that was refused, or came again: message.http as it came, receipt.mdn the body of our answer,
and facts.json says what stood against it.

One signature by hand:

  openssl cms -verify -binary -inform DER -in receipt.p7s -content receipt.signed -certfile receipt.pem -nointern -noverify -out /dev/null

The digest that the receipt must hold (facts.json says which algorithm):

  openssl dgst -sha256 -binary content | openssl base64 -A

-noverify leaves out who issued the certificate: the very certificate was agreed on. Ask the partner for its fingerprint
(openssl x509 -in receipt.pem -noout -fingerprint -sha256) to be sure that it is its own.
"""

_VERIFY = """\
#!/bin/sh
# Checks every signature and every digest in this folder; ends with 1 where one does not hold, or something is missing.
cd "$(dirname "$0")" || exit 2
wrong=0
told() { echo "$1: $2"; [ "$2" = "holds" ] || wrong=1; }
signature() {
  [ -f "$1/$2.p7s" ] && [ -f "$1/$3" ] && [ -f "$1/$2.pem" ] || return 0
  if openssl cms -verify -binary -inform DER -in "$1/$2.p7s" -content "$1/$3" -certfile "$1/$2.pem" -nointern -noverify -out /dev/null 2>/dev/null
  then told "$1 $2 signature" "holds"; else told "$1 $2 signature" "DOES NOT HOLD"; fi
}
for folder in */; do
  folder=${folder%/}
  if [ ! -f "$folder/expected" ]; then told "$folder" "NOTHING SAYS WHAT BELONGS HERE"; continue; fi
  while read -r name; do
    [ -f "$folder/$name" ] || told "$folder $name" "IS MISSING"
  done < "$folder/expected"
  signature "$folder" message content
  signature "$folder" receipt receipt.signed
  if [ -f "$folder/digest" ] && [ -f "$folder/receipt.signed" ] && [ -f "$folder/content" ]; then
    mic=$(openssl dgst "-$(cat "$folder/digest")" -binary "$folder/content" | openssl base64 -A)
    if tr -d ' \\t\\r\\n' < "$folder/receipt.signed" | grep -qF "eceived-content-MIC:$mic"
    then told "$folder digest in the receipt" "holds"; else told "$folder digest in the receipt" "DOES NOT HOLD"; fi
  fi
done
exit $wrong
"""


@dataclass(frozen=True, slots=True)
class Written:
    """How many messages were written, and of which ones something is missing: the Message-ID, the file, and why."""

    count: int
    missing: tuple[tuple[str, str, str], ...]


def write_evidence(station: Station, exchanges: Iterable[Exchange], out: Path, untaken: Iterable[Untaken] = ()) -> Written:
    """A ZIP file with everything that proves these exchanges, and with messages of which nothing was taken. What was erased after its time,
    altered or lost is named in it; what is left of its message is written out all the same."""
    count = 0
    missing: list[tuple[str, str, str]] = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("README.txt", _README)
        file.writestr("verify.sh", _VERIFY)
        messages: list[Exchange | Untaken] = [*exchanges, *untaken]
        for count, one in enumerate(messages, start=1):
            parts = _Parts(station.archive)
            if isinstance(one, Untaken):
                words, facts = "not-taken", _json(msgspec.to_builtins(one))
                _add_untaken(parts, one)
            else:
                words, facts = one.direction, _facts(one)
                _add_message(parts, one)
                if one.receipt:
                    _add_receipt(parts, one)
            folder = f"{count:03d}-{words}-{_NOT_IN_NAMES.sub('_', one.message_id)[:60]}"
            file.writestr(f"{folder}/facts.json", facts)
            file.writestr(f"{folder}/expected", "".join(f"{name}\n" for name in (*parts.files, *parts.missing)))
            for name, data in parts.files.items():
                file.writestr(f"{folder}/{name}", data)
            if parts.missing:
                file.writestr(f"{folder}/MISSING.txt", "".join(f"{name}: {why}\n" for name, why in parts.missing.items()))
                missing += [(one.message_id, name, why) for name, why in parts.missing.items()]
    return Written(count, tuple(missing))


class _Parts:
    """The files of one message: those that are there, and why others are not."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.files: dict[str, bytes] = {}
        self.missing: dict[str, str] = {}

    def add(self, name: str, read: Callable[[], bytes]) -> bytes | None:
        """Add a file; None where the archive does not hold what it is made of."""
        try:
            self.files[name] = read()
        except ArchiveMissing as error:
            self.missing[name] = str(error)
            return None
        return self.files[name]

    def add_certificate(self, name: str, fingerprint: str) -> None:
        """Add the certificate of this fingerprint, where there is one."""
        if not fingerprint:
            return
        certificate = certificate_of(self.archive, fingerprint)
        if certificate is not None:
            self.files[name] = certificate.public_bytes(Encoding.PEM)
        else:
            self.missing[name] = f"the certificate {fingerprint} is not in {self.archive.place}"


def _facts(exchange: Exchange) -> bytes:
    return _json({**msgspec.to_builtins(exchange), "signed_by": exchange.fingerprint, "receipt_signed_by": exchange.receipt_fingerprint})


def _json(facts: Mapping[str, object]) -> bytes:
    return json.dumps({name: value for name, value in facts.items() if value}, indent=2, ensure_ascii=False).encode() + b"\n"


def _add_untaken(parts: _Parts, message: Untaken) -> None:
    for name, digest in (("message.http", message.message), ("receipt.mdn", message.receipt)):
        if digest:
            parts.add(name, partial(parts.archive.read, digest))


def _add_message(parts: _Parts, exchange: Exchange) -> None:
    archive = parts.archive
    parts.add("message.http", lambda: archive.read(exchange.message))
    if exchange.content:
        parts.add("content", lambda: archive.read(exchange.content))
    elif exchange.payload and (exchange.direction == "sent" or exchange.signature):
        parts.add("content", lambda: exchange.content_head.encode("latin-1") + archive.read(exchange.payload))
    if exchange.signature:
        parts.add("message.p7s", lambda: archive.read(exchange.signature))
    parts.add_certificate("message.pem", exchange.signed_by)


def _add_receipt(parts: _Parts, exchange: Exchange) -> None:
    """The receipt: a partner's is kept whole, ours as the answer that it was."""
    archive = parts.archive
    try:
        if exchange.direction == "sent":
            headers, body = read_kept(archive, exchange.receipt)
            whole = archive.read(exchange.receipt)
        else:
            headers, body = tuple(exchange.receipt_headers.items()), archive.read(exchange.receipt)
            whole = _written(headers, body)
    except ArchiveMissing as error:
        names = ("receipt.http", "receipt.signed", "receipt.p7s") if exchange.receipt_signed_by else ("receipt.http",)
        parts.missing.update(dict.fromkeys(names, str(error)))
        parts.add_certificate("receipt.pem", exchange.receipt_signed_by)
        return
    if not body:
        return
    parts.files["receipt.http"] = whole
    signed = signed_parts(headers, body)
    if signed is not None:
        parts.files["receipt.signed"], parts.files["receipt.p7s"] = signed
        digest = digest_named(exchange.mic.rpartition(",")[2])
        if digest is not None and "content" in (*parts.files, *parts.missing):
            parts.files["digest"] = digest.name.encode()
    parts.add_certificate("receipt.pem", exchange.receipt_signed_by)


def _written(headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    whole = io.BytesIO()
    for name, value in headers:
        whole.write(f"{name}: {value}\r\n".encode("latin-1", "replace"))
    whole.write(b"\r\n" + body)
    return whole.getvalue()
