"""IKU-06: which agencies count, in which channel, integrated or not, and what a missing value is called (rulings 16, 24, 25)."""

from datetime import date
from typing import Any

import pytest

from tests.rows import csv, row
from warehouse.reading.held_rows import read_held_rows
from warehouse.reading.published_values import read_values
from warehouse.runs.initialise import initialise
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.home import Home
from warehouse.trace.explain import explain

WEB, SIM = "webservice", "simpegnas"
# The 49 agencies of the region.
AGENCIES = [
    *range(5500, 5510), 5571, 5572, *range(5600, 5613), *range(5671, 5676), *range(5700, 5707), 5771,
    *range(5800, 5810), 5871,
]  # fmt: skip


def letter(
    period: str, day: str, agency: int | str, channel: str, two_way: Any, history: str = "jabatan", number: str = "L1"
):
    """A row of a letter on a quarter, such as 2024-Q1."""
    year, quarter = period.split("-Q")
    return row(
        "integration", tahun=year, tw=quarter, tgl_surat=day, instansi_kode=agency, kanal=channel, riwayat=history,
        nomor_surat=number, terintegrasi=str(two_way).lower(),
    )  # fmt: skip


def values(root, year: int, as_of: date | None = None) -> dict[str, dict]:
    return {line["period"]: line for line in read_values(Home(root), year, indicator="IKU-06", as_of=as_of)}


def numbers(line: dict) -> tuple:
    return line["value"], line["numerator"], line["denominator"], line["flags"]


DERIVED = {
    "2024-Q1": (  # one of three, none of one
        [letter("2024-Q1", "2024-03-28", agency, WEB, agency == 5500) for agency in (5500, 5501, 5502)]
        + [letter("2024-Q1", "2024-03-28", 5600, SIM, False)],
        ("16.67", 1, 4, ["incomplete"]),
    ),
    "2024-Q2": (  # the newest letter of each key, whatever the order in the file; another letter may change the channel
        [
            letter("2024-Q2", "2024-06-20", 5500, WEB, True, number="L2"),
            letter("2024-Q2", "2024-06-01", 5500, WEB, False),
            letter("2024-Q2", "2024-06-01", 5600, SIM, True),
            letter("2024-Q2", "2024-06-20", 5600, SIM, False, number="L2"),
            letter("2024-Q2", "2024-06-01", 5700, WEB, False),
            letter("2024-Q2", "2024-06-20", 5700, SIM, True, number="L2"),
        ],
        ("75.00", 2, 3, ["incomplete"]),
    ),
    "2024-Q3": (  # a letter of a later quarter's days still counts; of one day the greater number
        [
            letter("2024-Q3", "2024-09-15", 5500, WEB, False),
            letter("2024-Q3", "2024-11-05", 5500, WEB, True, number="L2"),
            letter("2024-Q3", "2024-09-15", 5600, SIM, True, number="B-2"),
            letter("2024-Q3", "2024-09-15", 5600, SIM, False, number="B-1"),
            letter("2024-Q3", "2024-09-15", 5601, SIM, False),
            letter("2024-Q3", "2024-09-15", 5601, SIM, True, "skp"),  # another history type does not make it integrated
        ],
        ("75.00", 2, 3, ["incomplete"]),
    ),
    "2025-Q1": (  # jabatan held: the channel of its other rows, not integrated
        [
            letter("2025-Q1", "2025-03-28", 5500, WEB, True),
            letter("2025-Q1", "2025-03-28", 5600, SIM, True),
            letter("2025-Q1", "2025-03-28", 5602, SIM, "ya"),
            letter("2025-Q1", "2025-03-28", 5602, SIM, True, "skp"),
            letter("2025-Q1", "2025-03-28", 5602, SIM, True, "diklat"),
        ],
        ("75.00", 2, 3, ["incomplete"]),
    ),
    "2025-Q2": (  # two channels in one letter: an earlier letter stands; without one of the quarter, not integrated
        [
            letter("2025-Q2", "2025-05-28", 5500, WEB, True, number="L0"),
            letter("2025-Q2", "2025-06-28", 5500, WEB, False),
            letter("2025-Q2", "2025-06-28", 5500, SIM, True, "skp"),
            letter("2025-Q2", "2025-06-28", 5501, WEB, True),
            letter("2025-Q2", "2025-06-28", 5501, SIM, True, "skp"),
            letter("2025-Q2", "2025-06-28", 5600, SIM, True),
        ],
        ("75.00", 2, 3, ["incomplete"]),
    ),
    "2025-Q3": (  # all rows quarantined: the channel of its newest accepted earlier letter, not the held or a later one
        [
            letter("2025-Q3", "2025-09-28", 5500, WEB, True),
            letter("2025-Q3", "2025-09-28", 5700, WEB, "x"),
            letter("2025-Q3", "2025-09-28", 5700, WEB, "x", "skp"),
        ],
        ("50.00", 1, 2, ["incomplete"]),
    ),
    "2026-Q2": (  # all 49: 5 of 17, none of 32
        [letter("2026-Q2", "2026-06-28", a, WEB if n < 17 else SIM, n < 5) for n, a in enumerate(AGENCIES)],
        ("14.71", 5, 49, []),
    ),
    "2026-Q3": (  # half of 6.25
        [letter("2026-Q3", "2026-09-28", a, WEB if n < 16 else SIM, n < 1) for n, a in enumerate(AGENCIES[:17])],
        ("3.13", 1, 17, ["incomplete"]),
    ),
}
OTHER = [
    letter("2025-Q4", "2025-12-28", 5700, WEB, True),
    letter("2026-Q1", "2026-03-28", 5500, WEB, "x"),
    letter("2026-Q1", "2026-03-28", 5600, "x", True),
]


