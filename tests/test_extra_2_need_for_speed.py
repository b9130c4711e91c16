"""What the README of extra 2 says beyond what the contract sees."""

from __future__ import annotations

import re
import subprocess
import uuid
from collections import Counter
from collections.abc import Callable

import pytest

from series import engine, measuring
from series.buildlog import ran
from series.contract import Finding, Subject
from series.lessons import Lesson, get
from tests.speed import compiled_at_start, rewrite, sent

STEP_1 = get("step-1-kiss-requirements")
STEP_2 = get("step-2-kiss-poetry")
STEP_5 = get("step-5-larger-project")
EXTRA_2 = get("extra-2-need-for-speed")

WHEEL = "RUN poetry build --format wheel --output /dist"
LIBRARY = "/usr/local/lib/python3.13"
KINDS = {
    "pip": rf"{LIBRARY}/site-packages/pip/",
    "the application": rf"{LIBRARY}/site-packages/need_for_speed/",
    "the dependencies": rf"{LIBRARY}/site-packages/",
    "the standard library": rf"{LIBRARY}/",
}
COMPILED = "import pathlib; print(*pathlib.Path('/').glob('[!ps]*/**/*.pyc'), sep='\\n')"


@pytest.fixture
def step_5(subjects: Callable[[Lesson], Subject]) -> Subject:
    return subjects(STEP_5)


@pytest.fixture
def extra_2(subjects: Callable[[Lesson], Subject]) -> Subject:
    return subjects(EXTRA_2)


@pytest.fixture(scope="module")
def changed() -> dict[str, str]:
    """The lesson's files that a new dependency changes."""
    with Subject(EXTRA_2.path) as subject:
        return measuring.with_a_new_dependency(subject)


def kind(path: str) -> str:
    """Of which kind a module of Python in the image is."""
    return next(
        (kind for kind, folder in KINDS.items() if re.match(folder, path)), "something else"
    )


def compiled(subject: Subject) -> Counter[str]:
    """How many files of bytecode of each kind are in the image."""
    return Counter(kind(file.name) for file in subject.files if file.name.endswith(".pyc"))


@pytest.mark.deep
@pytest.mark.parametrize(
    ("where", "again"),
    [
        ("in pip's cache, if the index forbids it", True),
        ("in pip's cache, if the index allows it", False),
        ("in `/wheels`, if the index forbids pip's cache", False),
    ],
)
def test_after_a_new_dependency_the_others_are_downloaded_again_or_not(
    index: engine.Project, changed: dict[str, str], where: str, again: bool
) -> None:
    before = sent(index)
    with Subject(EXTRA_2.path) as subject:
        rewrite(subject, measuring.downloads(index.address)[where])
        received = measuring.rebuild_after_a_dependency(changed, subject)["received"]
    after = sent(index) - before
    [new] = [name for name in after if name.startswith("itsdangerous-")]
    assert after.pop(new) == 1
    assert {name.partition("-")[0] for name in after} >= {"fastapi", "gunicorn", "pydantic_core"}
    assert {*after.values()} == {2 if again else 1}
    assert (received > 3_000_000) is again


@pytest.mark.deep
def test_what_comes_from_pips_cache_is_compared_with_the_hash_in_the_lock(
    index: engine.Project,
) -> None:
    with Subject(EXTRA_2.path) as subject:
        allowed = measuring.downloads(index.address)["in pip's cache, if the index allows it"]
        rewrite(subject, allowed, again=True)
        assert subject.built
        before = sent(index)
        lock = subject.folder / "poetry.lock"
        text = lock.read_text("utf-8")
        fastapi = text.index('name = "fastapi"')
        spoiled = text[fastapi:].replace("sha256:", "sha256:0000", 2)
        spoiled = re.sub(r"sha256:0000(\w{60})\w{4}", r"sha256:0000\1", spoiled)
        lock.write_text(text[:fastapi] + spoiled, "utf-8")
        with pytest.raises(engine.BuildError, match=r"DO NOT MATCH THE HASHES.*\n.*fastapi=="):
            subject.project.build()
        assert sent(index) == before


