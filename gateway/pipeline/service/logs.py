"""The program's own log: one JSON object a line on stderr, with ids and no payload, value or secret.

An exception is told by its type and where it went through. Its words only where they are ours or the operating system's: others' words may
hold what was in the document.
"""

import contextlib
import json
import logging
import sys
import traceback
from datetime import UTC
from datetime import datetime
from typing import TextIO
from typing import cast

import structlog
from structlog.typing import EventDict
from structlog.typing import WrappedLogger

#: causes of causes that are told
_DEEPEST = 5


def set_up_logs(level: int = logging.INFO) -> None:
    """Send everything that the program says to stderr as JSON lines."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exceptions_without_values,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=cast(TextIO, _StandardError())),
        # a service logs for long; what a command keeps quiet about stays no longer than the command, where both run in one process
        cache_logger_on_first_use=level == logging.INFO,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


class _StandardError:
    """Standard error as it is at the moment: loggers are kept for good, and whoever catches what we say may have put another file there.

    Where nobody listens any more (closed, or a broken pipe) there is nowhere to tell it, and no thread may end by it: hearts, pollers and
    senders log from their handlers of errors.
    """

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            return sys.stderr.write(text)
        return 0

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()


def told(error: BaseException) -> str:
    """An exception and its causes: types, places, and words that are known to hold no value."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(parts) < _DEEPEST:
        frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(seen.__traceback__)]
        name = type(seen).__name__
        words = f"{name}: {seen}" if _may_be_told(seen) else name
        parts.append("\n".join([words, *(f"  {frame}" for frame in reversed(frames))]))
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "\ncaused by ".join(parts)


def _may_be_told(error: BaseException) -> bool:
    return type(error).__module__.startswith("gateway.") or isinstance(error, OSError)


def _exceptions_without_values(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    info = event.pop("exc_info", None)
    error = info if isinstance(info, BaseException) else info[1] if isinstance(info, tuple) else sys.exc_info()[1] if info else None
    if error is not None:
        event["exception"] = told(error)
    return event


class _JsonLines(logging.Formatter):
    """What the libraries below us say, in the same form; their messages may hold anything, also quotes and line ends."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"event": record.getMessage(), "level": record.levelname.lower(), "logger": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = told(record.exc_info[1])
        return json.dumps({**line, "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat()})
