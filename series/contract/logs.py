"""What a program complains about in its log: warnings, errors, deprecations, tracebacks.

A line complains when the level that it names says so. Words that only look like a level count for
nothing: `/errors` in an access log, `0 errors`, `error_log=-`.
"""

from __future__ import annotations

import json
import re

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

# From the request on, an access log shows what the client sent: whatever it likes.
# https://httpd.apache.org/docs/2.4/logs.html#common
_REQUEST = re.compile(r"[\"'](?:[A-Z]+ )?\S* HTTP/\d")

_BAD = r"WARN|WARNING|ERR|ERROR|SEVERE|CRIT|CRITICAL|ALERT|EMERG|EMERGENCY|FATAL|PANIC"
_GOOD = r"TRACE|DEBUG|INFO|NOTICE|LOG|OK"
_LEVEL = re.compile(
    # The word in upper case, standing alone: Python's logging, PostgreSQL, Java.
    rf"(?<![\w/.=?&%+-])(?P<upper>{_BAD}|{_GOOD})(?![\w/=-]|\.\w)"
    # In brackets, perhaps filled up with blanks: nginx, Apache, structlog.
    rf"|\[(?:\w+:)?(?i:(?P<bracket>{_BAD}|{_GOOD}))\s*\]"
    # As a field: logfmt, and JSON that something else has cut or framed.
    rf"|(?:(?<![\w-])(?:level|lvl|severity)=\"?|\"(?:level|lvl|levelname|severity)\"\s*:\s*\")"
    rf"(?i:(?P<field>{_BAD}|{_GOOD}))\b"
    # Between tabulators: zap.
    rf"|\t(?i:(?P<column>{_BAD}|{_GOOD}))\t"
    # At the beginning of the line, with a colon: command line programs.
    rf"|^\s*(?i:(?P<first>{_BAD}|{_GOOD}))(?=:)"
)
# "Log level: WARNING" tells which level is shown, and is none itself.
_NAMES_A_LEVEL = re.compile(r"level\W*(?:is|to|set to)?\W*$", re.IGNORECASE)

_PLAIN = re.compile(
    r"Traceback \(most recent call last\)"
    # https://docs.python.org/3/library/warnings.html#warnings.formatwarning
    r"|\b[A-Z]\w*Warning:"
    # The last line of a traceback, or an exception that was printed.
    r"|^(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Exit)(?::|$)"
    r"|^Exception (?:in|ignored)\b|^Fatal Python error:|^Segmentation fault"
    r"|^panic: |^thread '.*' panicked at"
    r"|\b(?i:is|are|was|been) deprecated\b|^DEPRECATION:"
    # https://github.com/kubernetes/klog
    r"|^[WEF]\d{4} \d\d:\d\d:\d\d"
)
_JSON_LEVELS = ("level", "levelname", "severity", "lvl", "log.level", "loglevel")

# https://github.com/pinojs/pino/blob/main/docs/api.md#loggerlevels-object
_FIRST_BAD_NUMBER = 40


def complaints(log: str) -> list[str]:
    """The lines of a log that complain.

    Args:
        log: what a program has printed.

    Returns:
        The lines, in their order and without colours: a warning, an error, a deprecation, the
        beginning and the end of a traceback.
    """
    return [line for line in plain(log) if _complains(line)]


def plain(log: str) -> list[str]:
    """The lines of a log, without colours and without blanks at their ends."""
    return [_COLOUR.sub("", line).rstrip() for line in log.splitlines()]


def _complains(line: str) -> bool:
    fields = _fields(line)
    if fields is not None:
        return _says_bad(fields) or "Traceback (most recent call last)" in line
    request = _REQUEST.search(line)
    own = line[: request.start()] if request else line
    if _PLAIN.search(own):
        return True
    for match in _LEVEL.finditer(own):
        rest = own[match.end() :].strip(" .'\"])")
        if match["upper"] and not rest and _NAMES_A_LEVEL.search(own[: match.start()]):
            continue
        # The first level is the line's own; what follows is its text.
        word = next(group for group in match.groups() if group)
        return re.fullmatch(_BAD, word.upper()) is not None
    return False


def _fields(line: str) -> dict[str, object] | None:
    """The fields of a line that is a JSON object; None when it is none."""
    if not line.lstrip().startswith("{"):
        return None
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def _says_bad(fields: dict[str, object]) -> bool:
    nested = fields.get("log")
    if isinstance(nested, dict) and "level" in nested:
        fields = {**fields, "level": nested["level"]}
    for name in _JSON_LEVELS:
        level = fields.get(name)
        if isinstance(level, str) and re.fullmatch(_BAD, level.strip().upper()):
            return True
        if isinstance(level, int) and level >= _FIRST_BAD_NUMBER:
            return True
    return False
