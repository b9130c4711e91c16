"""What the README of the final result says beyond what the contract sees."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tomllib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from series import engine
from series.buildlog import ran
from series.contract import Subject
from series.contract.edits import edited, sources
from series.contract.processes import processes
from series.lessons import Lesson, get, load
from series.measuring.stops import service, stop_under_load
from tests.changes import change, replaced
from tests.console import Command, commands, run
from tests.guestbook import (
    assert_a_random_password_stays_in_its_volume,
    assert_it_may_use_its_tables_and_nothing_else,
    compose,
    password,
    started,
    talk_to,
    where_it_stands,
    write,
)
from tests.hooks import assert_list_is_fresh, done, make_repository

FINAL = get("final-result")
DOCKERFILE = (FINAL.path / "Dockerfile").read_text("utf-8")
SERVICES = ("web", "db")


@pytest.fixture
def final(subjects: Callable[[Lesson], Subject]) -> Subject:
    subject = subjects(FINAL)
    assert subject.built
    return subject


@pytest.fixture(scope="module")
def book() -> Iterator[engine.Project]:
    """The guest book, running as its compose file says."""
    with Subject(FINAL.path) as subject:
        assert subject.built
        subject.project.start()
        subject.project.wait_for_answer("/messages")
        yield subject.project


@pytest.fixture(scope="module")
def changing() -> Iterator[Subject]:
    """The guest book, to be built and started with one change after the other."""
    with Subject(FINAL.path) as subject:
        yield subject


def restarted(subject: Subject, path: str = "/") -> engine.Project:
    """Build what has changed and start what has changed; the database runs on."""
    subject.project.build()
    subject.project.start()
    subject.project.wait_for_answer(path)
    return subject.project


def started_with(subject: Subject, new: str, old: str = "    build: .\n") -> engine.Project:
    """Start the guest book with other lines in its compose file."""
    change(subject.folder / "compose.yaml", old, new)
    assert subject.built
    subject.project.start()
    subject.project.wait_for_answer("/messages")
    return subject.project


# --- the Dockerfile ------------------------------------------------------------------------------


def test_each_instruction_has_a_reason_and_the_lesson_that_brought_it() -> None:
    instructions = re.sub(r"\\\n", "", DOCKERFILE)
    groups = re.findall(r"^((?:# .*\n)+)((?:[A-Z]+ .*\n)+)", instructions, re.MULTILINE)
    grouped = "".join(lines for _, lines in groups)
    assert grouped == "".join(re.findall(r"^[A-Z]+ .*\n", instructions, re.MULTILINE))
    titles = [lesson.title.partition(":")[0] for lesson in load()]
    for reason, _ in groups:
        origins = re.findall(r"(?:^# |\. )(New|\w+ \d):", reason)
        assert origins
        assert {*origins} <= {"New", *titles}


def test_in_the_stage_of_the_image_nothing_runs() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    assert len(stages) == 5
    assert "\nRUN " not in stages[-1]
    assert "\nRUN " in stages[-2]


def test_an_edit_or_a_new_version_leaves_what_is_installed_alone(final: Subject) -> None:
    before = final.project.layers
    with edited(sources(final.folder)[0]):
        steps = [step.instruction for step in ran(final.project.build())]
        after = final.project.layers
        pushed = final.project.bytes_to_push(before)
    assert [layer for layer in after if layer not in before] == [after[-1]]
    assert 5_000 < pushed < 12_000
    assert [step.split()[0] for step in steps] == ["RUN", "COPY"]
    with_a_new_version = final.folder / "pyproject.toml"
    assert final.project.build()
    change(with_a_new_version, 'version = "0.1.0"', 'version = "0.1.1"')
    assert ran(final.project.build()) == []
    change(with_a_new_version, 'version = "0.1.1"', 'version = "0.1.0"')


def test_the_image_has_the_libraries_of_the_driver_and_no_package_of_them(final: Subject) -> None:
    paths = {file.name for file in final.files}
    libraries = {Path(path).name for path in paths if re.search(r"/usr/lib/[^/]+/lib[^/]+$", path)}
    assert "libpq.so.5" in libraries
    # What it needs in turn: https://packages.debian.org/stable/libpq5
    assert any(name.startswith("libldap") for name in libraries)
    program = """
