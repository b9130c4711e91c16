"""What the README of extra 6 says beyond what the contract sees."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from series import engine
from series.contract import Subject
from series.lessons import Lesson, get
from tests.changes import change, replaced
from tests.hooks import assert_list_is_fresh, make_repository

EXTRA_6 = get("extra-6-locking-down")
ANYBODY = 'user: "12345:0"'


@pytest.fixture
def locked(subjects: Callable[[Lesson], Subject]) -> Subject:
    subject = subjects(EXTRA_6)
    assert subject.built
    return subject


@pytest.fixture(scope="module")
def running() -> Iterator[engine.Project]:
    """The lesson, running as its compose file says."""
    with Subject(EXTRA_6.path) as subject:
        assert subject.built
        subject.project.start()
        subject.project.wait_for_answer()
        yield subject.project


@pytest.fixture
def changing() -> Iterator[Subject]:
    """The lesson, to be changed before it is built."""
    with Subject(EXTRA_6.path) as subject:
        yield subject


def python(project: engine.Project, program: str) -> str:
    """What a program prints in a container of its own, with the service's settings."""
    return project.run("python", "-c", program).strip()


def status(project: engine.Project, name: str) -> str:
    """What the kernel says of the server's rights."""
    [value] = re.findall(rf"^{name}:\s*(\S+)", project.execute("cat", "/proc/1/status"), re.M)
    return value


def test_nothing_in_the_image_belongs_to_the_user_of_the_server(locked: Subject) -> None:
    assert {file.uid for file in locked.files if file.name.startswith(("/app", "/usr"))} == {0}
    assert 10001 not in {file.uid for file in locked.files}


def restrict(folder: Path) -> None:
    """Take from everybody but the owner what a clone with umask 077 does not give them."""
    for file in folder.rglob("*"):
        file.chmod(file.stat().st_mode & 0o700)


def test_files_that_only_their_owner_can_read_are_readable_in_the_image(changing: Subject) -> None:
    restrict(changing.folder)
    assert changing.life.answer.json() == {"variant": EXTRA_6.variant}
    assert "HTTPConnection" in changing.project.run("cat", "health.py")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("COPY --chmod=755 src .", "No module named 'locking_down.main'"),
        (
            "COPY --chmod=755 gunicorn.conf.py health.py ./",
            "Permission denied: '/app/gunicorn.conf.py'",
        ),
    ],
)
def test_without_the_flag_that_makes_them_readable_the_server_dies(
    changing: Subject, line: str, reason: str
) -> None:
    restrict(changing.folder)
    change(changing.dockerfile, line, line.replace("--chmod=755 ", ""))
    with pytest.raises(engine.NoAnswer, match=re.escape(reason)):
        assert changing.life


def test_the_number_of_workers_is_found_as_in_the_final_result() -> None:
    # Whose tests look at both versions of cgroups.
    here, there = (lesson.path / "gunicorn.conf.py" for lesson in (EXTRA_6, get("final-result")))
    assert here.read_bytes() == there.read_bytes()


def test_what_is_installed_is_what_extra_3_installs() -> None:
    for name in ("poetry.lock", "requirements.txt", "tests.Dockerfile"):
        before = get("extra-3-moving-complexity").path / name
        assert (EXTRA_6.path / name).read_bytes() == before.read_bytes()


def test_the_list_says_what_the_lock_says(tmp_path: Path) -> None:
    assert_list_is_fresh(make_repository(Path(shutil.copytree(EXTRA_6.path, tmp_path / "copy"))))


def test_its_own_tests_pass(running: engine.Project) -> None:
    tests = engine.Project(running.folder, running.name, "tests")
    tests.build("tests")
    assert " passed" in tests.run("poetry", "run", "pytest")


URLLIB = "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/', timeout=2)"


def test_the_health_check_does_not_go_through_a_proxy_and_urllib_does(
    running: engine.Project,
) -> None:
    proxy = "http_proxy=http://127.0.0.1:9"
    assert running.execute("env", proxy, "python", "health.py") == ""
    assert running.execute("python", "-c", URLLIB) == ""
    with pytest.raises(engine.EngineError, match="Connection refused"):
        running.execute("env", proxy, "python", "-c", URLLIB)


def test_what_is_written_to_memory_cannot_be_executed(running: engine.Project) -> None:
    for folder in ("/tmp", "/dev/shm"):
        [options] = re.findall(rf" {folder} tmpfs (\S+)", running.execute("cat", "/proc/mounts"))
        assert {"noexec", "nosuid", "size=65536k"} <= {*options.split(",")}


def test_starlette_puts_an_upload_of_more_than_a_megabyte_into_a_file(
    running: engine.Project,
) -> None:
    program = "from starlette.formparsers import MultiPartParser as p; print(p.spool_max_size)"
    assert python(running, program) == str(1024 * 1024)


# --- what takes longer ---------------------------------------------------------------------------

TRUSTED = """
from starlette.middleware.trustedhost import TrustedHostMiddleware

app.add_middleware(TrustedHostMiddleware, allowed_hosts=["shop.example", "127.0.0.1"])
"""


