"""Where a stored document's fields came from: its archived bytes, read once more with the plan that was in force when it came.

Where that plan is no longer the one in force, it is put together again from its archived texts; where that cannot be done (a part of it is
not kept), today's plan is used and the page says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.codecs.node import Transaction
from gateway.exchange.partner import LoadedPartner
from gateway.pipeline.plans import Plans
from gateway.pipeline.reading.kept_plans import kept_plan
from gateway.pipeline.reading.payload import Terms
from gateway.pipeline.reading.payload import read_transaction
from gateway.pipeline.station import Station
from gateway.store.records.documents import Document
from gateway.web.payload import Payload
from gateway.yaml_source import Faults


@dataclass(frozen=True, slots=True)
class Explanation:
    """Field -> its origins; `note` says where it cannot be relied on."""

    origins: dict[str, list[Any]]
    note: str = ""


def explain(station: Station, row: Document, payload: Payload) -> Explanation:
    """The provenance of a received document."""
    if row.direction != "in" or payload.transaction is None or payload.start is None or row.body is None:
        return Explanation({}, "Only what was received can be traced to its bytes.")
    transaction = payload.transaction
    loaded = station.installation.directory.partners.get(row.partner)
    today = _read(station.plans, transaction, payload, loaded)
    if today is not None and _digests(today[0]) == _kept_digests(row):
        return Explanation(today[1]())
    with station.database.read() as connection:
        then = kept_plan(connection, row.plan_digests).plans()
    if then is not None:
        read = _read(then[0], transaction, payload, then[1])
        if read is not None:
            return Explanation(read[1]())
    if today is None:
        return Explanation({}, "It cannot be read with today's plan, and the plan of its day is not kept in whole.")
    return Explanation(today[1](), "The mapping or schema has changed since; this shows where today's would take each field from.")


def _read(plans: Plans, transaction: Transaction, payload: Payload, loaded: LoadedPartner | None) -> tuple[Any, Callable[[], dict[str, Any]]] | None:
    """The transaction read with these plans, and how to ask where it came from; None where they give no document."""
    from gateway.pipeline.plans import spec_of
    from gateway.pipeline.reading.explaining import provenance_of  # heavy: the explaining variants are compiled only here

    assert payload.start is not None
    try:
        terms = Terms(plans.nearest(spec_of(transaction)), loaded, accept_errors=True)
        read = read_transaction(transaction, payload.start, payload.group, plans, terms)
        if read.document is None or read.plan is None or read.plan.mapping is None:
            return None
        return read, lambda: provenance_of(read, plans, loaded)
    except Faults:
        return None


def _digests(read: Any) -> dict[str, str]:
    return {kind: digest for kind, digest in read.plan.digests.items() if kind in {"mapping", "schema"}}


def _kept_digests(row: Document) -> dict[str, str]:
    return {kind: digest for kind, digest in row.plan_digests.items() if kind in {"mapping", "schema"}}
