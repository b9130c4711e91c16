"""What the README of extra 3 says beyond what the contract sees."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from series import engine, measuring
from series.buildlog import ran
from series.contract import RULES, Finding, Subject, Verdict
from series.lessons import Lesson, get
from tests.changes import change
from tests.console import Command, run
from tests.hooks import assert_list_is_fresh, done, make_repository, pre_commit, typed
from tests.speed import compiled_at_start, rewrite, sent

EXTRA_2 = get("extra-2-need-for-speed")
EXTRA_3 = get("extra-3-moving-complexity")

COPIED = "COPY src .\n"
COMPILED = "RUN python -m compileall -q .\n"
HOOK = (EXTRA_3.path / ".pre-commit-config.yaml").read_text("utf-8")
LIST = "requirements.txt"


@pytest.fixture
def extra_2(subjects: Callable[[Lesson], Subject]) -> Subject:
    return subjects(EXTRA_2)


@pytest.fixture
def extra_3(subjects: Callable[[Lesson], Subject]) -> Subject:
    return subjects(EXTRA_3)


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The lesson's files that a new dependency changes, each with its new text."""
    with Subject(EXTRA_3.path) as subject:
        new = measuring.with_a_new_dependency(subject)
    folder = repository(tmp_path_factory.mktemp("changed"))
    write(folder, new)
    refused(folder, "commit", "--all", "--message", "A new dependency")
    return {**new, LIST: (folder / LIST).read_text("utf-8")}


def refused(folder: Path, *command: str) -> str:
    """What git prints about a command that it refuses, and does not carry out."""
    before = done(folder, "log")
    said = typed(folder, "git", *command)
    assert said.returncode == 1, said.stdout
    assert done(folder, "log") == before
    return said.stdout


def repository(room: Path) -> Path:
    """A copy of the lesson's folder that is a repository of its own, with the hook installed."""
    return make_repository(Path(shutil.copytree(EXTRA_3.path, room / "copy")))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return repository(tmp_path)


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")


def test_the_list_says_what_the_lock_says(copy: Path) -> None:
    assert_list_is_fresh(copy)


def test_a_new_dependency_is_refused_until_the_list_has_it(
    copy: Path, changed: dict[str, str]
) -> None:
    write(copy, {name: text for name, text in changed.items() if name != LIST})
    assert "files were modified by this hook" in refused(copy, "commit", "--all", "--message", "1")
    assert "\n+itsdangerous==2.2.0 ;" in done(copy, "diff", LIST)
    assert "Passed" in done(copy, "commit", "--all", "--message", "2")
    assert done(copy, "show", f"HEAD:{LIST}") == changed[LIST]


def test_what_is_added_by_name_has_to_include_the_list(copy: Path, changed: dict[str, str]) -> None:
    write(copy, {name: text for name, text in changed.items() if name != LIST})
    done(copy, "add", "pyproject.toml", "poetry.lock")
    for _ in range(2):
        assert "files were modified by this hook" in refused(copy, "commit", "--message", "1")
    assert (copy / LIST).read_text("utf-8") == changed[LIST]
    done(copy, "add", LIST)
    assert "Passed" in done(copy, "commit", "--message", "2")


def test_what_is_changed_by_hand_in_the_list_is_changed_back(copy: Path) -> None:
    change(copy / LIST, "\nidna==3.", "\nidna==2.")
    assert "files were modified by this hook" in refused(copy, "commit", "--all", "--message", "1")
    assert done(copy, "status", "--short") == ""


def test_a_dependency_that_is_not_in_the_lock_is_refused(copy: Path) -> None:
    change(copy / "pyproject.toml", 'dependencies = ["', 'dependencies = ["itsdangerous", "')
    assert "Run `poetry lock`" in refused(copy, "commit", "--all", "--message", "1")
    assert done(copy, "status", "--short") == " M pyproject.toml\n"


def test_a_list_that_is_deleted_is_noticed_by_the_build_and_not_by_the_hook() -> None:
    with Subject(EXTRA_3.path) as subject:
        folder = make_repository(subject.folder)
        done(folder, "rm", "--quiet", LIST)
        assert "Skipped" in done(folder, "commit", "--message", "1")
        with pytest.raises(engine.BuildError, match=f'"/{LIST}": not found'):
            subject.project.build()
        assert "Passed" in pre_commit(folder, "run", "--all-files").stdout


def lock_again(subject: Subject, *, build: bool) -> str:
    """What is printed by the command with which the README mends a lock that does not fit."""
    command = "docker compose run --rm tests poetry lock"
    assert f"`{command}`" in (EXTRA_3.path / "README.md").read_text("utf-8")
    shown = Command(command.replace("run", "run --build") if build else command, [])
    return run(shown, subject.folder, subject.project.environment)


