"""What the README of extra 4 says beyond what the contract sees."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from series import engine
from series.buildlog import ran
from series.contract import Subject
from series.contract.processes import processes
from series.lessons import Lesson, get
from tests.changes import replaced
from tests.console import Command, commands, run
from tests.debugging import Debugger

STEP_5 = get("step-5-larger-project")
EXTRA_4 = get("extra-4-dev-and-prod")
README = EXTRA_4.path / "README.md"
CODE = Path("src", "dev_and_prod", "main.py")
PACKAGES = "/opt/venv/lib/python3.13/site-packages"
INSTALL = "poetry install --no-root --without dev --with prod --compile"
SOMEBODY, THEIR_GROUP = 1234, 1235


def somebodys(folder: Path) -> None:
    """Have a folder belong to a user who is not root, with all that is in it."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, SOMEBODY, THEIR_GROUP, follow_symlinks=False)
    assert folder.stat().st_uid != 0


def shipped(subject: Subject) -> engine.Project:
    """Production, in the folder of a project and under its name."""
    return engine.Project(subject.folder, subject.project.name, file=EXTRA_4.judged)


def owners(folder: Path) -> set[tuple[int, int]]:
    """The users and groups to whom things in a folder belong."""
    seen = [path.lstat() for path in (folder, *folder.rglob("*"))]
    return {(one.st_uid, one.st_gid) for one in seen}


