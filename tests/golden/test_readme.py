"""What the README shows is what ``make demo`` prints on a terminal of 80 columns."""

from pathlib import Path

import pytest

from tests.conftest import RunHome
from tests.processes import kpi

README = Path(__file__).parents[2] / "README.md"
DEMO = (["services"], ["services", "--by", "region"], ["values"], ["scores"])


def test_the_readme_shows_what_the_demo_prints(sample_2024: RunHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    printed = "".join(
        kpi(*command, "--year", "2024", "--format", "table", home=sample_2024.root).stdout for command in DEMO
    ).splitlines()
    shown = (
        README.read_text(encoding="utf-8")
        .split("(on a terminal of 80 columns, shortened):")[1]
        .split("\nMS is approved")[0]
    )
    lines = [line.removeprefix("    ") for line in shown.splitlines() if line.strip()]
    assert len(lines) > 20 and set(lines) <= set(printed)
