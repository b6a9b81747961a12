"""`gateway backup` and `gateway restore`: one consistent file, an installation out of it, and nothing sent twice under another identity."""

import json
import os
import shlex
import shutil
import stat
import subprocess
import threading
import zipfile
from pathlib import Path

import pytest

from gateway.config import load_installation
from gateway.pipeline.keeping.saved_files import saved_files
from gateway.store.verifying.keys import load_or_make
from tests.cli.conftest import Command
from tests.crash.test_full_disk import until
from tests.machine import free_port
from tests.pipeline.as2_partner import write_keys
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHRASE", "correct horse battery staple")


@pytest.fixture
def world(tmp_path: Path):
    made = World(tmp_path / "first")
    yield made
    made.close()


def saved(world: World, command: Command, name: str = "b.zip", *more: str) -> Path:
    out = world.folder.parent / name
    said = command("backup", out, "--passphrase", "env:PHRASE", "--config", world.folder / "config.yaml", *more)
    assert said.code == 0, said.err
    return out


def restored(command: Command, backup: Path, into: Path, *more: str) -> World:
    said = command("restore", backup, "--into", into, "--passphrase", "env:PHRASE", *more)
    assert said.code == 0, said.err + said.out
    assert (into / "config.yaml").read_text() == CONFIG
    # the same files as those restored, and the boxes that are the partner's
    return World(into)


def identities(*worlds: World) -> dict[str, set[str]]:
    """Order number -> control numbers of the 855s that the partner got for it, in any of its boxes."""
    found: dict[str, set[str]] = {}
    for world in worlds:
        for text in world.sent():
            for segment in tags(text, "BAK"):
                found.setdefault(segment[3], set()).add(tags(text, "ISA")[0][13])
    return found


def test_what_was_saved_comes_back_and_goes_on(world: World, command: Command, tmp_path: Path) -> None:
    world.receive(x12_order("PO1"))
    backup = saved(world, command)
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    second = restored(command, backup, tmp_path / "second", "--gap", "0")
    config = ("--config", second.folder / "config.yaml")
    assert command("journal", "verify", *config).code == 0
    assert "order PO1" in command("trail", "PO1", *config).out
    assert stat.S_IMODE((second.folder / "data" / "keys" / "journal.key").stat().st_mode) == 0o600
    assert (second.folder / "partners" / "acme.yaml").read_text() == (world.folder / "partners" / "acme.yaml").read_text()
    # the same file again is known; another one is answered, under the number that follows
    second.receive(x12_order("PO1"), name="again.edi")
    second.receive(x12_order("PO2", control=2))
    assert set(identities(second)) == {"PO2"}
    last = max(int(tags(text, "ISA")[0][13]) for text in world.sent())
    assert all(int(tags(text, "ISA")[0][13]) > last for text in second.sent())
    second.close()


def test_numbers_go_on_behind_a_gap_and_nothing_leaves_before_a_person_has_compared(world: World, command: Command, tmp_path: Path) -> None:
    world.receive(x12_order("PO1"))
    backup = saved(world, command)
    # after the backup: one more order is answered, then the disk is lost
    world.receive(x12_order("PO2", control=2))
    world.close()
    used = {int(tags(text, "ISA")[0][13]) for text in world.sent()}
    said = command("restore", backup, "--into", tmp_path / "json", "--passphrase", "env:PHRASE", "--json")
    told = json.loads(said.out)
    assert told["paused"] == ["acme"]
    assert any("->" in words for words in told["numbers"].values())
    second = restored(command, backup, tmp_path / "second")
    # the partner sends what it is asked for again: new here, and answered, but nothing leaves yet
    second.receive(x12_order("PO2", control=2))
    second.receive(x12_order("PO3", control=3))
    assert second.sent() == []
    # PO2's answers were there already: a person stops them, then lets the rest go
    waiting = [json.loads(line) for line in command("outbox", "list", "--json", "--config", second.folder / "config.yaml").out.splitlines()]
    assert waiting
    second.close()
    command("partner", "resume", "acme", "--config", second.folder / "config.yaml")
    second.settle()
    numbers = {int(tags(text, "ISA")[0][13]) for text in second.sent()}
    assert numbers
    assert not numbers & used
    assert min(numbers) > max(used) + 500
    config = ("--config", second.folder / "config.yaml")
    assert command("journal", "verify", *config).code == 0
    second.close()


