"""Every sample beside the checkout (../shared/corpus): each gets a whole report within its time, and what is not accepted says why, at a place
inside the file. Nothing of the corpus is copied into this repository; where it is absent the tests are skipped by name."""

import json
import time
from pathlib import Path

import msgspec
import pytest

from gateway.codecs.choose import syntax_of
from gateway.codecs.node import Syntax
from gateway.pipeline.plans import Plans
from gateway.pipeline.reading.payload import stateless
from gateway.pipeline.stateless.acknowledging_files import acknowledge_file
from gateway.pipeline.stateless.checking import Report
from tests.machine import cpu_seconds
from tests.machine import is_quick
from tests.ready_made import shipped_plans

CORPUS = Path(__file__).parent.parent.parent / "shared" / "corpus"
NOT_SAMPLES = {".xsd", ".py", ".md", ".tsv", ".zip"}
FILES = [path for path in sorted(CORPUS.rglob("*")) if path.is_file() and path.suffix not in NOT_SAMPLES] if CORPUS.is_dir() else []
SECONDS = 2.0
OUTCOMES = {"accepted", "accepted_with_errors", "partially_accepted", "rejected", "unreadable"}

pytestmark = pytest.mark.skipif(not FILES, reason="the corpus ../shared/corpus is not here")


@pytest.fixture(scope="module")
def plans() -> Plans:
    """Compiled once: what is measured is the file, not the plans that it needs."""
    return shipped_plans()


def report_on(path: Path, plans: Plans) -> tuple[dict[str, object], float]:
    start = time.process_time()
    report = _whole(path, plans)
    seconds = time.process_time() - start
    if seconds >= SECONDS:
        # the first file of its kind has compiled its plans: once more, with these outside of the clock
        seconds = cpu_seconds(lambda: _whole(path, plans))
    return report.json(), seconds


def _whole(path: Path, plans: Plans) -> Report:
    report = Report(str(path))
    report.feed([path.read_bytes()], plans, stateless(plans), None)
    return report


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CORPUS)))
def test_a_sample_gets_its_report(path: Path, plans: Plans) -> None:
    report, seconds = report_on(path, plans)
    assert is_quick(seconds, SECONDS)
    encoded = json.loads(msgspec.json.encode(report))
    assert encoded["outcome"] in OUTCOMES
    assert set(encoded) >= {"file", "syntax", "outcome", "counts", "interchanges", "problems"}
    counts = encoded["counts"]
    assert counts["transactions"] == counts["accepted"] + counts["rejected"]
    if encoded["outcome"] not in {"accepted", "accepted_with_errors"}:
        assert encoded["problems"], "not accepted, and no reason is given"
    size = path.stat().st_size
    for problem in encoded["problems"]:
        assert problem["code"] and problem["message"]
        offset, length = problem["place"]["offset"], problem["place"]["length"]
        assert offset is None or 0 <= offset <= size
        assert offset is None or length is None or offset + length <= size


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CORPUS)))
def test_what_looks_like_edi_is_read_as_such_and_can_be_answered(path: Path, plans: Plans) -> None:
    data = path.read_bytes()
    head = data[:400].lstrip(b"\xef\xbb\xbf \r\n\t")
    syntax = syntax_of(data[:4096])
    if head[:3] == b"ISA":
        assert syntax is Syntax.X12
    elif head[:3] in {b"UNA", b"UNB"}:
        assert syntax is Syntax.EDIFACT
    answer = acknowledge_file([data], plans, stateless(plans), None)
    if answer is None:
        return
    # what we would answer is a file that we read without a fault ourselves
    report = Report("answer")
    report.feed([answer.data], plans, stateless(plans), None)
    told = report.json()
    assert told["outcome"] == "accepted", told["problems"][:3]
