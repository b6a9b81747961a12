"""We against pyx12 and pydifact over generated files, files with seeded faults and the corpus: each class of disagreement has its reason.

The table REASONS is the one of docs/reading.md. A disagreement that no row explains fails here: one of us is wrong then.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.pipeline.reading.payload import stateless
from gateway.pipeline.stateless import second_opinion
from gateway.pipeline.stateless.checking import Report
from tests.codecs.strategies import FILES
from tests.pipeline.faults import FAULTS
from tests.pipeline.faults import good_file
from tests.ready_made import shipped_plans

ROOT = Path(__file__).parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"
PLANS = shipped_plans()

Codes = set[str]
#: reader; what it says, or the code that only we tell; when that is explained, by the file and by what we tell; why
REASONS: list[tuple[str, str, Callable[[bytes, Codes], bool], str]] = [
    (
        "pyx12",
        r"Version Number is unknown",
        lambda data, codes: data[84:89] not in {b"00401", b"00501"},
        "pyx12 knows 00401 and 00501, at their fixed place",
    ),
    ("pyx12", r"does not begin with 'ISA'", lambda data, codes: not data.startswith(b"ISA"), "pyx12 wants ISA as the first bytes of the file"),
    (
        "pyx12",
        r"must have 16 elements",
        lambda data, codes: len(re.findall(rb"ISA\W", data)) > 1,
        "pyx12 keeps the delimiters of the first interchange",
    ),
    (
        "pyx12",
        r"IndexError",
        lambda data, codes: bool(codes & {"X12-GROUP-MISSING", "X12-SEGMENT-MISPLACED"}),
        "pyx12 stops at a trailer without header",
    ),
    (
        "pyx12",
        r"trailing element terminators|leading space",
        lambda data, codes: True,
        "spaces before a tag and separators behind the last value change nothing",
    ),
    ("pyx12", r"missing \(|X12-(ISA|GS|ST)-DUPLICATE", lambda data, codes: "X12-SEGMENT-EMPTY" in codes, "pyx12 stops reading at an empty segment"),
    (
        "pyx12",
        r"missing \(|X12-\w+-CONTROL-NUMBER",
        lambda data, codes: "X12-TERMINATOR-MISSING" in codes,
        "pyx12 leaves out a last segment without terminator",
    ),
    (
        "pyx12",
        r"GE id=0*(\d+) does not match GS id=0*\1 ",
        lambda data, codes: True,
        "control numbers of groups are numbers: zeros before them do not count",
    ),
    ("pyx12", r"IEA count", lambda data, codes: b"TA1" in data and b"ST*" not in data, "many senders count a TA1 in IEA01"),
    (
        "pyx12",
        r".",
        lambda data, codes: bool(codes & {"X12-ISA-MALFORMED", "X12-JUNK"}),
        "what we refuse or skip as a whole, pyx12 cuts into segments",
    ),
    ("pyx12", r"Unterminated|X12-SE-MISSING", lambda data, codes: "X12-SE-MISSING" in codes, "pyx12 tells a missing SE as a fault of the group"),
    ("pyx12", r".", lambda data, codes: b"*BIN" in data or b"~BIN*" in data or b"~BDS*" in data, "pyx12 does not know binary segments"),
    ("pydifact", r"Tag '(\\|ï»¿)", lambda data, codes: True, "pydifact refuses a byte order mark"),
    (
        "pydifact",
        r"Segment tag must be|Invalid segment name|Tag '",
        lambda data, codes: True,
        "pydifact stops at what is no tag: lines that are wrapped, empty segments, objects in packages",
    ),
    (
        "pydifact",
        r"Unexpected end",
        lambda data, codes: bool(codes & {"EDIFACT-DELIMITERS-GUESSED", "EDIFACT-SEGMENT-MISPLACED", "EDIFACT-TERMINATOR-MISSING"}),
        "without UNA, pydifact knows the default delimiters only",
    ),
    (
        "pydifact",
        r"UN[TZ] ",
        lambda data, codes: bool(codes & {"EDIFACT-UNB-MALFORMED", "EDIFACT-ENVELOPE-MISSING"}),
        "a broken or missing UNB is told once by us",
    ),
    ("pydifact", r"UN[TZ]", lambda data, codes: "EDIFACT-INTERACTIVE" in codes, "we count no interactive messages"),
    (
        "pydifact",
        r"UNZ ",
        lambda data, codes: len(re.findall(rb"UNB\+", data)) > 1 and not any("UNB" in code for code in codes),
        "UNB inside of a message that UNT counts is a segment of the message",
    ),
    ("pydifact", r"UNZ ", lambda data, codes: "EDIFACT-PACKAGE" in codes, "packages may be counted in UNZ, or not"),
]


def explained(reader: str, words: str, data: bytes, codes: Codes) -> bool:
    return any(who == reader and re.search(pattern, words) and fits(data, codes) for who, pattern, fits, _ in REASONS)


def assert_explained(name: str, data: bytes) -> None:
    report = Report(name)
    report.feed([data], PLANS, stateless(PLANS), None)
    codes = {problem.code for problem in report.problems}
    reader, findings, failure = second_opinion.ask(data)
    if failure:
        assert explained(reader, failure, data, codes), (failure, codes)
        return
    if reader == "none":
        return
    theirs, ours = second_opinion.disagreements(reader, findings, codes)
    for finding in theirs:
        assert explained(reader, finding.words, data, codes), (finding, codes)
    for code in ours:
        assert explained(reader, code, data, codes), (code, findings)


@pytest.mark.parametrize("end", ["", "\n"], ids=["one line", "lines"])
@pytest.mark.parametrize("syntax", FAULTS)
def test_good_orders_are_good_for_both(syntax: str, end: str) -> None:
    data = good_file(syntax, [1, 5, 2], 0, 0).bytes(end)
    _, findings, failure = second_opinion.ask(data)
    assert (findings, failure) == ([], "")
    assert_explained("good", data)


@pytest.mark.parametrize(("syntax", "name"), [(syntax, name) for syntax, faults in FAULTS.items() for name in faults])
def test_a_disagreement_on_a_seeded_fault_is_explained(syntax: str, name: str) -> None:
    for end in ("", "\r\n"):
        file = good_file(syntax, [2, 1, 2], 1, 0)
        FAULTS[syntax][name](file)
        assert_explained(name, file.bytes(end))


@pytest.mark.parametrize("name", FILES)
def test_a_disagreement_on_an_odd_file_is_explained(name: str) -> None:
    assert_explained(name, FILES[name].encode("latin-1"))


SAMPLES = [path for folder in ("x12", "edifact") for path in sorted((CORPUS / folder).glob("*")) if path.is_file()]


@pytest.mark.skipif(not SAMPLES, reason="the corpus ../shared/corpus is not here")
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name[:60])
def test_a_disagreement_on_a_sample_is_explained(path: Path) -> None:
    assert_explained(path.name, path.read_bytes())


def test_the_page_has_each_reason() -> None:
    page = " ".join((ROOT / "docs/reading.md").read_text().split())
    for reader, _, _, reason in REASONS:
        assert f"| {reader} | {reason}" in page, reason
