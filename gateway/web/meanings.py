"""What codes mean, in words: from the code tables that the mappings use, and a few of our own for codes that mappings read as places.

Only where we have a word: a code without one is shown as it is.
"""

from collections.abc import Mapping as ReadOnly

from gateway.yaml_source import Mapping
from gateway.yaml_source import Resolver
from gateway.yaml_source import Scalar
from gateway.yaml_source import load

#: element -> table of mappings/tables/<syntax>.yaml
_TABLES: ReadOnly[str, ReadOnly[str, str]] = {
    "x12": {
        "353": "order_purpose",
        "92": "order_type",
        "128": "reference_type",
        "98": "party_role",
        "66": "party_identifier",
        "235": "item_identifier",
        "366": "contact_role",
        "91": "transport_mode",
        "284": "transport_service",
        "146": "freight",
        "333": "terms_basis",
        "248": "allowance_charge",
        "363": "note_type",
        "639": "price_base",
        "236": "price_type",
        "963": "tax_type",
        "662": "sub_line_relation",
        "103": "packaging",
        "668": "line_action",
        "670": "line_change",
        "587": "order_response",
        "591": "payment_method",
        "355": "unit",
    },
    "edifact": {
        "1001": "order_type",
        "1225": "order_purpose",
        "1229": "line_action",
        "3035": "party_role",
        "3055": "party_identifier",
        "1153": "reference_type",
        "3139": "contact_role",
        "4451": "note_type",
        "7143": "item_identifier",
        "7081": "attribute_type",
        "6411": "unit",
        "7065": "package_type",
        "2475": "payment_basis",
        "4215": "freight",
        "8067": "transport_mode",
        "5463": "allowance_charge",
        "5125": "price_type",
        "4461": "payment_method",
    },
}
_UNITS = {
    "EA": "each",
    "PC": "piece",
    "PCE": "piece",
    "H87": "piece",
    "CA": "case",
    "CT": "carton",
    "BX": "box",
    "KGM": "kilogram",
    "LB": "pound",
    "PL": "pallet",
}
#: element -> code -> our word, where the mappings have none
_WORDS: ReadOnly[str, ReadOnly[str, ReadOnly[str, str]]] = {
    "x12": {
        "98": {
            "BY": "buyer",
            "SE": "seller",
            "SU": "supplier",
            "ST": "ship to",
            "BT": "bill to",
            "RE": "remit to",
            "SF": "ship from",
            "PR": "payer",
            "PE": "payee",
        },
        "374": {
            "001": "cancel after",
            "002": "delivery requested",
            "004": "purchase order",
            "010": "ship requested",
            "011": "shipped",
            "017": "delivery estimated",
            "037": "ship not before",
            "038": "ship no later",
            "063": "do not deliver after",
            "064": "do not deliver before",
            "068": "current schedule ship",
        },
        "143": {
            "850": "purchase order",
            "855": "order response",
            "856": "despatch advice",
            "860": "order change",
            "865": "answer to an order change",
            "810": "invoice",
            "820": "remittance advice",
            "997": "acknowledgment",
        },
        "479": {
            "PO": "purchase orders",
            "PR": "order responses",
            "SH": "despatch advices",
            "PC": "order changes",
            "CA": "answers to order changes",
            "IN": "invoices",
            "RA": "remittance advices",
            "FA": "acknowledgments",
        },
        "355": _UNITS,
        "349": {"F": "free text", "S": "structured", "X": "both"},
        "717": {"A": "accepted", "E": "accepted with errors", "R": "rejected", "P": "partly accepted"},
        "715": {"A": "accepted", "E": "accepted with errors", "R": "rejected", "P": "partly accepted"},
    },
    "edifact": {
        "3035": {
            "BY": "buyer",
            "SU": "supplier",
            "SE": "seller",
            "DP": "delivery party",
            "IV": "invoicee",
            "PR": "payer",
            "UC": "ultimate consignee",
        },
        "2005": {
            "2": "delivery requested",
            "10": "ship requested",
            "11": "despatched",
            "35": "delivered",
            "61": "cancel after",
            "63": "latest delivery",
            "64": "earliest delivery",
            "137": "document date",
            "171": "reference date",
        },
        "2379": {"102": "CCYYMMDD", "203": "CCYYMMDDHHMM", "101": "YYMMDD"},
        "6063": {"12": "despatched", "21": "ordered", "46": "delivered", "47": "invoiced", "59": "units in a pack", "113": "to be delivered"},
        "5125": {"AAA": "net", "AAB": "gross"},
        "5025": {
            "77": "invoice amount",
            "79": "total of lines",
            "86": "message total",
            "128": "total amount",
            "203": "line amount",
            "9": "amount due",
        },
        "6411": _UNITS,
        "6347": {"2": "reference currency"},
        "6343": {"4": "invoicing currency", "9": "order currency"},
        "7077": {"A": "free text", "F": "free text", "C": "code"},
        "0065": {
            "ORDERS": "purchase order",
            "ORDRSP": "order response",
            "ORDCHG": "order change",
            "DESADV": "despatch advice",
            "INVOIC": "invoice",
            "REMADV": "remittance advice",
        },
        "0081": {"D": "detail and summary separation", "S": "detail and summary separation"},
    },
}


class Meanings:
    """The words of one syntax, read once."""

    def __init__(self, syntax: str, resolver: Resolver) -> None:
        self._tables = _TABLES.get(syntax, {})
        self._words = _WORDS.get(syntax, {})
        self._read = _read_tables(syntax, resolver)

    def of(self, element: str, code: str) -> str:
        """What `code` means in `element`, or nothing."""
        own = self._words.get(element, {}).get(code)
        if own is not None:
            return own
        found = self._read.get(self._tables.get(element, ""), {}).get(code, "")
        return found.replace("_", " ") if found != code else ""


def _read_tables(syntax: str, resolver: Resolver) -> dict[str, dict[str, str]]:
    name = f"mappings/tables/{syntax}.yaml"
    if resolver.text_of(name) is None:
        return {}
    node = load(name, resolver)
    if not isinstance(node, Mapping):
        return {}
    return {
        table: {code: word.text for code, word in entries.items.items() if isinstance(word, Scalar)}
        for table, entries in node.items.items()
        if isinstance(entries, Mapping)
    }
