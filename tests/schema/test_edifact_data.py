"""The EDIFACT schemas say what the directories say: structures, formats and requirements, spot by spot, and whole where short."""

import pytest

from gateway.config import default_resolver
from gateway.schema.load import find_faults
from gateway.schema.load import load_schema
from gateway.schema.plan import ElementUse
from gateway.schema.plan import LoopUse
from gateway.schema.plan import SchemaPlan
from gateway.schema.plan import SegmentUse

MESSAGES = ("orders", "ordrsp", "desadv", "invoic", "remadv", "aperak")
SPECS = [f"edifact/{version}/{message}" for version in ("d96a", "d01b") for message in MESSAGES]

#: message: number of segment groups in D.96A, D.01B; the group of the line items in each
GROUPS: dict[str, tuple[int, int, str, str]] = {
    "orders": (54, 60, "SG25", "SG28"),
    "ordrsp": (56, 56, "SG26", "SG26"),
    "desadv": (23, 25, "SG15", "SG17"),
    "invoic": (51, 53, "SG25", "SG26"),
    "remadv": (10, 14, "SG4", "SG5"),
    "aperak": (4, 5, "SG3", "SG4"),
}

#: version, segment, position (and component): identifier, type, shortest, longest, mandatory
FORMATS = [
    ("d96a", "BGM/1", "C002", "composite", None, None, False),
    ("d96a", "BGM/1/1", "1001", "an", 0, 3, False),
    ("d96a", "BGM/2", "1004", "an", 0, 35, False),
    ("d01b", "BGM/2", "C106", "composite", None, None, False),
    ("d01b", "BGM/2/1", "1004", "an", 0, 35, False),
    ("d01b", "BGM/2/2", "1056", "an", 0, 9, False),
    ("d96a", "BGM/3", "1225", "an", 0, 3, False),
    ("d96a", "DTM/1/1", "2005", "an", 0, 3, True),
    ("d96a", "DTM/1/2", "2380", "an", 0, 35, False),
    ("d96a", "NAD/1", "3035", "an", 0, 3, True),
    ("d96a", "NAD/2/1", "3039", "an", 0, 35, True),
    ("d96a", "NAD/2/2", "1131", "an", 0, 3, False),
    ("d01b", "NAD/2/2", "1131", "an", 0, 17, False),
    ("d96a", "NAD/7", "3229", "an", 0, 9, False),
    ("d01b", "NAD/7", "C819", "composite", None, None, False),
    ("d96a", "NAD/8", "3251", "an", 0, 9, False),
    ("d01b", "NAD/8", "3251", "an", 0, 17, False),
    ("d96a", "RFF/1/2", "1154", "an", 0, 35, False),
    ("d01b", "RFF/1/2", "1154", "an", 0, 70, False),
    ("d96a", "RFF/1/4", "4000", "an", 0, 35, False),
    ("d01b", "RFF/1/5", "1060", "an", 0, 6, False),
    ("d96a", "LIN/1", "1082", "n", 0, 6, False),
    ("d01b", "LIN/1", "1082", "an", 0, 6, False),
    ("d96a", "LIN/3/1", "7140", "an", 0, 35, False),
    ("d96a", "QTY/1/2", "6060", "n", 0, 15, True),
    ("d01b", "QTY/1/2", "6060", "an", 0, 35, True),
    ("d96a", "PRI/1/2", "5118", "n", 0, 15, False),
    ("d96a", "PRI/1/5", "5284", "n", 0, 9, False),
    ("d96a", "PRI/1/6", "6411", "an", 0, 3, False),
    ("d96a", "MOA/1/2", "5004", "n", 0, 18, False),
    ("d01b", "MOA/1/2", "5004", "n", 0, 35, False),
    ("d96a", "FTX/4/1", "4440", "an", 0, 70, True),
    ("d01b", "FTX/4/1", "4440", "an", 0, 512, True),
    ("d01b", "FTX/3/1", "4441", "an", 0, 17, True),
    ("d96a", "IMD/2", "7081", "an", 0, 3, False),
    ("d01b", "IMD/2/1", "7081", "an", 0, 3, False),
    ("d96a", "IMD/3/4", "7008", "an", 0, 35, False),
    ("d01b", "IMD/3/4", "7008", "an", 0, 256, False),
    ("d96a", "TAX/5/4", "5278", "an", 0, 17, False),
    ("d01b", "TAX/8", "1227", "an", 0, 3, False),
    ("d96a", "PAC/1", "7224", "n", 0, 8, False),
    ("d96a", "PAC/3/1", "7065", "an", 0, 17, False),
    ("d96a", "UNH/1", "0062", "an", 0, 14, True),
    ("d96a", "UNT/1", "0074", "n", 0, 10, True),
    ("d96a", "UNS/1", "0081", "a", 1, 1, True),
]


