"""Expressions: whole numbers and digits instead of floating point, and every fault told in a sentence."""

import subprocess
import sys
from datetime import date
from decimal import Decimal

import pytest

from gateway.expression import MAX_LENGTH
from gateway.expression import ExpressionError
from gateway.expression import compile_expression
from gateway.expression import to_cel
from gateway.model.values import Address


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("money(price) >= money('1.20')", True),
        ("money('1.20', 'JPY')", 1),
        ("number(quantity) > number('2.4')", True),
        ("int(count) + 1", 4),
        ("sum(price, '0.10')", "1.30"),
        ("difference(price, '0.20')", "1.00"),
        ("product(price, '3')", "3.60"),
        ("quotient('1', '3', 4)", "0.3333"),
        ("rounded('1.005', 2)", "1.01"),
        ("code in ['A', 'B'] && !code.startsWith('B')", True),
        ("has(place.city) ? place.city : 'nowhere'", "BONN"),
        ("has(place.region)", False),
        ("names.exists(name, name == 'x')", True),
        ("day > '2026-01-01'", True),
    ],
)
def test_an_expression_has_its_value(source: str, value: object) -> None:
    values = {
        "price": Decimal("1.20"),
        "quantity": Decimal("2.5"),
        "count": "3",
        "code": "A",
        "place": Address(city="BONN"),
        "names": ("x", "y"),
        "day": date(2026, 1, 5),
    }
    assert compile_expression(source).evaluate(values) == value


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1.5 > 1.0", "'1.5' is floating point"),
        ("1e3 > 2", "'1e3' is floating point"),
        ("double(x) > 1", "is floating point"),
        ("sine(x)", "there is no function sine()"),
        ("x ==", "at character 5"),
        ("x" * (MAX_LENGTH + 1), f"longer than {MAX_LENGTH} characters"),
        ("(" * 400 + "1" + ")" * 400, ""),
    ],
)
def test_a_wrong_expression_is_told_when_it_is_loaded(source: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(source)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("money(x) > 1", "'abc' is not a number"),
        ("number('1.1234567')", "more than 6 digits"),
        ("quotient('1', '0', 2)", "division by zero"),
        ("x + 1", "string + int"),
        ("y == 'a'", "Undefined variable"),
        ("[1][3]", "out of bounds"),
    ],
)
def test_a_value_that_does_not_fit_is_told(source: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(source).evaluate({"x": "abc"})
    assert message in str(caught.value)


def test_a_condition_must_be_true_or_false() -> None:
    with pytest.raises(ExpressionError, match="not true or false"):
        compile_expression("'a'").holds({})


def test_a_number_of_very_many_digits_is_refused() -> None:
    with pytest.raises(ExpressionError):
        compile_expression("number(x)").evaluate({"x": "9" * 5000})


def test_variables_are_known_and_bound_names_are_not_among_them() -> None:
    assert compile_expression("lines.exists(line, line == code)").variables == {"lines", "code"}


def test_decimals_keep_their_digits() -> None:
    assert to_cel(Decimal("800.00")) == "800.00"


def test_a_value_that_fails_stands_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ExpressionError):
        compile_expression("money(x) > 1").evaluate({"x": "secret"})
    assert "secret" not in caplog.text


def test_the_library_is_loaded_only_with_an_expression() -> None:
    code = "import sys, gateway.mapping.load, gateway.mapping.apply; assert 'cel' not in sys.modules; assert 'lxml' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
