"""What an image tells of the secrets that its build was given."""

from __future__ import annotations

import json
import re
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from e2b_dockerfile_utils import DockerfileSyntaxError, parse_dockerfile_ast

from series import engine
from series.contract.finding import CannotTell, Finding, broken, does_not_apply, kept
from series.contract.subject import Subject

# The words by which BuildKit's check knows a secret, and the one that it lets through:
# https://github.com/moby/buildkit/blob/master/frontend/dockerfile/dockerfile2llb/convert.go
_SECRET = re.compile(
    r"(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)", re.I
)
_PUBLIC = re.compile(r"(?:_|^)public(?:_|$)", re.I)
# Files that may hold secrets; # begins a comment in all but the last.
_FILE = re.compile(
    r"\.env(?!\.(?:example|sample|template|dist)$)(\..+)?"
    r"|[._]netrc|pip\.conf|\.pypirc|\.npmrc|id_(rsa|ecdsa|ed25519)"
)
# Where the password itself stands in such files, and in addresses.
_PASSWORD = re.compile(
    r"(?:password|passwd|secret|token|key)[\w\"']*\s*[=:\s]\s*(\S+)|:([^:@/\s]+)@", re.I
)
# Whom to trust is no secret, and most of it is in the base image.
_CERTIFICATES = re.compile(
    r"(?:^|[/._-])(?:ca|ca[._-]?bundle|cert|certs|certificates)(?:\.pem)?$|\.crt$"
)
# A value that is short, or only a word, may be found by chance.
_BY_CHANCE = re.compile(r".{0,7}|[a-z]*")
# A file that no instruction names may still be in a folder that one does.
_BESIDE = "file beside the Dockerfile,"


@dataclass(frozen=True)
class _Secret:
    """A secret of a build.

    Attributes:
        kind: argument, secret, variable, file, or file beside the Dockerfile.
        name: its name, id or path.
        texts: what is searched for.
        made_up: whether the project has none of its own.
    """

    kind: str
    name: str
    texts: tuple[str, ...]
    made_up: bool = False


def no_secrets(subject: Subject) -> Finding:
    """No secret that the build is given is in the image's history, configuration or layers.

    Found out by building, with made-up secrets where the project has none of its own, and searching
    the image for their values. Secrets are what the compose file or the Dockerfile mounts as such,
    arguments and variables whose names BuildKit takes for a secret's, and copied files such as
    .netrc. Certificates are none. Compressed files inside of a layer stay closed.

    Source: https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/
    """
    given = _secrets(subject)
    if not given:
        return does_not_apply("The build is given no secret.")
    with _built(subject, given) as project:
        places = project.places({text for secret in given for text in secret.texts})
    found = [
        f"{secret.kind} {secret.name} in {_masked(place, given)}"
        for secret in given
        for text in secret.texts
        for place in places[text]
    ]
    if found:
        found = [*dict.fromkeys(found)]
        return broken("\n".join([f"The image tells the {found[0]}", *found[1:]]))
    names = [f"{secret.kind} {secret.name}" for secret in given if secret.kind != _BESIDE]
    if not names:
        return does_not_apply("The build is given no secret.")
    return kept(f"Not in the image: {', '.join(names)}")


def _masked(place: str, given: Iterable[_Secret]) -> str:
    """A place as evidence shows it, which must not tell the secrets either."""
    for secret in given:
        for text in secret.texts:
            place = place.replace(text.removeprefix(f"{secret.name}="), "…")
    return place


def _secrets(subject: Subject) -> list[_Secret]:
    """The secrets that a build is given, with values made up for those that the project lacks."""
    found: list[_Secret] = []
    project = subject.project
    mounted = project.build_secrets
    for kind, name, value in _asked_for(subject):
        match kind:
            case "secret":
                mounted.setdefault(name, None)
            case "argument":
                found.append(_own_or_made_up(kind, name, project.build_arguments.get(name)))
            case "variable":
                found.append(_Secret(kind, name, (f"{name}={value}",)))
            case _:
                found.append(_own_or_made_up(kind, name, None))
    found += [
        _own_or_made_up("secret", name, said)
        for name, said in mounted.items()
        if not (_CERTIFICATES.search(name) or "-BEGIN CERTIFICATE-" in (said or ""))
    ]
    # Two instructions may ask for the same one.
    return [*{(secret.kind, secret.name): secret for secret in found}.values()]


def _own_or_made_up(kind: str, name: str, own: str | None) -> _Secret:
    parts = [own or "", *(part for match in _PASSWORD.findall(own or "") for part in match)]
    texts = tuple(part.strip() for part in parts if not _BY_CHANCE.fullmatch(part.strip()))
    return _Secret(kind, name, texts or (secrets.token_hex(16),), made_up=not texts)