@pytest.fixture(scope="module")
def development() -> Iterator[Subject]:
    """The container for development, in the folder of somebody who has a .venv of no use to it."""
    with Subject(EXTRA_4.path) as subject:
        programs = subject.folder / ".venv" / "bin"
        programs.mkdir(parents=True)
        (programs.parent / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.9\n")
        for name in ("gunicorn", "poetry", "pytest", "python", "ruff", "uvicorn"):
            (programs / name).write_text("#!/bin/sh\nexit 17\n")
            (programs / name).chmod(0o755)
        somebodys(subject.folder)
        assert subject.built
        subject.project.start()
        subject.project.wait_for_answer()
        yield subject


@pytest.fixture(scope="module")
def production(subjects: Callable[[Lesson], Subject]) -> Subject:
    return subjects(EXTRA_4)


def ask_once(project: engine.Project) -> str:
    """The answer; empty if there is none in three seconds."""
    with suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{project.port}/", timeout=3, trust_env=False).text
    return ""


def answered(project: engine.Project, text: str) -> bool:
    """Whether the application answers like that before long."""
    return engine.look_again(lambda: ask_once(project), lambda seen: seen == text) == text


def wait_until_it_has_looked(project: engine.Project) -> None:
    """Wait until Uvicorn, which goes to sleep after each look at the files, has looked anew."""

    def sleeps() -> int:
        status = project.execute("cat", "/proc/1/status")
        return int(re.findall(r"^voluntary_ctxt_switches:\s*(\d+)", status, re.MULTILINE)[0])

    enough = sleeps() + 3
    assert engine.look_again(sleeps, lambda slept: slept >= enough) >= enough


def answer(variant: str) -> str:
    return f'{{"variant":"{variant}"}}'


# --- the container for development ---------------------------------------------------------------


def test_an_edit_on_the_host_changes_the_answer_without_a_build(development: Subject) -> None:
    project = development.project
    before = project.container
    assert before
    wait_until_it_has_looked(project)
    with replaced(development.folder / CODE, ("dev-and-prod", "edited")):
        assert answered(project, answer("edited")), project.log
        wait_until_it_has_looked(project)
    assert answered(project, answer("dev-and-prod")), project.log
    after = project.container
    assert after
    assert (after.id, after.state.started_at) == (before.id, before.state.started_at)


def test_after_a_typing_error_it_goes_on_with_the_next_save(development: Subject) -> None:
    project = development.project
    wait_until_it_has_looked(project)
    with replaced(development.folder / CODE, ("app = FastAPI()", "app = FastAPI(")):
        reason = "SyntaxError: '(' was never closed"
        seconds = engine.ANSWER_SECONDS
        assert reason in project.wait_for_log(lambda log: reason in log, seconds)
        assert ask_once(project) == ""
        wait_until_it_has_looked(project)
    assert answered(project, answer("dev-and-prod")), project.log


def test_its_server_is_process_1_and_the_owner_of_the_folder(development: Subject) -> None:
    first, *others = processes(development.project)
    assert "/opt/venv/bin/uvicorn" in first.words
    assert others
    owner = development.folder.stat().st_uid
    assert {user for one in (first, *others) for user in one.users} == {owner}


def test_a_venv_on_the_host_neither_hides_the_environment_nor_gets_into_an_image(
    development: Subject,
) -> None:
    project = development.project
    assert project.execute("poetry", "env", "info", "--path").strip() == "/opt/venv"
    where = "import gunicorn, dev_and_prod as own; print(gunicorn.__file__, own.__file__)"
    assert project.execute("python", "-c", where).split() == [
        f"{PACKAGES}/gunicorn/__init__.py",
        "/app/src/dev_and_prod/__init__.py",
    ]
    product = shipped(development)
    product.build()
    for image in (project, product):
        names = [file.name for file in image.files()]
        assert [name for name in names if name.endswith("/pyvenv.cfg")] == ["/opt/venv/pyvenv.cfg"]
        assert not any("/.venv" in name for name in names)


def test_linter_formatter_and_tests_run_with_the_command_of_the_readme(
    development: Subject,
) -> None:
    [command] = [
        command
        for command in commands(README, "Running the example")
        if command.line.startswith("docker compose run ")
    ]
    environment = development.project.environment
    assert {*command.shown} <= {*run(command, development.folder, environment).splitlines()}
    with replaced(development.folder / "tests" / "test_main.py", ("200", "201")):
        said = run_and_fail(development, command.line)
        assert "1 failed" in said
    with replaced(development.folder / CODE, ("app = ", "import os\n\napp = ")):
        assert "F401" in run_and_fail(development, command.line)


def run_and_fail(subject: Subject, line: str) -> str:
    said = subprocess.run(
        ["sh", "-c", line],
        cwd=subject.folder,
        env={**os.environ, **subject.project.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1, said.stderr
    return said.stdout


def test_what_it_writes_belongs_to_the_user_on_the_host(development: Subject) -> None:
    folder, project = development.folder, development.project
    [command] = [one for one in commands(README, "What changed?") if "poetry add" in one.line]
    [before] = owners(folder)
    lock = folder / "poetry.lock"
    with replaced(folder / "pyproject.toml"), replaced(lock):
        was = lock.read_bytes()
        run(command, folder, project.environment)
        assert lock.read_bytes() != was
        back = Command(command.line.replace(" add ", " remove "), [])
        run(back, folder, project.environment)
        assert lock.read_bytes() == was
        project.run("pytest", "-q")
        project.run("ruff", "check")
        assert {".pytest_cache", ".ruff_cache"} < {path.name for path in folder.iterdir()}
        assert owners(folder) == {before}
    # And this is what the script is good for.
    project.execute("touch", "/app/of-root")
    project.execute("as-owner", "touch", "/app/of-the-owner")
    assert (folder / "of-root").stat().st_uid == 0
    assert (folder / "of-the-owner").stat().st_uid == before[0]
    project.execute("rm", "/app/of-root", "/app/of-the-owner")


@pytest.mark.deep
def test_poetry_takes_the_active_environment_then_the_projects_then_one_of_its_own(
    development: Subject,
) -> None:
    def chosen(folder: str, *first: str) -> str:
        copy = [f"mkdir -p {folder}", f"cd {folder}", "cp /app/p*.* . || true"]
        run = "poetry run python -c 'import sys; print(sys.prefix)'"
        script = " && ".join([*copy, *first, run])
        return development.project.execute("sh", "-c", script).splitlines()[-1]

    inside, inactive = "python -m venv --without-pip .venv", "unset VIRTUAL_ENV"
    assert chosen("/tmp/1", inside) == "/opt/venv"
    assert chosen("/tmp/2", inside, inactive) == "/tmp/2/.venv"
    assert chosen("/tmp/2", inactive) == "/tmp/2/.venv"
    own = "export POETRY_VIRTUALENVS_IN_PROJECT=false"
    shape = re.compile(r"/root/\.cache/pypoetry/virtualenvs/dev-and-prod-[\w-]{8}-py3\.13")
    generated = [chosen(folder, inactive, own) for folder in ("/app", "/tmp/3")]
    assert all(shape.fullmatch(path) for path in generated), generated
    assert generated[0] != generated[1]
    assert f"`{generated[0]}`" in README.read_text(encoding="utf-8")
    assert shape.fullmatch(chosen("/tmp/5", "poetry env use python3.13"))
    none = "export POETRY_VIRTUALENVS_CREATE=false"
    assert chosen("/tmp/4", inactive, none) == "/usr/local"


# --- production ----------------------------------------------------------------------------------


def test_both_targets_give_the_same_answers(development: Subject, production: Subject) -> None:
    with production.another_life() as shipped:
        for path, status in (("/", 200), ("/docs", 200), ("/openapi.json", 200), ("/no", 404)):
            here, there = (
                httpx.get(f"http://127.0.0.1:{one.port}{path}", timeout=10, trust_env=False)
                for one in (development.project, shipped)
            )
            assert (here.status_code, there.status_code) == (status, status)
            assert here.headers["content-type"] == there.headers["content-type"]
            assert here.content == there.content


def test_production_has_the_project_as_a_package_and_does_not_point_to_its_sources(
    production: Subject,
) -> None:
    names = {file.name for file in production.files}
    assert f"{PACKAGES}/dev_and_prod/main.py" in names
    assert f"{PACKAGES}/dev_and_prod/__pycache__/main.cpython-313.pyc" in names
    assert f"{PACKAGES}/fastapi/__pycache__/applications.cpython-313.pyc" in names
    assert f"{PACKAGES}/pip" not in names
    assert not any(name.startswith("/app/src") for name in names)
    assert not any(name.startswith("/opt/venv/") and name.endswith(".pth") for name in names)


def test_the_environment_names_two_paths(production: Subject) -> None:
    links = {file.name: file.linkname for file in production.files if file.issym()}
    assert links["/opt/venv/bin/python"] == "/usr/local/bin/python"
    said = production.project.run("head", "-n1", "/opt/venv/bin/gunicorn")
    assert said.strip() == "#!/opt/venv/bin/python"


@pytest.mark.usefixtures("no_attestations")
def test_docker_build_makes_production_and_skips_development(development: Subject) -> None:
    line = "docker build --progress=plain --iidfile={} . {}"
    said = []
    for number, target in enumerate(["", "--target=production"]):
        ids = development.folder.parent / f"image-{number}"
        done = subprocess.run(
            ["sh", "-c", line.format(ids, target)],
            cwd=development.folder,
            stderr=subprocess.PIPE,
            text=True,
            check=True,
        )
        said.append((ids.read_text(), "useradd" in done.stderr))
    assert said[0] == said[1] == (said[0][0], False)


def test_production_takes_the_place_of_development_and_leaves_it_its_image(
    production: Subject,
) -> None:
    assert production.built
    with Subject(EXTRA_4.path) as subject:
        assert subject.built

        def started() -> str:
            subject.project.start()
            container = subject.project.container
            assert container
            return container.image

        before = started()
        product = shipped(subject)
        product.build()
        product.start()
        product.wait_for_answer()
        assert "gunicorn" in product.execute("cat", "/proc/1/cmdline")
        assert product.image == f"{product.name}-production"
        assert started() == before


@pytest.fixture
def changed() -> Iterator[Callable[..., engine.Project]]:
    """Builds the lesson with other words in its Dockerfile."""
    with ExitStack() as stack:

        def build(*changes: tuple[str, str], file: str = EXTRA_4.judged) -> engine.Project:
            subject = stack.enter_context(Subject(EXTRA_4.path, file=file))
            stack.enter_context(replaced(subject.folder / "Dockerfile", *changes))
            assert subject.built
            return subject.project

        yield build


def how_it_ends(project: engine.Project) -> str:
    """Start a container that does not serve, and return its log."""
    with suppress(engine.EngineError):
        project.start()
    with pytest.raises(engine.NoAnswer, match="the container ended"):
        project.wait_for_answer()
    return project.log


def blocks() -> list[str]:
    """What the README shows of programs that end."""
    return re.findall(r"^```text\n(.+)\n```$", README.read_text(encoding="utf-8"), re.MULTILINE)


def test_an_editable_project_points_to_where_it_is_not(
    changed: Callable[..., engine.Project],
) -> None:
    text = (EXTRA_4.path / "Dockerfile").read_text(encoding="utf-8")
    [wheel] = re.findall(r"poetry build .*\n.*\.whl\n", text)
    project = changed((wheel, "poetry install --without dev --with prod\n"))
    assert project.run("cat", f"{PACKAGES}/dev_and_prod.pth").strip() == "/app/src"
    assert "`dev_and_prod.pth`, and says `/app/src`" in README.read_text(encoding="utf-8")
    assert blocks()[0] in how_it_ends(project)


@pytest.mark.parametrize(
    ("changes", "program"),
    [
        pytest.param(
            [("/opt/venv /opt/venv", "/opt/venv /srv/venv"), ("ENV PATH=/opt", "ENV PATH=/srv")],
            "/srv/venv/bin/gunicorn",
            id="environment",
        ),
        pytest.param(
            [("USER 10001", "RUN mv /usr/local/bin/python3.13 /usr/bin/\nUSER 10001")],
            "/opt/venv/bin/gunicorn",
            id="interpreter",
        ),
    ],
)
def test_an_environment_at_another_path_breaks_as_the_readme_shows(
    changed: Callable[..., engine.Project], changes: list[tuple[str, str]], program: str
) -> None:
    project = changed(*changes)
    assert program in [file.name for file in project.files()]
    log = how_it_ends(project).strip()
    assert log == f"exec {program}: no such file or directory"
    assert log in blocks()


@pytest.mark.deep
def test_an_environment_in_the_project_is_hidden_by_the_mount(
    changed: Callable[..., engine.Project],
) -> None:
    moved = ("VIRTUAL_ENV=/opt/venv", "VIRTUAL_ENV=/app/.venv")
    project = changed(moved, file="compose.yaml")
    assert "/app/.venv/bin/uvicorn" in [file.name for file in project.files()]
    assert "failed to execute uvicorn: No such file or directory" in how_it_ends(project)


@pytest.mark.deep
def test_a_new_dependency_is_downloaded_alone_and_once_for_both_targets() -> None:
    with Subject(EXTRA_4.path) as subject:
        project, folder, product = subject.project, subject.folder, shipped(subject)
        before = f"/{project.name}"
        new = f"find /root/.cache/pypoetry -name '*.whl' -newer {before} -printf '%f\\n'"
        changes = (
            ("type=cache,", f"type=cache,id={project.name},"),
            ("poetry install", f"touch {before} && poetry install"),
            ("--compile\n", f"--compile && {new}\n"),
        )

        def downloaded(what: engine.Project) -> set[str]:
            [done] = [step for step in ran(what.build()) if "poetry install" in step.instruction]
            return {line.partition("-")[0] for line in done.output if line.endswith(".whl")}

        text = (folder / "Dockerfile").read_text("utf-8")
        for old, new in changes:
            assert text.count(old) == 2, f"{old!r} for both targets"
            text = text.replace(old, new)
        (folder / "Dockerfile").write_text(text, "utf-8")
        assert {"fastapi", "gunicorn", "ruff"} < downloaded(project)
        assert downloaded(product) == set()
        project.run("poetry", "add", "--lock", "--quiet", "itsdangerous")
        assert downloaded(project) == {"itsdangerous"}
        assert downloaded(product) == set()


@pytest.mark.deep
def test_a_new_version_of_the_project_installs_all_again_and_in_step_5_nothing() -> None:
    for lesson, dependencies, expected in (
        (EXTRA_4, INSTALL, True),
        (STEP_5, "pip install --no-cache-dir --require-hashes", False),
    ):
        with Subject(lesson.path, file=lesson.judged) as subject:
            assert subject.built
            with replaced(subject.folder / "pyproject.toml", ("0.1.0", f"0.1.{time.time_ns()}")):
                again = [step.instruction for step in ran(subject.project.build())]
            assert again
            assert any(dependencies in one for one in again) is expected


@pytest.mark.deep
def test_after_an_edit_the_whole_environment_is_to_be_pushed(production: Subject) -> None:
    project = production.project
    assert production.built
    before = {*project.layers}
    inside = sum(file.size for file in production.files if file.name.startswith("/opt/venv/"))
    with replaced(production.folder / CODE, ("app = ", "# An edit.\napp = ")):
        project.build()
        pushed = project.bytes_to_push(before)
    project.build()
    assert pushed > inside / 10


# --- debugger, watch and editor ------------------------------------------------------------------


@pytest.fixture
def debugged(monkeypatch: pytest.MonkeyPatch) -> Iterator[engine.Project]:
    """The container for development, with a debugger in it."""
    monkeypatch.setenv("DEBUG_PORT", "0")
    with Subject(EXTRA_4.path) as subject:
        debug = subject.folder / "compose.debug.yaml"
        project = engine.Project(subject.folder, subject.project.name, override=debug)
        project.build()
        project.start()
        yield project


def port(project: engine.Project, inside: int) -> int:
    container = project.container
    assert container
    return int(container.network_settings.ports[f"{inside}/tcp"][0]["HostPort"])


def attachment(project: engine.Project) -> dict[str, Any]:
    """What the editor's configuration says when the project's folder is open in it."""
    text = (project.folder / ".vscode" / "launch.json").read_text(encoding="utf-8")
    text = text.replace("${workspaceFolder}", str(project.folder))
    [attach] = json.loads(text)["configurations"]
    assert attach["connect"] == {"host": "127.0.0.1", "port": 5678}
    return attach


def line_of(file: Path, words: str) -> int:
    lines = file.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if words in line)


def ask(project: engine.Project) -> str:
    """Ask until there is an answer."""
    address = f"http://127.0.0.1:{port(project, 8000)}/"

    def look() -> str:
        with suppress(httpx.TransportError):
            return httpx.get(address, timeout=60, trust_env=False).text
        return ""

    return engine.look_again(look, bool)


def application(server: Debugger, project: engine.Project, breakpoints: dict[str, int]) -> Debugger:
    """A session with the application, which Uvicorn starts beside a helper of multiprocessing."""
    while True:
        attach = server.event("debugpyAttach")
        look = f"cat /proc/{attach['subProcessId']}/cmdline || true"
        if "spawn_main" in project.execute("sh", "-c", look):
            return Debugger(port(project, 5678), attach, breakpoints)


def test_a_debugger_stops_at_a_breakpoint_also_after_an_edit(debugged: engine.Project) -> None:
    attach, file = attachment(debugged), debugged.folder / CODE
    assert ask(debugged) == answer("dev-and-prod")
    at = {str(file): line_of(file, "return {")}
    with (
        ThreadPoolExecutor(1) as somebody,
        Debugger(port(debugged, 5678), attach, at) as server,
    ):
        with application(server, debugged, at) as session:
            asked = somebody.submit(ask, debugged)
            assert session.stopped() == (*at.items(),)[0]
            assert not asked.done()
            session.go_on()
            assert asked.result() == answer("dev-and-prod")
        with replaced(file, ("from fastapi", "# One line more\nfrom fastapi")):
            again = {str(file): line_of(file, "return {")}
            assert again != at
            with application(server, debugged, again) as session:
                asked = somebody.submit(ask, debugged)
                assert session.stopped() == (*again.items(),)[0]
                session.go_on()
                assert asked.result() == answer("dev-and-prod")
    assert "frozen modules" not in debugged.log


@pytest.mark.deep
def test_without_the_mapping_no_breakpoint_is_met(debugged: engine.Project) -> None:
    attach, file = attachment(debugged), debugged.folder / CODE
    del attach["pathMappings"]
    assert ask(debugged)
    at = {str(file): line_of(file, "return {")}
    with (
        Debugger(port(debugged, 5678), attach, at) as server,
        application(server, debugged, at),
    ):
        assert ask(debugged) == answer("dev-and-prod")


def test_the_debugger_listens_for_this_machine_only_and_only_when_it_is_asked_for(
    debugged: engine.Project, development: Subject
) -> None:
    container, plain = debugged.container, development.project.container
    assert container
    assert plain
    [published] = container.network_settings.ports["5678/tcp"]
    assert published["HostIp"] == "127.0.0.1"
    assert [name for name, here in plain.network_settings.ports.items() if here] == ["8000/tcp"]


def test_the_dev_container_names_what_there_is(development: Subject) -> None:
    folder, project = development.folder, development.project
    definition = json.loads((folder / ".devcontainer" / "devcontainer.json").read_text())
    file = folder / ".devcontainer" / definition["dockerComposeFile"]
    assert file.resolve() == (folder / "compose.yaml").resolve()
    assert definition["service"] == project.service
    container = project.container
    assert container
    mounts = {str(mount.source): mount.destination for mount in container.mounts}
    assert mounts[str(folder)] == definition["workspaceFolder"]
    assert project.execute("id", "-u", definition["remoteUser"]).strip() == "1000"
    python = definition["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert project.execute(python, "-c", "import fastapi, pytest, sys; print(sys.prefix)")


@pytest.mark.deep
def test_compose_watch_builds_again_when_the_lock_changes() -> None:
    with Subject(EXTRA_4.path) as subject:
        assert subject.built
        project = subject.project
        project.start()
        project.wait_for_answer()
        first = project.container
        assert first
        said = subject.folder.parent / "said"
        with (
            said.open("w") as log,
            subprocess.Popen(
                ["docker", "compose", "watch"],
                cwd=subject.folder,
                env={**os.environ, **project.environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            ) as watching,
        ):
            try:
                engine.look_again(said.read_text, lambda text: "Watch enabled" in text)
                with (subject.folder / "poetry.lock").open("a", encoding="utf-8") as lock:
                    lock.write(f"# {project.name}\n")
                new = engine.look_again(
                    lambda: project.container,
                    lambda now: now is not None and now.id != first.id and now.state.running,
                    60,
                )
            finally:
                watching.terminate()
        assert new
        assert new.id != first.id, said.read_text()
        assert project.wait_for_answer().json() == {"variant": "dev-and-prod"}
        assert project.stop() == 0
