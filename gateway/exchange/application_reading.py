"""What partners' applications say about documents that their readers had accepted: the 824 (application advice) and the APERAK.

They name our document by its control numbers or by its own number. It knows nothing of what we sent; the pipeline looks that up.
"""

from collections.abc import Sequence

from gateway.codecs.node import Repeated
from gateway.codecs.node import Segment
from gateway.codecs.node import Transaction
from gateway.exchange.acknowledgment_result import Acknowledged
from gateway.exchange.acknowledgment_result import Mark

#: transactions that this room reads
APPLICATION_ANSWERS = frozenset({"824", "APERAK"})
#: X12 element 110, its second letter
_ADVICE = {"A": "accepted", "C": "accepted_with_errors", "E": "accepted_with_errors", "P": "partially_accepted", "R": "rejected"}
#: EDIFACT 4343, 1225 and 1001, asked in this order
_RESPONSES = {"AB": "received", "AP": "accepted", "AA": "accepted", "AD": "accepted", "AC": "accepted_with_errors", "CA": "accepted_with_errors"}
_RESPONSES |= {"AI": "accepted_with_errors", "RE": "rejected", "NR": "rejected"}
_FUNCTIONS = {"27": "rejected", "29": "accepted", "28": "accepted_with_errors", "30": "accepted_with_errors", "44": "accepted_with_errors"}
_NAMES = {"312": "accepted", "313": "rejected"}
#: X12 element 128 and EDIFACT 1153 of numbers that are not ours
_NOT_OURS = frozenset({"CT", "VN", "VA", "API", "Z13"})
#: X12 element 647: the application has it already
_REPEATS = frozenset({"003", "006"})
#: notes and marks of one answer that are kept
_MOST = 200


def read_application_answer(transaction: Transaction) -> list[Acknowledged]:
    """What an 824 or APERAK says, document by document; nothing for anything else."""
    if transaction.type == "824":
        component = transaction.delimiters.component if transaction.delimiters is not None else ""
        return _read_advice(transaction.segments, component)
    if transaction.type == "APERAK":
        return [_read_aperak(transaction.segments)]
    return []


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) else None


# ---------------------------------------------------------------- 824


def _read_advice(segments: Sequence[Segment], component: str) -> list[Acknowledged]:
    found: list[Acknowledged] = []
    part: list[Segment] = []
    for segment in [*segments, ["OTI"]]:
        if segment[0] == "OTI":
            if part:
                found.append(_of_transaction(part, component))
            part = [segment] if len(segment) > 1 else []
        elif part:
            part.append(segment)
    return found


def _of_transaction(segments: Sequence[Segment], component: str) -> Acknowledged:
    """One OTI loop: original transaction identification, and what is wrong with it."""
    oti = [*map(str, segments[0][1:]), *[""] * 11]
    level, outcome = oti[0][:1], _ADVICE.get(oti[0][1:2], "rejected")
    if level == "I" and outcome == "rejected":
        # one of its items, not the whole
        outcome = "partially_accepted"
    notes: list[str] = []
    marks: list[Mark] = []
    references = [(oti[1], oti[2])]
    errors: set[str] = set()
    for segment in segments[1:]:
        rest = [*map(str, segment[1:]), *[""] * 8]
        if segment[0] == "TED":
            errors.add(rest[0])
            notes.append(f"TED01 {rest[0]}" + (f" ({rest[1]})" if rest[1] else ""))
            place = [_number(text) for text in (rest[4].split(component) if component else [rest[4]])] + [None]
            if rest[2] or rest[3]:
                marks.append(
                    Mark(
                        segment=rest[2],
                        index=_number(rest[3]),
                        element=place[0],
                        component=place[1],
                        code=f"TED01 {rest[0]}",
                        words=rest[1],
                        value=rest[6],
                    )
                )
        elif segment[0] == "NTE":
            notes.append(rest[1])
        elif segment[0] == "REF":
            references.append((rest[0], rest[1]))
    by_number = level == "G" and oti[7] and not oti[8]
    return Acknowledged(
        level="group" if by_number else "document",
        type=oti[9],
        control_number=oti[7] if by_number else oti[8],
        group_control_number="" if by_number else oti[7],
        outcome=outcome,
        notes=tuple(note for note in notes if note)[:_MOST],
        marks=tuple(marks)[:_MOST],
        layer="application",
        references=_ours(references),
        repeat=outcome == "rejected" and bool(errors) and errors <= _REPEATS,
    )


# ---------------------------------------------------------------- APERAK


def _read_aperak(segments: Sequence[Segment]) -> Acknowledged:
    outcome = ""
    notes: list[str] = []
    references: list[tuple[str, str]] = []
    errors = False
    for segment in segments:
        tag = segment[0]
        if tag == "BGM":
            # 4343 stands last, 1225 before it; directories differ in what stands before them
            response, function, name = _part(segment, 4), _part(segment, 3), _part(segment, 1)
            outcome = _RESPONSES.get(response) or _FUNCTIONS.get(function) or _NAMES.get(name) or ""
        elif tag == "RFF":
            references.append((_part(segment, 1), _part(segment, 1, 1)))
        elif tag == "ERC":
            errors = True
            notes.append(f"ERC {_part(segment, 1)}")
        elif tag == "FTX":
            text = " ".join(part for part in _parts(segment, 4) if part)
            if text and notes and notes[-1].startswith("ERC") and "(" not in notes[-1]:
                notes[-1] = f"{notes[-1]} ({text})"
            elif text:
                notes.append(text)
    return Acknowledged(
        level="document",
        outcome=outcome or ("rejected" if errors else "accepted"),
        notes=tuple(notes)[:_MOST],
        layer="application",
        references=_ours(references),
    )


def _ours(references: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(dict.fromkeys((kind, value) for kind, value in references if value and kind not in _NOT_OURS))


def _parts(segment: Segment, element: int) -> list[str]:
    """The components of an element (of its first repetition)."""
    value = segment[element] if element < len(segment) else ""
    if isinstance(value, Repeated):
        value = value[0] if value else ""
    return [str(part) for part in value] if isinstance(value, list) else [str(value)]


def _part(segment: Segment, element: int, component: int = 0) -> str:
    parts = _parts(segment, element)
    return parts[component] if component < len(parts) else ""
