"""Tax as EN 16931 reckons it: which category a line has, one subtotal for each (category, rate), totals that follow exactly.

Amounts are Decimal, rounded half up once (BT-131 a line, BT-117 a subtotal), never summed from rounded taxes of lines. Categories are
UNCL 5305: S standard, Z zero, E exempt, AE reverse charge, K intra-community, G export, O outside the scope of VAT.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from gateway.kinds import rule
from gateway.model.money import number_words
from gateway.model.money import round_fraction
from gateway.model.values import AllowanceCharge
from gateway.model.values import Party
from gateway.model.values import Tax
from gateway.model.values import TaxSubtotal
from gateway.model.values import Totals
from gateway.model.values import Value
from gateway.problem import Place
from gateway.problem import Problem

_ZERO = Decimal(0)

#: member states of the European Union (ISO 3166-1; EL is how VAT numbers write GR, XI is Northern Ireland for goods)
EU = frozenset(re.findall("..", "ATBEBGCYCZDEDKEEESFIFRGRELHRHUIEITLTLULVMTNLPLPTROSESISKXI"))

#: why no tax is due: VATEX code (CEF code list, PEPPOL-EN16931-P0104..P0111) and words
REASONS = {
    "AE": ("VATEX-EU-AE", "Reverse charge"),
    "K": ("VATEX-EU-IC", "Intra-Community supply"),
    "G": ("VATEX-EU-G", "Export outside the EU"),
    "O": ("VATEX-EU-O", "Not subject to VAT"),
    "E": (None, "Exempt from tax"),
}
_TAXED = frozenset({"S"})
CATEGORIES = frozenset({"S", "Z", *REASONS})


class TaxPolicy(Value, frozen=True, kw_only=True):
    """What holds where an item says nothing. `regime`: vat, or none (no tax at all, as in sales within the US to a reseller)."""

    regime: str = "vat"
    #: country of our registration
    country: str | None = None
    category: str = "S"
    rate: Decimal | None = None
    #: write subtotals of category O where the regime is none, for recipients that need a VAT breakdown
    outside_scope: bool = False
    exemption_reason: str | None = None
    exemption_code: str | None = None


def tax_for(category: str | None, rate: Decimal | None, policy: TaxPolicy, buyer: Party | None, ship_to: Party | None) -> Tax | None:
    """The tax of goods of this category and rate for this buyer at this place; None where no tax is written at all."""
    if policy.regime == "none":
        return _untaxed("O", policy) if policy.outside_scope else None
    category, rate = (category, rate) if category else (policy.category, policy.rate)
    if category in ("S", "Z", "E"):
        moved = _across_border(policy, buyer, ship_to)
        if moved:
            return _untaxed(moved, policy)
    if category == "S" and rate is None:
        rate = policy.rate
    if category == "S" and rate == 0:
        category = "Z"
    if category in _TAXED:
        return Tax(type="VAT", category=category, rate=rate)
    return Tax(type="VAT", category="Z", rate=_ZERO) if category == "Z" else _untaxed(category, policy)


def _untaxed(category: str, policy: TaxPolicy) -> Tax:
    code, words = REASONS.get(category, (None, "No tax"))
    if category == "E" and (policy.exemption_reason or policy.exemption_code):
        code, words = policy.exemption_code, policy.exemption_reason or words
    return Tax(type="VAT", category=category, rate=None if category == "O" else _ZERO, exemption_reason=words, exemption_code=code)


def _across_border(policy: TaxPolicy, buyer: Party | None, ship_to: Party | None) -> str | None:
    """K to a business in another member state, G out of the EU (or out of a country that is not in it); None at home or to consumers."""
    ours, theirs = policy.country, _country(ship_to) or _country(buyer)
    if ours is None or theirs is None or theirs == ours:
        return None
    if ours in EU and theirs in EU:
        return "K" if vat_number(buyer) else None
    return "G"


def _country(party: Party | None) -> str | None:
    return party.address.country if party and party.address else None


def vat_number(party: Party | None) -> str | None:
    """The party's VAT number (BT-31, BT-48)."""
    return party.identifiers.vat if party and party.identifiers else None


