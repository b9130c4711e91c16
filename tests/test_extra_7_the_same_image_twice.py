"""What the README of extra 7 says beyond what the contract sees."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from series import engine
from series.lessons import get
from tests.console import Command, commands, run

EXTRA_7 = get("extra-7-the-same-image-twice")
README = EXTRA_7.path / "README.md"


def test_what_is_installed_and_how_it_is_served_is_as_in_extra_6() -> None:
    before = get("extra-6-locking-down").path
    for name in ("poetry.lock", "requirements.txt", "tests.Dockerfile", "gunicorn.conf.py"):
        assert (EXTRA_7.path / name).read_bytes() == (before / name).read_bytes()


@dataclass(frozen=True)
class Typed:
    """The commands that the page shows, with another registry and a commit's time."""

    build: str
    push: str
    look: str
    verify: str


def typed() -> Typed:
    shown = re.findall(r"```sh\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    text = "\n".join(shown).replace("$(git log -1 --format=%ct)", "1767225600")
    text = text.replace("registry.example/", "127.0.0.1:5000/").replace("\\\n", "")
    build, load, push, _, look, verify = [line for line in text.splitlines() if line]
    return Typed(f"{build}\n{load}", push, look, verify)


def options(command: str) -> set[str]:
    """The options of a build, and what it says of its output."""
    output = re.search("type=\\S+", command)[0].split(",")
    return {*re.findall(r"--no-cache|--\w+=false", command), *output}


def test_the_page_builds_with_the_options_of_the_script() -> None:
    page = options(typed().build)
    script = options((EXTRA_7.path / "twice.sh").read_text("utf-8"))
    own = {"name=127.0.0.1:5000/shop:1.0", "dest=/tmp/image.tar"}
    assert page - own == script - {"dest=/tmp/$copy.tar"}
    assert len(page) == 6


# --- the program that compares -------------------------------------------------------------------


class Archive:
    """An archive of an image, as `docker buildx build --output type=oci` writes it."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    def add(self, content: bytes) -> dict[str, str]:
        digest = sha256(content).hexdigest()
        self.blobs[f"blobs/sha256/{digest}"] = content
        return {"digest": f"sha256:{digest}"}

    def write(self, path: Path, top: dict[str, str]) -> Path:
        self.blobs["index.json"] = json.dumps({"manifests": [top]}).encode()
        with tarfile.open(path, "w") as archive:
            for name, content in self.blobs.items():
                file = tarfile.TarInfo(name)
                file.size = len(content)
                archive.addfile(file, io.BytesIO(content))
        return path


def small_image(path: Path, attested: str = "", created: str = "today", **changed: object) -> Path:
    """Write an image with one layer of two files, one of which may be changed."""
    archive, layer = Archive(), io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w:gz") as files:
        for name, changes in (("app/first", {}), ("app/second", changed)):
            file, content = tarfile.TarInfo(name), b"first"
            for key, value in changes.items():
                if key == "content":
                    content = value
                else:
                    setattr(file, key, value)
            file.size = len(content)
            if changes != {"name": ""}:
                files.addfile(file, io.BytesIO(content))
    layers = [archive.add(layer.getvalue())]
    config = {"created": created, "rootfs": {"diff_ids": [layers[0]["digest"]]}}
    manifest = {"config": archive.add(json.dumps(config).encode()), "layers": layers}
    top = archive.add(json.dumps(manifest).encode())
    if attested:
        both = {"manifests": [top, archive.add(attested.encode())]}
        top = archive.add(json.dumps(both).encode())
    return archive.write(path, top)


def compared(one: Path, two: Path) -> tuple[int, list[str]]:
    """The exit status of the program, and what it prints after the digests."""
    said = subprocess.run(
        [sys.executable, EXTRA_7.path / "differences.py", one, two],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.stderr == ""
    first, second, *rest = said.stdout.splitlines()
    assert (first == second) == (said.returncode == 0)
    return said.returncode, rest


SECOND = "layer 1: /app/second:"


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"content": b"second"}, f"{SECOND} contents"),
        ({"mtime": 1}, f"{SECOND} time"),
        ({"mode": 0o600}, f"{SECOND} permissions"),
        ({"gid": 1}, f"{SECOND} owner"),
        ({"type": tarfile.SYMTYPE, "linkname": "first"}, f"{SECOND} contents kind"),
        ({"mtime": 1, "mode": 0o600}, f"{SECOND} permissions time"),
        ({"name": ""}, f"{SECOND} contents kind owner permissions time"),
        ({"created": "tomorrow"}, "configuration: created: contents"),
        ({"attested": "where"}, "attestations: contents"),
    ],
)
def test_a_difference_is_named(tmp_path: Path, changes: dict[str, object], difference: str) -> None:
    two = small_image(tmp_path / "two.tar", **changes)
    assert compared(small_image(tmp_path / "one.tar"), two) == (
        1,
        [difference, "Different images: 1 difference"],
    )


def test_attestations_that_differ_are_named(tmp_path: Path) -> None:
    here, there = (small_image(tmp_path / f"{text}.tar", text) for text in ("here", "there"))
    assert compared(here, there)[1][:-1] == ["attestations: contents"]
    assert compared(here, here) == (0, ["The same image"])


def test_the_same_image_is_said_to_be_the_same(tmp_path: Path) -> None:
    one, two = (small_image(tmp_path / name) for name in ("one.tar", "two.tar"))
    assert compared(one, two) == (0, ["The same image"])


# --- what takes longer ---------------------------------------------------------------------------


class Builder:
    """The lesson's builder, started as the page says, in a copy of the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(shutil.copytree(EXTRA_7.path, folder / "copy"))
        self.name = engine.test_name("builder")
        self.settings = {"COMPOSE_PROJECT_NAME": self.name}

    def types(self, line: str) -> str:
        return run(Command(line, []), self.folder, self.settings)

    def runs(self, script: str) -> str:
        """What a script prints in the builder, whose folder it may change."""
        (self.folder / "script.sh").write_text(f"rm -rf /work; cp -R . /work; cd /work\n{script}")
        return self.types("docker compose exec builder sh script.sh")

    def twice(self, change: str = "true", options: str = "") -> list[str]:
        """What the lesson's script prints after the digests when a command has changed a file."""
        said = self.runs(f"{change}\nsh twice.sh {options} || test $? = 1")
        return said.splitlines()[4:]


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    here = Builder(tmp_path_factory.mktemp("builder"))
    try:
        up, look, load = commands(README, "Try it yourself")[:3]
        for command in (up, look, load):
            here.types(command.line)
        yield here
    finally:
        engine.remove_leftovers(here.name)


NO_ARGUMENT = "sed -i /SOURCE_DATE_EPOCH/d Dockerfile"


def seen(differences: list[str]) -> set[str]:
    """What differs, after the names."""
    return {line.rpartition(": ")[2] for line in differences}


@pytest.mark.deep
def test_without_the_argument_nothing_but_bytecode_differs(builder: Builder) -> None:
    *differences, sentence = builder.twice(NO_ARGUMENT)
    assert all(line.endswith(".pyc: contents") for line in differences)
    assert any("/fastapi/" in line for line in differences)
    assert any("/app/" in line for line in differences)
    assert sentence == f"Different images: {len(differences)} differences"


@pytest.mark.deep
def test_without_any_of_it_more_than_1800_things_differ(builder: Builder) -> None:
    change = f"{NO_ARGUMENT}; sed -i '/SOURCE_DATE_EPOCH/d; s/,rewrite-timestamp=true//' twice.sh"
    *differences, _ = builder.twice(change)
    assert len(differences) > 1800
    assert {line for line in differences if not line.endswith(("time", ".pyc: contents"))} == {
        "configuration: created: contents",
        "configuration: history: contents",
    }


@pytest.mark.deep
def test_without_its_flag_the_permissions_of_the_copied_files_differ(builder: Builder) -> None:
    *differences, _ = builder.twice("sed -i s/--chmod=755// Dockerfile")
    assert seen(differences) == {"permissions"}
    assert all(": /app/" in line for line in differences)


A_FILE = """cat > Dockerfile <<EOF
FROM python:3.13-slim-trixie
RUN touch /file
EOF
"""


@pytest.mark.deep
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("true", []),
        ("sed -i /SOURCE_DATE_EPOCH/d twice.sh", ["created: contents", "history: contents"]),
        ("sed -i s/,rewrite-timestamp=true// twice.sh", ["/file: time"]),
        # Another commit
        (
            "sed -i 's/for copy .*/& SOURCE_DATE_EPOCH=$((SOURCE_DATE_EPOCH + 1))/' twice.sh",
            ["created: contents", "history: contents", "/file: time"],
        ),
        # As a layer from the cache does, the file has an older time than the commit.
        ("sed -i s/=1767225600/=4000000000/ twice.sh", ["/file: time"]),
        ("sed -i s/=false/=true/ twice.sh", ["attestations: contents"]),
    ],
)
def test_each_setting_of_the_build_is_needed(
    builder: Builder, change: str, expected: list[str]
) -> None:
    said = builder.twice(f"{A_FILE}{change}")
    assert (said == ["The same image"]) is (expected == [])
    assert all(any(line.endswith(part) for line in said) for part in expected)


