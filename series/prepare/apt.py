"""Debian's and Ubuntu's packages: which there are, and how they are installed."""

import re
import tempfile
from pathlib import Path

from series.prepare.problem import Problem
from series.prepare.programs import Result, run

STABLE = "trixie"
"""The Debian release that gives what an older one lacks."""

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Apt:
    """apt-get with this machine's own settings, its package lists fetched anew.

    Raises:
        Problem: the package mirror does not answer.
    """

    def __init__(self) -> None:
        self._options = ["-qq", "-o", "DPkg::Lock::Timeout=120"]
        self._update()

    def _update(self) -> None:
        result = self._run("update")
        if not result.ok:
            raise Problem(
                "The package lists could not be fetched. Check the network and /etc/apt, "
                "then type: apt-get update",
                result.output,
            )

    def _run(self, *words: str) -> Result:
        return run(
            "apt-get", *self._options, *words, environment={"DEBIAN_FRONTEND": "noninteractive"}
        )

    def offers(self, package: str, major: int = 0) -> bool:
        """Whether this machine's release has `package` in at least this major version."""
        policy = run("apt-cache", "policy", package).output
        candidate = re.search(r"Candidate: (?:\d+:)?(\d+)", policy)
        return bool(candidate and int(candidate[1]) >= major)

    def debian_mirror(self) -> str:
        """The address from which this machine gets Debian; empty where it is no Debian."""
        wanted = "$(CREATED_BY) $(LABEL) $(COMPONENT) $(REPO_URI)"
        targets = run("apt-get", "indextargets", "--format", wanted)
        for line in targets.output.splitlines() if targets.ok else []:
            if line.startswith("Packages Debian main "):
                return line.split()[-1]
        return ""

    def install(self, *packages: str) -> None:
        """Install packages of this machine's own release: all of them, or none.

        Raises:
            Problem: apt refuses, would remove something, or fails halfway.
        """
        command = ["install", "--yes", "--no-install-recommends", "--no-remove", *packages]
        plan = self._run("--simulate", *command)
        if not plan.ok:
            raise Problem(f"apt cannot install {packages[0]} on this machine.", plan.output)
        result = self._run(*command)
        if not result.ok:
            # "Inst name (version …" is new; "Inst name [old version] (version …" an upgrade.
            new = re.findall(r"^Inst (\S+) \(", plan.output, re.MULTILINE)
            self._run("purge", "--yes", *new)
            full = "no space left" in result.output.lower()
            hint = "The disk is full: make room" if full else "Check the network and /etc/apt"
            raise Problem(
                f"apt could not install {packages[0]}. {hint}, then try again.", result.output
            )

    def install_from_stable(self, packages: tuple[str, ...], beside: tuple[str, ...]) -> None:
        """Install packages from Debian's stable release, nothing else of it, and others beside.

        apt's own settings in /etc/apt stay as they are: the sources and the pins that this needs
        are in a folder that is gone afterwards.

        Raises:
            Problem: this machine is no Debian, or apt fails as in `install`.
        """
        mirror = self.debian_mirror()
        if not mirror:
            raise Problem(f"This release has no package {packages[0]} that is new enough.")
        with tempfile.TemporaryDirectory() as scratch:
            sources, preferences, lists = (Path(scratch) / name for name in ("s", "p", "l"))
            for folder in (sources, preferences, lists / "partial"):
                folder.mkdir(parents=True)
            for file in Path("/etc/apt/sources.list.d").glob("*"):
                (sources / file.name).symlink_to(file)
            (sources / "stable.list").write_text(
                f"deb [signed-by={KEYRING}] {mirror} {STABLE} main\n"
            )
            (preferences / "stable").write_text(
                f"Package: *\nPin: release n={STABLE}\nPin-Priority: -1\n\n"
                f"Package: {' '.join(packages)}\nPin: release n={STABLE}\nPin-Priority: 990\n"
            )
            before = self._options
            self._options = [
                *before,
                f"-oDir::Etc::SourceParts={sources}",
                f"-oDir::Etc::PreferencesParts={preferences}",
                f"-oDir::State::Lists={lists}",
                "-oDir::Cache::pkgcache=",
                "-oDir::Cache::srcpkgcache=",
            ]
            try:
                self._update()
                self.install(*packages, *beside)
            finally:
                self._options = before
