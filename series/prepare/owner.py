"""Whose containers there are: Compose takes folders that are called alike for one project.

https://docs.docker.com/compose/how-tos/project-name/
"""

import os
from dataclasses import dataclass
from pathlib import Path

from series.prepare.programs import run

# https://docs.docker.com/reference/compose-file/services/#labels
_PROJECT = "com.docker.compose.project"
_FORM = f'{{{{.Label "{_PROJECT}"}}}}\t{{{{.Label "{_PROJECT}.working_dir"}}}}'


@dataclass(frozen=True)
class Owner:
    """Whose a container is.

    Attributes:
        project: its Compose project.
        folder: the folder of that project's compose file.
    """

    project: str
    folder: Path

    def __str__(self) -> str:
        return f"{self.project} in {self.folder}"


def of_port(port: int) -> Owner | None:
    """Return whose container has this port of this machine; None where none of Compose's has."""
    return next(iter(_owners("--filter", f"publish={port}")), None)


def project_of(folder: Path) -> str:
    """Return Compose's name for a lesson."""
    return os.environ.get("COMPOSE_PROJECT_NAME") or folder.name


def namesake(project: str, folder: Path) -> Path | None:
    """Return another folder that has containers, running or not, under the same name; or None.

    Args:
        project: the name of a Compose project.
        folder: its folder.
    """
    owners = _owners("--all", "--filter", f"label={_PROJECT}={project}")
    return next((owner.folder for owner in owners if owner.folder != folder.resolve()), None)


def way_out(project: str) -> str:
    """Return what to do about a namesake of a project."""
    name = f"export COMPOSE_PROJECT_NAME={project}-2"
    return f"type {name} and the same command again, or docker compose -p {project} down"


def _owners(*filters: str) -> list[Owner]:
    told = run("docker", "ps", *filters, "--format", _FORM, seconds=6)
    lines = [line.split("\t") for line in told.output.splitlines()] if told.ok else []
    return [Owner(project, Path(folder).resolve()) for project, folder in lines if project]