@pytest.mark.deep
def test_a_lock_that_does_not_fit_is_mended_by_the_image_that_is_there() -> None:
    with Subject(EXTRA_3.path) as subject:
        folder = make_repository(subject.folder)
        subject.project.build("tests")
        change(folder / "pyproject.toml", 'dependencies = ["', 'dependencies = ["itsdangerous", "')
        with pytest.raises(AssertionError, match=r"pyproject\.toml changed significantly"):
            lock_again(subject, build=True)
        lock_again(subject, build=False)
        refused(folder, "commit", "--all", "--message", "1")
        assert "Passed" in done(folder, "commit", "--all", "--message", "2")
        assert "\nitsdangerous==" in (folder / LIST).read_text("utf-8")


@pytest.mark.deep
def test_two_branches_that_change_the_dependencies_are_merged_as_the_readme_says() -> None:
    with Subject(EXTRA_3.path) as subject:
        folder = make_repository(subject.folder)
        subject.project.build("tests")
        pyproject = folder / "pyproject.toml"
        both = 'dependencies = ["iniconfig", "itsdangerous", "'
        for branch, name in (("one", "iniconfig"), ("two", "itsdangerous")):
            done(folder, "switch", "--quiet", "--create", branch, "start")
            change(pyproject, 'dependencies = ["', f'dependencies = ["{name}", "')
            lock_again(subject, build=False)
            refused(folder, "commit", "--all", "--message", "1")
            done(folder, "commit", "--all", "--message", "2")
        conflicts = typed(folder, "git", "merge", "one").stdout
        for name in ("poetry.lock", LIST):
            assert f"CONFLICT (content): Merge conflict in {name}" in conflicts
        done(folder, "checkout", "--ours", "poetry.lock", "pyproject.toml")
        change(pyproject, 'dependencies = ["itsdangerous", "', both)
        lock_again(subject, build=False)
        refused(folder, "commit", "--all", "--message", "3")
        done(folder, "commit", "--all", "--message", "4")
        assert {"iniconfig", "itsdangerous"} < {
            *re.findall("^([a-z-]+)==", (folder / LIST).read_text("utf-8"), re.M)
        }


def test_a_commit_of_other_files_exports_nothing(copy: Path) -> None:
    (copy / "src" / "moving_complexity" / "main.py").write_text("app = None\n")
    assert "(no files to check)Skipped" in done(copy, "commit", "--all", "--message", "1")


def test_without_the_hook_a_stale_list_is_committed_and_a_run_on_all_files_says_so(
    copy: Path, changed: dict[str, str]
) -> None:
    done(copy.parent, "clone", "--quiet", "copy", "clone")
    clone = copy.parent / "clone"
    write(clone, {name: text for name, text in changed.items() if name != LIST})
    done(clone, "commit", "--all", "--message", "A new dependency")
    write(copy, {"poetry.lock": changed["poetry.lock"]})
    refused(copy, "commit", "--all", "--message", "1")
    done(copy, "checkout", LIST)
    done(copy, "commit", "--all", "--no-verify", "--message", "2")
    command = "pre-commit run --all-files"
    assert f"`{command}`" in (EXTRA_3.path / "README.md").read_text("utf-8")
    said = pre_commit(clone, *command.split()[1:])
    assert said.returncode == 1
    assert "files were modified by this hook" in said.stdout
    assert (clone / LIST).read_text("utf-8") == changed[LIST]


@pytest.mark.deep
def test_the_first_commit_makes_the_environment_of_the_hook_for_all_clones(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "home"))
    done(tmp_path, "clone", "--quiet", "copy", "clone")
    pre_commit(tmp_path / "clone", "install")
    made = []
    for folder in (copy, tmp_path / "clone"):
        (folder / "src" / "moving_complexity" / "main.py").write_text("app = None\n")
        made.append("Installing environment" in done(folder, "commit", "--all", "--message", "1"))
    assert made == [True, False]


