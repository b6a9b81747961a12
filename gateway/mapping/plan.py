"""The plan of a mapping: frozen, checked, without YAML. What compiling, explaining and guides may know about it.

Reading and writing share the sources of values (`Leaf`); a reading plan is shaped like the canonical document, a writing plan
like the transaction. `where` is the `file:line` of the YAML line, as provenance shows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from gateway.expression import Expression
from gateway.mapping.shapes import Shape
from gateway.schema.plan import ElementUse
from gateway.schema.plan import SchemaPlan
from gateway.schema.plan import SegmentUse

# Where values lie -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spot:
    """An element of a segment, or a component of it. `name` is how provenance writes it: 04, C509/5118."""

    position: int
    component: int | None
    use: ElementUse
    name: str
    #: the composite or element that holds it may repeat
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Test:
    """A qualifier in brackets; without `values` it asks that something is there."""

    spot: Spot
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Hop:
    """One step down in the tree: to the child in `slot`. Tests are asked of the segment, or of the first one of the loop."""

    slot: int
    loop: bool
    many: bool
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """A way to segments. `up`: so many scopes outward first (-1: the whole transaction). Without hops: the scope's own segment."""

    up: int
    hops: tuple[Hop, ...]
    tests: tuple[Test, ...]
    segment: SegmentUse
    #: the loop that the last hop enters, if it enters one
    loop: Any = None
    #: begins at every member of the scope's group
    group: bool = False


@dataclass(frozen=True, slots=True)
class SegmentPath:
    """Elements of segments: the first that is filled, or all of them, over all routes and spots in their order."""

    text: str
    routes: tuple[Route, ...]
    spots: tuple[Spot, ...]
    where: str


