"""Receipts that were to be posted to us and did not come in time: the message is posted again, byte for byte under its Message-ID, longer
and longer apart; after the last time it is given up. Looking again and again, on any process, does each thing once."""

from datetime import datetime
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from gateway.pipeline.outbox import given_up
from gateway.pipeline.outbox.recording import entry_of
from gateway.pipeline.spread import within
from gateway.pipeline.station import Station
from gateway.store import journal
from gateway.store import streams
from gateway.store.database import when_written
from gateway.store.outgoing import as2_sendings
from gateway.store.outgoing import outbox
from gateway.store.outgoing import posted
from gateway.store.outgoing.outbox import Entry

#: how often a message is posted that is taken and never confirmed
MOST_POSTS = 5
#: seconds within which messages of one moment are posted again, so that they do not fall upon the partner at once
SPREAD = 30.0

_log = structlog.get_logger("as2")


def watch_receipts(station: Station) -> int:
    """Do what is due about receipts that are overdue by now; how many rows that was."""
    done = 0
    while True:
        now = station.clock()
        with station.database.read() as connection:
            late = posted.overdue(connection, now, limit=1)
        if not late:
            return done
        with station.database.begin() as connection:
            entries: list[journal.Entry] = []
            done += _missing(connection, late[0], now, entries)
            journal.append(connection, entries)


def _missing(connection: Connection, late: Entry, now: datetime, entries: list[journal.Entry]) -> int:
    rows = [row for row in posted.of_file(connection, late) if row.state == outbox.POSTED and row.due_at <= now]
    sendings = as2_sendings.of_rows(connection, [row.id for row in rows])
    posts = sendings[0].posts if sendings else MOST_POSTS
    heard = f"; what came proves nothing: {sendings[0].trouble}" if sendings and sendings[0].trouble else ""
    ids = [row.id for row in rows]
    if posts >= MOST_POSTS:
        reason = f"no receipt came, although the message was taken {posts} times, the last wait ended {now:%Y-%m-%d %H:%M} UTC{heard}"
        posted.give_up(connection, ids, reason)
        given_up.rest(connection, ids, reason, now)
        action = "given up"
        said = partial(_log.error, "given up", partner=late.partner, endpoint=late.endpoint, row=late.id, spec=late.spec)
        when_written(connection, partial(said, error=reason))
    else:
        reason = f"no receipt came by {late.due_at:%Y-%m-%d %H:%M} UTC: it is posted again{heard}"
        wait = timedelta(seconds=within(SPREAD))
        posted.take_back(connection, ids, now + wait, reason)
        action = "not confirmed"
        told = partial(_log.warning, "as2 receipt missing", partner=late.partner, endpoint=late.endpoint, row=late.id, posts=posts)
        when_written(connection, told)
    entries += [entry_of(row, now, action, {"posts": str(posts), "attempts": str(row.attempts)}, reason=reason) for row in rows]
    streams.poke(connection, late.stream)
    return len(rows)
