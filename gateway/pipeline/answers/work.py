"""What one trade step writes: gathered while it decides, written together at its end in one transaction."""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta

from msgspec import UNSET
from msgspec import UnsetType
from sqlalchemy import Connection

from gateway.exchange.partner import Agreement
from gateway.exchange.partner import LoadedPartner
from gateway.exchange.partner import Partner
from gateway.pipeline.answers.deadlines import calendar_of
from gateway.pipeline.endpoints import batch_stream
from gateway.pipeline.endpoints import endpoint_for
from gateway.pipeline.endpoints import out_stream
from gateway.pipeline.endpoints import trade_stream
from gateway.pipeline.endpoints import undo_stream
from gateway.pipeline.station import Station
from gateway.pipeline.station import id_after
from gateway.problem import Problem
from gateway.store import crash
from gateway.store import journal
from gateway.store import streams
from gateway.store.incoming import holds as hold_store
from gateway.store.incoming import transmissions
from gateway.store.outgoing import outbox
from gateway.store.records import documents as document_store
from gateway.store.records import references as reference_store
from gateway.store.trading import handovers as handover_store
from gateway.store.trading import orders as order_store


@dataclass(slots=True)
class Work:
    """The rows of one step. `actor` is who is behind it: the gateway, or a person."""

    station: Station
    connection: Connection
    now: datetime
    actor: str = "gateway"
    documents: list[document_store.Document] = field(default_factory=list)
    changes: list[document_store.Change] = field(default_factory=list)
    outgoing: list[outbox.Entry] = field(default_factory=list)
    references: list[reference_store.Reference] = field(default_factory=list)
    links: list[reference_store.Link] = field(default_factory=list)
    handovers: list[handover_store.Handover] = field(default_factory=list)
    holds: list[hold_store.Hold] = field(default_factory=list)
    entries: list[journal.Entry] = field(default_factory=list)
    sales_orders: list[order_store.SalesOrder] = field(default_factory=list)
    order_lines: list[order_store.OrderLine] = field(default_factory=list)
    pokes: set[str] = field(default_factory=set)
    #: digests of the rules that this step archives
    kept_rules: set[str] = field(default_factory=set)
    #: writes whose rows refer to documents of this step
    after_documents: list[Callable[[], object]] = field(default_factory=list)

    def note(self, row: document_store.Document, action: str, facts: dict[str, str], *, reason: str = "", references: tuple[str, ...] = ()) -> None:
        """A journal entry about a document."""
        self.entries.append(
            journal.Entry(
                stream=row.stream,
                at=self.now,
                actor=self.actor,
                action=action,
                subject_kind="document",
                subject=row.id,
                reason=reason,
                facts={name: value for name, value in facts.items() if value},
                references=references,
            )
        )

    def move(
        self,
        document: str,
        expected: str,
        state: str,
        reason: str,
        *,
        due_at: datetime | None = None,
        hold_key: str | UnsetType = UNSET,
        number: str | UnsetType = UNSET,
        amount_minor: int | None | UnsetType = UNSET,
        currency: str | UnsetType = UNSET,
        problems: tuple[Problem, ...] | UnsetType = UNSET,
        plan_digests: Mapping[str, str] | UnsetType = UNSET,
    ) -> None:
        """A document goes on to another state, or stays in its own with other contents. What is UNSET stands as it is."""
        self.changes.append(
            document_store.Change(
                document=document,
                expected=expected,
                state=state,
                actor=self.actor,
                reason=reason,
                at=self.now,
                due_at=due_at,
                hold_key=hold_key,
                number=number,
                amount_minor=amount_minor,
                currency=currency,
                problems=problems,
                plan_digests=plan_digests,
            )
        )

    def send(
        self,
        row: document_store.Document,
        loaded: LoadedPartner,
        agreement: Agreement,
        endpoint: str,
        *,
        relation: str,
        cause: document_store.Document,
    ) -> None:
        """A document of ours goes out: its row with its body, its outbox entry, its link to what it answers."""
        partner = loaded.partner
        stream, due = _leaving(self.station, partner, agreement, endpoint, self.now + timedelta(seconds=agreement.undo))
        self.documents.append(row)
        self.outgoing.append(
            outbox.Entry(
                id=f"{row.id}:1",
                document=row.id,
                partner=partner.id,
                endpoint=endpoint,
                stream=stream,
                kind=row.kind,
                spec=agreement.spec,
                test=row.test,
                created_at=self.now,
                due_at=due,
                expects_ack=agreement.expect_acknowledgment is not None,
            )
        )
        self.references.append(reference_store.Reference(document=row.id, kind=row.kind, value=row.number))
        self.links.append(reference_store.Link(from_document=cause.id, to_document=row.id, relation=relation))
        if due <= self.now:
            # what rests until then is found by the sweep
            self.pokes.add(stream)

    def write_orders(self) -> None:
        """The orders of this step so far, for what is decided after them in it."""
        order_store.create(self.connection, self.sales_orders, self.order_lines)
        self.sales_orders.clear()
        self.order_lines.clear()

    def write_documents(self) -> None:
        """The documents of this step so far, with their states, numbers and links, for what is decided after them in it."""
        connection = self.connection
        inserted = document_store.insert_many(connection, self.documents, actor=self.actor, reason="made by the gateway")
        document_store.transition(connection, self.changes)
        self.write_orders()
        for write in self.after_documents:
            write()
        for hold in self.holds:
            hold_store.open_hold(connection, hold)
        reference_store.add(connection, self.references)
        reference_store.link(connection, self.links)
        handover_store.offer(connection, self.handovers)
        for row in inserted:
            self.note(row, f"{row.kind} made", {"number": row.number})
        for written in (self.documents, self.changes, self.after_documents, self.holds, self.references, self.links, self.handovers):
            written.clear()

    def write(self) -> None:
        """Everything at once, in the order in which rows refer to each other."""
        self.write_documents()
        crash.point(42)
        outbox.enqueue(self.connection, self.outgoing, fresh_ids=True)
        journal.append(self.connection, self.entries)
        for stream in sorted(self.pokes):
            streams.poke(self.connection, stream)
        crash.point(43)


