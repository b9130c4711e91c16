"""The engine: the only module that talks to it, by the same command line that the reader types.

Every function raises `EngineError` when the engine refuses or does not answer.
"""

from __future__ import annotations

import asyncio
import fcntl
import gzip
import json
import os
import re
import secrets
import stat
import tarfile
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, Any, TypeVar

import httpx
from python_on_whales import Container, DockerClient, Image
from python_on_whales.client_config import ClientNotFoundError
from python_on_whales.exceptions import DockerException

from series.buildlog import Step, steps
from series.prepare.images import LABEL as STAND_IN
from series.prepare.port import holder, way_out
from series.prepare.problem import DISK_FULL

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

# How Compose marks what it makes: https://docs.docker.com/reference/compose-file/services/#labels
_PROJECT = "com.docker.compose.project"
_SERVICE = "com.docker.compose.service"
# Not what `docker compose run` starts.
_STAYS = ("label", "com.docker.compose.oneoff=False")
# How compressed data begin: https://www.rfc-editor.org/rfc/rfc1952, https://www.rfc-editor.org/rfc/rfc8878
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# A variable without a default: https://docs.docker.com/reference/compose-file/interpolation/
_PASSWORD = re.compile(r"\$\{(\w*PASSWORD):?\?")
# A line of .env that gives a variable a value, not two quotation marks with nothing in between.
_SET = r"""^\s*%s=(?!\s*(?:''|"")?\s*$)"""
_TEST_PROJECT = re.compile(r".+-test-[0-9a-f]{8}")


Seen = TypeVar("Seen")


class EngineError(Exception):
    """The engine refused, or a container did not do what it should.

    Args:
        sentence: what happened, and what to do about it.
        said: what the engine or the container said; its last lines are shown below the sentence.
    """

    def __init__(self, sentence: str, said: str = "") -> None:
        lines = [line for line in said.splitlines() if line.strip()][-40:]
        super().__init__("\n".join([sentence, *(f"    {line}" for line in lines)]))


class BuildError(EngineError):
    """An instruction of a Dockerfile failed."""


class NoAnswer(EngineError):
    """A container died, or did not answer in time."""


@contextmanager
def building() -> Iterator[None]:
    """Hold back all other builds of this user until the end of the block.

    When two builds run the same instruction at the same time, there are two results, and later
    builds do not find all that followed from one of them in the build cache.
    """
    lock = Path(tempfile.gettempdir()) / f"series-builds-{os.getuid()}.lock"
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


# What the engine says in its own words, and what a person should read instead.
_SENTENCES = {
    r"cannot connect to the docker daemon": (
        "No Docker Engine answers. Type make up: it starts one, or says what is in the way."
    ),
    r"permission denied while trying to connect": (
        "This user may not talk to the Docker Engine. Type: sudo usermod -aG docker $USER, then "
        "log out and in."
    ),
    r"no space left on device": DISK_FULL,
    r"failed to resolve source metadata|pull access denied": (
        "A base image is not on this machine and no registry gives it. Look at its name after FROM "
        "and at the network; where there is no registry, make up makes stand-ins."
    ),
    r"invalid (?:host|published |container)?port": "PORT must be a number from 1 to 65535.",
}
_REFUSES = "The Docker Engine refuses:"
# What Compose has against an option that python-on-whales gives it.
_HINT = re.compile(r"--progress is a global compose flag")
_TAKEN = re.compile(r":(\d+)\S* failed: port is already allocated|:(\d+)\S*: .*address already in")


def port_taken(port: int) -> str:
    """Return the sentence for a port of this machine that somebody else has."""
    project = holder(port)
    who = project or "another program"
    return f"Port {port} is taken by {who}. To mend it, {way_out(port, project)}."


