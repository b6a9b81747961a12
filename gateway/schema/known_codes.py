"""Codes and numbers whose meaning the world agrees on, whatever a schema says: currencies, countries, units, and the check digits of GS1.

What is not right is worth a warning, no more: lists change, and some partners have codes of their own. Which elements hold such values
is told by their numbers in the dictionaries. The lists are those of schemas/codes (a test holds them together), here as sets, since each value is
looked at. Units are looked at by their form alone: Recommendation 20 has two thousand, and rules know those that can be converted.
"""

from collections.abc import Callable
from functools import lru_cache

#: ISO 4217, with what the euro replaced
_CURRENCIES = """
AED AFN ALL AMD ANG AOA ARS ATS AUD AWG AZN BAM BBD BDT BEF BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP
CNY COP COU CRC CUC CUP CVE CZK DEM DJF DKK DOP DZD EGP ERN ESP ETB EUR FIM FJD FKP FRF GBP GEL GHS GIP GMD GNF GRD GTQ GYD HKD HNL HRK HTG
HUF IDR IEP ILS INR IQD IRR ISK ITL JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LUF LYD MAD MDL MGA MKD MMK MNT MOP
MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NLG NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PTE PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD
SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XAG XAU
XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG ZWL
"""
CURRENCIES = frozenset(_CURRENCIES.split())
#: ISO 3166-1, two letters and three
_COUNTRIES = """
ABW AD AE AF AFG AG AGO AI AIA AL ALA ALB AM AND AO AQ AR ARE ARG ARM AS ASM AT ATA ATF ATG AU AUS AUT AW AX AZ AZE BA BB BD BDI BE BEL BEN
BES BF BFA BG BGD BGR BH BHR BHS BI BIH BJ BL BLM BLR BLZ BM BMU BN BO BOL BQ BR BRA BRB BRN BS BT BTN BV BVT BW BWA BY BZ CA CAF CAN CC CCK
CD CF CG CH CHE CHL CHN CI CIV CK CL CM CMR CN CO COD COG COK COL COM CPV CR CRI CU CUB CUW CV CW CX CXR CY CYM CYP CZ CZE DE DEU DJ DJI DK
DM DMA DNK DO DOM DZ DZA EC ECU EE EG EGY EH ER ERI ES ESH ESP EST ET ETH FI FIN FJ FJI FK FLK FM FO FR FRA FRO FSM GA GAB GB GBR GD GE GEO
GF GG GGY GH GHA GI GIB GIN GL GLP GM GMB GN GNB GNQ GP GQ GR GRC GRD GRL GS GT GTM GU GUF GUM GUY GW GY HK HKG HM HMD HN HND HR HRV HT HTI
HU HUN ID IDN IE IL IM IMN IN IND IO IOT IQ IR IRL IRN IRQ IS ISL ISR IT ITA JAM JE JEY JM JO JOR JP JPN KAZ KE KEN KG KGZ KH KHM KI KIR KM
KN KNA KOR KP KR KW KWT KY KZ LA LAO LB LBN LBR LBY LC LCA LI LIE LK LKA LR LS LSO LT LTU LU LUX LV LVA LY MA MAC MAF MAR MC MCO MD MDA MDG
MDV ME MEX MF MG MH MHL MK MKD ML MLI MLT MM MMR MN MNE MNG MNP MO MOZ MP MQ MR MRT MS MSR MT MTQ MU MUS MV MW MWI MX MY MYS MYT MZ NA NAM
NC NCL NE NER NF NFK NG NGA NI NIC NIU NL NLD NO NOR NP NPL NR NRU NU NZ NZL OM OMN PA PAK PAN PCN PE PER PF PG PH PHL PK PL PLW PM PN PNG
POL PR PRI PRK PRT PRY PS PSE PT PW PY PYF QA QAT RE REU RO ROU RS RU RUS RW RWA SA SAU SB SC SD SDN SE SEN SG SGP SGS SH SHN SI SJ SJM SK
SL SLB SLE SLV SM SMR SN SO SOM SPM SR SRB SS SSD ST STP SUR SV SVK SVN SWE SWZ SX SXM SY SYC SYR SZ TC TCA TCD TD TF TG TGO TH THA TJ TJK
TK TKL TKM TL TLS TM TN TO TON TR TT TTO TUN TUR TUV TV TW TWN TZ TZA UA UG UGA UKR UM UMI URY US USA UY UZ UZB VA VAT VC VCT VE VEN VG VGB
VI VIR VN VNM VU VUT WF WLF WS WSM YE YEM YT ZA ZAF ZM ZMB ZW ZWE
"""
COUNTRIES = frozenset(_COUNTRIES.split())
#: dictionary number of an element -> the codes that it may hold: X12 100 and 26, EDIFACT 6345 and 3207
KNOWN = {"100": CURRENCIES, "6345": CURRENCIES, "26": COUNTRIES, "3207": COUNTRIES}
#: X12 355, EDIFACT 6411
UNITS = frozenset({"355", "6411"})
#: those that need no closer look
USUAL_UNITS = frozenset("EA CA CT BX PC PK PL DZ LB KG C62 H87 PCE KGM GRM MTR LTR MTK MTQ TNE SET XCT XCS XBX XPX XPK".split())  # noqa: SIM905  calmer


