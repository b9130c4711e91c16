"""What makes a bare machine ready, as far as a ready machine can show it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from series import engine
from series.lessons import ROOT
from series.prepare import images
from series.prepare.engine import lives


def prepare(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "series.prepare", *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_ready_machine_is_told_nothing() -> None:
    ready = prepare()
    assert (ready.returncode, ready.stdout, ready.stderr) == (0, "", "")


def test_an_engine_that_the_environment_names_and_that_is_silent_is_said(tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/no.sock"
    said = prepare(DOCKER_HOST=nowhere)
    assert said.returncode == 1
    assert said.stderr == (
        f"No Docker Engine answers at DOCKER_HOST={nowhere}. "
        "Start that engine, or type: unset DOCKER_HOST\n"
    )


def test_a_machine_without_docker_and_apt_is_told_where_to_get_it(tmp_path: Path) -> None:
    said = prepare(PATH=str(tmp_path))
    assert said.returncode == 1
    assert said.stderr.startswith(
        "No answer from: Docker Engine, Docker Compose v2, Docker Buildx. Install and start it as "
    )
    assert said.stderr.count("\n") == 1


def test_the_base_image_holds_nothing_that_pip_would_freeze(
    project: Callable[..., engine.Project],
) -> None:
    base = project(Dockerfile="FROM python:3.13\n")
    base.build()
    assert base.run("python", "--version").startswith("Python 3.13.")
    assert base.run("pip", "freeze") == ""


def test_a_process_that_has_ended_does_not_live_though_it_has_a_number_still() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        name = Path(f"/proc/{process.pid}/comm").read_text().strip()
        assert lives(process.pid, name)
        assert not lives(process.pid, "dockerd")
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, and still to be asked
        assert Path(f"/proc/{process.pid}/comm").read_text().strip() == name
        assert not lives(process.pid, name)
    assert not lives(process.pid, name)


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("FROM python:3.13", ["python:3.13"]),
        ("from --platform=linux/amd64 python:3.13 as a\nFROM a", ["python:3.13"]),
        (
            "FROM a:1 AS b\nFROM c:2\nCOPY --from=b /x /\nCOPY --from=d:3 /x /",
            ["a:1", "c:2", "d:3"],
        ),
        ("FROM a:1\nRUN --mount=type=bind,from=b:2,target=/b \\\n  true", ["a:1", "b:2"]),
        ("FROM scratch\nCOPY --from=0 /x /\nADD x /", []),
        ("FROM python", ["python:latest"]),
    ],
)
def test_base_images_are_those_that_come_from_outside(dockerfile: str, expected: list[str]) -> None:
    assert images.named_in(dockerfile) == expected


def test_images_that_a_compose_file_takes_from_outside_are_needed_as_well(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM a:1\n")
    (folder / "slim.Dockerfile").write_text("FROM b:2\nFROM a:1\n")
    (folder / "compose.yaml").write_text(
        "services:\n  web:\n    build: .\n  db:\n    image: postgres:17  # a comment\n"
    )
    assert images.named_by([folder]) == ["a:1", "b:2", "postgres:17"]


# What runs when the database has been made: a file that names the others, in the order of names.
INSIDE = """
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --tuples-only --no-align --command "
    SELECT 'made ' || current_database() || ' for ' || current_user || ': ' || count(*) FROM goods"
"""


def test_the_database_image_is_told_everything_by_variables_and_files(
    project: Callable[..., engine.Project],
) -> None:
    settings = """
services:
  web:
    image: postgres:17
    environment: {POSTGRES_USER: me, POSTGRES_DB: shop, POSTGRES_PASSWORD_FILE: /etc/password}
"""
    database = project(**{"compose.yaml": settings})
    folder = "/docker-entrypoint-initdb.d"
    database.start(
        {
            "/etc/password": "let me in\n",
            f"{folder}/1.sql": "CREATE TABLE goods AS SELECT generate_series(1, 3);",
            f"{folder}/2.sh": INSIDE,
        }
    )
    ready = database.wait_for_log(lambda log: "listening on IPv4 address" in log, 60)
    assert "made shop for me: 3\n" in ready
    login = 'psql --host="$(hostname)" --username=me --dbname=shop --command="SELECT 7 * 6"'
    assert "42" in database.execute("sh", "-c", f"PGPASSWORD='let me in' {login}")
    with pytest.raises(engine.EngineError, match="password authentication failed"):
        database.execute("sh", "-c", f"PGPASSWORD=guess {login}")
    assert database.stop() == 0


def test_the_database_image_starts_with_no_password_only_when_told_so(
    project: Callable[..., engine.Project],
) -> None:
    database = project(**{"compose.yaml": "services: {web: {image: 'postgres:17'}}"})
    database.start()
    said = database.wait_for_log("no such log".__eq__, 30)
    assert "superuser password is not specified" in said
    assert database.stop() == 1


def test_a_stand_in_changes_its_digest_with_its_folder_and_with_what_it_stands_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (("low/1", "FROM scratch"), ("high/1", "FROM low:1")):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "Dockerfile").write_text(text)
    monkeypatch.setattr(images, "FOLDER", tmp_path)
    digests = [images._recipe_digest("high:1")]
    (tmp_path / "high/1/extra").write_text("x")
    digests.append(images._recipe_digest("high:1"))
    (tmp_path / "low/1/extra").write_text("x")
    digests.append(images._recipe_digest("high:1"))
    assert len(set(digests)) == 3
