"""What `gateway ship` takes: rows of goods that left, as JSON or CSV. Reading never raises for wrong data: problems name the line."""

from datetime import date
from decimal import Decimal
from decimal import InvalidOperation
from typing import Any

import msgspec

from gateway.kinds import rule
from gateway.model.values import Value
from gateway.problem import Place
from gateway.problem import Problem
from gateway.trade.sscc import bare_sscc
from gateway.trade.sscc import sscc_fault

#: what people call a handling unit, as Recommendation 21 code with its X
_TYPES = {
    "pallet": "XPX",
    "carton": "XCT",
    "case": "XCS",
    "box": "XBX",
    "crate": "XCR",
    "parcel": "XPC",
    "package": "XPK",
    "bag": "XBG",
    "drum": "XDR",
    "roll": "XRO",
}
_DECODER = msgspec.json.Decoder(float_hook=str)
_MOST_BYTES = 32 * 1024 * 1024
_MOST_ROWS = 100_000
_LARGEST = Decimal(10) ** 15


class ShipmentRow(Value, frozen=True, kw_only=True):
    """Goods of one order line, in one handling unit or loose."""

    order: str
    #: number of the line in the order; where it is not known, `item` finds the line
    line: str | None = None
    item: str | None = None
    quantity: Decimal
    unit: str | None = None
    sscc: str | None = None
    #: names a handling unit that has no SSCC
    handling_unit: str | None = None
    type: str | None = None
    weight: Decimal | None = None
    weight_unit: str | None = None
    #: the carrier's number of this handling unit
    tracking: str | None = None
    batch: str | None = None
    best_before: date | None = None
    #: line of the file it stood in
    source_line: int | None = None


class Shipment(Value, frozen=True, kw_only=True):
    """What left together for one place."""

    #: whose orders these are, where several partners have the same numbers
    partner: str | None = None
    number: str | None = None
    shipped_on: date | None = None
    delivery_on: date | None = None
    carrier: str | None = None
    scac: str | None = None
    tracking: str | None = None
    rows: tuple[ShipmentRow, ...] = ()


_OF_SHIPMENT = ("partner", "shipped_on", "delivery_on", "carrier", "scac", "tracking")
_OF_ROW = tuple(name for name in ShipmentRow.__struct_fields__ if name != "source_line")
_DATES = frozenset({"shipped_on", "delivery_on", "best_before"})
_NUMBERS = frozenset({"quantity", "weight"})
#: other names of columns that people use
_ALIASES = {
    "order_number": "order",
    "po": "order",
    "po_number": "order",
    "line_number": "line",
    "order_line": "line",
    "qty": "quantity",
    "number": "shipment",
    "unit_type": "type",
    "carton": "handling_unit",
    "tracking_number": "tracking",
    "estimated_delivery_on": "delivery_on",
    "ship_date": "shipped_on",
}


def read_shipments(data: bytes) -> tuple[list[Shipment], list[Problem]]:
    """Shipments of a JSON or CSV file. Where anything is wrong, all problems and no shipments: half a shipment is none."""
    if len(data) > _MOST_BYTES:
        return [], [_problem(None, f"The file has {len(data)} bytes, at most {_MOST_BYTES} are read")]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return [], [_problem(None, f"The file is not UTF-8 at byte {error.start}")]
    problems: list[Problem] = []
    records = _json_records(data.removeprefix(b"\xef\xbb\xbf"), problems) if text.lstrip()[:1] in ("{", "[") else _csv_records(text, problems)
    shipments = _gather(records, problems)
    if not problems and not any(shipment.rows for shipment in shipments):
        problems.append(rule.SHIPMENT_EMPTY.at(Place(), "The file holds no goods", found="0 rows", expected="at least 1 row"))
    return ([], problems) if problems else (shipments, [])


def shipment_problems(shipment: Shipment) -> list[Problem]:
    """What is wrong with a shipment that a mapping made: the same as with one that was handed in."""
    problems = [] if shipment.rows else [rule.SHIPMENT_EMPTY.at(Place(), "The shipment holds no goods", found="0 rows", expected="at least 1 row")]
    for number, row in enumerate(shipment.rows, 1):
        for name, value in (("quantity", row.quantity), ("weight", row.weight)):
            if value is not None and not (0 < value < _LARGEST):
                problems.append(_problem(row.source_line, f"Row {number}: '{value}' is no {name}: a number above 0 is expected", str(value)))
        fault = sscc_fault(bare_sscc(row.sscc)) if row.sscc else ""
        if fault:
            problems.append(rule.SHIPMENT_SSCC.at(Place(line=row.source_line), fault, found=row.sscc, expected="18 digits with their check digit"))
    return problems


def _problem(line: int | None, message: str, found: str | None = None, expected: str | None = None) -> Problem:
    return rule.SHIPMENT_UNREADABLE.at(Place(line=line), message, found=found, expected=expected)


