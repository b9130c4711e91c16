"""What the README of step 5 says beyond what the contract sees."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from series import engine
from series.buildlog import ran, steps
from series.contract import Finding, Subject
from series.lessons import Lesson, get
from tests.console import Command, commands, run

STEP_4 = get("step-4-nontrivial-improvements")
STEP_5 = get("step-5-larger-project")

WHEEL = "RUN poetry build --format wheel --output /dist"
TOOLS = "RUN poetry install --no-root"
INSTALL = ["COPY --from=builder /dist/*.whl .", "RUN pip install --no-cache-dir --no-deps ./*.whl"]
PACKAGE = "/usr/local/lib/python3.13/site-packages/larger_project"
NEEDED = {
    "/gunicorn.conf.py",
    "/poetry.lock",
    "/pyproject.toml",
    "/src/larger_project/__init__.py",
    "/src/larger_project/main.py",
}
# What lies about in the folder of a project, and what is in a package beside the code.
DECOYS = {
    "/.env",
    "/.git/config",
    "/.idea/workspace.xml",
    "/.netrc",
    "/.venv/bin/python",
    "/password.txt",
    "/tests/__pycache__/test_main.cpython-313.pyc",
    "/tests/test_more.py",
    "/src/.DS_Store",
    "/src/larger_project/.env",
    "/src/larger_project/__pycache__/main.cpython-313.pyc",
}


@pytest.fixture
def step_5(subjects: Callable[[Lesson], Subject]) -> Subject:
    return subjects(STEP_5)


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Lesson], Path]:
    """Copies the folder of a lesson."""

    def copy(lesson: Lesson) -> Path:
        return Path(shutil.copytree(lesson.path, tmp_path / lesson.folder))

    return copy


def plant(folder: Path, names: set[str]) -> None:
    for name in names:
        file = folder / name[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def sent(folder: Path) -> set[str]:
    """The files that a builder gets to see, told by an image that is made of nothing else."""
    (folder / "Dockerfile").write_text('FROM scratch\nCOPY . /context/\nCMD ["nothing"]\n')
    with Subject(folder) as subject:
        return {
            file.name.removeprefix("/context")
            for file in subject.files
            if file.isfile() and file.name.startswith("/context/")
        }


def test_only_what_is_named_is_sent_to_the_builder(copied: Callable[[Lesson], Path]) -> None:
    folder = copied(STEP_5)
    plant(folder, DECOYS)
    assert sent(folder) == NEEDED


def test_step_4_sends_a_password_and_tests_to_the_builder(
    copied: Callable[[Lesson], Path],
) -> None:
    folder = copied(STEP_4)
    plant(folder, DECOYS)
    # Its list knows the others.
    assert sent(folder) & DECOYS == {
        "/.netrc",
        "/password.txt",
        "/tests/test_more.py",
        "/src/.DS_Store",
    }


@pytest.mark.deep
def test_an_edit_of_a_test_or_a_page_builds_nothing_and_in_step_4_the_wheel() -> None:
    for lesson, again in [(STEP_4, True), (STEP_5, False)]:
        with Subject(lesson.path) as subject:
            assert WHEEL in {step.instruction for step in subject.built}
            plant(subject.folder, {"/tests/test_more.py"})
            page = subject.folder / "README.md"
            page.write_text(f"Something else: {subject.project.name}\n", encoding="utf-8")
            done = [step.instruction for step in ran(subject.project.build())]
            assert (WHEEL in done) is again
            assert again or done == []


def test_after_an_edit_of_the_settings_nothing_is_built_but_the_image() -> None:
    with Subject(STEP_5.path) as subject:
        assert subject.built
        with (subject.folder / "gunicorn.conf.py").open("a", encoding="utf-8") as settings:
            settings.write(f"\n# {subject.project.name}\n")
        done = [step.instruction for step in ran(subject.project.build())]
    assert done == ["COPY gunicorn.conf.py .", *INSTALL]


def test_after_an_edit_four_instructions_run_again(find: Callable[[Lesson, str], Finding]) -> None:
    again = re.findall("^ran again: (.*)", find(STEP_5, "edit-keeps-dependencies").evidence, re.M)
    assert again == ["COPY src src", WHEEL, *INSTALL]


def test_a_file_that_is_not_named_cannot_be_copied(copied: Callable[[Lesson], Path]) -> None:
    folder = copied(STEP_5)
    plant(folder, {"/settings.toml"})
    with (folder / "Dockerfile").open("a", encoding="utf-8") as dockerfile:
        dockerfile.write("COPY settings.toml .\n")
    with Subject(folder) as subject, pytest.raises(engine.BuildError, match=r"settings\.toml"):
        assert subject.built


def test_what_lies_in_the_package_goes_along_unless_it_is_hidden(
    copied: Callable[[Lesson], Path],
) -> None:
    folder = copied(STEP_5)
    plant(folder, DECOYS | {"/src/larger_project/notes.txt"})
    with Subject(folder) as subject:
        assert subject.built
        inside = subject.project.run("ls", "--almost-all", PACKAGE).split()
    assert "notes.txt" in inside
    assert ".env" not in inside


def test_the_tests_are_not_in_the_image(step_5: Subject) -> None:
    assert [file.name for file in step_5.files if file.name.endswith("test_main.py")] == []


def test_a_package_that_production_wants_as_well_is_in_the_image(step_5: Subject) -> None:
    lock = (STEP_5.path / "poetry.lock").read_text(encoding="utf-8")
    assert 'groups = ["main", "dev"]' in lock.partition('name = "anyio"')[2].partition("\n\n")[0]
    assert "anyio" in step_5.environment.installed


def test_its_own_tests_and_linter_run_in_a_container_as_the_readme_shows() -> None:
    with Subject(STEP_5.path) as subject:
        assert subject.built
        typed = [
            command
            for command in commands(STEP_5.path / "README.md", "Running the example")
            if command.line.startswith("docker compose run ")
        ]
        assert len(typed) == 2
        for command in typed:
            said = run(command, subject.folder, subject.project.environment).splitlines()
            assert command.shown
            assert {*command.shown} <= {*said}


@pytest.fixture(scope="module")
def tests() -> Iterator[engine.Project]:
    """The service for the tests, its image built."""
    with Subject(STEP_5.path) as subject:
        assert subject.built
        project = engine.Project(subject.folder, subject.project.name, "tests")
        project.run("true")
        yield project


def test_the_linter_has_something_to_say_when_there_is_a_reason(tests: engine.Project) -> None:
    (tests.folder / "tests" / "test_more.py").write_text("import os\n")
    with pytest.raises(engine.EngineError, match="F401"):
        tests.run("poetry", "run", "ruff", "check")
    with pytest.raises(engine.EngineError, match="Read-only file system"):
        tests.run("poetry", "run", "ruff", "check", "--fix")


@pytest.mark.deep
def test_an_edit_of_the_settings_of_a_tool_installs_the_tools_again_and_nothing_else() -> None:
    with Subject(STEP_5.path) as subject:
        plain = Command("docker compose --progress plain build tests", [])
        run(plain, subject.folder, subject.project.environment)
        assert subject.built
        with (subject.folder / "pyproject.toml").open("a", encoding="utf-8") as settings:
            settings.write(f"# {subject.project.name}\n")
        said = run(plain, subject.folder, subject.project.environment)
        assert TOOLS in {step.instruction for step in ran(steps(said.splitlines()))}
        again = {step.instruction for step in ran(subject.project.build())}
        assert not any(instruction.startswith("RUN pip") for instruction in again - {*INSTALL})


def test_the_stage_for_the_tests_has_pytest_and_no_server(tests: engine.Project) -> None:
    program = "import importlib.util as u, sys; print(*map(bool, map(u.find_spec, sys.argv[1:])))"
    there = tests.run("poetry", "run", "python", "-c", program, "pytest", "gunicorn")
    assert there.split() == ["True", "False"]


@pytest.mark.deep
def test_the_export_takes_only_the_groups_that_it_is_told(tests: engine.Project) -> None:
    said, unsaid, with_tools = (
        {*re.findall(r"^([\w-]+)==", tests.run("poetry", "export", *groups), re.MULTILINE)}
        for groups in (
            ["--without", "dev", "--with", "prod"],
            ["--with", "prod"],
            ["--with", "dev,prod"],
        )
    )
    assert said == unsaid
    assert {"fastapi", "gunicorn"} < said
    assert {"pytest", "ruff"} < with_tools - said


@pytest.mark.usefixtures("no_attestations")
def test_verbose_dockerfile_makes_the_same_image() -> None:
    with Subject(STEP_5.path) as subject:
        assert subject.built
        image = subject.project.image_id
        shutil.copy(subject.folder / "verbose.Dockerfile", subject.folder / "Dockerfile")
        subject.project.build()
        assert subject.project.image_id == image
