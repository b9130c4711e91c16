"""Which lines of a log complain, and which only look like it."""

from __future__ import annotations

import pytest

from series.contract.logs import complaints


@pytest.mark.parametrize(
    "line",
    [
        "[2026-01-01 00:00:00 +0000] [7] [ERROR] Worker (pid:8) was sent SIGSEGV!",
        "[2026-01-01 00:00:00 +0000] [1] [WARNING] Worker timeout",
        "WARNING:  You must pass the application as an import string",
        "WARNING:root:disk is nearly full",
        "2026-01-01 00:00:00,000 app CRITICAL out of memory",
        "2026-01-01 00:00:00 UTC [1] FATAL:  role does not exist",
        "WARNING!!! This is a development server",
        "2026/01/01 00:00:00 [warn] 1#1: the user directive makes no sense",
        "nginx: [emerg] bind() failed",
        "[Thu Jan 01 00:00:00 2026] [core:error] [pid 1] no such file",
        "2026-01-01 00:00:00 [error    ] it failed          path=/x",
        "time=2026-01-01T00:00:00Z level=error msg=refused",
        "time=2026-01-01T00:00:00Z level=WARN msg=slow",
        '{"level":"error","msg":"refused"}',
        '{"severity": "WARNING", "message": "slow"}',
        '{"log": {"level": "error"}, "message": "refused"}',
        '{"level":50,"time":1,"msg":"refused"}',
        '{"level":"info","exc":"Traceback (most recent call last):\\n  File"}',
        "2026-01-01T00:00:00Z\terror\tmain.go:3\trefused",
        "Traceback (most recent call last):",
        "OSError: [Errno 30] Read-only file system: '/app/x'",
        "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) no such table",
        "Exception in thread Thread-1 (run):",
        "Exception ignored in: <function f at 0x7f>",
        "Fatal Python error: Segmentation fault",
        "/app/main.py:3: UserWarning: it is old",
        "/app/main.py:3: DeprecationWarning: use another",
        "The option --x is deprecated and will be removed.",
        "warning: no such option",
        "error: cannot open the socket",
        "\x1b[33mWARNING\x1b[0m: slow",
        "W0101 00:00:00.000000       1 main.go:3] slow",
    ],
)
def test_a_line_that_complains_is_found(line: str) -> None:
    assert len(complaints(f"Starting\n{line}\nReady\n")) == 1


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[2026-01-01 00:00:00 +0000] [1] [INFO] Starting gunicorn 27.0.0",
        "[2026-01-01 00:00:00 +0000] [1] [DEBUG]   error_log=-",
        "  errorlog: -",
        "INFO:     Application startup complete.",
        'INFO:     127.0.0.1:5 - "GET /errors HTTP/1.1" 200 OK',
        '127.0.0.1 - - [01/Jan/2026 00:00:00] "GET /ERROR HTTP/1.1" 404 -',
        '127.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 4 "-" "ERROR [error]"',
        '127.0.0.1 - - "GET /?level=error HTTP/1.1" 200',
        "ran 12 checks: 0 errors, 0 warnings",
        "INFO checked: 0 ERROR, 0 WARNING",
        "Log level: WARNING",
        "log level set to 'ERROR'.",
        "LOG_LEVEL=ERROR",
        '{"level":"info","msg":"ERROR is only a word"}',
        '{"msg":"[error] is only a word","level":"info"}',
        '{"level":30,"msg":"ready"}',
        "level=info msg=ready errors=0",
        "2026-01-01 00:00:00 UTC [1] LOG:  database system is ready to accept connections",
        "2026/01/01 00:00:00 [notice] 1#1: start worker process 7",
        "Loading /app/error_pages and /app/WARNING.md",
        "errors: none",
        "Serving HTTP on 0.0.0.0 port 8000 (http://0.0.0.0:8000/) ...",
        "Error pages are in /srv/errors",
        "the exception handler is installed",
    ],
)
def test_a_line_that_only_looks_like_it_is_not(line: str) -> None:
    assert complaints(f"Starting\n{line}\nReady\n") == []


def test_the_lines_come_in_their_order_and_without_colours() -> None:
    log = "\x1b[31mERROR\x1b[0m one\r\nfine\nWARN two\n"
    assert complaints(log) == ["ERROR one", "WARN two"]
