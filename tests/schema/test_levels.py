"""Levels of shipments hang together: each parent is a level before, each number is used once."""

import pytest

from tests.mapping.mapping_world import checked
from tests.mapping.mapping_world import edifact_file
from tests.mapping.mapping_world import transaction_of
from tests.mapping.mapping_world import x12_file


def x12(levels: str) -> list[tuple[str, int | None, int | None, str | None]]:
    data = x12_file(f"BSN*00*S1*20260110*0930~{levels}", "856", group="SH")
    return [
        (problem.code, problem.place.index, problem.place.element, problem.found)
        for problem in checked(transaction_of(data), "x12/004010/856").problems
    ]


def edifact(levels: str) -> list[tuple[str, int | None, int | None, str | None]]:
    data = edifact_file(f"BGM+351+S1+9'{levels}", "DESADV")
    found = checked(transaction_of(data), "edifact/d96a/desadv").problems
    return [(problem.code, problem.place.index, problem.place.element, problem.found) for problem in found]


@pytest.mark.parametrize("levels", ["HL*1**S~HL*2*1*O~HL*3*2*P~HL*4*3*I~HL*5*2*P~", "HL*1**S~HL*2**O~", "HL*10**S~HL*7*10*O~"])
def test_levels_that_hang_together_pass(levels: str) -> None:
    assert x12(levels) == []


def test_a_parent_that_is_nowhere_is_named() -> None:
    assert x12("HL*1**S~HL*2*9*O~") == [("X12-HL-PARENT-UNKNOWN", 4, 2, "9")]


def test_a_parent_that_comes_later_or_is_the_level_itself_is_named() -> None:
    assert x12("HL*1**S~HL*2*2*O~HL*3*4*P~HL*4*1*O~") == [("X12-HL-PARENT-UNKNOWN", 4, 2, "2"), ("X12-HL-PARENT-UNKNOWN", 5, 2, "4")]


def test_a_number_that_is_there_twice_is_named() -> None:
    assert x12("HL*1**S~HL*2*1*O~HL*2*1*O~") == [("X12-HL-NUMBER-TWICE", 5, 1, "2")]


def test_packing_levels_of_edifact_likewise_but_only_as_a_warning() -> None:
    """Partners send CPS+1+1 for a shipment without levels."""
    assert edifact("CPS+1'CPS+2+1'CPS+3+2'") == []
    assert edifact("CPS+1'CPS+2+9'") == [("EDIFACT-CPS-PARENT-UNKNOWN", 4, 2, "9")]
    assert edifact("CPS+1'CPS+1'") == [("EDIFACT-CPS-NUMBER-TWICE", 4, 1, "1")]


def test_many_wrong_levels_are_not_all_told() -> None:
    assert len(x12("HL*1**S~" + "".join(f"HL*{number}*x*O~" for number in range(2, 5000)))) == 101
