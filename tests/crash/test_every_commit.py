"""Each work of the crash tests, killed before and after every commit (tests/crash/every_commit.py): seen from the partner and in the books,
nothing is lost, doubled or out of order. The walk from the order to the payment is killed likewise in test_points.py."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from datetime import datetime
from pathlib import Path

import pytest

from gateway.config import load_installation
from gateway.pipeline.station import open_station
from gateway.store.incoming import holds
from gateway.store.records import documents
from tests.crash import test_as2
from tests.crash import test_batch
from tests.crash import test_changes
from tests.crash import test_large
from tests.crash import test_links
from tests.crash import test_mailbox
from tests.crash import test_own_folders
from tests.crash import test_redelivering
from tests.crash.every_commit import World as Built
from tests.crash.every_commit import kill_at_every_commit
from tests.crash.house import ForkServer
from tests.crash.house import build
from tests.crash.house import empty
from tests.crash.house import inbox
from tests.crash.house import journal_faults
from tests.crash.undoing import responses
from tests.crash.walk import put
from tests.pipeline.as2_partner import PartnerStation
from tests.pipeline.as2_partner import Post
from tests.pipeline.as2_partner import Reply
from tests.pipeline.as2_partner import as2_world
from tests.pipeline.as2_partner import partner_station
from tests.pipeline.as2_partner import their_relation
from tests.pipeline.test_retention import turned_down
from tests.pipeline.test_webhooks import listening
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
from tests.pipeline.world import Clock
from tests.pipeline.world import World
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order
from tests.transport.dovecot import NEEDS
from tests.transport.dovecot import dovecot
from tests.transport.mail_server import smtp_server
from tests.transport.openssh import SSHD
from tests.transport.openssh import running_openssh

Demand = Callable[[], None]
#: walks that are begun on PostgreSQL, where one takes as long again
SAMPLE = 4
RESTING = ACME.replace("{send: x12/004010/855, to: box}", "{send: x12/004010/855, to: box, undo: 600}")
GLN = ', gln: "1234567890128"'
#: partners behind one folder, and one who is not
SENDERS = ("NORTH", "SOUTH", "NOBODY")


def demand_books(folder: Path) -> None:
    station = open_station(load_installation(folder / "config.yaml"))
    try:
        assert journal_faults(station) == []
    finally:
        station.close()


# ------------------------------------------------------------ folders, and what people do


@contextmanager
def changes(folder: Path, url: str) -> Iterator[Demand]:
    test_changes.built(folder.parent, url)
    yield lambda: _none(test_changes.faults(folder))


@contextmanager
def changing(folder: Path, url: str) -> Iterator[Demand]:
    test_changes.built(folder.parent, url)
    yield lambda: _none(test_changes.faults(folder, tries=2))


@contextmanager
def batch(folder: Path, url: str) -> Iterator[Demand]:
    build(folder, url, test_batch.HOURLY)
    for control in (1, 2, 3):
        put(folder / "boxes/acme/out", f"po{control}.edi", x12_order(f"PO{control}", control=control).decode())
    yield lambda: _none(test_batch.faults(folder))


@contextmanager
def redelivering(folder: Path, url: str) -> Iterator[Demand]:
    test_redelivering.built(folder.parent, url)
    yield lambda: _none(test_redelivering.faults(folder))


@contextmanager
def own_folders(folder: Path, url: str) -> Iterator[Demand]:
    test_own_folders.built(folder, url)
    yield lambda: test_own_folders.demand_once(folder)


@contextmanager
def large(folder: Path, url: str) -> Iterator[Demand]:
    build(folder, url, test_large.NO_RESPONSES)
    put(folder / "boxes/acme/out", "large.edi", test_large.large())
    yield lambda: test_large.demand_whole(folder)


@contextmanager
def undoing(folder: Path, url: str) -> Iterator[Demand]:
    build(folder, url, RESTING)
    for control in (1, 2):
        put(folder / "boxes/acme/out", f"po{control}.edi", x12_order(f"PO{control}", control=control).decode())

    def demand() -> None:
        texts = inbox(folder)
        # what was stopped left once, under a number of its own; what left again has the same bytes under the same name
        assert Counter(segment[3] for text in texts for segment in tags(text, "BAK")) == {"PO1": 1, "PO2": 1}
        assert sorted(int(tags(text, "ISA")[0][13]) for text in texts) == [1, 2, 3, 4]
        station = open_station(load_installation(folder / "config.yaml"))
        try:
            assert [row.state for row in responses(station, "PO1")] == ["sent", "sent"]
            assert [row.state for row in responses(station, "PO2")] == ["cancelled", "sent"]
            faults = [fault for fault in journal_faults(station) if "is cancelled" not in fault]
            assert faults == []
        finally:
            station.close()

    yield demand


@contextmanager
def behind_a_van(folder: Path, url: str) -> Iterator[Demand]:
    build(folder, url)
    (folder / "partners/acme.yaml").unlink()
    for name in SENDERS[:2]:
        text = ACME.replace("id: acme", f"id: {name.lower()}").replace("ACMEBUYER", name).replace(GLN, "")
        (folder / f"partners/{name.lower()}.yaml").write_text(text)
    outside = ACME.replace("id: acme", "id: nobody").replace("ACMEBUYER", "NOBODY").replace(GLN, "").replace("boxes/acme", "boxes/nobody")
    (folder / "partners/nobody.yaml").write_text(outside)
    for name in ("out", "in"):
        (folder / "boxes/nobody" / name).mkdir(parents=True)
    for control, name in enumerate(SENDERS, 1):
        put(folder / "boxes/acme/out", f"{name}.edi", x12_order(f"{name}-1", sender=name, control=control).decode())

    def demand() -> None:
        texts = inbox(folder)
        assert Counter(segment[3] for text in texts for segment in tags(text, "BAK")) == {"NORTH-1": 1, "SOUTH-1": 1}
        assert Counter((tags(text, "ISA")[0][8].strip(), segment[2]) for text in texts for segment in tags(text, "AK1")) == {
            ("NORTH", "1"): 1,
            ("SOUTH", "2"): 1,
        }
        station = open_station(load_installation(folder / "config.yaml"))
        try:
            with station.database.read() as connection:
                rows = documents.search(connection, documents.Filters(kind="order"))
                held = [problem.code for hold in holds.list_open(connection) for problem in hold.reasons]
            assert sorted((row.partner, row.number, row.state) for row in rows) == [
                ("north", "NORTH-1", "accepted"),
                ("south", "SOUTH-1", "accepted"),
            ]
            assert held == ["PARTNER-NOT-ENTITLED"]
            assert journal_faults(station) == []
        finally:
            station.close()

    yield demand


@contextmanager
def mailbox_folder(folder: Path, url: str) -> Iterator[Demand]:
    out, old = test_mailbox.lay_files(folder, url, None)
    yield lambda: test_mailbox.demand_taken_and_kept_once(folder, out, old)


# ------------------------------------------------------------ AS2


@contextmanager
def _as2(folder: Path, url: str, more: str = "", receive_from: str = "box") -> Iterator[tuple[World, PartnerStation]]:
    with partner_station() as partner:
        world = as2_world(folder, f"{partner.url}/as2", more.format(url=partner.url), url, receive_from)
        world.clock.now = datetime.now(UTC)
        yield world, partner
        assert journal_faults(world.station) == []
        world.close()


@contextmanager
def as2_out(folder: Path, url: str) -> Iterator[Demand]:
    with _as2(folder, url) as (world, partner):
        yield lambda: test_as2.demand_sent_once(world, partner)


@contextmanager
def as2_out_and_heard_later(folder: Path, url: str) -> Iterator[Demand]:
    with _as2(folder, url, test_as2.ASYNC) as (world, partner):

        def answer(post: Post) -> Reply:
            test_as2.keep_receipt(world, partner.receipt(post))
            return partner.taken(post)

        partner.answer = answer
        yield lambda: test_as2.demand_sent_once(world, partner)


@contextmanager
def as2_in(folder: Path, url: str) -> Iterator[Demand]:
    with _as2(folder, url, receive_from="as2") as (world, _):
        message = test_as2.put_message(world, their_relation())
        yield lambda: test_as2.demand_taken_once_and_receipted_at_once(world, message)


@contextmanager
def as2_in_and_receipted_later(folder: Path, url: str) -> Iterator[Demand]:
    with _as2(folder, url, "receipt_addresses: {url}/receipts", "as2") as (world, partner):
        partner.answer = lambda post: (200, (), b"") if post.path == "/receipts" else partner.receipt_at_once(post)
        relation = their_relation(receipt_delivery="async", our_receipt_url=f"{partner.url}/receipts")
        message = test_as2.put_message(world, relation)
        yield lambda: test_as2.demand_taken_once_and_receipted_later(world, partner, message, relation)


@contextmanager
def as2_together(folder: Path, url: str) -> Iterator[Demand]:
    with _as2(folder, url, receive_from="as2") as (world, _):
        for number in range(3):
            test_as2.put_message(world, their_relation(), f"message-{number}", f"PO{number}", f"{number}@buyer")
        yield lambda: test_as2.demand_each_taken_once(world, 3)


# ------------------------------------------------------------ SFTP, HTTPS, mail, webhooks


@contextmanager
def mailbox_sftp(folder: Path, url: str) -> Iterator[Demand]:
    with running_openssh() as server:
        out, old = test_mailbox.lay_files(folder, url, server)
        yield lambda: test_mailbox.demand_taken_and_kept_once(folder, out, old)


@contextmanager
def push(folder: Path, url: str) -> Iterator[Demand]:
    test_links.build(folder, url)
    yield lambda: _none(test_links.faults(folder, 2))


@contextmanager
def mail(folder: Path, url: str) -> Iterator[Demand]:
    with dovecot() as server, smtp_server() as post:
        test_links.build_with_mail(folder, url, server, post)

        def demand() -> None:
            test_links.demand_mail_taken_once(folder, server)
            assert len({str(post.read(index)["Message-ID"]) for index in range(len(post.mails))}) == 3

        yield demand


@contextmanager
def tell(folder: Path, url: str) -> Iterator[Demand]:
    ear, server = listening()
    test_links.build(folder, url, config=test_links.telling(ear))
    yield lambda: _none([] if test_links.demand_told_in_order(folder, ear) else ["nothing was told"])
    server.shutdown()
    server.server_close()


@contextmanager
def alert(folder: Path, url: str) -> Iterator[Demand]:
    with smtp_server() as post:
        config = f"mail: {{smtp: 'smtp://127.0.0.1:{post.port}', tls: none, from: edi@seller.example}}\nalerts: {{to: [ops@seller.example]}}\n"
        test_links.build(folder, url, config=config)

        def demand() -> None:
            mails = [post.read(index) for index in range(len(post.mails))]
            assert len({(mail["Message-ID"], mail.as_bytes()) for mail in mails}) == 1
            demand_books(folder)

        yield demand


# ------------------------------------------------------------ an installation is kept, moved, let go


def _commands(folder: Path, *commands: tuple[str, ...]) -> None:
    (folder / "commands.json").write_text(json.dumps(commands))


def _with_orders(folder: Path, url: str) -> World:
    world = World(folder, database=url)
    world.receive(x12_order("PO1"))
    world.receive(x12_order("PO2", control=2))
    return world


@contextmanager
def saved_and_restored(folder: Path, url: str) -> Iterator[Demand]:
    world = _with_orders(folder, url)
    sent = world.sent()
    world.close()
    again = folder.parent / "again"
    phrase = ("--passphrase", "env:PHRASE")
    into = ("--into", str(again), "--gap", "0", "--database", f"sqlite:///{again}/data/gateway.db")
    _commands(folder, ("backup", "b.zip", *phrase), ("restore", "b.zip", *phrase, *into))

    def demand() -> None:
        demand_books(folder)
        text = (again / "config.yaml").read_text()
        (again / "config.yaml").write_text("".join(line for line in text.splitlines(keepends=True) if not line.startswith("database")))
        restored = World(again, config=(again / "config.yaml").read_text())
        try:
            restored.settle()
            assert journal_faults(restored.station) == []
            with restored.station.database.read() as connection:
                rows = documents.search(connection, documents.Filters(kind="order"))
            assert sorted(row.number for row in rows) == ["PO1", "PO2"]
            assert restored.sent() == [] and world.sent() == sent, "nothing leaves once more"
        finally:
            restored.close()

    yield demand


@contextmanager
def moved(folder: Path, url: str) -> Iterator[Demand]:
    world = _with_orders(folder, url)
    world.close()
    target = f"sqlite:///{folder.parent}/new.db"
    _commands(folder, ("store", "migrate", "--to", target, "--archive", "database"))

    def demand() -> None:
        demand_books(folder)
        lines = [line for line in (folder / "config.yaml").read_text().splitlines() if not line.startswith("database")]
        (folder / "config.yaml").write_text("\n".join([*lines, f'database: "{target}"', "archive: database", ""]))
        shutil.rmtree(folder / "data/archive")
        demand_books(folder)

    yield demand


@contextmanager
def retained(folder: Path, url: str) -> Iterator[Demand]:
    world = World(folder, config=CONFIG + "retention: {payloads: 1d}\n", database=url, clock=Clock(datetime(2020, 3, 1, tzinfo=UTC)))
    taken = [turned_down(world, f"PO{number}", number) for number in (1, 2)]
    world.close()
    for file in (folder / "data/archive").rglob("*"):
        os.utime(file, (1_600_000_000, 1_600_000_000))
    _commands(folder, ("retention", "run"), ("store", "tidy"))

    def demand() -> None:
        for one in taken:
            assert not list((folder / "data/archive").rglob(one.transmission.sha256)), "what was due has left"
        demand_books(folder)

    yield demand


# ------------------------------------------------------------ a process among others


@contextmanager
def among_others(folder: Path, url: str) -> Iterator[Demand]:
    build(folder, url, ACME)
    with (folder / "config.yaml").open("a") as file:
        file.write("engine: cluster\ncluster: {heartbeat: 0.2, silence: 2}\n")
    for number in (1, 2, 3):
        put(folder / "boxes/acme/out", f"po{number}.edi", x12_order(f"PO{number}", control=number).decode())

    def demand() -> None:
        assert Counter(segment[3] for text in inbox(folder) for segment in tags(text, "BAK")) == {"PO1": 1, "PO2": 1, "PO3": 1}
        demand_books(folder)

    yield demand


def _none(faults: list[str]) -> None:
    assert faults == []


needs_sshd = pytest.mark.skipif(not SSHD.exists(), reason="no SFTP server here: apt-get install openssh-server")
CASES = [
    pytest.param("changes", changes, id="changes"),
    pytest.param("changing", changing, id="changes-of-an-order-that-fails-first"),
    pytest.param("batch", batch, id="batch"),
    pytest.param("redelivering", redelivering, id="redelivering"),
    pytest.param("own folders", own_folders, id="own-folders"),
    pytest.param("large", large, id="large"),
    pytest.param("undoing", undoing, id="undoing"),
    pytest.param("mailbox", behind_a_van, id="van"),
    pytest.param("mailbox", mailbox_folder, id="mailbox-folder"),
    pytest.param("mailbox", mailbox_sftp, id="mailbox-sftp", marks=needs_sshd),
    pytest.param("as2", as2_out, id="as2-out"),
    pytest.param("as2 both ways", as2_out_and_heard_later, id="as2-out-async"),
    pytest.param("as2 take", as2_in, id="as2-in"),
    pytest.param("as2 take", as2_in_and_receipted_later, id="as2-in-async"),
    pytest.param("as2 together", as2_together, id="as2-together"),
    pytest.param("push", push, id="push"),
    pytest.param("mail", mail, id="mail", marks=NEEDS),
    pytest.param("tell", tell, id="webhooks"),
    pytest.param("alert", alert, id="alerts"),
    pytest.param("commands", saved_and_restored, id="backup"),
    pytest.param("commands", moved, id="moved"),
    pytest.param("commands", retained, id="retention"),
]


@pytest.mark.storm
@pytest.mark.parametrize(("work", "world"), CASES)
def test_killed_at_every_commit_on_sqlite(work: str, world: Built, quick: Path, sqlite_files: Callable[[Path], str], forks: ForkServer) -> None:
    kill_at_every_commit(work, world, quick, sqlite_files, forks)


@pytest.mark.storm
@pytest.mark.parametrize(("work", "world"), [*CASES, pytest.param("cluster", among_others, id="cluster")])
def test_killed_at_some_commits_on_postgresql(work: str, world: Built, quick: Path, migrated_postgres_url: str, forks: ForkServer) -> None:
    def url(folder: Path) -> str:
        empty(migrated_postgres_url)
        return migrated_postgres_url

    kill_at_every_commit(work, world, quick, url, forks, SAMPLE)
