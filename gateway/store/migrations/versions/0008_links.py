"""Links over HTTPS: pushed files with their idempotency keys, files that partners fetch, events for webhooks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Three tables."""
    op.create_table(
        "upload",
        sa.Column("account", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("answer", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("account", "key", name=op.f("pk_upload")),
    )
    op.create_index(op.f("ix_upload_created_at"), "upload", ["created_at"])
    op.create_table(
        "pickup",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("account", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("taken_at", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pickup")),
    )
    waiting = sa.text("taken_at IS NULL")
    op.create_index("ix_pickup_waiting", "pickup", ["account", "created_at", "id"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "webhook",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("due_at", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_token", TEXT, nullable=True),
        sa.Column("lease_until", TEXT, nullable=True),
        sa.Column("last_error", TEXT, nullable=True),
        sa.Column("ended_at", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    unsent = sa.text("state = 'waiting'")
    op.create_index("ix_webhook_open", "webhook", ["target", "position"], sqlite_where=unsent, postgresql_where=unsent)
    op.create_index(op.f("ix_webhook_state_created_at_id"), "webhook", ["state", "created_at", "id"])


def downgrade() -> None:
    """There is no way back but a backup: nothing that was kept is thrown away."""
    raise RuntimeError("a database is not taken back to earlier tables: restore a backup")
