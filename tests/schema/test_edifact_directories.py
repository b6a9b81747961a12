"""All directories: each message that was in it is there, its plainest form passes, and what changed from one to the next is known."""

from collections.abc import Iterator

import pytest

from gateway.codecs import edifact
from gateway.codecs.node import Transaction
from gateway.config import default_resolver
from gateway.pipeline.plans import spec_of
from gateway.schema.apply import check
from gateway.schema.load import known_specs
from gateway.schema.load import load_schema
from gateway.schema.plan import LoopUse
from gateway.schema.plan import SegmentUse
from gateway.yaml_source import Faults
from tests.schema.world import compiled
from tests.schema.world import transaction
from tests.schema.world import with_overlay

DIRECTORIES = ("d93a", "d96a", "d97a", "d99b", "d01b", "d04a", "d07a")
#: each message in its plainest form, without anything that changed with the directories
PLAINEST = {
    "aperak": ["BGM+313+1", "ERC+1"],
    "delfor": ["BGM+241+1", "DTM+137:20260105:102", "UNS+D", "UNS+S"],
    "desadv": ["BGM+351+D1+9", "CPS+1", "LIN+1"],
    "iftsta": ["BGM+77+1", "CNI+1+B1", "STS+1"],
    "invoic": ["BGM+380+I1+9", "DTM+137:20260105:102", "LIN+1", "UNS+S", "MOA+86:10"],
    "invrpt": ["BGM+35+1", "DTM+137:20260105:102", "NAD+BY+1::9"],
    "ordchg": ["BGM+230+C1+4", "DTM+137:20260105:102", "UNS+S"],
    "orders": ["BGM+220+P1+9", "DTM+137:20260105:102", "LIN+1++4012345500004:EN", "QTY+21:5", "PRI+AAA:10.50", "UNS+S"],
    "ordrsp": ["BGM+231+R1+29", "DTM+137:20260105:102", "LIN+1+5", "UNS+S"],
    "pricat": ["BGM+9+1", "DTM+137:20260105:102"],
    "recadv": ["BGM+632+1", "DTM+137:20260105:102", "NAD+BY+1::9"],
    "remadv": ["BGM+481+1", "DTM+137:20260105:102", "DOC+380+I1", "MOA+9:10", "UNS+S", "MOA+9:10"],
}
#: messages that the directory did not have
ABSENT = {("d93a", "aperak"), ("d93a", "recadv")}
SPECS = [f"edifact/{directory}/{message}" for directory in DIRECTORIES for message in PLAINEST if (directory, message) not in ABSENT]


def _plainest(spec: str) -> list[str]:
    _, directory, message = spec.split("/")
    if message == "delfor" and directory not in {"d93a", "d96a"}:
        return PLAINEST[message][:2]  # later ones have no sections
    return PLAINEST[message]


def _groups(loop: LoopUse) -> Iterator[LoopUse]:
    for child in loop.children:
        if isinstance(child, LoopUse):
            yield child
            yield from _groups(child)


def _segments(loop: LoopUse) -> Iterator[SegmentUse]:
    for child in loop.children:
        yield from [child] if isinstance(child, SegmentUse) else _segments(child)


def _tags(spec: str) -> set[str]:
    return {segment.tag for segment in _segments(compiled(spec).plan.root)}


def _segment(spec: str, tag: str) -> SegmentUse:
    return next(segment for segment in _segments(compiled(spec).plan.root) if segment.tag == tag)


def test_every_message_of_every_directory_is_there() -> None:
    service = {"edifact/service/contrl-3", "edifact/service/contrl-4"}
    assert {spec for spec in known_specs(default_resolver()) if spec.startswith("edifact/")} - service == set(SPECS)


@pytest.mark.parametrize("spec", SPECS)
def test_plainest_message_passes(spec: str) -> None:
    checked = check(transaction(spec, _plainest(spec)), compiled(spec))
    assert [problem.message for problem in checked.problems] == []
    assert checked.accepted


@pytest.mark.parametrize("spec", SPECS)
def test_groups_are_numbered_through_and_open_with_one_mandatory_segment(spec: str) -> None:
    groups = list(_groups(compiled(spec).plan.root))
    assert [group.name for group in groups] == [f"SG{number}" for number in range(1, len(groups) + 1)]
    for group in groups:
        first = group.children[0]
        assert isinstance(first, SegmentUse) and first.mandatory and first.max == 1, group.name


