"""JSON and XML of somebody's own against their description. JSON is judged while it is read, so that nothing is left to do here; an XML
document is put to its XSD, where the description names one.
"""

import re

from lxml import etree

from gateway.codecs import xml
from gateway.codecs.node import Transaction
from gateway.kinds import xml as kinds
from gateway.problem import Place
from gateway.problem import Problem
from gateway.schema.compile import CompiledSchema
from gateway.schema.plan import XmlPlan
from gateway.schema.trees import compiled_xsd

MOST = 100
_NAMESPACE = re.compile(r"\{[^}]*\}")


def check_tree(transaction: Transaction, compiled: CompiledSchema) -> list[Problem]:
    """What is wrong with a document."""
    plan = compiled.plan.tree
    if not isinstance(plan, XmlPlan) or not plan.xsd:
        return []
    if compiled.xsd is None:
        compiled.xsd = compiled_xsd(plan.xsd)
    # a document of its own: an XSD judges whole documents
    document = etree.fromstring(etree.tostring(transaction.root)) if plan.layout.documents else transaction.root
    if compiled.xsd.validate(document):
        return []
    return [_problem(error, transaction) for error in list(compiled.xsd.error_log)[:MOST]]


def _problem(error: object, transaction: Transaction) -> Problem:
    path, line = getattr(error, "path", None), getattr(error, "line", None)
    found = None
    try:
        namespaces = {prefix: name for prefix, name in transaction.root.nsmap.items() if prefix}
        held = transaction.root.getroottree().xpath(path, namespaces=namespaces) if path else []
        found = held[0] if held else None
    except etree.XPathError:
        pass
    place = xml.place_of(found) if found is not None else Place(path=path, line=line)
    return kinds.SCHEMA.at(place, _NAMESPACE.sub("", str(getattr(error, "message", ""))).rstrip("."))
