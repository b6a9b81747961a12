"""What the pages say is what the program has: fields, keys, commands, links."""

import importlib
import pkgutil
import re
from functools import partial
from pathlib import Path

import pydantic
import pytest
import typer
import yaml

import gateway.cli
from gateway.cli.app import app as commands
from gateway.config import alerting
from gateway.config import archiving
from gateway.config import cluster
from gateway.config import mail
from gateway.config import settings as config
from gateway.config import webhooks
from gateway.exchange import endpoint_as2
from gateway.exchange import partner
from gateway.exchange import retention
from gateway.exchange import timing
from gateway.exchange.checked import checked
from gateway.exchange.partner import load_partner
from gateway.schema import rows
from gateway.schema import trees
from gateway.store.trading import masterdata
from gateway.trade import shipment
from gateway.yaml_source import Mapping
from gateway.yaml_source import Scalar
from gateway.yaml_source import parse
from tests.docs import canonical_page
from tests.docs.pages import ROOT
from tests.docs.pages import anchors
from tests.docs.pages import blocks
from tests.docs.pages import keys_of_table
from tests.docs.pages import links
from tests.docs.pages import pages

DOCS = ROOT / "docs"
NAMED = partial(pytest.mark.parametrize, "page", pages(), ids=[str(page.relative_to(ROOT)) for page in pages()])
#: pages that this folder answers for; the others have tests of their own
OWN = [page for page in pages() if page.name not in {"mapping.md", "rules.md", "schemas.md", "errors.md"}]


def test_canonical_page_has_every_field_with_its_type() -> None:
    page = canonical_page.PAGE.read_text()
    assert page == canonical_page.written_anew(page), "run python -m tests.docs.canonical_page and say what the new fields mean"


def test_canonical_page_has_every_struct() -> None:
    assert set(re.findall(r"<!-- struct: (\w+) -->", canonical_page.PAGE.read_text())) == set(canonical_page.structs())


def test_canonical_page_says_what_every_field_means() -> None:
    said = canonical_page.meanings(canonical_page.PAGE.read_text())
    assert [where for where, meaning in said.items() if meaning.strip() in {"", "?"}] == []


