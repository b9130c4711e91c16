"""What the README of step 1 says beyond what the contract sees."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from series.contract import RULES, Subject
from series.lessons import get

LESSON = get("step-1-kiss-requirements").path


@pytest.fixture(scope="module")
def step_1() -> Iterator[Subject]:
    with Subject(LESSON) as subject:
        assert subject.built
        yield subject


def test_most_of_what_is_installed_is_not_named_in_requirements_txt(step_1: Subject) -> None:
    installed = set(step_1.project.run("pip", "freeze").split())
    named = set((LESSON / "requirements.txt").read_text(encoding="utf-8").split())
    assert named < installed
    assert len(installed) > 2 * len(named)
    shown = (LESSON / "README.md").read_text(encoding="utf-8").partition("pip freeze\n")[2]
    assert set(shown.partition("\n$ ")[0].split()) - {"..."} <= installed


def test_the_server_runs_as_root(step_1: Subject) -> None:
    assert step_1.project.run("id", "-un").strip() == "root"


def test_the_linter_has_the_one_complaint_that_the_readme_names(step_1: Subject) -> None:
    assert re.findall(r"DL\d+", RULES["linted"](step_1).evidence) == ["DL3042"]


@pytest.mark.parametrize(("wanted", "workers"), [(None, 2), ("4", 4)])
def test_the_number_of_workers_can_be_chosen(
    monkeypatch: pytest.MonkeyPatch, wanted: str | None, workers: int
) -> None:
    if wanted:
        monkeypatch.setenv("WEB_CONCURRENCY", wanted)
    with Subject(LESSON) as subject:
        assert subject.life.log.count("Booting worker with pid") == workers


def test_a_virtual_environment_does_not_get_into_the_image(tmp_path: Path) -> None:
    copy = tmp_path / LESSON.name
    shutil.copytree(LESSON, copy)
    (copy / ".venv").mkdir()
    (copy / ".venv" / "decoy").touch()
    (copy / "notes").touch()
    with Subject(copy) as subject:
        assert subject.built
        found = subject.project.run("ls", "--almost-all").split()
    assert "notes" in found
    assert ".venv" not in found
