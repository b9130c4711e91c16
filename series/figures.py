"""What the dashboard of extra 5 shows of the series, in one file beside its code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from series import rivals
from series.contract import RULES, promise
from series.lessons import get, load
from series.verdicts import Verdicts

LESSON = get("extra-5-shipping-the-virtualenv")
FILE = LESSON.path / "src" / "shipping_the_virtualenv" / "figures.json"


def text(measured: Mapping[str, Any], judged: Verdicts) -> str:
    """Return what the file has to hold: JSON that needs nothing else to be understood.

    Args:
        measured: what `make rivals` has saved.
        judged: what `make verdicts` has saved.

    Raises:
        KeyError: a way was not measured, or a lesson not judged.
    """
    figures = {
        "conditions": rivals.report(measured)["machine"].strip(),
        "quantities": {
            name: {"title": title, "unit": "bytes" if name in rivals.SIZES else "s"}
            for name, title in rivals.QUANTITIES.items()
        },
        "ways": {
            way.name: {"title": way.approach, "samples": measured["samples"][way.name]}
            for way in rivals.contestants()
        },
        "rules": {rule: promise(rule) for rule in RULES},
        "lessons": {
            lesson.folder: {
                "title": lesson.title,
                "builds_on": lesson.builds_on,
                "way": lesson.rival or None,
                "verdicts": judged[lesson.folder],
            }
            for lesson in load()
        },
    }
    return f"{json.dumps(figures, indent=1, ensure_ascii=False)}\n"
