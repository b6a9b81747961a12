"""Verifying the journal: every entry, every stream's chain, every checkpoint, every archived file that is referred to. Streams; changes nothing."""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection
from sqlalchemy import text

from gateway.store.columns import moment_text
from gateway.store.database import Database
from gateway.store.journal import decode_canonical
from gateway.store.keeping.uses import used_among
from gateway.store.merkle import Tree
from gateway.store.merkle import leaf_hash
from gateway.store.payloads.archive import Archive
from gateway.store.rows import Row
from gateway.store.verifying import checkpoints
from gateway.store.verifying import mentions
from gateway.store.verifying.checkpoints import Checkpoint
from gateway.store.verifying.checkpoints import Statement

#: a wholly spoilt journal needs no more sentences than a person reads
_MOST_FAULTS = 200


class ErasedPayload(Row, frozen=True, kw_only=True):
    """A payload that was erased, with the words of the journal's entry."""

    sha256: str
    #: the file, delivery or document that it belonged to
    subject: str
    at: str
    rule: str


class Verification(Row, frozen=True, kw_only=True):
    """What came out. `ok` means no fault; `sealed` entries are covered by a checkpoint, those after it only by their chain."""

    ok: bool
    entries: int
    streams: int
    checkpoints: int
    sealed: int
    files: int
    #: payloads that are gone by a rule, as the journal says itself
    erased: int = 0
    erasures: list[ErasedPayload] = []
    faults: list[str]


def verify(
    database: Database, archive: Archive | None, key: Ed25519PublicKey | Ed25519PrivateKey | None, *, witnessed: Sequence[Checkpoint] = ()
) -> Verification:
    """Verify the journal. `witnessed` are checkpoints that somebody kept elsewhere: they show when the
    newest entries AND checkpoints were removed together.

    Without `archive` files are not looked at; without `key` signatures are not (both are then the caller's to say).
    """
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    with database.read() as connection:
        return _Walk(connection, archive, public, witnessed).verification()


