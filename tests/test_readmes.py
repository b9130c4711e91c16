"""What the READMEs show of other files, and where they point."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from series import readmes
from series.contract import RULES
from series.lessons import ROOT, Lesson, last, load

PAGES = [
    *sorted(ROOT.glob("*.md")),
    *(page for lesson in load() for page in lesson.path.glob("*.md")),
]
HEADINGS = [
    "TL;DR",
    "Table of contents",
    "Running the example",
    "What changed?",
    "Changes from the previous step",
    "New files",
    "Things that got better",
    "Things that got worse",
    "Try it yourself",
    "Summary",
]

each_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix()
)


def prose(page: Path) -> str:
    """The text of a page without its blocks of code."""
    text = page.read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


@each_page
def test_every_link_to_a_file_or_a_heading_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#\s]*)#?([^)\s]*)\)", prose(page))
    dead = []
    for path, anchor in links:
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(f"{path}#{anchor}")
    assert dead == []


@each_page
def test_the_first_command_stands_within_twenty_lines(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    unfolded = re.sub(r"</summary>\n.*?^</details>", "</summary>", text, flags=re.M | re.S)
    lines = [line for line in unfolded.splitlines() if not line.startswith(("#", "<!--"))]
    assert any(line.startswith("$ ") for line in lines[:20])


def test_the_front_page_shows_what_make_up_prints() -> None:
    assert f'answers {{"variant":"{last().variant}"}}' in (ROOT / "README.md").read_text("utf-8")


def test_a_lesson_has_the_headings_that_all_have(lesson: Lesson) -> None:
    text = prose(lesson.path / "README.md")
    assert re.findall(r"^# (.+)$", text, re.MULTILINE) == [lesson.title]
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS


def test_a_lesson_shows_its_answer_as_it_is(lesson: Lesson) -> None:
    text = (lesson.path / "README.md").read_text(encoding="utf-8")
    shown = f'\n{{"variant":"{lesson.variant}"}}\n' if lesson.variant else "](dashboard.png)\n"
    assert shown in text


def test_what_is_generated_is_up_to_date() -> None:
    assert [*readmes.stale()] == [], "Type: make readmes"


def part(kind: str, body: str = "") -> str:
    return f"before\n<!-- generated: {kind} -->\n{body}<!-- end -->\nafter\n"


def test_what_stands_outside_of_a_generated_part_is_not_touched() -> None:
    first = load()[0]
    dockerfile = (first.path / "Dockerfile").read_text(encoding="utf-8")
    new = part("file Dockerfile", f"```dockerfile\n{dockerfile}```\n")
    for old in ["", "stale\n", "```dockerfile\nFROM scratch\n```\n"]:
        text = part("file Dockerfile", old)
        assert readmes.render(text + text, first) == new + new


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<!-- generated: toc -->\nno end\n", "toc --> has no <!-- end --> after it."),
        (f"<!-- generated: toc -->\n{part('toc')}", "toc --> has no <!-- end --> after it."),
        (part("no-such-kind"), "no-such-kind --> is not known here; series/readmes.py lists"),
        (part("poem"), "poem --> is not known here; series/readmes.py lists"),
        (part("measured luck"), "measured luck --> is not measured; there is: machine, downloads"),
        (part("file no.such"), "file no.such --> names a file that is not in step-1-kiss-"),
        (part("diff Dockerfile"), "compares with the lesson before, and there is none."),
    ],
)
def test_what_cannot_be_generated_is_said_in_one_sentence(text: str, reason: str) -> None:
    with pytest.raises(readmes.ReadmeError, match=re.escape(reason)):
        readmes.render(text, load()[0])


def test_a_lesson_has_the_generated_parts_that_all_have(lesson: Lesson) -> None:
    text = (lesson.path / "README.md").read_text(encoding="utf-8")
    parts = re.findall(r"^<!-- generated: (.*) -->$", text, re.MULTILINE)
    common = ["toc", "file Dockerfile", "better", "worse", "navigation"]
    compared = ["diff Dockerfile", "files"] if lesson.builds_on else []
    assert {*common, *compared} <= {*parts}


def test_the_first_lesson_says_of_each_rule_what_becomes_of_it() -> None:
    text = (load()[0].path / "README.md").read_text(encoding="utf-8")
    assert [rule for rule in RULES if f"`{rule}`" not in text] == []


A_FILE = re.compile(
    r"[\w./-]*(?:\.(?:py|toml|lock|txt|ya?ml|md|json)|Dockerfile|\.dockerignore|\w/)"
)


@each_page
def test_every_file_that_is_named_is_there(page: Path) -> None:
    lesson = next((lesson for lesson in load() if lesson.path == page.parent), None)
    # A file that is gone is in the lesson before.
    folders = [page.parent, ROOT, ROOT / ((lesson and lesson.builds_on) or "")]
    named = [name for name in re.findall(r"`([^`\s]+)`", prose(page)) if A_FILE.fullmatch(name)]
    missing = [name for name in named if not any((folder / name).exists() for folder in folders)]
    assert missing == []
