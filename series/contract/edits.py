"""A source file of a project, and an edit that changes nothing it does."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# They say how the project is installed, tested or served; nobody edits them many times a day.
_NO_SOURCES = {"setup.py", "conftest.py", "noxfile.py", "gunicorn.conf.py", "__init__.py"}
_NO_PACKAGES = {"test", "tests", "docs", "node_modules", "site-packages"}


def sources(folder: Path) -> list[Path]:
    """Return a project's Python files that are edited every day, those in packages first.

    Left out are tests, documentation and what lies in hidden folders.
    """

    def counts(file: Path) -> bool:
        parts = file.relative_to(folder).parts
        hidden = any(part.startswith(".") for part in parts)
        return not hidden and file.name not in _NO_SOURCES and not _NO_PACKAGES & {*parts}

    found = [file for file in folder.rglob("*.py") if file.is_file() and counts(file)]
    return sorted(found, key=lambda file: (file.parent == folder, file))


@contextmanager
def edited(file: Path) -> Iterator[None]:
    """Add a comment to the end of a Python file that no build has seen before, for a while."""
    before = file.read_bytes()
    file.write_bytes(before + f"\n# {uuid.uuid4()}\n".encode())
    try:
        yield
    finally:
        file.write_bytes(before)
