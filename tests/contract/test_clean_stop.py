import pytest

from series import engine
from tests.contract.small import (
    BAD,
    BAD_AT_THE_END,
    BROKEN,
    DIES,
    GOOD,
    KEPT,
    Judge,
    judged,
    server,
)

test_a_project_is_judged = judged(
    "clean-stop",
    [
        (GOOD, KEPT, "by itself with status 0"),
        (server("trap - TERM", "trap 'exit 143' TERM;"), KEPT, "by itself with status 143"),
        (BAD, BROKEN, "Still there after 3 s, and killed"),
        (BAD_AT_THE_END, BROKEN, "by itself with status 3"),
    ],
)


def test_of_a_container_that_never_worked_nothing_is_said(judge: Judge) -> None:
    with pytest.raises(engine.NoAnswer):
        judge("clean-stop", DIES)
