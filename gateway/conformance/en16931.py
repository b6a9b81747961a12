"""The arithmetic of an invoice or credit note in UBL, under the rule ids of EN 16931; in our own words and with decimals.

Only sums are judged here, so that silence is no pass: the level is `failed` where a rule is broken and else `not_run`
until the whole set of rules runs. Amounts that are not numbers break no sum here: the schema says those.
Tolerances are the official ones (less than one unit for a rate), so that nobody is accused who passes the official rules;
a difference inside of the tolerance is a warning of ours.
"""

import re
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_FLOOR
from decimal import Decimal
from itertools import islice
from typing import Any

from gateway.codecs import xml
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.conformance.level import Judgement
from gateway.conformance.level import Level
from gateway.conformance.level import not_run
from gateway.kinds import en16931 as kinds
from gateway.problem import Kind
from gateway.problem import Problem
from gateway.problem import Severity

DOCUMENTS = ("Invoice", "CreditNote")
#: after so many of one rule nobody reads on
MAX_PROBLEMS_OF_A_RULE = 20
_NS = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
_CAC, _CBC = f"{{{_NS['cac']}}}", f"{{{_NS['cbc']}}}"
_AMOUNT = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_MOST_CHARACTERS = 22
_ZERO, _ONE, _HUNDRED = Decimal(0), Decimal(1), Decimal(100)


@dataclass(frozen=True, slots=True)
class _Broken:
    """A sum that is wrong: the element that holds it, what it says, what it should say."""

    element: Any
    words: str
    found: Decimal | None
    expected: Decimal | None


Rule = Callable[[Any], Iterator[_Broken]]


def judge(transaction: Transaction) -> Judgement:
    """The sums of an invoice or credit note; other documents are none of EN 16931."""
    if transaction.syntax is not Syntax.UBL or transaction.type not in DOCUMENTS:
        return not_run(f"EN 16931 is about invoices, not {transaction.type}")
    found = ((kind, broken) for kind, rule in RULES for broken in islice(rule(transaction.root), MAX_PROBLEMS_OF_A_RULE))
    problems = [_problem(kind, broken) for kind, broken in found]
    failed = any(problem.severity is Severity.ERROR for problem in problems)
    return Judgement(Level.FAILED if failed else Level.NOT_RUN, tuple(problems), "" if failed else "only the sums were checked, not all rules")


def _problem(kind: Kind, broken: _Broken) -> Problem:
    return kind.at(
        xml.place_of(broken.element),
        broken.words,
        found=None if broken.found is None else str(broken.found),
        expected=None if broken.expected is None else str(broken.expected),
    )


# reading amounts


def _number(parent: Any, path: str) -> Decimal | None:
    element = parent.find(path, _NS)
    return None if element is None else _decimal(element.text)


def _decimal(text: str | None) -> Decimal | None:
    """An amount as the schema knows it, as far as it can be one: longer ones are none, and would not add up exactly."""
    words = (text or "").strip()
    return Decimal(words) if len(words) <= _MOST_CHARACTERS and _AMOUNT.fullmatch(words) else None


def _sum(elements: list[Any], path: str) -> Decimal:
    return sum((_number(element, path) or _ZERO for element in elements), _ZERO)


def _round(value: Decimal) -> Decimal:
    """XPath's round() to cents: a half goes toward plus infinity."""
    return ((value * _HUNDRED + Decimal("0.5")).to_integral_value(ROUND_FLOOR) / _HUNDRED).quantize(Decimal("0.01"))


def _lines(root: Any) -> list[Any]:
    return [child for child in root if child.tag in (_CAC + "InvoiceLine", _CAC + "CreditNoteLine")]


def _allowances(root: Any, charge: bool) -> list[Any]:
    words = ("true", "1") if charge else ("false", "0")
    return [child for child in root.findall("cac:AllowanceCharge", _NS) if (child.findtext("cbc:ChargeIndicator", "", _NS)).strip() in words]


