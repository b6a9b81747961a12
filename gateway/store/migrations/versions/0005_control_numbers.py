"""The ledger of control numbers: which have been used, ours and the partners', as runs without a gap."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
COUNTING = ("partner", "direction", "identity", "level", "kind", "test")


def upgrade() -> None:
    """Two tables."""
    op.create_table(
        "counting",
        *_counting(),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("latest", sa.BigInteger(), nullable=False),
        sa.Column("highest", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("repeated", sa.BigInteger(), nullable=False),
        sa.Column("last_repeated", sa.BigInteger(), nullable=True),
        sa.Column("rolled_at", TEXT, nullable=True),
        sa.Column("changed_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint(*COUNTING, name=op.f("pk_counting")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "control_run",
        *_counting(),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("began_at", TEXT, nullable=False),
        sa.Column("changed_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint(*COUNTING, "round", "first", name=op.f("pk_control_run")),
        sqlite_with_rowid=False,
    )


def _counting() -> list["sa.Column[object]"]:
    return [sa.Column(name, sa.Boolean() if name == "test" else TEXT, nullable=False) for name in COUNTING]


def downgrade() -> None:
    """There is no way back but a backup: nothing that was kept is thrown away."""
    raise RuntimeError("a database is not taken back to earlier tables: restore a backup")
