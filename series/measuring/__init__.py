"""What each technique of extra 2 brings, measured, saved for its README, and printed.

All variants are made from the lesson's own Dockerfile, and measured by turns: one run of each, then
the next round. The figures are those of one machine on one day; compare them with each other.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from series import engine
from series.contract import Subject
from series.contract.edits import edited
from series.lessons import get
from series.prepare.programs import doing

LESSON = get("extra-2-need-for-speed")
FIGURES = Path(__file__).with_name("need-for-speed.json")
ENOUGH = 5
"""From how many runs of each on the figures are saved."""

NEW_DEPENDENCY = "itsdangerous==2.2.0"

# Python says what it is.
_VERSIONS = (
    "import platform, pip; print(f'Python {platform.python_version()}, pip {pip.__version__}')"
)
_PORT = 8080
_BASE = "python:3.13-slim-trixie"
_COMPILE = """\
RUN python -m compileall -q -x site-packages \\
    "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
"""
_SETTINGS = "ENV PIP_DISABLE_PIP_VERSION_CHECK=1\n"
_CACHE = "--mount=type=cache,target=/root/.cache/pip"
_INSTALL = "    pip install --require-hashes -r /requirements.txt"
_PROJECT = "    pip install --no-cache-dir --no-deps"

WHEELS = {
    _CACHE: "--mount=type=cache,target=/wheels,sharing=locked",
    _INSTALL: (
        "    pip download --no-cache-dir --dest /wheels --require-hashes -r /requirements.txt \\\n"
        "    && pip install --no-cache-dir --no-index --find-links /wheels"
        " --require-hashes -r /requirements.txt"
    ),
}
"""What is replaced to keep the files in a folder, and not in pip's cache."""

# What is replaced in the Dockerfile, by what the tables call the variant.
Variants = Mapping[str, Mapping[str, str]]
_NOT_ALL = {_COMPILE: ""}
_NO_APPLICATION = {_PROJECT: f"{_PROJECT} --no-compile"}
_NO_DEPENDENCIES = {_INSTALL: _INSTALL.replace("install", "install --no-compile")}
BYTECODE: Variants = {
    "nothing": _NOT_ALL | _NO_APPLICATION | _NO_DEPENDENCIES,
    "the dependencies": _NOT_ALL | _NO_APPLICATION,
    "and the application, as in step 5": _NOT_ALL,
    "and the standard library": {},
    "and pip": {_COMPILE: _COMPILE.replace(" -x site-packages", "")},
}


def ask(address: str, kind: str) -> str:
    """Return the instruction with which pip asks the program `index.py`.

    Args:
        address: where builds reach it.
        kind: `keep` if it is to allow pip to keep what it gets, else `forget`.
    """
    return f"ENV PIP_INDEX_URL=http://{address}:{_PORT}/{kind}/simple/ PIP_TRUSTED_HOST={address}\n"


def downloads(address: str) -> Variants:
    """Return the variants that differ in where downloads are kept.

    Args:
        address: where builds reach the program `index.py`.
    """

    def asking(kind: str) -> dict[str, str]:
        return {_SETTINGS: f"{ask(address, kind)}{_SETTINGS}"}

    nowhere = {f"{_CACHE} \\\n    ": "", _INSTALL: f"{_INSTALL} --no-cache-dir"}
    return {
        "nowhere": asking("forget") | nowhere,
        "in pip's cache, if the index forbids it": asking("forget"),
        "in pip's cache, if the index allows it": asking("keep"),
        "in `/wheels`, if the index forbids pip's cache": asking("forget") | WHEELS,
    }


@contextmanager
def index() -> Iterator[engine.Project]:
    """Start the program `index.py`, a package index, in a container; remove it at the end."""
    command = ["python", "/index.py", str(_PORT)]
    service = {"image": _BASE, "network_mode": "bridge", "command": command}
    with tempfile.TemporaryDirectory(prefix="index-") as room:
        folder = Path(room)
        (folder / "compose.yaml").write_text(json.dumps({"services": {"index": service}}))
        project = engine.Project(folder, engine.test_name("index"), "index")
        try:
            project.start({"/index.py": Path(__file__).with_name("index.py").read_text("utf-8")})
            project.wait_for_log(lambda log: "ready" in log, 30)
            yield project
        finally:
            project.down(everything=True)


class MeasureError(Exception):
    """It cannot be measured; the message is a sentence for whoever wants to."""


class BadRuns(Exception):
    """No number of runs; the message is a sentence for whoever typed it."""


