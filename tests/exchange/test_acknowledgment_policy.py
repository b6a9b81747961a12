"""What a partner's policy makes of the same findings: how many answers, in which delimiters and version, between whom."""

import msgspec
import pytest

from gateway.exchange.acknowledgment import AcknowledgmentPolicy
from gateway.exchange.acknowledgment import Policies
from gateway.exchange.acknowledgment import answer
from gateway.exchange.acknowledgment_keys import delimiters_fault
from gateway.exchange.acknowledgment_keys import version_fault
from gateway.exchange.acknowledgment_result import LISTED
from gateway.exchange.acknowledgment_result import TransactionResult
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

SECOND = ORDER.replace("0001", "0002").replace("*EA*", "*E*")
TWO = f"{ISA}{GS}{ORDER}{SECOND}GE*2*1~IEA*1*000000001~"
FIVE = X12.replace("*U*00401*", "*^*00501*").replace("004010", "005010")
UNB = "UNB+UNOC:3+1234567890128:14+4012345500004:14+260105:1200+R1'"
MESSAGE = (
    "UNH+1+ORDERS:D:96A:UN:EAN008'BGM+220+PO1+9'DTM+137:20260105:102'NAD+BY+1234567890128::9'NAD+SU+4012345500004::9'"
    "LIN+1++4012345500004:EN'QTY+21:12:PCE'UNS+S'UNT+9+1'"
)
OTHER = MESSAGE.replace("UNH+1", "UNH+2").replace("UNT+9+1", "UNT+9+2").replace("20260105:102", "20261305:102", 1)
BOTH = f"{UNB}{MESSAGE}{OTHER}UNZ+2+R1'"


def policy(**said: str) -> AcknowledgmentPolicy:
    return AcknowledgmentPolicy(**said)  # type: ignore[arg-type]  # words of the agreement


# ---- one for each group, or for each transaction


def test_each_transaction_gets_a_997_of_its_own() -> None:
    (made,) = answered(TWO, policy(by="transaction"))
    first, second = (lines(body) for body in bodies([made]))
    assert first == ["AK1*PO*1", "AK2*850*0001", "AK5*A", "AK9*A*1*1*1"]
    assert second == ["AK1*PO*1", "AK2*850*0002", "AK3*PO1*4*PO1*8", "AK4*3*355*4*E", "AK5*R*5", "AK9*R*1*1*0"]
    assert made.outcome == "partially_accepted"


def test_each_transaction_on_error_is_only_those_with_faults() -> None:
    (made,) = answered(TWO, policy(by="transaction", when="on_error"))
    assert [lines(body)[1] for body in bodies([made])] == ["AK2*850*0002"]
    assert answered(X12, policy(by="transaction", when="on_error")) == []


def test_faults_of_the_group_are_told_in_each_of_its_answers() -> None:
    (made,) = answered(TWO.replace("GE*2", "GE*3"), policy(by="transaction"))
    assert [lines(body)[-1] for body in bodies([made])] == ["AK9*E*1*1*1*5", "AK9*R*1*1*0*5"]


def test_an_empty_group_is_answered_as_a_group() -> None:
    (made,) = answered(f"{ISA}{GS}GE*0*1~IEA*1*000000001~", policy(by="transaction"))
    assert [lines(body) for body in bodies([made])] == [["AK1*PO*1", "AK9*A*0*0*0"]]


def test_none_of_very_many_is_left_out_when_each_has_its_own() -> None:
    result = found_in(X12)
    many = tuple(TransactionResult(type="850", control_number=f"{number:05}", outcome="accepted") for number in range(LISTED + 5))
    group = msgspec.structs.replace(result.groups[0], transactions=many, counted=len(many), declared=len(many))
    (made,) = answer(msgspec.structs.replace(result, groups=(group,)), policy(by="transaction"))
    assert len(made.bodies) == LISTED + 5


def test_each_message_gets_a_contrl_of_its_own() -> None:
    (made,) = answered(BOTH, policy(which="CONTRL", by="transaction"))
    first, second = (lines(body) for body in bodies([made]))
    assert first == ["UCI+R1+1234567890128:14+4012345500004:14+7", "UCM+1+ORDERS:D:96A:UN:EAN008+7"]
    assert second[:2] == ["UCI+R1+1234567890128:14+4012345500004:14+7", "UCM+2+ORDERS:D:96A:UN:EAN008+4"]
    assert second[2] == "UCS+3"


