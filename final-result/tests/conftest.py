import os
from collections.abc import Iterator

import psycopg2
import pytest
from fastapi.testclient import TestClient

from final_result.database import PASSWORD
from final_result.main import app


def on_server(statement: str) -> None:
    connection = psycopg2.connect(dbname="postgres", password=PASSWORD.read_text().strip())
    # PostgreSQL makes no database within a transaction.
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    """The application with a database of its own, so that your guest book stays as it is."""
    on_server("DROP DATABASE IF EXISTS tests WITH (FORCE)")
    on_server("CREATE DATABASE tests")
    os.environ["PGDATABASE"] = "tests"
    yield TestClient(app)
    on_server("DROP DATABASE tests WITH (FORCE)")
