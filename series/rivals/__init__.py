"""How the final result compares with other ways to the same image, measured, saved and printed.

Each rival is a Dockerfile in a folder here, named in its first line. All of them serve the same
application with the same packages. They are measured by turns: one run of each, then the next
round. The figures are those of one machine on one day; compare them with each other.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from series import engine
from series.contract import Subject
from series.contract.edits import edited
from series.lessons import get
from series.measuring import BadRuns, with_a_new_dependency
from series.measuring.stops import stop_under_load
from series.prepare.programs import doing

FINAL = get("final-result")
FOLDER = Path(__file__).parent
FIGURES = FOLDER / "rivals.json"
ENOUGH = 3
"""From how many rounds on the figures are saved."""
QUANTITIES = {
    "cold": "from nothing",
    "nothing": "nothing changed",
    "edit": "after an edit",
    "push": "to push then",
    "dependency": "new dependency",
    "start": "start, ¼ processor",
    "image": "image",
    "above": "above its base",
}
"""What is measured, and how it is called."""
SIZES = {"push", "image", "above"}
"""Those of them that are in bytes; the others are in seconds."""
STOPS = 20
_AGAIN = 3
"""So often in each round what takes less than a second."""

_FILES = (
    *(".dockerignore", "build-constraints.txt", "gunicorn.conf.py", "poetry.lock"),
    *("pyproject.toml", "requirements.txt"),
)
# A quarter of a processor: what is compiled at a start takes its time then.
_COMPOSE = """\
services:
  web:
    build: .
    environment: {WEB_CONCURRENCY: 2, PYTHONDONTWRITEBYTECODE: 1}
    ports: ["127.0.0.1:${PORT:-8000}:8000"]
    cpus: 0.25
