"""A container: its start, its answers, its log, its end."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import httpx
from python_on_whales import Container, DockerClient

from series.engine.client import EngineError, NoAnswer, translated
from series.engine.compose import SERVICE, ComposeFile

ANSWER_SECONDS = 30.0
"""How long a container may take until it answers, as the rule `answers` of the contract says."""

PAUSE = 0.25
"""Seconds between two looks at a container; each look is two or three runs of the docker command.
Without pauses, looking takes most of a processor from the container."""

_FINE = 0.01
"""Seconds between two requests where it is measured when the first answer comes: by so much may a
time be too long. Without pauses, asking takes processor time from the container that is measured,
and makes the time longer by far more than that where there is only one processor."""

# Stops a process and those that it started, the first one first: it would start new ones.
_FREEZE = """
import os, signal, sys
numbers = [sys.argv[1]]
for number in numbers:
    os.kill(int(number), signal.SIGSTOP)
    numbers += open(f"/proc/{number}/task/{number}/children").read().split()
"""

# Not what `docker compose run` starts.
_STAYS = ("label", "com.docker.compose.oneoff=False")

Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Health:
    """What a health check has found.

    Attributes:
        status: starting, healthy or unhealthy.
        starts: when the last checks began, five at most, the last one at the end.
        said: what the last one printed.
    """

    status: str
    starts: list[datetime]
    said: str


class ServiceContainer(ComposeFile):
    """The container of a service."""

    def start(self, added: Mapping[str, str] | None = None) -> None:
        """Start the containers, as `docker compose up` does, from the image that was built.

        Args:
            added: text files that the service's container gets before it starts, by their paths
                in it; the folders must be there.
        """
        if added:
            self._create(added)
        with translated():
            for _ in self._client.compose.up(detach=True, no_build=True, stream_logs=True):
                pass

    def _create(self, added: Mapping[str, str]) -> None:
        with translated(), tempfile.TemporaryDirectory() as room:
            self._client.compose.create(no_build=True)
            container = self.container
            for path, text in added.items():
                file = Path(room) / "added"
                file.write_text(text, encoding="utf-8")
                container.copy_to(file, path)

    @property
    def container(self) -> Container | None:
        """The container of the service, running or not; None where there is none."""
        service = ("label", f"{SERVICE}={self.service}")
        with translated():
            found = DockerClient().container.list(all=True, filters=[self._label, service, _STAYS])
        return found[0] if found else None

    @property
    def port(self) -> int | None:
        """The port on this machine at which the container answers; None where there is none."""
        container = self.container
        return _published(container) if container and container.state.running else None

    @property
    def address(self) -> str:
        """The address at which builds reach the container, if it is in the network `bridge`."""
        return self._running(self.container).network_settings.networks["bridge"].ip_address or ""

    @property
    def log(self) -> str:
        """All that the container has logged so far, standard output and standard error."""
        container = self.container
        with translated():
            return container.logs() if container else ""

    def wait_for_answer(self, path: str = "/", seconds: float = ANSWER_SECONDS) -> httpx.Response:
        """Ask until the answer's status is 200.

        Args:
            path: what is asked for.
            seconds: how long to go on; the last twentieth of a second is too short for a request.

        Raises:
            NoAnswer: the container has died, or nothing with status 200 came in time. Its log
                is part of the message.
        """
        deadline = time.monotonic() + seconds
        container = self.container
        address = last = ""
        while True:
            # Near the end the time that a look at the container takes is one for requests.
            if not address or deadline - time.monotonic() > PAUSE:
                address = f"http://127.0.0.1:{_published(self._running(container))}{path}"
            try:
                answer = asyncio.run(_ask(address, deadline - time.monotonic()))
                if answer.status_code == 200:
                    return answer
                last = f"status {answer.status_code}"
            except TimeoutError:
                last += ", then " if last else ""
                last += "no whole answer in the time that was left"
            except httpx.TransportError:
                last = "no connection"
            left = deadline - time.monotonic()
            if left < PAUSE / 5:  # half of that is too short for a request
                break
            time.sleep(min(PAUSE, left / 2))
        raise NoAnswer(
            f"{self.folder.name}: no answer with status 200 within {seconds:.0f} s ({last}). "
            "Its log:",
            self.log,
        )

    def seconds_to_answer(self, seconds: float = ANSWER_SECONDS) -> float:
        """Start a container and return the seconds from its start to its first answer.

        When it started is what the engine says, whose clock has to be that of this machine. That
        it runs takes one or two tenths of a second to find out: shorter times are not seen.

        Args:
            seconds: how long it may take.

        Raises:
            NoAnswer: the container has died, or nothing with status 200 came in time. Its log
                is part of the message.
        """
        self._create({})
        container = self.container
        assert container
        with translated():
            container.start()
        container = self._running(self.container)
        address = f"http://127.0.0.1:{_published(container)}/"
        began = container.state.started_at.timestamp()
        try:
            return asyncio.run(self._answered(address, began + seconds - time.time())) - began
        except TimeoutError:
            raise NoAnswer(
                f"{self.folder.name}: no answer with status 200 within {seconds:.0f} s. Its log:",
                self.log,
            ) from None

    async def _answered(self, address: str, seconds: float) -> float:
        """Ask until an answer's status is 200, and return when it had come; or TimeoutError."""
        look = time.monotonic() + 1
        async with _asking(seconds) as client:
            while True:
                with suppress(httpx.TransportError):
                    if (await client.get(address)).status_code == 200:
                        return time.time()
                if time.monotonic() > look:
                    self._running(self.container)
                    look += 1
                await asyncio.sleep(_FINE)

    def _running(self, container: Container | None) -> Container:
        """That container of the service; NoAnswer where it has ended."""
        if container is None or not container.state.running:
            status = container.state.exit_code if container else "unknown"
            raise NoAnswer(
                f"{self.folder.name}: the container ended with status {status} before it "
                "answered. Its log:",
                self.log,
            )
        return container

    def wait_for_log(self, enough: Callable[[str], bool], seconds: float) -> str:
        """Look at the container's log until there is enough in it, the container ends or time does.

        Args:
            enough: told the log, says whether that is enough.
            seconds: how long to go on.

        Returns:
            The log, enough or not.
        """
        container = self.container

        def look() -> tuple[bool, str]:
            with translated():
                running = container is not None and container.state.running
                return running, container.logs() if container else ""

        return look_again(look, lambda seen: not seen[0] or enough(seen[1]), seconds)[1]

    def execute(self, *command: str, detach: bool = False) -> str:
        """Run a command in the running container, as one who may look at all processes there.

        Args:
            command: its words.
            detach: do not wait until it ends; nothing is heard of it then.

        Returns:
            What it wrote to standard output.
        """
        container = self.container
        if container is None:
            raise EngineError(f"{self.folder.name} has no container.")
        with translated():
            said = container.execute([*command], privileged=True, user="0", detach=detach)
        return said or ""

    @property
    def health(self) -> Health:
        """What the health check of the running container has found."""
        found = self._running(self.container).state.health
        if found is None:
            raise EngineError(f"{self.folder.name} has no health check.")
        checks = found.log or []
        starts = [check.start for check in checks if check.start]
        said = checks[-1].output if checks else ""
        return Health(found.status or "", starts, said or "")

    def freeze(self) -> None:
        """Stop all processes of the container for as long as it is there: they do not serve then.

        `docker pause` would freeze a health check as well, and a first process gets no SIGSTOP from
        within its container: https://man7.org/linux/man-pages/man7/pid_namespaces.7.html
        """
        container = self._running(self.container)
        with translated():
            DockerClient().run(
                self.image,
                ["-c", _FREEZE, str(container.state.pid)],
                entrypoint="python",
                pid="host",
                privileged=True,
                user="0",
                remove=True,
            )

    def stop(self, seconds: int = 60) -> int:
        """Ask the container to stop; after so many seconds the engine kills it.

        Returns:
            Its exit status; 137 when it had to be killed.
        """
        with translated():
            self._client.compose.stop([self.service], timeout=seconds)
        container = self.container
        if container is None:
            raise EngineError(f"{self.folder.name} has no container that could be stopped.")
        return container.state.exit_code


