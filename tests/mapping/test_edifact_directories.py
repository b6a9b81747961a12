"""Each directory, whether it has a mapping of its own or that of the nearest one: what we write is right there, and says the same."""

import json
from typing import Any

import pytest

from gateway.mapping.files import file_for
from gateway.mapping.load import load_mapping
from gateway.model.document import decode
from gateway.pipeline.plans import Plans
from gateway.schema.load import known_specs
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import parse
from tests.mapping.edifact_world import RESOLVER
from tests.mapping.edifact_world import message
from tests.mapping.edifact_world import read
from tests.mapping.edifact_world import schema_plan
from tests.mapping.edifact_world import transactions
from tests.mapping.test_edifact_written import ADVICE
from tests.mapping.test_edifact_written import CREDIT_NOTE
from tests.mapping.test_edifact_written import INVOICE
from tests.mapping.test_edifact_written import RESPONSE

DIRECTORIES = ("d93a", "d96a", "d97a", "d99b", "d01b", "d04a", "d07a")
#: what goes without saying in every directory
ORDER: dict[str, Any] = {
    "kind": "order",
    "number": "PO1",
    "issued_on": "2026-01-05",
    "currency": "EUR",
    "buyer": {
        "name": "ACME",
        "identifiers": {"gln": "1234567890128"},
        "address": {"lines": ["Main St 1", "2nd floor", "Door 4"], "city": "Bonn", "region": "NW", "postal_code": "53111", "country": "DE"},
    },
    "payment_terms": [{"basis": "invoice_date", "net_days": 30, "discounts": [{"percent": "2", "days": 10}]}],
    "transport": {"mode": "road", "carrier": "Fast Lorries", "service": "GROUND"},
    "allowances_charges": [{"kind": "charge", "reason_code": "FC", "reason": "Freight", "amount": "10.00"}],
    "lines": [
        {
            "number": "1",
            "quantity": "12",
            "price": "8.00",
            "price_type": "net",
            "description": "WIDGET",
            "identifiers": {"gtin": "4012345500004", "seller": "V1"},
            "deliveries": [{"quantity": "12", "requested_on": "2026-01-20", "ship_to": {"identifiers": {"gln": "4012345500011"}}}],
        }
    ],
}


def _segments(document: dict[str, Any], spec: str) -> list[str]:
    ((_, transaction),) = transactions(message(decode(json.dumps(document)), spec))
    return ["+".join(":".join(element) if isinstance(element, list) else str(element) for element in segment) for segment in transaction.segments]


def _without_codes(held: Any) -> Any:
    if isinstance(held, dict):
        return {
            key: _without_codes(value)
            for key, value in held.items()
            if key not in ("source", "source_code", "type_source", "action_source", "type", "purpose")
        }
    return [_without_codes(item) for item in held] if isinstance(held, list) else held


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_an_order_says_the_same_in_every_directory(directory: str) -> None:
    assert _without_codes(read(message(decode(json.dumps(ORDER)), f"edifact/{directory}/orders"))) == _without_codes(ORDER)


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_a_change_says_the_same_in_every_directory(directory: str) -> None:
    change = {key: value for key, value in ORDER.items() if key != "type"} | {
        "kind": "order_change",
        "number": "C1",
        "order_number": "PO1",
        "lines": [{**ORDER["lines"][0], "action": "change"}],
    }
    assert _without_codes(read(message(decode(json.dumps(change)), f"edifact/{directory}/ordchg"))) == _without_codes(change)


@pytest.mark.parametrize("directory", DIRECTORIES)
@pytest.mark.parametrize(("type_", "document"), [("ordrsp", RESPONSE), ("desadv", ADVICE), ("invoic", INVOICE), ("invoic", CREDIT_NOTE)])
def test_what_we_answer_is_right_in_every_directory(type_: str, document: dict[str, Any], directory: str) -> None:
    found, usual = _segments(document, f"edifact/{directory}/{type_}"), _segments(document, f"edifact/d96a/{type_}")
    if directory == "d93a":
        usual = [segment for segment in usual if not segment.startswith("FII")]  # no place for an IBAN
    assert [segment[:3].replace("PYT", "PAT") for segment in found] == [segment[:3] for segment in usual]


