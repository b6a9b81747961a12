"""Values for the tests of the store, with as little said as possible."""

from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from gateway.store.incoming.interchanges import Interchange
from gateway.store.incoming.transmissions import Transmission
from gateway.store.outgoing.outbox import Entry
from gateway.store.records import documents
from gateway.store.records.documents import Change
from gateway.store.records.documents import Document

NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def transmission(id: str = "T1", **fields: Any) -> Transmission:
    return Transmission(
        **{
            "id": id,
            "direction": "in",
            "endpoint": "mailbox",
            "source_identity": f"/out/{id}.edi",
            "name": f"{id}.edi",
            "sha256": "ab" * 32,
            "size": 10,
            "received_at": NOW,
            "stream": "in/acme",
            **fields,
        }
    )


def interchange(id: str = "I1", **fields: Any) -> Interchange:
    return Interchange(
        **{
            "id": id,
            "transmission": "T1",
            "ordinal": 0,
            "syntax": "x12",
            "sender": "ZZ:ACME",
            "receiver": "ZZ:US",
            "partner": "acme",
            "control_number": "000000001",
            "opened_at": NOW,
            **fields,
        }
    )


def document(id: str = "D1", **fields: Any) -> Document:
    return Document(
        **{
            "id": id,
            "direction": "in",
            "partner": "acme",
            "kind": "order",
            "number": f"PO-{id}",
            "transaction_type": "850",
            "state": "registered",
            "stream": "trade/acme",
            "created_at": NOW,
            "body": "{}",
            **fields,
        }
    )


def insert(connection: Connection, *made: Document) -> list[Document]:
    return documents.insert_many(connection, list(made), actor="system", reason="received")


def change(id: str, expected: str, state: str, **fields: Any) -> Change:
    return Change(**{"document": id, "expected": expected, "state": state, "actor": "system", "reason": "test", "at": NOW, **fields})


def entry(id: str = "D1/855", **fields: Any) -> Entry:
    return Entry(
        **{
            "id": id,
            "partner": "acme",
            "endpoint": "mailbox",
            "stream": "out/acme",
            "kind": "document",
            "spec": "x12/004010/855",
            "created_at": NOW,
            "due_at": NOW,
            **fields,
        }
    )
