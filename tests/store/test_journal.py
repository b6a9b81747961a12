"""The journal: what is in it cannot be altered, removed, moved or added to unseen."""

import hashlib
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text

from gateway.store import journal
from gateway.store.database import Database
from gateway.store.database import open_database
from gateway.store.journal import Entry
from gateway.store.merkle import Tree
from gateway.store.merkle import leaf_hash
from gateway.store.payloads.in_folder import FolderArchive
from gateway.store.verifying import checkpoints
from gateway.store.verifying.keys import load_or_make
from gateway.store.verifying.verification import Verification
from gateway.store.verifying.verification import verify
from tests.machine import is_quick
from tests.store.made import MINUTE
from tests.store.made import NOW

KEY = Ed25519PrivateKey.generate()


def made(number: int, stream: str = "acme", **fields: object) -> Entry:
    return Entry(
        **{
            "stream": stream,
            "at": NOW + number * MINUTE,
            "actor": "system",
            "action": "accepted",
            "subject_kind": "document",
            "subject": f"D{number}",
            "facts": {"number": f"PO{number}"},
            **fields,
        }
    )  # type: ignore[arg-type]


@pytest.fixture
def sealed(database: Database) -> Database:
    """Twelve entries in two streams; a checkpoint behind the eighth and one behind the twelfth."""
    for start in (0, 8):
        with database.begin() as connection:
            for number in range(start, 8 if start == 0 else 12):
                journal.append(connection, [made(number, "acme" if number % 3 else "beta")])
            checkpoints.seal(connection, KEY, NOW)
    return database


def tamper(database: Database, *statements: str) -> None:
    """What somebody with all rights on the database can do."""
    with database.begin() as connection:
        if database.dialect == "sqlite":
            names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
            for name in names:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_what_is_appended_is_found_in_order_and_verifies(sealed: Database) -> None:
    verified = verify(sealed, None, KEY)
    assert verified == Verification(ok=True, entries=12, streams=2, checkpoints=2, sealed=12, files=0, faults=[])
    with sealed.read() as connection:
        found = journal.of_subject(connection, "document", "D4")
        assert [one.entry for one in found] == [made(4)]
        everything = journal.after(connection, 0)
        assert [one.entry.subject for one in everything] == [f"D{number}" for number in range(12)]
        assert [one.entry.subject for one in journal.after(connection, everything[8].position, limit=2)] == ["D9", "D10"]


def test_an_entry_is_canonical_json_and_its_hash_can_be_computed_with_nothing_but_python(database: Database) -> None:
    entry = made(1, reason='größer "than" 5\n\x01', facts={"b": "\u2028", "a": "\\/", "€": ""}, references=("ab" * 32,), commitments={"iban": "cd"})
    with database.begin() as connection:
        journal.append(connection, [entry, made(2)])
        rows = connection.execute(text("SELECT entry, hash FROM journal_entry ORDER BY position")).all()
    prev = ""
    for canonical, hash in rows:
        content = json.loads(canonical)
        assert json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False) == canonical
        assert hashlib.sha256(b"\x00" + canonical.encode()).hexdigest() == hash
        assert content["prev"] == prev
        assert content["version"] == 1
        prev = hash


def test_text_from_broken_files_can_be_journalled(database: Database) -> None:
    with database.begin() as connection:
        journal.append(connection, [made(1, subject="a\x00b", stream="s\udc80", actor="\ud800", reason="\x00", facts={"\x00": "\udfff\x00"})])
    assert verify(database, None, None).ok


_CHANGES: dict[str, tuple[str, ...]] = {
    "text altered": ("UPDATE journal_entry SET entry = replace(entry, 'PO4', 'PO5') WHERE subject = 'D4'",),
    "column altered": ("UPDATE journal_entry SET action = 'rejected' WHERE subject = 'D4'",),
    "time altered": ("UPDATE journal_entry SET at = '2020-01-01T00:00:00.000000Z' WHERE subject = 'D4'",),
    "subject altered": ("UPDATE journal_entry SET subject = 'D5x' WHERE subject = 'D4'",),
    "hash altered": ("UPDATE journal_entry SET hash = hash || '0' WHERE subject = 'D4'",),
    "made unreadable": ("UPDATE journal_entry SET entry = 'x' WHERE subject = 'D4'",),
    "removed": ("DELETE FROM journal_entry WHERE subject = 'D4'",),
    "first removed": ("DELETE FROM journal_entry WHERE subject = 'D0'",),
    "newest removed": ("DELETE FROM journal_entry WHERE subject = 'D11'",),
    "newest removed with its head": (
        "DELETE FROM journal_entry WHERE subject = 'D11'",
        "UPDATE journal_head SET number = 7, hash = (SELECT hash FROM journal_entry WHERE subject = 'D10') WHERE stream = 'acme'",
    ),
    "a whole stream removed": ("DELETE FROM journal_entry WHERE stream = 'beta'", "DELETE FROM journal_head WHERE stream = 'beta'"),
    "all removed": ("DELETE FROM journal_entry", "DELETE FROM journal_head"),
    "two exchanged": (
        "UPDATE journal_entry SET position = 1000 WHERE subject = 'D4'",
        "UPDATE journal_entry SET position = 1001 WHERE subject = 'D5'",
    ),
    "moved to the end": ("UPDATE journal_entry SET position = 1000 WHERE subject = 'D4'",),
    "head removed": ("DELETE FROM journal_head WHERE stream = 'beta'",),
    "head altered": ("UPDATE journal_head SET number = 99 WHERE stream = 'beta'",),
    "checkpoint root altered": ("UPDATE journal_checkpoint SET root = '00' WHERE number = 1",),
    "checkpoint statement altered": ("UPDATE journal_checkpoint SET statement = replace(statement, '\"size\":8', '\"size\":7') WHERE number = 1",),
    "checkpoint unreadable": ("UPDATE journal_checkpoint SET statement = 'x' WHERE number = 2",),
    "checkpoint signature altered": ("UPDATE journal_checkpoint SET signature = '00' WHERE number = 1",),
    "checkpoint removed": ("DELETE FROM journal_checkpoint WHERE number = 1",),
}


