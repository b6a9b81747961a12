"""Schemas are checked when they are loaded: every fault, at its line and column, all at once."""

import pytest

from gateway.config import default_resolver
from gateway.schema.load import find_faults
from gateway.schema.load import known_specs
from gateway.schema.load import load_schema
from gateway.schema.plan import LoopUse
from gateway.schema.plan import SchemaPlan
from gateway.schema.plan import SegmentUse
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import parse
from tests.machine import cpu_seconds
from tests.machine import is_quick

ELEMENTS = """schema: x12/t/elements
elements:
  "353": {use: "ID 2..2 Purpose", codes: ["00", "01"]}
  "324": AN 1..22 Order number
  "373": DT 8..8 Date
  "96": N0 1..10 Segments
"""
COMPOSITES = """schema: x12/t/composites
composites:
  C040: {name: References, components: [324 M, 353 O]}
"""
SEGMENTS = """schema: x12/t/segments
segments:
  ST: {name: Header, elements: [324 M]}
  SE: {name: Trailer, elements: [96 M]}
  BEG: {name: Head, elements: [353 M, 324 M, 373 O, C040 O x3], conditions: [C0304]}
  N1: {name: Party, elements: [324 O]}
  N2: {name: Name, elements: [324 O]}
"""
ORDER = """schema: x12/t/order
name: Order
group: PO
type: "850"
segments:
  - ST M 1
  - BEG M 1
  - loop N1 O 5: [N1 M 1, N2 O 2]
  - SE M 1
"""


class Files:
    """A resolver over texts."""

    def __init__(self, **changed: str) -> None:
        named = {"elements": ELEMENTS, "composites": COMPOSITES, "segments": SEGMENTS, "order": ORDER} | changed
        self.texts = {f"schemas/x12/t/{name}.yaml": text for name, text in named.items() if text}

    def text_of(self, name: str) -> tuple[str, str] | None:
        return (name, self.texts[name]) if name in self.texts else None

    def names(self, prefix: str) -> list[str]:
        return sorted(name for name in self.texts if name.startswith(prefix))


def faults(spec: str = "x12/t/order", overlay: str = "", **changed: str) -> list[str]:
    """`file:line:column: message` of each fault."""
    node = parse(overlay, "partners/acme.yaml") if overlay else None
    assert node is None or isinstance(node, Mapping)
    with pytest.raises(Faults) as caught:
        load_schema(spec, Files(**changed), node)
    return [str(fault).splitlines()[0].removeprefix("schemas/x12/t/") for fault in caught.value.faults]


def loaded(spec: str = "x12/t/order", overlay: str = "", **changed: str) -> SchemaPlan:
    node = parse(overlay, "partners/acme.yaml") if overlay else None
    assert node is None or isinstance(node, Mapping)
    return load_schema(spec, Files(**changed), node)


def outline(loop: LoopUse) -> str:
    words = []
    for child in loop.children:
        bounds = f"{'M' if child.mandatory else 'O'}{child.max or '>1'}"
        words.append(f"{child.name} {bounds}({outline(child)})" if isinstance(child, LoopUse) else f"{child.tag} {bounds}")
    return ", ".join(words)


def test_a_schema_becomes_a_plan() -> None:
    plan = loaded()
    assert (plan.spec, plan.syntax, plan.type, plan.version, plan.name, plan.group) == ("x12/t/order", "x12", "850", "T", "Order", "PO")
    assert outline(plan.root) == "ST M1, BEG M1, N1 O5(N1 M1, N2 O2), SE M1"
    head = plan.root.children[1]
    assert isinstance(head, SegmentUse)
    assert [(use.position, use.id, use.type, use.min, use.max, use.mandatory, use.repeat) for use in head.elements] == [
        (1, "353", "ID", 2, 2, True, 1),
        (2, "324", "AN", 1, 22, True, 1),
        (3, "373", "DT", 8, 8, False, 1),
        (4, "C040", "composite", 0, 0, False, 3),
    ]
    assert head.elements[0].codes == {"00", "01"}
    assert [(part.id, part.mandatory) for part in head.elements[3].components] == [("324", True), ("353", False)]
    assert [(condition.kind, condition.positions) for condition in head.conditions] == [("C", (3, 4))]


