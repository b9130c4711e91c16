"""What the builder's plain progress says, as the engine's own builder and as Bake write it."""

from __future__ import annotations

import pytest

from series.buildlog import Step, ran, steps

# Compose's own builder, which Compose 5 no longer has.
CLASSIC = """\
#0 building with "default" instance using docker driver

#1 [web internal] load build definition from Dockerfile
#1 transferring dockerfile: 126B done
#1 DONE 0.0s

#2 [web internal] load metadata for docker.io/library/python:3.13-slim-trixie
#2 DONE 0.0s

#3 [web builder 1/2] FROM docker.io/library/python:3.13-slim-trixie
#3 CACHED

#4 [web builder 2/2] RUN echo hello
#4 CACHED

#5 [web stage-1 1/1] RUN echo world
#5 0.222 world
#5 DONE 0.2s

#6 [web] exporting to image
#6 exporting layers 0.2s done
#6 DONE 0.3s
"""
# Bake, which Compose 2.40 uses unless told otherwise, and Compose 5 always:
# https://github.com/docker/compose/issues/13056
BAKE = """\
#1 [internal] load local bake definitions
#1 reading from stdin 842B done
#1 DONE 0.0s

#2 [web internal] load metadata for docker.io/library/python:3.13-slim-trixie
#2 DONE 0.0s

#3 [web builder 1/2] FROM docker.io/library/python:3.13-slim-trixie@sha256:d0aa5622aaa077
#3 resolve docker.io/library/python:3.13-slim-trixie@sha256:d0aa5622aaa077 0.1s done
#3 CACHED

#4 [web builder 2/2] RUN echo hello
#4 CACHED

#5 [web stage-1 1/1] RUN echo world
#5 0.222 world
#5 DONE 0.2s

#6 [web] exporting to image
#6 exporting attestation manifest sha256:4d43c3f3a7925b1828c86c done
#6 DONE 0.3s

#7 [web] resolving provenance for metadata file
#7 DONE 0.0s
 web  Built
"""


@pytest.mark.parametrize("said", [CLASSIC, BAKE])
def test_the_steps_are_the_instructions_of_the_dockerfile(said: str) -> None:
    base, first, last = steps(said.splitlines())
    assert base.instruction.startswith("FROM docker.io/library/python:3.13-slim-trixie")
    assert first == Step("RUN echo hello", cached=True)
    assert last == Step("RUN echo world", output=["world"])
    assert ran([base, first, last]) == [last]
