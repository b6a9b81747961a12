"""Where segments go: the tree of good transactions, and how a bad one is kept from derailing."""

import pytest

from gateway.codecs.node import Delimiters
from gateway.codecs.node import Repeated
from gateway.codecs.node import Segment
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.schema.apply import Checked
from gateway.schema.apply import check
from gateway.schema.compile import CompiledSchema
from gateway.schema.plan import LoopUse
from gateway.schema.plan import Tree
from tests.schema.world import compiled
from tests.schema.world import transaction
from tests.schema.world import with_overlay

ORDER = "x12/004010/850"
HEAD = ["BEG*00*SA*PO1**20260105"]


def outline(checked: Checked, schema: CompiledSchema) -> str:
    """The tree in one line: tags, loops in brackets."""
    return _loop(checked.tree, schema.plan.root)


def _loop(tree: Tree, loop: LoopUse) -> str:
    words = []
    for slot, child in zip(tree, loop.children, strict=True):
        if isinstance(child, LoopUse):
            assert isinstance(slot, list | tuple)
            words += [f"{child.name}({_loop(inner, child)})" for inner in slot]
        elif child.max == 1:
            words += [child.tag] if slot is not None else []
            assert slot is None or isinstance(slot, list) and slot[0] == child.tag
        else:
            assert isinstance(slot, list | tuple) and all(segment[0] == child.tag for segment in slot)
            words += [f"{child.tag}x{len(slot)}"] if slot else []
    return " ".join(words)


def codes(checked: Checked) -> list[str]:
    return [f"{problem.code.split('-', 1)[1]} {problem.place.segment} {problem.place.index}" for problem in checked.problems]


def walked(spec: str, segments: list[str]) -> tuple[str, list[str]]:
    checked = check(transaction(spec, segments), compiled(spec))
    return outline(checked, compiled(spec)), codes(checked)


def test_loops_hold_their_segments() -> None:
    tree, problems = walked(
        ORDER,
        [
            *HEAD,
            "CUR*BY*USD",
            "REF*DP*1",
            "REF*IA*2",
            "N1*BY*A",
            "N3*X",
            "N3*Y",
            "N1*ST*B",
            "N4*CITY",
            "PO1*1*1*EA",
            "PID*F****A",
            "PID*F****B",
            "PO1*2*1*EA",
            "N1*ST*C",
            "SCH*1*EA***002*20260105",
            "CTT*2",
        ],
    )
    assert problems == []
    assert tree == ("ST BEG CUR REFx2 N1(N1 N3x2) N1(N1 N4x1) PO1(PO1 PID(PID) PID(PID)) PO1(PO1 N1(N1 SCHx1)) CTT(CTT) SE")


def test_segments_of_the_tree_are_the_very_lists_of_the_transaction() -> None:
    sent = transaction(ORDER, [*HEAD, "PO1*1*1*EA"])
    tree = check(sent, compiled(ORDER)).tree
    assert tree[0] is sent.segments[0] and tree[1] is sent.segments[1] and tree[-1] is sent.segments[-1]


def test_a_despatch_advice_repeats_its_levels_flat() -> None:
    tree, problems = walked(
        "x12/004010/856", ["BSN*00*12*20260105*1200", "HL*1**S", "TD5*O*2*UPSN", "HL*2*1*O", "PRF*1", "HL*3*2*I", "LIN**UP*1", "SN1**1*EA"]
    )
    assert problems == []
    assert tree == "ST BSN HL(HL TD5x1) HL(HL PRF) HL(HL LIN SN1) SE"


def test_what_fits_the_inner_loop_goes_there_and_what_does_not_goes_outward() -> None:
    tree, problems = walked(
        "x12/004010/820",
        [
            "BPR*C*1*C*ACH************20260105",
            "N1*PR*A",
            "REF*ZZ*1",
            "ENT*1",
            "RMR*IV*1**5",
            "REF*PO*1",
            "DTM*003*20260105",
            "ADX*-1*01",
            "REF*ZZ*2",
            "RMR*IV*2**5",
        ],
    )
    assert problems == []
    assert tree == "ST BPR N1(N1 REFx1) ENT(ENT RMR(RMR REFx1 DTMx1 ADX(ADX REF(REF))) RMR(RMR)) SE"


