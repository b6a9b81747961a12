"""A process that has everything imported and forks a child for each walk, so that a kill costs a tenth of a second and not a second.

One JSON object a line in: {"work": "walk" | ..., "folder": ..., "crash": "32:5" | "", "record": a file or "", "place": ...}; one out: {"status": the
child's exit code or minus its signal}. The child reads GATEWAY_CRASH_AT as any gateway process does.
"""

import faulthandler
import importlib
import json
import os
import sys
import tempfile
import traceback
from pathlib import Path

from gateway.pipeline.service.logs import set_up_logs
from gateway.store import crash
from tests.crash import among_others
from tests.crash import as2
from tests.crash import batch
from tests.crash import changing
from tests.crash import commands
from tests.crash import dying
from tests.crash import large
from tests.crash import links
from tests.crash import mailbox
from tests.crash import own_folders
from tests.crash import record
from tests.crash import redelivering
from tests.crash import undoing
from tests.crash import walk
from tests.crash.house import build
from tests.crash.house import order_files

#: a child that is not done then shows where it hangs, and ends
SECONDS = 300

WORK = {
    "cluster": among_others.serve,
    "permit": among_others.use_a_connection,
    "walk": walk.walk,
    "large": large.split,
    "large elsewhere": large.split_elsewhere,
    "changes": walk.changes,
    "changing": changing.walk,
    "batch": batch.walk,
    "as2": as2.answer,
    "as2 hear": as2.hear,
    "as2 both ways": as2.answer_and_hear,
    "as2 take": as2.take,
    "as2 together": as2.together,
    "redelivering": redelivering.walk,
    "mailbox": mailbox.fetch,
    "push": links.push,
    "mail": links.mail,
    "tell": links.tell,
    "alert": links.alert,
    "own folders": own_folders.walk,
    "undoing": undoing.walk,
    "commands": commands.run,
    "dying at a file": dying.read,
    "dying at an order": dying.decide,
}


def main() -> None:
    # the program's log goes to standard error: standard output is our answers
    set_up_logs()
    _warm_up()
    for line in sys.stdin:
        wanted = json.loads(line)
        child = os.fork()
        if child == 0:
            _serve(wanted)
        _, status = os.waitpid(child, 0)
        print(json.dumps({"status": os.waitstatus_to_exitcode(status)}), flush=True)


def _warm_up() -> None:
    """One walk of its own, so that a child finds everything imported and compiled."""
    with tempfile.TemporaryDirectory(prefix="gateway-crash-") as name:
        folder = Path(name) / "installation"
        build(folder, f"sqlite:///{name}/gateway.db")
        order_files(folder)
        walk.walk(folder)


def _serve(wanted: dict[str, str]) -> None:
    code = 1
    try:
        os.environ["GATEWAY_CRASH_AT"] = wanted["crash"]
        importlib.reload(crash)
        if wanted["record"]:
            record.commits(Path(wanted["record"]), wanted["place"])
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        WORK[wanted["work"]](Path(wanted["folder"]))
        code = 0
    except BaseException:  # noqa: BLE001  the child must end here whatever happened
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