def test_a_backup_of_a_working_installation_is_one_moment(tmp_path: Path, command: Command, database_url: str, monkeypatch) -> None:
    """On both databases; what was PostgreSQL with its payloads becomes SQLite."""
    of_server = database_url.startswith("postgresql")
    world = World(tmp_path / "first", config=CONFIG + ("archive: database\n" if of_server else ""), database=database_url if of_server else None)
    world.station.database.migrate()
    stop = threading.Event()

    def work() -> None:
        busy = World(world.folder, config=world.config, database=world.database)
        number = 1
        while not stop.is_set() and number < 200:
            busy.receive(x12_order(f"PO{number}", control=number), name=f"{number}.edi")
            number += 1
        busy.close()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        until(lambda: len(identities(world)) > 0)
        backups = [saved(world, command, f"{number}.zip") for number in range(2 - of_server)]
    finally:
        stop.set()
        worker.join()
    partner = identities(world)
    for number, backup in enumerate(backups):
        into = tmp_path / f"r{number}"
        said = command(
            *("restore", backup, "--into", into, "--passphrase", "env:PHRASE", "--gap", "0", "--database", f"sqlite:///{into}/data/gateway.db")
        )
        assert said.code == 0, said.err + said.out
        text = (into / "config.yaml").read_text()
        (into / "config.yaml").write_text("".join(line for line in text.splitlines(keepends=True) if not line.startswith("database")))
        second = World(into, config=(into / "config.yaml").read_text())
        second.settle()
        assert command("journal", "verify", "--config", into / "config.yaml").code == 0
        # what had its identity leaves under the same one
        again = identities(second)
        assert all(len(found) == 1 for found in again.values())
        second.close()
    assert partner and all(len(found) == 1 for found in partner.values())
    world.close()


def test_a_large_archive_is_left_to_another_tool(world: World, command: Command, tmp_path: Path) -> None:
    """`--without-payloads`: what is not in the archive's place is named, and who has no such place is told."""
    world.receive(x12_order("PO1"))
    backup = saved(world, command, "rows.zip", "--without-payloads")
    said = command("restore", backup, "--into", tmp_path / "third", "--passphrase", "env:PHRASE", "--gap", "0")
    assert said.code == 1 and "lacks" in said.err and "the payloads. What is not in the archive's place is named as missing" in said.out
    (world.folder / "config.yaml").write_text(CONFIG + "archive: database\n")
    said = command("backup", tmp_path / "no.zip", "--without-payloads", "--config", world.folder / "config.yaml")
    assert said.code == 2 and "payloads lie in the database" in said.err
    assert not (tmp_path / "no.zip").exists()


@pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync: apt-get install rsync")
def test_rows_and_a_copied_archive_come_back_as_the_page_says(world: World, command: Command, tmp_path: Path) -> None:
    """The two lines of docs/operations/backup.md, again and again: the second copies what is new."""
    page = (Path(__file__).parents[2] / "docs/operations/backup.md").read_text()
    [rows, copy] = [line for line in page.splitlines() if line.startswith(("gateway backup /", "rsync "))]
    there = tmp_path / "there"
    (there / "archive").mkdir(parents=True)

    def save(name: str, between: bytes) -> tuple[Path, int]:
        """Run both, an order comes in between; how many payloads were copied."""
        _, _, out, *options = shlex.split(rows.replace("rows-monday", name).replace("file:/root/backup-passphrase", "env:PHRASE"))
        out = out.replace("/backups", str(there))
        assert command("backup", out, *options, "--config", world.folder / "config.yaml").code == 0
        world.receive(between)
        line = shlex.split(copy.replace("backup.internal:/backups", str(there)).replace("data/archive/ ", f"{world.folder}/data/archive/ "))
        done = subprocess.run([*line, "--itemize-changes"], check=True, capture_output=True, text=True)
        return Path(out), sum(one.startswith(">f") for one in done.stdout.splitlines())

    world.receive(x12_order("PO1"))
    (world.folder / "data/archive/incoming/half").write_bytes(b"half")
    save("monday", x12_order("PO2", control=2))
    [cut, *_] = [path for path in (there / "archive").rglob("*") if path.is_file()]
    cut.write_bytes(b"")
    tuesday, copied = save("tuesday", x12_order("PO3", control=3))
    kept = len(list((there / "archive").rglob("*/*")))
    assert 1 < copied < kept and cut.stat().st_size and not (there / "archive/incoming").exists()
    into = tmp_path / "second"
    shutil.copytree(there / "archive", into / "data/archive")
    second = restored(command, tuesday, into, "--gap", "0")
    for number in ("PO1", "PO2"):
        assert f"order {number}" in command("trail", number, "--config", into / "config.yaml").out
    second.receive(x12_order("PO3", control=3))
    assert set(identities(second)) == {"PO3"}, "what came after the rows is worked on as new"
    second.close()
    # a copy that was changed meanwhile, without another size
    data = bytearray(cut.read_bytes())
    data[0] ^= 1
    cut.chmod(0o600)
    cut.write_bytes(data)
    shutil.copytree(there / "archive", tmp_path / "third/data/archive")
    said = command("restore", tuesday, "--into", tmp_path / "third", "--passphrase", "env:PHRASE", "--gap", "0")
    assert said.code == 1 and cut.name in said.out + said.err


