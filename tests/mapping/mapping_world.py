"""What the tests of the mapping language share: small mappings in text, small transactions, and the shipped plans."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from gateway.codecs import edifact
from gateway.codecs import lines
from gateway.codecs import x12
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
from gateway.mapping.load import load_mapping
from gateway.mapping.plan import MappingPlan
from gateway.model.values import Source
from gateway.problem import Problem
from gateway.schema.apply import Checked
from gateway.schema.apply import check
from gateway.schema.compile import CompiledSchema
from gateway.schema.compile import compile_schema
from gateway.schema.load import load_schema
from gateway.yaml_source import Mapping
from gateway.yaml_source import parse

TOP = Path(__file__).parents[2]
SHIPPED = FolderResolver(({"mappings": TOP / "mappings", "schemas": TOP / "schemas"},))
NOBODY = PartnerValues()


class Texts:
    """A resolver over texts, with the shipped tables and schemas behind it."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    def text_of(self, name: str) -> tuple[str, str] | None:
        if name in self.files:
            return name, self.files[name]
        return SHIPPED.text_of(name) if name.startswith(("mappings/tables/", "schemas/")) else None

    def names(self, prefix: str) -> list[str]:
        return sorted(name for name in self.files if name.startswith(prefix))


@cache
def schema(spec: str) -> CompiledSchema:
    """A shipped schema."""
    return compile_schema(load_schema(spec, SHIPPED))


def is_xml(spec: str) -> bool:
    return spec.split("/")[0] not in ("x12", "edifact", "csv", "fixed")


def load(spec: str, direction: str, text: str, overlays: Sequence[str] = ()) -> MappingPlan:
    """A mapping in text as a plan."""
    nodes = [node for number, overlay in enumerate(overlays) if isinstance(node := parse(overlay, f"partners/{number}.yaml"), Mapping)]
    plan = None if is_xml(spec) else schema(spec).plan
    return load_mapping(spec, direction, Texts({f"mappings/{spec}.yaml": text}), plan, nodes)


@cache
def shipped(spec: str, direction: str) -> MappingPlan:
    """A shipped mapping as a plan."""
    return load_mapping(spec, direction, SHIPPED, None if is_xml(spec) else schema(spec).plan)


@cache
def shipped_reading(spec: str) -> CompiledReading:
    """A shipped mapping, compiled to read."""
    return compile_reading(shipped(spec, "read"))


@cache
def shipped_writing(spec: str) -> CompiledWriting:
    """A shipped mapping, compiled to write."""
    return compile_writing(shipped(spec, "write"))


#: what was compiled of plans, by who they are; a plan stays as long as it is here, so that no other can take its place
_reading: dict[tuple[int, bool], tuple[MappingPlan, CompiledReading]] = {}
_writing: dict[int, tuple[MappingPlan, CompiledWriting]] = {}


def _compiled_reading(plan: MappingPlan, *, explain: bool = False) -> CompiledReading:
    key = (id(plan), explain)
    if key not in _reading:
        _reading[key] = plan, compile_reading(plan, explain=explain)
    return _reading[key][1]


def _compiled_writing(plan: MappingPlan) -> CompiledWriting:
    if id(plan) not in _writing:
        _writing[id(plan)] = plan, compile_writing(plan)
    return _writing[id(plan)][1]


def x12_file(body: str, type_: str = "850", version: str = "004010", group: str = "PO") -> bytes:
    """Segments in their envelope."""
    count = body.count("~") + 2
    return (
        f"ISA*00*          *00*          *ZZ*ACMEBUYER      *ZZ*SELLERCO       *260105*1200*U*00401*000000001*0*P*>~"
        f"GS*{group}*ACMEBUYER*SELLERCO*20260105*1200*1*X*{version}~ST*{type_}*0001~{body}SE*{count}*0001~GE*1*1~IEA*1*000000001~"
    ).encode()


def edifact_file(body: str, type_: str = "ORDERS", version: str = "D:96A") -> bytes:
    """Segments in their envelope."""
    count = body.count("'") + 2
    return (f"UNB+UNOC:3+1234567890128:14+4012345500004:14+260105:1200+R1'UNH+1+{type_}:{version}:UN'{body}UNT+{count}+1'UNZ+1+R1'").encode()


def transaction_of(data: bytes) -> Transaction:
    """The first transaction of a file."""
    head = data.removeprefix(b"\xef\xbb\xbf")[:3]
    codec = x12 if head == b"ISA" else edifact if head in (b"UNB", b"UNA") else xml
    return next(event for event in codec.read([data]) if isinstance(event, Transaction))


def checked(transaction: Transaction, spec: str) -> Checked:
    return check(transaction, schema(spec))


def source_of(transaction: Transaction) -> Source:
    return Source(syntax=transaction.syntax.value, type=transaction.type, test=False)


def read(plan: MappingPlan, data: bytes, partner: PartnerValues = NOBODY) -> tuple[Any, list[Problem]]:
    """The document that a plan reads from a file, both variants compared."""
    layout = plan.schema.layout if plan.schema is not None else None
    transaction = transaction_of(data) if layout is None else next(event for event in lines.read([data], layout) if isinstance(event, Transaction))
    tree = None if plan.schema is None else checked(transaction, plan.spec).tree
    answer = to_document(transaction, tree, _compiled_reading(plan), source_of(transaction), partner)
    explained = to_document(transaction, tree, _compiled_reading(plan, explain=True), source_of(transaction), partner)
    assert answer == explained, "the explaining variant reads the same"
    return answer


def write(plan: MappingPlan, document: Any, partner: PartnerValues = NOBODY) -> tuple[Any, list[Problem]]:
    """What a plan writes of a document."""
    return to_transaction(document, _compiled_writing(plan), partner)
