"""A check that a contract disables: it has an owner and an end, holds nothing until then, counts all the same, and is shown."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from expectations.contract import Contract, Disabled, load_contract
from tests.rows import row
from tests.time_home import TimeHome
from warehouse.reports.validation_pages import last_page
from warehouse.runs.doctor import examine
from warehouse.trace.reproduce import reproduce

ENTRY = {
    "rule": "PEN-LOG-6",
    "owner": "Bidang Pensiun",
    "reason": {"id": "Kode instansi baru.", "en": "New agency codes."},
    "since": "2024-02-01",
    "until": "2024-02-29",
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TimeHome:
    """A home whose pension contract disables the rule of the agencies in February 2024."""
    product: Callable[[str], Contract] = load_contract

    def with_entry(source: str) -> Contract:
        contract = product(source)
        return (
            contract.model_copy(update={"disabled": [Disabled.model_validate(ENTRY)]})
            if source == "pension"
            else contract
        )

    for module in ("loading.group", "trace.reproduce", "reports.validation_pages", "runs.doctor"):
        monkeypatch.setattr(f"warehouse.{module}.load_contract", with_entry)
    return TimeHome(tmp_path)


def strange(key: str) -> dict[str, str]:
    return row("pension", id=key, instansi_kode="9999")


@pytest.mark.parametrize(("day", "held"), [("2024-01-31", 1), ("2024-02-01", 0), ("2024-02-29", 0), ("2024-03-01", 1)])
def test_it_holds_nothing_from_its_first_to_its_last_day(place: TimeHome, day: str, held: int) -> None:
    place.deliver("pension/a.csv", row("pension"), strange("S2"))
    (batch,) = place.run(day).batches
    assert (batch.accepted, batch.quarantined) == (2 - held, held)
    severity = "quarantine" if held else "warn"
    query = "SELECT severity, rows_failed FROM ledger.validation_results WHERE rule = 'PEN-LOG-6'"
    assert place.ledger(query) == [(severity, 1)]


def test_what_it_let_in_stays_and_is_reproduced_by_the_rules_of_its_day(place: TimeHome) -> None:
    place.deliver("pension/a.csv", row("pension"), strange("S2"))
    place.run("2024-02-10")
    place.deliver("pension/b.csv", strange("S3"))
    (batch,) = place.run("2024-03-10").batches
    assert batch.quarantined == 1
    told = reproduce(place.root, "pension.received", "2024")
    assert (told["value"], told["recomputed"], told["equal"]) == ("2", "2", True)


def test_the_page_and_the_doctor_name_its_owner_and_its_end(place: TimeHome) -> None:
    place.deliver("pension/a.csv", row("pension"), strange("S2"))
    place.run("2024-02-10")
    text = last_page(place.home).read_text()
    for word in (
        "Disabled checks",
        "PEN-LOG-6",
        "in force / berlaku",
        "2024-02-29",
        "Bidang Pensiun",
        "New agency codes.",
        "Kode instansi baru.",
    ):
        assert word in text
    assert "expired" not in text
    place.deliver("pension/b.csv", strange("S3"))
    place.run("2024-03-10")
    history = (place.home.validation_reports / "index.html").read_text()
    assert "expired / berakhir" in history and "Bidang Pensiun" in history
    (line,) = [check for check in examine(place.root) if check["check"] == "rule PEN-LOG-6"]
    assert line["verdict"] == "note" and "take the entry out" in line["finding"]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"until": "2024-01-31"}, "which is before"),
        ({"owner": ""}, "owner"),
        ({"until": None}, "until"),
        ({"rule": "PEN-99"}, "no rule to disable: PEN-99"),
        ({"rule": "PEN-CONFLICT"}, "a conflict cannot be disabled"),
    ],
)
def test_an_entry_without_owner_end_or_rule_is_an_error(changed: dict[str, object], says: str) -> None:
    content = load_contract("pension").model_dump(by_alias=True) | {"disabled": [ENTRY | changed]}
    with pytest.raises(ValidationError, match=says):
        Contract.model_validate(content)


def test_an_entry_is_to_come_in_force_and_expired() -> None:
    entry = Disabled.model_validate(ENTRY)
    days = (date(2024, 1, 31), date(2024, 2, 1), date(2024, 2, 29), date(2024, 3, 1))
    assert [entry.state_on(day) for day in days] == ["to come", "in force", "in force", "expired"]
