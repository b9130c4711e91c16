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
    WORKERS,
    Files,
    Judge,
    dockerfile,
    judged,
)

ONLY_THE_WORKER = WORKERS.replace(
    "server.serve_forever() if os.fork() == 0 else os.wait()",
    "os.wait() if os.fork() else (os.setuid(10001), server.serve_forever())",
)


def started_as(user: str) -> Files:
    return {"compose.yaml": COMPOSE.replace("build: .", f"build: ., user: {user}")}


test_a_project_is_judged = judged(
    "non-root",
    [
        (dockerfile(f"USER 10001:10001\n{SERVER}"), KEPT, "names user 10001, and no process"),
        (dockerfile(SERVER), BROKEN, "Root runs process 1: python -m http.server 8000"),
        (dockerfile(ONLY_THE_WORKER), BROKEN, "Root runs process 1: python server.py"),
        (dockerfile(f"RUN useradd app\nUSER app\n{SERVER}"), BROKEN, "names its user app."),
        ({**dockerfile(SERVER), **started_as("'10001'")}, BROKEN, "names its user nowhere."),
        (
            {**dockerfile(f"USER 10001\n{SERVER}"), **started_as("root")},
            BROKEN,
            "Root runs process 1",
        ),
        ({**dockerfile(""), **NO_PORT}, DOES_NOT_APPLY, "publishes no port"),
    ],
)


def test_of_a_server_that_never_works_nothing_is_said(judge: Judge) -> None:
    with pytest.raises(engine.NoAnswer):
        judge("non-root", DIES)
