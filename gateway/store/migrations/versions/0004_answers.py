"""What partners answered to what we sent, each answer kept; and how their applications, not only their readers, took it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """One table, one column, and an index for what is waited for."""
    op.create_table(
        "answer",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("partner", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("layer", TEXT, nullable=False),
        sa.Column("level", TEXT, nullable=False),
        sa.Column("document", TEXT, nullable=True),
        sa.Column("transmission", TEXT, nullable=True),
        sa.Column("outbox", TEXT, nullable=True),
        sa.Column("speaks_of", TEXT, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("relation", TEXT, nullable=False),
        sa.Column("notes", TEXT, nullable=False),
        sa.Column("problems", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["document"], ["document.id"], name=op.f("fk_answer_document")),
        sa.ForeignKeyConstraint(["transmission"], ["transmission.id"], name=op.f("fk_answer_transmission")),
        sa.ForeignKeyConstraint(["outbox"], ["outbox.id"], name=op.f("fk_answer_outbox")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
    )
    op.create_index(op.f("ix_answer_outbox"), "answer", ["outbox"], unique=False)
    op.create_index(op.f("ix_answer_document"), "answer", ["document"], unique=False)
    op.create_index(op.f("ix_answer_partner_at_id"), "answer", ["partner", "at", "id"], unique=False)
    op.create_index(
        "ix_answer_unmatched", "answer", ["partner", "at", "id"], sqlite_where=sa.text("outbox IS NULL"), postgresql_where=sa.text("outbox IS NULL")
    )
    op.add_column("outbox", sa.Column("application_state", TEXT, nullable=True))
    open_answers = sa.text("ack_state IN ('waiting', 'overdue')")
    op.create_index("ix_outbox_awaited", "outbox", ["ack_state", "partner"], sqlite_where=open_answers, postgresql_where=open_answers)


def downgrade() -> None:
    """There is no way back but a backup: nothing that was kept is thrown away."""
    raise RuntimeError("a database is not taken back to earlier tables: restore a backup")
