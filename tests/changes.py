"""Changes of files in the copy of a lesson."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def change(file: Path, old: str, new: str) -> None:
    """Replace something that is in a file once."""
    text = file.read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} in {file.name}"
    file.write_text(text.replace(old, new), "utf-8")


@contextmanager
def replaced(file: Path, *changes: tuple[str, str]) -> Iterator[None]:
    """Replace some of it for a while."""
    before = file.read_text("utf-8")
    for old, new in changes:
        change(file, old, new)
    try:
        yield
    finally:
        file.write_text(before, "utf-8")