def test_a_message_in_a_group_is_answered_within_its_group() -> None:
    group = "UNG+ORDERS+GROUPER:ZZ+GROUPEE:ZZ+260105:1200+G1+UN+D:96A'"
    (made,) = answered(f"{UNB}{group}{MESSAGE}UNE+1+G1'UNZ+1+R1'", policy(which="CONTRL", by="transaction"))
    assert [line.split("+")[0] for line in lines(bodies([made])[0])] == ["UCI", "UCF", "UCM"]


# ---- policies by type


def test_groups_of_several_types_follow_the_agreement_of_each() -> None:
    advice = ORDER.replace("ST*850*0001", "ST*820*0001")
    text = X12.replace("IEA*1", f"{GS.replace('GS*PO', 'GS*RA').replace('*1*X', '*2*X')}{advice}GE*1*2~IEA*2")
    policies = Policies(AcknowledgmentPolicy(), {"850": policy(which="997"), "820": policy(which="none")})
    (made,) = answer(found_in(text), policies)
    assert [lines(body)[0] for body in bodies([made])] == ["AK1*PO*1"]
    both = answer(found_in(text), Policies(AcknowledgmentPolicy(), {"820": policy(which="999")}))
    assert [(one.type, one.version) for one in both] == [("997", "004010"), ("999", "005010")]
    assert [one.number for one in both] == [1, 2]


def test_acknowledgments_among_others_are_left_out() -> None:
    mixed = TWO.replace(SECOND, "ST*997*0002~AK1*PO*7~AK9*A*1*1*1~SE*4*0002~")
    (made,) = answered(mixed)
    assert [line for line in lines(bodies([made])[0]) if line.startswith("AK2")] == ["AK2*850*0001"]


# ---- form: delimiters, versions, parties


def test_the_answer_is_cut_as_the_file_was() -> None:
    text = TWO.replace("*", "|").replace("~", "\n")
    assert sent(answered(TWO)[0]).startswith(b"ISA*")
    data = sent(answered(text, policy(delimiters="received"))[0])
    assert data.startswith(b"ISA|00|")
    assert data.endswith(b"IEA|1|000000009\n")
    assert read_back(data)


def test_delimiters_may_be_set() -> None:
    data = sent(answered(TWO, policy(delimiters="|:\n^"))[0])
    assert b"|U|00401|" in data
    assert read_back(data)
    five = sent(answered(FIVE, policy(delimiters="|:\n^"))[0])
    assert b"|^|00501|" in five
    assert read_back(five)


def test_copies_do_not_hold_what_cuts_the_answer() -> None:
    text = TWO.replace("PO1*1*2*E*3.50", "PO1*1*2*E+$*3.50")
    (made,) = answered(text, policy(delimiters="+:$"))
    data = sent(made)
    (transaction,) = read_back(data)
    assert ["AK4", "3", "355", "5", "E??"] in transaction.segments


def test_names_of_parties_do_not_cut_the_answer_either() -> None:
    text = X12.replace("ACMEBUYER      ", "ACME|BUYER     ").replace("*ACMEBUYER*", "*ACME|BUYER*")
    (made,) = answered(text, policy(delimiters="|:~"))
    assert read_back(sent(made))
    assert b"ACME?BUYER" in sent(made)


def test_contrl_in_the_delimiters_of_the_file_or_of_the_agreement() -> None:
    text = "UNA*|.? ~" + BOTH.replace("+", "|").replace(":", "*").replace("'", "~")
    data = sent(answered(text, policy(which="CONTRL", delimiters="received"))[0])
    assert data.startswith(b"UNA*|.? ~UNB|UNOC*3|")
    assert read_back(data)
    assert sent(answered(text, policy(which="CONTRL"))[0]).startswith(b"UNB+UNOC:3+")
    assert sent(answered(BOTH, policy(which="CONTRL", delimiters="*|.? ~"))[0]).startswith(b"UNA*|.? ~UNB|")


def test_without_release_character_data_is_replaced() -> None:
    text = BOTH.replace("R1'", "R|1'").replace("UNZ+2+R1", "UNZ+2+R|1")
    data = sent(answered(text, policy(which="CONTRL", delimiters="*|.  ~"))[0])
    assert b"R?1" in data
    assert read_back(data)


