"""Answers to what nobody should send: floods, garbage, values that break answers, mixed versions; and what users complain of elsewhere."""

import random
import time

import msgspec
import pytest

from gateway.codecs import choose
from gateway.codecs.node import GroupStart
from gateway.codecs.node import InterchangeStart
from gateway.exchange.acknowledgment import AcknowledgmentPolicy
from gateway.exchange.acknowledgment import answer
from gateway.exchange.acknowledgment_result import MOST_NOTES
from gateway.kinds import edifact
from gateway.kinds import x12
from gateway.pipeline.reading.payload import stateless
from gateway.pipeline.stateless.acknowledging_files import acknowledge_file
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
from tests.machine import is_quick
from tests.ready_made import shipped_plans

FIVE = X12.replace("*U*00401*", "*^*00501*").replace("004010", "005010")
UNB = "UNB+UNOC:3+1234567890128:14+4012345500004:14+260105:1200+R1'"
MESSAGE = (
    "UNH+1+ORDERS:D:96A:UN:EAN008'BGM+220+PO1+9'DTM+137:20260105:102'NAD+BY+1234567890128::9'NAD+SU+4012345500004::9'"
    "LIN+1++4012345500004:EN'QTY+21:12:PCE'UNS+S'UNT+9+1'"
)
CONTRL = AcknowledgmentPolicy(which="CONTRL")
PLANS = shipped_plans()


def only(text: str, policy: AcknowledgmentPolicy | None = None) -> list[str]:
    (made,) = answered(text, policy)
    (body,) = bodies([made])
    return lines(body)


def file_answered(data: bytes, wanted: str | None = None) -> bytes:
    """As `gateway ack` answers a file."""
    made = acknowledge_file([data], PLANS, stateless(PLANS), wanted)  # type: ignore[arg-type]  # as the command has looked at it
    assert made is not None
    return made.data


# ---- floods