def test_the_plan_keeps_what_it_was_made_of() -> None:
    plan = loaded()
    assert [name for name, _ in plan.sources] == [f"schemas/x12/t/{name}.yaml" for name in ("order", "elements", "composites", "segments")]
    assert plan.digest == loaded().digest
    assert plan.digest != loaded(overlay="elements: {BEG/03: M}").digest
    assert plan.digest != loaded(elements=ELEMENTS + "# more").digest


def test_all_faults_of_all_files_come_at_once() -> None:
    assert faults(
        elements=ELEMENTS.replace("AN 1..22", "AX 1..22").replace("8..8", "9..8"),
        segments=SEGMENTS.replace("96 M", "97 M"),
        order=ORDER.replace("BEG M 1", "BGE M 1").replace("N2 O 2", "N2 Q 2"),
    ) == [
        "elements.yaml:4:10: 'AX 1..22 Order number' is no type, length and name; write it like 'ID 2..2 Purpose'",
        "order.yaml:7:5: there is no segment 'BGE' in x12/t (did you mean 'BEG'?)",
        "order.yaml:8:27: 'N2 Q 2' is no segment with requirement (M or O) and maximum, like 'REF O 5'",
        "segments.yaml:4:34: there is no element '97' in x12/t",
    ]


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (
            {"order": ORDER.replace("group", "gruop")},
            "order.yaml:3:1: there is no key 'gruop' here (did you mean 'group'?); "
            "known are codes, conditions, elements, extends, group, name, notes, schema, segments, type",
        ),
        ({"order": ORDER.replace("x12/t/order", "x12/t/ordre")}, "order.yaml:1:9: this file is x12/t/order, not 'x12/t/ordre'"),
        (
            {"order": ORDER.replace("- BEG", "- loop BEG")},
            "order.yaml:7:5: 'loop BEG M 1' is no segment with requirement (M or O) and maximum, like 'REF O 5'",
        ),
        ({"order": ORDER.replace("N1 M 1, ", "")}, "order.yaml:8:5: the first segment of loop N1 opens it; it must be a segment with M 1"),
        ({"order": ORDER.replace("  - ST M 1\n", "")}, "order.yaml:6:3: the segments of a transaction start with ST M 1 and end with SE M 1"),
        ({"order": ORDER.replace("N2 O 2", "N2 O >1, N2 O 1")}, "order.yaml:8:36: this N2 can never be reached: the one on line 8 takes all"),
        ({"order": ORDER + "  - loop N1 O 5: [N1 M 1]\n"}, "order.yaml:10:5: loop N1 stands here twice (first on line 8)"),
        (
            {"order": ORDER.replace("O 5", "O 0")},
            "order.yaml:8:5: 'loop N1 O 0' is no loop with requirement (M or O) and maximum, like 'loop N1 O 200'",
        ),
        ({"order": ORDER.replace("segments:", "segments: {}\nx:")}, "order.yaml:5:11: `segments` is the list of segments and loops, in their order"),
        ({"order": ORDER.replace("Order\n", "[Order]\n")}, "order.yaml:2:7: `name` is one word"),
        ({"order": "- a"}, "order.yaml:1:1: a schema file is a list of keys, starting with `schema:`"),
        ({"order": "schema: [a"}, "order.yaml:2:1: did not find expected ',' or ']'"),
        ({"order": ORDER.replace("name: Order", "name: Order\nname: Order")}, "order.yaml:3:1: 'name' stands here twice (first on line 2)"),
        (
            {"segments": SEGMENTS.replace("C0304", "C0305")},
            "segments.yaml:5:78: C0305 names a position twice, or one that the segment does not have (it has 4)",
        ),
        (
            {"segments": SEGMENTS.replace("C0304", "Z0304")},
            "segments.yaml:5:78: a condition is P, R, E, C or L with two or more positions of two digits, like P0304",
        ),
        (
            {"segments": SEGMENTS.replace("373 O", "373 Q")},
            "segments.yaml:5:46: '373 Q' is no element with its requirement (M, O, X), like '353 M' or 'C040 O x2'",
        ),
        ({"segments": SEGMENTS.replace("name: Head, ", "")}, "segments.yaml:5:3: BEG has no name"),
        (
            {"segments": SEGMENTS.replace("name: Head", "nmae: Head")},
            "segments.yaml:5:9: there is no key 'nmae' here (did you mean 'name'?); known are conditions, elements, name",
        ),
        ({"elements": ELEMENTS.replace('"01"]', '"010"]')}, "elements.yaml:3:16: code '010' does not fit the length of element 353"),
        ({"elements": ELEMENTS.replace('"01"]', '"00"]')}, "elements.yaml:3:49: code '00' stands here twice"),
        ({"elements": ELEMENTS.replace("1..22", "23..22")}, "elements.yaml:4:10: the least length 23 is above the greatest, 22"),
        ({"elements": ""}, "elements.yaml:1:1: there is no file schemas/x12/t/elements.yaml (did you mean 'schemas/x12/t/segments.yaml'?)"),
        ({"composites": COMPOSITES.replace("353 O", "C040 O")}, "composites.yaml:3:48: C040 holds itself"),
    ],
)
def test_each_fault_has_its_place(changed: dict[str, str], fault: str) -> None:
    assert fault in faults(**changed)


