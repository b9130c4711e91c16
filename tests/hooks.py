"""Repositories with the pre-commit hook of a lesson."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def typed(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Type a command in a folder."""
    return subprocess.run(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def done(folder: Path, *command: str) -> str:
    """Return what git prints about a command that it carries out."""
    said = typed(folder, "git", *command)
    assert said.returncode == 0, said.stdout
    return said.stdout


def pre_commit(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Type a command of pre-commit in a folder."""
    return typed(folder, sys.executable, "-m", "pre_commit", *command)


def make_repository(folder: Path) -> Path:
    """Make a folder a repository with the hook installed; its first commit is tagged start."""
    done(folder, "init", "--quiet")
    done(folder, "add", ".")
    done(folder, "commit", "--message", "Before")
    done(folder, "tag", "start")
    assert pre_commit(folder, "install").returncode == 0
    return folder


def assert_list_is_fresh(folder: Path) -> None:
    """Fail where the list does not say what the lock says, and say what to type."""
    said = pre_commit(folder, "run", "--all-files", "--show-diff-on-failure")
    config = (folder / ".pre-commit-config.yaml").read_text("utf-8")
    command = config.partition("entry: ")[2].splitlines()[0]
    assert said.returncode == 0, f"{said.stdout}\nIn the lesson's folder type: {command}"
    assert "Passed" in said.stdout
