"""Every base mapping fits every version that it is used for, its own and those that have none."""

import pytest

from gateway.config import default_resolver
from gateway.mapping.files import file_for
from gateway.mapping.files import known_specs as mapping_specs
from gateway.pipeline.plans import Plans
from gateway.schema.load import known_specs as schema_specs

RESOLVER = default_resolver()
PLANS = Plans(RESOLVER)
KINDS = {direction: {spec.rpartition("/")[2] for spec in mapping_specs(RESOLVER, direction)} for direction in ("read", "write")}
USED = [
    (direction, spec)
    for direction in ("read", "write")
    for spec in schema_specs(RESOLVER)
    if spec.startswith(("x12/", "edifact/")) and spec.rpartition("/")[2] in KINDS[direction] and "/service/" not in spec
]


@pytest.mark.parametrize(("direction", "spec"), USED)
def test_a_mapping_fits_every_version_that_it_is_used_for(direction: str, spec: str) -> None:
    plan = PLANS.reading(spec) if direction == "read" else PLANS.writing(spec)
    assert plan.mapping is not None and plan.schema is not None


@pytest.mark.parametrize(
    ("direction", "spec", "file"),
    [
        ("read", "x12/003060/820", "x12/004010/820.yaml"),
        ("read", "x12/004030/820", "x12/004010/820.yaml"),
        ("read", "x12/007030/850", "x12/005010/850.yaml"),
        ("write", "x12/003060/856", "x12/004010/856.yaml"),
        ("write", "x12/006020/855", "x12/005010/855.yaml"),
        ("write", "x12/006020/850", "x12/005010/850-write.yaml"),
    ],
)
def test_a_version_without_a_mapping_has_that_of_the_nearest(direction: str, spec: str, file: str) -> None:
    assert file_for(spec, direction, RESOLVER) == f"mappings/{file}"


def test_a_version_without_a_schema_has_no_mapping() -> None:
    assert file_for("x12/004020/850", "read", RESOLVER) is None
    assert file_for("x12/004010/832", "read", RESOLVER) is None
