"""The Docker Engine, by the same command line that the reader types.

Nothing else in the suite talks to it but `series.prepare`, which runs before it is installed.

Everything here raises `EngineError` when the engine refuses or does not answer.
"""

from series.engine.builder import build_twice
from series.engine.client import (
    BuildError,
    EngineError,
    NoAnswer,
    machine,
    port_taken,
    processors,
    versions,
)
from series.engine.container import ANSWER_SECONDS, PAUSE, Health, look_again
from series.engine.image import building, image_bytes, places, remove_images
from series.engine.leftovers import leftovers, remove_leftovers, test_name
from series.engine.project import Project
from series.prepare.images import stand_ins

__all__ = [
    "ANSWER_SECONDS",
    "PAUSE",
    "BuildError",
    "EngineError",
    "Health",
    "NoAnswer",
    "Project",
    "build_twice",
    "building",
    "image_bytes",
    "leftovers",
    "look_again",
    "machine",
    "places",
    "port_taken",
    "processors",
    "remove_images",
    "remove_leftovers",
    "stand_ins",
    "test_name",
    "versions",
]