@pytest.mark.parametrize("name", _CHANGES)
def test_tampering_is_found(sealed: Database, name: str) -> None:
    tamper(sealed, *_CHANGES[name])
    verified = verify(sealed, None, KEY)
    assert not verified.ok
    assert verified.faults


def test_a_forger_who_computes_everything_anew_is_found_by_the_checkpoint(database: Database) -> None:
    with database.begin() as connection:
        for number in range(4):
            journal.append(connection, [made(number)])
        checkpoints.seal(connection, KEY, NOW)
    tamper(database, "DELETE FROM journal_entry", "DELETE FROM journal_head")
    with database.begin() as connection:
        for number in range(4):
            journal.append(connection, [made(number, facts={"number": "forged"})])
    faults = verify(database, None, KEY).faults
    assert len(faults) == 1
    assert "checkpoint 1 signed" in faults[0]


def test_newest_entries_and_checkpoints_removed_together_are_found_by_a_checkpoint_kept_elsewhere(sealed: Database) -> None:
    with sealed.read() as connection:
        witnessed = checkpoints.last(connection)
    assert witnessed is not None
    tamper(
        sealed,
        "DELETE FROM journal_entry WHERE subject IN ('D8', 'D9', 'D10', 'D11')",
        "DELETE FROM journal_checkpoint WHERE number = 2",
        "UPDATE journal_head SET number = 3, hash = (SELECT hash FROM journal_entry WHERE subject = 'D6') WHERE stream = 'beta'",
        "UPDATE journal_head SET number = 5, hash = (SELECT hash FROM journal_entry WHERE subject = 'D7') WHERE stream = 'acme'",
    )
    assert verify(sealed, None, KEY).ok
    verified = verify(sealed, None, KEY, witnessed=[witnessed])
    assert any("kept elsewhere" in fault for fault in verified.faults)
    assert any("entries are missing" in fault for fault in verified.faults)


def test_a_witnessed_checkpoint_of_another_key_proves_nothing(sealed: Database) -> None:
    other = Ed25519PrivateKey.generate()
    with sealed.read() as connection:
        newest = checkpoints.last(connection)
    assert newest is not None
    assert not checkpoints.is_signed(newest, other.public_key())
    assert not verify(sealed, None, other).ok
    assert verify(sealed, None, KEY.public_key(), witnessed=[newest]).ok


def test_archived_files_that_are_missing_or_altered_are_found(database: Database, tmp_path: Path) -> None:
    archive = FolderArchive(tmp_path / "archive")
    digests = archive.keep_many([b"whole", b"altered", b"missing"])
    with database.begin() as connection:
        journal.append(connection, [made(number, references=(digest,)) for number, digest in enumerate(digests)])
    assert verify(database, archive, None).files == 3
    (path,) = archive.folder.rglob(digests[1])
    path.write_bytes(b"alterEd")
    (path,) = archive.folder.rglob(digests[2])
    path.unlink()
    faults = verify(database, archive, None).faults
    assert [fault.partition(" (")[0] for fault in faults] == [
        f"the archive lacks the file {digests[2]}",
        f"the archive's file {digests[1]} was altered",
    ]
    assert all("by entry" in fault for fault in faults)


def test_sealing_twice_writes_one_checkpoint(database: Database) -> None:
    with database.begin() as connection:
        assert checkpoints.seal(connection, KEY, NOW) is None
        journal.append(connection, [made(1)])
        assert checkpoints.seal(connection, KEY, NOW) is not None
        assert checkpoints.seal(connection, KEY, NOW) is None


def test_a_checkpoint_in_steps_equals_one_at_once(database: Database) -> None:
    roots: list[str] = []
    hashes: list[bytes] = []
    for number in range(1, 18):
        with database.begin() as connection:
            journal.append(connection, [made(number)])
            checkpoint = checkpoints.seal(connection, KEY, NOW)
            assert checkpoint is not None
            roots.append(checkpoint.root)
            hashes = [bytes.fromhex(one.hash) for one in journal.after(connection, 0)]
    assert roots == [_root(hashes[:size]).hex() for size in range(1, 18)]