def _sentence(said: str) -> str:
    if taken := _TAKEN.search(said):
        return port_taken(int(taken[1] or taken[2]))
    for pattern, sentence in _SENTENCES.items():
        if re.search(pattern, said, re.IGNORECASE):
            return sentence
    return _REFUSES


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what python-on-whales raises into an EngineError."""
    try:
        yield
    except ClientNotFoundError:
        raise EngineError("There is no docker command here. Type: make up") from None
    except DockerException as refused:
        said = f"{refused.stdout or ''}{refused.stderr or ''}"
        raise EngineError(_sentence(said), said) from None


def versions() -> str:
    """Return the versions of engine and Compose and the engine's image store, for people to read.

    https://docs.docker.com/engine/storage/containerd/
    """
    client = DockerClient()
    with _translated():
        its = client.info()
        compose = client.compose.version().split()[-1]
    containerd = ["driver-type", "io.containerd.snapshotter.v1"] in (its.driver_status or [])
    store = "containerd" if containerd else "classic"
    return f"Docker Engine {its.server_version} ({store} image store), Compose {compose}"


def machine() -> str:
    """Return what the engine runs on, for people to read: processors, memory, system."""
    with _translated():
        its = DockerClient().info()
    memory = (its.mem_total or 0) / 2**30
    return (
        f"{its.n_cpu} processors ({its.architecture}), {memory:.0f} GiB of memory, "
        f"{its.operating_system}"
    )


def image_bytes(name: str) -> int:
    """Return the size of an image on this machine: of all files in all its layers, in bytes.

    With the classic image store `docker image inspect` says the same. With the containerd store it
    may count compressed bytes, or both: https://github.com/moby/moby/issues/53426
    """
    return sum(_of_each_layer(name, _file_bytes))


def _of_each_layer(image: str, tell: Callable[[IO[bytes]], int]) -> list[int]:
    """What is told of each layer of an image, the lowest first.

    https://github.com/moby/docker-image-spec/blob/main/spec.md
    """
    with _translated(), tempfile.TemporaryDirectory() as room:
        saved = Path(room) / "image.tar"
        DockerClient().image.save(image, output=saved)
        with tarfile.open(saved) as members:
            [manifest] = json.loads(members.extractfile("manifest.json").read())
            return [tell(members.extractfile(name)) for name in manifest["Layers"]]


def _is_compressed(layer: IO[bytes]) -> bool:
    """Tell whether a layer is compressed: the containerd image store keeps it as it is pushed.

    Raises:
        EngineError: it is compressed by something other than gzip.
    """
    magic = layer.read(4)
    layer.seek(0)
    if magic == _ZSTD:
        raise EngineError("A layer is compressed by zstd, whose size cannot be told here.")
    return magic[:2] == _GZIP


def _file_bytes(layer: IO[bytes]) -> int:
    """The bytes of all files in a layer."""
    with tarfile.open(fileobj=layer, mode="r:gz" if _is_compressed(layer) else "r:") as files:
        return sum(file.size for file in files)


def _compressed(layer: IO[bytes]) -> int:
    """The bytes of a layer as a registry gets it: compressed by gzip."""
    if _is_compressed(layer):
        return layer.seek(0, os.SEEK_END)
    return len(gzip.compress(layer.read(), mtime=0))


def stand_ins() -> list[str]:
    """Return the names of the base images on this machine that are stand-ins."""
    with _translated():
        # An image built on a stand-in inherits the label, but not the name.
        return sorted(
            tag
            for image in DockerClient().image.list(filters=[("label", STAND_IN)])
            for tag in image.repo_tags
            if image.config.labels[STAND_IN] == tag
        )


def leftovers(project: str = "") -> list[str]:
    """Return what a test run left behind: "container NAME", or network, volume, image.

    Args:
        project: one Compose project; without it, all that are named by `test_name`.
    """
    return [f"{kind} {thing}" for kind, thing, _ in _left(project)]


def remove_leftovers(project: str = "") -> list[str]:
    """Remove what `leftovers` finds for the same argument, and return it."""
    client = DockerClient()
    found = _left(project)
    for kind, how in _REMOVED.items():
        if identities := [identity for one, _, identity in found if one == kind]:
            with _translated():
                getattr(client, kind).remove(identities, **how)
    return [f"{kind} {name}" for kind, name, _ in found]


# What is removed first, and how.
_REMOVED = {
    "container": {"force": True, "volumes": True},
    "network": {},
    "volume": {},
    "image": {"force": True},
}


def _left(project: str = "") -> list[tuple[str, str, str]]:
    client = DockerClient()
    label = [("label", f"{_PROJECT}={project}" if project else _PROJECT)]
    with _translated():
        things = {
            "container": client.container.list(all=True, filters=label),
            "network": client.network.list(filters=label),
            "volume": client.volume.list(filters=label),
            # One with two names is listed twice.
            "image": {image.id: image for image in client.image.list(filters=label)}.values(),
        }
    found = []
    for kind, group in things.items():
        for thing in group:
            try:
                with _translated():
                    name, identity, labels = _identified(kind, thing)
            except EngineError as refused:
                # Other projects come and go meanwhile.
                if re.search("no such|not found", str(refused), re.IGNORECASE) and not project:
                    continue
                raise
            if project or _TEST_PROJECT.fullmatch(labels[_PROJECT]):
                found.append((kind, name, identity))
    return found


def _identified(kind: str, thing: Any) -> tuple[str, str, dict[str, str]]:  # noqa: ANN401
    """The name of a container, network, volume or image, its identity, and its labels."""
    match kind:
        case "container":
            return thing.name, thing.id, thing.config.labels
        case "network":
            return thing.name, thing.id, thing.labels
        case "volume":
            return thing.name, thing.name, thing.labels
    return thing.id.removeprefix("sha256:")[:12], thing.id, thing.config.labels


def remove_images(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Remove these images, where they are here and no container needs them.

    Returns:
        The names of those that were removed, and of those that a container needs.
    """
    client = DockerClient()
    removed, needed = [], []
    for name in names:
        with _translated():
            if not client.image.exists(name):
                continue
            try:
                client.image.remove(name)
                removed.append(name)
            except DockerException as refused:
                if "container" not in (refused.stderr or ""):
                    raise
                needed.append(name)
    return removed, needed


