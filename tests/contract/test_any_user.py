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
    Judge,
    dockerfile,
    judged,
)

AS_ROOT = {"compose.yaml": COMPOSE.replace("build: .", "build: ., user: root")}
# Writes into its home, and then serves.
AT_HOME = """
COPY <<EOF server.py
import http.server, pathlib
(pathlib.Path.home() / "history").write_text("started")
http.server.HTTPServer(("", 8000), http.server.SimpleHTTPRequestHandler).serve_forever()
EOF
STOPSIGNAL SIGINT
CMD ["python", "server.py"]
"""

test_a_project_is_judged = judged(
    "any-user",
    [
        (dockerfile(SERVER), KEPT, "answers as user 12345"),
        ({**dockerfile(SERVER), **AS_ROOT}, KEPT, "answers as user 12345"),
        (dockerfile(AT_HOME), BROKEN, "Permission denied: '/history'"),
        (dockerfile(f"ENV HOME=/tmp{AT_HOME}"), KEPT, "answers as user 12345"),
        (dockerfile(f"RUN useradd -m app\nUSER app{AT_HOME}"), BROKEN, "Permission denied"),
        # Cloned with umask 077
        (dockerfile(AT_HOME.replace("COPY", "COPY --chmod=600")), BROKEN, "can't open file"),
        ({**dockerfile(""), **NO_PORT}, DOES_NOT_APPLY, "publishes no port"),
    ],
)


def test_of_a_server_that_never_works_nothing_is_said(judge: Judge) -> None:
    with pytest.raises(engine.NoAnswer):
        judge("any-user", DIES)
