"""Partners that are paused, and rows of the outbox that wait behind another one of their order."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """One table, one column, and indexes over the few rows that are not as usual."""
    op.create_table(
        "pause",
        sa.Column("partner", TEXT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("since", TEXT, nullable=False),
        sa.Column("fetching", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("partner", name=op.f("pk_pause")),
        sqlite_with_rowid=False,
    )
    op.add_column("outbox", sa.Column("behind", TEXT, nullable=True))
    held_back, dead = sa.text("state = 'held_back'"), sa.text("state = 'dead'")
    op.create_index("ix_outbox_held_back", "outbox", ["stream", "behind"], sqlite_where=held_back, postgresql_where=held_back)
    op.create_index("ix_outbox_dead", "outbox", ["partner"], sqlite_where=dead, postgresql_where=dead)


def downgrade() -> None:
    """There is no way back but a backup: nothing that was kept is thrown away."""
    raise RuntimeError("a database is not taken back to earlier tables: restore a backup")
