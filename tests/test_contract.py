"""The rules on small projects, each seen kept and broken, and where it does not apply or tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from series import engine
from series.contract import RULES, CannotTell, Subject, Verdict, promise
from series.contract.edits import sources
from series.contract.installs import installed, own_names

KEPT, BROKEN, DOES_NOT_APPLY = Verdict

COMPOSE = "services: {web: {build: ., ports: ['${PORT:-8000}:8000']}}"


def server(at_the_start: str, at_the_end: str) -> str:
    """A Dockerfile of a server that prints something, and says how it ends."""
    return f"""
FROM python:3.11
CMD ["sh", "-c", "{at_the_start}; {at_the_end} python -m http.server 8000 & wait"]
"""


REQUIREMENTS = {"requirements.txt": "iniconfig==2.3.0\n", "shop/main.py": "print('shop')\n"}

PROJECTS = {
    "good": {"Dockerfile": server("echo 0 errors", "trap 'exit 0' TERM;")},
    # Process 1 gets only the signals that it asks for, and Python asks for no SIGTERM.
    "bad": {
        "Dockerfile": """
FROM python:3.11
CMD ["sh", "-c", "echo WARNING: the cellar is damp; exec python -m http.server 8000"]
"""
    },
    "bad at the end": {
        "Dockerfile": server("echo hello", "trap 'echo ERROR: a leak; exit 3' TERM;")
    },
    "ended by the signal": {"Dockerfile": server("trap - TERM", "trap 'exit 143' TERM;")},
    "does not build": {"Dockerfile": "FROM python:3.11\nRUN echo the reason; exit 7\n"},
    "is no Dockerfile": {"Dockerfile": "FROM python:3.11\nRUNN true\n"},
    "dies": {"Dockerfile": 'FROM python:3.11\nCMD ["sh", "-c", "echo the reason; exit 3"]\n'},
    "has no port": {
        "Dockerfile": "FROM python:3.11\n",
        "compose.yaml": "services: {web: {build: .}}",
    },
    "requirements first": {
        **REQUIREMENTS,
        "Dockerfile": """
FROM python:3.11
COPY requirements.txt .
RUN pip install --quiet -r requirements.txt
COPY shop shop
RUN echo the code is there
""",
    },
    "everything first": {
        **REQUIREMENTS,
        "Dockerfile": """
FROM python:3.11
COPY . .
RUN pip install --quiet -r requirements.txt
""",
    },
    "code stays outside": {
        **REQUIREMENTS,
        "Dockerfile": """