@pytest.fixture(scope="module")
def plans() -> dict[str, SchemaPlan]:
    resolver = default_resolver()
    return {spec: load_schema(spec, resolver) for spec in [*SPECS, "edifact/service/contrl-3", "edifact/service/contrl-4"]}


def _groups(loop: LoopUse) -> list[LoopUse]:
    found = []
    for child in loop.children:
        if isinstance(child, LoopUse):
            found += [child, *_groups(child)]
    return found


def _segments(loop: LoopUse) -> list[SegmentUse]:
    found: list[SegmentUse] = []
    for child in loop.children:
        found += _segments(child) if isinstance(child, LoopUse) else [child]
    return found


def _outline(loop: LoopUse) -> str:
    words = []
    for child in loop.children:
        bounds = f"{'M' if child.mandatory else 'C'}{child.max}"
        words.append(f"{child.name} {bounds}({_outline(child)})" if isinstance(child, LoopUse) else f"{child.tag} {bounds}")
    return ", ".join(words)


def _element(plan: SchemaPlan, path: str) -> ElementUse:
    tag, position, *component = path.split("/")
    segment = next(segment for segment in _segments(plan.root) if segment.tag == tag)
    element = segment.elements[int(position) - 1]
    return element.components[int(component[0]) - 1] if component else element


@pytest.mark.parametrize("spec", SPECS)
def test_segment_groups_are_numbered_through_as_in_the_directory(spec: str, plans: dict[str, SchemaPlan]) -> None:
    message = spec.rsplit("/", 1)[1]
    old, new, _, _ = GROUPS[message]
    count = old if "d96a" in spec else new
    assert [group.name for group in _groups(plans[spec].root)] == [f"SG{number}" for number in range(1, count + 1)]


@pytest.mark.parametrize("spec", SPECS)
def test_line_items_stand_in_their_group(spec: str, plans: dict[str, SchemaPlan]) -> None:
    message = spec.rsplit("/", 1)[1]
    group = next(group for group in _groups(plans[spec].root) if group.name == GROUPS[message][2 if "d96a" in spec else 3])
    first = group.children[0]
    assert isinstance(first, SegmentUse)
    assert first.tag == {"remadv": "DOC", "aperak": "ERC"}.get(message, "LIN")


@pytest.mark.parametrize("spec", SPECS)
def test_each_group_opens_with_a_mandatory_segment_that_stands_once(spec: str, plans: dict[str, SchemaPlan]) -> None:
    for group in _groups(plans[spec].root):
        first = group.children[0]
        assert isinstance(first, SegmentUse) and first.mandatory and first.max == 1, group.name


@pytest.mark.parametrize(("version", "path", "identifier", "kind", "shortest", "longest", "mandatory"), FORMATS)
def test_element_has_the_format_of_its_directory(
    version: str, path: str, identifier: str, kind: str, shortest: int | None, longest: int | None, mandatory: bool, plans: dict[str, SchemaPlan]
) -> None:
    element = _element(plans[f"edifact/{version}/orders"], path)
    assert (element.id, element.type, element.mandatory) == (identifier, kind, mandatory)
    if longest is not None:
        assert element.max == longest
        assert element.min in (shortest, shortest or 1)


