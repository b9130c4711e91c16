"""What the front page says of the final result and its rivals, and how it is shown."""

from __future__ import annotations

import re

import pytest

from series import rivals, verdicts
from series.contract import RULES
from series.lessons import ROOT, get, load
from series.readmes import ReadmeError, declared, render, stale

FIGURES = rivals.load()
NAMES = [contestant.name for contestant in rivals.contestants()]
FINAL = rivals.FINAL.folder


def median(what: str, name: str = FINAL) -> float:
    return rivals.median(FIGURES, name, what)


def test_the_figures_are_those_of_the_files_as_they_are() -> None:
    assert FIGURES["digest"] == rivals.digest(), "Type: make rivals"
    assert {*FIGURES["samples"]} == {*NAMES}
    assert FIGURES["rounds"] >= rivals.ENOUGH
    for samples in FIGURES["samples"].values():
        assert min(len(values) for values in samples.values()) >= rivals.ENOUGH


def test_from_nothing_the_final_result_is_first_or_nearly_so() -> None:
    assert median("cold") <= 1.05 * min(median("cold", name) for name in NAMES)


def test_the_final_result_adds_less_than_26_megabytes_to_the_slim_image() -> None:
    assert median("above") <= 26e6


def test_what_the_final_result_does_not_win_is_what_the_front_page_says() -> None:
    for what, name in (("edit", "committed-list"), ("push", "uv-environment")):
        assert median(what) > median(what, name)
    assert median("dependency") > median("dependency", "uv-environment")
    assert median("image") > median("image", "uv-environment")
    for name in ("uv-environment", "poetry-environment"):
        assert median("start") < 0.9 * median("start", name)


def test_no_request_that_was_begun_was_lost() -> None:
    stops = FIGURES["stops"]
    faults = ("cut", "forgotten", "lost", "unconfirmed", "unclean")
    assert {fault: stops[fault] for fault in faults} == dict.fromkeys(faults, 0)


def test_a_rival_says_what_it_does_and_ends_on_a_base_image() -> None:
    for contestant in rivals.contestants():
        assert 3 < len(contestant.approach) < 60
        assert contestant.base in ("python:3.13-trixie", "python:3.13-slim-trixie")
    assert rivals.contestants()[-1].base == "python:3.13-slim-trixie"


def test_the_table_of_verdicts_says_what_is_declared() -> None:
    expected = {
        lesson.folder: {rule: declared(lesson, rule).value for rule in RULES} for lesson in load()
    }
    assert verdicts.load() == expected, "Type: make verdicts"


def test_the_sources_of_a_figure_are_shown_with_it() -> None:
    machine = rivals.report(FIGURES)["machine"]
    assert machine.startswith(f"Medians of {FIGURES['rounds']} rounds")
    assert all(
        f"{base} of " in machine for base in ("python:3.13-trixie", "python:3.13-slim-trixie")
    )
    assert (machine.count("(a stand-in)") > 0) is any(
        base["stand_in"] for base in FIGURES["bases"].values()
    )


def test_a_way_names_the_lessons_that_go_it() -> None:
    for way in rivals.contestants():
        go_it = [one.title.partition(":")[0].lower() for one in load() if one.rival == way.name]
        if named := re.match(r"As in (\w+?)s? (\d)(?: and (\d))?: ", way.approach):
            kind, *numbers = named.groups()
            assert go_it == [f"{kind} {number}" for number in numbers if number]
        else:
            assert go_it in ([], [way.approach.lower()])


@pytest.mark.parametrize("name", ["extra-4", "extra-5"])
def test_two_ways_are_compared_by_their_medians_and_by_the_length_of_two_dockerfiles(
    name: str,
) -> None:
    lesson = get(name)
    lines = render("<!-- generated: compared -->\n<!-- end -->", lesson).splitlines()
    step_5 = "export-in-a-stage"
    cold = f"| {median('cold', step_5):.1f} s | {median('cold', lesson.rival):.1f} s |"
    [row] = [line for line in lines if line.startswith("| from nothing |")]
    assert row == f"| from nothing {cold}"
    long = (lesson.path / "Dockerfile").read_text("utf-8")
    instructions = [line for line in long.splitlines() if re.match(r" *[^# ]", line)]
    [row] = [line for line in lines if line.startswith("| lines of ")]
    assert row.endswith(f" {len(instructions)} |")


@pytest.mark.parametrize("samples", [{}, {name: {"cold": [1.0]} for name in NAMES}])
def test_what_nobody_has_measured_is_said_with_the_command_that_does(
    monkeypatch: pytest.MonkeyPatch, samples: dict[str, dict[str, list[float]]]
) -> None:
    monkeypatch.setattr(rivals, "load", lambda: {**FIGURES, "samples": samples})
    for part in ("rivals rivals", "compared"):
        with pytest.raises(ReadmeError, match=r"nobody has found out yet\. Type: make rivals"):
            render(f"<!-- generated: {part} -->\n<!-- end -->", get("extra-4"))
    with pytest.raises(ReadmeError, match=r"nobody has found out yet\. Type: make rivals"):
        stale()


def test_a_lesson_whose_way_was_not_measured_is_not_compared() -> None:
    with pytest.raises(ReadmeError, match="does not name a rival for each"):
        render("<!-- generated: compared -->\n<!-- end -->", get("extra-1"))


@pytest.mark.parametrize("name", NAMES)
def test_a_contestant_is_shown_with_its_medians(name: str) -> None:
    table = rivals.report(FIGURES)["rivals"]
    [contestant] = [one for one in rivals.contestants() if one.name == name]
    [row] = [line for line in table.splitlines() if f"[{contestant.approach}](" in line]
    assert f" {median('cold', name):.1f}&nbsp;s |" in row
    assert f" {median('edit', name):.2f}&nbsp;s |" in row
    target = row.partition("](")[2].partition(")")[0]
    assert (ROOT / target).is_file()
