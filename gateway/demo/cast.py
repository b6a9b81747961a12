"""Who plays: we, our partners, our items. All names are made up; the identifiers have right check digits."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP
from decimal import Decimal


def with_check_digit(digits: str) -> str:
    """A GS1 number (GLN, GTIN, SSCC) with its check digit."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return f"{digits}{-total % 10}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Somebody, as documents and the bank name them."""

    id: str
    name: str
    gln: str
    #: as the interchange names it, without its qualifier
    identity: str
    street: str
    city: str
    postal_code: str
    country: str
    region: str = ""
    vat: str = ""
    iban: str = ""
    currency: str = "EUR"


US = Company(
    id="kestrel",
    name="Kestrel Tools GmbH",
    gln=with_check_digit("401234500000"),
    identity="KESTREL",
    street="Werkstrasse 1",
    city="Bonn",
    postal_code="53111",
    country="DE",
    vat="DE136695976",
    iban="DE89370400440532013000",
)
ACME = Company(
    id="acme",
    name="ACME Corporation",
    gln=with_check_digit("071234500001"),
    identity="ACMEBUYER",
    street="12 Main Street",
    city="Springfield",
    region="IL",
    postal_code="62701",
    country="US",
    currency="USD",
)
CLUMSY = Company(
    id="clumsy",
    name="Clumsy Brothers Inc",
    gln=with_check_digit("071234500002"),
    identity="CLUMSYBROS",
    street="7 Banana Lane",
    city="Slippery Rock",
    region="PA",
    postal_code="16057",
    country="US",
    currency="USD",
)
EUROCO = Company(
    id="euroco",
    name="Euroco Handel GmbH",
    gln=with_check_digit("541234500001"),
    identity=with_check_digit("541234500001"),
    street="Hafenstrasse 5",
    city="Hamburg",
    postal_code="20457",
    country="DE",
    vat="DE129273398",
    iban="DE02120300000000202051",
)
NORDIC = Company(
    id="nordic",
    name="Nordic Kauf GmbH",
    gln=with_check_digit("731234500001"),
    identity=with_check_digit("731234500001"),
    street="Foerdeweg 9",
    city="Kiel",
    postal_code="24103",
    country="DE",
    vat="DE811569869",
    iban="DE02500105170137075030",
)
BUYERS = {buyer.id: buyer for buyer in (ACME, EUROCO, NORDIC, CLUMSY)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ware:
    """One of our items with its list prices."""

    number: str
    name: str
    gtin: str
    usd: Decimal
    eur: Decimal
    on_hand: int = 20_000

    def price(self, currency: str) -> Decimal:
        return self.usd if currency == "USD" else self.eur

    def number_of(self, buyer: str) -> str:
        """What a buyer calls it."""
        return f"{buyer[:2].upper()}-{self.number[2:]}"


def _ware(number: str, name: str, usd: str, eur: str, on_hand: int = 20_000) -> Ware:
    gtin = with_check_digit(f"401234500{number[2:]}")
    return Ware(number=number, name=name, gtin=gtin, usd=Decimal(usd), eur=Decimal(eur), on_hand=on_hand)


HAMMER = _ware("K-110", "Claw hammer 16 oz", "12.40", "11.50")
DRILL = _ware("K-120", "Cordless drill 18 V", "89.00", "82.50")
SCREWDRIVERS = _ware("K-130", "Screwdriver set, 6 pieces", "18.75", "17.20")
LEVEL = _ware("K-140", "Spirit level 60 cm", "21.30", "19.80")
TAPE = _ware("K-150", "Tape measure 5 m", "7.95", "7.35")
GLOVES = _ware("K-160", "Work gloves, pair", "4.60", "4.25")
SCREWS = _ware("K-170", "Wood screws 4x40, box of 200", "6.20", "5.75")
#: only these few are in stock: whoever orders more gets the rest later
TOOLBOX = _ware("K-180", "Steel toolbox", "46.00", "42.60", on_hand=25)
WARES = (HAMMER, DRILL, SCREWDRIVERS, LEVEL, TAPE, GLOVES, SCREWS, TOOLBOX)


def with_vat(net: Decimal) -> Decimal:
    """The amount with 19 percent of German VAT."""
    return net + (net * 19 / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One line of an order as a buyer writes it."""

    ware: Ware
    quantity: int
    #: what the buyer believes the price to be, as text: buyers make mistakes
    price: str


def asked(ware: Ware, quantity: int, currency: str, price: str | None = None) -> Asked:
    """So many of this ware, at its list price where no other is named."""
    return Asked(ware=ware, quantity=quantity, price=price or str(ware.price(currency)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """A purchase order in its buyer's system, before it is written in a syntax."""

    number: str
    lines: tuple[Asked, ...]
    issued_on: date
    requested_on: date
    cancels: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One line that a buyer wants otherwise: so many of it, or none of it any more."""

    line: int
    ware: Ware
    #: None: the line is given up
    quantity: int | None
    #: it is more than was ordered
    more: bool = True
