"""What is left over: what a project, or a test run that was killed, has left behind."""

from __future__ import annotations

import re
import uuid
from typing import Any

from python_on_whales import DockerClient

from series.engine.client import EngineError, translated
from series.engine.compose import PROJECT

_TEST_PROJECT = re.compile(r".+-test-[0-9a-f]{8}")


def leftovers(project: str = "") -> list[str]:
    """Return what a test run left behind: "container NAME", or network, volume, image.

    Args:
        project: one Compose project; without it, all that are named by `test_name`.
    """
    return [f"{kind} {thing}" for kind, thing, _ in _left(project)]


def remove_leftovers(project: str = "") -> list[str]:
    """Remove what `leftovers` finds for the same argument, and return it."""
    client = DockerClient()
    found = _left(project)
    for kind, how in _REMOVED.items():
        if identities := [identity for one, _, identity in found if one == kind]:
            with translated():
                getattr(client, kind).remove(identities, **how)
    return [f"{kind} {name}" for kind, name, _ in found]


# What is removed first, and how.
_REMOVED = {
    "container": {"force": True, "volumes": True},
    "network": {},
    "volume": {},
    "image": {"force": True},
}


def _left(project: str = "") -> list[tuple[str, str, str]]:
    client = DockerClient()
    label = [("label", f"{PROJECT}={project}" if project else PROJECT)]
    with translated():
        things = {
            "container": client.container.list(all=True, filters=label),
            "network": client.network.list(filters=label),
            "volume": client.volume.list(filters=label),
            # One with two names is listed twice.
            "image": {image.id: image for image in client.image.list(filters=label)}.values(),
        }
    found = []
    for kind, group in things.items():
        for thing in group:
            try:
                with translated():
                    name, identity, labels = _identified(kind, thing)
            except EngineError as refused:
                # Other projects come and go meanwhile.
                if re.search("no such|not found", str(refused), re.IGNORECASE) and not project:
                    continue
                raise
            if project or _TEST_PROJECT.fullmatch(labels[PROJECT]):
                found.append((kind, name, identity))
    return found


def _identified(kind: str, thing: Any) -> tuple[str, str, dict[str, str]]:  # noqa: ANN401
    """The name of a container, network, volume or image, its identity, and its labels."""
    match kind:
        case "container":
            return thing.name, thing.id, thing.config.labels
        case "network":
            return thing.name, thing.id, thing.labels
        case "volume":
            return thing.name, thing.name, thing.labels
    return thing.id.removeprefix("sha256:")[:12], thing.id, thing.config.labels


def test_name(folder: str) -> str:
    """Return a Compose project name for a test of a lesson, which nobody else has."""
    return f"{folder}-test-{uuid.uuid4().hex[:8]}"
