"""What the chapters can do and see: partners send, the warehouse ships, a clerk decides, the bank reports; and what the database says.

We are a client here: the service is another process, which owns the work.
"""

from collections.abc import Callable
from collections.abc import Sequence
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from decimal import Decimal

from gateway.demo import messages_bank
from gateway.demo.cast import Asked
from gateway.demo.cast import Changed
from gateway.demo.cast import Company
from gateway.demo.cast import Purchase
from gateway.demo.cast import with_check_digit
from gateway.demo.dialects import Bill
from gateway.demo.dialects import ChangingDialect
from gateway.demo.dialects import Dialect
from gateway.demo.month import CLERK
from gateway.demo.premises import Premises
from gateway.demo.standing import put
from gateway.demo.standing import waiting_files
from gateway.demo.telling import Teller
from gateway.demo.watching import Watch
from gateway.model.money import from_minor
from gateway.pipeline.arriving.handing_in import release_credit
from gateway.pipeline.arriving.handing_in import release_invoices
from gateway.pipeline.station import Station
from gateway.pipeline.trading import holding
from gateway.store.incoming import holds
from gateway.store.outgoing import outbox
from gateway.store.records import documents
from gateway.store.trading import ledger
from gateway.store.trading import orders as order_store
from gateway.trade.crediting import CreditLine

#: control numbers of the story begin here: the month has the smaller ones
_FIRST_CONTROL = 1000


