"""UBL documents against their XSD. It knows where schemas lie only through conformance/artefacts.

A shelf keeps compiled schemas; lxml keeps the errors of a run inside the schema, so that a shelf belongs to one thread.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lxml import etree

from gateway.codecs import xml
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.conformance import artefacts
from gateway.conformance.level import Judgement
from gateway.conformance.level import judgement_of
from gateway.conformance.level import not_run
from gateway.kinds import xml as kinds
from gateway.problem import Place
from gateway.problem import Problem

#: after so many nobody reads on
MAX_PROBLEMS = 100
_VERSIONS = {"2.0", "2.1"}
_NAMESPACE = re.compile(r"\{urn:oasis:names:specification:ubl:schema:xsd:(?P<part>[A-Za-z]+)-2\}")
_PREFIX = {"CommonBasicComponents": "cbc:", "CommonAggregateComponents": "cac:", "CommonExtensionComponents": "ext:"}
_EXPECTED = re.compile(r"Expected is (?:one of )?\( (?P<names>.*?) \)")
_FOUND = re.compile(r"'(?P<value>[^']*)' is not (?:a valid value|an element of the set|accepted)")


class SchemaShelf:
    """The XSDs, each compiled when first needed."""

    def __init__(self, folders: Sequence[Path] | None = None) -> None:
        self._folders = tuple(folders) if folders is not None else (artefacts.default_folder(),)
        self._compiled: dict[str, Any] = {}

    def schema_for(self, document: str) -> Any:
        """The compiled schema of a UBL document (its root's local name), or why there is none."""
        if document not in self._compiled:
            path, reason = artefacts.schema_path(document, self._folders)
            if path is None:
                return reason
            parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
            self._compiled[document] = etree.XMLSchema(etree.parse(str(path), parser))
        return self._compiled[document]


def validate(transaction: Transaction, shelf: SchemaShelf) -> Judgement:
    """The transaction's document against its XSD, with path and line of each problem."""
    if transaction.syntax is not Syntax.UBL:
        return not_run(f"there is no schema for {transaction.syntax.value}")
    if transaction.version not in _VERSIONS:
        return not_run(f"the schemas are those of UBL 2.1, the document says that it is UBL {transaction.version}")
    schema = shelf.schema_for(transaction.type)
    if isinstance(schema, str):
        return not_run(schema)
    if schema.validate(transaction.root):
        return judgement_of([])
    root = transaction.root
    namespaces = {prefix: uri for element in root.iter("*") for prefix, uri in element.nsmap.items() if prefix}
    return judgement_of([_problem(error, root, namespaces) for error in list(schema.error_log)[:MAX_PROBLEMS]])


def _problem(error: Any, root: Any, namespaces: dict[str, str]) -> Problem:
    element = _element(error.path, root, namespaces)
    place = xml.place_of(element) if element is not None else Place(path=error.path, line=error.line)
    message = _NAMESPACE.sub(lambda match: _PREFIX.get(match["part"], ""), error.message)
    expected, found = _EXPECTED.search(message), _FOUND.search(message)
    return kinds.SCHEMA.at(place, message.rstrip("."), found=found["value"] if found else None, expected=expected["names"] if expected else None)


def _element(path: str | None, root: Any, namespaces: dict[str, str]) -> Any:
    """The element that libxml2 names by a path in the document's own prefixes."""
    if not path:
        return None
    try:
        found = root.xpath(path, namespaces=namespaces)
    except etree.XPathError:
        return None
    return found[0] if isinstance(found, list) and found and hasattr(found[0], "tag") else None
