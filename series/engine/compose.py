"""A compose file, and what Compose understands."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from python_on_whales import DockerClient

from series.engine.client import EngineError, translated
from series.prepare.owner import namesake

# How Compose marks what it makes: https://docs.docker.com/reference/compose-file/services/#labels
PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"

# https://docs.docker.com/reference/compose-file/version-and-name/#name-top-level-element
_NAME = re.compile(r"^name: *(\S+)", re.MULTILINE)


class ComposeFile:
    """A compose file, and one of its services as Compose understands it.

    Args:
        folder: where the compose file is.
        name: Compose's name for it; by default the one that it gives to `docker compose up` in the
            folder, https://docs.docker.com/compose/how-tos/project-name/
        service: the service that answers.
        override: a second compose file, whose settings win.
        file: the name of the first one.
    """

    def __init__(
        self,
        folder: Path,
        name: str = "",
        service: str = "web",
        override: Path | None = None,
        file: str = "compose.yaml",
    ) -> None:
        self.folder = folder
        self.service = service
        self._files = [folder / file, *([override] if override else [])]
        self.name = name or os.environ.get("COMPOSE_PROJECT_NAME") or self._name_by_default()
        self._client = DockerClient(compose_files=self._files, compose_project_name=self.name)
        self._label = ("label", f"{PROJECT}={self.name}")
        self._understood: tuple[object, dict[str, Any]] = (None, {})

    def _name_by_default(self) -> str:
        file = self._files[0]
        said = _NAME.search(file.read_text("utf-8")) if file.is_file() else None
        return said[1] if said else self.folder.name

    @property
    def namesake(self) -> Path | None:
        """Another folder that has containers, running or not, under the same name; or None.

        Compose takes both for one project, and replaces the containers of one by the other's.
        """
        return namesake(self.name, self.folder)

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which `docker compose` means this project."""
        # https://docs.docker.com/compose/how-tos/environment-variables/envvars/
        files = os.pathsep.join(map(str, self._files))
        return {"COMPOSE_FILE": files, "COMPOSE_PROJECT_NAME": self.name}

    def _settings(self) -> dict[str, Any]:
        """The service as Compose understands it, defaults and variables filled in.

        Compose is asked again when its files, or a variable that they name, have changed.
        """
        files = [*self._files, self.folder / ".env"]
        texts = [file.read_text("utf-8") if file.is_file() else "" for file in files]
        named = {name for text in texts for name in re.findall(r"\w+", text)} & {*os.environ}
        now = (texts, {name: os.environ[name] for name in named})
        if self._understood[0] != now:
            with translated():
                self._understood = (now, self._client.compose.config(return_json=True))
        settings = self._understood[1]["services"]
        if self.service not in settings:
            raise EngineError(f"{self._files[0]} has no service named {self.service}.")
        return settings[self.service]

    @property
    def build_arguments(self) -> dict[str, str]:
        """The arguments that the compose file gives to the service's build, by their names."""
        given = self._settings().get("build", {}).get("args") or {}
        return {name: str(value) for name, value in given.items() if value is not None}

    @property
    def build_secrets(self) -> dict[str, str | None]:
        """What the secrets of the service's build say, by their ids; None where there is nothing.

        https://docs.docker.com/reference/compose-file/build/#secrets
        """
        wanted = self._settings().get("build", {}).get("secrets") or []
        sources = self._understood[1].get("secrets", {})
        return {one.get("target", one["source"]): _said(sources[one["source"]]) for one in wanted}

    @property
    def dockerfile(self) -> Path:
        """The Dockerfile that the service's image is built from."""
        build = self._settings().get("build", {})
        if not build or "dockerfile_inline" in build:
            raise EngineError(f"{self._files[0]} names no Dockerfile.")
        return Path(build["context"]) / build["dockerfile"]

    @property
    def image(self) -> str:
        """The name of the image that is built."""
        return self._settings().get("image") or f"{self.name}-{self.service}"

    @property
    def published(self) -> int | None:
        """The port inside the container that is reached from this machine; None if none is."""
        ports = self._settings().get("ports")
        return int(ports[0]["target"]) if ports else None

    @property
    def mounted(self) -> list[str]:
        """The paths in the container that are mounted: volumes, binds, and what lies in memory."""
        settings = self._settings()
        memory = settings.get("tmpfs") or []
        # Behind a colon stand options: https://docs.docker.com/reference/compose-file/services/#tmpfs
        paths = [path.partition(":")[0] for path in memory]
        return [*paths, *(volume["target"] for volume in settings.get("volumes", []))]

    @property
    def deployed(self) -> bool:
        """Whether limits stand below `deploy`; Compose accepts no different ones beside them."""
        # https://docs.docker.com/reference/compose-file/deploy/#resources
        return "limits" in self._settings().get("deploy", {}).get("resources", {})


def _said(secret: dict[str, str]) -> str | None:
    """What a secret says.

    https://docs.docker.com/reference/compose-file/secrets/
    """
    if "environment" in secret:
        return os.environ.get(secret["environment"]) or None
    file = Path(secret.get("file", ""))
    return file.read_text("utf-8", errors="replace") if file.is_file() else None
