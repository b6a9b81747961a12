"""What partners' acknowledgments say about what we sent: 997, 999, TA1 and CONTRL, in words.

It knows nothing of what we sent; the pipeline looks that up by the control numbers.
"""

from collections.abc import Sequence

import msgspec

from gateway.codecs.node import Segment
from gateway.codecs.node import Transaction
from gateway.exchange.acknowledgment_result import Acknowledged
from gateway.exchange.acknowledgment_result import Mark

_MARKS = {"A": "accepted", "E": "accepted_with_errors", "P": "partially_accepted", "R": "rejected", "M": "rejected", "W": "rejected", "X": "rejected"}
#: 0083: 8 says that the interchange came, and nothing about what stood in it
_ACTIONS = {"4": "rejected", "7": "accepted", "8": "received"}
#: codes of I18 (TA1), 718 (AK5, IK5), 716 (AK9) and 0085 (CONTRL) that find nothing wrong but that the number came before
_REPEATS = {"I18": {"025"}, "718": {"23"}, "716": {"19"}, "0085": {"26"}}
#: codes in our words: 720/620 (segments), 723/621 (elements), 718/618 (transactions), 716 (groups), I18 (interchanges), 0085 (EDIFACT)
_WORDS = {
    "720": {
        "1": "unknown segment",
        "2": "unexpected segment",
        "3": "mandatory segment missing",
        "4": "loop too often",
        "5": "segment too often",
        "6": "segment not in this transaction",
        "7": "segment in wrong order",
        "8": "faults in its elements",
    },
    "723": {
        "1": "mandatory element missing",
        "2": "element needed beside another missing",
        "3": "too many elements",
        "4": "too short",
        "5": "too long",
        "6": "invalid character",
        "7": "invalid code",
        "8": "invalid date",
        "9": "invalid time",
        "10": "element excluded by another",
        "12": "too many repetitions",
        "13": "too many components",
    },
    "718": {
        "1": "type not supported",
        "2": "trailer missing",
        "3": "control numbers differ",
        "4": "segment count wrong",
        "5": "faults in segments",
        "6": "identifier invalid",
        "7": "control number invalid",
        "23": "control number not unique",
    },
    "716": {
        "1": "group not supported",
        "2": "version not supported",
        "3": "trailer missing",
        "4": "control numbers differ",
        "5": "transaction count wrong",
        "6": "control number invalid",
        "19": "control number not unique",
    },
    "I18": {
        "001": "control numbers differ",
        "005": "sender qualifier invalid",
        "006": "sender invalid",
        "007": "receiver qualifier invalid",
        "008": "receiver invalid",
        "009": "receiver unknown",
        "017": "version invalid",
        "018": "control number invalid",
        "021": "group count wrong",
        "022": "structure invalid",
        "023": "file ended too early",
        "024": "content invalid",
        "025": "control number used before",
    },
    "0085": {
        "2": "syntax version not supported",
        "7": "not the recipient",
        "12": "invalid value",
        "13": "missing",
        "14": "value not supported here",
        "15": "not supported here",
        "16": "too many parts",
        "17": "no agreement",
        "18": "unspecified",
        "20": "invalid delimiter",
        "21": "invalid character",
        "23": "unknown sender",
        "26": "sent before",
        "28": "references differ",
        "29": "count wrong",
        "35": "too often",
        "36": "group too often",
        "37": "invalid type of character",
        "39": "too long",
        "40": "too short",
    },
}


def read_acknowledgment(transaction: Transaction) -> list[Acknowledged]:
    """What a 997, 999 or CONTRL of a partner says, level by level; nothing for what is no acknowledgment."""
    if transaction.type in {"997", "999"}:
        component = transaction.delimiters.component if transaction.delimiters is not None else ""
        return _read_functional(transaction.segments, component)
    if transaction.type == "CONTRL":
        return _read_contrl(transaction.segments)
    return []


def read_advice(segment: Segment) -> Acknowledged | None:
    """What a TA1 segment says about an interchange of ours."""
    if len(segment) < 5 or segment[0] != "TA1":
        return None
    code = segment[5].strip() if len(segment) > 5 else ""
    notes = (_said("TA105", "I18", code),) if code.strip("0") else ()
    outcome = _MARKS.get(segment[4].strip(), "rejected")
    repeat = _is_repeat(outcome, "I18", [code.zfill(3)])
    return Acknowledged(level="interchange", control_number=segment[1].strip(), outcome=outcome, notes=notes, repeat=repeat)


def _is_repeat(outcome: str, element: str, codes: Sequence[str]) -> bool:
    """Whether something is refused for nothing but that it came before."""
    said = {code for code in codes if code}
    return outcome == "rejected" and bool(said) and said <= _REPEATS[element]


def _said(name: str, element: str, code: str) -> str:
    words = _WORDS[element].get(code)
    return f"{name} {code} ({words})" if words else f"{name} {code}"


def _number(text: str) -> int | None:
    """A position as a number; None where none is said."""
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) else None


def _mark(name: str, table: str, code: str, **place: object) -> Mark:
    return Mark(code=f"{name} {code}".strip(), words=_WORDS[table].get(code, ""), **place)  # type: ignore[arg-type]  # fields of Mark


