"""A mailbox at a real IMAP server (dovecot): what lies in it, its bytes, its way out, and servers that hang or say no."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gateway.transport.box import FileTrouble
from gateway.transport.box import TransportError
from gateway.transport.imap import LONGEST_HEAD
from gateway.transport.imap import ImapMailbox
from gateway.transport.imap import ImapSettings
from tests.transport.dovecot import NEEDS
from tests.transport.dovecot import PASSWORD
from tests.transport.dovecot import Dovecot
from tests.transport.dovecot import dovecot

pytestmark = NEEDS
MAIL = b"From: a@acme.example\r\nMessage-ID: <%d>\r\nSubject: x\r\n\r\nbody \xff \r\n.\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot() as running:
        yield running


@pytest.fixture
def user(request: pytest.FixtureRequest) -> str:
    """A mailbox of its own for each test."""
    return f"u{abs(hash(request.node.name))}"


def settings(server: Dovecot, user: str, **changes: object) -> ImapSettings:
    given = ImapSettings(host="127.0.0.1", port=server.tls_port, user=user, password=PASSWORD, ca_file=str(server.authorities), timeout_seconds=15)
    return replace(given, **changes)  # type: ignore[arg-type]


@contextlib.contextmanager
def box(server: Dovecot, user: str, **changes: object) -> Iterator[ImapMailbox]:
    made = ImapMailbox(settings(server, user, **changes))
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("starttls", [False, True])
def test_mails_are_listed_read_and_deleted_one_by_one(server: Dovecot, user: str, starttls: bool) -> None:
    for number in (1, 2, 3):
        server.put(MAIL % number, user)
    more = {"implicit_tls": False, "port": server.port} if starttls else {}
    with box(server, user, **more) as mailbox:
        uids = mailbox.list_uids()
        heads = mailbox.heads(uids)
        assert [head.uid for head in heads] == uids and all(head.size == len(MAIL % 1) for head in heads)
        assert b"Message-ID: <2>" in heads[1].head and b"body" not in heads[1].head
        validity, _, uid = heads[0].identity.partition(".")
        assert validity.isdigit() and int(validity) > 0 and int(uid) == uids[0]
        assert mailbox.fetch(uids[1], 10_000) == MAIL % 2
        mailbox.put_away(uids[1])
        mailbox.put_away(uids[1])
        assert mailbox.list_uids() == [uids[0], uids[2]]
        with pytest.raises(FileTrouble, match="cannot be read"):
            mailbox.fetch(uids[1], 10_000)
        assert mailbox.heads([uids[1]]) == [] and mailbox.heads([]) == []
    assert server.mails(user) == [MAIL % 1, MAIL % 3]


def test_reading_changes_nothing(server: Dovecot, user: str) -> None:
    server.put(MAIL % 1, user)
    with box(server, user) as mailbox:
        [uid] = mailbox.list_uids()
        mailbox.heads([uid])
        mailbox.fetch(uid, 10_000)
    with server.speaking(user) as client:
        client.select("INBOX", readonly=True)
        assert client.search(None, "UNSEEN")[1] == [b"1"]


@pytest.mark.parametrize("folder", ["Taken", "Erledigt & Größe", 'with "quotes"'])
def test_a_taken_mail_is_moved_to_a_folder_that_is_made_where_there_is_none(server: Dovecot, user: str, folder: str) -> None:
    server.put(MAIL % 1, user)
    with box(server, user, move_to=folder) as mailbox:
        [uid] = mailbox.list_uids()
        mailbox.put_away(uid)
        mailbox.put_away(uid)
        assert mailbox.list_uids() == []
    with box(server, user, folder=folder) as mailbox:
        [uid] = mailbox.list_uids()
        assert mailbox.fetch(uid, 10_000) == MAIL % 1


def test_a_server_without_move_and_uidplus_is_used_as_well() -> None:
    with dovecot(capability="IMAP4rev1 AUTH=PLAIN") as old:
        for number in (1, 2):
            old.put(MAIL % number, "u")
        with box(old, "u", move_to="Taken") as mailbox:
            first, second = mailbox.list_uids()
            mailbox.put_away(first)
            assert mailbox.list_uids() == [second], "what is marked as deleted is not seen again"
        assert old.mails("u", "Taken") == [MAIL % 1] and len(old.mails("u")) == 2, "no other mail is expunged by us"


def test_a_mail_that_the_server_cannot_read_hides_no_other(server: Dovecot, user: str) -> None:
    for number in range(4):
        server.put(MAIL % number, user)
    with box(server, user) as mailbox:
        uids = mailbox.list_uids()
        client = mailbox._client
        assert client is not None
        really = client.uid

        def uid(command: str, *given: str) -> tuple[str, list[Any]]:
            if str(uids[1]) in given[0].split(","):
                return "NO", [b"[SERVERBUG] this mail is broken"]
            return really(command, *given)

        client.uid = uid  # type: ignore[method-assign]
        assert [head.uid for head in mailbox.heads(uids)] == [uids[0], *uids[2:]]


def test_no_more_is_read_of_a_mail_and_of_its_head_than_is_wanted(server: Dovecot, user: str) -> None:
    server.put(b"From: orders@acme.example\r\nX-Long: " + b"x" * 200_000 + b"\r\n\r\nbody", user)
    with box(server, user) as mailbox:
        [uid] = mailbox.list_uids()
        [head] = mailbox.heads([uid])
        assert head.head.startswith(b"From: orders@acme.example\r\n") and len(head.head) <= LONGEST_HEAD and head.size > 200_000
        assert len(mailbox.fetch(uid, 1000)) == 1001, "one more says that there is more"


def test_a_wrong_password_stops_and_a_wrong_certificate_too(server: Dovecot, user: str) -> None:
    with box(server, user, password="wrong") as mailbox, pytest.raises(TransportError, match="does not let") as error:
        mailbox.list_uids()
    assert error.value.stop and "wrong" not in str(error.value)
    with box(server, user, ca_file=None) as mailbox, pytest.raises(TransportError, match="cannot be trusted") as error:
        mailbox.list_uids()
    assert error.value.stop


def test_a_folder_that_is_not_there_is_worth_another_try(server: Dovecot, user: str) -> None:
    with box(server, user, folder="None") as mailbox, pytest.raises(TransportError, match="there is no folder None") as error:
        mailbox.list_uids()
    assert error.value.retry and not error.value.stop


def test_a_broken_line_is_made_anew_at_the_next_look(server: Dovecot, user: str) -> None:
    server.put(MAIL % 1, user)
    with box(server, user) as mailbox:
        assert len(mailbox.list_uids()) == 1
        mailbox._socket[-1].shutdown(socket.SHUT_RDWR)
        with pytest.raises(TransportError) as error:
            mailbox.list_uids()
        assert error.value.retry
        assert len(mailbox.list_uids()) == 1


def test_a_server_that_says_one_byte_now_and_then_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = threading.Event()

        def drip() -> None:
            line, _ = listener.accept()
            with line, contextlib.suppress(OSError):
                while not done.wait(0.05):
                    line.sendall(b"*")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        given = ImapSettings(host="127.0.0.1", port=listener.getsockname()[1], implicit_tls=False, user="u", password="p", longest_seconds=0.4)
        started = time.monotonic()
        with pytest.raises(TransportError, match="too long"):
            ImapMailbox(given).list_uids()
        assert time.monotonic() - started < 30, "not as long as it goes on"
        done.set()
        thread.join(60)


def test_a_server_without_starttls_hears_no_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        heard: list[bytes] = []

        def speak() -> None:
            line, _ = listener.accept()
            with line, contextlib.suppress(OSError):
                line.sendall(b"* OK hello\r\n")
                tag = line.recv(1000)
                heard.append(tag)
                line.sendall(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n" + tag.split()[0] + b" OK done\r\n")
                heard.append(line.recv(1000))

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        given = ImapSettings(host="127.0.0.1", port=listener.getsockname()[1], implicit_tls=False, user="u", password="secret", timeout_seconds=60)
        with pytest.raises(TransportError, match="does not offer STARTTLS") as error:
            ImapMailbox(given).list_uids()
        thread.join(60)
    assert error.value.stop and b"secret" not in b"".join(heard) and b"AUTHENTICATE" not in b"".join(heard)
