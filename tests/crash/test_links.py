"""Killed while files come by HTTPS and mail and events leave by webhook, then begun again: each file once, each event at least once, in order."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config import load_installation
from gateway.pipeline.station import open_station
from gateway.store.incoming import transmissions
from gateway.store.outgoing import pickups
from gateway.store.outgoing import webhooks
from gateway.store.records import documents
from tests.crash.house import ForkServer
from tests.crash.house import journal_faults
from tests.crash.links import KEY
from tests.pipeline.test_mail import letter
from tests.pipeline.test_webhooks import Ear
from tests.pipeline.test_webhooks import listening
from tests.pipeline.world import CONFIG
from tests.pipeline.world import x12_order
from tests.transport.dovecot import NEEDS
from tests.transport.dovecot import PASSWORD
from tests.transport.dovecot import Dovecot
from tests.transport.dovecot import dovecot
from tests.transport.mail_server import Post
from tests.transport.mail_server import smtp_server

PARTNER = """\
id: acme
name: ACME Corporation
identifiers: {{x12: "ZZ:ACMEBUYER"}}
endpoints:
  push: {{https: receive, api_keys: ["file:secrets/key"]}}
{more}agreements:
  - {{receive: x12/004010/850, acknowledge: "997"}}
  - {{send: x12/004010/855, to: push}}
