"""The signature over what we post to somebody's web hook, as the Standard Webhooks describe it: HMAC-SHA256 over id, moment and body, so that
the receiver can tell that it comes from us, is whole, and is not an old one that is played again."""

import base64
import hashlib
import hmac
from datetime import datetime

Headers = tuple[tuple[str, str], ...]


def signature_headers(secret: bytes, id: str, at: datetime, body: bytes) -> Headers:
    """The headers that go with a body. `id` is the same on every try; `at` is the moment of this one."""
    moment = str(int(at.timestamp()))
    return (
        ("webhook-id", id),
        ("webhook-timestamp", moment),
        ("webhook-signature", f"v1,{signature(secret, id, moment, body)}"),
    )


def signature(secret: bytes, id: str, moment: str, body: bytes) -> str:
    """The signature itself, in Base64."""
    return base64.b64encode(hmac.new(secret, f"{id}.{moment}.".encode() + body, hashlib.sha256).digest()).decode()
