"""What all tests share: which lessons are tested, and what the engine shows of each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from series import engine, measuring
from series.contract import RULES, Finding, Subject
from series.lessons import ROOT, Lesson, LessonError, get, load


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--lesson", metavar="NAME", help="test this lesson only, such as step-1")


def pytest_configure(config: pytest.Config) -> None:
    if not shutil.which("git"):
        raise pytest.UsageError("git is not there. Type: sudo apt-get install git")
    try:
        wanted = config.getoption("--lesson")
        config.stash[WANTED] = [get(wanted)] if wanted else load()
    except LessonError as unknown:
        raise pytest.UsageError(str(unknown)) from None
    try:
        config.stash[MACHINE] = (engine.versions(), engine.stand_ins())
        config.stash[BEFORE] = engine.leftovers()
    except engine.EngineError as silent:
        raise pytest.UsageError(str(silent)) from None


WANTED = pytest.StashKey[list[Lesson]]()
# What was found, by folder and rule: the verdict, and the first line of the evidence.
FINDINGS = pytest.StashKey[dict[tuple[str, str], tuple[str, str]]]()
MACHINE = pytest.StashKey[tuple[str, list[str]]]()
# What test runs have left behind: earlier ones, and this one.
BEFORE = pytest.StashKey[list[str]]()
LEFT = pytest.StashKey[list[str]]()


def pytest_report_header(config: pytest.Config) -> list[str]:
    versions, stand_ins = config.stash[MACHINE]
    return [
        f"engine: {versions}",
        f"base images that are stand-ins: {', '.join(stand_ins) or 'none'}",
        f"lessons: {', '.join(lesson.folder for lesson in config.stash[WANTED])}",
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "lesson" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("deep_for")
        slow = marker.args if marker else ()
        wanted = [
            pytest.param(lesson, marks=pytest.mark.deep) if lesson.folder in slow else lesson
            for lesson in metafunc.config.stash[WANTED]
        ]
        metafunc.parametrize("lesson", wanted, ids=lambda lesson: lesson.folder, scope="session")


@pytest.fixture(scope="session", autouse=True)
def nothing_comes_from_outside() -> None:
    """What the person at this machine has set for Compose, git or a lesson does not count here."""
    for name in [*os.environ]:
        if name == "WEB_CONCURRENCY" or name.startswith(("COMPOSE_", "GIT_", "PRE_COMMIT")):
            del os.environ[name]
    os.environ["PORT"] = "0"  # the engine chooses a free one
    # https://git-scm.com/docs/git#_environment_variables
    os.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for who in ("AUTHOR", "COMMITTER"):
        os.environ |= {f"GIT_{who}_NAME": "A test", f"GIT_{who}_EMAIL": "test@example.com"}
    # Here pre-commit keeps the hooks' own environments, which belong to the suite like the rest.
    os.environ["PRE_COMMIT_HOME"] = str(ROOT / ".venv" / "pre-commit")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--lesson"):
        own = f"test_{config.stash[WANTED][0].folder.replace('-', '_')}"
        others = [
            item
            for item in items
            if "lesson" not in getattr(item, "fixturenames", ())
            and not item.path.stem.startswith(own)
        ]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


FOLDERS = [lesson.folder for lesson in load()]


class TogetherWhatSharesContainers(LoadScopeScheduling):
    """Hands out at once all that is about one lesson, or about the contract's small projects.

    Every other test is handed out alone.
    """

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        for folder in FOLDERS:
            if folder in test or folder.replace("-", "_") in file:
                return folder
        return "contract" if "/contract/" in file else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:  # noqa: ANN401
    """Say how several processes share the work."""
    return TogetherWhatSharesContainers(config, log)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if told := getattr(session.config, "workeroutput", None):
        told["findings"] = [*session.config.stash.get(FINDINGS, {}).items()]
    else:
        before = session.config.stash[BEFORE]
        left = [thing for thing in engine.leftovers() if thing not in before]
        session.config.stash[LEFT] = left
        deep = session.config.option.markexpr == "deep"
        if deep and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK  # not every lesson has such tests
        if left:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401
    """Take over what one of several processes has found."""
    found = getattr(node, "workeroutput", {}).get("findings", [])
    node.config.stash.setdefault(FINDINGS, {}).update((tuple(key), value) for key, value in found)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for thing in config.stash.get(LEFT, []):
        terminalreporter.write_line(f"LEFT BEHIND by this run: {thing}", red=True)
    for report in terminalreporter.getreports("passed"):
        for what, figures in report.user_properties:
            terminalreporter.write_line(f"{what}: {figures}")
    findings = config.stash.get(FINDINGS, {})
    for lesson in config.stash[WANTED]:
        found = {
            rule: findings[lesson.folder, rule]
            for rule in RULES
            if (lesson.folder, rule) in findings
        }
        if found:
            terminalreporter.section(f"the contract, {lesson.folder}")
        for rule, (verdict, seen) in found.items():
            terminalreporter.write_line(f"{rule:24} {verdict:15} {seen}")


@pytest.fixture(scope="session")
def subjects() -> Iterator[Callable[[Lesson], Subject]]:
    """Puts a lesson under judgement, in a copy of its folder alone; built and started once."""
    opened: dict[str, Subject] = {}

    def open_once(lesson: Lesson) -> Subject:
        if lesson.folder not in opened:
            opened[lesson.folder] = stack.enter_context(Subject(lesson.path, file=lesson.judged))
        return opened[lesson.folder]

    with ExitStack() as stack:
        yield open_once


@pytest.fixture(scope="session")
def subject(lesson: Lesson, subjects: Callable[[Lesson], Subject]) -> Subject:
    """The lesson under judgement."""
    return subjects(lesson)


@pytest.fixture(scope="session")
def find(
    pytestconfig: pytest.Config, subjects: Callable[[Lesson], Subject]
) -> Callable[[Lesson, str], Finding]:
    """Asks what a rule finds of a lesson, once; the end of the run shows it."""
    told = pytestconfig.stash.setdefault(FINDINGS, {})
    findings: dict[tuple[str, str], Finding] = {}

    def find_once(lesson: Lesson, rule: str) -> Finding:
        key = (lesson.folder, rule)
        if key not in findings:
            findings[key] = RULES[rule](subjects(lesson))
            told[key] = (findings[key].verdict.value, findings[key].evidence.splitlines()[0])
        return findings[key]

    return find_once


@pytest.fixture
def no_attestations(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image's digest covers the image alone, not the time of its build.

    With the containerd image store it otherwise covers an attestation that names the time:
    https://github.com/moby/moby/issues/48391
    """
    monkeypatch.setenv("BUILDX_NO_DEFAULT_ATTESTATIONS", "1")


@pytest.fixture(scope="module")
def index() -> Iterator[engine.Project]:
    """A package index that logs what it is asked for."""
    with measuring.index() as index:
        yield index


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Callable[..., engine.Project]]:
    """Makes a small project of files, with a compose file that publishes its port."""
    with ExitStack() as stack:

        def make(**files: str) -> engine.Project:
            folder = tmp_path / "small"
            folder.mkdir()
            compose = "services: {web: {build: ., ports: ['127.0.0.1:${PORT:-8000}:8000']}}"
            for name, text in {"compose.yaml": compose, **files}.items():
                (folder / name).write_text(text)
            project = engine.Project(folder, engine.test_name(folder.name))
            stack.callback(project.down, everything=True)
            return project

        yield make
