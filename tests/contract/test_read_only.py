from __future__ import annotations

import pytest

from series import engine
from tests.contract.small import (
    BROKEN,
    COMPOSE,
    DIES,
    DOES_NOT_APPLY,
    KEPT,
    NO_PORT,
    SERVER,
    Files,
    Judge,
    dockerfile,
    judged,
)


def after(*lines: str) -> Files:
    """A server that does something first."""
    first = "\n".join(lines)
    return dockerfile(f"""
COPY <<EOF server.py
import http.server, os, pathlib, time
{first}
http.server.HTTPServer(("", 8000), http.server.SimpleHTTPRequestHandler).serve_forever()
EOF
STOPSIGNAL SIGINT
CMD ["python", "server.py"]
""")


def composed(settings: str) -> Files:
    return {"compose.yaml": COMPOSE.replace("build: .", f"build: ., {settings}")}


KEEPS_TMP = {
    "compose.yaml": composed("volumes: ['kept:/tmp']")["compose.yaml"] + "\nvolumes: {kept: {}}"
}
# What Python's server logs of its end by SIGINT, and it is the same twice.
ALWAYS = 'print(f"ERROR {time.time()}: it is cold", flush=True)'
WRITES = "pathlib.Path('/{}/state').write_text('started')"
TRIES = f"""
try: {WRITES.format("srv")}
except OSError as refused: print(refused, flush=True)
"""

test_a_project_is_judged = judged(
    "read-only",
    [
        (dockerfile(SERVER), KEPT, "answers and logs nothing"),
        (after(ALWAYS), KEPT, "answers and logs nothing"),
        (after(WRITES.format("srv")), BROKEN, "Read-only file system: '/srv/state'"),
        (after(TRIES), BROKEN, "it logs:\n[Errno 30] Read-only file system: '/srv/state'"),
        (after(WRITES.format("tmp")), KEPT, "answers and logs nothing"),
        ({**after(WRITES.format("srv")), **composed("tmpfs: /srv")}, KEPT, "logs nothing"),
        ({**after(WRITES.format("tmp")), **composed("tmpfs: ['/tmp:size=1m']")}, KEPT, "nothing"),
        ({**after(WRITES.format("tmp")), **KEEPS_TMP}, KEPT, "logs nothing"),
        # Starts as root, becomes somebody else; a container without capabilities cannot.
        (after("os.setuid(10001)"), BROKEN, "Operation not permitted"),
        (
            {**after("os.setuid(10001)"), **composed("privileged: true, cap_add: [SETUID]")},
            BROKEN,
            "Operation not permitted",
        ),
        (
            {
                **dockerfile(SERVER),
                **composed("read_only: true, security_opt: ['no-new-privileges:true']"),
            },
            KEPT,
            "logs nothing",
        ),
        ({**dockerfile(""), **NO_PORT}, DOES_NOT_APPLY, "publishes no port"),
    ],
)


def test_of_a_server_that_never_works_nothing_is_said(judge: Judge) -> None:
    with pytest.raises(engine.NoAnswer):
        judge("read-only", DIES)
