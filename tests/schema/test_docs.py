"""docs/schemas.md says what there is, and its examples load."""

import re

from gateway.config import default_resolver
from gateway.schema.dictionary import load_dictionary
from gateway.schema.load import known_specs
from gateway.schema.load import load_schema
from gateway.yaml_source import Mapping
from gateway.yaml_source import Scalar
from gateway.yaml_source import parse
from tests.docs.pages import ROOT
from tests.docs.pages import blocks

PAGE = ROOT / "docs" / "schemas.md"


class WithPage:
    """The shipped files, and one of the page before them."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text

    def text_of(self, name: str) -> tuple[str, str] | None:
        return (name, self.text) if name == self.name else default_resolver().text_of(name)

    def names(self, prefix: str) -> list[str]:
        return default_resolver().names(prefix)


def test_the_tables_name_every_schema() -> None:
    said = set()
    for syntax, title in (("x12", "### X12"), ("edifact", "### EDIFACT")):
        heads: list[str] = []
        for line in PAGE.read_text().partition(title)[2].partition("\n#")[0].splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
            if cells[:1] == [syntax]:
                heads = [cell.replace(".", "").lower() for cell in cells[1:]]
            elif heads and cells and not set(cells[0]) <= set("-"):
                kind = cells[0].split()[0].lower()
                said |= {f"{syntax}/{version}/{kind}" for version, mark in zip(heads, cells[1:], strict=True) if mark == "x"}
    assert sorted(said) == [spec for spec in known_specs(default_resolver()) if spec.startswith(("x12/", "edifact/")) and "/service/" not in spec]


def test_the_examples_load() -> None:
    found = blocks(PAGE, "yaml")
    assert len(found) >= 3
    for line, text in found:
        node = parse(text, f"schemas.md:{line}")
        assert isinstance(node, Mapping)
        schema = node.items["schema"]
        if isinstance(schema, Scalar) and schema.text.endswith(("/elements", "/segments")):
            files = WithPage(f"schemas/{schema.text}.yaml", text)
            dictionary = load_dictionary(schema.text.rpartition("/")[0], files, [], ["x12/004010"])
            dictionary.check_all()
            assert dictionary.faults == []
        elif isinstance(schema, Scalar):
            assert load_schema(schema.text, WithPage(f"schemas/{schema.text}.yaml", text)).spec == schema.text
        else:
            assert isinstance(schema, Mapping)
            for spec, overlay in schema.items.items():
                assert isinstance(overlay, Mapping)
                assert load_schema(spec, default_resolver(), overlay).spec == spec


def test_the_page_names_every_key() -> None:
    text = "".join(text for _, text in blocks(PAGE, "yaml"))
    assert {key for key in ("segments", "elements", "codes", "notes", "extends") if not re.search(rf"^ *{key}:", text, re.MULTILINE)} == set()
