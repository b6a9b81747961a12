"""What goes wrong, as one plain sentence with what to do, and the exit code that CONTRACT.md gives to it."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.cli.app import say

WRONG_DATA = 1
WRONG_USAGE = 2
UNKNOWN_INPUT = 3
INSTALLATION = 4
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Refused(Exception):
    """A command that cannot do what was asked; carries its exit code."""

    def __init__(self, message: str, code: int = WRONG_DATA) -> None:
        super().__init__(message)
        self.code = code


@contextmanager
def told_plainly() -> Iterator[None]:
    """Failures of data, configuration, database, disk and network without a traceback; our own bugs keep theirs."""
    try:
        yield
    except Refused as error:
        _say(str(error))
        sys.exit(error.code)
    except BrokenPipeError:
        # whoever read our output has seen enough
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        _say(sentence)
        sys.exit(INSTALLATION)


def _say(sentence: str) -> None:
    say(sentence, err=True)


def _sentence(error: Exception) -> str | None:
    """The sentence for failures of the installation and the outside world; None for our own."""
    from gateway.config import ConfigTrouble
    from gateway.yaml_source import Faults

    if isinstance(error, Faults | ConfigTrouble):
        return str(error)
    if isinstance(error, OSError) and error.errno in FULL and not error.filename:
        return f"A disk is full ({error.strerror}): df -h shows which one. Make room, then do the same again; nothing was kept by halves"
    if isinstance(error, OSError):
        return f"{error.filename or 'The system'}: {error.strerror or error}"
    # store and transport are imported only by commands that use them; then their errors are known by name
    if type(error).__name__ in {"DatabaseTrouble", "TransportError", "ArtefactError", "ArchiveMissing", "TimeoutError"}:
        return str(error)
    return None
