"""The one error that preparation raises."""


class Problem(Exception):
    """Something is missing that cannot be mended here.

    Args:
        sentence: what is wrong, and what to type.
        details: what another program said about it; its last lines are shown below the sentence.
    """

    def __init__(self, sentence: str, details: str = "") -> None:
        lines = [line for line in details.splitlines() if line.strip()][-8:]
        super().__init__("\n".join([sentence, *(f"    {line}" for line in lines)]))


DISK_FULL = "The disk is full. Type: docker system df, remove what you do not need, and try again."