@pytest.mark.parametrize("message", ["orders", "ordrsp", "ordchg", "invoic", "pricat"])
def test_payment_terms_are_pat_and_from_2004_on_pyt(message: str) -> None:
    for directory in DIRECTORIES:
        late = directory in {"d04a", "d07a"}
        assert {"PAT", "PYT"} & _tags(f"edifact/{directory}/{message}") == ({"PYT"} if late else {"PAT"}), directory


def test_document_number_becomes_part_of_a_composite_in_1997() -> None:
    identifiers = {directory: _segment(f"edifact/{directory}/orders", "BGM").elements[1].id for directory in DIRECTORIES}
    assert identifiers == {"d93a": "1004", "d96a": "1004", **dict.fromkeys(("d97a", "d99b", "d01b", "d04a", "d07a"), "C106")}


def test_formats_grow_with_the_directories() -> None:
    def longest(tag: str, element: int, component: int) -> dict[str, str]:
        parts = {directory: _segment(f"edifact/{directory}/orders", tag).elements[element - 1].components[component - 1] for directory in DIRECTORIES}
        return {directory: f"{part.type}{part.max}" for directory, part in parts.items()}

    assert longest("RFF", 1, 2) == dict.fromkeys(("d93a", "d96a", "d97a", "d99b"), "an35") | dict.fromkeys(("d01b", "d04a", "d07a"), "an70")
    assert longest("QTY", 1, 2)["d96a"] == "n15" and longest("QTY", 1, 2)["d07a"] == "an35"
    assert longest("NAD", 2, 1)["d93a"] == "an17" and longest("NAD", 2, 1)["d96a"] == "an35"


def test_segment_of_a_later_directory_is_refused_in_an_earlier_one_and_the_other_way_round() -> None:
    def codes(spec: str, terms: str) -> list[str]:
        lines = ["BGM+380+I1+9", "DTM+137:20260105:102", terms, "LIN+1", "UNS+S", "MOA+86:10"]
        return [problem.code for problem in check(transaction(spec, lines), compiled(spec)).problems]

    assert codes("edifact/d01b/invoic", "PAT+1++5:3:D:30") == []
    assert codes("edifact/d07a/invoic", "PYT+1++5+3+D+30") == []
    assert codes("edifact/d96a/invoic", "PYT+1++5+3+D+30") == ["EDIFACT-SEGMENT-UNKNOWN"]
    assert codes("edifact/d07a/invoic", "PAT+1++5:3:D:30") == ["EDIFACT-SEGMENT-NOT-IN-MESSAGE"]


def test_schedules_of_d97a_stand_without_sections() -> None:
    lines = ["BGM+241+1", "DTM+137:20260105:102", "GIS+37", "NAD+ST+1::9", "LIN+1++4012345500004:EN", "SCC+1", "QTY+113:5", "DTM+2:20260201:102"]
    assert check(transaction("edifact/d97a/delfor", lines), compiled("edifact/d97a/delfor")).problems == []


def test_message_functions_are_those_of_the_directory() -> None:
    known = {directory: _segment(f"edifact/{directory}/orders", "BGM").elements[2].codes for directory in DIRECTORIES}
    counts = {directory: len(codes or ()) for directory, codes in known.items()}
    assert counts == {"d93a": 54, "d96a": 54, "d97a": 55, "d99b": 60, "d01b": 65, "d04a": 65, "d07a": 65}


def test_partner_tightens_and_loosens_by_the_segment_that_opens_a_group_or_by_its_number() -> None:
    lines = PLAINEST["orders"]
    for path in ("LIN/PRI", "SG29/PRI", "SG29/SG33"):
        loose = with_overlay("edifact/d07a/orders", f"segments:\n  {path}: none\n")
        assert [problem.place.segment for problem in check(transaction("edifact/d07a/orders", lines), loose).problems] == ["PRI"], path
    tight = with_overlay("edifact/d07a/orders", "segments:\n  LIN/DTM: M 35\n")
    assert [problem.code for problem in check(transaction("edifact/d07a/orders", lines), tight).problems] == ["EDIFACT-SEGMENT-MISSING"]
    wide = with_overlay("edifact/d96a/orders", "segments:\n  GIR: {after: FTX, use: C 9}\n")
    assert check(transaction("edifact/d96a/orders", [*lines[:2], "GIR+1+A1:VV", *lines[2:]]), wide).problems == []


