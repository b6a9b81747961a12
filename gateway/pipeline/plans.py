"""The effective plans: schema, mapping and rules in force for a document type and a partner, compiled once and kept.

What made a plan (texts and digests) stays with it, so that it can be archived with each document that it judged. Writing and rules are
imported when the first one is asked for: `gateway check` needs neither and starts quicker.
"""

from __future__ import annotations

import json
from collections.abc import Set
from dataclasses import dataclass
from dataclasses import field
from functools import lru_cache
from typing import TYPE_CHECKING

from gateway.codecs.layout import Form
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.mapping import load as mapping_load
from gateway.mapping.compile_reading import CompiledReading
from gateway.mapping.compile_reading import compile_reading
from gateway.mapping.desk import SeenPath
from gateway.mapping.files import file_for
from gateway.mapping.plan import MappingPlan
from gateway.mapping.words import PARTNER_NAMES
from gateway.schema import compile as schema_compile
from gateway.schema import load as schema_load
from gateway.schema.nearest import nearest_version
from gateway.schema.plan import SchemaPlan
from gateway.yaml_source import Fault
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import Resolver
from gateway.yaml_source import Scalar

if TYPE_CHECKING:
    from gateway.exchange.partner import LoadedPartner
    from gateway.mapping.compile_writing import CompiledWriting
    from gateway.rules.plan import RulePlan

    _Described = tuple[schema_compile.CompiledSchema | None, tuple["Kept", ...]]
    _Read = tuple[schema_compile.CompiledSchema | None, CompiledReading | None, tuple["Kept", ...]]
    _Written = tuple[schema_compile.CompiledSchema | None, CompiledWriting, tuple["Kept", ...]]


#: first parts of specs whose files have no envelope that says what they are; each is described in schemas/
FORMS = ("csv", "fixed", "json", "xml")
FORM_SYNTAXES = frozenset({Syntax.CSV, Syntax.FIXED, Syntax.JSON, Syntax.XML})


@dataclass(frozen=True, slots=True)
class Kept:
    """One part of an effective plan as it is archived."""

    kind: str
    name: str
    digest: str
    content: str


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """Everything that reading one document type from one partner needs; a part is None where no such file exists."""

    spec: str
    schema: schema_compile.CompiledSchema | None
    mapping: CompiledReading | None
    parts: tuple[Kept, ...] = ()

    @property
    def digests(self) -> dict[str, str]:
        return {part.kind: part.digest for part in self.parts}


@dataclass(frozen=True, slots=True)
class WritingPlan:
    """The same outward; `mapping` always exists, `schema` checks what was written."""

    spec: str
    schema: schema_compile.CompiledSchema | None
    mapping: CompiledWriting
    parts: tuple[Kept, ...] = ()

    @property
    def digests(self) -> dict[str, str]:
        return {part.kind: part.digest for part in self.parts}


_X12 = Syntax.X12


@lru_cache(maxsize=1000)
def _x12_spec(version: str, kind: str) -> str:
    return f"x12/{version[:6]}/{kind.lower()}"


def spec_of(transaction: Transaction) -> str:
    """The name of the transaction's schema and mapping: x12/004010/850, edifact/d96a/orders, ubl/order, camt/053."""
    if transaction.syntax is _X12:
        return _x12_spec(transaction.version, transaction.type)
    if transaction.syntax is Syntax.EDIFACT:
        if transaction.type == "CONTRL":
            # CONTRL:4:1 of syntax 4; D:3, 2:2 and what countries call theirs of the earlier ones
            fourth = transaction.charset.endswith(":4") or transaction.version.startswith("4")
            return f"edifact/service/contrl-{4 if fourth else 3}"
        return f"edifact/{transaction.version.lower()}/{transaction.type.lower()}"
    if transaction.syntax is Syntax.CAMT:
        return transaction.type.replace(".", "/")
    if transaction.syntax in FORM_SYNTAXES:
        return f"{transaction.syntax.value}/{transaction.type}"
    words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in transaction.type).lstrip("-")
    return f"{transaction.syntax.value}/{words}"


