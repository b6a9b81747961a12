"""Master data: items, what partners call them, places, prices, notes on partners; and the facts about a batch of documents.

`facts_for` asks a handful of questions for a whole batch, never one a line. Stock has its own room (store.stock).
"""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import date
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Column
from sqlalchemy import Connection
from sqlalchemy import bindparam
from sqlalchemy import exists
from sqlalchemy import select

from gateway.model.catalogue import identifier_pairs
from gateway.model.catalogue import place_pairs
from gateway.model.facts import CreditFacts
from gateway.model.facts import EarlierOrder
from gateway.model.facts import Facts
from gateway.model.facts import Item
from gateway.model.facts import Price
from gateway.model.money import from_minor
from gateway.model.order import Order
from gateway.store import tables
from gateway.store.records import changes
from gateway.store.rows import Row
from gateway.store.rows import upsert
from gateway.store.rows import values_of
from gateway.store.trading import ledger
from gateway.store.trading import orders as order_store
from gateway.store.trading import stock

_MANY = 400
#: what stands for "always" in a key
_ALWAYS = date(1, 1, 1)
_ZERO = Decimal(0)


class ItemReference(Row, frozen=True, kw_only=True):
    """What a partner calls an item; without a partner it holds for all. Schemes: buyer, seller, gtin, manufacturer."""

    partner: str = ""
    scheme: str
    value: str
    item: str


class Place(Row, frozen=True, kw_only=True):
    """What a partner calls an address. Schemes: gln, buyer_assigned, seller_assigned, duns, vat, or another scheme's name."""

    partner: str
    scheme: str
    value: str
    #: our number of the address
    address: str


class ListPrice(Row, frozen=True, kw_only=True):
    """A price; without a partner it holds for those that have none of their own for the item."""

    partner: str = ""
    item: str
    currency: str
    amount: Decimal
    base: Decimal = Decimal(1)
    unit: str = ""
    valid_from: date = _ALWAYS
    valid_until: date | None = None
    minimum_quantity: Decimal = _ZERO


class PartnerNote(Row, frozen=True, kw_only=True):
    """Something a person said about a partner. `vetted` = yes lets first orders through."""

    partner: str
    name: str
    value: str
    actor: str
    reason: str
    at: datetime


class CreditTerms(Row, frozen=True, kw_only=True):
    """What the partner's file says about credit."""

    currency: str
    limit: Decimal | None = None
    hold_days_overdue: int | None = None


def put_items(connection: Connection, items: Iterable[Item]) -> None:
    """Add items, or change those that are there; their units are replaced."""
    rows, units = [], []
    for item in items:
        rows.append({name: getattr(item, name) for name in Item.__struct_fields__ if name != "units"})
        units += [{"item": item.number, "unit": unit, "factor": factor} for unit, factor in item.units.items()]
    upsert(connection, tables.item, rows)
    for part in _parts({row["number"] for row in rows}):
        connection.execute(tables.item_unit.delete().where(tables.item_unit.c.item.in_(part)))
    upsert(connection, tables.item_unit, units)


def put_references(connection: Connection, references: Iterable[ItemReference]) -> None:
    """Add what partners call items, or change it."""
    upsert(connection, tables.item_reference, [values_of(reference) for reference in references])


def put_places(connection: Connection, places: Iterable[Place]) -> None:
    """Add what partners call addresses, or change it."""
    upsert(connection, tables.place, [values_of(place) for place in places])


def put_prices(connection: Connection, prices: Iterable[ListPrice]) -> None:
    """Add prices, or change those of the same partner, item, currency, unit, first day and quantity."""
    upsert(connection, tables.price, [values_of(price) for price in prices])


def put_note(connection: Connection, note: PartnerNote) -> None:
    """Note something about a partner; the last word holds (the journal keeps the others)."""
    upsert(connection, tables.partner_note, [values_of(note)])


def notes_of(connection: Connection, partner: str) -> dict[str, str]:
    """What is noted about a partner."""
    table = tables.partner_note
    return {row.name: row.value for row in connection.execute(select(table).where(table.c.partner == partner).order_by(table.c.name))}


_IMPORTS: dict[str, tuple[type[Any], Callable[[Connection, Iterable[Any]], None]]] = {
    "items": (Item, put_items),
    "item_references": (ItemReference, put_references),
    "places": (Place, put_places),
    "prices": (ListPrice, put_prices),
    "stock": (stock.Stock, stock.put_stock),
}


