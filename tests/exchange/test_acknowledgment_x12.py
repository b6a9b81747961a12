"""997, 999 and TA1: real files, read and checked, answered, and the answer read back by our own reader and schema."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gateway.exchange.acknowledgment import AcknowledgmentPolicy
from gateway.exchange.acknowledgment import Answer
from gateway.exchange.acknowledgment import InterchangeResult
from gateway.exchange.acknowledgment import TransactionResult
from gateway.exchange.acknowledgment import answer
from gateway.exchange.acknowledgment_result import LISTED
from gateway.kinds import pipeline as pipeline_kinds
from gateway.problem import Place
from tests.codecs.edi import GS
from tests.codecs.edi import ISA
from tests.codecs.edi import ORDER
from tests.codecs.edi import X12
from tests.exchange.answering import answered
from tests.exchange.answering import bodies
from tests.exchange.answering import found_in
from tests.exchange.answering import lines
from tests.exchange.answering import read_back
from tests.exchange.answering import sent

SECOND = ORDER.replace("0001", "0002")
TWO = f"{ISA}{GS}{ORDER}{SECOND}GE*2*1~IEA*1*000000001~"
FIVE = X12.replace("*U*00401*", "*^*00501*").replace("004010", "005010")


def only(text: str, **policy: str) -> list[str]:
    """The one body of the one answer to a file."""
    made = answered(text, AcknowledgmentPolicy(**policy))  # type: ignore[arg-type]
    assert len(made) == 1
    (body,) = bodies(made)
    return lines(body)


def test_a_good_group_is_accepted_in_997() -> None:
    assert only(TWO) == ["AK1*PO*1", "AK2*850*0001", "AK5*A", "AK2*850*0002", "AK5*A", "AK9*A*2*2*2"]


def test_wrong_elements_are_named_with_position_reference_code_and_copy() -> None:
    bad = SECOND.replace("PO1*1*2*EA*3.50", "PO1*1*2*E*3.50****VP*" + "V" * 60)
    assert only(TWO.replace(SECOND, bad)) == [
        "AK1*PO*1",
        "AK2*850*0001",
        "AK5*A",
        "AK2*850*0002",
        "AK3*PO1*4*PO1*8",
        "AK4*3*355*4*E",
        f"AK4*9*234*5*{'V' * 60}",
        "AK5*R*5",
        "AK9*P*2*2*1",
    ]


def test_missing_and_unknown_segments_are_named_at_their_place() -> None:
    body = only(X12.replace("BEG*00*SA*PO1**20260105~", "XYZ*1~"))
    assert body[0] == "AK1*PO*1"
    assert "AK3*BEG*3**3" in body
    assert any(line.startswith("AK3*XYZ*2**") and line[-1] in "126" for line in body)
    assert body[-2:] == ["AK5*R*5", "AK9*R*1*1*0"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [("SE*6", "SE*7", "4"), ("SE*6*0001", "SE*6*0009", "3"), ("SE*6*0001~", "", "2"), ("ST*850*", "ST*999999*", "1*6"), ("ST*850*", "ST*812*", "1")],
)
def test_faults_of_the_transaction_itself_have_their_code(old: str, new: str, code: str) -> None:
    body = only(X12.replace(old, new))
    assert f"AK5*R*{code}" in body
    assert body[-1] == ("AK9*R*1*1*0*1" if code[0] == "1" else "AK9*R*1*1*0")


def test_a_truncated_file_is_answered() -> None:
    body = only(X12[: X12.index("CTT")])
    assert any(line.startswith("AK5*R*2") for line in body)
    assert body[-1] == "AK9*R*1*1*0*3"


@pytest.mark.parametrize(
    ("old", "new", "trailer"), [("GE*1*1", "GE*2*1", "AK9*E*2*1*1*5"), ("GE*1*1", "GE*1*2", "AK9*E*1*1*1*4"), ("GE*1*1~", "", "AK9*E*1*1*1*3")]
)
def test_faults_of_the_group_have_their_code_and_its_transactions_stand(old: str, new: str, trailer: str) -> None:
    assert only(X12.replace(old, new))[-1] == trailer


def test_duplicates_in_the_file_are_answered_at_their_level() -> None:
    body = only(TWO.replace("0002", "0001"))
    assert body[-3:] == ["AK2*850*0001", "AK5*R*23", "AK9*P*2*2*1"]
    twice = f"{ISA}{GS}{ORDER}GE*1*1~{GS}{ORDER}GE*1*1~IEA*2*000000001~"
    (made,) = answered(twice)
    assert [lines(body)[-1] for body in bodies([made])] == ["AK9*E*1*1*1*6", "AK9*E*1*1*1*6"]


def test_element_errors_may_be_accepted_with_a_note() -> None:
    bad = X12.replace("*EA*", "*E*")
    (made,) = answered(bad, accept_errors=True)
    (body,) = bodies([made])
    assert lines(body)[-2:] == ["AK5*E*5", "AK9*E*1*1*1"]
    assert made.outcome == "accepted_with_errors"


def test_a_component_is_named_within_its_element() -> None:
    (made,) = answered(
        X12.replace("CTT*1~", "PO4*1*1*EA~CTT*1~").replace("PO1*1*2*EA*3.50", "PO1*1*2*EA*3.50~MEA*PD*WT*1*LONG>1").replace("SE*6", "SE*8")
    )
    notes = [segment for segment in made.bodies[0] if segment[0] == "AK4"]
    assert notes
    assert notes[0][1] == ["4", "1"]
    assert read_back(sent(made))


def test_bad_values_that_cannot_be_sent_back_are_left_out() -> None:
    (made,) = answered(X12.replace("*EA*", "*E\x07*"))
    assert all(len(segment) < 5 or segment[4] == "" or segment[4].isprintable() for segment in made.bodies[0] if segment[0] == "AK4")
    assert read_back(sent(made))


def test_999_for_005010_with_its_own_segments() -> None:
    good = only(FIVE)
    assert good == ["AK1*PO*1*005010", "AK2*850*0001", "IK5*A", "AK9*A*1*1*1"]
    bad = only(FIVE.replace("*EA*", "*E*"))
    assert bad[2:6] == ["IK3*PO1*4*PO1*8", "CTX*BEG03>PO1", "IK4*3*355*4*E", "IK5*R*5"]
    (made,) = answered(FIVE)
    assert (made.type, made.version) == ("999", "005010")
    assert read_back(sent(made))[0].association == "005010X231A1"


def test_999_says_what_a_condition_depends_on() -> None:
    body = only(FIVE.replace("*3.50", "").replace("*92*0012", "*92"))
    position = next(number for number, line in enumerate(body) if line.startswith("IK4*") and "*2" in line)
    assert body[position + 1].startswith("CTX*SITUATIONAL TRIGGER*N1*3")


def test_policy_chooses_997_or_999_but_never_both() -> None:
    assert [made.type for made in answered(FIVE, AcknowledgmentPolicy(which="997"))] == ["997"]
    assert [made.type for made in answered(X12, AcknowledgmentPolicy(which="999"))] == ["999"]
    assert answered(X12, AcknowledgmentPolicy(which="999"))[0].version == "005010"
    assert answered(X12, AcknowledgmentPolicy(which="none")) == []
    assert answered(X12, AcknowledgmentPolicy(which="CONTRL")) == []


def test_on_error_only_what_is_wrong_is_answered() -> None:
    second = f"{GS.replace('*1*X', '*2*X')}{ORDER.replace('*EA*', '*E*')}GE*1*2~"
    (made,) = answered(X12.replace("IEA*1", f"{second}IEA*2"), AcknowledgmentPolicy(when="on_error"))
    assert [lines(body)[0] for body in bodies([made])] == ["AK1*PO*2"]
    assert answered(X12, AcknowledgmentPolicy(when="on_error")) == []


def test_groups_of_several_versions_get_answers_of_their_own() -> None:
    second = f"{GS.replace('*1*X', '*2*X').replace('004010', '005010')}{ORDER}GE*1*2~"
    made = answered(X12.replace("IEA*1", f"{second}IEA*2"))
    assert [(one.type, one.version) for one in made] == [("997", "004010"), ("999", "005010")]


def test_acknowledgments_are_never_acknowledged() -> None:
    for kind in ("997", "999"):
        text = X12.replace("GS*PO", "GS*FA").replace("ST*850", f"ST*{kind}").replace("*0*P*>~", "*1*P*>~")
        assert answered(text) == []
        assert answered(text.replace("GS*FA", "GS*PO").replace("*1*P*>~", "*0*P*>~")) == []
    advice = f"{ISA.replace('*0*P*', '*1*P*')}TA1*000000009*260105*1200*A*000~IEA*0*000000001~"
    assert not [made for made in answered(advice) if made.type != "TA1"]


def test_an_answer_of_ours_is_not_answered() -> None:
    (made,) = answered(X12)
    assert answered(sent(made).decode()) == []


WEIRD = st.text(st.characters(exclude_characters="*~>\r\n", max_codepoint=255), max_size=12)


@given(WEIRD, WEIRD, WEIRD, WEIRD, st.sampled_from(["004010", "005010", "004010VICS", "9", ""]))
@settings(max_examples=60, deadline=None)
def test_whatever_stands_in_the_headers_gets_an_answer_that_is_right(kind: str, number: str, group: str, control: str, version: str) -> None:
    body = ORDER.replace("850*0001", f"{kind}*{number}").replace("6*0001", f"6*{number}")
    head = f"GS*{group}*A*B*20260105*1200*{control}*X*{version}~"
    for made in answered(f"{ISA.replace('*0*P*>~', '*1*P*>~')}{head}{body}GE*1*{control}~IEA*1*000000001~"):
        read_back(sent(made))


# ---- TA1


def ta1(text: str, *, refused: bool = False, **policy: str) -> list[str]:
    made = [one for one in answered(text, AcknowledgmentPolicy(**policy), refused=refused) if one.type == "TA1"]  # type: ignore[arg-type]
    for one in made:
        assert not read_back(sent(one))
    return [line for one in made for body in one.bodies for line in lines(list(body))]


def test_ta1_is_sent_when_it_is_asked_for() -> None:
    asked = X12.replace("*0*P*>~", "*1*P*>~")
    assert ta1(X12) == []
    assert ta1(asked) == ["TA1*000000001*260105*1200*A*000"]
    assert ta1(asked, technical="never") == []
    assert ta1(X12, which="TA1") == ["TA1*000000001*260105*1200*A*000"]
    assert [made.type for made in answered(asked)] == ["TA1", "997"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("IEA*1*000000001", "IEA*1*000000002", "001"),
        ("IEA*1*", "IEA*2*", "021"),
        ("IEA*1*000000001~", "", "023"),
        ("GE*1*1~", "GE*1*1~N1*BY~", "024"),
    ],
)
def test_ta1_notes_faults_of_an_interchange_whose_groups_are_answered(old: str, new: str, code: str) -> None:
    asked = X12.replace("*0*P*>~", "*1*P*>~")
    assert ta1(asked.replace(old, new)) == [f"TA1*000000001*260105*1200*E*{code}"]


def test_a_refused_interchange_is_answered_by_ta1_alone() -> None:
    duplicate = pipeline_kinds.DUPLICATE_INTERCHANGE.at(Place(segment="ISA", element=13), "seen before")
    result = msgspec.structs.replace(found_in(X12), problems=(duplicate,), refused=True)
    (made,) = answer(result, AcknowledgmentPolicy())
    assert lines(list(made.bodies[0])) == ["TA1*000000001*260105*1200*R*025"]
    assert made.outcome == "rejected"
    assert answer(result, AcknowledgmentPolicy(technical="asked")) == []
    assert answer(result, AcknowledgmentPolicy(technical="never")) == []


def test_an_interchange_without_groups_that_is_wrong_is_refused() -> None:
    assert ta1(f"{ISA}N1*BY~IEA*0*000000001~") == ["TA1*000000001*260105*1200*R*024"]


# ---- values


def test_results_and_answers_survive_json() -> None:
    result = found_in(TWO.replace("*EA*", "*E*"))
    assert msgspec.json.decode(msgspec.json.encode(result), type=InterchangeResult) == result
    (made,) = answer(result, AcknowledgmentPolicy())
    again = msgspec.json.decode(msgspec.json.encode(made), type=Answer)
    assert sent(again) == sent(made)


def test_of_very_many_only_those_with_faults_are_named() -> None:
    result = found_in(X12)
    good = [TransactionResult(type="850", control_number=f"{number:04}", outcome="accepted") for number in range(1, LISTED + 1)]
    bad = TransactionResult(type="850", control_number="9999", outcome="rejected")
    group = msgspec.structs.replace(result.groups[0], transactions=(*good, bad), counted=LISTED + 1, declared=LISTED + 1)
    (made,) = answer(msgspec.structs.replace(result, groups=(group,)), AcknowledgmentPolicy())
    assert lines(list(made.bodies[0])) == ["AK1*PO*1", "AK2*850*9999", "AK5*R*5", f"AK9*P*{LISTED + 1}*{LISTED + 1}*{LISTED}"]


def test_an_empty_group_is_accepted_unless_it_should_have_had_something() -> None:
    assert only(f"{ISA}{GS}GE*0*1~IEA*1*000000001~") == ["AK1*PO*1", "AK9*A*0*0*0"]
    assert only(f"{ISA}{GS}GE*3*1~IEA*1*000000001~") == ["AK1*PO*1", "AK9*R*3*0*0*5"]