def _root(leaves: list[bytes]) -> bytes:
    """RFC 6962 2.1, as it is written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + _root(leaves[:split]) + _root(leaves[split:])).digest()


@given(st.lists(st.binary(max_size=8), max_size=70), st.integers(0, 70))
@hypothesis_settings(max_examples=60, deadline=None)
def test_the_tree_is_that_of_rfc_6962_also_when_it_is_laid_aside(data: list[bytes], pause: int) -> None:
    leaves = [leaf_hash(one) for one in data]
    tree = Tree()
    for number, leaf in enumerate(leaves):
        if number == pause:
            tree = Tree(tree.size, tree.frontier)
        tree.add(leaf)
    assert tree.root() == _root(leaves)


def test_the_tree_of_a_known_answer() -> None:
    # RFC 6962 test vectors as published with Certificate Transparency's reference code
    leaves = [b"", b"\x00", b"\x10", b"\x20\x21"]
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf_hash(leaf))
    assert tree.root().hex() == "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
    with pytest.raises(ValueError, match="complete subtrees"):
        Tree(3, [b""])


def test_writers_and_sealers_at_once_leave_a_journal_that_verifies(database: Database) -> None:
    failures: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001  told to the test's own thread
                failures.append(error)

        return run

    def append(stream: str) -> None:
        for number in range(10):
            with database.begin() as connection:
                journal.append(connection, [made(number, stream), made(number, "shared")])

    def seal() -> None:
        for _ in range(6):
            with database.begin() as connection:
                checkpoints.seal(connection, KEY, NOW)

    works = [lambda name=name: append(name) for name in ("a", "b", "c")] + [seal, seal]  # type: ignore[misc]
    threads = [threading.Thread(target=guarded(work)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with database.begin() as connection:
        checkpoints.seal(connection, KEY, NOW)
    verified = verify(database, None, KEY)
    assert verified.faults == []
    assert (verified.entries, verified.sealed, verified.streams) == (60, 60, 4)


def test_a_transaction_that_is_rolled_back_leaves_no_hole(database: Database) -> None:
    with database.begin() as connection:
        journal.append(connection, [made(1)])
    with pytest.raises(RuntimeError):
        with database.begin() as connection:
            journal.append(connection, [made(2), made(3, "beta")])
            raise RuntimeError
    with database.begin() as connection:
        journal.append(connection, [made(4)])
        savepoint = connection.begin_nested()
        journal.append(connection, [made(5)])
        savepoint.rollback()
        journal.append(connection, [made(6)])
    verified = verify(database, None, None)
    assert (verified.ok, verified.entries) == (True, 3)


def test_a_personal_value_can_be_proven_and_forgotten(database: Database) -> None:
    with database.begin() as connection:
        salt = journal.salt_of(connection, "partner:acme")
        assert journal.salt_of(connection, "partner:acme") == salt
        commitment = journal.commit_value(salt, "DE89370400440532013000")
        journal.append(connection, [made(1, commitments={"payer_account": commitment})])
        assert commitment == journal.commit_value(salt, "DE89370400440532013000")
        assert commitment != journal.commit_value(salt, "DE89370400440532013001")
        assert journal.forget_salt(connection, "partner:acme")
        assert not journal.forget_salt(connection, "partner:acme")
        assert journal.salt_of(connection, "partner:acme") != salt
    assert verify(database, None, None).ok


def test_a_spoilt_journal_needs_few_sentences(database: Database) -> None:
    with database.begin() as connection:
        journal.append(connection, [made(number) for number in range(500)])
    tamper(database, "UPDATE journal_entry SET entry = 'x'")
    faults = verify(database, None, None).faults
    assert len(faults) == 201
    assert faults[-1].startswith("and ")


def test_the_signing_key_is_made_once_and_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "journal.key"
    keys: list[Ed25519PrivateKey] = []
    threads = [threading.Thread(target=lambda: keys.append(load_or_make(path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({checkpoints.fingerprint(key.public_key()) for key in keys}) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["journal.key"]


def test_a_file_that_is_no_key_is_told_plainly(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    path = tmp_path / "journal.key"
    path.write_text("nonsense")
    with pytest.raises(OSError, match="no private key"):
        load_or_make(path)
    path.write_bytes(
        X25519PrivateKey.generate().private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    with pytest.raises(OSError, match="another kind of key"):
        load_or_make(path)


def test_thirty_thousand_entries_verify_in_about_a_second(sqlite_url: str) -> None:
    import time

    database = open_database(sqlite_url)
    for start in range(0, 30_000, 10_000):
        with database.begin() as connection:
            journal.append(connection, [made(number, f"s{number % 20}") for number in range(start, start + 10_000)])
    with database.begin() as connection:
        checkpoints.seal(connection, KEY, NOW)
    began = time.process_time()
    assert verify(database, None, KEY).ok
    assert is_quick(time.process_time() - began, 4)
    database.close()
