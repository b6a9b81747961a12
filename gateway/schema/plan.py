"""The plan of a schema: frozen, checked, without YAML. What mapping, acknowledgments and guides may know about a transaction.

Source of the notions: X12.6 (requirement M/O/X, relational conditions P R E C L), ISO 9735 (M/C, composites).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.codecs.json import JsonLayout
    from gateway.codecs.layout import Layout
    from gateway.codecs.xml import XmlLayout


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A relational condition such as P0304: kind P R E C L and the element positions."""

    kind: str
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementUse:
    """An element (or composite, or component) at its position. `min`/`max` are characters; `repeat` > 1 where it may repeat."""

    position: int
    #: 353, 1004, or of a composite C001, C507
    id: str
    name: str
    #: X12 ID AN N0 N2 R DT TM B; EDIFACT a an n; `composite`
    type: str
    min: int
    max: int
    mandatory: bool
    repeat: int = 1
    #: None: any code
    codes: frozenset[str] | None = None
    components: "tuple[ElementUse, ...]" = ()
    #: among its components
    conditions: tuple[Condition, ...] = ()
    #: must stay empty: what a partner's schema says with `unused`
    unused: bool = False
    #: what a schema or a partner's difference says about it in words; for guides only
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentUse:
    """A segment at its place in a loop. `max` is None for no limit."""

    tag: str
    name: str
    mandatory: bool
    max: int | None
    elements: tuple[ElementUse, ...]
    conditions: tuple[Condition, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopUse:
    """A loop (EDIFACT: segment group). Its first child is the segment that opens it. The whole transaction is the root loop,
    opened by ST or UNH, closed by SE or UNT."""

    name: str
    mandatory: bool
    max: int | None
    children: "tuple[SegmentUse | LoopUse, ...]"
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlPlan:
    """An XML document of somebody's own, with the text of its XSD where there is one."""

    layout: "XmlLayout"
    xsd: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaPlan:
    """A transaction of one version, ready to compile."""

    #: x12/004010/850, edifact/d96a/orders
    spec: str
    syntax: str
    #: 850, ORDERS
    type: str
    #: 004010, D96A
    version: str
    name: str
    #: X12 functional group (PO); empty for EDIFACT
    group: str
    root: LoopUse
    #: tags of all segments that the version's dictionary knows, also those that this transaction does not use
    known_tags: frozenset[str] = frozenset()
    #: SHA-256 over all that the plan was made of; the effective plan kept with each document
    digest: str
    #: names and texts of the files it was made of, so that it can be archived
    sources: tuple[tuple[str, str], ...] = ()
    #: files in rows: how they are read and written
    layout: "Layout | None" = None
    #: JSON and XML of somebody's own: how they are read and written
    tree: "JsonLayout | XmlPlan | None" = None


# The tree that checking builds, and that mapping walks: one list for each instance of a loop, with one slot for each child of
# the LoopUse in its order. A slot holds
#   for a segment with max 1     the segment (the very list of Transaction.segments), or None
#   for a segment that repeats   a list of segments, or ()
#   for a loop                   a list of trees, or ()
# The index of a segment is found by identity where it is asked for (explain, problems). Segments that have no place in the
# schema are not in the tree.
Tree = list[object]
