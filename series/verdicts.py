"""What the rules of the contract find of all lessons in one run, for the front page."""

from __future__ import annotations

import json
from pathlib import Path

from series.contract import RULES, Subject
from series.lessons import load as lessons
from series.prepare.programs import doing

VERDICTS = Path(__file__).with_name("verdicts.json")

Verdicts = dict[str, dict[str, str]]
"""By the folder of a lesson and the name of a rule: kept, broken or does not apply."""


def judge() -> Verdicts:
    """Judge every lesson by every rule, and save what is found.

    Raises:
        EngineError: the engine refused something.
        CannotTell: a rule could not find out what it wants to know.
    """
    found: Verdicts = {}
    for lesson in lessons():
        with doing(f"Judging {lesson.folder}"), Subject(lesson.path, file=lesson.judged) as subject:
            found[lesson.folder] = {
                name: rule(subject).verdict.value for name, rule in RULES.items()
            }
    VERDICTS.write_text(f"{json.dumps(found, indent=1)}\n", "utf-8")
    return found


def load() -> Verdicts:
    """Return what was found."""
    return json.loads(VERDICTS.read_text("utf-8"))