def test_name(folder: str) -> str:
    """Return a Compose project name for a test of a lesson, which nobody else has."""
    return f"{folder}-test-{uuid.uuid4().hex[:8]}"


class Project:
    """A folder with a compose file, and what Compose makes of it.

    The port on this machine is what the environment variable PORT says; with 0 the engine
    chooses a free one.

    Args:
        folder: where the compose file is.
        name: Compose's name for it; by default the one that it gives to `docker compose up` in the
            folder, https://docs.docker.com/compose/how-tos/project-name/
        service: the service that answers.
        override: a second compose file, whose settings win.
        file: the name of the first one.
    """

    def __init__(
        self,
        folder: Path,
        name: str = "",
        service: str = "web",
        override: Path | None = None,
        file: str = "compose.yaml",
    ) -> None:
        self.folder = folder
        self.name = name or os.environ.get("COMPOSE_PROJECT_NAME") or folder.name
        self.service = service
        self._files = [folder / file, *([override] if override else [])]
        self._client = DockerClient(compose_files=self._files, compose_project_name=self.name)
        self._label = ("label", f"{_PROJECT}={self.name}")
        self._understood: tuple[object, dict[str, Any]] = (None, {})

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which `docker compose` means this project."""
        # https://docs.docker.com/compose/how-tos/environment-variables/envvars/
        files = os.pathsep.join(map(str, self._files))
        return {"COMPOSE_FILE": files, "COMPOSE_PROJECT_NAME": self.name}

    def _settings(self) -> dict[str, Any]:
        """The service as Compose understands it, defaults and variables filled in.

        Compose is asked again when its files, or a variable that they name, have changed.
        """
        files = [*self._files, self.folder / ".env"]
        texts = [file.read_text("utf-8") if file.is_file() else "" for file in files]
        named = {name for text in texts for name in re.findall(r"\w+", text)} & {*os.environ}
        now = (texts, {name: os.environ[name] for name in named})
        if self._understood[0] != now:
            with _translated():
                self._understood = (now, self._client.compose.config(return_json=True))
        settings = self._understood[1]["services"]
        if self.service not in settings:
            raise EngineError(f"{self._files[0]} has no service named {self.service}.")
        return settings[self.service]

    @property
    def dockerfile(self) -> Path:
        """The Dockerfile that the service's image is built from."""
        build = self._settings().get("build", {})
        if not build or "dockerfile_inline" in build:
            raise EngineError(f"{self._files[0]} names no Dockerfile.")
        return Path(build["context"]) / build["dockerfile"]

    def _build_error(self, said: list[str]) -> EngineError:
        text = "".join(said)
        sentence = _sentence(text)
        if sentence != _REFUSES:
            return EngineError(sentence, text)
        for step in steps(said):
            if step.error:
                sentence = f"{self.folder.name} does not build. It fails at: {step.instruction}"
                return BuildError(sentence, "\n".join([*step.output, step.error]))
        if "failed to solve" in text:
            return BuildError(f"{self.folder.name} does not build:", text)
        return EngineError(sentence, text)

    @property
    def image(self) -> str:
        """The name of the image that is built."""
        return self._settings().get("image") or f"{self.name}-{self.service}"

    @property
    def images(self) -> list[str]:
        """The names of the images that were built, those of services in a profile included."""
        with _translated():
            found = DockerClient().image.list(filters=[self._label])
        return [tag for image in found for tag in image.repo_tags]

    @property
    def volumes(self) -> list[str]:
        """The names of its volumes, which stay when it is down."""
        with _translated():
            return [volume.name for volume in DockerClient().volume.list(filters=[self._label])]

    @property
    def _passwords(self) -> list[str]:
        """The names of the passwords that the compose file has no default for."""
        return [*dict.fromkeys(_PASSWORD.findall(self._files[0].read_text("utf-8")))]

    def choose_passwords(self) -> list[str]:
        """Choose random passwords, where the compose file wants some that nobody has chosen.

        A variable without a default whose name ends with PASSWORD is written into `.env`. A secret
        that is to come from a file gets that file, readable for the users in containers, in a
        folder that nobody else on this machine may enter.

        Returns:
            What was missing: names of variables, and of files within the project's folder.

        Raises:
            EngineError: there is a volume, and so a database that has a password already; or a
                file that only its owner may read.
        """
        chosen = self.folder / ".env"
        text = chosen.read_text("utf-8") if chosen.is_file() else ""
        missing = [
            name
            for name in self._passwords
            if not os.environ.get(name) and not re.search(_SET % name, text, re.MULTILINE)
        ]
        if missing:
            self._no_volumes(missing[0], "Write it into .env")
            chosen.touch(mode=0o600)
            with chosen.open("a", encoding="utf-8") as file:
                file.write("\n" if text and not text.endswith("\n") else "")
                file.writelines(f"{name}={secrets.token_urlsafe(16)}\n" for name in missing)
        for file in self._secret_files:
            name = file.relative_to(self.folder).as_posix()
            if not file.exists() or not file.stat().st_size:
                self._no_volumes(name, "Write the password into that file")
                file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                file.write_text(f"{secrets.token_urlsafe(16)}\n", encoding="utf-8")
                file.chmod(0o644)
                missing.append(name)
            if not file.stat().st_mode & stat.S_IROTH:
                raise EngineError(
                    f"Users in containers cannot read {name} in the folder {self.folder.name}. "
                    f"Type: chmod 644 {self.folder.name}/{name}"
                )
        return missing

    @property
    def _secret_files(self) -> list[Path]:
        """The files within the project's folder that hold its secrets."""
        if "secrets:" not in self._files[0].read_text("utf-8"):
            return []
        with _translated():
            wanted = self._client.compose.config(return_json=True).get("secrets", {}).values()
        files = [Path(secret["file"]) for secret in wanted if "file" in secret]
        return [file for file in files if file.is_relative_to(self.folder)]

    def _no_volumes(self, missing: str, remedy: str) -> None:
        """Refuse to choose a password for a database that has one already."""
        if volumes := self.volumes:
            raise EngineError(
                f"{self.folder.name} has a database already, and {missing} is not set. {remedy} in "
                f"the folder {self.folder.name}, or remove the database and all that is in it: "
                f"docker volume rm {' '.join(volumes)}"
            )

    @property
    def image_id(self) -> str:
        """The digest of the image that was built: of its configuration and all its layers.

        With the containerd image store it also covers the attestations that BuildKit adds, which
        name the time of the build: https://github.com/moby/moby/issues/48391
        """
        return self._inspected().id

    @property
    def layers(self) -> list[str]:
        """The digests of the layers of the image that was built, those of its base first."""
        return self._inspected().root_fs.layers

    def bytes_to_push(self, known: Iterable[str]) -> int:
        """Return the bytes of the image's layers that a registry does not have, compressed by gzip.

        Args:
            known: the digests of the layers that it has, as `layers` gives them.
        """
        digests, there = iter(self.layers), {*known}

        def to_push(layer: IO[bytes]) -> int:
            return 0 if next(digests) in there else _compressed(layer)

        return sum(_of_each_layer(self.image, to_push))

    @property
    def image_bytes(self) -> int:
        """The size of the image that was built, as `image_bytes` tells it."""
        return image_bytes(self.image)

    @property
    def user(self) -> str:
        """The user whom the image names, as its Dockerfile does; empty where it names none."""
        return self._inspected().config.user or ""

    def _inspected(self) -> Image:
        with _translated():
            return DockerClient().image.inspect(self.image)

    @property
    def published(self) -> int | None:
        """The port inside the container that is reached from this machine; None if none is."""
        ports = self._settings().get("ports")
        return int(ports[0]["target"]) if ports else None

    def build(
        self, service: str = "", cache: bool = True, arguments: Mapping[str, str] | None = None
    ) -> list[Step]:
        """Build the image, as `docker compose build` does.

        Args:
            service: one that has a profile; without, all those that have none are built.
            cache: whether an instruction that has run before need not run again.
            arguments: build arguments, by their names.

        Returns:
            The steps that the build went through.

        Raises:
            BuildError: an instruction failed; what it printed last is part of the message.
        """
        said = []
        try:
            with building(), _translated():
                said_by = self._client.compose.build(
                    [service] if service else None,
                    build_args=arguments or {},
                    cache=cache,
                    progress="plain",
                    stream_logs=True,
                )
                for _, line in said_by:
                    said.append(line.decode(errors="replace"))
        except EngineError:
            raise self._build_error([line for line in said if not _HINT.match(line)]) from None
        return steps(said)

    def files(self) -> list[tarfile.TarInfo]:
        """Return the files, folders and links in the image that was built; paths begin with `/`."""
        with _translated(), tempfile.TemporaryDirectory() as room:
            exported = Path(room) / "image.tar"
            container = self._client.container.create(self.image)
            try:
                container.export(exported)
            finally:
                container.remove()
            with tarfile.open(exported) as members:
                found = members.getmembers()
        for member in found:
            member.name = f"/{member.name}"
        return found

    def start(self, added: Mapping[str, str] | None = None) -> None:
        """Start the containers, as `docker compose up` does, from the image that was built.

        Args:
            added: text files that the service's container gets before it starts, by their paths
                in it; the folders must be there.
        """
        if added:
            self._create(added)
        with _translated():
            for _ in self._client.compose.up(detach=True, no_build=True, stream_logs=True):
                pass

    def _create(self, added: Mapping[str, str]) -> None:
        with _translated(), tempfile.TemporaryDirectory() as room:
            self._client.compose.create(no_build=True)
            container = self.container
            for path, text in added.items():
                file = Path(room) / "added"
                file.write_text(text, encoding="utf-8")
                container.copy_to(file, path)

    @property
    def remains(self) -> bool:
        """Whether any container or network of the project is there, running or not."""
        return any(thing.startswith(("container ", "network ")) for thing in leftovers(self.name))

    @property
    def container(self) -> Container | None:
        """The container of the service, running or not; None where there is none."""
        service = ("label", f"{_SERVICE}={self.service}")
        with _translated():
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
        with _translated():
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
        with _translated():
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
            with _translated():
                running = container is not None and container.state.running
                return running, container.logs() if container else ""

        return look_again(look, lambda seen: not seen[0] or enough(seen[1]), seconds)[1]

    def run(self, *command: str) -> str:
        """Run a command in a container of its own, as `docker compose run --rm` does.

        Returns:
            What it wrote to standard output.
        """
        there = f"{self.name}-{self.service}:latest" in self.images
        # Where there is no image it is built first.
        with nullcontext() if there else building(), _translated():
            return self._client.compose.run(self.service, [*command], remove=True, tty=False)

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
        with _translated():
            said = container.execute([*command], privileged=True, user="0", detach=detach)
        return said or ""

    def freeze(self) -> None:
        """Stop all processes of the container for as long as it is there: they do not serve then.

        `docker pause` would freeze a health check as well, and a first process gets no SIGSTOP from
        within its container: https://man7.org/linux/man-pages/man7/pid_namespaces.7.html
        """
        container = self._running(self.container)
        with _translated():
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
        with _translated():
            self._client.compose.stop([self.service], timeout=seconds)
        container = self.container
        if container is None:
            raise EngineError(f"{self.folder.name} has no container that could be stopped.")
        return container.state.exit_code

    def down(self, everything: bool = False, seconds: int | None = None) -> None:
        """Remove containers and networks, as `docker compose down` does, of all services.

        Args:
            everything: also volumes, and all images that were built under the project's name.
                Nothing is waited for then: a container that still runs is killed.
            seconds: how long a container gets to stop before it is killed; by default Docker's
                time, https://docs.docker.com/reference/compose-file/services/#stop_grace_period
        """
        if everything:
            remove_leftovers(self.name)
            return
        with _translated(), tempfile.NamedTemporaryFile("w", suffix=".env") as known:
            # Compose wants the passwords again, though it needs none to remove something.
            known.writelines(f"{name}=any\n" for name in self._passwords)
            known.flush()
            client = DockerClient(
                compose_files=self._files,
                compose_project_name=self.name,
                # Services in a profile are left alone unless all are meant.
                # https://docs.docker.com/compose/how-tos/profiles/
                compose_profiles=["*"],
                compose_env_files=[Path(known.name), *filter(Path.is_file, [self.folder / ".env"])],
            )
            client.compose.down(remove_orphans=True, timeout=seconds, quiet=True)


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
