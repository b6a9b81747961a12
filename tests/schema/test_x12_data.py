"""The X12 schemas say what the standard says, spot by spot; and no sample is refused by a mistake of ours."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from gateway.codecs import x12
from gateway.codecs.node import Transaction
from gateway.config import default_resolver
from gateway.problem import Severity
from gateway.schema.apply import check
from gateway.schema.load import known_specs
from gateway.schema.plan import ElementUse
from gateway.schema.plan import LoopUse
from gateway.schema.plan import SegmentUse
from tests.schema.world import compiled
from tests.schema.world import transaction

SHARED = Path(__file__).parent.parent.parent / "../shared"
CORPUS = SHARED / "corpus/x12"
SPECS = [spec for spec in known_specs(default_resolver()) if spec.startswith("x12/")]

#: spec, segment: its elements as identifier and requirement, its conditions
SEGMENTS = [
    ("x12/004010/850", "BEG", "353M 92M 324M 328 373M 367 587 1019 1166 1232 786 640", ""),
    ("x12/004010/850", "PO1", "350 330 355 212 639" + " 235 234" * 10, "C0302 C0504 P0607 P0809 P1011 P1213 P1415 P1617 P1819 P2021 P2223 P2425"),
    ("x12/005010/850", "PO1", "350 380 355 212 639" + " 235 234" * 10, "C0302 C0504 P0607 P0809 P1011 P1213 P1415 P1617 P1819 P2021 P2223 P2425"),
    ("x12/004010/850", "N1", "98M 93 66 67 706 98", "R0203 P0304"),
    ("x12/004010/850", "N4", "19 156 116 26 309 310", "C0605"),
    ("x12/005010/850", "N4", "19 156 116 26 309 310 1715", "C0605 E0207 C0704"),
    ("x12/004010/850", "REF", "128M 127 352 C040", "R0203"),
    ("x12/004010/850", "DTM", "374M 373 337 623 1250 1251", "R020305 C0403 P0506"),
    (
        "x12/004010/850",
        "SAC",
        "248M 1300 559 1301 610 378 332 118 355 380 380 331 127 770 352 819",
        "R0203 P0304 P0607 P0910 C1110 C1615 L130204 C1413",
    ),
    ("x12/004010/850", "PID", "349M 750 559 751 352 752 822 1073 819", "C0403 R0405 C0703 C0804 C0905"),
    ("x12/004010/850", "MEA", "737 738 739 C001 740 741 935 936 752 1373", "R03050608 C0504 C0604 L07030506 E0803"),
    ("x12/005010/850", "MEA", "737 738 739 C001 740 741 935 936 752 1373 1270 1271", "R03050608 E0412 L050412 L060412 L07030506 E0803 P1112"),
    ("x12/004010/855", "BAK", "353M 587M 324M 373M 328 326 367 127 373 640", ""),
    (
        "x12/004010/855",
        "ACK",
        "668M 380 355 374 373 326" + " 235 234" * 10 + " 559 822 1271",
        "P0203 C0405 P0708 P0910 P1112 P1314 P1516 P1718 P1920 P2122 P2324 P2526 C2827",
    ),
    ("x12/004010/856", "BSN", "353M 396M 373M 337M 1005 640 641", "C0706"),
    ("x12/004010/856", "HL", "628M 734 735M 736", ""),
    ("x12/004010/856", "SN1", "350 382M 355M 646 330 355 728 668", "P0506"),
    ("x12/004010/810", "BIG", "373M 76M 373 324 328 327 640 353 306 76", ""),
    ("x12/004010/810", "IT1", "350 358 355 212 639" + " 235 234" * 10, "P020304 P0607 P0809 P1011 P1213 P1415 P1617 P1819 P2021 P2223 P2425"),
    ("x12/004010/810", "TDS", "610M 610 610 610", ""),
    (
        "x12/004010/820",
        "BPR",
        "305M 782M 478M 591M 812 506 507 569 508 509 510 506 507 569 508 373 1048 506 507 569 508",
        "P0607 C0809 P1213 C1415 P1819 C2021",
    ),
    ("x12/004010/820", "RMR", "128 127 482 782 782 782 426 782", "P0102 P0708"),
    ("x12/004010/997", "AK4", "C030M 725 723M 724", ""),
    ("x12/005010/999", "IK4", "C030M 725 621M 724", ""),
    ("x12/005010/999", "AK2", "143M 329M 1705", ""),
]

#: version, element: type, shortest, longest
ELEMENTS = [
    ("004010", "127", "AN", 1, 30),
    ("005010", "127", "AN", 1, 50),
    ("004010", "324", "AN", 1, 22),
    ("004010", "328", "AN", 1, 30),
    ("004010", "353", "ID", 2, 2),
    ("004010", "373", "DT", 8, 8),
    ("004010", "337", "TM", 4, 8),
    ("004010", "355", "ID", 2, 2),
    ("004010", "212", "R", 1, 17),
    ("004010", "330", "R", 1, 15),
    ("004010", "358", "R", 1, 10),
    ("005010", "358", "R", 1, 15),
    ("004010", "610", "N2", 1, 15),
    ("004010", "782", "R", 1, 18),
    ("004010", "234", "AN", 1, 48),
    ("004010", "93", "AN", 1, 60),
    ("004010", "166", "AN", 1, 55),
    ("004010", "67", "AN", 2, 80),
    ("004010", "19", "AN", 2, 30),
    ("004010", "116", "ID", 3, 15),
    ("004010", "352", "AN", 1, 80),
    ("004010", "933", "AN", 1, 264),
    ("004010", "364", "AN", 1, 80),
    ("005010", "364", "AN", 1, 256),
    ("004010", "329", "AN", 4, 9),
    ("004010", "96", "N0", 1, 10),
    ("004010", "354", "N0", 1, 6),
    ("004010", "76", "AN", 1, 22),
    ("004010", "396", "AN", 2, 30),
    ("004010", "103", "AN", 3, 5),
    ("004010", "280", "R", 4, 10),
    ("004010", "338", "R", 1, 6),
    ("004010", "386", "N0", 1, 3),
    ("004010", "87", "AN", 1, 48),
]


def _segments(loop: LoopUse) -> list[SegmentUse]:
    found: list[SegmentUse] = []
    for child in loop.children:
        found += _segments(child) if isinstance(child, LoopUse) else [child]
    return found


@pytest.mark.parametrize(("spec", "tag", "elements", "conditions"), SEGMENTS)
def test_segment_is_made_as_in_the_standard(spec: str, tag: str, elements: str, conditions: str) -> None:
    use = next(use for use in _segments(compiled(spec).plan.root) if use.tag == tag)
    assert " ".join(f"{one.id}{'M' if one.mandatory else ''}" for one in use.elements) == elements
    assert sorted(one.kind + "".join(f"{position:02d}" for position in one.positions) for one in use.conditions) == sorted(conditions.split())


def test_elements_have_the_lengths_of_their_version() -> None:
    found: dict[tuple[str, str], ElementUse] = {}
    for spec in SPECS:
        for segment in _segments(compiled(spec).plan.root):
            for element in segment.elements:
                for part in (element, *element.components):
                    found[spec.split("/")[1], part.id] = part
    for version, identifier, kind, shortest, longest in ELEMENTS:
        element = found[version, identifier]
        assert (element.type, element.min, element.max) == (kind, shortest, longest), (version, identifier)


def test_only_lists_that_change_what_we_do_are_checked() -> None:
    listed = {part.id for spec in SPECS for use in _segments(compiled(spec).plan.root) for part in use.elements if part.codes is not None}
    assert listed == {"353", "92", "248", "349", "478", "736", "715", "717", "I17"}


@pytest.mark.parametrize(
    ("spec", "segments"),
    [
        ("x12/004010/855", ["BAK*00*AC*PO1*20260105", "PO1*1*10*EA*5**VP*1", "ACK*IA*10*EA*068*20260120", "CTT*1"]),
        (
            "x12/004010/856",
            [
                "BSN*00*SHP1*20260105*1200*0001",
                "HL*1**S*1",
                "TD1*CTN25*3****G*12*LB",
                "TD5**2*UPSN*M",
                "N1*ST*A*92*12",
                "HL*2*1*O*1",
                "PRF*PO1",
                "HL*3*2*P*1",
                "MAN*GM*00012345678901234560",
                "HL*4*3*I*0",
                "LIN*1*UP*012345678905",
                "SN1*1*5*EA",
                "CTT*4",
            ],
        ),
        (
            "x12/004010/810",
            [
                "BIG*20260105*INV1**PO1",
                "N1*RI*A*92*12",
                "ITD*01*3*2**10**30",
                "IT1*1*10*EA*5**VP*1",
                "PID*F****A",
                "TDS*5000",
                "CAD*M***UPSN",
                "SAC*C*D240***500",
                "ISS*1*CA*20*LB",
                "CTT*1",
            ],
        ),
        (
            "x12/004010/820",
            [
                "BPR*C*100*C*ACH*CTX*01*123456789*DA*1*1234567890**01*987654321*DA*2*20260105",
                "TRN*1*1",
                "N1*PR*A",
                "N1*PE*B",
                "ENT*1",
                "RMR*IV*INV1*PI*100*110*10",
                "DTM*003*20260105",
            ],
        ),
        (
            "x12/004010/824",
            [
                "BGN*00*1*20260105*1200",
                "N1*FR*A*92*12",
                "OTI*TR*PO*PO1*ACME*SELLER*20260105*1200*1*0001*850*004010",
                "REF*PO*PO1",
                "TED*007*NO SUCH ITEM*PO1*3*6*234*X",
                "NTE*GEN*ASK US",
            ],
        ),
        ("x12/005010/824", ["BGN*11*1*20260105", "OTI*TA*PO*PO1", "OTI*TE*PO*PO2", "TED*ZZZ*PRICE*PO1*3*4>1>2*212*5", "CTX*ORDER>1"]),
        ("x12/004010/997", ["AK1*PO*1", "AK2*850*0001", "AK3*PO1*3*PO1*8", "AK4*4*212*5*1", "AK4*4>1*212*5", "AK5*R*5", "AK9*R*1*1*0"]),
        (
            "x12/005010/999",
            [
                "AK1*PO*1*005010",
                "AK2*850*0001*GUIDE",
                "IK3*PO1*3*PO1*8",
                "CTX*SITUATIONAL TRIGGER*PO1*3**4>1>2*212>1",
                "IK4*4>1>2*212*I10*1",
                "CTX*CUSTOMER ID>1",
                "IK5*R*5",
                "AK9*R*1*1*0",
            ],
        ),
        (
            "x12/005010/850",
            ["BEG*00*SA*PO1**20260105", "N9*L1*A", "MTX*GEN*TEXT", "N1*ST*A*92*12", "IN2*18*A", "N4*CITY**1234*DE***BY", "PO1*1*10*EA*5", "CTT*1"],
        ),
    ],
)
def test_an_ordinary_transaction_is_accepted(spec: str, segments: list[str]) -> None:
    checked = check(transaction(spec, segments), compiled(spec))
    assert checked.problems == [] and checked.accepted


@pytest.mark.skipif(not (SHARED / "bench").is_dir(), reason="no ../shared/bench beside the checkout")
def test_the_generated_orders_are_accepted(tmp_path: Path) -> None:
    subprocess.run([sys.executable, SHARED / "bench/gen_orders.py", "x12", tmp_path / "a.edi", "--orders", "20"], check=True)
    transactions = [event for event in x12.read([(tmp_path / "a.edi").read_bytes()]) if isinstance(event, Transaction)]
    assert len(transactions) == 20
    assert all(check(one, compiled("x12/004010/850")).problems == [] for one in transactions)


#: what samples of 004010 and 005010 are told: file (its head) and words of the codes. Each offending segment was read. Where a
#: relational condition or the order is what is wrong, that rests on our reading of the standard (IT1 agrees with pyx12's 820).
FAULTY = {
    "1cd0_850": "CONDITION",
    "810__X12Parser__Example3": "OUT-OF-ORDER",
    "810__X12Parser__Example5": "OUT-OF-ORDER",
    "810__bots-plugins__810_3": "CONDITION",
    "810__stupidedi__1": "CONDITION",
    "820__X12Parser__Example1": "UNKNOWN NOT-IN-TRANSACTION",
    "820__X12Parser__Example2": "TOO-SHORT TOO-LONG CONDITION CHARACTER",
    "820__X12Parser__Example5": "TOO-SHORT TOO-LONG CHARACTER",
    "832__EDI.Net": "OUT-OF-ORDER",
    "832__X12.NET__PriceCatalog": "TOO-SHORT CONDITION",
    "832__php-edi-coedition": "DATE CONDITION TOO-LONG",
    "832__stupidedi__2": "UNKNOWN NOT-IN-TRANSACTION MISSING CHARACTER TOO-LONG CONDITION TOO-SHORT",
    "846__X12Parser__Example2": "TOO-LONG MISSING TOO-MANY EXCLUSION",
    "860__X12Parser": "TOO-SHORT TOO-LONG MISSING",
    "865__X12Parser__FromAdvance": "TOO-LONG",
    "850__EDI.Net__x12.810": "NOT-IN-TRANSACTION MISSING",
    "850__EDI.Net__x12.850.issue135": "TOO-LONG CHARACTER",
    "850__EDI.Net__x12.850a": "TOO-LONG",
    "850__EDI.Net__x12.Issue": "UNKNOWN NOT-IN-TRANSACTION MISSING",
    "850__EdiEngine__850.SyntaxNotes": "CONDITION",
    "850__X12.NET__PurchaseOrderCustom1": "TOO-MANY",
    "850__X12.NET__PurchaseOrderInvalid": "TOO-LONG",
    "850__bots-plugins__850-004010": "CONDITION",
    "850__bots-plugins__mailbag01": "CONDITION",
    "850__module-ballerina-edi": "TOO-LONG CONDITION",
    "824__X12.NET__ApplicationAdvice": "TOO-SHORT",
    "824__X12Parser__FromTmhp": "TOO-SHORT TOO-LONG",
    "855__stupidedi__2": "MISSING TOO-MANY TOO-LONG",
    "856__X12.NET__ShipNotice": "TOO-SHORT",
    "856__X12Parser__Example4": "TOO-LONG",
    "856__stupidedi__2": "PARENT-UNKNOWN TOO-LONG TOO-MANY OUT-OF-ORDER",
    "997__php-edi-coedition": "MISSING",
    "997__staedi__": "TOO-LONG CHARACTER TOO-MANY",
    "999__staedi__invalid999": "UNEXPECTED TOO-LONG TOO-MANY CODE MAXIMUM CHARACTER",
    "999__x12-parser__issue__77": "TOO-SHORT",
}


@pytest.mark.skipif(not CORPUS.is_dir(), reason="no ../shared/corpus beside the checkout")
def test_no_sample_is_refused_by_a_mistake_of_ours() -> None:
    seen: Counter[str] = Counter()
    for path in sorted(CORPUS.iterdir()):
        for event in x12.read([path.read_bytes()]):
            spec = f"x12/{event.version[:6]}/{event.type}" if isinstance(event, Transaction) else ""
            if not isinstance(event, Transaction) or spec not in SPECS:
                continue
            problems = [problem for problem in check(event, compiled(spec)).problems if problem.severity is Severity.ERROR]
            seen["accepted" if not problems else "refused"] += 1
            known = " ".join(words for head, words in FAULTY.items() if path.name.startswith(head)).split()
            for problem in problems:
                assert any(word in problem.code for word in known), (path.name, problem.code, problem.message)
                place = problem.place
                assert place.offset is None or event.offset <= place.offset <= event.offset + len(event.raw), path.name
    assert seen["accepted"] > 150, seen
