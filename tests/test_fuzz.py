"""A short run of each fuzz target, from good seeds: what a long run finds becomes a test of its room."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.codecs.strategies import FILES

ROOT = Path(__file__).parent.parent
TARGETS = sorted(path.stem for path in (ROOT / "fuzz").glob("*.py") if "atheris.Fuzz()" in path.read_text())
#: seconds for each; docs/fuzzing.md tells of longer runs
SECONDS = os.environ.get("GATEWAY_FUZZ_SECONDS")
#: where no time is given so many tries, the same on every machine: a quick one must not find by chance what another does not come to
RUNS = {"edifact": 1000, "values": 150, "x12": 2000, "xml": 20_000, "yaml_source": 10_000}

pytestmark = pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed (it has no wheel for this Python)")


def seeds_for(target: str, folder: Path) -> None:
    """Files to begin with."""
    if target == "yaml_source":
        texts = [path.read_bytes()[:4000] for path in sorted((ROOT / "mappings").rglob("*.yaml"))[:20]]
    elif target == "xml":
        texts = [
            b"<?xml version='1.0'?><Order xmlns='urn:oasis:names:specification:ubl:schema:xsd:Order-2'><a b='c'>d</a></Order>",
            b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>",
        ]
    else:
        texts = [text.encode("latin-1") for text in FILES.values()]
    for number, text in enumerate(texts):
        (folder / f"{number}").write_bytes(text)


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_unforeseen_comes_out_of_a_short_run(target: str, tmp_path: Path) -> None:
    seeds_for(target, tmp_path)
    command = [sys.executable, "-m", f"fuzz.{target}", str(tmp_path), f"-max_total_time={SECONDS}" if SECONDS else f"-runs={RUNS[target]}"]
    command += ["-max_len=4096", "-timeout=120", "-seed=1"]
    command += [f"-artifact_prefix={tmp_path}/found-", "-rss_limit_mb=2048"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
    # through a shell that stays: a process counts the memory that its parent had when it was started, and the fuzzer looks at that
    command = ["sh", "-c", '"$@"; exit $?', "sh", *command]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, errors="replace", timeout=float(SECONDS or 0) + 800, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "DONE" in done.stderr or "Done" in done.stderr, done.stderr[-1000:]


def test_every_target_is_run() -> None:
    assert TARGETS == ["edifact", "values", "x12", "xml", "yaml_source"] == sorted(RUNS)
