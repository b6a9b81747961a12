"""The trees of despatch advices: HL levels of the 856 in every order that partners send, CPS levels of the DESADV."""

import json
from typing import Any

import pytest

from gateway.mapping.levels import below
from gateway.model.despatch import DespatchAdvice
from gateway.model.despatch import by_item
from gateway.model.document import decode
from gateway.model.document import encode
from tests.mapping.mapping_world import checked
from tests.mapping.mapping_world import edifact_file
from tests.mapping.mapping_world import read
from tests.mapping.mapping_world import shipped
from tests.mapping.mapping_world import transaction_of
from tests.mapping.mapping_world import write
from tests.mapping.mapping_world import x12_file

SSCC = ("340123450000000017", "340123450000000024", "340123450000000031")


def advice(body: str, version: str = "004010") -> dict[str, Any]:
    """What is read of an 856."""
    document, problems = read(shipped(f"x12/{version}/856", "read"), x12_file(body, "856", version, "SH"))
    assert not problems, problems
    return json.loads(encode(document))


def item(number: str, parent: str, line: str, quantity: int) -> str:
    return f"HL*{number}*{parent}*I~LIN*{line}*BP*B{line}*VP*V{line}~SN1*{line}*{quantity}*EA~"


HEAD = "BSN*00*S1*20260110*0930*0001~HL*1**S~TD1*CTN25*2****G*40*KG~TD5**2*UPSN*M~REF*BM*W77~DTM*011*20260110~N1*ST*STORE 12*92*0012~HL*2*1*O~PRF*PO1***20260105~"


def test_pick_and_pack_puts_items_into_their_cartons() -> None:
    body = (
        HEAD
        + f"HL*3*2*P~MAN*GM*00{SSCC[0]}~"
        + item("4", "3", "1", 8)
        + item("5", "3", "2", 3)
        + f"HL*6*2*P~MAN*GM*{SSCC[1]}~"
        + item("7", "6", "1", 4)
    )
    told = advice(body + "CTT*7~")
    assert (told["number"], told["despatched_on"], told["transport"]["scac"], told["transport"]["consignment"]) == ("S1", "2026-01-10", "UPSN", "W77")
    assert told["ship_to"]["identifiers"] == {"buyer_assigned": "0012"}
    [order] = told["orders"]
    assert (order["number"], order["issued_on"]) == ("PO1", "2026-01-05")
    assert [(unit["sscc"], [(line["order_line"], line["quantity"]) for line in unit["lines"]]) for unit in order["units"]] == [
        (SSCC[0], [("1", "8"), ("2", "3")]),
        (SSCC[1], [("1", "4")]),
    ]
    assert "lines" not in order


def test_standard_pack_puts_cartons_under_their_item() -> None:
    body = HEAD + item("3", "2", "1", 12) + f"HL*4*3*P~PO4*6~MAN*GM*{SSCC[0]}~HL*5*3*P~PO4*6~MAN*GM*{SSCC[1]}~" + item("6", "2", "2", 3)
    [order] = advice(body)["orders"]
    first, second = order["lines"]
    assert first["quantity"] == "12"
    assert [(unit["sscc"], unit["quantity"]) for unit in first["units"]] == [(SSCC[0], "6"), (SSCC[1], "6")]
    assert (second["order_line"], second["quantity"], second.get("units")) == ("2", "3", None)
    assert "units" not in order


def test_cartons_stand_on_their_pallet() -> None:
    body = (
        HEAD
        + f"HL*3*2*T~MAN*GM*{SSCC[0]}~HL*4*3*P~MAN*GM*{SSCC[1]}~"
        + item("5", "4", "1", 8)
        + f"HL*6*3*P~MAN*GM*{SSCC[2]}~"
        + item("7", "6", "1", 4)
    )
    [order] = advice(body)["orders"]
    [pallet] = order["units"]
    assert pallet["sscc"] == SSCC[0]
    assert [(unit["sscc"], unit["lines"][0]["quantity"]) for unit in pallet["units"]] == [(SSCC[1], "8"), (SSCC[2], "4")]


