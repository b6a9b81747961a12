"""Files that could not be removed from a mailbox, and accounts that are left alone."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Two tables."""
    op.create_table(
        "left_behind",
        sa.Column("address", TEXT, nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("since", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("address", "identity", name=op.f("pk_left_behind")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "circuit",
        sa.Column("account", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("error", TEXT, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", TEXT, nullable=False),
        sa.Column("not_before", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_circuit")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """There is no way back but a backup: nothing that was kept is thrown away."""
    raise RuntimeError("a database is not taken back to earlier tables: restore a backup")
