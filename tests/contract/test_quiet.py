import pytest

from series import engine
from tests.contract.small import BAD, BAD_AT_THE_END, BROKEN, DIES, GOOD, KEPT, Judge, judged

test_a_project_is_judged = judged(
    "quiet",
    [
        (GOOD, KEPT, "in the log complains"),
        (BAD, BROKEN, "WARNING: the cellar is damp"),
        (BAD_AT_THE_END, BROKEN, "ERROR: a leak"),
    ],
)


def test_of_a_container_that_never_worked_nothing_is_said(judge: Judge) -> None:
    with pytest.raises(engine.NoAnswer):
        judge("quiet", DIES)
