"""Interchanges that we send: fixed widths, right counts, and our own reader has nothing against them."""

from datetime import UTC
from datetime import datetime

import pytest

from gateway.codecs import choose
from gateway.codecs.node import Delimiters
from gateway.codecs.node import Event
from gateway.codecs.node import GroupStart
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Segment
from gateway.codecs.node import Syntax
from gateway.exchange.envelope import Envelope
from gateway.exchange.envelope import Outgoing
from gateway.exchange.envelope import wrap
from tests.codecs.edi import problems
from tests.codecs.edi import transactions

AT = datetime(2026, 1, 5, 9, 5, tzinfo=UTC)
BODY: list[Segment] = [["BSN", "00", "S1", "20260105", "0905"], ["HL", "1", "", "S"]]
DESPATCH: list[Segment] = [["BGM", ["351"], ["S1"], ["9"]], ["FTX", ["AAI"], [""], [""], ["it's 3+4"]]]


def x12(**changes: object) -> Envelope:
    given = {"syntax": Syntax.X12, "sender": "ZZ:SELLERCO", "receiver": "01:123456789", "interchange_control": "42", "group_control": "7", "at": AT}
    return Envelope(**given | changes)  # type: ignore[arg-type]


def edifact(**changes: object) -> Envelope:
    given = {"syntax": Syntax.EDIFACT, "sender": "14:4012345500004", "receiver": "ZZZ:ACME", "interchange_control": "R42", "at": AT}
    return Envelope(**given | changes)  # type: ignore[arg-type]


def read(data: bytes) -> list[Event]:
    _, events = choose.read([data])
    found = list(events)
    assert not problems(found), problems(found)
    return found


def test_x12_is_padded_counted_and_numbered() -> None:
    outgoing = [Outgoing(type="856", control_number="1", body=BODY), Outgoing(type="856", control_number="2", body=BODY)]
    assert wrap(x12(), outgoing, line_end="\n").decode() == (
        "ISA*00*          *00*          *ZZ*SELLERCO       *01*123456789      *260105*0905*U*00401*000000042*0*P*>~\n"
        "GS*SH*SELLERCO*123456789*20260105*0905*7*X*004010~\n"
        "ST*856*0001~\nBSN*00*S1*20260105*0905~\nHL*1**S~\nSE*4*0001~\n"
        "ST*856*0002~\nBSN*00*S1*20260105*0905~\nHL*1**S~\nSE*4*0002~\n"
        "GE*2*7~\nIEA*1*000000042~\n"
    )
    read(wrap(x12(), outgoing))


def test_x12_flags_versions_and_group_parties() -> None:
    envelope = x12(version="005010", test=True, acknowledgment_requested=True, group_sender="ZZ:DEPT1", group_receiver="DEPT2")
    events = read(wrap(envelope, [Outgoing(type="856", control_number="1", body=BODY, association="005010X1")]))
    start, group = events[0], events[1]
    assert isinstance(start, InterchangeStart)
    assert isinstance(group, GroupStart)
    assert (start.sender, start.receiver, start.version, start.test, start.acknowledgment_requested) == (
        "ZZ:SELLERCO",
        "01:123456789",
        "00501",
        True,
        True,
    )
    assert start.delimiters == Delimiters(element="*", component=">", segment="~", repetition="^")
    assert (group.type, group.sender, group.receiver, group.version) == ("SH", "DEPT1", "DEPT2", "005010")
    assert transactions(events)[0].association == "005010X1"


@pytest.mark.parametrize("value", ["5 > 4", "a*b", "a~b", "*~>:<|^"])
def test_x12_delimiters_give_way_to_the_data(value: str) -> None:
    for version in ("004010", "005010"):
        data = wrap(
            x12(version=version), [Outgoing(type="810", control_number="1", body=[["PID", "F", "", "", "", value], ["MEA", "", "", "", ["KG", "2"]]])]
        )
        order = transactions(read(data))[0]
        assert order.segments[1][5] == value
        assert order.delimiters is not None
        assert order.segments[2][4] == f"KG{order.delimiters.component}2"