STALE = """
export SOURCE_DATE_EPOCH=1767225600
docker buildx build --output type=oci,name=shop,dest=shop.tar,rewrite-timestamp=true .
docker load --input shop.tar
docker run --rm shop python -v -c 'import fastapi' 2>&1
"""


@pytest.mark.deep
@pytest.mark.parametrize(("change", "stale"), [("true", False), (NO_ARGUMENT, True)])
def test_bytecode_that_names_a_time_is_ignored(builder: Builder, change: str, stale: bool) -> None:
    said = builder.runs(f"{change}\n{STALE}")
    assert "import 'fastapi'" in said
    ignored = re.findall(r"bytecode is stale for '([\w.]+)'", said)
    assert ("fastapi" in ignored) is stale
    assert "json" not in ignored


SYSTEM = "--file system-packages.Dockerfile"


@pytest.mark.deep
def test_debian_packages_and_a_compiled_one_differ_in_nothing(builder: Builder) -> None:
    assert builder.twice(options=SYSTEM) == ["The same image"]


@pytest.mark.deep
def test_without_their_mends_seven_files_differ(builder: Builder) -> None:
    change = "sed -i 's/CFLAGS=-g0 //; s# /var/log/.*##' system-packages.Dockerfile"
    differences = "\n".join(builder.twice(change, SYSTEM)[:-1])
    assert {path.rpartition("/")[2] for path in re.findall("(/.*): contents", differences)} == {
        "aux-cache",
        "alternatives.log",
        "history.log",
        "term.log",
        "dpkg.log",
        "_psycopg.cpython-313-x86_64-linux-gnu.so",
        "RECORD",
    }


