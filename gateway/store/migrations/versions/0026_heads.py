"""What stood first in a stream when a process began at it, so that one at which process after process ends is known."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """One table, a row a stream."""
    op.create_table(
        "stream_head",
        *(sa.Column(name, TEXT, nullable=False) for name in ("stream", "head", "progress")),
        sa.Column("deaths", sa.Integer(), nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("node", "at")),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_stream_head")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """There is no way back but a backup: nothing that was kept is thrown away."""
    raise RuntimeError("a database is not taken back to earlier tables: restore a backup")
