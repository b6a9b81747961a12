"""The schemas for editors are what the program does, and call nothing wrong that it takes."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gateway.publish import editor
from gateway.yaml_source import Mapping
from gateway.yaml_source import parse
from gateway.yaml_source import plain
from tests.docs.pages import ROOT
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
from tests.pipeline.world import EUROCO

FOLDER = ROOT / "docs" / "editor"
Schema = dict[str, Any]
_TYPES = {"object": dict, "array": list, "string": str, "number": (int, float), "boolean": bool}


@cache
def schema(name: str) -> Schema:
    return editor.schemas()[f"{name}.schema.json"]


def wrong(value: Any, node: Any, root: Schema, way: str = "") -> list[str]:
    """What a schema has against a value: as much of JSON Schema as ours use."""
    if "$ref" in node:
        return wrong(value, root["$defs"][node["$ref"].rpartition("/")[2]], root, way)
    answer: list[str] = []
    if "type" in node:
        kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
        if not any(isinstance(value, _TYPES[kind]) for kind in kinds):  # type: ignore[arg-type]  # types, or pairs of them
            return [f"{way}: {value!r} is no {kinds}"]
    if "enum" in node and value not in node["enum"]:
        answer.append(f"{way}: {value!r} is none of {node['enum']}")
    if "const" in node and value != node["const"]:
        answer.append(f"{way}: {value!r} is not {node['const']}")
    if "pattern" in node and not re.search(node["pattern"], value):
        answer.append(f"{way}: {value!r} does not match")
    if "anyOf" in node and all(wrong(value, one, root, way) for one in node["anyOf"]):
        answer.append(f"{way}: {value!r} is nothing of what may stand here")
    if "not" in node and not wrong(value, node["not"], root, way):
        answer.append(f"{way}: may not be")
    for one in node.get("allOf", ()):
        answer += wrong(value, one, root, way)
    if "if" in node and not wrong(value, node["if"], root, way):
        answer += wrong(value, node.get("then", {}), root, way)
    if isinstance(value, list) and "items" in node:
        answer += [found for number, item in enumerate(value) for found in wrong(item, node["items"], root, f"{way}[{number}]")]
    if isinstance(value, dict):
        answer += [f"{way}: {name} is missing" for name in node.get("required", ()) if name not in value]
        for name, held in value.items():
            here = f"{way}.{name}"
            if "propertyNames" in node:
                answer += wrong(name, node["propertyNames"], root, here)
            patterns = [inner for pattern, inner in node.get("patternProperties", {}).items() if re.search(pattern, name)]
            if name in node.get("properties", {}):
                answer += wrong(held, node["properties"][name], root, here)
            elif patterns:
                answer += [found for inner in patterns for found in wrong(held, inner, root, here)]
            elif node.get("additionalProperties") is False:
                answer.append(f"{here} is not known")
            elif isinstance(node.get("additionalProperties"), dict):
                answer += wrong(held, node["additionalProperties"], root, here)
    return answer


def judged(name: str, text: str) -> list[str]:
    return wrong(plain(parse(text, "x.yaml")), schema(name), schema(name))


@pytest.mark.parametrize("name", ["config", "partner", "mapping", "schema"])
def test_the_schemas_are_current(name: str) -> None:
    written = (FOLDER / f"{name}.schema.json").read_text()
    assert written == editor.text_of(schema(name)), "run python -m gateway.publish.editor"


MAPPINGS = [path for path in sorted((ROOT / "mappings").rglob("*.yaml")) if path.parent.name not in ("tables", "parts", "cases")]
DESCRIPTIONS = [path for path in sorted((ROOT / "schemas").rglob("*.yaml")) if path.parent.name != "rules"]


@pytest.mark.parametrize("path", MAPPINGS, ids=[str(path.relative_to(ROOT)) for path in MAPPINGS])
def test_no_shipped_mapping_is_called_wrong(path: Path) -> None:
    assert judged("mapping", path.read_text()) == []


def test_no_shipped_description_is_called_wrong() -> None:
    assert [(path.name, found) for path in DESCRIPTIONS if (found := judged("schema", path.read_text()))] == []


def test_no_partner_or_configuration_of_ours_is_called_wrong() -> None:
    for text in (ACME, EUROCO, ACME + "schema:\n  csv/orders: {delimiter: ;}\nmapping:\n  x12/004010/850: {release: none}\n"):
        assert judged("partner", text) == []
    assert judged("config", CONFIG) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("partner", ACME.replace("currency", "curency")),
        ("partner", ACME.replace("acknowledge:", "aknowledge:")),
        ("partner", ACME.replace('"997"', '"998"')),
        ("config", CONFIG.replace("tax_rate", "taxrate")),
        ("mapping", "document: order\nfrom: x12/004010/850\nnumber: BEG/03\ncurency: CUR/02\n"),
        ("mapping", "document: orders\nfrom: x12/004010/850\nnumber: BEG/03\n"),
        ("mapping", "document: order\nfrom: x12/004010/850\nnumber: {form: BEG/03}\n"),
        ("mapping", "document: order\nfrom: x12/004010/850\nlines: {each: PO1, numbr: 01}\n"),
        ("mapping", "document: order\nfrom: x12/004010/850\nnumber: {from: BEG/03, make: uper}\n"),
        ("mapping", "document: order\nto: x12/004010/850\nsegment: []\n"),
        ("schema", "schema: csv/x\nname: X\ndelimeter: ;\n"),
        ("schema", "schema: json/x\nname: X\nfields:\n  a: {use: M text, keys: A}\n"),
        ("schema", "schema: xml/x\nname: X\nroots: A\n"),
    ],
)
def test_what_is_wrong_in_one_file_is_underlined(name: str, text: str) -> None:
    assert isinstance(parse(text, "x.yaml"), Mapping)
    assert judged(name, text) != []
