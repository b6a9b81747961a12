"""Every code of a problem is raised somewhere, documented, and shown by a test; the page of codes is what the program does."""

import ast
import inspect
import re
from functools import cache
from pathlib import Path

import pytest

from gateway.kinds import FAMILIES
from gateway.kinds import KINDS
from gateway.kinds import RETIRED
from gateway.publish import errors_page

ROOT = Path(__file__).parent.parent


@cache
def constants() -> dict[str, str]:
    """`family.NAME` of each kind -> its code."""
    return {
        f"{family.__name__.rpartition('.')[2]}.{name}": kind.code
        for family in FAMILIES
        for name, kind in vars(family).items()
        if kind in KINDS.values() and not name.startswith("_")
    }


def used(path: Path) -> set[str]:
    """`family.NAME` of each kind that a module refers to, and codes that stand in it as text."""
    tree = ast.parse(path.read_text())
    modules: dict[str, set[str]] = {}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "gateway.kinds":
            modules |= {alias.asname or alias.name: {alias.name} for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gateway.kinds."):
            found |= {f"{str(node.module).rpartition('.')[2]}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        # `kinds = x12 if ... else edifact`, also as `self.kinds`: either family may be meant
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.IfExp):
            either = {name for one in (node.value.body, node.value.orelse) if isinstance(one, ast.Name) for name in modules.get(one.id, ())}
            if either:
                modules |= {_last_name(target): either for target in node.targets}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _last_name(node.value) in modules:
            found |= {f"{family}.{node.attr}" for family in modules[_last_name(node.value)]}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in KINDS:
            found.add(node.value)
    return found


def _last_name(node: ast.AST) -> str:
    """`kinds` of `kinds` and of `self.kinds`."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


@pytest.fixture(scope="module")
def raised() -> set[str]:
    return {name for path in (ROOT / "gateway").rglob("*.py") if "kinds" not in path.parts and path.name != "errors_page.py" for name in used(path)}


@pytest.mark.parametrize("name", sorted(constants()))
def test_every_kind_is_raised_somewhere(name: str, raised: set[str]) -> None:
    code = constants()[name]
    assert name in raised or code in raised, f"nothing in gateway/ raises {code} (gateway/kinds: {name}): retire it or raise it"


def test_every_kind_says_what_it_means_and_what_to_do() -> None:
    for kind in KINDS.values():
        assert re.fullmatch(r"[A-Z0-9]+(-[A-Z0-9]+)+", kind.code), kind.code
        assert kind.title and not kind.title.endswith("."), kind.code
        assert kind.cure.endswith("."), kind.code
        assert "!" not in kind.title + kind.cure, kind.code


def test_a_retired_code_is_never_given_another_meaning() -> None:
    assert not set(RETIRED) & set(KINDS)


def test_every_family_is_in_the_table() -> None:
    files = {path.stem for path in (ROOT / "gateway/kinds").glob("*.py")} - {"__init__"}
    assert files == {family.__name__.rpartition(".")[2] for family in FAMILIES}


def test_the_page_of_codes_is_current() -> None:
    assert (ROOT / "docs/errors.md").read_text() == errors_page.page(), "run python -m gateway.publish.errors_page"


def test_every_answer_of_a_kind_has_a_word_on_the_page() -> None:
    from gateway.problem import Kind

    answers = set(inspect.signature(Kind).parameters) - {"code", "title", "cure", "severity", "error_class"}
    assert answers == set(errors_page.ANSWERS)


def test_the_page_is_written_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["errors_page", str(tmp_path / "errors.md")])
    errors_page.main()
    assert (tmp_path / "errors.md").read_text() == errors_page.page()
