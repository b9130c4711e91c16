"""How a container starts, works and ends."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path, PurePosixPath

from series import engine
from series.contract.finding import CannotTell, Finding, broken, does_not_apply, kept
from series.contract.logs import complaints
from series.contract.processes import processes
from series.contract.subject import Subject

_NO_PORT = "The compose file publishes no port."


def answers(subject: Subject) -> Finding:
    """The started container answers with status 200 within 30 seconds.

    Found out by a request from outside, through the published port.

    Source: https://docs.docker.com/get-started/docker-concepts/running-containers/publishing-ports/
    """
    if not subject.project.published:
        return does_not_apply(_NO_PORT)
    try:
        answer = subject.life.answer
    except engine.NoAnswer as failed:
        return broken(str(failed))
    return kept(f"GET {answer.request.url.path} has status {answer.status_code}.")


def quiet(subject: Subject) -> Finding:
    """Start, request and stop log no warning, error, deprecation or traceback.

    Found out from all that the container has logged when it has stopped: some things go wrong a
    second after the first answer.

    Source: https://12factor.net/logs
    """
    log = subject.life.log
    if found := complaints(log):
        return broken("\n".join(["The log complains:", *found]))
    return kept(f"None of {len(log.splitlines())} lines in the log complains.")


# 128 + 15: the process was ended by the signal that it was asked to stop with.
# https://tldp.org/LDP/abs/html/exitcodes.html
_ENDED_BY_SIGTERM = 143
_KILLED = 137


def clean_stop(subject: Subject) -> Finding:
    """An idle container that is asked to stop ends by itself, with status 0 or 143.

    Found out by stopping it as the engine does, with the image's own signal, and a long time
    before it is killed; then the exit status tells.

    Source: https://docs.docker.com/reference/cli/docker/container/stop/
    """
    life = subject.life
    if life.status == _KILLED:
        return broken(f"Still there after {life.patience} s, and killed (status {_KILLED}).")
    ended = f"It ended by itself with status {life.status}."
    return kept(ended) if life.status in (0, _ENDED_BY_SIGTERM) else broken(ended)


# They start one program, hand signals on to it and bury the dead.
# https://github.com/krallin/tini#why-tini
_INITS = {"tini", "tini-static", "docker-init", "dumb-init", "catatonit"}


def direct_server(subject: Subject) -> Finding:
    """The first process is the server: no shell, script or installer stands in front of it.

    Found out from the processes of the running container: the first one, or the only child of an
    init such as tini, must have the socket at which the container is reached. Shells that replace
    themselves by the server are no harm, and are not there any more.

    Source: https://docs.docker.com/reference/dockerfile/#exec-form-entrypoint-example
    """
    if not subject.project.published:
        return does_not_apply(_NO_PORT)
    listed = subject.processes
    first = listed[0]
    children = [process for process in listed if process.parent == first.pid]
    if PurePosixPath(first.words[0]).name in _INITS and len(children) == 1:
        first = children[0]
    if first.listens:
        return kept(f"Process {first}")
    listening = [str(process) for process in listed if process.listens]
    return broken(
        "\n".join([f"Process {first} stands in front of the server.", "At the port:", *listening])
    )


# Often enough to be seen soon; a machine with other work to do gets time for a check.
_CHECKED_OFTEN = "healthcheck: !override {interval: 1s, timeout: 10s, retries: 2, start_period: 1s}"
# After two failures it is unhealthy.
_CHECKS = 3
# As long as it takes when each check goes on until it is killed
_CHECKS_SECONDS = 40


def health(subject: Subject) -> Finding:
    """The image declares a health check: healthy while it serves, unhealthy when it hangs.

    Found out by another container, whose health check runs every second. When that has found it
    healthy, all its processes are stopped from outside, so that they hang; the check itself runs
    on. `docker pause` would stop the check as well.

    Source: https://docs.docker.com/reference/dockerfile/#healthcheck
    """
    if not subject.project.published:
        return does_not_apply(_NO_PORT)
    assert subject.life
    if not subject.project.health_check:
        return broken("The image declares no health check.")
    with subject.another_life(settings=_CHECKED_OFTEN) as project:
        found = _next_health(project, "healthy")
        if found.status != "healthy":
            return broken(f"While it serves, it is {found.status}.\n{found.said}".strip())
        project.freeze()
        found = _next_health(project, "unhealthy")
    if found.status != "unhealthy":
        return broken(f"While all its processes hang, it is {found.status}.\n{found.said}".strip())
    return kept("Healthy while it serves, and unhealthy when all its processes hang.")


def _next_health(project: engine.Project, wanted: str) -> engine.Health:
    """Look until the health is as wanted, or some checks that begin after this have not seen it."""
    before = project.health.starts[-1:]

    def enough(health: engine.Health) -> bool:
        later = [start for start in health.starts if [start] > before]
        return health.status == wanted or len(later) > _CHECKS

    return engine.look_again(lambda: project.health, enough, _CHECKS_SECONDS)


# Where the C library reads how many processors there are; which ones a process may use, the
# kernel tells itself. https://www.kernel.org/doc/html/latest/admin-guide/cputopology.html
_ONLINE = "/sys/devices/system/cpu/online"
_LOOKS = 4


def worker_count(subject: Subject) -> Finding:
    """Limited to one processor, it starts as many workers on a small machine as on a large one.

    Found out by two more containers with the same limit, `--cpus=1`: one is shown a machine with
    one processor, the other one a machine with four. Both must run the same number of processes.
    Python's own counts do not know the limit.

    Source: https://github.com/python/cpython/issues/149452
    """
    if not subject.project.published:
        return does_not_apply(_NO_PORT)
    assert subject.life
    small = _processes_on(subject, "0", ", cpuset: '0'")
    large = _processes_on(subject, "0-3")
    if small != large:
        return broken(
            f"Processes with --cpus=1: {small} where the machine has one processor, {large} where "
            "it has four."
        )
    if engine.processors() == 1:
        raise CannotTell(
            "This machine has one processor. Whether workers follow the number of processors that "
            "a process may use is only seen on one that has more."
        )
    return kept(f"Processes with --cpus=1: {small}, whatever the machine has.")


def _processes_on(subject: Subject, online: str, settings: str = "") -> int:
    """The number of processes in a container with `--cpus=1` that is shown these processors."""
    with tempfile.TemporaryDirectory() as room:
        file = Path(room) / "online"
        file.write_text(f"{online}\n", encoding="utf-8")
        Path(room).chmod(0o755)
        volume = json.dumps({"type": "bind", "source": str(file), "target": _ONLINE})
        # Compose knows two words for a limit, and accepts no two values.
        deployed = "deploy: {resources: {limits: {cpus: '1'}}}," * subject.project.deployed
        limited = (
            f"cpus: 1, {deployed} cpu_quota: !reset null, cpu_period: !reset null, "
            f"volumes: [{volume}]"
        )
        with subject.another_life(settings=limited + settings) as project:
            return _at_rest(project)


def _at_rest(project: engine.Project) -> int:
    """The number of processes that process 1 has started, itself included, when it stays the same.

    Raises:
        CannotTell: it does not stay the same.
    """
    seen: list[int] = []

    def look() -> list[int]:
        # A health check has no parent in the container.
        running = [one for one in processes(project) if one.pid == 1 or one.parent != 0]
        seen.append(len(running))
        return seen[-_LOOKS:]

    last = engine.look_again(look, lambda last: len(last) == _LOOKS and len({*last}) == 1)
    if len({*last}) > 1:
        raise CannotTell(f"The number of processes does not come to rest: {seen}")
    return last[-1]
