"""Every marked command of README and docs is run, and prints what the page says."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import Command
from tests.docs.pages import Session
from tests.docs.pages import pages
from tests.docs.pages import sessions

ALL = [session for page in pages() for session in sessions(page)]


@pytest.mark.parametrize("session", ALL, ids=[session.name for session in ALL])
def test_the_commands_of_a_page_do_what_it_says(session: Session, tmp_path: Path) -> None:
    folder = tmp_path / "session"
    if session.start is not None:
        shutil.copytree(session.start, folder)
    else:
        folder.mkdir()
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "200"}
    for step in session.steps:
        if isinstance(step, tuple):
            file = folder / step[0]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(step[1])
            continue
        done = subprocess.run(
            ["bash", "-c", step.text], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600
        )
        where = f"{session.page.name}, block after line {step.line}: {step.text}"
        assert done.returncode == step.exit, f"{where}\nends with {done.returncode}, the page says {step.exit}\n{done.stdout}"
        assert step.matches(done.stdout), f"{where}\nprints\n{done.stdout}\nthe page says\n{step.printed}"


def test_printed_lines_are_compared_loosely() -> None:
    command = Command("x", "a ... c\n...\nend\n", 0, 1)
    assert command.matches("a b c\n1\n2\nend\n")
    assert command.matches("a b c\nend\n")
    assert not command.matches("a b\nend\n")
    assert not command.matches("a b c\nend\nmore\n")


def test_there_are_sessions() -> None:
    assert {session.page.name for session in ALL} >= {"README.md", "partners.md", "feeding.md", "backup.md", "monitoring.md", "canonical.md"}
