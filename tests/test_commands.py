"""The commands of the Makefile, as they are typed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from series import engine
from series.__main__ import ours
from series.lessons import ROOT, get, last, load
from series.prepare import doctor


def make(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # What the make around this run was told is not for the one inside.
    inherited = {name: os.environ[name] for name in os.environ if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", *words],
        cwd=ROOT,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_make_alone_lists_every_command() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = makefile.partition("\n.PHONY: ")[2].partition("\n")[0].split()
    said = make().stdout
    assert len(commands) > 4
    assert all(f"  make {command} " in said for command in commands)


GUEST_BOOK = get("extra-1-compiling-dependencies")


@pytest.fixture
def beside() -> Iterator[str]:
    """A project name with which the guest book is started beside the reader's own."""
    name = engine.test_name(GUEST_BOOK.folder)
    yield name
    make("down", f"LESSON={GUEST_BOOK.folder}", COMPOSE_PROJECT_NAME=name)
    engine.remove_leftovers(name)


def test_up_prints_the_answer_and_down_removes_it_all_but_the_data(beside: str) -> None:
    lesson = f"LESSON={GUEST_BOOK.folder}"
    up = make("up", lesson, PORT="0", COMPOSE_PROJECT_NAME=beside)
    assert up.returncode == 0, up.stderr
    assert f' answers {{"variant":"{GUEST_BOOK.variant}"}}\n' in up.stdout
    address = up.stdout.split()[0]
    assert httpx.get(address, trust_env=False).json() == {"variant": GUEST_BOOK.variant}
    clean = make("clean", COMPOSE_PROJECT_NAME=beside)
    assert (clean.returncode, clean.stdout) == (2, "")
    assert " is still there. Type: make down, then make clean\n" in clean.stderr
    down = make("down", lesson, COMPOSE_PROJECT_NAME=beside)
    assert down.stdout.startswith(f"{GUEST_BOOK.folder} is stopped and removed.\nIts data stays. ")
    assert {thing.split()[0] for thing in engine.leftovers(beside)} == {"volume", "image"}
    assert make("down", lesson, COMPOSE_PROJECT_NAME=beside).stdout == "Nothing was running.\n"


def test_containers_of_a_folder_that_is_called_alike_are_neither_replaced_nor_removed(
    beside: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = get("step-1-kiss-requirements")
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", beside)
    assert [project.folder for project in ours([lesson])] == [lesson.path]
    theirs = engine.Project(Path(shutil.copytree(lesson.path, tmp_path / lesson.folder)))
    theirs.build()
    theirs.start()
    theirs.wait_for_answer()

    def seen() -> tuple[str, object]:
        container = theirs.container
        assert container
        return container.id, container.state.started_at

    before = seen()
    up = make("up", f"LESSON={lesson.folder}", PORT="0")
    assert (up.returncode, up.stdout) == (2, "")
    assert up.stderr.startswith(f"This would replace the containers of {theirs.folder}, which ")
    assert f" type export COMPOSE_PROJECT_NAME={beside}-2 and the same command again, " in up.stderr
    assert make("down").stdout == "Nothing was running.\n"
    assert ours([lesson]) == []
    assert seen() == before
    [condition] = doctor.names([lesson.path])
    assert condition.stops
    assert condition.name == f"Project {beside}"
    assert condition.mend in up.stderr


def test_up_without_a_lesson_starts_the_last_one(beside: str) -> None:
    up = make("up", PORT="0", COMPOSE_PROJECT_NAME=beside)
    assert f' answers {{"variant":"{last().variant}"}}\n' in up.stdout, up.stderr


def test_up_says_of_a_page_for_people_that_it_is_one(beside: str) -> None:
    up = make("up", "LESSON=extra-5", PORT="0", COMPOSE_PROJECT_NAME=beside)
    assert " answers with a page: open it in a browser\n" in up.stdout, up.stderr


@pytest.mark.parametrize(("command", "what"), [("measure", "runs"), ("rivals", "rounds")])
@pytest.mark.parametrize("runs", ["0", "-1", "many", "1 2"])
def test_a_wrong_number_of_runs_is_refused_in_one_sentence(
    command: str, what: str, runs: str
) -> None:
    said = make(command, f"RUNS={runs}")
    assert said.returncode == 2
    assert said.stderr.startswith(f"RUNS={runs} is no number of {what}. Choose one from 1 to 999,")


@pytest.mark.parametrize("command", ["up", "down", "test", "doctor"])
@pytest.mark.parametrize("name", ["no-such-lesson", "step-1 step-2"])
def test_a_wrong_lesson_gets_the_list_of_right_ones(command: str, name: str) -> None:
    said = make(command, f"LESSON={name}")
    assert said.returncode == 2
    assert said.stderr.startswith(f"'{name}' is no lesson. ")
    assert all(lesson.folder in said.stderr for lesson in load())


@pytest.mark.parametrize("command", ["up", "doctor"])
@pytest.mark.parametrize("port", ["http", "70000", "-1", "80.5"])
def test_a_wrong_port_is_refused_in_one_sentence(command: str, port: str) -> None:
    said = make(command, f"PORT={port}")
    assert said.returncode == 2
    assert said.stderr.startswith(f"PORT={port} is no port. Choose one from 1 to 65535, such as ")


def test_a_taken_port_is_refused_before_anything_is_built() -> None:
    with socket.create_server(("0.0.0.0", 0)) as other:
        port = other.getsockname()[1]
        said = make("up", f"PORT={port}")
    assert said.returncode == 2
    assert said.stderr.startswith(f"Port {port} is taken by another program. To mend it, put ")
