"""Says of every precondition of the lessons whether it is met, and what mends it. Changes nothing.

Nothing is waited for longer than a few seconds: what is that slow is told as silent.
"""

import importlib.util
import json
import sys
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from series.prepare import engine, images, owner, port
from series.prepare.problem import Problem
from series.prepare.programs import run

SECONDS = 6
"""How long the registry may be silent, and how long the package index."""

DISK_NEEDED = engine.DISK_NEEDED
MEMORY_NEEDED = 5 * 10**8
"""Bytes. When it was measured, building a lesson took less than half of it."""

NO_SUCH_IMAGE = "this-image-does-not-exist"


@dataclass(frozen=True)
class Condition:
    """A precondition, and whether it is met.

    Attributes:
        name: what it is about.
        state: what was seen.
        mend: what to type, or what else to do about it; empty where all is well.
        stops: whether a lesson cannot be built or started as it is.
    """

    name: str
    state: str
    mend: str = ""
    stops: bool = False

    def __str__(self) -> str:
        mark = "STOP" if self.stops else "note" if self.mend else "ok"
        line = f"{mark:5} {self.name:24} {self.state}"
        return f"{line}\n{'':31}→ {self.mend}" if self.mend else line


def examine(folders: Collection[Path], wanted_port: int) -> Iterator[Condition]:
    """Look at one precondition after the other.

    Args:
        folders: those of the wanted lessons.
        wanted_port: the port at which they are to answer.
    """
    alone = next(iter(folders)).name if len(folders) == 1 else ""
    bring = f"make up LESSON={alone}" if alone else "make test"
    yield python()
    state = engine.look(seconds=SECONDS)
    yield from tools(state)
    named = images.named_by(folders)
    here = images.here(named) if state.engine else {}
    probed_in = next(
        (image for image in named if image.startswith("python:") and image in here), ""
    )
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(registry) if state.engine else None
        probed = pool.submit(probe, probed_in)
        seen = probed.result()
        yield disk(seen)
        yield memory(seen)
        yield taken(wanted_port, folders)
        if asked is None:
            return
        yield from names(folders)
        answers, condition = asked.result()
        yield condition
        for image in named:
            yield base_image(image, here.get(image), answers, bring)
        if others := [image for image in images.stand_ins() if image not in named]:
            yield Condition("Other stand-ins", ", ".join(others), "make clean removes them")
        yield index(seen, probed_in, bring)


def python() -> Condition:
    """Look at the Python that this runs on; it is new enough, or this would not run."""
    version = ".".join(map(str, sys.version_info[:3]))
    if importlib.util.find_spec("ensurepip"):
        return Condition("Python", version)
    return Condition(
        "Python",
        f"{version}, without the means to make virtual environments",
        "as root, make test installs them; otherwise type: sudo apt-get install python3-venv",
    )


def tools(state: engine.State) -> Iterator[Condition]:
    """Tell what answers of the engine, Compose and Buildx, and in which version."""
    mend = ""
    if state.missing:
        try:
            engine.refuse_what_cannot_be_mended(state)
            mend = "make up"
        except Problem as problem:
            mend = str(problem)
    parts = {"Docker Engine": state.engine, "Compose": state.compose, "Buildx": state.buildx}
    for name, version in parts.items():
        if version:
            yield Condition(name, version)
        else:
            yield Condition(name, "no answer", mend, stops=True)
            mend = ""  # what mends one of them mends all


def taken(number: int, folders: Collection[Path] = ()) -> Condition:
    """Tell whether the port is free, and if not, who has it.

    Args:
        number: the port.
        folders: those of the lessons that may have it.
    """
    name = f"Port {number}"
    if not number:
        return Condition("Port", "the engine chooses a free one")
    if not port.is_taken(number):
        return Condition(name, "free")
    holder = owner.of_port(number)
    who = f"taken by {holder or 'another program'}"
    stops = holder is None or holder.folder not in folders
    return Condition(name, who, port.way_out(number, holder), stops)


def names(folders: Collection[Path]) -> Iterator[Condition]:
    """Tell which lessons have a namesake, whose containers Compose would replace by theirs.

    Args:
        folders: those of the lessons.
    """
    for folder in folders:
        project = owner.project_of(folder)
        if other := owner.namesake(project, folder):
            state = f"is also the name for containers of {other}"
            yield Condition(f"Project {project}", state, owner.way_out(project), stops=True)