@pytest.fixture(scope="module")
def three_years(tmp_path_factory) -> dict[str, dict]:
    """A case for each quarter of 2024 to 2026, run once afterwards."""
    root = tmp_path_factory.mktemp("iku")
    file = root / "inbox" / "integration" / "a.csv"
    file.parent.mkdir(parents=True)
    file.write_text(csv(*(line for lines, _ in DERIVED.values() for line in lines), *OTHER), encoding="utf-8")
    # The last quarters may be yet to come.
    initialise(root, trial=True)
    assert run_pipeline(root, as_of=date(2027, 1, 31)).refused == []
    return values(root, 2024) | values(root, 2025) | values(root, 2026)


@pytest.mark.parametrize("period", DERIVED)
def test_value_of_a_quarter(three_years, period: str) -> None:
    line = three_years[period]
    assert (*numbers(line), line["status"], line["provisional"]) == (*DERIVED[period][1], "derived", False)


def test_quarters_without_a_value(three_years) -> None:
    found = {
        period: (line["value"], line["status"]) for period, line in three_years.items() if line["status"] != "derived"
    }
    assert found == {
        "2024-Q4": (None, "not_yet_measured"),
        "2025-Q4": (None, "zero_denominator"),
        "2025": (None, "zero_denominator"),
        "2026-Q1": (None, "withheld_quality"),
        "2026-Q4": (None, "not_yet_measured"),
    }


@pytest.mark.parametrize(("year", "quarter"), [("2024", "2024-Q3"), ("2026", "2026-Q3")])
def test_the_newest_quarter_gives_the_year(three_years, year: str, quarter: str) -> None:
    assert numbers(three_years[year]) == numbers(three_years[quarter])


def test_held_rows_are_counted_for_and_against(three_years) -> None:
    bands = {period: three_years[period]["band"] for period in ("2024-Q1", "2025-Q1", "2025-Q3", "2026-Q2")}
    assert bands == {
        "2024-Q1": ["16.67", "16.67"],
        "2025-Q1": ["75.00", "100.00"],
        "2025-Q3": ["50.00", "100.00"],
        "2026-Q2": ["14.71", "14.71"],
    }


