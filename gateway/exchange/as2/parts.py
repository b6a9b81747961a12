"""The payloads of a message: one as a rule, several where the sender attached more (multipart/related, RFC 6362)."""

from gateway.exchange.as2 import mime
from gateway.exchange.as2.values import Payload

_CONTAINERS = ("multipart/related", "multipart/mixed")


def payloads_of(entity: mime.Entity) -> tuple[Payload, ...]:
    """Every payload with its name; of several the one that `start` names comes first. Raises mime.Unreadable."""
    if entity.media_type not in _CONTAINERS:
        return (_payload(entity),)
    parts = [mime.read_entity(part) for part in mime.split_multipart(entity)]
    if not parts:
        raise mime.Unreadable("a multipart without a part")
    start = entity.parameter("content-type", "start")
    if start:
        parts.sort(key=lambda part: part.headers.get("content-id") != start)
    return tuple(_payload(part) for part in parts)


def _payload(entity: mime.Entity) -> Payload:
    return Payload(
        data=entity.decoded().to_bytes(),
        filename=mime.filename_of(entity),
        content_type=entity.headers.get("content-type"),
    )
