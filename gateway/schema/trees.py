"""YAML to the plan of a JSON or XML file of somebody's own: schemas/json/NAME.yaml and schemas/xml/NAME.yaml, with what they extend
and a partner's differences. Mappings read and write both as trees, by the paths of XML.

    schema: json/orders
    name: Orders of the web shop
    documents: orders                     # where the list of documents is; left out: the file is one, or a list of them
    fields:
      number:   M text ..35
      placed:   {use: M date, key: orderDate}
      customer: {fields: {id: M text}}    # an object
      lines:    {each: {sku: M text}}     # a list of objects
      tags:     {use: O text, list: yes}  # a list of values

    schema: xml/order
    name: Orders as the ERP writes them
    root: PurchaseOrder
    namespace: urn:acme:orders            # of the root and of the names below; left out: none
    documents: Orders/Order               # elements below the root, each a document; left out: the root is the document
    xsd: order.xsd                        # beside this file: each document is checked against it
"""

import hashlib
import json
from typing import Any

from gateway.codecs.json import Field
from gateway.codecs.json import JsonLayout
from gateway.codecs.xml import XmlLayout
from gateway.schema.chain import load_chain
from gateway.schema.columns import ColumnReader
from gateway.schema.plan import LoopUse
from gateway.schema.plan import SchemaPlan
from gateway.schema.plan import SegmentUse
from gateway.schema.plan import XmlPlan
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Resolver
from gateway.yaml_source import did_you_mean

JSON_KEYS = ("schema", "extends", "name", "documents", "sender", "fields")
FIELD_KEYS = ("use", "key", "fields", "each", "list", "codes", "need")
XML_KEYS = ("schema", "extends", "name", "root", "namespace", "documents", "sender", "xsd")
#: words of values in mappings, which no element of JSON may be called by
_VALUE_WORDS = frozenset(
    {"from", "first", "all", "join", "constant", "count", "counter", "sum", "compute", "as", "period", "add_days", "table", "else", "keep"}
    | {"default", "make", "divide", "multiply", "round", "rounding", "zone", "with", "cut", "split", "pad", "key", "value"}
)
_DEPTH = 16


def load_tree(spec: str, resolver: Resolver, overlay: Mapping | None = None) -> SchemaPlan:
    """The plan of a JSON or XML file; raises Faults with everything that is wrong."""
    is_json = spec.startswith("json/")
    chain = load_chain(spec, resolver, overlay, JSON_KEYS if is_json else XML_KEYS)
    reader = _Reader(spec, chain, resolver)
    tree = reader.json() if is_json else reader.xml()
    if not reader.word("name"):
        reader.fault(chain.root, "`name:` says in a few words what the file is")
    if chain.faults:
        raise Faults(sorted(set(chain.faults), key=lambda fault: (fault.file, fault.line, fault.column)))
    made_of = tuple(chain.sources.items())
    nothing = SegmentUse(tag="document", name="the document", mandatory=True, max=1, elements=())
    return SchemaPlan(
        spec=spec,
        syntax=spec.partition("/")[0],
        type=spec.partition("/")[2],
        version=spec,
        name=reader.word("name"),
        group="",
        root=LoopUse(name="document", mandatory=True, max=None, children=(nothing,)),
        digest=hashlib.sha256(json.dumps([spec, made_of, chain.overlay], ensure_ascii=False).encode()).hexdigest(),
        sources=made_of,
        tree=tree,
    )


