"""Changes of orders, and the versions that they made of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """One table."""
    op.create_table(
        "order_change",
        sa.Column("document", TEXT, nullable=False),
        sa.Column("sales_order", TEXT, nullable=False),
        sa.Column("number", TEXT, nullable=True),
        sa.Column("sequence", TEXT, nullable=True),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("body", TEXT, nullable=True),
        sa.Column("order_fingerprint", TEXT, nullable=True),
        sa.Column("at", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["document"], ["document.id"], name=op.f("fk_order_change_document")),
        sa.ForeignKeyConstraint(["sales_order"], ["sales_order.document"], name=op.f("fk_order_change_sales_order")),
        sa.PrimaryKeyConstraint("document", name=op.f("pk_order_change")),
        sa.UniqueConstraint("sales_order", "version", name=op.f("uq_order_change_sales_order_version")),
    )


def downgrade() -> None:
    """There is no way back but a backup: nothing that was kept is thrown away."""
    raise RuntimeError("a database is not taken back to earlier tables: restore a backup")