@dataclass(slots=True)
class Plans:
    """All plans of an installation (or of the shipped defaults), by spec and partner."""

    resolver: Resolver
    #: what partners without differences of their own share: by spec, owner, explain and the names that their files add
    _read: dict[tuple[str, str, bool, frozenset[str]], _Read] = field(default_factory=dict)
    _written: dict[tuple[str, str, bool, frozenset[str]], _Written] = field(default_factory=dict)
    _loaded: dict[str, SchemaPlan] = field(default_factory=dict)
    _described: dict[tuple[str, str, bool], _Described] = field(default_factory=dict)
    _reading: dict[tuple[str, str, bool], ReadingPlan] = field(default_factory=dict)
    _writing: dict[tuple[str, str, bool], WritingPlan] = field(default_factory=dict)
    _rules: dict[str, RulePlan] = field(default_factory=dict)
    _nearest: dict[str, str | None] = field(default_factory=dict)

    def renewed(self, resolver: Resolver, changed: Set[str], partners: Set[str]) -> Plans:
        """Plans of files of which these changed; what was compiled already and is made of none of them is taken over, for partners of these
        digests (of their files)."""
        fresh = Plans(resolver)
        owners = {"", *partners}
        ours = {name for name in changed if not name.startswith("partners/")}
        if any((self.resolver.text_of(name) is None) != (resolver.text_of(name) is None) for name in ours):
            # what is found where depends on what is there
            return fresh
        fresh._read = {key: made for key, made in self._read.items() if key[1] in owners and not _made_of(made[2], ours)}
        fresh._written = {key: made for key, made in self._written.items() if key[1] in owners and not _made_of(made[2], ours)}
        fresh._reading = {key: plan for key, plan in self._reading.items() if key[1] in owners and not _made_of(plan.parts, ours)}
        fresh._writing = {key: plan for key, plan in self._writing.items() if key[1] in owners and not _made_of(plan.parts, ours)}
        if not ours:
            fresh._loaded = dict(self._loaded)
            fresh._described = {key: made for key, made in self._described.items() if key[1] in owners}
            fresh._rules = {key: rules for key, rules in self._rules.items() if key in owners}
            fresh._nearest = dict(self._nearest)
        return fresh

    def nearest(self, spec: str) -> str | None:
        """`spec` itself where we have its schema or mapping, else the nearest version of the same type, else None."""
        if spec not in self._nearest:
            self._nearest[spec] = self._find_nearest(spec)
        return self._nearest[spec]

    def _find_nearest(self, spec: str) -> str | None:
        if any(self.resolver.text_of(f"{top}/{spec}.yaml") for top in ("schemas", "mappings")):
            return spec
        return nearest_version(spec, schema_load.known_specs(self.resolver))

    def reading(self, spec: str, partner: LoadedPartner | None = None, *, explain: bool = False) -> ReadingPlan:
        """The plan to read `spec` with; raises Faults where a file of it is wrong."""
        key = (spec, partner.digest if partner else "", explain)
        if key not in self._reading:
            shared = (spec, _owner(spec, partner), explain, _names(partner))
            if shared not in self._read:
                self._read[shared] = self._make_reading(spec, partner, explain)
            schema, mapping, parts = self._read[shared]
            self._reading[key] = ReadingPlan(spec, schema, mapping, (*parts, *_partner_part(partner)))
        return self._reading[key]

    def _make_reading(self, spec: str, partner: LoadedPartner | None, explain: bool) -> _Read:
        mapped = file_for(spec, "read", self.resolver) is not None
        # check digits of what is mapped are looked at there, once
        schema, parts = self._schema(spec, partner, numbers=not mapped)
        if not mapped:
            return schema, None, parts
        plan = self._mapping(spec, "read", schema, partner)
        return schema, compile_reading(plan, explain=explain), (*parts, kept("mapping", plan.digest, plan.sources))

    def writing(self, spec: str, partner: LoadedPartner | None = None, *, explain: bool = False) -> WritingPlan:
        """The plan to write `spec` with; raises Faults where a file of it is wrong or missing."""
        key = (spec, partner.digest if partner else "", explain)
        if key not in self._writing:
            shared = (spec, _owner(spec, partner), explain, _names(partner))
            if shared not in self._written:
                self._written[shared] = self._make_writing(spec, partner, explain)
            schema, mapping, parts = self._written[shared]
            self._writing[key] = WritingPlan(spec, schema, mapping, (*parts, *_partner_part(partner)))
        return self._writing[key]

    def _make_writing(self, spec: str, partner: LoadedPartner | None, explain: bool) -> _Written:
        schema, parts = self._schema(spec, partner)
        if schema is None and needs_schema(spec):
            raise Faults([Fault(f"schemas/{spec}.yaml", 1, 1, f"{spec} cannot be written: there is no schema of it")])
        plan = self._mapping(spec, "write", schema, partner)
        from gateway.mapping.compile_writing import compile_writing

        return schema, compile_writing(plan, explain=explain), (*parts, kept("mapping", plan.digest, plan.sources))

    def form(self, spec: str, partner: LoadedPartner | None = None, *, said: bool = False) -> Form | None:
        """How files of this type are read that do not say themselves what they are; None for all others. Raises Faults."""
        if spec.split("/")[0] not in FORMS:
            return None
        compiled = self.schema(spec, partner)
        if compiled is None:
            return None
        plan = compiled.plan
        owner = partner.partner.id if partner is not None and spec in partner.schemas else ""
        if plan.layout is not None:
            from gateway.codecs.lines import LinesForm

            return LinesForm(plan.layout, said, owner)
        from gateway.codecs.json import JsonForm
        from gateway.codecs.json import JsonLayout

        if isinstance(plan.tree, JsonLayout):
            from gateway.schema.rows_check import judge

            return JsonForm(plan.tree, judge, said, owner)
        from gateway.codecs.xml import XmlForm

        return XmlForm(plan.tree.layout, said, owner) if plan.tree is not None else None

    def schema(self, spec: str, partner: LoadedPartner | None = None) -> schema_compile.CompiledSchema | None:
        """The compiled schema alone, None where there is none."""
        return self._schema(spec, partner)[0]

    def loaded(self, spec: str) -> SchemaPlan:
        """The plan of a schema as it is for all partners; raises Faults."""
        if spec not in self._loaded:
            self._loaded[spec] = schema_load.load_schema(spec, self.resolver)
        return self._loaded[spec]

    def rules(self, partner: LoadedPartner | None, overlay: Mapping | None = None) -> RulePlan:
        """The rules in force for a partner: the shipped set, the installation's differences, the partner's differences."""
        key = partner.digest if partner else ""
        if key not in self._rules:
            overlays = [part for part in (overlay, partner.rules if partner else None) if part is not None]
            from gateway.rules.load import load_rules

            self._rules[key] = load_rules(self.resolver, overlays)
        return self._rules[key]

    def rules_at_hand(self, partner: LoadedPartner) -> RulePlan | None:
        """The rules in force for a partner where something of it was judged by them already."""
        return self._rules.get(partner.digest)

    def _schema(self, spec: str, partner: LoadedPartner | None, *, numbers: bool = False) -> _Described:
        overlay = partner.schemas.get(spec) if partner is not None else None
        key = (spec, partner.digest if partner is not None and overlay is not None else "", numbers)
        if key not in self._described:
            if self.resolver.text_of(f"schemas/{spec}.yaml") is None:
                self._described[key] = None, ()
            else:
                plan = self.loaded(spec) if overlay is None else schema_load.load_schema(spec, self.resolver, overlay)
                self._described[key] = schema_compile.compile_schema(plan, numbers=numbers), (kept("schema", plan.digest, plan.sources),)
        return self._described[key]

    def xml_paths(self, spec: str, direction: str, partner: LoadedPartner | None = None) -> tuple[str, list[SeenPath]]:
        """The root element (empty where the mapping does not name it) and all paths of an XML mapping; raises Faults."""
        seen: list[SeenPath] = []
        names = partner.partner.values() if partner is not None else ()
        plan = mapping_load.load_mapping(spec, direction, self.resolver, None, self._overlays(spec, partner), partner_names=names, seen=seen)
        return plan.element.tag if plan.element is not None else "", seen

    def _mapping(self, spec: str, direction: str, schema: schema_compile.CompiledSchema | None, partner: LoadedPartner | None) -> MappingPlan:
        names = partner.partner.values() if partner is not None else ()
        plan = schema.plan if schema is not None else None
        return mapping_load.load_mapping(spec, direction, self.resolver, plan, self._overlays(spec, partner), partner_names=names)

    def _overlays(self, spec: str, partner: LoadedPartner | None) -> list[Mapping]:
        if partner is None:
            return []
        overlays = [partner.mappings[spec]] if spec in partner.mappings else []
        if partner.tables is not None:
            node = partner.tables
            # quoted: for all mappings of the partner, so that one of them need not use it
            key = Scalar("tables", node.document, node.line, node.column, plain=False)
            overlays.append(Mapping({"tables": node}, {"tables": key}, node.document, node.line, node.column))
        return overlays


