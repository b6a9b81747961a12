"""One HTTP POST against a real server on loopback."""

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.transport.as2_http import post
from gateway.transport.box import TransportError


class Echo(BaseHTTPRequestHandler):
    """Answers with the status that the path names, and what it received."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = int(self.path.lstrip("/").partition("?")[0] or 200)
        self.send_response(status)
        self.send_header("X-Case-Kept", self.headers.get("AS2-From", ""))
        self.send_header("X-Path", self.path)
        self.send_header("Location", "/200")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as number:
        yield number


@contextlib.contextmanager
def answering(speak: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that takes one connection and does as told."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    speak(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
    thread.join(timeout=60)


def test_bytes_and_header_names_go_and_come_untouched(port: int) -> None:
    body = bytes(range(256)) * 5_000
    answer = post(f"http://127.0.0.1:{port}/200?a=b&c=%20", [("AS2-From", '"peer b"')], body)
    assert answer.status == 200 and answer.body == body
    assert ("X-Case-Kept", '"peer b"') in answer.headers and ("X-Path", "/200?a=b&c=%20") in answer.headers


@pytest.mark.parametrize("status", [201, 202, 204])
def test_any_success_is_one(port: int, status: int) -> None:
    assert post(f"http://127.0.0.1:{port}/{status}", [], b"").status == status


@pytest.mark.parametrize(
    ("status", "retry"),
    [
        *((status, True) for status in (408, 425, 429, 500, 502, 503, 504)),
        *((status, False) for status in (301, 302, 307, 400, 401, 403, 404, 405, 413, 501)),
    ],
)
def test_answers_say_whether_another_try_makes_sense(port: int, status: int, retry: bool) -> None:
    with pytest.raises(TransportError) as caught:
        post(f"http://127.0.0.1:{port}/{status}", [], b"reason")
    assert caught.value.retry is retry and str(status) in caught.value.message


def test_nobody_there_may_be_tried_again() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(TransportError) as caught:
            post(f"http://127.0.0.1:{closed.getsockname()[1]}/", [], b"")
    assert caught.value.retry


def test_silent_and_dripping_servers_are_given_up_in_time() -> None:
    done = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not done.wait(0.02):
            connection.sendall(b"x")

    for speak, limits in ((lambda connection: done.wait(60), {"timeout_seconds": 0.2}), (drip, {"longest_seconds": 0.2})):
        with answering(speak) as port:
            with pytest.raises(TransportError) as caught:
                post(f"http://127.0.0.1:{port}/", [], b"", **limits)
            assert caught.value.retry
            done.set()
        done.clear()


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", b"rubbish\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"],
)
def test_answer_that_breaks_off_may_be_tried_again(answer: bytes) -> None:
    with answering(lambda connection: (connection.recv(65536), connection.sendall(answer))) as port:
        with pytest.raises(TransportError) as caught:
            post(f"http://127.0.0.1:{port}/", [], b"")
    assert caught.value.retry


def test_provisional_answers_are_passed_over_and_blanks_after_a_chunk_size_are_read() -> None:
    answer = (
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX: y\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5  \r\nhello\r\n0\r\n\r\n"
    )
    with answering(lambda connection: (connection.recv(65536), connection.sendall(answer))) as port:
        assert post(f"http://127.0.0.1:{port}/", [], b"").body == b"hello"


def test_server_that_answers_before_it_has_heard_all_is_heard() -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 20):
            pass

    with answering(refuse) as port:
        with pytest.raises(TransportError) as caught:
            post(f"http://127.0.0.1:{port}/", [], b"x" * 8_000_000)
    assert not caught.value.retry and "413" in caught.value.message


def test_endless_answer_is_not_read_to_its_end() -> None:
    def flood(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with answering(flood) as port:
        with pytest.raises(TransportError) as caught:
            post(f"http://127.0.0.1:{port}/", [], b"")
    assert "larger" in caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "http:///x",
        "http://user:hunter2@127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://[::1/",
        "http://127.0.0.1:1/a b",
    ],
)
def test_other_addresses_are_refused_and_secrets_in_them_not_shown(url: str) -> None:
    with pytest.raises(TransportError) as caught:
        post(url, [], b"")
    assert not caught.value.retry and "hunter2" not in caught.value.message


def test_header_with_a_line_end_is_not_sent(port: int) -> None:
    with pytest.raises(TransportError) as caught:
        post(f"http://127.0.0.1:{port}/200", [("Subject", "a\r\nX-Evil: b")], b"")
    assert not caught.value.retry


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "key").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    (folder / "certificate").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return folder


def test_https_trusts_the_named_authority_and_shows_our_certificate(authority: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "certificate", authority / "key")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority / "certificate")
    with serving(context) as port:
        pair = (str(authority / "certificate"), str(authority / "key"))
        answer = post(f"https://127.0.0.1:{port}/200", [], b"x", ca_file=str(authority / "certificate"), client_certificate=pair)
        assert answer.body == b"x"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS 1.2", "TLS 1.3"])
def test_a_server_that_does_not_take_our_certificate_stops_the_endpoint(authority: Path, version: ssl.TLSVersion) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "certificate", authority / "key")
    context.verify_mode = ssl.CERT_REQUIRED  # and nobody is trusted
    context.maximum_version = version
    with serving(context) as port:
        pair = (str(authority / "certificate"), str(authority / "key"))
        with pytest.raises(TransportError) as caught:
            post(f"https://127.0.0.1:{port}/200", [], b"x" * 300, ca_file=str(authority / "certificate"), client_certificate=pair)
    assert caught.value.stop and not caught.value.retry and "does not take the certificate" in caught.value.message


def test_https_with_an_unknown_certificate_stops_the_endpoint(authority: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "certificate", authority / "key")
    with serving(context) as port:
        with pytest.raises(TransportError) as caught:
            post(f"https://127.0.0.1:{port}/200", [], b"x")
    assert caught.value.stop and not caught.value.retry
    with pytest.raises(TransportError) as caught:
        post("https://127.0.0.1:1/", [], b"", ca_file=str(authority / "none"))
    assert caught.value.stop
