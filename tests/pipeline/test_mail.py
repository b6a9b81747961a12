"""Mail in from a real server and out to a real one: known senders, strangers, forgers, files that are not opened, and the same mail again."""

import hashlib
import os
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from gateway.pipeline.arriving import mail_receiving
from gateway.pipeline.outbound.mail_sending import message_id
from gateway.pipeline.outbox.circuits import Resting
from gateway.store import journal
from gateway.store.incoming import holds
from gateway.store.incoming import transmissions
from gateway.store.outgoing import outbox
from gateway.store.records import documents
from gateway.store.verifying.verification import verify
from gateway.store.watching import troubles
from gateway.transport.box import FileTrouble
from gateway.transport.box import TransportError
from gateway.transport.imap import ImapMailbox
from tests.machine import PATIENCE
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.transport.dovecot import NEEDS
from tests.transport.dovecot import PASSWORD
from tests.transport.dovecot import Dovecot
from tests.transport.dovecot import dovecot
from tests.transport.mail_server import Post
from tests.transport.mail_server import smtp_server

pytestmark = NEEDS
PARTNER = """\
id: {id}
name: {id}
identifiers: {{x12: "ZZ:{identity}"}}
endpoints:
  post: {{mail: "imaps://127.0.0.1:{port}/INBOX", user: {user}, password: env:MAIL_PASSWORD, authorities: "{authorities}", from: {senders}, send_to: {to}{more}}}
agreements:
  - {{receive: x12/004010/850, from: post, acknowledge: "997"}}
  - {{send: x12/004010/855, to: post}}
currency: USD
tax: none
credit: none
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot() as running:
        yield running


@pytest.fixture
def post() -> Iterator[Post]:
    with smtp_server() as running:
        yield running


@pytest.fixture
def user(request: pytest.FixtureRequest) -> str:
    return f"u{abs(hash(request.node.name))}"


@pytest.fixture
def world(tmp_path: Path, server: Dovecot, post: Post, user: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    more = getattr(request, "param", "")
    # how the mailbox is looked into is the same for all who share it
    mailbox = more if "archive_to" in more else ""
    given = {"port": server.tls_port, "user": user, "authorities": server.authorities}
    partners = {
        "acme": PARTNER.format(id="acme", identity="ACMEBUYER", senders="orders@acme.example", to="orders@acme.example", more=more, **given),
        "north": PARTNER.format(id="north", identity="NORTH", senders='["*@van.example"]', to="in@van.example", more=mailbox, **given),
        "south": PARTNER.format(
            id="south",
            identity="SOUTH",
            senders="[edi@van.example]",
            to="in@van.example",
            more=more if "authentication" in more else mailbox,
            **given,
        ),
    }
    config = CONFIG + f'mail: {{smtp: "smtp://127.0.0.1:{post.port}", tls: none, from: edi@seller.example}}\n'
    made = World(tmp_path / "installation", config=config, partners=partners)
    yield made
    made.close()


def letter(*files: tuple[str, bytes], sender: str = "ACME <orders@acme.example>", id: str = "1@acme.example", **headers: str) -> bytes:
    message = EmailMessage()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message["From"] = sender
    message["To"] = "edi@seller.example"
    if id:
        message["Message-ID"] = f"<{id}>"
    message.set_content("Our order is attached.")
    for name, data in files:
        message.add_attachment(data, maintype="application", subtype="edi-x12", filename=name)
    return message.as_bytes()


def look(world: World) -> mail_receiving.Postman:
    """One look into the mailbox, and all work that follows."""
    [source] = mail_receiving.sources(world.station.installation)
    looker = mail_receiving.Postman(source)
    while looker.look(world.station):
        pass
    looker.close()
    world.settle()
    return looker


def orders(world: World) -> list[tuple[str, str, str]]:
    with world.station.database.read() as connection:
        return sorted((row.partner, row.number, row.state) for row in documents.search(connection, documents.Filters(kind="order")))


def came(world: World) -> list[transmissions.Transmission]:
    with world.station.database.read() as connection:
        return transmissions.search(connection, direction="in")


def left(world: World) -> str:
    with world.station.database.read() as connection:
        return " ".join(one.error for one in troubles.standing(connection) if one.kind == "letters")


def test_an_order_by_mail_is_taken_and_answered_by_mail(world: World, server: Dovecot, post: Post, user: str) -> None:
    data = letter(("po.edi", x12_order()))
    server.put(data, user)
    look(world)
    assert orders(world) == [("acme", "PO1", "accepted")] and server.mails(user) == []
    [row] = came(world)
    assert (row.endpoint, row.name, row.source_identity) == ("mail:orders@acme.example", "po.edi", "<1@acme.example>|2")
    with world.station.database.read() as connection:
        [received, *_] = journal.of_subject(connection, "transmission", row.id)
        sent = {entry.identity: entry for entry in outbox.search(connection)}
    assert world.station.archive.read(received.entry.facts["raw_message"]).replace(b"\r\n", b"\n") == data.replace(b"\r\n", b"\n")
    assert post.receivers == [["orders@acme.example"]] * 2
    for index in (0, 1):
        mail = post.read(index)
        [attached] = mail.iter_attachments()
        entry = sent[attached.get_filename()]
        assert mail["Message-ID"] == message_id(entry, "edi@seller.example") and mail["From"] == "edi@seller.example"
        assert attached.get_content() == world.station.archive.read(entry.sha256 or "") and mail["Auto-Submitted"] == "auto-generated"
    assert not verify(world.station.database, world.station.archive, world.station.journal_key()).faults


def test_a_stranger_is_left_and_told_until_somebody_takes_it_away(world: World, server: Dovecot, user: str) -> None:
    for number in (1, 2):
        server.put(letter(("po.edi", x12_order()), sender="stranger@evil.example", id=str(number)), user)
    server.put(letter(("po.edi", x12_order())), user)
    [source] = mail_receiving.sources(world.station.installation)
    looker = mail_receiving.Postman(source)
    assert looker.look(world.station)
    looker.look(world.station)
    world.settle()
    assert orders(world) == [("acme", "PO1", "accepted")] and len(server.mails(user)) == 2
    assert left(world) == "2 mails are not taken: no partner sends mail as stranger@evil.example"
    with server.speaking(user) as client:
        client.select("INBOX")
        client.store("1:*", "+FLAGS", r"(\Deleted)")
        client.expunge()
    assert not looker.look(world.station)
    assert left(world) == ""
    looker.close()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (letter(), "has no attachment"),
        (letter(("po.edi", b"ISA"), sender="orders@acme.example, evil@evil.example"), "not one plain address"),
        (b"Subject: no sender\r\n\r\nx", "has no From, or several"),
    ],
)
def test_a_mail_that_cannot_be_taken_is_left_and_told(world: World, server: Dovecot, user: str, data: bytes, told: str) -> None:
    server.put(data, user)
    look(world)
    assert told in left(world) and len(server.mails(user)) == 1 and came(world) == []


@pytest.mark.parametrize("world", [", largest: 1"], indirect=True)
def test_a_mail_that_is_too_large_is_not_even_fetched(world: World, server: Dovecot, user: str) -> None:
    server.put(letter(("po.edi", b"x" * 1_000_001)), user)
    look(world)
    assert "at most 1 megabytes" in left(world) and came(world) == []


def test_an_order_in_anothers_name_is_held(world: World, server: Dovecot, post: Post, user: str) -> None:
    server.put(letter(("po.edi", x12_order()), sender="edi@van.example"), user)
    look(world)
    assert orders(world) == [] and post.mails == []
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    assert [problem.code for problem in hold.reasons] == ["PARTNER-NOT-ENTITLED"]


def test_partners_behind_one_address_are_each_themselves(world: World, server: Dovecot, post: Post, user: str) -> None:
    for sender, control in (("NORTH", 1), ("SOUTH", 2)):
        server.put(letter((f"{sender}.edi", x12_order(f"{sender}-1", sender=sender, control=control)), sender="edi@van.example", id=sender), user)
    look(world)
    assert orders(world) == [("north", "NORTH-1", "accepted"), ("south", "SOUTH-1", "accepted")]
    assert post.receivers == [["in@van.example"]] * 4


AUTHENTIC = ", require_authentication_results: [mx.seller.example]"


@pytest.mark.parametrize("world", [AUTHENTIC], indirect=True)
def test_a_mail_that_our_server_does_not_vouch_for_is_left(world: World, server: Dovecot, user: str) -> None:
    forged = "mx.seller.example; dkim=pass header.d=evil.example; spf=fail smtp.mailfrom=acme.example"
    for id, word in (("a", forged), ("b", "other.example; dkim=pass header.d=acme.example")):
        server.put(letter(("po.edi", x12_order()), id=id, Authentication_Results=word), user)
    look(world)
    assert came(world) == [] and "mx.seller.example does not say that the mail is really from orders@acme.example" in left(world)
    server.put(letter(("po.edi", x12_order()), Authentication_Results="mx.seller.example; dkim=pass header.d=acme.example"), user)
    look(world)
    assert orders(world) == [("acme", "PO1", "accepted")]


@pytest.mark.parametrize("world", [AUTHENTIC], indirect=True)
def test_one_of_two_partners_behind_an_address_asks_for_proof_of_it(world: World, server: Dovecot, user: str) -> None:
    server.put(letter(("po.edi", x12_order(sender="SOUTH")), sender="edi@van.example"), user)
    look(world)
    assert came(world) == [] and "mx.seller.example does not say that the mail is really from edi@van.example" in left(world)


def test_a_refused_login_is_tried_once_whoever_looks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "wrong")
    logins = []
    really = ImapMailbox._log_in
    monkeypatch.setattr(ImapMailbox, "_log_in", lambda box: (logins.append(box), really(box))[1])
    [source] = mail_receiving.sources(world.station.installation)
    for _ in range(3):  # as many processes
        with pytest.raises(TransportError) as caught:
            mail_receiving.Postman(source).look(world.station)
        assert isinstance(caught.value, Resting) and caught.value.stop
    assert len(logins) == 1
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    assert not mail_receiving.Postman(source).look(world.station), "another password is another account"
    assert len(logins) == 2


def test_our_mail_server_is_asked_once_with_a_wrong_password(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with smtp_server(login=True) as strict:
        monkeypatch.setenv("SMTP_PASSWORD", "wrong")
        world.close()
        config = (
            CONFIG + f'mail: {{smtp: "smtp://127.0.0.1:{strict.port}", tls: none, from: edi@seller.example, user: u, password: env:SMTP_PASSWORD}}\n'
        )
        (world.folder / "config.yaml").write_text(config)
        logins = []
        really = smtplib.SMTP.login
        monkeypatch.setattr(
            smtplib.SMTP, "login", lambda client, user, password, **more: (logins.append(user), really(client, user, password, **more))[1]
        )
        for control, address in enumerate(("orders@acme.example", "in@van.example", "edi@van.example"), 1):
            sender = "ACMEBUYER" if control == 1 else "NORTH"
            world.receive(x12_order(f"PO{control}", sender=sender, control=control), address=f"mail:{address}")
        with world.station.database.read() as connection:
            waiting = outbox.search(connection)
        assert len({entry.partner for entry in waiting}) == 2 and not [entry for entry in waiting if entry.state in outbox.LEFT]
        assert len(logins) == 1, "one try, and everything waits"


def test_the_same_mail_again_is_taken_once_and_put_away(world: World, server: Dovecot, user: str) -> None:
    data = letter(("a.edi", x12_order()), ("b.edi", x12_order("PO2", control=2)))
    for _ in range(2):
        server.put(data, user)
        look(world)
    assert len(came(world)) == 2 and len(orders(world)) == 2 and server.mails(user) == []


def test_what_is_not_opened_waits_for_a_person_and_its_neighbour_walks_on(world: World, server: Dovecot, user: str) -> None:
    server.put(letter(("orders.zip", b"PK\x03\x04"), ("po.edi", x12_order())), user)
    look(world)
    assert orders(world) == [("acme", "PO1", "accepted")] and server.mails(user) == []
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    assert [problem.code for problem in hold.reasons] == ["MAIL-PACKED"] and hold.kind == "unreadable"
    assert {row.name: row.state for row in came(world)} == {"orders.zip": "unreadable", "po.edi": "done"}


@pytest.mark.parametrize("world", [", after: archive, archive_to: Taken"], indirect=True)
def test_a_taken_mail_is_moved_where_that_is_wanted(world: World, server: Dovecot, user: str) -> None:
    server.put(letter(("po.edi", x12_order()), id=""), user)
    look(world)
    assert server.mails(user) == [] and len(server.mails(user, "Taken")) == 1
    [row] = came(world)
    assert row.source_identity == f"{row.properties['mail']}|2", "without a Message-ID the mailbox's own numbers are its identity"


def test_names_of_attachments_are_made_safe(world: World, server: Dovecot, user: str) -> None:
    server.put(letter(("../../etc/pass wd<script>.edi", x12_order())), user)
    look(world)
    [row] = came(world)
    assert "/" not in row.name and "<" not in row.name


def test_a_mail_that_did_not_go_out_goes_out_later_under_the_same_identity(world: World, server: Dovecot, post: Post, user: str) -> None:
    post.answers += ["drop", "451 later"]
    server.put(letter(("po.edi", x12_order())), user)
    look(world)
    for _ in range(4):
        with world.station.database.begin() as connection:
            outbox.try_now(connection, world.station.clock())
        world.settle()
    ids = [str(post.read(index)["Message-ID"]) for index in range(len(post.mails))]
    assert len(ids) == 3 and len(set(ids)) == 2 and ids[0] == ids[1]


def test_a_mail_that_the_server_does_not_give_out_is_asked_for_again_later(
    world: World, server: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(box: ImapMailbox, uid: int, most: int) -> bytes:
        raise FileTrouble("no", retry=True)

    server.put(letter(("po.edi", x12_order())), user)
    [source] = mail_receiving.sources(world.station.installation)
    now = [0.0]
    postman = mail_receiving.Postman(source, lambda: now[0])
    with monkeypatch.context() as patched:
        patched.setattr(ImapMailbox, "fetch", refused)
        assert not postman.look(world.station) and "does not give the mail out" in left(world)
    assert not postman.look(world.station), "not at once"
    now[0] = mail_receiving.ASKED_AGAIN + 1
    assert postman.look(world.station) and left(world) == "" and server.mails(user) == []
    postman.close()


def test_a_mailbox_that_nobody_looks_into_any_more_is_hung_up_on(world: World, server: Dovecot, user: str) -> None:
    """In a cluster another process looks into it now."""
    [source] = mail_receiving.sources(world.station.installation)
    now = [0.0]
    looker = mail_receiving.Postman(source, lambda: now[0])
    before = connected(server)
    looker.look(world.station)
    now[0] = mail_receiving.IDLE - 1
    mail_receiving.hang_up_idle()
    assert connected(server) == before + 1
    now[0] = mail_receiving.IDLE
    mail_receiving.hang_up_idle()
    assert connected(server) == before
    server.put(letter(("po.edi", x12_order("PO1"))), user)
    while looker.look(world.station):
        pass
    looker.close()
    assert len(came(world)) == 1


def connected(server: Dovecot) -> int:
    """Connections of this machine to the server that stand."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(line[3] == "01" and line[2].endswith(f":{server.tls_port:04X}") for line in lines)


_LOOK_ONCE = """
import sys
from pathlib import Path
from gateway.config import load_installation
from gateway.pipeline.arriving import mail_receiving
from gateway.pipeline.station import open_station
station = open_station(load_installation(Path(sys.argv[1])))
[source] = mail_receiving.sources(station.installation)
looker = mail_receiving.Postman(source)
looker.look(station)
looker.close()
station.close()
# what getrusage says of a child begins with the size of its parent
[most] = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(int(most) // 1024)
"""


@pytest.mark.storm
@pytest.mark.parametrize("world", [", largest: 150"], indirect=True)
def test_a_mail_of_a_hundred_megabytes_is_nowhere_whole_in_memory(world: World, server: Dovecot, user: str) -> None:
    data = os.urandom(73_000_000)
    server.put(letter(("catalog.edi", data)), user)
    world.station.close()
    run = subprocess.run(
        [sys.executable, "-c", _LOOK_ONCE, str(world.folder / "config.yaml")], capture_output=True, text=True, check=True, timeout=20 * PATIENCE
    )
    [one] = came(world)
    assert (one.size, one.sha256) == (len(data), hashlib.sha256(data).hexdigest()) and server.mails(user) == []
    assert int(run.stdout) < 200, run.stdout
