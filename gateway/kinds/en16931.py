"""Kinds of problems: the sums of an invoice, under the rule ids of EN 16931 (our own words)."""

from gateway.problem import Kind
from gateway.problem import Severity

_SUMS = "Compute the totals again from the lines, with decimals, rounding each published amount once."
_TAX = "Give each tax category and rate one breakdown: the sum of its lines and charges less its allowances, and tax on that sum."

BR_CO_10 = Kind(code="BR-CO-10", title="The sum of the line amounts is not what the lines add up to", cure=_SUMS)
BR_CO_11 = Kind(code="BR-CO-11", title="The sum of allowances is not what the document's allowances add up to", cure=_SUMS)
BR_CO_12 = Kind(code="BR-CO-12", title="The sum of charges is not what the document's charges add up to", cure=_SUMS)
BR_CO_13 = Kind(code="BR-CO-13", title="The total without tax is not lines less allowances plus charges", cure=_SUMS)
BR_CO_14 = Kind(code="BR-CO-14", title="The tax total is not the sum of the tax breakdown", cure=_SUMS)
BR_CO_15 = Kind(code="BR-CO-15", title="The total with tax is not the total without tax plus the tax", cure=_SUMS)
BR_CO_16 = Kind(code="BR-CO-16", title="The amount due is not the total with tax less what was prepaid plus rounding", cure=_SUMS)
BR_CO_17 = Kind(code="BR-CO-17", title="The tax of a category is not its taxable amount times its rate", cure=_TAX)
BR_CO_18 = Kind(code="BR-CO-18", title="There is no tax breakdown", cure=_TAX)

BR_S_08 = Kind(code="BR-S-08", title="The taxable amount of a standard rate is not what is sold at that rate", cure=_TAX)
BR_S_09 = Kind(code="BR-S-09", title="The tax of a standard rate is not its taxable amount times the rate", cure=_TAX)
BR_AF_08 = Kind(code="BR-AF-08", title="The taxable amount of an IGIC rate is not what is sold at that rate", cure=_TAX)
BR_AF_09 = Kind(code="BR-AF-09", title="The IGIC amount is not its taxable amount times the rate", cure=_TAX)
BR_AG_08 = Kind(code="BR-AG-08", title="The taxable amount of an IPSI rate is not what is sold at that rate", cure=_TAX)
BR_AG_09 = Kind(code="BR-AG-09", title="The IPSI amount is not its taxable amount times the rate", cure=_TAX)
BR_Z_08 = Kind(code="BR-Z-08", title="The zero-rated taxable amount is not what is sold zero-rated", cure=_TAX)
BR_Z_09 = Kind(code="BR-Z-09", title="A zero-rated breakdown has tax", cure=_TAX)
BR_E_08 = Kind(code="BR-E-08", title="The exempt taxable amount is not what is sold exempt", cure=_TAX)
BR_E_09 = Kind(code="BR-E-09", title="An exempt breakdown has tax", cure=_TAX)
BR_AE_08 = Kind(code="BR-AE-08", title="The reverse-charge taxable amount is not what is sold under reverse charge", cure=_TAX)
BR_AE_09 = Kind(code="BR-AE-09", title="A reverse-charge breakdown has tax", cure=_TAX)
BR_IC_08 = Kind(code="BR-IC-08", title="The intra-community taxable amount is not what is supplied so", cure=_TAX)
BR_IC_09 = Kind(code="BR-IC-09", title="An intra-community breakdown has tax", cure=_TAX)
BR_G_08 = Kind(code="BR-G-08", title="The export taxable amount is not what is exported", cure=_TAX)
BR_G_09 = Kind(code="BR-G-09", title="An export breakdown has tax", cure=_TAX)
BR_O_08 = Kind(code="BR-O-08", title="The amount outside the scope of tax is not what is sold so", cure=_TAX)
BR_O_09 = Kind(code="BR-O-09", title="A breakdown outside the scope of tax has tax", cure=_TAX)

TAX_INEXACT = Kind(
    code="INVOICE-TAX-INEXACT",
    severity=Severity.WARNING,
    title="The tax of a category is off by cents, within what the official rules let pass",
    cure="Compute the tax once for each category and rate from its taxable amount; never add up rounded taxes of lines.",
)
