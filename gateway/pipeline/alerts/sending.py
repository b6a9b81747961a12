"""Messages of alerts on their way: by mail and to a web hook, tried again while they are not taken. That they are not taken is a trouble of its
own, on the page and by the other way."""

from collections.abc import Callable
from datetime import timedelta

import structlog

from gateway.config import ConfigTrouble
from gateway.pipeline.alerts.raising import decide
from gateway.pipeline.alerts.words import json_of
from gateway.pipeline.alerts.words import mail_of
from gateway.pipeline.mail_server import smtp_settings
from gateway.pipeline.outbox.circuits import knocking
from gateway.pipeline.outbox.logins import mail_account
from gateway.pipeline.station import Station
from gateway.pipeline.troubles import MENDS_ITSELF
from gateway.pipeline.troubles import Standing
from gateway.store import crash
from gateway.store.database import DatabaseTrouble
from gateway.store.watching import alerts
from gateway.store.watching.alerts import Message
from gateway.transport.box import TransportError

EVERY = 10.0
#: after each failed try; the last one again and again until a message is a day old
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60))
GIVEN_UP = timedelta(days=1)
_log = structlog.get_logger("alerts")


class Alerts:
    """Looks and tells, again and again."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._standing = {way: Standing(station, "alerts", way) for way in ("mail", "webhook")}

    def look(self) -> None:
        """What a timer calls."""
        station = self._station.fixed()
        self._end_ways(station)
        if station.installation.settings.alerts is None:
            return
        decide(station)
        with station.database.read() as connection:
            due = alerts.due_messages(connection, station.clock())
        for message in due:
            self._send(station, message)

    def _end_ways(self, station: Station) -> None:
        """What still waits for a way that config.yaml names no more goes by none; that it did not is no trouble any more."""
        alerting = station.installation.settings.alerts
        for way, standing in self._standing.items():
            if alerting is not None and way in alerting.ways:
                continue
            with station.database.read() as connection:
                waiting = alerts.waiting_message(connection, way)
            if waiting is not None:
                with station.database.begin() as connection:
                    alerts.message_ended(connection, waiting.id, "dead", station.clock())
            standing.is_over()

    def _send(self, station: Station, message: Message) -> None:
        now = station.clock()
        crash.point(132)
        try:
            tell(station, message)
        except Exception as error:
            if isinstance(error, DatabaseTrouble):
                raise
            if not isinstance(error, TransportError | ConfigTrouble):
                # a message that we cannot put together keeps no other one, and no other way, from being told
                _log.exception("alerts failed", way=message.way, message=message.id)
            given_up = now - message.created_at > GIVEN_UP
            with station.database.begin() as connection:
                alerts.message_failed(connection, message.id, now + WAITS[min(message.attempts, len(WAITS) - 1)], str(error))
                if given_up:
                    alerts.message_ended(connection, message.id, "dead", now)
            _log.error("alerts not told", way=message.way, message=message.id, error=str(error))
            self._standing[message.way].stands(str(error), MENDS_ITSELF, stopped=True)
            return
        crash.point(133)
        with station.database.begin() as connection:
            alerts.message_ended(connection, message.id, "sent", now)
        _log.info("alerts told", way=message.way, message=message.id, alerts=len(message.items), left_out=message.left_out)
        self._standing[message.way].is_over()


def tell(station: Station, message: Message) -> None:
    """Hand a message over; raises TransportError or ConfigTrouble."""
    ways: dict[str, Callable[[Station, Message], None]] = {"mail": _mail, "webhook": _post}
    ways[message.way](station, message)


def _mail(station: Station, message: Message) -> None:
    from gateway.transport.smtp import send_mail

    settings = station.installation.settings
    if settings.alerts is None or settings.mail is None:
        raise ConfigTrouble("config.yaml names nobody to mail alerts to any more")
    page = f"http://{settings.web.host}:{settings.web.port}/"
    mail = mail_of(message, settings.mail.from_, settings.alerts.to, settings.us.name, page)
    # who is there shall know, also where one address is wrong
    with knocking(station, mail_account(station.installation)):
        send_mail(smtp_settings(station.installation), mail, whoever_takes_it=True)


def _post(station: Station, message: Message) -> None:
    from gateway.transport.webhook import WebhookTarget
    from gateway.transport.webhook import post_event

    installation = station.installation
    hook = installation.settings.alerts.webhook if installation.settings.alerts is not None else None
    if hook is None:
        raise ConfigTrouble("config.yaml names no web hook for alerts any more")
    target = WebhookTarget(
        url=hook.url,
        secrets=tuple(installation.secret_bytes(secret).strip() for secret in hook.secret),
        private=hook.private,
        ca_file=str(installation.path(hook.authorities)) if hook.authorities else None,
        timeout_seconds=hook.timeout,
    )
    post_event(target, message.id, json_of(message, installation.settings.us.name), int(station.clock().timestamp()))
