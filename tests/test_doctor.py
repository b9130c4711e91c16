"""What make doctor says of a machine."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from series import engine
from series.lessons import ROOT, load
from series.prepare import doctor, images, port
from series.prepare.images import Local
from series.prepare.owner import Owner
from tests.test_prepare import prepare


def test_every_condition_is_told_and_nothing_changes() -> None:
    named = images.named_by(lesson.path for lesson in load())
    before = images.here(named)
    said = prepare("--doctor", PORT="0")
    told = re.findall(r"^(ok|note|STOP) +(\S+(?: \S+)?)  +\S", said.stdout, re.MULTILINE)
    assert [name for _, name in told] == [
        *("Python", "Docker Engine", "Compose", "Buildx", "Disk", "Memory", "Port", "Registry"),
        *named,
        *(["Other stand-ins"] if {*images.stand_ins()} - {*named} else []),
        "Package index",
    ]
    # What there is to say of the network is another thing every day.
    marks = {name: mark for mark, name in told}
    assert {marks["Docker Engine"], marks["Compose"], marks["Buildx"]} == {"ok"}
    assert said.returncode == ("STOP" in marks.values())
    assert images.here(named) == before


def test_of_an_engine_that_is_silent_the_remedy_is_told(tmp_path: Path) -> None:
    said = prepare("--doctor", PORT="0", DOCKER_HOST=f"unix://{tmp_path}/no.sock")
    assert (said.returncode, said.stderr) == (1, "")
    assert "\nSTOP  Docker Engine            no answer\n" in said.stdout
    assert "Start that engine, or type: unset DOCKER_HOST\n" in said.stdout
    assert said.stdout.endswith("\n\nIn the way of a lesson: 1.\n")


def test_a_machine_without_docker_is_told_once_where_to_get_it(tmp_path: Path) -> None:
    said = prepare("--doctor", PORT="0", PATH=str(tmp_path))
    assert (said.returncode, said.stderr) == (1, "")
    assert said.stdout.count("Install and start it as https://docs.docker.com/") == 1
    assert said.stdout.endswith("\n\nIn the way of a lesson: 3.\n")


def test_a_port_that_another_program_has_stops_a_lesson() -> None:
    with socket.create_server(("0.0.0.0", 0)) as other:
        port = other.getsockname()[1]
        said = prepare("--doctor", PORT=str(port))
    assert said.returncode == 1
    assert f"taken by another program\n{'':31}→ put PORT=8010 in front of" in said.stdout


def test_a_port_that_a_container_has_is_told_with_its_folder(
    project: Callable[..., engine.Project],
) -> None:
    server = project(Dockerfile='FROM python:3.13\nCMD ["python", "-m", "http.server", "8000"]\n')
    server.build()
    server.start()
    condition = doctor.taken(server.port)
    assert condition.state == f"taken by {server.name} in {server.folder}"
    assert condition.mend.startswith("put PORT=8010 in front of ")
    assert condition.stops
    assert doctor.taken(server.port, [server.folder.with_name("another")]).stops
    assert not doctor.taken(server.port, [server.folder]).stops
    assert f" is taken by {server.name} in {server.folder}. " in engine.port_taken(server.port)


def test_make_down_is_the_remedy_for_a_port_that_a_lesson_of_this_clone_has() -> None:
    ours, theirs = (Owner("x", folder) for folder in (ROOT / "step-1", ROOT.parent / "step-1"))
    assert port.way_out(8000, ours) == f"type make down, or {port.way_out(8000, theirs)}"
    assert port.way_out(8010, None) == "put PORT=8020 in front of the command"


def test_a_package_index_that_does_not_answer_stops_a_lesson(
    project: Callable[..., engine.Project],
) -> None:
    deaf = project(Dockerfile="FROM python:3.13\nENV PIP_INDEX_URL=http://127.0.0.1:9/simple\n")
    deaf.build()
    seen = doctor.probe(deaf.image)
    assert (seen.index, seen.disk is None) == ("none", False)
    assert doctor.index(seen, deaf.image, "make test").stops


def test_a_package_index_that_answers_stops_nothing(
    project: Callable[..., engine.Project],
) -> None:
    heard = project(
        Dockerfile="FROM python:3.13\n"
        "RUN pip download --no-deps --dest /index iniconfig==2.3.0\n"
        "ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/index POETRY_PYPI_MIRROR_URL=somewhere\n"
    )
    heard.build()
    assert doctor.probe(heard.image).index == "both"


@pytest.mark.parametrize(
    ("condition", "mark", "mend"),
    [
        (doctor.disk(doctor.Seen(disk=3 * 10**9)), "STOP", "docker system df, and remove"),
        (doctor.disk(doctor.Seen(disk=5 * 10**9)), "ok", ""),
        (doctor.disk(doctor.Seen()), "ok", ""),
        (doctor.memory(doctor.Seen(memory=10**8)), "STOP", "end other programs"),
        (doctor.index(doctor.Seen(index="pip"), "python:3.13", ""), "STOP", "use a network"),
        (doctor.index(doctor.Seen(), "", "make test"), "note", "make test"),
        (doctor.base_image("a:1", None, False, "make test"), "STOP", "make test, which makes a"),
        (doctor.base_image("a:1", None, True, "make test"), "note", "make test, which pulls it"),
        (doctor.base_image("a:1", Local(stand_in=False, outdated=False), False, ""), "ok", ""),
        (
            doctor.base_image("a:1", Local(stand_in=True, outdated=False), True, "make test"),
            "note",
            "make clean removes it; the registry is asked for the original at the next make test",
        ),
        (doctor.base_image("a:1", Local(stand_in=True, outdated=True), True, "x"), "note", "x"),
    ],
)
def test_a_condition_says_what_mends_it(condition: doctor.Condition, mark: str, mend: str) -> None:
    assert str(condition).split()[0] == mark
    assert condition.mend.startswith(mend)
    assert bool(condition.mend) is bool(mend)


@pytest.mark.parametrize(
    ("said", "answers"),
    [
        ('Get "https://r/v2/": dial tcp: lookup r on 127.0.0.1:53: no such host', False),
        ('Get "https://r/v2/": net/http: request canceled while waiting for connection', False),
        ("docker did not end within 6 s", False),
        ("pull access denied for x, repository does not exist or may require 'docker login'", True),
        ("manifest for x:latest not found: manifest unknown: manifest unknown", True),
    ],
)
def test_a_registry_answers_when_it_says_that_it_has_no_such_image(
    said: str, answers: bool
) -> None:
    assert images.refused(said) is answers
