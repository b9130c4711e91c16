"""Brings a Docker Engine with Compose and Buildx to this machine, and starts it.

Whether something is there is found out by asking it, never by looking for a file: a machine may
carry a client without an engine, or an engine without Compose.
"""

import json
import os
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from series.prepare.apt import Apt
from series.prepare.problem import Problem
from series.prepare.programs import doing, run

FROM_STABLE = ("docker.io", "docker-cli", "docker-compose", "docker-buildx", "containerd")
"""On Debian bookworm these five of the stable release install without moving anything else."""

BESIDE = ("iptables",)
"""What the daemon needs and its package only recommends."""

DISK_NEEDED = 4 * 10**9
"""Bytes, for the packages, the base images and a few lessons."""

LOG = Path("/var/log/dockerd.log")
START_SECONDS = 60.0
PAUSE = 0.1
"""Seconds between two looks whether the daemon answers; without them, looking takes more than a
third of a processor from another daemon that still has to end."""

DAEMON_PID = Path("/run/docker.pid")
CONTAINERD_PID = Path("/run/docker/containerd/containerd.pid")
INSTALL_PAGE = "https://docs.docker.com/engine/install/"


@dataclass(frozen=True)
class State:
    """What answers of the three parts, and what the client said where the engine does not.

    Attributes:
        engine: the version of the engine; empty where it does not answer.
        compose: likewise of Compose.
        buildx: likewise of Buildx.
        said: what the client said.
    """

    engine: str
    compose: str
    buildx: str
    said: str

    @property
    def missing(self) -> str:
        """The parts that do not answer, for a sentence; empty when all do."""
        parts = {
            "Docker Engine": self.engine,
            "Docker Compose v2": self.compose,
            "Docker Buildx": self.buildx,
        }
        return ", ".join(name for name, there in parts.items() if not there)


def look(seconds: float = 30) -> State:
    """Ask the client, which asks the engine and its own plug-ins. It takes some 0.1 s.

    Args:
        seconds: how long an answer may take.
    """
    said = run("docker", "info", "--format", "{{json .}}", seconds=seconds).output
    info: dict[str, Any] = {}
    with suppress(ValueError):
        # What went wrong stands before or behind it, on the same line or on another.
        start = said.index("{")
        info, length = json.JSONDecoder().raw_decode(said[start:])
        said = said[:start] + said[start + length :]
    engine = info.get("ServerVersion") or ""
    plugins = (info.get("ClientInfo") or {}).get("Plugins") or []
    versions = {plugin["Name"]: plugin.get("Version") or "of some version" for plugin in plugins}
    said = "" if engine else said.strip()
    return State(engine, versions.get("compose", ""), versions.get("buildx", ""), said)


def bring() -> None:
    """Make all three parts answer; install and start what is missing.

    Raises:
        Problem: this cannot be done here. The sentence says what to type instead.
    """
    state = look()
    if not state.missing:
        return
    refuse_what_cannot_be_mended(state)
    if not state.engine and shutil.which("dockerd"):
        _start()
        state = look()
    if state.missing:
        _install(state)
        if not look().engine:
            _start()
        state = look()
    if state.missing:
        raise Problem(f"{state.missing}: installed, and still no answer.", state.said)


def refuse_what_cannot_be_mended(state: State) -> None:
    """Raise the `Problem` that `bring` would have with this state before it changes anything."""
    if "permission denied" in state.said.lower():
        raise Problem(
            "A Docker Engine is running, but this user may not talk to it. "
            "Type: sudo usermod -aG docker $USER, log out and in, and try again."
        )
    if not state.engine and (host := os.environ.get("DOCKER_HOST")):
        raise Problem(
            f"No Docker Engine answers at DOCKER_HOST={host}. "
            "Start that engine, or type: unset DOCKER_HOST"
        )
    if not shutil.which("apt-get"):
        raise Problem(
            f"No answer from: {state.missing}. Install and start it as {INSTALL_PAGE} says "
            "(on Debian and Ubuntu, make up would do it for you), then try again."
        )
    if os.geteuid() != 0:
        raise Problem(
            f"No answer from: {state.missing}. Install it as {INSTALL_PAGE} says, or have it "
            "done, as root: sudo make up"
        )


