"""The dictionary of a version: elements.yaml, composites.yaml and segments.yaml, each perhaps a list of differences to another.

Entries are turned into plan values when somebody asks for them, so that a transaction costs only what it uses; `check_all` asks
for every one. Knows YAML and the plan, not transactions.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from functools import lru_cache

from gateway.schema.plan import Condition
from gateway.schema.plan import ElementUse
from gateway.schema.plan import SegmentUse
from gateway.yaml_source import Fault
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Resolver
from gateway.yaml_source import Scalar
from gateway.yaml_source import Sequence
from gateway.yaml_source import did_you_mean
from gateway.yaml_source import parse

_X12_USE = re.compile(r"(ID|AN|N[0-9]?|R|DT|TM|B) +([0-9]{1,6})(?:\.\.([0-9]{1,6}))? +(\S.*)")
_EDIFACT_USE = re.compile(r"(an|a|n)([0-9]{0,6})(\.\.)?([0-9]{1,6})? +(\S.*)")
_ENTRY = re.compile(r"([A-Z]?[0-9]{1,4})(?: +([A-Za-z]+))?(?: +x([0-9]{1,6}))?")
_CONDITION = re.compile(r"([PRECL])((?:[0-9]{2}){2,})")
_REQUIREMENTS = {"x12": {"M": True, "O": False, "X": False}, "edifact": {"M": True, "C": False}}
_DEPTH = 12
#: the key that makes an entry a whole one, and those that make it a difference
_OWN = {"elements": "use", "composites": "components", "segments": "elements"}
_CHANGES = ("keep", "change", "add", "conditions", "drop")
_POSITION = re.compile(r"[1-9][0-9]?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Form:
    """What an element is wherever it is used."""

    name: str
    type: str
    min: int
    max: int
    codes: frozenset[str] | None = None
    components: tuple[ElementUse, ...] = ()
    conditions: tuple[Condition, ...] = ()


@dataclass(slots=True)
class Part:
    """The entries of one kind (elements, composites or segments) after all differences; `None` was removed."""

    kind: str
    entries: dict[str, tuple[Node, Scalar]] = field(default_factory=dict)
    #: what differences say about an entry that stays (`add:` and the like), in the order of the files
    changes: dict[str, list[Mapping]] = field(default_factory=dict)
    #: what the version also has, but nothing of ours uses: named, not described
    others: set[str] = field(default_factory=set)
    sources: list[tuple[str, str]] = field(default_factory=list)


def check_keys(node: Mapping, known: set[str], faults: list[Fault]) -> None:
    """A fault for each key that nobody knows."""
    for key, scalar in node.keys.items():
        if key not in known:
            faults.append(scalar.fault(f"there is no key '{key}' here{did_you_mean(key, known)}; known are {', '.join(sorted(known))}"))


@lru_cache(maxsize=48)
def _parsed(text: str, path: str) -> Node:
    """The tree of a text. Many transactions share one dictionary, and nobody changes a tree."""
    return parse(text, path)


def parse_source(
    name: str, resolver: Resolver, faults: list[Fault], sources: list[tuple[str, str]], asked_by: Scalar | None = None, *, optional: bool = False
) -> Mapping | None:
    """The mapping that the file `name` holds, or None with a fault; its text is added to `sources`."""
    found = resolver.text_of(name)
    if found is None:
        if not optional:
            message = f"there is no file {name}" + did_you_mean(name, resolver.names(name.split("/")[0] + "/"))
            faults.append(asked_by.fault(message) if asked_by else Fault(name, 1, 1, message))
        return None
    path, text = found
    sources.append((name, text))
    try:
        node = _parsed(text, path)
    except Faults as error:
        faults.extend(error.faults)
        return None
    if not isinstance(node, Mapping):
        faults.append(node.fault("a schema file is a list of keys, starting with `schema:`"))
        return None
    return node


def load_part(folder: str, kind: str, resolver: Resolver, faults: list[Fault]) -> Part:
    """elements.yaml, composites.yaml or segments.yaml of `folder` (like x12/004010) with everything that it extends."""
    part = Part(kind)
    chain: list[Mapping] = []
    spec, asked_by = f"{folder}/{kind}", None
    for _ in range(_DEPTH):
        node = parse_source(f"schemas/{spec}.yaml", resolver, faults, part.sources, asked_by, optional=kind == "composites" and asked_by is None)
        if node is None:
            break
        chain.append(node)
        check_keys(node, {"schema", "extends", kind, *(["others"] if kind == "segments" else [])}, faults)
        _check_spec(node, spec, faults)
        asked_by = _text(node.get("extends"), "extends", faults)
        if asked_by is None:
            break
        spec = asked_by.text
    else:
        faults.append(chain[-1].fault(f"`extends` goes on for more than {_DEPTH} files, or in a circle"))
    for node in reversed(chain):
        _merge(part, node, faults)
    return part


def _check_spec(node: Mapping, spec: str, faults: list[Fault]) -> None:
    own = _text(node.get("schema"), "schema", faults)
    if own is None:
        faults.append(node.fault(f"`schema: {spec}` is missing"))
    elif own.text != spec:
        faults.append(own.fault(f"this file is {spec}, not '{own.text}'"))


def _text(node: Node | None, key: str, faults: list[Fault]) -> Scalar | None:
    if node is None or isinstance(node, Scalar):
        return node
    faults.append(node.fault(f"`{key}` is one word"))
    return None


def _merge(part: Part, node: Mapping, faults: list[Fault]) -> None:
    others = node.get("others")
    # a text of tags is read quicker than a list of them, and some versions have a thousand
    part.others |= set(others.text.split()) if isinstance(others, Scalar) else code_list(others, faults, "others") or set()
    entries = node.get(part.kind)
    if not isinstance(entries, Mapping):
        faults.append((entries or node).fault(f"`{part.kind}:` is a list of entries, each with its identifier"))
        return
    for name, entry in entries.items.items():
        key = entries.keys[name]
        if isinstance(entry, Scalar) and entry.plain and entry.text == "none":
            if name not in part.entries:
                faults.append(entry.fault(f"'{name}' cannot be removed: it is not there{did_you_mean(name, part.entries)}"))
            part.entries.pop(name, None)
        elif isinstance(entry, Mapping) and _OWN[part.kind] not in entry and any(word in entry for word in _CHANGES):
            if name not in part.entries:
                faults.append(key.fault(f"'{name}' cannot be changed: it is not there{did_you_mean(name, part.entries)}"))
            part.changes.setdefault(name, []).append(entry)
        else:
            part.entries[name] = (entry, key)
            part.changes.pop(name, None)


@dataclass(slots=True)
class Dictionary:
    """Elements, composites and segments of one version, for `syntax` x12 or edifact."""

    syntax: str
    folder: str
    elements: Part
    composites: Part
    segments: Part
    faults: list[Fault]
    _forms: dict[str, Form | None] = field(default_factory=dict)
    _segments: dict[str, SegmentUse | None] = field(default_factory=dict)
    #: composites that are being built, to see one that holds itself
    _making: set[str] = field(default_factory=set)

    @property
    def sources(self) -> list[tuple[str, str]]:
        return [*self.elements.sources, *self.composites.sources, *self.segments.sources]

    def segment(self, tag: str, asked_by: Scalar) -> SegmentUse | None:
        """The segment `tag` as the dictionary has it (optional, once); None with a fault where there is none."""
        if tag not in self._segments:
            entry = self.segments.entries.get(tag)
            if entry is None:
                self.faults.append(asked_by.fault(f"there is no segment '{tag}' in {self.folder}{did_you_mean(tag, self.segments.entries)}"))
                return None
            self._segments[tag] = self._build_segment(tag, *entry)
        return self._segments[tag]

    def check_all(self) -> None:
        """Builds every entry, so that its faults are found even where nothing uses it."""
        for name, (_, key) in self.elements.entries.items():
            self._form(name, key)
        for name, (_, key) in self.composites.entries.items():
            self._form(name, key)
        for tag, (_, key) in self.segments.entries.items():
            self.segment(tag, key)

    def _build_segment(self, tag: str, entry: Node, key: Scalar) -> SegmentUse | None:
        if not isinstance(entry, Mapping):
            self.faults.append(entry.fault(f"write {tag}: {{name: ..., elements: [...]}}"))
            return None
        check_keys(entry, {"name", "elements", "conditions"}, self.faults)
        name = _text(entry.get("name"), "name", self.faults)
        if name is None:
            self.faults.append(key.fault(f"{tag} has no name"))
        elements = self._uses(entry.get("elements"), entry, "elements", 1)
        conditions = self.conditions(entry.get("conditions"), len(elements))
        for change in self.segments.changes.get(tag, ()):
            check_keys(change, {"name", *_CHANGES}, self.faults)
            name = _text(change.get("name"), "name", self.faults) or name
            elements = self._changed(elements, change)
            conditions = self._changed_conditions(conditions, change, len(elements))
        return SegmentUse(tag=tag, name=name.text if name else tag, mandatory=False, max=1, elements=elements, conditions=conditions)

    def _changed(self, uses: tuple[ElementUse, ...], change: Mapping) -> tuple[ElementUse, ...]:
        """The elements with a difference: `keep: 9` the first nine, `change: {4: 380 M}` those at a position, `add: [352 O]` behind."""
        keep = _text(change.get("keep"), "keep", self.faults)
        if keep is not None:
            if not _POSITION.fullmatch(keep.text) or int(keep.text) >= len(uses):
                self.faults.append(keep.fault(f"`keep` says how many of the {len(uses)} elements stay"))
                return uses
            uses = uses[: int(keep.text)]
        others = change.get("change")
        if isinstance(others, Mapping):
            for place, item in others.items.items():
                if not _POSITION.fullmatch(place) or int(place) > len(uses):
                    self.faults.append(others.keys[place].fault(f"there is no position '{place}' (there are {len(uses)})"))
                    continue
                other = self._use(item, int(place))
                uses = uses if other is None else (*uses[: int(place) - 1], other, *uses[int(place) :])
        elif others is not None:
            self.faults.append(others.fault("`change` is positions with what stands there, like {4: 380 M}"))
        return uses + self._uses(change.get("add"), change, "add", len(uses) + 1) if "add" in change else uses

    def _changed_conditions(self, conditions: tuple[Condition, ...], change: Mapping, count: int) -> tuple[Condition, ...]:
        """The conditions with a difference: those on elements that are gone go with them, `drop: [P0304]` too."""
        dropped = set(self.conditions(change.get("drop"), 99))
        for condition in dropped.difference(conditions):
            written = condition.kind + "".join(f"{position:02d}" for position in condition.positions)
            self.faults.append(change.fault(f"there is no condition {written} to drop"))
        stay = tuple(condition for condition in conditions if max(condition.positions) <= count and condition not in dropped)
        return stay + self.conditions(change.get("conditions"), count)

    def _uses(self, node: Node | None, owner: Mapping, key: str, first: int) -> tuple[ElementUse, ...]:
        if not isinstance(node, Sequence):
            self.faults.append((node or owner).fault(f"`{key}` is a list like [353 M, 324 M]"))
            return ()
        uses = []
        for position, item in enumerate(node.items, first):
            uses.append(self._use(item, position) or ElementUse(position=position, id="", name="", type="AN", min=0, max=0, mandatory=False))
        return tuple(uses)

    def _use(self, item: Node, position: int) -> ElementUse | None:
        match = _ENTRY.fullmatch(item.text) if isinstance(item, Scalar) else None
        requirements = _REQUIREMENTS[self.syntax]
        if match is None or not isinstance(item, Scalar) or match[2] not in requirements:
            wanted, other = ", ".join(requirements), list(requirements)[1]
            shown = item.text if isinstance(item, Scalar) else "this"
            self.faults.append(item.fault(f"'{shown}' is no element with its requirement ({wanted}), like '353 M' or 'C040 {other} x2'"))
            return None
        form = self._form(match[1], item)
        if form is None:
            return None
        return ElementUse(
            position=position,
            id=match[1],
            name=form.name,
            type=form.type,
            min=form.min,
            max=form.max,
            mandatory=requirements[match[2]],
            repeat=int(match[3] or 1),
            codes=form.codes,
            components=form.components,
            conditions=form.conditions,
        )

    def _form(self, name: str, asked_by: Scalar) -> Form | None:
        if name in self._making:
            self.faults.append(asked_by.fault(f"{name} holds itself"))
        elif name not in self._forms:
            self._making.add(name)
            self._forms[name] = None
            if name in self.composites.entries:
                self._forms[name] = self._composite(name, *self.composites.entries[name])
            elif name in self.elements.entries:
                self._forms[name] = self._element(name, *self.elements.entries[name])
            else:
                known = [*self.elements.entries, *self.composites.entries]
                self.faults.append(asked_by.fault(f"there is no element '{name}' in {self.folder}{did_you_mean(name, known)}"))
            self._making.discard(name)
        return self._forms[name]

    def _composite(self, name: str, entry: Node, key: Scalar) -> Form | None:
        if not isinstance(entry, Mapping):
            self.faults.append(entry.fault(f"write {name}: {{name: ..., components: [...]}}"))
            return None
        check_keys(entry, {"name", "components", "conditions"}, self.faults)
        title = _text(entry.get("name"), "name", self.faults)
        components = self._uses(entry.get("components"), entry, "components", 1)
        conditions = self.conditions(entry.get("conditions"), len(components))
        for change in self.composites.changes.get(name, ()):
            check_keys(change, set(_CHANGES), self.faults)
            components = self._changed(components, change)
            conditions = self._changed_conditions(conditions, change, len(components))
        for component in components:
            if component.components:
                self.faults.append(key.fault(f"{name} holds {component.id}, but a composite cannot hold a composite"))
        return Form(title.text if title else name, "composite", 0, 0, None, components, conditions)

    def _element(self, name: str, entry: Node, key: Scalar) -> Form | None:
        codes = None
        use: Node | None = entry
        if isinstance(entry, Mapping):
            check_keys(entry, {"use", "codes"}, self.faults)
            use = entry.get("use")
            codes = code_list(entry.get("codes"), self.faults)
        for change in self.elements.changes.get(name, ()):
            check_keys(change, {"add"}, self.faults)
            codes = (codes or frozenset()) | (code_list(change.get("add"), self.faults) or frozenset())
        if not isinstance(use, Scalar):
            self.faults.append(key.fault(f"element {name} says its type, length and name, like {self._example}"))
            return None
        form = form_of(use.text, self.syntax)
        if form is None:
            self.faults.append(use.fault(f"'{use.text}' is no type, length and name; write it like {self._example}"))
            return None
        if form.min > form.max:
            self.faults.append(use.fault(f"the least length {form.min} is above the greatest, {form.max}"))
        for code in sorted(codes or ()):
            if not form.min <= len(code) <= form.max:
                self.faults.append(use.fault(f"code '{code}' does not fit the length of element {name}"))
        return replace(form, codes=codes) if codes else form

    @property
    def _example(self) -> str:
        return "'ID 2..2 Purpose'" if self.syntax == "x12" else "'an..35 Document number'"

    def conditions(self, node: Node | None, count: int) -> tuple[Condition, ...]:
        """Relational conditions of a segment with `count` elements."""
        if node is None:
            return ()
        if not isinstance(node, Sequence):
            self.faults.append(node.fault("`conditions` is a list like [P0304, R0203]"))
            return ()
        conditions = []
        for item in node.items:
            match = _CONDITION.fullmatch(item.text) if isinstance(item, Scalar) else None
            if match is None:
                self.faults.append(item.fault("a condition is P, R, E, C or L with two or more positions of two digits, like P0304"))
                continue
            positions = tuple(int(match[2][at : at + 2]) for at in range(0, len(match[2]), 2))
            if len(set(positions)) < len(positions) or min(positions) < 1 or max(positions) > count:
                self.faults.append(item.fault(f"{match[0]} names a position twice, or one that the segment does not have (it has {count})"))
                continue
            conditions.append(Condition(kind=match[1], positions=positions))
        return tuple(conditions)


def code_list(node: Node | None, faults: list[Fault], key: str = "codes") -> frozenset[str] | None:
    """A list of codes (or of other words, under `key`); None where there is none."""
    if node is None:
        return None
    if not isinstance(node, Sequence) or not node.items:
        faults.append(node.fault(f"`{key}` is a list that is not empty"))
        return None
    codes = set()
    for item in node.items:
        if not isinstance(item, Scalar) or not item.text:
            faults.append(item.fault("a code is one word"))
        elif item.text in codes:
            faults.append(item.fault(f"code '{item.text}' stands here twice"))
        else:
            codes.add(item.text)
    return frozenset(codes) or None


def form_of(text: str, syntax: str) -> Form | None:
    """`ID 2..2 Purpose` or `an..35 Document number` as a Form; None where it is neither."""
    if syntax == "x12":
        match = _X12_USE.fullmatch(text)
        return Form(match[4], match[1], int(match[2]), int(match[3] or match[2])) if match else None
    match = _EDIFACT_USE.fullmatch(text)
    if match is None or not (match[2] or match[4]) or bool(match[3]) != bool(match[4]):
        return None
    least = int(match[2]) if match[2] else 1
    return Form(match[5], match[1], least, int(match[4] or least))


def load_dictionary(folder: str, resolver: Resolver, faults: list[Fault], elders: Iterable[str] = ()) -> Dictionary:
    """The dictionary in `schemas/<folder>/`; each file that it does not have is that of the first of `elders` that has it. What is
    wrong is added to `faults`."""
    syntax = "edifact" if folder.startswith("edifact/") else "x12"
    folders = [folder, *elders]

    def part(kind: str) -> Part:
        own = next((one for one in folders if resolver.text_of(f"schemas/{one}/{kind}.yaml") is not None), folder)
        return load_part(own, kind, resolver, faults)

    return Dictionary(syntax, folder, part("elements"), part("composites"), part("segments"), faults)