def test_goods_without_cartons_hang_on_their_order() -> None:
    told = advice(HEAD + item("3", "2", "1", 8) + "HL*4*1*O~PRF*PO2~" + item("5", "4", "1", 2))
    assert [(order["number"], [line["quantity"] for line in order["lines"]]) for order in told["orders"]] == [("PO1", ["8"]), ("PO2", ["2"])]


def test_levels_in_any_order_of_the_file_find_their_parent() -> None:
    """All cartons first, then all items: what counts is HL02."""
    body = HEAD + f"HL*3*2*P~MAN*GM*{SSCC[0]}~HL*4*2*P~MAN*GM*{SSCC[1]}~" + item("5", "4", "1", 4) + item("6", "3", "1", 8)
    [order] = advice(body)["orders"]
    assert [(unit["sscc"], unit["lines"][0]["quantity"]) for unit in order["units"]] == [(SSCC[0], "8"), (SSCC[1], "4")]


def test_levels_that_name_no_parent_stand_under_the_one_before() -> None:
    body = "BSN*00*S1*20260110*0930~HL*1**S~HL*2**O~PRF*PO1~HL*3**P~MAN*GM*" + SSCC[0] + "~" + item("4", "", "1", 8) + item("5", "", "2", 1)
    body += f"HL*6**P~MAN*GM*{SSCC[1]}~" + item("7", "", "1", 4) + "HL*8**O~PRF*PO2~" + item("9", "", "1", 2)
    first, second = advice(body)["orders"]
    assert [(unit["sscc"], [line["quantity"] for line in unit["lines"]]) for unit in first["units"]] == [(SSCC[0], ["8", "1"]), (SSCC[1], ["4"])]
    assert (second["number"], second["lines"][0]["quantity"]) == ("PO2", "2")


def test_005010_is_read_as_well() -> None:
    [order] = advice(HEAD + item("3", "2", "1", 8), "005010")["orders"]
    assert order["lines"][0]["quantity"] == "8"


@pytest.mark.parametrize("levels", [[["HL", "1", "1", "S"]], [["HL", "1", "2", "O"], ["HL", "2", "1", "P"]], [["HL"]], [["HL", "", "", ""]]])
def test_circles_and_gaps_in_the_numbers_end(levels: list[list[str]]) -> None:
    assert sum(len(found) for found in below([(None, level) for level in levels], "HL").values()) == len(levels)


CPS = (
    "BGM+351+S1+9'DTM+137:202601100930:203'DTM+11:20260110:102'RFF+ON:PO1'NAD+DP+4012345500011::9'CPS+1'PAC+2'"
    "CPS+2+1'PAC+1++201'PCI+33E'GIN+BJ+{0}'CPS+3+2'PAC+1++CT'PCI+33E'GIN+BJ+{1}'LIN+1++4012345000009:EN'QTY+12:8:PCE'RFF+ON:PO1:1'"
    "CPS+4+1'PAC+1++CT'PCI+33E'GIN+BJ+{2}'LIN+2++4012345000009:EN'QTY+12:4:PCE'RFF+ON:PO1:1'"
)


@pytest.mark.parametrize("version", ["d93a", "d96a", "d97a", "d99b", "d01b", "d04a", "d07a"])
def test_cps_levels_nest_units_and_goods(version: str) -> None:
    data = edifact_file(CPS.format(*SSCC), "DESADV", f"D:{version[1:].upper()}")
    document, problems = read(shipped(f"edifact/{version}/desadv", "read"), data)
    assert not problems, problems
    told = json.loads(encode(document))
    assert (told["number"], told["ship_to"]["identifiers"], told["despatched_on"]) == ("S1", {"gln": "4012345500011"}, "2026-01-10")
    [order] = told["orders"]
    assert order["number"] == "PO1"
    pallet, carton = order["units"]
    assert pallet["sscc"] == SSCC[0]
    assert [(unit["sscc"], unit["lines"][0]["quantity"]) for unit in pallet["units"]] == [(SSCC[1], "8")]
    assert (carton["sscc"], carton["lines"][0]["quantity"], carton["lines"][0]["order_line"]) == (SSCC[2], "4", "1")


