"""`--log-format json`: what a server says on standard error, a JSON object a line.

Must not know what happens. Invariants: every line is one object with `time`, `level` and `message`; known secrets, and
arguments and results of calls, are in none.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from rtfs.host.redaction import redact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.host.audit.events import Event

LEFT_OUT = ("arguments", "result")
"""Attributes of events that are not logged."""
_logger = logging.getLogger("rtfs.log")


class JsonLines(logging.Formatter):
    """A record as a line of JSON; its attribute `fields`, a mapping, adds to it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        found: dict[str, Any] = {"time": moment, "level": record.levelname.lower()}
        found["message"] = redact(record.getMessage())
        if record.name != _logger.name:
            found["logger"] = record.name
        for name, value in getattr(record, "fields", {}).items():
            found[name] = redact(value) if isinstance(value, str) else value
        if record.exc_info:
            found["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(found, ensure_ascii=False)


def begin() -> None:
    """From now on whatever is logged in this process is written as JSON: warnings of libraries, and all of ours."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.getLogger().addHandler(handler)
    _logger.setLevel(logging.INFO)


def say(message: str) -> None:
    """Log something that the operator should know."""
    _logger.info("%s", message)


def warn(message: str, span: Any = None) -> None:
    """Log a warning. span: the place that it is about, or None."""
    _logger.warning("%s", message, extra={} if span is None else {"fields": {"place": str(span)}})


def hear(event: Event) -> None:
    """Log an event of a run or of the session pool."""
    fields = {name: value for name, value in event.to_data().items() if name not in LEFT_OUT}
    words = " ".join(part for part in (event.kind, event.subject, event.detail) if part)
    _logger.info("%s", words, extra={"fields": fields})