def test_until_2023_any_history_type_over_all_agencies(tmp_path, deliver) -> None:
    deliver(
        "integration/a.csv",
        csv(
            letter("2023-Q1", "2023-03-28", 5500, WEB, False),
            letter("2023-Q4", "2023-12-20", 5500, WEB, False),
            letter("2023-Q4", "2023-12-20", 5500, WEB, True, "skp"),
            letter("2023-Q4", "2023-12-20", 5501, WEB, True),
            letter("2023-Q4", "2023-12-20", 5502, WEB, False),
            letter("2023-Q4", "2023-12-20", 5502, WEB, False, "hukdis"),
            letter("2023-Q4", "2023-12-01", 5504, WEB, True, "skp"),
            letter("2023-Q4", "2023-12-20", 5504, WEB, False, "skp", number="L2"),
            letter("2023-Q4", "2023-12-01", 5505, WEB, True, "data_pribadi"),
            letter("2023-Q4", "2023-12-20", 5505, WEB, False, "skp", number="L2"),
            letter("2024-Q1", "2024-03-20", 5500, WEB, True),
            letter("2024-Q1", "2024-03-20", 5600, SIM, True),
        ),
    )
    run_pipeline(tmp_path, as_of=date(2024, 4, 30))
    found = values(tmp_path, 2023)
    assert {period: (line["status"], *numbers(line)[:3]) for period, line in found.items() if line["value"]} == {
        "2023": ("derived", "6.12", 3, 49),
        "2023-Q1": ("derived", "0.00", 0, 49),
        "2023-Q4": ("derived", "6.12", 3, 49),
    }
    assert {period: line["status"] for period, line in found.items() if line["value"] is None} == {
        "2023-Q2": "not_yet_measured",
        "2023-Q3": "not_yet_measured",
    }
    assert found["2023-Q4"]["flags"] == ["incomplete"]
    assert numbers(values(tmp_path, 2024)["2024"])[:3] == ("100.00", 2, 2)
    assert found["2023"]["definition_version"] != values(tmp_path, 2024)["2024"]["definition_version"]


def test_no_delivery_ever_then_one_for_a_quarter(tmp_path, deliver) -> None:
    deliver("promotion/a.csv", csv(row("promotion")))
    run_pipeline(tmp_path, as_of=date(2024, 9, 30))
    missing = values(tmp_path, 2024)
    assert {"2024", "2024-Q1", "2024-Q2"} <= set(missing)
    assert {(line["value"], line["status"]) for line in missing.values()} == {(None, "source_missing")}
    deliver(
        "integration/a.csv",
        csv(letter("2024-Q1", "2024-03-28", 5500, WEB, True), letter("2024-Q1", "2024-03-28", 5600, SIM, False)),
    )
    changed = run_pipeline(tmp_path, as_of=date(2024, 10, 31)).changed
    found = {
        period: (line["value"], line["status"], line["provisional"]) for period, line in values(tmp_path, 2024).items()
    }
    assert {period: found[period] for period in ("2024", "2024-Q1", "2024-Q2", "2024-Q3")} == {
        "2024": ("50.00", "derived", True),
        "2024-Q1": ("50.00", "derived", False),
        "2024-Q2": (None, "not_yet_measured", False),
        "2024-Q3": (None, "not_yet_measured", False),
    }
    assert values(tmp_path, 2024, as_of=date(2024, 10, 30)) == missing
    assert {(c.old, c.new, c.reason) for c in changed if c.period == "2024-Q1"} == {(None, "50.00", "late_data")}


def test_only_held_rows_then_mended(tmp_path, deliver) -> None:
    deliver(
        "integration/a.csv",
        csv(letter("2024-Q1", "2024-03-28", 5500, WEB, "x"), letter("2024-Q1", "2024-03-28", 5600, SIM, "x")),
    )
    run_pipeline(tmp_path, as_of=date(2024, 4, 30))
    held = {period: line["status"] for period, line in values(tmp_path, 2024).items()}
    assert (held["2024"], held["2024-Q1"]) == ("withheld_quality", "withheld_quality")
    deliver(
        "integration/b.csv",
        csv(letter("2024-Q1", "2024-03-28", 5500, WEB, True), letter("2024-Q1", "2024-03-28", 5600, SIM, True)),
    )
    run_pipeline(tmp_path, as_of=date(2024, 5, 2))
    found = values(tmp_path, 2024)
    assert (found["2024"]["value"], found["2024-Q1"]["value"]) == ("100.00", "100.00")
    assert values(tmp_path, 2024, as_of=date(2024, 5, 1))["2024-Q1"]["status"] == "withheld_quality"