@pytest.mark.parametrize(
    ("received", "agreed", "syntax", "message"),
    [
        ("UNOA:1", "", "UNOA:1", "D:3"),
        ("UNOB:2", "", "UNOB:2", "D:3"),
        ("UNOC:3", "", "UNOC:3", "D:3"),
        ("UNOY:4", "", "UNOY:4", "4:1"),
        ("UNOC:3", "UNOC:4", "UNOC:4", "4:1"),
        ("UNOC:4", "UNOA:2", "UNOA:2", "D:3"),
        ("KECA:3", "", "UNOC:3", "D:3"),
        ("UNOC:9", "", "UNOC:3", "D:3"),
    ],
)
def test_contrl_is_of_the_syntax_that_came_or_was_agreed(received: str, agreed: str, syntax: str, message: str) -> None:
    date = "+20260105" if received.endswith("4") else "+260105"
    text = BOTH.replace("UNOC:3", received).replace("+260105", date)
    data = sent(answered(text, policy(which="CONTRL", version=agreed))[0]).decode()
    assert f"UNB+{syntax}+" in data
    assert f"+CONTRL:{message}:UN'" in data
    assert read_back(data.encode())


def test_a_version_may_be_set() -> None:
    (made,) = answered(FIVE, policy(which="997", version="004010"))
    data = sent(made).decode()
    assert "*U*00401*" in data
    assert "*X*004010~" in data
    assert read_back(data.encode())
    (newer,) = answered(X12, policy(version="005010"))
    assert (newer.type, newer.version) == ("999", "005010")


def test_the_answer_keeps_the_interchange_version_that_came() -> None:
    text = X12.replace("*U*00401*", "*U*00305*")
    assert b"*U*00305*" in sent(answered(text)[0])
    assert read_back(sent(answered(text)[0]))


def test_the_answer_goes_back_between_the_identities_that_were_named() -> None:
    text = (
        X12.replace("*ZZ*ACMEBUYER ", "*01*123456789 ")
        .replace("*ZZ*SELLERCO ", "*12*SELLERTWO")
        .replace("GS*PO*ACMEBUYER*SELLERCO", "GS*PO*ACMEDEPT7*SELLERX")
    )
    data = sent(answered(text)[0]).decode()
    assert "*12*SELLERTWO      *01*123456789 " in data
    assert "GS*FA*SELLERX*ACMEDEPT7*" in data
    assert read_back(data.encode())


def test_groups_of_several_departments_are_answered_to_each() -> None:
    second = f"{GS.replace('*1*X', '*2*X').replace('ACMEBUYER', 'ACMEDEPT7')}{ORDER}GE*1*2~"
    made = answered(X12.replace("IEA*1", f"{second}IEA*2"))
    assert [one.group_receiver for one in made] == ["ACMEBUYER", "ACMEDEPT7"]
    assert [one.number for one in made] == [1, 2]


def test_a_short_qualifier_comes_back_as_it_was_sent() -> None:
    text = X12.replace("*ZZ*ACMEBUYER ", "*2 *ACMEBUYER ")
    assert b"*2 *ACMEBUYER " in sent(answered(text)[0])


# ---- interchanges


def test_an_interchange_may_always_or_never_be_answered() -> None:
    assert [made.type for made in answered(X12, policy(technical="always"))] == ["TA1", "997"]
    assert [made.type for made in answered(X12.replace("*0*P*>~", "*1*P*>~"), policy(technical="never"))] == ["997"]
    assert [made.type for made in answered(BOTH, policy(technical="always"))] == ["CONTRL"]


def test_a_receipt_alone_is_action_8() -> None:
    asked = BOTH.replace("+R1'", "+R1++++2'", 1)
    (made,) = answered(asked)
    assert lines(bodies([made])[0]) == ["UCI+R1+1234567890128:14+4012345500004:14+8"]
    assert lines(bodies(answered(asked, policy(which="CONTRL")))[0])[0].endswith("+7")


# ---- words of the agreement


@pytest.mark.parametrize(("text", "syntax"), [("received", "x12"), ("*>~", "x12"), ("*>~^", "x12"), (":+.? '", "edifact"), (":+,?*'", "edifact")])
def test_delimiters_that_can_be_agreed(text: str, syntax: str) -> None:
    assert delimiters_fault(text, syntax) == ""


@pytest.mark.parametrize(
    ("text", "syntax"),
    [("*>", "x12"), ("**~", "x12"), ("*A~", "x12"), ("* ~", "x12"), (":+'", "edifact"), (":+.?+'", "edifact"), ("as received", "x12")],
)
def test_delimiters_that_cannot(text: str, syntax: str) -> None:
    assert "is no set of delimiters" in delimiters_fault(text, syntax)


def test_versions_are_checked_by_syntax() -> None:
    assert version_fault("004010", "x12") == version_fault("UNOC:4", "edifact") == ""
    assert "like 004010" in version_fault("4010", "x12")
    assert "UNOA:2" in version_fault("3", "edifact")
