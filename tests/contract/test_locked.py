from __future__ import annotations

from pathlib import Path

import pytest

from series.contract import CannotTell, locks
from tests.contract.small import (
    BROKEN,
    DOES_NOT_APPLY,
    INSTALLED,
    KEPT,
    SERVER,
    Files,
    Judge,
    dockerfile,
    judged,
    lock,
    package,
)

INICONFIG = package("iniconfig", "2.3.0", "main")
# The base image's Python holds something else, which is no concern of the server.
ENVIRONMENT = f"""
RUN pip install colorama && python -m venv /env && /env/bin/pip install iniconfig==2.3.0
ENV PATH=/env/bin:$PATH
{SERVER}
"""
# What is seen as its command line is not what was typed.
RENAMED = """
RUN python -m venv /env && /env/bin/pip install setproctitle==1.3.7
COPY <<EOF server.py
import http.server, setproctitle
setproctitle.setproctitle("the server")
http.server.test(http.server.SimpleHTTPRequestHandler)
EOF
STOPSIGNAL SIGINT
CMD ["/env/bin/python", "server.py"]
"""
# Not a Python of the base image, and none is left that could tell.
NOT_PYTHON = """
RUN mv /usr/local/bin/python3.13 /server && rm -f /usr/local/bin/python* /usr/bin/python*
ENV PYTHONHOME=/usr/local
STOPSIGNAL SIGINT
CMD ["/server", "-m", "http.server", "8000"]
"""

test_a_project_is_judged = judged(
    "locked",
    [
        (
            {**dockerfile(INSTALLED), **lock(INICONFIG)},
            KEPT,
            "exactly as poetry.lock says: 1",
        ),
        ({**dockerfile(ENVIRONMENT), **lock(INICONFIG)}, KEPT, "says: 1"),
        (
            {**dockerfile(RENAMED), **lock(package("setproctitle", "1.3.7", "main"))},
            KEPT,
            "says: 1",
        ),
        (
            {
                **dockerfile(INSTALLED),
                **lock(package("iniconfig", "2.2.0", "main"), package("attrs", "26.1.0", "main")),
            },
            BROKEN,
            "not as poetry.lock says: 2\n"
            "attrs: none installed, 26.1.0 in poetry.lock\n"
            "iniconfig: 2.3.0 installed, 2.2.0 in poetry.lock",
        ),
        (
            {**dockerfile(INSTALLED), **lock(package("iniconfig", "2.3.0", "dev"))},
            BROKEN,
            "iniconfig: 2.3.0 installed, none in poetry.lock",
        ),
        (
            {**dockerfile(INSTALLED), "requirements.txt": "iniconfig==2.3.0\n"},
            DOES_NOT_APPLY,
            "no lock file",
        ),
    ],
)


def test_where_no_python_can_be_found_nothing_is_said(judge: Judge) -> None:
    with pytest.raises(CannotTell, match="has no Python that could look"):
        judge("locked", {**dockerfile(NOT_PYTHON), **lock(INICONFIG)})


LINUX = {"sys_platform": "linux", "python_version": "3.13"}
POETRY = lock(
    package("fastapi", "0.165.0", "main"),
    package("h11", "0.16.0", "main", "prod", "dev"),
    package("colorama", "0.4.6", "main", markers="\"sys_platform == 'win32'\""),
    package("gunicorn", "27.0.1", "prod"),
    package("click", "8.5.1", "prod", "dev", markers='{prod = "", dev = "extra == \'x\'"}'),
    package("pytest", "9.0.3", "dev"),
    package("orjson", "3.11.9", "main", markers="\"extra == 'fast'\""),
    '[extras]\nfast = ["orjson"]\n',
)
UV = {
    "uv.lock": """
[[package]]
name = "shop"
version = "0.1.0"
source = { editable = "." }
dependencies = [{ name = "fastapi" }, { name = "uvicorn", extra = ["standard"] }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]
prod = [{ name = "gunicorn" }]
[package.optional-dependencies]
fast = [{ name = "orjson" }]
[[package]]
name = "fastapi"
version = "0.165.0"
source = { registry = "" }
dependencies = [
    { name = "h11" },
    { name = "colorama", marker = "sys_platform == 'win32'" },
]
[[package]]
name = "uvicorn"
version = "0.54.0"
source = { registry = "" }
dependencies = [{ name = "h11" }]
[package.optional-dependencies]
standard = [{ name = "uvloop" }]
"""
    + "".join(
        f'[[package]]\nname = "{name}"\nversion = "1"\nsource = {{ registry = "" }}\n'
        for name in ("h11", "colorama", "uvloop", "pytest", "gunicorn", "orjson")
    )
}
HASHED = {
    "requirements.txt": """
# a comment
fastapi==0.165.0 ; python_version >= "3.13" \\
    --hash=sha256:00 \\
    --hash=sha256:01
colorama==0.4.6 ; sys_platform == "win32" --hash=sha256:02
h11==0.16.0 --hash=sha256:03 # another
"""
}


@pytest.mark.parametrize(
    ("files", "installed", "wanted"),
    [
        (POETRY, "fastapi h11", "fastapi h11"),
        (POETRY, "fastapi h11 gunicorn", "fastapi h11 gunicorn click"),
        (POETRY, "fastapi h11 gunicorn click pytest", "fastapi h11 gunicorn click"),
        (POETRY, "fastapi h11 orjson", "fastapi h11 orjson"),
        (UV, "fastapi", "fastapi h11 uvicorn uvloop"),
        (UV, "gunicorn pytest orjson", "fastapi h11 uvicorn uvloop gunicorn orjson"),
        (HASHED, "", "fastapi h11"),
    ],
)
def test_a_lock_says_what_production_wants(
    tmp_path: Path, files: Files, installed: str, wanted: str
) -> None:
    lock = read(tmp_path, files)
    assert {*lock.production(installed.split())} == {*wanted.split()}


def test_a_lock_says_what_only_development_wants(tmp_path: Path) -> None:
    assert read(tmp_path, POETRY).development == {"pytest"}


def test_a_lock_says_which_versions(tmp_path: Path) -> None:
    lock = read(tmp_path, UV)
    assert lock.production([]) == {"fastapi": "0.165.0", "uvicorn": "0.54.0", **ones("h11 uvloop")}


def ones(names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), "1")


def read(folder: Path, files: Files) -> locks.Lock:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    file = locks.find(folder)
    assert file is not None
    return locks.read(file, LINUX)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"poetry.lock": '[[package]]\nname = "old"\n'}, "names no groups. Type: poetry lock"),
        ({"uv.lock": "no toml"}, "uv.lock is no TOML"),
        ({"requirements.txt": "??? --hash=sha256:00"}, "requirements.txt cannot be read"),
    ],
)
def test_what_cannot_be_read_tells_nothing(tmp_path: Path, files: Files, reason: str) -> None:
    with pytest.raises(CannotTell, match=reason):
        read(tmp_path, files)
