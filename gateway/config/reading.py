"""The key `reading` of config.yaml: processes of their own that read large files, while the service's own process writes."""

import os
from pathlib import Path
from typing import Annotated

from gateway.exchange.bounds import Size
from gateway.exchange.bounds import Within
from gateway.exchange.bounds import bytes_of
from gateway.exchange.keys import Keys

#: what a control group of Linux (a container, a service with CPUQuota) may use: microseconds in each period
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
#: more large files than this are seldom on their way at once
_MOST_BY_DEFAULT = 2


class Reading(Keys):
    """Who reads large files."""

    #: processes that read at once; without it one less than there are processors, at most 2; 0: all is read in the service's own process
    processes: Annotated[int, Within(0, 64, "number of processes")] | None = None
    #: smaller files are read where they are written: a process of their own would cost more than it gives
    above: Annotated[str, Size("0kB", "9999GB")] = "1MB"
    #: what such a process may take; a file that needs more is set aside
    memory: Annotated[str, Size("300MB", "9999GB")] = "2GB"

    @property
    def count(self) -> int:
        """How many processes may read."""
        return self.processes if self.processes is not None else min(processors() - 1, _MOST_BY_DEFAULT)

    @property
    def above_bytes(self) -> int:
        return bytes_of(self.above)

    @property
    def memory_bytes(self) -> int:
        return bytes_of(self.memory)


def processors() -> int:
    """Processors that this process may use, at least 1."""
    found = len(os.sched_getaffinity(0))
    try:
        quota, period = _QUOTA.read_text().split()
        found = min(found, round(int(quota) / int(period)))
    except (OSError, ValueError):
        pass  # no such group, or no limit (`max`)
    return max(1, found)
