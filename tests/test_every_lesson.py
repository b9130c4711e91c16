"""Each lesson is built, started, asked and stopped as its reader does it, and judged by each rule.

What `lessons.toml` says is looked at from both sides: what is kept must be kept, and what is broken
must be seen broken.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from series import engine
from series.buildlog import ran
from series.contract import DEEP, RULES, Finding, Subject, promise
from series.lessons import ROOT, Lesson
from series.readmes import declared
from tests.console import Command, commands, run


@pytest.mark.parametrize(
    "rule",
    [pytest.param(rule, marks=pytest.mark.deep) if rule in DEEP else rule for rule in RULES],
)
def test_a_rule_finds_what_the_lesson_declares(
    lesson: Lesson, rule: str, find: Callable[[Lesson, str], Finding]
) -> None:
    finding = find(lesson, rule)
    assert finding.verdict is declared(lesson, rule), f"{promise(rule)}\n{finding}"


def test_it_answers_with_its_variant_alone_or_with_a_page(lesson: Lesson, subject: Subject) -> None:
    answer = subject.life.answer
    if lesson.variant:
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == {"variant": lesson.variant}
    else:
        assert answer.headers["content-type"].startswith("text/html")


def test_what_was_built_once_is_built_again_without_running_anything(subject: Subject) -> None:
    assert subject.built
    assert ran(subject.project.build()) == []


def understood(folder: Path) -> list[dict[str, Any]]:
    """What Compose makes of each compose file in a folder, on top of the first one."""
    line = "docker compose --file compose.yaml{} --profile '*' config --format json"
    others = [f" --file {file.name}" for file in folder.glob("compose.*.yaml")]
    said = [run(Command(line.format(option), []), folder, {}) for option in ["", *others]]
    return [json.loads(text) for text in said]


def names(folder: Path) -> set[str]:
    """What is called how on this machine when a folder's compose files are used."""
    found = set()
    for settings in understood(folder):
        for name, service in settings["services"].items():
            # https://docs.docker.com/reference/compose-file/services/#image
            default = f"{settings['name']}-{name}"
            if "build" in service:
                found.add(f"image {service.get('image', default)}")
            found.add(f"container {service.get('container_name', f'{default}-1')}")
        for kind in ("networks", "volumes"):
            found |= {f"{kind} {thing['name']}" for thing in settings.get(kind, {}).values()}
    return found


def test_a_copy_under_another_name_shares_nothing_with_its_original(
    lesson: Lesson, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(lesson.path, tmp_path / "another"))
    assert names(copy)
    assert names(copy).isdisjoint(names(lesson.path))


def test_nobody_reaches_it_from_another_machine(lesson: Lesson) -> None:
    ports = [
        port
        for settings in understood(lesson.path)
        for service in settings["services"].values()
        for port in service.get("ports", [])
    ]
    assert {port.get("host_ip") for port in ports} == {"127.0.0.1"}


def tree(folder: Path) -> dict[str, tuple[int, str | bytes]]:
    """What a folder holds: of each thing its mode, and where a link leads or what a file says."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_symlink():
            content: str | bytes = str(path.readlink())
        else:
            content = path.read_bytes() if path.is_file() else ""
        found[str(path.relative_to(folder))] = (path.lstat().st_mode, content)
    return found


# Its page builds without the cache, four times.
@pytest.mark.deep_for("extra-7-the-same-image-twice")
def test_what_its_reader_is_to_try_goes_as_the_readme_shows_and_leaves_no_trace(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Git does not know who its reader is.
    for name in [name for name in os.environ if name.startswith(("GIT_AUTHOR", "GIT_COMMITTER"))]:
        monkeypatch.delenv(name)
    (tmp_path / "gitconfig").write_text("[user]\nuseConfigOnly = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    with Subject(lesson.path) as subject:
        assert subject.built
        settings = subject.project.environment
        page = lesson.path / "README.md"
        tried = commands(page, "Try it yourself")
        before = tree(subject.folder)
        for command in tried:
            port = subject.project.port if "localhost:8000" in command.line else None
            said = run(command, subject.folder, settings, port)
            rest = said
            for part in re.findall("[^…\n]+", "\n".join(command.shown)):
                _, found, rest = rest.partition(part)
                assert found, f"{command.line} does not print {part!r} here:\n{said}"
        assert any(command.shown for command in tried)
        # What is tried in a copy may change that.
        assert tree(subject.folder) == before or "`cp -R . /tmp/" in page.read_text("utf-8")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with what git has, and nothing else."""
    listed = run(Command("git ls-files", []), ROOT, {}).splitlines()
    for name in listed:
        (tmp_path / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "clone" / name, follow_symlinks=False)
    return tmp_path / "clone"


@pytest.mark.deep
def test_in_a_fresh_clone_one_command_starts_it(lesson: Lesson, clone: Path) -> None:
    folder = clone / lesson.folder
    before = tree(folder)
    project = engine.Project(folder, engine.test_name(lesson.folder))
    with (clone / "said").open("w") as said:
        typed = subprocess.Popen(
            ["docker", "compose", "up", "--build"],
            cwd=folder,
            env={**os.environ, "COMPOSE_PROJECT_NAME": project.name},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        engine.look_again(lambda: project.port, lambda port: port or typed.poll() is not None, 300)
        assert typed.poll() is None, (clone / "said").read_text()
        answer = project.wait_for_answer()
        assert (lesson.variant or "<html") in answer.text
        # Ctrl-C
        typed.send_signal(signal.SIGINT)
        typed.wait(60)
        assert tree(folder) == before
    finally:
        typed.kill()
        typed.wait()
        project.down(everything=True)
