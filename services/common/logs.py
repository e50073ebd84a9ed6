"""Readable logs. The call id stands only in the field `call`; no caller's words, ever."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class FieldFormatter(logging.Formatter):
    """`12:30:01 INFO ready partitions=16`: fields given by `extra=` follow as key=value."""

    def format(self, record: logging.LogRecord) -> str:
        """One line a record."""
        message = record.getMessage()
        if record.name == "asyncio":
            # The lines below name the task with its exception, whose text may hold words of a call.
            message = message.partition("\n")[0]
        line = f"{self.formatTime(record, '%H:%M:%S')} {record.levelname:<7} {message}"
        fields = [f"{k}={v}" for k, v in vars(record).items() if k not in STANDARD]
        if fields:
            line = f"{line} {' '.join(fields)}"
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return line

    def formatException(self, ei: Any) -> str:
        """Where it happened and what kind it was. Not its text: that may hold words of a call."""
        kind, _, trace = ei
        return f"{''.join(traceback.format_tb(trace))}{kind.__name__ if kind else ''}"


def set_up_logs(level: str) -> None:
    """Log to standard error in our form; libraries only from warning up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FieldFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("banxi").setLevel(level)


def get_logger(service: str) -> logging.Logger:
    """The logger of a service."""
    return logging.getLogger(f"banxi.{service}")