def import_rows(connection: Connection, kind: str, rows: Iterable[Mapping[str, str]], at: datetime) -> tuple[int, list[str]]:
    """Take rows of text (a CSV file with a head) as items, item_references, places, prices or stock. All or nothing.

    Returns how many rows there were, and a sentence for each that is wrong (`row 3: ...`, counted from 1); with one of those nothing is written.
    Empty cells mean "not given". In items, `units` is written `XCS=12 XPX=480`.
    """
    of, put = _IMPORTS[kind]
    values, faults, count = [], [], 0
    named: dict[str, int] = {}
    for count, row in enumerate(rows, 1):
        cells: dict[str, Any] = {name.strip(): cell.strip() for name, cell in row.items() if name and cell and cell.strip()}
        if of is stock.Stock:
            cells.setdefault("at", at.isoformat())
        try:
            unknown = sorted(set(cells) - set(of.__struct_fields__))
            if unknown:
                raise ValueError(f"there is no column '{unknown[0]}' in {kind}; expected {', '.join(of.__struct_fields__)}")
            if of is Item and "units" in cells:
                cells["units"] = dict(pair.split("=", 1) for pair in cells["units"].split())
            value = msgspec.convert(cells, of, strict=False)
            _check_numbers(value)
            values.append(value)
            if of is not Item and of is not Place:
                named.setdefault(value.item, count)
        except (ValueError, msgspec.ValidationError) as error:
            faults.append(f"row {count}: {error}")
    known: set[str] = set()
    for part in _parts(named):
        known.update(connection.execute(select(tables.item.c.number).where(tables.item.c.number.in_(part))).scalars())
    faults += [f"row {row}: there is no item '{item}': load the items first" for item, row in named.items() if item not in known]
    if not faults:
        put(connection, values)
    return count, faults


def facts_for(
    connection: Connection, partner: str, orders: Sequence[Order], today: date, credit: CreditTerms | None = None, *, excluding: Collection[str] = ()
) -> Facts:
    """Everything that rules and decisions need to know about these orders of one partner. `excluding` are the documents being judged themselves."""
    items_loaded, stock_loaded, prices_loaded, places_loaded = connection.execute(_LOADED, {"of": partner}).one()
    items, numbers = _items(connection, partner, orders) if items_loaded else ({}, set())
    units = _units(connection, numbers)
    items = {key: msgspec.structs.replace(item, units=units.get(item.number, {})) for key, item in items.items()}
    return Facts(
        partner=partner,
        today=today,
        items=items,
        prices=_prices(connection, partner, numbers),
        stock=stock.levels(connection, numbers),
        places=_places(connection, partner, orders) if places_loaded else {},
        earlier=_earlier(connection, partner, orders, excluding),
        credit=_credit(connection, partner, credit, today, excluding) if credit else None,
        items_loaded=bool(items_loaded),
        stock_loaded=bool(stock_loaded),
        prices_loaded=bool(prices_loaded),
        places_loaded=bool(places_loaded),
    )


# ---------------------------------------------------------------- how


def _check_numbers(value: Any) -> None:
    for name in type(value).__struct_fields__:
        number = getattr(value, name)
        if isinstance(number, Decimal) and not number.is_finite():
            raise ValueError(f"'{number}' is not a number - at `$.{name}`")


def _parts(values: Collection[str]) -> Iterable[list[str]]:
    wanted = sorted(set(values))
    for start in range(0, len(wanted), _MANY):
        yield wanted[start : start + _MANY]


#: which master data there are at all, and for a partner
_LOADED = select(
    exists(select(tables.item.c.number)),
    exists(select(tables.stock.c.item)),
    exists(select(tables.price.c.item).where(tables.price.c.partner.in_((bindparam("of"), "")))),
    exists(select(tables.place.c.value).where(tables.place.c.partner == bindparam("of"))),
)


def _gtin_spellings(value: str) -> set[str]:
    bare = value.lstrip("0")
    return {value, *(bare.zfill(width) for width in (8, 12, 13, 14) if len(bare) <= width)} if value.isdigit() else {value}


def _items(connection: Connection, partner: str, orders: Sequence[Order]) -> tuple[dict[tuple[str, str], Item], set[str]]:
    """(scheme, value) -> item for all that the lines name, in two questions; and the numbers of those items."""
    pairs = {pair for order in orders for line in order.lines for pair in identifier_pairs(line.identifiers)}
    gtins = {spelling for scheme, value in pairs if scheme == "gtin" for spelling in _gtin_spellings(value)}
    ours = {value for scheme, value in pairs if scheme == "seller"}
    wanted = {value for _, value in pairs} | gtins
    reference = tables.item_reference
    named: dict[tuple[str, str], str] = {}
    for part in _parts(wanted):
        query = select(reference).where(reference.c.partner.in_((partner, "")), reference.c.value.in_(part)).order_by(reference.c.partner)
        named.update({(row.scheme, row.value): row.item for row in connection.execute(query)})  # the partner's own come last and win
    found: dict[str, Item] = {}
    by_gtin: dict[str, Item] = {}
    for column, values in ((tables.item.c.number, ours | set(named.values())), (tables.item.c.gtin, gtins)):
        for item in _read_items(connection, column, values):
            found[item.number] = item
            if item.gtin:
                by_gtin.setdefault(item.gtin, item)
    items = {("gtin", gtin): item for gtin, item in by_gtin.items() if gtin in gtins}
    items.update({("seller", number): found[number] for number in ours if number in found})
    items.update({key: found[number] for key, number in named.items() if number in found and (key in pairs or key[0] == "gtin")})
    return items, {item.number for item in items.values()}


