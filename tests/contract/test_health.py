from tests.contract.small import (
    BROKEN,
    COMPOSE,
    DOES_NOT_APPLY,
    KEPT,
    NO_PORT,
    SERVER,
    WORKERS,
    Files,
    dockerfile,
    judged,
)


def checked(words: str, server: str = SERVER) -> Files:
    return dockerfile(f"HEALTHCHECK {words}\n{server}")


ASKS = (
    'CMD ["python", "-c", '
    "\"import urllib.request as u; u.urlopen('http://127.0.0.1:8000/', timeout=2)\"]"
)
IN_COMPOSE = COMPOSE.replace("build: .", "build: ., healthcheck: {test: 'true'}")
DISABLED = COMPOSE.replace("build: .", "build: ., healthcheck: {disable: true}")

test_a_project_is_judged = judged(
    "health",
    [
        (checked(ASKS), KEPT, "unhealthy when all its processes hang"),
        (checked(f"--interval=5m {ASKS}"), KEPT, "unhealthy when all its processes hang"),
        # The worker hangs as well.
        (checked(ASKS, WORKERS), KEPT, "unhealthy when all its processes hang"),
        ({**checked(ASKS), "compose.yaml": DISABLED}, KEPT, "unhealthy when"),
        (dockerfile(SERVER), BROKEN, "declares no health check"),
        (checked("NONE"), BROKEN, "declares no health check"),
        ({**dockerfile(SERVER), "compose.yaml": IN_COMPOSE}, BROKEN, "declares no health check"),
        (checked("CMD true"), BROKEN, "While all its processes hang, it is healthy."),
        # The process is there, but hangs.
        (checked("CMD kill -0 1"), BROKEN, "While all its processes hang, it is healthy."),
        (
            checked("CMD curl --fail http://127.0.0.1:8000/"),
            BROKEN,
            "While it serves, it is unhealthy.\n/bin/sh: 1: curl: not found",
        ),
        ({**dockerfile(""), **NO_PORT}, DOES_NOT_APPLY, "publishes no port"),
    ],
)