def test_groups_that_start_alike_are_told_apart_by_where_they_stand() -> None:
    tree, problems = walked(
        "edifact/d96a/orders",
        [
            "BGM+220+1+9",
            "DTM+137:20260105:102",
            "RFF+ON:1",
            "DTM+171:20260105:102",
            "NAD+BY",
            "RFF+VA:1",
            "CTA+OC",
            "COM+1:TE",
            "NAD+SU",
            "CUX+2:EUR:9",
            "LIN+1",
            "QTY+21:1",
            "PRI+AAA:1",
            "RFF+ON:2",
            "LIN+2",
            "UNS+S",
            "MOA+79:1",
            "CNT+2:2",
        ],
    )
    assert problems == []
    assert tree == (
        "UNH BGM DTMx1 SG1(RFF DTMx1) SG2(NAD SG3(RFF) SG5(CTA COMx1)) SG2(NAD) SG7(CUX) "
        "SG25(LIN QTYx1 SG28(PRI) SG29(RFF)) SG25(LIN) UNS MOAx1 CNTx1 UNT"
    )


def test_a_full_place_passes_the_segment_on_to_the_next_that_takes_it() -> None:
    small = with_overlay(ORDER, "segments: {REF: O 1, 'loop DP': {after: REF, use: O >1, segments: [REF M 1, CUR O 1]}}")
    checked = check(transaction(ORDER, [*HEAD, "REF*DP*1", "REF*DP*2", "CUR*BY*USD", "PO1**1*EA"]), small)
    assert checked.problems == []
    assert outline(checked, small) == "ST BEG REF DP(REF CUR) PO1(PO1) SE"


def test_a_missing_segment_is_told_where_it_was_expected_and_the_rest_is_read() -> None:
    tree, problems = walked(ORDER, ["REF*DP*1", "PO1**1*EA"])
    assert problems == ["SEGMENT-MISSING BEG 2"]
    assert tree == "ST REFx1 PO1(PO1) SE"


def test_a_missing_loop_names_its_first_segment() -> None:
    checked = check(transaction(ORDER, [*HEAD, "CTT*0"]), compiled(ORDER))
    assert codes(checked) == ["SEGMENT-MISSING PO1 3"]
    assert checked.problems[0].message == "loop PO1 with its segment PO1 is missing; it was expected before CTT"
    assert checked.problems[0].place.loop == "PO1"


def test_what_a_loop_lacks_is_told_when_it_closes() -> None:
    tree, problems = walked(ORDER, [*HEAD, "LM*94", "PO1**1*EA", "LM*94", "PO1**1*EA"])
    assert problems == ["SEGMENT-MISSING LQ 4", "SEGMENT-MISSING LQ 6"]
    assert tree == "ST BEG LM(LM) PO1(PO1 LM(LM)) PO1(PO1) SE"


def test_strangers_are_stepped_over() -> None:
    tree, problems = walked(ORDER, [*HEAD, "ZZZ*1", "REF*DP*1", "BIG*1", "N3*X", "PO1**1*EA", "QQ", "PID*F****A"])
    assert problems == ["SEGMENT-UNKNOWN ZZZ 3", "SEGMENT-NOT-IN-TRANSACTION BIG 5", "SEGMENT-UNEXPECTED N3 6", "SEGMENT-UNKNOWN QQ 8"]
    assert tree == "ST BEG REFx1 PO1(PO1 PID(PID)) SE"


