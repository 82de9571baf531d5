"""The office's numbers of 2024, as published, from the sample deliveries."""

import pytest

from tests.conftest import RunHome
from warehouse.reading.published_values import read_services, read_values


def _by_group(rows: list[dict], service: str) -> dict[str, dict]:
    return {row["group"]: row for row in rows if row["service"] == service}


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        (
            "promotion",
            {"received": 38950, "ms": 36666, "bts": 2208, "tms": 76, "in_process": 0, "completion": "100.00"},
        ),
        ("nip", {"received": 38384, "ms": 38201, "bts": 0, "tms": 183, "in_process": 0, "completion": "100.00"}),
        ("pension", {"received": 7615, "ms": 7605, "bts": 0, "tms": 0, "in_process": 10, "completion": "99.87"}),
    ],
)
def test_services_of_the_year(sample_2024: RunHome, service: str, expected: dict) -> None:
    found = _by_group(read_services(sample_2024.home, 2024), service)["2024"]
    assert {name: found[name] for name in expected} == expected


def test_approval_is_another_rate_than_completion(sample_2024: RunHome) -> None:
    rows = {row["service"]: row["approval"] for row in read_services(sample_2024.home, 2024)}
    assert rows == {"promotion": "94.14", "nip": "99.52", "pension": "99.87"}


def test_promotion_by_region(sample_2024: RunHome) -> None:
    found = _by_group(read_services(sample_2024.home, 2024, "region"), "promotion")
    assert {group: row["received"] for group, row in found.items()} == {
        "Sumatera Selatan": 14773, "Jambi": 9031, "Bengkulu": 7787, "Kepulauan Bangka Belitung": 4977, "vertical": 2382,
    }  # fmt: skip


def test_promotion_by_period_and_the_four_outside_the_periods(sample_2024: RunHome) -> None:
    found = _by_group(read_services(sample_2024.home, 2024, "period"), "promotion")
    counts = {group: (row["received"], row["ms"], row["bts"], row["tms"]) for group, row in found.items()}
    bound = {
        "2024-02-01": (2012, 1868, 143, 1), "2024-04-01": (9960, 9272, 655, 33), "2024-06-01": (7181, 6805, 367, 9),
        "2024-08-01": (4371, 4040, 321, 10), "2024-10-01": (8623, 8157, 452, 14), "2024-12-01": (6799, 6520, 270, 9),
    }  # fmt: skip
    assert {group: counts[group] for group in bound} == bound
    assert sum(received for received, *_ in bound.values()) == 38946
    assert sum(received for received, *_ in counts.values()) == 38950


def test_nip_and_pension_have_no_line_by_period(sample_2024: RunHome) -> None:
    assert {row["service"] for row in read_services(sample_2024.home, 2024, "period")} == {"promotion"}


def test_parts_add_up(sample_2024: RunHome) -> None:
    year = {row["service"]: row["received"] for row in read_services(sample_2024.home, 2024)}
    for by in ("region", "agency"):
        rows = read_services(sample_2024.home, 2024, by)
        assert {s: sum(row["received"] for row in rows if row["service"] == s) for s in year} == year
        assert all(row["ms"] + row["bts"] + row["tms"] + row["in_process"] == row["received"] for row in rows)


def test_iku_06(sample_2024: RunHome) -> None:
    rows = read_values(sample_2024.home, year=2024, indicator="IKU-06")
    assert [(row["period"], row["value"], row["numerator"], row["denominator"], row["status"]) for row in rows] == [
        ("2024", "100.00", 49, 49, "derived"),
        ("2024-Q1", "14.71", 5, 49, "derived"),
        ("2024-Q2", "22.33", 9, 49, "derived"),
        ("2024-Q3", "71.88", 31, 49, "derived"),
        ("2024-Q4", "100.00", 49, 49, "derived"),
    ]
    assert {row["definition_version"] for row in rows} == {"2024"}


def test_every_delivery_adds_up_to_the_row(sample_2024: RunHome) -> None:
    for batch in sample_2024.report.batches:
        assert batch.landed == batch.accepted + batch.quarantined + batch.duplicate
    assert sum(batch.quarantined for batch in sample_2024.report.batches) == 0
    assert sum(batch.duplicate for batch in sample_2024.report.batches) > 500
