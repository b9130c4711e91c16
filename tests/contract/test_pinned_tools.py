import pytest

from series.contract import CannotTell
from tests.contract.small import BROKEN, DOES_NOT_APPLY, KEPT, Files, Judge, dockerfile, judged


def project(instructions: str) -> Files:
    return {"Dockerfile": f"FROM python:3.13 AS first\n{instructions}\n"}


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
    "RUN apt-get update && (cd / && pip3.13 install -r a.txt poetry)",
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
    "FROM python:3.13 AS second\nCOPY --from=first /x /x\nCOPY --from=0 /x /x",
    "RUN curl -o /x https://example.org/data.csv",
]

test_a_project_is_judged = judged(
    "pinned-tools",
    [
        *((project(text), KEPT, "With an exact version: ") for text in EXACT),
        *((project(text), BROKEN, "Without an exact version: ") for text in LOOSE),
        *((project(text), DOES_NOT_APPLY, "installs no tool by name") for text in NO_TOOLS),
    ],
)


def test_what_is_no_dockerfile_is_not_judged(judge: Judge) -> None:
    with pytest.raises(CannotTell):
        judge("pinned-tools", dockerfile("RUN <<EOF\nno end"))
