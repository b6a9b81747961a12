"""A mapping from its YAML to a plan, with all faults found at once. Reads through the resolver that it is given, nothing else.

The file's name is its spec (mappings/x12/004010/850.yaml); the other direction of the same spec is <spec>-read or -write.
"""

from collections.abc import Collection
from collections.abc import Sequence as Many
from typing import Any

from gateway.mapping import load_elements
from gateway.mapping import load_reading
from gateway.mapping import load_writing
from gateway.mapping.desk import Desk
from gateway.mapping.desk import FieldScope
from gateway.mapping.desk import Scope
from gateway.mapping.desk import SeenPath
from gateway.mapping.desk import XmlScope
from gateway.mapping.files import Gathered
from gateway.mapping.files import gather
from gateway.mapping.files import known_specs
from gateway.mapping.paths import SegmentScope
from gateway.mapping.paths import opener
from gateway.mapping.plan import Block
from gateway.mapping.plan import MappingPlan
from gateway.mapping.plan import WriteElement
from gateway.mapping.plan import WriteSegment
from gateway.mapping.shapes import MAPPED
from gateway.mapping.words import HEAD_WORDS
from gateway.mapping.words import PARTNER_NAMES
from gateway.mapping.xml_paths import UBL
from gateway.schema.plan import SchemaPlan
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Resolver
from gateway.yaml_source import Scalar
from gateway.yaml_source import Sequence
from gateway.yaml_source import did_you_mean

__all__ = ["known_specs", "load_mapping"]


def load_mapping(
    spec: str,
    direction: str,
    resolver: Resolver,
    schema: SchemaPlan | None,
    overlays: Many[Mapping] = (),
    *,
    partner_names: Collection[str] = (),
    seen: list[SeenPath] | None = None,
) -> MappingPlan:
    """The plan of a mapping with a partner's differences laid over; raises Faults with all faults. `schema` is None for XML.

    `seen` gets every path into XML. `partner_names`: what this partner's file says about itself beyond the known words (partner.currency, ...).
    """
    if schema is not None and schema.tree is not None:
        # JSON and XML are mapped by their tree, whatever describes them
        schema = None
    gathered = gather(spec, direction, resolver, overlays)
    root = gathered.root
    head = _head(root)
    desk = Desk(direction, schema, gathered.tables, _parts(root), _namespaces(spec, root), PARTNER_NAMES | frozenset(partner_names), _lists(root))
    desk.own_names = spec.split("/")[0] in ("json", "xml")
    for key, node in head.items():
        if key != "document":
            desk.text(node, "this")
    document, *others = _documents(root, desk)
    struct: Any = MAPPED.get(document)
    also = tuple(MAPPED[name] for name in others if name in MAPPED)
    block: Block | None = None
    segments: tuple[WriteSegment, ...] = ()
    element: WriteElement | None = None
    if struct is not None and direction == "read":
        scope: Scope = SegmentScope(schema, schema.root, opener(schema.root)) if schema is not None else XmlScope()
        block = load_reading.load_document(root, struct, scope, desk)
    elif struct is not None:
        fields = FieldScope(struct, None, also)
        _only_known_words(root, desk)
        if schema is not None:
            segments = load_writing.load_segments(root, fields, desk)
        else:
            element = load_elements.load_root(root, fields, desk)
    _unused(gathered, desk)
    if seen is not None:
        seen += desk.seen
    if desk.faults or struct is None:
        raise Faults(sorted(set(desk.faults), key=lambda fault: (fault.file, fault.line, fault.column)))
    return MappingPlan(
        spec=spec,
        direction=direction,
        document=document,
        struct=struct,
        also=also if direction == "write" else (),
        schema=schema,
        root=block,
        segments=segments,
        element=element,
        namespaces=desk.namespaces,
        digest=gathered.digest,
        sources=gathered.sources,
        tables=frozenset(desk.used),
    )


def _only_known_words(root: Mapping, desk: Desk) -> None:
    """A mapping that writes has no fields of its own at the top: only the words of its head."""
    for key, place in root.keys.items():
        if key not in HEAD_WORDS and key in root:
            desk.fault(place, f"a mapping that writes has no '{key}'{did_you_mean(key, HEAD_WORDS)}")


def _unused(gathered: Gathered, desk: Desk) -> None:
    """Tables and parts that nothing asks for: most often a name that was written otherwise where it was meant."""
    for name, place in gathered.own_tables.items():
        if name not in desk.used:
            desk.fault(place, f"the table '{name}' is used nowhere{did_you_mean(name, desk.used)}")
    for name, place in gathered.own_parts.items():
        if f"part {name}" not in desk.used:
            desk.fault(place, f"the part '{name}' is used nowhere")


def _head(root: Mapping) -> dict[str, Node]:
    return {key: root.items[key] for key in ("document", "from", "to", "root") if key in root}


def _documents(root: Mapping, desk: Desk) -> list[str]:
    """The kinds of documents that the mapping is for: one, or when writing also several that share their fields."""
    held = root.get("document")
    nodes = held.items if isinstance(held, Sequence) and desk.direction == "write" and held.items else (held,)
    names = []
    for node in nodes:
        if not isinstance(node, Scalar):
            desk.fault(node or root, f"`document:` says what this maps: {', '.join(MAPPED)}")
            continue
        if node.text not in MAPPED:
            desk.fault(node, f"no document '{node.text}'{did_you_mean(node.text, MAPPED)}; known are {', '.join(MAPPED)}")
        names.append(node.text)
    return names or [""]


def _parts(root: Mapping) -> dict[str, Mapping]:
    held = root.get("parts")
    return {name: part for name, part in held.items.items() if isinstance(part, Mapping)} if isinstance(held, Mapping) else {}


def _lists(root: Mapping) -> dict[str, Sequence]:
    held = root.get("parts")
    return {name: part for name, part in held.items.items() if isinstance(part, Sequence)} if isinstance(held, Mapping) else {}


def _namespaces(spec: str, root: Mapping) -> dict[str, str]:
    answer = dict(UBL) if spec.split("/")[0] in ("ubl", "peppol") else {}
    held = root.get("namespaces")
    for prefix, namespace in held.items.items() if isinstance(held, Mapping) else ():
        if isinstance(namespace, Scalar):
            answer["" if prefix == "default" else prefix] = namespace.text
    return answer
