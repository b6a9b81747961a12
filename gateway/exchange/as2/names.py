"""AS2's own headers: names and their quoting, Message-IDs, the receipt that is asked for (RFC 4130 6, 7.3)."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from gateway.exchange.as2.values import ReceiptRequest
from gateway.exchange.cms.algorithms import Digest
from gateway.exchange.cms.algorithms import Old
from gateway.exchange.cms.algorithms import digest_named
from gateway.kinds import as2 as kinds
from gateway.problem import NOWHERE
from gateway.problem import Problem

_PLAIN_NAME = re.compile(r"[!#-\[\]-~]{1,128}")
_MESSAGE_ID = re.compile(r"[\x21-\x7e]{1,995}")


def write_name(name: str) -> str:
    """A name as it stands in AS2-From and AS2-To: quoted where it must be."""
    if _PLAIN_NAME.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def read_name(value: str) -> str:
    """A name without its quotes; a name with spaces that was not quoted is taken as it is."""
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def read_message_id(value: str) -> str:
    """A Message-ID without its angle brackets; no `@` is needed (Drummond resolved issues)."""
    value = value.strip()
    return value[1:-1] if value.startswith("<") and value.endswith(">") else value


def check_message_id(message_id: str) -> None:
    """ValueError unless this can be a Message-ID (without its brackets)."""
    if not _MESSAGE_ID.fullmatch(message_id) or "<" in message_id or ">" in message_id:
        raise ValueError("a Message-ID is 1 to 995 printable ASCII characters without spaces and angle brackets")


def read_receipt_request(headers: dict[str, str], *, old: Old) -> tuple[ReceiptRequest | None, Problem | None]:
    """The receipt that is asked for, and what is wrong with asking for it so."""
    if not headers.get("disposition-notification-to"):
        return None, None
    options = _options(headers.get("disposition-notification-options", ""))
    importance, protocols = options.get("signed-receipt-protocol", ("optional", ()))
    signed = any(protocol.lower() == "pkcs7-signature" for protocol in protocols)
    mic_importance, micalgs = options.get("signed-receipt-micalg", ("optional", ()))
    request = ReceiptRequest(signed=signed, micalgs=micalgs, address=headers.get("receipt-delivery-option") or None)
    if protocols and not signed and importance == "required":
        return request, kinds.RECEIPT_FORMAT_UNSUPPORTED.at(
            NOWHERE, "a form of signed receipt is required that we do not know", found=", ".join(protocols)[:200], expected="pkcs7-signature"
        )
    if micalgs and mic_importance == "required" and not any(usable_digest(word, old) for word in micalgs):
        return request, kinds.MIC_ALGORITHM_UNSUPPORTED.at(
            NOWHERE,
            "a digest is required for the receipt that we do not have",
            found=", ".join(micalgs)[:200],
            expected="sha-256, sha-384 or sha-512",
        )
    return request, None


def agreed_address(asked: str, listed: Iterable[str]) -> str | None:
    """The listed address that is meant; None where none is. Scheme, host, port, path and query must be the same: nothing that a sender writes
    leads us to another server, nor to another page of the right one."""
    wanted = _address(asked)
    return next((address for address in listed if wanted is not None and _address(address) == wanted), None)


def _address(url: str) -> tuple[str, str, int, str, str] | None:
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or parts.fragment or "\\" in url:
        return None
    return parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80), parts.path or "/", parts.query


def usable_digest(word: str, old: Old) -> Digest | None:
    """The digest that a word of the sender's list means, if we compute it for this partner."""
    digest = digest_named(word)
    return digest if digest is not None and (Old.SHA1 in old or not digest.old) else None


def _options(value: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Disposition-Notification-Options: name to importance and values. Senders swap, quote and space these freely."""
    options = {}
    for option in value.split(";"):
        name, equals, text = option.partition("=")
        words = [word.strip().strip('"') for word in text.split(",")]
        if equals and words and words[0].lower() in ("optional", "required"):
            options[name.strip().lower()] = (words[0].lower(), tuple(word for word in words[1:] if word))
        elif equals:
            options[name.strip().lower()] = ("optional", tuple(word for word in words if word))
    return options
