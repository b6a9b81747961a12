"""CONTRL: real files, read and checked, answered, and the answer read back by our own reader and schema."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gateway.exchange.acknowledgment import AcknowledgmentPolicy
from gateway.exchange.acknowledgment import answer
from gateway.kinds import pipeline as pipeline_kinds
from gateway.problem import Place
from tests.exchange.answering import answered
from tests.exchange.answering import bodies
from tests.exchange.answering import found_in
from tests.exchange.answering import lines
from tests.exchange.answering import read_back
from tests.exchange.answering import sent

UNB = "UNB+UNOC:3+1234567890128:14+4012345500004:14+260105:1200+R1'"
MESSAGE = (
    "UNH+1+ORDERS:D:96A:UN:EAN008'BGM+220+PO1+9'DTM+137:20260105:102'NAD+BY+1234567890128::9'NAD+SU+4012345500004::9'"
    "LIN+1++4012345500004:EN'QTY+21:12:PCE'UNS+S'UNT+9+1'"
)
SECOND = MESSAGE.replace("UNH+1", "UNH+2").replace("UNT+9+1", "UNT+9+2")
GOOD = f"{UNB}{MESSAGE}UNZ+1+R1'"
TWO = f"{UNB}{MESSAGE}{SECOND}UNZ+2+R1'"
CONTRL = AcknowledgmentPolicy(which="CONTRL")
UCI = "UCI+R1+1234567890128:14+4012345500004:14"
UCM = "UCM+{}+ORDERS:D:96A:UN:EAN008"


def only(text: str, policy: AcknowledgmentPolicy = CONTRL) -> list[str]:
    """The one body of the one answer to a file."""
    made = answered(text, policy)
    assert [one.type for one in made] == ["CONTRL"]
    (body,) = bodies(made)
    return lines(body)


def test_a_good_interchange_is_acknowledged_with_action_7() -> None:
    assert only(GOOD) == [f"{UCI}+7", f"{UCM.format(1)}+7"]


def test_contrl_is_of_the_syntax_that_it_answers() -> None:
    (three,) = answered(GOOD, CONTRL)
    assert b"UNH+1+CONTRL:D:3:UN'" in sent(three)
    (four,) = answered(GOOD.replace("UNOC:3", "UNOC:4").replace("+260105", "+20260105"), CONTRL)
    assert b"UNH+1+CONTRL:4:1:UN'" in sent(four)
    assert b"UNB+UNOC:4+4012345500004:14+1234567890128:14+20260105:1200+9'" in sent(four)
    assert read_back(sent(three))
    assert read_back(sent(four))


def test_wrong_elements_are_named_with_positions_that_count_the_tag() -> None:
    body = only(TWO.replace("DTM+137:20260105:102'NAD+BY", "DTM+137:20261305:102'NAD+BY", 1))
    assert body[0] == f"{UCI}+7"
    assert body[1] == f"{UCM.format(1)}+4"
    assert body[2] == "UCS+3"
    assert body[3].startswith("UCD+")
    assert body[3].endswith("+2:2")
    assert body[4] == f"{UCM.format(2)}+7"


def test_missing_segments_are_named_at_their_place() -> None:
    body = only(GOOD.replace("BGM+220+PO1+9'", "").replace("UNT+9", "UNT+8"))
    assert body[1] == f"{UCM.format(1)}+4"
    assert body[2] in {"UCS+2+13", "UCS+1+13"}


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [("UNT+9+1", "UNT+8+1", "29+UNT+2"), ("UNT+9+1", "UNT+9+5", "28+UNT+3"), ("UNT+9+1'", "", "13+"), ("ORDERS:D:96A", "FOOBAR:D:96A", "17+UNH")],
)
def test_faults_of_the_message_itself_name_header_or_trailer(old: str, new: str, fault: str) -> None:
    body = only(GOOD.replace(old, new))
    assert f"+4+{fault}" in body[1]


@pytest.mark.parametrize(
    ("old", "new", "fault"), [("UNZ+1+R1", "UNZ+2+R1", "+7+29+UNZ+2"), ("UNZ+1+R1", "UNZ+1+R2", "+7+28+UNZ+3"), ("UNZ+1+R1'", "", "+7+13+UNB")]
)
def test_faults_of_the_interchange_are_told_in_uci(old: str, new: str, fault: str) -> None:
    assert only(GOOD.replace(old, new))[0] == UCI + fault


def test_a_refused_interchange_gets_action_4_and_no_word_on_its_messages() -> None:
    duplicate = pipeline_kinds.DUPLICATE_INTERCHANGE.at(Place(segment="UNB", element=5), "seen before")
    result = msgspec.structs.replace(found_in(GOOD), problems=(duplicate,), refused=True)
    for policy in (CONTRL, AcknowledgmentPolicy()):
        (made,) = answer(result, policy)
        assert lines(bodies([made])[0]) == [f"{UCI}+4+26+UNB+6"]
        assert made.outcome == "rejected"
    assert answer(result, AcknowledgmentPolicy(technical="asked")) == []


def test_groups_are_answered_by_ucf() -> None:
    group = "UNG+ORDERS+GROUPER:ZZ+GROUPEE:ZZ+260105:1200+G1+UN+D:96A'"
    good = f"{UNB}{group}{MESSAGE}UNE+1+G1'UNZ+1+R1'"
    assert only(good) == [f"{UCI}+7", "UCF+G1+GROUPER:ZZ+GROUPEE:ZZ+7", f"{UCM.format(1)}+7"]
    assert only(good.replace("UNE+1", "UNE+2"))[1] == "UCF+G1+GROUPER:ZZ+GROUPEE:ZZ+7+29+UNE+2"
    assert only(good.replace("BGM+220+PO1+9'", ""))[1] == "UCF+G1+GROUPER:ZZ+GROUPEE:ZZ+4"


def test_contrl_is_sent_by_agreement_or_when_it_is_asked_for() -> None:
    asked = GOOD.replace("+R1'", "+R1++++1'", 1)
    assert answered(GOOD) == []
    assert len(answered(asked)) == 1
    assert answered(asked, AcknowledgmentPolicy(technical="never")) == []
    assert answered(asked, AcknowledgmentPolicy(which="none")) == []
    assert answered(GOOD, AcknowledgmentPolicy(which="CONTRL", when="on_error")) == []
    assert len(answered(GOOD.replace("UNT+9", "UNT+8"), AcknowledgmentPolicy(which="CONTRL", when="on_error"))) == 1


def test_a_contrl_is_never_acknowledged() -> None:
    (made,) = answered(GOOD, CONTRL)
    assert answered(sent(made).decode(), CONTRL) == []
    mixed = GOOD.replace("UNZ+1", "UNH+9+CONTRL:D:3:UN'UCI+X+A+B+7'UNT+3+9'UNZ+2")
    assert only(mixed) == [f"{UCI}+7", f"{UCM.format(1)}+7"]


def test_sizes_are_bounded() -> None:
    bad = GOOD.replace("DTM+137:20260105:102'", "DTM+137:20261305:102'" * 300)
    (made,) = answered(bad, CONTRL)
    assert sum(segment[0] == "UCS" for segment in made.bodies[0]) <= 99


WEIRD = st.text(st.characters(exclude_characters="+:'?\r\n", max_codepoint=255, exclude_categories=["Cc"]), max_size=20)


@given(WEIRD, WEIRD, WEIRD, WEIRD)
@settings(max_examples=60, deadline=None)
def test_whatever_stands_in_the_headers_gets_an_answer_that_is_right(kind: str, number: str, reference: str, version: str) -> None:
    text = GOOD.replace("UNH+1+ORDERS:D:96A", f"UNH+{number}+{kind}:{version}:96A").replace("R1", reference)
    for made in answered(text, CONTRL):
        read_back(sent(made))
