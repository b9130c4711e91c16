"""What is left in the log of a server that dies."""

from __future__ import annotations

import re
import uuid

from series.contract.finding import CannotTell, Finding, broken, does_not_apply, kept
from series.contract.processes import Process, processes, serving
from series.contract.subject import Subject
from series.engine import Project

# Runs in every Python process of the container: a thread that waits until somebody writes to a
# pipe with the number of the process, prints a line, and ends the process.
_LAST_WORDS = """
import os, signal, threading

def speak(pipe):
    with open(pipe) as told:
        told.read()
    print("{mark}: printed")
    for output in (1, 2):
        os.write(output, b"{mark}: done %d\\n" % output)
    os.kill(os.getpid(), signal.SIGKILL)
    os._exit(137)  # process 1 cannot be killed from inside

def listen():
    pipe = f"/dev/shm/{mark}-{os.getpid()}"
    if not os.path.exists(pipe):  # a process may have replaced itself by this one
        os.mkfifo(pipe)
    threading.Thread(target=speak, args=[pipe], daemon=True).start()

os.register_at_fork(after_in_child=listen)
listen()
"""
_SPEAK = "import os, sys; os.close(os.open(sys.argv[1], os.O_WRONLY))"
_SECONDS = 15.0


def unbuffered(subject: Subject) -> Finding:
    """What the program prints is in the log at once, also when it is killed right after.

    Found out by a thread that is planted into the processes of another container, by a .pth file
    beside the installed packages. In the process that serves requests it prints a line and kills
    the process with SIGKILL. In between it writes to both outputs past Python's buffer: when that
    is in the log, the line should be there as well.

    Source: https://docs.python.org/3/using/cmdline.html#envvar-PYTHONUNBUFFERED
    """
    if reason := _no_python(subject):
        return does_not_apply(reason)
    mark = f"series_{uuid.uuid4().hex}"
    # A module, since it is imported once; Python reads a .pth file twice in a virtual environment.
    # https://docs.python.org/3/library/site.html
    place = f"{subject.environment.site_packages}/{mark}"
    planted = {f"{place}.py": _LAST_WORDS.replace("{mark}", mark), f"{place}.pth": f"import {mark}"}

    def spoken(log: str) -> bool:
        return all(f"{mark}: done {output}" in log for output in (1, 2))

    with subject.another_life(planted) as project:
        server = _server(project)
        pipe = f"/dev/shm/{mark}-{server.pid}"
        project.execute(str(server.python), "-c", _SPEAK, pipe, detach=True)
        log = project.wait_for_log(spoken, _SECONDS)
    if not spoken(log):
        raise CannotTell(f"No thread of ours can speak in process {server}.")
    if f"{mark}: printed" in log:
        return kept(f"A line that was printed before a SIGKILL is in the log.\nProcess {server}")
    return broken(f"A line that was printed before a SIGKILL is lost.\nProcess {server}")


# Sends a signal, waits for the end of the process, and then marks its log; the log holds all that
# the process wrote when it holds the mark.
_CRASH = """
import os, select, signal, sys
pid = int(sys.argv[1])
log = os.open(f"/proc/{pid}/fd/2", os.O_WRONLY)
process = os.pidfd_open(pid)
os.kill(pid, signal.SIGSEGV)
select.select([process], [], [], float(sys.argv[3]))
os.write(log, f"{sys.argv[2]}\\n".encode())
"""
# Lines of a traceback, looked for one by one: between two of them the log may show lines of the
# other output.
# https://docs.python.org/3/library/faulthandler.html#example
_TRACEBACK = (
    r"^Fatal Python error: Segmentation fault$",
    r"\(most recent call first\):$",
    '^  File "',
)


def fault_traceback(subject: Subject) -> Finding:
    """A fatal signal leaves a Python traceback in the log.

    Found out by sending SIGSEGV to the process that serves requests, in another container, and
    waiting for the traceback or for the end of the process.

    Source: https://docs.python.org/3/library/faulthandler.html
    """
    if reason := _no_python(subject):
        return does_not_apply(reason)
    mark = f"series_{uuid.uuid4().hex}"
    with subject.another_life() as project:
        server = _server(project)
        before = project.log

        def crashed(log: str) -> bool:
            return all(_count(line, log) > _count(line, before) for line in _TRACEBACK)

        arguments = (str(server.pid), mark, str(_SECONDS / 2))
        project.execute(str(server.python), "-c", _CRASH, *arguments, detach=True)
        log = project.wait_for_log(lambda log: crashed(log) or mark in log, _SECONDS)
        ended = project.port is None
    if crashed(log):
        return kept(f"After a SIGSEGV a traceback is in the log.\nProcess {server}")
    if mark in log or ended:
        return broken(f"After a SIGSEGV no traceback is in the log.\nProcess {server}")
    raise CannotTell(f"Nothing shows that process {server} got the signal.")


def _count(line: str, log: str) -> int:
    return len(re.findall(line, log, re.MULTILINE))


def _no_python(subject: Subject) -> str:
    """Why nothing can be said of a Python process that serves requests; empty if there is one."""
    if not subject.project.published:
        return "The compose file publishes no port."
    if serving(subject.processes) is None:
        return f"No Python process listens at port {subject.project.published}."
    return ""


def _server(project: Project) -> Process:
    """The process that serves requests in this container."""
    server = serving(processes(project))
    if server is None:
        raise CannotTell("A Python process served requests, and in another container none does.")
    return server
