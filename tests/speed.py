"""What the lessons that are about speed look at: downloads, and bytecode."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from series import engine, measuring
from series.contract import Subject


def rewrite(subject: Subject, replaced: Mapping[str, str], again: bool = False) -> None:
    """Change a Dockerfile; and let it install again what an earlier build has installed."""
    text = measuring.variant(subject.dockerfile.read_text("utf-8"), replaced)
    subject.dockerfile.write_text(measuring.never_built(text) if again else text, "utf-8")


def sent(index: engine.Project) -> Counter[str]:
    """How often a package index has sent each distribution."""
    return Counter(re.findall(r"^200 (.+\.whl)$", index.log, re.MULTILINE))


def compiled_at_start(subject: Subject, package: str, *settings: str) -> list[str]:
    """The modules that the server imports and that are compiled then, by their files."""
    assert subject.built
    program = f"import gunicorn.app.wsgiapp, uvicorn_worker, {package}.main"
    script = f'{" ".join(settings)} python -v -c "{program}" 2>&1'
    said = subject.project.run("sh", "-c", script)
    return re.findall(r"^# code object from (/.*\.py)$", said, re.MULTILINE)
