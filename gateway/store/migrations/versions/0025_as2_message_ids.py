"""AS2: messages are found by their Message-IDs; requests of which nothing was taken have a time of keeping."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0023"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
NAMES = ("partner", "as2_from", "as2_to", "message_id")
#: what the journal said so far of requests that stayed in the archive; "AS2 message waits to be opened" is followed by one of these, or was taken
ACTIONS = ("AS2 message refused", "AS2 message came again", "AS2 receipt fits nothing that we sent")


def upgrade() -> None:
    """Two indexes, a column, and a table of what the journal has named so far."""
    op.create_index(op.f("ix_receipt_message_id"), "receipt", ["message_id"])
    op.add_column("as2_unopened", sa.Column("message_id", TEXT, nullable=True))
    op.create_index(op.f("ix_as2_unopened_message_id"), "as2_unopened", ["message_id"])
    requests = op.create_table(
        "as2_request",
        sa.Column("request_sha256", TEXT, nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in NAMES),
        sa.Column("came_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("request_sha256", name=op.f("pk_as2_request")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_as2_request_message_id"), "as2_request", ["message_id"])
    op.create_index(op.f("ix_as2_request_came_at_request_sha256"), "as2_request", ["came_at", "request_sha256"])
    told = sa.text("SELECT subject, action, at, entry FROM journal_entry WHERE subject_kind = 'as2_request' ORDER BY position")
    rows: dict[str, dict[str, str]] = {}
    for subject, action, at, entry in op.get_bind().execute(told):
        said = json.loads(entry)
        # one that was too large was not kept, and has an id instead of a digest
        if action in ACTIONS and subject in said.get("references", ()):
            names = {name: said.get("facts", {}).get(name, "") for name in NAMES}
            rows[subject] = {"request_sha256": subject, **names, "came_at": at}
    if rows:
        op.bulk_insert(requests, list(rows.values()))


def downgrade() -> None:
    """There is no way back but a backup: nothing that was kept is thrown away."""
    raise RuntimeError("a database is not taken back to earlier tables: restore a backup")
