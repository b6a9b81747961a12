"""The Merkle tree of RFC 6962, grown leaf by leaf: only the roots of its complete subtrees are kept."""

import hashlib
from collections.abc import Sequence


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


def path_of(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """RFC 6962 2.1.1: the hashes beside the way from a leaf to the root, lowest first."""
    if len(leaves) < 2:
        return []
    half: int = 1 << (len(leaves) - 1).bit_length() - 1
    if index < half:
        return [*path_of(leaves[:half], index), _root_of(leaves[half:])]
    return [*path_of(leaves[half:], index - half), _root_of(leaves[:half])]


def root_of_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a leaf and its path lead to; None where the path does not fit the place."""
    if not 0 <= index < size:
        return None
    at, last, root = index, size - 1, leaf
    for beside in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            root = hashlib.sha256(b"\x01" + beside + root).digest()
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            root = hashlib.sha256(b"\x01" + root + beside).digest()
        at, last = at >> 1, last >> 1
    return root if last == 0 else None


def _root_of(leaves: Sequence[bytes]) -> bytes:
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    return tree.root()
