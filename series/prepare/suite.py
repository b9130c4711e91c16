"""Keeps the suite's own virtual environment, .venv, in step with requirements.txt."""

import hashlib
import importlib.util
import os
import shutil
import sys
from pathlib import Path

from series.prepare.apt import Apt
from series.prepare.problem import Problem
from series.prepare.programs import doing, run

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def bring() -> None:
    """Make .venv hold exactly what requirements.txt names.

    Raises:
        Problem: it cannot be made, or the package index does not answer.
    """
    requirements = ROOT / "requirements.txt"
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    stamp = VENV / "installed-from"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    _bring_ensurepip()
    _bring_git()
    with doing("Installing the suite's own packages into .venv (usually 15 s)"):
        made = run(sys.executable, "-m", "venv", "--clear", str(VENV))
        if not made.ok:
            raise Problem(f"The virtual environment {VENV} cannot be made.", made.output)
        installed = run(
            *(str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--require-hashes", "--requirement", str(requirements)),
        )
        if not installed.ok:
            shutil.rmtree(VENV, ignore_errors=True)
            errors = [line for line in installed.output.splitlines() if line.startswith("ERROR")]
            raise Problem(_why(installed.output), "\n".join(errors))
        stamp.write_text(wanted)


def _why(said: str) -> str:
    if "no space left" in said.lower():
        return "The disk is full: make room, then try again."
    return (
        "The suite's own packages could not be installed: the package index does not answer as "
        "it should. Check the network (and the proxy, if there is one), then try again."
    )


def _bring_ensurepip() -> None:
    """Debian splits from Python what puts pip into a virtual environment."""
    if importlib.util.find_spec("ensurepip"):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Problem(
            f"{sys.executable} cannot make virtual environments. "
            "Type: sudo apt-get install python3-venv"
        )
    with doing("Installing python3-venv (usually 10 s)"):
        Apt().install("python3-venv")


def _bring_git() -> None:
    """A clone comes with git, a copy of the files may not; only the tests need it."""
    if shutil.which("git") or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    with doing("Installing git (usually 10 s)"):
        Apt().install("git")
