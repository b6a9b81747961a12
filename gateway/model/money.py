"""Money between its two forms: `Decimal` with currency in documents, integer minor units (ISO 4217) in the database. Never float."""

import re
from decimal import ROUND_HALF_UP
from decimal import Context
from decimal import Decimal
from fractions import Fraction

#: currencies whose minor unit is not a hundredth (ISO 4217)
_EXPONENTS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}

_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?")
#: products of large quantities and prices have more digits than the usual 28
_WIDE = Context(prec=120, rounding=ROUND_HALF_UP)


def exponent(currency: str) -> int:
    """Digits behind the point of the currency's minor unit."""
    return _EXPONENTS.get(currency, 2)


#: one minor unit, by the digits behind the point
_UNITS = {digits: Decimal(1).scaleb(-digits) for digits in range(5)}


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Half up on the absolute value (EN 16931 guidance), to the minor unit."""
    return amount.quantize(_UNITS[_EXPONENTS.get(currency, 2)], rounding=ROUND_HALF_UP, context=_WIDE)


def to_minor(amount: Decimal, currency: str) -> int:
    """Minor units of an amount, rounded half up."""
    return int(round_money(amount, currency).scaleb(exponent(currency), context=_WIDE))


def from_minor(minor: int, currency: str) -> Decimal:
    """The amount of so many minor units, with all its digits (`Decimal("12.30")`)."""
    return Decimal(minor).scaleb(-exponent(currency), context=_WIDE)


def parse_money(text: str) -> tuple[Decimal, str]:
    """`50000 USD` as amount and currency; raises ValueError with what is expected."""
    parts = text.split()
    if len(parts) != 2 or len(parts[1]) != 3 or not parts[1].isalpha():
        raise ValueError(f"'{text}' is not money: write the amount and the currency, like '50000 USD'")
    currency = parts[1].upper()
    if not _AMOUNT.fullmatch(parts[0]):
        raise ValueError(f"'{parts[0]}' is not an amount: write digits, and a point before {currency}'s fractions, like '50000 {currency}'")
    amount = Decimal(parts[0])
    # in half of the world the point parts thousands
    if -int(amount.as_tuple().exponent) > exponent(currency):
        raise ValueError(
            f"'{parts[0]}' has more digits behind the point than {currency} has ({exponent(currency)}): "
            f"is it {parts[0].replace('.', '')} {currency}? Thousands are not parted here"
        )
    return amount, currency


def round_fraction(amount: Fraction, currency: str) -> Decimal:
    """An exact amount rounded once, half up on the absolute value, to the minor unit."""
    scaled = abs(amount) * 10 ** exponent(currency)
    minor = (scaled.numerator * 2 + scaled.denominator) // (2 * scaled.denominator)
    return from_minor(-minor if amount < 0 else minor, currency)


def round_product(quantity: Decimal, price: Decimal, currency: str) -> Decimal:
    """Quantity times price, exact and rounded once, as `round_fraction` does."""
    return round_money(_WIDE.multiply(quantity, price), currency)


def money_words(amount: Decimal, currency: str) -> str:
    """An amount as people read it: `1,200.00 USD`."""
    return f"{round_money(amount, currency):,f} {currency}"


def is_handy(number: Decimal) -> bool:
    """Whether a number is of a size that trade knows: finite, below 10**15, at most 15 decimals. Others are never reckoned with."""
    if number.is_finite() and len(text := str(number)) < 16 and "E" not in text:
        return True  # what almost every number is, told without taking it apart
    return number.is_finite() and number.adjusted() < 15 and int(number.as_tuple().exponent) >= -15


def number_words(number: Decimal | Fraction) -> str:
    """A quantity or price as people read it: no trailing zeros, no exponent; a fraction that does not end is cut after six digits."""
    if isinstance(number, Fraction):
        number = (Decimal(number.numerator) / Decimal(number.denominator)).quantize(Decimal("0.000001"))
    if not is_handy(number):
        return str(number)
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
