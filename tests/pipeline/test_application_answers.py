"""824 and APERAK: what mapping and rules found after the syntax was fine, told by a partner's policy; nothing about credit."""

from pathlib import Path

import pytest

from gateway.codecs.choose import read
from gateway.codecs.node import Transaction
from gateway.pipeline.trading import holding
from tests.pipeline.world import ACME
from tests.pipeline.world import EUROCO
from tests.pipeline.world import World
from tests.pipeline.world import poc
from tests.pipeline.world import tags
from tests.pipeline.world import x12_change
from tests.pipeline.world import x12_order


def asking(said: str, partner: str = ACME, old: str = 'acknowledge: "997"') -> str:
    return partner.replace(old, f"{old}, {said}")


def the_824(world: World) -> str:
    (one,) = [text for text in world.sent() if "ST*824*" in text]
    return one


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, partners={"acme": asking('application_errors: "824"')})


def test_a_duplicate_order_is_refused_by_an_824(world: World) -> None:
    world.receive(x12_order("PO7"))
    assert not [text for text in world.sent() if "ST*824*" in text]
    world.receive(x12_order("PO7", control=2, set_control="0042"))
    text = the_824(world)
    (bgn,), (oti,), (ted,) = tags(text, "BGN"), tags(text, "OTI"), tags(text, "TED")
    assert bgn[1] == "00"
    assert oti[1:4] == ["TR", "PO", "PO7"]
    assert oti[8:12] == ["2", "0042", "850", "004010"]
    assert ted[1] == "006"
    assert "PO7" in ted[2]
    assert tags(text, "NTE")[0][1:3][0] == "ERN"
    assert tags(text, "NTE")[0][2].startswith("RULE-DUPLICATE-ORDER; ")
    assert tags(text, "GS")[0][1] == "AG"
    world.close()


def test_what_mapping_cannot_take_is_told_by_the_824_and_the_997_accepts(tmp_path: Path) -> None:
    own = "mapping: {x12/004010/850: {number: BEG/04}}\n"
    for name, partner, accepted in (("1", ACME, "AK5*R"), ("2", asking('application_errors: "824"'), "AK5*A")):
        world = World(tmp_path / name, partners={"acme": partner + own})
        result = world.receive(x12_order("PO8"))
        assert [row.state for row in result.documents] == ["rejected"]
        assert any(accepted in text for text in world.sent())
        if name == "2":
            text = the_824(world)
            assert tags(text, "OTI")[0][1:4] == ["TR", "PO", "PO8"]
            assert tags(text, "TED")[0][1] == "007"
        world.close()


def test_always_means_also_what_is_good(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": asking('application_errors: "824", application_when: always')})
    world.receive(x12_order("PO9"))
    text = the_824(world)
    assert tags(text, "OTI")[0][1:4] == ["TA", "PO", "PO9"]
    assert tags(text, "TED") == []
    world.close()


def test_a_warning_is_accepted_with_errors_in_the_partners_own_words(tmp_path: Path) -> None:
    partner = asking('application_errors: "824", application_codes: {RULE-REQUESTED-DATE-PASSED: DAT}')
    world = World(tmp_path, partners={"acme": partner})
    world.receive(x12_order("PO9", requested="20250101"))
    text = the_824(world)
    assert tags(text, "OTI")[0][1] == "TE"
    assert "DAT" in {ted[1] for ted in tags(text, "TED")}
    world.close()


def test_an_order_that_waits_is_not_answered_before_the_decision_and_credit_is_never_told(tmp_path: Path) -> None:
    partner = asking('application_errors: "824", application_when: always').replace("credit: none", 'credit: {limit: "10 USD", first_order: accept}')
    world = World(tmp_path, partners={"acme": partner})
    result = world.receive(x12_order("PO9"))
    assert [row.state for row in result.documents] == ["held"]
    assert not [text for text in world.sent() if "ST*824*" in text]
    holding.reject(world.station, "PO9", "clerk", "not before May")
    world.settle()
    text = the_824(world)
    assert tags(text, "OTI")[0][1] == "TR"
    assert "CREDIT" not in text
    assert "limit" not in text.lower()
    world.close()


def test_a_change_that_is_refused_is_told_by_an_824_too(tmp_path: Path) -> None:
    agreement = '  - {receive: x12/004010/860, from: box, application_errors: "824"}\n'
    world = World(tmp_path, partners={"acme": ACME.replace("agreements:\n", f"agreements:\n{agreement}")})
    world.receive(x12_order("PO7"))
    world.receive(x12_change("PO7", lines=(poc("99", "DI"),)))
    text = the_824(world)
    (oti,) = tags(text, "OTI")
    assert (oti[1:4], oti[10]) == (["TR", "PO", "PO7"], "860")
    assert any("RULE-CHANGE-" in note[2] for note in tags(text, "NTE"))
    world.close()


def test_an_aperak_tells_the_same_in_edifact(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"euroco": asking("application_errors: APERAK", EUROCO, "acknowledge: CONTRL")})
    text = (
        "UNB+UNOC:3+5412345000013:14+4012345500004:14+260105:1200+R{0}'UNH+{0}+ORDERS:D:96A:UN'BGM+220+PO1+9'DTM+137:20260105:102'"
        "DTM+2:20260120:102'NAD+BY+5412345000013::9'NAD+SU+4012345500004::9'LIN+1++4012345500004:EN'QTY+21:12:PCE'PRI+AAA:9.25'UNS+S'UNT+11+{0}'UNZ+1+R{0}'"
    )
    for number in ("1", "2"):
        world.receive(text.format(number).encode(), address="folder:boxes/euroco/out")
    (aperak,) = [one for one in world.sent("euroco") if "APERAK" in one]
    assert "UNH+1+APERAK:D:96A:UN'BGM+313+" in aperak
    assert "+9+RE'" in aperak
    assert "RFF+ON:PO1'RFF+ACW:R2:2'" in aperak
    assert "NAD+MS+4012345500004::9'NAD+MR+5412345000013::9'" in aperak
    assert "ERC+26'FTX+AAO+++RULE-DUPLICATE-ORDER?: " in aperak
    (transaction,) = [event for event in read([aperak.encode()])[1] if isinstance(event, Transaction)]
    assert not transaction.problems
    world.close()


def test_an_answer_that_our_own_schema_refuses_leaves_smaller(tmp_path: Path) -> None:
    (tmp_path / "schemas/x12/004010").mkdir(parents=True)
    (tmp_path / "schemas/x12/004010/824.yaml").write_text(
        'schema: x12/004010/824\nname: Advice\ngroup: AG\ntype: "824"\nsegments: [ST M 1, BGN M 1, {loop OTI M >1: [OTI M 1]}, SE M 1]\n'
    )
    world = World(tmp_path, partners={"acme": asking('application_errors: "824"')})
    world.receive(x12_order("PO7"))
    world.receive(x12_order("PO7", control=2))
    text = the_824(world)
    assert tags(text, "OTI")[0][1] == "TR"
    assert tags(text, "TED") == []
    world.close()
