"""The command. Every failure is one plain sentence on stderr; heavy rooms are imported by the command that needs them.

Exit codes: 0 done and clean, 1 errors found in the data, 2 wrong usage, 3 an input is nothing that we know, 4 the installation
or the outside world failed.
"""

import gc
import sys

from gateway.cli.app import app
from gateway.cli.failures import told_plainly


def main() -> None:
    """Entry point of `gateway`."""
    # what is loaded now stays until the end: nothing to collect
    gc.disable()
    import gateway.cli.alerting
    import gateway.cli.answering
    import gateway.cli.backing_up
    import gateway.cli.demonstrating
    import gateway.cli.documents
    import gateway.cli.hooking
    import gateway.cli.operating
    import gateway.cli.partner
    import gateway.cli.retaining
    import gateway.cli.sending
    import gateway.cli.setting_up
    import gateway.cli.storing
    import gateway.cli.testing
    import gateway.cli.trading
    import gateway.cli.watching  # noqa: F401  the modules register their commands by decorator

    # documents live as long as their batch and hardly ever stand in circles: a collection every 700 new values costs a fifth of all
    # work (benchmarks/run.py) and finds nothing
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()
    with told_plainly():
        app(prog_name="gateway")
    sys.exit(0)
