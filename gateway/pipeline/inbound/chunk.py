"""A chunk with the rows that it belongs to."""

from dataclasses import dataclass

from gateway.exchange.partner import Agreement
from gateway.exchange.partner import LoadedPartner
from gateway.pipeline.plans import ReadingPlan
from gateway.pipeline.reading.chunk import Chunk
from gateway.pipeline.reading.chunk import Used
from gateway.pipeline.reading.drafts import Draft
from gateway.pipeline.station import Station
from gateway.store.incoming.interchanges import Interchange
from gateway.store.incoming.transmissions import Transmission


class OtherPlans(Exception):
    """A chunk was read by other plans than those in force here."""


@dataclass(frozen=True, slots=True)
class Part:
    """A chunk with the rows that it belongs to, and with the installation that it was read for."""

    interchange: Interchange
    transmission: Transmission
    chunk: Chunk
    station: Station

    def partner_of(self, draft: Draft) -> LoadedPartner | None:
        """Who sent a transaction."""
        return self.station.installation.directory.partners.get(draft.partner) if draft.partner is not None else None

    def agreement_of(self, draft: Draft) -> Agreement | None:
        """Under which agreement a transaction came that is rejected."""
        loaded = self.partner_of(draft)
        return loaded.partner.agreements[draft.agreement] if loaded is not None and draft.agreement is not None else None

    def plans(self) -> list[ReadingPlan]:
        """The plans of the chunk, by their number; OtherPlans where ours are not the same."""
        return [_plan_of(self.station, used) for used in self.chunk.plans]


def _plan_of(station: Station, used: Used) -> ReadingPlan:
    """Ours of the same name and partner, which must be made of the same files."""
    digest = used.digests.get("partner")
    partner = None
    if digest is not None:
        partner = next((one for one in station.installation.directory.partners.values() if one.digest == digest), None)
        if partner is None:
            raise OtherPlans(used.spec)
    plan = station.plans.reading(used.spec, partner)
    if plan.digests != used.digests:
        raise OtherPlans(used.spec)
    return plan
