"""A project under judgement, and what the engine has shown of it."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

from series import engine
from series.buildlog import Step
from series.contract.finding import CannotTell
from series.contract.processes import Environment, Process, environment, processes

T = TypeVar("T")

# The image gets a name that goes with the project: what is tried out here is not what somebody
# finds under the name in the compose file.
# https://docs.docker.com/reference/compose-file/merge/#reset-value
_NAMELESS = "services: {%s: {image: !reset null, %s}}\n"
# A log is a pipe in production, whatever a developer sees, and a file must be written here.
_OPEN = "tty: false, read_only: false"


@dataclass(frozen=True)
class Life:
    """What was seen of a container, from its start to its end.

    Attributes:
        answer: what it answered first.
        processes: what ran in it then, or why that cannot be told.
        environment: the Python environment of its server, or why that cannot be told.
        log: all that it logged.
        status: with which exit status it ended when it was asked to stop.
        patience: after how many seconds it would have been killed.
    """

    answer: httpx.Response
    processes: list[Process] | CannotTell
    environment: Environment | CannotTell
    log: str
    status: int
    patience: int


def once(find_out: Callable[[Subject], Any]) -> property:
    """Make a property that is found out when it is first asked for; so is why it cannot be."""

    def get(self: Subject) -> Any:  # noqa: ANN401
        name = find_out.__name__
        if name not in self._known:
            try:
                self._known[name] = find_out(self)
            except engine.EngineError as failed:
                self._known[name] = failed
        if isinstance(self._known[name], engine.EngineError):
            raise self._known[name]
        return self._known[name]

    return property(get, doc=find_out.__doc__)


class Subject:
    """A folder with a Dockerfile and a compose file, judged in a copy of it.

    Used as a context manager: at its end all that came of the project is removed. What the engine
    shows of it is found out once, when a rule first asks for it, and shared by all rules.

    Args:
        folder: the project.
        service: the service in its compose file that is judged.
        patience: how many seconds a container gets to stop before it is killed.
        file: the name of its compose file.
    """

    def __init__(
        self,
        folder: Path,
        service: str = "web",
        patience: int = 60,
        file: str = "compose.yaml",
    ) -> None:
        self._original = folder
        self._file = file
        self._service = service
        self._patience = patience
        self._known: dict[str, Any] = {}
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            room = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="subject-")))
            self.folder = room / self._original.name
            shutil.copytree(self._original, self.folder, symlinks=True)
            self._name = engine.test_name(self._original.name)
            self.project = self._project("nameless.yaml", "")
            stack.callback(self.project.down, everything=True)
            self._cleanup = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def _project(self, file: str, settings: str) -> engine.Project:
        """The project with other settings for its service, which a second compose file holds."""
        override = self.folder.parent / file
        override.write_text(_NAMELESS % (self._service, settings), encoding="utf-8")
        return engine.Project(self.folder, self._name, self._service, override, self._file)

    @property
    def dockerfile(self) -> Path:
        """The service's Dockerfile, in the copy."""
        return self.project.dockerfile

    @once
    def built(self) -> list[Step]:
        """The steps of the build.

        Raises:
            engine.BuildError: it does not build.
        """
        return self.project.build()

    @once
    def life(self) -> Life:
        """The life of a container: started, asked, stopped.

        Raises:
            engine.NoAnswer: it died, or did not answer in time.
        """
        assert self.built
        project = self.project
        project.start()
        answer = project.wait_for_answer()
        seen = _told(lambda: processes(project))
        used = seen if isinstance(seen, CannotTell) else _told(lambda: environment(project, seen))
        status = project.stop(self._patience)
        log = project.log
        project.down()
        return Life(answer, seen, used, log, status, self._patience)

    @contextmanager
    def another_life(
        self, added: Mapping[str, str] | None = None, settings: str = _OPEN
    ) -> Iterator[engine.Project]:
        """Give the project a container that answers, to do with as one likes; removed at the end.

        Args:
            added: files that it gets before it starts, as `engine.Project.start` takes them.
            settings: what the compose file says of the service in another way, as a flow mapping
                without its braces, https://docs.docker.com/reference/compose-file/merge/

        Raises:
            engine.NoAnswer: it died, or did not answer in time.
        """
        assert self.life
        project = self._project("another.yaml", settings)
        try:
            project.start(added)
            project.wait_for_answer()
            yield project
        finally:
            project.down(seconds=0)

    @contextmanager
    def variant(self, settings: str) -> Iterator[engine.Project]:
        """Give the project other settings under a name of its own; removed at the end.

        Args:
            settings: of a compose file whose settings win.
        """
        name = engine.test_name(self._original.name)
        override = self.folder.parent / f"{name}.yaml"
        override.write_text(settings, encoding="utf-8")
        project = engine.Project(self.folder, name, self._service, override, self._file)
        try:
            yield project
        finally:
            project.down(everything=True)

    def build_twice(self, bases: Iterable[str]) -> list[str]:
        """Build the image twice and compare, as `engine.build_twice` does."""
        return engine.build_twice(self.folder, self._file, self._service, bases)

    @property
    def processes(self) -> list[Process]:
        """The processes in the container when it had answered.

        Raises:
            engine.NoAnswer: it died, or did not answer in time.
            CannotTell: they cannot be looked at.
        """
        return _or_raised(self.life.processes)

    @property
    def environment(self) -> Environment:
        """The Python environment of the server.

        Raises:
            engine.NoAnswer: the container died, or did not answer in time.
            CannotTell: it cannot be looked at.
        """
        return _or_raised(self.life.environment)

    @once
    def files(self) -> list[tarfile.TarInfo]:
        """The files in the image, as `engine.Project.files` gives them.

        Raises:
            engine.BuildError: it does not build.
        """
        assert self.built
        return self.project.files()

    @property
    def file_bytes(self) -> int:
        """The sum of the sizes of the files in the image, in bytes."""
        return sum(file.size for file in self.files)


def _told(find_out: Callable[[], T]) -> T | CannotTell:
    try:
        return find_out()
    except CannotTell as reason:
        return reason


def _or_raised(fact: T | CannotTell) -> T:
    if isinstance(fact, CannotTell):
        raise fact
    return fact