@dataclass(frozen=True, slots=True)
class XmlPath:
    """Elements or attributes. `steps` where it is a plain way through children, else `xpath`."""

    text: str
    up: int
    steps: tuple[str, ...] | None
    xpath: str | None
    attribute: str | None
    where: str
    #: begins at every member of the scope's group
    group: bool = False


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A field of the canonical document, from the object at hand. `up` as in Route; `index` of a list."""

    text: str
    up: int
    names: tuple[tuple[str, int | None], ...]
    shape: Shape
    where: str
    #: the Struct that the names begin at
    root: Any = None
    #: begins at every member of the scope's group
    group: bool = False


Path = SegmentPath | XmlPath | FieldPath

# What a value is made of ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Take:
    """The first filled value at a path."""

    path: Path


@dataclass(frozen=True, slots=True)
class Constant:
    """A text that the mapping itself says."""

    text: str


@dataclass(frozen=True, slots=True)
class Named:
    """`partner.currency`, `source.sender`, `pair.first`, `position` (its name is the `../` before it)."""

    family: str
    name: str


@dataclass(frozen=True, slots=True)
class Counter:
    """`counter: name`: one more each time that it is asked for, over the whole document."""

    name: str


@dataclass(frozen=True, slots=True)
class First:
    """The first option that finds something."""

    options: "tuple[Leaf, ...]"


@dataclass(frozen=True, slots=True)
class Join:
    """All values of all parts, in one text."""

    parts: "tuple[Leaf, ...]"
    with_: str


@dataclass(frozen=True, slots=True)
class All:
    """All values of all parts, as a list."""

    parts: "tuple[Leaf, ...]"


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are: occurrences of a path, items of a canonical list, or segments written with a tag."""

    path: Path | None
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of all values at a path."""

    path: Path


@dataclass(frozen=True, slots=True)
class Compute:
    """An expression; `paths` are its `$` variables by the names that they have in it."""

    expression: Expression
    paths: tuple[tuple[str, "Take"], ...]
    #: words of the mapping (partner, source, position) or canonical fields that it asks for
    names: tuple[str, ...]


Origin = Take | Constant | Named | Counter | First | Join | All | Count | Sum | Compute


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison of a `when:`: a value is one of `values` (none given: is there), or not."""

    take: Take
    values: tuple[str, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """`when:`: all checks and the expression hold, and one of the options where there are any."""

    checks: tuple[Check, ...]
    expression: Compute | None
    where: str
    options: "tuple[Condition, ...]" = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A code table, from the standard's code to our word. `back` is the other way round: the first code with that word."""

    name: str
    forward: Mapping[str, str]

    def back(self) -> dict[str, str]:
        """Word to code; of several codes of a word the first."""
        answer: dict[str, str] = {}
        for code, word in self.forward.items():
            answer.setdefault(word, code)
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One value: where it comes from and what is done with it, in this order: make, cut, pad, table, default, form, number."""

    origin: Origin
    where: str
    make: tuple[str, ...] = ()
    table: Table | None = None
    #: skip, keep, problem, or a text (then `otherwise_text`)
    otherwise: str = "problem"
    otherwise_text: str = ""
    #: field that keeps the code as sent where it differs
    keep: str | None = None
    #: writing: where that field is; its code is given back where the table agrees
    kept: Path | None = None
    default: str | None = None
    when: Condition | None = None
    #: format of a date by name; EDIFACT: else the code 2379 beside the value says it
    form: str | None = None
    zone: str | None = None
    #: digits behind the point that X12 Nn implies
    implied: int | None = None
    divide: str | None = None
    multiply: str | None = None
    #: a factor that stands in the document or its partner's file: asked for each time
    divide_by: "Leaf | None" = None
    multiply_by: "Leaf | None" = None
    round: int | None = None
    rounding: str = "half_up"
    #: characters that stay, as Python slices them: `:3`, `2:7`
    cut: str | None = None
    pad: int | None = None
    #: of a period (or a week, a month) its `begin` or its `end`
    period: str = "begin"
    #: days added to a date
    add_days: int = 0
    #: writing: a long text goes on in the next segment (or component) after so many characters
    split: int | None = None
    #: `split: 35x2`: so many pieces and no further segment; what is longer is cut
    pieces: int | None = None


# Reading: shaped like the canonical document ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """Identifiers by kind: a key says which field the value goes to; what the table does not know goes to `other`."""

    each: Path | None = None
    key: Leaf | None
    value: Leaf | None
    table: Table
    otherwise: str
    #: (X12) qualifiers and values by turns between two elements; (EDIFACT) composites with value and code
    pairs: tuple[SegmentPath, ...] = ()
    when: Condition | None = None
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """An object, or one source of a list of them. `each`/`within` open a scope."""

    struct: Any
    each: Path | None = None
    #: the lists around that of `each`: each: [Ntry, NtryDtls/TxDtls]
    around: tuple[Path, ...] = ()
    within: Path | None = None
    #: (*around, each): None, or `>HL`: only the levels right below the one so many scopes outward (-1: those that hang under none)
    below: tuple[int | None, ...] = ()
    #: of `each` only those whose first value is the second one, a value of the scope around; found through an index
    matching: tuple[SegmentPath, SegmentPath] | None = None
    #: of `each` only those whose first value stands nowhere among the second ones
    lonely: tuple[SegmentPath, SegmentPath] | None = None
    #: of `each` those that have these values in common are one item
    group_by: tuple[Path, ...] = ()
    #: one item for each pair of elements between two spots of the segment
    pairs: SegmentPath | None = None
    fields: "tuple[tuple[Shape, Leaf | Block | ListPlan], ...]" = ()
    keyed: tuple[Keyed, ...] = ()
    when: Condition | None = None
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPlan:
    """A list field (or an object that several blocks may fill: the first one wins)."""

    struct: Any
    blocks: tuple[Block, ...]
    #: items find their own place by role
    roles: tuple[str, ...] = ()


# Writing: shaped like the transaction -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteComposite:
    """A composite, or an element: values by component number."""

    use: ElementUse
    #: a leaf with `split` goes on in the components after its own
    parts: tuple[tuple[int, Leaf], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WritePairs:
    """Identifiers as pairs: (X12) elements from `first` on, (EDIFACT) one composite each from `first` on."""

    first: int
    last: int
    path: FieldPath
    table: Table
    otherwise: str
    #: component numbers of value and code within a composite; None in X12
    composite: tuple[int, int] | None = None
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteSegment:
    """A segment, as often as `each` says, and what stands under it."""

    use: SegmentUse
    elements: tuple[tuple[int, Leaf | WriteComposite], ...] = ()
    pairs: tuple[WritePairs, ...] = ()
    each: FieldPath | None = None
    group_by: tuple[FieldPath, ...] = ()
    within: FieldPath | None = None
    when: Condition | None = None
    #: HL03 where the segment is a hierarchical level
    level: str | None = None
    then: "tuple[WriteSegment, ...]" = ()
    always: bool = False
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteElement:
    """An XML element, as often as `each` says, with attributes, text or children. Without a tag its children take its place."""

    tag: str
    text: Leaf | None = None
    attributes: tuple[tuple[str, Leaf], ...] = ()
    each: FieldPath | None = None
    group_by: tuple[FieldPath, ...] = ()
    within: FieldPath | None = None
    when: Condition | None = None
    children: "tuple[WriteElement, ...]" = ()
    always: bool = False
    where: str = ""


# The whole --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingPlan:
    """A mapping of one document, syntax and direction, ready to compile."""

    #: x12/004010/850
    spec: str
    direction: str
    #: order, invoice, ...
    document: str
    struct: Any
    #: further kinds of documents that it writes as well: one 810 for invoice and credit note
    also: tuple[Any, ...] = ()
    schema: SchemaPlan | None
    #: reading
    root: Block | None = None
    #: writing
    segments: tuple[WriteSegment, ...] = ()
    element: WriteElement | None = None
    #: XML: prefix to namespace; `root` for whatever the document's root has
    namespaces: Mapping[str, str] = field(default_factory=dict)
    #: SHA-256 over all that the plan was made of; the effective plan kept with each document
    digest: str = ""
    #: names and texts of the files it was made of
    sources: tuple[tuple[str, str], ...] = ()
    #: names of the tables (and parts) that it asks
    tables: frozenset[str] = frozenset()
