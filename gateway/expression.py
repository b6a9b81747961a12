"""Expressions that users write in mappings and rules: CEL, the language known from Kubernetes, behind our own small interface.

It must not know who asks. Its rule: no floating point. Amounts and quantities are text with their digits, as on the wire;
`money()`, `number()` and `int()` turn them into whole numbers that compare exactly, `sum()`, `difference()`, `product()`,
`quotient()` and `rounded()` calculate on their digits. The library is loaded with the first expression, never before.
"""

import logging
import re
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from decimal import ROUND_HALF_UP
from decimal import Decimal
from decimal import DecimalException
from functools import cache
from typing import Any

import msgspec

from gateway.model.money import to_minor

MAX_LENGTH = 1000
#: what a number is counted in, so that it compares as a whole number
_MILLIONTHS = 6
_STRING = re.compile(r"\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", re.DOTALL)
_FLOAT = re.compile(r"(?<![\w.])\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)|\bdouble\s*\(")
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_MOST_DIGITS = 40
#: names that a macro binds, as `line` in lines.exists(line, ...)
_BOUND = re.compile(r"\.(?:all|exists|exists_one|filter|map)\s*\(\s*(\w+)\s*,")


class ExpressionError(ValueError):
    """The expression is wrong (found when it is loaded) or cannot be evaluated with these values; says what and why."""


def _decimal(text: Any) -> Decimal:
    words = str(text)
    if len(words) > _MOST_DIGITS or not _DECIMAL.fullmatch(words):
        raise ValueError(f"'{words[:_MOST_DIGITS]}' is not a number")
    return Decimal(words)


def _plain(value: Decimal) -> str:
    return format(value, "f")


def _money(text: Any, currency: str = "") -> int:
    return to_minor(_decimal(text), currency)


def _number(text: Any) -> int:
    scaled = _decimal(text).scaleb(_MILLIONTHS)
    if scaled != scaled.to_integral_value():
        raise ValueError(f"'{text}' has more than {_MILLIONTHS} digits behind the point")
    return int(scaled)


def _sum(first: Any, second: Any) -> str:
    return _plain(_decimal(first) + _decimal(second))


def _difference(first: Any, second: Any) -> str:
    return _plain(_decimal(first) - _decimal(second))


def _product(first: Any, second: Any) -> str:
    return _plain(_decimal(first) * _decimal(second))


def _rounded(text: Any, digits: int) -> str:
    return _plain(_decimal(text).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP))


def _quotient(first: Any, second: Any, digits: int) -> str:
    divisor = _decimal(second)
    if not divisor:
        raise ValueError("division by zero")
    return _plain((_decimal(first) / divisor).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "money": _money,
    "number": _number,
    "sum": _sum,
    "difference": _difference,
    "product": _product,
    "quotient": _quotient,
    "rounded": _rounded,
}

#: what CEL brings along, as far as we promise it
_BUILT_IN = {
    "size",
    "has",
    "int",
    "uint",
    "string",
    "bool",
    "matches",
    "contains",
    "startsWith",
    "endsWith",
    "all",
    "exists",
    "exists_one",
    "filter",
    "map",
    "min",
    "max",
    "timestamp",
    "duration",
    "type",
    "dyn",
    "bytes",
}


@cache
def _library() -> Any:
    import cel

    # it logs the message of a function that fails, and with it the value; values never stand in a log
    logging.getLogger("cel").disabled = True
    return cel


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression and the variables that it asks for."""

    source: str
    variables: frozenset[str]
    _program: Any

    def evaluate(self, values: Mapping[str, object]) -> Any:
        """Its value; `values` are turned into what CEL knows. Raises ExpressionError."""
        context: dict[str, Any] = {name: to_cel(value) for name, value in values.items()}
        context.update(FUNCTIONS)
        try:
            answer = self._program.execute(context)
        except (RuntimeError, TypeError, ValueError, LookupError, ArithmeticError) as error:
            raise ExpressionError(_short(error)) from None
        if isinstance(answer, float):
            raise ExpressionError("the value is a floating point number; calculate with sum(), product(), quotient() on the digits")
        return answer

    def holds(self, values: Mapping[str, object]) -> bool:
        """Its value where it must be true or false. Raises ExpressionError."""
        answer = self.evaluate(values)
        if not isinstance(answer, bool):
            raise ExpressionError(f"the value is '{answer}', not true or false")
        return answer


def compile_expression(source: str) -> Expression:
    """The expression ready to run; raises ExpressionError with what is wrong in it."""
    if len(source) > MAX_LENGTH:
        raise ExpressionError(f"longer than {MAX_LENGTH} characters")
    outside = _STRING.sub("''", source)
    number = _FLOAT.search(outside)
    if number:
        raise ExpressionError(f"'{number.group()}' is floating point: write number('1.5') or money('1.50')")
    try:
        program = _library().compile(source)
    except (ValueError, RecursionError) as error:
        raise ExpressionError(_short(error)) from None
    references = program.references()
    known = _BUILT_IN | FUNCTIONS.keys()
    unknown = [name for name in references["functions"] if name.isidentifier() and not name.startswith("_") and name not in known]
    if unknown:
        raise ExpressionError(f"there is no function {unknown[0]}()")
    bound = set(_BOUND.findall(outside))
    return Expression(source, frozenset(references["variables"]) - bound, program)


def to_cel(value: object) -> Any:
    """A canonical value as CEL knows it: Decimals as their digits, dates as ISO text, documents as maps without absent fields."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Decimal):
        return _plain(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, msgspec.Struct):
        return {name: to_cel(held) for name in value.__struct_fields__ if (held := getattr(value, name)) is not None}
    if isinstance(value, Mapping):
        return {str(key): to_cel(held) for key, held in value.items()}
    if isinstance(value, tuple | list):
        return [to_cel(held) for held in value]
    raise ExpressionError(f"a {type(value).__name__} cannot stand in an expression")


def _short(error: BaseException) -> str:
    if isinstance(error, DecimalException):
        return "the calculation has no exact result"
    text = str(error)
    words = re.search(r"Python function call failed: \w+: (.*?)\. Check function", text, re.DOTALL)
    if words:
        return words.group(1)
    marked = re.search(r"ERROR: <input>:\d+:(\d+): (.*)", text)
    if marked:
        return f"at character {marked.group(1)}: {marked.group(2)}"
    return text.splitlines()[0].split(". ")[0] if text else type(error).__name__
