"""Lint looks at a partner's file as a whole: tables that none of its mappings asks."""

from pathlib import Path

from gateway.exchange.partner import load_partner
from gateway.pipeline.plans import Plans
from gateway.pipeline.stateless.linting import agreement_faults
from gateway.user_files import FolderResolver
from tests.docs.pages import ROOT
from tests.pipeline.world import ACME
from tests.pipeline.world import World


def test_a_table_that_no_mapping_of_the_partner_asks_is_told(tmp_path: Path) -> None:
    World(tmp_path, partners={"acme": ACME + "tables:\n  reference_type: {ZZ: promotion}\n  refrence_type: {YY: promotion}\n"})
    resolver = FolderResolver(({"partners": tmp_path / "partners"}, {"mappings": ROOT / "mappings", "schemas": ROOT / "schemas"}))
    [fault] = agreement_faults(Plans(resolver), [load_partner("partners/acme.yaml", resolver)])
    assert fault.message == "no mapping of this partner asks the table 'refrence_type' (did you mean 'reference_type'?)"
    assert (fault.line, fault.column) == (len(ACME.splitlines()) + 3, 3)
    assert fault.file.endswith("partners/acme.yaml")
