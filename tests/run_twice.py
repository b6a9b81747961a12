"""Runs pytest; where a few tests fell, each of them once more alone. Those that then held are written down as unstable.

    python -m tests.run_twice REPORT.xml PYTEST-ARGUMENTS...

REPORT.xml is the whole first run's (JUnit's). Beside it lies, only if there was a second try, REPORT.unstable: a line for each test that fell and
then passed, with its first failure. Both are removed at the start, and what fell is kept in a folder of this run alone, so that
nothing of an earlier run counts.

The exit code is the first run's, but for one case: some tests fell (1), at most MOST, and the second run ran exactly those and all of them
passed; then it is 0. A run that was interrupted, used wrongly, found no tests or broke down has no second try, nor has one in which a test of
tests/crash fell.

This module is pytest's plugin too, which writes down what becomes of each test (also of one whose worker died). Why all this, and why it is
no licence: docs/decisions/0073-a-second-try-alone.md.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

import pytest

#: more than these are no accident of the machine
MOST = 9
#: what falls here was lost or doubled by a kill, and a kill that does no harm the second time proves nothing
BY_KILLS = "tests/crash/"
SOME_FELL = 1
#: options of the first run that put tests side by side, each with how many values follow
CROWD = {"-n": 1, "--numprocesses": 1, "--dist": 1, "--no-loadscope-reorder": 0}
#: names the file that the plugin writes
WRITTEN = "GATEWAY_TESTS_WRITTEN"


@dataclass(slots=True)
class Run:
    """What became of a run's tests."""

    code: int
    fell: dict[str, str] = field(default_factory=dict)
    passed: set[str] = field(default_factory=set)


class Writer:
    """Writes a line for each test that fell (at whatever stage), was skipped, or passed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed or report.skipped or report.when == "call":
            crash = getattr(report.longrepr, "reprcrash", None)
            told = str(getattr(crash, "message", report.longrepr) or "").strip()
            line = {"test": report.nodeid, "outcome": report.outcome, "told": told.split("\n")[0]}
            with self._path.open("a") as file:
                file.write(json.dumps(line) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    """The process that hears of all tests writes; a worker of its does not."""
    if WRITTEN in os.environ and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Writer(Path(os.environ[WRITTEN])))


def alone(arguments: list[str]) -> list[str]:
    """The same arguments without what runs tests beside each other."""
    kept = []
    rest = iter(arguments)
    for argument in rest:
        for _ in range(CROWD.get(argument, 0)):
            next(rest, None)
        if argument not in CROWD:
            kept.append(argument)
    return [*kept, "-p", "no:xdist"]


def main(report: Path, arguments: list[str]) -> int:
    unstable = report.with_suffix(".unstable")
    for old in (report, unstable):
        old.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="gateway-tests-") as name:
        folder = Path(name)
        first = _run(folder / "first", [*arguments, f"--junitxml={report}"])
        if first.code != SOME_FELL or not first.fell:
            return first.code
        if len(first.fell) > MOST:
            print(f"{len(first.fell)} tests fell: they are not tried again (at most {MOST} are).", flush=True)
            return first.code
        killed = [test for test in first.fell if test.startswith(BY_KILLS)]
        if killed:
            print("There is no second try where a process was killed:", *killed, sep="\n  ", flush=True)
            return first.code
        print("These fell and are run once more, alone:", *first.fell, sep="\n  ", flush=True)
        second = _run(folder / "second", [*alone(arguments), *_only(folder, first.fell)])
    held = {test: told for test, told in first.fell.items() if test in second.passed and test not in second.fell}
    unstable.write_text("".join(f"{test}: {told}\n" for test, told in held.items()))
    return 0 if second.code == 0 and len(held) == len(first.fell) else first.code


def _only(folder: Path, tests: dict[str, str]) -> list[str]:
    """Arguments that choose these tests: as if pytest itself remembered them as the last that failed."""
    memory = folder / "cache" / "v" / "cache" / "lastfailed"
    memory.parent.mkdir(parents=True)
    memory.write_text(json.dumps(dict.fromkeys(tests, True)))
    return ["-o", f"cache_dir={folder / 'cache'}", "--last-failed", "--last-failed-no-failures=none"]


def _run(written: Path, arguments: list[str]) -> Run:
    command = [sys.executable, "-m", "pytest", "-p", "tests.run_twice", *arguments]
    code = subprocess.run(command, env={**os.environ, WRITTEN: str(written)}, check=False).returncode
    # a process that was killed counts as a shell counts it
    run = Run(code if code >= 0 else 128 - code)
    for line in written.read_text().splitlines() if written.exists() else []:
        said = json.loads(line)
        if said["outcome"] == "failed":
            run.fell.setdefault(said["test"], said["told"])
        elif said["outcome"] == "passed":
            run.passed.add(said["test"])
    return run


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