# Of its source archive alone, so that pip has to build it.
BUILT = (
    "itsdangerous==2.2.0 "
    "--hash=sha256:e0050c0b7da1eea53ffaf149c0cfbb5c6e2e2b69c4bef22c81fa6eb73e5f6173"
)


def instruction() -> str:
    """The instruction that the README has for indexes which forbid pip to keep what it gets."""
    page = (EXTRA_2.path / "README.md").read_text("utf-8")
    [shown] = re.findall(r"^```dockerfile\n(RUN .*?)```$", page, re.MULTILINE | re.DOTALL)
    return shown


@pytest.mark.deep
def test_pip_keeps_what_it_has_built_also_where_the_index_forbids_it(
    index: engine.Project, project: Callable[..., engine.Project]
) -> None:
    small = project()
    cache, said = uuid.uuid4(), []
    for _ in range(2):
        (small.folder / "Dockerfile").write_text(
            f"FROM python:3.13-slim-trixie\n{measuring.ask(index.address, 'forget')}"
            f"RUN pip install --no-cache-dir flit-core==3.12.0 && echo {BUILT} > list.txt\n"
            f"ENV NEVER_BUILT={uuid.uuid4()}\n"
            f"RUN --mount=type=cache,id={cache},target=/root/.cache/pip "
            "pip install --no-build-isolation --require-hashes -r list.txt\n"
        )
        said.append("\n".join(small.build()[-1].output))
    assert "Building wheel for itsdangerous" in said[0]
    assert "Using cached itsdangerous-2.2.0-py3-none-any.whl" in said[1]
    assert "Building wheel" not in said[1]


@pytest.mark.deep
def test_in_the_folder_every_dependency_has_to_be_a_wheel(
    index: engine.Project, project: Callable[..., engine.Project]
) -> None:
    dockerfile = (
        f"FROM python:3.13-slim-trixie AS builder\nRUN echo {BUILT} > /requirements.txt\n"
        f"FROM python:3.13-slim-trixie\n{measuring.ask(index.address, 'forget')}{instruction()}"
    )
    small = project(Dockerfile=measuring.never_built(dockerfile))
    with pytest.raises(
        engine.BuildError, match=r"(?s)Saved \./wheels/itsdangerous.*satisfies.*flit_core"
    ):
        small.build()


def test_the_instruction_for_other_indexes_is_the_one_that_was_measured() -> None:
    dockerfile = (EXTRA_2.path / "Dockerfile").read_text("utf-8")
    assert instruction() not in dockerfile
    assert instruction() in measuring.variant(dockerfile, measuring.WHEELS)


@pytest.mark.deep
def test_poetry_downloads_only_what_is_new_for_the_tests(changed: dict[str, str]) -> None:
    with Subject(EXTRA_2.path) as subject:
        new = "find /root/.cache/pypoetry/artifacts -name '*.whl' -newer /before -printf '%f\\n'"
        install = "poetry install --no-root"
        rewrite(subject, {install: f"touch /before && {install} && {new}"}, again=True)
        downloaded = []
        for edit in ({}, changed):
            for name, text in edit.items():
                (subject.folder / name).write_text(text, "utf-8")
            again = ran(subject.project.build("tests"))
            [done] = [step for step in again if "poetry install" in step.instruction]
            downloaded.append([line for line in done.output if line.endswith(".whl")])
    assert len(downloaded[0]) > 15
    assert [name.partition("-")[0] for name in downloaded[1]] == ["itsdangerous"]


@pytest.mark.deep
def test_with_poetrys_whole_cache_in_a_mount_the_environment_is_gone() -> None:
    with Subject(EXTRA_2.path) as subject:
        rewrite(subject, {"target=/root/.cache/pypoetry/artifacts": "target=/root/.cache/pypoetry"})
        assert subject.project.build("tests")
        tests = engine.Project(subject.folder, subject.project.name, "tests")
        with pytest.raises(engine.EngineError, match="Command not found: pytest"):
            tests.run()


