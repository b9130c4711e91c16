"""The smoke test: each lesson is built, started, asked and stopped, as its reader does it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from series.lessons import Lesson

if TYPE_CHECKING:
    from tests.conftest import Life

# Words that a log has no reason to contain when everything went well.
COMPLAINT = re.compile(r"warn|error|critical|deprecat|traceback|exception|fatal", re.IGNORECASE)


def test_it_answers_with_its_variant_and_nothing_else(lesson: Lesson, life: Life) -> None:
    assert life.answer.headers["content-type"] == "application/json"
    assert life.answer.json() == {"variant": lesson.variant}


def test_start_request_and_stop_log_no_complaint(life: Life) -> None:
    assert life.log.strip()
    assert [line for line in life.log.splitlines() if COMPLAINT.search(line)] == []


def test_it_ends_by_itself_when_asked_to_stop(life: Life) -> None:
    # 143 is 128 + SIGTERM: https://tldp.org/LDP/abs/html/exitcodes.html
    assert life.status in (0, 143)
