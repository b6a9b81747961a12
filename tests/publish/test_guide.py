"""The implementation guide: every template's partner gets one, its samples are taken by our own commands, and it says what is agreed."""

import html
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gateway.config import default_resolver
from gateway.exchange.partner_template import known_templates
from tests.cli.conftest import Command
from tests.cli.conftest import command

__all__ = ["command"]

US = """us:
  name: Seller <Co>
  identifiers: {x12: "ZZ:SELLERCO", edifact: "ZZZ:SELLERCO", gln: "4012345500004", vat: DE123456789, peppol: "0088:4012345500004"}
  address: {lines: [1 Mill Lane], city: Bonn, postal_code: "53113", country: DE}
data: data
"""
IDENTITIES = {"x12": "ZZ:NEW", "edifact": "14:5412345000013", "ubl": "0088:5412345000013"}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(US)
    return tmp_path


def partner(command: Command, house: Path, template: str = "x12-850", more: str = "") -> str:
    """The guide of a partner made from a template, with differences appended."""
    syntax = {"peppol": "ubl"}.get(template.split("-")[0], template.split("-")[0])
    said = command("partner", "new", "new", "--from", template, "--identity", IDENTITIES[syntax])
    assert said.code == 0, said.err
    file = house / "partners/new.yaml"
    file.write_text(file.read_text() + more)
    said = command("guide", "new", "--out", "guide.html")
    assert said.code == 0, said.err
    return (house / "guide.html").read_text()


def samples(page: str) -> list[str]:
    """The sample files of a guide, as somebody copies them out of the page."""
    return [html.unescape(text) for text in re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL)]


class Outside(HTMLParser):
    """Everything that a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.found += [f"{tag} {value}" for name, value in attrs if name in {"src", "href"} and value and not value.startswith("#")]


@pytest.mark.parametrize("template", known_templates(default_resolver()), ids=lambda template: template.name)
def test_every_sample_is_taken_by_our_own_reader(template, house: Path, command: Command) -> None:
    page = partner(command, house, template.name)
    shown = samples(page)
    assert len(shown) == page.count("<h3>Sample</h3>") >= 4, "a document has no sample"
    for number, text in enumerate(shown):
        name = f"sample-{number}.{'xml' if text.startswith('<') else 'edi'}"
        (house / name).write_text(text)
        said = command("check", name)
        assert said.code == 0, said.out


MORE = """  - {receive: x12/004010/860, from: box}
  - {send: x12/004010/865, to: box}
  - {receive: x12/004010/820, from: box}
  - {receive: x12/006020/850, from: box}
  - {receive: csv/orders, from: box}
"""


def test_changes_payments_other_versions_and_rows_have_samples_too(house: Path, command: Command) -> None:
    partner(command, house)
    file = house / "partners/new.yaml"
    file.write_text(file.read_text().replace("agreements:\n", f"agreements:\n{MORE}"))
    said = command("guide", "new", "--out", "guide.html")
    assert said.code == 0, said.err
    page = (house / "guide.html").read_text()
    shown = samples(page)
    assert len(shown) == page.count("<h3>Sample</h3>") == 9, re.findall(r"<h3>Sample</h3>\s*<p>[^<]*", page)
    for number, text in enumerate(shown):
        rows = not text.startswith("ISA")
        (house / f"sample-{number}").write_text(text)
        said = command("check", f"sample-{number}", "--as", "csv/orders") if rows else command("check", f"sample-{number}")
        assert said.code == 0, said.out


def test_the_page_needs_nothing_from_outside_and_runs_no_script(house: Path, command: Command) -> None:
    outside = Outside()
    outside.feed(partner(command, house))
    assert outside.found == [] and "script" not in outside.tags and "@import" not in (house / "guide.html").read_text()


def test_names_and_notes_are_text_and_never_markup(house: Path, command: Command) -> None:
    page = partner(command, house, more='schema:\n  x12/004010/850:\n    notes:\n      BEG: "<b>Ask us</b>"\n')
    assert "Seller &lt;Co&gt;" in page and "&lt;b&gt;Ask us&lt;/b&gt;" in page and "<b>" not in page


def test_what_a_partner_tightens_is_in_its_guide_and_stamp(house: Path, command: Command) -> None:
    before = partner(command, house)
    tight = "schema:\n  x12/004010/850:\n    segments: {CUR: M 1}\n    codes: {BEG/01: ['00', '05']}\n"
    (house / "partners/new.yaml").write_text((house / "partners/new.yaml").read_text() + tight)
    assert command("guide", "new", "--out", "guide.html").code == 0
    after = (house / "guide.html").read_text()
    [row] = re.findall(r"<td class=\"mono\">BEG-01</td>.*", after)
    assert re.findall(r"<code>(\w+)</code>", row) == ["00", "05"]
    assert re.search(r"CUR</span> Currency <span class=\"loop\"><span class=\"must\">must", after)
    stamps = [re.search(r"Version <strong[^>]*>(\w{12})<", page) for page in (before, after)]
    assert stamps[0] and stamps[1] and stamps[0][1] != stamps[1][1]


def test_the_same_files_make_the_same_stamp(house: Path, command: Command) -> None:
    first = partner(command, house)
    assert command("guide", "new", "--out", "again.html").code == 0
    assert re.findall(r"<strong class=\"mono\">\w+", first) == re.findall(r"<strong class=\"mono\">\w+", (house / "again.html").read_text())


def test_a_partner_that_sends_cents_is_shown_cents(house: Path, command: Command) -> None:
    page = partner(command, house, more="mapping:\n  x12/004010/850:\n    lines:\n      price.divide: 100\n")
    order = samples(page)[0]
    assert "PO1*1*12*EA*850*" in order
    assert re.search(r"lines\[0\]\.price</td><td>8\.5", page)


def test_a_sample_that_cannot_be_is_not_shown_and_the_reason_is(house: Path, command: Command) -> None:
    page = partner(command, house, more="schema:\n  x12/004010/850:\n    segments: {TD5: M 1}\n")
    assert "TD5" in re.findall(r"The sample of the standard is not valid[^<]*", page)[0]


def test_no_path_or_key_of_ours_is_told(house: Path, command: Command) -> None:
    (house / "keys").mkdir()
    (house / "keys/acme").write_text("PRIVATE")
    page = partner(command, house)
    file = house / "partners/new.yaml"
    endpoint = "  box: {sftp: 'sftp://host.example:22/out', user: seller, key: 'file:keys/acme', host_keys: ['SHA256:abc'], send_to: /in}"
    file.write_text(re.sub(r"  box: .*", endpoint, file.read_text()))
    assert command("guide", "new", "--out", "guide.html").code == 0
    page = (house / "guide.html").read_text()
    assert "host.example" in page
    assert not any(word in page for word in ("keys/acme", "PRIVATE", str(house), "seller,"))


def test_an_unknown_partner_is_told(house: Path, command: Command) -> None:
    said = command("guide", "nobody", "--out", "x.html")
    assert said.code == 2 and "There is no partner 'nobody'" in said.err
