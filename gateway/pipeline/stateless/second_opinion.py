"""The second opinion: what pyx12 and pydifact, readers of another make, say about a file's envelopes and counts. They have this one job, off
the hot path. They see at most the first 5 MB; where they stop with an error of their own, that is told as such and is no verdict.

Each of their findings is written as the code that we have for it, so that a finding of one of us alone shows, whoever it is.
"""

import contextlib
import io
import logging
import threading
import warnings
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.codecs.choose import syntax_of
from gateway.codecs.node import Syntax
from gateway.kinds import edifact as edifact_kinds
from gateway.kinds import x12 as x12_kinds
from gateway.problem import Kind

MOST_BYTES = 5 << 20
MOST_SECONDS = 20.0
MOST_DIFFERENCES = 20


#: what pyx12 calls its findings (level, code), and what we call them
PYX12_CODES = {
    ("isa", "001"): x12_kinds.IEA_CONTROL_NUMBER.code,
    ("isa", "021"): x12_kinds.IEA_COUNT.code,
    ("isa", "023"): x12_kinds.IEA_MISSING.code,
    ("isa", "024"): x12_kinds.GE_MISSING.code,
    ("isa", "025"): x12_kinds.ISA_DUPLICATE.code,
    ("gs", "3"): x12_kinds.GE_MISSING.code,
    ("gs", "4"): x12_kinds.GE_CONTROL_NUMBER.code,
    ("gs", "5"): x12_kinds.GE_COUNT.code,
    ("gs", "6"): x12_kinds.GS_DUPLICATE.code,
    ("st", "2"): x12_kinds.SE_MISSING.code,
    ("st", "3"): x12_kinds.SE_CONTROL_NUMBER.code,
    ("st", "4"): x12_kinds.SE_COUNT.code,
    ("st", "23"): x12_kinds.ST_DUPLICATE.code,
    ("seg", "1"): x12_kinds.TAG_MALFORMED.code,
    ("seg", "8"): x12_kinds.SEGMENT_EMPTY.code,
}
#: what we find that the other reader looks for as well
COMPARED = {
    "pyx12": frozenset(PYX12_CODES.values()) - {x12_kinds.TAG_MALFORMED.code, x12_kinds.SEGMENT_EMPTY.code},
    "pydifact": frozenset(
        kind.code
        for kind in (
            edifact_kinds.UNT_MISSING,
            edifact_kinds.UNT_COUNT,
            edifact_kinds.UNT_CONTROL_NUMBER,
            edifact_kinds.UNZ_MISSING,
            edifact_kinds.UNZ_COUNT,
            edifact_kinds.UNZ_CONTROL_NUMBER,
        )
    ),
}


