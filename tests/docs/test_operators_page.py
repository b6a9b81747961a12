"""The operator's pages name every kind of alert that the program can tell, and no other."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import typer

import gateway.cli
from gateway.cli.app import app
from gateway.pipeline.alerts.kinds import ALERT_KINDS
from gateway.web.metric_names import METRICS
from tests.docs.pages import ROOT
from tests.docs.pages import anchors
from tests.docs.pages import keys_of_table
from tests.docs.pages import links

OPERATIONS = ROOT / "docs/operations.md"
ALERTS = ROOT / "docs/operations/alerts.md"
METRICS_PAGE = ROOT / "docs/operations/monitoring.md"


def kinds_in_code() -> Iterator[tuple[str, str]]:
    """Every kind of a Standing, a Trouble or a Signal that is written out, with its module."""
    for path in (ROOT / "gateway").rglob("*.py"):
        tree = ast.parse(path.read_text())
        named = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
            if name not in {"Standing", "Trouble", "Signal"}:
                continue
            written = [one.value for one in node.keywords if one.arg == "kind"] + node.args[1:2]
            written = [part for one in written for part in ((one.body, one.orelse) if isinstance(one, ast.IfExp) else (one,))]
            words = [one.value if isinstance(one, ast.Constant) else named.get(one.id) if isinstance(one, ast.Name) else None for one in written]
            yield from ((word, path.name) for word in words if isinstance(word, str))


def commands(group: Any, before: str = "gateway") -> Iterator[str]:
    """All commands of the command line, as they are typed."""
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from commands(one, f"{before} {name}")
        else:
            yield f"{before} {name}"


def test_the_page_lists_every_command_and_no_other() -> None:
    for module in pkgutil.iter_modules(gateway.cli.__path__):
        importlib.import_module(f"gateway.cli.{module.name}")
    there = set(commands(typer.main.get_command(app)))
    table = [line.split("|")[1] for line in OPERATIONS.read_text().splitlines() if line.startswith("| `gateway ")]
    listed = {name for cell in table for name in re.findall(r"`(gateway [a-z -]+)`", cell)}
    assert listed == there


def test_every_kind_in_code_is_in_the_table() -> None:
    found = dict(kinds_in_code())
    assert len(found) > 10
    unknown = {kind: file for kind, file in found.items() if kind not in ALERT_KINDS}
    assert not unknown, f"add these to pipeline/alerts/kinds.py and to the table in docs/operations/alerts.md: {unknown}"


def test_every_kind_is_told_somewhere() -> None:
    assert set(ALERT_KINDS) == {kind for kind, _ in kinds_in_code()}


def test_the_page_says_what_each_alert_means_and_what_to_do() -> None:
    assert set(keys_of_table(ALERTS, "ALERT_KINDS")) == set(ALERT_KINDS)
    text = ALERTS.read_text()
    for meaning in ALERT_KINDS.values():
        assert meaning.partition(":")[0] in text, meaning


def test_the_page_lists_every_metric_with_its_labels() -> None:
    assert set(keys_of_table(METRICS_PAGE, "METRICS")) == set(METRICS)
    text = METRICS_PAGE.read_text()
    for name, (help, labels) in METRICS.items():
        shown = ", ".join(f"`{label}`" for label in labels)
        assert f"| `{name}` | {help[0].lower()}{help[1:]} | {shown} |".replace("|  |", "|  |") in text, name


def test_the_meaning_of_an_alert_is_two_clicks_from_the_index() -> None:
    index, hub = ROOT / "docs/index.md", ROOT / "docs/operations.md"
    wanted = "operations/alerts.md#what-each-alert-means"
    assert wanted in links(index) and wanted in links(hub)
    assert "what-each-alert-means" in anchors(ALERTS)


def test_every_page_for_operators_is_named_by_the_first_one() -> None:
    named = {link.partition("#")[0] for link in links(ROOT / "docs/operations.md")}
    assert {f"operations/{page.name}" for page in (ROOT / "docs/operations").glob("*.md")} <= named
