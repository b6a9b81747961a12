"""The wheel works outside the checkout: built, installed into an empty environment, its commands run from another folder, with the mappings and
schemas that it carries. No network: the dependencies are reached through the environment that runs the tests."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
from tests.pipeline.world import x12_order

ROOT = Path(__file__).parent.parent
pytest.importorskip("build", reason="the wheel is built with `build` (dev extra)")
pytest.importorskip("hatchling", reason="the wheel is built without isolation, with hatchling from the dev extra")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(ROOT)]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr[-2000:] + made.stdout[-2000:]
    [file] = target.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that holds the wheel; what it depends on comes from ours, our checkout does not."""
    folder = tmp_path_factory.mktemp("empty") / "venv"
    venv.create(folder, with_pip=False)
    site = next(folder.glob("lib/python*/site-packages"))
    borrowed = tmp_path_factory.mktemp("borrowed")
    for path in Path(sysconfig.get_paths()["purelib"]).iterdir():
        # an editable install of this checkout is a .pth file or a finder: left out
        if path.suffix != ".pth" and not path.name.startswith(("order_gateway", "__editable__", "_order_gateway")):
            (borrowed / path.name).symlink_to(path)
    (site / "dependencies.pth").write_text(f"{borrowed}\n")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(folder / "bin/python"),
            "install",
            "--no-deps",
            "--no-index",
            "--quiet",
            "--disable-pip-version-check",
            str(wheel),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def run(installed: Path, elsewhere: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV", "VIRTUAL"))}
    return subprocess.run([str(installed / "gateway"), *arguments], cwd=elsewhere, capture_output=True, text=True, timeout=600, env=clean)


def test_the_wheel_carries_mappings_schemas_and_pages(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("mappings", "schemas"):
        ours = {f"gateway/defaults/{path.relative_to(ROOT)}" for path in (ROOT / folder).rglob("*.yaml")}
        assert ours <= names, sorted(ours - names)[:5]
    carried = {path for path in names if path.startswith("gateway/")}
    lost = {str(path.relative_to(ROOT)) for path in (ROOT / "gateway").rglob("*") if path.is_file() and "__pycache__" not in path.parts} - carried
    assert not {name for name in lost if not name.startswith("gateway/defaults/")}, sorted(lost)[:5]
    assert not [name for name in names if name.startswith(("tests/", "corpus/", "data/")) or "__pycache__" in name]


def test_the_code_that_runs_is_the_installed_one(installed: Path, tmp_path: Path) -> None:
    told = subprocess.run(
        [str(installed / "python"), "-c", "import gateway; print(gateway.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert str(installed.parent) in told.stdout, told.stdout + told.stderr


def test_check_and_read_find_their_plans_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "po.edi").write_bytes(x12_order())
    checked = run(installed, tmp_path, "check", "--json", "po.edi")
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout)["outcome"] == "accepted"
    read = run(installed, tmp_path, "read", "--explain", "po.edi")
    assert read.returncode == 0, read.stderr
    order = json.loads(read.stdout)
    assert order["number"] == "PO1"
    assert order["provenance"]["number"][0]["mapping"].startswith("mappings/x12/004010/850.yaml:")


def test_lint_and_schema_run(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "partners").mkdir()
    (tmp_path / "partners/acme.yaml").write_text(ACME)
    linted = run(installed, tmp_path, "lint")
    assert linted.returncode == 0, linted.stdout + linted.stderr
    schema = run(installed, tmp_path, "schema", "order")
    assert schema.returncode == 0, schema.stderr
    assert "$defs" in json.loads(schema.stdout)


def test_a_file_is_taken_in_by_the_installed_gateway(installed: Path, tmp_path: Path) -> None:
    """The database's migrations come along too."""
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "partners").mkdir()
    (tmp_path / "partners/acme.yaml").write_text(ACME)
    (tmp_path / "po.edi").write_bytes(x12_order())
    taken = run(installed, tmp_path, "receive", "po.edi", "--partner", "acme")
    assert taken.returncode == 0, taken.stdout + taken.stderr
    assert "order PO1: accepted" in taken.stdout
    assert len(list((tmp_path / "boxes/acme/in").iterdir())) == 2
