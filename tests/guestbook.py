"""What the tests of lessons with the guest book share: talking to it, its password, its rights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from series import engine
from series.contract import Subject
from series.measuring.stops import service, sql
from tests.console import Command, commands, run

EXTRA_1 = Path(__file__).parents[1] / "extra-1-compiling-dependencies" / "README.md"
SERVICES = ("web", "setup", "db")

# What an attacker tries who has taken over the application, and what PostgreSQL says to that.
FORBIDDEN = {
    "COPY messages (text) FROM PROGRAM 'id'": "permission denied to COPY to or from an external",
    "SELECT pg_read_file('/etc/passwd')": "permission denied for function pg_read_file",
    "CREATE ROLE other": "permission denied to create role",
    "CREATE DATABASE other": "permission denied to create database",
    "CREATE SCHEMA other": "permission denied for database guestbook",
    "CREATE EXTENSION file_fdw": "permission denied to create extension",
    "ALTER USER guestbook SUPERUSER": "permission denied to alter role",
    "DROP DATABASE tests": "must be owner of database tests",
}
# In the server's container: connects as the user that is named, with the application's password.
_ASK = """
import pathlib, sys, psycopg2
user, statement = sys.argv[1:]
password = pathlib.Path("/run/secrets/password").read_text(encoding="utf-8").rstrip("\\n")
try:
    connection = psycopg2.connect(user=user, dbname="guestbook", password=password)
    connection.autocommit = True
    connection.cursor().execute(statement)
except psycopg2.Error as refused:
    print(refused)
"""


def talk_to(project: engine.Project) -> httpx.Client:
    """Return what sends requests to the guest book, each over a connection of its own.

    One that is kept open is closed by the server after some seconds, perhaps while it is used.
    """
    return httpx.Client(
        base_url=f"http://127.0.0.1:{project.port}",
        timeout=30,
        trust_env=False,
        limits=httpx.Limits(max_keepalive_connections=0),
    )


def write(client: httpx.Client, text: str, author: str = "Ada") -> httpx.Response:
    """Write a message into the guest book."""
    return client.post("/messages", json={"author": author, "text": text})


def compose(project: engine.Project, words: str) -> str:
    """Type a command of Compose, and return what it prints."""
    return run(Command(f"docker compose {words}", []), project.folder, project.environment)


@contextmanager
def started(folder: Path) -> Iterator[engine.Project]:
    """Start a guest book in a copy of its folder: one with a password of its own."""
    with Subject(folder) as subject:
        assert subject.built
        subject.project.start()
        subject.project.wait_for_answer("/messages")
        yield subject.project


def password(book: engine.Project) -> str:
    """Return the password as the database sees it."""
    return service(book, "db").execute("cat", "/run/secrets/password").removesuffix("\n")


def where_it_stands(book: engine.Project, secret: str) -> list[str]:
    """Say in which of the places that others may look at a password stands."""
    found = []
    for name in SERVICES:
        container = service(book, name).container
        assert container
        places = {
            "docker inspect": run(Command(f"docker inspect {container.id}", []), book.folder, {}),
            "the image": run(Command(f"docker inspect {container.image}", []), book.folder, {}),
            "the log": service(book, name).log,
        }
        if container.state.running:
            read = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n'"
            places["its processes"] = service(book, name).execute("sh", "-c", read)
        assert all(places[place] for place in places if place != "the log")
        found += [f"{place} of {name}" for place, text in places.items() if secret in text]
    return found


def assert_a_random_password_stays_in_its_volume(folder: Path) -> None:
    """A password that nobody chose: nowhere else, kept by down, another one after the volumes."""
    with started(folder) as book:
        first = password(book)
        assert len(first) >= 32
        assert where_it_stands(book, first) == []
        mounts = [mount for name in SERVICES for mount in service(book, name).container.mounts]
        assert {mount.name for mount in mounts if mount.type == "volume"} == {*book.volumes}
        book.down()
        book.start()
        book.wait_for_answer("/messages")
        assert password(book) == first
        compose(book, "down --volumes")
        assert [thing for thing in engine.leftovers(book.name) if "volume" in thing] == []
        book.start()
        book.wait_for_answer("/messages")
        assert password(book) not in ("", first)


def assert_the_password_changes_as_shown(book: engine.Project) -> None:
    """What extra 1 shows: read it, change it, and lose nothing."""
    shown = commands(EXTRA_1, "What changed?")
    with talk_to(book) as client:
        known = write(client, "before the change").json()
    [read, *change] = shown
    before = run(read, book.folder, book.environment)
    for command in change:
        assert {*command.shown} <= {*run(command, book.folder, book.environment).splitlines()}
    own = (book.folder / ".secrets" / "password").read_text("utf-8")
    assert run(read, book.folder, book.environment) == own != before
    # First over connections of before, then from a server that starts now.
    for after in ("ps", "restart web"):
        compose(book, after)
        book.wait_for_answer("/messages")
        with talk_to(book) as client:
            assert client.get("/messages").json()[0] == known


def assert_it_may_use_its_tables_and_nothing_else(book: engine.Project) -> None:
    """The application's user owns its tables, and the superuser cannot be reached from there."""
    for statement, refusal in FORBIDDEN.items():
        assert refusal in book.execute("python", "-c", _ASK, "guestbook", statement), statement
    refused = book.execute("python", "-c", _ASK, "postgres", "SELECT 1")
    assert 'password authentication failed for user "postgres"' in refused
    owned = """
        SELECT DISTINCT classid::regclass FROM pg_shdepend
        WHERE refobjid = 'guestbook'::regrole AND deptype = 'o'
    """
    assert sql(book, owned).splitlines() == ["pg_class"]
