"""What the README of step 1 says beyond what the smoke test sees."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from series.contract import RULES, Subject
from series.lessons import get

LESSON = get("step-1-kiss-requirements").path


def test_most_of_what_is_installed_is_not_named_in_requirements_txt() -> None:
    with Subject(LESSON) as subject:
        assert subject.built
        installed = set(subject.project.run("pip", "freeze").split())
    named = set((LESSON / "requirements.txt").read_text(encoding="utf-8").split())
    assert named < installed
    assert len(installed) > 2 * len(named)
    shown = (LESSON / "README.md").read_text(encoding="utf-8").partition("pip freeze\n")[2]
    assert set(shown.partition("\n```")[0].split()) - {"..."} <= installed


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


def test_the_linter_has_the_one_complaint_that_the_readme_names() -> None:
    with Subject(LESSON) as subject:
        assert re.findall(r"DL\d+", RULES["linted"](subject).evidence) == ["DL3042"]