def test_its_own_tests_pass_in_a_container() -> None:
    with Subject(EXTRA_2.path) as subject:
        tests = engine.Project(subject.folder, subject.project.name, "tests")
        assert " 1 passed in " in tests.run()


@pytest.mark.parametrize(
    ("variant", "kinds"),
    [
        ("nothing", set()),
        ("the dependencies", {"the dependencies"}),
        ("and the application, as in step 5", {"the dependencies", "the application"}),
        ("and pip", {*KINDS}),
    ],
)
def test_a_variant_has_the_bytecode_that_its_name_says(variant: str, kinds: set[str]) -> None:
    with Subject(EXTRA_2.path) as subject:
        rewrite(subject, measuring.BYTECODE[variant])
        assert {*compiled(subject)} == kinds


def test_every_module_of_the_library_the_dependencies_and_the_application_has_bytecode(
    extra_2: Subject,
) -> None:
    sources = Counter(kind(file.name) for file in extra_2.files if file.name.endswith(".py"))
    assert "pip" not in compiled(extra_2)
    for one in ("the standard library", "the dependencies", "the application"):
        assert compiled(extra_2)[one] == sources[one] > 1


@pytest.mark.deep
def test_pip_has_compiled_what_it_installed_since_step_1_and_poetry_and_copy_nothing(
    subjects: Callable[[Lesson], Subject],
) -> None:
    def has_bytecode(lesson: Lesson, package: str) -> bool:
        wanted = re.compile(rf".*/{package}/__pycache__/")
        return any(wanted.match(file.name) for file in subjects(lesson).files)

    assert has_bytecode(STEP_1, "fastapi")
    assert not has_bytecode(STEP_1, "kiss")
    assert not has_bytecode(STEP_2, "fastapi")


def test_a_start_compiles_nothing_and_in_step_5_hundreds_of_modules(
    step_5: Subject, extra_2: Subject
) -> None:
    assert compiled_at_start(extra_2, "need_for_speed") == []
    assert len(compiled_at_start(extra_2, "need_for_speed", "PYTHONPYCACHEPREFIX=/nowhere")) > 300
    before = [kind(path) for path in compiled_at_start(step_5, "larger_project")]
    assert len(before) > 100
    assert {*before} == {"the standard library"}


def test_a_running_container_writes_no_bytecode_and_reads_what_is_there(extra_2: Subject) -> None:
    with extra_2.another_life() as project:
        found = {*project.execute("python3", "-c", COMPILED).split()}
    assert found == {file.name for file in extra_2.files if file.name.endswith(".pyc")}


def test_compileall_succeeds_where_the_folder_is_not_there(extra_2: Subject) -> None:
    assert extra_2.built
    said = extra_2.project.run("python", "-m", "compileall", "-q", "/usr/local/lib/python3.99")
    assert said == "Can't list '/usr/local/lib/python3.99'"


def test_compileall_does_not_look_at_the_variable_and_import_does(extra_2: Subject) -> None:
    assert extra_2.built
    script = (
        'test "$PYTHONDONTWRITEBYTECODE" && cd /tmp && touch one.py two.py && '
        "python -c 'import one' && python -m compileall -q two.py && ls __pycache__"
    )
    assert extra_2.project.run("sh", "-c", script).split() == ["two.cpython-313.pyc"]


def test_the_list_and_the_wheel_are_lent_and_leave_nothing_behind(
    step_5: Subject, extra_2: Subject
) -> None:
    def left(subject: Subject) -> list[str]:
        inside = re.compile(r"/(?:app|dist|wheels|requirements\.txt|root/\.cache)(?:/.*)?")
        return [file.name for file in subject.files if inside.fullmatch(file.name)]

    assert left(extra_2) == ["/app", "/app/gunicorn.conf.py"]
    assert len(left(step_5)) == 4


