"""What the page on secrets at build time shows and says is so."""

from __future__ import annotations

import gzip
import io
import json
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from series import engine
from series.contract import Finding, Subject, Verdict
from series.contract.secrets import no_secrets
from series.lessons import ROOT
from tests.console import Command, commands, run

pytestmark = pytest.mark.deep

FOLDER = ROOT / "extra-6-locking-down"
PAGE = FOLDER / "build-secrets.md"
SECTIONS = (
    "Three ways to leak it",
    "The way that doesn't leak",
    "What only your network needs",
)
IMAGES = ("arg", "env", "copy", "secret", "anywhere", "mirror")
FROM = "FROM python:3.13-slim-trixie\n"


@dataclass
class Reader:
    """Somebody who types the commands of the page in a copy of the folder.

    Attributes:
        folder: the copy of the folder `private-index`.
        name: Compose's name for it; the images that the page names begin with it, too.
        ports: the port that takes the place of each port on the page.
    """

    folder: Path
    name: str
    ports: Mapping[str, int]

    def types(self, command: Command) -> str:
        """Type a command; it must print what the page shows."""
        line = command.line
        for page, here in self.ports.items():
            line = line.replace(f"localhost:{page}", f"localhost:{here}")
        line = re.sub(rf"\bprivate-index-({'|'.join(IMAGES)})\b", rf"{self.name}-\1", line)
        environment = {
            "COMPOSE_PROJECT_NAME": self.name,
            "INDEX_PORT": str(self.ports["8080"]),
            "PROXY_PORT": str(self.ports["3128"]),
        }
        said = rest = run(replace(command, line=line), self.folder, environment)
        rest = rest.replace(f"localhost:{self.ports['8080']}", "localhost:8080")
        for part in re.findall("[^…\n]+", "\n".join(command.shown)):
            _, found, rest = rest.partition(part)
            assert found, f"{command.line} does not print {part!r} here:\n{said}"
        return said

    @property
    def password(self) -> str:
        return (self.folder / ".secrets" / "password").read_text().strip()

    def places(self, image: str) -> list[str]:
        """Where in an image the password stands."""
        return engine.places(f"{self.name}-{image}", [self.password])[self.password]

    @property
    def images(self) -> list[str]:
        return typed(f"docker image ls --format '{{{{.Repository}}}}' '{self.name}*'").split()


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Has started the index, as the page begins."""
    copy = Path(shutil.copytree(FOLDER / "private-index", tmp_path / "private-index"))
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        ports = {"8080": one.getsockname()[1], "3128": other.getsockname()[1]}
    for file in [*copy.glob("*.Dockerfile"), copy / "pip.conf"]:
        if file.name != "index.Dockerfile":
            text = file.read_text()
            file.write_text(text.replace("localhost:8080", f"localhost:{ports['8080']}"))
    here = Reader(copy, engine.test_name("private-index"), ports)
    first, *others = commands(PAGE, "A private index to try it on")
    assert first.line == "cd private-index"
    try:
        for command in others:
            here.types(command)
        yield here
    finally:
        engine.remove_leftovers(here.name)
        engine.remove_images(f"{here.name}-{image}" for image in IMAGES)


def judged(reader: Reader) -> Finding:
    with pytest.MonkeyPatch.context() as patch, Subject(reader.folder, service="app") as subject:
        patch.setenv("COMPOSE_PROFILES", "app")
        return no_secrets(subject)


def test_the_page_goes_as_it_shows_and_leaves_nothing(reader: Reader) -> None:
    original = {path.name for path in (FOLDER / "private-index").iterdir()} - {".secrets"}
    shown = [command for section in SECTIONS for command in commands(PAGE, section)]
    said = "".join(reader.types(command) for command in shown)
    built = re.findall(r"^sha256:\w{64}$", said, re.MULTILINE)
    assert len(built) == len(IMAGES)
    [in_history] = reader.places("arg")
    assert in_history.startswith("history: RUN |1 INDEX_PASSWORD=")
    assert "configuration: Env" in reader.places("env")
    [in_layer] = reader.places("copy")
    assert re.fullmatch(r"layer \d+: /root/\.netrc", in_layer)
    for clean in ("secret", "app", "anywhere", "mirror"):
        assert reader.places(clean) == []
    # The contract's rule says the same
    assert judged(reader).verdict is Verdict.KEPT
    compose = reader.folder / "compose.yaml"
    before = compose.read_text()
    leaking = f"dockerfile: arg.Dockerfile\n      args: {{INDEX_PASSWORD: {reader.password}}}"
    compose.write_text(before.replace("dockerfile: secret.Dockerfile", leaking))
    assert "argument INDEX_PASSWORD in history: RUN |1" in judged(reader).evidence
    compose.write_text(before)
    for command in commands(PAGE, "Clean up"):
        reader.types(command)
    assert engine.leftovers(reader.name) == []
    assert reader.images == []
    # Those without a name included
    assert {*typed("docker image ls --all --quiet --no-trunc").split()}.isdisjoint(built)
    assert {path.name for path in reader.folder.iterdir()} == original


@dataclass
class Built:
    """How a build went: whether it succeeded, what it printed, and the image."""

    succeeded: bool
    said: str
    image: str

    @property
    def cached(self) -> bool:
        return bool(re.search(r"^#\d+ \[.*\] RUN .*\n#\d+ CACHED", self.said, re.MULTILINE))

    @property
    def printed(self) -> str:
        """What the commands of the build printed."""
        return "\n".join(re.findall(r"^#\d+ \d+\.\d+ (.*)", self.said, re.MULTILINE))

    @property
    def history(self) -> str:
        return typed(f"docker history --no-trunc --format '{{{{.CreatedBy}}}}' {self.image}")


def typed(line: str, **environment: str) -> str:
    """What a command prints that is none of the page's."""
    return run(Command(line, []), FOLDER, environment)


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., Built]]:
    """Builds a Dockerfile, given as a text, with secrets of these texts."""
    images = []

    def built(
        dockerfile: str, *options: str, given: Mapping[str, str] | None = None, **settings: str
    ) -> Built:
        # A name for each: one that is taken away leaves an image without any.
        image = engine.test_name("build-secrets")
        images.append(image)
        (tmp_path / "Dockerfile").write_text(dockerfile)
        words = ["--progress=plain", f"--tag={image}", *options]
        for name, text in (given or {}).items():
            (tmp_path / name).write_text(text)
            words.append(f"--secret=id={name},src={tmp_path / name}")
        said = typed(
            f"docker build {shlex.join([*words, str(tmp_path)])} || echo FAILED", **settings
        )
        return Built(not said.endswith("FAILED\n"), said, image)

    yield built
    engine.remove_images(images)


