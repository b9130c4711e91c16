"""What the README of extra 5 says beyond what the contract sees."""

from __future__ import annotations

import json
import re
import shlex
import struct
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from series import engine, figures
from series.buildlog import Step, ran
from series.contract import RULES, Subject
from series.contract.edits import edited
from series.contract.logs import complaints
from series.lessons import Lesson, get, load
from series.measuring import with_a_new_dependency
from tests.changes import change
from tests.console import Command, commands, run

EXTRA_5 = get("extra-5-shipping-the-virtualenv")
# Compose calls an image after folder and service.
IMAGE = f"{EXTRA_5.folder}-web"
STEP_5 = get("step-5-larger-project")
README = (EXTRA_5.path / "README.md").read_text("utf-8")
DOCKERFILE = (EXTRA_5.path / "Dockerfile").read_text("utf-8")
INSTALL = "poetry install --without dev --no-root --compile"
STARTED = "server started on"
ENTRYPOINT = 'ENTRYPOINT ["streamlit", '


def pattern(shown: str) -> str:
    """What is shown, as a regular expression; … stands for what is left out."""
    return ".+".join(re.escape(part) for part in shown.split("…"))


def section(heading: str) -> str:
    """What the README says below a heading, up to the next one."""
    [text] = re.findall(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", README, re.M | re.S)
    return text


@pytest.fixture
def dashboard(subjects: Callable[[Lesson], Subject]) -> Subject:
    subject = subjects(EXTRA_5)
    assert subject.built
    return subject


@pytest.fixture
def changed() -> Iterator[Callable[..., engine.Project]]:
    """Builds the lesson with other words in its Dockerfile."""
    with ExitStack() as stack:

        def build(old: str, new: str) -> engine.Project:
            subject = stack.enter_context(Subject(EXTRA_5.path))
            change(subject.dockerfile, old, new)
            assert subject.built
            return subject.project

        yield build


# --- the image -----------------------------------------------------------------------------------


def test_an_edit_installs_nothing_and_copies_the_code_alone(dashboard: Subject) -> None:
    with edited(dashboard.folder / "src" / "dashboard.py"):
        assert [step.instruction for step in ran(dashboard.project.build())] == ["COPY src ."]
    assert ran(dashboard.project.build()) == []


def test_the_image_has_the_environment_and_neither_poetry_nor_pip_in_it(dashboard: Subject) -> None:
    names = [file.name for file in dashboard.files]
    assert "/app/.venv/bin/streamlit" in names
    assert [name for name in names if re.search(r"/(bin|site-packages)/poetry(-|$)", name)] == []
    assert [name for name in names if re.search(r"/\.venv/.*/(pip|pip3)(-|$)", name)] == []


def test_the_image_is_as_large_as_the_readme_says(dashboard: Subject) -> None:
    packages = [file for file in dashboard.files if file.name.startswith("/app/.venv/")]
    compiled = [file for file in packages if file.name.endswith(".pyc")]
    sizes = [sum(file.size for file in some) / 1e6 for some in (packages, compiled)]
    said = [
        int(number) for number in re.findall(r"some (\d+) MB", section("Things that got worse"))
    ]
    assert said == pytest.approx(sizes, rel=0.1)


def log_of(dashboard: Subject, line: str, enough: str) -> str:
    """Type a `docker run` line, and return what the container logs until there is enough."""
    name = f"{dashboard.project.name}-other"
    line = line.replace(IMAGE, dashboard.project.image)

    def typed(line: str) -> str:
        return run(Command(line, []), dashboard.folder, {})

    try:
        typed(line.replace("docker run", f"docker run --detach --name {name}"))
        return engine.look_again(lambda: typed(f"docker logs {name}"), lambda log: enough in log)
    finally:
        typed(f"docker rm --force {name}")


def test_what_follows_the_name_of_the_image_is_for_streamlit(dashboard: Subject) -> None:
    [typed] = re.findall(r"`(docker run [^`]*--logger.level=debug)`", section("Line by line"))
    assert "Starting new event loop" in log_of(dashboard, typed, STARTED)
    plain = log_of(dashboard, f"docker run {IMAGE}", STARTED)
    assert "Starting new event loop" not in plain
    [other] = re.findall(r"`(docker run [^`]*--entrypoint .*?)`", section("Line by line"))
    other = other.replace(IMAGE, dashboard.project.image)
    assert run(Command(other, []), dashboard.folder, {}).startswith("uid=10001 gid=10001")


@pytest.mark.deep
@pytest.mark.parametrize("setting", ["", "--env STREAMLIT_SERVER_HEADLESS=false"])
def test_streamlit_is_headless_by_itself_and_else_it_asks_for_an_address_before_it_serves(
    dashboard: Subject, setting: str
) -> None:
    asks = "please enter your email address below"
    line = f"docker run --interactive --tty {setting} {IMAGE}"
    log = log_of(dashboard, line, asks if setting else STARTED)
    assert (STARTED in log) is not bool(setting)
    assert (asks in log) is bool(setting)


@pytest.mark.deep
@pytest.mark.parametrize("setting", ["", "--env STREAMLIT_LOGGER_HIDE_WELCOME_MESSAGE=false"])
def test_for_its_greeting_streamlit_looks_for_the_address_of_this_machine(
    dashboard: Subject, setting: str
) -> None:
    line = f"docker run --network none {setting} {IMAGE}"
    log = log_of(dashboard, line, "external IP" if setting else STARTED)
    assert ("You can now view your Streamlit app" in log) is bool(setting)
    assert ("Did not auto detect external IP." in log) is bool(setting)


def test_its_own_tests_pass() -> None:
    with Subject(EXTRA_5.path) as subject:
        [typed] = [
            command
            for command in commands(EXTRA_5.path / "README.md", "Running the example")
            if command.line.startswith("docker compose run --build ")
        ]
        said = run(typed, subject.folder, subject.project.environment)
        assert {*typed.shown} <= {*said.splitlines()}


# --- what copied recipes get wrong ---------------------------------------------------------------


def test_each_mistake_is_shown_with_its_message() -> None:
    blocks = re.findall(r"^```text\n(.*)\n```$", section("What copied recipes get wrong"), re.M)
    assert blocks == [BACKSLASH, NO_POETRY, QUOTES, NEVER, SUPPORT, NO_README]


BACKSLASH = "dockerfile parse error on line …: unknown instruction: POETRY_VIRTUALENVS_IN_PROJECT=1"
NO_POETRY = 'exec: "poetry": executable file not found in $PATH'
QUOTES = "/bin/sh: 1: [streamlit,: not found"
NEVER = "ERROR: No matching distribution found for poetry==1.4.3"
SUPPORT = "E: The repository '… buster Release' does not have a Release file."
NO_README = (
    "Error: The current project could not be installed: "
    "Readme path `/app/README.md` does not exist."
)


def test_variables_on_several_lines_without_a_backslash_do_not_build(
    changed: Callable[..., engine.Project],
) -> None:
    [shown] = re.findall(r"^```dockerfile\n(ENV .*?)^```$", README, re.M | re.S)
    variables = [re.escape(f"ENV {line.split()[-1]}\n") for line in shown.splitlines()]
    [right] = re.findall(f"{variables[0]}#.*\n{variables[1]}", DOCKERFILE)
    with pytest.raises(engine.BuildError, match=pattern(BACKSLASH)):
        changed(right, shown)


def test_with_poetry_run_a_container_does_not_start_where_there_is_no_poetry(
    changed: Callable[..., engine.Project],
) -> None:
    project = changed(ENTRYPOINT, 'ENTRYPOINT ["poetry", "run", "streamlit", ')
    with pytest.raises(engine.EngineError, match=re.escape(NO_POETRY)):
        project.start()


@pytest.mark.deep
def test_a_poetry_that_never_was_cannot_be_installed(
    changed: Callable[..., engine.Project],
) -> None:
    with pytest.raises(engine.BuildError, match=re.escape(NEVER)) as failed:
        changed("poetry==2.5.1", "poetry==1.4.3")
    assert "1.4.2, 1.5.0" in str(failed.value)


@pytest.mark.deep
@pytest.mark.parametrize("release", ["buster", "$VERSION_CODENAME"])
def test_a_base_image_out_of_support_finds_no_packages_and_one_in_support_does(
    project: Callable[..., engine.Project], release: str
) -> None:
    found = project(
        Dockerfile=f"""\
FROM python:3.13-slim-trixie
RUN . /etc/os-release \\
    && find /etc/apt -name '*.list' -o -name '*.sources' \\
    | xargs sed -i "s/$VERSION_CODENAME/{release}/g" \\
    && apt-get update
"""
    )
    if release == "buster":
        with pytest.raises(engine.BuildError, match=pattern(SUPPORT)):
            found.build(cache=False)
    else:
        found.build(cache=False)


@pytest.mark.deep
def test_without_no_root_poetry_asks_for_the_readme(changed: Callable[..., engine.Project]) -> None:
    with pytest.raises(engine.BuildError, match=re.escape(NO_README)):
        changed(INSTALL, INSTALL.replace(" --no-root", ""))


def test_at_another_path_the_environment_does_not_work() -> None:
    with Subject(EXTRA_5.path) as subject:
        change(subject.dockerfile, "/app/.venv .venv", "/app/.venv /venv")
        change(subject.dockerfile, "PATH=/app/.venv", "PATH=/venv")
        assert subject.built
        subject.project.start()
        with pytest.raises(engine.NoAnswer, match="the container ended"):
            subject.project.wait_for_answer()
        [shown] = re.findall(r"^```text\n(.*)\n```$", section("What it needs"), re.M)
        assert shown in subject.project.log


# --- what a change costs -------------------------------------------------------------------------


@pytest.mark.deep
def test_what_was_downloaded_is_in_the_cache_mount_and_in_no_layer() -> None:
    with Subject(EXTRA_5.path) as subject:
        before, cache = f"/{subject.project.name}", "/tmp/poetry-cache"
        new = f"find {cache} -name '*.whl' -newer {before} -printf '%s %f\\n'"
        text = subject.dockerfile.read_text("utf-8")
        text = text.replace("type=cache,", f"type=cache,id={subject.project.name},")
        text = text.replace(INSTALL, f"touch {before} && {INSTALL} && {new}")
        subject.dockerfile.write_text(text, "utf-8")

        def downloaded(steps: list[Step]) -> dict[str, int]:
            [done] = [step for step in ran(steps) if INSTALL in step.instruction]
            lines = [line.split() for line in done.output if line.endswith(".whl")]
            return {file.partition("-")[0]: int(size) for size, file in lines}

        first = downloaded(subject.built)
        assert {"altair", "pyarrow", "streamlit"} < first.keys()
        [said] = re.findall(r"downloads some (\d+) MB", section("Running the example"))
        assert int(said) == pytest.approx(sum(first.values()) / 1e6, rel=0.1)
        changes = with_a_new_dependency(subject, "sortedcontainers")
        tests = engine.Project(subject.folder, subject.project.name, "tests")
        assert tests.run("sh", "-c", f"[ ! -e {cache} ] || find {cache} -type f") == ""
        for name, content in changes.items():
            (subject.folder / name).write_text(content, "utf-8")
        assert {*downloaded(subject.project.build())} == {"sortedcontainers"}


@pytest.mark.deep
def test_a_new_version_of_the_project_installs_all_again() -> None:
    with Subject(EXTRA_5.path) as subject:
        assert subject.built
        new = f'version = "0.1.{uuid.uuid4().int}"'
        change(subject.folder / "pyproject.toml", 'version = "0.1.0"', new)
        assert any(INSTALL in step.instruction for step in ran(subject.project.build()))


# --- the page ------------------------------------------------------------------------------------


def look(subject: Subject, *titles: str) -> dict[str, Any]:
    """Open the page in a browser, choose lessons by their titles, and say what is seen."""
    program = Path(__file__).with_name("look_at_page.py")
    line = f"docker compose run --rm --no-TTY --volume {program}:/look.py:ro screenshot"
    command = Command(f"{line} {shlex.join(['python', '/look.py', *titles])}", [])
    said = run(command, subject.folder, subject.project.environment)
    return dict(json.loads(said.splitlines()[-1]))


@pytest.fixture(scope="module")
def open_page() -> Iterator[Subject]:
    """The dashboard, running, and a browser that was built."""
    with Subject(EXTRA_5.path) as subject:
        typed = "docker compose build web screenshot"
        run(Command(typed, []), subject.folder, subject.project.environment)
        subject.project.start()
        subject.project.wait_for_answer()
        yield subject


@pytest.fixture(scope="module")
def seen(open_page: Subject) -> dict[str, Any]:
    """What is seen when step 5 is chosen."""
    return look(open_page, STEP_5.title)


HELD = json.loads(figures.FILE.read_text("utf-8"))


@pytest.mark.deep
def test_the_page_shows_numbers_charts_and_the_table_of_the_contract(seen: dict[str, Any]) -> None:
    first, _ = seen["views"]
    assert seen["errors"] == []
    assert first["warnings"] == []
    assert first["rules"] == len(RULES)
    assert len(first["numbers"]) == 4
    assert [len(marks) for marks in first["charts"]] == [len(HELD["ways"])] * 5
    assert HELD["conditions"] in first["text"]


@pytest.mark.deep
def test_choosing_a_lesson_changes_its_numbers_and_every_chart(seen: dict[str, Any]) -> None:
    for lesson, view in zip((load()[0], STEP_5), seen["views"], strict=True):
        way = HELD["ways"][lesson.rival]
        assert view["numbers"][0] == f"{median(way['samples']['image']) / 1e6:.0f} MB"
        for marks in view["charts"]:
            coloured = [label for label, colour in marks if colour == "#d6604d"]
            assert len(coloured) == 1
            assert way["title"] in coloured[0]
        verdicts = [*HELD["lessons"][lesson.folder]["verdicts"].values()]
        kept, applies = verdicts.count("kept"), len(RULES) - verdicts.count("does not apply")
        said = f"{lesson.title.partition(':')[0]} keeps {kept} of the {applies} rules that apply"
        assert said in view["text"]


@pytest.mark.deep
def test_a_page_that_was_looked_at_leaves_no_complaint_in_the_log(
    open_page: Subject, seen: dict[str, Any]
) -> None:
    assert seen
    assert complaints(open_page.project.log) == []


@pytest.mark.deep
def test_the_page_asks_nobody_but_its_server_and_without_the_variable_somebody_else(
    seen: dict[str, Any],
) -> None:
    assert seen["hosts"] == ["web:8000"]
    with Subject(EXTRA_5.path) as subject:
        change(
            subject.dockerfile, "GATHER_USAGE_STATS=false", "GATHER_USAGE_STATS=true\nENV HOME=/tmp"
        )
        assert subject.built
        subject.project.start()
        subject.project.wait_for_answer()
        assert len(look(subject)["hosts"]) > 1


@pytest.mark.deep
def test_without_figures_it_serves_and_the_page_says_how_to_make_them() -> None:
    with Subject(EXTRA_5.path) as subject:
        (subject.folder / figures.FILE.relative_to(EXTRA_5.path)).unlink()
        assert subject.life.status == 0
        assert subject.built
        subject.project.start()
        [view] = look(subject)["views"]
        [warning] = view["warnings"]
        assert warning.startswith("There is no figures.json. In the repository of this series")
        assert "make readmes" in warning
        assert view["charts"] == []
        picture = subject.folder / "dashboard.png"
        before = picture.read_bytes()
        line = f"{taking_the_picture().line} || echo failed to take it"
        said = run(Command(line, []), subject.folder, subject.project.environment)
        assert "There is no figures.json." in said
        assert "Traceback" not in said
        assert picture.read_bytes() == before


@pytest.mark.deep
def test_the_command_of_the_readme_takes_the_picture(open_page: Subject) -> None:
    picture = open_page.folder / "dashboard.png"
    picture.unlink()
    run(taking_the_picture(), open_page.folder, open_page.project.environment)
    assert shown_in(picture) == NUMBERS


def taking_the_picture() -> Command:
    typed = commands(EXTRA_5.path / "README.md", "Running the example")
    [command] = [command for command in typed if command.line.endswith(" dashboard.png")]
    return command


@pytest.mark.deep
def test_health_is_good_while_it_serves_and_bad_when_it_is_frozen() -> None:
    with Subject(EXTRA_5.path) as subject:
        build = "    build: .\n"
        change(
            subject.folder / "compose.yaml", build, f"{build}    healthcheck: {{interval: 1s}}\n"
        )
        assert subject.built
        subject.project.start()
        subject.project.wait_for_answer()

        def health() -> str:
            container = subject.project.container
            assert container
            return container.state.health.status

        assert engine.look_again(health, lambda status: status == "healthy") == "healthy"
        subject.project.freeze()
        assert engine.look_again(health, lambda status: status == "unhealthy") == "unhealthy"


# --- the files -----------------------------------------------------------------------------------


def shown_in(picture: Path) -> str:
    """The numbers that a picture of the page shows, which it also says in words."""
    content = picture.read_bytes()
    assert content.startswith(b"\x89PNG\r\n")
    # A chunk: its length, its type, as many bytes as that: https://www.w3.org/TR/png-3/#5Chunk-layout
    start = content.index(b"tEXtDescription\0")
    [length] = struct.unpack(">I", content[start - 4 : start])
    return content[start + 4 : start + 4 + length].removeprefix(b"Description\0").decode()


OWN = {name: median(found) for name, found in HELD["ways"][EXTRA_5.rival]["samples"].items()}
NUMBERS = (
    f"{OWN['image'] / 1e6:.0f} MB, {OWN['cold']:.1f} s, {OWN['edit']:.1f} s, "
    f"{OWN['dependency']:.1f} s"
)


def test_the_picture_is_light_and_shows_the_figures_as_they_are() -> None:
    picture = EXTRA_5.path / "dashboard.png"
    assert picture.stat().st_size < 200_000
    assert shown_in(picture) == NUMBERS, "Take another one, as the README of extra 5 says."


def test_the_table_explains_every_instruction_of_the_dockerfile() -> None:
    text = re.sub(r"^#.*\n|^\n", "", DOCKERFILE, flags=re.MULTILINE)
    instructions = re.sub(r" \\\n *", " ", text).splitlines()
    rows = re.findall(r"^\| `(.+?)` \| (.+) \| (.+) \|$", section("Line by line"), re.MULTILINE)
    assert len(rows) == len(instructions)
    for (shown, *_), instruction in zip(rows, instructions, strict=True):
        assert re.fullmatch(pattern(shown), instruction)


def test_there_are_four_mantras_and_each_names_a_test_that_there_is() -> None:
    sentences = re.findall(r"^\d\. (.+)$", section("Build mantras"), re.MULTILINE)
    assert len(sentences) == 4
    for sentence in sentences:
        [name] = re.findall(rf"\[`(test_\w+)`\]\(\.\./tests/{Path(__file__).name}\)", sentence)
        assert callable(globals()[name])