def test_a_schema_that_nobody_has_is_named() -> None:
    assert faults("x12/t/ordr") == ["ordr.yaml:1:1: there is no file schemas/x12/t/ordr.yaml (did you mean 'schemas/x12/t/order.yaml'?)"]


def test_a_circle_of_schemas_is_seen() -> None:
    circle = "schema: x12/t/order\nname: Order\nextends: x12/t/order\n"
    assert faults(order=circle) == ["order.yaml:1:1: `extends` goes on for more than 12 files, or in a circle"]


def test_an_extending_file_says_only_what_differs() -> None:
    child = """schema: x12/t/child
extends: x12/t/order
name: Our order
segments:
  BEG: O 1
  N1: M >1
  N1/N2: none
  N1/BEG: {after: N1, use: O 3}
  loop N2: {before: SE, use: O 2, segments: [N2 M 1, BEG O 1]}
elements:
  BEG/02: O
  BEG/04/1: {max: 9, min: 2}
codes: {BEG/01: ["00"]}
"""
    plan = loaded("x12/t/child", child=child)
    assert (plan.name, plan.group, plan.type) == ("Our order", "PO", "850")
    assert outline(plan.root) == "ST M1, BEG O1, N1 M>1(N1 M1, BEG O3), N2 O2(N2 M1, BEG O1), SE M1"
    head = plan.root.children[1]
    assert isinstance(head, SegmentUse)
    assert (head.elements[0].codes, head.elements[1].mandatory) == ({"00"}, False)
    assert (head.elements[3].components[0].min, head.elements[3].components[0].max) == (2, 9)


def test_a_segment_may_stand_in_for_another() -> None:
    assert outline(loaded(overlay="segments: {N1/N2: BEG O 7}").root) == "ST M1, BEG M1, N1 O5(N1 M1, BEG O7), SE M1"


def test_a_partner_may_lift_a_list_of_codes() -> None:
    head = loaded(overlay="codes: {BEG/01: any}").root.children[1]
    assert isinstance(head, SegmentUse)
    assert head.elements[0].codes is None


def test_a_partner_may_tighten_one_place_only() -> None:
    plan = loaded(overlay="elements: {N1/N2/01: {max: 5, codes: [ABC]}}")
    party = plan.root.children[2]
    assert isinstance(party, LoopUse)
    first, second = party.children
    assert isinstance(first, SegmentUse) and isinstance(second, SegmentUse)
    assert (first.elements[0].max, second.elements[0].max, second.elements[0].codes) == (22, 5, {"ABC"})


def test_a_partner_may_put_notes_beside_an_element_a_segment_and_a_loop() -> None:
    notes = """
notes:
  BEG/01: New orders only
  N1: Every party
  loop N1: Parties
  N1/N2: Its second name
  N1/N2/01: As on the label
"""
    head, loop = loaded(overlay=notes).root.children[1:3]
    assert isinstance(head, SegmentUse) and isinstance(loop, LoopUse)
    opener, second = loop.children
    assert isinstance(second, SegmentUse)
    assert head.note == "" and head.elements[0].note == "New orders only"
    assert (opener.note, loop.note, second.note, second.elements[0].note) == ("Every party", "Parties", "Its second name", "As on the label")


