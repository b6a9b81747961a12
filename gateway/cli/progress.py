"""Progress of long work: a bar on a terminal's stderr, nothing anywhere else."""

import sys
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: bytes from which on a file is worth a bar
LARGE = 8 << 20


def with_progress(file: Path, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks as they are, with a bar of bytes read where somebody watches and the file is large."""
    if not sys.stderr.isatty() or str(file) == "-" or not file.is_file() or file.stat().st_size < LARGE:
        return chunks
    return _counted(file, chunks)


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """A function that is told (done, of how many), with a bar where somebody watches."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn
    from rich.progress import MofNCompleteColumn
    from rich.progress import Progress
    from rich.progress import TextColumn
    from rich.progress import TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _counted(file: Path, chunks: Iterator[bytes]) -> Iterator[bytes]:
    from rich.console import Console
    from rich.progress import BarColumn
    from rich.progress import DownloadColumn
    from rich.progress import Progress
    from rich.progress import TextColumn
    from rich.progress import TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(file.name, total=file.stat().st_size)
        for chunk in chunks:
            yield chunk
            progress.advance(task, len(chunk))
