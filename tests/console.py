"""The commands that a README shows, and what it shows that they print."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from series import engine

# What is shown of commands that fail: by BuildKit, pre-commit, PostgreSQL, cat, Python, and the
# program that compares images
_FAILURE = re.compile(
    r"^failed to |\.Failed$|^ERROR:  |^cat: .*denied$|^(?:TimeoutError|ModuleNotFoundError): "
    r"|^Different images: "
)


@dataclass(frozen=True)
class Command:
    """A command in a README.

    Attributes:
        line: what is typed.
        shown: the lines that are shown below it, without the dots for those left out. In a line
            … stands for what is different each time.
    """

    line: str
    shown: list[str]

    @property
    def fails(self) -> bool:
        """Whether what is shown says that the command fails."""
        return any(_FAILURE.search(line) for line in self.shown)


def commands(page: Path, heading: str) -> list[Command]:
    """Return the commands below a heading of a page, up to the next heading of its level."""
    section = page.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
    section = section.partition("\n## ")[0]
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", section, re.MULTILINE | re.DOTALL):
        for part in f"\n{block}".split("\n$ ")[1:]:
            line, *shown = part.splitlines()
            found.append(Command(line, [text for text in shown if text not in ("", "...")]))
    return found


def run(
    command: Command, folder: Path, environment: Mapping[str, str], port: int | None = None
) -> str:
    """Type a command in a folder, and return all that it prints.

    Args:
        command: the command.
        folder: where it is typed.
        environment: variables set for it on top of our own.
        port: the port that takes the place of a lesson's own.
    """
    with engine.building() if "build" in command.line else nullcontext():
        said = subprocess.run(
            ["sh", "-c", command.line.replace("localhost:8000", f"localhost:{port}")],
            cwd=folder,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
    assert (said.returncode != 0) is command.fails, said.stdout
    return said.stdout