def shipment(units: list[dict[str, Any]], lines: list[dict[str, Any]] | None = None) -> DespatchAdvice:
    order = {"number": "PO1", "units": units, "lines": lines or []}
    document = decode(json.dumps({"kind": "despatch_advice", "number": "S1", "issued_on": "2026-01-10", "orders": [order]}))
    assert isinstance(document, DespatchAdvice)
    return document


def goods(line: str, quantity: str, **more: Any) -> dict[str, Any]:
    return {"number": line, "order_line": line, "quantity": quantity, "unit": "EA", "identifiers": {"buyer": f"B{line}"}, **more}


PALLETS = [
    {"sscc": SSCC[0], "units": [{"sscc": SSCC[1], "lines": [goods("1", "8", serials=["A1", "A2"])]}], "lines": [goods("3", "1")]},
    {"sscc": SSCC[2], "lines": [goods("1", "4")]},
]


def back(body: list[Any], type_: str) -> list[dict[str, Any]]:
    """The orders that our own reader finds in what was written."""
    if type_ == "856":
        data = x12_file("".join("*".join(segment) + "~" for segment in body), "856", group="SH")
        spec = "x12/004010/856"
    else:
        segments = ("+".join([segment[0], *(":".join(element) for element in segment[1:])]) + "'" for segment in body)
        data, spec = edifact_file("".join(segments), "DESADV"), "edifact/d96a/desadv"
    assert not checked(transaction_of(data), spec).problems
    document, _ = read(shipped(spec, "read"), data)
    return json.loads(encode(document))["orders"]


@pytest.mark.parametrize("type_", ["856", "desadv"])
def test_pallets_with_cartons_are_written_as_they_are_read(type_: str) -> None:
    spec = "x12/004010/856" if type_ == "856" else "edifact/d96a/desadv"
    body, problems = write(shipped(spec, "write"), shipment(PALLETS))
    assert not problems
    [order] = back(body, type_)
    pallet, other = order["units"]
    assert (pallet["sscc"], pallet["units"][0]["sscc"], other["sscc"]) == SSCC
    assert [line["quantity"] for line in pallet["lines"]] == ["1"]
    [line] = pallet["units"][0]["lines"]
    assert (line["quantity"], line["serials"], line["identifiers"]["buyer"]) == ("8", ["A1", "A2"], "B1")
    assert other["lines"][0]["quantity"] == "4"


def test_item_first_gathers_a_line_over_its_cartons() -> None:
    advice = by_item(shipment([{"sscc": SSCC[0], "lines": [goods("1", "8")]}, {"sscc": SSCC[1], "lines": [goods("1", "4")]}], [goods("2", "3")]))
    body, problems = write(shipped("x12/004010/856", "write"), advice)
    assert not problems
    assert body[0][5] == "0002"
    [order] = back(body, "856")
    assert [(line["order_line"], line["quantity"]) for line in order["lines"]] == [("1", "12"), ("2", "3")]
    assert [(unit["sscc"], unit["quantity"]) for unit in order["lines"][0]["units"]] == [(SSCC[0], "8"), (SSCC[1], "4")]


def test_mixed_cartons_and_pallets_cannot_stand_under_one_item() -> None:
    mixed = shipment([{"sscc": SSCC[0], "lines": [goods("1", "8"), goods("2", "1")]}])
    assert by_item(mixed) == mixed
    assert by_item(shipment(PALLETS)) == shipment(PALLETS)
