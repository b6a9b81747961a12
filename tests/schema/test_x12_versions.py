"""Every X12 version has every transaction, takes an ordinary one of it, and is told from its neighbours by what changed between them."""

import pytest

from gateway.codecs.node import Transaction
from gateway.config import default_resolver
from gateway.schema.apply import check
from gateway.schema.load import known_specs
from gateway.schema.load import load_schema
from gateway.schema.plan import LoopUse
from tests.schema.world import compiled
from tests.schema.world import transaction

VERSIONS = ("003060", "004010", "004030", "005010", "006020", "007030")
GROUPS = {
    "180": "AN",
    "214": "QM",
    "810": "IN",
    "812": "CD",
    "820": "RA",
    "824": "AG",
    "830": "PS",
    "832": "SC",
    "846": "IB",
    "850": "PO",
    "855": "PR",
    "856": "SH",
    "860": "PC",
    "861": "RC",
    "865": "CA",
    "997": "FA",
    "999": "FA",
    "ta1": "",
}
SPECS = [f"x12/{version}/{kind}" for version in VERSIONS for kind in GROUPS if kind != "999" or version >= "005010"]

#: an ordinary transaction of each type; DATE is a date as the version writes it
ORDINARY = {
    "180": ["BGN*00*RET1*DATE", "RDR*CR*IT", "PRF*PO1", "N1*ST*A*92*12", "BLI*UP*012345678905*2*EA", "RDR***AR", "QTY*76*2*EA", "DTM*011*DATE"],
    "214": ["B10*REF1*SHIP1*SCAC", "LX*1", "AT7*X1*NS***DATE*1200*LT", "MS1*CITY*NY*US", "MS2*SCAC*30402"],
    "810": ["BIG*DATE*INV1**PO1", "N1*RI*A*92*12", "ITD*01*3*2**10**30", "IT1*1*10*EA*5**VP*1", "TDS*5000", "SAC*C*D240***500", "CTT*1"],
    "812": ["BCD*DATE*CM1*M*5000*C**INV1", "N1*SE*A*92*12", "CDD*01*C*1*5000", "LIN**VP*1"],
    "820": ["BPR*C*100*C*ACH*CTX", "TRN*1*1", "N1*PR*A", "N1*PE*B", "ENT*1", "RMR*IV*INV1*PI*100*110*10", "DTM*003*DATE"],
    "824": ["BGN*00*1*DATE*1200", "OTI*TR*PO*PO1*ACME*SELLER*DATE*1200*1*0001*850", "REF*PO*PO1", "TED*007*NO SUCH ITEM", "NTE*GEN*ASK US"],
    "830": ["BFR*00*REL1**DL*A*DATE**DATE", "N1*ST*A*92*12", "LIN**BP*1", "UIT*EA", "ATH*FI*DATE", "FST*10*C*W*DATE", "FST*20*D*W*DATE", "CTT*1"],
    "832": ["BCT*PC*CAT1", "DTM*007*DATE", "CUR*SE*USD", "LIN*1*UP*012345678905", "PID*F****BOLT", "CTP**LPR*5*1*EA", "CTT*1"],
    "846": ["BIA*00*SI*REP1*DATE", "N1*WH*A*92*12", "LIN*1*VP*1", "QTY*33*500*EA", "LIN*2*VP*2", "QTY*33*0*EA", "CTT*2"],
    "850": ["BEG*00*SA*PO1**DATE", "CUR*BY*USD", "DTM*002*DATE", "N1*ST*A*92*12", "N3*STREET 1", "PO1*1*10*EA*5*PE*VP*1", "PID*F****BOLT", "CTT*1"],
    "855": ["BAK*00*AC*PO1*DATE", "PO1*1*10*EA*5**VP*1", "ACK*IA*10*EA*068*DATE", "CTT*1"],
    "856": ["BSN*00*SHP1*DATE*1200*0001", "DTM*011*DATE", "HL*1**S", "TD5**2*UPSN*M", "HL*2*1*O", "PRF*PO1", "HL*3*2*I", "LIN*1*VP*1", "SN1*1*5*EA"],
    "860": ["BCH*04*SA*PO1***DATE", "N1*ST*A*92*12", "POC*1*QD*10*5*EA*5**VP*1", "DTM*002*DATE", "POC*2*DI*5**EA", "CTT*2"],
    "861": ["BRA*RA1*DATE*00*1", "DTM*050*DATE", "RCD*1*10*EA*2*EA", "LIN**VP*1", "CTT*1"],
    "865": ["BCA*00*AC*PO1***DATE", "POC*1*QD*10*5*EA*5**VP*1", "ACK*IA*10*EA", "CTT*1"],
    "997": ["AK1*PO*1", "AK2*850*0001", "AK3*PO1*3*PO1*8", "AK4*4*212*5*1", "AK5*R*5", "AK9*R*1*1*0"],
    # until 003060 the shipment status had another structure
    "003060/214": ["B10*REF1*SHIP1*SCAC", "B2A*00", "LX*1", "Q5*X1*DATE*1200*LT", "N9*PO*PO1"],
    "999": ["AK1*PO*1*VERSION", "AK2*850*0001", "IK3*PO1*3*PO1*8", "IK4*4*212*5*1", "IK5*R*5", "AK9*R*1*1*0"],
}


