"""Despatch advices as canonical documents: five cartons of two lines each, the same every time."""

from gateway.model import document as canonical
from gateway.model.despatch import DespatchAdvice


def advices(count: int) -> list[DespatchAdvice]:
    """So many of them, each with its own number."""
    text = """{"kind": "despatch_advice", "number": "S%(number)08d", "issued_at": "2026-01-10T09:30:00Z", "despatched_on": "2026-01-10",
        "buyer": {"name": "ACME CORP", "identifiers": {"gln": "1234567890128"}}, "seller": {"identifiers": {"gln": "4012345500004"}},
        "ship_to": {"name": "ACME STORE 12", "identifiers": {"buyer_assigned": "0012"}}, "ship_from": {"name": "WAREHOUSE"},
        "transport": {"mode": "road", "scac": "UPSN", "consignment": "1Z999"}, "package_count": 5, "gross_weight": "120.5", "weight_unit": "KGM",
        "orders": [{"number": "PO%(number)08d", "issued_on": "2026-01-05", "units": [%(units)s]}]}"""
    unit = """{"sscc": "340123450000000%02d%d", "lines": [
        {"number": "%d", "order_line": "%d", "quantity": "6", "unit": "EA", "identifiers": {"buyer": "B%d", "seller": "V%d", "gtin": "614141000012"}},
        {"number": "%d", "order_line": "%d", "quantity": "1", "unit": "EA", "identifiers": {"buyer": "C%d", "seller": "W%d"}}]}"""
    made = []
    for number in range(1, count + 1):
        units = ", ".join(unit % (n, _check(f"340123450000000{n:02d}"), *(2 * n - 1,) * 4, *(2 * n,) * 4) for n in range(1, 6))
        document = canonical.decode(text % {"number": number, "units": units})
        assert isinstance(document, DespatchAdvice)
        made.append(document)
    return made


def _check(body: str) -> int:
    return -sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body))) % 10