def test_what_pip_finds_at_the_index_with_and_without_the_password(
    reader: Reader, build: Callable[..., Built]
) -> None:
    dockerfile = (reader.folder / "secret.Dockerfile").read_text()
    netrc = (reader.folder / ".secrets" / "netrc").read_text()
    wrong = {"netrc": "machine localhost login reader password wrong"}
    host = "--network=host"
    # Without one: the instruction says so, or pip asks
    assert "secret netrc: not found" in build(dockerfile, host, "--no-cache").said
    optional = dockerfile.replace(",required=true", "")
    assert "User for localhost" in build(optional, host, "--no-cache").said.replace("'", "")
    # Another one is not noticed
    assert build(dockerfile, host, "--no-cache", given={"netrc": netrc}).succeeded
    again = build(dockerfile, host, given=wrong)
    assert again.succeeded
    assert again.cached
    assert not build(dockerfile, host, "--no-cache", given=wrong).succeeded
    # BuildKit prints what pip masks
    arg = (reader.folder / "arg.Dockerfile").read_text()
    said = build(arg, host, "--no-cache", f"--build-arg=INDEX_PASSWORD={reader.password}")
    assert f"reader:{reader.password}@localhost" in said.said
    assert "reader:****@localhost" in said.printed
    # As another user
    user = (
        f"{FROM}ARG PIP_INDEX_URL=http://localhost:{reader.ports['8080']}/simple/\nUSER 10001\n"
        "RUN --mount=type=secret,id=netrc,uid=10001 NETRC=/run/secrets/netrc "
        "pip install --target=/tmp/packages acme-greeting==1.0\n"
    )
    assert "NETRC=/run/secrets/netrc pip install" in PAGE.read_text()
    assert build(user, host, "--no-cache", given={"netrc": netrc}).succeeded
    at_home = user.replace("uid=10001 NETRC=/run/secrets/netrc", "uid=10001,target=/root/.netrc")
    assert not build(at_home, host, "--no-cache", given={"netrc": netrc}).succeeded
    # pip's record of an install from a URL
    port = reader.ports["8080"]
    url = f"http://reader:$(cat /run/secrets/password)@localhost:{port}/packages"
    direct = (
        f"{FROM}RUN --mount=type=secret,id=password "
        f'pip install "{url}/acme_greeting-1.0-py3-none-any.whl" '
        '&& find / -xdev -name direct_url.json -exec cat "{}" +\n'
    )
    recorded = build(direct, host, "--no-cache", given={"password": reader.password})
    assert f'"url": "http://localhost:{port}/packages' in recorded.printed
    assert not engine.places(recorded.image, [reader.password])[reader.password]


