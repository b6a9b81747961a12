"""Bytes leave by mail: one file, one mail, under a Message-ID that follows from the row and is the same on every try."""

import hashlib
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from gateway.exchange.endpoint import Endpoint
from gateway.pipeline.mail_server import smtp_settings
from gateway.pipeline.outbound.https_sending import content_type
from gateway.pipeline.outbox.circuits import knocking
from gateway.pipeline.outbox.logins import mail_account
from gateway.pipeline.station import Station
from gateway.store.outgoing.outbox import Entry
from gateway.transport.box import TransportError
from gateway.transport.smtp import send_mail


def send_by_mail(station: Station, entry: Entry, endpoint: Endpoint, data: bytes) -> dict[str, str]:
    """Mail the file; facts for the journal. Raises TransportError, or ConfigTrouble where our mail server is not named."""
    settings = smtp_settings(station.installation)
    mail = station.installation.settings.mail
    assert mail is not None and entry.identity is not None
    if endpoint.send_to is None:
        raise TransportError("this mail endpoint has no send_to: nothing can be sent there", retry=False)
    message = mail_of(entry, mail.from_, endpoint.send_to, station.installation.settings.us.name, data)
    with knocking(station, mail_account(station.installation)):
        send_mail(settings, message)
    return {"name": entry.identity, "bytes": str(len(data)), "message_id": str(message["Message-ID"]), "to": endpoint.send_to}


def mail_of(entry: Entry, sender: str, receivers: str, our_name: str, data: bytes) -> EmailMessage:
    """The mail of a row: the same text and identity on every try."""
    assert entry.identity is not None
    name = _one_line(entry.identity)
    message = EmailMessage()
    message["From"] = sender
    message["To"] = receivers
    message["Subject"] = f"{name} from {_one_line(our_name)}"
    message["Date"] = format_datetime(_at(entry))
    message["Message-ID"] = message_id(entry, sender)
    # so that an answering machine does not answer a machine (RFC 3834)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"The attached file {name} was made by a machine for a machine.\n")
    main, _, sub = content_type(entry.spec).partition("/")
    if main == "text":
        # as they are: a text's line ends would be changed on the way
        main, sub = "application", "octet-stream"
    message.add_attachment(data, maintype=main, subtype=sub, filename=name)
    return message


def message_id(entry: Entry, sender: str) -> str:
    """The mail's identity: the same on every try, another one for everything else."""
    digest = hashlib.sha256(f"{entry.id}\0{entry.identity}\0{entry.sha256}".encode()).hexdigest()[:40]
    return f"<{digest}@{sender.rpartition('@')[2]}>"


def _at(entry: Entry) -> datetime:
    return entry.created_at


def _one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
