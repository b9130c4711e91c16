from fastapi.testclient import TestClient

from the_same_image_twice.main import app


def test_the_root_answers_with_the_variant() -> None:
    response = TestClient(app).get("/")

    assert response.status_code == 200
    assert response.json() == {"variant": "the-same-image-twice"}