def test_a_hundred_thousand_errors_make_a_bounded_answer_whose_counts_are_right() -> None:
    result = found_in(X12)
    transaction = result.groups[0].transactions[0]
    flood = tuple(
        x12.ELEMENT_CODE.at(Place(segment="PO1", index=2 + number // 3, element=3, element_reference="355"), "x", found="QQ", expected="a unit")
        for number in range(100_000)
    )
    group = msgspec.structs.replace(result.groups[0], transactions=(msgspec.structs.replace(transaction, outcome="rejected", problems=flood),))
    started = time.process_time()
    (made,) = answer(msgspec.structs.replace(result, groups=(group,)), AcknowledgmentPolicy())
    assert is_quick(time.process_time() - started, 3)
    tags = [segment[0] for segment in made.bodies[0]]
    assert tags.count("AK3") == MOST_NOTES
    assert tags.count("AK4") == 3 * MOST_NOTES
    assert made.bodies[0][-1] == ["AK9", "R", "1", "1", "0"]
    (transaction_read,) = read_back(sent(made))
    assert transaction_read.segments[-1][1] == str(len(transaction_read.segments))


def test_a_flood_in_one_segment_is_bounded_too() -> None:
    result = found_in(X12)
    transaction = result.groups[0].transactions[0]
    flood = tuple(x12.ELEMENT_CODE.at(Place(segment="PO1", index=4, element=1 + number % 20), "x", found="Q") for number in range(5000))
    group = msgspec.structs.replace(result.groups[0], transactions=(msgspec.structs.replace(transaction, outcome="rejected", problems=flood),))
    (made,) = answer(msgspec.structs.replace(result, groups=(group,)), AcknowledgmentPolicy())
    assert sum(segment[0] == "AK4" for segment in made.bodies[0]) == 99
    assert read_back(sent(made))


def test_a_file_with_a_hundred_thousand_bad_lines_is_answered_quickly() -> None:
    body = "".join(f"PO1*{number}*TEN*EA*1~" for number in range(100_000))
    text = f"{ISA}{GS}ST*850*0001~BEG*00*SA*PO1**20260105~{body}SE*100003*0001~GE*1*1~IEA*1*000000001~"
    data = file_answered(text.encode())
    assert data.count(b"~AK3*") == MOST_NOTES
    assert b"~AK5*R*5~AK9*R*1*1*0~" in data


def test_a_contrl_is_bounded_likewise() -> None:
    result = found_in(f"{UNB}{MESSAGE}UNZ+1+R1'")
    message = result.transactions[0]
    flood = tuple(
        edifact.ELEMENT_CODE.at(Place(segment="QTY", index=2 + number // 500, element=1, component=2), "x", found="Q") for number in range(100_000)
    )
    (made,) = answer(msgspec.structs.replace(result, transactions=(msgspec.structs.replace(message, outcome="rejected", problems=flood),)), CONTRL)
    tags = [segment[0] for segment in made.bodies[0]]
    assert tags.count("UCS") == MOST_NOTES
    assert tags.count("UCD") <= 99 * MOST_NOTES
    assert read_back(sent(made))


# ---- places


def test_segments_are_counted_from_st_and_name_the_place_where_something_is_missing() -> None:
    body = only(X12.replace("N1*BY*ACME CORP*92*0012~", "N1*BY*ACME CORP*92*0012~QQQ*1~").replace("SE*6", "SE*7"))
    assert "AK3*QQQ*4**1" in body
    assert "AK3*BEG*2**3" in only(X12.replace("BEG*00*SA*PO1**20260105~", "").replace("SE*6", "SE*5"))


def test_a_segment_in_a_loop_names_the_loop() -> None:
    body = only(X12.replace("*92*0012~", "*92*0012~N3*12 MAIN ST*B*C~").replace("SE*6", "SE*7"))
    assert [line for line in body if line.startswith("AK3*N")] == ["AK3*N3*4*N1*8"]


def test_positions_name_component_and_repetition() -> None:
    text = FIVE.replace("N1*BY", "REF*DP*1**CT>9>Q>8~N1*BY").replace("SE*6", "SE*7")
    (made,) = answered(text)
    positions = [segment[1] for segment in made.bodies[0] if segment[0] == "IK4"]
    assert ["4", "3"] in positions
    assert b"IK4*4>3*" in sent(made) or b"IK4*4:3*" in sent(made)


# ---- values


@pytest.mark.parametrize(
    ("value", "copied"),
    [
        ("V" * 150, "V" * 99),
        ("A~B", "A?B"),
        ("A*B", "A?B"),
        ("Müller", "M?ller"),
        ("A\x00\x01\x02", ""),
        ("\x1b[31m", "?[31m"),
        ("  X  ", "X"),
        ("", ""),
    ],
)
def test_copies_of_bad_values_are_cut_and_made_harmless(value: str, copied: str) -> None:
    result = found_in(X12)
    transaction = result.groups[0].transactions[0]
    problem = x12.ELEMENT_CODE.at(Place(segment="PO1", index=4, element=3, element_reference="355"), "x", found=value, expected="a unit")
    group = msgspec.structs.replace(result.groups[0], transactions=(msgspec.structs.replace(transaction, outcome="rejected", problems=(problem,)),))
    (made,) = answer(msgspec.structs.replace(result, groups=(group,)), AcknowledgmentPolicy())
    (note,) = [segment for segment in made.bodies[0] if segment[0] == "AK4"]
    assert (note[4] if len(note) > 4 else "") == copied
    assert read_back(sent(made))


def test_counts_are_no_copies_of_bad_values() -> None:
    body = only(X12.replace("CTT*1~", "CTT*1*2*3*LB*5*CF*7*8*9~"))
    assert any(line == "AK4*8**3" for line in body), body


def test_binary_garbage_inside_of_an_order_is_answered() -> None:
    noise = random.Random(7)
    for _ in range(30):
        garbage = bytes(noise.choice([one for one in range(256) if one not in b"~"]) for _ in range(60))
        data = X12.encode().replace(b"ACME CORP", garbage.replace(b"*", b"x"))
        assert b"AK9*" in file_answered(data)
        message = f"{UNB}{MESSAGE}UNZ+1+R1'".encode().replace(b"PO1", garbage.replace(b"'", b"x").replace(b"+", b"x"), 1)
        assert b"UCI+R1+" in file_answered(message, "CONTRL")


# ---- groups and versions


def test_versions_and_types_may_be_mixed_in_one_interchange() -> None:
    newer = f"{GS.replace('*1*X', '*2*X').replace('004010', '005010')}{ORDER}GE*1*2~"
    older = f"{GS.replace('*1*X', '*3*X').replace('004010', '003040')}{ORDER}GE*1*3~"
    data = file_answered(X12.replace("IEA*1", f"{newer}{older}IEA*3").encode())
    _, events = choose.read([data])
    groups = [event for event in events if isinstance(event, GroupStart)]
    assert [(group.type, group.version) for group in groups] == [("FA", "004010"), ("FA", "005010X231A1"), ("FA", "003040")]
    assert data.count(b"ST*997*") == 2
    assert data.count(b"ST*999*") == 1


def test_a_999_repeats_the_guide_of_the_transaction() -> None:
    text = FIVE.replace("ST*850*0001~", "ST*850*0001*005010X999~").replace("*X*005010~", "*X*005010X999~")
    assert only(text)[:2] == ["AK1*PO*1*005010X999", "AK2*850*0001*005010X999"]


def test_a_999_names_the_document_and_what_a_condition_depends_on() -> None:
    body = only(FIVE.replace("*92*0012", "*92"))
    at = body.index("IK3*N1*3*N1*8")
    assert "BEG03" in body[at + 1] and "PO1" in body[at + 1]
    assert body[at + 2].startswith("IK4*4*67*2")
    assert body[at + 3].startswith("CTX*SITUATIONAL TRIGGER*N1*3*N1*3")


def test_a_refused_interchange_gets_a_ta1_and_nothing_else() -> None:
    result = found_in(X12.replace("*0*P*>~", "*1*P*>~"))
    duplicate = x12.ISA_DUPLICATE.at(Place(segment="ISA", element=13), "seen before")
    made = answer(msgspec.structs.replace(result, refused=True, problems=(duplicate,)), AcknowledgmentPolicy())
    assert [one.type for one in made] == ["TA1"]


# ---- what users complain of elsewhere (facts/edi.md 6: 7, 8, 9, 13)


def test_the_answer_takes_its_isa_values_from_the_file() -> None:
    """7: bots#20: a 997 that cannot take the ISA values of the inbound file."""
    text = X12.replace("*ZZ*ACMEBUYER  ", "*08*ACMEBUYERX ").replace("*U*00401*", "*U*00400*").replace("*0*P*>~", "*0*T*>~")
    (start,) = [event for event in choose.read([file_answered(text.encode())])[1] if isinstance(event, InterchangeStart)]
    assert (start.sender, start.receiver, start.version, start.test) == ("ZZ:SELLERCO", "08:ACMEBUYERX", "00400", True)


def test_a_ta1_is_made_where_it_is_asked_for() -> None:
    """7: pyx12#121: no TA1."""
    assert b"TA1*000000001*260105*1200*A*000~" in file_answered(X12.replace("*0*P*>~", "*1*P*>~").encode())


def test_a_ta1_before_the_groups_keeps_nothing_from_being_read_or_answered() -> None:
    """8: TA1 before GS breaks reading of 997 and 999."""
    text = X12.replace("GS*PO", "TA1*000000009*260105*1200*A*000~GS*PO", 1)
    assert b"AK9*A*1*1*1~" in file_answered(text.encode())


@pytest.mark.parametrize("kind", ["990", "270", "XYZ"])
def test_what_has_no_description_is_still_answered_with_a_known_code(kind: str) -> None:
    """9: 999 always rejects with an unknown code; no map, abort and no 999."""
    text = FIVE.replace("ST*850*", f"ST*{kind}*")
    data = file_answered(text.encode())
    assert b"~IK5*R*" in data
    code = data.partition(b"~IK5*R*")[2].partition(b"~")[0].decode().split("*")
    assert set(code) <= {"1", "6"}
    assert b"~IK5*A~" in file_answered(FIVE.encode())


def test_sender_and_receiver_are_exchanged_with_their_qualifiers() -> None:
    """13: sender and receiver swapped wrongly; qualifier 2 against 02."""
    text = X12.replace("*ZZ*ACMEBUYER ", "*2 *ACMEBUYER ").replace("*ZZ*SELLERCO ", "*02*SELLERCO ")
    data = file_answered(text.encode())
    assert data.startswith(b"ISA*00*          *00*          *02*SELLERCO       *2 *ACMEBUYER      *")
    message = f"{UNB}{MESSAGE}UNZ+1+R1'".replace("1234567890128:14+4012345500004:14", "ACME+SELLER:ZZ", 1)
    assert b"+SELLER:ZZ+ACME+" in file_answered(message.encode(), "CONTRL")
