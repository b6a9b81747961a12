"""Alerts with their messages and mutes; counters of the engine."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Four tables."""
    op.create_table(
        "alert",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("partner", TEXT, nullable=True),
        sa.Column("severity", TEXT, nullable=False),
        sa.Column("what", TEXT, nullable=False),
        sa.Column("cure", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("since", TEXT, nullable=False),
        sa.Column("gone_since", TEXT, nullable=True),
        sa.Column("over_at", TEXT, nullable=True),
        sa.Column("told_at", TEXT, nullable=True),
        sa.Column("told_severity", TEXT, nullable=True),
        sa.Column("told_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_alert")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alert_message",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("way", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("items", TEXT, nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", TEXT, nullable=False),
        sa.Column("sent_at", TEXT, nullable=True),
        sa.Column("last_error", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_message")),
    )
    op.create_index(op.f("ix_alert_message_created_at"), "alert_message", ["created_at"])
    waiting = sa.text("state = 'waiting'")
    op.create_index("ix_alert_message_waiting", "alert_message", ["way"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "alert_mute",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=True),
        sa.Column("partner", TEXT, nullable=True),
        sa.Column("until", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_mute")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "meter",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("labels", TEXT, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "labels", name=op.f("pk_meter")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """There is no way back but a backup: nothing that was kept is thrown away."""
    raise RuntimeError("a database is not taken back to earlier tables: restore a backup")
