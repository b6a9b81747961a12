"""Where each field of a document came from: on demand, with the separately compiled variant of the mapping."""

from typing import Any

from gateway.exchange.partner import LoadedPartner
from gateway.mapping import explain
from gateway.mapping.reading import PartnerValues
from gateway.model.values import Source
from gateway.pipeline.plans import Plans
from gateway.pipeline.reading.payload import NO_VALUES
from gateway.pipeline.reading.payload import Read
from gateway.schema.apply import check


def provenance_of(read: Read, plans: Plans, loaded: LoadedPartner | None) -> dict[str, Any]:
    """Canonical field -> its origins, as CONTRACT.md shows them."""
    plan = plans.reading(read.spec, loaded, explain=True)
    assert plan.mapping is not None and read.document is not None
    tree = check(read.transaction, plan.schema).tree if plan.schema is not None else None
    source = getattr(read.document, "source", None) or Source(syntax=read.transaction.syntax.value, type=read.transaction.type, test=False)
    values = PartnerValues(loaded.partner.values()) if loaded else NO_VALUES
    return explain.provenance(read.transaction, tree, plan.mapping, source, values)
