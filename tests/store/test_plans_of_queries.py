"""A million documents cost what a thousand do: every question that a page, a worker or a sweep asks walks an index, in its order."""

from collections.abc import Callable
from datetime import date
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy import event

from gateway.store import journal
from gateway.store.database import open_database
from gateway.store.incoming import as2_requests
from gateway.store.incoming import as2_unopened
from gateway.store.incoming import holds
from gateway.store.incoming import interchanges
from gateway.store.incoming import transmissions
from gateway.store.keeping import erasures
from gateway.store.keeping import uses
from gateway.store.outgoing import answers
from gateway.store.outgoing import as2_sendings
from gateway.store.outgoing import awaited
from gateway.store.outgoing import deliveries
from gateway.store.outgoing import outbox
from gateway.store.outgoing import pauses
from gateway.store.outgoing import posted
from gateway.store.outgoing import precedence
from gateway.store.outgoing import receipts
from gateway.store.outgoing import tries
from gateway.store.records import documents
from gateway.store.records import references
from gateway.store.records.documents import Filters
from gateway.store.trading import handovers
from gateway.store.trading import ledger
from gateway.store.trading import orders
from gateway.store.watching import tallies
from gateway.store.working import queues
from tests.store.made import NOW
from tests.store.made import entry

AFTER = (NOW, "X")

QUESTIONS: dict[str, Callable[[Connection], Any]] = {
    "registered documents": lambda c: documents.next_registered(c, "s", 100, NOW),
    "streams with registered documents": lambda c: documents.streams_registered(c, NOW),
    "all documents": lambda c: documents.search(c, Filters(), after=AFTER),
    "documents of a state": lambda c: documents.search(c, Filters(states=("held",)), after=AFTER),
    "documents of a partner": lambda c: documents.search(c, Filters(partner="p"), after=AFTER),
    "documents of a kind": lambda c: documents.search(c, Filters(kind="order"), after=AFTER),
    "documents of an interchange": lambda c: documents.of_interchange(c, "I"),
    "history": lambda c: documents.history(c, "D"),
    "open transmissions": lambda c: transmissions.next_open(c, "s"),
    "streams with open transmissions": lambda c: transmissions.streams_open(c),
    "known transmission": lambda c: transmissions._known(c, _transmission()),
    "same bytes": lambda c: transmissions.with_bytes(c, "ab"),
    "all transmissions": lambda c: transmissions.search(c, after=AFTER),
    "transmissions of a partner": lambda c: transmissions.search(c, partner="p", after=AFTER),
    "AS2 messages taken of a Message-ID": lambda c: receipts.named(c, "m"),
    "AS2 messages not taken of a Message-ID": lambda c: as2_requests.named(c, "m"),
    "AS2 messages unopened of a Message-ID": lambda c: as2_unopened.named(c, "m"),
    "rows of a file": lambda c: outbox.of_file(c, entry(), 20),
    "rows of a file that wait for their receipt": lambda c: posted.of_file(c, entry(), given_up=True),
    "messages of a file": lambda c: as2_sendings.of_files(c, ["a"]),
    "rows that share a file with what was erased": lambda c: uses._of_rows(c, _erased(c)),
    "control number seen before": lambda c: interchanges.find_by_control(c, partner="p", sender="s", receiver="r", control_number="1"),
    "claiming": lambda c: tries.claim(c, stream="s", now=NOW, lease=timedelta(1), limit=10, token="t"),
    "streams due": lambda c: outbox.streams_due(c, NOW),
    "next due": lambda c: outbox.next_due(c),
    "next try": lambda c: outbox.next_try(c),
    "claiming what may stand behind others": lambda c: tries._without_those_behind(c, "s", NOW, 10),
    "quiet streams": lambda c: precedence.situation(c, "p", "out:p:box"),
    "who waits for others": lambda c: precedence.behind_others(c, "out:p:box", [precedence.Candidate("a", "D", 1)]),
    "streams behind": lambda c: precedence.streams_behind(c, ["a"]),
    "streams freed": lambda c: precedence.streams_freed(c),
    "pauses": lambda c: pauses.is_fetching_paused(c, ["p"]),
    "what can be tried again": lambda c: deliveries.failing(c, None, NOW),
    "overdue acknowledgments": lambda c: awaited.overdue(c, NOW),
    "acknowledging a group": lambda c: awaited.find_sent(c, partner="p", group_control="1"),
    "acknowledging an interchange": lambda c: awaited.find_sent(c, partner="p", interchange_control="1"),
    "noting an answer": lambda c: awaited.note(c, ["a"], "accepted", NOW),
    "answers awaited": lambda c: awaited.counts(c),
    "answers to a row": lambda c: answers.of_outbox(c, ["a"]),
    "answers of a document": lambda c: answers.of_document(c, "D"),
    "answers that fit nothing": lambda c: answers.unmatched(c, "p"),
    "answers that fit nothing, of all": lambda c: answers.unmatched(c),
    "answers of a partner": lambda c: answers.latest(c, "p"),
    "enqueueing": lambda c: outbox.enqueue(c, [entry()]),
    "outbox of a state": lambda c: outbox.search(c, state="dead", after=AFTER),
    "finding": lambda c: references.find(c, "PO1"),
    "links": lambda c: references.links_of(c, "D"),
    "open holds": lambda c: holds.list_open(c, after=AFTER),
    "orders by number": lambda c: orders.find(c, "p", ["1", "2"]),
    "orders of a state": lambda c: orders.search(c, states=["held"], after=AFTER),
    "committed orders": lambda c: orders.committed_minor(c, "p"),
    "exposure": lambda c: ledger.exposure(c, "p", "USD"),
    "oldest due": lambda c: ledger.oldest_due(c, "p"),
    "open items of a partner": lambda c: ledger.open_items(c, partner="p", currency="USD", after=(date(2026, 1, 1), "X"), limit=50),
    "unapplied payments": lambda c: ledger.unapplied_payments(c, partner="p"),
    "ageing": lambda c: ledger.ageing(c, date(2026, 1, 1)),
    "journal of a subject": lambda c: journal.of_subject(c, "document", "D"),
    "journal behind a position": lambda c: journal.after(c, 5),
    "handovers": lambda c: handovers.list_waiting(c, "erp", NOW),
    "oldest work": lambda c: queues.oldest(c, NOW),
    "oldest unsent": lambda c: queues.unsent(c),
    "old holds": lambda c: queues.held_since(c, NOW),
    "given up": lambda c: queues.given_up(c),
    "overdue answers by partner": lambda c: queues.overdue(c),
    "number of holds": lambda c: tallies.open_holds(c, "answer"),
    "number in the outbox": lambda c: tallies.outbox(c, "dead"),
    "number that waits in the outbox": lambda c: tallies.outbox(c, "waiting"),
    "number of unapplied payments": lambda c: tallies.unapplied_payments(c),
    "number of answers that fit nothing": lambda c: tallies.unmatched_answers(c),
    "oldest answers": lambda c: tallies.answers_awaited(c),
}
#: questions about what is open walk the index that holds nothing else
PARTIAL = {
    "rows of a file": "outbox USING INDEX ix_outbox_identity",
    "rows of a file that wait for their receipt": "ix_outbox_identity",
    "messages of a file": "first USING INDEX ix_outbox_identity",
    "rows that share a file with what was erased": "other USING INDEX ix_outbox_identity",
    "registered documents": "ix_document_registered",
    "known transmission": "uq_transmission_source",
    "open transmissions": "ix_transmission_open",
    "claiming": "ix_outbox_open",
    "quiet streams": "ix_outbox_open",
    "overdue acknowledgments": "ix_outbox_ack_due",
    "answers awaited": "ix_outbox_awaited",
    "answers that fit nothing": "ix_answer_unmatched",
    "open holds": "ix_hold_open",
    "exposure": "ix_open_item_open",
    "ageing": "ix_open_item_open",
    "open items of a partner": "ix_open_item_open",
    "unapplied payments": "ix_payment_unapplied",
    "handovers": "ix_handover_open",
    "overdue answers by partner": "ix_outbox_awaited",
    "oldest answers": "ix_outbox_awaited",
    "old holds": "ix_hold_open",
    "number of holds": "ix_hold_open",
    "number of unapplied payments": "ix_payment_unapplied",
}
#: small whatever happens, or wholly wanted
_SMALL = ("SCAN first", "SCAN anon_1", "SCAN (subquery", "SCAN CONSTANT ROW")


