"""AS2: messages that were refused."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0018"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """One table."""
    names = ("partner", "as2_from", "as2_to", "message_id", "file", "code", "sentence", "codes")
    op.create_table(
        "as2_refusal",
        sa.Column("id", TEXT, nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in names),
        sa.Column("request_sha256", TEXT, nullable=True),
        sa.Column("mdn_sha256", TEXT, nullable=True),
        sa.Column("first_at", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_as2_refusal")),
        sqlite_with_rowid=False,
    )
    for columns in (["partner", "code", "at", "id"], ["at"], ["message_id"], ["file"], ["as2_from", "at"], ["request_sha256"]):
        op.create_index(op.f(f"ix_as2_refusal_{'_'.join(columns)}"), "as2_refusal", columns)


def downgrade() -> None:
    """There is no way back but a backup: nothing that was kept is thrown away."""
    raise RuntimeError("a database is not taken back to earlier tables: restore a backup")
