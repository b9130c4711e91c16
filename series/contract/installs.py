"""What a Dockerfile installs by name, and what installers say that they installed."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from e2b_dockerfile_utils import DockerfileSyntaxError, parse_dockerfile_ast
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from series.contract.finding import CannotTell

_INSTALLER = re.compile(r"\b(?:pip3?|pipx|uv|poetry|pipenv|pdm)\b[^\n]*\b(?:install|sync|add)\b")

# How installers say in a log what they have installed.
_PIP = re.compile(r"Successfully installed (.+)")
_ONE = re.compile(
    r"\s*(?:"
    r"[-•] (?:Installing|Updating) (\S+) \("  # Poetry
    r"|\+ ([\w.-]+)(?:==| @ )"  # uv
    r")"
)


def installs_packages(dockerfile: str) -> bool:
    """Tell whether a Dockerfile installs Python packages."""
    return bool(_INSTALLER.search(dockerfile.replace("\\\n", " ")))


def installed(output: Iterable[str]) -> set[str]:
    """Return the names, normalised, of the distributions that installers say they installed."""
    names = set()
    for line in output:
        if pip := _PIP.match(line):
            names |= {name.rpartition("-")[0] for name in pip[1].split()}
        elif one := _ONE.match(line):
            names.add(one[1] or one[2])
    return {canonicalize_name(name) for name in names}


def own_names(folder: Path) -> set[str]:
    """Return the names, normalised, of the distributions that a project itself is."""
    names = set()
    for file in folder.rglob("pyproject.toml"):
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        for table in (content.get("project", {}), content.get("tool", {}).get("poetry", {})):
            names.add(table.get("name", ""))
    for file in folder.glob("setup.*"):
        names |= {*re.findall(r"\bname\s*=\s*[\"']?([\w.-]+)", file.read_text(encoding="utf-8"))}
    return {canonicalize_name(name) for name in names if name}


@dataclass(frozen=True)
class Tool:
    """Something that a Dockerfile names and that comes from outside.

    Attributes:
        name: what is asked for, with its version if it has one.
        exact: whether the version is exact.
        line: where, in the Dockerfile.
    """

    name: str
    exact: bool
    line: int


def tools(dockerfile: str) -> list[Tool]:
    """Return the tools that a Dockerfile installs by name, in its order.

    Raises:
        CannotTell: it is no Dockerfile.
    """
    try:
        instructions = parse_dockerfile_ast(dockerfile).instructions
    except DockerfileSyntaxError as wrong:
        raise CannotTell(str(wrong)) from None
    stages: set[str] = set()
    values: dict[str, str] = {}
    found = []
    for instruction in instructions:
        words, line = instruction.args, instruction.start_line
        if instruction.name == "FROM":
            stages |= {name.lower() for name in words[2:]}  # FROM image AS name
        elif instruction.name == "ARG":
            given = [word.partition("=") for word in words]
            values |= {name: _filled(value, values) for name, equals, value in given if equals}
        elif instruction.name == "ENV":
            given = zip(words[::3], words[1::3], strict=True)  # name, value, delimiter, name, …
            values |= {name: _filled(value, values) for name, value in given}
        named = [
            Tool(name, _exact_tag(name), line)
            for name in (_filled(image, values) for image in _images(instruction.flags))
            if name.lower() not in stages and not name.isdecimal()
        ]
        if instruction.name == "RUN":
            text = "\n".join([*words, *(here.content for here in instruction.heredocs)])
            named += [Tool(name, exact, line) for name, exact in _run(text, values)]
        found += named
    return found


_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})")


def _filled(text: str, values: dict[str, str]) -> str:
    """A text with the variables filled in that are known."""

    def value(match: re.Match[str]) -> str:
        return values.get(match[1] or match[2]) or match[3] or match[0]

    return _VARIABLE.sub(value, text.strip("\"'"))


def _images(flags: Iterable[str]) -> Iterator[str]:
    """The images and stages that COPY --from and RUN --mount take files from."""
    for flag in flags:
        name, _, value = flag.partition("=")
        if name == "--from":
            yield value
        elif name == "--mount":
            yield from (part[5:] for part in value.split(",") if part.startswith("from="))


def _exact_tag(image: str) -> bool:
    tag = image.rpartition("/")[2].partition(":")[2]
    return "@sha256:" in image or bool(re.search(r"\d+\.\d+\.\d+", tag))


def _run(text: str, values: dict[str, str]) -> Iterator[tuple[str, bool]]:
    """What the commands of a RUN instruction name: what it is, and whether it is exact."""
    for pipeline in _pipelines(text):
        for position, words in enumerate(pipeline):
            here = dict(values)
            while words and (assigned := re.fullmatch(r"(\w+)=(.*)", words[0])):
                here[assigned[1]] = assigned[2]
                words = words[1:]
            words = [_filled(word, here) for word in words]
            yield from _installed_by_name(words)
            if words and words[0] in ("curl", "wget") and position + 1 < len(pipeline):
                yield from _downloaded(words, pipeline[position + 1], here)


def _pipelines(text: str) -> list[list[list[str]]]:
    """A shell text as pipelines of commands of words."""
    lines = text.replace("\\\n", " ").splitlines()
    lines = [line for line in lines if not line.lstrip().startswith("#")]
    lexer = shlex.shlex(" ; ".join(lines), posix=True, punctuation_chars=";&|()")
    lexer.whitespace_split, lexer.commenters = True, ""
    pipelines: list[list[list[str]]] = [[[]]]
    try:
        for word in lexer:
            if word == "|":
                pipelines[-1].append([])
            elif word and set(word) <= set(";&|()"):
                pipelines.append([[]])
            else:
                pipelines[-1][-1].append(word)
    except ValueError as wrong:
        raise CannotTell(f"A RUN instruction cannot be read ({wrong}): {text}") from None
    return pipelines


# Options whose value is the next word.
_WITH_VALUE = {
    *("-r", "--requirement", "--requirements", "-c", "--constraint", "--constraints", "-e"),
    *("--build-constraint", "--build-constraints", "-b"),
    *("--editable", "-t", "--target", "-i", "--index-url", "--extra-index-url", "--index"),
    *("--default-index", "-f", "--find-links", "--prefix", "--root", "-p", "--python", "--cert"),
    *("--platform", "--python-version", "--python-platform", "--cache-dir", "--trusted-host"),
    *("--only-binary", "--no-binary", "--timeout", "--retries", "--group", "--extra", "--log"),
    *("--root-user-action", "--progress-bar", "--proxy", "--config-settings", "--link-mode"),
}
_INSTALL = [
    re.compile(r"pip[\d.]* install"),
    re.compile(r"python[\d.]* -m pip install"),
    re.compile(r"uv pip install"),
    re.compile(r"uv tool (?:install|run)"),
    re.compile(r"pipx (?:install|inject|run)"),
    re.compile(r"uvx"),
    re.compile(r"poetry self add"),
]


def _installed_by_name(words: list[str]) -> Iterator[tuple[str, bool]]:
    """What pip and its kin are told to install by name."""
    plain, value_follows = [], False
    for word in words:
        if not value_follows and (word == "-m" or not re.match(r"-|\d*[<>]", word)):
            plain.append(word)
        value_follows = word in _WITH_VALUE or bool(re.fullmatch(r"\d*[<>]+", word))
    command = " ".join([Path(plain[0]).name, *plain[1:]]) if plain else ""
    verb = next((m for m in (verb.match(command) for verb in _INSTALL) if m), None)
    if verb is None:
        return
    named = plain[len(verb[0].split()) :]
    # What follows the first name is an argument of the tool that is run.
    for name in named[:1] if verb[0].endswith("run") or verb[0] == "uvx" else named:
        if not re.match(r"[./~$]|\w+://", name) and not name.endswith((".whl", ".gz", ".zip")):
            yield name, _exact_requirement(name)


def _exact_requirement(text: str) -> bool:
    if "@" in text and "://" not in text:  # poetry self add plugin@1.2.3, uvx ruff@0.17.0
        return bool(re.fullmatch(r"(?:==)?\d+(?:\.\w+)+", text.partition("@")[2]))
    try:
        wanted = Requirement(text).specifier
    except InvalidRequirement:
        return False
    return any(one.operator in ("==", "===") and "*" not in one.version for one in wanted)


def _downloaded(
    words: list[str], reader: list[str], values: dict[str, str]
) -> Iterator[tuple[str, bool]]:
    """A script that is downloaded and given to an interpreter: an installer, as a rule."""
    settings = dict(word.partition("=")[::2] for word in reader if re.match(r"\w+=", word))
    program = next((word for word in reader if not re.match(r"\w+=", word)), "")
    if not re.fullmatch(r"(?:\w*sh|python[\d.]*)", Path(program).name):
        return
    told = {**values, **settings}
    for url in (word for word in words if re.match(r"https?://", word)):
        # install.python-poetry.org reads POETRY_VERSION, and others do likewise.
        named = (name for name, value in told.items() if re.fullmatch(r"\d+(\.\w+)+", value))
        by_variable = any(
            name.endswith("_VERSION") and name.removesuffix("_VERSION").lower() in url.lower()
            for name in named
        )
        yield url, by_variable or bool(re.search(r"/v?\d+\.\d+\.\d+", url))
