"""Whatever is wrong in a mapping is found when it is loaded: all of it at once, each at its place."""

import pytest

from gateway.mapping.load import known_specs
from gateway.mapping.load import load_mapping
from gateway.mapping.plan import Leaf
from gateway.schema.load import load_schema
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import parse
from tests.mapping.mapping_world import SHIPPED
from tests.mapping.mapping_world import Texts
from tests.mapping.mapping_world import load
from tests.mapping.mapping_world import schema
from tests.mapping.mapping_world import shipped

HEAD = "document: order\nfrom: x12/004010/850\nnumber: BEG/03\n"
LINES = HEAD + "lines:\n  each: PO1\n  number: 01\n"
WRITES = 'document: order\nto: x12/004010/850\nsegments:\n  - BEG: {01: "00", 02: "SA", 03: number, 05: issued_on}\n'


def faults(text: str, direction: str = "read", spec: str = "x12/004010/850", overlays: tuple[str, ...] = ()) -> list[str]:
    with pytest.raises(Faults) as caught:
        load(spec, direction, text, overlays)
    return [str(fault).splitlines()[0] for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + "curency: CUR/02\n", "4:1: an order has no field 'curency' (did you mean 'currency'?)"),
        (LINES + "  prise: 04\n", "7:3: an order line has no field 'prise' (did you mean 'price'?)"),
        (LINES + "  price: 27\n", "7:10: PO1/27 does not exist: PO1 has 25 elements in 004010"),
        (HEAD + "release: BEX/04\n", "4:10: there is no BEX in x12/004010/850 (did you mean 'BEG'?)"),
        (LINES + "  description: ITD/12\n  price: CUX/02\n", "8:10: there is no CUX in loop PO1 (did you mean 'CUR'?)"),
        (HEAD + "purpose: {from: BEG/01, table: order_purpos}\n", "4:32: no table 'order_purpos' (did you mean 'order_purpose'?)"),
        (HEAD + "currency: {from: CUR/02, make: uper}\n", "4:32: no function 'uper' (did you mean 'upper'?)"),
        (HEAD + "currency: {from: CUR/02, mak: upper}\n", "4:26: a value has no 'mak' (did you mean 'make'?)"),
        (LINES + "  price: {from: 04, as: date}\n", "7:25: 'price' is a decimal, not a date"),
        (LINES + "  requested_on: {from: DTM/02, as: CCYYMMD}\n", "7:36: no form 'CCYYMMD' (did you mean 'CCYYMMDD'?)"),
        (LINES + "  price: {from: 04, divide: three}\n", "7:29: `divide:` wants a number, not 'three'"),
        (LINES + "  price: {from: 04, divide: 3}\n", "7:29: 1/3 has no end: say `round:` with the digits to keep"),
        (LINES + "  description: {from: 04, divide: 2}\n", "7:35: 'description' is a text: nothing to divide"),
        (LINES + "  price: {from: 04, divide: 3, round: 2, rounding: bankers}\n", "7:52: no rounding 'bankers'"),
        (HEAD + "currency: {first: [CUR/02, partner.curency]}\n", "4:28: partners have no 'curency' (did you mean 'currency'?)"),
        (HEAD + "currency: {first: [CUR/02, source.sendr]}\n", "4:28: the source has no 'sendr' (did you mean 'sender'?)"),
        (HEAD + "currency: {from: CUR/02, constant: EUR}\n", "4:11: say where the value comes from, once"),
        (HEAD + "currency: [CUR/02]\n", "4:11: a list stands here where one value is wanted"),
        (HEAD + "currency: {all: [CUR/02, CUR/03]}\n", "4:12: 'currency' is one text, no list"),
        (HEAD + "currency: {from: CUR/02, else: EUR}\n", "4:26: `else:` says what becomes of a code that the table lacks"),
        (HEAD + "currency: {from: CUR/02, with: x}\n", "4:26: `with:` belongs to `join:`"),
        (
            HEAD + "type: {from: BEG/02, table: order_type, keep: type_sorce}\n",
            "4:47: no field 'type_sorce' to keep the code in (did you mean 'type_source'?)",
        ),
        (HEAD + "currency: CUR\n", "4:11: 'CUR' names no element"),
        (HEAD + 'currency: "CUR[01=]XX/02"\n', "4:11: 'CUR[01=]XX/02' is not a path"),
        (HEAD + 'currency: "CUR[1a=BY]/02"\n', "4:11: '[1a=BY]' is not a qualifier"),
        (HEAD + "currency: ../CUR/02\n", "4:11: `../` leads out of the transaction"),
        (HEAD + "release: DTM/02\nnotes: {each: MSG, text: 01}\n", "5:15: MSG stands in several loops: write N9/MSG or SPI/MSG"),
        (HEAD + "references: {each: REF/02, type: 01, value: 02}\n", "4:20: 'REF/02' names an element; a segment or loop is wanted here"),
        (HEAD + "references: {each: REF, value: 02}\n", "4:13: nothing fills 'type', which a reference must have"),
        (HEAD + "references: REF/02\n", "4:13: a reference is written as a block of its fields"),
        (HEAD + "buyer: {each: N1, name: 02}\n", "4:9: `each:` makes a list; write `in:` for the first one"),
        (HEAD + "currency: {each: CUR, x: 02}\n", "4:11: 'currency' is one value (text), no block"),
        (HEAD + "buyer: {use: partie}\n", "4:14: no part 'partie' under parts:"),
        (HEAD + "parts: {a: {use: b}, b: {use: a}}\nbuyer: {use: a}\n", "4:31: the part 'a' uses itself"),
        (HEAD + 'release: {from: BEG/04, when: "$BEG/01 == "}\n', "4:31: expression: "),
        (HEAD + "release: {from: BEG/04, when: \"BEG == '00'\"}\n", "4:31: expression: there is no 'BEG'; a path is written with a dollar: $BEG"),
        (HEAD + "release: {from: BEG/04, when: \"$BEG/77 == '00'\"}\n", "4:31: BEG/77 does not exist: BEG has 12 elements in 004010"),
        (HEAD + 'release: {compute: "1.5 + 1.0"}\n', "4:20: expression: '1.5' is floating point"),
        (HEAD + 'release: {compute: "sine($BEG/04)"}\n', "4:20: expression: there is no function sine()"),
        (LINES + "  identifiers: {pairs: 06..25}\n", "7:16: identifiers by their kind need a `table:`"),
        (LINES + "  identifiers: {pairs: 06..27, table: item_identifier}\n", "7:24: PO1/27 does not exist"),
        (LINES + "  identifiers: {pairs: 06, table: item_identifier}\n", "7:24: `pairs:` is written as first and last element"),
        (
            LINES + "  identifiers: {pairs: 06..25, table: {BP: byer}}\n",
            "7:39: 'byer' (for BP) is no identifier of an item identifiers (did you mean 'buyer'?)",
        ),
        (LINES + "  identifiers: {key: 06}\n", "7:16: identifiers by their kind say `key:` and `value:`, or `pairs:`"),
        (HEAD + "issued_at: {from: BEG/05, zone: Europe/Bonn}\n", "4:33: no time zone 'Europe/Bonn'"),
        (HEAD + "issued_on: {from: BEG/05, period: last}\n", "4:35: of a period its begin or its end is taken, not 'last'"),
        (HEAD + "release: {from: BEG/05, period: end}\n", "4:25: 'release' is a text, no date"),
        (HEAD + "issued_on: {from: BEG/05, add_days: two}\n", "4:37: `add_days:` wants a whole number like 3 or -2, not 'two'"),
        (HEAD + "release: {from: BEG/05, add_days: 2}\n", "4:25: 'release' is a text, no date"),
        (LINES + "  price: {from: 04, round: {mode: down}}\n", "7:28: `round:` says how many digits stay behind the point"),
        (LINES + "  price: {from: 04, round: {digits: 2, mode: bankers}}\n", "7:46: no rounding 'bankers'"),
        (LINES + "  price: {from: 04, round: {digits: 2, way: down}}\n", "7:40: round has no 'way'"),
        (LINES + "  price: {from: 04, divide: {from: 05}}\n", "7:29: what stands in the document may divide without an end: say `round:`"),
        (LINES + "  price: {from: 04, multiply: {from: 55}}\n", "7:38: PO1/55 does not exist"),
        (LINES + "  description: {from: 04, multiply: {from: 05}}\n", "7:27: 'description' is a text: nothing to multiply"),
        (HEAD + "release: {from: BEG/04, cut: 7..3}\n", "4:30: `cut:` wants how many characters stay, or which, as in 3..7, not '7..3'"),
        (HEAD + 'release: {from: BEG/04, make: [{befor: "-"}]}\n', "4:33: no function 'befor' that takes a text (did you mean 'before'?)"),
        (HEAD + 'release: {from: BEG/04, make: [{replace: "-"}]}\n', "4:42: `replace:` takes 2 texts in a list"),
        (HEAD + "release: {from: BEG/04, make: before}\n", "4:31: 'before' says with what: {before: \"-\"}"),
        (HEAD + "release: {from: BEG/04, when: [{BEG/02: SA}]}\n", "4:31: conditions of which one must hold are written as a list"),
        (HEAD + "release: {from: BEG/04, when: {or: [{BEG/02: SA}, {BEG/77: any}]}}\n", "4:52: BEG/77 does not exist"),
        (LINES + "  quantity: {sum: group/02}\n", "7:19: there is no group here: `group_by:` beside `each:` makes one"),
        (HEAD + "lines: {each: [PO1, SCH], group_by: 01, number: 01}\n", "4:27: `group_by:` puts the items of one `each:` together"),
        (LINES + "  group_by: 77\n", "7:13: PO1/77 does not exist"),
        (HEAD + "release: {from: BEG/04, table: codes/unit}\n", "4:32: no table 'codes/unit'"),
    ],
)
def test_a_fault_names_its_place(text: str, expected: str) -> None:
    found = faults(text)
    assert any(fault.startswith(f"mappings/x12/004010/850.yaml:{expected}") for fault in found), found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WRITES + '  - REF: {01: "DP", 02: numbr}\n', "5:25: Order has no field 'numbr' (did you mean 'number'?)"),
        (WRITES + "  - REF: {01: DP, 02: number}\n", "5:15: Order has no field 'DP'; a constant is written in quotes: \"DP\""),
        (WRITES + '  - REF: {01: "DP", 09: number}\n', "5:21: REF/09 does not exist: REF has 4 elements in 004010"),
        (WRITES + '  - XYZ: {01: "DP"}\n', "5:5: there is no XYZ in loop"),
        (WRITES + "  - REF: {eech: references, 01: type}\n", "5:11: REF has no 'eech' (did you mean 'each'?)"),
        (WRITES + "  - REF: {each: buyer, 02: name}\n", "5:17: 'buyer' is no list"),
        (WRITES + "  - N1: {in: lines, 02: number}\n", "5:14: 'lines' is no object"),
        (WRITES + "  - N1: {01: buyer}\n", "5:14: 'buyer' is an object: name one of its fields"),
        (WRITES + '  - REF: {01: "DP", 02: {from: issued_on, as: 0102}}\n', "5:47: no format '0102'"),
        (WRITES + "  - CTT: {01: {count: lines}, 02: {sum: number.quantity}}\n", "5:41: 'number' is no list"),
        (WRITES + "  - PO1: {each: lines, pairs: {from: 06, of: references, table: item_identifier}}\n", "5:46: 'references' holds no identifiers"),
        (WRITES + "  - REF: {level: S, 01: number}\n", "5:18: `level:` belongs to HL"),
        (WRITES + "number: BEG/03\n", "5:1: a mapping that writes has no 'number'"),
        ("document: order\nto: x12/004010/850\n", "1:11: a mapping that writes lists its `segments:` in their order"),
    ],
)
def test_a_fault_in_writing_names_its_place(text: str, expected: str) -> None:
    found = faults(text, "write")
    assert any(fault.startswith(f"mappings/x12/004010/850.yaml:{expected}") for fault in found), found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("document: order\nfrom: ubl/order\nnumber: cbx:ID\n", "3:9: the prefix 'cbx' is not declared under namespaces: (did you mean 'cbc'?)"),
        ("document: order\nfrom: ubl/order\nnumber: cbc:ID[\n", "3:9: 'cbc:ID[' is not an XPath"),
        ("document: order\nto: ubl/order\nroot: Order\nelements: {cbx:ID: number}\n", "4:12: the prefix 'cbx' is not declared"),
        ("document: order\nto: ubl/order\nroot: Order\nelements: {cbc:ID: numbr}\n", "4:20: Order has no field 'numbr'"),
        ("document: order\nto: ubl/order\nelements: {cbc:ID: number}\n", "1:11: a mapping that writes XML says `root:`"),
    ],
)
def test_a_fault_in_xml_names_its_place(text: str, expected: str) -> None:
    found = faults(text, "write" if "\nto:" in text else "read", "ubl/order")
    assert any(fault.startswith(f"mappings/ubl/order.yaml:{expected}") for fault in found), found


