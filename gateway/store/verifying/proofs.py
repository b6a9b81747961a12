"""Proof of an erasure that stands alone: the journal's entry, its way up the Merkle tree, and the signed checkpoint at the top (RFC 6962).

Whoever has the installation's public key can check it without the database: what was erased, when, by which rule, and that the entry was in the
journal when the checkpoint was signed.
"""

import hashlib
from collections.abc import Collection

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection
from sqlalchemy import func
from sqlalchemy import select

from gateway.store import tables
from gateway.store.merkle import leaf_hash
from gateway.store.merkle import path_of
from gateway.store.merkle import root_of_path
from gateway.store.verifying.checkpoints import SIGNED_CONTEXT


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """One erasure, proven."""

    subject: str
    #: the entry's canonical text: what, when, who, by which rule, which digests
    entry: str
    #: its place among all entries, from 0, and how many the checkpoint covers
    index: int
    size: int
    #: hashes beside the way from the entry to the root, lowest first
    path: tuple[str, ...]
    #: what was signed, and how
    statement: str
    signature: str
    #: raw Ed25519 key, in hexadecimal
    public_key: str


def proofs_of(connection: Connection, subjects: Collection[str], key: Ed25519PublicKey) -> list[Proof]:
    """The proofs of all erasures of files, deliveries and documents of these ids; those after the last checkpoint are left out."""
    entries, checkpoints = tables.journal_entry, tables.journal_checkpoint
    mine = (entries.c.subject.in_(sorted(subjects)), entries.c.action == "erased")
    found = connection.execute(select(entries.c.position, entries.c.subject, entries.c.entry).where(*mine).order_by(entries.c.position)).all()
    last = connection.execute(select(checkpoints).order_by(checkpoints.c.number.desc()).limit(1)).one_or_none()
    covered = [row for row in found if last is not None and row.position <= last.position]
    if last is None or not covered:
        return []
    query = select(entries.c.hash).where(entries.c.position <= last.position).order_by(entries.c.position)
    leaves = [bytes.fromhex(hash) for hash in connection.execute(query, execution_options={"yield_per": 5000}).scalars()]
    public = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()
    proofs = []
    for row in covered:
        before = select(func.count()).select_from(entries).where(entries.c.position < row.position)
        index = int(connection.execute(before).scalar_one())
        proofs.append(
            Proof(
                subject=row.subject,
                entry=row.entry,
                index=index,
                size=len(leaves),
                path=tuple(part.hex() for part in path_of(leaves, index)),
                statement=last.statement,
                signature=last.signature,
                public_key=public,
            )
        )
    return proofs


def is_proven(proof: Proof) -> bool:
    """Whether a proof proves what it says; whose key it is, is for the reader to know."""
    statement = msgspec.json.decode(proof.statement, type=dict[str, str | int])
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(proof.public_key))
        key.verify(bytes.fromhex(proof.signature), SIGNED_CONTEXT + proof.statement.encode())
    except (InvalidSignature, ValueError):
        return False
    root = root_of_path(leaf_hash(proof.entry.encode()), proof.index, proof.size, [bytes.fromhex(part) for part in proof.path])
    same_key = hashlib.sha256(bytes.fromhex(proof.public_key)).hexdigest() == statement["key"]
    return same_key and root is not None and root.hex() == statement["root"] and proof.size == statement["size"]
