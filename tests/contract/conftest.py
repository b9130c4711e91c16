"""Small projects under judgement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from series.contract import RULES, Finding, Subject
from tests.contract.small import COMPOSE, Files, Judge


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """Asks a rule about a project of a few files, which is built and started once at most."""
    subjects: dict[str, Subject] = {}

    def ask(rule: str, files: Files) -> Finding:
        key = str(files)
        if key not in subjects:
            folder = tmp_path_factory.mktemp("projects") / "small"
            for name, text in {"compose.yaml": COMPOSE, **files}.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text, encoding="utf-8")
            subjects[key] = stack.enter_context(Subject(folder, patience=3))
        return RULES[rule](subjects[key])

    with ExitStack() as stack:
        yield ask
