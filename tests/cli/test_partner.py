"""`gateway partner`: from a template or from a file that the partner sent, to a file that lint finds nothing in."""

from pathlib import Path

import pytest
import yaml

from gateway.config import default_resolver
from gateway.exchange.partner_template import known_templates
from tests.cli.conftest import Command
from tests.pipeline.world import x12_order

US = 'us: {name: Seller Co, identifiers: {x12: "ZZ:SELLERCO", edifact: "ZZZ:SELLERCO", gln: "4012345500004"}}\ndata: data\n'
IDENTITIES = {"x12": "ZZ:NEW", "edifact": "14:5412345000013", "ubl": "0088:5412345000013"}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(US)
    return tmp_path


@pytest.mark.parametrize("template", known_templates(default_resolver()), ids=lambda template: template.name)
def test_every_template_makes_a_short_file_without_faults(template, house: Path, command: Command) -> None:
    said = command("partner", "new", "new-one", "--from", template.name, "--identity", IDENTITIES[template.syntax])
    assert said.code == 0, said.err
    text = (house / "partners/new-one.yaml").read_text()
    assert len(text.splitlines()) <= 20 and "$" not in text
    assert yaml.safe_load(text)["name"] == "New One"
    assert command("lint", "partners/new-one.yaml").code == 0
    assert (house / "boxes/new-one/out").is_dir() and (house / "boxes/new-one/in").is_dir()


def test_a_file_of_theirs_says_who_sends_what(house: Path, command: Command) -> None:
    (house / "po.edi").write_bytes(x12_order("PO1"))
    assert command("partner", "new", "acme", "--from", "po.edi").code == 0
    made = yaml.safe_load((house / "partners/acme.yaml").read_text())
    assert made["identifiers"] == {"x12": "ZZ:ACMEBUYER"}
    assert made["agreements"][0] == {"receive": "x12/004010/850", "from": "box", "acknowledge": "997"}
    said = command("read", "po.edi", "--partner", "acme")
    assert said.code == 0 and '"number":"PO1"' in said.out


def test_a_version_is_taken_over_and_005010_is_answered_by_999(house: Path, command: Command) -> None:
    assert command("partner", "new", "acme", "--from", "x12-850", "--version", "005010").code == 0
    made = yaml.safe_load((house / "partners/acme.yaml").read_text())
    assert made["agreements"][0] == {"receive": "x12/005010/850", "from": "box", "acknowledge": "999"}


