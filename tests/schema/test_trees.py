"""Descriptions of JSON and XML files: every fault at its place when they are loaded, XML put to its XSD."""

import pytest

from gateway.codecs import xml
from gateway.codecs.choose import form_of
from gateway.codecs.choose import read as read_events
from gateway.codecs.node import Transaction
from gateway.codecs.xml import XmlForm
from gateway.config import default_resolver
from gateway.problem import Problem
from gateway.schema.apply import check
from gateway.schema.compile import compile_schema
from gateway.schema.load import load_schema
from gateway.schema.plan import XmlPlan
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import parse
from tests.schema.test_rows import Texts

JSON = "schema: json/x\nname: X\n"
XML = "schema: xml/x\nname: X\n"


def faults(text: str, overlay: str | None = None, files: dict[str, str] | None = None) -> list[str]:
    spec = text.splitlines()[0].removeprefix("schema: ")
    node = parse(overlay, "partners/acme.yaml") if overlay is not None else None
    assert node is None or isinstance(node, Mapping)
    with pytest.raises(Faults) as caught:
        load_schema(spec, Texts({f"schemas/{spec}.yaml": text, **(files or {})}), node)
    return [str(fault).splitlines()[0].removeprefix("schemas/") for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (JSON, "json/x.yaml:1:1: `fields:` says what stands in a document"),
        (JSON + "fields:\n  a: M texts\n", "json/x.yaml:4:6: a column is written as"),
        (JSON + "fields:\n  A: M text\n", "json/x.yaml:4:3: a field is named in small letters"),
        (JSON + "fields:\n  count: M text\n", "json/x.yaml:4:3: 'count' is a word of mappings"),
        (JSON + "fields:\n  a: {key: A}\n", "json/x.yaml:4:6: a field says `use:` (one value), `fields:` (an object) or `each:`"),
        (JSON + "fields:\n  a: {use: M text, keys: A}\n", "json/x.yaml:4:20: a field has no 'keys' (did you mean 'key'?)"),
        (JSON + "fields:\n  a: {each: text}\n", "json/x.yaml:4:13: `each:` says what stands in it"),
        (JSON + "sender: b\nfields:\n  a: M text\n", "json/x.yaml:3:9: there is no field 'b' that is no list"),
        (JSON + "field:\n  a: M text\n", "json/x.yaml:3:1: a description has no 'field' (did you mean 'fields'?)"),
        (XML, "xml/x.yaml:1:1: `root:` names the root element of the document"),
        (XML + "root: Order\nxsd: x.xsd\n", "xml/x.yaml:4:6: there is no file schemas/xml/x.xsd"),
        ("schema: xml/x\nroot: Order\n", "xml/x.yaml:1:1: `name:` says in a few words what the file is"),
    ],
)
def test_a_fault_names_its_place(text: str, expected: str) -> None:
    found = faults(text)
    assert any(fault.startswith(expected) for fault in found), found


def test_an_xsd_that_is_none_is_told() -> None:
    found = faults(XML + "root: Order\nxsd: x.xsd\n", files={"schemas/xml/x.xsd": "<a/>"})
    assert found[0].startswith("xml/x.yaml:4:6: x.xsd is no XML schema: ")


def test_a_partner_names_a_field_otherwise() -> None:
    overlay = parse("fields: {number: {key: orderNumber}, note: none}", "partners/acme.yaml")
    assert isinstance(overlay, Mapping)
    tree = load_schema("json/orders", default_resolver(), overlay).tree
    assert tree is not None and not isinstance(tree, XmlPlan)
    assert tree.fields[0].key == "orderNumber"
    assert "note" not in {field.name for field in tree.fields}


GOOD = b"""<?xml version="1.0"?><PurchaseOrder xmlns="urn:example:purchase-order"><Number>1</Number><Date>2026-01-05</Date><Customer>C1</Customer>
<Line no="1"><Item>A</Item><Quantity unit="EA">1</Quantity></Line></PurchaseOrder>"""


def form() -> XmlForm:
    tree = load_schema("xml/purchase-order", default_resolver()).tree
    assert isinstance(tree, XmlPlan)
    return XmlForm(tree.layout)


def problems_of(data: bytes) -> list[Problem]:
    compiled = compile_schema(load_schema("xml/purchase-order", default_resolver()))
    found: list[Problem] = []
    for event in xml.read([data], form=form()):
        found += check(event, compiled).problems if isinstance(event, Transaction) else [event] if isinstance(event, Problem) else []
    return found


def test_an_xml_of_ones_own_is_known_by_its_root() -> None:
    assert form_of(GOOD, [form()]) is not None
    assert form_of(GOOD.replace(b"purchase-order", b"other"), [form()]) is None
    assert form_of(GOOD.replace(b"PurchaseOrder", b"Order"), [form()]) is None
    transaction = next(event for event in read_events([GOOD], form())[1] if isinstance(event, Transaction))
    assert (transaction.syntax.value, transaction.type, transaction.sender) == ("xml", "purchase-order", "C1")


def test_it_is_put_to_its_xsd() -> None:
    assert problems_of(GOOD) == []
    [problem] = problems_of(GOOD.replace(b"<Item>A</Item>", b""))
    assert (problem.code, problem.place.line) == ("XML-SCHEMA", 2)
    assert "Expected is ( Item )" in problem.message.replace("{urn:example:purchase-order}", "")
    assert [problem.code for problem in problems_of(GOOD.replace(b"PurchaseOrder", b"Order"))] == ["XML-UNKNOWN-ROOT"]
    assert [problem.code for problem in problems_of(b"<!DOCTYPE a>" + GOOD[21:])] == ["XML-DOCTYPE"]


def test_several_documents_stand_in_one_file() -> None:
    text = "schema: xml/x\nname: X\nroot: Orders\ndocuments: Batch/Order\nsender: From\n"
    tree = load_schema("xml/x", Texts({"schemas/xml/x.yaml": text})).tree
    assert isinstance(tree, XmlPlan)
    data = b"<Orders><Batch><Order><From>A</From></Order><Order><From>B</From></Order></Batch></Orders>"
    found = [event for event in xml.read([data], form=XmlForm(tree.layout)) if isinstance(event, Transaction)]
    assert [event.sender for event in found] == ["A", "B"]
    empty = [event.code for event in xml.read([b"<Orders/>"], form=XmlForm(tree.layout)) if isinstance(event, Problem)]
    assert empty == ["FILE-EMPTY"]
