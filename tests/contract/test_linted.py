from pathlib import Path

import pytest

from series.contract import CannotTell
from tests.contract.small import BROKEN, KEPT, Judge, dockerfile, judged

REASON = "# The shell fills in $PORT.\n# hadolint ignore=DL3025\nCMD exec python"

test_a_project_is_judged = judged(
    "linted",
    [
        (dockerfile('CMD ["python"]'), KEPT, "silent"),
        (dockerfile("CMD python"), BROKEN, "line 2: DL3025"),
        (dockerfile(REASON), KEPT, "silent"),
    ],
)


def test_what_somebody_has_set_for_the_linter_at_home_does_not_count(
    judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hadolint.yaml").write_text("ignored: [DL3025]\n", encoding="utf-8")
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("HADOLINT_IGNORE", "DL3025")
    monkeypatch.chdir(tmp_path)
    assert judge("linted", dockerfile("CMD python")).verdict is BROKEN


def test_what_is_no_dockerfile_is_not_judged(judge: Judge) -> None:
    with pytest.raises(CannotTell):
        judge("linted", dockerfile("RUN <<EOF\nno end"))