import psycopg2, subprocess
subprocess.run(["dpkg-query", "--show", "--showformat", "${Package}\\n"], check=True)
print("", open("/proc/self/maps").read(), sep="\\n")
"""
    packages, _, loaded = final.project.run("python", "-uc", program).partition("\n\n")
    assert "libc6" in packages.split()
    assert "libpq5" not in packages.split()
    assert re.search(r" /usr/lib/[^/]+/libpq\.so\.5$", loaded, re.MULTILINE)


def test_the_image_is_smaller_than_that_of_extra_3_without_a_driver(
    final: Subject, subjects: Callable[[Lesson], Subject]
) -> None:
    assert final.file_bytes < subjects(get("extra-3-moving-complexity")).file_bytes


def test_bytecode_of_the_application_has_columns_and_that_of_packages_has_none(
    final: Subject,
) -> None:
    program = """
import fastapi, final_result.main
for function in (final_result.main.text, fastapi.FastAPI.__init__):
    print(any(column is not None for *_, column in function.__code__.co_positions()))
"""
    assert final.project.run("python", "-c", program).split() == ["True", "False"]


def test_a_file_that_only_its_owner_may_read_is_readable_in_the_image(changing: Subject) -> None:
    modes = {file: file.stat().st_mode for file in (changing.folder / "src").rglob("*")}
    try:
        for file in modes:
            file.chmod(0o700 if file.is_dir() else 0o600)
        project = restarted(changing)
    finally:
        for file, mode in modes.items():
            file.chmod(mode)
    assert project.wait_for_answer().json() == {"variant": FINAL.variant}


@pytest.mark.parametrize("bytecode", [True, False])
def test_a_first_start_compiles_nothing_and_without_the_stage_for_it_more_than_a_hundred_modules(
    changing: Subject, bytecode: bool
) -> None:
    stage = [] if bytecode else [("COPY --from=bytecode /build/image /\n", "")]
    variable = "      WEB_CONCURRENCY:\n"
    verbose = (variable, f"{variable}      PYTHONVERBOSE: 1\n")
    with (
        replaced(changing.folder / "Dockerfile", *stage),
        replaced(changing.folder / "compose.yaml", verbose),
    ):
        project = restarted(changing, "/messages")
        with talk_to(project) as client:
            assert write(client, "hello").status_code == 201
        log = project.log
    # Beside modules of packages: the modules of the standard library, and of the application.
    assert re.search(r"^# \S+/final_result/__pycache__/main\S+\.pyc matches ", log, re.MULTILINE)
    compiled = re.findall(r"^# code object from (/.*\.py)$", log, re.MULTILINE)
    assert len(compiled) == 0 if bytecode else len({*compiled}) > 100, compiled


# --- the container -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_limits_and_no_rights(book: engine.Project, name: str) -> None:
    container = service(book, name).container
    assert container
    settings = container.host_config
    assert settings.readonly_rootfs
    assert settings.cap_drop == ["ALL"]
    assert not settings.cap_add
    assert settings.security_opt == ["no-new-privileges:true"]
    assert settings.memory > 0
    rights = service(book, name).execute("cat", "/proc/1/status")
    assert re.search(r"^CapBnd:\s0{16}$", rights, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s1$", rights, re.MULTILINE)
    assert not re.search(r"^Uid:.*\b0\b", rights, re.MULTILINE)


def test_a_random_password_stays_in_its_volume() -> None:
    assert_a_random_password_stays_in_its_volume(FINAL.path)


def test_the_application_may_use_its_tables_and_nothing_else(book: engine.Project) -> None:
    assert_it_may_use_its_tables_and_nothing_else(book)


def test_a_password_in_a_file_that_only_its_owner_may_read_is_used(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FINAL.path, tmp_path / FINAL.folder))
    secrets = folder / ".secrets"
    secrets.mkdir(mode=0o700)
    (secrets / "password").write_text("my own\n", "utf-8")
    for path in (secrets / "password", *(folder / "database").iterdir()):
        path.chmod(0o600)
    for path in (secrets / "password", secrets):
        os.chown(path, 12345, 12345)
    with started(folder) as book:
        assert password(book) == "my own"
        assert where_it_stands(book, "my own") == []
        with talk_to(book) as client:
            assert write(client, "with my own password").status_code == 201


def test_a_password_that_cannot_be_read_is_told_in_one_line(book: engine.Project) -> None:
    compose(book, "run --rm --entrypoint 'chmod 600 /run/secrets/password' setup")
    try:
        compose(book, "restart web")
        book.wait_for_answer()
        with talk_to(book) as client:
            assert client.get("/messages").status_code == 503
    finally:
        compose(book, "run --rm setup")
    told = "The database does not answer: [Errno 13] Permission denied: '/run/secrets/password'"
    assert told in book.log
    assert "Traceback" not in book.log
    book.wait_for_answer("/messages")


def test_the_guest_book_keeps_what_is_written(book: engine.Project) -> None:
    with talk_to(book) as client:
        known = write(client, "kept").json()
    book.down()
    book.start()
    book.wait_for_answer()
    with talk_to(book) as client:
        assert client.get("/messages").json()[0] == known


def test_its_own_tests_and_linter_pass(book: engine.Project) -> None:
    [typed] = [
        command
        for command in commands(FINAL.path / "README.md", "Running the example")
        if command.line.startswith("docker compose run ")
    ]
    said = run(typed, book.folder, book.environment).splitlines()
    assert {*typed.shown} <= {*said}
    assert "All checks passed!" in service(book, "tests").run("poetry", "run", "ruff", "check")


def test_the_list_says_what_the_lock_says(tmp_path: Path) -> None:
    assert_list_is_fresh(make_repository(Path(shutil.copytree(FINAL.path, tmp_path / "copy"))))


def test_the_lock_is_that_of_extra_1() -> None:
    def versions(folder: str) -> dict[str, str]:
        lock = tomllib.loads((get(folder).path / "poetry.lock").read_text("utf-8"))
        return {package["name"]: package["version"] for package in lock["package"]}

    assert versions("final-result") == versions("extra-1-compiling-dependencies")


WORKERS = [
    # cpus, another line for the service, and how many workers there are
    ("0.5", "", 1),
    ("1", "", 1),
    ("0", "", 2),
    ("1", "      WEB_CONCURRENCY: 3\n", 3),
]


@pytest.mark.parametrize(("cpus", "line", "workers"), WORKERS)
def test_there_is_a_worker_for_each_processor_of_the_limit_and_two_without(
    changing: Subject, monkeypatch: pytest.MonkeyPatch, cpus: str, line: str, workers: int
) -> None:
    monkeypatch.setenv("CPUS", cpus)
    changes = [("      WEB_CONCURRENCY:\n", line)] if line else []
    with replaced(changing.folder / "compose.yaml", *changes):
        project = restarted(changing)
        booted = "Application startup complete."
        log = project.wait_for_log(lambda log: log.count(booted) >= workers, 30)
        assert log.count(booted) == workers
        assert len([one for one in processes(project) if one.parent == 1]) == workers


CGROUPS = [
    # the files that say how much of the processors a container may use, and how many workers
    ({"cpu.max": "max 100000\n"}, 2),
    ({"cpu.max": "50000 100000\n"}, 1),
    ({"cpu.max": "250000 100000\n"}, 3),
    ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2),
    ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
    ({}, 2),
]


def test_both_versions_of_cgroups_are_understood(final: Subject) -> None:
    program = """