def sent(spec: str, segments: list[str]) -> Transaction:
    version = spec.split("/")[1]
    date = "260105" if version < "004010" else "20260105"
    return transaction(spec, [segment.replace("DATE", date).replace("VERSION", version) for segment in segments])


def test_every_version_has_every_transaction() -> None:
    assert [spec for spec in known_specs(default_resolver()) if spec.startswith("x12/")] == sorted(SPECS)


@pytest.mark.parametrize("spec", SPECS)
def test_the_plan_says_what_it_is(spec: str) -> None:
    plan = load_schema(spec, default_resolver())
    _, version, kind = spec.split("/")
    assert (plan.version, plan.type, plan.group) == (version, kind.upper(), GROUPS[kind])
    assert plan.name


@pytest.mark.parametrize("spec", [spec for spec in SPECS if not spec.endswith("ta1")])
def test_an_ordinary_transaction_is_accepted(spec: str) -> None:
    _, version, kind = spec.split("/")
    checked = check(sent(spec, ORDINARY.get(f"{version}/{kind}") or ORDINARY[kind]), compiled(spec))
    assert checked.problems == [] and checked.accepted


ORDER = ["BEG*00*SA*PO1**DATE", "PO1*1*10*EA*5"]
INVOICE = ["BIG*DATE*INV1", "IT1*1*10*EA*5", "TDS*5000"]


def with_one(segments: list[str], at: int, segment: str) -> list[str]:
    return [*segments[:at], segment, *segments[at:]]


@pytest.mark.parametrize(
    ("kind", "segments", "last", "code"),
    [
        # what went: the last version that has it
        ("850", with_one(ORDER, 1, "NTE*GEN*TEXT"), "003060", "X12-SEGMENT-NOT-IN-TRANSACTION"),
        ("850", [*ORDER, "N9*L1*A", "MSG*TEXT"], "004010", "X12-SEGMENT-NOT-IN-TRANSACTION"),
        ("850", with_one(ORDER, 1, "LDT*AF*5*DA"), "007030", ""),
    ],
)
def test_what_a_later_version_has_no_more(kind: str, segments: list[str], last: str, code: str) -> None:
    for version in VERSIONS:
        codes = {problem.code for problem in check(sent(f"x12/{version}/{kind}", segments), compiled(f"x12/{version}/{kind}")).problems}
        assert codes == (set() if version <= last else {code}), version


@pytest.mark.parametrize(
    ("kind", "segments", "first", "code"),
    [
        ("850", [ORDER[0], "N9*L1*A", "DTM*002*DATE", ORDER[1]], "004010", "X12-SEGMENT-OUT-OF-ORDER"),
        ("850", [ORDER[0], "N9*L1*A", "MTX*GEN*TEXT", ORDER[1]], "004030", "X12-SEGMENT-UNEXPECTED X12-SEGMENT-NOT-IN-TRANSACTION"),
        ("850", [ORDER[0], "N1*ST*A", "IN2*18*A", ORDER[1]], "004030", "X12-SEGMENT-NOT-IN-TRANSACTION"),
        ("850", [ORDER[0], "N1*ST*A", "N4*CITY**1234*DE***BY", ORDER[1]], "004030", "X12-ELEMENTS-TOO-MANY"),
        ("850", [ORDER[0], f"REF*ZZ*{'X' * 40}", ORDER[1]], "004030", "X12-ELEMENT-TOO-LONG"),
        ("850", [ORDER[0], f"REF*ZZ*{'X' * 60}", ORDER[1]], "006020", "X12-ELEMENT-TOO-LONG"),
        ("850", [ORDER[0], f"N1*ST*{'X' * 50}", ORDER[1]], "004010", "X12-ELEMENT-TOO-LONG"),
        ("850", [ORDER[0], f"PO1*1*10*EA*5**VP*{'X' * 45}"], "004010", "X12-ELEMENT-TOO-LONG"),
        ("850", [ORDER[0], f"PO1*1*10*EA*5**VP*{'X' * 60}"], "006020", "X12-ELEMENT-TOO-LONG"),
        ("850", [ORDER[0], "PO1*1*1234567890*EA*5"], "004010", "X12-ELEMENT-TOO-LONG"),
        ("850", ["BEG*00*WT*PO1**DATE", ORDER[1]], "006020", "X12-ELEMENT-CODE"),
        ("850", ["BEG*00*SA*PO1**DATE*******01", ORDER[1]], "004010", "X12-ELEMENTS-TOO-MANY"),
        ("810", with_one(INVOICE, 1, "MTX*GEN*TEXT"), "006020", "X12-SEGMENT-NOT-IN-TRANSACTION"),
        ("810", [INVOICE[0], "IT1*1*12345678901*EA*5", INVOICE[2]], "005010", "X12-ELEMENT-TOO-LONG"),
        ("824", ["BGN*00*1*DATE", "OTI*TR*PO*PO1", "TED*007", "CTX*ORDER>1"], "005010", "X12-SEGMENT-UNKNOWN"),
        ("997", ["AK1*PO*1*VERSION", "AK9*A*1*1*1"], "005010", "X12-ELEMENTS-TOO-MANY"),
    ],
)
def test_what_an_earlier_version_does_not_have_yet(kind: str, segments: list[str], first: str, code: str) -> None:
    for version in VERSIONS:
        codes = {problem.code for problem in check(sent(f"x12/{version}/{kind}", segments), compiled(f"x12/{version}/{kind}")).problems}
        assert not codes if version >= first else len(codes) == 1 and codes <= set(code.split()), version