def test_two_channels_in_one_letter_are_judged_within_a_delivery(tmp_path, deliver) -> None:
    deliver(
        "integration/a.csv",
        csv(
            letter("2024-Q1", "2024-03-28", 5500, WEB, True),
            letter("2024-Q1", "2024-03-28", 5500, WEB, True, "diklat"),
            letter("2024-Q1", "2024-03-28", 5500, SIM, True, "skp"),
            letter("2024-Q1", "2024-03-28", 5500, SIM, "x", "hukdis"),
            letter("2024-Q1", "2024-03-28", 5501, SIM, True),  # another agency
            letter("2024-Q1", "2024-03-20", 5500, SIM, True, "cpns_pns", number="L0"),  # another letter
            letter("2024-Q2", "2024-06-28", 5500, SIM, True),  # the same number on another quarter
            letter("2023-Q1", "2023-03-28", 5500, SIM, True),  # and of another year
            letter("2024-Q1", "2024-03-28", 5502, WEB, True),
        ),
    )
    deliver("integration/b.csv", csv(letter("2024-Q1", "2024-03-28", 5502, SIM, True, "skp")))  # another delivery
    run_pipeline(tmp_path, as_of=date(2024, 6, 30))
    held = {(held.file, held.row): sorted(held.reasons) for held in read_held_rows(Home(tmp_path), None, None)}
    assert held == {
        ("integration/a.csv", 1): ["INT-05"],
        ("integration/a.csv", 2): ["INT-05"],
        ("integration/a.csv", 3): ["INT-05"],
        ("integration/a.csv", 4): ["INT-05", "INT-TYPE-TERINTEGRASI"],
    }
    # 5500 by its other letter in simpegnas and not integrated, 5501 simpegnas, 5502 by its jabatan row in webservice.
    assert numbers(values(tmp_path, 2024)["2024-Q1"])[:3] == ("75.00", 2, 3)


def test_a_misspelt_channel_holds_its_own_row_alone(tmp_path, deliver) -> None:
    """Ruling 43: it is no second channel, and the agency's good `jabatan` row counts."""
    deliver(
        "integration/a.csv",
        csv(
            letter("2024-Q1", "2024-03-28", 5500, WEB, True),
            letter("2024-Q1", "2024-03-28", 5500, "websrvice", True, "skp"),
            letter("2024-Q1", "2024-03-28", 5600, SIM, True),
            letter("2024-Q1", "2024-03-28", 5601, SIM, True),
            letter(
                "2024-Q1", "2024-03-28", 5601, WEB, True, "skp"
            ),  # these are two channels, whatever else the letter says
            letter("2024-Q1", "2024-03-28", 5601, "?", True, "diklat"),
        ),
    )
    run_pipeline(tmp_path, as_of=date(2024, 4, 30))
    held = {held.row: sorted(held.reasons) for held in read_held_rows(Home(tmp_path), None, None)}
    assert held == {2: ["INT-03"], 4: ["INT-05"], 5: ["INT-05"], 6: ["INT-03", "INT-05"]}
    assert numbers(values(tmp_path, 2024)["2024-Q1"])[:3] == ("100.00", 2, 2)


# Ten agencies, nine by simpegnas, all integrated, and an eleventh whose rows are held: a case a quarter.
HELD_ALONE = {
    # the quarantined row's own channel: 9 of 9 become 9 of 10 or 10 of 10
    "2024-Q1": ([(5700, SIM, "x", "jabatan")], ["95.00", "100.00"]),
    "2024-Q2": ([(5700, WEB, "x", "jabatan")], ["75.00", "100.00"]),
    # one agency, however many of its rows are held
    "2024-Q3": ([(5700, SIM, "x", history) for history in ("jabatan", "skp")], ["95.00", "100.00"]),
    # its channel cannot be told: it may be of either
    "2024-Q4": ([(5700, "x", True, "jabatan")], ["70.00", "100.00"]),
    # no agency of the region
    "2025-Q1": ([(9999, SIM, True, "jabatan")], ["100.00", "100.00"]),
}


