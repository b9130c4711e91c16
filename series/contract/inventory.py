"""The Python distributions in an image, as its files tell."""

import re
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.utils import canonicalize_name

# https://packaging.python.org/en/latest/specifications/recording-installed-packages/
_METADATA = re.compile(r"(?P<place>.*)/(?P<name>[^/]+)-(?P<version>[^/-]+)\.dist-info/METADATA")


@dataclass(frozen=True)
class Distribution:
    """A distribution that is installed somewhere in an image.

    Attributes:
        name: its name, normalised.
        version: its version.
        place: the folder that it is installed in.
    """

    name: str
    version: str
    place: str


def distributions(files: Iterable[tarfile.TarInfo]) -> dict[Distribution, float]:
    """Return the distributions in an image, each with the time of its metadata.

    An installer writes the metadata anew with every installation.

    Args:
        files: those of the image.

    Returns:
        For each distribution the modification time, in seconds since 1970.
    """
    return {
        Distribution(canonicalize_name(found["name"]), found["version"], found["place"]): file.mtime
        for file in files
        if (found := _METADATA.fullmatch(file.name))
    }
