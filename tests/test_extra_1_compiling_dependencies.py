"""What the README of extra 1 says beyond what the contract sees."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import shutil
import tomllib
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from series import engine
from series.contract import RULES, Subject, Verdict
from series.lessons import Lesson, get
from series.measuring.stops import locked, service, sql
from series.readmes import declared
from tests.console import commands, run
from tests.guestbook import (
    assert_a_random_password_stays_in_its_volume,
    assert_it_may_use_its_tables_and_nothing_else,
    assert_the_password_changes_as_shown,
    compose,
    password,
    started,
    talk_to,
    where_it_stands,
    write,
)

EXTRA_1 = get("extra-1-compiling-dependencies")
README = (EXTRA_1.path / "README.md").read_text(encoding="utf-8")
CONSTRAINTS = (EXTRA_1.path / "build-constraints.txt").read_text(encoding="utf-8")

# What has a meaning in a URL, in SQL, in a compose file or in a shell.
PASSWORD = """ p@ss:w/o?r#d&%2F=$HOME "\\ ;--é"""
AWAY = {"detail": "The database does not answer. Try again in a few seconds."}

COMPILER = re.compile(r"# hadolint ignore=DL3008\nRUN apt-get update .*?gcc.*?/lists/\*\n", re.S)
LOADED = """
import importlib.metadata, psycopg2
print(*sorted({line.split()[-1] for line in open("/proc/self/maps") if "libpq" in line}))
print(*{d.name for d in importlib.metadata.distributions() if "psycopg" in d.name})
"""


@pytest.fixture(scope="module")
def book() -> Iterator[engine.Project]:
    """The guest book, with a password that has it all."""
    with Subject(EXTRA_1.path) as subject:
        (subject.folder / ".env").write_text(f"POSTGRES_PASSWORD='{PASSWORD}'\n", encoding="utf-8")
        assert subject.built
        subject.project.start()
        subject.project.wait_for_answer("/messages")
        yield subject.project


@pytest.fixture
def client(book: engine.Project) -> Iterator[httpx.Client]:
    """Talks to the guest book."""
    with talk_to(book) as client:
        yield client


# --- the guest book ------------------------------------------------------------------------------


def test_the_first_message_is_accepted_and_the_newest_is_read_first(client: httpx.Client) -> None:
    answers = [write(client, text) for text in ("one", "two", "three")]
    assert [answer.status_code for answer in answers] == [201] * 3
    newest = client.get("/messages", params={"limit": 2}).json()
    assert newest == [answers[2].json(), answers[1].json()]
    page = {"before": newest[-1]["id"], "limit": 1}
    assert client.get("/messages", params=page).json() == [answers[0].json()]


def test_what_looks_like_sql_is_text(client: httpx.Client) -> None:
    hostile = ["'); DROP TABLE messages; --", "%s", "%(author)s", "\\", '"', "$1", "{}"]
    answers = [write(client, text, author=text) for text in hostile]
    assert [answer.status_code for answer in answers] == [201] * len(hostile)
    newest = client.get("/messages", params={"limit": len(hostile)}).json()
    assert [(one["author"], one["text"]) for one in reversed(newest)] == [(t, t) for t in hostile]


def malformed() -> Iterator[tuple[str, str, bytes]]:
    """Requests that are wrong in one way at least: method, path, body."""
    injections = [
        "1; DROP TABLE messages",
        "1' OR '1'='1",
        "1 UNION SELECT 1,2,3,now()",
        "pg_sleep(9)",
    ]
    numbers = [
        "",
        "x",
        "0",
        "-1",
        "1.5",
        "1e9",
        "NaN",
        "9" * 40,
        "%00",
        "%FF%FE",
        "%F0%9F%98%80",
        "[]",
    ]
    for name, value in itertools.product(("limit", "before"), [*numbers, *injections]):
        yield "GET", f"/messages?{name}={value.replace(' ', '%20').replace(';', '%3B')}", b""
    wrong = [
        *(
            b"null",
            b"true",
            b"7",
            b"1e999",
            b"NaN",
            b"-Infinity",
            b"[]",
            b"{}",
            b'["a"]',
            b'{"a": 1}',
        ),
        *(
            b'""',
            b'" \\t\\n"',
            b'"a\\u0000b"',
            b'"\\ud800"',
            b'"\\udc00x"',
            b'"\\uZZZZ"',
            b'"\\x41"',
        ),
        *(
            b'"\xff"',
            b'"\xc3("',
            b'"\xed\xa0\x80"',
            b'"\x00"',
            b'"\n"',
            b"'a'",
            b'"a',
            b"a",
            b"9" * 5000,
        ),
        *(b'"%s"' % (word.encode() * 300) for word in injections),
        *(b'"%s"' % (b"x" * length) for length in (1001, 100_000, 2_000_000)),
        *('"' + "é" * 1001 + '"', '"' + "😀" * 1001 + '"', '"' + "\\u0061" * 1001 + '"'),
    ]
    good = b'"I was here."'
    for value in wrong:
        value = value.encode() if isinstance(value, str) else value
        for author, text in ((value, good), (good, value), (value, value)):
            yield "POST", "/messages", b'{"author": %s, "text": %s}' % (author, text)
        yield "POST", "/messages", value
        yield "POST", "/messages", b'{"author": "a", "text": "b", %s: 1,}' % value
        yield "POST", "/messages", b'{"author": "a", "text": "b"} %s' % value
    valid = '{"author": "a", "text": "b"}'
    for encoding in ("utf-16", "utf-32", "utf-16-le", "cp037"):
        yield "POST", "/messages", valid.encode(encoding) + b"\xff"
    for depth in (100, 100_000):
        yield "POST", "/messages", b"[" * depth
        yield "POST", "/messages", b'{"a":' * depth
    for cut in range(len(valid)):
        yield "POST", "/messages", valid[:cut].encode()
        yield "POST", "/messages", valid[cut + 1 :].encode()
    for method, path in (
        ("PUT", "/messages"),
        ("DELETE", "/messages"),
        ("POST", "/"),
        ("GET", "/%FF"),
    ):
        yield method, path, b""


