from tests.contract.small import (
    BROKEN,
    DIES,
    DOES_NOT_APPLY,
    GOOD,
    KEPT,
    NO_PORT,
    dockerfile,
    judged,
)

test_a_project_is_judged = judged(
    "answers",
    [
        (GOOD, KEPT, "GET / has status 200"),
        (DIES, BROKEN, "ended with status 3"),
        (DIES, BROKEN, "the reason"),
        ({**dockerfile(""), **NO_PORT}, DOES_NOT_APPLY, "publishes no port"),
    ],
)