import json, pathlib, sys, tempfile
settings = pathlib.Path("/app/gunicorn.conf.py").read_text()
assert settings.count("/sys/fs/cgroup") == 1
for files in json.loads(sys.argv[1]):
    root = pathlib.Path(tempfile.mkdtemp())
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    exec(settings.replace("/sys/fs/cgroup", str(root)), found := {})
    print(found["workers"])
"""
    files = json.dumps([files for files, _ in CGROUPS])
    said = final.project.run("python", "-c", program, files)
    assert [int(number) for number in said.split()] == [workers for _, workers in CGROUPS]


# --- what takes longer ---------------------------------------------------------------------------


@pytest.mark.deep
def test_it_runs_as_an_arbitrary_user_without_a_home_and_is_silent() -> None:
    with Subject(FINAL.path) as subject:
        project = started_with(subject, '    build: .\n    user: "12345:0"\n')
        with talk_to(project) as client:
            assert write(client, "from somebody").status_code == 201
        assert {user for one in processes(project) for user in one.users} == {12345}
        assert project.stop() == 0
        log = project.log
    assert [line for line in log.splitlines() if "[INFO]" not in line] == []


@pytest.mark.deep
def test_with_a_root_that_cannot_be_written_to_it_is_silent_and_nothing_is_written(
    book: engine.Project,
) -> None:
    with talk_to(book) as client:
        assert write(client, "written to the database").status_code == 201
    assert [line for line in book.log.splitlines() if "[INFO]" not in line] == []
    with pytest.raises(engine.EngineError, match="Read-only file system"):
        book.execute("touch", "/app/file")
    assert book.execute("find", "/tmp", "-mindepth", "1") == ""


@pytest.mark.deep
@pytest.mark.usefixtures("no_attestations")
def test_two_clones_built_from_nothing_are_the_same_image() -> None:
    digests = []
    # Compose notes the project's name in the image, so it is the same here.
    with Subject(FINAL.path) as subject:
        dockerfile = subject.dockerfile.read_text("utf-8")
        for mode in (0o644, 0o600):
            for file in (subject.folder / "src").rglob("*.*"):
                file.chmod(mode)
                os.utime(file)  # as a clone of this moment has it
            # Nothing that an earlier build has kept in a cache mount is there.
            new = dockerfile.replace("type=cache,", f"type=cache,id={uuid.uuid4()},")
            subject.dockerfile.write_text(new, "utf-8")
            subject.project.build(cache=False, arguments={"SOURCE_DATE_EPOCH": "1700000000"})
            digests.append((subject.project.image_id, subject.project.layers))
    assert digests[0] == digests[1]


@pytest.mark.deep
def test_a_copy_becomes_a_project_of_its_own_as_the_summary_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    summary = (FINAL.path / "README.md").read_text("utf-8").partition("\n## Summary\n")[2]
    commands_there = re.findall(r"`((?:docker|git|pre-commit) .+?)`", summary)
    build, lock, install, add, commit, again, start, test, end = commands_there

    with Subject(FINAL.path) as subject:
        folder, project = subject.folder, subject.project

        def typed(command: str, *shown: str) -> str:
            return run(Command(command, [*shown]), folder, project.environment)

        done(folder, "init", "--quiet")
        done(folder, "add", ".")
        done(folder, "commit", "--message", "A copy")
        typed(build)
        done(folder, "mv", "src/final_result", "src/shop")
        for name in done(folder, "ls-files").split():
            file = folder / name
            if file.suffix not in (".md", ".txt", ".lock"):
                text = re.sub("final.result|guestbook", "shop", file.read_text("utf-8"))
                file.write_text(text, "utf-8")
        change(folder / "pyproject.toml", 'prod = ["', 'prod = ["itsdangerous", "')
        typed(lock)
        assert service(project, "db").container is None
        typed(install)
        typed(add)
        typed(commit, "….Failed")
        typed(again)
        typed(commit)
        assert done(folder, "status", "--porcelain") == ""
        typed(start)
        with talk_to(project) as client:
            assert write(client, "in a shop").status_code == 201
        assert project.execute("python", "-c", "import itsdangerous, shop") == ""
        assert re.search(r"^=+ \d+ passed in ", typed(test), re.MULTILINE)
        typed(end)
        assert not project.remains


STOPS = 20


@pytest.mark.deep
def test_a_stop_under_load_loses_no_request_that_was_begun(
    monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    with Subject(FINAL.path) as subject:
        assert subject.built
        found = stop_under_load(subject.project, STOPS)
    record_property(f"{STOPS} stops under load", dict(found))
    faults = ("cut", "forgotten", "lost", "unconfirmed", "unclean")
    assert {fault: found[fault] for fault in faults} == dict.fromkeys(faults, 0)
    assert found["held"] >= STOPS
    assert found["answered"] > 100 * STOPS
