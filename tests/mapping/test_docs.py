"""Every example of docs/mapping.md does what the page says."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml import etree

from gateway.codecs import edifact
from gateway.codecs import x12
from gateway.codecs.node import Delimiters
from gateway.mapping.compile_writing import compile_writing
from gateway.mapping.explain import written_from
from gateway.mapping.plan import MappingPlan
from gateway.mapping.texts import TEXT_FUNCTIONS
from gateway.mapping.words import BLOCK_WORDS
from gateway.mapping.words import HEAD_WORDS
from gateway.mapping.words import KEYED_WORDS
from gateway.mapping.words import MODIFIERS
from gateway.mapping.words import SEGMENT_WORDS
from gateway.mapping.words import SOURCES
from gateway.model.document import decode
from gateway.model.document import encode
from tests.mapping.mapping_world import NOBODY
from tests.mapping.mapping_world import edifact_file
from tests.mapping.mapping_world import is_xml
from tests.mapping.mapping_world import load
from tests.mapping.mapping_world import read
from tests.mapping.mapping_world import write
from tests.mapping.mapping_world import x12_file

PAGE = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text()
_EXAMPLE = re.compile(r"<!-- (?P<verb>reads|writes) (?P<spec>\S+) -->\n(?P<blocks>(?:```\w+\n.*?\n```\n)+)", re.DOTALL)
_BLOCK = re.compile(r"```(\w+)\n(.*?)\n```\n", re.DOTALL)
DOCUMENTS = {"850": "order", "orders": "order", "order": "order", "856": "despatch_advice"}


@dataclass(frozen=True)
class Example:
    verb: str
    spec: str
    mapping: str
    overlays: tuple[str, ...]
    wire: str
    document: str
    line: int


def examples() -> list[Example]:
    answer = []
    for match in _EXAMPLE.finditer(PAGE):
        blocks = _BLOCK.findall(match["blocks"])
        yamls = [text for kind, text in blocks if kind == "yaml"]
        wire = next(text for kind, text in blocks if kind in ("edi", "xml"))
        document = next(text for kind, text in blocks if kind == "json")
        answer.append(Example(match["verb"], match["spec"], yamls[0], tuple(yamls[1:]), wire, document, PAGE[: match.start()].count("\n") + 1))
    return answer


def plan_of(example: Example) -> MappingPlan:
    kind = DOCUMENTS[example.spec.rpartition("/")[2]]
    head = f"document: {kind}\n{'from' if example.verb == 'reads' else 'to'}: {example.spec}\n"
    return load(example.spec, "read" if example.verb == "reads" else "write", head + example.mapping, example.overlays)


@pytest.mark.parametrize("example", [example for example in examples() if example.verb == "reads"], ids=lambda example: f"line {example.line}")
def test_an_example_reads_what_the_page_says(example: Example) -> None:
    data = (
        example.wire.encode()
        if is_xml(example.spec)
        else edifact_file(example.wire)
        if example.spec.startswith("edifact")
        else x12_file(example.wire, example.spec.rpartition("/")[2])
    )
    document, problems = read(plan_of(example), data)
    assert document is not None, problems
    held = json.loads(encode(document))
    del held["source"]
    assert held == json.loads(example.document)


@pytest.mark.parametrize("example", [example for example in examples() if example.verb == "writes"], ids=lambda example: f"line {example.line}")
def test_an_example_writes_what_the_page_says(example: Example) -> None:
    plan = plan_of(example)
    document = decode(example.document)
    body, problems = write(plan, document)
    assert not problems
    if is_xml(example.spec):
        assert etree.tostring(body).decode() == example.wire
    elif example.spec.startswith("edifact"):
        marks = Delimiters(element="+", component=":", segment="'", release="?")
        assert edifact.write(body, marks).decode() == example.wire
    else:
        assert x12.write(body, Delimiters(element="*", component=">", segment="~")).decode() == example.wire
    explained = compile_writing(plan, explain=True)
    assert written_from(document, explained, NOBODY)


def test_the_page_has_an_example_for_each_part_of_the_language() -> None:
    assert len(examples()) >= 20


def test_every_word_of_the_language_stands_on_the_page() -> None:
    words = {*SOURCES, *MODIFIERS, *BLOCK_WORDS, *KEYED_WORDS, *SEGMENT_WORDS, *HEAD_WORDS, *TEXT_FUNCTIONS}
    assert not [word for word in words if f"`{word}" not in PAGE and f"{word}:" not in PAGE]
