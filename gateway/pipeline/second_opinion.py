"""The second opinion: what pyx12 and pydifact, readers of another make, say about a file's envelopes and counts. They have this one job, off
the hot path. They see at most the first 5 MB; where they stop with an error of their own, that is told as such and is no verdict.
"""

import contextlib
import io
import logging
import threading
import warnings
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.codecs.choose import syntax_of
from gateway.codecs.node import Syntax

MOST_BYTES = 5 << 20
MOST_SECONDS = 20.0
MOST_DIFFERENCES = 20


class _Crashed(Exception):
    """The other reader stopped with an error that is its own."""


def second_opinion_of(file: Path, our_outcome: str) -> dict[str, Any]:
    """Which reader was asked, what it makes of the envelopes (accepted, rejected, crashed, not_asked), and sentences where it and we disagree."""
    try:
        with file.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        return _opinion("none", "not_asked", [f"the file cannot be opened: {error.strerror or error}"])
    if len(data) > MOST_BYTES:
        return _opinion("none", "not_asked", [f"the file is larger than {MOST_BYTES} bytes: no second reader was asked"])
    syntax = syntax_of(data[:4096])
    if syntax is Syntax.X12:
        reader, ask = "pyx12", _ask_pyx12
    elif syntax is Syntax.EDIFACT:
        reader, ask = "pydifact", _ask_pydifact
    else:
        return _opinion("none", "not_asked", [])
    try:
        faults = _bounded(lambda: ask(data))
    except TimeoutError:
        return _opinion(reader, "crashed", [f"{reader} was not done after {MOST_SECONDS:.0f} seconds"])
    except _Crashed as error:
        return _opinion(reader, "crashed", [f"{reader} stopped with an error of its own: {error}"])
    outcome = "rejected" if faults else "accepted"
    return _opinion(reader, outcome, _differences(reader, faults, our_outcome))


def _opinion(reader: str, outcome: str, differences: list[str]) -> dict[str, Any]:
    return {"reader": reader, "outcome": outcome, "differences": differences}


def _differences(reader: str, faults: list[str], our_outcome: str) -> list[str]:
    """Only what is seen by one of us: where both find faults, ours name the place; faults in elements are not the second reader's business."""
    if our_outcome == "accepted" and faults:
        more = len(faults) - MOST_DIFFERENCES
        rest = [f"and {more} more"] if more > 0 else []
        return [f"we found nothing wrong, {reader} says: {fault}" for fault in faults[:MOST_DIFFERENCES]] + rest
    if our_outcome == "unreadable" and not faults:
        return [f"we cannot read the file, {reader} has nothing against its envelopes"]
    return []


def _bounded(work: Callable[[], list[str]]) -> list[str]:
    """The work's result; raises TimeoutError where it takes too long, _Crashed where it fails."""
    answer: list[list[str]] = []
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


def _ask_pyx12(data: bytes) -> list[str]:
    """Faults of envelopes, counts and control numbers by pyx12's X12Reader."""
    from pyx12.x12file import X12Reader

    faults: list[str] = []
    with _silence("pyx12"):
        reader = X12Reader(io.StringIO(data.decode("latin-1")))
        for _ in reader:
            faults += _told(reader.pop_errors())
        reader.cleanup()
        faults += _told(reader.pop_errors())
    return faults


def _told(errors: list[tuple[Any, ...]]) -> list[str]:
    return [f"{' '.join(str(part) for part in error[2:3])} ({error[0]} {error[1]})" for error in errors]


def _ask_pydifact(data: bytes) -> list[str]:
    """pydifact validates neither counts nor references (0.2): it splits, and the counts are made from its segments."""
    with warnings.catch_warnings():
        # it warns for each segment that it has no directory for
        warnings.simplefilter("ignore")
        return _count_edifact(data)


def _count_edifact(data: bytes) -> list[str]:
    from pydifact.segmentcollection import RawSegmentCollection

    faults: list[str] = []
    open_message: str | None = None
    count = messages = 0
    interchange: str | None = None
    for segment in RawSegmentCollection.from_str(data.decode("latin-1").strip()).segments:
        tag, elements = segment.tag, segment.elements
        if tag == "UNB":
            interchange, messages = _text(elements, 4), 0
        elif tag in {"UNH", "UIH"}:
            if open_message is not None:
                faults.append(f"message {open_message} has no UNT")
            open_message, count = _text(elements, 0), 0
            messages += 1
        count += 1
        if tag == "UNT":
            if _number(elements, 0) != count:
                faults.append(f"UNT counts {_text(elements, 0)} segments in message {open_message}, there are {count}")
            if _text(elements, 1) != open_message:
                faults.append(f"UNT names message {_text(elements, 1)}, UNH names {open_message}")
            open_message = None
        elif tag == "UNZ":
            if _number(elements, 0) != messages:
                faults.append(f"UNZ counts {_text(elements, 0)} messages, there are {messages}")
            if _text(elements, 1) != interchange:
                faults.append(f"UNZ names interchange {_text(elements, 1)}, UNB names {interchange}")
            interchange = None
    if open_message is not None:
        faults.append(f"message {open_message} has no UNT")
    if interchange is not None:
        faults.append(f"interchange {interchange} has no UNZ")
    return faults


def _text(elements: list[Any], position: int) -> str:
    value = elements[position] if len(elements) > position else ""
    return str(value[0] if isinstance(value, list) and value else value)


def _number(elements: list[Any], position: int) -> int:
    text = _text(elements, position)
    return int(text) if text.isdigit() else -1
