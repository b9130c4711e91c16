"""What runs in a container: its processes, and the Python environment of its server."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from packaging.utils import canonicalize_name

from series.contract.finding import CannotTell
from series.engine import EngineError, Project

# Run by a Python inside the container. A socket that listens is known by its inode:
# https://docs.kernel.org/networking/proc_net_tcp.html
# A process has four users: https://docs.kernel.org/filesystems/proc.html
_LOOK = """
import json, os, shutil, sys
from pathlib import Path
port, listening, found = int(sys.argv[1]), set(), []
for table in ("tcp", "tcp6"):
    path = Path("/proc/net", table)
    for line in path.read_text().splitlines()[1:] if path.exists() else []:
        words = line.split()
        if words[3] == "0A" and int(words[1].rpartition(":")[2], 16) == port:
            listening.add(f"socket:[{words[9]}]")
for folder in Path("/proc").glob("[0-9]*"):
    try:
        words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\\0")[:-1]
        if not words or int(folder.name) == os.getpid():
            continue
        sockets = set()
        for file in (folder / "fd").iterdir():
            try:
                sockets.add(os.readlink(file))
            except FileNotFoundError:
                pass
        text = (folder / "environ").read_bytes().decode(errors="replace")
        path = dict(pair.partition("=")[::2] for pair in text.split("\\0")).get("PATH")
        command = os.path.join(os.readlink(folder / "cwd"), words[0])
        found.append({
            "pid": int(folder.name),
            "parent": int((folder / "stat").read_text().rpartition(")")[2].split()[1]),
            "words": words,
            "command": command if "/" in words[0] else shutil.which(words[0], path=path),
            "listens": bool(sockets & listening),
            "users": [
                int(number)
                for line in (folder / "status").read_text(errors="replace").splitlines()
                if line.startswith("Uid:")
                for number in line.split()[1:]
            ],
            "libraries": [
                line.split(maxsplit=5)[5]
                for line in (folder / "maps").read_text(errors="replace").splitlines()
                if "/site-packages/" in line
            ],
        })
    except (FileNotFoundError, ProcessLookupError):
        continue
print(json.dumps(sorted(found, key=lambda process: process["pid"])))
"""

# https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers
_ENVIRONMENT = """
import importlib.metadata, json, os, platform, site, sys
print(json.dumps({
    "site_packages": next(filter(os.path.isdir, site.getsitepackages())),
    "installed": [[d.metadata["Name"], d.version] for d in importlib.metadata.distributions()],
    "markers": {
        "implementation_name": sys.implementation.name,
        "implementation_version": platform.python_version(),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    },
}))
"""

_PYTHON = re.compile(r"(?:python|pypy)[\d.]*")


@dataclass(frozen=True)
class Process:
    """A process in a container.

    Attributes:
        pid: its number there; the container's first process has 1.
        parent: the number of the process that started it.
        words: its command line.
        command: the file that the first word of it means; None if there is none.
        listens: whether it has the socket at which the container is reached.
        users: the numbers of its users: real, effective, saved, and for files.
        libraries: files below a site-packages that it has loaded.
    """

    pid: int
    parent: int
    words: Sequence[str]
    command: str | None
    listens: bool
    users: Sequence[int]
    libraries: Sequence[str]

    def __str__(self) -> str:
        return f"{self.pid}: {' '.join(self.words)}"

    @property
    def python(self) -> str | None:
        """The Python that it runs; None if it runs none."""
        if self.command and _PYTHON.fullmatch(PurePosixPath(self.command).name):
            return self.command
        # A server may have changed what is seen as its command line.
        for library in self.libraries:
            return f"{library.partition('/lib/python')[0]}/bin/python"
        return None


@dataclass(frozen=True)
class Environment:
    """The Python environment that a server runs in.

    Attributes:
        installed: the version of each distribution that can be imported, by its normalised name.
        markers: what environment markers are evaluated with.
        site_packages: the folder that its packages are in.
    """

    installed: Mapping[str, str]
    markers: Mapping[str, str]
    site_packages: str


def processes(project: Project) -> list[Process]:
    """Return the processes in the running container of a project, in the order of their numbers.

    Raises:
        CannotTell: it has no Python that could look.
    """
    failed = ""
    for python in ("python3", "python"):
        try:
            said = project.execute(python, "-c", _LOOK, str(project.published))
            return [Process(**fields) for fields in json.loads(said)]
        except EngineError as refused:
            failed = str(refused)
    raise CannotTell(f"The container has no Python that could look at its processes: {failed}")


def serving(seen: Sequence[Process]) -> Process | None:
    """Return the Python process that serves requests, a worker where there are any; None if none.

    Args:
        seen: the processes in the container.
    """
    return next((one for one in reversed(seen) if one.listens and one.python), None)


def environment(project: Project, seen: Sequence[Process]) -> Environment:
    """Return the environment of the server in the running container of a project.

    Args:
        project: the project.
        seen: the processes in its container.

    Raises:
        CannotTell: no Python process listens there.
    """
    server = serving(seen)
    if server is None:
        listed = "; ".join(map(str, seen))
        raise CannotTell(f"No Python process listens at port {project.published}: {listed}")
    found = json.loads(project.execute(str(server.python), "-c", _ENVIRONMENT))
    installed = {canonicalize_name(name): version for name, version in found["installed"]}
    return Environment(installed, found["markers"], found["site_packages"])
