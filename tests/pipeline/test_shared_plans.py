"""Partners that read and write a type in the same way share its plan, however many they are; each keeps what its own file says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.pipeline.plans import Plans
from gateway.pipeline.stateless.linting import agreement_faults
from gateway.schema import compile as schema_compile
from tests.pipeline.world import ACME
from tests.pipeline.world import World

SPEC = "x12/004010/850"


def like_acme(id: str, more: str = "") -> str:
    own = (
        ACME.replace("id: acme", f"id: {id}")
        .replace("ACMEBUYER", id.upper())
        .replace(', gln: "1234567890128"', "")
        .replace("boxes/acme", f"boxes/{id}")
    )
    return own + more


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    partners = {
        "acme": ACME,
        "beta": like_acme("beta"),
        "gamma": like_acme("gamma", f"mapping:\n  {SPEC}:\n    tables: {{reference_type: {{ZZ: promotion}}}}\n"),
        "delta": like_acme("delta", "values: {season: summer}\n"),
        "epsilon": like_acme("epsilon", "tables: {reference_type: {ZZ: promotion}}\n"),
    }
    made = World(tmp_path, partners=partners)
    yield made
    made.close()


def test_partners_without_differences_share_what_was_compiled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    real = schema_compile.compile_schema
    monkeypatch.setattr(schema_compile, "compile_schema", lambda plan, **more: compiled.append(plan.spec) or real(plan, **more))
    plans = Plans(world.station.installation.resolver)
    partners = world.station.installation.directory.partners
    assert agreement_faults(plans, partners.values()) == []
    assert compiled.count(SPEC) == 1
    read = {id: plans.reading(SPEC, partner) for id, partner in partners.items()}
    assert read["acme"].mapping is read["beta"].mapping and read["acme"].schema is read["gamma"].schema
    assert len({id(read[name].mapping) for name in ("acme", "gamma", "epsilon", "delta")}) == 4
    assert read["acme"].parts[-1].content == ACME and read["beta"].digests["partner"] == partners["beta"].digest
    written = {id: plans.writing("x12/004010/855", partner) for id, partner in partners.items()}
    assert written["acme"].mapping is written["beta"].mapping is written["gamma"].mapping
    assert written["epsilon"].mapping is not written["acme"].mapping
    # a change of one file of ours makes anew what is made of it, and nothing else
    renewed = plans.renewed(plans.resolver, {"schemas/x12/004010/855.yaml"}, {partner.digest for partner in partners.values()})
    assert renewed.reading(SPEC, partners["beta"]).mapping is read["acme"].mapping
    assert renewed.writing("x12/004010/855", partners["beta"]).mapping is not written["acme"].mapping