def test_a_payload_of_noughts_alone_comes_back(world: World, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.keeping.backup_file._SMALL", 1 << 20)
    sha256 = world.station.archive.keep(bytes(30 << 20))
    second = restored(command, saved(world, command), tmp_path / "second", "--gap", "0")
    assert second.station.archive.verify(sha256)
    second.close()


def test_what_comes_to_a_server_needs_no_room_here(
    world: World, command: Command, tmp_path: Path, migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.receive(x12_order("PO1"))
    backup = saved(world, command)
    monkeypatch.setattr("gateway.pipeline.keeping.restoring.shutil.disk_usage", lambda folder: shutil._ntuple_diskusage(1, 1, 0))
    said = command("restore", backup, "--into", tmp_path / "no", "--passphrase", "env:PHRASE")
    assert said.code == 4 and "the backup needs" in said.err
    (world.folder / "config.yaml").write_text(CONFIG + "archive: database\n")
    backup = saved(world, command, "in-database.zip")
    said = command("restore", backup, "--into", tmp_path / "pg", "--passphrase", "env:PHRASE", "--database", migrated_postgres_url)
    assert "the backup needs" not in said.err


def test_postgresql_and_sqlite_restore_into_each_other(
    world: World, command: Command, tmp_path: Path, migrated_postgres_url: str, monkeypatch
) -> None:
    world.receive(x12_order("PO1"))
    backup = saved(world, command)
    said = command("restore", backup, "--into", tmp_path / "pg", "--passphrase", "env:PHRASE", "--database", migrated_postgres_url, "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["verification"]["ok"]
    monkeypatch.setenv("PG", migrated_postgres_url)
    (tmp_path / "pg" / "config.yaml").write_text(CONFIG + "database: env:PG\narchive: database\n")
    said = command("backup", tmp_path / "from-pg.zip", "--config", tmp_path / "pg" / "config.yaml")
    assert said.code == 0, said.err
    said = command("restore", tmp_path / "from-pg.zip", "--into", tmp_path / "back", "--database", f"sqlite:///{tmp_path}/back/data/gateway.db")
    # the archive of this config was the (empty) database: the files in data/archive stayed behind, and that is told
    assert said.code == 1
    assert "lacks" in said.err
    # somebody's own database is never written over
    said = command("restore", backup, "--into", tmp_path / "no", "--passphrase", "env:PHRASE", "--database", migrated_postgres_url)
    assert said.code == 4
    assert "holds an installation already" in said.err


def test_nothing_is_written_over(world: World, command: Command, tmp_path: Path) -> None:
    world.receive(x12_order("PO1"))
    backup = saved(world, command)
    assert command("backup", backup, "--config", world.folder / "config.yaml").code == 2
    said = command("restore", backup, "--into", world.folder, "--passphrase", "env:PHRASE")
    assert said.code == 4
    assert "holds an installation already" in said.err
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.yaml").write_text("us: {name: Other}\n")
    said = command("restore", backup, "--into", tmp_path / "other", "--passphrase", "env:PHRASE")
    assert said.code == 4
    assert "config.yaml is there already and different" in said.err
    assert sorted(path.name for path in (tmp_path / "other").iterdir()) == ["config.yaml"]


def test_certificates_that_partners_name_come_back_also_while_a_partner_has_a_fault(world: World, command: Command, tmp_path: Path) -> None:
    write_keys(world.folder)
    endpoint = "endpoints:\n  as2:\n    as2: https://x.example/as2\n    name: OTHER\n    our_name: US\n    our_key: file:keys/us.key\n    our_certificate: keys/us.pem\n"
    (world.folder / "partners" / "other.yaml").write_text(
        f'id: other\nnaame: Other\nidentifiers: {{x12: "ZZ:OTHER"}}\n{endpoint}    certificates: [{{file: keys/them.pem}}]\n'
    )
    found, outside = saved_files(load_installation(world.folder / "config.yaml"))
    assert {(file.name, file.secret) for file in found if "keys/" in file.name} == {
        ("secrets/files/keys/us.key", True),
        ("files/keys/us.pem", False),
        ("files/keys/them.pem", False),
    }
    assert outside == []
    (world.folder / "partners" / "other.yaml").write_text((world.folder / "partners" / "other.yaml").read_text().replace("naame", "name"))
    into = tmp_path / "back"
    restored(command, saved(world, command), into).close()
    for name in ("us.key", "us.pem", "them.pem"):
        assert (into / "keys" / name).read_bytes() == (world.folder / "keys" / name).read_bytes()


def test_keys_are_sealed_or_left_out(world: World, command: Command, tmp_path: Path) -> None:
    world.receive(x12_order("PO1"))
    (world.folder / "keys").mkdir()
    (world.folder / "keys" / "s3").write_text("very secret")
    (world.folder / "partners" / "stray.pem").write_text("-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n")
    (world.folder / "config.yaml").write_text(CONFIG + 'archive: {url: "s3://x/y", key: "file:keys/s3", secret: "file:keys/s3"}\n')
    world.station.journal_key()
    found, outside = saved_files(load_installation(world.folder / "config.yaml"))
    assert {file.name for file in found if file.secret} == {"secrets/keys/journal.key", "secrets/files/keys/s3", "secrets/files/partners/stray.pem"}
    assert outside == []
    (world.folder / "config.yaml").write_text(f"{CONFIG}inbox: {{bank: inbox/bank}}\n")
    backup = saved(world, command)
    with zipfile.ZipFile(backup) as opened:
        assert all(b"PRIVATE KEY" not in opened.read(name) for name in opened.namelist())
    said = command("restore", backup, "--into", tmp_path / "wrong")
    assert said.code == 4
    assert "--passphrase" in said.err
    os.environ["PHRASE"] = "another"
    said = command("restore", backup, "--into", tmp_path / "wrong", "--passphrase", "env:PHRASE")
    assert said.code == 4
    assert "does not open" in said.err
    said = command("backup", tmp_path / "bare.zip", "--config", world.folder / "config.yaml")
    assert "Not in it: the keys" in said.out
    said = command("restore", tmp_path / "bare.zip", "--into", tmp_path / "bare", "--gap", "0")
    assert said.code == 0, said.err
    assert "put it back as" in said.out
    said_restored = said.out
    # another program may have that port
    (tmp_path / "bare" / "config.yaml").write_text(CONFIG.replace("18999", str(free_port())))
    assert (tmp_path / "bare" / "inbox/bank").is_dir(), "ours as well"
    # no new key is made unseen, and nothing is taken in that could not be sealed
    for asked in (("journal", "verify"), ("run",)):
        said = command(*asked, "--config", tmp_path / "bare" / "config.yaml")
        assert said.code == 4
        assert "was not in the backup" in said.err
    # what backup advised is not said again, and partners find their folders
    assert "somewhere else" not in said_restored and "Put back the files that `file:` names" in said_restored
    assert "Made the folders of partners and of your own systems: " in said_restored and (tmp_path / "bare" / "boxes/acme/out").is_dir()
    key = tmp_path / "bare" / "data" / "keys" / "journal.key"
    load_or_make(tmp_path / "another.key")
    shutil.copy(tmp_path / "another.key", key)
    said = command("journal", "verify", "--config", tmp_path / "bare" / "config.yaml")
    assert (said.code, said.err.count("another key than the one that signed")) == (4, 1)
    shutil.copy(world.folder / "data" / "keys" / "journal.key", key)
    assert command("journal", "verify", "--config", tmp_path / "bare" / "config.yaml").code == 0
    assert [path.name for path in key.parent.iterdir()] == ["journal.key"]


def _spoilt(backup: Path, out: Path, change) -> Path:
    with zipfile.ZipFile(backup) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            for changed, data in change(name, source.read(name)):
                target.writestr(changed, data)
    return out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda name, data: [(name, data), ("config/../../evil", b"x")] if name == "manifest.json" else [(name, data)], "nothing of ours is named"),
        (lambda name, data: [(name, data), ("/etc/evil", b"x")] if name == "manifest.json" else [(name, data)], "nothing of ours is named"),
        (lambda name, data: [(name, data.replace(b"accepted", b"rejected"))], "is not the one that was saved|is not the file that was saved"),
        (lambda name, data: [] if name == "tables/document.jsonl" else [(name, data)], "it has no tables/document.jsonl"),
        (lambda name, data: [(name, data), ("config/bomb", bytes(200 << 20))] if name == "manifest.json" else [(name, data)], "bytes would become"),
        (lambda name, data: [] if name == "manifest.json" else [(name, data)], "has no manifest.json"),
        (lambda name, data: [(name, data + b" ")] if name == "config/partners/acme.yaml" else [(name, data)], "is not the file that was saved"),
    ],
    ids=["climbs", "absolute", "altered", "cut", "bomb", "bare", "file"],
)
def test_what_is_no_backup_is_refused(world: World, command: Command, tmp_path: Path, change, said: str) -> None:
    import re

    world.receive(x12_order("PO1"))
    spoilt = _spoilt(saved(world, command), tmp_path / "spoilt.zip", change)
    result = command("restore", spoilt, "--into", tmp_path / "into", "--passphrase", "env:PHRASE")
    assert result.code == 4
    assert re.search(said, result.err), result.err
    assert "Traceback" not in result.err
    assert not (tmp_path / "evil").exists()


def test_half_a_file_and_something_else_are_refused(world: World, command: Command, tmp_path: Path) -> None:
    world.receive(x12_order("PO1"))
    backup = saved(world, command)
    for name, data in (("half.zip", backup.read_bytes()[:-300]), ("no.zip", b"hello")):
        (tmp_path / name).write_bytes(data)
        said = command("restore", tmp_path / name, "--into", tmp_path / "into")
        assert (said.code, "is no backup of the gateway" in said.err) == (4, True)