def test_all_faults_are_told_together() -> None:
    assert len(faults(LINES + "  price: 27\n  unit: {from: 03, table: unitt}\n  colour: 05\ncurency: CUR/02\n")) == 4


def test_a_fault_shows_its_line_with_a_caret() -> None:
    with pytest.raises(Faults) as caught:
        load("x12/004010/850", "read", LINES + "  price: 27\n")
    assert str(caught.value.faults[0]).splitlines()[1:] == ["    7 |   price: 27", "      |          ^"]


def test_an_order_without_number_is_a_fault_of_the_mapping() -> None:
    assert "nothing fills 'number', which an order must have" in faults("document: order\nfrom: x12/004010/850\nrelease: BEG/04\n")[0]


def test_an_unknown_document_is_a_fault() -> None:
    assert "no document 'ordr' (did you mean 'order'?)" in faults("document: ordr\nfrom: x12/004010/850\n")[0]


def test_a_fault_in_a_partners_difference_stands_in_the_partners_file() -> None:
    found = faults(LINES + "  price: 04\n", overlays=("lines:\n  price: 27\n  packging: none\n",))
    assert found == ["partners/0.yaml:2:10: PO1/27 does not exist: PO1 has 25 elements in 004010"] or any(
        fault.startswith("partners/0.yaml:3:3: there is no 'packging' to remove") for fault in found
    )


