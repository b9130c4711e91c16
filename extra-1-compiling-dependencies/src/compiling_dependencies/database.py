"""Connections to PostgreSQL, which may be away for a while.

libpq reads its address and the user's name from the environment: PGHOST, PGUSER
(https://www.postgresql.org/docs/17/libpq-envars.html). The password is in a file, because whoever
may inspect the container sees its environment, and every program that it starts inherits it.
"""

import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from queue import Empty, LifoQueue

import psycopg2
from psycopg2 import extensions
from psycopg2.extras import RealDictCursor

CONNECTIONS = 5  # for each worker; PostgreSQL allows 100 in all
PATIENCE = 3  # seconds for a request, however often it has to wait

PASSWORD = Path("/run/secrets/password")
SCHEMA = resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")


class Away(Exception):
    """The database cannot be asked at the moment."""


class Request(threading.local):
    """What the request that a thread is busy with may take."""

    deadline: float | None = None  # as time.monotonic() counts; None: as long as it must


request = Request()


class Pool:
    """A few connections, lent to one request after the other."""

    def __init__(self) -> None:
        self._free: LifoQueue[extensions.connection | None] = LifoQueue()
        for _ in range(CONNECTIONS):
            self._free.put(None)  # opened when it is needed

    @contextmanager
    def transaction(self) -> Iterator[RealDictCursor]:
        """Lend a cursor: what is done with it is saved as a whole, or not at all."""
        request.deadline = time.monotonic() + PATIENCE
        try:
            connection = self._free.get(timeout=PATIENCE)
        except Empty:
            raise Away("all connections are in use") from None
        try:
            if connection is None or not lives(connection):
                connection = connect()
            with connection, connection.cursor() as cursor:
                yield cursor
        except (psycopg2.OperationalError, psycopg2.InterfaceError, OSError) as error:
            raise Away(" ".join(str(error).split())) from error
        finally:
            self._free.put(connection)


def lives(connection: extensions.connection) -> bool:
    """Tell whether the database still knows a connection."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except psycopg2.Error:
        connection.close()
        return False
    return True


def connect() -> extensions.connection:
    """Open a connection, and make sure that the table is there."""
    connection = psycopg2.connect(
        password=PASSWORD.read_text(encoding="utf-8").rstrip("\n"),
        cursor_factory=RealDictCursor,
        # The database stops what nobody waits for any more.
        options=f"-c statement_timeout={PATIENCE}s",
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(SCHEMA)
    return connection


def wait(connection: extensions.connection) -> None:
    """Wait for the database like psycopg2 itself, but no longer than until the deadline.

    https://www.psycopg.org/docs/advanced.html#support-for-coroutine-libraries
    """
    while (state := connection.poll()) != extensions.POLL_OK:
        reading = [connection] if state == extensions.POLL_READ else []
        writing = [connection] if state == extensions.POLL_WRITE else []
        left = request.deadline and max(0, request.deadline - time.monotonic())
        if not any(select.select(reading, writing, [], left)):
            raise psycopg2.OperationalError("no answer in time")


extensions.set_wait_callback(wait)