def test_after_an_edit_three_instructions_run_again(find: Callable[[Lesson, str], Finding]) -> None:
    again = re.findall("^ran again: (.*)", find(EXTRA_2, "edit-keeps-dependencies").evidence, re.M)
    assert again[:2] == ["COPY src src", WHEEL]
    assert [re.search("pip install.*", last)[0] for last in again[2:]] == [
        "pip install --no-cache-dir --no-deps /dist/*.whl"
    ]


@pytest.mark.deep
def test_a_new_version_of_the_project_installs_no_dependency_again() -> None:
    with Subject(EXTRA_2.path) as subject:
        assert any("--require-hashes" in step.instruction for step in subject.built)
        pyproject = subject.folder / "pyproject.toml"
        version = f'"0.1.{uuid.uuid4().int}"'
        text = pyproject.read_text("utf-8")
        pyproject.write_text(text.replace('"0.1.0"', version), "utf-8")
        again = [step.instruction for step in ran(subject.project.build())]
    assert any("poetry export" in instruction for instruction in again)
    assert not any("--require-hashes" in instruction for instruction in again)


def test_the_image_is_less_than_half_as_large(step_5: Subject, extra_2: Subject) -> None:
    assert 2 * extra_2.file_bytes < step_5.file_bytes


def test_the_slim_image_has_no_curl_no_git_and_no_ps(step_5: Subject, extra_2: Subject) -> None:
    def tools(subject: Subject) -> set[str]:
        programs = {file.name.rpartition("/")[2] for file in subject.files if "bin/" in file.name}
        return programs & {"curl", "git", "ps"}

    assert tools(step_5) == {"curl", "git", "ps"}
    assert tools(extra_2) == set()


def test_the_command_that_shows_cache_mounts_shows_them(extra_2: Subject) -> None:
    assert extra_2.built
    command = "docker buildx du --verbose --filter type=exec.cachemount"
    assert command in (EXTRA_2.path / "README.md").read_text("utf-8")
    said = subprocess.run(command.split(), capture_output=True, text=True, check=True)
    assert "/root/.cache/pip" in said.stdout


FIGURES = measuring.load()


def median(table: str, variant: str, what: str) -> float:
    return measuring.median(FIGURES[table][variant][what])


def test_the_figures_are_those_of_the_lesson_as_it_is() -> None:
    assert FIGURES["lesson"] == measuring.digest(), "Type: make measure"
    runs = [
        len(samples)
        for table in ("downloads", "bytecode")
        for variant in FIGURES[table].values()
        for samples in variant.values()
    ]
    assert min(runs) >= measuring.ENOUGH
    assert len({*runs}) == 1


def test_the_figures_of_downloads_say_what_the_readme_says() -> None:
    nowhere, refused, allowed, folder = FIGURES["downloads"]
    received = {name: median("downloads", name, "received") for name in FIGURES["downloads"]}
    assert received[refused] == pytest.approx(received[nowhere], rel=0.02)
    assert received[allowed] < received[nowhere] / 50
    assert received[allowed] < received[folder] < received[nowhere] / 2
    seconds = [median("downloads", name, "seconds") for name in FIGURES["downloads"]]
    assert max(seconds) == median("downloads", folder, "seconds") < 1.3 * min(seconds)


def test_the_figures_of_bytecode_say_what_the_readme_says() -> None:
    nothing, dependencies, application, library, pip = FIGURES["bytecode"]
    assert median("bytecode", application, "0.25") - median("bytecode", library, "0.25") > 0.7
    for cpus in ("0.25", "1"):
        start = {name: median("bytecode", name, cpus) for name in FIGURES["bytecode"]}
        saved = start[nothing] - start[dependencies]
        assert saved > start[application] - start[library] > start[nothing] / 10
        assert start[application] == pytest.approx(start[dependencies], rel=0.1)
        assert start[pip] == pytest.approx(start[library], rel=0.1)
    above = {name: median("bytecode", name, "above") for name in FIGURES["bytecode"]}
    assert above[library] - above[application] == pytest.approx(above[nothing], rel=0.1)
    assert median("bytecode", pip, "edit") < 0.95 * median("bytecode", library, "edit")
