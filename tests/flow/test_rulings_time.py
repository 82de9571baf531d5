"""The clock of a run, what was known when, and how a fact changes (rulings 1 to 3)."""

from datetime import date
from pathlib import Path

import pytest

from tests.rows import csv, row
from warehouse.reading.published_values import published, read_services, read_values
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.failures import WrongUsage
from warehouse.store.home import Home

COUNTS = ("received", "ms", "bts", "tms", "in_process")


def state(
    source: str, key: str, updated: str, code: int = 7, received: str = "2024-01-15T09:00:00", **changed
) -> dict[str, str]:
    common = {"tgl_update_layanan": updated, "status_usulan": code, "tgl_pengiriman_kelayanan": received}
    return row(source, id=key, tgl_pertek="", alasan_tolak="x", **(common | changed))


def counts(root: Path, as_of: date | None = None, year: int = 2024, by: str = "year") -> dict[tuple[str, str], tuple]:
    lines = read_services(Home(root), year, by, as_of)
    return {(line["service"], line["group"]): tuple(line[count] for count in COUNTS) for line in lines}


def known_from(root: Path, as_of: date | None = None) -> dict[str, str]:
    services = {line["service"]: line["known_from"] for line in read_services(Home(root), 2024, as_of=as_of)}
    return services | {
        line["period"]: line["known_from"] for line in read_values(Home(root), 2024, indicator="IKU-06", as_of=as_of)
    }


def quarters(root: Path, as_of: date | None = None, year: int = 2024) -> dict[str, tuple]:
    lines = read_values(Home(root), year, indicator="IKU-06", as_of=as_of)
    return {line["period"]: (line["value"], line["provisional"]) for line in lines if line["value"] is not None}


def letter(
    day: str, agency: str, channel: str, two_way: bool, quarter: int = 1, year: int = 2024, number: str = "L1"
) -> dict[str, str]:
    return row(
        "integration", tgl_surat=day, instansi_kode=agency, kanal=channel, terintegrasi=two_way, tw=quarter, tahun=year, nomor_surat=number
    )  # fmt: skip


def history(root: Path, table: str, where: str, columns: str) -> list[tuple]:
    with published(Home(root)) as connection:
        return connection.execute(f"SELECT {columns} FROM {table} WHERE {where} ORDER BY known_from").fetchall()


def test_a_running_year_ends_with_the_as_of_day_and_goes_on_without_deliveries(tmp_path, deliver) -> None:
    deliver(
        "promotion/a.csv",
        csv(
            state("promotion", "P1", "2024-06-30T23:59:59"),
            state("promotion", "P2", "2024-06-01T10:00:00", 12),
            state("promotion", "P2", "2024-07-01T00:00:00", 5),
            state("promotion", "P3", "2024-06-30T17:30:00Z"),  # 00:30 of 1 July
            state("promotion", "P4", "2024-06-01T10:00:00", 12, "2024-06-30T23:59:59"),
            state("promotion", "P5", "2024-06-01T10:00:00", 12, "2024-07-01T00:00:00"),
        ),
    )
    deliver(
        "pension/a.csv",
        csv(
            state("pension", "S1", "2024-06-30T16:59:59Z", 6),
            state("pension", "S2", "2024-07-01T00:00:00", received="2024-06-01T10:00:00"),
        ),
    )
    deliver("nip/a.csv", csv(state("nip", "N1", "2024-07-15T10:00:00")))
    run_pipeline(tmp_path, as_of=date(2024, 6, 30))
    june = {("promotion", "2024"): (3, 1, 0, 0, 2), ("pension", "2024"): (1, 0, 0, 1, 0)}
    assert counts(tmp_path) == june
    assert {line["provisional"] for line in read_services(Home(tmp_path), 2024)} == {True}
    assert all(known.startswith("2024-06-30T23:59:59") for known in known_from(tmp_path).values())

    assert run_pipeline(tmp_path, as_of=date(2024, 7, 1)).batches == []
    july = {("promotion", "2024"): (5, 2, 1, 0, 2), ("pension", "2024"): (2, 1, 0, 1, 0)}
    assert counts(tmp_path) == july
    assert {known_from(tmp_path)[service][:19] for service in ("promotion", "pension")} == {"2024-07-01T23:59:59"}

    # After a long gap: what was known on each day, a line that opens late, and the same numbers that add nothing.
    run_pipeline(tmp_path, as_of=date(2024, 9, 30))
    september = july | {("nip", "2024"): (1, 1, 0, 0, 0)}
    assert counts(tmp_path) == september
    assert {service: known[:10] for service, known in known_from(tmp_path).items() if service in ("promotion", "pension", "nip")} == {
        "promotion": "2024-07-01", "pension": "2024-07-01", "nip": "2024-09-30",
    }  # fmt: skip
    assert [counts(tmp_path, date(2024, month, day)) for month, day in ((6, 29), (6, 30), (7, 1), (9, 29), (9, 30))] == [
        {}, june, july, july, september,
    ]  # fmt: skip