def test_mappings_that_extend_each_other_in_a_circle_are_a_fault() -> None:
    files = Texts({"mappings/a/b/c.yaml": "extends: a/b/d\nfrom: a/b/c\n", "mappings/a/b/d.yaml": "extends: a/b/c\nfrom: a/b/d\n"})
    with pytest.raises(Faults, match="in a circle"):
        load_mapping("a/b/c", "read", files, None)


def test_a_missing_mapping_is_named_with_the_nearest_one() -> None:
    with pytest.raises(Faults, match=r"no mapping reads x12/004010/850s \(did you mean 'x12/004010/850'\?\)"):
        load_mapping("x12/004010/850s", "read", SHIPPED, schema("x12/004010/850").plan)


def test_a_file_that_it_extends_and_that_is_missing_is_named_where_it_is_asked_for() -> None:
    found = faults("extends: x12/004010/849\nfrom: x12/004010/850\n")
    assert found[0].startswith("mappings/x12/004010/850.yaml:1:10: there is no file mappings/x12/004010/849.yaml")


@pytest.mark.parametrize(
    ("spec", "direction"),
    [(spec, direction) for direction in ("read", "write") for spec in known_specs(SHIPPED, direction) if spec.startswith("x12/")],
)
def test_every_shipped_x12_mapping_loads(spec: str, direction: str) -> None:
    plan = shipped(spec, direction)
    assert plan.spec == spec
    assert len(plan.digest) == 64
    assert plan.sources[0][0].startswith("mappings/")


