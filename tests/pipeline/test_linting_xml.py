"""Paths of XML mappings are put to the XSD: what can never stand there is told at its line, what was not checked by its name."""

from pathlib import Path

import pytest

from gateway.conformance import artefacts
from gateway.pipeline.plans import Plans
from gateway.pipeline.stateless.linting import lint_everything
from gateway.pipeline.stateless.linting_xml import XmlLint
from gateway.user_files import default_resolver
from tests.pipeline.world import World

EURO = """\
id: euro
name: Euro
identifiers: {gln: "5412345000013"}
endpoints:
  box: {folder: boxes/euro/out, send_to: boxes/euro/in}
agreements:
  - {receive: ubl/order, from: box}
  - {send: ubl/invoice, to: box}
credit: none
mapping:
  ubl/order:
    release: cbc:SalesOrderIDs
    lines:
      description: "cac:Item[cbc:Name]/cbc:Nam"
  ubl/invoice:
    elements: {cbc:IDD: number}
"""


def _here(document: str) -> bool:
    return artefacts.schema_path(document, (artefacts.default_folder(),))[0] is not None


@pytest.mark.skipif(not (_here("Order") and _here("Invoice")), reason="UBL schemas: run 'gateway artefacts fetch'")
def test_a_path_that_the_document_does_not_have_is_told_at_its_line(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"euro": EURO})
    faults, _, notes = lint_everything(world.folder / "config.yaml", None)
    assert [(fault.line, fault.column, fault.message) for fault in faults] == [
        (12, 14, "there is no cbc:SalesOrderIDs in Order of ubl/order (did you mean 'cbc:SalesOrderID'?)"),
        (14, 20, "there is no cbc:Nam in cac:Item of ubl/order (did you mean 'cbc:Name'?)"),
        (16, 16, "there is no cbc:IDD in Invoice of ubl/invoice (did you mean 'cbc:ID'?)"),
    ]
    assert notes == []


def test_what_was_not_checked_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefacts, "schema_path", lambda document, folders: (None, "it is not there"))
    lint = XmlLint(Plans(default_resolver()))
    lint.look(["ubl/order", "peppol/invoice"])
    assert lint.faults == []
    assert lint.not_checked == {"ubl/order": "it is not there", "peppol/invoice": "it is not there"}