@pytest.mark.deep
def test_an_application_that_checks_the_host_wants_a_name_that_it_knows(changing: Subject) -> None:
    main = changing.folder / "src" / "locking_down" / "main.py"
    main.write_text(main.read_text("utf-8") + TRUSTED, "utf-8")
    health = changing.folder / "health.py"
    for host, complaint in (("localhost", "400 Bad Request"), ("shop.example", "")):
        with replaced(health, ('"Host": "localhost"', f'"Host": "{host}"')):
            changing.project.build()
            changing.project.start()
            changing.project.wait_for_answer()
        if complaint:
            with pytest.raises(engine.EngineError, match=complaint):
                changing.project.execute("python", "health.py")
        else:
            assert changing.project.execute("python", "health.py") == ""


HANGS = """
import asyncio
import pathlib


@app.middleware("http")
async def hang(request, call_next):
    if pathlib.Path("/tmp/hang").exists():
        await asyncio.Event().wait()
    return await call_next(request)
"""


@pytest.mark.deep
def test_gunicorn_replaces_a_worker_that_hangs_and_the_health_check_sees_requests_that_do(
    changing: Subject,
) -> None:
    main = changing.folder / "src" / "locking_down" / "main.py"
    main.write_text(main.read_text("utf-8") + HANGS, "utf-8")
    gunicorn = changing.folder / "gunicorn.conf.py"
    gunicorn.write_text(gunicorn.read_text("utf-8") + "\ntimeout = 2\n", "utf-8")
    often = "healthcheck: {interval: 1s, timeout: 3s, retries: 3}"
    with changing.another_life(settings=often) as project:
        # A request that waits: the worker itself is fine.
        project.execute("touch", "/tmp/hang")
        found = engine.look_again(lambda: project.health.status, lambda it: it == "unhealthy", 60)
        assert found == "unhealthy"
        assert project.log.count("Booting worker") == 1
        project.execute("rm", "/tmp/hang")
        found = engine.look_again(lambda: project.health.status, lambda it: it == "healthy", 60)
        assert found == "healthy"
        # A worker that hangs
        project.execute("sh", "-c", "kill -STOP $(cat /proc/1/task/1/children)")
        log = project.wait_for_log(lambda log: log.count("Booting worker") == 2, 60)
        assert log.count("WORKER TIMEOUT") == 1


@pytest.mark.deep
def test_a_user_without_a_name_has_a_home_where_it_can_write_only_if_the_image_says_so(
    locked: Subject,
) -> None:
    home = "import os, pathlib as p; print(p.Path.home(), os.access(p.Path.home(), os.W_OK))"
    with locked.another_life(settings=ANYBODY) as project:
        assert python(project, home) == "/ False"
        with pytest.raises(engine.EngineError, match="No username set in the environment"):
            python(project, "import getpass; getpass.getuser()")
    with locked.another_life(settings=f"{ANYBODY}, environment: {{HOME: /tmp}}") as project:
        assert python(project, home) == "/tmp True"


FOLDER = "RUN install --directory --owner=10001 --group=0 --mode=770 /data\n"


@pytest.mark.deep
@pytest.mark.parametrize("folder", ["", FOLDER])
def test_a_new_volume_belongs_to_root_unless_the_image_has_a_folder_in_its_place(
    changing: Subject, folder: str
) -> None:
    assert not folder or folder in (EXTRA_6.path / "README.md").read_text("utf-8")
    change(changing.dockerfile, "# Drop root.", f"{folder}# Drop root.")
    volumes = changing.folder.parent / "volumes.yaml"
    volumes.write_text("services: {web: {volumes: [data:/data]}}\nvolumes: {data: {}}\n", "utf-8")
    project = engine.Project(changing.folder, changing.project.name, override=volumes)
    project.build()
    for user in ("10001:10001", "12345:0"):
        text = "services: {web: {user: '%s', volumes: [data:/data]}}\nvolumes: {data: {}}\n"
        volumes.write_text(text % user, "utf-8")
        if folder:
            assert project.run("touch", f"/data/{user}") == ""
        else:
            with pytest.raises(engine.EngineError, match="Permission denied"):
                project.run("touch", f"/data/{user}")


@pytest.mark.deep
def test_a_setuid_program_gives_rights_where_new_ones_are_not_forbidden(changing: Subject) -> None:
    setuid = "RUN cp /usr/bin/id /usr/local/bin/id-of-root && chmod u+s /usr/local/bin/id-of-root\n"
    change(changing.dockerfile, "# Drop root.", f"{setuid}# Drop root.")
    assert changing.built
    assert changing.project.run("id-of-root", "-u").strip() == "10001"
    with changing.another_life(settings="security_opt: !reset []") as project:
        assert project.run("id-of-root", "-u").strip() == "0"


@pytest.mark.deep
def test_docker_leaves_fourteen_capabilities_where_none_are_taken_away(
    running: engine.Project, locked: Subject
) -> None:
    assert int(status(running, "CapBnd"), 16) == 0
    with locked.another_life(settings="cap_drop: !reset []") as project:
        assert int(status(project, "CapBnd"), 16).bit_count() == 14


@pytest.mark.deep
def test_nobody_gets_more_memory_or_processes_than_the_limit(running: engine.Project) -> None:
    killed = """python -c "b'x' * (600 << 20)" 2> /dev/null; echo $?"""
    assert running.run("sh", "-c", killed).strip() == "137"
    program = """
import threading
stop = threading.Event()
try:
    for started in range(300):
        threading.Thread(target=stop.wait).start()
except RuntimeError as refused:
    print(refused)
stop.set()
"""
    assert python(running, program) == "can't start new thread"
    assert running.wait_for_answer().status_code == 200
