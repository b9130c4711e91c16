"""What the README of step 2 says beyond what the contract sees."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from series.contract import Finding, Subject
from series.contract.inventory import distributions
from series.lessons import Lesson, get

STEP_2 = get("step-2-kiss-poetry")


@pytest.fixture
def step_2(subjects: Callable[[Lesson], Subject]) -> Subject:
    return subjects(STEP_2)


def test_after_an_edit_the_packages_are_installed_again_and_poetry_is_not(
    find: Callable[[Lesson, str], Finding],
) -> None:
    again = re.findall("^ran again: (.*)", find(STEP_2, "edit-keeps-dependencies").evidence, re.M)
    assert again == ["COPY . .", "RUN poetry install --with prod"]


def test_poetry_and_what_it_needs_are_more_packages_than_the_application_has(
    step_2: Subject,
) -> None:
    places = [one.place for one in distributions(step_2.files)]
    own = [place for place in places if "/virtualenvs/" in place]
    beside = [place for place in places if place == "/usr/local/lib/python3.13/site-packages"]
    assert 0 < len(own) < len(beside)


def test_process_1_is_gunicorn_in_the_virtual_environment(step_2: Subject) -> None:
    first = step_2.processes[0]
    assert first.pid == 1
    assert "/virtualenvs/" in first.words[0]
    assert first.words[1].endswith("/bin/gunicorn")


def test_on_a_laptop_the_server_is_left_out(step_2: Subject) -> None:
    assert step_2.built
    assert "Removing gunicorn" in step_2.project.run("poetry", "sync", "--dry-run")


def test_the_linter_complains_as_the_readme_says(find: Callable[[Lesson, str], Finding]) -> None:
    assert find(STEP_2, "linted").evidence.startswith("hadolint complains: DL3013, DL3042\n")
