"""Each lesson is built, started, asked and stopped as its reader does it, and judged by each rule.

What `lessons.toml` says is looked at from both sides: what is kept must be kept, and what is broken
must be seen broken.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from series.buildlog import ran
from series.contract import RULES, Finding, Subject, promise
from series.lessons import Lesson
from series.readmes import declared
from tests.console import commands, run


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_what_the_lesson_declares(
    lesson: Lesson, rule: str, find: Callable[[Lesson, str], Finding]
) -> None:
    finding = find(lesson, rule)
    assert finding.verdict is declared(lesson, rule), f"{promise(rule)}\n{finding}"


def test_it_answers_with_its_variant_alone_or_with_a_page(lesson: Lesson, subject: Subject) -> None:
    answer = subject.life.answer
    if lesson.variant:
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == {"variant": lesson.variant}
    else:
        assert answer.headers["content-type"].startswith("text/html")


def test_what_was_built_once_is_built_again_without_running_anything(subject: Subject) -> None:
    assert subject.built
    assert ran(subject.project.build()) == []


def test_what_its_reader_is_to_try_goes_as_the_readme_shows(lesson: Lesson) -> None:
    with Subject(lesson.path) as subject:
        assert subject.built
        settings = subject.project.environment
        tried = commands(lesson.path / "README.md", "Try it yourself")
        for command in tried:
            port = subject.project.port if "localhost:8000" in command.line else None
            said = run(command, subject.folder, settings, port)
            rest = said
            for part in re.findall("[^…\n]+", "\n".join(command.shown)):
                _, found, rest = rest.partition(part)
                assert found, f"{command.line} does not print {part!r} here:\n{said}"
        assert any(command.shown for command in tried)