def test_what_is_there_is_never_overwritten(house: Path, command: Command) -> None:
    assert command("partner", "new", "acme", "--from", "x12-850").code == 0
    before = (house / "partners/acme.yaml").read_text()
    said = command("partner", "new", "acme", "--from", "edifact-orders")
    assert said.code == 1 and "is there already" in said.err
    assert (house / "partners/acme.yaml").read_text() == before


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("acme", "--from", "x12-851"), 2, "x12-850"),
        (("acme", "--from", "ubl-order"), 2, "--identity"),
        (("Acme Corp", "--from", "x12-850"), 1, "is no id"),
        (("../acme", "--from", "x12-850"), 1, "is no id"),
        (("acme", "--from", "x12-850", "--identity", "ACME"), 1, "qualifier:id"),
        (("acme", "--from", "note.txt"), 1, "No order was found"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(house: Path, command: Command, arguments: tuple[str, ...], code: int, words: str) -> None:
    (house / "note.txt").write_text("hello")
    said = command("partner", "new", *arguments)
    assert said.code == code and words in said.err
    assert not (house / "partners").exists()


def test_an_identity_belongs_to_one_partner(house: Path, command: Command) -> None:
    assert command("partner", "new", "acme", "--from", "x12-850").code == 0
    said = command("partner", "new", "other", "--from", "x12-850", "--identity", "ZZ:ACME")
    assert said.code == 1 and "identifies acme as well" in said.err
    assert not (house / "partners/other.yaml").exists()


def test_a_sample_to_somebody_else_is_told(tmp_path: Path, command: Command) -> None:
    (tmp_path / "config.yaml").write_text('us: {name: Other Co, identifiers: {x12: "ZZ:OTHER"}}\ndata: data\n')
    (tmp_path / "po.edi").write_bytes(x12_order("PO1"))
    said = command("partner", "new", "acme", "--from", "po.edi")
    assert said.code == 0 and "addressed to ZZ:SELLERCO" in said.out


def test_without_an_installation_the_way_is_shown(command: Command) -> None:
    said = command("partner", "new", "acme", "--from", "x12-850")
    assert said.code == 4 and "config.yaml" in said.err and "identifiers" in said.err


def test_own_templates_win_and_are_no_partners(house: Path, command: Command) -> None:
    folder = house / "partners/templates"
    folder.mkdir(parents=True)
    (folder / "x12-850.yaml").write_text("# Ours. version: 005010\nid: $id\nname: $name\nidentifiers: {$identifiers}\ncredit: none\n")
    assert command("partner", "new", "acme", "--from", "x12-850").code == 0
    assert "credit: none" in (house / "partners/acme.yaml").read_text()
    assert command("partner", "list").out == "acme: Acme; takes nothing; sends nothing\n"
    assert command("lint", "partners/acme.yaml").code == 0


def test_a_template_that_asks_for_too_much_is_told(house: Path, command: Command) -> None:
    folder = house / "partners/templates"
    folder.mkdir(parents=True)
    (folder / "odd.yaml").write_text("# Odd\nid: $id\nname: $nam\n")
    said = command("partner", "new", "acme", "--from", "odd", "--identity", "ZZ:A")
    assert said.code in {1, 2} and not (house / "partners/acme.yaml").exists()


@pytest.mark.parametrize(
    ("agreement", "said"),
    [
        (
            "receive: x12/004020/850",
            "an agreement names x12/004020/850, but there is no schema of that version; the nearest is x12/004010/850: "
            "write schemas/x12/004020/850.yaml with `schema: x12/004020/850` and `extends: x12/004010/850`",
        ),
        ("receive: x12/004010/885", "an agreement names x12/004010/885, but there is no schema of it (did you mean 'x12/004010/865'?)"),
        ("send: x12/004010/832", "an agreement names x12/004010/832, but there is no mapping that writes it, nor another version of it"),
    ],
)
def test_lint_says_what_an_agreement_lacks(agreement: str, said: str, house: Path, command: Command) -> None:
    assert command("partner", "new", "acme", "--from", "x12-850").code == 0
    file = house / "partners/acme.yaml"
    endpoint = "from" if agreement.startswith("receive") else "to"
    file.write_text(file.read_text().replace("agreements:\n", f"agreements:\n  - {{{agreement}, {endpoint}: box}}\n"))
    told = command("lint", "partners/acme.yaml")
    assert told.code != 0
    assert said in " ".join((told.out + told.err).split())


def test_a_version_of_ones_own_takes_one_file(house: Path, command: Command) -> None:
    assert command("partner", "new", "acme", "--from", "x12-850", "--identity", "ZZ:ACMEBUYER").code == 0
    file = house / "partners/acme.yaml"
    file.write_text(file.read_text().replace("x12/004010/", "x12/004020/"))
    assert command("lint", "partners/acme.yaml").code != 0
    folder = house / "schemas/x12/004020"
    folder.mkdir(parents=True)
    for kind in ("850", "855", "856", "810", "820", "860", "865", "997"):
        (folder / f"{kind}.yaml").write_text(f"schema: x12/004020/{kind}\nextends: x12/004010/{kind}\n")
    said = command("lint", "partners/acme.yaml")
    assert said.code == 0, said.out
    (house / "po.edi").write_bytes(x12_order("PO1").replace(b"*004010~", b"*004020~"))
    said = command("read", "po.edi", "--partner", "acme")
    assert said.code == 0 and '"number":"PO1"' in said.out and "NEAREST" not in said.err


BOX = "endpoints:\n  box: {folder: boxes/out, send_to: boxes/in}\nagreements:\n  - {receive: x12/004010/850, from: box}\ncredit: none\n"


def lint(command: Command, house: Path, more: str, head: str = 'id: acme\nname: ACME\nidentifiers: {x12: "ZZ:ACME"}\n', rest: str = BOX):
    (house / "partners").mkdir(exist_ok=True)
    (house / "partners/acme.yaml").write_text(head + rest + more)
    return command("lint", "partners/acme.yaml")


def test_a_difference_that_no_agreement_asks_for_is_named(house: Path, command: Command) -> None:
    said = lint(command, house, "mapping:\n  x12/004010/851:\n    lines: {price.divide: 100}\n")
    assert said.code == 1 and "exchanges 'x12/004010/851'" in said.out and "did you mean 'x12/004010/850'" in said.out


def test_a_partner_may_leave_an_element_out_that_the_base_mapping_reads(house: Path, command: Command) -> None:
    assert lint(command, house, "schema:\n  x12/004010/850:\n    elements: {BEG/04: unused}\n").code == 0
    (house / "po.edi").write_bytes(x12_order("PO1").replace(b"ACMEBUYER      ", b"ACME           "))
    assert command("read", "po.edi", "--partner", "acme").code == 0
    said = lint(command, house, "schema:\n  x12/004010/850:\n    elements: {BEG/04: unused}\nmapping:\n  x12/004010/850:\n    type: BEG/04\n")
    assert said.code == 1 and "unused" in said.out


def test_sending_into_the_folder_that_we_take_from_is_a_fault(house: Path, command: Command) -> None:
    said = lint(command, house, "", rest=BOX.replace("boxes/in", "boxes/out"))
    assert said.code == 1 and "the folder that we take from" in said.out


@pytest.mark.parametrize("identity", ["ZZ:ACMEINTERNATIONALBUYERS", "ZZZ:ACME", "ZZ:"])
def test_an_identity_that_does_not_fit_into_the_envelope_is_a_fault(house: Path, command: Command, identity: str) -> None:
    said = lint(command, house, "", head=f'id: acme\nname: ACME\nidentifiers: {{x12: "{identity}"}}\n')
    assert said.code == 1 and "does not fit into ISA06 and ISA08" in said.out