def test_partners_differences_leave_the_numbers_of_the_groups() -> None:
    changed = with_overlay("edifact/d96a/orders", "segments:\n  loop TAX: none\n  LIN/loop PAC: C 3\n")
    names = [group.name for group in _groups(changed.plan.root)]
    assert "SG6" not in names and names[5] == "SG7" and names[-1] == "SG54"


def test_group_that_does_not_exist_is_named() -> None:
    with pytest.raises(Faults, match="there is no QQQ in loop SG25"):
        with_overlay("edifact/d96a/orders", "segments:\n  LIN/QQQ: none\n")


def test_chain_is_loaded_once_each_file() -> None:
    plan = load_schema("edifact/d07a/orders", default_resolver())
    names = [name for name, _ in plan.sources]
    assert len(names) == len(set(names))
    assert names[0] == "schemas/edifact/d07a/orders.yaml"


@pytest.mark.parametrize(
    ("charset", "version", "spec"),
    [
        ("UNOA:1", "2:2", "contrl-3"),
        ("UNOB:2", "2:2", "contrl-3"),
        ("UNOC:3", "D:3", "contrl-3"),
        ("UNOC:3", "4:1", "contrl-4"),
        ("UNOC:4", "4:1", "contrl-4"),
    ],
)
def test_contrl_goes_by_its_version_and_by_the_syntax_of_the_interchange(charset: str, version: str, spec: str) -> None:
    date = "20260105" if charset.endswith("4") else "260105"
    lines = [f"UNB+{charset}+A+B+{date}:1200+1", f"UNH+1+CONTRL:{version}:UN", "UCI+R1+B+A+8", "UCM+1+ORDERS:D:96A:UN+4+12", "UNT+4+1", "UNZ+1+1", ""]
    (sent,) = [event for event in edifact.read(["'".join(lines).encode()]) if isinstance(event, Transaction)]
    assert spec_of(sent) == f"edifact/service/{spec}"
    assert check(sent, compiled(spec_of(sent))).problems == []


def test_elements_repeat_where_the_directory_says_so_and_the_syntax_can() -> None:
    """Syntax 4 only; COM of D.01B three times, of D.96A once."""

    def codes(spec: str, head: str, numbers: str) -> list[str]:
        lines = [
            head,
            f"UNH+1+APERAK:{spec[8].upper()}:{spec[9:12].upper()}:UN",
            "BGM+313+1",
            "NAD+BY+1::9",
            f"COM+{numbers}",
            "ERC+1",
            "UNT+6+1",
            "UNZ+1+1",
            "",
        ]
        (sent,) = [event for event in edifact.read(["'".join(lines).encode()]) if isinstance(event, Transaction)]
        return [problem.code for problem in check(sent, compiled(spec)).problems]

    fourth, third = "UNA:+.?*'UNB+UNOC:4+A+B+20260105:1200+1", "UNB+UNOC:3+A+B+260105:1200+1"
    assert codes("edifact/d01b/aperak", fourth, "1:TE*2:FX*a@b.example:EM") == []
    assert codes("edifact/d01b/aperak", fourth, "1:TE*2:FX*3:TE*4:TE") == ["EDIFACT-REPETITIONS-TOO-MANY"]
    assert codes("edifact/d96a/aperak", fourth, "1:TE*2:FX") == ["EDIFACT-REPETITIONS-TOO-MANY"]
    assert codes("edifact/d01b/aperak", third, "1*2:TE") == []


@pytest.mark.parametrize(("sections", "codes"), [("DS", []), ("SS", ["EDIFACT-ELEMENT-CODE"]), ("DD", ["EDIFACT-ELEMENT-CODE"])])
def test_sections_begin_with_the_right_letter(sections: str, codes: list[str]) -> None:
    spec = "edifact/d96a/delfor"
    lines = ["BGM+241+1", "DTM+137:20260105:102", f"UNS+{sections[0]}", "LIN+1", "QTY+113:5", "SCC+1", f"UNS+{sections[1]}"]
    problems = check(transaction(spec, lines), compiled(spec)).problems
    assert [problem.code for problem in problems] == codes
    assert [problem.expected for problem in problems] == [letter for letter, sent in zip("DS", sections, strict=True) if letter != sent]


