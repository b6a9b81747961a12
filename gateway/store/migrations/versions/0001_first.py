"""The first tables.

Written out, not taken from store.tables: what this revision builds must stay the same for ever.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = ("journal_entry", "journal_checkpoint", "document_state", "allocation", "credit_application")


def upgrade() -> None:
    """Build everything."""
    op.create_table(
        "commitment_salt",
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("salt", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_commitment_salt")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "control",
        sa.Column("partner", TEXT, nullable=False),
        sa.Column("our_id", TEXT, nullable=False),
        sa.Column("level", TEXT, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("drawn", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("partner", "our_id", "level", name=op.f("pk_control")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "document_count",
        sa.Column("stream", TEXT, nullable=False),
        sa.Column("partner", TEXT, nullable=False),
        sa.Column("direction", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "partner", "direction", "kind", "state", "test", name=op.f("pk_document_count")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "item",
        sa.Column("number", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("base_unit", TEXT, nullable=False),
        sa.Column("gtin", TEXT, nullable=True),
        sa.Column("tax_category", TEXT, nullable=True),
        sa.Column("tax_rate", TEXT, nullable=True),
        sa.Column("minimum_quantity", TEXT, nullable=True),
        sa.Column("multiple", TEXT, nullable=True),
        sa.Column("discontinued", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_item")),
    )
    op.create_index(op.f("ix_item_gtin"), "item", ["gtin"], unique=False)
    op.create_table(
        "journal_checkpoint",
        sa.Column("number", SERIAL, autoincrement=False, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", TEXT, nullable=False),
        sa.Column("frontier", TEXT, nullable=False),
        sa.Column("statement", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("signature", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_journal_checkpoint")),
    )
    op.create_table(
        "journal_entry",
        sa.Column("position", SERIAL, nullable=False),
        sa.Column("stream", TEXT, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("subject_kind", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("entry", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_journal_entry")),
        sa.UniqueConstraint("stream", "number", name=op.f("uq_journal_entry_stream_number")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_journal_entry_subject_subject_kind"), "journal_entry", ["subject", "subject_kind"], unique=False)
    op.create_table(
        "journal_head",
        sa.Column("stream", TEXT, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_journal_head")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "partner_note",
        sa.Column("partner", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("partner", "name", name=op.f("pk_partner_note")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "place",
        sa.Column("partner", TEXT, nullable=False),
        sa.Column("scheme", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("address", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("partner", "scheme", "value", name=op.f("pk_place")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "plan",
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("content", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_plan")),
    )
    op.create_table(
        "poke",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("stream", TEXT, nullable=False),
        sa.Column("not_before", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_poke")),
    )
    op.create_index(op.f("ix_poke_stream"), "poke", ["stream"], unique=False)
    op.create_table(
        "series",
        sa.Column("entity", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "name", name=op.f("pk_series")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "setting",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_setting")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stream",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("next_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_stream")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "transmission",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("direction", TEXT, nullable=False),
        sa.Column("partner", TEXT, nullable=True),
        sa.Column("endpoint", TEXT, nullable=False),
        sa.Column("source_identity", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received_at", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("stream", TEXT, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("problems", TEXT, nullable=False),
        sa.Column("properties", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transmission")),
    )
    op.create_index(
        "ix_transmission_open",
        "transmission",
        ["stream", "seq"],
        unique=False,
        sqlite_where=sa.text("state IN ('received', 'opening')"),
        postgresql_where=sa.text("state IN ('received', 'opening')"),
    )
    op.create_index(op.f("ix_transmission_partner_received_at_id"), "transmission", ["partner", "received_at", "id"], unique=False)
    op.create_index(op.f("ix_transmission_received_at_id"), "transmission", ["received_at", "id"], unique=False)
    op.create_index(op.f("ix_transmission_sha256"), "transmission", ["sha256"], unique=False)
    op.create_index(op.f("ix_transmission_state_received_at_id"), "transmission", ["state", "received_at", "id"], unique=False)
    op.create_index(
        "uq_transmission_source",
        "transmission",
        ["endpoint", "source_identity", "sha256"],
        unique=True,
        sqlite_where=sa.text("direction = 'in'"),
        postgresql_where=sa.text("direction = 'in'"),
    )
    op.create_table(
        "interchange",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("transmission", TEXT, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("syntax", TEXT, nullable=False),
        sa.Column("sender", TEXT, nullable=False),
        sa.Column("receiver", TEXT, nullable=False),
        sa.Column("partner", TEXT, nullable=True),
        sa.Column("control_number", TEXT, nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("byte_offset", sa.BigInteger(), nullable=False),
        sa.Column("envelope", TEXT, nullable=False),
        sa.Column("outcome", TEXT, nullable=True),
        sa.Column("opened_at", TEXT, nullable=False),
        sa.Column("finished_at", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["transmission"], ["transmission.id"], name=op.f("fk_interchange_transmission")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interchange")),
        sa.UniqueConstraint("transmission", "ordinal", name=op.f("uq_interchange_transmission_ordinal")),
    )
    op.create_index(op.f("ix_interchange_partner_opened_at_id"), "interchange", ["partner", "opened_at", "id"], unique=False)
    op.create_index(op.f("ix_interchange_sender_receiver_control_number"), "interchange", ["sender", "receiver", "control_number"], unique=False)
    op.create_table(
        "item_reference",
        sa.Column("partner", TEXT, nullable=False),
        sa.Column("scheme", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("item", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["item"], ["item.number"], name=op.f("fk_item_reference_item")),
        sa.PrimaryKeyConstraint("partner", "scheme", "value", name=op.f("pk_item_reference")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_item_reference_item"), "item_reference", ["item"], unique=False)
    op.create_table(
        "item_unit",
        sa.Column("item", TEXT, nullable=False),
        sa.Column("unit", TEXT, nullable=False),
        sa.Column("factor", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["item"], ["item.number"], name=op.f("fk_item_unit_item")),
        sa.PrimaryKeyConstraint("item", "unit", name=op.f("pk_item_unit")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "price",
        sa.Column("partner", TEXT, nullable=False),
        sa.Column("item", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("unit", TEXT, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("minimum_quantity", TEXT, nullable=False),
        sa.Column("amount", TEXT, nullable=False),
        sa.Column("base", TEXT, nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["item"], ["item.number"], name=op.f("fk_price_item")),
        sa.PrimaryKeyConstraint("partner", "item", "currency", "unit", "valid_from", "minimum_quantity", name=op.f("pk_price")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_price_item"), "price", ["item"], unique=False)
    op.create_table(
        "receipt",
        sa.Column("as2_from", TEXT, nullable=False),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("transmission", TEXT, nullable=True),
        sa.Column("mdn_sha256", TEXT, nullable=False),
        sa.Column("headers", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["transmission"], ["transmission.id"], name=op.f("fk_receipt_transmission")),
        sa.PrimaryKeyConstraint("as2_from", "message_id", name=op.f("pk_receipt")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reserved",
        sa.Column("item", TEXT, nullable=False),
        sa.Column("quantity", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["item"], ["item.number"], name=op.f("fk_reserved_item")),
        sa.PrimaryKeyConstraint("item", name=op.f("pk_reserved")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stock",
        sa.Column("item", TEXT, nullable=False),
        sa.Column("on_hand", TEXT, nullable=False),
        sa.Column("restock_on", sa.Date(), nullable=True),
        sa.Column("at", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["item"], ["item.number"], name=op.f("fk_stock_item")),
        sa.PrimaryKeyConstraint("item", name=op.f("pk_stock")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "document",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("direction", TEXT, nullable=False),
        sa.Column("partner", TEXT, nullable=False),
        sa.Column("interchange", TEXT, nullable=True),
        sa.Column("transmission", TEXT, nullable=True),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("number", TEXT, nullable=False),
        sa.Column("transaction_type", TEXT, nullable=False),
        sa.Column("transaction_control", TEXT, nullable=False),
        sa.Column("group_control", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("stream", TEXT, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hold_key", TEXT, nullable=True),
        sa.Column("byte_offset", sa.BigInteger(), nullable=True),
        sa.Column("byte_length", sa.BigInteger(), nullable=True),
        sa.Column("sha256", TEXT, nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", TEXT, nullable=True),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("due_at", TEXT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("transition_no", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["interchange"], ["interchange.id"], name=op.f("fk_document_interchange")),
        sa.ForeignKeyConstraint(["transmission"], ["transmission.id"], name=op.f("fk_document_transmission")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("interchange", "ordinal", name=op.f("uq_document_interchange_ordinal")),
    )
    op.create_index(op.f("ix_document_created_at_id"), "document", ["created_at", "id"], unique=False)
    op.create_index(
        "ix_document_hold_key",
        "document",
        ["hold_key", "seq"],
        unique=False,
        sqlite_where=sa.text("state = 'registered'"),
        postgresql_where=sa.text("state = 'registered'"),
    )
    op.create_index(op.f("ix_document_kind_created_at_id"), "document", ["kind", "created_at", "id"], unique=False)
    op.create_index(op.f("ix_document_number_partner"), "document", ["number", "partner"], unique=False)
    op.create_index(op.f("ix_document_partner_created_at_id"), "document", ["partner", "created_at", "id"], unique=False)
    op.create_index(
        "ix_document_registered",
        "document",
        ["stream", "seq"],
        unique=False,
        sqlite_where=sa.text("state = 'registered'"),
        postgresql_where=sa.text("state = 'registered'"),
    )
    op.create_index(op.f("ix_document_state_created_at_id"), "document", ["state", "created_at", "id"], unique=False)
    op.create_index(op.f("ix_document_transmission"), "document", ["transmission"], unique=False)
    op.create_table(
        "document_content",
        sa.Column("document", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=True),
        sa.Column("problems", TEXT, nullable=False),
        sa.Column("result", TEXT, nullable=True),
        sa.Column("plan_digests", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["document"], ["document.id"], name=op.f("fk_document_content_document")),
        sa.PrimaryKeyConstraint("document", name=op.f("pk_document_content")),
    )
    op.create_table(
        "document_state",
        sa.Column("document", TEXT, nullable=False),
        sa.Column("transition_no", sa.Integer(), nullable=False),
        sa.Column("state_before", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["document"], ["document.id"], name=op.f("fk_document_state_document")),
        sa.PrimaryKeyConstraint("document", "transition_no", name=op.f("pk_document_state")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "handover",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("document", TEXT, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("due_at", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("receipt", TEXT, nullable=True),
        sa.Column("last_error", TEXT, nullable=True),
        sa.Column("confirmed_at", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["document"], ["document.id"], name=op.f("fk_handover_document")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
    )
    op.create_index(op.f("ix_handover_document"), "handover", ["document"], unique=False)
    op.create_index(
        "ix_handover_open",
        "handover",
        ["target", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "hold",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("document", TEXT, nullable=True),
        sa.Column("transmission", TEXT, nullable=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("reasons", TEXT, nullable=False),
        sa.Column("opened_at", TEXT, nullable=False),
        sa.Column("resolved_at", TEXT, nullable=True),
        sa.Column("decision", TEXT, nullable=True),
        sa.Column("actor", TEXT, nullable=True),
        sa.Column("reason", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["document"], ["document.id"], name=op.f("fk_hold_document")),
        sa.ForeignKeyConstraint(["transmission"], ["transmission.id"], name=op.f("fk_hold_transmission")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index(op.f("ix_hold_document"), "hold", ["document"], unique=False)
    op.create_index(
        "ix_hold_open",
        "hold",
        ["opened_at", "id"],
        unique=False,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index(op.f("ix_hold_transmission"), "hold", ["transmission"], unique=False)
    op.create_table(
        "link",
        sa.Column("from_document", TEXT, nullable=False),
        sa.Column("to_document", TEXT, nullable=False),
        sa.Column("relation", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["from_document"], ["document.id"], name=op.f("fk_link_from_document")),
        sa.ForeignKeyConstraint(["to_document"], ["document.id"], name=op.f("fk_link_to_document")),
        sa.PrimaryKeyConstraint("from_document", "to_document", "relation", name=op.f("pk_link")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_link_to_document"), "link", ["to_document"], unique=False)
    op.create_table(
        "open_item",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("partner", TEXT, nullable=False),
        sa.Column("document", TEXT, nullable=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("number", TEXT, nullable=False),
        sa.Column("order_number", TEXT, nullable=True),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("open_minor", sa.BigInteger(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["document"], ["document.id"], name=op.f("fk_open_item_document")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_open_item")),
        sa.UniqueConstraint("kind", "number", "partner", name=op.f("uq_open_item_kind_number_partner")),
    )
    op.create_index(op.f("ix_open_item_document"), "open_item", ["document"], unique=False)
    op.create_index(op.f("ix_open_item_number"), "open_item", ["number"], unique=False)
    op.create_index(
        "ix_open_item_open",
        "open_item",
        ["partner", "currency", "due_on", "id"],
        unique=False,
        sqlite_where=sa.text("open_minor <> 0"),
        postgresql_where=sa.text("open_minor <> 0"),
    )
    op.create_index(op.f("ix_open_item_order_number"), "open_item", ["order_number"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("document", TEXT, nullable=True),
        sa.Column("partner", TEXT, nullable=False),
        sa.Column("endpoint", TEXT, nullable=False),
        sa.Column("stream", TEXT, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("spec", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("properties", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("due_at", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_token", TEXT, nullable=True),
        sa.Column("lease_until", TEXT, nullable=True),
        sa.Column("identity", TEXT, nullable=True),
        sa.Column("sha256", TEXT, nullable=True),
        sa.Column("transmission", TEXT, nullable=True),
        sa.Column("transaction_type", TEXT, nullable=True),
        sa.Column("interchange_control", TEXT, nullable=True),
        sa.Column("group_control", TEXT, nullable=True),
        sa.Column("transaction_control", TEXT, nullable=True),
        sa.Column("sent_at", TEXT, nullable=True),
        sa.Column("last_error", TEXT, nullable=True),
        sa.Column("expects_ack", sa.Boolean(), nullable=False),
        sa.Column("ack_state", TEXT, nullable=True),
        sa.Column("ack_due_at", TEXT, nullable=True),
        sa.Column("acknowledged_at", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["document"], ["document.id"], name=op.f("fk_outbox_document")),
        sa.ForeignKeyConstraint(["transmission"], ["transmission.id"], name=op.f("fk_outbox_transmission")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("stream", "seq", name=op.f("uq_outbox_stream_seq")),
    )
    op.create_index(
        "ix_outbox_ack_due",
        "outbox",
        ["ack_due_at"],
        unique=False,
        sqlite_where=sa.text("ack_state = 'waiting'"),
        postgresql_where=sa.text("ack_state = 'waiting'"),
    )
    op.create_index(op.f("ix_outbox_document"), "outbox", ["document"], unique=False)
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('waiting', 'claimed', 'prepared')"),
        postgresql_where=sa.text("state IN ('waiting', 'claimed', 'prepared')"),
    )
    op.create_index(op.f("ix_outbox_identity"), "outbox", ["identity"], unique=False)
    op.create_index(
        "ix_outbox_open",
        "outbox",
        ["stream", "seq"],
        unique=False,
        sqlite_where=sa.text("state IN ('waiting', 'claimed', 'prepared')"),
        postgresql_where=sa.text("state IN ('waiting', 'claimed', 'prepared')"),
    )
    op.create_index(op.f("ix_outbox_partner_group_control"), "outbox", ["partner", "group_control"], unique=False)
    op.create_index(op.f("ix_outbox_partner_interchange_control"), "outbox", ["partner", "interchange_control"], unique=False)
    op.create_index(op.f("ix_outbox_state_created_at_id"), "outbox", ["state", "created_at", "id"], unique=False)
    op.create_table(
        "payment",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("bank_reference", TEXT, nullable=False),
        sa.Column("partner", TEXT, nullable=True),
        sa.Column("document", TEXT, nullable=True),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("unapplied_minor", sa.BigInteger(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("value_on", sa.Date(), nullable=True),
        sa.Column("payer_name", TEXT, nullable=True),
        sa.Column("payer_account", TEXT, nullable=True),
        sa.Column("trace", TEXT, nullable=True),
        sa.Column("text", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("details", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["document"], ["document.id"], name=op.f("fk_payment_document")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("source", "bank_reference", name=op.f("uq_payment_source_bank_reference")),
    )
    op.create_index(op.f("ix_payment_booked_on_id"), "payment", ["booked_on", "id"], unique=False)
    op.create_index(op.f("ix_payment_document"), "payment", ["document"], unique=False)
    op.create_index(op.f("ix_payment_trace"), "payment", ["trace"], unique=False)
    op.create_index(
        "ix_payment_unapplied",
        "payment",
        ["partner", "currency", "booked_on", "id"],
        unique=False,
        sqlite_where=sa.text("unapplied_minor <> 0"),
        postgresql_where=sa.text("unapplied_minor <> 0"),
    )
    op.create_table(
        "reference",
        sa.Column("normalised", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("document", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["document"], ["document.id"], name=op.f("fk_reference_document")),
        sa.PrimaryKeyConstraint("normalised", "kind", "document", "value", name=op.f("pk_reference")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_reference_document"), "reference", ["document"], unique=False)
    op.create_table(
        "reservation",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("document", TEXT, nullable=False),
        sa.Column("line", TEXT, nullable=False),
        sa.Column("item", TEXT, nullable=False),
        sa.Column("quantity", TEXT, nullable=False),
        sa.Column("cause", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["document"], ["document.id"], name=op.f("fk_reservation_document")),
        sa.ForeignKeyConstraint(["item"], ["item.number"], name=op.f("fk_reservation_item")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservation")),
        sa.UniqueConstraint("document", "line", "item", "cause", name=op.f("uq_reservation_document_line_item_cause")),
    )
    op.create_index(op.f("ix_reservation_item"), "reservation", ["item"], unique=False)
    op.create_table(
        "sales_order",
        sa.Column("document", TEXT, nullable=False),
        sa.Column("partner", TEXT, nullable=False),
        sa.Column("number", TEXT, nullable=False),
        sa.Column("release", TEXT, nullable=True),
        sa.Column("purpose", TEXT, nullable=True),
        sa.Column("fingerprint", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("invoiced_minor", sa.BigInteger(), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("requested_on", sa.Date(), nullable=True),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("changed_at", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["document"], ["document.id"], name=op.f("fk_sales_order_document")),
        sa.PrimaryKeyConstraint("document", name=op.f("pk_sales_order")),
    )
    op.create_index(op.f("ix_sales_order_number"), "sales_order", ["number"], unique=False)
    op.create_index(op.f("ix_sales_order_partner_number"), "sales_order", ["partner", "number"], unique=False)
    op.create_index(op.f("ix_sales_order_partner_state_currency"), "sales_order", ["partner", "state", "currency"], unique=False)
    op.create_index(op.f("ix_sales_order_state_created_at_document"), "sales_order", ["state", "created_at", "document"], unique=False)
    op.create_table(
        "credit_application",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("credit_item", TEXT, nullable=False),
        sa.Column("invoice_item", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["credit_item"], ["open_item.id"], name=op.f("fk_credit_application_credit_item")),
        sa.ForeignKeyConstraint(["invoice_item"], ["open_item.id"], name=op.f("fk_credit_application_invoice_item")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_application")),
    )
    op.create_index(op.f("ix_credit_application_credit_item"), "credit_application", ["credit_item"], unique=False)
    op.create_index(op.f("ix_credit_application_invoice_item"), "credit_application", ["invoice_item"], unique=False)
    op.create_table(
        "order_line",
        sa.Column("document", TEXT, nullable=False),
        sa.Column("number", TEXT, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("item", TEXT, nullable=True),
        sa.Column("unit", TEXT, nullable=True),
        sa.Column("price", TEXT, nullable=True),
        sa.Column("price_base", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("ordered", TEXT, nullable=False),
        sa.Column("accepted", TEXT, nullable=False),
        sa.Column("back_ordered", TEXT, nullable=False),
        sa.Column("despatched", TEXT, nullable=False),
        sa.Column("invoiced", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["document"], ["sales_order.document"], name=op.f("fk_order_line_document")),
        sa.PrimaryKeyConstraint("document", "number", name=op.f("pk_order_line")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_order_line_item"), "order_line", ["item"], unique=False)
    op.create_table(
        "allocation",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("payment", TEXT, nullable=True),
        sa.Column("open_item", TEXT, nullable=False),
        sa.Column("credit_application", TEXT, nullable=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason_code", TEXT, nullable=True),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("reverses", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["credit_application"], ["credit_application.id"], name=op.f("fk_allocation_credit_application")),
        sa.ForeignKeyConstraint(["open_item"], ["open_item.id"], name=op.f("fk_allocation_open_item")),
        sa.ForeignKeyConstraint(["payment"], ["payment.id"], name=op.f("fk_allocation_payment")),
        sa.ForeignKeyConstraint(["reverses"], ["allocation.id"], name=op.f("fk_allocation_reverses")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation")),
        sa.UniqueConstraint("reverses", name=op.f("uq_allocation_reverses")),
    )
    op.create_index(op.f("ix_allocation_open_item"), "allocation", ["open_item"], unique=False)
    op.create_index(op.f("ix_allocation_payment"), "allocation", ["payment"], unique=False)

    for table in APPEND_ONLY:
        _guard(table)


def downgrade() -> None:
    """There is no way back but a backup: nothing that was kept is thrown away."""
    raise RuntimeError("a database is not taken back to earlier tables: restore a backup")


def _guard(table: str) -> None:
    """Refuse UPDATE and DELETE on a table that is only ever added to."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END")
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION gateway_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION gateway_append_only()"
    )
