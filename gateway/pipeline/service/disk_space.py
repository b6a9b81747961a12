"""Space on the disks that we write to. A full disk stops everything at once: it is told while there is time."""

import shutil
from pathlib import Path

from gateway.config import Installation
from gateway.config.alerting import Alerting
from gateway.pipeline.station import Station
from gateway.pipeline.troubles import Standing

EVERY = 30.0
CURE = "Make room, or give the disk more. Payloads and journal are never removed by themselves."
_LEAST = float(Alerting.model_fields["disk_free_percent"].default)


class Disks:
    """Looks at each folder that we write to, by the disk that it lies on."""

    def __init__(self, station: Station, node: str = "") -> None:
        self._station = station
        self._node = f" on {node}" if node else ""
        self._standing: dict[str, Standing] = {}

    def look(self) -> None:
        """What a timer calls."""
        alerting = self._station.installation.settings.alerts
        least = alerting.disk_free_percent if alerting is not None else _LEAST
        seen: set[int] = set()
        for folder in folders(self._station.installation):
            if not folder.is_dir() or folder.stat().st_dev in seen:
                continue
            seen.add(folder.stat().st_dev)
            standing = self._standing.setdefault(str(folder), Standing(self._station, "disk", f"{folder}{self._node}"))
            usage = shutil.disk_usage(folder)
            percent = 100 * usage.free / usage.total if usage.total else 100.0
            if percent < least:
                # in whole gigabytes, so that it is not told anew with every file
                standing.stands(f"less than {least:g} % of its disk is free ({usage.free // 1_000_000_000} GB)", CURE, stopped=True)
            else:
                standing.is_over()


def folders(installation: Installation) -> list[Path]:
    """The folders that we write to; those of partners are watched by who sends to them."""
    named = [installation.data, installation.data / "archive"]
    if installation.settings.erp is not None:
        named.append(installation.path(installation.settings.erp.folder))
    return named