@pytest.mark.parametrize("directory", DIRECTORIES)
@pytest.mark.parametrize("type_", ["orders", "ordchg", "remadv", "desadv"])
def test_plans_have_a_mapping_for_every_directory(type_: str, directory: str) -> None:
    plan = Plans(RESOLVER).reading(f"edifact/{directory}/{type_}")
    assert plan.mapping is not None and plan.schema is not None


@pytest.mark.parametrize("direction", ["read", "write"])
@pytest.mark.parametrize("directory", DIRECTORIES)
def test_every_mapping_that_serves_a_directory_fits_its_schema(directory: str, direction: str) -> None:
    count = 0
    for spec in known_specs(RESOLVER):
        if spec.startswith(f"edifact/{directory}/") and file_for(spec, direction, RESOLVER) is not None:
            assert load_mapping(spec, direction, RESOLVER, schema_plan(spec)).direction == direction
            count += 1
    assert count >= 2


def test_composites_and_payment_terms_are_those_of_the_directory() -> None:
    def terms(directory: str) -> list[str]:
        return [segment for segment in _segments(ORDER, f"edifact/{directory}/orders") if segment[:3] in ("PAT", "PYT", "NAD", "LIN", "TDT")]

    buyer, line = "NAD+BY+1234567890128::9++ACME+Main St 1:2nd floor:Door 4+Bonn+NW+53111+DE", "LIN+1++4012345500004:EN"
    carrier = "TDT+20++30+:GROUND+:::Fast Lorries"
    pat, pyt = ["PAT+1++5:3:D:30", "PAT+22++5:3:D:10"], ["PYT+1++5+3+D+30", "PYT+22++5+3+D+10"]
    for directory in ("d93a", "d96a", "d97a", "d99b"):
        assert terms(directory) == [buyer, *pat, carrier, line], directory
    assert terms("d01b") == [buyer, *pat, carrier, "LIN+1++4012345500004:SRV"]
    for directory in ("d04a", "d07a"):
        assert terms(directory) == [buyer, *pyt, "TDT+20++30+:::GROUND+:::Fast Lorries", "LIN+1++4012345500004:SRV"], directory


def test_a_version_without_a_mapping_has_that_of_the_nearest_one() -> None:
    assert file_for("edifact/d97a/ordrsp", "write", RESOLVER) == "mappings/edifact/d96a/ordrsp.yaml"
    assert file_for("edifact/d07a/orders", "read", RESOLVER) == "mappings/edifact/d04a/orders.yaml"
    assert file_for("edifact/d96a/iftsta", "read", RESOLVER) is None
    assert file_for("edifact/d98b/orders", "read", RESOLVER) is None  # no schema, so nothing to map by
    assert file_for("ubl/nothing", "read", RESOLVER) is None


def _laid_over(text: str, spec: str) -> None:
    node = parse(text, "partners/acme.yaml")
    assert isinstance(node, Mapping)
    load_mapping(spec, "write", RESOLVER, schema_plan(spec), [node])


def test_a_component_may_be_named_alone_but_not_beside_its_composite() -> None:
    _laid_over("segments:\n  BGM: {1056: release}\n", "edifact/d97a/orders")
    with pytest.raises(Faults, match="BGM/C106 is written twice: as a whole, and by its components"):
        _laid_over("segments:\n  BGM: {C106: {1056: release}}\n", "edifact/d97a/orders")
    with pytest.raises(Faults, match="7140 stands in PIA/02 and in PIA/03"):
        _laid_over("segments:\n  add:\n    - {after: LIN/PIA, PIA: {4347: '5', 7140: number}}\n", "edifact/d96a/orders")


def test_a_segment_is_added_under_another_one() -> None:
    _laid_over("segments:\n  add:\n    - {after: 'LIN/IMD[7077=F]', IMD: {7077: '8', C273: {7009: number}}}\n", "edifact/d96a/orders")
    with pytest.raises(Faults, match="ABC is not written here"):
        _laid_over("segments:\n  add:\n    - {after: LIN/ABC, IMD: {7077: number}}\n", "edifact/d96a/orders")
    with pytest.raises(Faults, match="nothing stands under BGM"):
        _laid_over("segments:\n  add:\n    - {after: BGM/DTM, IMD: {7077: number}}\n", "edifact/d96a/orders")
    with pytest.raises(Faults, match="DTM stands here .* times: say which"):
        _laid_over("segments:\n  add:\n    - {after: DTM/QTY, IMD: {7077: number}}\n", "edifact/d96a/orders")
