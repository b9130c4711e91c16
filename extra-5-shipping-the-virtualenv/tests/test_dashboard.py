import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from shipping_the_virtualenv import figures


def samples(size: float, seconds: float) -> dict[str, list[float]]:
    sizes = dict.fromkeys(("image", "above"), [size, size, 9 * size])
    return sizes | dict.fromkeys(("cold", "edit", "dependency"), [seconds, 0, 9 * seconds])


WHOLE: dict[str, Any] = {
    "conditions": "Medians of 3 rounds.",
    "quantities": {
        name: {"title": name, "unit": "bytes" if name in ("image", "above") else "s"}
        for name in figures.SHOWN
    },
    "ways": {
        "one": {"title": "The first way", "samples": samples(100e6, 10)},
        "two": {"title": "The second way", "samples": samples(90e6, 12.5)},
    },
    "rules": {"builds": "It builds.", "quiet": "It is quiet."},
    "lessons": {
        "step-1": {
            "title": "Step 1: One",
            "builds_on": None,
            "way": "one",
            "verdicts": {"builds": "kept", "quiet": "broken"},
        },
        "step-2": {
            "title": "Step 2: Two",
            "builds_on": "step-1",
            "way": "two",
            "verdicts": {"builds": "kept", "quiet": "kept"},
        },
        "step-3": {
            "title": "Step 3: Three",
            "builds_on": "step-2",
            "way": None,
            "verdicts": {"builds": "kept", "quiet": "does not apply"},
        },
    },
}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of figures, in place of the one that the image has."""
    made = tmp_path / "figures.json"
    made.write_text(json.dumps(WHOLE), encoding="utf-8")
    monkeypatch.setattr(figures.load, "__defaults__", (made,))
    return made


def page() -> AppTest:
    """The page as it opens."""
    dashboard = Path(figures.__file__).parents[1] / "dashboard.py"
    return AppTest.from_file(str(dashboard), default_timeout=30).run()


@pytest.mark.usefixtures("file")
def test_the_first_lesson_is_compared_with_nothing() -> None:
    shown = page()
    assert not shown.exception
    assert [(one.value, one.delta) for one in shown.metric] == [
        ("100 MB", ""),
        *[("10.0 s", "")] * 3,
    ]
    assert "- It breaks `quiet`: It is quiet." in [text.value for text in shown.markdown]


@pytest.mark.usefixtures("file")
def test_another_lesson_is_compared_with_the_one_that_it_builds_on() -> None:
    shown = page().selectbox[0].select("step-2").run()
    assert not shown.exception
    assert [(one.value, one.delta) for one in shown.metric] == [
        ("90 MB", "-10 MB against Step 1"),
        *[("12.5 s", "+2.5 s against Step 1")] * 3,
    ]


@pytest.mark.usefixtures("file")
def test_of_a_lesson_whose_way_was_not_measured_only_the_rules_are_shown() -> None:
    shown = page().selectbox[0].select("step-3").run()
    assert not shown.exception
    assert shown.info[0].value == "The way of Step 3 was not measured with the others."
    assert not shown.metric
    assert "Step 3 keeps 1 of the 1 rules that apply to it." in [
        text.value for text in shown.markdown
    ]


def test_without_the_file_the_page_says_how_to_make_it(file: Path) -> None:
    file.unlink()
    shown = page()
    assert not shown.exception
    assert shown.warning[0].value == f"There is no `figures.json`. {figures.HOW_TO_MAKE_IT}"
    assert not shown.selectbox


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read"),
        ("[]", "is not complete"),
        ("{}", "is not complete"),
        *[(json.dumps(WHOLE | {part: {}}), "is not complete") for part in ("quantities", "ways")],
        (json.dumps(WHOLE | {"rules": {"more": "It is more."}}), "is not complete"),
        (json.dumps(WHOLE).replace("[12.5, 0, 112.5]", "[]"), "is not complete"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_in_one_sentence(
    file: Path, text: str, words: str
) -> None:
    file.write_text(text, encoding="utf-8")
    shown = page()
    assert not shown.exception
    assert shown.warning[0].value == f"`figures.json` {words}. {figures.HOW_TO_MAKE_IT}"
