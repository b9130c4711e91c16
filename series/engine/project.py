"""A Compose project: all its services and volumes, from build to removal."""

from __future__ import annotations

from contextlib import nullcontext

from python_on_whales import DockerClient

from series.engine.client import translated
from series.engine.container import ServiceContainer
from series.engine.image import ServiceImage, building
from series.engine.leftovers import leftovers, remove_leftovers


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
        with translated():
            client = DockerClient(
                compose_files=self._files,
                compose_project_name=self.name,
                # Services in a profile are left alone unless all are meant.
                # https://docs.docker.com/compose/how-tos/profiles/
                compose_profiles=["*"],
            )
            client.compose.down(remove_orphans=True, timeout=seconds, quiet=True)
