"""The month before the story: orders, shipments, invoices and payments of thirty days, walked through the real pipeline under a clock that
goes through that month. Always the same orders; what they lead to is the pipeline's doing.

Files are handed in as bulk, as if they had been fetched; answers leave by the partners' real transports.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from decimal import Decimal

from gateway.config import load_installation
from gateway.demo import configuration
from gateway.demo import messages_bank
from gateway.demo import messages_edifact
from gateway.demo import messages_ubl
from gateway.demo import messages_x12
from gateway.demo.cast import ACME
from gateway.demo.cast import BUYERS
from gateway.demo.cast import CLUMSY
from gateway.demo.cast import EUROCO
from gateway.demo.cast import NORDIC
from gateway.demo.cast import TOOLBOX
from gateway.demo.cast import WARES
from gateway.demo.cast import Asked
from gateway.demo.cast import Company
from gateway.demo.cast import Purchase
from gateway.demo.cast import asked
from gateway.demo.premises import Premises
from gateway.exchange.directory import BY_HAND
from gateway.model.money import from_minor
from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.arriving.handing_in import release_invoices
from gateway.pipeline.engine.local import LocalEngine
from gateway.pipeline.engine.local import OwnerLock
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.service.assembly import seal
from gateway.pipeline.service.assembly import steps
from gateway.pipeline.station import Station
from gateway.pipeline.station import open_station
from gateway.store.trading import ledger
from gateway.store.trading import masterdata
from gateway.trade.reference import rf_reference

DAYS = 30
_SEED = 20260101
#: buyer, days on which it orders (counted back from today), orders each time, first number. Several order on the same day: a day with
#: work costs about as much with ten orders as with two
_RHYTHM = (
    (ACME, (30, 20, 10, 3), 3, "PO-9{:02d}"),
    (EUROCO, (30, 20, 10), 3, "45009{:02d}"),
    (NORDIC, (26, 16, 6), 2, "NO-9{:02d}"),
    (CLUMSY, (26, 16, 6), 2, "CB-9{:02d}"),
)
#: days after the order that goods leave, are invoiced, are paid
_SHIPPED, _INVOICED, _PAID = 2, 3, 13
#: what becomes of every fifth order, and of the others: most buyers pay
_FATES = ("paid", "paid", "short", "paid", "unpaid")
CLERK = "Anna (clerk)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """One order of the month and what its buyer will do."""

    buyer: Company
    purchase: Purchase
    fate: str


@dataclass(slots=True)
class PastClock:
    """A clock that is set, and goes on by a millisecond each time it is asked."""

    now: datetime

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


def deals(today: date) -> list[Deal]:
    """The orders of the month, the same ones always."""
    chance = random.Random(_SEED)  # noqa: S311  the same world each time
    made = []
    for buyer, days, each, form in _RHYTHM:
        numbers: Iterator[int] = iter(range(1, 100))
        for back in days:
            for _ in range(each):
                number = next(numbers)
                wares = chance.sample([ware for ware in WARES if ware is not TOOLBOX], chance.randint(1, 4))
                lines = tuple(asked(ware, chance.choice((6, 10, 12, 20, 24, 36)), buyer.currency) for ware in wares)
                fate = _FATES[number % len(_FATES)]
                if back == days[-1] and number % each == 0 and buyer in (ACME, CLUMSY):
                    # the last order of these asks for yesterday's price: it waits for a person
                    lines, fate = (_cheaper(lines[0], buyer), *lines[1:]), "held"
                issued = today - timedelta(days=back)
                purchase = Purchase(number=form.format(number), lines=lines, issued_on=issued, requested_on=issued + timedelta(days=6))
                made.append(Deal(buyer=buyer, purchase=purchase, fate=fate))
    return made


def _cheaper(line: Asked, buyer: Company) -> Asked:
    return asked(line.ware, line.quantity, buyer.currency, str((line.ware.price(buyer.currency) * 9 / 10).quantize(Decimal("0.01"))))


def play_month(premises: Premises, now: datetime) -> int:
    """Load the master data and live through the month; the number of its orders."""
    clock = PastClock(now)
    station = open_station(load_installation(premises.config), clock)
    with OwnerLock(station.installation.data) as lock:
        if not lock.take(5):
            raise RuntimeError(f"another process owns {station.installation.data}")
        engine = LocalEngine(station, steps())
        try:
            month = _Month(premises, station, engine, clock, now)
            month.load_master_data()
            for back in range(DAYS, 0, -1):
                month.live(back)
            seal(station)
        finally:
            engine.close()
            station.close()
    return len(month.deals)


class _Month:
    """The month while it is lived through."""

    def __init__(self, premises: Premises, station: Station, engine: LocalEngine, clock: PastClock, now: datetime) -> None:
        self._premises = premises
        self._station = station
        self._engine = engine
        self._clock = clock
        self._today = now.date()
        self._control = 0
        self.deals = deals(self._today)
        self._addresses = {
            id: next(iter(loaded.partner.endpoints.values())).address for id, loaded in station.installation.directory.partners.items()
        }

    def load_master_data(self) -> None:
        """The CSV files into the tables."""
        self._hour(DAYS + 1, 8)
        with self._station.database.begin() as connection:
            for kind in configuration.KINDS:
                _, faults = masterdata.import_rows(connection, kind, configuration.read_rows(self._premises, kind), self._clock())
                if faults:
                    raise RuntimeError(f"{kind}.csv: {faults[0]}")

    def live(self, back: int) -> None:
        """One day: orders in the morning, goods at noon, invoices in the afternoon, money in the evening."""
        day = self._today - timedelta(days=back)
        ordered = [deal for deal in self.deals if deal.purchase.issued_on == day]
        shipped = self._due(day, _SHIPPED)
        invoiced = self._due(day, _INVOICED)
        paid = [deal for deal in self._due(day, _PAID) if deal.fate != "unpaid"]
        if ordered:
            self._hour(back, 9)
            self._order(ordered)
        if shipped:
            self._hour(back, 12)
            self._ship(shipped)
        if invoiced:
            self._hour(back, 15)
            for deal in invoiced:
                release_invoices(self._station, [deal.purchase.number], CLERK)
            self._engine.drain(60)
        if paid:
            self._hour(back, 18)
            self._pay(paid)

    def _due(self, day: date, after: int) -> list[Deal]:
        return [deal for deal in self.deals if deal.purchase.issued_on + timedelta(days=after) == day and deal.fate != "held"]

    def _hour(self, back: int, hour: int) -> None:
        self._clock.now = datetime.combine(self._today - timedelta(days=back), time(hour), UTC)

    def _order(self, ordered: list[Deal]) -> None:
        for buyer in BUYERS.values():
            purchases = [deal.purchase for deal in ordered if deal.buyer is buyer]
            if not purchases:
                continue
            self._control += 1
            if buyer is NORDIC:
                files = [(f"order-{purchase.number}.xml", messages_ubl.order(buyer, purchase)) for purchase in purchases]
            elif buyer is EUROCO:
                files = [(f"orders-{self._control:05d}.edi", messages_edifact.orders(buyer, purchases, f"M{self._control}", self._clock()))]
            else:
                files = [(f"850-{self._control:05d}.edi", messages_x12.orders(buyer, purchases, self._control, self._clock()))]
            register(self._station, [self._arrival(self._addresses[buyer.id], name, data) for name, data in files])
        self._engine.drain(60)

    def _arrival(self, address: str, name: str, data: bytes) -> Arrival:
        return Arrival(address=address, name=name, identity=f"month|{name}", data=data)

    def _ship(self, shipped: list[Deal]) -> None:
        rows = ["shipment,order,line,quantity,shipped_on,carrier"]
        for deal in shipped:
            number = deal.purchase.number
            rows += [
                f"S-{number},{number},{position},{line.quantity},{self._clock().date()},Speedy Freight"
                for position, line in enumerate(deal.purchase.lines, 1)
            ]
        hand_in_shipments(self._station, "\n".join(rows).encode(), f"shipments-{self._clock().date()}.csv", "warehouse")
        self._engine.drain(60)

    def _pay(self, paid: list[Deal]) -> None:
        with self._station.database.read() as connection:
            items = {item.order_number: item for item in ledger.open_items(connection) if item.kind == "invoice"}
        arrived = []
        for deal in paid:
            item = items.get(deal.purchase.number)
            if item is None:
                continue
            amount = from_minor(item.open_minor, item.currency)
            if deal.fate == "short":
                amount -= Decimal("10.00")
            if deal.buyer in (EUROCO, NORDIC):
                reference = rf_reference(item.number) if deal.buyer is EUROCO else ""
                arrived.append(
                    messages_bank.Arrived(
                        amount=amount, payer=deal.buyer.name, iban=deal.buyer.iban, reference=reference, text=f"Invoice {item.number}"
                    )
                )
            else:
                self._control += 1
                remitted = [messages_x12.Remitted(invoice=item.number, amount=amount)]
                data = messages_x12.remittance(deal.buyer, f"{deal.buyer.id.upper()}{self._control:06d}", remitted, self._control, self._clock())
                register(self._station, [self._arrival(self._addresses[deal.buyer.id], f"820-{self._control:05d}.edi", data)])
        if arrived:
            day = self._clock().date()
            data = messages_bank.statement(f"STMT-{day:%Y%m%d}", arrived, self._clock())
            register(self._station, [self._arrival(BY_HAND, f"camt-{day:%Y%m%d}.xml", data)])
        self._engine.drain(60)
