"""JSON and XML of somebody's own, and canonical documents: the shipped mappings, both ways."""

import json
from typing import Any

import pytest

from gateway.model.document import decode
from gateway.model.document import encode
from gateway.pipeline.plans import Plans
from gateway.pipeline.reading.explaining import provenance_of
from gateway.pipeline.reading.forms import forms_for
from gateway.pipeline.reading.payload import Read
from gateway.pipeline.reading.payload import read_payload
from gateway.pipeline.reading.payload import stateless
from gateway.pipeline.stateless.checking import Report
from gateway.pipeline.stateless.linting_xml import XmlLint
from gateway.pipeline.stateless.writing import Unwritable
from gateway.pipeline.stateless.writing import write_document
from tests.mapping.mapping_world import Texts
from tests.mapping.test_rows import DOCUMENT
from tests.ready_made import shipped_plans

PLANS = shipped_plans()
ORDER = {**DOCUMENT, "lines": [{**line, "notes": []} for line in DOCUMENT["lines"]]}  # type: ignore[attr-defined]


def read(data: bytes, spec: str, plans: Plans = PLANS) -> Read:
    items = read_payload([data], plans, stateless(plans, spec=spec), forms_for(plans, spec=spec))[1]
    return next(item for item in items if isinstance(item, Read))


@pytest.mark.parametrize("spec", ["json/orders", "xml/purchase-order"])
def test_what_is_written_reads_back_the_same(spec: str) -> None:
    written = write_document(decode(json.dumps(ORDER)), spec, PLANS, None, None)
    assert not isinstance(written, Unwritable), written
    again = read(written, spec)
    assert again.problems == []
    assert again.document is not None
    assert write_document(again.document, spec, PLANS, None, None) == written
    held: dict[str, Any] = json.loads(encode(again.document))
    assert held["number"] == "PO1"
    assert [line["quantity"] for line in held["lines"]] == ["10", "2.5"]
    assert held["lines"][0]["identifiers"]["seller"] == "V1"


def test_provenance_of_json_names_the_way_and_its_bytes() -> None:
    data = b'{"orders": [{"number": "1", "lines": [{"quantity": 1.50, "sku": "V1"}]}]}'
    found = provenance_of(read(data, "json/orders"), PLANS, None)
    [origin] = found["lines[0].quantity"]
    assert (origin.source, origin.path, data[origin.offset : origin.offset + origin.length]) == ("/lines/quantity", "/lines/quantity", b"1.50")


def test_a_bad_value_of_a_mapping_has_its_place() -> None:
    report = Report("o.json")
    data = b'{"orders": [{"number": "1", "lines": [{"quantity": 1, "gtin": "4012345500005"}]}]}'
    report.feed([data], PLANS, stateless(PLANS, spec="json/orders"), None, forms_for(PLANS, spec="json/orders"))
    [problem] = report.problems
    assert (problem.code, problem.place.path, problem.place.column) == ("DOC-CHECK-DIGIT", "/lines/gtin", 64)


@pytest.mark.parametrize(
    ("spec", "name", "text", "expected"),
    [
        ("json/orders", "json/orders", "document: order\nfrom: json/orders\nnumber: nummer\n", "3:9: there is no nummer in document of json/orders (did you mean 'number'?)"),
        ("json/orders", "json/orders", "document: order\nfrom: json/orders\nnumber: number\nlines: {each: lines, number: skuu}\n", "4:30: there is no skuu in lines of json/orders (did you mean 'sku'?)"),
        ("json/orders", "json/orders-write", "document: order\nto: json/orders\nelements:\n  numer: number\n", "4:3: there is no numer in document of json/orders (did you mean 'number'?)"),
        ("xml/purchase-order", "xml/purchase-order", "document: order\nfrom: xml/purchase-order\nnamespaces: {default: 'urn:example:purchase-order'}\nnumber: Numbers\n", "4:9: there is no Numbers in PurchaseOrder of xml/purchase-order (did you mean 'Number'?)"),
    ],
)  # fmt: skip
def test_lint_finds_a_path_that_the_description_does_not_have(spec: str, name: str, text: str, expected: str) -> None:
    lint = XmlLint(Plans(Texts({f"mappings/{name}.yaml": text})))
    lint.look([spec])
    assert [str(fault).splitlines()[0] for fault in lint.faults] == [f"mappings/{name}.yaml:{expected}"]
