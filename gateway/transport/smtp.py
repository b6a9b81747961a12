"""One mail handed over to an SMTP server: TLS, who we are, whom it is for, the bytes, all within a time limit.

Knows the server and the message; not what is in it. Rule: all addressees take it or nobody gets it, unless the caller wants
otherwise, so that a second try under the same Message-ID gives nobody a second mail. A refusal with 4xx is worth another try.
"""

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import getaddresses

from gateway.transport.box import TransportError
from gateway.transport.deadline import cut_off_after
from gateway.transport.tls import context_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """Where mail leaves and as whom."""

    host: str
    port: int
    #: TLS from the first byte; otherwise STARTTLS is demanded
    implicit_tls: bool = True
    #: neither: only for a relay on this machine
    no_tls: bool = False
    user: str | None = None
    password: str | None = None
    ca_file: str | None = None
    #: seconds for each wait, and for the whole
    timeout_seconds: float = 30.0
    longest_seconds: float = 300.0


def send_mail(settings: SmtpSettings, message: EmailMessage, *, whoever_takes_it: bool = False) -> None:
    """Hand a message over to the server, for everybody in To and Cc; TransportError where it was not taken.

    An addressee who is refused keeps the mail from all, unless `whoever_takes_it`: then the others get it (alerts).
    """
    sender, receivers = _addresses(message)
    data = message.as_bytes(policy=SMTP)
    client = _client(settings)
    with cut_off_after(settings.longest_seconds, lambda: _socket_of(client)) as is_late:
        try:
            _log_in(client, settings)
            _hand_over(client, sender, receivers, data, whoever_takes_it)
        except TransportError as error:
            if is_late():
                raise TransportError(f"{settings.host} broke off: it took too long", retry=True) from error
            raise
        except smtplib.SMTPResponseException as error:
            raise _refusal(f"{settings.host} answered", error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPNotSupportedError as error:
            raise TransportError(f"{settings.host} does not offer what is needed: {error}", retry=False, stop=True) from error
        except ssl.SSLCertVerificationError as error:
            raise TransportError(f"the certificate of {settings.host} cannot be trusted: {error.verify_message}", retry=False, stop=True) from error
        except (smtplib.SMTPException, OSError) as error:
            words = "it took too long" if is_late() else str(error) or type(error).__name__
            raise TransportError(f"{settings.host} cannot be reached or broke off: {words}", retry=True) from error
        finally:
            client.close()


class _TlsClient(smtplib.SMTP_SSL):
    """Connects when it is told to, so that its socket can be shut down while the greeting is still awaited."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        self._host = host
        return super()._get_socket(host, port, timeout)  # type: ignore[misc, no-any-return]  # not in the stubs


def _client(settings: SmtpSettings) -> smtplib.SMTP:
    """A client that has not connected yet."""
    if not settings.implicit_tls or settings.no_tls:
        return smtplib.SMTP(timeout=settings.timeout_seconds)
    return _TlsClient(timeout=settings.timeout_seconds, context=context_of(settings.ca_file))


def _socket_of(client: smtplib.SMTP) -> socket.socket | None:
    return getattr(client, "sock", None)


def _log_in(client: smtplib.SMTP, settings: SmtpSettings) -> None:
    """Connect, go over to TLS, say who we are."""
    code, words = client.connect(settings.host, settings.port)
    if code != 220:
        raise _refusal(f"{settings.host} answered", code, words)
    client.ehlo_or_helo_if_needed()
    if not settings.implicit_tls and not settings.no_tls:
        client._host = settings.host  # type: ignore[attr-defined]  # whose certificate it must be; known to the constructor otherwise
        client.starttls(context=context_of(settings.ca_file))
        client.ehlo_or_helo_if_needed()
    if settings.user is not None:
        try:
            client.login(settings.user, settings.password or "")
        except smtplib.SMTPAuthenticationError as error:
            again = 400 <= error.smtp_code < 500
            # a wrong password stops: going on could lock the account
            raise TransportError(
                f"{settings.host} does not let {settings.user} in: {error.smtp_code} {_words(error.smtp_error)}", retry=again, stop=not again
            ) from error


def _hand_over(client: smtplib.SMTP, sender: str, receivers: Sequence[str], data: bytes, whoever_takes_it: bool) -> None:
    if client.has_extn("size") and (limit := client.esmtp_features["size"]).isdigit() and 0 < int(limit) < len(data):
        raise TransportError(f"the mail has {len(data)} bytes, the mail server takes {limit}", retry=False)
    _demand(*client.mail(sender, [f"size={len(data)}"] if client.has_extn("size") else []), "the sender was refused")
    refused: dict[str, tuple[int, bytes]] = {}
    for receiver in receivers:
        code, words = client.rcpt(receiver)
        if code not in {250, 251}:
            refused[receiver] = code, words
    if refused and (len(refused) == len(receivers) or not whoever_takes_it):
        with contextlib.suppress(smtplib.SMTPException, OSError):
            client.rset()
        code, words = max(refused.values())  # for good as soon as one is
        raise _refusal(f"{' and '.join(sorted(refused))} {'was' if len(refused) == 1 else 'were'} refused, nobody got it", code, words)
    _demand(*client.data(data), "the mail was refused")
    with contextlib.suppress(smtplib.SMTPException, OSError):
        client.quit()  # it has the mail: what happens to the line now is no matter


def _addresses(message: EmailMessage) -> tuple[str, list[str]]:
    """Whom the mail comes from and everybody whom it goes to, each once."""
    [(_, sender), *_] = getaddresses([str(message["From"])])
    named = getaddresses([str(value) for name in ("To", "Cc") for value in message.get_all(name, [])])
    receivers = list(dict.fromkeys(address for _, address in named if address))
    if not sender or not receivers:
        raise TransportError("the mail has no sender or nobody to go to", retry=False)
    return sender, receivers


def _demand(code: int, words: bytes, what: str) -> None:
    if not 200 <= code < 300:
        raise _refusal(what, code, words)


def _refusal(what: str, code: int, words: bytes | str) -> TransportError:
    """421 and other 4xx may change, 5xx do not (RFC 5321 4.2.1); a code that is none means that the server broke off."""
    return TransportError(f"{what}: {code} {_words(words)}", retry=not 500 <= code < 600)


def _words(words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return " ".join(text.split())[:300]