def _check(element: Any, what: str, found: Decimal | None, expected: Decimal | None) -> Iterator[_Broken]:
    if found is not None and expected is not None and found != expected:
        yield _Broken(element, f"{what} is {found}, expected {expected}", found, expected)


# totals


def _totals(name: str, what: str, expected: Callable[[Any, Any], Decimal | None]) -> Rule:
    """A rule about one amount of LegalMonetaryTotal."""

    def rule(root: Any) -> Iterator[_Broken]:
        totals = root.find("cac:LegalMonetaryTotal", _NS)
        if totals is None:
            return
        element, wanted = totals.find(f"cbc:{name}", _NS), expected(root, totals)
        if element is None:
            yield _Broken(totals, f"{what} ({name}) is missing" + (f", expected {wanted}" if wanted is not None else ""), None, wanted)
        elif wanted is None:
            yield _Broken(element, f"{what} cannot be checked, because an amount that it is made of is missing", _decimal(element.text), None)
        else:
            yield from _check(element, what, _decimal(element.text), wanted)

    return rule


def _total_of(name: str, what: str, charge: bool) -> Rule:
    """BR-CO-11 and BR-CO-12: the total may only be left out where there is nothing to add up."""

    def rule(root: Any) -> Iterator[_Broken]:
        totals = root.find("cac:LegalMonetaryTotal", _NS)
        if totals is None:
            return
        parts, element = _allowances(root, charge), totals.find(f"cbc:{name}", _NS)
        expected = _round(_sum(parts, "cbc:Amount"))
        if element is not None:
            yield from _check(element, f"the sum of {what}", _decimal(element.text), expected)
        elif parts:
            yield _Broken(totals, f"the sum of {what} ({name}) is missing, expected {expected}", None, expected)

    return rule


def _net(_: Any, totals: Any) -> Decimal | None:
    lines = _number(totals, "cbc:LineExtensionAmount")
    if lines is None:
        return None
    return _round(lines + (_number(totals, "cbc:ChargeTotalAmount") or _ZERO) - (_number(totals, "cbc:AllowanceTotalAmount") or _ZERO))


def _document_tax(root: Any) -> list[Any]:
    currency = root.findtext("cbc:DocumentCurrencyCode", "", _NS).strip()
    return [amount for amount in root.findall("cac:TaxTotal/cbc:TaxAmount", _NS) if amount.get("currencyID") == currency]


def _gross(root: Any, totals: Any) -> Decimal | None:
    net, taxes = _number(totals, "cbc:TaxExclusiveAmount"), _document_tax(root)
    tax = _decimal(taxes[0].text) if len(taxes) == 1 else None
    return None if net is None or tax is None else _round(net + tax)


def _one_tax_total(root: Any) -> Iterator[_Broken]:
    count = len(_document_tax(root))
    if root.find("cbc:DocumentCurrencyCode", _NS) is not None and count != 1:
        yield _Broken(root, f"there are {count} tax totals in the document's currency, expected one", Decimal(count), _ONE)


def _payable(_: Any, totals: Any) -> Decimal | None:
    gross = _number(totals, "cbc:TaxInclusiveAmount")
    if gross is None:
        return None
    return _round(gross - (_number(totals, "cbc:PrepaidAmount") or _ZERO) + (_number(totals, "cbc:PayableRoundingAmount") or _ZERO))


# tax


def _tax_total(root: Any) -> Iterator[_Broken]:
    for total in root.findall("cac:TaxTotal", _NS):
        subtotals, element = total.findall("cac:TaxSubtotal", _NS), total.find("cbc:TaxAmount", _NS)
        if subtotals and element is None:
            yield _Broken(total, "the tax total is missing", None, _sum(subtotals, "cbc:TaxAmount"))
        elif subtotals:
            yield from _check(element, "the tax total", _decimal(element.text), _round(_sum(subtotals, "cbc:TaxAmount")))


def _has_breakdown(root: Any) -> Iterator[_Broken]:
    if root.find("cac:TaxTotal/cac:TaxSubtotal", _NS) is None:
        yield _Broken(root, "there is no tax breakdown (TaxTotal/TaxSubtotal), expected at least one", None, None)


