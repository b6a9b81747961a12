"""Our own answers: checked before they are kept, replaced where they do not pass, and refusals to senders whom nobody knows."""

from pathlib import Path

import pytest

from gateway.exchange.partner import load_partner
from gateway.kinds import partner as partner_kinds
from gateway.kinds import pipeline as kinds
from gateway.store import journal
from gateway.store.incoming import interchanges
from gateway.yaml_source import Faults
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order

#: our own description of the 997, changed by hand so that it takes no notes on elements
NO_NOTES = """\
schema: x12/004010/997
name: Functional acknowledgment
group: FA
type: "997"
segments:
  - ST M 1
  - AK1 M 1
  - loop AK2 O 999999: [AK2 M 1, AK5 M 1]
  - AK9 M 1
  - SE M 1
"""


def test_an_answer_that_does_not_pass_our_own_check_leaves_smaller(tmp_path: Path) -> None:
    (tmp_path / "schemas/x12/004010").mkdir(parents=True)
    (tmp_path / "schemas/x12/004010/997.yaml").write_text(NO_NOTES)
    world = World(tmp_path)
    try:
        result = world.receive(x12_order(lines=(("1", "TEN", "9.25", "SKU1"),)))
        assert [problem.code for problem in result.transmission.problems] == [kinds.ANSWER_REPLACED.code]
        assert "X12-SEGMENT-NOT-IN-TRANSACTION" in result.transmission.problems[0].message
        (sent,) = world.sent()
        assert "~AK2*850*0001~AK5*R*5~AK9*R*1*1*0~" in sent
        assert "AK3" not in sent
        with world.station.database.read() as connection:
            (interchange,) = interchanges.of_transmission(connection, result.transmission.id)
            assert any(one.entry.action == "997 replaced" for one in journal.of_subject(connection, "interchange", interchange.id))
    finally:
        world.close()


def test_an_answer_that_passes_in_no_form_leaves_as_its_heads(tmp_path: Path) -> None:
    (tmp_path / "schemas/x12/004010").mkdir(parents=True)
    (tmp_path / "schemas/x12/004010/997.yaml").write_text(NO_NOTES.replace("  - AK1 M 1\n", "  - AK1 M 1\n  - BEG M 1\n"))
    world = World(tmp_path)
    try:
        result = world.receive(x12_order())
        assert [problem.code for problem in result.transmission.problems] == [kinds.ANSWER_REPLACED.code]
        sent = next(text for text in world.sent() if "ST*997" in text)
        assert "~AK1*PO*1~AK9*A*1*1*1~SE*4*0001~" in sent
    finally:
        world.close()


def test_an_unknown_sender_is_refused_with_an_answer_where_config_says_so(tmp_path: Path) -> None:
    world = World(tmp_path, config=CONFIG + "unknown_sender: reject\n")
    try:
        result = world.receive(x12_order(sender="STRANGER"))
        assert result.transmission.state == "done"
        assert [problem.code for problem in result.transmission.problems] == [partner_kinds.UNKNOWN_SENDER.code]
        assert result.documents == []
        with world.station.database.read() as connection:
            (interchange,) = interchanges.of_transmission(connection, result.transmission.id)
        assert (interchange.state, interchange.outcome) == ("refused", "rejected")
        (sent,) = world.sent()
        assert "*ZZ*SELLERCO       *ZZ*STRANGER       *" in sent
        assert "~TA1*000000001*260105*1200*R*006~IEA*0*" in sent
    finally:
        world.close()


def test_an_unknown_sender_of_edifact_reads_that_it_is_unknown(tmp_path: Path) -> None:
    world = World(tmp_path, config=CONFIG + "unknown_sender: reject\n")
    text = (
        "UNB+UNOC:3+9999999999994:14+4012345500004:14+260105:1200+R1'UNH+1+ORDERS:D:96A:UN'BGM+220+PO1+9'DTM+137:20260105:102'"
        "NAD+BY+1234567890128::9'LIN+1++4012345500004:EN'QTY+21:12:PCE'UNS+S'UNT+8+1'UNZ+1+R1'"
    )
    try:
        world.receive(text.encode())
        (sent,) = world.sent()
        assert "UCI+R1+9999999999994:14+4012345500004:14+4+23+UNB+3'" in sent
    finally:
        world.close()