def test_remittance_advice_of_d96a_is_known_whole(plans: dict[str, SchemaPlan]) -> None:
    assert _outline(plans["edifact/d96a/remadv"].root) == (
        "UNH M1, BGM M1, DTM M5, RFF C5, FII C5, PAI C1, FTX C5, SG1 C99(NAD M1, SG2 C5(CTA M1, COM C5)), SG3 C5(CUX M1, DTM C1), "
        "SG4 C9999(DOC M1, MOA M5, DTM C5, RFF C5, NAD C2, SG5 C5(CUX M1, DTM C1), SG6 C100(AJT M1, MOA C1, RFF C1, FTX C5), "
        "SG7 C5(INP M1, FTX C5), SG8 C9999(DLI M1, MOA C5, PIA C5, DTM C5, SG9 C5(CUX M1, DTM C1), "
        "SG10 C10(AJT M1, MOA C1, RFF C1, FTX C5))), UNS M1, MOA M5, UNT M1"
    )


def test_despatch_advice_of_d96a_is_known_whole(plans: dict[str, SchemaPlan]) -> None:
    assert _outline(plans["edifact/d96a/desadv"].root) == (
        "UNH M1, BGM M1, DTM C10, ALI C5, MEA C5, MOA C5, SG1 C10(RFF M1, DTM C1), "
        "SG2 C10(NAD M1, LOC C10, SG3 C10(RFF M1, DTM C1), SG4 C10(CTA M1, COM C5)), SG5 C10(TOD M1, LOC C5, FTX C5), "
        "SG6 C10(TDT M1, PCD C6, SG7 C10(LOC M1, DTM C10)), SG8 C10(EQD M1, MEA C5, SEL C25, EQA C5, SG9 C10(HAN M1, FTX C10)), "
        "SG10 C9999(CPS M1, FTX C5, SG11 C9999(PAC M1, MEA C10, QTY C10, SG12 C10(HAN M1, FTX C10), "
        "SG13 C1000(PCI M1, RFF C1, DTM C5, GIR C99, SG14 C99(GIN M1, DLM C10))), "
        "SG15 C9999(LIN M1, PIA C10, IMD C25, MEA C10, QTY C10, ALI C10, GIN C100, GIR C100, DLM C100, DTM C5, FTX C5, MOA C5, "
        "SG16 C10(RFF M1, DTM C1), SG17 C10(DGS M1, QTY C1, FTX C5), SG18 C100(LOC M1, NAD C1, DTM C1, QTY C10), "
        "SG19 C1000(SGP M1, QTY C10), SG20 C9999(PCI M1, DTM C5, MEA C10, QTY C1, SG21 C10(GIN M1, DLM C100), "
        "SG22 C10(HAN M1, FTX C5, GIN C1000)), SG23 C10(QVR M1, DTM C5))), CNT C5, UNT M1"
    )


def test_acknowledgments_of_both_syntaxes_have_the_same_groups(plans: dict[str, SchemaPlan]) -> None:
    for syntax in "34":
        assert _outline(plans[f"edifact/service/contrl-{syntax}"].root) == (
            "UNH M1, UCI M1, SG1 C999999(UCM M1, SG2 C999(UCS M1, UCD C99)), "
            "SG3 C999999(UCF M1, SG4 C999999(UCM M1, SG5 C999(UCS M1, UCD C99))), UNT M1"
        )


def test_only_lists_that_change_what_we_do_are_checked_and_they_are_whole(plans: dict[str, SchemaPlan]) -> None:
    listed = {}
    for spec in SPECS:
        for segment in _segments(plans[spec].root):
            for element in segment.elements:
                for part in (element, *element.components):
                    if part.codes is not None:
                        listed[(spec.split("/")[1], part.id)] = part.codes
    assert set(listed) == {("d96a", "1225"), ("d01b", "1225"), ("d96a", "0081"), ("d01b", "0081")}
    assert listed[("d96a", "1225")] == {str(code) for code in range(1, 55)}
    assert listed[("d01b", "1225")] == {str(code) for code in range(1, 66)}
    assert listed[("d96a", "0081")] == {"S"}


def test_acknowledgments_of_syntax_3_name_the_message_and_the_group_in_full(plans: dict[str, SchemaPlan]) -> None:
    for syntax, mandatory in (("3", True), ("4", False)):
        plan = plans[f"edifact/service/contrl-{syntax}"]
        assert [_element(plan, path).mandatory for path in ("UCM/1", "UCM/2", "UCF/2", "UCF/3")] == [mandatory] * 4


def test_nothing_in_the_dictionaries_is_dangling() -> None:
    assert [str(fault) for fault in find_faults(default_resolver()) if fault.file.startswith("schemas/edifact/")] == []