def _read_functional(segments: Sequence[Segment], component: str) -> list[Acknowledged]:
    found: list[Acknowledged] = []
    group = group_type = kind = control = ""
    notes: list[str] = []
    marks: list[Mark] = []
    for segment in segments:
        tag, rest = segment[0], [*map(str, segment[1:]), "", "", "", ""]
        if tag == "AK1":
            group_type, group = rest[0], rest[1]
        elif tag == "AK2":
            kind, control, notes, marks = rest[0], rest[1], [], []
        elif tag in {"AK3", "IK3"}:
            notes.append(f"{rest[0]} segment {rest[1]}: {_said(tag + '04', '720', rest[3])}")
            marks.append(_mark(tag + "04", "720", rest[3], segment=rest[0], index=_number(rest[1]), missing=rest[3] == "3"))
        elif tag in {"AK4", "IK4"}:
            notes.append(f"element {rest[0]}: {_said(tag + '03', '723', rest[2])}" + (f", '{rest[3]}'" if rest[3] else ""))
            _add_element(marks, tag, rest, component)
        elif tag in {"AK5", "IK5"}:
            codes = [_said(f"{tag}{number:02}", "718", code) for number, code in enumerate(rest[1:6], 2) if code]
            outcome = _MARKS.get(rest[0], "rejected")
            found.append(
                Acknowledged(
                    level="transaction",
                    type=kind,
                    control_number=control,
                    group_control_number=group,
                    outcome=outcome,
                    notes=(*notes, *codes),
                    marks=tuple(marks),
                    repeat=not marks and _is_repeat(outcome, "718", rest[1:6]),
                )
            )
        elif tag == "AK9":
            said = tuple(_said(f"AK9{number:02}", "716", code) for number, code in enumerate(rest[4:9], 5) if code)
            outcome = _MARKS.get(rest[0], "rejected")
            repeat = _is_repeat(outcome, "716", rest[4:9])
            found.append(Acknowledged(level="group", type=group_type, control_number=group, outcome=outcome, notes=said, repeat=repeat))
    return found


def _add_element(marks: list[Mark], tag: str, rest: Sequence[str], component: str) -> None:
    """AK4 and IK4 say which element of the segment before them; the first takes the place of what was said of the whole segment."""
    before = marks[-1] if marks else Mark()
    place = [_number(part) for part in (rest[0].split(component) if component else [rest[0]])] + [None, None]
    made = _mark(
        tag + "03",
        "723",
        rest[2],
        segment=before.segment,
        index=before.index,
        element=place[0],
        component=place[1],
        repetition=place[2],
        value=rest[3],
    )
    if marks and before.element is None and before.code[:5] in {"AK304", "IK304"}:
        marks[-1] = made
    else:
        marks.append(made)


def _texts(segment: Segment) -> list[str]:
    """The first component of each element, and room for those that are not there."""
    return [_text(element) for element in segment[1:]] + [""] * 8


def _text(element: object) -> str:
    if isinstance(element, list):
        return _text(element[0]) if element else ""
    return str(element)


def _read_contrl(segments: Sequence[Segment]) -> list[Acknowledged]:
    found: list[Acknowledged] = []
    interchange = group = ""
    index: int | None = None
    for segment in segments:
        tag, texts = segment[0], _texts(segment)
        if tag in {"UCI", "UCF"}:
            interchange, group = (texts[0], "") if tag == "UCI" else (interchange, texts[0])
            notes = (_said(f"{tag} 0085", "0085", texts[4]),) if texts[4] else ()
            outcome = _ACTIONS.get(texts[3], "rejected")
            found.append(
                Acknowledged(
                    level="group" if tag == "UCF" else "interchange",
                    control_number=texts[0],
                    interchange_control_number=interchange if tag == "UCF" else "",
                    outcome=outcome,
                    notes=notes,
                    repeat=_is_repeat(outcome, "0085", [texts[4]]),
                )
            )
        elif tag == "UCM":
            notes = (_said("UCM 0085", "0085", texts[3]),) if texts[3] else ()
            outcome = _ACTIONS.get(texts[2], "rejected")
            found.append(
                Acknowledged(
                    level="transaction",
                    type=texts[1],
                    control_number=texts[0],
                    group_control_number=group,
                    interchange_control_number=interchange,
                    outcome=outcome,
                    notes=notes,
                    repeat=_is_repeat(outcome, "0085", [texts[3]]),
                    marks=(_mark("UCM 0085", "0085", texts[3], segment=texts[4]),) if texts[4] else (),
                )
            )
        elif tag in {"UCS", "UCD"} and found:
            last = found[-1]
            if tag == "UCS":
                index = _number(texts[0])
                said = f"segment {texts[0]}" + (f": {_said('0085', '0085', texts[1])}" if texts[1] else "")
                marks = (*last.marks, _mark("UCS 0085", "0085", texts[1], index=index, missing=texts[1] == "13"))
            else:
                element, component = [*map(_number, _position(segment).split("/")), None][:2]
                said = f"element {_position(segment)}: {_said('0085', '0085', texts[0])}"
                made = _mark("UCD 0085", "0085", texts[0], index=index, element=element, component=component)
                # what was said of the whole segment was only the way to its element
                earlier = last.marks[:-1] if last.marks and last.marks[-1].code == "UCS 0085" else last.marks
                marks = (*earlier, made)
            # faults of its own are no repeat
            found[-1] = msgspec.structs.replace(last, notes=(*last.notes, said), marks=marks, repeat=False)
    return found


def _position(segment: Segment) -> str:
    """S011 as we count: the tag is not an element."""
    parts = [str(part) for part in segment[2]] if len(segment) > 2 and isinstance(segment[2], list) else [""]
    if parts[0].isascii() and parts[0].isdigit() and parts[0] != "0":
        parts[0] = str(int(parts[0][:6]) - 1)
    return "/".join(part for part in parts[:2] if part)
