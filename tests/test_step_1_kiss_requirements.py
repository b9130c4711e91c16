"""What the README of step 1 says beyond what the contract sees."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from series.contract import Finding, Subject
from series.lessons import Lesson, get

STEP_1 = get("step-1-kiss-requirements")


@pytest.fixture
def step_1(subjects: Callable[[Lesson], Subject]) -> Subject:
    return subjects(STEP_1)


def test_most_of_what_is_installed_is_not_named_in_requirements_txt(step_1: Subject) -> None:
    installed = step_1.environment.installed
    named = (STEP_1.path / "requirements.txt").read_text(encoding="utf-8").split()
    assert {package.partition("==")[0] for package in named} < installed.keys()
    assert len(installed) > 4 * len(named)


def test_the_linter_has_the_one_complaint_that_the_readme_names(
    find: Callable[[Lesson, str], Finding],
) -> None:
    assert find(STEP_1, "linted").evidence.startswith("hadolint complains: DL3042\n")


def test_there_are_two_workers_unless_another_number_is_chosen(
    step_1: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    booted = "Booting worker with pid"
    assert step_1.life.log.count(booted) == 2
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    with step_1.another_life() as project:
        log = project.wait_for_log(lambda log: log.count(booted) >= 4, 30)
    assert log.count(booted) == 4


def test_a_virtual_environment_does_not_get_into_the_image(tmp_path: Path) -> None:
    copy = tmp_path / STEP_1.folder
    shutil.copytree(STEP_1.path, copy)
    (copy / ".venv").mkdir()
    (copy / ".venv" / "decoy").touch()
    (copy / "notes").touch()
    with Subject(copy) as subject:
        assert subject.built
        found = subject.project.run("ls", "--almost-all").split()
    assert "notes" in found
    assert ".venv" not in found