def unit_odd(code: str) -> bool:
    """Whether this has not the form of a unit: capital letters and digits (Recommendation 20 and 21, X12 355)."""
    return not (code.isascii() and code.isalnum() and code == code.upper())


# GS1 check digits -------------------------------------------------------------------------------------------------------

_LENGTHS_OF = {"gtin": (8, 12, 13, 14), "gln": (13,), "sscc": (18, 20)}


def check_digit_fault(name: str) -> Callable[[str], str | None]:
    """A function that gives the expected form of a GTIN, GLN or SSCC whose check digit or length is wrong, else None (GS1 mod 10)."""
    lengths = _LENGTHS_OF[name]

    # ASCII digits are 48 + value: what the 48s alone add up to
    right = {length: 48 * (3 * (length // 2) + (length + 1) // 2) % 10 for length in lengths}

    def fault(text: str) -> str | None:
        length = len(text)
        digits = text.encode(errors="replace")
        if length not in right or not digits.isdigit():
            return f"{' or '.join(map(str, lengths))} digits"
        if length == 20:
            # with its application identifier 00
            digits = b"00" + digits[2:]
        wrong = (3 * sum(digits[-2::-2]) + sum(digits[::-2]) - right[length]) % 10
        return f"check digit {(digits[-1] - 48 - wrong) % 10}" if wrong else None

    return fault


def _remembered(name: str) -> Callable[[str], str | None]:
    """The same, faster where numbers come again, as items and parties do."""
    return lru_cache(maxsize=8192)(check_digit_fault(name))


_GTIN, _GLN, _SSCC = _remembered("gtin"), _remembered("gln"), _remembered("sscc")
#: qualifier -> what the value beside it must be, by the numbers of qualifier and value. X12 235/234 (items), 66/67 (parties), 88/87 (marks)
X12_PAIRS: dict[tuple[str, str], dict[str, Callable[[str], str | None]]] = {
    # whatever the length says: many send a number of thirteen digits as UP
    ("235", "234"): dict.fromkeys(("UP", "UA", "EN", "EO", "UK"), _GTIN),
    ("66", "67"): {"UL": _GLN},
    ("88", "87"): {"GM": _SSCC},
}
#: EDIFACT composite -> component with the value, component with the qualifier, and what the value must be
EDIFACT_COMPOSITES: dict[str, tuple[int, int, dict[str, Callable[[str], str | None]]]] = {
    "C212": (1, 2, {"EN": _GTIN, "SRV": _GTIN, "UP": _GTIN}),
    "C082": (1, 3, {"9": _GLN}),
    "C517": (1, 3, {"9": _GLN}),
}
#: GIN: the kind of number (7405) stands before the composites (C208) that hold it
GIN_KINDS: dict[str, Callable[[str], str | None]] = {"BJ": _SSCC}
