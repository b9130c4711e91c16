from tests.contract.small import BROKEN, FAILS, GOOD, KEPT, dockerfile, judged

test_a_project_is_judged = judged(
    "builds",
    [
        (GOOD, KEPT, "Built in 1 steps"),
        (FAILS, BROKEN, "the reason"),
        (FAILS, BROKEN, "It fails at: RUN echo the reason; exit 7"),
        (dockerfile("RUNN true"), BROKEN, "unknown instruction: RUNN"),
    ],
)
