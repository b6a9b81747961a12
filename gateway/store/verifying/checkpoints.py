"""Checkpoints: signed statements "the journal had so many entries, with this Merkle root". An auditor who keeps one can tell later whether
anything before it was altered, removed or put in, also by somebody who can write to the database.
"""

import hashlib
from datetime import datetime

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection
from sqlalchemy import select
from sqlalchemy import text

from gateway.store import crash
from gateway.store import tables
from gateway.store.columns import moment_text
from gateway.store.journal import SEALING_LOCK
from gateway.store.merkle import Tree
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import one_of
from gateway.store.rows import values_of

#: what is signed begins with this, so that the key's signatures mean nothing else
SIGNED_CONTEXT = b"gateway journal checkpoint v1\n"
_TABLE = tables.journal_checkpoint


class Checkpoint(Row, frozen=True, kw_only=True):
    """One checkpoint; `statement` is the canonical JSON that `signature` signs, the other fields repeat it."""

    number: int
    at: datetime
    #: position of the last entry that is covered
    position: int
    #: how many entries are covered
    size: int
    root: str
    frontier: tuple[str, ...]
    statement: str
    #: SHA-256 of the public key
    key: str
    signature: str


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a checkpoint says, field by field."""

    version: int
    number: int
    at: str
    position: int
    size: int
    root: str
    #: SHA-256 of the statement before this one, empty in the first
    previous: str
    key: str


def fingerprint(key: Ed25519PublicKey) -> str:
    """How a statement names the key that signs it."""
    return hashlib.sha256(key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)).hexdigest()


def seal(connection: Connection, key: Ed25519PrivateKey, at: datetime) -> Checkpoint | None:
    """Write a checkpoint over all entries so far; None where nothing was added since the last one.

    In a transaction of its own: on PostgreSQL it waits until nobody is appending, and who appends waits for it.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SEALING_LOCK})
    before = last(connection)
    position = before.position if before else 0
    tree = Tree(before.size, [bytes.fromhex(root) for root in before.frontier]) if before else Tree()
    entries = tables.journal_entry
    query = select(entries.c.position, entries.c.hash).where(entries.c.position > position).order_by(entries.c.position)
    for row in connection.execute(query, execution_options={"yield_per": 5000}):
        tree.add(bytes.fromhex(row.hash))
        position = row.position
    if before is not None and tree.size == before.size or tree.size == 0:
        return None
    name = fingerprint(key.public_key())
    statement = msgspec.json.encode(
        Statement(
            version=1,
            number=before.number + 1 if before else 1,
            at=moment_text(at),
            position=position,
            size=tree.size,
            root=tree.root().hex(),
            previous=hashlib.sha256(before.statement.encode()).hexdigest() if before else "",
            key=name,
        ),
        order="sorted",
    )
    checkpoint = Checkpoint(
        number=before.number + 1 if before else 1,
        at=at,
        position=position,
        size=tree.size,
        root=tree.root().hex(),
        frontier=tuple(part.hex() for part in tree.frontier),
        statement=statement.decode(),
        key=name,
        signature=key.sign(SIGNED_CONTEXT + statement).hex(),
    )
    connection.execute(_TABLE.insert().values(values_of(checkpoint)))
    crash.point(24)
    return checkpoint


def last(connection: Connection) -> Checkpoint | None:
    """The newest checkpoint."""
    return one_of(connection.execute(select(_TABLE).order_by(_TABLE.c.number.desc()).limit(1)), Checkpoint)


def all_checkpoints(connection: Connection) -> list[Checkpoint]:
    """All checkpoints, oldest first."""
    return all_of(connection.execute(select(_TABLE).order_by(_TABLE.c.number)), Checkpoint)


def is_signed(checkpoint: Checkpoint, key: Ed25519PublicKey) -> bool:
    """Whether the key signed this statement."""
    try:
        key.verify(bytes.fromhex(checkpoint.signature), SIGNED_CONTEXT + checkpoint.statement.encode())
    except (InvalidSignature, ValueError):
        return False
    return True