@pytest.mark.parametrize(
    ("overlay", "fault"),
    [
        (
            "sgements: {}",
            "1:1: there is no key 'sgements' here (did you mean 'segments'?); known are codes, conditions, elements, extends, notes, segments",
        ),
        ("segments: {N1/N4: O 1}", "1:12: there is no N4 in loop N1"),
        ("segments: {N9/N4: O 1}", "1:12: there is no loop N9 (did you mean 'loop N1'?)"),
        ("segments: {N1/N2: X 1}", "1:19: 'X 1' is no requirement and maximum like 'O 5', and not none"),
        ("segments: {N2: {use: O 1}}", "1:16: what is new says where and how often: {after: REF, use: O 5}"),
        ("segments: {REF: {after: BEG, use: O 1}}", "1:35: there is no segment 'REF' in x12/t"),
        ("elements: {BEG/05: M}", "1:12: BEG/05 does not exist: BEG has 4 elements in x12/t"),
        ("elements: {BGE/01: M}", "1:12: there is no segment BGE in this transaction (did you mean 'BEG'?)"),
        ("elements: {BEG: M}", "1:12: 'BEG' is no element's path like BEG/01 or PO1/N1/N1/03"),
        ("elements: {BEG/01: Q}", "1:20: a requirement is M, O or unused"),
        ("elements: {BEG/01: {max: x}}", "1:26: `max` is a number of characters"),
        ("elements: {BEG/01: {codes: [ABC]}}", "1:28: code 'ABC' does not fit the length of element 353 (2 to 2)"),
        ("elements: {loop N1/01: M}", "1:12: loop N1 is a loop; name the segment in it"),
        ("codes: {BEG/01: []}", "1:17: `codes` is a list that is not empty"),
        ("notes: {N1/N4: x}", "1:9: there is no N4 in loop N1"),
        ("notes: {BEG/09: x}", "1:9: BEG/09 does not exist: BEG has 4 elements in x12/t"),
        ("notes: {BEG/01: [x]}", "1:17: a note is text"),
        ("notes: [BEG]", "1:8: `notes` is a list of paths with their words, like 'BEG/05: The day of the order'"),
        ("segments: {BEG: none, ST: none}", "order.yaml:6:3: the segments of a transaction start with ST M 1 and end with SE M 1"),
    ],
)
def test_faults_of_a_partner_stand_in_the_partner_file(overlay: str, fault: str) -> None:
    found = faults(overlay=overlay)
    assert (f"partners/acme.yaml:{fault}" if fault[0].isdigit() else fault) in found


def test_a_dictionary_of_differences_adds_replaces_and_removes() -> None:
    files = Files()
    files.texts |= {
        "schemas/x12/u/elements.yaml": "schema: x12/u/elements\nextends: x12/t/elements\n"
        'elements: {"324": AN 1..30 Number, "373": none, "1": ID 1..1 New}\n',
        "schemas/x12/u/segments.yaml": "schema: x12/u/segments\nextends: x12/t/segments\nsegments:\n"
        "  BEG: {name: Head, elements: [353 M, 324 M]}\n  N2: {add: [1 O], conditions: [P0102]}\n",
        "schemas/x12/u/composites.yaml": "schema: x12/u/composites\nextends: x12/t/composites\ncomposites: {}\n",
        "schemas/x12/u/order.yaml": "schema: x12/u/order\nextends: x12/t/order\n",
    }
    plan = load_schema("x12/u/order", files)
    head, party = plan.root.children[1:3]
    assert isinstance(head, SegmentUse) and isinstance(party, LoopUse)
    name = party.children[1]
    assert isinstance(name, SegmentUse)
    assert [use.max for use in head.elements] == [2, 30]
    assert [use.id for use in name.elements] == ["324", "1"]
    assert [condition.positions for condition in name.conditions] == [(1, 2)]


