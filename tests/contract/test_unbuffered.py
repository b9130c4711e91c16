from tests.contract.small import (
    BROKEN,
    COMPOSE,
    DOES_NOT_APPLY,
    KEPT,
    NO_PORT,
    NO_PYTHON,
    SERVER,
    WORKERS,
    dockerfile,
    judged,
)

IN_THE_PROGRAM = WORKERS.replace(
    "import os", "import os, sys; sys.stdout.reconfigure(line_buffering=True)"
)
ON_A_SCREEN = COMPOSE.replace("build: .", "build: ., tty: true")
LOCKED = COMPOSE.replace("build: .", "build: ., read_only: true")

test_a_project_is_judged = judged(
    "unbuffered",
    [
        (dockerfile(SERVER), BROKEN, "is lost.\nProcess 1: python -m http.server"),
        (dockerfile(f"ENV PYTHONUNBUFFERED=1\n{SERVER}"), KEPT, "is in the log.\nProcess 1: "),
        (dockerfile(WORKERS), BROKEN, "is lost"),
        (dockerfile(IN_THE_PROGRAM), KEPT, "is in the log"),
        # Python writes to a terminal line by line, and a log is none.
        ({**dockerfile(SERVER), "compose.yaml": ON_A_SCREEN}, BROKEN, "is lost"),
        ({**dockerfile(SERVER), "compose.yaml": LOCKED}, BROKEN, "is lost"),
        (NO_PYTHON, DOES_NOT_APPLY, "No Python process listens at port 8000."),
        ({**dockerfile(""), **NO_PORT}, DOES_NOT_APPLY, "publishes no port"),
    ],
)
