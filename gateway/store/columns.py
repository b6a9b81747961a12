"""Column types that behave the same on SQLite and PostgreSQL: text, points in time, exact decimals, JSON of a known type.

Knows no table. Text compares by code point on both databases, so that lists and prefixes come in the same order.
"""

from collections.abc import Callable
from datetime import UTC
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import BigInteger
from sqlalchemy import Dialect
from sqlalchemy import Integer
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import TEXT as POSTGRESQL_TEXT
from sqlalchemy.types import TypeDecorator
from sqlalchemy.types import TypeEngine

#: a key that the database counts up
SERIAL = BigInteger().with_variant(Integer(), "sqlite")


def storable(text: str) -> str:
    """Text as both databases take it. A NUL or half a surrogate pair out of a broken file must not stop a batch."""
    if "\x00" in text:
        text = text.replace("\x00", "\u2400")
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text


class TextBacked(TypeDecorator[Any]):
    """A type whose values are text in the database; `to_text` is how one becomes it: plain text as both databases take it."""

    impl = Text
    cache_ok = True

    def to_text(self, value: Any) -> str | None:
        """The text of a value."""
        if value is None or (value.isascii() and "\x00" not in value):
            return value
        return storable(value)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(POSTGRESQL_TEXT(collation="C"))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return self.to_text(value)


class Words(TextBacked):
    """Text of any length."""

    cache_ok = True


@lru_cache(maxsize=256)
def moment_text(value: datetime) -> str:
    """A point in time as the database keeps it: UTC, always 27 characters, so that text order is time order."""
    if value.tzinfo is None:
        raise ValueError("a point in time needs its zone; times without one are never stored")
    moment = value if value.tzinfo is UTC else value.astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class Moment(TextBacked):
    """An aware point in time; comes back in UTC."""

    cache_ok = True

    def to_text(self, value: datetime | None) -> str | None:
        return None if value is None else moment_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class Quantity(TextBacked):
    """An exact decimal, digits kept. Never summed in SQL: that would go through float."""

    cache_ok = True

    def to_text(self, value: Decimal | None) -> str | None:
        if value is None:
            return None
        if not value.is_finite():
            raise ValueError("a quantity must be a finite number")
        return format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Json(TextBacked):
    """A value of one known type as JSON text: `Json(dict[str, str])`."""

    cache_ok = True

    def __init__(self, of: Any) -> None:
        super().__init__()
        self.of = of
        self._decode: Callable[[str], Any] = msgspec.json.Decoder(of).decode
        self._encode: Callable[[Any], bytes] = msgspec.json.Encoder(decimal_format="string").encode

    def to_text(self, value: Any) -> str | None:
        return None if value is None else self._encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else self._decode(value)
