"""What a project's lock file says: which packages there are, in which version and for what."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from series.contract.finding import CannotTell

MAIN = "main"
"""The group of the dependencies that a project cannot do without."""

# What people call the groups of packages that they work with and that never serve a request:
# https://peps.python.org/pep-0735/#motivation
_DEVELOPMENT = re.compile(
    r"(?:.*-)?(?:dev|develop|development|tests?|testing|lint|linting|format|docs?|typing|mypy"
    r"|quality|ci|debug)(?:-.*)?"
)

Versions = Mapping[str, str]


@dataclass(frozen=True)
class Lock:
    """A lock file, as it is to be understood in one environment.

    Attributes:
        name: the name of the file.
        groups: for each dependency group and each extra the versions of its packages, transitive
            ones included, by their normalised names.
    """

    name: str
    groups: Mapping[str, Versions]

    def production(self, installed: Iterable[str]) -> Versions:
        """Return the versions that production wants.

        That is the main group, and each other one that is not for development and that somebody
        has asked for: all of it is installed, or a package that no other group brings.

        Args:
            installed: the names of the packages that are installed.
        """
        installed = {*installed}
        main = self.groups.get(MAIN, {})
        rest = {
            group: packages
            for group, packages in self.groups.items()
            if group != MAIN and group not in self.for_development
        }
        wanted = dict(main)
        for group, packages in rest.items():
            others = {name for other in rest if other != group for name in rest[other]}
            own = packages.keys() - main.keys()
            if own <= installed or (own - others) & installed:
                wanted |= packages
        return wanted

    @property
    def for_development(self) -> set[str]:
        """The groups and extras that are for development, as their names say."""
        return {group for group in self.groups if _DEVELOPMENT.fullmatch(group)}

    @property
    def development(self) -> set[str]:
        """The names of the packages that no other group or extra wants."""
        ours = self.for_development
        names = {group: {*packages} for group, packages in self.groups.items()}
        wanted = set().union(*(names[group] for group in names if group not in ours))
        return set().union(*(names[group] for group in ours)) - wanted


def find(folder: Path) -> Path | None:
    """Return the lock file of a project; None if it has none."""
    for name in _READERS:
        file = folder / name
        # Requirements are a lock where they have hashes: then pip installs nothing else.
        # https://pip.pypa.io/en/stable/topics/secure-installs/#hash-checking-mode
        if file.is_file() and (name != "requirements.txt" or "--hash=" in file.read_text("utf-8")):
            return file
    return None


def read(file: Path, markers: Mapping[str, str]) -> Lock:
    """Return what a lock file says.

    Args:
        file: the lock file.
        markers: what environment markers are evaluated with.

    Raises:
        CannotTell: the lock cannot be read.
    """
    return Lock(file.name, _READERS[file.name](file, markers))


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as wrong:
        raise CannotTell(f"{file.name} is no TOML: {wrong}") from None


def _fits(marker: str, markers: Mapping[str, str], extra: str = "") -> bool:
    return not marker or Marker(marker).evaluate({**markers, "extra": extra})


def _poetry(file: Path, markers: Mapping[str, str]) -> dict[str, Versions]:
    # https://github.com/python-poetry/poetry/blob/2.5.1/src/poetry/packages/locker.py
    content = _toml(file)
    groups: dict[str, dict[str, str]] = {MAIN: {}}
    extras = {canonicalize_name(extra) for extra in content.get("extras", {})}
    for package in content.get("package", []):
        if "groups" not in package:
            raise CannotTell(f"{file.name} names no groups. Type: poetry lock")
        name = canonicalize_name(package["name"])
        for group in package["groups"]:
            marker = package.get("markers", "")
            marker = marker.get(group, "") if isinstance(marker, dict) else marker
            packages = groups.setdefault(canonicalize_name(group), {})
            if _fits(marker, markers):
                packages[name] = package["version"]
            for extra in extras:
                if _fits(marker, markers, extra) and name not in packages:
                    groups.setdefault(extra, {})[name] = package["version"]
    return groups


def _uv(file: Path, markers: Mapping[str, str]) -> dict[str, Versions]:
    # https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile
    packages = _toml(file).get("package", [])
    roots = [one for one in packages if {"editable", "virtual"} & one["source"].keys()]
    groups: dict[str, dict[str, str]] = {MAIN: {}}
    own = {one["name"] for one in roots}

    def follow(edges: Iterable[Mapping[str, Any]], group: str) -> None:
        open_, seen = [*edges], []
        while open_:
            edge = open_.pop()
            if edge in seen or not _fits(edge.get("marker", ""), markers):
                continue
            seen.append(edge)
            for one in packages:
                version = one.get("version", "")
                if one["name"] == edge["name"] and edge.get("version", version) == version:
                    if one["name"] not in own:
                        groups.setdefault(group, {})[canonicalize_name(one["name"])] = version
                    open_ += one.get("dependencies", [])
                    for extra in edge.get("extra", []):
                        open_ += one.get("optional-dependencies", {}).get(extra, [])

    for root in roots:
        follow(root.get("dependencies", []), MAIN)
        for table in ("dev-dependencies", "optional-dependencies"):
            for group, edges in root.get(table, {}).items():
                follow(edges, canonicalize_name(group))
    return groups


def _requirements(file: Path, markers: Mapping[str, str]) -> dict[str, Versions]:
    # https://pip.pypa.io/en/stable/reference/requirements-file-format/
    versions = {}
    for entry in file.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        text = re.sub(r"(?:^|\s)(?:#|--hash=).*", "", entry).strip()
        if not text or text.startswith("-"):
            continue
        try:
            wanted = Requirement(text)
        except InvalidRequirement as wrong:
            raise CannotTell(f"{file.name} cannot be read: {wrong}") from None
        if not wanted.marker or wanted.marker.evaluate({**markers, "extra": ""}):
            exact = [one.version for one in wanted.specifier if one.operator in ("==", "===")]
            versions[canonicalize_name(wanted.name)] = exact[0] if exact else ""
    return {MAIN: versions}


_READERS: dict[str, Callable[[Path, Mapping[str, str]], dict[str, Versions]]] = {
    "poetry.lock": _poetry,
    "uv.lock": _uv,
    "requirements.txt": _requirements,
}
