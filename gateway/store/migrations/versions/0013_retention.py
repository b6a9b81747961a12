"""Retention: what was erased by which rule, and what a legal hold keeps."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Two tables."""
    op.create_table(
        "erasure",
        sa.Column("subject_kind", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("erased_at", TEXT, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("removed_at", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("subject_kind", "subject", "sha256", name=op.f("pk_erasure")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_erasure_sha256"), "erasure", ["sha256"])
    unfinished = sa.text("removed_at IS NULL")
    op.create_index("ix_erasure_unfinished", "erasure", ["sha256"], sqlite_where=unfinished, postgresql_where=unfinished)
    op.create_index(op.f("ix_erasure_erased_at"), "erasure", ["erased_at"])
    op.create_table(
        "legal_hold",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("subject_kind", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("since", TEXT, nullable=False),
        sa.Column("released_at", TEXT, nullable=True),
        sa.Column("released_by", TEXT, nullable=True),
        sa.Column("release_reason", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """There is no way back but a backup: nothing that was kept is thrown away."""
    raise RuntimeError("a database is not taken back to earlier tables: restore a backup")
