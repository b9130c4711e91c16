"""The engine, on small projects that do what no lesson does."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from series import engine

SERVER = """
FROM python:3.11
CMD ["python", "-m", "http.server", "8000"]
"""


def test_a_build_that_fails_is_told_with_its_last_lines(
    project: Callable[..., engine.Project],
) -> None:
    broken = project(Dockerfile="FROM python:3.11\nRUN echo the reason; exit 7\n")
    with pytest.raises(engine.EngineError, match=r"does not build:(?s:.*)the reason"):
        broken.build()


def test_a_container_that_dies_is_not_waited_for_and_its_log_is_told(
    project: Callable[..., engine.Project],
) -> None:
    dies = project(Dockerfile='FROM python:3.11\nCMD ["sh", "-c", "echo the reason; exit 3"]\n')
    dies.build()
    dies.start()
    with pytest.raises(engine.EngineError, match=r"ended with status 3(?s:.*)the reason"):
        dies.wait_for_answer(seconds=300)


def test_an_answer_with_another_status_is_no_answer(
    project: Callable[..., engine.Project],
) -> None:
    server = project(Dockerfile=SERVER)
    server.build()
    server.start()
    assert server.wait_for_answer().status_code == 200
    with pytest.raises(engine.EngineError, match=r"within 0 s \(status 404\)"):
        server.wait_for_answer("/no-such-path", seconds=0)


def test_a_container_that_ignores_the_signal_is_killed_in_the_end(
    project: Callable[..., engine.Project],
) -> None:
    # Process 1 gets only the signals that it asks for, and Python asks for no SIGTERM.
    server = project(Dockerfile=SERVER)
    server.build()
    server.start()
    server.wait_for_answer()
    assert server.stop(seconds=1) == 137


def test_a_port_that_is_taken_is_said_in_one_sentence(
    project: Callable[..., engine.Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = project(Dockerfile=SERVER)
    server.build()
    with socket.create_server(("0.0.0.0", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        with pytest.raises(engine.EngineError, match=f"^Port {port} is taken .* make up"):
            server.start()


def test_what_a_killed_test_run_left_is_found_and_removed(
    project: Callable[..., engine.Project],
) -> None:
    server = project(Dockerfile=SERVER)
    server.build()
    server.start()
    left = engine.leftovers(server.name)
    assert [line.split()[0] for line in left] == ["container", "network"]
    assert set(left) <= set(engine.leftovers())
    assert engine.remove_leftovers(server.name) == left
    assert engine.leftovers(server.name) == []