def test_an_unknown_sender_waits_for_a_person_and_is_told_nothing_by_default(tmp_path: Path) -> None:
    world = World(tmp_path)
    try:
        result = world.receive(x12_order(sender="STRANGER"))
        assert result.transmission.state == "held"
        assert world.sent() == []
    finally:
        world.close()


def test_a_stranger_whom_nobody_can_answer_waits_for_a_person_too(tmp_path: Path) -> None:
    world = World(tmp_path, config=CONFIG + "unknown_sender: reject\n")
    try:
        result = world.receive(x12_order(sender="STRANGER"), address="command")
        assert result.transmission.state == "held"
        assert world.sent() == []
    finally:
        world.close()


def classes(accept_errors: str = "false", refuse_warnings: str = "[]") -> str:
    return ACME.replace('acknowledge: "997"', f'acknowledge: "997", accept_errors: {accept_errors}, refuse_warnings: {refuse_warnings}')


def outcome(folder: Path, partner: str, data: bytes) -> tuple[str, str]:
    """The state of the one document, and AK5 of the answer."""
    world = World(folder, partners={"acme": partner})
    try:
        result = world.receive(data)
        answer = next(text for text in world.sent() if "ST*997" in text)
        return result.documents[0].state, "*".join(tags(answer, "AK5")[0])
    finally:
        world.close()


WRONG_DIGIT = x12_order().replace(b"UL*1234567890128", b"UL*1234567890123")
WRONG_COUNT = x12_order().replace(b"~SE*12*", b"~SE*10*")


def test_warnings_of_a_class_may_count_as_errors(tmp_path: Path) -> None:
    assert outcome(tmp_path / "1", classes(), WRONG_DIGIT) == ("accepted", "AK5*A")
    assert outcome(tmp_path / "2", classes(refuse_warnings="[check_digits]"), WRONG_DIGIT) == ("rejected", "AK5*R*5")
    assert outcome(tmp_path / "3", classes("[check_digits]", "check_digits"), WRONG_DIGIT) == ("accepted", "AK5*E*5")


def test_errors_of_a_class_may_be_let_through(tmp_path: Path) -> None:
    assert outcome(tmp_path / "1", classes(), WRONG_COUNT) == ("rejected", "AK5*R*4")
    assert outcome(tmp_path / "2", classes("[codes, dates]"), WRONG_COUNT) == ("rejected", "AK5*R*4")
    assert outcome(tmp_path / "3", classes("[counts]"), WRONG_COUNT) == ("accepted", "AK5*E*4")
    assert outcome(tmp_path / "4", classes("true"), WRONG_COUNT) == ("accepted", "AK5*E*4")


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("acknowledge: CONTRL", "acknowledge: CONTRL does not answer x12/004010/850"),
        ("application_errors: APERAK", "application_errors: APERAK does not answer x12/004010/850"),
        ("acknowledge_delimiters: '**~'", "is no set of delimiters"),
        ("acknowledge_version: 'UNOC:3'", "is no version of X12"),
        ("accept_errors: [dates, weather]", "'weather' is not one of"),
        ("application_codes: {RULE-PRICE-DIFFER: PE}", "did you mean 'RULE-PRICE-DIFFERS'?"),
        ("application_codes: {RULE-PRICE-DIFFERS: 'P E'}", "is no code of an answer"),
    ],
)
def test_lint_knows_what_the_keys_may_say(said: str, fault: str) -> None:
    class OnePage:
        def text_of(self, name: str) -> tuple[str, str]:
            return name, ACME.replace('acknowledge: "997"', said)

        def names(self, prefix: str) -> list[str]:
            return []

    with pytest.raises(Faults) as raised:
        load_partner("partners/acme.yaml", OnePage())
    assert any(fault in one.message for one in raised.value.faults), raised.value.faults
    assert raised.value.faults[0].line == 7
