"""The work of the test with a large interchange: taken in and split, nothing else. Run by tests/crash/server.py."""

from pathlib import Path

from gateway.pipeline.inbound import who_reads
from tests.crash.walk import open_here
from tests.crash.walk import take_in


def split(folder: Path) -> None:
    """Take the file in and do all work."""
    station = open_here(folder)
    take_in(station)
    station.close()


def split_elsewhere(folder: Path) -> None:
    """The same, read by another process from its first byte on."""
    who_reads._is_text = lambda station, transmission: False
    split(folder)
