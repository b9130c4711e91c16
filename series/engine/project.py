"""A Compose project: all its services, its volumes and its passwords, from build to removal."""

from __future__ import annotations

import os
import re
import secrets
import stat
import tempfile
from contextlib import nullcontext
from pathlib import Path

from python_on_whales import DockerClient

from series.engine.client import EngineError, translated
from series.engine.container import ServiceContainer
from series.engine.image import ServiceImage, building
from series.engine.leftovers import leftovers, remove_leftovers

# A variable without a default: https://docs.docker.com/reference/compose-file/interpolation/
_PASSWORD = re.compile(r"\$\{(\w*PASSWORD):?\?")
# A line of .env that gives a variable a value, not two quotation marks with nothing in between.
_SET = r"""^\s*%s=(?!\s*(?:''|"")?\s*$)"""


class Project(ServiceImage, ServiceContainer):
    """A folder with a compose file, and what Compose makes of it.

    The port on this machine is what the environment variable PORT says; with 0 the engine
    chooses a free one.

    Args:
        folder: where the compose file is.
        name: Compose's name for it; by default the one that it gives to `docker compose up` in the
            folder, https://docs.docker.com/compose/how-tos/project-name/
        service: the service that answers.
        override: a second compose file, whose settings win.
        file: the name of the first one.
    """

    def choose_passwords(self) -> list[str]:
        """Choose random passwords, where the compose file wants some that nobody has chosen.

        A variable without a default whose name ends with PASSWORD is written into `.env`. A secret
        that is to come from a file gets that file, readable for the users in containers, in a
        folder that nobody else on this machine may enter.

        Returns:
            What was missing: names of variables, and of files within the project's folder.

        Raises:
            EngineError: there is a volume, and so a database that has a password already; or a
                file that only its owner may read.
        """
        chosen = self.folder / ".env"
        text = chosen.read_text("utf-8") if chosen.is_file() else ""
        missing = [
            name
            for name in self._passwords
            if not os.environ.get(name) and not re.search(_SET % name, text, re.MULTILINE)
        ]
        if missing:
            self._no_volumes(missing[0], "Write it into .env")
            chosen.touch(mode=0o600)
            with chosen.open("a", encoding="utf-8") as file:
                file.write("\n" if text and not text.endswith("\n") else "")
                file.writelines(f"{name}={secrets.token_urlsafe(16)}\n" for name in missing)
        for file in self._secret_files:
            name = file.relative_to(self.folder).as_posix()
            if not file.exists() or not file.stat().st_size:
                self._no_volumes(name, "Write the password into that file")
                file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                file.write_text(f"{secrets.token_urlsafe(16)}\n", encoding="utf-8")
                file.chmod(0o644)
                missing.append(name)
            if not file.stat().st_mode & stat.S_IROTH:
                raise EngineError(
                    f"Users in containers cannot read {name} in the folder {self.folder.name}. "
                    f"Type: chmod 644 {self.folder.name}/{name}"
                )
        return missing

    @property
    def _passwords(self) -> list[str]:
        """The names of the passwords that the compose file has no default for."""
        return [*dict.fromkeys(_PASSWORD.findall(self._files[0].read_text("utf-8")))]

    @property
    def _secret_files(self) -> list[Path]:
        """The files within the project's folder that hold its secrets."""
        if "secrets:" not in self._files[0].read_text("utf-8"):
            return []
        with translated():
            wanted = self._client.compose.config(return_json=True).get("secrets", {}).values()
        files = [Path(secret["file"]) for secret in wanted if "file" in secret]
        return [file for file in files if file.is_relative_to(self.folder)]

    def _no_volumes(self, missing: str, remedy: str) -> None:
        """Refuse to choose a password for a database that has one already."""
        if volumes := self.volumes:
            raise EngineError(
                f"{self.folder.name} has a database already, and {missing} is not set. {remedy} in "
                f"the folder {self.folder.name}, or remove the database and all that is in it: "
                f"docker volume rm {' '.join(volumes)}"
            )

    @property
    def volumes(self) -> list[str]:
        """The names of its volumes, which stay when it is down."""
        with translated():
            return [volume.name for volume in DockerClient().volume.list(filters=[self._label])]

    @property
    def remains(self) -> bool:
        """Whether any container or network of the project is there, running or not."""
        return any(thing.startswith(("container ", "network ")) for thing in leftovers(self.name))

    def run(self, *command: str) -> str:
        """Run a command in a container of its own, as `docker compose run --rm` does.

        Returns:
            What it wrote to standard output.
        """
        there = f"{self.name}-{self.service}:latest" in self.images
        # Where there is no image it is built first.
        with nullcontext() if there else building(), translated():
            return self._client.compose.run(self.service, [*command], remove=True, tty=False)

    def down(self, everything: bool = False, seconds: int | None = None) -> None:
        """Remove containers and networks, as `docker compose down` does, of all services.

        Args:
            everything: also volumes, and all images that were built under the project's name.
                Nothing is waited for then: a container that still runs is killed.
            seconds: how long a container gets to stop before it is killed; by default Docker's
                time, https://docs.docker.com/reference/compose-file/services/#stop_grace_period
        """
        if everything:
            remove_leftovers(self.name)
            return
        with translated(), tempfile.NamedTemporaryFile("w", suffix=".env") as known:
            # Compose wants the passwords again, though it needs none to remove something.
            known.writelines(f"{name}=any\n" for name in self._passwords)
            known.flush()
            client = DockerClient(
                compose_files=self._files,
                compose_project_name=self.name,
                # Services in a profile are left alone unless all are meant.
                # https://docs.docker.com/compose/how-tos/profiles/
                compose_profiles=["*"],
                compose_env_files=[Path(known.name), *filter(Path.is_file, [self.folder / ".env"])],
            )
            client.compose.down(remove_orphans=True, timeout=seconds, quiet=True)