def _install(state: State) -> None:
    """Install what is missing from the distribution's own packages, or change nothing."""
    free = shutil.disk_usage("/var").free
    if free < DISK_NEEDED:
        raise Problem(
            f"{free / 1e9:.1f} GB are free in /var, {DISK_NEEDED / 1e9:.0f} GB are needed. "
            "Make room (apt-get clean, for example) and try again."
        )
    with doing(f"Installing {state.missing} from Debian's packages (usually 25 s)"):
        apt = Apt()
        engine = () if state.engine else ("docker.io", *BESIDE)
        # Ubuntu's name for it; Debian keeps the older one.
        v2 = apt.offers("docker-compose-v2")
        compose = "docker-compose-v2" if v2 else "docker-compose"
        if apt.offers(compose, major=2) and apt.offers("docker-buildx"):
            client = ("docker-cli",) if engine and apt.offers("docker-cli") else ()
            apt.install(*engine, *client, compose, "docker-buildx")
        elif engine:
            apt.install_from_stable(FROM_STABLE, BESIDE)
        else:
            apt.install_from_stable(("docker-compose", "docker-buildx"), ())


def _start() -> None:
    """Start the daemon, through systemd where that runs, and wait until it answers."""
    with doing("Starting the Docker daemon (usually 2 s)"):
        if Path("/run/systemd/system").is_dir():
            started = run("systemctl", "start", "docker", seconds=START_SECONDS)
            if not started.ok:
                raise Problem(
                    "systemd could not start the Docker daemon. "
                    "Type: journalctl --unit docker --lines 50",
                    started.output,
                )
            return
        deadline = time.monotonic() + START_SECONDS
        ours: subprocess.Popen[bytes] | None = None
        while True:
            if run("docker", "version", seconds=10).ok:
                return
            if time.monotonic() >= deadline:
                break
            if (ours and ours.poll() is None) or _other():
                time.sleep(PAUSE)
            elif ours is None:
                ours = _detached("dockerd")
            else:
                break
        if other := _other():
            raise Problem(
                f"A Docker daemon runs as process {other} and does not answer. "
                f"Type: kill -KILL {other}, then try again."
            )
        raise Problem(f"The Docker daemon does not start. Type: tail {LOG}", _last_words())


def _other() -> int | None:
    """Return the process number of a daemon that begins or ends, None where there is none."""
    with suppress(OSError, ValueError):
        number = int(DAEMON_PID.read_text())
        if lives(number, "dockerd"):
            return number
    return None


def lives(number: int, name: str) -> bool:
    """Tell whether a process with this number and name runs.

    One that has ended and that its parent has not yet asked about keeps its number and its name,
    for ever where a container has no init: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html

    Args:
        number: the process number.
        name: what the kernel calls it, at most 15 characters.
    """
    with suppress(OSError):
        # The name stands in brackets and may hold any character; the state comes after it.
        before, _, after = Path(f"/proc/{number}/stat").read_text().rpartition(") ")
        return before.partition(" (")[2] == name and after[0] not in "ZX"
    return False


def _detached(program: str) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, so that it outlives this one."""
    _remove_stale_pid_files()
    with LOG.open("wb") as log:
        return subprocess.Popen(
            [program],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _remove_stale_pid_files() -> None:
    """Remove the pid files of programs that have ended.

    dockerd takes whatever has the number for one of its kind, and refuses to start.
    """
    for file, name in ((DAEMON_PID, "dockerd"), (CONTAINERD_PID, "containerd")):
        with suppress(OSError, ValueError):
            if not lives(int(file.read_text()), name):
                file.unlink()


def _last_words() -> str:
    with suppress(OSError):
        return LOG.read_text(errors="replace")
    return ""
