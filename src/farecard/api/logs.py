"""Logs: one JSON object a line. No body, no key; a card number anywhere is masked to its last four digits."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from traceback import format_tb
from typing import Any

from farecard.wire.answer import Answer

_CARD = re.compile(r"\b(JW|[CFS])\d{11}(\d{4})")  # also in the number of a case, form or slip
_SECRET = re.compile(r"(f[cms]_)[\w-]{8,}")
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "color_message",
    "taskName",
}


def masked(text: str) -> str:
    """A text without a full card number and without a key."""
    return _SECRET.sub(r"\1...", _CARD.sub(r"\1...\2", text))


class JsonLines(logging.Formatter):
    """A record as a JSON object: at, level, logger, message, and whatever it was logged with."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        said: dict[str, Any] = {
            "at": at,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        said |= {name: value for name, value in vars(record).items() if name not in _OWN}
        if record.exc_info and record.exc_info[0] is not None:
            # an error's own words stay out: they may quote what somebody sent
            said["error"] = record.exc_info[0].__name__
            said["where"] = "".join(format_tb(record.exc_info[2]))
        return masked(json.dumps(said, ensure_ascii=False, default=str))


def configure(level: str) -> None:
    """Log to standard error, everything of farecard's and warnings of others."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("farecard").setLevel(level.upper())


def tell_decided(log: logging.Logger, sender: str, answers: list[Answer]) -> None:
    """A line a decision, where the log is as talkative as that: whose command, its id, what came of it and by which rule."""
    for one in answers:
        rule = one.reasons[0].rule if one.reasons else None
        said = {"sender": sender, "id": one.id, "outcome": one.outcome, "rule": rule}
        log.debug("decided", extra=said)
