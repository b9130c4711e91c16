"""What a rule finds."""

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """What a rule can say of a project."""

    KEPT = "kept"
    BROKEN = "broken"
    DOES_NOT_APPLY = "does not apply"


@dataclass(frozen=True)
class Finding:
    """A verdict with what was seen.

    Attributes:
        verdict: kept, broken, or does not apply.
        evidence: what was seen, or why the rule does not apply; one line or a few.
    """

    verdict: Verdict
    evidence: str

    def __str__(self) -> str:
        return f"{self.verdict.value}: {self.evidence}"


class CannotTell(Exception):
    """A rule could not find out whether it is kept; the message is a sentence that says why."""


def kept(evidence: str) -> Finding:
    """Return the finding that a promise is kept."""
    return Finding(Verdict.KEPT, evidence)


def broken(evidence: str) -> Finding:
    """Return the finding that a promise is broken."""
    return Finding(Verdict.BROKEN, evidence)


def does_not_apply(reason: str) -> Finding:
    """Return the finding that a project has nothing that the promise is about."""
    return Finding(Verdict.DOES_NOT_APPLY, reason)