def test_a_late_segment_is_put_where_it_belongs_and_the_walk_stays() -> None:
    tree, problems = walked(ORDER, [*HEAD, "N1*ST*A", "REF*DP*1", "N3*X", "DTM*002*20260105", "N4*CITY", "PO1**1*EA"])
    assert problems == ["SEGMENT-OUT-OF-ORDER N3 5", "SEGMENT-OUT-OF-ORDER DTM 6", "SEGMENT-OUT-OF-ORDER N4 7"]
    assert tree == "ST BEG DTMx1 N1(N1 N3x1 N4x1 REFx1) PO1(PO1) SE"


def test_a_late_loop_takes_the_walk_along() -> None:
    tree, problems = walked(ORDER, [*HEAD, "N1*ST*A", "SAC*C*D240***100", "CUR*BY*USD", "N1*BY*B", "PO1**1*EA"])
    assert problems == ["SEGMENT-OUT-OF-ORDER SAC 4"]
    assert tree == "ST BEG SAC(SAC CUR) N1(N1) N1(N1) PO1(PO1) SE"


def test_what_comes_late_is_not_missing_too() -> None:
    tree, problems = walked("x12/004010/810", ["BIG*20260105*1", "IT1**1*EA*1", "ISS*1*EA", "TDS*100", "CTT*1"])
    assert problems == ["SEGMENT-OUT-OF-ORDER TDS 5"]
    assert tree == "ST BIG IT1(IT1) TDS ISS(ISS) CTT SE"


def test_what_stands_too_often_is_told_once() -> None:
    tree, problems = walked(ORDER, [*HEAD, *["BEG*00*SA*X**20260105"] * 5, *["PER*BD"] * 10, "PO1**1*EA"])
    assert problems == ["SEGMENT-OVER-MAXIMUM BEG 3", "SEGMENT-OVER-MAXIMUM PER 11"]
    assert tree == "ST BEG PERx10 PO1(PO1) SE"


def test_a_transaction_that_breaks_off_lacks_what_did_not_come() -> None:
    sent = transaction(ORDER, [*HEAD, "REF*DP*1"])
    sent.segments.pop()
    checked = check(sent, compiled(ORDER))
    assert codes(checked) == ["SEGMENT-MISSING PO1 4"]
    assert checked.problems[0].message == "loop PO1 with its segment PO1 is missing; the transaction ended with REF"


def test_an_envelope_problem_is_not_accepted_and_not_told_again() -> None:
    sent = transaction(ORDER, [*HEAD, "PO1**1*EA"])
    wrong = transaction(ORDER, [*HEAD, "PO1**1*EA", "SE*1*0001"])
    assert check(sent, compiled(ORDER)).accepted
    checked = check(wrong, compiled(ORDER))
    assert not checked.accepted and wrong.problems


def _bare(segments: list[Segment], syntax: Syntax = Syntax.X12, repetition: str = "") -> Transaction:
    """A transaction such as a codec would never build."""
    delimiters = Delimiters(element="*", component=":", segment="~", repetition=repetition)
    raw = "~".join("*".join(element for element in segment if isinstance(element, str)) for segment in segments) + "~" + repetition
    return Transaction(
        syntax=syntax, type="850", version="004010", control_number="1", segments=segments, raw=raw, offset=0, line=1, delimiters=delimiters
    )


HOSTILE: list[list[Segment]] = [
    [],
    [["ST"]],
    [["SE"]],
    [["ST"], ["SE"]],
    [["XXX"]] * 3,
    [["ST"], ["BEG"], ["SE"]],
    [["SE"], ["BEG"], ["ST"]],
    [[""], ["ST"]],
    [["ST"], *[["N1"]] * 50, ["SE"]],
    [["ST"], ["BEG", *[""] * 5000], ["SE"]],
    [["ST"], ["PO1", *["9" * 5000] * 30], ["SE"]],
    [["ST"], ["CTT", "\u0661\u0662"], ["SE"]],
    [["ST"], ["DTM", "002", "\u00b2\u00b2\u00b2\u00b2\u00b2\u00b2\u00b2\u00b2"], ["SE"]],
    [["ST"], ["REF", "DP", "1", "", ":::::::::::::::"], ["SE"]],
    [["ST"], ["QTY", "01", "1", "^^^^"], ["MEA", "", "", "1", "^:^"], ["SE"]],
]