def test_a_closed_year_is_final_and_the_same_value_adds_nothing(tmp_path, deliver) -> None:
    good = [state("pension", "S1", "2024-12-31T23:59:59"), state("pension", "S2", "2025-01-01T00:00:00")]
    deliver("pension/a.csv", csv(*good))
    deliver(
        "integration/a.csv",
        csv(letter("2024-12-20", "5500", "webservice", True, 4), letter("2024-12-20", "5600", "simpegnas", False, 4)),
    )
    run_pipeline(tmp_path, as_of=date(2025, 1, 15))
    first = known_from(tmp_path)
    assert counts(tmp_path) == {("pension", "2024"): (2, 1, 0, 0, 1)}
    assert quarters(tmp_path) == {"2024": ("50.00", False), "2024-Q4": ("50.00", False)}
    assert {line["provisional"] for line in read_services(Home(tmp_path), 2024)} == {False}

    deliver("pension/again.csv", csv(good[0], state("pension", "S2", "2025-01-20T10:00:00", 12)))
    deliver("integration/again.csv", csv(letter("2025-01-20", "5500", "webservice", True, 4, number="L2")))
    changed = run_pipeline(tmp_path, as_of=date(2025, 2, 15)).changed
    assert [change for change in changed if change.period.startswith("2024")] == []
    assert known_from(tmp_path) == first
    assert history(tmp_path, "kpi_values_history", "period = '2024-Q4'", "value, known_to") == [(50, None)]

    # A letter dated later than the quarter, and the year, still counts once it is known.
    deliver("integration/late.csv", csv(letter("2025-03-01", "5600", "simpegnas", True, 4, number="L3")))
    deliver("pension/late.csv", csv(state("pension", "S3", "2024-11-01T10:00:00", 6)))
    report = run_pipeline(tmp_path, as_of=date(2025, 3, 31))
    assert quarters(tmp_path)["2024-Q4"] == quarters(tmp_path)["2024"] == ("100.00", False)
    assert counts(tmp_path) == {("pension", "2024"): (3, 1, 0, 1, 1)}
    reasons = {(change.indicator, change.period): (change.old, change.new, change.reason) for change in report.changed}
    assert reasons["IKU-06", "2024-Q4"] == reasons["IKU-06", "2024"] == ("50.00", "100.00", "late_data")
    assert reasons["pension.completion", "2024"] == ("50.00", "66.67", "late_data")
    assert history(
        tmp_path, "kpi_values_history", "period = '2024-Q4'", "value, CAST(known_from AS DATE), CAST(known_to AS DATE), reason"
    ) == [(50, date(2025, 1, 15), date(2025, 3, 31), None), (100, date(2025, 3, 31), None, "late_data")]  # fmt: skip
    assert (quarters(tmp_path, date(2025, 3, 30))["2024-Q4"], quarters(tmp_path, date(2025, 3, 31))["2024-Q4"]) == (
        ("50.00", False), ("100.00", False),
    )  # fmt: skip
    assert (counts(tmp_path, date(2025, 3, 30)), counts(tmp_path, date(2025, 1, 14))) == (
        {("pension", "2024"): (2, 1, 0, 0, 1)},
        {},
    )