def test_the_digest_changes_with_a_partners_difference() -> None:
    plain = load("x12/004010/850", "read", LINES)
    cents = load("x12/004010/850", "read", LINES, ("lines: {price: {from: 04, divide: 100}}\n",))
    assert plain.digest != cents.digest
    assert any(file == "partners/0.yaml" for file, _ in cents.sources)


SHARED = "table: codes/colors\nwords: {R: red, B: blue}\n"


def load_with_shared(files: dict[str, str], text: str) -> list[str]:
    try:
        load_mapping("x12/004010/850", "read", Texts({"mappings/x12/004010/850.yaml": text, **files}), schema("x12/004010/850").plan)
    except Faults as caught:
        return [str(fault).splitlines()[0] for fault in caught.faults]
    return []


def test_a_shared_table_extends_another_one_and_a_mapping_adds_to_it() -> None:
    files = {"schemas/codes/colors.yaml": SHARED, "schemas/codes/more.yaml": "table: codes/more\nextends: codes/colors\nwords: {B: none, G: green}\n"}
    text = HEAD + "tables: {codes/more: {Y: yellow}}\nrelease: {from: BEG/04, table: codes/more}\n"
    assert load_with_shared(files, text) == []
    plan = load_mapping("x12/004010/850", "read", Texts({"mappings/x12/004010/850.yaml": text, **files}), schema("x12/004010/850").plan)
    assert {name for name, _ in plan.sources} >= {"schemas/codes/colors.yaml", "schemas/codes/more.yaml"}
    assert plan.root is not None
    leaf = next(held for shape, held in plan.root.fields if shape.name == "release")
    assert isinstance(leaf, Leaf)
    assert leaf.table is not None
    assert leaf.table.forward == {"R": "red", "G": "green", "Y": "yellow"}


