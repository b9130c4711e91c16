"""What the README of step 1 says beyond what the contract sees."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from series.contract import Finding, Subject
from series.lessons import Lesson, get, load

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


# What lies about in the folder of a project, and must not get into its image.
DECOYS = {
    ".env",
    ".env.production",
    ".git/config",
    ".idea/workspace.xml",
    ".mypy_cache/3.13/main.data.json",
    ".ruff_cache/0.15/1",
    ".secrets/password",
    ".venv/bin/python",
    ".vscode/settings.json",
    "certificates/server.key",
    "certificates/server.pem",
    "kiss/.env",
    "kiss/__pycache__/main.cpython-313.pyc",
}
# Secrets that a list of what is kept out does not know.
UNKNOWN = {".netrc", "credentials.json", "kiss/password.txt"}


def test_the_image_gets_no_secret_no_cache_and_no_settings_that_the_list_knows(
    tmp_path: Path,
) -> None:
    copy = tmp_path / STEP_1.folder
    shutil.copytree(STEP_1.path, copy)
    for name in DECOYS | UNKNOWN:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).touch()
    with Subject(copy) as subject:
        there = {file.name.removeprefix("/app/") for file in subject.files}
    assert there & (DECOYS | UNKNOWN) == UNKNOWN


def test_the_next_steps_keep_the_same_out() -> None:
    lists = {
        (lesson.path / ".dockerignore").read_text(encoding="utf-8")
        for lesson in load()
        if lesson.folder.startswith(("step-1", "step-2", "step-3", "step-4"))
    }
    assert len(lists) == 1
