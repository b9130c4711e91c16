"""The list of lessons, and how one is chosen from it."""

from __future__ import annotations

import re

import pytest

from series.contract import RULES
from series.lessons import ROOT, LessonError, get, load


def test_the_folders_of_lessons_are_the_ones_that_are_listed() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/Dockerfile")}
    assert folders == {lesson.folder for lesson in load()}


def test_a_lesson_builds_on_one_that_comes_before_it() -> None:
    seen: list[str | None] = [None]
    for lesson in load():
        assert lesson.builds_on in seen
        seen.append(lesson.folder)


def test_a_lesson_declares_rules_that_exist_and_each_once() -> None:
    for lesson in load():
        named = [*lesson.breaks, *lesson.does_not_apply]
        assert set(named) <= set(RULES)
        assert len(set(named)) == len(named)


def test_from_step_3_on_a_base_image_names_its_debian_release_and_all_have_the_same_python() -> (
    None
):
    for lesson in load():
        simple = lesson.folder.startswith(("step-1-", "step-2-"))
        for file in lesson.path.rglob("*Dockerfile"):
            tags = re.findall(r"^FROM python:(\S+)", file.read_text("utf-8"), re.MULTILINE)
            wanted = {"3.13"} if simple else {"3.13-trixie", "3.13-slim-trixie"}
            assert {*tags} <= wanted, file


def test_no_dockerfile_names_a_folder_that_is_gone_after_an_upgrade_of_python() -> None:
    files = [*ROOT.glob("*/*Dockerfile"), *ROOT.glob("series/rivals/*/Dockerfile")]
    assert len(files) > 20
    assert [file for file in files if re.search(r"python3\.\d", file.read_text("utf-8"))] == []


@pytest.mark.parametrize("name", ["step-1", "step-1-kiss-requirements", "step-1-kiss/"])
def test_the_beginning_of_a_name_is_enough(name: str) -> None:
    assert get(name).folder == "step-1-kiss-requirements"


@pytest.mark.parametrize("name", ["step-1-kis", "step-", "", "../step-1", "stepp-1"])
def test_a_wrong_name_gets_the_list_of_right_ones(name: str) -> None:
    with pytest.raises(LessonError) as wrong:
        get(name)
    assert all(lesson.folder in str(wrong.value) for lesson in load())


def test_a_typing_error_gets_the_name_that_was_meant() -> None:
    with pytest.raises(LessonError, match="Did you mean step-1-kiss-requirements"):
        get("step-1-kiss-requirments")
