"""Plans as they were in force: kept once with the first document that used them, put together again from those texts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy import event

from gateway.exchange.partner import LoadedPartner
from gateway.exchange.partner import load_partner
from gateway.pipeline.plans import Kept
from gateway.pipeline.plans import Plans
from gateway.pipeline.plans import kept
from gateway.pipeline.station import Station
from gateway.rules.plan import RulePlan
from gateway.store.records import plans as plan_store
from gateway.yaml_source import Faults


@dataclass(frozen=True, slots=True)
class ArchivedTexts:
    """The YAML files of an archived plan, found by name like those of a folder."""

    texts: tuple[tuple[str, str], ...]

    def text_of(self, name: str) -> tuple[str, str] | None:
        return next((found for found in self.texts if found[0] == name), None)

    def names(self, prefix: str) -> list[str]:
        return sorted(name for name, _ in self.texts if name.startswith(prefix))


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """The texts of a document's plan, and the partner's file where it had one."""

    texts: tuple[tuple[str, str], ...]
    partner_file: str

    def plans(self) -> tuple[Plans, LoadedPartner | None] | None:
        """Ready to read with; None where the partner's file of that time is none today."""
        resolver = ArchivedTexts(self.texts)
        try:
            return Plans(resolver), load_partner(self.partner_file, resolver) if self.partner_file else None
        except Faults:
            return None


def kept_plan(connection: Connection, digests: Mapping[str, str]) -> KeptPlan:
    """The texts behind a document's `plan_digests`, from the archive."""
    texts: list[tuple[str, str]] = []
    partner_file = ""
    for kind in ("mapping", "schema", "partner"):
        plan = plan_store.get(connection, digests[kind]) if kind in digests else None
        if plan is None:
            continue
        if kind == "partner":
            partner_file = plan.name
            texts.append((plan.name, plan.content))
        else:
            texts += parts_of(plan.content)
    return KeptPlan(tuple(dict(texts).items()), partner_file)


def parts_of(content: str) -> list[tuple[str, str]]:
    """The texts of a plan, under their names (pipeline.plans.kept)."""
    return [(name, text) for name, text in json.loads(content)]


def keep(station: Station, connection: Connection, part: Kept) -> None:
    """Archive a part of an effective plan, once: it counts as archived when this transaction is committed."""
    if part.digest not in station.kept_plans:
        plan_store.keep(connection, part.digest, part.kind, part.name, part.content)
        event.listen(connection, "commit", lambda _: station.kept_plans.add(part.digest), once=True)


def keep_rules(station: Station, connection: Connection, plan: RulePlan) -> None:
    """Archive the rules that something was judged by, once."""
    if plan.digest not in station.kept_plans:
        keep(station, connection, kept("rules", plan.digest, plan.sources))
