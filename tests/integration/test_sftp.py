"""The service with a partner at a real OpenSSH server: orders fetched, answers put there, servers that fail."""

import socket
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.outgoing import outbox
from gateway.store.records import documents
from gateway.store.verifying.verification import verify
from tests.integration.house import House
from tests.integration.house import Service
from tests.integration.house import acknowledged
from tests.integration.house import answered
from tests.integration.house import names
from tests.integration.house import texts
from tests.integration.house import until
from tests.integration.sftp_house import WRONG_KEY
from tests.integration.sftp_house import Mailbox
from tests.integration.sftp_house import give_key
from tests.integration.sftp_house import mailbox
from tests.integration.sftp_house import sftp_partner
from tests.machine import PATIENCE
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    with mailbox() as running:
        yield running


@pytest.fixture(scope="module")
def housing(box: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> House:
    """A good mailbox and one whose server shows another host key than the pinned one."""
    house = House(tmp_path_factory.mktemp("sftp"))
    give_key(house, box.server)
    house.partner("acme", sftp_partner("acme", "ACMEBUYER", box.server))
    house.partner("moved", sftp_partner("moved", "MOVED", box.server, out="moved", key=WRONG_KEY))
    return house


@pytest.fixture(scope="module")
def running(housing: House) -> Iterator[Service]:
    """A service of that house."""
    with housing.service() as service:
        yield service


def page(house: House, path: str = "/") -> str:
    """A page of the running service; nothing while its web process is still starting."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{house.port}{path}", timeout=PATIENCE) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def not_working(house: House) -> str:
    """The section of the first page that says what does not work; empty where there is none."""
    _, _, section = page(house).partition('id="not-working"')
    return section.partition("</section>")[0]


def by_sftp(tmp_path: Path, box: Mailbox, database: str | None = None) -> House:
    """An installation whose only partner is at the server."""
    house = House(tmp_path, database=database)
    give_key(house, box.server)
    house.partner("acme", sftp_partner("acme", "ACMEBUYER", box.server))
    return house


def test_an_order_in_the_mailbox_is_taken_and_answered_there(box: Mailbox, running: Service) -> None:
    box.put("po 1.edi", x12_order("PO1", control=1))
    until(lambda: answered(box.sent, "PO1") and acknowledged(box.sent, 1) == ["A"], "997 and 855")
    until(lambda: names(box.out) == [], "the remote file to be removed")
    assert [path.name for path in box.sent.iterdir() if path.name.startswith(".")] == []


def test_a_growing_file_waits_until_it_stands_still(box: Mailbox, running: Service) -> None:
    data = x12_order("PO2", control=2, lines=tuple((str(line), "1", "1.00", f"SKU{line}") for line in range(1, 200)))
    pieces = [data[start : start + 1000] for start in range(0, len(data), 1000)]
    with (box.out / "growing.edi").open("wb") as file:
        for piece in pieces:
            file.write(piece)
            file.flush()
            time.sleep(0.05)  # the sender's pace, not a wait for something
            assert (box.out / "growing.edi").exists() and not answered(box.sent, "PO2")
    until(lambda: answered(box.sent, "PO2"), "the order when it stands still")
    assert acknowledged(box.sent, 2) == ["A"]


def test_a_wrong_host_key_stops_that_mailbox_alone_and_the_log_says_so(box: Mailbox, running: Service) -> None:
    said = until(lambda: running.said("mailbox stopped"), "the log to say it")
    assert said["address"].endswith("/moved") and said["level"] == "error"
    assert WRONG_KEY in said["error"] and box.server.fingerprint("ed25519") in said["error"]
    box.put("po3.edi", x12_order("PO3", control=3))
    until(lambda: answered(box.sent, "PO3"), "the other mailbox's order")
    attempts = connections(box)
    box.put("po7.edi", x12_order("PO7", control=7))
    until(lambda: answered(box.sent, "PO7"), "its next order")
    assert len([line for line in running.lines() if line["event"] == "mailbox stopped"]) == 1
    assert connections(box) == attempts, "no login is tried again"


def connections(box: Mailbox) -> int:
    """How many connections ended before a login, as the server tells it."""
    log = box.server.home / "sshd.log"
    return log.read_text().count("Connection closed") if log.exists() else 0


def test_a_wrong_host_key_stands_on_the_first_page_with_its_cure(box: Mailbox, housing: House, running: Service) -> None:
    section = until(lambda: not_working(housing), "the page to show it")
    assert "/moved" in section and "is stopped" in section and box.server.fingerprint("ed25519") in section
    assert "gateway reload" in section and 'href="/partners/moved"' in section
    assert "/out<" not in section, "the good mailbox is not among them"
    assert 'gateway_not_working{kind="mailbox",state="stopped"} 1.0' in page(housing, "/metrics")
    told = housing.command("status")
    assert told.returncode == 4 and "/moved is stopped since" in told.stdout and "service: running" in told.stdout


def test_a_file_that_cannot_be_read_there_stops_no_other(box: Mailbox, running: Service) -> None:
    secret = box.out / "a secret.edi"
    secret.write_bytes(x12_order("PO4", control=4))
    secret.chmod(0)
    if secret.stat().st_uid == box.server.home.stat().st_uid:
        pytest.skip("needs root: a file that the server's user does not own")
    box.put("b.edi", x12_order("PO5", control=5))
    until(lambda: answered(box.sent, "PO5"), "the order behind the file that cannot be read")
    said = until(lambda: running.said("file not taken"), "the log to name the file")
    assert said["file"] == "a secret.edi" and "ermission" in said["error"]
    assert not answered(box.sent, "PO4")
    secret.chmod(0o644)
    until(lambda: answered(box.sent, "PO4"), "the file once it can be read")


def test_a_server_that_goes_away_and_comes_back_gets_everything_once(box: Mailbox, housing: House, running: Service) -> None:
    box.go_away()
    try:
        until(lambda: running.said("mailbox failed"), "the log to say that the server is away")
        until(lambda: "/out</code> of" in not_working(housing) and "tried again by itself" in not_working(housing), "the page to say so")
        box.put("po6.edi", x12_order("PO6", control=6))
    finally:
        box.come_back()
    until(lambda: answered(box.sent, "PO6") and acknowledged(box.sent, 6), "the order after the server came back")
    assert running.said("mailbox works again")
    until(lambda: "/out</code>" not in not_working(housing), "the page to say so no more")
    assert acknowledged(box.sent, 6) == ["A"]


def demand_everything_once(box: Mailbox, orders: list[str], first_control: int) -> None:
    """Seen from the partner: each order acknowledged and answered once, no control number twice, no unfinished file."""
    whole = texts(box.sent)
    counted = Counter(segment[3] for text in whole for segment in tags(text, "BAK"))
    assert {number: counted[number] for number in orders} == dict.fromkeys(orders, 1)
    for control in range(first_control, first_control + len(orders)):
        assert acknowledged(box.sent, control) == ["A"]
    controls = Counter(tags(text, "ISA")[0][13] for text in whole)
    assert set(controls.values()) == {1}
    assert [path.name for path in box.sent.iterdir() if path.name.startswith(".")] == []


@pytest.fixture
def own_box() -> Iterator[Mailbox]:
    with mailbox() as running:
        yield running


@pytest.mark.parametrize("point", ["62", "65"])
def test_killed_while_it_fetches_or_sends_nothing_is_lost_or_doubled(point: str, own_box: Mailbox, tmp_path: Path) -> None:
    """62: committed, still in the mailbox; 65: the answer has its final name, nobody has recorded it."""
    house = by_sftp(tmp_path, own_box)
    own_box.put("po.edi", x12_order("PO1", control=1))
    dying = house.start(env={"GATEWAY_CRASH_AT": point}, ready=False)
    try:
        assert dying.process.wait(PATIENCE) == -9, dying.text()
    finally:
        dying.kill()
    if point == "62":
        assert names(own_box.out) == ["po.edi"], "the remote file goes only after the commit"
    with house.service():
        until(lambda: answered(own_box.sent, "PO1") and acknowledged(own_box.sent, 1), "the answers of the next run")
        until(lambda: names(own_box.out) == [], "the remote file to be removed")
    demand_everything_once(own_box, ["PO1"], 1)


def test_killed_at_any_moment_under_load_nothing_is_lost_or_doubled(own_box: Mailbox, tmp_path: Path) -> None:
    house = by_sftp(tmp_path, own_box)
    orders = [f"PO{number}" for number in range(1, 13)]
    for control, number in enumerate(orders, 1):
        own_box.put(f"{number}.edi", x12_order(number, control=control))
    for share in (1, 12):
        service = house.start()
        try:
            until(lambda share=share: len(names(own_box.sent)) >= share, f"{share} answers")
        finally:
            service.kill()
    with house.service():
        until(lambda: all(answered(own_box.sent, number) for number in orders) and len(names(own_box.sent)) == 24, "all answers")
        until(lambda: names(own_box.out) == [], "the mailbox to be empty")
    demand_everything_once(own_box, orders, 1)
    with house.station() as station:
        assert verify(station.database, station.archive, station.journal_key()).ok


def test_the_same_through_postgresql(own_box: Mailbox, tmp_path: Path, postgres_url: str) -> None:
    house = by_sftp(tmp_path, own_box, postgres_url)
    own_box.put("po.edi", x12_order("PO1", control=1))
    with house.service() as service:
        until(lambda: answered(own_box.sent, "PO1") and acknowledged(own_box.sent, 1), "997 and 855")
        service.kill()
        own_box.put("po2.edi", x12_order("PO2", control=2))
    with house.service():
        until(lambda: answered(own_box.sent, "PO2") and acknowledged(own_box.sent, 2), "997 and 855 of the next run")
        until(lambda: names(own_box.out) == [], "the mailbox to be empty")
    demand_everything_once(own_box, ["PO1", "PO2"], 1)
    with house.station() as station, station.database.read() as connection:
        assert sorted(row.state for row in documents.search(connection, documents.Filters(kind="order"))) == ["accepted", "accepted"]


def test_a_server_that_accepts_and_says_nothing_holds_up_neither_others_nor_the_end(own_box: Mailbox, tmp_path: Path) -> None:
    house = by_sftp(tmp_path, own_box)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        house.partner("silent", sftp_partner("silent", "SILENT", own_box.server, port=silent.getsockname()[1]))
        with house.service() as service:
            own_box.put("po.edi", x12_order("PO1", control=1))
            until(lambda: answered(own_box.sent, "PO1") and acknowledged(own_box.sent, 1), "the answered order of the other partner")
            # handed in by command, so that the answer hangs at the silent server when the service is told to stop
            (tmp_path / "silent.edi").write_bytes(x12_order("PO2", control=2, sender="SILENT"))
            done = house.command("receive", "silent.edi")
            assert done.returncode == 0 and "order PO2: accepted" in done.stdout, done.stdout + done.stderr
            until(lambda: sending(house, "silent"), "an answer on its way")
            service.stop()
            assert service.said("steps were cut off, they are tried again at the next start")


def sending(house: House, partner: str) -> bool:
    """Whether an answer to a partner is being sent."""
    with house.station() as station, station.database.read() as connection:
        return any(entry.lease_token and entry.identity for entry in outbox.search(connection, partner=partner))


def test_what_waits_behind_a_wrong_host_key_leaves_when_the_pin_is_mended(own_box: Mailbox, tmp_path: Path) -> None:
    house = by_sftp(tmp_path, own_box)
    house.partner("acme", sftp_partner("acme", "ACMEBUYER", own_box.server, key=WRONG_KEY))
    for number in (1, 2):
        (tmp_path / f"po{number}.edi").write_bytes(x12_order(f"PO{number}", control=number))
    with house.service() as service:
        assert house.command("receive", "po1.edi", "po2.edi").returncode == 0
        said = until(lambda: service.said("endpoint stopped"), "the log to say that nothing is sent there")
        assert said["partner"] == "acme" and WRONG_KEY in said["error"] and "gateway reload" in said["cure"]
        assert len([line for line in service.lines() if line["event"] == "endpoint stopped"]) == 1
        section = until(lambda: not_working(house), "the page to show it")
        assert "acme:mailbox" in section and "is stopped" in section and "gateway reload" in section
    with house.station() as station, station.database.read() as connection:
        assert {row.state for row in outbox.search(connection)} <= {"waiting", "prepared"}, "nothing was given up"
    house.partner("acme", sftp_partner("acme", "ACMEBUYER", own_box.server))
    with house.service():
        until(lambda: answered(own_box.sent, "PO1") and answered(own_box.sent, "PO2") and len(names(own_box.sent)) == 4, "all answers")
    demand_everything_once(own_box, ["PO1", "PO2"], 1)


def test_an_account_that_was_mended_at_the_partner_goes_on_when_a_person_says_so(own_box: Mailbox, tmp_path: Path) -> None:
    """Nothing of ours changes by it, so nobody but a person can know; the service is not started again."""
    house = by_sftp(tmp_path, own_box)
    known = own_box.server.home / "client.pub"
    key = known.read_bytes()
    known.write_bytes(b"")
    own_box.put("po1.edi", x12_order("PO1", control=1))
    (tmp_path / "po2.edi").write_bytes(x12_order("PO2", control=2))
    with house.service() as service:
        until(lambda: service.said("mailbox stopped"), "the log to say that the login was refused")
        assert house.command("receive", "po2.edi").returncode == 0
        until(lambda: service.said("endpoint stopped"), "sending to be stopped as well")
        log = (own_box.server.home / "sshd.log").read_text()
        assert log.count("Connection closed by authenticating user") <= 1, "one login for polling and sending together"
        known.write_bytes(key)
        done = house.command("partner", "retry", "acme")
        assert done.returncode == 0, done.stderr
        until(lambda: answered(own_box.sent, "PO1") and answered(own_box.sent, "PO2") and len(names(own_box.sent)) == 4, "all answers")
        until(lambda: not not_working(house), "the page to say so no more")
    demand_everything_once(own_box, ["PO1", "PO2"], 1)