def test_dates_have_six_digits_until_003060() -> None:
    for version in VERSIONS:
        for date in ("260105", "20260105"):
            spec = f"x12/{version}/850"
            checked = check(transaction(spec, [f"BEG*00*SA*PO1**{date}", "PO1*1*10*EA*5"]), compiled(spec))
            assert checked.accepted is ((version == "003060") is (len(date) == 6)), (version, date)


def test_the_century_stood_beside_the_date_in_003060() -> None:
    assert (
        check(transaction("x12/003060/850", ["BEG*00*SA*PO1**260105", "DTM*002*260105***20", "PO1*1*1*EA"]), compiled("x12/003060/850")).problems
        == []
    )
    later = check(transaction("x12/004010/850", ["BEG*00*SA*PO1**20260105", "DTM*002*20260105***20", "PO1*1*1*EA"]), compiled("x12/004010/850"))
    assert not later.accepted


def test_the_interchange_acknowledgment_is_described() -> None:
    for version in VERSIONS:
        (advice,) = load_schema(f"x12/{version}/ta1", default_resolver()).root.children
        assert not isinstance(advice, LoopUse)
        assert [(one.id, one.type, one.min, one.max, one.mandatory) for one in advice.elements] == [
            ("I12", "N0", 9, 9, True),
            ("I08", "DT", 6, 6, True),
            ("I09", "TM", 4, 4, True),
            ("I17", "ID", 1, 1, True),
            ("I18", "ID", 3, 3, True),
        ]
        assert advice.elements[3].codes == {"A", "E", "R"}


#: the levels of a despatch advice as partners nest them
STRUCTURES = {
    "pick and pack": [("S", 0), ("O", 1), ("P", 2), ("I", 3), ("I", 3), ("P", 2), ("I", 6)],
    "standard pack": [("S", 0), ("O", 1), ("I", 2), ("P", 3), ("P", 3), ("I", 2), ("P", 6)],
    "tare and pack": [("S", 0), ("O", 1), ("T", 2), ("P", 3), ("I", 4), ("P", 3), ("I", 6)],
    "shipment, order, item": [("S", 0), ("O", 1), ("I", 2), ("I", 2)],
    "automotive": [("S", 0), ("T", 1), ("P", 2), ("O", 3), ("I", 4)],
    "kits": [("S", 0), ("O", 1), ("I", 2), ("K", 3), ("F", 4)],
}
LEVEL = {"S": ["TD5**2*UPSN*M", "N1*ST*A*92*12"], "O": ["PRF*PO1"], "P": ["MAN*GM*00012345678901234567"], "I": ["LIN*1*VP*1", "SN1*1*5*EA"]}


@pytest.mark.parametrize("structure", list(STRUCTURES))
@pytest.mark.parametrize("version", VERSIONS)
def test_a_despatch_advice_may_nest_its_levels_in_any_way(version: str, structure: str) -> None:
    segments = ["BSN*00*SHP1*DATE*1200"]
    for number, (level, parent) in enumerate(STRUCTURES[structure], 1):
        segments += [f"HL*{number}*{parent or ''}*{level}", *LEVEL.get(level, [])]
    checked = check(sent(f"x12/{version}/856", segments), compiled(f"x12/{version}/856"))
    assert checked.problems == []


@pytest.mark.parametrize(
    ("tag", "version", "code"),
    [
        ("W01*1*EA", "004010", "X12-SEGMENT-NOT-IN-TRANSACTION"),
        ("CLM*1*2", "003060", "X12-SEGMENT-NOT-IN-TRANSACTION"),
        ("FU1*1", "006020", "X12-SEGMENT-NOT-IN-TRANSACTION"),
        ("FU1*1", "005010", "X12-SEGMENT-UNKNOWN"),
        ("ZZ9*1", "007030", "X12-SEGMENT-UNKNOWN"),
    ],
)
def test_a_segment_of_another_transaction_is_not_unknown(tag: str, version: str, code: str) -> None:
    checked = check(sent(f"x12/{version}/850", [*ORDER, tag]), compiled(f"x12/{version}/850"))
    assert [problem.code for problem in checked.problems] == [code]
