"""An image: its build, its layers, its files."""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from python_on_whales import DockerClient, Image
from python_on_whales.exceptions import DockerException

from series.buildlog import Step, steps
from series.engine.client import REFUSES, BuildError, EngineError, sentence_for, translated
from series.engine.compose import ComposeFile

# How compressed data begin: https://www.rfc-editor.org/rfc/rfc1952, https://www.rfc-editor.org/rfc/rfc8878
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# What Compose has against an option that python-on-whales gives it.
_HINT = re.compile(r"--progress is a global compose flag")


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


def image_bytes(name: str) -> int:
    """Return the size of an image on this machine: of all files in all its layers, in bytes.

    With the classic image store `docker image inspect` says the same. With the containerd store it
    may count compressed bytes, or both: https://github.com/moby/moby/issues/53426
    """
    return sum(_of_each_layer(name, _file_bytes))


def places(name: str, texts: Iterable[str]) -> dict[str, list[str]]:
    """Return where each of some texts stands in an image on this machine.

    Searched are the history, the configuration, and in each layer the names and contents of all
    files, those included that a later layer removes. Compressed files are not opened.

    Args:
        name: the image.
        texts: what is searched for.

    Returns:
        By text: the entries of the history, parts of the configuration, and layers with files.
    """
    found: dict[str, list[str]] = {text: [] for text in texts}
    for place, content in _pieces(name):
        for text, there in found.items():
            if text in place or text.encode() in content:
                there.append(place)
    return found


def _of_each_layer(image: str, tell: Callable[[IO[bytes]], int]) -> list[int]:
    """Return what `tell` says of each layer of an image, the lowest first.

    https://github.com/moby/docker-image-spec/blob/main/spec.md
    """
    with _saved(image) as members:
        [manifest] = json.loads(members.extractfile("manifest.json").read())
        return [tell(members.extractfile(name)) for name in manifest["Layers"]]


@contextmanager
def _saved(image: str) -> Iterator[tarfile.TarFile]:
    """What `docker image save` writes of an image: its layers, and texts that describe it."""
    with translated(), tempfile.TemporaryDirectory() as room:
        saved = Path(room) / "image.tar"
        DockerClient().image.save(image, output=saved)
        with tarfile.open(saved) as members:
            yield members


def _is_compressed(layer: IO[bytes]) -> bool:
    """Tell whether a layer is compressed. The containerd image store saves it as it is pushed.

    Raises:
        EngineError: it is compressed by zstd.
    """
    magic = layer.read(4)
    layer.seek(0)
    if magic == _ZSTD:
        raise EngineError(
            "The image has a layer compressed by zstd. Build or pull it with gzip to measure it."
        )
    return magic[:2] == _GZIP


def _file_bytes(layer: IO[bytes]) -> int:
    """The bytes of all files in a layer."""
    with tarfile.open(fileobj=layer, mode="r:gz" if _is_compressed(layer) else "r:") as files:
        return sum(file.size for file in files)


def _pieces(image: str) -> Iterator[tuple[str, bytes]]:
    """All that an image consists of, piece by piece: where it stands, and what it says."""
    with _saved(image) as members:
        [manifest] = json.loads(members.extractfile("manifest.json").read())
        config = json.loads(members.extractfile(manifest["Config"]).read())
        for entry in config["history"]:
            yield f"history: {entry.get('created_by', '')}", _text(entry).encode()
        for name, value in config["config"].items():
            yield f"configuration: {name}", _text(value).encode()
        # Such as the attestations that BuildKit adds in the containerd image store.
        for member in members:
            if member.isfile() and member.name not in (manifest["Config"], *manifest["Layers"]):
                yield f"archive: {member.name}", members.extractfile(member).read()
        for number, name in enumerate(manifest["Layers"], 1):
            layer = members.extractfile(name)
            with tarfile.open(
                fileobj=layer, mode="r:gz" if _is_compressed(layer) else "r:"
            ) as files:
                for file in files:
                    content = files.extractfile(file).read() if file.isfile() else b""
                    yield f"layer {number}: /{file.name}", content


def _text(value: Any) -> str:  # noqa: ANN401
    """What a piece of JSON says, without the marks of JSON, which change what stands in it."""
    if isinstance(value, dict):
        return "\n".join(f"{name}={_text(part)}" for name, part in value.items())
    return "\n".join(map(_text, value)) if isinstance(value, list) else str(value)


def _compressed(layer: IO[bytes]) -> int:
    """The bytes of a layer as a registry gets it: compressed by gzip."""
    if _is_compressed(layer):
        return layer.seek(0, os.SEEK_END)
    return len(gzip.compress(layer.read(), mtime=0))


def remove_images(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Remove these images, where they are here and no container needs them.

    Returns:
        The names of those that were removed, and of those that a container needs.
    """
    client = DockerClient()
    removed, needed = [], []
    for name in names:
        with translated():
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


class ServiceImage(ComposeFile):
    """The image that a compose file builds for a service."""

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
            with building(), translated():
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

    def _build_error(self, said: list[str]) -> EngineError:
        text = "".join(said)
        sentence = sentence_for(text)
        if sentence != REFUSES:
            return EngineError(sentence, text)
        for step in steps(said):
            if step.error:
                sentence = f"{self.folder.name} does not build. It fails at: {step.instruction}"
                return BuildError(sentence, "\n".join([*step.output, step.error]))
        if "failed to solve" in text:
            return BuildError(f"{self.folder.name} does not build:", text)
        return EngineError(sentence, text)

    @property
    def images(self) -> list[str]:
        """The names of the images that were built, those of services in a profile included."""
        with translated():
            found = DockerClient().image.list(filters=[self._label])
        return [tag for image in found for tag in image.repo_tags]

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

    def places(self, texts: Iterable[str]) -> dict[str, list[str]]:
        """Return where each of some texts stands in the image that was built, as `places` does."""
        return places(self.image, texts)

    @property
    def user(self) -> str:
        """The user whom the image names, as its Dockerfile does; empty where it names none."""
        return self._inspected().config.user or ""

    @property
    def health_check(self) -> list[str]:
        """The words of the health check that the image declares; none where it declares none."""
        # https://docs.docker.com/reference/dockerfile/#healthcheck
        declared = self._inspected().config.healthcheck
        words = declared.test if declared else None
        return [] if not words or words == ["NONE"] else words

    def _inspected(self) -> Image:
        with translated():
            return DockerClient().image.inspect(self.image)

    def files(self) -> list[tarfile.TarInfo]:
        """Return the files, folders and links in the image that was built; paths begin with `/`."""
        with translated(), tempfile.TemporaryDirectory() as room:
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
