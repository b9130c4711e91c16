from pathlib import Path

import pytest

from series import engine
from series.contract import CannotTell
from series.contract.edits import sources
from series.contract.installs import installed, own_names
from tests.contract.small import (
    BROKEN,
    COMPOSE,
    DOES_NOT_APPLY,
    KEPT,
    SHOP,
    Judge,
    dockerfile,
    judged,
)

REQUIREMENTS_FIRST = """
COPY requirements.txt .
RUN pip install --quiet -r requirements.txt
COPY shop shop
RUN echo the code is there
"""
EVERYTHING_FIRST = "COPY . .\nRUN pip install --quiet -r requirements.txt"
CODE_STAYS_OUTSIDE = "COPY requirements.txt .\nRUN pip install -r requirements.txt"

test_a_project_is_judged = judged(
    "edit-keeps-dependencies",
    [
        ({**SHOP, **dockerfile(REQUIREMENTS_FIRST)}, KEPT, "ran again: RUN echo the code"),
        ({**SHOP, **dockerfile(EVERYTHING_FIRST)}, BROKEN, "again.\niniconfig\n"),
        ({**SHOP, **dockerfile(CODE_STAYS_OUTSIDE)}, DOES_NOT_APPLY, "tried: shop/main.py"),
        ({**dockerfile("COPY . ."), "main.py": ""}, DOES_NOT_APPLY, "no Python packages"),
    ],
)


def test_an_edit_of_what_does_not_build_tells_nothing(judge: Judge) -> None:
    with pytest.raises(engine.BuildError):
        judge("edit-keeps-dependencies", dockerfile("RUN pip install --no-such-option"))


def test_where_nothing_comes_from_the_cache_an_edit_tells_nothing(judge: Judge) -> None:
    uncached = COMPOSE.replace("build: .", "build: {context: ., no_cache: true}")
    says_so = "COPY . .\nRUN echo pip install; echo Successfully installed iniconfig-2.3.0"
    project = {**SHOP, **dockerfile(says_so), "compose.yaml": uncached}
    with pytest.raises(CannotTell, match="docker builder prune"):
        judge("edit-keeps-dependencies", project)


def test_what_installers_say_is_understood() -> None:
    said = """
Successfully installed annotated-types-0.7.0 typing_extensions-4.15.0
  - Installing uvicorn-worker (0.4.0)
  • Updating h11 (0.14.0 -> 0.16.0)
 + anyio==4.11.0
Installing the current project: shop (0.1.0)
"""
    names = {"annotated-types", "typing-extensions", "uvicorn-worker", "h11", "anyio"}
    assert installed(said.splitlines()) == names


def test_a_project_knows_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "My_Shop"\n', encoding="utf-8")
    (tmp_path / "setup.py").write_text("setup(name='old.shop')\n", encoding="utf-8")
    assert own_names(tmp_path) == {"my-shop", "old-shop"}


def test_source_files_are_what_is_edited_every_day(tmp_path: Path) -> None:
    for name in ["setup.py", "tests/test_x.py", ".venv/x.py", "run.py", "shop/main.py"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert sources(tmp_path) == [tmp_path / "shop/main.py", tmp_path / "run.py"]
