"""What partners' acknowledgments say about what we sent."""

from gateway.codecs import choose
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Transaction
from gateway.exchange.acknowledgment import Acknowledged
from gateway.exchange.acknowledgment import AcknowledgmentPolicy
from gateway.exchange.acknowledgment import read_acknowledgment
from gateway.exchange.acknowledgment import read_advice
from tests.codecs.edi import ISA
from tests.codecs.edi import X12
from tests.exchange.answering import answered
from tests.exchange.answering import sent
from tests.exchange.test_acknowledgment_edifact import GOOD
from tests.exchange.test_acknowledgment_x12 import FIVE


def said(data: bytes) -> list[Acknowledged]:
    _, events = choose.read([data])
    return [one for event in events if isinstance(event, Transaction) for one in read_acknowledgment(event)]


def test_what_we_write_as_997_reads_as_it_was_meant() -> None:
    (made,) = answered(X12.replace("*EA*", "*E*").replace("GE*1*1", "GE*2*1"))
    transaction, group = said(sent(made))
    assert (transaction.level, transaction.type, transaction.control_number, transaction.group_control_number) == ("transaction", "850", "0001", "1")
    assert transaction.outcome == "rejected"
    assert transaction.notes == (
        "PO1 segment 4: AK304 8 (faults in its elements)",
        "element 3: AK403 4 (too short), 'E'",
        "AK502 5 (faults in segments)",
    )
    assert (group.level, group.control_number, group.outcome, group.notes) == ("group", "1", "rejected", ("AK905 5 (transaction count wrong)",))


def test_999_and_good_news() -> None:
    (made,) = answered(FIVE)
    assert [(one.level, one.outcome, one.notes) for one in said(sent(made))] == [("transaction", "accepted", ()), ("group", "accepted", ())]


def test_a_group_without_ak2_speaks_for_all_its_transactions() -> None:
    text = X12.replace(X12[X12.index("BEG") : X12.index("SE*6")], "AK1*PR*17~AK9*A*3*3*3~").replace("SE*6", "SE*4").replace("ST*850", "ST*997")
    assert said(text.encode()) == [Acknowledged(level="group", type="PR", control_number="17", outcome="accepted")]


def test_contrl_reads_as_it_was_meant() -> None:
    (made,) = answered(GOOD.replace("DTM+137:20260105", "DTM+137:20261305"), AcknowledgmentPolicy(which="CONTRL"))
    interchange, message = said(sent(made))
    assert (interchange.level, interchange.control_number, interchange.outcome) == ("interchange", "R1", "accepted")
    assert (message.level, message.type, message.control_number, message.outcome) == ("transaction", "ORDERS", "1", "rejected")
    assert message.notes[0] == "segment 3"
    assert message.notes[1].startswith("element 1/2: 0085 ")


def test_contrl_of_a_group_and_of_a_refused_interchange() -> None:
    text = "UNB+UNOC:3+A:14+B:14+260105:1200+1'UNH+1+CONTRL:D:3:UN'UCI+R1+B:14+A:14+4+26+UNB'"
    text += "UCF+G1+B+A+7'UCM+5+ORDERS:D:96A:UN+4+12'UCS+2+13'UNT+6+1'UNZ+1+1'"
    interchange, group, message = said(text.encode())
    assert (interchange.outcome, interchange.notes) == ("rejected", ("UCI 0085 26 (sent before)",))
    assert (group.level, group.control_number, group.outcome) == ("group", "G1", "accepted")
    assert (message.group_control_number, message.notes) == ("G1", ("UCM 0085 12 (invalid value)", "segment 2: 0085 13 (missing)"))


def test_ta1_is_read_from_the_head_of_its_interchange() -> None:
    _, events = choose.read([f"{ISA}TA1*000000050*260105*1200*R*025~TA1*000000051*260105*1200*A*000~IEA*0*000000001~".encode()])
    start = next(event for event in events if isinstance(event, InterchangeStart))
    assert [read_advice(segment) for segment in start.advice] == [
        Acknowledged(
            level="interchange", control_number="000000050", outcome="rejected", notes=("TA105 025 (control number used before)",), repeat=True
        ),
        Acknowledged(level="interchange", control_number="000000051", outcome="accepted"),
    ]
    assert read_advice(["TA1", "1"]) is None


def test_broken_acknowledgments_are_no_harm() -> None:
    for body in ("AK5~", "AK9~", "AK3~AK4~AK5*Q~", "AK1~AK2~AK9*A~", "IK4*x~"):
        said(X12.replace(X12[X12.index("BEG") : X12.index("SE*6")], body).replace("ST*850", "ST*997").encode())
    for body in ("UCI'", "UCD'", "UCM'UCD+12'", "UCS'", "UCI+1'UCD++x'"):
        said(f"UNB+UNOC:3+A+B+260105:1200+1'UNH+1+CONTRL:D:3:UN'{body}UNT+3+1'UNZ+1+1'".encode())
    assert said(X12.encode()) == []
