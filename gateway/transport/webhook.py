"""An event posted to an address of an operator's choice: signed, to nobody but that address, one try.

The signature is HMAC-SHA256 over the time and the body, `Gateway-Signature: t=SECONDS,v1=HEX`; one `v1` for each secret, so that
a secret can change. Knows addresses and bytes; not what an event means.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.transport.as2_http import HttpAnswer
from gateway.transport.as2_http import post

SIGNATURE = "Gateway-Signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTarget:
    """Where events go. `private`: the address may be one of this machine or network."""

    url: str
    secrets: tuple[bytes, ...]
    private: bool = False
    ca_file: str | None = None
    timeout_seconds: float = 15.0


def post_event(target: WebhookTarget, event_id: str, body: bytes, seconds: int) -> HttpAnswer:
    """Post a signed event; any 2xx is taken for "I have it", TransportError for everything else. Redirects are not followed."""
    headers = (
        ("Content-Type", "application/json"),
        ("Gateway-Event", event_id),
        (SIGNATURE, signature(target.secrets, seconds, body)),
    )
    return post(
        target.url,
        headers,
        body,
        timeout_seconds=target.timeout_seconds,
        longest_seconds=4 * target.timeout_seconds,
        ca_file=target.ca_file,
        may_reach=None if target.private else is_public,
    )


def signature(secrets: Sequence[bytes], seconds: int, body: bytes) -> str:
    """The header that proves who made a body, and when."""
    signed = f"{seconds}.".encode() + body
    return ",".join([f"t={seconds}", *(f"v1={hmac.new(secret, signed, hashlib.sha256).hexdigest()}" for secret in secrets)])


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public network."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_global and not found.is_multicast
