"""What rules and trade decisions know besides the document: fetched once for a whole batch, never line by line."""

from datetime import date
from decimal import Decimal

from gateway.model.values import Value


class Item(Value, frozen=True, kw_only=True):
    """One of our items. `units` says how many base units one of another unit is: {"XCS": 12}."""

    number: str
    name: str | None = None
    base_unit: str = "EA"
    units: dict[str, Decimal] = {}
    gtin: str | None = None
    tax_category: str | None = None
    tax_rate: Decimal | None = None
    minimum_quantity: Decimal | None = None
    multiple: Decimal | None = None
    discontinued: bool = False


class Price(Value, frozen=True, kw_only=True):
    """A list price: `amount` for `base` of `unit`."""

    item: str
    currency: str
    amount: Decimal
    base: Decimal = Decimal(1)
    unit: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    minimum_quantity: Decimal | None = None


class StockLevel(Value, frozen=True, kw_only=True):
    """What can be promised now: on hand less reserved, in base units."""

    item: str
    available: Decimal
    restock_on: date | None = None


#: states of an order that a cancel still reaches
REACHABLE_STATES = frozenset({"received", "registered", "held", "accepted"})
#: states of an order that stands for nothing any more; in every other state goods have left
ENDED_STATES = frozenset({"rejected", "cancelled", "replaced"})


class EarlierOrder(Value, frozen=True, kw_only=True):
    """An order of the same number that this partner sent before (never the very document that is being judged)."""

    document: str
    number: str
    release: str | None = None
    purpose: str | None = None
    state: str
    #: SHA-256 of what was ordered (model.fingerprint), to tell a true duplicate from a number used again
    fingerprint: str | None = None
    #: the same of its newest version, where it was changed
    changed_fingerprint: str | None = None
    #: test traffic is compared with test traffic only
    test: bool = False


class CreditFacts(Value, frozen=True, kw_only=True):
    """`exposure`: open items plus accepted orders not yet invoiced, in `currency`."""

    currency: str
    limit: Decimal | None = None
    exposure: Decimal = Decimal(0)
    oldest_overdue_days: int = 0
    hold_days_overdue: int | None = None
    #: orders of this partner that were accepted before
    accepted_orders: int = 0
    #: a person has let the first order of this partner through
    vetted: bool = False


class Facts(Value, frozen=True, kw_only=True):
    """Everything about one partner that a batch of its documents needs. A `*_loaded` flag is false where no such master data
    is loaded for the partner: then the rules about it do not apply."""

    partner: str
    today: date
    #: (scheme, value) -> item; schemes buyer, seller, gtin, manufacturer
    items: dict[tuple[str, str], Item] = {}
    #: item number -> its prices
    prices: dict[str, tuple[Price, ...]] = {}
    stock: dict[str, StockLevel] = {}
    #: (scheme, value) of a ship-to -> our address number
    places: dict[tuple[str, str], str] = {}
    #: order number -> earlier orders
    earlier: dict[str, tuple[EarlierOrder, ...]] = {}
    credit: CreditFacts | None = None
    items_loaded: bool = False
    prices_loaded: bool = False
    stock_loaded: bool = False
    places_loaded: bool = False
