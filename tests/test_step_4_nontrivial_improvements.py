"""What the README of step 4 says beyond what the contract sees."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from series import engine
from series.buildlog import ran
from series.contract import Finding, Subject
from series.lessons import Lesson, get

STEP_3 = get("step-3-basic-improvements")
STEP_4 = get("step-4-nontrivial-improvements")

EXPORT = "RUN poetry export --with prod --output /requirements.txt"
INSTALL = "RUN pip install --no-cache-dir --require-hashes -r requirements.txt"
FOR_AN_EDIT = [
    "COPY . .",
    "RUN poetry build --format wheel --output /dist",
    "COPY --from=builder /dist/*.whl .",
    "RUN pip install --no-cache-dir --no-deps ./*.whl",
]
PACKAGES = "/usr/local/lib/python3.13/site-packages"
COMPILED = "import pathlib; print(*pathlib.Path('/').glob('[!ps]*/**/*.pyc'), sep='\\n')"


@pytest.fixture
def step_3(subjects: Callable[[Lesson], Subject]) -> Subject:
    return subjects(STEP_3)


@pytest.fixture
def step_4(subjects: Callable[[Lesson], Subject]) -> Subject:
    return subjects(STEP_4)


def size(subject: Subject) -> int:
    """The bytes in all files of the image."""
    return sum(file.size for file in subject.files if file.isfile())


def compiled(subject: Subject) -> set[str]:
    return {file.name for file in subject.files if file.name.endswith(".pyc")}


def test_after_an_edit_four_instructions_run_again(find: Callable[[Lesson, str], Finding]) -> None:
    again = re.findall("^ran again: (.*)", find(STEP_4, "edit-keeps-dependencies").evidence, re.M)
    assert again == FOR_AN_EDIT


@pytest.mark.deep
def test_a_new_version_of_the_project_exports_again_and_installs_only_the_project() -> None:
    with Subject(STEP_4.path) as subject:
        assert INSTALL in {step.instruction for step in subject.built}
        pyproject = subject.folder / "pyproject.toml"
        version = f"0.1.{time.time_ns()}"
        text = pyproject.read_text(encoding="utf-8")
        pyproject.write_text(text.replace('"0.1.0"', f'"{version}"'), encoding="utf-8")
        again = [step.instruction for step in ran(subject.project.build())]
        assert {*again} == {"COPY pyproject.toml poetry.lock ./", EXPORT, *FOR_AN_EDIT}
        program = "import importlib.metadata as metadata; print(metadata.version('nontrivial'))"
        assert subject.project.run("python", "-c", program).strip() == version


@pytest.mark.deep
def test_a_package_with_another_hash_is_refused(tmp_path: Path) -> None:
    copy = tmp_path / STEP_4.folder
    shutil.copytree(STEP_4.path, copy)
    lock = copy / "poetry.lock"
    before, name, after = lock.read_text(encoding="utf-8").partition('name = "fastapi"')
    spoiled, end, rest = after.partition("\n]")
    spoiled = re.sub(r"sha256:.....", "sha256:00000", spoiled)
    lock.write_text(f"{before}{name}{spoiled}{end}{rest}", encoding="utf-8")
    with Subject(copy) as subject, pytest.raises(engine.BuildError) as refused:
        assert subject.built
    assert f"It fails at: {INSTALL}" in str(refused.value)
    assert re.search(r"DO NOT MATCH THE HASHES.*\n.*fastapi==", str(refused.value))


@pytest.mark.deep
def test_poetry_builds_the_wheel_without_fetching_and_pip_would_fetch_the_backend(
    tmp_path: Path,
) -> None:
    copy = tmp_path / STEP_4.folder
    shutil.copytree(STEP_4.path, copy)
    # The first stage, in a container without a network.
    settings = "services: {web: {build: {context: ., target: builder}, network_mode: none}}"
    (copy / "compose.yaml").write_text(settings, encoding="utf-8")
    with Subject(copy) as subject:
        assert subject.built
        said = subject.project.run("poetry", "build", "--format", "wheel", "--output", "/tmp")
        assert "Built nontrivial-0.1.0" in said
        with pytest.raises(engine.EngineError, match=r"No matching distribution.*poetry-core"):
            subject.project.run("pip", "install", "--retries", "0", "--no-deps", ".")


def test_the_code_is_there_once_and_that_copy_runs(step_4: Subject) -> None:
    copies = [file.name for file in step_4.files if file.name.endswith("/nontrivial/main.py")]
    assert copies == [f"{PACKAGES}/nontrivial/main.py"]
    program = "import nontrivial.main; print(nontrivial.main.__file__)"
    assert step_4.project.run("python", "-c", program).strip() == copies[0]


def test_gunicorn_would_import_a_second_copy_in_its_folder(step_4: Subject) -> None:
    assert step_4.built
    script = (
        f"cp -r {PACKAGES}/nontrivial . && echo 'print(__file__)' >> nontrivial/main.py && "
        "gunicorn --check-config nontrivial.main:app"
    )
    assert step_4.project.run("sh", "-c", script).strip() == "/app/nontrivial/main.py"


def test_files_of_ours_do_not_get_in_the_way(tmp_path: Path) -> None:
    copy = tmp_path / STEP_4.folder
    shutil.copytree(STEP_4.path, copy)
    (copy / "requirements.txt").write_text("no-such-package==1\n", encoding="utf-8")
    (copy / "dist").mkdir()
    (copy / "dist" / "nontrivial-0.0.1-py3-none-any.whl").write_text("old", encoding="utf-8")
    with Subject(copy) as subject:
        assert subject.built


def test_there_is_no_virtual_environment(step_3: Subject, step_4: Subject) -> None:
    def environments(subject: Subject) -> list[str]:
        return [file.name for file in subject.files if file.name.endswith("/pyvenv.cfg")]

    assert len(environments(step_3)) == 1
    assert environments(step_4) == []


def test_the_image_is_more_than_80_megabytes_smaller(step_3: Subject, step_4: Subject) -> None:
    assert size(step_3) - size(step_4) > 80_000_000


def test_a_running_container_writes_no_bytecode_and_before_it_wrote_hundreds(
    step_3: Subject, step_4: Subject
) -> None:
    def written(subject: Subject) -> set[str]:
        with subject.another_life() as project:
            return {*project.execute("python3", "-c", COMPILED).split()} - compiled(subject)

    assert len(written(step_3)) > 200
    assert written(step_4) == set()


def test_pip_compiles_what_it_installs_and_nothing_of_the_standard_library(
    step_3: Subject, step_4: Subject
) -> None:
    def library(subject: Subject) -> set[str]:
        inside = re.compile(r"/usr/local/lib/python3\.13/(?!site-packages/)")
        return {name for name in compiled(subject) if inside.match(name)}

    assert any(name.startswith(f"{PACKAGES}/fastapi/") for name in compiled(step_4))
    assert any(name.startswith(f"{PACKAGES}/nontrivial/") for name in compiled(step_4))
    assert library(step_3)
    assert library(step_4) == set()


def test_pip_does_not_look_for_a_newer_pip(step_3: Subject, step_4: Subject) -> None:
    for subject, silenced in [(step_3, False), (step_4, True)]:
        assert subject.built
        settings = subject.project.run("pip", "config", "list")
        assert ("disable-pip-version-check='1'" in settings) is silenced


def test_assertions_count(step_4: Subject) -> None:
    assert step_4.built
    with pytest.raises(engine.EngineError, match="AssertionError"):
        step_4.project.run("python", "-c", "assert False")
    step_4.project.run("python", "-O", "-c", "assert False")


def test_two_files_that_nobody_needs_stay_behind(step_4: Subject) -> None:
    app = {file.name for file in step_4.files if file.name.startswith("/app/")}
    wheel = "/app/nontrivial-0.1.0-py3-none-any.whl"
    assert app == {"/app/gunicorn.conf.py", "/app/requirements.txt", wheel}


def test_the_dockerfile_has_more_than_twice_as_many_instructions() -> None:
    def instructions(lesson: Lesson) -> int:
        text = (lesson.path / "Dockerfile").read_text(encoding="utf-8")
        return len(re.findall(r"^[A-Z]+ ", text, re.MULTILINE))

    assert instructions(STEP_4) > 2 * instructions(STEP_3)