def test_the_hook_uses_its_own_poetry_and_no_other(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "bin" / "poetry"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\necho Not this one\nexit 1\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", f"{other.parent}:{os.environ['PATH']}")
    assert "Not this one" in typed(copy, "poetry", "export").stdout
    assert "Passed" in pre_commit(copy, "run", "--all-files").stdout


def test_the_poetry_of_the_hook_is_that_of_the_tests_and_of_extra_2() -> None:
    [hooks] = re.findall(r"additional_dependencies: \[(.*)\]", HOOK)
    before = (EXTRA_2.path / "Dockerfile").read_text("utf-8")
    assert re.findall(r"poetry\S*==[\w.]+", hooks) == re.findall(r"poetry\S*==[\w.]+", before)
    [poetry] = re.findall(r"poetry==[\w.]+", (EXTRA_3.path / "tests.Dockerfile").read_text("utf-8"))
    assert poetry in hooks


def test_the_readme_installs_the_pre_commit_that_the_suite_has() -> None:
    [shown] = re.findall(r"pre-commit==(\S+)", (EXTRA_3.path / "README.md").read_text("utf-8"))
    assert shown == importlib.metadata.version("pre-commit")


def test_one_stage_instead_of_four_and_none_of_it_is_poetrys() -> None:
    def stages(lesson: Lesson) -> int:
        return len(re.findall("^FROM ", (lesson.path / "Dockerfile").read_text("utf-8"), re.M))

    assert (stages(EXTRA_2), stages(EXTRA_3)) == (4, 1)
    assert "poetry" not in (EXTRA_3.path / "Dockerfile").read_text("utf-8").lower()


@pytest.mark.deep
def test_after_an_edit_two_instructions_run_again(find: Callable[[Lesson, str], Finding]) -> None:
    again = re.findall("^ran again: (.*)", find(EXTRA_3, "edit-keeps-dependencies").evidence, re.M)
    assert [f"{instruction}\n" for instruction in again] == [COPIED, COMPILED]


@pytest.mark.deep
def test_after_a_new_version_of_the_project_nothing_runs_again_and_in_extra_2_something_does() -> (
    None
):
    def again(lesson: Lesson) -> list[str]:
        with Subject(lesson.path) as subject:
            assert subject.built
            change(subject.folder / "pyproject.toml", '"0.1.0"', f'"0.1.{uuid.uuid4().int}"')
            return [step.instruction for step in ran(subject.project.build())]

    assert again(EXTRA_3) == []
    assert "RUN poetry build --format wheel --output /dist" in again(EXTRA_2)


@pytest.mark.deep
def test_after_a_new_dependency_the_others_are_not_downloaded_again_if_the_index_allows_it(
    index: engine.Project, changed: dict[str, str]
) -> None:
    before = sent(index)
    with Subject(EXTRA_3.path) as subject:
        rewrite(
            subject, measuring.downloads(index.address)["in pip's cache, if the index allows it"]
        )
        measuring.rebuild_after_a_dependency({LIST: changed[LIST]}, subject)
    after = sent(index) - before
    assert {name.partition("-")[0] for name in after} >= {"fastapi", "gunicorn", "itsdangerous"}
    assert {*after.values()} == {1}


def test_a_start_compiles_nothing(extra_3: Subject) -> None:
    assert compiled_at_start(extra_3, "moving_complexity") == []


def test_what_is_copied_is_not_compiled_by_copying() -> None:
    with Subject(EXTRA_3.path) as subject:
        rewrite(subject, {COMPILED: ""})
        folder = "/app/moving_complexity"
        assert compiled_at_start(subject, "moving_complexity") == [
            f"{folder}/__init__.py",
            f"{folder}/main.py",
        ]


def test_in_the_image_is_the_application_and_not_the_list(extra_3: Subject) -> None:
    place = re.compile(r"/(?:app|src|requirements\.txt|root/\.cache)(?:/.*)?")
    found = [file.name for file in extra_3.files if file.isfile() and place.fullmatch(file.name)]
    assert sorted(found) == [
        "/app/__pycache__/gunicorn.conf.cpython-313.pyc",
        "/app/gunicorn.conf.py",
        "/app/moving_complexity/__init__.py",
        "/app/moving_complexity/__pycache__/__init__.cpython-313.pyc",
        "/app/moving_complexity/__pycache__/main.cpython-313.pyc",
        "/app/moving_complexity/main.py",
    ]


def test_the_project_is_not_installed_and_python_knows_no_version_of_it(
    extra_2: Subject, extra_3: Subject
) -> None:
    def version(subject: Subject, name: str) -> str:
        assert subject.built
        program = f"import importlib.metadata as m; print(m.version('{name}'))"
        return subject.project.run("python", "-c", program).strip()

    assert version(extra_2, "need-for-speed") == "0.1.0"
    with pytest.raises(engine.EngineError, match="PackageNotFoundError"):
        version(extra_3, "moving-complexity")


def test_its_own_tests_pass_in_a_container() -> None:
    with Subject(EXTRA_3.path) as subject:
        tests = engine.Project(subject.folder, subject.project.name, "tests")
        assert " 1 passed in " in tests.run()


@pytest.mark.parametrize("rule", ["linted", "pinned-tools"])
def test_the_dockerfile_of_the_tests_keeps_what_can_be_read_from_it(rule: str) -> None:
    with Subject(EXTRA_3.path) as subject:
        shutil.copy(subject.folder / "tests.Dockerfile", subject.dockerfile)
        finding = RULES[rule](subject)
        assert finding.verdict is Verdict.KEPT, finding