def changed(segment: str, elements: str = "") -> tuple[SegmentUse, list[str]]:
    """BEG of a version that says what differs in it, and the faults of that."""
    files = Files()
    files.texts |= {
        "schemas/x12/u/elements.yaml": f"schema: x12/u/elements\nextends: x12/t/elements\nelements: {{{elements}}}\n",
        "schemas/x12/u/segments.yaml": f"schema: x12/u/segments\nextends: x12/t/segments\nsegments:\n  BEG: {segment}\n",
        "schemas/x12/u/order.yaml": "schema: x12/u/order\nextends: x12/t/order\n",
    }
    try:
        head = load_schema("x12/u/order", files).root.children[1]
    except Faults as error:
        return SegmentUse(tag="", name="", mandatory=False, max=1, elements=()), [fault.message for fault in error.faults]
    assert isinstance(head, SegmentUse)
    return head, []


def test_a_difference_of_a_segment_says_only_what_changed() -> None:
    head, _ = changed("{keep: 3}")
    assert [use.id for use in head.elements] == ["353", "324", "373"]
    assert head.conditions == (), "a condition on an element that is gone goes with it"
    head, _ = changed("{change: {2: 324 O, 4: C040 O x5}, add: [373 O], conditions: [C0503]}")
    assert [(use.id, use.mandatory, use.repeat) for use in head.elements] == [
        ("353", True, 1),
        ("324", False, 1),
        ("373", False, 1),
        ("C040", False, 5),
        ("373", False, 1),
    ]
    assert [condition.positions for condition in head.conditions] == [(3, 4), (5, 3)]
    head, _ = changed("{drop: [C0304]}")
    assert head.conditions == () and len(head.elements) == 4
    head, _ = changed("{name: Start, add: [373 O]}")
    assert head.name == "Start"


def test_a_difference_of_an_element_adds_codes() -> None:
    head, _ = changed("{add: [373 O]}", '"353": {add: ["05"]}')
    assert head.elements[0].codes == {"00", "01", "05"}


@pytest.mark.parametrize(
    ("segment", "fault"),
    [
        ("{keep: 4}", "`keep` says how many of the 4 elements stay"),
        ("{keep: x}", "`keep` says how many of the 4 elements stay"),
        ("{change: {5: 324 O}}", "there is no position '5' (there are 4)"),
        ("{change: [324 O]}", "`change` is positions with what stands there, like {4: 380 M}"),
        ("{drop: [P0102]}", "there is no condition P0102 to drop"),
        ("{add: [999 O]}", "there is no element '999' in x12/u"),
        ("{keep: 3, elements: [353 M]}", "there is no key 'keep' here; known are conditions, elements, name"),
    ],
)
def test_faults_in_a_difference_of_a_segment(segment: str, fault: str) -> None:
    _, faults_found = changed(segment)
    assert any(message.startswith(fault) for message in faults_found), faults_found


def test_a_version_without_a_dictionary_has_that_of_what_it_extends() -> None:
    files = Files()
    files.texts["schemas/x12/u/order.yaml"] = "schema: x12/u/order\nextends: x12/t/order\nsegments: {BEG: M 2}\n"
    plan = load_schema("x12/u/order", files)
    assert (plan.version, outline(plan.root)) == ("U", "ST M1, BEG M2, N1 O5(N1 M1, N2 O2), SE M1")
    assert find_faults(files) == []
    files.texts["schemas/x12/u/elements.yaml"] = 'schema: x12/u/elements\nextends: x12/t/elements\nelements: {"324": AN 1..30 Order number}\n'
    head = load_schema("x12/u/order", files).root.children[1]
    assert isinstance(head, SegmentUse) and head.elements[1].max == 30


def test_unused_entries_are_looked_at_by_lint() -> None:
    files = Files(segments=SEGMENTS + "  ZZ: {name: Unused, elements: [999 M]}\n")
    assert load_schema("x12/t/order", files).known_tags == {"ST", "SE", "BEG", "N1", "N2", "ZZ"}
    assert [fault.message for fault in find_faults(files)] == ["there is no element '999' in x12/t"]


def test_all_shipped_schemas_load() -> None:
    resolver = default_resolver()
    assert {"x12/004010/850", "x12/005010/999", "edifact/d96a/orders", "edifact/service/contrl-3"} <= set(known_specs(resolver))
    assert [str(fault) for fault in find_faults(resolver)] == []


def test_loading_is_quick() -> None:
    resolver = default_resolver()
    # 15 ms on the machine that this was written on
    assert is_quick(cpu_seconds(lambda: load_schema("x12/005010/850", resolver), 5), 0.12)
