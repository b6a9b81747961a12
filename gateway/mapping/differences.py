"""Differences to a list of segments (writing): which segment is meant, what changes in it, and what is added where.

    segments:
      BEG: {02: "NE"}                          # by its tag
      REF[01=DP]: none                         # by tag and constant, where the tag stands twice
      PO1/PID: {05: name}                      # under another segment
      add:
        - {after: BEG, NTE: {01: "GEN", 02: number}}
        - {after: PO1/PID, SLN: {01: number}}  # under another segment
Knows the form of the list, not what the values mean.
"""

import re

from gateway.yaml_source import Fault
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Scalar
from gateway.yaml_source import Sequence
from gateway.yaml_source import did_you_mean

_STEP = re.compile(r"(?P<tag>[A-Z][A-Z0-9]{1,2}|[a-z][a-z0-9_]*)(?:\[(?P<key>[A-Za-z0-9_/]+)=(?P<value>[^\]]*)\])?")


def tag_of(entry: Node) -> str | None:
    """The tag of one entry of a list of segments: its key that is none of the words beside it."""
    if not isinstance(entry, Mapping):
        return None
    tags = [key for key in entry if key not in ("then", "after", "before")]
    return tags[0] if len(tags) == 1 else None


def lay_segments(base: Node, layer: Mapping, faults: list[Fault]) -> Node:
    """The list of segments with the differences of `layer`."""
    assert isinstance(base, Sequence)
    answer = base
    for key, value in layer.items.items():
        if key == "add":
            answer = _add(answer, value, faults)
            continue
        changed = _change(answer, key.split("/") if "[" not in key else _split(key), layer.keys[key], value, faults)
        answer = changed if changed is not None else answer
    return answer


def _split(key: str) -> list[str]:
    return re.findall(r"[^/\[]+(?:\[[^\]]*\])?", key)


def _matches(entry: Node, step: str) -> bool:
    match = _STEP.fullmatch(step)
    tag = tag_of(entry)
    if match is None or tag is None or tag != match["tag"]:
        return False
    if match["key"] is None:
        return True
    assert isinstance(entry, Mapping)
    held: Node | None = entry.items[tag]
    for name in match["key"].split("/"):
        held = held.get(name) if isinstance(held, Mapping) else None
    if isinstance(held, Sequence) and held.items:
        held = held.items[0]
    return isinstance(held, Scalar) and held.text == match["value"]


def _change(base: Sequence, steps: list[str], place: Scalar, value: Node, faults: list[Fault]) -> Sequence | None:
    found = [number for number, entry in enumerate(base.items) if _matches(entry, steps[0])]
    if len(found) != 1:
        tags = [tag for entry in base.items if (tag := tag_of(entry))]
        many = f"stands here {len(found)} times: say which, as in {steps[0]}[01=..]"
        faults.append(place.fault(f"{steps[0]} {many if found else 'is not written here' + did_you_mean(steps[0], tags)}"))
        return None
    number = found[0]
    entry = base.items[number]
    assert isinstance(entry, Mapping)
    items = list(base.items)
    if len(steps) > 1:
        inner = entry.get("then")
        if not isinstance(inner, Sequence):
            faults.append(place.fault(f"nothing stands under {steps[0]}"))
            return None
        changed = _change(inner, steps[1:], place, value, faults)
        if changed is None:
            return None
        items[number] = _with(entry, "then", changed)
    elif isinstance(value, Scalar) and value.plain and value.text == "none":
        del items[number]
    elif isinstance(value, Mapping):
        tag = tag_of(entry)
        assert tag is not None
        old = entry.items[tag]
        if isinstance(old, Mapping):
            merged, keys = dict(old.items), dict(old.keys)
            for key, held in value.items.items():
                if isinstance(held, Scalar) and held.plain and held.text == "none":
                    merged.pop(key, None)
                else:
                    merged[key] = held
                    keys[key] = value.keys[key]
            items[number] = _with(entry, tag, Mapping(merged, keys, value.document, value.line, value.column))
        else:
            items[number] = _with(entry, tag, value)
    else:
        faults.append(value.fault("write the elements that differ, or none"))
    return Sequence(tuple(items), base.document, base.line, base.column)


def _add(base: Sequence, value: Node, faults: list[Fault]) -> Sequence:
    answer = base
    for entry in value.items if isinstance(value, Sequence) else (value,):
        where = next((word for word in ("after", "before") if isinstance(entry, Mapping) and word in entry), None)
        anchor = entry.get(where) if isinstance(entry, Mapping) and where else None
        if where is None or not isinstance(anchor, Scalar) or not isinstance(entry, Mapping) or tag_of(entry) is None:
            faults.append(entry.fault("an added segment says its place: {after: BEG, REF: {...}} or {before: ...}"))
            continue
        kept = {key: held for key, held in entry.items.items() if key not in ("after", "before")}
        node = Mapping(kept, {key: entry.keys[key] for key in kept}, entry.document, entry.line, entry.column)
        answer = _insert(answer, _split(anchor.text), anchor, where, node, faults)
    return answer


def _insert(base: Sequence, steps: list[str], anchor: Scalar, where: str, node: Mapping, faults: list[Fault]) -> Sequence:
    """`node` after or before the segment that `steps` lead to; the last of several, or the first."""
    items = list(base.items)
    found = [number for number, old in enumerate(items) if _matches(old, steps[0])]
    if not found:
        tags = [tag for old in items if (tag := tag_of(old))]
        faults.append(anchor.fault(f"{steps[0]} is not written here{did_you_mean(steps[0], tags)}"))
    elif len(steps) == 1:
        items.insert(found[-1] + 1 if where == "after" else found[0], node)
    else:
        entry = items[found[0]]
        inner = entry.get("then") if isinstance(entry, Mapping) else None
        if len(found) > 1 or not isinstance(inner, Sequence) or not isinstance(entry, Mapping):
            many = f"{steps[0]} stands here {len(found)} times: say which, as in {steps[0]}[01=..]"
            faults.append(anchor.fault(many if len(found) > 1 else f"nothing stands under {steps[0]}"))
        else:
            items[found[0]] = _with(entry, "then", _insert(inner, steps[1:], anchor, where, node, faults))
    return Sequence(tuple(items), base.document, base.line, base.column)


def _with(entry: Mapping, key: str, value: Node) -> Mapping:
    return Mapping({**entry.items, key: value}, entry.keys, entry.document, entry.line, entry.column)