def _is_vat(category: Any) -> bool:
    return bool(category.findtext("cac:TaxScheme/cbc:ID", "", _NS).strip().upper() == "VAT")


def _subtotals(root: Any, code: str | None = None) -> Iterator[tuple[Any, Any]]:
    """Each subtotal with its VAT category, of one category code or all."""
    for subtotal in root.findall("cac:TaxTotal/cac:TaxSubtotal", _NS):
        category = subtotal.find("cac:TaxCategory", _NS)
        if category is not None and _is_vat(category) and (code is None or category.findtext("cbc:ID", "", _NS).strip() == code):
            yield subtotal, category


def _expected_tax(subtotal: Any, rate: Decimal) -> Decimal | None:
    """The absolute tax at a rate, rounded once."""
    taxable = _number(subtotal, "cbc:TaxableAmount")
    return None if taxable is None else _round(abs(taxable) * rate / _HUNDRED)


def _tax_words(subtotal: Any, category: Any) -> str:
    return f"the tax on {subtotal.findtext('cbc:TaxableAmount', '', _NS)} at {category.findtext('cbc:Percent', '0', _NS)} %"


def _rate_times_amount(code: str | None) -> Rule:
    """BR-CO-17, BR-S-09 and their like: less than one unit off."""

    def rule(root: Any) -> Iterator[_Broken]:
        for subtotal, category in _subtotals(root, code):
            element, rate = subtotal.find("cbc:TaxAmount", _NS), _number(category, "cbc:Percent")
            tax = None if element is None else _decimal(element.text)
            taxable = subtotal.find("cbc:TaxableAmount", _NS)
            if element is None or taxable is None and rate is not None and _whole(rate) != 0 or rate is None and code is not None:
                yield _Broken(subtotal, "the taxable amount, the rate or the tax is missing", None, None)
                continue
            if tax is None:
                continue
            if rate is None or code is None and _whole(rate) == 0:
                if _whole(tax) != 0:
                    yield _Broken(element, f"the tax is {tax} where there is no rate, expected 0", tax, _ZERO)
                continue
            expected = _expected_tax(subtotal, rate)
            if expected is not None and abs(abs(tax) - expected) >= _ONE:
                yield _Broken(element, f"{_tax_words(subtotal, category)} is {tax}, expected {expected}", tax, expected)

    return rule


def _whole(value: Decimal) -> Decimal:
    return (value + Decimal("0.5")).to_integral_value(ROUND_FLOOR)


def _inexact(root: Any) -> Iterator[_Broken]:
    """Ours: within the official tolerance, yet not what the rate gives."""
    for subtotal, category in _subtotals(root):
        element, rate = subtotal.find("cbc:TaxAmount", _NS), _number(category, "cbc:Percent")
        tax = None if element is None else _decimal(element.text)
        expected = None if rate is None else _expected_tax(subtotal, rate)
        if tax is not None and expected is not None and Decimal("0.01") <= abs(abs(tax) - expected) < _ONE:
            yield _Broken(element, f"{_tax_words(subtotal, category)} is {tax}, which is off by less than 1.00; exact is {expected}", tax, expected)


def _no_tax(code: str) -> Rule:
    def rule(root: Any) -> Iterator[_Broken]:
        for subtotal, _ in _subtotals(root, code):
            element = subtotal.find("cbc:TaxAmount", _NS)
            if element is None:
                yield _Broken(subtotal, f"the tax of category {code} is missing, expected 0", None, _ZERO)
            else:
                yield from _check(element, f"the tax of category {code}", _decimal(element.text), _ZERO)

    return rule


