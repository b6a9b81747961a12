"""A second try is had by few tests, once, and proves something only when exactly they passed."""

from pathlib import Path

import pytest

from tests import run_twice
from tests.run_twice import Run
from tests.run_twice import alone
from tests.what_was_left_out import unstable

FELL = {"tests/a.py::one": "assert 1 == 2", "tests/a.py::two": "worker 'gw0' crashed"}


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (Run(0), None, 0),
        (Run(1, FELL), Run(0, {}, set(FELL)), 0),
        (Run(1, FELL), Run(1, {"tests/a.py::one": "again"}, {"tests/a.py::two"}), 1),
        (Run(1, FELL), Run(0, {}, {"tests/a.py::one"}), 1),  # the other was skipped, or not found
        (Run(1, FELL), Run(5), 1),
        (Run(1, FELL), Run(1, {"tests/a.py::one": "while cleaning up"}, set(FELL)), 1),
        (Run(1, {str(number): "x" for number in range(10)}), None, 1),
        (Run(1, {**FELL, "tests/crash/test_storm.py::short": "855 twice for PO7"}), None, 1),
        (Run(1), None, 1),  # a module that cannot be read, a worker that never came up
        (Run(2, FELL), None, 2),
        (Run(3, FELL), None, 3),
        (Run(4), None, 4),
        (Run(5), None, 5),
        (Run(137, FELL), None, 137),
    ],
)
def test_the_exit_code_is_the_first_runs_unless_all_that_fell_pass_alone(
    first: Run, second: Run | None, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = iter([first, second] if second else [first])
    monkeypatch.setattr(run_twice, "_run", lambda written, arguments: next(runs))
    assert run_twice.main(tmp_path / "tests.xml", []) == code
    assert list(runs) == [], "a second try was had where there is one"


def test_nothing_of_an_earlier_run_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = tmp_path / "tests.xml"
    report.write_text("old")
    report.with_suffix(".unstable").write_text("old: fell\n")
    monkeypatch.setattr(run_twice, "_run", lambda written, arguments: Run(1))
    assert run_twice.main(report, []) == 1
    assert not report.exists()
    assert unstable(report) == []


def test_options_of_the_crowd_are_left_out_alone() -> None:
    assert alone(["-n", "4", "--dist", "loadfile", "--no-loadscope-reorder", "-m", "not storm"]) == ["-m", "not storm", "-p", "no:xdist"]


def test_a_test_that_falls_once_is_run_once_more_and_named(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "from pathlib import Path\n"
        "BEEN = Path(__file__).with_name('been')\n"
        "def test_good(): pass\n"
        "def test_once():\n    been = BEEN.exists()\n    BEEN.touch()\n    assert been\n"
    )
    report = tmp_path / "tests.xml"
    arguments = ["-q", "-p", "no:cov", "-p", "no:xdist", "-c", "/dev/null", f"--rootdir={tmp_path}", str(tmp_path)]
    assert run_twice.main(report, arguments) == 0
    assert [line.split(": ")[0] for line in unstable(report)] == ["test_it.py::test_once"]
    assert 'failures="1"' in report.read_text(), "the whole run's report stays as it was"
