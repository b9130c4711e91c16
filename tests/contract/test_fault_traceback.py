from tests.contract.small import (
    BROKEN,
    DOES_NOT_APPLY,
    KEPT,
    NO_PORT,
    NO_PYTHON,
    SERVER,
    WORKERS,
    dockerfile,
    judged,
)

ENABLED = "import os, faulthandler; faulthandler.enable({})"
IN_THE_PROGRAM = WORKERS.replace("import os", ENABLED.format(""))
INTO_A_FILE = WORKERS.replace("import os", ENABLED.format("open('/tmp/crash', 'w')"))
SAYS_THE_WORDS = WORKERS.replace(
    "import os",
    r"""
print('Fatal Python error: Segmentation fault\\n(most recent call first):\\n  File "', flush=True)
import os""",
)

test_a_project_is_judged = judged(
    "fault-traceback",
    [
        # Process 1 hears only the signals that it asks for.
        (dockerfile(SERVER), BROKEN, "no traceback is in the log.\nProcess 1: python -m http"),
        (dockerfile(f"ENV PYTHONFAULTHANDLER=1\n{SERVER}"), KEPT, "a traceback is in the log"),
        (dockerfile(WORKERS), BROKEN, "no traceback is in the log"),
        (dockerfile(IN_THE_PROGRAM), KEPT, "a traceback is in the log"),
        (dockerfile(INTO_A_FILE), BROKEN, "no traceback is in the log"),
        (dockerfile(SAYS_THE_WORDS), BROKEN, "no traceback is in the log"),
        (NO_PYTHON, DOES_NOT_APPLY, "No Python process listens at port 8000."),
        ({**dockerfile(""), **NO_PORT}, DOES_NOT_APPLY, "publishes no port"),
    ],
)