@pytest.mark.parametrize(
    ("shared", "expected"),
    [
        ("table: codes/colours\nwords: {}\n", "schemas/codes/colors.yaml:1:8: this file is `table: codes/colors`"),
        ("R: red\n", "schemas/codes/colors.yaml:1:1: a table that is shared says"),
        (SHARED + "use: x\n", "schemas/codes/colors.yaml:3:1: a table has no 'use'"),
        (SHARED + "extends: codes/colors\n", "schemas/codes/colors.yaml:3:10: tables extend each other in a circle"),
        (SHARED + "extends: codes/paints\n", "schemas/codes/colors.yaml:3:10: no table 'codes/paints'"),
    ],
)
def test_a_fault_in_a_shared_table_is_told_in_its_own_file(shared: str, expected: str) -> None:
    found = load_with_shared({"schemas/codes/colors.yaml": shared}, HEAD + "release: {from: BEG/04, table: codes/colors}\n")
    assert found[0].startswith(expected)


@pytest.mark.parametrize(
    ("text", "spec", "expected"),
    [
        (WRITES.replace(", 05: issued_on", ""), "x12/004010/850", "4:5: nothing fills BEG/05 (Date), which must be written"),
        (WRITES, "x12/004010/850", "3:1: nothing writes PO1"),
        (WRITES + "  - PO1: {each: lines, 01: number}\n  - DTM: {01: \"9999\", 02: issued_on}\n", "x12/004010/850", "6:15: '9999' is 4 characters long, DTM/01 takes at most 3"),
        (WRITES + "  - PO1: {each: lines, 02: requested_on}\n", "x12/004010/850", "5:28: 'requested_on' is a date, PO1/02 (Quantity ordered) is of type R"),
        (WRITES + "  - PO1: {each: lines, 02: \"few\"}\n", "x12/004010/850", "5:28: 'few' is no value of PO1/02 (Quantity ordered), which is of type R"),
        (WRITES + "  - PO1: {each: lines, 01: number}\n  - DTM: {01: \"002\", 02: totals.payable}\n", "x12/004010/850", "6:26: 'totals.payable' is a decimal, DTM/02 (Date) is of type DT"),
    ],
)  # fmt: skip
def test_a_target_that_must_be_filled_or_cannot_be_is_told(text: str, spec: str, expected: str) -> None:
    found = faults(text, "write", spec)
    assert any(fault.startswith(f"mappings/{spec}.yaml:{expected}") for fault in found), found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LINES + "tables: {mine: {A: b}}\n", "7:10: the table 'mine' is used nowhere"),
        (LINES + "parts: {mine: {city: N4/01}}\n", "7:9: the part 'mine' is used nowhere"),
        (LINES + "  requested_on: 04\n", "7:17: 'requested_on' is a date, PO1/04 (Unit price) is a decimal number"),
        (LINES + "  price: DTM/02\n", "7:10: 'price' is a decimal, DTM/02 (Date) is a date"),
        (HEAD + 'release: {from: BEG/04, when: {BEG/01: "0"}}\n', "4:40: '0' is no code of BEG/01"),
        (HEAD + 'purpose: {from: BEG/01, table: {"0": original}}\n', "4:33: '0' is no code of BEG/01"),
    ],
)
def test_what_can_never_be_is_told(text: str, expected: str) -> None:
    found = faults(text)
    assert any(fault.startswith(f"mappings/x12/004010/850.yaml:{expected}") for fault in found), found


def test_a_partner_that_reads_an_element_which_it_leaves_unused_is_told() -> None:
    """The base mapping may go on reading it: nothing stands there."""
    overlay = parse("elements: {BEG/04: unused}", "partners/acme.yaml")
    assert isinstance(overlay, Mapping)
    plan = load_schema("x12/004010/850", SHIPPED, overlay)
    files = Texts({"mappings/x12/004010/850.yaml": HEAD + "release: BEG/04\n"})
    assert load_mapping("x12/004010/850", "read", files, plan).root is not None
    difference = parse("type: BEG/04", "partners/acme.yaml")
    assert isinstance(difference, Mapping)
    with pytest.raises(Faults) as caught:
        load_mapping("x12/004010/850", "read", files, plan, [difference])
    assert "BEG/04 is unused in x12/004010/850 as it is agreed here" in str(caught.value)