def test_an_agency_with_held_rows_alone_is_in_the_band(tmp_path, deliver) -> None:
    """Ruling 48."""
    rows = []
    for period, (held, _) in HELD_ALONE.items():
        year, quarter = period.split("-Q")
        day = f"{year}-{int(quarter) * 3:02d}-28"
        good = [(agency, WEB if n == 9 else SIM, True, "jabatan") for n, agency in enumerate(AGENCIES[:10])]
        rows += [letter(period, day, *case) for case in (*good, *held)]
    deliver("integration/a.csv", csv(*rows))
    run_pipeline(tmp_path, as_of=date(2025, 4, 30))
    found = values(tmp_path, 2024) | values(tmp_path, 2025)
    assert {period: (*numbers(found[period])[:3], found[period]["band"]) for period in HELD_ALONE} == {
        period: ("100.00", 10, 10, band) for period, (_, band) in HELD_ALONE.items()
    }


def test_an_older_state_does_not_mend_a_held_row(tmp_path, deliver) -> None:
    """Ruling 46: the newer letter is still held, whatever an older one says."""
    deliver("integration/a.csv", csv(letter("2024-Q1", "2024-03-28", 5500, WEB, "x", number="L2")))
    run_pipeline(tmp_path, as_of=date(2024, 4, 30))
    held = [("integration/a.csv", 1)]
    for number, (day, still_held) in enumerate((("2024-03-10", held), ("2024-03-28", []))):
        deliver(f"integration/b{number}.csv", csv(letter("2024-Q1", day, 5500, WEB, True)))
        run_pipeline(tmp_path, as_of=date(2024, 5, 1 + number))
        assert [(row.file, row.row) for row in read_held_rows(Home(tmp_path), None, None)] == still_held


def test_a_held_row_without_a_readable_state_time_is_mended_by_any(tmp_path, deliver) -> None:
    deliver("integration/a.csv", csv(letter("2024-Q1", "28/03/2024", 5500, WEB, True)))
    run_pipeline(tmp_path, as_of=date(2024, 4, 30))
    assert len(read_held_rows(Home(tmp_path), None, None)) == 1
    deliver("integration/b.csv", csv(letter("2024-Q1", "2024-03-10", 5500, WEB, True)))
    run_pipeline(tmp_path, as_of=date(2024, 5, 1))
    assert read_held_rows(Home(tmp_path), None, None) == []


def test_a_quarter_that_has_not_begun_has_no_line_whatever_was_delivered_of_it(tmp_path, deliver) -> None:
    """Ruling 42; and a target is the year's alone."""
    rows = [letter("2024-Q1", "2024-03-28", a, c, True) for a, c in ((5500, WEB), (5600, SIM))]
    early = [letter("2024-Q4", "2024-03-29", a, c, False) for a, c in ((5500, WEB), (5600, SIM))]
    deliver("integration/a.csv", csv(*rows, *early))
    deliver(
        "performance_agreement/a.csv",
        "indikator,tahun,target,sasaran,perspektif\nIKU-06,2024,95,SS4,internal_process\n",
    )
    run_pipeline(tmp_path, as_of=date(2024, 4, 30))
    found = {period: (line["value"], line["target"]) for period, line in values(tmp_path, 2024).items()}
    assert found == {"2024": ("100.00", "95"), "2024-Q1": ("100.00", None), "2024-Q2": (None, None)}
    explained = explain(tmp_path, "IKU-06", "2024")
    assert (explained["value"], explained["reproduced"]) == ("100.00", True)
    assert explained["records"]["numerator"] == ["5500", "5600"]
    assert explained["formula"].endswith("webservice 1 / 1, simpegnas 1 / 1 = 100.00")
