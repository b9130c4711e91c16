from tests.contract.small import (
    BAD,
    BROKEN,
    COMPOSE,
    DOES_NOT_APPLY,
    GOOD,
    KEPT,
    NO_PORT,
    WORKERS,
    dockerfile,
    judged,
)

WRAPPER = """
COPY <<EOF start.py
import subprocess
subprocess.run(["python", "-m", "http.server", "8000"])
EOF
STOPSIGNAL SIGINT
CMD ["python", "start.py"]
"""
BEHIND_AN_INIT = {
    **dockerfile('CMD ["python", "-m", "http.server", "8000"]'),
    "compose.yaml": COMPOSE.replace("build: .", "build: ., init: true"),
}

test_a_project_is_judged = judged(
    "direct-server",
    [
        (GOOD, BROKEN, "Process 1: sh -c echo 0 errors"),
        (GOOD, BROKEN, ": python -m http.server 8000"),
        (dockerfile(WRAPPER), BROKEN, "Process 1: python start.py stands in front"),
        # The shell has replaced itself.
        (BAD, KEPT, "Process 1: python -m http.server"),
        (dockerfile(WORKERS), KEPT, "Process 1: python server.py"),
        (BEHIND_AN_INIT, KEPT, "python -m http.server 8000"),
        ({**dockerfile(""), **NO_PORT}, DOES_NOT_APPLY, "publishes no port"),
    ],
)
