import os
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from final_result.database import connect
from final_result.main import app


def start_over() -> None:
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE messages")


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    """The application with a database of its own, so that your guest book stays as it is."""
    os.environ["PGDATABASE"] = "tests"
    start_over()
    yield TestClient(app)
    start_over()
