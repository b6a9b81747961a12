"""Paths of XML mappings against the XSD of their document: an element or attribute that can never stand there is told at its line.

Where a schema is not on this machine the paths are not checked, and that is said by the mapping's name: nothing counts as checked
that was not.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gateway.codecs.json import ROOT
from gateway.codecs.json import Field
from gateway.codecs.json import JsonLayout
from gateway.conformance import artefacts
from gateway.conformance.outline import Outline
from gateway.conformance.outline import outline_of
from gateway.conformance.outline import outline_of_text
from gateway.exchange.partner import LoadedPartner
from gateway.mapping.desk import SeenPath
from gateway.mapping.files import file_for
from gateway.mapping.xml_paths import UBL
from gateway.pipeline.plans import Plans
from gateway.schema.plan import SchemaPlan
from gateway.schema.plan import XmlPlan
from gateway.yaml_source import Fault
from gateway.yaml_source import Faults
from gateway.yaml_source import did_you_mean

#: documents of Peppol that are others of UBL
_OTHERWISE = {"order-response-advanced": "OrderResponse", "invoice-response": "ApplicationResponse"}
_PREFIXES = {namespace: prefix for prefix, namespace in UBL.items()}


class XmlLint:
    """The outlines that are needed, each made once; every path with what became of it."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans
        self._outlines: dict[str, Outline | str] = {}
        #: a part may serve several documents: its line is wrong where none of them has what it names
        self._good: set[tuple[str, int, int]] = set()
        self._wrong: dict[tuple[str, int, int], Fault] = {}
        #: mappings whose paths were not checked, and why
        self.not_checked: dict[str, str] = {}

    def look(self, specs: Iterable[str], partner: LoadedPartner | None = None) -> None:
        """Check the paths of these mappings in both directions, with a partner's differences where one is given."""
        for spec in specs:
            for direction in ("read", "write"):
                if file_for(spec, direction, self._plans.resolver) is None:
                    continue
                try:
                    root, seen = self._plans.xml_paths(spec, direction, partner)
                except Faults:
                    # told already: what cannot be loaded has no paths
                    continue
                self._paths(spec, root, seen)

    @property
    def faults(self) -> list[Fault]:
        return [fault for place, fault in sorted(self._wrong.items()) if place not in self._good]

    def _paths(self, spec: str, root: str, seen: list[SeenPath]) -> None:
        outline = self._outline(spec)
        if isinstance(outline, str):
            self.not_checked[spec] = outline
            return
        if not root and len(outline.roots) == 1:
            root = next(iter(outline.roots))
        root = root or next((name for name in outline.roots if name.rpartition("}")[2] == _document(spec)), "")
        for path in seen:
            place = (path.place.document.file, path.place.line, path.place.column)
            wrong = outline.fault(root, path.steps, path.attribute)
            if wrong is None:
                self._good.add(place)
                continue
            name, known = wrong
            before = path.steps[: path.steps.index(name)] if name in path.steps else path.steps
            around = before[-1] if before else root
            guess = did_you_mean(_short(name), [_short(one) for one in known])
            self._wrong.setdefault(place, path.place.fault(f"there is no {_short(name)} in {_short(around)} of {spec}{guess}"))

    def _outline(self, spec: str) -> Outline | str:
        if spec not in self._outlines:
            self._outlines[spec] = self._find(spec)
        return self._outlines[spec]

    def _find(self, spec: str) -> Outline | str:
        folder = artefacts.default_folder()
        described = self._plans.schema(spec)
        if described is not None:
            return _outline_of_own(described.plan)
        if spec.split("/")[0] not in ("ubl", "peppol"):
            return f"there is no schema for {spec.split('/')[0]} here"
        document = _document(spec)
        path, reason = artefacts.schema_path(document, (folder,))
        if path is None:
            return reason
        return _outline_at(path, f"{artefacts.MAINDOC_SHA256[document]}-{artefacts.COMMON_SHA256}", folder / "outlines")


def _outline_of_own(plan: SchemaPlan) -> Outline | str:
    """JSON is its own description; XML has an XSD, or nothing to check against."""
    tree = plan.tree
    if isinstance(tree, XmlPlan):
        if not tree.xsd:
            return "its description names no xsd"
        try:
            return outline_of_text(tree.xsd)
        except ValueError as error:
            return str(error)
    assert isinstance(tree, JsonLayout)
    types: dict[str, dict[str, Any]] = {"value": {"elements": {}, "attributes": [], "any": False}}

    def add(fields: tuple[Field, ...]) -> str:
        name = str(len(types))
        types[name] = {}
        elements = {field.name: add(field.fields) if field.fields else "value" for field in fields}
        types[name] = {"elements": elements, "attributes": [], "any": False}
        return name

    return Outline({ROOT: add(tree.fields)}, types)


def _outline_at(path: Path, made_of: str, cache: Path) -> Outline | str:
    try:
        return outline_of(path, hashlib.sha256(f"1 {made_of}".encode()).hexdigest(), cache)
    except ValueError as error:
        return str(error)


def _document(spec: str) -> str:
    """ubl/order-response -> OrderResponse"""
    name = spec.partition("/")[2]
    return _OTHERWISE.get(name) or "".join(word.capitalize() for word in name.split("-"))


def _short(name: str) -> str:
    """{urn:...}ID -> cbc:ID"""
    namespace, _, local = name.lstrip("@{").rpartition("}")
    mark = "@" if name.startswith("@") else ""
    return f"{mark}{_PREFIXES[namespace]}:{local}" if namespace in _PREFIXES else f"{mark}{local}"
