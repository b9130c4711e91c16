"""The generated parts of the READMEs. Each stands between two comments that a page does not show.

    <!-- generated: toc -->
    <!-- end -->

    toc           the list of lessons; in a lesson's README folded, with this lesson marked; on the
                  front page with the minutes that it takes to teach each
    navigation    the lesson before and the one after
    file NAME     a file of the lesson's folder; on the front page, of the repository
    diff NAME     what changed in that file since the lesson that this one builds on
    files         which files are new, changed or gone since then
    better        the rules of the contract that became better, each with its test
    worse         the rules that became worse, and those that stay broken
    rules         all rules with their promises
    verdicts      what the rules found of all lessons, as `make verdicts` has saved it
    measured NAME what `make measure` has saved: its conditions, or one of its tables
    rivals NAME   what `make rivals` has saved: its conditions, the table, or the stops under load
    compared      how the rival that goes this lesson's way compares with the one that goes the way
                  of the lesson before, and how long the Dockerfiles of both lessons are

What stands outside of them is never touched. With the pages goes the file of figures that the
dashboard of extra 5 shows.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from series import figures, measuring, rivals, verdicts
from series.contract import DEEP, RULES, Verdict, promise
from series.lessons import ROOT, Lesson, load

_BEGIN = re.compile(r"^<!-- generated: (.*) -->$", re.MULTILINE)
_PART = re.compile(
    r"^(?P<begin><!-- generated: (?P<kind>\S+)(?: (?P<name>\S+))? -->\n)"
    r"(?:(?!<!-- generated: ).*\n)*?(?P<end><!-- end -->)$",
    re.MULTILINE,
)
_LANGUAGES = {
    ".json": "json",
    ".py": "python",
    ".sh": "shell",
    ".sql": "sql",
    ".toml": "toml",
    ".txt": "text",
    ".yaml": "yaml",
}


class ReadmeError(Exception):
    """A part that cannot be generated; the message is a sentence for whoever wrote the README."""


def declared(lesson: Lesson, rule: str) -> Verdict:
    """Return what `lessons.toml` says of a rule in a lesson."""
    if rule in lesson.breaks:
        return Verdict.BROKEN
    return Verdict.DOES_NOT_APPLY if rule in lesson.does_not_apply else Verdict.KEPT


def pages() -> list[Path]:
    """Return the pages that may have generated parts: the front page, and one for each lesson."""
    return [ROOT / "README.md", *(lesson.path / "README.md" for lesson in load())]


def render(text: str, lesson: Lesson | None) -> str:
    """Return the text of a page with its generated parts up to date.

    Args:
        text: what the page says now.
        lesson: the lesson whose README it is; None for the front page.

    Raises:
        ReadmeError: the page asks for something that cannot be generated.
    """
    whole = {match.start() for match in _PART.finditer(text)}
    for match in _BEGIN.finditer(text):
        if match.start() not in whole:
            raise ReadmeError(f"{match[0]} has no <!-- end --> after it.")

    def part(match: re.Match[str]) -> str:
        try:
            return f"{match['begin']}{_part(match['kind'], match['name'], lesson)}{match['end']}"
        except ReadmeError as wrong:
            raise ReadmeError(f"{match['begin'].strip()} {wrong}") from None

    return _PART.sub(part, text)


def stale() -> dict[Path, str]:
    """Return the pages and other files that are out of date, with the text that each should have.

    Raises:
        ReadmeError: a page is not there, or asks for something that cannot be generated.
    """
    changed = {}
    for page in pages():
        lesson = next((lesson for lesson in load() if lesson.path == page.parent), None)
        try:
            text = page.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise ReadmeError(f"{page.relative_to(ROOT)} is not there.") from None
        try:
            new = render(text, lesson)
        except ReadmeError as wrong:
            raise ReadmeError(f"{page.relative_to(ROOT)}: {wrong}") from None
        if new != text:
            changed[page] = new
    shown = figures.text(_compared_ways(), _judged())
    if not figures.FILE.is_file() or figures.FILE.read_text(encoding="utf-8") != shown:
        changed[figures.FILE] = shown
    return changed


def write() -> list[Path]:
    """Bring all pages and the file of figures up to date, and return those that were not.

    Raises:
        ReadmeError: a page asks for something that cannot be generated; then none is changed.
    """
    changed = stale()
    if figures.FILE in changed:
        # A page lists the files that are there, and this is one of them.
        figures.FILE.write_text(changed[figures.FILE], encoding="utf-8")
        changed |= stale()
    for page, text in changed.items():
        page.write_text(text, encoding="utf-8")
    return [*changed]


def _part(kind: str, name: str | None, lesson: Lesson | None) -> str:
    match kind, name, lesson:
        case "toc", None, _:
            return _contents(lesson)
        case "measured", str(), _:
            return _one_of(measuring.report(_saved(measuring.load, "measure")), name)
        case "rivals", str(), _:
            return _one_of(rivals.report(_compared_ways()), name)
        case "compared", None, Lesson():
            return _compared(lesson)
        case "rules", None, _:
            return _rules()
        case "verdicts", None, None:
            return _verdicts(_judged())
        case "navigation", None, Lesson():
            return _navigation(lesson)
        case "file", str(), _:
            return _block(_language(name), _read(lesson, name))
        case "diff", str(), Lesson():
            return _diff(lesson, name)
        case "files", None, Lesson():
            return _files(lesson)
        case "better", None, Lesson():
            return _better(lesson)
        case "worse", None, Lesson():
            return _worse(lesson)
    raise ReadmeError("is not known here; series/readmes.py lists what is.")


def _contents(here: Lesson | None) -> str:
    entries = []
    for lesson in load():
        entry = f"**{lesson.title}** (you are here)" if lesson == here else _link(lesson, here)
        minutes = "" if here else f" ({lesson.minutes} minutes)"
        entries.append(f"- {entry}{minutes}  \n  {lesson.summary}\n")
    listed = "".join(entries)
    if here is None:
        return listed
    return f"<details>\n<summary>All lessons</summary>\n\n{listed}\n</details>\n"


def _link(lesson: Lesson, here: Lesson | None) -> str:
    return f"[{lesson.title}]({'../' if here else ''}{lesson.folder}/README.md)"


def _navigation(here: Lesson) -> str:
    lessons = load()
    position = lessons.index(here)
    lines = []
    if position:
        lines.append(f"Before: {_link(lessons[position - 1], here)}")
    if position + 1 < len(lessons):
        lines.append(f"Next: {_link(lessons[position + 1], here)}")
    return "  \n".join(lines) + "\n"


def _before(lesson: Lesson) -> Lesson | None:
    return next((other for other in load() if other.folder == lesson.builds_on), None)


def _read(lesson: Lesson | None, name: str) -> str:
    folder = lesson.path if lesson else ROOT
    try:
        return (folder / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ReadmeError(f"names a file that is not in {folder.name}.") from None


def _language(name: str) -> str:
    return "dockerfile" if name.endswith("Dockerfile") else _LANGUAGES.get(Path(name).suffix, "")


def _block(language: str, content: str) -> str:
    return f"```{language}\n{content.rstrip()}\n```\n"


def _diff(lesson: Lesson, name: str) -> str:
    before = _before(lesson)
    if before is None:
        raise ReadmeError("compares with the lesson before, and there is none.")
    lines = difflib.unified_diff(
        _read(before, name).splitlines(),
        _read(lesson, name).splitlines(),
        f"{before.folder}/{name}",
        f"{lesson.folder}/{name}",
        lineterm="",
    )
    changes = "\n".join(lines)
    return _block("diff", changes) if changes else f"`{name}` is the same as before.\n"


def _listed(lesson: Lesson | None) -> dict[str, bytes]:
    """The files of a lesson that are of interest, by their paths in its folder."""
    if lesson is None:
        return {}
    files = sorted(file for file in lesson.path.rglob("*") if file.is_file())
    named = {file.relative_to(lesson.path).as_posix(): file for file in files}
    # What tools leave behind is hidden or compiled; an empty file says nothing.
    return {
        name: file.read_bytes()
        for name, file in named.items()
        if not re.search(
            r"(^|/)(\.(?!dockerignore|gitignore|pre-commit|devcontainer|vscode)|__pycache__/)", name
        )
        and name != "README.md"
        and file.stat().st_size
    }


def _files(lesson: Lesson) -> str:
    now, then = _listed(lesson), _listed(_before(lesson))

    def links(names: Iterable[str]) -> str:
        return ", ".join(f"[`{name}`]({name})" for name in names)

    changed = [name for name in now if name in then and now[name] != then[name]]
    gone = ", ".join(f"`{name}`" for name in then if name not in now)
    lines = {
        "New": links(name for name in now if name not in then),
        "Changed": links(changed),
        "Gone": gone,
    }
    return "".join(f"- {word}: {names}\n" for word, names in lines.items() if names)


def _flipped(lesson: Lesson, *wanted: Verdict) -> list[tuple[str, Verdict]]:
    """The rules that are what is wanted, and were not in the lesson before."""
    before = _before(lesson)
    now = {rule: declared(lesson, rule) for rule in RULES}
    return [
        (rule, verdict)
        for rule, verdict in now.items()
        if verdict in wanted and (before is None or declared(before, rule) is not verdict)
    ]


def _rule(rule: str) -> str:
    return f"[`{rule}`](../tests/contract/test_{rule.replace('-', '_')}.py)"


_NOTHING = "Nothing that [the contract](../README.md#the-contract) sees.\n"


def _better(lesson: Lesson) -> str:
    lines = [
        f"- {_rule(rule)} is kept: {promise(rule)}\n" for rule, _ in _flipped(lesson, Verdict.KEPT)
    ]
    return "".join(lines) or _NOTHING


def _worse(lesson: Lesson) -> str:
    before = _before(lesson)
    lines = [
        f"- {_rule(rule)} is broken. Its promise: {promise(rule)}\n"
        for rule, _ in _flipped(lesson, Verdict.BROKEN)
    ] or [f"- {_NOTHING}"]
    still = [rule for rule in lesson.breaks if before and declared(before, rule) is Verdict.BROKEN]
    if still:
        lines.append(f"- Broken as before: {', '.join(_rule(rule) for rule in still)}\n")
    if silent := _flipped(lesson, Verdict.DOES_NOT_APPLY):
        names = ", ".join(_rule(rule) for rule, _ in silent)
        lines.append(f"- Does not apply here: {names}\n")
    return "".join(lines)


def _saved(load: Callable[[], Any], command: str) -> Any:  # noqa: ANN401
    try:
        return load()
    except FileNotFoundError:
        raise _unknown(command) from None


def _unknown(command: str) -> ReadmeError:
    return ReadmeError(f"shows what nobody has found out yet. Type: make {command}")


def _one_of(parts: dict[str, str], name: str) -> str:
    if name not in parts:
        raise ReadmeError(f"is not measured; there is: {', '.join(parts)}.")
    return parts[name]


def _compared_ways() -> dict[str, Any]:
    found = _saved(rivals.load, "rivals")
    for way in rivals.contestants():
        if not {*rivals.QUANTITIES} <= {*found["samples"].get(way.name, ())}:
            raise _unknown("rivals")
    return found


def _judged() -> verdicts.Verdicts:
    found = _saved(verdicts.load, "verdicts")
    if any({*found.get(lesson.folder, ())} != {*RULES} for lesson in load()):
        raise _unknown("verdicts")
    return found


def _compared(lesson: Lesson) -> str:
    before = _before(lesson)
    if not (before and before.rival and lesson.rival):
        raise ReadmeError("compares two ways, and lessons.toml does not name a rival for each.")
    ways = (before.rival, lesson.rival)
    rows = rivals.compared(_compared_ways(), *ways)
    lines = [_instruction_lines(_read(one, "Dockerfile")) for one in (before, lesson)]
    rows["lines of the lesson's Dockerfile, without comments"] = [str(number) for number in lines]
    words = (f"{before.title.partition(':')[0].lower()}'s way", "this way")
    heads = [
        f"[{word}](../series/rivals/{way}/Dockerfile)"
        for word, way in zip(words, ways, strict=True)
    ]
    table = "".join(f"| {title} | {' | '.join(cells)} |\n" for title, cells in rows.items())
    return f"| | {' | '.join(heads)} |\n|---|--:|--:|\n{table}"


def _instruction_lines(dockerfile: str) -> int:
    """How many lines it has without comments and empty lines."""
    lines = [line.strip() for line in dockerfile.splitlines()]
    return sum(bool(line) and not line.startswith("#") for line in lines)


def _rules() -> str:
    rows = "".join(
        f"| [`{rule}`](tests/contract/test_{rule.replace('-', '_')}.py) | {promise(rule)}"
        f"{' (deep)' if rule in DEEP else ''} |\n"
        for rule in RULES
    )
    return f"| rule | the promise |\n|---|---|\n{rows}"


_SIGNS = {Verdict.KEPT: "✓", Verdict.BROKEN: "✗", Verdict.DOES_NOT_APPLY: "·"}


def _verdicts(found: verdicts.Verdicts) -> str:
    """A column for each lesson, headed by the first letter and the number of its title."""
    heads = []
    for lesson in load():
        kind, number = re.match(r"(\w)\w*(?: (\d+):)?", lesson.title).groups(default="")
        heads.append(f"[{kind}{number}]({lesson.folder}/README.md)")
    rows = []
    for rule in RULES:
        link = f"[`{rule}`](tests/contract/test_{rule.replace('-', '_')}.py)"
        cells = [_SIGNS[Verdict(found[lesson.folder][rule])] for lesson in load()]
        rows.append(f"| {link} | {' | '.join(cells)} |\n")
    return f"| | {' | '.join(heads)} |\n|---|{':-:|' * len(heads)}\n{''.join(rows)}"
