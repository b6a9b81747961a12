"""The digest that a sender put beside a file, as `sha256sum` and its like print it, and whether bytes fit it."""

import hashlib
import re
from collections.abc import Iterable

from gateway.transport.box import FileTrouble

#: hexadecimal digits of a digest, and what makes it. MD5 and SHA-1 are sums against damage here, no proof of who sent it
_KINDS = {32: "md5", 40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}
_DIGITS = re.compile(rb"(?<![0-9A-Za-z])[0-9A-Fa-f]{32,128}(?![0-9A-Za-z])")
#: bytes of a checksum file that are looked at
LONGEST = 4096


def digest_of_file(name: str, text: bytes) -> str:
    """The digest in a checksum file of this name; raises FileTrouble where there is none."""
    digest = digest_in(text)
    if digest is None:
        raise FileTrouble(f'the file "{name}" holds no checksum: expected MD5, SHA-1 or SHA-2 in hexadecimal digits', retry=True)
    return digest


def digest_in(text: bytes) -> str | None:
    """The first digest in a checksum file, in small letters; None where there is none."""
    return next((match.group().decode().lower() for match in _DIGITS.finditer(text[:LONGEST]) if len(match.group()) in _KINDS), None)


def fits(digest: str, chunks: Iterable[bytes]) -> bool:
    """Whether bytes have this digest."""
    made = hashlib.new(_KINDS[len(digest)], usedforsecurity=False)
    for chunk in chunks:
        made.update(chunk)
    return made.hexdigest() == digest