def _leaving(station: Station, partner: Partner, agreement: Agreement, endpoint: str, ready: datetime) -> tuple[str, datetime]:
    """In which stream something leaves that is ready at this moment, and when: at once, behind its undo window, or in the next window of its
    batch."""
    batch = agreement.batch
    if batch is None or not batch.waits:
        return undo_stream(partner.id, endpoint, agreement.spec) if agreement.undo else out_stream(partner.id, endpoint), ready
    calendar = calendar_of(station, partner, workdays_only=batch.calendar == "workdays", zone=batch.zone)
    return batch_stream(partner.id, endpoint, batch.name), batch.leaves(ready, calendar)


def own_document(
    work: Work,
    kind: str,
    number: str,
    partner: str,
    agreement: Agreement,
    cause: str,
    *parts: object,
    test: bool,
    currency: str | None,
    body: str,
    amount_minor: int | None = None,
) -> document_store.Document:
    """The row of a document that we make; its id follows from what caused it."""
    return document_store.Document(
        id=id_after(cause, kind, *parts),
        direction="out",
        partner=partner,
        kind=kind,
        number=number,
        transaction_type=agreement.spec.rsplit("/", 1)[1].upper(),
        state="created",
        test=test,
        stream=trade_stream(partner),
        amount_minor=amount_minor,
        currency=currency,
        created_at=work.now,
        body=body,
    )


def answer_endpoint(work: Work, partner: Partner, agreement: Agreement | None, transmission: str | None) -> str | None:
    """Where the answer to something received goes (endpoints.endpoint_for)."""
    row = transmissions.get(work.connection, transmission) if transmission is not None and (agreement is None or agreement.to is None) else None
    return endpoint_for(partner, row.endpoint if row else None, agreement.to if agreement else None)
