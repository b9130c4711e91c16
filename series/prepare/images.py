"""Brings the base images that lessons name: from their registry, or else as stand-ins.

A stand-in is made where no registry answers. It is built from Debian's packages by the Dockerfile
in the folder `stand-ins/<name>/<tag>`, and tagged `<name>:<tag>` like the original, so that no
lesson changes by a letter. To add one, add a folder.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from series.prepare import index, suite
from series.prepare.apt import Apt
from series.prepare.problem import DISK_FULL, Problem
from series.prepare.programs import doing, run

FOLDER = Path(__file__).parent / "stand-ins"

LABEL = "series.stand-in"
"""The label of a stand-in; its value is the name of the original."""

RECIPE = "series.stand-in.recipe"
"""The label with the digest of all that a stand-in was made from."""

DEBIAN_PACKAGES = "ca-certificates,netbase,tzdata"
"""What the original Python images have beyond the essential packages.

https://github.com/docker-library/python/blob/master/Dockerfile-linux.template
"""

_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE)
_COPY_FROM = re.compile(r"^\s*(?:COPY|RUN)\s.*?(?:--|,)from=([^\s,]+)()", re.IGNORECASE)
_SERVICE_IMAGE = re.compile(r"^\s+image:\s*([^\s#]+)", re.MULTILINE)


def named_in(dockerfile: str) -> list[str]:
    """Return the images that a Dockerfile takes from outside: none of its own stages, no scratch.

    https://docs.docker.com/reference/dockerfile/#from
    """
    stages, images = {"scratch"}, {}
    for line in dockerfile.replace("\\\n", " ").splitlines():
        if found := _FROM.match(line) or _COPY_FROM.match(line):
            image, stage = found.groups()
            if image.lower() not in stages and not image.isdigit():
                images[image if ":" in image else f"{image}:latest"] = None
            stages.add((stage or "").lower())
    return [*images]


def named_by(lessons: Iterable[Path]) -> list[str]:
    """Return the images that Dockerfiles and compose files in these folders take from outside.

    A lesson's own images are called after its Compose project, so their names do not stand there.
    """
    images: dict[str, None] = {}
    for folder in lessons:
        for file in sorted(folder.glob("*Dockerfile")):
            images |= dict.fromkeys(named_in(file.read_text()))
        images |= dict.fromkeys(_SERVICE_IMAGE.findall((folder / "compose.yaml").read_text()))
    return [*images]


def bring(lessons: Iterable[Path]) -> None:
    """Make sure that the base images of these lessons are on this machine.

    The registry is asked for what is missing only, and once it does not answer, not again.

    Args:
        lessons: their folders.

    Raises:
        Problem: an image can neither be pulled nor be stood in for.
    """
    missing = _missing(named_by(lessons))
    registry_answers = True
    for image in missing:
        registry_answers = registry_answers and _pull(image)
        # One that another stand-in stands on has been made with that.
        if not registry_answers and _missing([image]):
            _build(image)
    if not registry_answers:
        print(
            "Every project on this machine now gets these stand-ins, by the official names. "
            "To remove them: make clean"
        )


def _missing(images: list[str]) -> list[str]:
    """Return which of the images are not here, or are stand-ins made by an older recipe."""
    there = here(images)
    return [image for image in images if image not in there or there[image].outdated]


@dataclass(frozen=True)
class Local:
    """An image that is on this machine.

    Attributes:
        stand_in: whether it stands in for the original.
        outdated: whether it is a stand-in made by an older recipe.
    """

    stand_in: bool
    outdated: bool


def here(images: list[str]) -> dict[str, Local]:
    """Return those of the images that are on this machine, by their names."""
    labels = f'{{{{index .Config.Labels "{LABEL}"}}}}\t{{{{index .Config.Labels "{RECIPE}"}}}}'
    form = f"{{{{range .RepoTags}}}}{{{{.}}}} {{{{end}}}}\t{labels}"
    said = run("docker", "image", "inspect", "--format", form, *images).output
    found = {}
    for line in said.splitlines():
        if line.count("\t") == 2:
            tags, stands_in_for, recipe = line.split("\t")
            for tag in tags.split():
                stand_in = tag == stands_in_for
                found[tag] = Local(stand_in, stand_in and recipe != _recipe_digest(tag))
    return found


def stand_ins() -> list[str]:
    """Return the names of all stand-ins on this machine, those that no lesson names included."""
    form = "{{.Repository}}:{{.Tag}}"
    # What is built on a stand-in inherits the label.
    listed = run("docker", "image", "ls", "--filter", f"label={LABEL}", "--format", form)
    if not listed.ok or not listed.output:
        return []
    return sorted(name for name, local in here(listed.output.split()).items() if local.stand_in)


def _pull(image: str) -> bool:
    """Pull an image; return False where no registry answers.

    Raises:
        Problem: the registry answers and does not give the image.
    """
    with doing(f"Pulling {image} from its registry (usually 1 min)") as progress:
        result = run("docker", "pull", "--quiet", image)
        progress.outcome = "done" if result.ok else "no image"
    said = result.output.lower()
    if result.ok:
        return True
    if "no space left" in said:
        raise Problem(DISK_FULL, result.output)
    if limited(said):
        raise Problem(
            f"The registry refuses {image}: too many requests from this address. "
            "Type: docker login (an account has a higher limit), or wait an hour.",
            result.output,
        )
    if refused(said):
        raise Problem(
            f"The registry has no {image}, or does not give it to you. Check the FROM line of the "
            "lesson's Dockerfile.",
            result.output,
        )
    return False


def limited(said: str) -> bool:
    """Tell whether a registry says that there were too many requests.

    https://docs.docker.com/docker-hub/usage/
    """
    return bool(re.search("toomanyrequests|rate limit", said, re.IGNORECASE))


def refused(said: str) -> bool:
    """Tell whether a registry says that it has no such image, or does not give it."""
    return bool(re.search("manifest unknown|not found|denied|unauthorized", said, re.IGNORECASE))


def _folder(image: str) -> Path | None:
    folder = FOLDER.joinpath(*image.split(":"))
    return folder if (folder / "Dockerfile").is_file() else None


def _known() -> list[str]:
    files = sorted(FOLDER.rglob("Dockerfile"))
    return [f"{file.parent.parent.relative_to(FOLDER)}:{file.parent.name}" for file in files]


def _recipe_digest(image: str) -> str:
    """Return the SHA-256 of a stand-in's folder and of those that it stands on."""
    folder = _folder(image)
    if folder is None:
        return ""
    digest = hashlib.sha256(DEBIAN_PACKAGES.encode())
    for file in sorted(file for file in folder.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    for base in named_in((folder / "Dockerfile").read_text()):
        digest.update(_recipe_digest(base).encode())
    return digest.hexdigest()


def _build(image: str) -> None:
    """Build the stand-in for an image, and first those that it stands on.

    Raises:
        Problem: there is no recipe for it, a tool is missing, or the build fails.
    """
    folder = _folder(image)
    if folder is None:
        raise Problem(
            f"No registry answers, and there is no stand-in for {image} (only for "
            f"{', '.join(_known())}). Connect to a network and try again."
        )
    dockerfile = (folder / "Dockerfile").read_text()
    for base in _missing(named_in(dockerfile)):
        _build(base)
    with tempfile.TemporaryDirectory(prefix="stand-in-") as scratch:
        context = Path(scratch)
        shutil.copytree(folder, context, dirs_exist_ok=True)
        if "ca-certificates.crt" in dockerfile:
            shutil.copy(index.certificates(), context / "ca-certificates.crt")
        arguments: list[str] = []
        if "ARG INDEX" in dockerfile:
            arguments = ["--build-arg", f"INDEX={index.for_poetry(suite.PYTHON)}"]
        if "ADD rootfs.tar" in dockerfile:
            _bring_mmdebstrap()
        seconds = re.search(r"^# Usually takes (.+)\.$", dockerfile, re.MULTILINE)
        usual = f" (usually {seconds[1]})" if seconds else ""
        with doing(f"No registry answers: making a stand-in for {image}{usual}"):
            if "ADD rootfs.tar" in dockerfile:
                _make_debian(image, context / "rootfs.tar")
            result = run(
                *("docker", "build", "--progress=plain", "--tag", image, *arguments),
                *("--label", f"{LABEL}={image}", "--label", f"{RECIPE}={_recipe_digest(image)}"),
                str(context),
            )
            if not result.ok:
                raise _failure(image, result.output)


def _make_debian(image: str, archive: Path) -> None:
    """Make the root file system of the Debian release that the image's tag names."""
    release = image.partition(":")[2].removesuffix("-slim")
    mirror = Apt().debian_mirror()
    result = run(
        *("mmdebstrap", "--variant=minbase", f"--include={DEBIAN_PACKAGES}"),
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
        '--aptopt=Acquire::Languages "none"',
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        '--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/log/*',
        *(release, str(archive), *([mirror] if mirror else [])),
    )
    if not result.ok:
        raise _failure(image, result.output)


def _bring_mmdebstrap() -> None:
    if shutil.which("mmdebstrap"):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Problem(
            "No registry answers, and stand-ins for the base images need mmdebstrap. On Debian or "
            "Ubuntu type: sudo apt-get install mmdebstrap; elsewhere connect to a network."
        )
    with doing("Installing mmdebstrap (usually 10 s)"):
        Apt().install("mmdebstrap", "debian-archive-keyring")


def _failure(image: str, said: str) -> Problem:
    if "no space left" in said.lower():
        return Problem(DISK_FULL, said)
    return Problem(
        f"The stand-in for {image} could not be made. Check the network and try again; what is "
        "done so far is kept.",
        said,
    )