"""

Samples = dict[str, list[float]]


@dataclass(frozen=True)
class Contestant:
    """One way to the image.

    Attributes:
        name: its folder.
        dockerfile: where its Dockerfile is.
    """

    name: str
    dockerfile: Path

    @property
    def approach(self) -> str:
        """What it does, in a few words."""
        if self.dockerfile.parent == FINAL.path:
            return FINAL.title
        return self.dockerfile.read_text("utf-8").splitlines()[0].removeprefix("# ")

    @property
    def base(self) -> str:
        """The base image that it ends on."""
        images: dict[str, str] = {}
        last = ""
        text = self.dockerfile.read_text("utf-8")
        for image, stage in re.findall(r"^FROM (\S+)(?: AS (\S+))?", text, re.MULTILINE):
            last = images.get(image, image)
            images[stage] = last
        return last


def contestants() -> list[Contestant]:
    """Return the rivals, and the final result."""
    files = sorted(FOLDER.glob("*/Dockerfile"))
    rivals = [Contestant(file.parent.name, file) for file in files]
    return [*rivals, Contestant(FINAL.folder, FINAL.path / "Dockerfile")]


def digest() -> str:
    """Return a digest of all that the figures depend on: instructions, application, packages."""
    found = hashlib.sha256()
    for contestant in contestants():
        text = contestant.dockerfile.read_text("utf-8")
        found.update(re.sub(r"^(#.*)?\n", "", text, flags=re.MULTILINE).encode())
    sources = sorted((FINAL.path / "src").rglob("*.[ps][yq]*"))
    for file in [*(FINAL.path / name for name in _FILES), *sources]:
        if "__pycache__" not in file.parts:
            found.update(file.read_bytes())
    return found.hexdigest()


def run(runs: str) -> tuple[dict[str, Any], bool]:
    """Measure everything, and save the figures if there are enough rounds.

    Args:
        runs: how many rounds: a whole number from 1.

    Returns:
        The figures, in seconds and bytes, of all rounds and not only their medians; and whether
        they were saved.

    Raises:
        EngineError: the engine refused something.
        BadRuns: there is no such number of rounds.
    """
    if not re.fullmatch("0*[1-9][0-9]{0,2}", runs):
        raise BadRuns(f"RUNS={runs} is no number of rounds. Choose one from 1 to 999, such as 3.")
    # What the person at this machine has set for the lesson does not count.
    os.environ.update(PORT="0", WEB_CONCURRENCY="2", CPUS="1")
    with Subject(FINAL.path) as subject:
        with doing("Adding a dependency"):
            changed = _with_a_longer_list(with_a_new_dependency(subject))
        assert subject.built
        python = subject.project.run("python", "-c", _VERSION).strip()
        with doing(f"Stopping the final result under load, {STOPS} times"):
            stops = stop_under_load(subject.project, STOPS)
    names = sorted({contestant.base for contestant in contestants()})
    bases = {name: engine.image_bytes(name) for name in names}
    samples: dict[str, Samples] = {contestant.name: {} for contestant in contestants()}
    for number in range(1, int(runs) + 1):
        for contestant in contestants():
            with doing(f"Round {number} of {int(runs)}: {contestant.approach}"):
                for what, values in _measured(contestant, changed, bases).items():
                    samples[contestant.name].setdefault(what, []).extend(values)
    figures = {
        "digest": digest(),
        "machine": engine.machine(),
        "versions": f"{engine.versions()}, {python}",
        "bases": {
            base: {"bytes": size, "stand_in": base in engine.stand_ins()}
            for base, size in bases.items()
        },
        "day": date.today().isoformat(),
        "rounds": int(runs),
        "stops": {"times": STOPS, **stops},
        "samples": samples,
    }
    if int(runs) >= ENOUGH:
        FIGURES.write_text(f"{json.dumps(figures, indent=1)}\n", "utf-8")
    return figures, int(runs) >= ENOUGH


_VERSION = "import platform; print(f'Python {platform.python_version()}')"


def _with_a_longer_list(changed: Mapping[str, str]) -> dict[str, str]:
    """The files that a new dependency changes, the list for pip among them."""
    name, version, hashes = re.findall(
        r'name = "(itsdangerous)"\nversion = "(.+)"\n(?:.+\n)*?files = \[\n((?:.+\n)+?)\]',
        changed["poetry.lock"],
    )[0]
    known = " ".join(f"--hash={one}" for one in re.findall(r"sha256:\w+", hashes))
    text = (FINAL.path / "requirements.txt").read_text("utf-8")
    return {**changed, "requirements.txt": f"{text}{name}=={version} {known}\n"}


@contextmanager
def _folder(contestant: Contestant) -> Iterator[Path]:
    """A folder with the application, and a Dockerfile that no build has seen before.

    What its cache mounts have is not there for it either.
    """
    with tempfile.TemporaryDirectory(prefix="rival-") as room:
        folder = Path(room) / contestant.name
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(FINAL.path / "src", folder / "src", ignore=ignored)
        for name in _FILES:
            shutil.copy(FINAL.path / name, folder)
        (folder / "compose.yaml").write_text(_COMPOSE, "utf-8")
        # No image on this machine has this folder, so none has the same layers. The engine takes
        # its time to export a layer if another build has made the same one before.
        new = f"WORKDIR /{uuid.uuid4()}\n"
        text = contestant.dockerfile.read_text("utf-8").replace(
            "type=cache,", f"type=cache,id={uuid.uuid4()},"
        )
        text = re.sub(r"^FROM .*\n", rf"\g<0>{new}", text, flags=re.MULTILINE)
        (folder / "Dockerfile").write_text(text, "utf-8")
        yield folder


def _measured(
    contestant: Contestant, changed: Mapping[str, str], bases: Mapping[str, int]
) -> Samples:
    """One round of a contestant: seconds and bytes."""
    with _folder(contestant) as folder:
        project = engine.Project(folder, engine.test_name(contestant.name))
        try:
            found = {"cold": [_seconds(project.build)]}
            found["image"] = [project.image_bytes]
            found["above"] = [found["image"][0] - bases[contestant.base]]
            found["nothing"] = [_seconds(project.build) for _ in range(_AGAIN)]
            found["edit"] = []
            known = project.layers
            for _ in range(_AGAIN):
                with edited(folder / "src" / "final_result" / "main.py"):
                    found["edit"].append(_seconds(project.build))
                    if len(found["edit"]) == 1:
                        found["push"] = [project.bytes_to_push(known)]
            project.build()
            found["start"] = [round(project.seconds_to_answer(120), 3)]
            project.down()
            for name, text in changed.items():
                (folder / name).write_text(text, "utf-8")
            found["dependency"] = [_seconds(project.build)]
        finally:
            project.down(everything=True)
    return found


def _seconds(build: Callable[[], Any]) -> float:
    began = time.monotonic()
    build()
    return round(time.monotonic() - began, 3)


def load() -> dict[str, Any]:
    """Return the figures that were saved."""
    return json.loads(FIGURES.read_text("utf-8"))


def median(figures: Mapping[str, Any], name: str, what: str) -> float:
    """Return the median of what was measured of a contestant, in seconds or bytes."""
    return statistics.median(figures["samples"][name][what])


def report(figures: Mapping[str, Any]) -> dict[str, str]:
    """Return the figures as Markdown: paragraphs `machine` and `stops`, and a table `rivals`."""
    bases = ", ".join(
        f"{name} of {base['bytes'] / 1e6:.0f} MB" + (" (a stand-in)" if base["stand_in"] else "")
        for name, base in figures["bases"].items()
    )
    machine = (
        f"Medians of {figures['rounds']} rounds, in each of which every line was measured once, "
        f"and what takes less than a second {_AGAIN} times. Measured on {figures['day']} with "
        f"{figures['machine']}: {figures['versions']} in the images, base images {bases}.\n"
    )
    stops = figures["stops"]
    where = f"{figures['day']}, {figures['machine']}, {figures['versions']}"
    said = (
        f"With two workers, the server was stopped {stops['times']} times while 24 clients asked "
        f"without a pause. {stops['answered']:,} requests got their whole answer, and "
        f"{stops['cut']} answers were cut. {stops['held']} messages were held up by the database "
        f"when the stop began: {stops['forgotten']} of them got no answer. {stops['lost']} "
        f"messages were lost that had been confirmed. {stops['unread']} connections were closed "
        f"that nobody had read yet. ({where}.)\n"
    )
    rows = []
    for contestant in sorted(contestants(), key=lambda one: median(figures, one.name, "cold")):
        link = f"[{contestant.approach}]({_link(contestant)})"
        name = f"**{link}**" if contestant.name == FINAL.folder else link
        shown = [_shown(what, median(figures, contestant.name, what)) for what in QUANTITIES]
        cells = [cell.replace(" ", "&nbsp;") for cell in shown]
        rows.append(f"| {' | '.join([name, *cells])} |\n")
    head = f"| | {' | '.join(QUANTITIES.values())} |\n|---|{'--:|' * len(QUANTITIES)}\n"
    return {"machine": machine, "stops": said, "rivals": head + "".join(rows)}


def compared(figures: Mapping[str, Any], *names: str) -> dict[str, list[str]]:
    """Return what builds of some contestants took and what came of them, by what it is.

    Args:
        figures: what was measured.
        names: the contestants.

    Raises:
        KeyError: one of them was not measured.
    """
    return {
        title: [_shown(what, median(figures, name, what)) for name in names]
        for what, title in QUANTITIES.items()
        if what not in ("nothing", "start")
    }


def _link(contestant: Contestant) -> str:
    return contestant.dockerfile.relative_to(FOLDER.parent.parent).as_posix()


def _shown(what: str, value: float) -> str:
    match what:
        case "above" | "image":
            return f"{value / 1e6:.0f} MB"
        case "push" if value > 1e6:
            return f"{value / 1e6:.0f} MB"
        case "push":
            return f"{value / 1e3:.0f} kB"
        case "nothing" | "edit":
            return f"{value:.2f} s"
    return f"{value:.1f} s"
