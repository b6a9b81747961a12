"""The second opinion tells where pyx12 or pydifact see envelopes otherwise than we do, and is never in the way."""

from pathlib import Path

import pytest

from gateway.pipeline.stateless import second_opinion
from gateway.pipeline.stateless.second_opinion import second_opinion_of
from tests.machine import PATIENCE
from tests.pipeline.world import x12_order

ORDERS = (
    "UNB+UNOC:3+5412345000013:14+4012345500004:14+260105:1200+REF1'UNH+1+ORDERS:D:96A:UN:EAN008'BGM+220+PO1+9'DTM+137:20260105:102'"
    "FTX+AAI+++Gate?'s bell'UNT+5+1'UNZ+1+REF1'"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some.edi"


def test_a_good_850_is_good_for_pyx12_too(file: Path) -> None:
    file.write_bytes(x12_order())
    assert second_opinion_of(file, "accepted") == {"reader": "pyx12", "outcome": "accepted", "differences": []}


def test_a_wrong_count_that_we_would_have_missed_is_told(file: Path) -> None:
    file.write_bytes(x12_order().replace(b"SE*12*", b"SE*13*"))
    told = second_opinion_of(file, "accepted")
    assert told["outcome"] == "rejected"
    assert "we found nothing wrong, pyx12 says:" in told["differences"][0]


def test_faults_that_both_see_are_no_difference(file: Path) -> None:
    file.write_bytes(x12_order().replace(b"SE*12*", b"SE*13*"))
    assert second_opinion_of(file, "rejected", {"X12-SE-COUNT"})["differences"] == []


def test_what_only_we_see_and_what_only_they_see_is_told(file: Path) -> None:
    file.write_bytes(x12_order().replace(b"SE*12*", b"SE*13*"))
    told = second_opinion_of(file, "rejected", {"X12-GE-COUNT", "X12-ELEMENT-CODE"})["differences"]
    assert told[0].startswith("we did not find this, pyx12 says: SE count of 13")
    assert told[1:] == ["we say X12-GE-COUNT, pyx12 does not"]


def test_a_file_that_only_the_other_can_read_is_a_difference(file: Path) -> None:
    file.write_bytes(x12_order())
    assert "pyx12 has nothing against" in second_opinion_of(file, "unreadable")["differences"][0]


def test_a_crash_of_the_other_reader_is_told_as_such(file: Path) -> None:
    file.write_bytes(b"ISA*00*short~")
    told = second_opinion_of(file, "rejected")
    assert told["outcome"] == "crashed"
    assert "pyx12 stopped with an error of its own" in told["differences"][0]


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (ORDERS, "accepted"),
        (ORDERS.replace("UNT+5", "UNT+6"), "rejected"),
        (ORDERS.replace("UNT+5+1", "UNT+5+2"), "rejected"),
        (ORDERS.replace("UNZ+1", "UNZ+2"), "rejected"),
        (ORDERS.replace("UNZ+1+REF1'", ""), "rejected"),
        (ORDERS.replace("UNT+5+1'", ""), "rejected"),
    ],
)
def test_counts_and_references_of_edifact(file: Path, text: str, outcome: str) -> None:
    file.write_text(text)
    told = second_opinion_of(file, "accepted")
    assert (told["reader"], told["outcome"]) == ("pydifact", outcome)
    assert bool(told["differences"]) == (outcome == "rejected")


def test_xml_has_no_second_reader(file: Path) -> None:
    file.write_text('<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"/>')
    assert second_opinion_of(file, "accepted") == {"reader": "none", "outcome": "not_asked", "differences": []}


def test_a_large_file_is_not_asked_about(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_opinion, "MOST_BYTES", 100)
    file.write_bytes(x12_order())
    assert second_opinion_of(file, "accepted")["outcome"] == "not_asked"


def test_a_missing_file_is_told(file: Path) -> None:
    assert "cannot be opened" in second_opinion_of(file, "unreadable")["differences"][0]


def test_a_reader_that_does_not_come_back_is_left(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    gate = threading.Event()
    monkeypatch.setattr(second_opinion, "MOST_SECONDS", 0.05)
    monkeypatch.setattr(second_opinion, "_ask_pyx12", lambda data: [second_opinion.Finding("", str(gate.wait(PATIENCE)))])
    file.write_bytes(x12_order())
    told = second_opinion_of(file, "accepted")
    gate.set()
    assert told["outcome"] == "crashed"


def test_many_faults_are_told_shortly(file: Path) -> None:
    file.write_bytes(b"".join(x12_order(f"PO{n}", control=n).replace(b"SE*12*", b"SE*13*") for n in range(1, 40)))
    told = second_opinion_of(file, "accepted")
    assert told["differences"][-1].startswith("and ")
    assert len(told["differences"]) == second_opinion.MOST_DIFFERENCES + 1
