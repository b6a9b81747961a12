"""What the tests of XML mappings share: the shipped mappings, compiled once, and documents through them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from gateway.codecs import xml
from gateway.codecs.node import Transaction
from gateway.config import FolderResolver
from gateway.mapping.apply import PartnerValues
from gateway.mapping.apply import to_document
from gateway.mapping.apply import to_transaction
from gateway.mapping.compile_reading import CompiledReading
from gateway.mapping.compile_reading import compile_reading
from gateway.mapping.compile_writing import CompiledWriting
from gateway.mapping.compile_writing import compile_writing
from gateway.mapping.explain import Origin
from gateway.mapping.explain import provenance
from gateway.mapping.load import load_mapping
from gateway.model.document import Document
from gateway.model.document import decode
from gateway.model.document import encode
from gateway.model.values import Source
from gateway.problem import Problem

TOP = Path(__file__).parents[2]
CORPUS = TOP.parent / "shared" / "corpus"
RESOLVER = FolderResolver(({"mappings": TOP / "mappings", "schemas": TOP / "schemas"},))
UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
NAMESPACES = {"cac": UBL + "CommonAggregateComponents-2", "cbc": UBL + "CommonBasicComponents-2"}
NOBODY = PartnerValues()


@cache
def reading(spec: str) -> CompiledReading:
    """A shipped mapping, ready to read."""
    return compile_reading(load_mapping(spec, "read", RESOLVER, None))


@cache
def writing(spec: str) -> CompiledWriting:
    """A shipped mapping, ready to write."""
    return compile_writing(load_mapping(spec, "write", RESOLVER, None))


def transactions(data: bytes) -> list[Transaction]:
    """The transactions of an XML file."""
    return [event for event in xml.read([data]) if isinstance(event, Transaction)]


def read_one(transaction: Transaction, spec: str) -> tuple[Document | None, list[Problem]]:
    """The canonical document of a transaction."""
    header = Source(syntax=transaction.syntax.value, type=transaction.type, version=transaction.version, test=False)
    return to_document(transaction, None, reading(spec), header, NOBODY)


def read(text: str, spec: str) -> dict[str, Any]:
    """The canonical document of an XML text as its JSON, which must be without problems."""
    (transaction,) = transactions(text.encode())
    document, problems = read_one(transaction, spec)
    assert problems == []
    return as_json(document)


def as_json(document: Document | None) -> dict[str, Any]:
    """A document as `gateway read` shows it."""
    assert document is not None
    return dict(json.loads(encode(document)))


def write(document: dict[str, Any], spec: str) -> Transaction:
    """A document, given as JSON, as XML, through its bytes."""
    root, problems = to_transaction(decode(json.dumps(document)), writing(spec), NOBODY)
    assert problems == []
    (transaction,) = transactions(xml.write(root))
    return transaction


def texts(transaction: Transaction, path: str) -> list[str]:
    """The texts that an XPath finds."""
    return [found if isinstance(found, str) else found.text or "" for found in transaction.root.xpath(path, namespaces=NAMESPACES)]


def names(element: Any) -> list[str]:
    """The local names of the children."""
    return [etree.QName(child).localname for child in element]


def explained(transaction: Transaction, spec: str) -> dict[str, list[Origin]]:
    """Where each field of the document came from."""
    header = Source(syntax=transaction.syntax.value, type=transaction.type, version=transaction.version, test=False)
    return provenance(transaction, None, compile_reading(load_mapping(spec, "read", RESOLVER, None), explain=True), header, NOBODY)
