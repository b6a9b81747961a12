"""What was posted by AS2, as it was made at the first try, and the receipt for it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
OPTIONAL = ("content_head", "content_sha256", "encrypted_for")
LATER = ("receipt_state", "receipt_at", "receipt_sha256", "disposition", "signed_by", "trouble")


def upgrade() -> None:
    """One table."""
    op.create_table(
        "as2_sending",
        *(sa.Column(name, TEXT, nullable=False) for name in ("message_id", "outbox", "partner", "endpoint", "us", "them", "request_sha256")),
        *(sa.Column(name, TEXT, nullable=True) for name in OPTIONAL),
        *(sa.Column(name, TEXT, nullable=False) for name in ("mics", "receipt", "delivery", "wrapped_at")),
        sa.Column("posts", sa.Integer(), nullable=False),
        *(sa.Column(name, TEXT, nullable=True) for name in LATER),
        sa.ForeignKeyConstraint(["outbox"], ["outbox.id"], name=op.f("fk_as2_sending_outbox")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_as2_sending")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_as2_sending_outbox"), "as2_sending", ["outbox"], unique=True)


def downgrade() -> None:
    """There is no way back but a backup: nothing that was kept is thrown away."""
    raise RuntimeError("a database is not taken back to earlier tables: restore a backup")