FROM python:3.11
COPY requirements.txt .
RUN pip install -r requirements.txt
""",
    },
    "installs nothing": {"Dockerfile": "FROM python:3.11\nCOPY . .\n", "main.py": ""},
}


@pytest.fixture(scope="module")
def open_project(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[dict[str, str]], Subject]]:
    """Writes a small project and puts it under judgement, once."""
    subjects: dict[str, Subject] = {}

    def open_once(files: dict[str, str]) -> Subject:
        key = str(files)
        if key not in subjects:
            folder = tmp_path_factory.mktemp("projects") / "small"
            for name, text in {"compose.yaml": COMPOSE, **files}.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text, encoding="utf-8")
            subjects[key] = stack.enter_context(Subject(folder, patience=1))
        return subjects[key]

    with ExitStack() as stack:
        yield open_once
    for subject in subjects.values():
        assert engine.leftovers(subject.project.name) == []


@pytest.mark.parametrize(
    ("project", "rule", "verdict", "evidence"),
    [
        ("good", "builds", KEPT, "Built in 1 steps"),
        ("does not build", "builds", BROKEN, "the reason"),
        ("does not build", "builds", BROKEN, "It fails at: RUN echo the reason; exit 7"),
        ("is no Dockerfile", "builds", BROKEN, "unknown instruction: RUNN"),
        ("good", "answers", KEPT, "GET / has status 200"),
        ("dies", "answers", BROKEN, "ended with status 3"),
        ("dies", "answers", BROKEN, "the reason"),
        ("has no port", "answers", DOES_NOT_APPLY, "publishes no port"),
        ("good", "quiet", KEPT, "in the log complains"),
        ("bad", "quiet", BROKEN, "WARNING: the cellar is damp"),
        ("bad at the end", "quiet", BROKEN, "ERROR: a leak"),
        ("good", "clean-stop", KEPT, "by itself with status 0"),
        ("ended by the signal", "clean-stop", KEPT, "by itself with status 143"),
        ("bad", "clean-stop", BROKEN, "Still there after 1 s, and killed"),
        ("bad at the end", "clean-stop", BROKEN, "by itself with status 3"),
        ("requirements first", "edit-keeps-dependencies", KEPT, "ran again: RUN echo the code"),
        (
            "everything first",
            "edit-keeps-dependencies",
            BROKEN,
            "again.\niniconfig\n",
        ),
        ("code stays outside", "edit-keeps-dependencies", DOES_NOT_APPLY, "tried: shop/main.py"),
        ("installs nothing", "edit-keeps-dependencies", DOES_NOT_APPLY, "no Python packages"),
    ],
)
def test_a_rule_judges_a_small_project(
    open_project: Callable[[dict[str, str]], Subject],
    project: str,
    rule: str,
    verdict: Verdict,
    evidence: str,
) -> None:
    finding = RULES[rule](open_project(PROJECTS[project]))
    assert finding.verdict is verdict, finding
    assert evidence in finding.evidence


@pytest.mark.parametrize("rule", ["quiet", "clean-stop"])
def test_of_a_container_that_never_worked_nothing_is_said(
    open_project: Callable[[dict[str, str]], Subject], rule: str
) -> None:
    with pytest.raises(engine.NoAnswer):
        RULES[rule](open_project(PROJECTS["dies"]))


def test_an_edit_of_what_does_not_build_tells_nothing(
    open_project: Callable[[dict[str, str]], Subject],
) -> None:
    broken = {"Dockerfile": "FROM python:3.11\nRUN pip install --no-such-option\n"}
    with pytest.raises(engine.BuildError):
        RULES["edit-keeps-dependencies"](open_project(broken))


def test_where_nothing_comes_from_the_cache_an_edit_tells_nothing(
    open_project: Callable[[dict[str, str]], Subject],
) -> None:
    uncached = COMPOSE.replace("build: .", "build: {context: ., no_cache: true}")
    says_so = "RUN echo pip install; echo Successfully installed iniconfig-2.3.0"
    dockerfile = f"FROM python:3.11\nCOPY . .\n{says_so}\n"
    project = {**REQUIREMENTS, "Dockerfile": dockerfile, "compose.yaml": uncached}
    with pytest.raises(CannotTell, match="docker builder prune"):
        RULES["edit-keeps-dependencies"](open_project(project))


EXACT = [
    "RUN pip install poetry==2.5.1",
    "RUN pip install --no-cache-dir --cert /x 'poetry==2.5.1' -r requirements.txt > /dev/null",
    "RUN python3 -m pip install poetry[cache]==2.5.1 && poetry install",
    'ARG V=2.5.1\nRUN pip install "poetry==${V}"',
    "ENV V=2.5.1\nRUN pip install \\\n    # a reason\n    poetry==$V",
    "RUN <<EOF\npip install uv==0.11.0\nuv sync\nEOF",
    "RUN pipx install poetry==2.5.1; poetry self add poetry-plugin-export@1.10.1",
    "RUN uv tool install ruff==0.17.0 && uvx ruff@0.17.0 check",
    "RUN curl -sSL https://install.python-poetry.org | POETRY_VERSION=2.5.1 python3 -",
    "ENV POETRY_VERSION=2.5.1\nRUN curl -sSL https://install.python-poetry.org | python3 -",
    "RUN curl -LsSf https://astral.sh/uv/0.11.0/install.sh | sh",
    "COPY --from=ghcr.io/astral-sh/uv:0.11.0 /uv /bin/",
    "COPY --from=ghcr.io/astral-sh/uv@sha256:0123 /uv /bin/",
    "RUN --mount=from=ghcr.io/astral-sh/uv:0.11.0,source=/uv,target=/bin/uv uv sync",
]
LOOSE = [
    "RUN pip install poetry",
    "RUN pip install --upgrade pip",
    "RUN pip install 'poetry>=2,<3'",
    "RUN pip install poetry==2.*",
    "ARG V\nRUN pip install poetry==$V",
    "RUN apt-get update && (cd / && pip3.11 install -r a.txt poetry)",
    "RUN <<EOF\nset -e\npip install uv\nEOF",
    "RUN pipx install poetry",
    "RUN poetry self add poetry-plugin-export",
    "RUN poetry self add poetry-plugin-export@latest",
    "RUN uvx ruff check",
    "RUN curl -sSL https://install.python-poetry.org | python3 -",
    "RUN wget -qO- https://astral.sh/uv/install.sh | sh",
    "COPY --from=ghcr.io/astral-sh/uv /uv /bin/",
    "COPY --from=ghcr.io/astral-sh/uv:latest /uv /bin/",
    "RUN --mount=type=bind,from=ghcr.io/astral-sh/uv:0.11,source=/uv,target=/bin/uv uv sync",
]
NO_TOOLS = [
    "RUN pip install -r requirements.txt",
    "RUN pip install --no-deps . ./shop /tmp/shop-1.0-py3-none-any.whl",
    "RUN apt-get install -y --no-install-recommends libpq5",
    "RUN poetry install && poetry run python -m compileall",
    "RUN echo 'pip install poetry' # uv",
    "FROM python:3.11 AS second\nCOPY --from=first /x /x\nCOPY --from=0 /x /x",
    "RUN curl -o /x https://example.org/data.csv",
]


@pytest.mark.parametrize(
    ("instructions", "verdict"),
    [
        *((text, KEPT) for text in EXACT),
        *((text, BROKEN) for text in LOOSE),
        *((text, DOES_NOT_APPLY) for text in NO_TOOLS),
    ],
)
def test_a_tool_is_pinned_by_an_exact_version(
    open_project: Callable[[dict[str, str]], Subject], instructions: str, verdict: Verdict
) -> None:
    subject = open_project({"Dockerfile": f"FROM python:3.11 AS first\n{instructions}\n"})
    finding = RULES["pinned-tools"](subject)
    assert finding.verdict is verdict, finding


@pytest.mark.parametrize(
    ("instructions", "verdict", "evidence"),
    [
        ('CMD ["python"]', KEPT, "silent"),
        ("CMD python", BROKEN, "line 2: DL3025"),
        ("# The shell fills in $PORT.\n# hadolint ignore=DL3025\nCMD exec python", KEPT, "silent"),
    ],
)
def test_the_linter_is_asked(
    open_project: Callable[[dict[str, str]], Subject],
    instructions: str,
    verdict: Verdict,
    evidence: str,
) -> None:
    subject = open_project({"Dockerfile": f"FROM python:3.11\n{instructions}\n"})
    finding = RULES["linted"](subject)
    assert finding.verdict is verdict, finding
    assert evidence in finding.evidence


def test_what_somebody_has_set_for_the_linter_at_home_does_not_count(
    open_project: Callable[[dict[str, str]], Subject],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "hadolint.yaml").write_text("ignored: [DL3025]\n", encoding="utf-8")
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("HADOLINT_IGNORE", "DL3025")
    monkeypatch.chdir(tmp_path)
    subject = open_project({"Dockerfile": "FROM python:3.11\nCMD python\n"})
    assert RULES["linted"](subject).verdict is BROKEN


@pytest.mark.parametrize("rule", ["pinned-tools", "linted"])
def test_what_is_no_dockerfile_is_not_judged(
    open_project: Callable[[dict[str, str]], Subject], rule: str
) -> None:
    with pytest.raises(CannotTell):
        RULES[rule](open_project({"Dockerfile": "FROM python:3.11\nRUN <<EOF\nno end\n"}))


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


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_says_what_it_promises_and_where_that_comes_from(rule: str) -> None:
    words = RULES[rule].__doc__ or ""
    assert promise(rule).endswith(".")
    assert "Found out" in words
    assert "Source: https://" in words