def test_letters_are_used_from_their_own_day_on(tmp_path, deliver) -> None:
    deliver(
        "integration/a.csv",
        csv(
            letter("2024-03-28", "5500", "webservice", False),
            letter("2024-03-28", "5600", "simpegnas", True),
            letter("2024-05-10", "5500", "webservice", True, number="L2"),
            letter("2024-05-20", "5500", "webservice", False, 2, number="L3"),
            letter("2024-05-20", "5600", "simpegnas", False, 2, number="L3"),
        ),
    )
    run_pipeline(tmp_path, as_of=date(2024, 3, 28))
    assert quarters(tmp_path) == {"2024": ("50.00", True), "2024-Q1": ("50.00", True)}
    run_pipeline(tmp_path, as_of=date(2024, 5, 9))
    assert quarters(tmp_path) == {"2024": ("50.00", True), "2024-Q1": ("50.00", False)}
    run_pipeline(tmp_path, as_of=date(2024, 5, 10))
    assert quarters(tmp_path) == {"2024": ("100.00", True), "2024-Q1": ("100.00", False)}
    run_pipeline(tmp_path, as_of=date(2024, 5, 20))
    assert quarters(tmp_path) == {"2024": ("0.00", True), "2024-Q1": ("100.00", False), "2024-Q2": ("0.00", True)}
    assert quarters(tmp_path, date(2024, 5, 15)) == {"2024": ("100.00", True), "2024-Q1": ("100.00", False)}
    assert quarters(tmp_path, date(2024, 3, 27)) == {}


def test_a_corrected_group_closes_and_another_opens(tmp_path, deliver) -> None:
    deliver(
        "promotion/a.csv",
        csv(state("promotion", "P1", "2024-03-01T10:00:00"), state("promotion", "P2", "2024-03-01T10:00:00")),
    )
    deliver("pension/a.csv", csv(state("pension", "S1", "2024-03-01T10:00:00")))
    run_pipeline(tmp_path, as_of=date(2024, 4, 30))
    deliver(
        "promotion/corrections/a.csv",
        csv(
            state("promotion", "P1", "2024-03-01T10:00:00", instansi_kode="5500"),
            state("promotion", "P2", "2024-03-01T10:00:00", instansi_kode="V001", periode="01-06-2024"),
        ),
    )
    deliver("pension/b.csv", csv(state("pension", "S1", "2024-05-01T10:00:00", 9)))
    report = run_pipeline(tmp_path, as_of=date(2024, 5, 31))
    old = {
        by: {group: line[0] for (_, group), line in counts(tmp_path, date(2024, 5, 30), by=by).items()}
        for by in ("agency", "region", "period")
    }
    new = {
        by: {group: line[0] for (_, group), line in counts(tmp_path, by=by).items()}
        for by in ("agency", "region", "period")
    }
    assert old["period"] == {"2024-04-01": 2}
    assert counts(tmp_path, date(2024, 5, 30), by="agency") == {
        ("promotion", "5600"): (2, 2, 0, 0, 0), ("pension", "5600"): (1, 1, 0, 0, 0),
    }  # fmt: skip
    assert new == {
        "agency": {"5500": 1, "V001": 1}, "region": {"Jambi": 1, "vertical": 1}, "period": {"2024-04-01": 1, "2024-06-01": 1},
    }  # fmt: skip
    # The pension proposal was cancelled: nothing received, no line.
    assert counts(tmp_path) == {("promotion", "2024"): (2, 2, 0, 0, 0)}
    assert counts(tmp_path, date(2024, 5, 30)) == {
        ("promotion", "2024"): (2, 2, 0, 0, 0),
        ("pension", "2024"): (1, 1, 0, 0, 0),
    }
    gone = {(c.indicator, c.period): (c.old, c.new, c.reason) for c in report.changed}
    assert gone["pension.completion", "2024"] == ("100.00", None, "late_data")
    # A group that was not there before has no older version, so no reason.
    assert history(tmp_path, "service_summary_history", "service = 'promotion' AND group_name = '5500'", "reason") == [
        (None,)
    ]


def test_the_clock_does_not_go_back(tmp_path, deliver) -> None:
    deliver("pension/a.csv", csv(state("pension", "S1", "2024-03-01T10:00:00")))
    run_pipeline(tmp_path, as_of=date(2024, 9, 30))
    before = known_from(tmp_path)
    deliver("pension/b.csv", csv(state("pension", "S2", "2024-03-01T10:00:00")))
    with pytest.raises(WrongUsage):
        run_pipeline(tmp_path, as_of=date(2024, 9, 29))
    assert (counts(tmp_path), known_from(tmp_path)) == ({("pension", "2024"): (1, 1, 0, 0, 0)}, before)
    # The same day again is allowed, and takes in what the refused run left.
    report = run_pipeline(tmp_path, as_of=date(2024, 9, 30))
    assert [(batch.file, batch.accepted) for batch in report.batches] == [("pension/b.csv", 1)]
    assert counts(tmp_path) == counts(tmp_path, date(2024, 9, 30)) == {("pension", "2024"): (2, 2, 0, 0, 0)}
    assert run_pipeline(tmp_path, as_of=date(2024, 9, 30)).changed == []


