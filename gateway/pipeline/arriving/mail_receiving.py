"""Mail that partners send us: attachments of known senders become files. The order of everything:

    head         who sent it; a stranger's mail is left where it is, and told as a trouble
    fetch        the whole mail
    archive      the mail as it came, and each attachment
    one commit   a transmission an attachment on its sender's stream, journal entries that name the mail
    put away     only now the mail is moved or deleted; the same mail again is known by its Message-ID

What is left lies in the mailbox until a person has taken it away or named its sender. From can be forged: who may send what by an address
follows from the agreements, and `require_authentication_results` asks our own mail server for its word.
"""

import threading
import time
import weakref
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog

from gateway.config import Installation
from gateway.exchange.endpoint import Endpoint
from gateway.exchange.mail_authentication import is_authentic
from gateway.exchange.mail_message import Attachment
from gateway.exchange.mail_message import Letter
from gateway.exchange.mail_message import Unreadable
from gateway.exchange.mail_message import read_head
from gateway.pipeline.arriving.mail_spool import LARGE
from gateway.pipeline.arriving.mail_spool import Fetched
from gateway.pipeline.arriving.mail_spool import fetched
from gateway.pipeline.as2.taking import safe_name
from gateway.pipeline.inbound.receive import stream_of
from gateway.pipeline.outbox.circuits import knocking
from gateway.pipeline.outbox.logins import account_of
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.store import crash
from gateway.store import journal
from gateway.store import streams
from gateway.store.identity import new_id
from gateway.store.incoming import holds
from gateway.store.incoming import transmissions
from gateway.store.incoming.transmissions import Transmission
from gateway.store.payloads.archive import Archive
from gateway.store.watching import troubles
from gateway.transport.box import FileTrouble
from gateway.transport.imap import HEADS
from gateway.transport.imap import Head
from gateway.transport.imap import ImapMailbox
from gateway.transport.imap import ImapSettings

LEFT_CURE = "Look into the mailbox: take the mail away, or name its sender in the partner's endpoint (from:)."
#: mails that a trouble names
_NAMED = 3
_MEGABYTE = 1_000_000
#: seconds after which the server is asked again for a mail that it did not give out
ASKED_AGAIN = 300.0
#: seconds after which a connection that nobody used is closed
IDLE = 90.0
_POSTMEN: "weakref.WeakSet[Postman]" = weakref.WeakSet()
_NOT_GIVEN = "the server does not give the mail out"
_log = structlog.get_logger("mail")


@dataclass(frozen=True, slots=True)
class Source:
    """One mailbox with the endpoints of all partners that share it."""

    name: str
    endpoints: tuple[Endpoint, ...]
    partners: tuple[str, ...] = ()

    @property
    def first(self) -> Endpoint:
        return self.endpoints[0]

    def endpoints_of(self, sender: str) -> list[Endpoint]:
        """The endpoints that know this sender: of one partner, or of several behind one address."""
        return [endpoint for endpoint in self.endpoints if endpoint.knows_sender(sender)]


def sources(installation: Installation) -> list[Source]:
    """All mailboxes that are looked into, each once."""
    found: dict[tuple[str, str], list[tuple[str, Endpoint]]] = {}
    for loaded in installation.directory.partners.values():
        for endpoint in loaded.partner.endpoints.values():
            if endpoint.mailbox is not None:
                found.setdefault((endpoint.mailbox, endpoint.user or ""), []).append((loaded.partner.id, endpoint))
    return [
        Source(f"{user} at {sharing[0][1].mail}", tuple(one for _, one in sharing), tuple(dict.fromkeys(partner for partner, _ in sharing)))
        for (_, user), sharing in found.items()
    ]


def mailbox_of(installation: Installation, source: Source) -> ImapMailbox:
    """The mailbox of a source; raises ConfigTrouble where a secret cannot be read."""
    endpoint = source.first
    url = urlsplit(endpoint.mailbox or "")
    assert url.hostname is not None and url.port is not None and endpoint.user is not None and endpoint.password is not None
    return ImapMailbox(
        ImapSettings(
            host=url.hostname,
            port=url.port,
            implicit_tls=url.scheme == "imaps",
            user=endpoint.user,
            password=installation.secret(endpoint.password),
            folder=endpoint.mailbox_folder,
            move_to=endpoint.archive_to,
            ca_file=str(installation.path(endpoint.authorities)) if endpoint.authorities else None,
            timeout_seconds=endpoint.timeout,
            longest_seconds=10 * endpoint.timeout,
        )
    )


