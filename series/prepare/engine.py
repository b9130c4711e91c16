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
ATTEMPTS = 5
INSTALL_PAGE = "https://docs.docker.com/engine/install/"


@dataclass(frozen=True)
class State:
    """Which of the three parts answer, and what the client said where the engine does not."""

    engine: bool
    compose: bool
    buildx: bool
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


def look() -> State:
    """Ask the client, which asks the engine and its own plug-ins. It takes some 0.1 s."""
    said = run("docker", "info", "--format", "{{json .}}", seconds=30).output
    info: dict[str, Any] = {}
    with suppress(ValueError):
        # What went wrong stands before or behind it, on the same line or on another.
        start = said.index("{")
        info, length = json.JSONDecoder().raw_decode(said[start:])
        said = said[:start] + said[start + length :]
    engine = bool(info.get("ServerVersion"))
    plugins = {plugin["Name"] for plugin in (info.get("ClientInfo") or {}).get("Plugins") or []}
    return State(engine, "compose" in plugins, "buildx" in plugins, "" if engine else said.strip())


def bring() -> None:
    """Make all three parts answer; install and start what is missing.

    Raises:
        Problem: this cannot be done here. The sentence says what to type instead.
    """
    state = look()
    if not state.missing:
        return
    _refuse_what_cannot_be_mended(state)
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


def _refuse_what_cannot_be_mended(state: State) -> None:
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
            "(on Debian and Ubuntu this command would do it for you), then try again."
        )
    if os.geteuid() != 0:
        raise Problem(
            f"No answer from: {state.missing}. Install it as {INSTALL_PAGE} says, or let this "
            "command do it, as root: sudo make up"
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
        # One that was killed a moment ago may still look alive to the next: so a few attempts.
        deadline = time.monotonic() + START_SECONDS
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(1)
            if _answers(_detached("dockerd"), deadline):
                return
        raise Problem(f"The Docker daemon does not start. Type: tail {LOG}", _last_words())


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


def _answers(daemon: subprocess.Popen[bytes], deadline: float) -> bool:
    """Wait until the engine answers; give up when its daemon has ended, or at the deadline."""
    while time.monotonic() < deadline:
        if run("docker", "version", seconds=10).ok:
            return True
        if daemon.poll() is not None:
            return False
        time.sleep(0.1)
    daemon.terminate()
    return False


def _remove_stale_pid_files() -> None:
    """Remove pid files whose number belongs to another program by now.

    dockerd would take that program for itself and refuse to start.
    """
    for file in (Path("/run/docker.pid"), Path("/run/docker/containerd/containerd.pid")):
        with suppress(OSError, ValueError):
            command = Path(f"/proc/{int(file.read_text())}/comm")
            if not command.exists() or command.read_text().strip() not in (
                "dockerd",
                "containerd",
            ):
                file.unlink()


def _last_words() -> str:
    with suppress(OSError):
        return LOG.read_text(errors="replace")
    return ""
