"""Small payloads that are written in the transaction that names them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0026"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """One table."""
    op.create_table(
        "small_payload",
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("kept_at", TEXT, nullable=False),
        sa.Column("base64", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_small_payload")),
    )


def downgrade() -> None:
    """There is no way back but a backup: nothing that was kept is thrown away."""
    raise RuntimeError("a database is not taken back to earlier tables: restore a backup")
