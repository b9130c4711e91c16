"""Each lesson is built, started, asked and stopped as its reader does it, and judged by each rule.

What `lessons.toml` says is looked at from both sides: what is kept must be kept, and what is broken
must be seen broken.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from series.contract import RULES, Finding, Subject, Verdict, promise
from series.lessons import Lesson


def declared(lesson: Lesson, rule: str) -> Verdict:
    if rule in lesson.breaks:
        return Verdict.BROKEN
    return Verdict.DOES_NOT_APPLY if rule in lesson.does_not_apply else Verdict.KEPT


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_what_the_lesson_declares(
    lesson: Lesson, subject: Subject, rule: str, report: Callable[[Lesson, str, Finding], None]
) -> None:
    finding = RULES[rule](subject)
    report(lesson, rule, finding)
    assert finding.verdict is declared(lesson, rule), f"{promise(rule)}\n{finding}"


def test_it_answers_with_its_variant_and_nothing_else(lesson: Lesson, subject: Subject) -> None:
    assert subject.life.answer.headers["content-type"] == "application/json"
    assert subject.life.answer.json() == {"variant": lesson.variant}
