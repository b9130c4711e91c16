"""The lessons of the series, as `lessons.toml` lists them. Standard library only."""

import difflib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = Path(__file__).with_name("lessons.toml")


class LessonError(Exception):
    """A lesson that does not exist; the message is a sentence for whoever typed its name."""


@dataclass(frozen=True)
class Lesson:
    """One lesson, as its table in `lessons.toml` describes it.

    Attributes:
        folder: its folder below the root of the repository.
        title: what a table of contents shows.
        summary: one line, what the lesson brings.
        minutes: how long it takes to teach, in minutes.
        variant: what `GET /` answers: `{"variant": variant}`; empty for a page for people.
        rival: the folder in `series/rivals` that goes the same way, or the lesson's own if it is
            itself compared with them; empty if none does.
        judged: the compose file whose image the rules of the contract look at.
        builds_on: the folder of the lesson it is compared with; None for the first.
        breaks: the rules of the contract that it breaks; it keeps all others.
        does_not_apply: the rules that are about something which it does not have.
    """

    folder: str
    title: str
    summary: str
    minutes: int
    variant: str = ""
    rival: str = ""
    judged: str = "compose.yaml"
    builds_on: str | None = None
    breaks: Sequence[str] = ()
    does_not_apply: Sequence[str] = ()

    @property
    def path(self) -> Path:
        """The lesson's folder as an absolute path."""
        return ROOT / self.folder


def load(path: Path = LIST) -> list[Lesson]:
    """Return the lessons in the order of teaching."""
    return [Lesson(**table) for table in tomllib.loads(path.read_text("utf-8"))["lesson"]]


def last() -> Lesson:
    """Return the lesson that the series ends with."""
    return load()[-1]


def get(name: str) -> Lesson:
    """Return one lesson.

    Args:
        name: its folder or the beginning of it, as long as no other one begins like that:
            `step-1-kiss-requirements`, `step-1`; a slash at the end does no harm.

    Raises:
        LessonError: no lesson has this name, or more than one.
    """
    lessons = load()
    wanted = name.strip().rstrip("/")
    found = [lesson for lesson in lessons if f"{lesson.folder}-".startswith(f"{wanted}-")]
    if len(found) == 1 and wanted:
        return found[0]
    folders = [lesson.folder for lesson in found or lessons]
    nearest = difflib.get_close_matches(wanted.lower(), folders, n=1)
    hint = f" Did you mean {nearest[0]}?" if nearest and not found else ""
    is_not = "is more than one lesson" if found else "is no lesson"
    raise LessonError(f"{name!r} {is_not}.{hint} Choose from: {', '.join(folders)}.")