def test_x12_delimiters_that_were_agreed_are_kept_and_data_that_holds_one_is_refused() -> None:
    own = Delimiters(element="|", component=":", segment="\n")
    assert wrap(x12(delimiters=own), [Outgoing(type="856", control_number="1", body=BODY)]).startswith(b"ISA|00|")
    with pytest.raises(ValueError, match="PID segment 4, element 5: 'a|b' contains the delimiter"):
        wrap(x12(delimiters=own), [Outgoing(type="856", control_number="1", body=[["PID", "F", "", "", "", "a|b"]])])


def test_identities_and_numbers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="ISA06"):
        wrap(x12(sender="ZZ:" + "S" * 16), [])
    with pytest.raises(ValueError, match="ISA13"):
        wrap(x12(interchange_control="1234567890"), [])


@pytest.mark.parametrize(
    ("version", "date", "interchange"), [("003060", "260105", "00306"), ("004010", "20260105", "00401"), ("007030", "20260105", "00703")]
)
def test_the_date_of_a_group_has_the_digits_of_its_version(version: str, date: str, interchange: str) -> None:
    data = wrap(x12(version=version), [Outgoing(type="856", control_number="1", body=BODY)])
    assert f"*{date}*0905*7*X*{version}".encode() in data and f"*{interchange}*".encode() in data


def test_ta1_alone_has_no_group() -> None:
    data = wrap(x12(), [], advice=[["TA1", "000000001", "260105", "1200", "A", "000"]])
    start = read(data)[0]
    assert isinstance(start, InterchangeStart)
    assert start.advice == (["TA1", "000000001", "260105", "1200", "A", "000"],)


def test_edifact_is_counted_and_released() -> None:
    outgoing = [Outgoing(type="DESADV", control_number="1", body=DESPATCH, version="D96A", association="EAN005")]
    assert wrap(edifact(application_reference="DESADV"), outgoing, line_end="\n").decode() == (
        "UNB+UNOC:3+4012345500004:14+ACME:ZZZ+260105:0905+R42++DESADV'\n"
        "UNH+1+DESADV:D:96A:UN:EAN005'\nBGM+351+S1+9'\nFTX+AAI+++it?'s 3?+4'\nUNT+4+1'\n"
        "UNZ+1+R42'\n"
    )
    read(wrap(edifact(), outgoing))


def test_edifact_flags_and_syntax_4() -> None:
    outgoing = [Outgoing(type="DESADV", control_number="1", body=DESPATCH, version="d01b")]
    data = wrap(edifact(test=True, acknowledgment_requested=True, syntax_version="UNOY:4"), outgoing)
    assert data.startswith(b"UNB+UNOY:4+4012345500004:14+ACME:ZZZ+20260105:0905+R42++++1++1'UNH+1+DESADV:D:01B:UN'")
    start = read(data)[0]
    assert isinstance(start, InterchangeStart)
    assert (start.test, start.acknowledgment_requested) == (True, True)
    assert wrap(edifact(una=True), outgoing).startswith(b"UNA:+.? 'UNB+UNOC:3+")


def test_edifact_text_is_in_the_character_set_that_unb_names() -> None:
    for syntax, codec, text in (
        ("UNOC:3", "latin-1", "M\u00fcller"),
        ("UNOY:3", "utf-8", "\u0141\u00f3d\u017a"),
        ("UNOD:3", "iso8859-2", "\u0141\u00f3d\u017a"),
    ):
        body: list[Segment] = [["FTX", ["AAI"], [""], [""], [text]]]
        data = wrap(edifact(syntax_version=syntax), [Outgoing(type="DESADV", control_number="1", body=body, version="D96A")])
        assert text.encode(codec) in data
        assert transactions(read(data))[0].segments[1][4] == [text]
    with pytest.raises(ValueError, match="is no character of UNOA"):
        wrap(edifact(syntax_version="UNOA:3"), [Outgoing(type="DESADV", control_number="1", body=[["FTX", ["M\u00fcller"]]], version="D96A")])


def test_edifact_groups() -> None:
    envelope = edifact(group_type="DESADV", group_control="G1", group_sender="ZZ:DEPT1")
    outgoing = [Outgoing(type="DESADV", control_number=str(number), body=DESPATCH, version="D96A", association="EAN005") for number in (1, 2)]
    events = read(wrap(envelope, outgoing))
    group = events[1]
    assert isinstance(group, GroupStart)
    assert (group.type, group.sender, group.receiver, group.control_number, group.version) == ("DESADV", "ZZ:DEPT1", "ZZZ:ACME", "G1", "D96A")
    assert len(transactions(events)) == 2