@pytest.mark.deep
def test_hundreds_of_malformed_requests_are_refused_and_leave_nothing(
    book: engine.Project, client: httpx.Client
) -> None:
    assert write(client, "before").status_code == 201
    before = sql(book, "SELECT count(*), max(id) FROM messages")
    requests = [*malformed()]
    assert len(requests) > 300
    for method, path, body in requests:
        headers = {"content-type": "application/json"}
        answer = client.request(method, path, content=body, headers=headers)
        assert 400 <= answer.status_code < 500, (answer.status_code, method, path, body[:200])
        assert json.loads(answer.content)["detail"]
    assert sql(book, "SELECT count(*), max(id) FROM messages") == before
    assert sql(book, "SELECT last_value FROM messages_id_seq") == before.partition("|")[2]
    assert write(client, "still here").status_code == 201


@pytest.mark.deep
def test_workers_that_start_at_the_same_time_make_the_table_once(
    book: engine.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql(book, "DROP TABLE messages")
    monkeypatch.setenv("WEB_CONCURRENCY", "8")
    book.start()
    book.wait_for_answer()
    errors = service(book, "db").log.count("ERROR:")
    with ThreadPoolExecutor(32) as many, talk_to(book) as client:
        answers = [*many.map(lambda number: write(client, f"{number}"), range(64))]
    assert {answer.status_code for answer in answers} == {201}
    assert sql(book, "SELECT count(DISTINCT text) FROM messages") == "64"
    assert service(book, "db").log.count("ERROR:") == errors


# --- the database goes away ----------------------------------------------------------------------


def test_while_the_database_is_away_it_says_so_and_then_recovers_by_itself(
    book: engine.Project, client: httpx.Client
) -> None:
    def read_over_all_connections() -> list[int]:
        with ThreadPoolExecutor(16) as many:
            return [*many.map(lambda _: client.get("/messages").status_code, range(32))]

    known = write(client, "before").json()
    assert {*read_over_all_connections()} == {200}
    server = book.container.id
    compose(book, "stop db")
    away = write(client, "meanwhile")
    assert (away.status_code, away.json()) == (503, AWAY)
    assert away.headers["retry-after"] == "5"
    assert client.get("/").status_code == 200
    compose(book, "up --detach --wait db")
    # Most connections have not been used since, and are broken.
    assert {*read_over_all_connections()} == {200}
    assert client.get("/messages").json()[0] == known
    assert write(client, "after").status_code == 201
    assert (book.container.id, book.container.state.running) == (server, True)


@pytest.mark.deep
def test_a_database_that_hangs_is_not_waited_for_for_ever(
    book: engine.Project, client: httpx.Client
) -> None:
    assert write(client, "before").status_code == 201
    compose(book, "pause db")
    try:
        # More than there are connections.
        with ThreadPoolExecutor(48) as many:
            answers = [*many.map(lambda _: write(client, "meanwhile"), range(48))]
    finally:
        compose(book, "unpause db")
    assert {answer.status_code for answer in answers} == {503}
    assert "The database does not answer: no answer in time\n" in book.log
    assert write(client, "after").status_code == 201


@pytest.mark.deep
def test_the_database_does_not_go_on_with_what_nobody_waits_for(
    book: engine.Project, client: httpx.Client
) -> None:
    with locked(book):
        assert write(client, "meanwhile").status_code == 503
        cancelled = "canceling statement due to statement timeout"
        log = service(book, "db").wait_for_log(lambda log: cancelled in log, 30)
    assert cancelled in log
    assert write(client, "after").status_code == 201


def test_the_data_survives_down_and_up(book: engine.Project) -> None:
    with talk_to(book) as client:
        known = write(client, "kept").json()
    book.down()
    assert not book.remains
    book.start()
    book.wait_for_answer()
    with talk_to(book) as client:
        assert client.get("/messages").json()[0] == known


# --- the password, and what the application may do ------------------------------------------------


def test_a_random_password_stays_in_its_volume() -> None:
    assert_a_random_password_stays_in_its_volume(EXTRA_1.path)


def test_a_password_from_a_variable_is_used_and_stands_in_the_environment_of_setup(
    book: engine.Project,
) -> None:
    assert password(book) == PASSWORD
    # As JSON shows it
    assert where_it_stands(book, json.dumps(PASSWORD, ensure_ascii=False)[1:-1]) == [
        "docker inspect of setup"
    ]


def test_the_password_changes_as_the_readme_shows_and_no_message_is_lost() -> None:
    with started(EXTRA_1.path) as book:
        assert_the_password_changes_as_shown(book)


def test_the_application_may_use_its_tables_and_nothing_else(book: engine.Project) -> None:
    assert_it_may_use_its_tables_and_nothing_else(book)


# --- the compose file ----------------------------------------------------------------------------


def test_the_server_is_started_when_the_database_is_healthy(book: engine.Project) -> None:
    book.down()
    book.start()
    started = book.container.state.started_at
    probes = service(book, "db").container.state.health.log
    assert min(probe.end for probe in probes if probe.exit_code == 0) <= started


def test_while_the_first_start_prepares_the_database_is_not_healthy(
    book: engine.Project, project: Callable[..., engine.Project]
) -> None:
    services = json.loads(compose(book, "config --format json"))["services"]
    check = services["db"]["healthcheck"]["test"][1:]
    on_the_socket = [word for word in check if word != "--host=127.0.0.1"]
    assert len(on_the_socket) == len(check) - 1
    probe = f"{shlex.join(check)} || true\n{shlex.join(on_the_socket)}\n"
    settings = "{image: 'postgres:17', environment: {POSTGRES_PASSWORD: any}}"
    small = project(**{"compose.yaml": f"services: {{web: {settings}}}"})
    small.start({"/docker-entrypoint-initdb.d/probe.sh": probe})
    log = small.wait_for_log(lambda log: "ready for start up" in log, 60)
    assert "127.0.0.1:5432 - no response\n" in log
    assert "/var/run/postgresql:5432 - accepting connections\n" in log


# --- the driver ----------------------------------------------------------------------------------


def test_the_image_has_the_compiled_driver_and_the_library_of_the_system(
    book: engine.Project,
) -> None:
    libraries, installed = book.execute("python", "-c", LOADED).splitlines()
    assert re.fullmatch(r"/usr/lib/[^/]+/libpq\.so\.5\.\d+", libraries)
    assert installed == "psycopg2"


def test_the_tests_have_the_binary_driver_and_its_own_library(book: engine.Project) -> None:
    said = service(book, "tests").run("poetry", "run", "python", "-c", LOADED)
    libraries, installed = said.splitlines()[-2:]
    assert re.fullmatch(r"\S+/psycopg2_binary\.libs/libpq-\w+\.so\.5\.\d+", libraries)
    assert installed == "psycopg2-binary"


def test_the_lock_wants_each_driver_in_one_group_only() -> None:
    packages = tomllib.loads((EXTRA_1.path / "poetry.lock").read_text("utf-8"))["package"]
    groups = {package["name"]: package["groups"] for package in packages}
    assert groups["psycopg2"] == ["prod"]
    assert groups["psycopg2-binary"] == ["dev"]


def test_its_own_tests_and_linter_pass(book: engine.Project) -> None:
    shown = commands(EXTRA_1.path / "README.md", "Running the example")
    typed = [command for command in shown if command.line.startswith("docker compose run ")]
    assert len(typed) == 1
    for command in typed:
        said = run(command, book.folder, book.environment).splitlines()
        assert {*command.shown} <= {*said}
    said = service(book, "tests").run("poetry", "run", "ruff", "check")
    assert said.strip() == "All checks passed!"


@pytest.fixture
def compiling(project: Callable[..., engine.Project]) -> Callable[..., list[str]]:
    """Lets pip get ready to compile psycopg2 as the Dockerfile does, and says what it printed."""

    def compile_it(*, constraints: str = CONSTRAINTS, instead: str = "") -> list[str]:
        packages = tomllib.loads((EXTRA_1.path / "poetry.lock").read_text("utf-8"))["package"]
        [driver] = [package for package in packages if package["name"] == "psycopg2"]
        hashes = " ".join(f"--hash={file['hash']}" for file in driver["files"])
        dockerfile = (EXTRA_1.path / "Dockerfile").read_text("utf-8")
        shape = "^RUN (pip install .*) -r requirements.txt$"
        [command] = re.findall(shape, dockerfile, re.MULTILINE)
        option = "--build-constraint build-constraints.txt"
        assert option in command
        if instead:
            command = command.replace(option, instead)
        # The number is another one each time, so that nothing is taken from the build cache.
        run_it = f"RUN : {uuid.uuid4()}; {command} --dry-run --verbose -r list\n"
        files = {
            "Dockerfile": f"FROM python:3.13-trixie\nCOPY list build-constraints.txt ./\n{run_it}",
            "list": f"psycopg2=={driver['version']} {hashes}\n",
            "build-constraints.txt": constraints,
        }
        [*_, step] = project(**files).build()
        return step.output

    return compile_it


@pytest.mark.deep
@pytest.mark.parametrize("constraints", [CONSTRAINTS, "setuptools==80.9.0\n"])
def test_pip_compiles_with_the_setuptools_that_the_constraints_name(
    compiling: Callable[..., list[str]], constraints: str
) -> None:
    [version] = re.findall(r"^setuptools==(\S+)", constraints, re.MULTILINE)
    said = compiling(constraints=constraints)
    assert any(f"Downloading setuptools-{version}-" in line for line in said)


@pytest.mark.deep
def test_another_file_than_the_one_with_the_hash_is_refused(
    compiling: Callable[..., list[str]],
) -> None:
    spoiled = re.sub(r"sha256:\w{4}", "sha256:0000", CONSTRAINTS)
    with pytest.raises(engine.BuildError, match="DO NOT MATCH THE HASHES"):
        compiling(constraints=spoiled)


@pytest.mark.deep
def test_without_build_isolation_nothing_is_there_to_compile_with(
    compiling: Callable[..., list[str]],
) -> None:
    said = "Cannot import 'setuptools.build_meta'"
    assert said in README
    with pytest.raises(engine.BuildError, match=said):
        compiling(instead="--no-build-isolation")


def test_both_lessons_that_compile_do_it_with_the_same_setuptools() -> None:
    final = get("final-result").path / "build-constraints.txt"
    assert final.read_text("utf-8") == CONSTRAINTS


# --- slim ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def slim() -> Iterator[Subject]:
    """The lesson with slim.Dockerfile in the place of its Dockerfile."""
    with Subject(EXTRA_1.path) as subject:
        shutil.copy(subject.folder / "slim.Dockerfile", subject.folder / "Dockerfile")
        yield subject


@pytest.mark.deep
@pytest.mark.parametrize("rule", RULES)
def test_on_slim_the_verdicts_are_the_same_but_for_build_tools(slim: Subject, rule: str) -> None:
    expected = Verdict.KEPT if rule == "no-build-tools" else declared(EXTRA_1, rule)
    assert RULES[rule](slim).verdict is expected


@pytest.mark.deep
def test_on_slim_the_image_is_less_than_half_as_large(
    slim: Subject, subjects: Callable[[Lesson], Subject]
) -> None:
    assert slim.file_bytes < subjects(EXTRA_1).file_bytes / 2


@pytest.mark.deep
def test_on_slim_it_is_the_same_guest_book_with_the_compiled_driver() -> None:
    with Subject(EXTRA_1.path) as subject:
        assert subject.built
        project = subject.project
        compose(project, "up --build --detach --wait slim")
        said = compose(project, f"exec -T slim python -c '{LOADED}'")
        libraries, installed = said.splitlines()
        assert re.fullmatch(r"/usr/lib/[^/]+/libpq\.so\.5\.\d+", libraries)
        assert installed == "psycopg2"
        with httpx.Client(transport=httpx.HTTPTransport(retries=9), trust_env=False) as client:
            address = f"http://{compose(project, 'port slim 8000').strip()}/messages"
            message = {"author": "Ada", "text": "from slim"}
            assert client.post(address, json=message).status_code == 201
        compose(project, "--profile slim down")
        assert not project.remains


@pytest.mark.deep
def test_without_the_compiler_the_build_on_slim_fails_as_the_readme_says() -> None:
    [quoted] = re.findall(r"^```text\n(Error: .*?)^```", README, re.MULTILINE | re.DOTALL)
    with Subject(EXTRA_1.path) as subject:
        bare, count = COMPILER.subn("", (subject.folder / "slim.Dockerfile").read_text("utf-8"))
        assert count == 1
        (subject.folder / "Dockerfile").write_text(bare, encoding="utf-8")
        with pytest.raises(engine.BuildError) as failed:
            subject.project.build()
    said = [line.strip() for line in str(failed.value).splitlines()]
    lines = [line.strip() for line in quoted.splitlines() if line.strip() and line != "..."]
    assert "Error: pg_config executable not found." in lines
    assert [line for line in lines if line not in said] == []