def _asked_for(subject: Subject) -> Iterator[tuple[str, str, str]]:
    """What the Dockerfile asks for: kind, name, and the value of a variable."""
    try:
        instructions = parse_dockerfile_ast(subject.dockerfile.read_text("utf-8")).instructions
    except DockerfileSyntaxError as wrong:
        raise CannotTell(str(wrong)) from None
    for instruction in instructions:
        words = instruction.args
        if instruction.name == "ARG":
            defaults = [word.partition("=")[::2] for word in words]
            yield from (("argument", name, "") for name, _ in defaults if _is_secret(name))
            yield from _written_out(defaults)
        elif instruction.name == "ENV":
            yield from _written_out(zip(words[::3], words[1::3], strict=True))
        elif instruction.name in ("COPY", "ADD") and not _flag(instruction.flags, "--from"):
            folder = subject.folder
            names = {word for word in words[:-1] if _FILE.fullmatch(PurePosixPath(word).name)}
            beside = {str(path.relative_to(folder)) for path in folder.rglob("*")} - names
            beside = {name for name in beside if _FILE.fullmatch(PurePosixPath(name).name)}
            kinds = [("file", name) for name in names] + [(_BESIDE, name) for name in beside]
            yield from ((kind, name, "") for kind, name in sorted(kinds) if _tells(folder / name))
        for mount in _flag(instruction.flags, "--mount"):
            option = dict(part.partition("=")[::2] for part in mount.split(","))
            target = next((option[n] for n in ("target", "dst", "destination") if n in option), "")
            if option.get("type") == "secret" and not _CERTIFICATES.search(target):
                yield "secret", option.get("id") or PurePosixPath(target).name, ""


def _is_secret(name: str) -> bool:
    return bool(_SECRET.search(name) and not _PUBLIC.search(name))


def _written_out(values: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """The secrets whose values the Dockerfile has; those of an argument are looked for as such."""
    for name, value in values:
        value = value.strip("\"'")
        # A path only says where to look.
        if _is_secret(name) and value and not re.search(r"^/|\$", value):
            yield "variable", name, value


def _tells(file: Path) -> bool:
    """Tell whether a file holds a secret, as one does that is not there: git does not get it."""
    if not file.exists():
        return True
    text = file.read_text("utf-8", errors="replace") if file.is_file() else ""
    return bool(_PASSWORD.search(text) or "PRIVATE KEY" in text)


def _flag(flags: Iterable[str], name: str) -> list[str]:
    return [flag.partition("=")[2] for flag in flags if flag.partition("=")[0] == name]


@contextmanager
def _built(subject: Subject, given: list[_Secret]) -> Iterator[engine.Project]:
    """Build the project with its secrets, under a name of its own."""
    made_up = [secret for secret in given if secret.made_up]
    with ExitStack() as stack:
        room = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        arguments, sources = {}, {}
        for number, secret in enumerate(made_up):
            if secret.kind == "argument":
                arguments[secret.name] = secret.texts[0]
            elif secret.kind in ("file", _BESIDE):
                stack.enter_context(_marked(subject.folder / secret.name, secret.texts[0]))
            else:
                (room / str(number)).write_text(_plausible(secret), encoding="utf-8")
                sources[secret.name] = {"file": str(room / str(number))}
        build = json.dumps({"args": arguments, "secrets": [*sources]})
        top = ", ".join(
            f"{json.dumps(name)}: !override {json.dumps(sources[name])}" for name in sources
        )
        settings = (
            f"services: {{{subject.project.service}: {{image: !reset null, build: {build}}}}}\n"
            f"secrets: {{{top}}}\n"
        )
        project = stack.enter_context(subject.variant(settings))
        try:
            # Another secret alone makes no instruction run again.
            project.build(project.service, cache=False)
        except engine.BuildError as failed:
            if not made_up:
                raise
            names = ", ".join(f"{one.kind} {one.name}" for one in made_up)
            raise CannotTell(
                f"With made-up values the build fails; give it real ones: {names}\n{failed}"
            ) from None
        yield project


def _plausible(secret: _Secret) -> str:
    """A text with a made-up value, which programs can read that read such files."""
    value = secret.texts[0]
    if "netrc" in secret.name:
        return f"machine example.invalid login nobody password {value}\n"
    return f"# {value}\n" if _FILE.fullmatch(secret.name) else value


@contextmanager
def _marked(file: Path, value: str) -> Iterator[None]:
    """Give a file a last line with a made-up value, which is a comment; it need not be there."""
    before = file.read_bytes() if file.is_file() else None
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes((before or b"") + f"\n# {value}\n".encode())
    try:
        yield
    finally:
        if before is None:
            file.unlink()
        else:
            file.write_bytes(before)
