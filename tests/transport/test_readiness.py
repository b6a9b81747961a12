"""Which files may be taken: names, done-files, standing still."""

import pytest

from gateway.transport.checksum import digest_in
from gateway.transport.checksum import fits
from gateway.transport.readiness import Listed
from gateway.transport.readiness import Readiness
from gateway.transport.readiness import Rules


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def file(name: str, size: int = 5, modified: float = 50.0) -> Listed:
    return Listed(name=name, identity=f"{name}|{size}|{modified}", size=size, modified=modified)


def names(readiness: Readiness, *files: Listed) -> list[str]:
    return [found.name for found in readiness.ready(files)]


@pytest.mark.parametrize(
    ("rules", "taken"),
    [
        (Rules(settle_seconds=0), ["Po.EDI", "b.log", "c.csv"]),
        (Rules(settle_seconds=0, ignore=("*.log",)), ["Po.EDI", "c.csv"]),
        (Rules(settle_seconds=0, only=("*.edi", "*.csv")), ["Po.EDI", "c.csv"]),
        (Rules(settle_seconds=0, only=("po*",), ignore=("*.EDI",)), []),
    ],
)
def test_patterns_choose_names_in_upper_or_lower_case(rules: Rules, taken: list[str], clock: Clock) -> None:
    files = [file(name) for name in ("Po.EDI", "b.log", "c.csv", ".hidden", "a.tmp", "a.PART", "a.filepart", "a.incomplete")]
    assert names(Readiness(rules, clock), *files) == taken


def test_oldest_first(clock: Clock) -> None:
    assert names(Readiness(Rules(settle_seconds=0), clock), file("b", modified=2), file("a", modified=3), file("c", modified=1)) == ["c", "b", "a"]


def test_an_empty_file_stands_still_much_longer(clock: Clock) -> None:
    readiness = Readiness(Rules(settle_seconds=1), clock)
    empty, full = file("empty", 0), file("full")
    assert names(readiness, empty, full) == []
    clock.now += 1
    assert names(readiness, empty, full) == ["full"] and readiness.unsettled()
    clock.now += 14
    assert names(readiness, empty) == ["empty"] and not readiness.unsettled()
    assert names(Readiness(Rules(settle_seconds=0, skip_empty=True), clock), empty, full) == ["full"]


def test_a_done_file_makes_its_file_ready_at_once_and_none_keeps_it_waiting(clock: Clock) -> None:
    readiness = Readiness(Rules(settle_seconds=60, marker=".done"), clock)
    [found] = readiness.ready([file("a.edi"), file("a.edi.done", 0), file("b.edi")])
    assert (found.name, found.marker) == ("a.edi", "a.edi.done")


def test_a_done_file_that_is_older_than_its_file_proves_nothing(clock: Clock) -> None:
    """It may be left from the file of that name before."""
    readiness = Readiness(Rules(settle_seconds=2, marker=".done"), clock)
    files = (file("a.edi", modified=90), file("a.edi.done", 0, modified=10))
    assert names(readiness, *files) == []
    clock.now += 2
    assert names(readiness, *files) == ["a.edi"]


def test_a_done_file_that_outlived_its_file_is_told_after_a_while(clock: Clock) -> None:
    readiness = Readiness(Rules(marker=".done"), clock)
    left = file("a.edi.done", 0)
    readiness.ready([left, file("b.edi"), file("b.edi.done")])
    assert readiness.orphans() == []
    clock.now += 61
    readiness.ready([left, file("b.edi"), file("b.edi.done")])
    assert readiness.orphans() == [left]
    readiness.ready([file("a.edi"), left])
    assert readiness.orphans() == []


def test_digests_are_found_as_the_tools_print_them() -> None:
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest_in(f"{sha256}  po.edi\n".encode()) == sha256
    assert digest_in(b"MD5 (po.edi) = 900150983CD24FB0D6963F7D28E17F72") == "900150983cd24fb0d6963f7d28e17f72"
    assert digest_in(b"") is None and digest_in(b"abc") is None and digest_in(b"0" * 50) is None
    assert fits(sha256, [b"a", b"bc"]) and not fits(sha256, [b"abd"])
    assert fits("900150983cd24fb0d6963f7d28e17f72", [b"abc"])
