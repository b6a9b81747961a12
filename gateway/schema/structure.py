"""The structure of a transaction while it is being loaded: loops and segments from YAML, and differences to them by path.

A path names loops, then a segment or loop: `PO1/N1/N3`, `loop PO1/N1`; `DTM#2` is the second DTM at that level. EDIFACT's groups have
numbers that change with every directory, so a path may name them by the segment that opens them: `LIN/PAC/PCI`. Knows YAML, the
dictionary and the plan; the result is frozen into a plan.LoopUse.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace

from gateway.schema.dictionary import Dictionary
from gateway.schema.dictionary import check_keys
from gateway.schema.dictionary import code_list
from gateway.schema.plan import ElementUse
from gateway.schema.plan import LoopUse
from gateway.schema.plan import SegmentUse
from gateway.yaml_source import Fault
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Scalar
from gateway.yaml_source import Sequence
from gateway.yaml_source import did_you_mean

_USE = re.compile(r"([A-Z]) (>?[0-9]{1,9})")
_ENTRY = re.compile(r"(?:(loop) )?([A-Z0-9_]+) ([A-Z]) (>?[0-9]{1,9})")
_STEP = re.compile(r"(?:(loop) )?([A-Z0-9_]+)(?:#([0-9]{1,4}))?")
_NUMBER = re.compile(r"[0-9]{1,6}", re.ASCII)
#: an element in a path: its position, in EDIFACT also its identifier (1082), in both the identifier of a composite (C212)
_ELEMENT = re.compile(r"[0-9]{1,6}|[CES][0-9]{3}", re.ASCII)
#: what stands in the interchange, not in a transaction
_ALONE = {"TA1"}
_REQUIREMENTS = {"x12": {"M": True, "O": False}, "edifact": {"M": True, "C": False}}


@dataclass(slots=True, eq=False)
class DraftSegment:
    """A segment at its place, as long as differences may still change it. `use` already has its requirement and maximum."""

    use: SegmentUse
    at: Scalar

    @property
    def name(self) -> str:
        return self.use.tag


@dataclass(slots=True, eq=False)
class DraftLoop:
    """A loop, as long as differences may still change it."""

    name: str
    mandatory: bool
    max: int | None
    children: "list[DraftSegment | DraftLoop]"
    at: Scalar
    note: str = ""

    def freeze(self) -> LoopUse:
        """The loop and all within as they stand in a plan."""
        children = tuple(child.use if isinstance(child, DraftSegment) else child.freeze() for child in self.children)
        return LoopUse(name=self.name, mandatory=self.mandatory, max=self.max, children=children, note=self.note)


Draft = DraftSegment | DraftLoop


def _maximum(text: str) -> int | None:
    """`5` is 5; `>1` is no limit."""
    return None if text.startswith(">") else int(text)


def _inner_loops(loop: DraftLoop) -> "Iterator[DraftLoop]":
    """All loops in `loop`, in the order in which they begin."""
    for child in loop.children:
        if isinstance(child, DraftLoop):
            yield child
            yield from _inner_loops(child)


def _opens(child: Draft, tag: str) -> bool:
    """Whether `child` is a loop that the segment `tag` opens."""
    return isinstance(child, DraftLoop) and bool(child.children) and child.children[0].name == tag


class Structure:
    """Reads the structure of one transaction and applies differences to it; what is wrong is added to the dictionary's faults."""

    def __init__(self, dictionary: Dictionary) -> None:
        self.dictionary = dictionary
        self.faults: list[Fault] = dictionary.faults
        self.requirements = _REQUIREMENTS[dictionary.syntax]
        self.root: DraftLoop | None = None

    def read(self, node: Sequence, type: str) -> None:
        """The whole structure, from ST or UNH to SE or UNT."""
        here = Scalar(type, node.document, node.line, node.column)
        self.root = DraftLoop(type, True, 1, self._children(node), here)

    def number_groups(self) -> None:
        """EDIFACT numbers its groups through from the first to the last: after a directory's differences they have that directory's numbers."""
        if self.root is not None and self.dictionary.syntax == "edifact":
            for number, loop in enumerate(_inner_loops(self.root), 1):
                loop.name = f"SG{number}"

    def check(self) -> None:
        """What must hold after all differences: head and trailer, loops that can be opened, places that can be reached."""
        if self.root is None:
            return
        head, trailer = ("ST", "SE") if self.dictionary.syntax == "x12" else ("UNH", "UNT")
        tags = [child.name for child in self.root.children if isinstance(child, DraftSegment)]
        if self.root.name not in _ALONE and (tags[:1] != [head] or tags[-1:] != [trailer] or not isinstance(self.root.children[-1], DraftSegment)):
            self.faults.append(self.root.at.fault(f"the segments of a transaction start with {head} M 1 and end with {trailer} M 1"))
        self._check_loop(self.root)

    def _check_loop(self, loop: DraftLoop) -> None:
        first = loop.children[0] if loop.children else None
        if not isinstance(first, DraftSegment) or not first.use.mandatory or first.use.max != 1:
            self.faults.append(loop.at.fault(f"the first segment of loop {loop.name} opens it; it must be a segment with M 1"))
        endless: dict[str, Draft] = {}
        names: dict[str, Draft] = {}
        for child in loop.children:
            opener = child.children[0] if isinstance(child, DraftLoop) and child.children else child
            if opener.name in endless:
                line = endless[opener.name].at.line
                self.faults.append(child.at.fault(f"this {opener.name} can never be reached: the one on line {line} takes all"))
            if child.use.mandatory if isinstance(child, DraftSegment) else child.mandatory:
                endless.clear()
            if (child.use.max if isinstance(child, DraftSegment) else child.max) is None:
                endless[opener.name] = child
            if isinstance(child, DraftLoop):
                if child.name in names:
                    self.faults.append(child.at.fault(f"loop {child.name} stands here twice (first on line {names[child.name].at.line})"))
                names[child.name] = child
                self._check_loop(child)

    # reading

    def _children(self, node: Node) -> list[Draft]:
        if not isinstance(node, Sequence):
            self.faults.append(node.fault("the segments are a list like [N1 M 1, N2 O 2]"))
            return []
        drafts = (self._child(item) for item in node.items)
        return [draft for draft in drafts if draft is not None]

    def _child(self, item: Node) -> Draft | None:
        if isinstance(item, Scalar):
            return self._segment(item)
        if isinstance(item, Mapping) and len(item.items) == 1:
            ((text, children),) = item.items.items()
            return self._loop(item.keys[text], children)
        self.faults.append(item.fault("write a segment like 'REF O 5' or a loop like 'loop N1 O 200: [N1 M 1, N2 O 2]'"))
        return None

    def _entry(self, item: Scalar, loop: bool) -> tuple[str, bool, int | None] | None:
        match = _ENTRY.fullmatch(item.text)
        if match is None or bool(match[1]) != loop or match[3] not in self.requirements or match[4] == "0":
            example = "loop N1 O 200" if loop else "REF O 5"
            wanted = " or ".join(self.requirements)
            what = "loop" if loop else "segment"
            self.faults.append(item.fault(f"'{item.text}' is no {what} with requirement ({wanted}) and maximum, like '{example}'"))
            return None
        return match[2], self.requirements[match[3]], _maximum(match[4])

    def _segment(self, item: Scalar) -> DraftSegment | None:
        entry = self._entry(item, False)
        if entry is None:
            return None
        tag, mandatory, most = entry
        use = self.dictionary.segment(tag, item)
        return None if use is None else DraftSegment(replace(use, mandatory=mandatory, max=most), item)

    def _loop(self, key: Scalar, children: Node) -> DraftLoop | None:
        entry = self._entry(key, True)
        return None if entry is None else DraftLoop(*entry, self._children(children), key)

    # differences

    def change_segments(self, node: Node) -> None:
        """`segments:` of an extending file: path to `O 5`, `none`, another segment (`MTX O 5`) in its place, or what is new:
        {after|before: REF, use: O 5, segments: [...]}."""
        if not isinstance(node, Mapping):
            self.faults.append(node.fault("`segments` of a file that extends another is a list of paths with their differences, like 'N1/N3: O 2'"))
            return
        for path, value in node.items.items():
            key = node.keys[path]
            if isinstance(value, Mapping):
                self._insert(key, value)
                continue
            found = self._find(key)
            if found is None:
                continue
            parent, child = found
            if not isinstance(value, Scalar):
                self.faults.append(value.fault("a difference is like 'O 5', none, 'MTX O 5' in its place, or {after: REF, use: O 5}"))
            elif value.text == "none":
                parent.children.remove(child)
            elif _ENTRY.fullmatch(value.text):
                replacement = self._segment(value)
                if replacement is not None:
                    parent.children[parent.children.index(child)] = replacement
            else:
                self._alter(child, value)

    def _alter(self, child: Draft, value: Scalar) -> None:
        match = _USE.fullmatch(value.text)
        if match is None or match[1] not in self.requirements or match[2] == "0":
            self.faults.append(value.fault(f"'{value.text}' is no requirement and maximum like 'O 5', and not none"))
            return
        mandatory, most = self.requirements[match[1]], _maximum(match[2])
        if isinstance(child, DraftSegment):
            child.use = replace(child.use, mandatory=mandatory, max=most)
        else:
            child.mandatory, child.max = mandatory, most

    def _insert(self, key: Scalar, value: Mapping) -> None:
        check_keys(value, {"after", "before", "use", "segments"}, self.faults)
        side = "after" if "after" in value else "before"
        neighbour, use, inner = value.get(side), value.get("use"), value.get("segments")
        if not isinstance(neighbour, Scalar) or not isinstance(use, Scalar):
            self.faults.append(value.fault("what is new says where and how often: {after: REF, use: O 5}"))
            return
        *loops, last = key.text.split("/")
        prefix = "/".join(loops) + "/" if loops else ""
        found = self._find(Scalar(prefix + neighbour.text, neighbour.document, neighbour.line, neighbour.column))
        item = Scalar(f"{last} {use.text}", use.document, use.line, use.column)
        draft = self._loop(item, inner) if inner is not None else self._segment(item)
        if found is None or draft is None:
            return
        parent, child = found
        parent.children.insert(parent.children.index(child) + (side == "after"), draft)

    def _find(self, key: Scalar) -> "tuple[DraftLoop, Draft] | None":
        """The loop and the child in it that a path names; None with a fault."""
        assert self.root is not None
        here: DraftLoop = self.root
        *steps, last = key.text.split("/")
        for step in steps:
            loop = self._child_named(here, f"loop {step.removeprefix('loop ')}", key)
            if not isinstance(loop, DraftLoop):
                return None
            here = loop
        child = self._child_named(here, last, key)
        return None if child is None else (here, child)

    def _child_named(self, loop: DraftLoop, step: str, key: Scalar) -> Draft | None:
        match = _STEP.fullmatch(step)
        if match is None:
            self.faults.append(key.fault(f"'{key.text}' is no path like N1/N3"))
            return None
        wanted: type[Draft] = DraftLoop if match[1] else DraftSegment
        named = [child for child in loop.children if child.name == match[2] or (self.dictionary.syntax == "edifact" and _opens(child, match[2]))]
        fitting = [child for child in named if isinstance(child, wanted)] or ([] if match[1] else named)
        number = int(match[3] or 1)
        if not 1 <= number <= len(fitting):
            known = [f"loop {child.name}" if isinstance(child, DraftLoop) and match[1] else child.name for child in loop.children]
            where = "" if loop is self.root else f" in loop {loop.name}"
            self.faults.append(key.fault(f"there is no {step}{where}{did_you_mean(step, known)}"))
            return None
        return fitting[number - 1]

    def change_elements(self, node: Node) -> None:
        """`elements:` path to `M`, `O`, `unused` or {requirement:, min:, max:, codes: [...]}; BEG/01 means every BEG."""
        if not isinstance(node, Mapping):
            self.faults.append(node.fault("`elements` is a list of paths with their differences, like 'BEG/05: M'"))
            return
        for path, value in node.items.items():
            key = node.keys[path]
            if isinstance(value, Scalar):
                value = Mapping({"requirement": value}, {"requirement": value}, value.document, value.line, value.column)
            if isinstance(value, Mapping):
                check_keys(value, {"requirement", "min", "max", "codes"}, self.faults)
                self._change_element(key, value)
            else:
                self.faults.append(value.fault("a difference is like M, unused, or {max: 8, codes: [A, B]}"))

    def change_codes(self, node: Node) -> None:
        """`codes:` path to the only codes that are allowed there."""
        if not isinstance(node, Mapping):
            self.faults.append(node.fault('`codes` is a list of paths with their codes, like \'BEG/01: ["00", "05"]\''))
            return
        for path, value in node.items.items():
            self._change_element(node.keys[path], Mapping({"codes": value}, {"codes": node.keys[path]}, node.document, node.line, node.column))

    def add_notes(self, node: Node) -> None:
        """`notes:` path of an element, a segment (its mere tag means every one) or a loop, to words for a guide."""
        if not isinstance(node, Mapping):
            self.faults.append(node.fault("`notes` is a list of paths with their words, like 'BEG/05: The day of the order'"))
            return
        for path, value in node.items.items():
            key = node.keys[path]
            if not isinstance(value, Scalar):
                self.faults.append(value.fault("a note is text"))
            elif _ELEMENT.fullmatch(path.rpartition("/")[2]):
                self._change_element(key, Mapping({"note": value}, {"note": key}, node.document, node.line, node.column))
            else:
                self._note(key, value.text)

    def add_conditions(self, node: Node) -> None:
        """`conditions:` path of a segment (its mere tag means every one) to relational conditions more, like [R0304, C0506]."""
        if not isinstance(node, Mapping):
            self.faults.append(node.fault("`conditions` is a list of segments with their conditions, like 'N1: [R0203]'"))
            return
        for path, value in node.items.items():
            key = node.keys[path]
            everywhere = self._all(self.root, key.text)
            if not everywhere:
                found = self._find(key)
                everywhere = [found[1]] if found is not None and isinstance(found[1], DraftSegment) else []
            for draft in everywhere:
                more = self.dictionary.conditions(value, len(draft.use.elements))
                draft.use = replace(draft.use, conditions=(*draft.use.conditions, *more))

    def _note(self, key: Scalar, text: str) -> None:
        everywhere = self._all(self.root, key.text)
        if not everywhere:
            found = self._find(key)
            if found is not None and isinstance(found[1], DraftLoop):
                found[1].note = text
            everywhere = [found[1]] if found is not None and isinstance(found[1], DraftSegment) else []
        for draft in everywhere:
            draft.use = replace(draft.use, note=text)

    def _change_element(self, key: Scalar, difference: Mapping) -> None:
        steps = key.text.split("/")
        numbers = [step for step in steps if _ELEMENT.fullmatch(step)]
        names = steps[: len(steps) - len(numbers)]
        if not names or not 1 <= len(numbers) <= 2 or any(_ELEMENT.fullmatch(step) for step in names):
            self.faults.append(key.fault(f"'{key.text}' is no element's path like BEG/01 or PO1/N1/N1/03"))
            return
        if len(names) == 1 and "#" not in names[0] and " " not in names[0]:
            targets = list(self._all(self.root, names[0]))
            if not targets:
                known = {segment.name for segment in self._all(self.root, None)}
                self.faults.append(key.fault(f"there is no segment {names[0]} in this transaction{did_you_mean(names[0], known)}"))
        else:
            found = self._find(Scalar("/".join(names), key.document, key.line, key.column))
            targets = [found[1]] if found is not None and isinstance(found[1], DraftSegment) else []
            if found is not None and not targets:
                self.faults.append(key.fault(f"{'/'.join(names)} is a loop; name the segment in it"))
        changed: dict[SegmentUse, SegmentUse | None] = {}
        for target in targets:
            if target.use not in changed:
                changed[target.use] = self._changed_segment(target.use, numbers, difference, key)
            target.use = changed[target.use] or target.use

    def _all(self, loop: DraftLoop | None, tag: str | None) -> "list[DraftSegment]":
        found: list[DraftSegment] = []
        for child in loop.children if loop else ():
            if isinstance(child, DraftLoop):
                found += self._all(child, tag)
            elif tag is None or child.name == tag:
                found.append(child)
        return found

    def _changed_segment(self, use: SegmentUse, numbers: list[str], difference: Mapping, key: Scalar) -> SegmentUse | None:
        elements = self._changed(use.elements, numbers, difference, key)
        if elements is None:
            if not self.faults or self.faults[-1].line != key.line:
                self.faults.append(key.fault(f"{key.text} does not exist: {use.tag} has {len(use.elements)} elements in {self.dictionary.folder}"))
            return None
        return replace(use, elements=elements)

    def _changed(self, uses: tuple[ElementUse, ...], numbers: list[str], difference: Mapping, key: Scalar) -> tuple[ElementUse, ...] | None:
        """The elements with the difference at every one that is meant: `1082` is each element with that identifier, `C212/7140` that component of
        each C212; a component's identifier alone stands for the composite that holds it. None where there is none."""
        first, deeper = numbers[0], numbers[1:]
        meant = self._meant(uses, first)
        if not meant and not deeper and len(first) == 4:
            meant = {use.position for use in uses if any(part.id == first for part in use.components)}
            deeper = numbers
        answer = list(uses)
        for position in meant:
            use = uses[position - 1]
            if deeper:
                components = self._changed(use.components, deeper, difference, key)
                if components is None:
                    return None
                answer[position - 1] = replace(use, components=components)
            else:
                answer[position - 1] = self._differing(use, difference)
        return tuple(answer) if meant else None

    def _meant(self, uses: tuple[ElementUse, ...], step: str) -> set[int]:
        """The positions that a step of a path means: one, or those of an identifier."""
        if step[0].isalpha() or (len(step) == 4 and self.dictionary.syntax == "edifact"):
            return {use.position for use in uses if use.id == step}
        return {int(step)} if 1 <= int(step) <= len(uses) else set()

    def _differing(self, use: ElementUse, difference: Mapping) -> ElementUse:
        note = difference.get("note")
        if isinstance(note, Scalar):
            use = replace(use, note=note.text)
        requirement = difference.get("requirement")
        known = {**self.requirements, "X": False, "unused": False}
        if isinstance(requirement, Scalar) and requirement.text in known:
            use = replace(use, mandatory=known[requirement.text], unused=requirement.text == "unused")
        elif requirement is not None:
            self.faults.append(requirement.fault(f"a requirement is {', '.join(self.requirements)} or unused"))
        for bound in ("min", "max"):
            node = difference.get(bound)
            if isinstance(node, Scalar) and _NUMBER.fullmatch(node.text):
                use = replace(use, min=int(node.text)) if bound == "min" else replace(use, max=int(node.text))
            elif node is not None:
                self.faults.append(node.fault(f"`{bound}` is a number of characters"))
        if use.min > use.max:
            self.faults.append(difference.fault(f"the least length {use.min} is above the greatest, {use.max}"))
        if "codes" in difference:
            node = difference.get("codes")
            if isinstance(node, Scalar) and node.text == "any":
                return replace(use, codes=None)
            codes = code_list(node, self.faults)
            unfit = [code for code in sorted(codes or ()) if not use.min <= len(code) <= use.max]
            if unfit and node is not None:
                self.faults.append(node.fault(f"code '{unfit[0]}' does not fit the length of element {use.id} ({use.min} to {use.max})"))
            return replace(use, codes=codes)
        return use
