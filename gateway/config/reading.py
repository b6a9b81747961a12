"""The key `reading` of config.yaml: processes of their own that read large files, while the service's own process writes."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from gateway.exchange.bounds import Size
from gateway.exchange.bounds import Within
from gateway.exchange.bounds import bytes_of
from gateway.exchange.keys import Keys

#: control groups of Linux (a container, a service with CPUQuota): where they are, and which one is ours
_GROUPS = Path("/sys/fs/cgroup")
_OURS = Path("/proc/self/cgroup")
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
    return max(1, min([len(os.sched_getaffinity(0)), *_quotas()]))


def _quotas() -> Iterator[int]:
    """What our control group and those around it may use: microseconds in each period."""
    try:
        ours = next(line.partition("::")[2] for line in _OURS.read_text().splitlines() if line.startswith("0::"))
    except (OSError, StopIteration):
        ours = "/"
    group = _GROUPS / ours.strip("/")
    for folder in (group, *group.parents):
        try:
            quota, period = (folder / "cpu.max").read_text().split()
            yield round(int(quota) / int(period))
        except (OSError, ValueError):
            continue  # no such group, or no limit (`max`)