def _csv_records(text: str, problems: list[Problem]) -> list[tuple[int | None, dict[str, str]]]:
    # mappings know shipments, and few files are any: only loaded where one comes
    import csv
    import io

    head = text.splitlines()[0] if text.strip() else ""
    delimiter = max(",;\t|", key=head.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    records: list[tuple[int | None, dict[str, str]]] = []
    try:
        names = [name.strip().lower().replace(" ", "_") for name in reader.fieldnames or ()]
        reader.fieldnames = [_ALIASES.get(name, name) for name in names]
        missing = [name for name in ("order", "quantity") if name not in reader.fieldnames]
        if missing:
            problems.append(_problem(1, f"The columns {' and '.join(missing)} are missing", ", ".join(names), "order, line, quantity, ..."))
            return []
        for row in reader:
            if None in row or None in row.values():
                problems.append(_problem(reader.line_num, "The row has another number of columns than the first line"))
                continue
            records.append((reader.line_num, {key: value.strip() for key, value in row.items() if value.strip()}))
            if len(records) > _MOST_ROWS:
                problems.append(_problem(reader.line_num, f"More than {_MOST_ROWS} rows"))
                return []
    except csv.Error as error:
        problems.append(_problem(reader.line_num, f"Not readable as CSV: {error}"))
    return records


def _json_records(data: bytes, problems: list[Problem]) -> list[tuple[int | None, dict[str, str]]]:
    """Rows of a shipment, of a list of shipments, or a bare list of rows; what stands at the shipment holds for its rows."""
    try:
        content = _DECODER.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        problems.append(_problem(None, f"Not readable as JSON: {error}"))
        return []
    listed = isinstance(content, list) and bool(content) and isinstance(content[0], dict) and "rows" in content[0]
    shipments = content if listed else [content]
    records: list[tuple[int | None, dict[str, str]]] = []
    for number, shipment in enumerate(shipments, 1):
        rows = shipment.get("rows", []) if isinstance(shipment, dict) else shipment
        common = {key: value for key, value in shipment.items() if key != "rows"} if isinstance(shipment, dict) else {}
        if not isinstance(rows, list):
            problems.append(_problem(None, "The rows of a shipment are a list"))
            continue
        # Shipments without a number are kept apart by their place in the file.
        base = {**_texts(common, "the shipment", problems), "#": str(number)}
        for position, row in enumerate(rows, 1):
            if not isinstance(row, dict):
                problems.append(_problem(None, f"Row {position} is not an object"))
            elif len(records) >= _MOST_ROWS:
                problems.append(_problem(None, f"More than {_MOST_ROWS} rows"))
                return []
            else:
                records.append((None, {**base, **_texts(row, f"row {position}", problems)}))
    return records


def _texts(values: dict[str, Any], where: str, problems: list[Problem]) -> dict[str, str]:
    texts = {}
    for key, value in values.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            problems.append(_problem(None, f"'{key}' of {where} is not text or a number"))
            continue
        texts[_ALIASES.get(key, key)] = str(value).strip()
    return texts


def _gather(records: list[tuple[int | None, dict[str, str]]], problems: list[Problem]) -> list[Shipment]:
    heads: dict[tuple[str, str, str], dict[str, Any]] = {}
    rows: dict[tuple[str, str, str], list[ShipmentRow]] = {}
    known = {*_OF_ROW, *_OF_SHIPMENT, "shipment", "#"}
    for line, record in records:
        for name in record:
            if name not in known:
                problems.append(_problem(line, f"'{name}' is not known", name, ", ".join(sorted(known - {"#"}))))
        values = {name: _value(name, text, line, problems) for name, text in record.items() if name in known}
        key = (record.get("shipment", ""), record.get("#", ""), record.get("partner", ""))
        head = heads.setdefault(key, {})
        for name in _OF_SHIPMENT:
            # Carriers number each parcel: the first number stands for the shipment, its own for each row.
            if name in values and head.setdefault(name, values[name]) != values[name] and name != "tracking":
                problems.append(
                    _problem(line, f"'{name}' is '{record[name]}' here and '{head[name]}' before in the same shipment", record[name], str(head[name]))
                )
        if "order" not in values or "quantity" not in values:
            problems.append(_problem(line, "A row needs an order and a quantity"))
        elif values["quantity"] is not None:
            row = {name: values[name] for name in _OF_ROW if name in values}
            rows.setdefault(key, []).append(ShipmentRow(**row, source_line=line))
    return [Shipment(number=key[0] or None, rows=tuple(rows.get(key, ())), **head) for key, head in heads.items()]


def _value(name: str, text: str, line: int | None, problems: list[Problem]) -> Any:
    if name in _NUMBERS:
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite() and 0 < number < _LARGEST and int(number.as_tuple().exponent) >= -9:
            return number
        problems.append(_problem(line, f"'{text}' is no {name}: a number above 0 is expected", text, "a number above 0"))
        return None
    if name in _DATES:
        try:
            return date.fromisoformat(text)
        except ValueError:
            problems.append(_problem(line, f"'{text}' is no date", text, "a date like 2026-01-31"))
            return None
    if name == "sscc":
        sscc = bare_sscc(text)
        fault = sscc_fault(sscc)
        if fault:
            problems.append(rule.SHIPMENT_SSCC.at(Place(line=line), fault, found=text, expected="18 digits with their check digit"))
        return sscc
    if name == "type":
        return _TYPES.get(text.lower(), text if text.startswith("X") else f"X{text}")
    return text