class Stage:
    """The world as the chapters see it."""

    def __init__(self, premises: Premises, station: Station, teller: Teller, watch: Watch, now: datetime) -> None:
        self.premises = premises
        self.station = station
        self.teller = teller
        self.watch = watch
        self.now = now
        self.today: date = now.date()
        self._control = _FIRST_CONTROL
        self._pallets = 0
        self._statements = 0

    # -- telling ---------------------------------------------------------------------------------------------------------------

    def say(self, words: str) -> None:
        self.teller.say(words)

    def check(self, expected: str, ok: bool, found: object = "") -> bool:
        return self.teller.check(expected, ok, str(found))

    # -- partners --------------------------------------------------------------------------------------------------------------

    def next_control(self) -> int:
        """The next interchange control number of a partner."""
        self._control += 1
        return self._control

    def purchase(self, number: str, *lines: Asked, cancels: bool = False) -> Purchase:
        return Purchase(number=number, lines=lines, issued_on=self.today, requested_on=self.today + timedelta(days=7), cancels=cancels)

    def send(self, partner: Company, name: str, data: bytes) -> None:
        """A partner's system wants this file sent."""
        put(self.premises.home(partner.id).to_send, name, data)

    def order(self, buyer: Company, dialect: Dialect, purchase: Purchase) -> int:
        """A buyer sends an order; the control number of its interchange."""
        control = self.next_control()
        name, data = dialect.order(buyer, [purchase], control, self.now)
        self.send(buyer, name, data)
        return control

    def acknowledgment(self, buyer: Company, dialect: Dialect, control: int) -> tuple[str, bytes]:
        """What our acknowledgment of an interchange says to the buyer, and its bytes."""
        data = self.watch.arrival(buyer.id, f"our {dialect.names[0]}", lambda data: dialect.acknowledged(data, control) is not None)
        return dialect.acknowledged(data, control) or "", data

    def response(self, buyer: Company, dialect: Dialect, number: str) -> tuple[str, bytes]:
        """What our order response says to the buyer, and its bytes."""
        data = self.watch.arrival(buyer.id, f"our {dialect.names[1]} for {number}", lambda data: dialect.answered(data, number) is not None)
        return dialect.answered(data, number) or "", data

    def change(self, buyer: Company, dialect: ChangingDialect, purchase: Purchase, sequence: int, *lines: Changed) -> None:
        """A buyer changes an order."""
        control = self.next_control()
        self.send(buyer, *dialect.change(buyer, purchase, sequence, lines, control, self.now))

    def change_answer(self, buyer: Company, dialect: ChangingDialect, number: str, sequence: int) -> dict[str, str]:
        """What our answer to a change says of each line."""
        data = self.watch.arrival(
            buyer.id, f"our {dialect.change_answer} for {number}", lambda data: dialect.change_answered(data, number, sequence) is not None
        )
        return dialect.change_answered(data, number, sequence) or {}

    def advice(self, buyer: Company, dialect: Dialect, number: str) -> bytes:
        """Our despatch advice for an order, as the buyer gets it."""
        return self.watch.arrival(buyer.id, f"our {dialect.names[2]} for {number}", lambda data: dialect.is_advice(data, number))

    def bill(self, buyer: Company, dialect: Dialect, number: str) -> tuple[Bill, bytes]:
        """Our invoice for an order, as the buyer reads it, and its bytes."""
        data = self.watch.arrival(buyer.id, f"our {dialect.names[3]} for {number}", lambda data: dialect.bill(data, number) is not None)
        found = dialect.bill(data, number)
        assert found is not None
        return found, data

    # -- our own systems and people --------------------------------------------------------------------------------------------

    def ship(self, number: str, *goods: tuple[int, int]) -> None:
        """The warehouse reports what left for an order: (line, quantity), all on one pallet."""
        self._pallets += 1
        sscc = with_check_digit(f"34012345{self._pallets:09d}")
        rows = ["shipment,order,line,quantity,sscc,type,shipped_on,delivery_on,carrier"]
        arrives = self.today + timedelta(days=2)
        rows += [f"S-{number},{number},{line},{quantity},{sscc},pallet,{self.today},{arrives},Speedy Freight" for line, quantity in goods]
        put(self.premises.shipments, f"shipment-{number}.csv", "\n".join(rows).encode())

    def invoice(self, number: str) -> None:
        """A clerk releases what was despatched of an order for billing."""
        release_invoices(self.station, [number], CLERK)

    def credit(self, invoice: str, line: str, quantity: int, reason: str) -> None:
        """A clerk credits some of an invoice's line."""
        release_credit(self.station, invoice, [CreditLine(line=line, quantity=Decimal(quantity))], reason, CLERK)

    def release(self, number: str, reason: str) -> None:
        """A clerk lets a held order pass."""
        holding.release(self.station, number, CLERK, reason)

    def reject(self, hold: str, reason: str) -> None:
        """A clerk rejects something held."""
        holding.reject(self.station, hold, CLERK, reason)

    def bank(self, *arrived: messages_bank.Arrived) -> None:
        """The bank reports money."""
        self._statements += 1
        number = f"STMT-{self.today:%Y%m%d}-{self._statements}"
        put(self.premises.home("bank").to_send, f"camt-{number}.xml", messages_bank.statement(number, arrived, self.now))

    # -- what the database says ------------------------------------------------------------------------------------------------

    def held(self, number: str) -> holds.Hold:
        """The open hold of an order."""

        def look() -> holds.Hold | None:
            with self.station.database.read() as connection:
                waiting = holds.list_open(connection, limit=1000)
                rows = documents.get_many(connection, [hold.document for hold in waiting if hold.document])
            return next((hold for hold in waiting if hold.document in rows and rows[hold.document].number == number), None)

        return self.watch.until(f"order {number} is held", look)

    def held_file(self, code: str) -> holds.Hold:
        """An open hold of a whole file for this reason."""

        def look() -> holds.Hold | None:
            with self.station.database.read() as connection:
                waiting = holds.list_open(connection, limit=1000)
            return next((hold for hold in waiting if hold.document is None and hold.reasons and hold.reasons[0].code == code), None)

        return self.watch.until(f"a file is held for {code}", look)

    def orders(self, buyer: Company, number: str) -> list[documents.Document]:
        """The orders of this number that a buyer sent, oldest first."""
        with self.station.database.read() as connection:
            found = documents.search(connection, documents.Filters(kind="order", direction="in", partner=buyer.id, number=number))
        return sorted(found, key=lambda row: row.seq)

    def order_state(self, buyer: Company, number: str, state: str) -> documents.Document:
        """Wait until the newest order of this number is in a state."""

        def look() -> documents.Document | None:
            found = self.orders(buyer, number)
            return found[-1] if found and found[-1].state == state else None

        return self.watch.until(f"order {number} is {state}", look)

    def sales_state(self, buyer: Company, number: str, state: str) -> order_store.SalesOrder:
        """Wait until the order as we fulfil it is in a state."""

        def look() -> order_store.SalesOrder | None:
            with self.station.database.read() as connection:
                return next((one for one in order_store.find(connection, buyer.id, {number}) if one.state == state), None)

        return self.watch.until(f"order {number} is {state}", look)

    def acknowledged(self, kind: str, number: str) -> str:
        """Wait until the partner has acknowledged a document of ours; what it said."""

        def look() -> str | None:
            with self.station.database.read() as connection:
                found = documents.search(connection, documents.Filters(kind=kind, direction="out", number=number))
                entries = [entry for row in found for entry in outbox.of_document(connection, row.id)]
            return next((entry.ack_state for entry in entries if entry.ack_state not in {None, "waiting"}), None)

        return self.watch.until(f"our {kind} {number} is acknowledged", look)

    def handed_over(self, document: str) -> None:
        """Wait until the ERP has the order."""
        self.watch.until(f"the ERP gets {document}", lambda: next((file for file in waiting_files(self.premises.erp) if document in file.name), None))

    def open_amount(self, buyer: Company, number: str, is_meant: Callable[[Decimal], bool]) -> Decimal:
        """Wait until what is open of an invoice is as expected; what is open."""

        def look() -> list[Decimal] | None:
            with self.station.database.read() as connection:
                items = ledger.find_items(connection, {number}, buyer.id)
            left = [from_minor(item.open_minor, item.currency) for item in items]
            return left if left and is_meant(left[0]) else None

        return self.watch.until(f"what is open of {number} changes", look)[0]

    def settled(self, buyer: Company, *numbers: str) -> None:
        """Wait until these invoices and credit notes are settled."""
        for number in numbers:
            self.open_amount(buyer, number, lambda left: left == 0)

    def unplaced(self, amount: Decimal) -> ledger.Payment:
        """Wait for a payment of this amount that nobody could place."""

        def look() -> ledger.Payment | None:
            with self.station.database.read() as connection:
                waiting: Sequence[ledger.Payment] = ledger.unapplied_payments(connection)
            return next((one for one in waiting if from_minor(one.amount_minor, one.currency) == amount and one.state == "unapplied"), None)

        return self.watch.until(f"{amount} wait to be placed", look)

    def exposure(self, buyer: Company) -> Decimal:
        """What a buyer owes us or has on order."""
        with self.station.database.read() as connection:
            return from_minor(ledger.exposure(connection, buyer.id, buyer.currency), buyer.currency)


def start_of(now: datetime | None = None) -> datetime:
    """The moment of the story: one for all that is written in it."""
    return (now or datetime.now(UTC)).replace(microsecond=0)