# Run by a Python in a container, where the engine keeps its images, or else on this machine.
# https://docs.kernel.org/filesystems/proc.html#meminfo
_PROBE = r"""
import json, os, re, shutil, subprocess, sys, urllib.request
inside, seen = sys.argv[1:], {"disk": shutil.disk_usage("/").free, "memory": None, "index": None}
try:
    text = open("/proc/meminfo").read()
    seen["memory"] = 1024 * int(re.search(r"^MemAvailable: *(\d+) kB$", text, re.M)[1])
except (OSError, TypeError):
    pass
if inside:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    pip += ["--no-deps", "--no-cache-dir", "--retries=0", "--timeout=3", "--dest=/tmp", "iniconfig"]
    seen["index"] = "pip" if subprocess.run(pip, capture_output=True).returncode == 0 else "none"
if seen["index"] == "pip":
    # Poetry asks the default index for the JSON of a release as well.
    from pip._internal.models.index import PyPI
    try:
        if not os.environ.get("POETRY_PYPI_MIRROR_URL"):
            url = PyPI.pypi_url + "/iniconfig/2.3.0/json"
            json.load(urllib.request.urlopen(url, timeout=3))
        seen["index"] = "both"
    except (OSError, ValueError):
        pass
print(json.dumps(seen))
"""


@dataclass(frozen=True)
class Seen:
    """What a look at the engine's machine shows.

    Attributes:
        disk: how many bytes are free; None where that cannot be told.
        memory: how many bytes are available; None where that cannot be told.
        index: whether the package index answers in a container: "both" pip and Poetry, "pip"
            alone, or "none"; None where that was not asked.
    """

    disk: int | None = None
    memory: int | None = None
    index: str | None = None


def probe(image: str) -> Seen:
    """Look at the engine's machine.

    Args:
        image: one with Python and pip, for a container that can look; empty for none, then this
            machine itself is looked at.
    """
    # A container that does not end in time is ended from inside: nothing of it stays.
    inside = ("docker", "run", "--rm", image, "timeout", str(SECONDS), "python", "-c", _PROBE, "x")
    command = inside if image else (sys.executable, "-c", _PROBE)
    said = run(*command, seconds=SECONDS + 2).output
    with suppress(ValueError):
        return Seen(**json.loads(said))
    return Seen(index="none" if image else None)


def disk(seen: Seen) -> Condition:
    """Tell whether there is room for base images, lessons and a build cache."""
    return _enough("Disk", "free", seen.disk, DISK_NEEDED, "docker system df, and remove some")


def memory(seen: Seen) -> Condition:
    """Tell whether there is memory to build and run a lesson."""
    mend = "end other programs, or give Docker's virtual machine more"
    return _enough("Memory", "available", seen.memory, MEMORY_NEEDED, mend)


def _enough(name: str, word: str, there: int | None, needed: int, mend: str) -> Condition:
    want = f"{needed / 1e9:g} GB needed"
    if there is None:
        return Condition(name, f"not known; {want}")
    state = f"{there / 1e9:.1f} GB {word}, {want}"
    return Condition(name, state) if there >= needed else Condition(name, state, mend, stops=True)


def registry(image: str = NO_SUCH_IMAGE) -> tuple[bool, Condition]:
    """Ask the registry, through the engine, for an image that it cannot have: any answer will do.

    Args:
        image: that image.

    Returns:
        Whether it answers, and the condition.
    """
    pulled = run("docker", "pull", "--quiet", image, seconds=SECONDS)
    if images.limited(pulled.output):
        mend = "docker login (an account has a higher limit), or wait an hour"
        return False, Condition("Registry", "refuses: too many requests", mend)
    if images.refused(pulled.output):
        return True, Condition("Registry", "answers")
    mend = "not needed where the base images are here; stand-ins are made for missing ones"
    return False, Condition("Registry", "no answer", mend)


def base_image(
    name: str, local: images.Local | None, registry_answers: bool, bring: str
) -> Condition:
    """Tell whether a base image is on this machine.

    Args:
        name: its name.
        local: what it is here; None where it is not here.
        registry_answers: whether it could be pulled.
        bring: the command that brings it.
    """
    if local and local.outdated:
        return Condition(name, "a stand-in made by an older recipe", bring)
    if local and local.stand_in:
        mend = "make clean removes it; the registry is asked for the original at the next " + bring
        return Condition(name, "a stand-in, which every project on this machine gets", mend)
    if local:
        return Condition(name, "here")
    if registry_answers:
        return Condition(name, "not here yet", f"{bring}, which pulls it")
    return Condition(name, "not here", f"{bring}, which makes a stand-in", stops=True)


def index(seen: Seen, image: str, bring: str) -> Condition:
    """Tell whether the Python package index answers inside of a container.

    Args:
        seen: what a look in a container showed.
        image: the container's.
        bring: the command that brings base images.
    """
    name = "Package index"
    if seen.index is None:
        return Condition(name, "not known as long as the Python image is not here", bring)
    where = f"in a container of {image}"
    if seen.index == "both":
        return Condition(name, f"answers {where}")
    if seen.index == "pip":
        mend = "use a network or a mirror with the index's JSON; lessons without Poetry work"
        return Condition(name, f"answers pip and not Poetry {where}", mend, stops=True)
    mend = f"check network and proxy; if its certificates changed: make clean, then {bring}"
    return Condition(name, f"no answer {where}", mend, stops=True)