def _transmission() -> transmissions.Transmission:
    from tests.store.made import transmission

    return transmission()


def _erased(connection: Connection) -> list[str]:
    erasures.add(connection, [erasures.Erasure(subject_kind="outbox", subject="a", sha256="b", erased_at=NOW, rule="")])
    return ["b"]


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_walks_an_index(sqlite_url: str, name: str) -> None:
    database = open_database(sqlite_url)
    asked: list[tuple[str, Any]] = []
    with database.begin() as connection:
        event.listen(
            connection, "before_cursor_execute", lambda conn, cursor, statement, parameters, context, many: asked.append((statement, parameters))
        )
        QUESTIONS[name](connection)
    plans = []
    with database.begin() as connection:
        for statement, parameters in asked:
            if statement.startswith(("SELECT", "UPDATE")) and "RETURNING" not in statement:
                one = parameters[0] if isinstance(parameters, list) else parameters
                plans += [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", one)]
    assert plans
    for line in plans:
        assert not line.startswith("SCAN") or "INDEX" in line or line.startswith(_SMALL), plans
    assert PARTIAL.get(name, "") in " ".join(plans), plans
    if "after" in name or name.startswith(("all ", "documents of", "outbox of", "open holds", "registered", "claiming", "open items")):
        assert not any("TEMP B-TREE FOR ORDER BY" in line for line in plans), plans
    database.close()
