"""Alerts: who is told what does not work, once when it begins, once when it is over, in between when it grows worse. What happens within a
short time is collected to one message, messages are few, and what is left out is counted. It all stands in the database: a restart neither
repeats nor forgets.

Deciding (`decide`) is a transaction; sending (alert_sending) is outside of any.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from datetime import datetime
from datetime import timedelta

import msgspec
from sqlalchemy import Connection

from gateway.config.alerting import Alerting
from gateway.exchange.bounds import timedelta_of
from gateway.pipeline.alerts.signals import ERROR
from gateway.pipeline.alerts.signals import Signal
from gateway.pipeline.alerts.signals import signals
from gateway.pipeline.station import Station
from gateway.store.alert_item import Item
from gateway.store.identity import new_id
from gateway.store.watching import alerts
from gateway.store.watching.alerts import Alert
from gateway.store.watching.alerts import Message

#: how long something must not stand before it is over: a service that starts anew finds its troubles anew
CALM = timedelta(minutes=2)
#: how long the first of several is kept back for the others
GATHER = timedelta(seconds=20)
#: alerts in one message
MOST_ITEMS = 40
#: how long a number must rest before its growth is told again
GROWTH = timedelta(hours=1)
_KEPT = timedelta(days=90)
_HOUR = timedelta(hours=1)
_RANK = {"warning": 0, ERROR: 1}


def decide(station: Station) -> bool:
    """Look at what stands, and where it is time put together what shall be told; true where there is a message."""
    alerting = station.installation.settings.alerts
    if alerting is None:
        return False
    now = station.clock()
    with station.database.read() as connection:
        found = signals(connection, alerting, now)
        before = alerts.known(connection)
        composed = alerts.last_composed(connection, now)
        busy = alerts.composed_between(connection, now - _HOUR, now)
        muted = _muted(connection, alerting, station.installation.settings.zone, now)
    after = {alert.name: alert for alert in _as_they_are({name: _until(alert, now) for name, alert in before.items()}, found, now)}
    news = [item for alert in after.values() if (item := _news(alert, alerting, muted, now)) is not None]
    told = _is_time(news, alerting, now, composed, busy)
    if told:
        after = _as_told(after, news, now)
    ended = [name for name, alert in after.items() if alert.over_at is not None and (alert.told_at is None or _is_kept_quiet(alert, alerting, muted))]
    changed = [alert for name, alert in after.items() if name not in ended and before.get(name) != alert]
    if told or ended or changed:
        with station.database.begin() as connection:
            if told:
                for way in alerting.ways:
                    _compose(connection, way, news, now)
                alerts.forget_messages(connection, now - _KEPT)
            alerts.forget(connection, ended)
            alerts.put(connection, changed)
    return told


def why_quiet(station: Station, connection: Connection, known: Iterable[Alert]) -> dict[str, str]:
    """For each of these alerts that nobody heard of yet, or not of its end: why, and when it is told."""
    alerting = station.installation.settings.alerts
    if alerting is None:
        return {}
    now = station.clock()
    muted = _muted(connection, alerting, station.installation.settings.zone, now)
    full = alerts.composed_between(connection, now - _HOUR, now) >= alerting.most_an_hour
    later = f"told when fewer than {alerting.most_an_hour} messages left within the hour (most_an_hour)" if full else "told with the next message"
    answer = {}
    for alert in known:
        if alert.told_at is not None and alert.over_at is None:
            continue
        if _is_kept_quiet(alert, alerting, muted):
            answer[alert.name] = (
                "not told: it is muted" if _RANK[alert.severity] >= _RANK[alerting.severity] else "not told: alerts of this severity are not"
            )
        elif _news(alert, alerting, muted, now) is None:
            answer[alert.name] = "not told: it may mend itself" if alert.gone_since is None else "not told: it is gone for the moment"
        else:
            answer[alert.name] = f"not told yet: {later}"
    return answer


def _muted(connection: Connection, alerting: Alerting, zone: str, now: datetime) -> list[tuple[str | None, str | None]]:
    return [*_of_config(alerting, zone, now), *((one.kind, one.partner) for one in alerts.mutes(connection, now))]


def _as_they_are(before: Mapping[str, Alert], found: Iterable[Signal], now: datetime) -> Iterator[Alert]:
    """Every alert as it is after this look."""
    standing = {signal.name: signal for signal in found}
    for signal in standing.values():
        known = before.get(signal.name)
        if known is not None and known.over_at is not None:
            # it came back before its end was told: nobody knows that it was gone
            known = msgspec.structs.replace(known, over_at=None)
        # what a restart found anew began when it was first known
        since = min(signal.since, known.since if known is not None else now, now)
        yield Alert(
            name=signal.name,
            kind=signal.kind,
            partner=signal.partner,
            severity=signal.severity,
            what=signal.what,
            cure=signal.cure,
            number=_stage(known, signal) if signal.staged else signal.number,
            since=since,
            told_at=known.told_at if known is not None else None,
            told_severity=known.told_severity if known is not None else None,
            told_number=known.told_number if known is not None else 0,
        )
    for name, alert in before.items():
        if name not in standing:
            gone = alert.gone_since or now
            over = alert.over_at or (now if now - gone >= CALM else None)
            yield msgspec.structs.replace(alert, gone_since=gone, over_at=over)


def _stage(known: Alert | None, signal: Signal) -> int:
    """How often the words have changed: at each stage somebody is told anew, although it stood before and is no error yet."""
    return 1 if known is None else known.number + (known.what != signal.what)


def _until(alert: Alert, now: datetime) -> Alert:
    """The same where the clock was set back: what it knows of hours to come was just now."""
    if max(moment for moment in (alert.since, alert.gone_since, alert.over_at, alert.told_at) if moment is not None) <= now:
        return alert
    return msgspec.structs.replace(
        alert,
        since=min(alert.since, now),
        gone_since=min(alert.gone_since, now) if alert.gone_since is not None else None,
        over_at=min(alert.over_at, now) if alert.over_at is not None else None,
        told_at=min(alert.told_at, now) if alert.told_at is not None else None,
    )


def _news(alert: Alert, alerting: Alerting, muted: Iterable[tuple[str | None, str | None]], now: datetime) -> Item | None:
    """What is new about an alert that somebody should hear."""
    if _is_kept_quiet(alert, alerting, muted):
        return None
    change = None
    if alert.told_at is None:
        # what mends itself gets its time; what is gone for the moment may be over
        ripe = alert.severity == ERROR or now - alert.since >= timedelta_of(alerting.patience)
        change = "begins" if ripe and alert.gone_since is None else None
    elif alert.over_at is not None:
        change = "over"
    elif _RANK[alert.severity] > _RANK[alert.told_severity or "warning"] or (alert.number > alert.told_number and now - alert.told_at >= GROWTH):
        change = "worse"
    if change is None:
        return None
    return Item(
        name=alert.name,
        kind=alert.kind,
        partner=alert.partner,
        change=change,
        severity=alert.severity,
        what=alert.what,
        cure=alert.cure,
        since=alert.since,
        at=alert.over_at or now,
    )


def _is_kept_quiet(alert: Alert, alerting: Alerting, muted: Iterable[tuple[str | None, str | None]]) -> bool:
    """Whether nobody wants to hear of it: it is muted, or less than what shall be told."""
    if _RANK[alert.severity] < _RANK[alerting.severity]:
        return True
    return any(kind in {None, alert.kind} and partner in {None, alert.partner} for kind, partner in muted)


def _of_config(alerting: Alerting, zone: str, now: datetime) -> Iterator[tuple[str | None, str | None]]:
    for mute in alerting.mute:
        ends = mute.ends(zone)
        if ends is None or now < ends:
            yield mute.kind, mute.partner


def _is_time(news: list[Item], alerting: Alerting, now: datetime, composed: datetime | None, busy: int) -> bool:
    """Whether a message may leave now: there is something to say, others had time to join, and the last one is long enough ago."""
    if not news or busy >= alerting.most_an_hour:
        return False
    if composed is not None and now - composed < timedelta_of(alerting.digest):
        return False
    return now - min(max(item.since, item.at if item.change == "over" else item.since) for item in news) >= GATHER


def _as_told(after: Mapping[str, Alert], news: Iterable[Item], now: datetime) -> dict[str, Alert]:
    """The alerts after they were told: those that are over are forgotten."""
    told = {item.name: item for item in news}
    answer = {}
    for name, alert in after.items():
        if name not in told:
            answer[name] = alert
        elif told[name].change == "over":
            answer[name] = msgspec.structs.replace(alert, told_at=None)
        else:
            answer[name] = msgspec.structs.replace(alert, told_at=now, told_severity=alert.severity, told_number=alert.number)
    return answer


def _compose(connection: Connection, way: str, news: Iterable[Item], now: datetime) -> None:
    """A message by one way; what still waits to leave by it goes along."""
    waiting = alerts.waiting_message(connection, way)
    items: dict[str, Item] = {}
    for item in [*(waiting.items if waiting is not None else ()), *news]:
        items.pop(item.name, None)
        items[item.name] = item
    # what began is more than what is over, and errors are more than warnings
    ordered = sorted(items.values(), key=lambda item: (item.change == "over", -_RANK[item.severity], item.since, item.name))
    left_out = max(0, len(ordered) - MOST_ITEMS) + (waiting.left_out if waiting is not None else 0)
    message = Message(id=new_id(), way=way, created_at=now, items=tuple(ordered[:MOST_ITEMS]), left_out=left_out, due_at=now)
    alerts.add_message(connection, message)
