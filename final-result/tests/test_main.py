import pytest
from fastapi.testclient import TestClient

VALID = {"author": "Ada", "text": "I was here."}


def test_the_root_answers_with_the_variant(client: TestClient) -> None:
    response = client.get("/")

    assert response.status_code == 200
    assert response.json() == {"variant": "final-result"}


def test_what_is_written_can_be_read_newest_first(client: TestClient) -> None:
    first = client.post("/messages", json=VALID)
    second = client.post("/messages", json={"author": " Zoë ", "text": "'); DROP TABLE messages;"})

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json()["author"] == "Zoë"
    assert client.get("/messages?limit=2").json() == [second.json(), first.json()]
    page = {"before": second.json()["id"], "limit": 1}
    assert client.get("/messages", params=page).json() == [first.json()]


@pytest.mark.parametrize("author", ["", "  ", "x" * 81, "a\0b", None, 1])
def test_an_author_that_cannot_be_one_is_refused(client: TestClient, author: object) -> None:
    response = client.post("/messages", json={**VALID, "author": author})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "author"]


@pytest.mark.parametrize("body", [b'{"author": NaN}', b'{"author": "\\ud800"}', b"{", b"[]"])
def test_a_body_that_is_no_message_is_refused(client: TestClient, body: bytes) -> None:
    response = client.post("/messages", content=body, headers={"content-type": "application/json"})

    assert response.status_code == 422


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "before=0", f"before={2**63}"]
)
def test_a_page_that_cannot_be_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/messages?{query}").status_code == 422
