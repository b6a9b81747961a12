"""`python -m gateway.web --config FILE`: what `gateway run` starts beside the engine. Exit code 4 where the installation or port fails."""

import argparse
import os
import stat
import sys
from pathlib import Path

from gateway.config import ConfigTrouble
from gateway.config import load_installation
from gateway.pipeline.service.logs import set_up_logs
from gateway.pipeline.station import open_station
from gateway.store.database import DatabaseTrouble
from gateway.web.following import Following
from gateway.web.server import serve
from gateway.yaml_source import Faults

INSTALLATION_FAILED = 4


def main() -> int:
    """Serve the pages of one installation."""
    parser = argparse.ArgumentParser(prog="gateway.web", description="Serve the gateway's pages, its API and its AS2 address.")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the installation's config.yaml")
    parser.add_argument("--held", type=Path, metavar="FILE", help="what is in force, as the service wrote it down: it is followed")
    arguments = parser.parse_args()
    set_up_logs()
    try:
        following = Following(arguments.config, arguments.held) if arguments.held is not None else None
        installation = following.installation() if following is not None else load_installation(arguments.config)
        station = open_station(installation)
        try:
            serve(station, following, watch_stdin=_has_parent())
        finally:
            station.close()
    except (ConfigTrouble, Faults, DatabaseTrouble, OSError) as error:
        print(error, file=sys.stderr)
        return INSTALLATION_FAILED
    return 0


def _has_parent() -> bool:
    """Whether standard input is a pipe that a parent holds open; a terminal or a file says nothing about a parent."""
    try:
        return stat.S_ISFIFO(os.fstat(0).st_mode)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
