"""A real SMTP server (aiosmtpd) on loopback with the moods of real ones."""

import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any
from typing import cast

import pytest

pytest.importorskip("aiosmtpd", reason="mail: install the dev extra (aiosmtpd)")
from aiosmtpd.controller import Controller  # noqa: E402
from aiosmtpd.smtp import AuthResult  # noqa: E402
from aiosmtpd.smtp import LoginPassword  # noqa: E402

from tests.machine import PATIENCE
from tests.machine import free_port

USER, PASSWORD = "gateway", "correct horse"


@dataclass
class Post:
    """What came, and how the server answers: `refused` what RCPT says for an address, `answers` what DATA says, one a mail; `drop`: the
    mail is taken and the line cut before the answer."""

    mails: list[bytes] = field(default_factory=list)
    receivers: list[list[str]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer.startswith("250") or answer == "drop":
            self.mails.append(envelope.content)
            self.receivers.append(list(envelope.rcpt_tos))
        if answer == "drop":
            server.transport.abort()
        return answer

    def read(self, index: int = -1) -> EmailMessage:
        return cast(EmailMessage, message_from_bytes(self.mails[index], policy=default))


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


@contextlib.contextmanager
def smtp_server(context: ssl.SSLContext | None = None, *, starttls: bool = False, login: bool = False, largest: int = 33554432) -> Iterator[Post]:
    """Serve until the end of the block: without TLS, with it from the first byte, or by STARTTLS."""
    post = Post()
    more: dict[str, Any] = {"auth_required": True, "authenticator": _authenticate} if login else {}
    if starttls:
        more |= {"tls_context": context, "require_starttls": True}
    elif login:
        more |= {"auth_require_tls": False}
    post.port = free_port()
    ssl_context = None if starttls else context
    controller = Controller(
        post,
        hostname="127.0.0.1",
        port=post.port,
        ssl_context=ssl_context,
        data_size_limit=largest,
        server_hostname="localhost",
        ready_timeout=PATIENCE,
        **more,
    )
    controller.start()
    try:
        yield post
    finally:
        controller.stop()