#: ours that are the same as another one for who does not look so closely
_ALSO = {
    x12_kinds.FILE_TRUNCATED.code: x12_kinds.SE_MISSING.code,
    edifact_kinds.FILE_TRUNCATED.code: edifact_kinds.UNT_MISSING.code,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What the other reader says, and our code for it (empty where we have none)."""

    code: str
    words: str


class _Crashed(Exception):
    """The other reader stopped with an error that is its own."""


def second_opinion_of(file: Path, our_outcome: str, our_codes: Collection[str] = ()) -> dict[str, Any]:
    """Which reader was asked, what it makes of the envelopes (accepted, rejected, crashed, not_asked), and sentences where it and we disagree."""
    try:
        with file.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        return _opinion("none", "not_asked", [f"the file cannot be opened: {error.strerror or error}"])
    if len(data) > MOST_BYTES:
        return _opinion("none", "not_asked", [f"the file is larger than {MOST_BYTES} bytes: no second reader was asked"])
    reader, findings, failure = ask(data)
    if reader == "none":
        return _opinion("none", "not_asked", [])
    if failure:
        return _opinion(reader, "crashed", [failure])
    return _opinion(reader, "rejected" if findings else "accepted", _differences(reader, findings, our_outcome, our_codes))


def ask(data: bytes) -> tuple[str, list[Finding], str]:
    """The reader for this file (`none` where there is none), its findings, and a sentence where it stopped with an error of its own."""
    syntax = syntax_of(data[:4096])
    if syntax is Syntax.X12:
        reader, question = "pyx12", _ask_pyx12
    elif syntax is Syntax.EDIFACT:
        reader, question = "pydifact", _ask_pydifact
    else:
        return "none", [], ""
    try:
        return reader, _bounded(lambda: question(data)), ""
    except TimeoutError:
        return reader, [], f"{reader} was not done after {MOST_SECONDS:.0f} seconds"
    except _Crashed as error:
        return reader, [], f"{reader} stopped with an error of its own: {error}"


def _opinion(reader: str, outcome: str, differences: list[str]) -> dict[str, Any]:
    return {"reader": reader, "outcome": outcome, "differences": differences}


def disagreements(reader: str, findings: Collection[Finding], our_codes: Collection[str]) -> tuple[list[Finding], list[str]]:
    """What only the other reader finds, and the codes of what only we find of the things that both look for."""
    our_codes = {*our_codes, *(_ALSO[code] for code in our_codes if code in _ALSO)}
    theirs = {finding.code for finding in findings}
    only_theirs = [finding for finding in findings if not finding.code or finding.code not in our_codes]
    return only_theirs, sorted(code for code in our_codes & COMPARED[reader] if code not in theirs)


def _differences(reader: str, findings: list[Finding], our_outcome: str, our_codes: Collection[str]) -> list[str]:
    """Only what is seen by one of us; faults in elements are not the second reader's business."""
    if our_outcome == "unreadable":
        return [] if findings else [f"we cannot read the file, {reader} has nothing against its envelopes"]
    only_theirs, only_ours = disagreements(reader, findings, our_codes)
    ours = "we found nothing wrong" if our_outcome == "accepted" else "we did not find this"
    told = [f"{ours}, {reader} says: {finding.words}" for finding in only_theirs]
    told += [f"we say {code}, {reader} does not" for code in only_ours]
    return told[:MOST_DIFFERENCES] + ([f"and {len(told) - MOST_DIFFERENCES} more"] if len(told) > MOST_DIFFERENCES else [])


def _bounded(work: Callable[[], list[Finding]]) -> list[Finding]:
    """The work's result; raises TimeoutError where it takes too long, _Crashed where it fails."""
    answer: list[list[Finding]] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            answer.append(work())
        except Exception as error:  # noqa: BLE001  whatever another reader stumbles over is told, never ours to die of
            failure.append(error)

    thread = threading.Thread(target=run, name="second opinion", daemon=True)
    thread.start()
    thread.join(MOST_SECONDS)
    if failure:
        words = " ".join(str(failure[0]).split())[:200]
        raise _Crashed(f"{type(failure[0]).__name__}{f': {words}' if words else ''}") from failure[0]
    if not answer:
        raise TimeoutError
    return answer[0]


@contextlib.contextmanager
def _silence(name: str) -> Iterator[None]:
    """The reader's own log says what the file holds: kept away from ours."""
    logger = logging.getLogger(name)
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _ask_pyx12(data: bytes) -> list[Finding]:
    """Faults of envelopes, counts and control numbers by pyx12's X12Reader."""
    from pyx12.x12file import X12Reader

    findings: list[Finding] = []
    with _silence("pyx12"):
        reader = X12Reader(io.StringIO(data.decode("latin-1")))
        for _ in reader:
            findings += _told(reader.pop_errors())
        reader.cleanup()
        findings += _told(reader.pop_errors())
    return findings


def _told(errors: list[tuple[Any, ...]]) -> list[Finding]:
    return [
        Finding(PYX12_CODES.get((error[0], error[1]), ""), f"{' '.join(str(part) for part in error[2:3])} ({error[0]} {error[1]})")
        for error in errors
    ]


def _ask_pydifact(data: bytes) -> list[Finding]:
    """pydifact validates neither counts nor references (0.2): it splits, and the counts are made from its segments."""
    with warnings.catch_warnings():
        # it warns for each segment that it has no directory for
        warnings.simplefilter("ignore")
        return _count_edifact(data)


def _count_edifact(data: bytes) -> list[Finding]:
    from pydifact.segmentcollection import RawSegmentCollection

    findings: list[Finding] = []

    def find(kind: Kind, words: str) -> None:
        findings.append(Finding(kind.code, words))

    open_message: str | None = None
    count = messages = groups = 0
    interchange: str | None = None
    for segment in RawSegmentCollection.from_str(data.decode("latin-1").strip()).segments:
        tag, elements = segment.tag, segment.elements
        if tag == "UNB":
            interchange, messages, groups = _text(elements, 4), 0, 0
        elif tag == "UNG":
            groups += 1
        elif tag in {"UNH", "UIH"}:
            if open_message is not None:
                find(edifact_kinds.UNT_MISSING, f"message {open_message} has no UNT")
            open_message, count = _text(elements, 0), 0
            messages += 1
        count += 1
        if tag == "UNT":
            if _number(elements, 0) != count:
                find(edifact_kinds.UNT_COUNT, f"UNT counts {_text(elements, 0)} segments in message {open_message}, there are {count}")
            if _text(elements, 1) != open_message:
                find(edifact_kinds.UNT_CONTROL_NUMBER, f"UNT names message {_text(elements, 1)}, UNH names {open_message}")
            open_message = None
        elif tag == "UNZ":
            if _number(elements, 0) != (groups or messages):
                what = f"{groups} groups" if groups else f"{messages} messages"
                find(edifact_kinds.UNZ_COUNT, f"UNZ counts {_text(elements, 0)}, there are {what}")
            if _text(elements, 1) != interchange:
                find(edifact_kinds.UNZ_CONTROL_NUMBER, f"UNZ names interchange {_text(elements, 1)}, UNB names {interchange}")
            interchange = None
    if open_message is not None:
        find(edifact_kinds.UNT_MISSING, f"message {open_message} has no UNT")
    if interchange is not None:
        find(edifact_kinds.UNZ_MISSING, f"interchange {interchange} has no UNZ")
    return findings


def _text(elements: list[Any], position: int) -> str:
    value = elements[position] if len(elements) > position else ""
    return str(value[0] if isinstance(value, list) and value else value)


def _number(elements: list[Any], position: int) -> int:
    text = _text(elements, position)
    return int(text) if text.isdigit() else -1