class _Reader(ColumnReader):
    # JSON --------------------------------------------------------------------------------------------------------------

    def json(self) -> JsonLayout:
        held = self.root.get("fields")
        fields: tuple[Field, ...] = ()
        if isinstance(held, Mapping) and held.items:
            fields = self._fields(held, 0)
        else:
            self.fault(held or self.root, "`fields:` says what stands in a document: {number: M text ..35, lines: {each: {sku: M text}}}")
        said = self.word("documents")
        return JsonLayout(
            spec=self.spec, fields=fields, documents=tuple(said.split("/")) if said else (), sender=self._way_to_sender(fields) if fields else ()
        )

    def _fields(self, node: Mapping, depth: int) -> tuple[Field, ...]:
        if depth > _DEPTH:
            self.fault(node, f"fields are nested more than {_DEPTH} levels deep")
            return ()
        answer = []
        for name, held in node.items.items():
            self.check_name(node.keys[name], "field", _VALUE_WORDS)
            field = self._field(name, held, depth)
            if field is not None:
                answer.append(field)
        return tuple(answer)

    def _field(self, name: str, node: Node, depth: int) -> Field | None:
        if not isinstance(node, Mapping):
            column = self.column(name, node)
            return Field(name=name, key=name, mandatory=column.mandatory, column=column) if column is not None else None
        for key, scalar in node.keys.items():
            if key not in FIELD_KEYS:
                self.fault(scalar, f"a field has no '{key}'{did_you_mean(key, FIELD_KEYS)}")
        inside = [key for key in ("use", "fields", "each") if key in node]
        if len(inside) != 1:
            self.fault(node, "a field says `use:` (one value), `fields:` (an object) or `each:` (a list of objects)")
            return None
        own = self.word("key", name, node=node)
        if inside[0] == "use":
            items = {key: value for key, value in node.items.items() if key in ("use", "codes")}
            column = self.column(name, Mapping(items, {key: node.keys[key] for key in items}, node.document, node.line, node.column))
            many = self.flag("list", node)
            return Field(name=name, key=own, mandatory=column.mandatory, many=many, column=column) if column is not None else None
        held = node.items[inside[0]]
        if not isinstance(held, Mapping) or not held.items:
            self.fault(held, f"`{inside[0]}:` says what stands in it: {{sku: M text, quantity: M decimal}}")
            return None
        needed = self.word("need", "O", ("M", "O"), node) == "M"
        return Field(name=name, key=own, mandatory=needed, many=inside[0] == "each", fields=self._fields(held, depth + 1))

    def _way_to_sender(self, fields: tuple[Field, ...]) -> tuple[str, ...]:
        said = self.word("sender")
        names = tuple(said.split("/")) if said else ()
        inside = fields
        for name in names:
            found = next((field for field in inside if field.name == name and not field.many), None)
            if found is None:
                self.fault(self.root.items["sender"], f"there is no field '{name}' that is no list{did_you_mean(name, [one.name for one in inside])}")
                return ()
            inside = found.fields
        return names

    # XML ---------------------------------------------------------------------------------------------------------------

    def xml(self) -> XmlPlan:
        root, namespace = self.word("root"), self.word("namespace")
        if not root:
            self.fault(self.root, "`root:` names the root element of the document")

        def way(key: str) -> tuple[str, ...]:
            said = self.word(key)
            return tuple(f"{{{namespace}}}{name}" if namespace else name for name in said.split("/")) if said else ()

        layout = XmlLayout(spec=self.spec, root=f"{{{namespace}}}{root}" if namespace else root, documents=way("documents"), sender=way("sender"))
        name = self.word("xsd")
        if not name:
            return XmlPlan(layout=layout)
        found = self.resolver.text_of(f"schemas/{self.spec.partition('/')[0]}/{name}")
        if found is None:
            self.fault(self.root.items["xsd"], f"there is no file schemas/xml/{name}")
            return XmlPlan(layout=layout)
        self.sources[found[0]] = found[1]
        wrong = xsd_fault(found[1])
        if wrong:
            self.fault(self.root.items["xsd"], f"{name} is no XML schema: {wrong}")
        return XmlPlan(layout=layout, xsd=found[1])


def compiled_xsd(text: str) -> Any:
    """The XSD ready to check with; one file that includes no other. Raises ValueError."""
    from lxml import etree

    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
    try:
        return etree.XMLSchema(etree.fromstring(text.encode(), parser))
    except (etree.XMLSyntaxError, etree.XMLSchemaParseError) as error:
        raise ValueError(" ".join(str(error).split())[:200]) from None


def xsd_fault(text: str) -> str:
    """What is wrong with an XSD, nothing where nothing is."""
    try:
        compiled_xsd(text)
    except ValueError as error:
        return str(error)
    return ""
