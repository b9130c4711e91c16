"""The engine, on small projects that do what no lesson does."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from series import engine
from series.engine import container
from tests.console import Command, run

SERVER = """
FROM python:3.13
CMD ["python", "-m", "http.server", "8000"]
"""

# Never answers at one path, and never ends its answer at another.
ENDLESS = """
FROM python:3.13
COPY <<EOF server.py
import http.server, threading, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/never":
            threading.Event().wait()
        self.send_response(200)
        self.end_headers()
        while self.path == "/drop-by-drop":
            self.wfile.write(b"drop")
            time.sleep(0.1)
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
EOF
CMD ["python", "server.py"]
"""


def test_a_project_is_called_as_compose_calls_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "named.yaml").write_text("# so\nname: another  # why\nservices: {}\n")
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    assert engine.Project(tmp_path).name == tmp_path.name
    assert engine.Project(tmp_path, file="named.yaml").name == "another"
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", "beside")
    assert engine.Project(tmp_path, file="named.yaml").name == "beside"
    assert engine.Project(tmp_path, "mine", file="named.yaml").name == "mine"


def test_an_answer_with_another_status_is_no_answer(
    project: Callable[..., engine.Project],
) -> None:
    server = project(Dockerfile=SERVER)
    server.build()
    server.start()
    assert server.wait_for_answer().status_code == 200
    with pytest.raises(engine.EngineError, match=r"within 2 s \(status 404"):
        server.wait_for_answer("/no-such-path", seconds=2)


def test_an_answer_that_does_not_come_or_end_is_not_waited_for_any_longer(
    project: Callable[..., engine.Project],
) -> None:
    server = project(Dockerfile=ENDLESS)
    server.build()
    server.start()
    assert server.wait_for_answer().status_code == 200
    for path in ("/never", "/drop-by-drop"):
        with pytest.raises(engine.NoAnswer, match=r"within 1 s \(no whole answer"):
            server.wait_for_answer(path, seconds=1)


SLEEPS = """
FROM python:3.13
CMD ["sh", "-c", "sleep 1; exec python -m http.server 8000"]
"""


def test_the_time_to_the_first_answer_is_that_of_the_container(
    project: Callable[..., engine.Project],
) -> None:
    server = project(Dockerfile=SLEEPS)
    server.build()
    began = time.monotonic()
    assert 1 < server.seconds_to_answer() < time.monotonic() - began


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("sleep 1.5; echo over", r"(?s)ended with status 0 before it answered.*over"),
        ("exec python -m http.server 8000 --directory /no-such", "with status 200 within 3 s"),
        ("exec sleep 60", "with status 200 within 3 s"),
    ],
)
def test_a_container_that_does_not_answer_has_no_such_time(
    project: Callable[..., engine.Project], command: str, reason: str
) -> None:
    server = project(Dockerfile=f"FROM python:3.13\nCMD {json.dumps(['sh', '-c', command])}\n")
    server.build()
    with pytest.raises(engine.NoAnswer, match=reason):
        server.seconds_to_answer(3)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("path", ["/never", "/drop-by-drop"])
def test_an_answer_that_does_not_come_or_end_has_no_such_time(
    project: Callable[..., engine.Project], path: str
) -> None:
    server = project(Dockerfile=ENDLESS.replace(f'"{path}"', '"/"'))
    server.build()
    with pytest.raises(engine.NoAnswer, match="with status 200 within 3 s"):
        server.seconds_to_answer(3)


def test_a_port_that_is_taken_is_said_in_one_sentence(
    project: Callable[..., engine.Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = project(Dockerfile=SERVER)
    server.build()
    with socket.create_server(("0.0.0.0", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        with pytest.raises(
            engine.EngineError, match=f"^Port {port} is taken by another .*PORT=8010"
        ):
            server.start()


def test_what_a_killed_test_run_left_is_found_and_removed(
    project: Callable[..., engine.Project],
) -> None:
    server = project(Dockerfile=SERVER)
    server.build()
    server.start()
    left = engine.leftovers(server.name)
    assert [line.split()[0] for line in left] == ["container", "network", "image"]
    assert set(left) <= set(engine.leftovers())
    assert engine.remove_leftovers(server.name) == left
    assert engine.leftovers(server.name) == []


def test_the_images_of_a_project_are_those_that_were_built_also_in_a_profile(
    project: Callable[..., engine.Project],
) -> None:
    services = "{web: {build: .}, tests: {build: ., profiles: [x]}, db: {image: python:3.13}}"
    small = project(**{"Dockerfile": SERVER, "compose.yaml": f"services: {services}"})
    assert small.images == []
    run(Command("docker compose --profile x build", []), small.folder, small.environment)
    assert {*small.images} == {f"{small.name}-web:latest", f"{small.name}-tests:latest"}


def test_down_removes_also_what_a_service_in_a_profile_left(
    project: Callable[..., engine.Project],
) -> None:
    services = "{web: {image: python:3.13}, tests: {image: python:3.13, profiles: [x]}}"
    small = project(**{"compose.yaml": f"services: {services}"})
    run(Command("docker compose run tests true", []), small.folder, small.environment)
    assert small.remains
    small.down()
    assert not small.remains


def test_the_last_request_is_sent_shortly_before_the_time_is_up(
    project: Callable[..., engine.Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = project(Dockerfile=SERVER)
    server.build()
    server.start()
    server.wait_for_answer()
    # A clock on which only the pauses take time, so that this says the same on every machine.
    now, seen = [0.0], []

    def pause(seconds: float) -> None:
        now[0] += seconds
        seen.append("pause")

    def ask(address: str, seconds: float) -> Coroutine[None, None, httpx.Response]:
        seen.append(f"request with {seconds:.2f} s left")
        return ask_indeed(address, seconds + 10)

    ask_indeed = container._ask
    monkeypatch.setattr(container, "_ask", ask)
    monkeypatch.setattr(container, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=pause))
    with pytest.raises(engine.NoAnswer, match=r"within 2 s \(status 404\)"):
        server.wait_for_answer("/missing", seconds=2)
    assert seen[0] == "request with 2.00 s left"
    assert seen[-1] in ("request with 0.03 s left", "request with 0.04 s left")
    assert seen[1::2] == ["pause"] * (len(seen) // 2)


def test_a_log_is_not_waited_for_any_longer_than_told(
    project: Callable[..., engine.Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = project(Dockerfile=SERVER)
    server.build()
    server.start()
    # A clock on which only the pauses take time, so that this says the same on every machine.
    now, looked = [0.0], []

    def pause(seconds: float) -> None:
        now[0] += seconds

    def enough(log: str) -> bool:
        looked.append(now[0])
        return "no such line" in log

    monkeypatch.setattr(container, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=pause))
    server.wait_for_log(enough, seconds=0.6)
    assert looked[:3] == [0.0, engine.PAUSE, 2 * engine.PAUSE]
    assert now[0] == pytest.approx(0.6)
