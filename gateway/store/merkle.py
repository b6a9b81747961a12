"""The Merkle tree of RFC 6962, grown leaf by leaf: only the roots of its complete subtrees are kept."""

import hashlib


def leaf_hash(data: bytes) -> bytes:
    """RFC 6962 2.1: the hash of one leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


class Tree:
    """A tree over `size` leaves. `frontier` holds the roots of its complete subtrees, largest first."""

    def __init__(self, size: int = 0, frontier: list[bytes] | None = None) -> None:
        self.size = size
        self.frontier = list(frontier or [])
        if len(self.frontier) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} complete subtrees, not {len(self.frontier)}")

    def add(self, leaf: bytes) -> None:
        """Append a leaf, by its hash."""
        size = self.size
        while size & 1:
            leaf = hashlib.sha256(b"\x01" + self.frontier.pop() + leaf).digest()
            size >>= 1
        self.frontier.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """RFC 6962 2.1: the Merkle tree hash."""
        if not self.frontier:
            return hashlib.sha256(b"").digest()
        root = self.frontier[-1]
        for subtree in reversed(self.frontier[:-1]):
            root = hashlib.sha256(b"\x01" + subtree + root).digest()
        return root