def _read_items(connection: Connection, column: Column[Any], values: Collection[str]) -> Iterable[Item]:
    for part in _parts(values):
        for row in connection.execute(select(tables.item).where(column.in_(part)).order_by(tables.item.c.number)):
            yield Item(**row._mapping)


def _units(connection: Connection, numbers: Collection[str]) -> dict[str, dict[str, Decimal]]:
    units: dict[str, dict[str, Decimal]] = {}
    for part in _parts(numbers):
        for item, unit, factor in connection.execute(select(tables.item_unit).where(tables.item_unit.c.item.in_(part))):
            units.setdefault(item, {})[unit] = factor
    return units


def _prices(connection: Connection, partner: str, numbers: Collection[str]) -> dict[str, tuple[Price, ...]]:
    """Prices by item: the partner's own where it has any for the item, else those for everybody."""
    table = tables.price
    lists: dict[tuple[str, str], list[Price]] = {}
    for part in _parts(numbers):
        query = select(table).where(table.c.item.in_(part), table.c.partner.in_((partner, "")))
        for row in connection.execute(query.order_by(table.c.item, table.c.currency, table.c.unit, table.c.valid_from)):
            lists.setdefault((row.item, row.partner), []).append(
                Price(
                    item=row.item,
                    currency=row.currency,
                    amount=row.amount,
                    base=row.base,
                    unit=row.unit or None,
                    valid_from=None if row.valid_from == _ALWAYS else row.valid_from,
                    valid_until=row.valid_until,
                    minimum_quantity=row.minimum_quantity or None,
                )
            )
    return {item: tuple(prices) for (item, owner), prices in lists.items() if owner == partner or (item, partner) not in lists}


def _places(connection: Connection, partner: str, orders: Sequence[Order]) -> dict[tuple[str, str], str]:
    pairs: set[tuple[str, str]] = set()
    for order in orders:
        pairs.update(place_pairs(order.ship_to))
        for line in order.lines:
            pairs.update(place_pairs(line.ship_to))
            for delivery in line.deliveries:
                pairs.update(place_pairs(delivery.ship_to))
    table = tables.place
    found: dict[tuple[str, str], str] = {}
    for part in _parts({value for _, value in pairs}):
        for row in connection.execute(select(table).where(table.c.partner == partner, table.c.value.in_(part))):
            if (row.scheme, row.value) in pairs:
                found[row.scheme, row.value] = row.address
    return found


def _earlier(connection: Connection, partner: str, orders: Sequence[Order], excluding: Collection[str]) -> dict[str, tuple[EarlierOrder, ...]]:
    earlier: dict[str, list[EarlierOrder]] = {}
    found = order_store.find(connection, partner, {order.number for order in orders})
    newest = changes.newest(connection, [one.document for one in found])
    for one in found:
        if one.document not in excluding:
            earlier.setdefault(one.number, []).append(
                EarlierOrder(
                    document=one.document,
                    number=one.number,
                    release=one.release,
                    purpose=one.purpose,
                    state=one.state,
                    fingerprint=one.fingerprint,
                    changed_fingerprint=newest[one.document].order_fingerprint if one.document in newest else None,
                    test=one.test,
                )
            )
    return {number: tuple(found) for number, found in earlier.items()}


def _credit(connection: Connection, partner: str, terms: CreditTerms, today: date, excluding: Collection[str]) -> CreditFacts:
    oldest = ledger.oldest_due(connection, partner)
    return CreditFacts(
        currency=terms.currency,
        limit=terms.limit,
        hold_days_overdue=terms.hold_days_overdue,
        exposure=from_minor(ledger.exposure(connection, partner, terms.currency, excluding_orders=excluding), terms.currency),
        oldest_overdue_days=max((today - oldest).days, 0) if oldest else 0,
        accepted_orders=order_store.accepted_count(connection, partner),
        vetted=notes_of(connection, partner).get("vetted") == "yes",
    )
