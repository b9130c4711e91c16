from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from series import engine
from series.contract import Subject

COMPOSE = """
services: {web: {build: ., volumes: ["named:/named"]}}
volumes: {named: }
"""


@pytest.mark.parametrize("fails", [False, True])
def test_at_its_end_nothing_that_came_of_the_project_is_left(tmp_path: Path, fails: bool) -> None:
    (tmp_path / "compose.yaml").write_text(COMPOSE, "utf-8")
    (tmp_path / "Dockerfile").write_text(
        "FROM python:3.13-slim-trixie\nCMD sleep infinity", "utf-8"
    )
    with pytest.raises(ZeroDivisionError) if fails else nullcontext(), Subject(tmp_path) as subject:
        subject.project.build()
        subject.project.start()
        name = subject.project.name
        before = engine.leftovers(name)
        assert not fails or 1 / 0
    assert [thing.split()[0] for thing in before] == ["container", "network", "volume", "image"]
    assert engine.leftovers(name) == []
    assert not subject.folder.exists()
