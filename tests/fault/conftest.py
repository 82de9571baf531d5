"""A home that several files of faults begin with."""

import pytest

from tests.rows import row
from tests.time_home import TimeHome


@pytest.fixture(scope="module")
def two_nights(tmp_path_factory: pytest.TempPathFactory) -> TimeHome:
    """A service of 2024 that is published, with one quarantined row; made once, each test has a copy."""
    found = TimeHome(tmp_path_factory.mktemp("two nights") / "home")
    found.deliver("pension/a.csv", row("pension"), row("pension", id="S9", tmt_pensiun="2024-06-02 00:00:00"))
    found.run("2025-02-01")
    found.deliver("pension/b.csv", row("pension", id="S2"))
    found.run("2025-02-02")
    return found
