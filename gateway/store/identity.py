"""Identifiers of our rows: 26 characters whose text order is the order of making, within one process strictly."""

import os
import threading
import time
from datetime import UTC
from datetime import datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: letters of an identifier, the first ten of them its milliseconds
_LENGTH = 26
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
    """A token that tells one claim from any other, which node made it, and when."""
    return f"{node}.{new_id()}"


def claimed_at(token: str) -> datetime | None:
    """When a claim was made, by the clock of its node; None for a token that does not say it."""
    id = token.rpartition(".")[2]
    if len(id) != _LENGTH or any(letter not in _ALPHABET for letter in id):
        return None
    milliseconds = 0
    for letter in id[:10]:
        milliseconds = milliseconds << 5 | _ALPHABET.index(letter)
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