@pytest.mark.parametrize(
    ("segment", "codes"),
    [
        ("QTY+21:-12,50:PCE", []),
        ("QTY+21:123456789012345", []),
        ("QTY+21:-123456789.012345", []),
        ("QTY+21:1234567890123456", ["EDIFACT-ELEMENT-TOO-LONG"]),
        ("QTY+21:1.234,50", ["EDIFACT-DECIMAL"]),
        ("QTY+21:12-", ["EDIFACT-ELEMENT-CHARACTER"]),
        ("QTY+21:?+12", ["EDIFACT-ELEMENT-CHARACTER"]),
        ("QTY+21", ["EDIFACT-ELEMENT-MISSING"]),
        ("DTM+2:20260230:102", ["EDIFACT-ELEMENT-DATE"]),
        ("DTM+2:202606:616", []),
        ("DTM+2:202660:616", ["EDIFACT-ELEMENT-DATE"]),
        ("DTM+2:14:804", []),
        ("DTM+2:two weeks:804", ["EDIFACT-ELEMENT-DATE"]),
    ],
)
def test_numbers_and_dates_of_a_line(segment: str, codes: list[str]) -> None:
    lines = ["BGM+220+P1+9", "DTM+137:20260105:102", "LIN+1", segment, "UNS+S"]
    assert [problem.code for problem in check(transaction("edifact/d96a/orders", lines), compiled("edifact/d96a/orders")).problems] == codes


def test_segment_that_only_other_messages_use_is_not_unknown() -> None:
    def codes(spec: str, segment: str) -> list[str]:
        return [problem.code for problem in check(transaction(spec, [*PLAINEST["orders"][:2], segment, "UNS+S"]), compiled(spec)).problems]

    assert codes("edifact/d96a/orders", "GOR+1") == ["EDIFACT-SEGMENT-NOT-IN-MESSAGE"]
    assert codes("edifact/d96a/orders", "POC+1") == ["EDIFACT-SEGMENT-UNKNOWN"]
    assert codes("edifact/d07a/orders", "POC+1") == ["EDIFACT-SEGMENT-NOT-IN-MESSAGE"]
    assert codes("edifact/d07a/orders", "QQQ+1") == ["EDIFACT-SEGMENT-UNKNOWN"]


def test_amount_behind_the_price_stands_too_late_in_its_line_and_does_not_end_the_lines() -> None:
    lines = ["BGM+220+P1+9", "DTM+137:20260105:102", "LIN+1", "QTY+21:5", "PRI+AAA:2", "MOA+203:10", "LIN+2", "QTY+21:5", "UNS+S", "MOA+79:10"]
    checked = check(transaction("edifact/d96a/orders", lines), compiled("edifact/d96a/orders"))
    assert [(problem.code, problem.place.segment, problem.place.index) for problem in checked.problems] == [
        ("EDIFACT-SEGMENT-OUT-OF-ORDER", "MOA", 7)
    ]
    unmarked = check(transaction("edifact/d96a/orders", [*lines[:5], "CNT+2:1"]), compiled("edifact/d96a/orders"))
    assert [(problem.code, problem.place.segment) for problem in unmarked.problems] == [("EDIFACT-SEGMENT-MISSING", "UNS")]


def test_elements_are_named_by_their_number_or_by_their_position() -> None:
    def changed(path: str) -> list[str]:
        schema = with_overlay("edifact/d07a/orders", f"elements:\n  {path}: unused\n")
        uses = [use for use in _segments(schema.plan.root) if use.tag == path.partition("/")[0]]
        unused = {
            f"{element.position:02}" + (f"/{part.position:02}" if part is not element else "")
            for use in uses
            for element in use.elements
            for part in (element, *element.components)
            if part.unused
        }
        return sorted(unused)

    assert changed("LIN/1082") == changed("LIN/01") == ["01"]
    assert changed("BGM/1004") == changed("BGM/C106/1004") == changed("BGM/02/01") == ["02/01"]
    assert changed("PIA/C212/7143") == [f"0{position}/02" for position in range(2, 7)]
    assert changed("PIA/7143") == [f"0{position}/02" for position in range(2, 7)]
    for path in ("LIN/9999", "LIN/C106", "BGM/C106/7140", "BGM/1004/01", "LIN/07", "LIN/1082/1082"):
        with pytest.raises(Faults, match="does not exist"):
            changed(path)
