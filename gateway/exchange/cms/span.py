"""Stretches of bytes that are not copied: a message of 50 MB is held once, and its layers are places within it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

Buffer: TypeAlias = bytes | bytearray | memoryview

#: Bytes in one piece or in several that follow each other.
Content: TypeAlias = "Buffer | Span | tuple[Buffer, ...]"


@dataclass(frozen=True, slots=True)
class Span:
    """The octets of `data` from `start` to before `end`."""

    data: bytes | bytearray
    start: int
    end: int

    @classmethod
    def of(cls, data: Buffer) -> "Span":
        """All of `data`."""
        held = bytes(data) if isinstance(data, memoryview) else data
        return cls(held, 0, len(held))

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def view(self) -> memoryview:
        """The octets, without a copy."""
        return memoryview(self.data)[self.start : self.end]

    def to_bytes(self) -> bytes:
        """The octets; a copy where they are not all of the data."""
        if isinstance(self.data, bytes) and len(self) == len(self.data):
            return self.data
        return bytes(self.view)

    def cut(self, start: int, end: int) -> "Span":
        """From `start` to before `end`, counted in `data`."""
        return Span(self.data, start, end)


def pieces_of(content: Content) -> tuple[Buffer, ...]:
    """The content as pieces that follow each other."""
    if isinstance(content, tuple):
        return content
    return (content.view,) if isinstance(content, Span) else (content,)


def length_of(pieces: Iterable[Buffer]) -> int:
    """How many octets the pieces have together."""
    return sum(map(len, pieces))
