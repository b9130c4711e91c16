"""A separate Docker Engine that builds an image twice, whatever image store this machine has."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from python_on_whales import DockerClient

from series.engine.client import translated
from series.engine.image import building
from series.engine.leftovers import test_name
from series.engine.project import Project
from series.lessons import ROOT
from series.prepare.images import here

# It has the builder, and the program that compares.
_LESSON = ROOT / "extra-7-the-same-image-twice"
# In place of a commit's time; any time before the build will do.
_EPOCH = 1767225600
_BAKE = (
    "docker buildx bake --no-cache --provenance=false --sbom=false"
    f" --set=*.args.SOURCE_DATE_EPOCH={_EPOCH}"
)
# With a large base image, compression takes most of the time.
_OUTPUT = "type=oci,rewrite-timestamp=true,compression=uncompressed"


def build_twice(folder: Path, file: str, service: str, bases: Iterable[str]) -> list[str]:
    """Build a service's image twice, from an empty cache each time, and compare the two.

    Both builds use BuildKit's documented settings for reproducible builds, and different timestamps
    of the files: https://github.com/moby/buildkit/blob/master/docs/build-repro.md

    Args:
        folder: where the compose file is.
        file: the name of the compose file.
        service: the service whose image is built.
        bases: the Dockerfile's base images; those on this machine are copied into the builder.

    Returns:
        The lines that the lesson's `differences.py` prints: two digests, differences, a verdict.

    Raises:
        EngineError: the project does not build there.
    """
    name = test_name("builder")
    client = DockerClient(compose_files=[_LESSON / "compose.yaml"], compose_project_name=name)
    builder = Project(_LESSON, name, "builder")
    try:
        with building(), translated():
            client.compose.build(["builder"], quiet=True)
        with translated():
            client.compose.up(["builder"], detach=True, wait=True, no_build=True, quiet=True)
            container = builder.container
            assert container
            container.copy_to(folder, "/project")
            with tempfile.TemporaryDirectory() as room:
                for number, image in enumerate(here([*bases])):
                    saved = Path(room, f"{number}.tar")
                    client.image.save(image, output=saved)
                    container.copy_to(saved, f"/tmp/{saved.name}")
                    builder.execute("docker", "load", "--input", f"/tmp/{saved.name}")
        for copy in ("/tmp/one", "/tmp/two"):
            output = f"--set=*.output={_OUTPUT},dest={copy}.tar"
            builder.execute("cp", "-R", "/project", copy)
            builder.execute("docker", "builder", "prune", "--all", "--force")
            builder.execute(
                "env", f"--chdir={copy}", *_BAKE.split(), f"--file={file}", output, service
            )
        compare = "python differences.py /tmp/one.tar /tmp/two.tar || test $? = 1"
        return builder.execute("sh", "-c", compare).splitlines()
    finally:
        builder.down(everything=True)
