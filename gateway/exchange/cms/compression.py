"""Compression (CMS CompressedData, RFC 3274), with limits when it is undone: a small message may claim to be a huge one."""

import zlib
from dataclasses import dataclass

from gateway.exchange.cms import der
from gateway.exchange.cms.ber import UNREADABLE
from gateway.exchange.cms.reading import content_of
from gateway.exchange.cms.span import Buffer
from gateway.exchange.cms.span import Content
from gateway.exchange.cms.span import Span
from gateway.exchange.cms.span import pieces_of
from gateway.kinds import as2 as kinds
from gateway.problem import NOWHERE
from gateway.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large a decompressed message may be; the ratio counts only above `free_bytes` (short EDI can shrink very well)."""

    most_bytes: int = 256 * 1024 * 1024
    most_ratio: int = 200
    free_bytes: int = 16 * 1024 * 1024


def compress(content: Content) -> bytes:
    """`content` as CompressedData."""
    machine = zlib.compressobj()
    packed = b"".join((*(machine.compress(piece) for piece in pieces_of(content)), machine.flush()))
    inner = der.sequence(der.DATA, der.explicit(0, der.octets(packed)))
    return der.sequence(der.COMPRESSED_DATA, der.explicit(0, der.sequence(der.integer(0), der.sequence(der.ZLIB), inner)))


def decompress(data: Buffer | Span, limits: Limits) -> bytes | Problem:
    """What CompressedData holds, as far as the limits allow."""
    try:
        parts = content_of(data if isinstance(data, Span) else Span.of(data), "compressed_data")
        [octets] = parts[2].parts()[1].parts(0xA0)
        packed = octets.octets()
        most = min(limits.most_bytes, max(limits.free_bytes, len(packed) * limits.most_ratio))
        machine = zlib.decompressobj()
        content = machine.decompress(packed.view, most + 1)
    except (*UNREADABLE, zlib.error) as error:
        return kinds.DECOMPRESSION_FAILED.at(NOWHERE, f"the compressed part cannot be read: {error}")
    if len(content) > most:
        return kinds.TOO_LARGE.at(
            NOWHERE,
            "the message is too large when decompressed",
            found=f"more than {most} bytes out of {len(packed)}",
            expected=f"at most {most} bytes",
        )
    if not machine.eof:
        return kinds.DECOMPRESSION_FAILED.at(NOWHERE, "the compressed part ends too early")
    return content
