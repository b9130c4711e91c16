"""What the tests of lessons with the guest book share: talking to it."""

from __future__ import annotations

import httpx

from series import engine
from tests.console import Command, run


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
