"""`gateway test` as people call it."""

import json
from pathlib import Path

from tests.cli.conftest import Command
from tests.pipeline.world import x12_order

CONFIG = "us: {name: Seller Co, identifiers: {x12: ZZ:SELLERCO}}\ndata: data\n"
PARTNER = """\
id: acme
name: ACME
identifiers: {x12: "ZZ:ACMEBUYER"}
endpoints: {box: {folder: out, send_to: in}}
agreements: [{receive: x12/004010/850, from: box}]
credit: none
mapping:
  x12/004010/850:
    lines:
      price: {from: 04, divide: 100}
"""


def install(folder: Path) -> Path:
    (folder / "partners").mkdir()
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "partners/acme.yaml").write_text(PARTNER)
    case = folder / "partners/cases/acme/x12/004010/850/cents"
    case.mkdir(parents=True)
    (case / "input.edi").write_bytes(x12_order())
    return case


def test_a_partners_case_is_accepted_and_then_guards_the_mapping(command: Command, tmp_path: Path) -> None:
    case = install(tmp_path)
    said = command("test", "acme")
    assert said.code == 1
    assert "--accept" in said.out
    assert command("test", "acme", "--accept").code == 2, "nobody can answer"
    assert command("test", "acme", "--accept", "--yes").code == 0
    assert json.loads((case / "expected.json").read_text())["lines"][0]["price"] == "0.0925"
    assert command("test", "acme").out == "1 case, all as expected\n"
    (tmp_path / "partners/acme.yaml").write_text(PARTNER.replace("100", "10"))
    said = command("test", "acme")
    assert said.code == 1
    assert "lines[0].price: expected '0.0925', found '0.925' (partners/acme.yaml:10)" in said.out
    told = json.loads(command("test", "acme", "--json").out)
    assert told["case"] == "partners/cases/acme/x12/004010/850/cents"
    assert told["differences"][0]["field"] == "lines[0].price"


def test_an_unknown_partner_is_wrong_usage(command: Command, tmp_path: Path) -> None:
    install(tmp_path)
    said = command("test", "nobody")
    assert said.code == 2
    assert "acme" in said.err
