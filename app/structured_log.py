"""What the public demo tells its operator: one JSON object per line on stderr.

A line holds a time, a level, an event and a few counts and short names, never an
address, a title, an upload or a cookie. What many may cause is counted and told once a
minute, so that an attack does not fill the log.
"""

import collections
import json
import logging
import sys
import threading
import time
from pathlib import Path

from engine.executors.demo import is_demo

ROOT = Path(__file__).resolve().parents[1]
INTERVAL = 60.0  # seconds between two summaries
LINES = 5  # of one kind, between two summaries
LENGTH = 200  # characters of a text
_lock = threading.Lock()
_counts = collections.Counter[tuple[str, str]]()
_lines = collections.Counter[str]()


def log(event: str, level: str = "info", **fields: str | int | float | bool) -> None:
    """Write one line; nothing outside the demo.

    Args:
        event: What happened, in snake case.
        level: info, warning or error.
        fields: Names and numbers; at most the first 8 characters of a workspace's name.
    """
    if not is_demo():
        return
    told = {k: v[:LENGTH] if isinstance(v, str) else v for k, v in fields.items()}
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    line = {"time": now, "level": level, "event": event, **told}
    # All escaped to ASCII, so a text cannot begin a line of its own.
    sys.stderr.write(json.dumps(line) + "\n")


def count(event: str, reason: str) -> None:
    """Count what happened; the next summary tells it.

    Args:
        event: What happened, such as "refused".
        reason: Why, one of a few words that the code knows.
    """
    with _lock:
        _counts[event, reason] += 1


def write_summary() -> None:
    """Tell what was counted since the last summary."""
    with _lock:
        counted = dict(_counts)
        _counts.clear()
        _lines.clear()
    for (event, reason), number in sorted(counted.items()):
        log(event, "warning", reason=reason, count=number)


class JsonHandler(logging.Handler):
    """Writes the lines of libraries; what they fill into a text is left out.

    It may be an address or what a visitor typed.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, unless there were many like it."""
        text = str(record.msg)
        with _lock:
            _lines[text] += 1
            is_one_of_many = _lines[text] > LINES
        if is_one_of_many:
            count("not_logged", record.name)
            return
        fields = {"logger": record.name, "text": text.partition("\n")[0]}
        if record.exc_info and record.exc_info[1] is not None:
            fields |= describe_error(record.exc_info[1])
        level = "error" if record.levelno >= logging.ERROR else "warning"
        log("library", level, **fields)


def describe_error(error: BaseException) -> dict[str, str]:
    """Return an error's type and where in our own code it arose.

    Its message is left out: it may hold what a visitor typed.
    """
    where, trace = "", error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.is_relative_to(ROOT) and "site-packages" not in path.parts:
            where = f"{path.relative_to(ROOT)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return {"error": type(error).__name__, "where": where}


def take_over_libraries() -> None:
    """Let libraries log through here; nothing changes outside the demo.

    Repeat it: a library gets its own handlers back with its next module.
    """
    if not is_demo():
        return
    handler = JsonHandler(logging.WARNING)
    known = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]
    for logger in (logging.root, *known):
        # One that hands nothing on and has no handler prints its lines as they are.
        if logger.handlers or not logger.propagate or logger is logging.root:
            logger.handlers = [handler]
