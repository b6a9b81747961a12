"""Commands of the gateway in the crash tests: those that stand in commands.json, each as often as it takes to be done. Run by tests/crash/server.py
in a child process.
"""

import json
import os
import sys
from pathlib import Path

import gateway.cli


def run(folder: Path) -> None:
    """One after the other; one that was done before is not done again."""
    os.chdir(folder)
    # standard output is the fork server's answers
    sys.stdout = sys.stderr
    os.environ["PHRASE"] = "x"
    for number, arguments in enumerate(json.loads((folder / "commands.json").read_text())):
        done = folder / f"done-{number}"
        if done.exists():
            continue
        sys.argv = ["gateway", *arguments]
        try:
            gateway.cli.main()
        except SystemExit as end:
            # 4: killed when it was through, a second one is refused
            if end.code not in {0, 4}:
                raise
        done.touch()