def needs_schema(spec: str) -> bool:
    """Whether nothing can be read or written as `spec` without its schema; XML is mapped without one."""
    return spec.startswith(("x12/", "edifact/"))


def kept(kind: str, digest: str, sources: tuple[tuple[str, str], ...]) -> Kept:
    """What a plan was made of, as it is archived: a JSON list of [name, text], in the order of loading."""
    return Kept(kind, sources[0][0] if sources else kind, digest, json.dumps(sources, ensure_ascii=False))


def _owner(spec: str, partner: LoadedPartner | None) -> str:
    """Whose a plan of this spec is: the digest of a partner that reads or writes it in a way of its own, else nobody's."""
    own = partner is not None and (spec in partner.mappings or spec in partner.schemas or partner.tables is not None)
    return partner.digest if partner is not None and own else ""


def _names(partner: LoadedPartner | None) -> frozenset[str]:
    """What mappings may ask of this partner beyond what they may ask of all."""
    return frozenset(partner.partner.values()) - PARTNER_NAMES if partner is not None else frozenset()


def _made_of(parts: tuple[Kept, ...], names: Set[str]) -> bool:
    """Whether a plan is made of any of these files."""
    return bool(names) and any(name in names for part in parts if part.kind != "partner" for name, _ in json.loads(part.content))


def _partner_part(partner: LoadedPartner | None) -> tuple[Kept, ...]:
    return (Kept("partner", partner.file, partner.digest, partner.text),) if partner else ()
