"""Mail to a real server: TLS both ways, log-in, refusals for good and for now, lines that break off, servers that hang."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from gateway.transport.box import TransportError
from gateway.transport.smtp import SmtpSettings
from gateway.transport.smtp import send_mail
from tests.transport.mail_server import PASSWORD
from tests.transport.mail_server import USER
from tests.transport.mail_server import Post
from tests.transport.mail_server import smtp_server
from tests.transport.tls import certificate_files
from tests.transport.tls import server_context


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate_files(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def tls(files: tuple[Path, Path]) -> ssl.SSLContext:
    return server_context(*files)


@pytest.fixture
def post() -> Iterator[Post]:
    with smtp_server() as serving:
        yield serving


def settings(post: Post, **changes: object) -> SmtpSettings:
    given = SmtpSettings(host="localhost", port=post.port, no_tls=True, implicit_tls=False, timeout_seconds=5)
    return replace(given, **changes)  # type: ignore[arg-type]


def mail(*to: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Seller <edi@seller.example>"
    message["To"] = ", ".join(to or ("orders@acme.example",))
    message["Message-ID"] = "<1@seller.example>"
    message["Subject"] = "855-000000001.edi"
    message.add_attachment(b"ISA*00*\x85~\r\n.\r\n", maintype="application", subtype="edi-x12", filename="855-000000001.edi")
    return message


def test_a_mail_is_taken_with_its_bytes_as_they_are(post: Post) -> None:
    send_mail(settings(post), mail())
    [part] = post.read().iter_attachments()
    assert part.get_content() == b"ISA*00*\x85~\r\n.\r\n" and part.get_filename() == "855-000000001.edi"
    assert post.receivers == [["orders@acme.example"]] and post.read()["Message-ID"] == "<1@seller.example>"


def test_tls_from_the_first_byte_and_by_starttls_with_a_log_in(files: tuple[Path, Path], tls: ssl.SSLContext) -> None:
    for starttls in (False, True):
        with smtp_server(tls, starttls=starttls, login=True) as post:
            right = settings(post, no_tls=False, implicit_tls=not starttls, ca_file=str(files[0]), user=USER, password=PASSWORD)
            send_mail(right, mail())
            assert len(post.mails) == 1
            with pytest.raises(TransportError, match="does not let gateway in: 535") as wrong:
                send_mail(replace(right, password="wrong"), mail())
            assert wrong.value.stop and not wrong.value.retry and "wrong" not in str(wrong.value).replace("wrong user", "")
            with pytest.raises(TransportError, match="cannot be trusted") as stranger:
                send_mail(replace(right, ca_file=None), mail())
            assert stranger.value.stop


def test_a_server_without_starttls_gets_nothing(post: Post) -> None:
    with pytest.raises(TransportError, match="does not offer what is needed") as error:
        send_mail(settings(post, no_tls=False), mail())
    assert error.value.stop and post.mails == []


@pytest.mark.parametrize(("answer", "retry"), [("451 later", True), ("552 too much", False), ("421 closing", True), ("554 no", False)])
def test_a_refused_mail_is_tried_again_where_the_code_says_so(post: Post, answer: str, retry: bool) -> None:
    post.answers.append(answer)
    with pytest.raises(TransportError, match=answer) as error:
        send_mail(settings(post), mail())
    assert error.value.retry is retry and not error.value.stop


@pytest.mark.parametrize(("answer", "retry"), [("450 busy", True), ("550 unknown", False)])
def test_one_refused_addressee_keeps_the_mail_from_all(post: Post, answer: str, retry: bool) -> None:
    post.refused["b@acme.example"] = answer
    with pytest.raises(TransportError, match=f"b@acme.example was refused, nobody got it: {answer}") as error:
        send_mail(settings(post), mail("a@acme.example", "b@acme.example"))
    assert error.value.retry is retry and post.mails == []


def test_an_alert_goes_to_whoever_takes_it(post: Post) -> None:
    post.refused["b@acme.example"] = "550 unknown"
    send_mail(settings(post), mail("a@acme.example", "b@acme.example"), whoever_takes_it=True)
    assert post.receivers == [["a@acme.example"]]
    post.refused["a@acme.example"] = "450 busy"
    with pytest.raises(TransportError, match="a@acme.example and b@acme.example were refused") as error:
        send_mail(settings(post), mail("a@acme.example", "b@acme.example"), whoever_takes_it=True)
    assert not error.value.retry


def test_a_line_cut_after_the_mail_was_taken_is_tried_again_under_the_same_message_id(post: Post) -> None:
    post.answers.append("drop")
    with pytest.raises(TransportError, match="broke off") as error:
        send_mail(settings(post), mail())
    assert error.value.retry
    send_mail(settings(post), mail())
    assert [post.read(index)["Message-ID"] for index in (0, 1)] == ["<1@seller.example>"] * 2


def test_a_mail_larger_than_the_server_says_is_not_sent_at_all() -> None:
    with smtp_server(largest=100) as post, pytest.raises(TransportError, match="the mail server takes 100") as error:
        send_mail(settings(post), mail())
    assert not error.value.retry


def test_nobody_there_is_worth_another_try() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(TransportError, match="cannot be reached") as error:
            send_mail(SmtpSettings(host="127.0.0.1", port=unused.getsockname()[1]), mail())
    assert error.value.retry


def test_a_server_that_says_one_byte_now_and_then_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = threading.Event()

        def drip() -> None:
            line, _ = listener.accept()
            with line:
                while not done.wait(0.05):
                    try:
                        line.sendall(b"2")
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        given = SmtpSettings(host="127.0.0.1", port=listener.getsockname()[1], no_tls=True, timeout_seconds=60, longest_seconds=0.4)
        started = time.monotonic()
        with pytest.raises(TransportError, match="it took too long") as error:
            send_mail(given, mail())
        assert error.value.retry and time.monotonic() - started < 30
        done.set()
        thread.join(60)
