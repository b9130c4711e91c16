"""A Docker Engine of its own that builds an image twice, whatever image store this machine has."""

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

# The lesson whose builder it is, and whose program compares.
_LESSON = ROOT / "extra-7-the-same-image-twice"
# Stands for the time of a commit; any time before the build will do.
_EPOCH = 1767225600
_BAKE = (
    "docker buildx bake --no-cache --provenance=false --sbom=false"
    f" --set=*.args.SOURCE_DATE_EPOCH={_EPOCH}"
)
# Without compression, which takes most of the time where the base image is large.
_OUTPUT = "type=oci,rewrite-timestamp=true,compression=uncompressed"


def build_twice(folder: Path, file: str, service: str, bases: Iterable[str]) -> list[str]:
    """Build a service's image twice, from an empty cache each time, and compare the two.

    The builds have the documented settings for one result, and files of different times:
    https://github.com/moby/buildkit/blob/master/docs/build-repro.md

    Args:
        folder: where the compose file is.
        file: its name.
        service: the service.
        bases: the images that its Dockerfile starts from; those that are on this machine are used.

    Returns:
        What the lesson's program says: two digests, then each difference, then a sentence.

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
        for clone in ("/tmp/one", "/tmp/two"):
            output = f"--set=*.output={_OUTPUT},dest={clone}.tar"
            builder.execute("cp", "-R", "/project", clone)
            builder.execute("docker", "builder", "prune", "--all", "--force")
            builder.execute(
                "env", f"--chdir={clone}", *_BAKE.split(), f"--file={file}", output, service
            )
        compare = "python differences.py /tmp/one.tar /tmp/two.tar || test $? = 1"
        return builder.execute("sh", "-c", compare).splitlines()
    finally:
        builder.down(everything=True)
