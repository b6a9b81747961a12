"""What a guide is made of: rows that a template prints, without any HTML in them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementRow:
    """One element or component in use. `ref` is how partners write it: BEG-03, PRI-C509-5118."""

    ref: str
    id: str
    name: str
    #: must, used, not used
    usage: str
    type: str
    length: str
    repeat: int
    #: code and what it means to us
    codes: tuple[tuple[str, str], ...] = ()
    #: canonical fields, and what is done with the value
    fields: tuple[str, ...] = ()
    note: str = ""
    component: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRow:
    """One segment at its place. `depth` is how many loops it stands in; `opens` names the loop that it opens."""

    depth: int
    tag: str
    name: str
    usage: str
    max: str
    opens: str = ""
    opens_max: str = ""
    elements: tuple[ElementRow, ...] = ()
    conditions: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRow:
    """One element or attribute of an XML document."""

    path: str
    usage: str
    codes: tuple[tuple[str, str], ...] = ()
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeRow:
    """One element of ISA, GS, UNB: what stands there."""

    ref: str
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A file that our own reader finds nothing wrong in, or why there is none."""

    text: str = ""
    #: what we read from it, or wrote it from: field and value
    fields: tuple[tuple[str, str], ...] = ()
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One document type in one direction."""

    anchor: str
    title: str
    spec: str
    #: to us, to you
    direction: str
    over: str
    acknowledged: str
    segments: tuple[SegmentRow, ...] = ()
    paths: tuple[PathRow, ...] = ()
    #: segments that the standard allows and we do not look at
    ignored: tuple[str, ...] = ()
    envelope: tuple[EnvelopeRow, ...] = ()
    sample: Sample = Sample()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A code that a partner may get, with what to do."""

    code: str
    answer: str
    title: str
    cure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """The whole page."""

    us: str
    partner: str
    partner_id: str
    ours: tuple[tuple[str, str], ...]
    theirs: tuple[tuple[str, str], ...]
    ways: tuple[tuple[str, str], ...]
    chapters: tuple[Chapter, ...]
    rules: tuple[str, ...]
    troubles: tuple[Trouble, ...]
    #: over everything that the page was made of
    stamp: str
    made_on: str
    program: str
    parts: tuple[tuple[str, str, str], ...] = ()
