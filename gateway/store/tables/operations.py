"""What operators look after: settings, troubles, alerts, counters, and what is paused or left alone."""

from sqlalchemy import BigInteger
from sqlalchemy import Boolean
from sqlalchemy import Column
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import PrimaryKeyConstraint
from sqlalchemy import Table
from sqlalchemy import text

from gateway.store.alert_item import Item
from gateway.store.columns import Json
from gateway.store.columns import Moment
from gateway.store.columns import Words
from gateway.store.tables.metadata import METADATA

setting = Table(
    "setting",
    METADATA,
    Column("name", Words, primary_key=True),
    Column("value", Words, nullable=False),
    sqlite_with_rowid=False,
)

trouble = Table(
    "trouble",
    METADATA,
    Column("name", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("partner", Words),
    Column("state", Words, nullable=False),
    Column("error", Words, nullable=False),
    Column("cure", Words, nullable=False),
    Column("since", Moment, nullable=False),
    sqlite_with_rowid=False,
)

#: files that were taken in and could not be removed where they lay
left_behind = Table(
    "left_behind",
    METADATA,
    Column("address", Words, nullable=False),
    Column("identity", Words, nullable=False),
    Column("since", Moment, nullable=False),
    PrimaryKeyConstraint("address", "identity"),
    sqlite_with_rowid=False,
)

#: accounts at partners' servers that are left alone
circuit = Table(
    "circuit",
    METADATA,
    Column("account", Words, primary_key=True),
    Column("state", Words, nullable=False),
    Column("error", Words, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("since", Moment, nullable=False),
    Column("not_before", Moment, nullable=False),
    sqlite_with_rowid=False,
)

# Partners to whom nothing is sent for now.
pause = Table(
    "pause",
    METADATA,
    Column("partner", Words, primary_key=True),
    Column("actor", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("since", Moment, nullable=False),
    Column("fetching", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

alert = Table(
    "alert",
    METADATA,
    Column("name", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("partner", Words),
    Column("severity", Words, nullable=False),
    Column("what", Words, nullable=False),
    Column("cure", Words, nullable=False),
    Column("number", Integer, nullable=False),
    Column("since", Moment, nullable=False),
    Column("gone_since", Moment),
    Column("over_at", Moment),
    Column("told_at", Moment),
    Column("told_severity", Words),
    Column("told_number", Integer, nullable=False),
    sqlite_with_rowid=False,
)

alert_message = Table(
    "alert_message",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("way", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("items", Json(tuple[Item, ...]), nullable=False),
    Column("left_out", Integer, nullable=False),
    Column("state", Words, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("sent_at", Moment),
    Column("last_error", Words),
    Index(None, "created_at"),
    Index("ix_alert_message_waiting", "way", sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'")),
)

alert_mute = Table(
    "alert_mute",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("kind", Words),
    Column("partner", Words),
    Column("until", Moment, nullable=False),
    Column("reason", Words, nullable=False),
    Column("actor", Words, nullable=False),
    Column("at", Moment, nullable=False),
    sqlite_with_rowid=False,
)

#: counters and sums since the installation began: whole numbers that are only added to
meter = Table(
    "meter",
    METADATA,
    Column("name", Words, primary_key=True),
    Column("labels", Words, primary_key=True),
    Column("value", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
