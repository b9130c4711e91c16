"""The figures of the series, as the file beside this one holds them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

FILE = Path(__file__).with_name("figures.json")
SHOWN = ("image", "above", "cold", "edit", "dependency")
"""The names of what the page shows."""
HOW_TO_MAKE_IT = (
    "In the repository of this series `make readmes` writes it, from what `make rivals` has "
    "measured and `make verdicts` has found. Then build the image again: "
    "`docker compose up --build`"
)


class NoFigures(Exception):
    """There is nothing to show; the message is for the page."""


@dataclass(frozen=True)
class Quantity:
    """Something that is measured.

    Attributes:
        title: what it is.
        unit: s or MB.
    """

    title: str
    unit: str

    def shown(self, value: float, sign: str = "") -> str:
        """A value with its unit: whole megabytes, and tenths of seconds."""
        return f"{value:{sign}.{0 if self.unit == 'MB' else 1}f} {self.unit}"


@dataclass(frozen=True)
class Way:
    """A way to an image.

    Attributes:
        title: what it does.
        samples: what was measured, in seconds or megabytes, by the name of the quantity.
    """

    title: str
    samples: Mapping[str, Sequence[float]]

    def median(self, name: str) -> float:
        """The median of what was measured."""
        return median(self.samples[name])


@dataclass(frozen=True)
class Lesson:
    """A lesson.

    Attributes:
        title: its title.
        builds_on: the folder of the lesson that it is compared with; None if there is none.
        way: the name of the way that it goes; None if that was not measured.
        verdicts: kept, broken or does not apply, by the name of the rule.
    """

    title: str
    builds_on: str | None
    way: str | None
    verdicts: Mapping[str, str]

    @property
    def short(self) -> str:
        """The title up to its colon, such as Step 5."""
        return self.title.partition(":")[0]


@dataclass(frozen=True)
class Figures:
    """All that the page shows.

    Attributes:
        conditions: how it was measured, and on what.
        quantities: what was measured, by its name.
        ways: what was found out of each way, by its name.
        rules: the promise of each rule, by its name.
        lessons: the lessons by their folders.
    """

    conditions: str
    quantities: Mapping[str, Quantity]
    ways: Mapping[str, Way]
    rules: Mapping[str, str]
    lessons: Mapping[str, Lesson]


def load(file: Path = FILE) -> Figures:
    """Read the figures.

    Raises:
        NoFigures: there is no such file, or it cannot be used.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NoFigures(f"There is no `{file.name}`. {HOW_TO_MAKE_IT}") from None
    except (OSError, ValueError):
        raise NoFigures(f"`{file.name}` cannot be read. {HOW_TO_MAKE_IT}") from None
    try:
        return _figures(content)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise NoFigures(f"`{file.name}` is not complete. {HOW_TO_MAKE_IT}") from None


def _figures(content: dict[str, Any]) -> Figures:
    said = {name: content["quantities"][name] for name in SHOWN}
    size = {name: 1e6 if said[name]["unit"] == "bytes" else 1 for name in SHOWN}
    figures = Figures(
        content["conditions"],
        {
            name: Quantity(said[name]["title"], "MB" if said[name]["unit"] == "bytes" else "s")
            for name in SHOWN
        },
        {
            name: Way(
                way["title"],
                {what: [value / size[what] for value in way["samples"][what]] for what in SHOWN},
            )
            for name, way in content["ways"].items()
        },
        content["rules"],
        {folder: Lesson(**lesson) for folder, lesson in content["lessons"].items()},
    )
    # Whatever the page looks up is there: it fails here or not at all.
    for way in figures.ways.values():
        _ = [way.median(name) for name in SHOWN]
    for lesson in figures.lessons.values():
        _ = [lesson.verdicts[rule] for rule in figures.rules]
        _ = lesson.way and figures.ways[lesson.way]
    return figures
