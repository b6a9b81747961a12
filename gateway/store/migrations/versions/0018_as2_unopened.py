"""AS2: messages that were answered and wait to be opened; whether a message of ours was signed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """One table, one column."""
    op.create_table(
        "as2_unopened",
        sa.Column("request_sha256", TEXT, nullable=False),
        sa.Column("stream", TEXT, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("came_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("request_sha256", name=op.f("pk_as2_unopened")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_as2_unopened_stream_seq"), "as2_unopened", ["stream", "seq"])
    op.add_column("as2_sending", sa.Column("signed", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """There is no way back but a backup: nothing that was kept is thrown away."""
    raise RuntimeError("a database is not taken back to earlier tables: restore a backup")
