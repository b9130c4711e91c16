"""What all tests share: which lessons are tested, and the life of each one's container."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from series import engine
from series.lessons import Lesson, LessonError, get, load


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--lesson", metavar="NAME", help="test this lesson only, such as step-1")


def pytest_configure(config: pytest.Config) -> None:
    try:
        wanted = config.getoption("--lesson")
        config.stash[WANTED] = [get(wanted)] if wanted else load()
    except LessonError as unknown:
        raise pytest.UsageError(str(unknown)) from None
    try:
        config.stash[MACHINE] = (engine.versions(), engine.stand_ins())
    except engine.EngineError as silent:
        raise pytest.UsageError(str(silent)) from None


WANTED = pytest.StashKey[list[Lesson]]()
MACHINE = pytest.StashKey[tuple[str, list[str]]]()


def pytest_report_header(config: pytest.Config) -> list[str]:
    versions, stand_ins = config.stash[MACHINE]
    return [
        f"engine: {versions}",
        f"base images that are stand-ins: {', '.join(stand_ins) or 'none'}",
        f"lessons: {', '.join(lesson.folder for lesson in config.stash[WANTED])}",
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "lesson" in metafunc.fixturenames:
        wanted = metafunc.config.stash[WANTED]
        metafunc.parametrize("lesson", wanted, ids=lambda lesson: lesson.folder, scope="session")


@pytest.fixture(scope="session", autouse=True)
def nothing_comes_from_outside() -> None:
    """What the person at this machine has set for Compose or a lesson does not count here."""
    for name in [*os.environ]:
        if name == "WEB_CONCURRENCY" or name.startswith("COMPOSE_"):
            del os.environ[name]
    os.environ["PORT"] = "0"  # the engine chooses a free one


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--lesson"):
        others = [item for item in items if "lesson" not in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@dataclass(frozen=True)
class Life:
    """What was seen of a lesson's container, from its start to its end.

    Attributes:
        answer: what it answered first.
        log: all that it logged.
        status: with which exit status it ended when it was asked to stop.
    """

    answer: httpx.Response
    log: str
    status: int


@pytest.fixture(scope="session")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Lesson], Life]:
    """Builds, starts, asks and stops a lesson, once in a run; cleans up also after a failure.

    It does so in a copy of the lesson's folder alone, which needs nothing of what lies around it.
    """
    seen: dict[str, Life | engine.EngineError] = {}

    def live(lesson: Lesson) -> Life:
        if lesson.folder not in seen:
            copy = tmp_path_factory.mktemp("copy") / lesson.folder
            shutil.copytree(lesson.path, copy)
            project = engine.Project(copy, engine.test_name(lesson.folder))
            try:
                with cleaned_up(project):
                    project.build()
                    project.start()
                    answer = project.wait_for_answer()
                    status = project.stop()
                    seen[lesson.folder] = Life(answer, project.log, status)
            except engine.EngineError as failed:
                seen[lesson.folder] = failed
        found = seen[lesson.folder]
        if isinstance(found, engine.EngineError):
            raise found
        return found

    return live


@pytest.fixture(scope="session")
def life(lesson: Lesson, lives: Callable[[Lesson], Life]) -> Life:
    """The life of this lesson's container."""
    return lives(lesson)


@contextmanager
def cleaned_up(project: engine.Project) -> Iterator[engine.Project]:
    """Remove all that Compose made for a project, and see that nothing of it is left."""
    try:
        yield project
    finally:
        project.down(everything=True)
        assert engine.leftovers(project.name) == []


@pytest.fixture
def opened() -> Iterator[Callable[[Path], engine.Project]]:
    """Opens a folder as a project with a name of its own; what comes of it is removed again."""
    with ExitStack() as stack:
        yield lambda folder: stack.enter_context(
            cleaned_up(engine.Project(folder, engine.test_name(folder.name)))
        )


@pytest.fixture
def project(
    tmp_path: Path, opened: Callable[[Path], engine.Project]
) -> Callable[..., engine.Project]:
    """Makes a small project of files, with a compose file that publishes its port."""

    def make(**files: str) -> engine.Project:
        folder = tmp_path / "small"
        folder.mkdir()
        compose = "services: {web: {build: ., ports: ['${PORT:-8000}:8000']}}"
        for name, text in {"compose.yaml": compose, **files}.items():
            (folder / name).write_text(text)
        return opened(folder)

    return make
