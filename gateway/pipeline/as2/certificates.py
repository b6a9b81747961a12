"""Certificates of AS2 partners, looked at again and again: what ends within 60, 30 and 7 days without a successor stands among the troubles
before it hurts; what cannot be used any more stands there as stopped; and what was stopped for want of a certificate goes on as soon as
there is one again, without a restart."""

from collections.abc import Iterator
from datetime import datetime

import structlog
from sqlalchemy import Connection

from gateway.config import ConfigTrouble
from gateway.config import Installation
from gateway.exchange.as2 import As2Relation
from gateway.exchange.as2 import Expiry
from gateway.exchange.as2 import can_be_sent
from gateway.exchange.as2 import expiries
from gateway.exchange.as2 import expiry_of_line
from gateway.exchange.partner import Partner
from gateway.pipeline.as2.keys import relation_in_force
from gateway.pipeline.as2.line import lines_of
from gateway.pipeline.as2.line import read_line
from gateway.pipeline.as2.relations import as2_endpoints
from gateway.pipeline.endpoints import out_stream
from gateway.pipeline.outbox.recording import sending_trouble
from gateway.pipeline.station import Station
from gateway.store import streams
from gateway.store.outgoing import outbox
from gateway.store.watching import troubles
from gateway.store.watching.troubles import Trouble

KIND = "certificate"
_ENTER_IT = (
    "Exchange new certificates with the partner; the new one stands beside the old one in the partner's file, with the day that it is used from."
)
_REPLACE_IT = "Put a new key and certificate where the partner's file names them, and ask the partner to take it if it knows us by this one."

_log = structlog.get_logger("as2")


def watch_certificates(station: Station) -> None:
    """Bring what is known of all certificates up to date."""
    now = station.clock()
    wanted: dict[str, Trouble] = {}
    usable: list[tuple[Partner, str]] = []
    for partner, name, endpoint in as2_endpoints(station.installation):
        try:
            relation = relation_in_force(station.installation, partner, endpoint)
        except ConfigTrouble as error:
            trouble = _trouble(partner, name, "", "stopped", str(error), "Put the key or certificate where the partner's file names it.", now)
            wanted[trouble.name] = trouble
            continue
        if can_be_sent(relation, now):
            usable.append((partner, name))
        wanted.update((trouble.name, trouble) for trouble in _ends(relation, partner, name, now))
    wanted.update((trouble.name, trouble) for trouble in _lines(station.installation, now))
    with station.database.read() as connection:
        standing = {one.name: one for one in troubles.standing(connection) if one.kind == KIND}
    freed = [(partner, name) for partner, name in usable if sending_trouble(partner.id, name) in standing]
    ours = {name: one for name, one in standing.items() if name.startswith(f"{KIND} ")}
    changed = [one for name, one in wanted.items() if name not in ours or (ours[name].state, ours[name].error) != (one.state, one.error)]
    if not freed and not changed and wanted.keys() >= ours.keys():
        return
    with station.database.begin() as connection:
        for trouble in changed:
            troubles.stands(connection, trouble)
        for name in ours.keys() - wanted.keys():
            troubles.is_over(connection, name)
        for partner, name in freed:
            _go_on(connection, partner, name, now)
    for trouble in changed:
        (_log.error if trouble.state == "stopped" else _log.warning)("certificate", partner=trouble.partner, said=trouble.error, cure=trouble.cure)


def _ends(relation: As2Relation, partner: Partner, name: str, now: datetime) -> Iterator[Trouble]:
    """What ends soon or has ended; told anew at each stage, not each day."""
    for end in expiries(relation, now):
        over = end.stage == 0
        yield _trouble(partner, name, f" {end.whose} {end.fingerprint}", "stopped" if over else "warning", _said(end), _ENTER_IT, now)


def _lines(installation: Installation, now: datetime) -> Iterator[Trouble]:
    """What stands against the certificates that we show to partners' HTTPS servers."""
    for partner, name, endpoint in lines_of(installation):
        try:
            end = expiry_of_line(read_line(installation, endpoint), now)
        except (ConfigTrouble, ValueError) as error:
            said = f"our certificate for the partner's HTTPS server cannot be used: {error}"
            yield _trouble(partner, name, " line", "stopped", said, "Put the key and certificate where the partner's file names them.", now)
            continue
        if end is not None:
            yield _trouble(partner, name, f" line {end.fingerprint}", "stopped" if end.stage == 0 else "warning", _said(end), _REPLACE_IT, now)


def _said(end: Expiry) -> str:
    when = f"ended on {end.until:%Y-%m-%d}" if end.stage == 0 else f"ends on {end.until:%Y-%m-%d}, in at most {end.stage} days"
    return f"{end.subject} {when}, and there is none after it"


def _trouble(partner: Partner, name: str, what: str, state: str, error: str, cure: str, now: datetime) -> Trouble:
    return Trouble(name=f"{KIND} {partner.id}:{name}{what}", kind=KIND, partner=partner.id, state=state, error=error, cure=cure, since=now)


def _go_on(connection: Connection, partner: Partner, name: str, now: datetime) -> None:
    """There is a certificate again: what waited for it leaves now."""
    troubles.is_over(connection, sending_trouble(partner.id, name))
    outbox.try_now(connection, now, partner.id)
    streams.poke(connection, out_stream(partner.id, name))
    _log.info("certificate is there, sending goes on", partner=partner.id, endpoint=name)