class Postman:
    """Looks into one mailbox again and again; used by one thread, while another one may hang up."""

    def __init__(self, source: Source, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._at_it = threading.Lock()
        self._looked = clock()
        _POSTMEN.add(self)
        self._box: ImapMailbox | None = None
        #: mails that are not taken, with the reason
        self._left: dict[int, str] = {}
        #: those of them that the server did not give out, and when it is asked again
        self._again: dict[int, float] = {}
        self._told: str | None = None
        #: what we log in as, known to all who would
        self._account: str | None = None

    def look(self, station: Station) -> bool:
        """Take in what is new; true when there may be more at once. Raises Resting where the account is left alone."""
        with self._at_it:
            try:
                return self._look_now(station)
            finally:
                self._looked = self._clock()

    def hang_up_after(self, idle: float) -> None:
        """Hang up where nobody looked for so long: in a cluster another process may look into the mailbox meanwhile, over a connection of its own."""
        if self._box is not None and self._at_it.acquire(blocking=False):
            try:
                if self._clock() - self._looked >= idle:
                    self._box.close()
            finally:
                self._at_it.release()

    def _look_now(self, station: Station) -> bool:
        if self._box is None:
            # first who we are: without it nobody would know that a login was refused
            self._account = account_of(station.installation, self._source.first)
            self._box = mailbox_of(station.installation, self._source)
        with knocking(station, self._account):
            return self._look(station, self._box)

    def _look(self, station: Station, box: ImapMailbox) -> bool:
        there = box.list_uids()
        here, now = set(there), self._clock()
        self._again = {uid: at for uid, at in self._again.items() if uid in here and at > now}
        self._left = {uid: reason for uid, reason in self._left.items() if uid in here and (reason != _NOT_GIVEN or uid in self._again)}
        fresh = [uid for uid in there if uid not in self._left]
        came = False
        heads = box.heads(fresh[:HEADS])
        for uid in {*fresh[:HEADS]} - {head.uid for head in heads}:
            # gone since, or one that the server cannot read: asked for at once again it would be asked for ever
            self._left[uid], self._again[uid] = _NOT_GIVEN, now + ASKED_AGAIN
        for head in heads:
            reason = self._take(station, box, head)
            if reason is None:
                came = True
            else:
                self._left[head.uid] = reason
                _log.warning("mail left in the mailbox", mailbox=self._source.name, mail=head.identity, reason=reason)
        self._tell(station)
        return came or len(fresh) > HEADS

    def close(self) -> None:
        if self._box is not None:
            self._box.close()

    def _take(self, station: Station, box: ImapMailbox, head: Head) -> str | None:
        """Take one mail in and put it away; or why it is left."""
        crash.point(60)
        try:
            letter = read_head(head.head)
            endpoints = self._source.endpoints_of(letter.sender)
            if not endpoints:
                return f"no partner sends mail as {letter.sender}"
            largest = max(endpoint.largest for endpoint in endpoints)
            if head.size > largest * _MEGABYTE:
                return _too_large(letter, head.size, largest)
            # whose order is in it is not known yet: who asks for proof gets it whoever else has this address
            for servers in dict.fromkeys(endpoint.require_authentication_results for endpoint in endpoints):
                if servers and not is_authentic(letter.sender, letter.authentication, servers):
                    return f"{' or '.join(servers)} does not say that the mail is really from {letter.sender}"
            with fetched(station, box, head, largest * _MEGABYTE) as mail:
                if mail.size > largest * _MEGABYTE:
                    return _too_large(letter, mail.size, largest)
                attachments = mail.attachments()
                if not attachments:
                    return f"the mail from {letter.sender} has no attachment"
                crash.point(61)
                take_mail(station, head, letter, mail, attachments)
        except Unreadable as error:
            return str(error)
        except FileTrouble:
            self._again[head.uid] = self._clock() + ASKED_AGAIN
            return _NOT_GIVEN
        crash.point(92)
        box.put_away(head.uid)
        crash.point(93)
        return None

    def _tell(self, station: Station) -> None:
        """What is left stands among the troubles as long as it lies there."""
        named = list(dict.fromkeys(self._left.values()))
        more = f"; and {len(named) - _NAMED} other reasons" if len(named) > _NAMED else ""
        count = len(self._left)
        lie = "1 mail is not taken" if count == 1 else f"{count} mails are not taken"
        words = f"{lie}: {'; '.join(named[:_NAMED])}{more}" if count else ""
        if words == self._told:
            return
        name = f"letters {self._source.name}"
        with station.database.begin() as connection:
            if not count:
                troubles.is_over(connection, name)
            else:
                now = station.clock()
                troubles.stands(connection, troubles.Trouble(name=name, kind="letters", state="stopped", error=words, cure=LEFT_CURE, since=now))
        self._told = words


def hang_up_idle(idle: float = IDLE) -> None:
    """Close the connections to mailboxes that nobody looked into for a while."""
    for postman in list(_POSTMEN):
        postman.hang_up_after(idle)


def _too_large(letter: Letter, size: int, largest: int) -> str:
    return f"the mail from {letter.sender} has {size} bytes, at most {largest} megabytes are taken"


def take_mail(station: Station, head: Head, letter: Letter, mail: Fetched, attachments: Sequence[Attachment]) -> list[Transmission]:
    """Keep a mail and put its attachments on their stream in one commit; those that are known already are not taken again."""
    raw, *digests = _keep(station.archive, mail, attachments)
    crash.point(20)
    now = station.clock()
    taken = []
    address = f"mail:{letter.sender}"
    facts = {"mail": head.identity, "message_id": letter.message_id or "", "from": letter.sender}
    with station.database.begin() as connection:
        entries = []
        for attachment, sha256 in zip(attachments, digests, strict=True):
            arrived = Transmission(
                id=new_id(),
                direction="in",
                endpoint=address,
                source_identity=f"{letter.message_id or head.identity}|{attachment.index}",
                name=safe_name(attachment.name or f"mail-{head.uid}-{attachment.index}", head.identity),
                sha256=sha256,
                size=attachment.size,
                received_at=now,
                stream=stream_of(address),
                state="received" if attachment.problem is None else "unreadable",
                problems=(attachment.problem,) if attachment.problem is not None else (),
                properties={name: value for name, value in facts.items() if value},
            )
            transmission, fresh = transmissions.register(connection, arrived)
            if not fresh:
                continue
            taken.append(transmission)
            entries.append(_entry(transmission, attachment, facts, raw))
            if attachment.problem is not None:
                hold = holds.Hold(
                    id=short_id("H", transmission.id), transmission=transmission.id, kind="unreadable", reasons=transmission.problems, opened_at=now
                )
                holds.open_hold(connection, hold)
        streams.poke(connection, stream_of(address))
        journal.append(connection, entries)
        crash.point(21)
    crash.point(22)
    return taken


def _keep(archive: Archive, mail: Fetched, attachments: Sequence[Attachment]) -> list[str]:
    """The mail and its attachments in the archive; what is large passes in pieces."""
    if mail.size <= LARGE:
        return archive.keep_many([*mail.pieces(), *(attachment.data for attachment in attachments)])
    raw, _ = archive.keep_stream(mail.pieces())
    return [raw, *(archive.keep(one.data) if one.large is None else archive.keep_stream(one.large.pieces())[0] for one in attachments)]


def _entry(transmission: Transmission, attachment: Attachment, facts: Mapping[str, str], raw: str) -> journal.Entry:
    told = {
        **facts,
        "name": transmission.name,
        "address": transmission.endpoint,
        "size": str(transmission.size),
        "part": str(attachment.index),
        "raw_message": raw,
        "problems": attachment.problem.code if attachment.problem is not None else "",
    }
    return journal.Entry(
        stream=transmission.stream,
        at=transmission.received_at,
        actor="gateway",
        action="received",
        subject_kind="transmission",
        subject=transmission.id,
        facts={name: value[:500] for name, value in told.items() if value},
        references=(transmission.sha256, raw),
    )
