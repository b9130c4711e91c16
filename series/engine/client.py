"""What the engine refuses, in words for people; its version, and what it runs on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from python_on_whales import DockerClient
from python_on_whales.client_config import ClientNotFoundError
from python_on_whales.exceptions import DockerException

from series.prepare.owner import of_port
from series.prepare.port import way_out
from series.prepare.problem import DISK_FULL


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
        "and at the network; where there is no registry, make test makes stand-ins."
    ),
    r"invalid (?:host|published |container)?port": "PORT must be a number from 1 to 65535.",
}
REFUSES = "The Docker Engine refuses:"
_TAKEN = re.compile(r":(\d+)\S* failed: port is already allocated|:(\d+)\S*: .*address already in")


def port_taken(port: int) -> str:
    """Return the sentence for a port of this machine that somebody else has."""
    owner = of_port(port)
    who = owner or "another program"
    return f"Port {port} is taken by {who}. To mend it, {way_out(port, owner)}."


def sentence_for(said: str) -> str:
    """Return what a person should read when the engine says this; REFUSES for anything unknown."""
    if taken := _TAKEN.search(said):
        return port_taken(int(taken[1] or taken[2]))
    for pattern, sentence in _SENTENCES.items():
        if re.search(pattern, said, re.IGNORECASE):
            return sentence
    return REFUSES


@contextmanager
def translated() -> Iterator[None]:
    """Turn what python-on-whales raises in the block into an EngineError."""
    try:
        yield
    except ClientNotFoundError:
        raise EngineError("There is no docker command here. Type: make up") from None
    except DockerException as refused:
        said = f"{refused.stdout or ''}{refused.stderr or ''}"
        raise EngineError(sentence_for(said), said) from None


def versions() -> str:
    """Return the versions of engine and Compose and the engine's image store, for people to read.

    https://docs.docker.com/engine/storage/containerd/
    """
    client = DockerClient()
    with translated():
        its = client.info()
        compose = client.compose.version().split()[-1]
    containerd = ["driver-type", "io.containerd.snapshotter.v1"] in (its.driver_status or [])
    store = "containerd" if containerd else "classic"
    return f"Docker Engine {its.server_version} ({store} image store), Compose {compose}"


def processors() -> int:
    """Return how many processors the engine can use."""
    with translated():
        return DockerClient().info().n_cpu or 1


def machine() -> str:
    """Return what the engine runs on, for people to read: processors, memory, system."""
    with translated():
        its = DockerClient().info()
    memory = (its.mem_total or 0) / 2**30
    return (
        f"{its.n_cpu} processors ({its.architecture}), {memory:.0f} GiB of memory, "
        f"{its.operating_system}"
    )
