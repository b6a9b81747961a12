"""Payloads from one archive into another: each read whole, checked against its digest, and kept; what is there already is passed over."""

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from gateway.store.payloads.archive import PIECE
from gateway.store.payloads.archive import Archive
from gateway.store.payloads.archive import ArchiveMissing

_BATCH_BYTES = 8 << 20
_BATCH_PAYLOADS = 100


@dataclass(frozen=True, slots=True)
class CopiedPayloads:
    """What came over, what was there, and what the source itself has lost or altered."""

    copied: int
    present: int
    damaged: tuple[str, ...]


def copy_payloads(source: Archive, target: Archive, progress: Callable[[int], None] = lambda done: None) -> CopiedPayloads:
    """Copy everything that the target lacks. `progress` is told how many have been looked at."""
    copied = present = looked = 0
    damaged: list[str] = []
    # one list instead of two questions a payload
    there = {bytes.fromhex(stored.sha256): stored.size for stored in target.stored()}
    batch: list[bytes] = []
    size = 0
    for stored in source.stored():
        looked += 1
        progress(looked)
        if there.get(bytes.fromhex(stored.sha256)) == stored.size:
            present += 1
            continue
        try:
            if stored.size <= PIECE:
                batch.append(source.read(stored.sha256))
                size += stored.size
            else:
                _copy_large(source, target, stored.sha256)
        except ArchiveMissing:
            damaged.append(stored.sha256)
            continue
        copied += 1
        if size >= _BATCH_BYTES or len(batch) >= _BATCH_PAYLOADS:
            target.keep_many(batch)
            batch, size = [], 0
    if batch:
        target.keep_many(batch)
    return CopiedPayloads(copied, present, tuple(damaged))


def _copy_large(source: Archive, target: Archive, sha256: str) -> None:
    with source.open(sha256) as file:
        kept, _ = target.keep_stream(pieces_of(file))
    if kept != sha256:
        # other bytes than the name says: what was kept under its own digest is nobody's
        target.remove(kept)
        raise ArchiveMissing(f"the payload {sha256} in {source.place} was altered or is damaged; restore it from a backup")


def pieces_of(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of an open file, piece by piece."""
    return iter(lambda: file.read(PIECE), b"")