def keys(model: type[pydantic.BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


@pytest.mark.parametrize(
    "model",
    [
        partner.Partner,
        partner.Identifiers,
        partner.Endpoint,
        endpoint_as2.OurKey,
        endpoint_as2.TheirCertificate,
        partner.Agreement,
        partner.Credit,
        partner.Terms,
        timing.Expectation,
        timing.Batch,
        timing.ControlNumbers,
        timing.Numbering,
        timing.NumberChecks,
    ],
)
def test_partners_page_has_every_key(model: type[pydantic.BaseModel]) -> None:
    assert keys_of_table(DOCS / "partners.md", model.__name__) == keys(model)


def operators_page(name: str) -> Path:
    """The one page that has a table of these keys."""
    [page] = [page for page in (DOCS / "operations").glob("*.md") if f"<!-- keys: {name} -->" in page.read_text()]
    return page


@pytest.mark.parametrize(
    "model",
    [
        config.Settings,
        alerting.AlertHook,
        alerting.Alerting,
        alerting.Mute,
        archiving.Archive,
        retention.Retention,
        cluster.Cluster,
        config.Us,
        config.OurAddress,
        config.Web,
        config.Erp,
        config.Invoices,
        config.Inbox,
        mail.Mail,
        webhooks.Webhook,
    ],
)
def test_operations_page_has_every_key(model: type[pydantic.BaseModel]) -> None:
    assert keys_of_table(operators_page(model.__name__), model.__name__) == keys(model)


@pytest.mark.parametrize("kind", ["items", "item_references", "places", "prices", "stock"])
def test_operations_page_has_every_column_of_master_data(kind: str) -> None:
    columns = set(masterdata._IMPORTS[kind][0].__struct_fields__) - {"at"}
    assert keys_of_table(DOCS / "operations/feeding.md", kind) == columns


def test_the_page_on_files_has_every_key() -> None:
    assert keys_of_table(DOCS / "files.md", "Rows") == set(rows.KEYS)
    assert keys_of_table(DOCS / "files.md", "Json") == set(trees.JSON_KEYS)
    assert keys_of_table(DOCS / "files.md", "Xml") == set(trees.XML_KEYS)


def test_operations_page_has_every_column_of_shipments() -> None:
    columns = {"shipment", *shipment.Shipment.__struct_fields__, *shipment.ShipmentRow.__struct_fields__} - {"rows", "number", "source_line"}
    assert keys_of_table(DOCS / "operations/feeding.md", "shipments") == columns


#: what agreements on a page lean on
ENDPOINTS = "endpoints: {mailbox: {folder: a, send_to: b}, box: {folder: b, send_to: c}, station: {as2: 'http://as2.example/as2', name: THEM}}\n"


class OnePage:
    """A resolver that knows one text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def text_of(self, name: str) -> tuple[str, str] | None:
        return name, self._text

    def names(self, prefix: str) -> list[str]:
        return []


@pytest.mark.parametrize("page", OWN, ids=[str(page.relative_to(ROOT)) for page in OWN])
def test_yaml_of_the_pages_loads(page: Path) -> None:
    for line, text in blocks(page, "yaml"):
        node = parse(text, f"{page.name}:{line}")
        assert isinstance(node, Mapping), f"{page.name}:{line}"
        if isinstance(node.get("schema"), Scalar) or "document" in node:
            # a description or a mapping: the session on the page lints it
            continue
        if "id" in node:
            load_partner(f"{page.name}:{line}", OnePage(text))
        elif "us" in node or "data" in node:
            checked(node, config.Settings)
        elif "identifiers" in node:
            load_partner(f"{page.name}:{line}", OnePage(f"id: x\nname: X\n{text}"))
        else:
            load_partner(f"{page.name}:{line}", OnePage(f"id: x\nname: X\nidentifiers: {{}}\n{'' if 'endpoints' in node else ENDPOINTS}{text}"))


@NAMED()
def test_links_lead_somewhere(page: Path) -> None:
    for target in links(page):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{page.name} links {target}"
        if anchor:
            assert anchor in anchors(there), f"{page.name} links {target}: there is no such heading"


def test_every_page_is_in_the_index() -> None:
    linked = {(DOCS / target.partition("#")[0]).resolve() for target in links(DOCS / "index.md")}
    assert {page for page in pages() if page.parent == DOCS and page.name != "index.md"} <= linked
    listed = {(DOCS / "decisions" / Path(target).name) for target in links(DOCS / "index.md") if "decisions/" in target}
    assert set((DOCS / "decisions").glob("*.md")) == listed


def names_of(group: object, prefix: str = "gateway") -> list[str]:
    found = []
    for name, command in getattr(group, "commands", {}).items():
        found += names_of(command, f"{prefix} {name}") or [f"{prefix} {name}"]
    return found


def test_every_command_is_in_the_docs() -> None:
    for room in pkgutil.iter_modules(gateway.cli.__path__):
        importlib.import_module(f"gateway.cli.{room.name}")  # commands are registered by decorator
    text = "\n".join(page.read_text() for page in OWN)
    names = names_of(typer.main.get_command(commands))
    assert "gateway hold release" in names
    assert [name for name in names if name not in text] == []


def test_decisions_are_numbered_once() -> None:
    numbers = [path.name[:4] for path in (DOCS / "decisions").glob("*.md")]
    assert len(numbers) == len(set(numbers))
    assert all(number.isdigit() for number in numbers)


def test_no_exclamation_marks() -> None:
    for page in OWN:
        prose = re.sub(r"`[^`]*`", "", re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE))
        assert not re.search(r"\w!(?!\[)", prose), page.name


def test_pre_commit_names_the_commands_of_the_makefile() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    entries = [hook["entry"] for repo in hooks["repos"] for hook in repo["hooks"] if "entry" in hook]
    assert any("ruff check" in entry for entry in entries)
    assert any("mypy" in entry for entry in entries)
