"""How an image is built: what its Dockerfile says, and what a change makes it do again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path

from series import engine
from series.buildlog import ran
from series.contract import edits, installs
from series.contract.finding import CannotTell, Finding, broken, does_not_apply, kept
from series.contract.inventory import distributions
from series.contract.subject import Subject
from series.prepare.images import named_in


def builds(subject: Subject) -> Finding:
    """The image builds.

    Found out by building it through its compose file.

    Source: https://docs.docker.com/reference/cli/docker/compose/build/
    """
    try:
        return kept(f"Built in {len(subject.built)} steps.")
    except engine.BuildError as failed:
        return broken(str(failed))


_TRIES = 10


def edit_keeps_dependencies(subject: Subject) -> Finding:
    """After an edit of a source file no dependency is installed again.

    Found out by adding a comment to a source file and building again. A dependency was installed
    again if an instruction that ran again says so, or if its metadata in the image is newer than
    without the edit.

    Source: https://docs.docker.com/build/cache/optimize/#order-your-layers
    """
    if not installs.installs_packages(subject.dockerfile.read_text(encoding="utf-8")):
        return does_not_apply("The Dockerfile installs no Python packages.")
    assert subject.built
    candidates = edits.sources(subject.folder)[:_TRIES]
    for source in candidates:
        name = source.relative_to(subject.folder)
        if finding := _rebuilt(subject, edits.edited(source), f"an edit of {name}"):
            return finding
    tried = ", ".join(str(file.relative_to(subject.folder)) for file in candidates)
    return does_not_apply(f"No source file gets into the image; tried: {tried or 'none'}.")


def _rebuilt(
    subject: Subject, change: AbstractContextManager[None], description: str
) -> Finding | None:
    """What a change of the project makes a build install again; None if it does nothing again."""
    own = installs.own_names(subject.folder)
    with change:
        again = ran(subject.project.build())
        commands = [step for step in again if step.instruction.startswith("RUN ")]
        said = {name for step in commands for name in installs.installed(step.output)} - own
        # An installer may have been told to be silent: what does the image say?
        after = distributions(subject.project.files()) if commands and not said else {}
    back = ran(subject.project.build())
    if any(step.instruction.startswith("RUN ") for step in back):
        raise CannotTell(
            "The unchanged project does not come from the build cache, so nothing can be told of "
            "the change. Make room in the cache: docker builder prune"
        )
    before = distributions(subject.files) if after else {}
    newer = {one.name for one in after if before.get(one) != after[one]} - own
    steps = [f"ran again: {step.instruction}" for step in again]
    if names := sorted(said | newer):
        first = f"After {description} {len(names)} packages were installed again."
        return broken("\n".join([first, ", ".join(names), *steps]))
    first = f"After {description} no package was installed again."
    return kept("\n".join([first, *steps])) if again else None


def pinned_tools(subject: Subject) -> Finding:
    """Every tool that the Dockerfile installs has an exact version.

    Found out from its instructions: what pip, pipx, uv and Poetry install by name, scripts that
    are downloaded and run, and images that files are copied from. Packages of the distribution
    are left alone: its release holds them, and their exact versions vanish from the mirrors with
    the next security update.

    Source: https://docs.docker.com/build/building/best-practices/#pin-base-image-versions
    """
    tools = installs.tools(subject.dockerfile.read_text(encoding="utf-8"))
    if not tools:
        return does_not_apply("The Dockerfile installs no tool by name.")
    loose = [tool for tool in tools if not tool.exact]
    if loose:
        lines = [f"line {tool.line}: {tool.name}" for tool in loose]
        names = ", ".join(tool.name for tool in loose)
        return broken("\n".join([f"Without an exact version: {names}", *lines]))
    return kept(f"With an exact version: {', '.join(tool.name for tool in tools)}")


def linted(subject: Subject) -> Finding:
    """The linter hadolint has nothing to say about the Dockerfile.

    Found out by running it. Exceptions stand in the Dockerfile, `# hadolint ignore=DL3008` on the
    line above the instruction, with the reason in a comment beside them; what the person at this
    machine has set for hadolint does not count.

    Source: https://github.com/hadolint/hadolint
    """
    hadolint = Path(sys.executable).with_name("hadolint")
    with tempfile.TemporaryDirectory() as nothing:
        # It looks for settings in the folder it runs in, and at home.
        elsewhere = {"HOME": nothing, "XDG_CONFIG_HOME": nothing}
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("HADOLINT_")
        }
        said = subprocess.run(
            [hadolint, "--no-fail", "--format=json", subject.dockerfile.resolve()],
            cwd=nothing,
            env=environment | elsewhere,
            capture_output=True,
            text=True,
            check=False,
        )
    if said.returncode:
        raise CannotTell(f"hadolint failed: {said.stderr.strip()}")
    complaints = json.loads(said.stdout)
    lines = [f"line {c['line']}: {c['code']} {c['message']}" for c in complaints]
    if any(re.search(r": DL1000 ", line) for line in lines):
        raise CannotTell(f"hadolint cannot read the Dockerfile: {lines[0]}")
    if lines:
        codes = ", ".join(complaint["code"] for complaint in complaints)
        return broken("\n".join([f"hadolint complains: {codes}", *lines]))
    return kept("hadolint is silent.")


def reproducible(subject: Subject) -> Finding:
    """Two builds of the same files give the same image digest.

    Found out by building twice in a separate Docker Engine, with empty caches and different
    timestamps of the files. SOURCE_DATE_EPOCH is set, timestamps are rewritten, attestations are
    off. Both builds use this machine's base image, if it has it, so a moved tag breaks nothing.

    Source: https://github.com/moby/buildkit/blob/master/docs/build-repro.md
    """
    assert subject.built
    bases = named_in(subject.dockerfile.read_text(encoding="utf-8"))
    digest, other, *differences, sentence = subject.build_twice(bases)
    if digest == other:
        return kept(f"Twice {digest}")
    first = f", such as {differences[0]}" if differences else ""
    return broken("\n".join([sentence + first, *differences]))