@pytest.mark.parametrize("segments", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("repetition", ["", "^"])
def test_nothing_that_is_sent_raises(segments: list[Segment], repetition: str) -> None:
    checked = check(_bare([list(segment) for segment in segments], repetition=repetition), compiled(ORDER))
    assert not checked.accepted or not segments


@pytest.mark.parametrize("element", [[], [""], ["", ""], ["A"] * 100, Repeated(), Repeated([["1"], ["2"]]), Repeated([[]]), Repeated([["", ""]])])
def test_no_form_of_an_edifact_element_raises(element: list[str]) -> None:
    spec = "edifact/d96a/orders"
    for tag in ("BGM", "DTM", "NAD", "LIN", "UNS", "FTX"):
        sent = transaction(spec, ["BGM+220+1+9", "DTM+137:20260105:102", "LIN+1", "UNS+S"])
        sent.segments.insert(2, [tag, element, element])
        sent.raw += "*"
        assert sent.delimiters is not None
        sent.delimiters = Delimiters(element="+", component=":", segment="'", release="?", repetition="*")
        checked = check(sent, compiled(spec))
        assert not checked.accepted or tag in {"FTX", "LIN"}


def test_a_hundred_thousand_repetitions_are_walked_quickly_and_told_once() -> None:
    segments: list[Segment] = [
        ["ST", "850", "0001"],
        ["BEG", "00", "SA", "1", "", "20260105"],
        *[["PER", "BD"] for _ in range(100_000)],
        ["PO1", "", "1", "EA"],
        ["SE", "5", "0001"],
    ]
    checked = check(_bare(segments), compiled(ORDER))
    assert codes(checked) == ["SEGMENT-OVER-MAXIMUM PER 6"]


def test_unknown_tags_do_not_fill_the_tables() -> None:
    schema = with_overlay(ORDER, "{}")
    check(_bare([["ST"], ["BEG"], *[[f"Z{number}"] for number in range(5000)], ["SE"]]), schema)
    positions = [schema.start, *(child for child in schema.root.children if not isinstance(child.use, LoopUse))]
    for position in positions:
        assert len(position.steps) < 60 and len(position.options) < 60


@pytest.mark.parametrize(
    ("spec", "segments", "code"),
    [
        (ORDER, [*HEAD, "N1*ST*A", "N4*CITY*IL*62701*US******", "PO1**1*EA"], "ELEMENTS-TOO-MANY N4 4"),
        (ORDER, [*HEAD, "REF*DP*1**CT>9>>>>>", "PO1**1*EA"], "COMPONENTS-TOO-MANY REF 3"),
        ("edifact/d96a/orders", ["BGM+220+1+9+++", "DTM+137:20260105:102", "LIN+1", "UNS+S"], "SEPARATORS-TRAILING BGM 2"),
        ("edifact/d96a/orders", ["BGM+220+1+9", "DTM+137:20260105:102::", "LIN+1", "UNS+S"], "COMPONENTS-TOO-MANY DTM 3"),
    ],
)
def test_separators_that_nothing_follows_are_a_warning(spec: str, segments: list[str], code: str) -> None:
    checked = check(transaction(spec, segments), compiled(spec))
    assert codes(checked) == [code]
    assert checked.accepted


def test_text_that_holds_the_repetition_separator_is_data_with_a_warning() -> None:
    spec = "x12/005010/850"
    checked = check(transaction(spec, [*HEAD, "REF*DP*A^B", "PO1**1*EA"]), compiled(spec))
    assert codes(checked) == ["REPETITIONS-TOO-MANY REF 3"]
    assert checked.accepted