def test_a_line_that_comes_back_had_no_value_before(tmp_path, deliver) -> None:
    deliver("pension/a.csv", csv(state("pension", "S1", "2024-03-01T10:00:00")))
    run_pipeline(tmp_path, as_of=date(2024, 4, 30))
    deliver("pension/b.csv", csv(state("pension", "S1", "2024-05-01T10:00:00", 9)))
    run_pipeline(tmp_path, as_of=date(2024, 5, 31))
    assert counts(tmp_path) == {}
    deliver("pension/c.csv", csv(state("pension", "S2", "2024-06-01T10:00:00")))
    report = run_pipeline(tmp_path, as_of=date(2024, 6, 30))
    assert [counts(tmp_path, date(2024, month, 15)) for month in (5, 6)] == [{("pension", "2024"): (1, 1, 0, 0, 0)}, {}]
    told = {(c.period, c.old, c.new) for c in report.changed if c.indicator == "pension.completion"}
    assert told == {("2024", None, "100.00")}


def test_a_row_that_moves_a_proposal_to_another_year_renews_both(tmp_path, deliver) -> None:
    deliver(
        "nip/a.csv",
        csv(*(state("nip", key, "2025-01-05T10:00:00", received="2025-01-02T09:00:00") for key in ("N1", "N2", "N3"))),
    )
    deliver(
        "promotion/a.csv",
        csv(
            state("promotion", "P1", "2023-08-01T10:00:00", received="2023-08-01T09:00:00", periode="01-10-2023"),
            state("promotion", "P2", "2023-08-01T10:00:00", received="2023-08-01T09:00:00", periode="01-10-2023"),
            state("promotion", "P3", "2023-08-01T10:00:00", received="2023-08-01T09:00:00", periode="01-10-2023"),
            state("promotion", "P4", "2024-12-10T10:00:00", received="2024-12-10T09:00:00", periode="01-02-2026"),
        ),
    )
    deliver(
        "pension/a.csv",
        csv(
            state(
                "pension",
                "S1",
                "2025-01-05T10:00:00",
                received="2025-01-02T09:00:00",
                tmt_pensiun="2025-06-01 00:00:00",
            )
        ),
    )

    def by_year() -> dict[tuple[str, int], int]:
        return {
            (line["service"], year): line["received"]
            for year in (2023, 2024, 2025, 2026)
            for line in read_services(Home(tmp_path), year)
        }

    run_pipeline(tmp_path, as_of=date(2025, 2, 28))
    assert by_year() == {("nip", 2025): 3, ("promotion", 2023): 3, ("pension", 2025): 1}
    # Earlier receipts, of a row and of a correction; another period, of a late state, a correction, and one too late to matter.
    deliver("nip/late.csv", csv(state("nip", "N1", "2024-12-30T10:00:00", 12, "2024-12-30T09:00:00")))
    deliver("nip/corrections/a.csv", csv(state("nip", "N2", "2025-01-05T10:00:00", received="2023-12-29T09:00:00")))
    deliver(
        "promotion/late.csv",
        csv(state("promotion", "P1", "2023-11-01T10:00:00", received="2023-08-01T09:00:00", periode="01-04-2024")),
    )
    deliver(
        "promotion/later.csv",
        csv(state("promotion", "P3", "2024-01-01T00:00:00", received="2023-08-01T09:00:00", periode="01-04-2024")),
    )
    deliver(
        "promotion/corrections/a.csv",
        csv(state("promotion", "P2", "2023-08-01T10:00:00", received="2023-08-01T09:00:00", periode="01-02-2025")),
    )
    deliver("pension/b.csv", csv(state("pension", "S1", "2025-01-20T10:00:00", received="2024-01-02T09:00:00")))
    run_pipeline(tmp_path, as_of=date(2025, 3, 31))
    moved = {
        ("nip", 2023): 1, ("nip", 2024): 1, ("nip", 2025): 1, ("promotion", 2023): 1, ("promotion", 2024): 2,
        ("promotion", 2025): 1, ("pension", 2024): 1,
    }  # fmt: skip
    assert by_year() == moved
    # A year that had not begun has its line once it has, without a delivery.
    run_pipeline(tmp_path, as_of=date(2026, 1, 2))
    assert by_year() == moved | {("promotion", 2026): 1}