def tax_faults(taxes: Iterable[Tax | None], seller: Party | None, buyer: Party | None) -> list[Problem]:
    """What cannot be right about the taxes of one invoice."""
    given = list(taxes)
    present = [tax for tax in given if tax is not None]
    categories = sorted({tax.category or "" for tax in present})
    problems = []
    if present and len(present) != len(given):
        problems.append(_fault("Some lines have a tax and some have none", ", ".join(categories), "a tax on each line, or on none"))
    for category in categories:
        if category not in CATEGORIES:
            problems.append(_fault(f"Tax category '{category}' is not known", category, ", ".join(sorted(CATEGORIES))))
    if "O" in categories and len(categories) > 1:
        problems.append(_fault("Lines outside the scope of VAT stand in one invoice with lines inside (BR-O-11)", ", ".join(categories), "O alone"))
    for tax in present:
        if tax.category == "S" and (tax.rate is None or tax.rate <= 0):
            shown = "none" if tax.rate is None else number_words(tax.rate)
            cure = "give the item a rate, set us.tax_rate in config.yaml, or say tax: none in the partner's file"
            problems.append(_fault(f"Standard rated lines need a rate above 0, found {shown} (BR-S-05): {cure}", shown, "a rate above 0"))
            break
    for category in sorted({"AE", "K"} & set(categories)):
        for name, party in (("our", seller), ("the buyer's", buyer)):
            if not vat_number(party):
                problems.append(
                    _fault(f"Category {category} needs {name} VAT number (BR-{'IC' if category == 'K' else category}-02)", None, "a VAT number")
                )
    return problems


def _fault(message: str, found: str | None, expected: str) -> Problem:
    return rule.BILLING_TAX.at(Place(field="taxes"), message, found=found, expected=expected)


def reckon(
    lines: Iterable[tuple[Decimal, Tax | None]],
    allowances_charges: Iterable[AllowanceCharge],
    currency: str,
    *,
    prepaid: Decimal = _ZERO,
    rounding: Decimal = _ZERO,
) -> tuple[tuple[TaxSubtotal, ...], Totals]:
    """Subtotals and totals from the lines' net amounts and the document's allowances and charges (EN 16931 BR-CO-10 to BR-CO-17)."""
    sums: dict[tuple[str, Decimal | None], Decimal] = {}
    samples: dict[tuple[str, Decimal | None], Tax] = {}
    line_total = allowances = charges = _ZERO
    count = 0
    for net, tax in lines:
        count += 1
        line_total += net
        _add(sums, samples, tax, net)
    for entry in allowances_charges:
        amount = entry.amount or _ZERO
        if entry.kind == "charge":
            charges += amount
        else:
            allowances += amount
        _add(sums, samples, entry.tax, amount if entry.kind == "charge" else -amount)
    subtotals = tuple(_subtotal(samples[key], taxable, currency) for key, taxable in sorted(sums.items(), key=_order))
    tax_total = sum((subtotal.tax for subtotal in subtotals), _ZERO)
    net_total = line_total - allowances + charges
    gross = net_total + tax_total
    totals = Totals(
        lines=line_total,
        allowances=allowances or None,
        charges=charges or None,
        net=net_total,
        tax=tax_total if subtotals else None,
        gross=gross,
        prepaid=prepaid or None,
        rounding=rounding or None,
        payable=gross - prepaid + rounding,
        line_count=count,
    )
    return subtotals, totals


def _add(sums: dict[tuple[str, Decimal | None], Decimal], samples: dict[tuple[str, Decimal | None], Tax], tax: Tax | None, amount: Decimal) -> None:
    if tax is None or tax.category is None:
        return
    key = (tax.category, tax.rate)
    sums[key] = sums.get(key, _ZERO) + amount
    samples.setdefault(key, tax)


def _order(entry: tuple[tuple[str, Decimal | None], Decimal]) -> tuple[str, Decimal]:
    (category, rate), _ = entry
    return category, rate or _ZERO


def _subtotal(tax: Tax, taxable: Decimal, currency: str) -> TaxSubtotal:
    rate = tax.rate or _ZERO
    return TaxSubtotal(
        type=tax.type,
        category=tax.category or "",
        rate=tax.rate,
        taxable=taxable,
        tax=round_fraction(Fraction(taxable) * Fraction(rate) / 100, currency),
        exemption_reason=tax.exemption_reason,
        exemption_code=tax.exemption_code,
    )
