"""Identifiers of our rows: 26 characters whose text order is the order of making, within one process strictly."""

import os
import threading
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """A fresh identifier (the form of a ULID: 48 bits of milliseconds, 80 bits of chance)."""
    global _last
    number = time.time_ns() // 1_000_000 << 80 | int.from_bytes(os.urandom(10))
    with _lock:
        if number <= _last:
            number = _last + 1
        elif number >> 80 == _last >> 80:
            # the same millisecond: stay behind the last one, yet unguessable
            number = _last + 1 + (number & 0xFFFFFFFF)
        _last = number
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])


def lease_token(node: str = "") -> str:
    """A token that tells one claim from any other, and which node made it."""
    return f"{node}.{os.urandom(12).hex()}"
