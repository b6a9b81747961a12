"""The program's own log: one JSON object a line on stderr, with ids and no payload, value or secret."""

import json
import logging
import sys
from datetime import UTC
from datetime import datetime

import structlog


def set_up_logs(level: int = logging.INFO) -> None:
    """Send everything that the program says to stderr as JSON lines."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


class _JsonLines(logging.Formatter):
    """What the libraries below us say, in the same form; their messages may hold anything, also quotes and line ends."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"event": record.getMessage(), "level": record.levelname.lower(), "logger": record.name}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps({**line, "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat()})