def look_again(
    look: Callable[[], Seen], enough: Callable[[Seen], bool], seconds: float = ANSWER_SECONDS
) -> Seen:
    """Look until what is seen is enough or time is up.

    Args:
        look: says what is seen now.
        enough: whether that is enough.
        seconds: how long to go on. The last look begins when they are over, or right after one
            that was going on then: no look is cut short.

    Returns:
        What was seen last, enough or not.
    """
    deadline = time.monotonic() + seconds
    while True:
        last = time.monotonic() >= deadline
        seen = look()
        if last or enough(seen):
            return seen
        time.sleep(min(PAUSE, max(0, deadline - time.monotonic())))


@asynccontextmanager
async def _asking(seconds: float) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client; TimeoutError if what is done with it is not done after so many seconds.

    The time-outs of httpx start again with every byte: https://www.python-httpx.org/advanced/timeouts/
    """
    # A proxy that the environment names would be asked for an address of this machine.
    async with asyncio.timeout(seconds), httpx.AsyncClient(timeout=None, trust_env=False) as client:
        yield client


async def _ask(address: str, seconds: float) -> httpx.Response:
    """Ask for an address; TimeoutError if the whole answer is not there after so many seconds."""
    async with _asking(seconds) as client:
        return await client.get(address)


def _published(container: Container) -> int:
    ports = [port for ports in container.network_settings.ports.values() for port in ports or []]
    if not ports:
        raise EngineError(f"The container {container.name} publishes no port.")
    return int(ports[0]["HostPort"])
