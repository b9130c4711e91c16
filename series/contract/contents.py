"""What is in an image, and what is not."""

from __future__ import annotations

from pathlib import PurePosixPath

from series.contract import locks
from series.contract.finding import Finding, broken, does_not_apply, kept
from series.contract.installs import own_names
from series.contract.inventory import distributions
from series.contract.subject import Subject

# What the base image and `python -m venv` bring:
# https://docs.python.org/3/library/ensurepip.html
_BROUGHT_ALONG = {"pip", "setuptools", "wheel"}


def locked(subject: Subject) -> Finding:
    """What is installed is exactly what the lock says for production, names and versions.

    Found out by asking the Python that the server runs on what it can import, and comparing that
    with the lock file in the project. The project itself does not count, nor do pip, setuptools
    and wheel where the lock does not name them.

    Source: https://pip.pypa.io/en/stable/topics/repeatable-installs/
    """
    file = locks.find(subject.folder)
    if file is None:
        return does_not_apply("The project has no lock file.")
    server = subject.environment
    lock = locks.read(file, server.markers)
    wanted = lock.production(server.installed)
    ignored = own_names(subject.folder) | (_BROUGHT_ALONG - wanted.keys())
    there = {name: version for name, version in server.installed.items() if name not in ignored}
    differences = [
        f"{name}: {there.get(name, 'none')} installed, {wanted.get(name, 'none')} in {lock.name}"
        for name in sorted(wanted.keys() | there.keys())
        if wanted.get(name) != there.get(name)
    ]
    if differences:
        first = f"Packages that are not as {lock.name} says: {len(differences)}"
        return broken("\n".join([first, *differences]))
    return kept(f"Packages that are installed exactly as {lock.name} says: {len(there)}")


_INSTALLERS = {"poetry", "uv", "uvx", "pipenv", "pdm"}


def no_installer(subject: Subject) -> Finding:
    """Poetry, uv, Pipenv and PDM are not in the image.

    Found out by searching all files of the image for their distributions and their programs.

    Source: https://docs.docker.com/build/building/multi-stage/
    """
    found = [
        f"{one.name} {one.version} in {one.place}"
        for one in distributions(subject.files)
        if one.name in _INSTALLERS
    ]
    for file in subject.files:
        path = PurePosixPath(file.name)
        link = file.issym() or file.islnk()
        program = path.parent.name == "bin" if link else file.isfile() and file.mode & 0o111
        if path.name in _INSTALLERS and program:
            found.append(file.name)
    if found:
        return broken("\n".join([f"In the image: {found[0]}", *found[1:]]))
    return kept(f"None of them is among {len(subject.files)} files.")