def _sold(root: Any, code: str, *, by_rate: bool) -> dict[Decimal | None, Decimal]:
    """Lines plus charges less allowances of a category, by rate (or all under None)."""
    answer: dict[Decimal | None, Decimal] = {}

    def add(elements: list[Any], path: str, amount: str, sign: int) -> None:
        for element in elements:
            category = element.find(path, _NS)
            if category is not None and category.findtext("cbc:ID", "", _NS).strip() == code:
                rate = _number(category, "cbc:Percent") if by_rate else None
                answer[rate] = answer.get(rate, _ZERO) + sign * (_number(element, amount) or _ZERO)

    add(_lines(root), "cac:Item/cac:ClassifiedTaxCategory", "cbc:LineExtensionAmount", 1)
    add(_allowances(root, True), "cac:TaxCategory", "cbc:Amount", 1)
    add(_allowances(root, False), "cac:TaxCategory", "cbc:Amount", -1)
    return answer


def _taxable(code: str, *, by_rate: bool) -> Rule:
    """BR-S-08 and its like (for each rate, less than one unit off), BR-E-08 and its like (exact)."""

    def rule(root: Any) -> Iterator[_Broken]:
        sold: dict[Decimal | None, Decimal] | None = None
        for subtotal, category in _subtotals(root, code):
            sold = _sold(root, code, by_rate=by_rate) if sold is None else sold
            element, rate = subtotal.find("cbc:TaxableAmount", _NS), _number(category, "cbc:Percent")
            if by_rate and rate is None:
                continue
            if element is None:
                yield _Broken(subtotal, f"the taxable amount of category {code} is missing", None, None)
                continue
            found = _decimal(element.text)
            if found is None:
                continue
            expected = sold.get(rate if by_rate else None, _ZERO)
            if abs(found - expected) >= _ONE if by_rate else found != expected:
                at = f" at {rate} %" if by_rate else ""
                words = f"the taxable amount of category {code}{at} is {found}, its lines and charges less allowances are {expected}"
                yield _Broken(element, words, found, expected)

    return rule


def _lines_sum(root: Any, _: Any) -> Decimal | None:
    return _round(_sum(_lines(root), "cbc:LineExtensionAmount"))


RULES: tuple[tuple[Kind, Rule], ...] = (
    (kinds.BR_CO_10, _totals("LineExtensionAmount", "the sum of the lines", _lines_sum)),
    (kinds.BR_CO_11, _total_of("AllowanceTotalAmount", "allowances", charge=False)),
    (kinds.BR_CO_12, _total_of("ChargeTotalAmount", "charges", charge=True)),
    (kinds.BR_CO_13, _totals("TaxExclusiveAmount", "the total without tax", _net)),
    (kinds.BR_CO_14, _tax_total),
    (kinds.BR_CO_15, _one_tax_total),
    (kinds.BR_CO_15, _totals("TaxInclusiveAmount", "the total with tax", _gross)),
    (kinds.BR_CO_16, _totals("PayableAmount", "the amount due", _payable)),
    (kinds.BR_CO_17, _rate_times_amount(None)),
    (kinds.BR_CO_18, _has_breakdown),
    (kinds.BR_S_08, _taxable("S", by_rate=True)),
    (kinds.BR_S_09, _rate_times_amount("S")),
    (kinds.BR_AF_08, _taxable("L", by_rate=True)),
    (kinds.BR_AF_09, _rate_times_amount("L")),
    (kinds.BR_AG_08, _taxable("M", by_rate=True)),
    (kinds.BR_AG_09, _rate_times_amount("M")),
    (kinds.BR_Z_08, _taxable("Z", by_rate=False)),
    (kinds.BR_Z_09, _no_tax("Z")),
    (kinds.BR_E_08, _taxable("E", by_rate=False)),
    (kinds.BR_E_09, _no_tax("E")),
    (kinds.BR_AE_08, _taxable("AE", by_rate=False)),
    (kinds.BR_AE_09, _no_tax("AE")),
    (kinds.BR_IC_08, _taxable("K", by_rate=False)),
    (kinds.BR_IC_09, _no_tax("K")),
    (kinds.BR_G_08, _taxable("G", by_rate=False)),
    (kinds.BR_G_09, _no_tax("G")),
    (kinds.BR_O_08, _taxable("O", by_rate=False)),
    (kinds.BR_O_09, _no_tax("O")),
    (kinds.TAX_INEXACT, _inexact),
)