class _Walk:
    """One pass over the journal in the order of its positions."""

    def __init__(self, connection: Connection, archive: Archive | None, key: Ed25519PublicKey | None, witnessed: Sequence[Checkpoint]) -> None:
        self.connection = connection
        self.archive = archive
        self.key = key
        self.tree = Tree()
        self.heads: dict[str, tuple[int, str]] = {}
        self.references: set[str] = set()
        self.erased: dict[str, ErasedPayload] = {}
        self.faults: list[str] = []
        self.more = 0
        self.checkpoints = checkpoints.all_checkpoints(connection)
        self.witnessed = witnessed

    def fault(self, words: str) -> None:
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(words)
        else:
            self.more += 1

    def verification(self) -> Verification:
        self._check_statements()
        waiting = sorted([*self.checkpoints, *self.witnessed], key=lambda checkpoint: (checkpoint.size, checkpoint.number))
        self._check_entries(waiting)
        self._check_heads()
        gone = self._check_files()
        if self.more:
            self.faults.append(f"and {self.more} more faults")
        return Verification(
            ok=not self.faults,
            entries=self.tree.size,
            streams=len(self.heads),
            checkpoints=len(self.checkpoints),
            sealed=max((checkpoint.size for checkpoint in self.checkpoints), default=0),
            files=len(self.references) - len(gone) if self.archive is not None else 0,
            erased=len(gone),
            erasures=gone[:_MOST_FAULTS],
            faults=self.faults,
        )

    def _check_statements(self) -> None:
        previous, number, size = "", 0, 0
        for checkpoint in self.checkpoints:
            number += 1
            if checkpoint.number != number:
                self.fault(f"checkpoint {number} is missing: the next one is {checkpoint.number}")
                number = checkpoint.number
            elif self._said(checkpoint, previous) and checkpoint.size <= size:
                self.fault(f"checkpoint {checkpoint.number} covers {checkpoint.size} entries, not more than the one before it")
            size = checkpoint.size
            previous = hashlib.sha256(checkpoint.statement.encode()).hexdigest()
        kept = {checkpoint.number: checkpoint.statement for checkpoint in self.checkpoints}
        for checkpoint in self.witnessed:
            if self.key is not None and not checkpoints.is_signed(checkpoint, self.key):
                self.fault(f"the checkpoint {checkpoint.number} that was kept elsewhere is not signed by this installation's key")
            elif kept.get(checkpoint.number) != checkpoint.statement:
                self.fault(f"checkpoint {checkpoint.number} that was kept elsewhere is missing or altered here")

    def _said(self, checkpoint: Checkpoint, previous: str) -> bool:
        """Whether a checkpoint's row says what was signed."""
        name = f"checkpoint {checkpoint.number}"
        try:
            said = msgspec.json.decode(checkpoint.statement, type=Statement)
        except msgspec.DecodeError:
            self.fault(f"{name} cannot be read")
            return False
        if self.key is not None and not checkpoints.is_signed(checkpoint, self.key):
            self.fault(f"{name} is not signed by this installation's key")
            return False
        row = Statement(
            version=1,
            number=checkpoint.number,
            at=moment_text(checkpoint.at),
            position=checkpoint.position,
            size=checkpoint.size,
            root=checkpoint.root,
            previous=previous,
            key=checkpoint.key,
        )
        if said != row:
            differing = [field for field in Statement.__struct_fields__ if getattr(said, field) != getattr(row, field)]
            self.fault(f"{name} was altered: {', '.join(differing)}")
            return False
        return True

    def _check_entries(self, waiting: list[Checkpoint]) -> None:
        # plain SQL and plain text: nothing is converted that is only compared
        query = text("SELECT position, stream, number, at, action, subject_kind, subject, entry, hash FROM journal_entry ORDER BY position")
        for row in self.connection.execute(query, execution_options={"yield_per": 2000}):
            while waiting and waiting[0].size == self.tree.size:
                self._check_root(waiting.pop(0))
            self._check_entry(row)
        while waiting and waiting[0].size == self.tree.size:
            self._check_root(waiting.pop(0))
        if waiting:
            newest = waiting[-1]
            self.fault(f"entries are missing: checkpoint {newest.number} covers {newest.size}, the journal has {self.tree.size}")

    def _check_root(self, checkpoint: Checkpoint) -> None:
        if self.tree.root().hex() != checkpoint.root:
            self.fault(
                f"the first {checkpoint.size} entries are not those that checkpoint {checkpoint.number} signed: "
                "one was altered, removed, put in or moved"
            )

    def _check_entry(self, row: Any) -> None:
        position, stream, number, at, action, kind, subject, canonical, hash = row
        data = canonical.encode()
        leaf = leaf_hash(data)
        self.tree.add(leaf)
        name = f"entry {number} of stream {stream} (position {position})"
        before, prev = self.heads.get(stream, (0, ""))
        self.heads[stream] = (number, hash)
        if leaf.hex() != hash:
            self.fault(f"{name} was altered: its hash is not that of its text")
        try:
            content = decode_canonical(data)
        except msgspec.DecodeError:
            self.fault(f"{name} was altered: its text cannot be read")
            return
        if (content.stream, content.number, content.at, content.action, content.subject_kind, content.subject) != (
            stream,
            number,
            at,
            action,
            kind,
            subject,
        ):
            self.fault(f"{name} was altered: its columns do not say what its text says")
        if number != before + 1:
            self.fault(
                f"entries {before + 1} to {number - 1} of stream {stream} are missing"
                if number > before + 1
                else f"{name} is out of order: entry {before} came before it"
            )
        elif content.prev != prev:
            self.fault(f"{name} does not follow the entry before it: that one was altered or replaced")
        self.references.update(content.references)
        if content.action == "erased":
            for digest in content.facts.get("payloads", "").split():
                self.erased[digest] = ErasedPayload(sha256=digest, subject=content.subject, at=content.at, rule=content.reason)

    def _check_heads(self) -> None:
        kept = {row.stream: (row.number, row.hash) for row in self.connection.execute(text("SELECT stream, number, hash FROM journal_head"))}
        for stream in sorted({*kept, *self.heads}):
            number, _ = self.heads.get(stream, (0, ""))
            if stream not in kept:
                self.fault(f"the head of stream {stream} is missing")
            elif kept[stream][0] > number:
                self.fault(f"the newest entries of stream {stream} are missing: {number + 1} to {kept[stream][0]}")
            elif kept[stream] != self.heads.get(stream, (0, "")):
                self.fault(f"the head of stream {stream} is not its newest entry {number}")

    def _check_files(self) -> list[ErasedPayload]:
        """Every payload that an entry names; returns those that are gone because a rule said so."""
        gone: list[ErasedPayload] = []
        if self.archive is None:
            return gone
        missing: list[str] = []
        erased: list[str] = []
        altered: list[str] = []
        for digest in sorted(self.references):
            try:
                if not self.archive.has(digest):
                    (erased if digest in self.erased else missing).append(digest)
                elif not self.archive.verify(digest):
                    altered.append(digest)
            except ValueError:
                self.fault(f"'{digest}' is not the name of an archived file")
        used = used_among(self.connection, erased)
        gone += [self.erased[digest] for digest in erased if digest not in used]
        missing = sorted([*missing, *used])
        named = mentions.in_words(self.connection, (missing + altered)[:_MOST_FAULTS]) if missing or altered else {}
        for digest in missing:
            self.fault(f"the archive lacks the file {digest}{_in_brackets(named.get(digest))}")
        for digest in altered:
            self.fault(f"the archive's file {digest} was altered{_in_brackets(named.get(digest))}")
        return gone


def _in_brackets(words: str | None) -> str:
    return f" ({words})" if words else ""