currency: USD
tax: none
credit: none
"""


def build(folder: Path, database_url: str, more: str = "", config: str = "") -> None:
    (folder / "partners").mkdir(parents=True)
    (folder / "secrets").mkdir()
    for name, secret in (("key", KEY), ("mail", PASSWORD), ("hook", "s" * 32)):
        (folder / "secrets" / name).write_text(secret)
    (folder / "config.yaml").write_text(f'{CONFIG}{config}database: "{database_url}"\n')
    (folder / "partners" / "acme.yaml").write_text(PARTNER.format(more=more))


def faults(folder: Path, orders: int, *, acknowledged_by_mail: bool = False) -> list[str]:
    """Each file once, each order once, each answer once; the journal whole and nothing left to do."""
    station = open_station(load_installation(folder / "config.yaml"))
    try:
        found = journal_faults(station)
        with station.database.read() as connection:
            came = transmissions.search(connection, direction="in")
            known = [(row.number, row.state) for row in documents.search(connection, documents.Filters(kind="order"))]
            ready = sorted(one.name.partition("-")[0] for one in pickups.waiting(connection, "https:acme"))
        if sorted(row.name for row in came) != [f"po{number}.edi" for number in range(1, orders + 1)]:
            found.append(f"came: {[row.name for row in came]}")
        if sorted(known) != [(f"PO{number}", "accepted") for number in range(1, orders + 1)]:
            found.append(f"orders: {known}")
        if ready != ["855"] * orders + ["997"] * (0 if acknowledged_by_mail else orders):
            found.append(f"laid ready: {ready}")
    finally:
        station.close()
    return found


@pytest.mark.parametrize("point", ["90", "91"])
def test_killed_while_a_file_is_pushed_it_is_taken_once(point: str, tmp_path: Path, database_url: str, forks: ForkServer) -> None:
    _push_and_push_again(point, tmp_path, database_url, forks)


@pytest.mark.parametrize("point", ["14", "23", "25:1", "26:1", "56", "57"])
def test_killed_before_or_after_a_file_is_pushed_it_is_taken_once(point: str, tmp_path: Path, sqlite_url: str, forks: ForkServer) -> None:
    _push_and_push_again(point, tmp_path, sqlite_url, forks)


def _push_and_push_again(point: str, tmp_path: Path, database_url: str, forks: ForkServer) -> None:
    folder = tmp_path / "installation"
    build(folder, database_url)
    assert forks.run("push", folder, point) == -signal.SIGKILL
    assert forks.run("push", folder) == 0
    assert faults(folder, 2) == []
    told = json.loads((folder / "answer.json").read_bytes())["files"]
    station = open_station(load_installation(folder / "config.yaml"))
    with station.database.read() as connection:
        assert all(transmissions.get(connection, one["id"]) is not None for one in told), "what was answered is what was taken"
    station.close()
    assert forks.run("push", folder) == 0, "the same again"
    assert faults(folder, 2) == []


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot() as running:
        yield running


@NEEDS
@pytest.mark.parametrize("point", ["92", "93"])
def test_killed_while_mail_is_taken_in_each_attachment_is_taken_once(
    point: str, tmp_path: Path, database_url: str, forks: ForkServer, server: Dovecot
) -> None:
    _look_and_look_again(point, tmp_path, database_url, forks, server)


@NEEDS
@pytest.mark.parametrize("point", ["20", "21", "22", "60", "61", "92:2", "93:2", "56"])
def test_killed_at_other_moments_of_mail_each_attachment_is_taken_once(
    point: str, tmp_path: Path, sqlite_url: str, forks: ForkServer, server: Dovecot
) -> None:
    _look_and_look_again(point, tmp_path, sqlite_url, forks, server)


def _look_and_look_again(point: str, tmp_path: Path, database_url: str, forks: ForkServer, server: Dovecot) -> None:
    folder = tmp_path / "installation"
    with smtp_server() as post:
        build_with_mail(folder, database_url, server, post)
        assert forks.run("mail", folder, point) == -signal.SIGKILL
        assert forks.run("mail", folder) == 0
        demand_mail_taken_once(folder, server)
        ids = [str(post.read(index)["Message-ID"]) for index in range(len(post.mails))]
    assert len(set(ids)) == 3 and len(ids) == (4 if point == "56" else 3), "a mail that was not recorded goes out again under the same identity"


def build_with_mail(folder: Path, database_url: str, server: Dovecot, post: Post) -> None:
    """Two mails with three orders wait in a mailbox of their own."""
    user = _user(folder)
    more = (
        f'  post: {{mail: "imaps://127.0.0.1:{server.tls_port}/INBOX", user: {user}, password: "file:secrets/mail", send_to: orders@acme.example, '
        f'authorities: "{server.authorities}", from: orders@acme.example, after: archive, archive_to: Taken}}\n'
    )
    build(folder, database_url, more, f'mail: {{smtp: "smtp://127.0.0.1:{post.port}", tls: none, from: edi@seller.example}}\n')
    server.put(letter(("po1.edi", x12_order("PO1", control=1)), ("po2.edi", x12_order("PO2", control=2))), user)
    server.put(letter(("po3.edi", x12_order("PO3", control=3)), id="2@acme.example"), user)


def demand_mail_taken_once(folder: Path, server: Dovecot) -> None:
    assert server.mails(_user(folder)) == [] and len(server.mails(_user(folder), "Taken")) == 2
    assert faults(folder, 3, acknowledged_by_mail=True) == []


def _user(folder: Path) -> str:
    return f"u{abs(hash(str(folder)))}"


@pytest.mark.parametrize("point", ["132", "133"])
def test_killed_while_people_are_told_they_are_told_once_more_at_most_and_the_same(
    point: str, tmp_path: Path, database_url: str, forks: ForkServer
) -> None:
    folder = tmp_path / "installation"
    with smtp_server() as post:
        mail = f"mail: {{smtp: 'smtp://127.0.0.1:{post.port}', tls: none, from: edi@seller.example}}\nalerts: {{to: [ops@seller.example]}}\n"
        build(folder, database_url, config=mail)
        assert forks.run("alert", folder, point) == -signal.SIGKILL
        assert len(post.mails) == (0 if point == "132" else 1)
        for _ in range(2):
            assert forks.run("alert", folder) == 0
        mails = [post.read(index) for index in range(len(post.mails))]
    assert len(mails) == (1 if point == "132" else 2)
    assert len({(mail["Message-ID"], mail.as_bytes()) for mail in mails}) == 1


@pytest.fixture
def ear() -> Iterator[Ear]:
    made, running = listening()
    yield made
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize("point", ["95", "94", "94:3"])
def test_killed_while_events_are_told_each_arrives_and_in_order(point: str, tmp_path: Path, database_url: str, forks: ForkServer, ear: Ear) -> None:
    folder = tmp_path / "installation"
    build(folder, database_url, config=telling(ear))
    assert forks.run("tell", folder, point) == -signal.SIGKILL
    assert forks.run("tell", folder) == 0
    told = demand_told_in_order(folder, ear)
    assert len(ear.heard) == told + (0 if point == "95" else 1), "only the one that was not recorded comes again"


def telling(ear: Ear) -> str:
    """Whom to tell, for config.yaml."""
    return f'webhooks:\n  - {{name: erp, url: "http://127.0.0.1:{ear.port}/", private: true, secret: "file:secrets/hook"}}\n'


def demand_told_in_order(folder: Path, ear: Ear) -> int:
    """How many different events were told."""
    assert faults(folder, 2) == []
    first: dict[str, bytes] = {}
    for headers, body in ear.heard:
        assert first.setdefault(headers["Gateway-Event"], body) == body, "the same event has the same bytes on every try"
    station = open_station(load_installation(folder / "config.yaml"))
    with station.database.read() as connection:
        rows = sorted(webhooks.latest(connection), key=lambda row: row.position)
    station.close()
    assert [row.id for row in rows] == list(first) and {row.state for row in rows} == {"sent"}
    assert [json.loads(body)["type"] for body in first.values()].count("document.accepted") == 2
    return len(first)