def variant(dockerfile: str, replaced: Mapping[str, str]) -> str:
    """Return the text of a Dockerfile with some of it replaced.

    Raises:
        MeasureError: something that is to be replaced is not there exactly once.
    """
    for old, new in replaced.items():
        if dockerfile.count(old) != 1:
            raise MeasureError(f"{LESSON.folder}/Dockerfile should have this once: {old.strip()}")
        dockerfile = dockerfile.replace(old, new)
    return dockerfile


def never_built(dockerfile: str) -> str:
    """Return the text of a Dockerfile, of which no earlier build has done what installs packages.

    What its cache mounts have is not there for it either.
    """
    new = f"ENV NEVER_BUILT={uuid.uuid4()}\n"
    text = re.sub(rf"AS (?:builder|tests)\n|{_SETTINGS}", rf"\g<0>{new}", dockerfile)
    return text.replace("type=cache,", f"type=cache,id={uuid.uuid4()},")


def digest() -> str:
    """Return a digest of all that the figures depend on: the instructions, and the lock."""
    text = (LESSON.path / "Dockerfile").read_text("utf-8")
    instructions = re.sub(r"^(#.*)?\n", "", text, flags=re.MULTILINE)
    lock = (LESSON.path / "poetry.lock").read_bytes()
    return hashlib.sha256(instructions.encode() + lock).hexdigest()


def _poetry() -> str:
    """The version of Poetry that the lesson installs, for people to read."""
    [version] = re.findall(r" poetry==(\S+)", (LESSON.path / "Dockerfile").read_text("utf-8"))
    return f"Poetry {version}"


def with_a_new_dependency(subject: Subject, dependency: str = NEW_DEPENDENCY) -> dict[str, str]:
    """Return the project's files that `poetry add` changes, by their names, as it changes them."""
    subject.project.build("tests")
    tests = engine.Project(subject.folder, subject.project.name, "tests")
    script = f"poetry add --lock --quiet {dependency} && cat pyproject.toml && echo === && cat"
    project, _, lock = tests.run("sh", "-c", f"{script} poetry.lock").partition("===\n")
    return {"pyproject.toml": project, "poetry.lock": f"{lock.rstrip()}\n"}


def run(runs: str) -> tuple[dict[str, Any], bool]:
    """Measure everything, and save the figures if there are enough runs.

    Args:
        runs: how often each: a whole number from 1.

    Returns:
        The figures, in seconds and bytes, of all runs and not only their medians; and whether
        they were saved.

    Raises:
        EngineError: the engine refused something.
        MeasureError: the lesson is not what is measured here.
        BadRuns: there is no such number of runs.
    """
    if not re.fullmatch("0*[1-9][0-9]{0,2}", runs):
        raise BadRuns(f"RUNS={runs} is no number of runs. Choose one from 1 to 999, such as 5.")
    times = int(runs)
    # What the person at this machine has set for the lesson does not count.
    os.environ.update(PORT="0", WEB_CONCURRENCY="2")
    with index() as asked:
        python = asked.execute("python", "-c", _VERSIONS)
        with Subject(LESSON.path) as subject, doing("Adding a dependency"):
            changed = with_a_new_dependency(subject)
        rebuild = partial(rebuild_after_a_dependency, changed)
        kept = _by_turns(downloads(asked.address), rebuild, times)
    figures = {
        "lesson": digest(),
        "machine": engine.machine(),
        "versions": f"{engine.versions()}, {python.strip()}, {_poetry()}",
        "stand_in": _BASE in engine.stand_ins(),
        "day": date.today().isoformat(),
        "downloads": kept,
        "bytecode": _by_turns(BYTECODE, _start_and_rebuild_after_an_edit, times),
    }
    if times >= ENOUGH:
        FIGURES.write_text(f"{json.dumps(figures, indent=1)}\n", "utf-8")
    return figures, times >= ENOUGH


Samples = dict[str, list[float]]


def _by_turns(
    variants: Variants, once: Callable[[Subject], dict[str, float]], runs: int
) -> dict[str, Samples]:
    """The samples of all variants: a run of each, then the next round."""
    found: dict[str, Samples] = {name: {} for name in variants}
    with ExitStack() as stack:
        subjects = {}
        for name, replaced in variants.items():
            subjects[name] = subject = stack.enter_context(Subject(LESSON.path))
            text = variant(subject.dockerfile.read_text("utf-8"), replaced)
            subject.dockerfile.write_text(text, "utf-8")
            with doing(f"Building: {name}"):
                assert subject.built
        for number in range(1, runs + 1):
            for name, subject in subjects.items():
                with doing(f"Run {number} of {runs}: {name}"):
                    for what, sample in once(subject).items():
                        found[name].setdefault(what, []).append(sample)
    return found


