"""How figures are taken and shown."""

from __future__ import annotations

import pytest

from series import measuring


def test_a_variant_that_the_dockerfile_has_no_place_for_is_refused() -> None:
    assert measuring.variant("a b", {"a": "c", "b": ""}) == "c "
    for text in ("b", "a a b"):
        with pytest.raises(measuring.MeasureError, match="should have this once: a"):
            measuring.variant(text, {"a": "c"})


def test_what_was_never_built_is_different_each_time_and_its_caches_have_other_names() -> None:
    dockerfile = (measuring.LESSON.path / "Dockerfile").read_text("utf-8")
    one, other = (measuring.never_built(dockerfile) for _ in range(2))
    assert one != other
    assert one.count("\nENV NEVER_BUILT=") == 3
    assert dockerfile.count("type=cache,") == one.count("type=cache,id=") == 2


def test_the_figures_are_shown_as_medians_with_the_smallest_and_the_largest() -> None:
    figures = {
        "machine": "one processor",
        "versions": "Docker Engine 1",
        "stand_in": False,
        "day": "2026-01-02",
        "downloads": {"nowhere": {"seconds": [3, 1, 2.5], "received": [1_234_567, 0, 5e9]}},
        "bytecode": {
            "all": {"0.25": [1, 2, 3], "1": [0.5] * 3, "edit": [2] * 3, "above": [7e6, 6e6, 8e6]}
        },
    }
    parts = measuring.report(figures)
    assert parts["downloads"].endswith("| nowhere | 2.50 s (1.00 to 3.00) | 1,235 kB |\n")
    row = "| all | 2.00 s (1.00 to 3.00) | 0.50 s (0.50 to 0.50) | 2.00 s (2.00 to 2.00) | 7.0 MB |"
    assert row in parts["bytecode"].splitlines()
    assert parts["machine"].startswith("Medians of 3 runs, ")
    assert "2026-01-02 with one processor: Docker Engine 1, base image python" in parts["machine"]
