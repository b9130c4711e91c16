"""What the READMEs show of other files, and where they point."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from series.contract import RULES, promise
from series.lessons import ROOT, Lesson, last, load

PAGES = [*sorted(ROOT.glob("*.md")), *(lesson.path / "README.md" for lesson in load())]
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


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


@each_page
def test_every_link_to_a_file_or_a_heading_leads_somewhere(page: Path) -> None:
    links = re.findall(
        r"\]\((?!https?://)([^)#\s]*)#?([^)\s]*)\)", page.read_text(encoding="utf-8")
    )
    dead = []
    for path, anchor in links:
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(f"{path}#{anchor}")
    assert dead == []


@pytest.mark.parametrize("folder", ["", last().folder], ids=["root", "lesson"])
def test_the_first_command_stands_within_twenty_lines(folder: str) -> None:
    lines = (ROOT / folder / "README.md").read_text(encoding="utf-8").splitlines()
    text = [line for line in lines if not line.startswith("#")]
    assert any(line.startswith("$ ") for line in text[:20])


def test_the_front_page_shows_what_make_up_prints() -> None:
    assert f'answers {{"variant":"{last().variant}"}}' in (ROOT / "README.md").read_text("utf-8")


def test_the_front_page_lists_the_rules_in_their_order() -> None:
    table = "".join(f"| `{rule}` | {promise(rule)} |\n" for rule in RULES)
    assert f"|---|---|\n{table}\n" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_a_lesson_has_the_headings_that_all_have(lesson: Lesson) -> None:
    text = (lesson.path / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^# (.+)$", text, re.MULTILINE) == [lesson.title]
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS


def test_a_lesson_shows_its_dockerfile_and_its_answer_as_they_are(lesson: Lesson) -> None:
    text = (lesson.path / "README.md").read_text(encoding="utf-8")
    dockerfile = (lesson.path / "Dockerfile").read_text(encoding="utf-8")
    assert f"```dockerfile\n{dockerfile}```\n" in text
    assert f'\n{{"variant":"{lesson.variant}"}}\n' in text


def test_the_front_page_lists_the_lessons_in_their_order() -> None:
    entries = [
        f"- [{lesson.title}]({lesson.folder}/README.md)  \n  {lesson.summary}\n"
        for lesson in load()
    ]
    assert f"\n\n{''.join(entries)}\n" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_first_lesson_says_of_each_rule_what_becomes_of_it() -> None:
    text = (load()[0].path / "README.md").read_text(encoding="utf-8")
    assert [rule for rule in RULES if f"`{rule}`" not in text] == []
