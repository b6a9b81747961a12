"""What the tests of EDIFACT mappings share: the shipped schemas and mappings, compiled once, and messages through them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from gateway.codecs import edifact
from gateway.codecs.node import Delimiters
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Segment
from gateway.codecs.node import Transaction
from gateway.config import default_resolver
from gateway.mapping.apply import PartnerValues
from gateway.mapping.apply import to_document
from gateway.mapping.apply import to_transaction
from gateway.mapping.compile_reading import CompiledReading
from gateway.mapping.compile_reading import compile_reading
from gateway.mapping.compile_writing import CompiledWriting
from gateway.mapping.compile_writing import compile_writing
from gateway.mapping.load import load_mapping
from gateway.model.document import Document
from gateway.model.document import encode
from gateway.model.values import Source
from gateway.problem import Problem
from gateway.schema.apply import check
from gateway.schema.compile import CompiledSchema
from gateway.schema.compile import compile_schema
from gateway.schema.load import load_schema
from gateway.schema.plan import SchemaPlan

TOP = Path(__file__).parents[2]
CORPUS = TOP.parent / "shared" / "corpus"
BENCH = TOP.parent / "shared" / "bench"
RESOLVER = default_resolver()
NOBODY = PartnerValues()
DELIMITERS = Delimiters(element="+", component=":", segment="'", release="?")


@cache
def schema_plan(spec: str) -> SchemaPlan:
    """A shipped schema."""
    return load_schema(spec, RESOLVER)


@cache
def schema(spec: str) -> CompiledSchema:
    """A shipped schema, ready to check."""
    return compile_schema(schema_plan(spec))


@cache
def reading(spec: str, explain: bool = False) -> CompiledReading:
    """A shipped mapping, ready to read."""
    return compile_reading(load_mapping(spec, "read", RESOLVER, schema_plan(spec)), explain=explain)


def interchange(type_: str, version: str, *segments: str, association: str = "") -> bytes:
    """An interchange of one message, with its envelope and counts."""
    body = [text for text in segments if text]
    directory = f"{version[:1].upper()}:{version[1:].upper()}:UN" + (f":{association}" if association else "")
    head = f"UNB+UNOC:3+4012345000016:14+4012345500004:14+260105:0930+R1'UNH+1+{type_.upper()}:{directory}'"
    return (head + "".join(f"{text}'" for text in body) + f"UNT+{len(body) + 2}+1'UNZ+1+R1'").encode("latin-1")


def transactions(data: bytes) -> list[tuple[InterchangeStart, Transaction]]:
    """The messages of a file, each with its interchange."""
    found, start = [], None
    for event in edifact.read([data]):
        if isinstance(event, InterchangeStart):
            start = event
        elif isinstance(event, Transaction):
            assert start is not None
            found.append((start, event))
    return found


def spec_of(transaction: Transaction) -> str:
    """edifact/d96a/orders"""
    return f"edifact/{transaction.version.lower()}/{transaction.type.lower()}"


def read_one(start: InterchangeStart, transaction: Transaction) -> tuple[Document | None, list[Problem]]:
    """The canonical document of a message, with the problems of its schema and its mapping."""
    spec = spec_of(transaction)
    checked = check(transaction, schema(spec))
    header = Source(
        syntax="edifact",
        type=transaction.type,
        version=transaction.version,
        association=transaction.association or None,
        sender=start.sender,
        receiver=start.receiver,
        interchange_control_number=start.control_number,
        transaction_control_number=transaction.control_number,
        test=start.test,
    )
    document, problems = to_document(transaction, checked.tree, reading(spec), header, NOBODY)
    return document, [*transaction.problems, *checked.problems, *problems]


def read(data: bytes) -> dict[str, Any]:
    """The canonical document of the one message in a file as its JSON, which must be without problems."""
    ((start, transaction),) = transactions(data)
    document, problems = read_one(start, transaction)
    assert problems == [], problems
    return as_json(document)


def as_json(document: Document | None) -> dict[str, Any]:
    """A document as `gateway read` shows it."""
    assert document is not None
    return dict(json.loads(encode(document)))


@cache
def writing(spec: str, *, explain: bool = False) -> CompiledWriting:
    """A shipped mapping, ready to write."""
    return compile_writing(load_mapping(spec, "write", RESOLVER, schema_plan(spec)), explain=explain)


def written(document: Document, spec: str) -> tuple[list[Segment], list[Problem]]:
    """The segments between UNH and UNT."""
    segments, problems = to_transaction(document, writing(spec), NOBODY)
    return segments, problems


def message(document: Document, spec: str, *, association: str = "EAN008") -> bytes:
    """A document as a message in its interchange, which must be written without problems and be right by our own schema."""
    segments, problems = written(document, spec)
    assert problems == [], problems
    _, version, type_ = spec.split("/")
    identifier = [type_.upper(), version[:1].upper(), version[1:].upper(), "UN", association]
    body: list[Segment] = [["UNH", ["1"], identifier], *segments, ["UNT", [str(len(segments) + 2)], ["1"]]]
    head: Segment = ["UNB", ["UNOC", "3"], ["4012345000016", "14"], ["4012345500004", "14"], ["260105", "0930"], ["R1"]]
    data = edifact.write([head, *body, ["UNZ", ["1"], ["R1"]]], DELIMITERS)
    ((_, transaction),) = transactions(data)
    checked = check(transaction, schema(spec))
    # a country that there is not goes out as it came in: a warning
    wrong = [problem for problem in (*transaction.problems, *checked.problems) if problem.severity == "error"]
    assert wrong == [], data.decode("latin-1")
    return data