REGISTRY = """
apt-get update > /dev/null
apt-get install --yes --no-install-recommends docker-registry curl > /dev/null 2>&1
docker-registry serve registry.yml > /dev/null 2>&1 &
curl --silent --retry 20 --retry-connrefused --retry-delay 1 127.0.0.1:5000/v2/
"""
CONFIGURATION = """
version: 0.1
storage: {filesystem: {rootdirectory: /tmp/registry}}
http: {addr: "127.0.0.1:5000"}
"""


@pytest.mark.deep
def test_what_is_pushed_has_the_digest_that_another_build_finds(builder: Builder) -> None:
    (builder.folder / "registry.yml").write_text(CONFIGURATION)
    page = typed()
    lines = [page.build, page.push, page.look, "rm /tmp/image.tar", page.build, page.verify]
    said = builder.runs("\n".join(["set -e", REGISTRY, *lines]))
    [pushed] = re.findall(r"^Digest: +(sha256:\w{64})$", said, re.MULTILINE)
    assert said.splitlines()[-1] == pushed


@pytest.mark.deep
def test_an_image_that_is_pushed_by_its_build_cannot_get_other_timestamps(builder: Builder) -> None:
    output = "type=image,name=127.0.0.1:5000/shop,push=true,rewrite-timestamp=true"
    said = builder.runs(f"docker buildx build --output {output} . 2>&1 || test $? = 1")
    assert '"rewrite-timestamp" conflicts with "unpack"' in said


@pytest.mark.deep
def test_its_own_tests_pass(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(EXTRA_7.path, tmp_path / "copy"))
    tests = engine.Project(folder, engine.test_name("copy"), "tests")
    try:
        tests.build("tests")
        assert " passed" in tests.run("poetry", "run", "pytest")
    finally:
        tests.down(everything=True)
