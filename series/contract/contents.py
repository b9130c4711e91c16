"""What is in an image, and what is not."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from tarfile import TarInfo

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


def no_dev_dependencies(subject: Subject) -> Finding:
    """Nothing that only development needs is installed in the image.

    Found out by searching all files of the image for the packages that the lock file in the
    project names for groups or extras of development alone, such as dev, test or lint. What an
    installer such as Poetry has beside it in a place of its own does not count, nor do pip,
    setuptools and wheel.

    Source: https://peps.python.org/pep-0735/#motivation
    """
    file = locks.find(subject.folder)
    if file is None:
        return does_not_apply("The project has no lock file.")
    server = subject.environment
    lock = locks.read(file, server.markers)
    groups = ", ".join(sorted(lock.for_development))
    unwanted = lock.development - _BROUGHT_ALONG
    if not unwanted:
        only = f"package that only {groups} wants" if groups else "group for development"
        return does_not_apply(f"{lock.name} has no {only}.")
    # What lies inside of an installed package is a part of that.
    there = [one for one in distributions(subject.files) if not _INSIDE.search(one.place)]
    theirs = {one.place for one in there if one.name in _INSTALLERS} - {server.site_packages}
    found = sorted(
        f"{one.name} {one.version} in {one.place}"
        for one in there
        if one.name in unwanted and one.place not in theirs
    )
    if found:
        return broken("\n".join([f"Only {groups} wants: {found[0]}", *found[1:]]))
    return kept(f"None of the {len(unwanted)} packages that only {groups} wants is there.")


_INSIDE = re.compile(r"/(?:site|dist)-packages/")
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
        if PurePosixPath(file.name).name in _INSTALLERS and _is_program(file):
            found.append(file.name)
    if found:
        return broken("\n".join([f"In the image: {found[0]}", *found[1:]]))
    return kept(f"None of them is among {len(subject.files)} files.")


def _is_program(file: TarInfo) -> bool:
    """Tell a program: a file that may be executed, or a link where programs are."""
    if file.issym() or file.islnk():
        return PurePosixPath(file.name).parent.name == "bin"
    return file.isfile() and bool(file.mode & 0o111)


# Drivers, with a target in front or a version behind, and what GCC's drivers run.
# https://gcc.gnu.org/onlinedocs/gcc/Invoking-GCC.html
_COMPILER = re.compile(
    r".*/bin/(?:(?:[\w.]+-)*(?:gcc|g\+\+|gfortran|clang|clang\+\+)|cc|c\+\+|c89|c99|tcc|rustc|go|zig)"
    r"(?:-[\d.]+)?|.*/gcc/.*/(?:cc1|cc1plus|f951)|.*/ziglang/zig"
)
# Where a compiler looks: https://gcc.gnu.org/onlinedocs/cpp/Search-Path.html
# What is in a folder named after a Python is Python's own, or that of a package installed by pip.
_HEADER = re.compile(r"/usr/(?:local/)?include/(?!python\d)(?:.*/)?[^/]+\.h(?:h|pp|xx)?")


def no_build_tools(subject: Subject) -> Finding:
    """No compiler and no development headers are in the image.

    Found out by searching all files of the image for the compilers of C, C++, Fortran, Go, Rust
    and Zig, and for headers where compilers look for them. Python's own headers do not count: the
    slim base images have them, too.

    Source: https://docs.docker.com/build/building/best-practices/#choose-the-right-base-image
    """
    compilers = [
        file.name for file in subject.files if _COMPILER.fullmatch(file.name) and _is_program(file)
    ]
    headers = [
        file.name for file in subject.files if _HEADER.fullmatch(file.name) and not file.isdir()
    ]
    found = [
        f"{kind}: {len(files)}, one of them {min(files)}"
        for kind, files in (("Compilers", compilers), ("Headers", headers))
        if files
    ]
    if found:
        return broken("\n".join(found))
    return kept(f"Neither is among {len(subject.files)} files.")
