"""The suite about itself: its style, and the versions that it is installed from."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from series.lessons import ROOT, load
from series.prepare.images import named_by


@pytest.mark.parametrize("words", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_has_nothing_to_say(words: list[str]) -> None:
    ruff = [sys.executable, "-m", "ruff", *words]
    said = subprocess.run(ruff, cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout


def test_requirements_txt_says_what_poetry_lock_says() -> None:
    lock = tomllib.loads((ROOT / "poetry.lock").read_text(encoding="utf-8"))
    locked = {
        f"{package['name']}=={package['version']}": {file["hash"] for file in package["files"]}
        for package in lock["package"]
    }
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    exported = {
        entry.split()[0]: set(re.findall(r"sha256:\w+", entry))
        for entry in text.replace("\\\n", " ").splitlines()
    }
    # The lock also holds what other systems need; the export leaves out what Linux never does.
    assert exported
    assert {name: locked[name] for name in exported} == exported


def test_no_file_names_the_host_of_a_package_index() -> None:
    program = (
        "from pip._internal.models.index import PyPI as i; print(i.netloc, i.file_storage_domain)"
    )
    pip = [sys.executable, "-c", program]
    hosts = subprocess.run(pip, capture_output=True, text=True, check=True).stdout.split()
    assert len(hosts) == 2
    shown = [*files(ROOT)]
    assert ROOT / "extra-2-need-for-speed" / "poetry.lock" in shown
    texts = {path: path.read_text("utf-8", errors="replace") for path in shown}
    assert [path for path, text in texts.items() if any(host in text for host in hosts)] == []


def test_the_small_projects_of_tests_stand_on_base_images_of_lessons() -> None:
    # make test brings no others, and where there is no registry nothing else does.
    text = "\n".join(file.read_text("utf-8") for file in (ROOT / "tests").rglob("*.py"))
    used = {*re.findall(r"FROM ((?:python|debian|postgres):[\w.-]+)", text)}
    assert used
    assert used - {*named_by(lesson.path for lesson in load())} == set()


def files(folder: Path) -> Iterator[Path]:
    """The files in a folder and in those inside; not in those of tools, such as .venv."""
    for path in folder.iterdir():
        if path.is_file():
            yield path
        elif not path.name.startswith(".") and path.name != "__pycache__":
            yield from files(path)
