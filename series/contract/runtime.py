"""How a container starts, works and ends."""

from pathlib import PurePosixPath

from series import engine
from series.contract.finding import Finding, broken, does_not_apply, kept
from series.contract.logs import complaints
from series.contract.subject import Subject


def answers(subject: Subject) -> Finding:
    """The started container answers with status 200 within 30 seconds.

    Found out by a request from outside, through the published port.

    Source: https://docs.docker.com/get-started/docker-concepts/running-containers/publishing-ports/
    """
    if not subject.project.published:
        return does_not_apply("The compose file publishes no port.")
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
        return does_not_apply("The compose file publishes no port.")
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