def test_a_secret_is_root_s_and_in_memory_unless_the_mount_says_whose_it_is(
    build: Callable[..., Built],
) -> None:
    look = "cat /run/secrets/it; grep /run/secrets /proc/mounts || true"
    root = build(
        f"{FROM}RUN --mount=type=secret,id=it {look}\n", "--no-cache", given={"it": "sesame\n"}
    )
    assert "sesame" in root.printed
    assert "tmpfs" in root.printed
    user = f"{FROM}USER 10001\nRUN --mount=type=secret,id=it%s {look}\n"
    assert "Permission denied" in build(user % "", "--no-cache", given={"it": "sesame\n"}).printed
    assert "sesame" in build(user % ",uid=10001", "--no-cache", given={"it": "sesame\n"}).printed


def test_a_secret_as_a_variable_wants_dockerfile_1_10(build: Callable[..., Built]) -> None:
    said = build(
        f"{FROM}RUN --mount=type=secret,id=it,env=IT echo $IT\n",
        "--no-cache",
        given={"it": "sesame"},
    )
    if said.succeeded:
        assert "sesame" in said.printed
    else:
        assert "unexpected key 'env'" in said.said


def test_a_secret_may_come_from_a_variable(
    build: Callable[..., Built], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dockerfile = f"{FROM}RUN --mount=type=secret,id=it cat /run/secrets/it\n"
    monkeypatch.setenv("SAID_AT_THE_DOOR", "sesame")
    said = build(dockerfile, "--no-cache", "--secret=id=it,env=SAID_AT_THE_DOOR")
    assert "sesame" in said.printed
    (tmp_path / "Dockerfile").write_text(dockerfile)
    (tmp_path / "compose.yaml").write_text(
        f"services: {{web: {{image: {said.image}, build: {{context: ., secrets: [it]}}}}}}\n"
        "secrets: {it: {environment: SAID_AT_THE_DOOR}}\n"
    )
    engine.remove_images([said.image])
    line = f"docker compose --progress=plain --project-directory {tmp_path} build --no-cache"
    assert re.search(r"^#\d+ \d+\.\d+ sesame", typed(line), re.MULTILINE)


@pytest.mark.parametrize(
    ("file", "code"),
    [("arg", "DL3064"), ("env", "DL3064"), ("copy", ""), ("secret", ""), ("anywhere", "")],
)
def test_hadolint_finds_two_of_three_leaks(file: str, code: str) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    words = [hadolint, "--no-fail", "--format=json", "--ignore=DL3059"]
    dockerfile = FOLDER / "private-index" / f"{file}.Dockerfile"
    said = json.loads(subprocess.check_output([*words, dockerfile]))
    assert [complaint["code"] for complaint in said] == ([code] if code else [])


def test_a_proxy_is_in_the_history_and_counts_for_the_cache_only_if_it_is_declared(
    build: Callable[..., Built],
) -> None:
    one, two = (f"http://me:{secrets.token_hex(8)}@localhost:9" for _ in range(2))
    plain = f"{FROM}RUN echo $HTTP_PROXY\n"
    first = build(plain, "--no-cache", f"--build-arg=HTTP_PROXY={one}")
    assert one in first.printed
    assert engine.places(first.image, [one]) == {one: []}
    assert build(plain, f"--build-arg=HTTP_PROXY={two}").cached
    declared = f"{FROM}ARG HTTP_PROXY\nRUN echo $HTTP_PROXY\n"
    assert one in build(declared, f"--build-arg=HTTP_PROXY={one}").history
    assert build(declared, f"--build-arg=HTTP_PROXY={one}").cached
    assert not build(declared, f"--build-arg=HTTP_PROXY={two}").cached


def test_a_proxy_of_the_docker_client_reaches_builds_and_containers(
    build: Callable[..., Built], tmp_path: Path
) -> None:
    settings = {"proxies": {"default": {"httpProxy": "http://me:one@localhost:9"}}}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    where = str(tmp_path)
    said = build(f"{FROM}RUN echo $HTTP_PROXY\n", "--no-cache", DOCKER_CONFIG=where)
    assert "http://me:one@localhost:9" in said.printed
    seen = typed(f"docker run --rm {said.image} env", DOCKER_CONFIG=where)
    assert "HTTP_PROXY=http://me:one@localhost:9" in seen


BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def test_another_ca_bundle_is_the_one_that_openssl_reads_and_leaves_the_image_as_it_was(
    build: Callable[..., Built],
) -> None:
    look = "import ssl; print(open(ssl.get_default_verify_paths().cafile).read())"
    # Without the variables of our stand-ins
    command = f'env -u SSL_CERT_FILE python -c "{look}"'
    mount = f"--mount=type=secret,id=ca,target={BUNDLE}"
    said = build(f"{FROM}RUN {mount} {command}\n", "--no-cache", given={"ca": "sesame"})
    assert "sesame" in said.printed
    before, after = (
        typed(f"docker run --rm {image} sha256sum {BUNDLE}")
        for image in ("python:3.13-slim-trixie", said.image)
    )
    assert before == after
    assert BUNDLE in before
    # pip reads it, too
    pip = (
        "env -u PIP_CERT -u SSL_CERT_FILE -u REQUESTS_CA_BUNDLE pip download --retries=0 --no-deps"
    )
    dockerfile = f"{FROM}RUN {mount} {pip} iniconfig==2.3.0\n"
    assert build(dockerfile, "--no-cache").succeeded
    assert (
        "confirming the ssl certificate" in build(dockerfile, "--no-cache", given={"ca": "x"}).said
    )


def compressed(archive: Path) -> Path:
    """What `docker image save` writes with the containerd image store."""
    other = archive.with_name("compressed.tar")
    with tarfile.open(archive) as saved, tarfile.open(other, "w") as written:
        layers = json.load(saved.extractfile("manifest.json"))[0]["Layers"]
        for member in saved:
            content = saved.extractfile(member).read() if member.isfile() else b""
            if member.name in layers and content[:2] != b"\x1f\x8b":
                content = gzip.compress(content, compresslevel=1)
            member.size = len(content)
            written.addfile(member, io.BytesIO(content))
    return other


def test_the_program_of_the_page_looks_into_compressed_layers(
    build: Callable[..., Built], tmp_path: Path
) -> None:
    built = build(f"{FROM}RUN echo open-sesame > /hidden\nRUN rm /hidden\n")
    typed(f"docker image save --output {tmp_path}/image.tar {built.image}")
    archive = compressed(tmp_path / "image.tar")
    (tmp_path / "text").write_text("open-sesame\n")
    search = FOLDER / "private-index" / "search.py"
    with archive.open("rb") as file:
        said = subprocess.check_output(
            [sys.executable, search, tmp_path / "text"], stdin=file, text=True
        )
    assert "FOUND in /hidden\n" in said


@pytest.mark.parametrize("file", sorted((FOLDER / "private-index").glob("*.Dockerfile")))
def test_the_page_shows_the_dockerfiles_as_they_are(file: Path) -> None:
    shown = f"```dockerfile\n{file.read_text()}```" in PAGE.read_text()
    assert shown or file.name == "index.Dockerfile"


def test_the_page_shows_the_compose_file_as_it_is() -> None:
    [block] = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    rest = (FOLDER / "private-index" / "compose.yaml").read_text()
    for line in block.splitlines(keepends=True):
        _, found, rest = rest.partition(line)
        assert found, line


def test_the_password_gets_neither_into_a_commit_nor_into_the_build_context(
    tmp_path: Path,
) -> None:
    copy = Path(shutil.copytree(FOLDER / "private-index", tmp_path / "private-index"))
    (copy / ".secrets").mkdir(exist_ok=True)
    (copy / ".secrets" / "password").write_text("open-sesame")
    said = run(Command("git init --quiet && git add . && git ls-files", []), copy, {})
    assert "search.py" in said
    assert ".secrets" not in said
    (copy / "all.Dockerfile").write_text(f"{FROM}COPY . /all\n")
    name = engine.test_name("build-secrets")
    try:
        run(Command(f"docker build --quiet --file all.Dockerfile --tag {name} .", []), copy, {})
        places = engine.places(name, ["HtpasswdFile", "open-sesame"])
        assert places["HtpasswdFile"][-1].endswith("/all/index.py")
        assert places["open-sesame"] == []
    finally:
        engine.remove_images([name])


def test_the_program_of_the_page_says_what_it_cannot_read(tmp_path: Path) -> None:
    zstd = b"\x28\xb5\x2f\xfd\x04\x00"
    with tarfile.open(tmp_path / "image.tar", "w") as archive:
        layer = tarfile.TarInfo("layer")
        layer.size = len(zstd)
        archive.addfile(layer, io.BytesIO(zstd))
    (tmp_path / "text").write_text("open-sesame\n")
    search = FOLDER / "private-index" / "search.py"
    with (tmp_path / "image.tar").open("rb") as file:
        words = [sys.executable, search, tmp_path / "text"]
        said = subprocess.run(words, stdin=file, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert said.stderr.startswith("A layer is compressed by zstd")
    assert said.stdout == ""