def rebuild_after_a_dependency(changed: Mapping[str, str], subject: Subject) -> dict[str, float]:
    """Return how long a rebuild after a new dependency takes, and what it receives.

    Args:
        changed: what `with_a_new_dependency` returns.
        subject: one of the variants that `downloads` names.

    Returns:
        Seconds, and the bytes that come over the network while dependencies are installed.
    """
    text = never_built(subject.dockerfile.read_text("utf-8"))
    count = "&& cat /sys/class/net/eth0/statistics/rx_bytes"
    text = re.sub(r"(-r /requirements\.txt.*)(?<!\\)\n", rf"\1 {count}\n", text)
    with _other_files(subject, {subject.dockerfile.name: text}):
        subject.project.build()
        with _other_files(subject, changed):
            seconds, steps = _timed(subject.project.build)
    [received] = [step.output[-1] for step in steps if count in step.instruction]
    return {"seconds": seconds, "received": int(received)}


def _start_and_rebuild_after_an_edit(subject: Subject) -> dict[str, float]:
    """The seconds of two starts and of a rebuild after an edit, and the bytes above the base."""
    samples: dict[str, float] = {}
    compose = (subject.folder / "compose.yaml").read_text("utf-8")
    for cpus in ("0.25", "1"):
        limited = compose.replace("  web:\n", f"  web:\n    cpus: {cpus}\n", 1)
        with _other_files(subject, {"compose.yaml": limited}):
            samples[cpus] = round(subject.project.seconds_to_answer(), 3)
            subject.project.down()
    with edited(subject.folder / "src" / "need_for_speed" / "main.py"):
        samples["edit"], _ = _timed(subject.project.build)
    samples["above"] = subject.project.image_bytes - engine.image_bytes(_BASE)
    return samples


def _timed(build: Callable[[], Any]) -> tuple[float, Any]:
    began = time.monotonic()
    done = build()
    return round(time.monotonic() - began, 3), done


@contextmanager
def _other_files(subject: Subject, files: Mapping[str, str]) -> Iterator[None]:
    """Give some files of a subject another text for a while."""
    before = {name: (subject.folder / name).read_bytes() for name in files}
    try:
        for name, text in files.items():
            (subject.folder / name).write_text(text, "utf-8")
        yield
    finally:
        for name, content in before.items():
            (subject.folder / name).write_bytes(content)


def load() -> dict[str, Any]:
    """Return the figures that were saved."""
    return json.loads(FIGURES.read_text("utf-8"))


def report(figures: Mapping[str, Any]) -> dict[str, str]:
    """Return the figures as Markdown: a paragraph `machine`, tables `downloads` and `bytecode`."""
    runs = len(next(iter(figures["downloads"].values()))["seconds"])
    stand_in = ", a stand-in from Debian's packages" if figures["stand_in"] else ""
    base = f"base image {_BASE}{stand_in}"
    conditions = f"{figures['day']} with {figures['machine']}: {figures['versions']}, {base}"
    machine = (
        f"Medians of {runs} runs, in parentheses the smallest and the largest; first one run of "
        f"each line, then the next round. Measured on {conditions}."
    )
    downloads = [
        f"| {name} | {_seconds(samples['seconds'])} | {_kilobytes(samples['received'])} |"
        for name, samples in figures["downloads"].items()
    ]
    bytecode = [
        f"| {name} | {_seconds(samples['0.25'])} | {_seconds(samples['1'])} "
        f"| {_seconds(samples['edit'])} | {median(samples['above']) / 1e6:.1f} MB |"
        for name, samples in figures["bytecode"].items()
    ]
    return {
        "machine": f"{machine}\n",
        "downloads": _table(["downloads are kept", "rebuild", "received"], downloads),
        "bytecode": _table(
            [
                "compiled in the build",
                "start, ¼ processor",
                "start, 1 processor",
                "rebuild after an edit",
                "above the base",
            ],
            bytecode,
        ),
    }


def median(samples: list[float]) -> float:
    """Return the median, in the unit of the samples."""
    return statistics.median(samples)


def _table(heads: list[str], rows: list[str]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *rows]
    return "".join(f"{line}\n" for line in lines)


def _seconds(samples: list[float]) -> str:
    spread = f" ({min(samples):.2f} to {max(samples):.2f})" if len(samples) > 1 else ""
    return f"{median(samples):.2f} s{spread}"


def _kilobytes(samples: list[float]) -> str:
    return f"{median(samples) / 1e3:,.0f} kB"
