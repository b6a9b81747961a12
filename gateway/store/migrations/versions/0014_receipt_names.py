"""AS2 receipts are told apart by both names: two AS2 names of ours may get the same Message-ID from one sender."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
KEYS = ("as2_from", "as2_to", "message_id")
#: the name of ours stands with the file that the message brought
FILL = {
    "sqlite": """
        INSERT INTO receipt_before (as2_from, as2_to, message_id, transmission, mdn_sha256, headers, at)
        SELECT r.as2_from, COALESCE((SELECT json_extract(t.properties, '$.as2_to') FROM transmission t WHERE t.id = r.transmission), ''),
               r.message_id, r.transmission, r.mdn_sha256, r.headers, r.at
        FROM receipt r
    """,
    "postgresql": """
        INSERT INTO receipt_before (as2_from, as2_to, message_id, transmission, mdn_sha256, headers, at)
        SELECT r.as2_from, COALESCE((SELECT t.properties::jsonb ->> 'as2_to' FROM transmission t WHERE t.id = r.transmission), ''),
               r.message_id, r.transmission, r.mdn_sha256, r.headers, r.at
        FROM receipt r
    """,
}


def upgrade() -> None:
    """The table with a longer key, and everything that was in it."""
    name = op.get_bind().dialect.name
    _create("receipt_before", KEYS)
    op.execute(sa.text(FILL[name]))
    op.drop_table("receipt")
    _create("receipt", KEYS)
    op.execute(sa.text("INSERT INTO receipt SELECT * FROM receipt_before"))
    op.drop_table("receipt_before")


def _create(name: str, keys: tuple[str, ...]) -> None:
    op.create_table(
        name,
        *(sa.Column(key, TEXT, nullable=False) for key in keys),
        sa.Column("transmission", TEXT, nullable=True),
        *(sa.Column(column, TEXT, nullable=False) for column in ("mdn_sha256", "headers", "at")),
        sa.ForeignKeyConstraint(["transmission"], ["transmission.id"], name=f"fk_{name}_transmission"),
        sa.PrimaryKeyConstraint(*keys, name=f"pk_{name}"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """There is no way back but a backup: nothing that was kept is thrown away."""
    raise RuntimeError("a database is not taken back to earlier tables: restore a backup")
