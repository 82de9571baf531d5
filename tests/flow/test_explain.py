"""From a number to its records: every published number is explained, and the records that are listed give it again."""

import json
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.app import app
from flows.explain_text import print_explanation
from tests.conftest import RunHome
from tests.processes import kpi
from tests.rows import row
from tests.time_home import TimeHome, letter
from transforms.definitions import load_indicators
from transforms.exact import decimal_text, round_half_up
from transforms.periods import parse_period
from transforms.services.measures import listed_measures
from warehouse.reading.published_values import read_services, read_values
from warehouse.store.connection import open_warehouse
from warehouse.store.failures import EnvironmentProblem, WrongUsage
from warehouse.trace.explain import explain, explain_in
from warehouse.trace.explain.lineage import Question
from warehouse.trace.reproduce import reproduce

SHAPE = {
    "indicator", "period", "value", "definition_version", "formula", "numerator", "denominator", "excluded", "deliveries", "history",
    "records",
}  # fmt: skip


def test_integration(sample_2024: RunHome) -> None:
    found = explain(sample_2024.root, "IKU-06", "2024")
    assert found.keys() >= SHAPE
    assert (found["value"], found["numerator"], found["denominator"], found["excluded"]) == ("100.00", 49, 49, {})
    assert found["formula"].endswith("100 x the mean over channel of webservice 17 / 17, simpegnas 32 / 32 = 100.00")
    assert len(found["records"]["numerator"]) == 49
    assert found["records"]["denominator"] == found["records"]["numerator"]
    assert [(d["file"], d["rows"]) for d in found["deliveries"]] == [
        ("integration/2024/integration_2024_letter_6.csv.gz", 392)
    ]
    assert found["history"][0]["reason"] is None and found["reproduced"]


def test_the_third_quarter_has_all_keys_of_its_denominator(sample_2024: RunHome) -> None:
    found = explain(sample_2024.root, "IKU-06", "2024-Q3")
    assert (found["value"], len(found["records"]["numerator"]), len(found["records"]["denominator"])) == (
        "71.88",
        31,
        49,
    )


def test_satisfaction(sample_2024: RunHome) -> None:
    found = explain(sample_2024.root, "iku-04", "2024")
    assert (found["value"], found["numerator"], found["denominator"]) == ("93.37", None, 3217)
    assert "mean of 2 semesters = 93.37" in found["formula"] and "INKA" in found["formula"]
    assert len(found["records"]["denominator"]) == 3217
    assert sum(d["rows"] for d in found["deliveries"]) == 3253 and found["reproduced"]


def test_promotion(sample_2024: RunHome) -> None:
    found = explain(sample_2024.root, "promotion", "2024")
    assert (found["indicator"], found["value"], found["numerator"], found["denominator"]) == (
        "promotion.completion",
        "100.00",
        38950,
        38950,
    )
    assert len(found["records"]["numerator"]) == len(found["records"]["denominator"]) == 38950
    assert {entry["reason"] for entry in found["records"]["excluded"]} == set(found["excluded"])
    assert sum(found["excluded"].values()) == len(found["records"]["excluded"])


def test_the_score_goes_down_to_records(sample_2024: RunHome) -> None:
    found = explain(sample_2024.root, "NPSS", "2024")
    assert found["value"] == "99.27" and found["missing"] == {"IKU-01": "not_yet_measured"}
    # Of records, as with every number; the targets come from the agreement.
    assert sum(found["excluded"].values()) == len(found["records"]["excluded"])
    assert "performance_agreement" in {delivery["source"] for delivery in found["deliveries"]}
    assert (
        "stakeholder 25.00 + customer 25.31 + internal_process 24.78 + learning_growth 24.18 = 99.27"
        in found["formula"]
    )
    assert "IKU-02|5500" in found["records"]["numerator"]
    assert {step["level"] for step in found["steps"]} == {"perspective", "objective", "indicator"}
    assert [i["indicator"] for i in found["inputs"]] == [indicator.id for indicator in load_indicators()]


def test_every_indicator_value_comes_again_from_its_records(sample_2024: RunHome) -> None:
    with open_warehouse(sample_2024.root, "test") as warehouse:
        for fact in read_values(sample_2024.home):
            found = explain_in(warehouse.connection, fact["indicator"], Question(parse_period(fact["period"])))
            assert found["value"] == fact["value"], (fact["indicator"], fact["period"])
            assert found["reproduced"] is (None if fact["value"] is None else True), (fact["indicator"], fact["period"])
            assert (found["gap"] is None) == (fact["value"] is not None)
            assert (
                len(found["records"]["numerator"]) == (fact["numerator"] or 0)
                or fact["numerator"] is None
                or fact["indicator"] == "IKU-09"
            )


@pytest.mark.parametrize(
    ("indicator", "period"),
    [("IKU-02", "2024"), ("IKU-05", "2024"), ("IKU-07", "2024"), ("IKU-08", "2024"), ("IKU-14", "2024")],
)
def test_a_share_is_its_listed_records_counted(sample_2024: RunHome, indicator: str, period: str) -> None:
    found = explain(sample_2024.root, indicator, period)
    numerator, denominator = found["records"]["numerator"], found["records"]["denominator"]
    assert set(numerator) <= set(denominator) and len(denominator) == found["denominator"]
    share = Fraction(100 * len(numerator), len(denominator))
    assert found["value"] == decimal_text(round_half_up(share, 2), 2)


def test_every_measure_of_a_service_comes_again_from_its_records(sample_2024: RunHome) -> None:
    with open_warehouse(sample_2024.root, "test") as warehouse:
        lines = [line for line in read_services(sample_2024.home, 2024) if line["service"] != "promotion"]
        vertical = [line for line in read_services(sample_2024.home, 2024, "region") if line["group"] == "vertical"]
        for line in lines + vertical:
            for measure in listed_measures() if line["group"] == "2024" else ("received", "two_day"):
                group = "" if line["group"] == "2024" else f"|{line['group']}"
                found = explain_in(
                    warehouse.connection, f"{line['service']}.{measure}{group}", Question(parse_period("2024"))
                )
                assert found["reproduced"], (line["service"], measure, group)
                assert found["value"] == str(line[measure]), (line["service"], measure, group)
        for by, group in (("month", "2024-02"), ("type", "301"), ("kind", "I")):
            line = next(line for line in read_services(sample_2024.home, 2024, by) if line["group"] == group)
            named = f"{line['service']}.two_day|{by}={group}"
            found = explain_in(warehouse.connection, named, Question(parse_period("2024")))
            assert (found["reproduced"], found["value"]) == (True, line["two_day"]), named
        period = explain_in(warehouse.connection, "promotion.received", Question(parse_period("2024-02-01")))
        assert (period["value"], len(period["records"]["numerator"])) == ("2012", 2012)


def test_what_was_known_then(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    place.deliver(
        "integration/a.csv", letter("5500", integrated=False), letter("5502", integrated=True, channel="simpegnas")
    )
    place.run("2025-01-10")
    place.deliver("integration/b.csv", letter("5500", integrated=True, number="L2", tgl_surat="2024-12-27"))
    place.run("2025-02-10")
    now, then = explain(tmp_path, "IKU-06", "2024"), explain(tmp_path, "IKU-06", "2024", date(2025, 1, 31))
    assert (now["value"], then["value"]) == ("100.00", "50.00")
    assert (now["records"]["numerator"], then["records"]["numerator"]) == (["5500", "5502"], ["5502"])
    assert [[d["file"] for d in found["deliveries"]] for found in (then, now)] == [
        ["integration/a.csv"],
        ["integration/a.csv", "integration/b.csv"],
    ]
    assert [(h["value"], h["reason"]) for h in now["history"]] == [("50.00", None), ("100.00", "late_data")]
    assert then["reproduced"] and now["reproduced"]
    superseded = reproduce(tmp_path, "IKU-06", "2024", date(2025, 1, 31))
    assert (superseded["value"], superseded["recomputed"], superseded["equal"]) == ("50.00", "50.00", True)


@pytest.mark.parametrize(
    ("item", "period", "value"),
    [
        ("IKU-06", "2024-Q3", "71.88"), ("IKU-04", "2024", "93.37"), ("IKU-09", "2024", "85.01"), ("NPSS", "2024", "99.27"),
        ("SS2", "2024", "101.25"), ("pension.completion", "2024", "99.87"), ("promotion.received|vertical", "2024", "2382"),
    ],
)  # fmt: skip
def test_a_number_is_reproduced_from_the_archive(sample_2024: RunHome, item: str, period: str, value: str) -> None:
    found = reproduce(sample_2024.root, item, period)
    assert (found["value"], found["recomputed"], found["equal"], found["differences"]) == (value, value, True, {})


def test_a_changed_fact_is_not_reproduced(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    place.deliver(
        "integration/a.csv", letter("5500", integrated=False), letter("5502", integrated=True, channel="simpegnas")
    )
    place.run("2025-01-10")
    with open_warehouse(tmp_path, "test") as warehouse:
        warehouse.connection.execute(
            "UPDATE facts.kpi_values SET value = 51 WHERE indicator = 'IKU-06' AND period = '2024'"
        )
    found = reproduce(tmp_path, "IKU-06", "2024")
    assert (found["value"], found["recomputed"], found["equal"]) == ("51.00", "50.00", False)
    assert found["differences"] == {"value": ["51.000000", "50.000000"]}
    assert not explain(tmp_path, "IKU-06", "2024")["reproduced"]
    for archive in place.home.landing.glob("*/*.parquet"):
        archive.unlink()
    with pytest.raises(EnvironmentProblem, match=r"integration/a\.csv: its archive"):
        reproduce(tmp_path, "IKU-06", "2024")


def test_what_nobody_knows(sample_2024: RunHome) -> None:
    with pytest.raises(WrongUsage, match="nothing is called 'IKU-99'"):
        explain(sample_2024.root, "IKU-99", "2024")
    with pytest.raises(WrongUsage, match="nothing is known of IKU-06 2019"):
        explain(sample_2024.root, "IKU-06", "2019")
    with pytest.raises(WrongUsage, match="nip has no numbers by period"):
        explain(sample_2024.root, "nip", "2024-02-01")
    with pytest.raises(ValueError, match="not a period"):
        explain(sample_2024.root, "IKU-06", "2024-Q7")


def test_the_command_prints_a_screen_and_json(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    place.deliver(
        "integration/a.csv", letter("5500", integrated=False), letter("5502", integrated=True, channel="simpegnas")
    )
    place.run("2025-01-10")
    asked = ["explain", "IKU-06", "--period", "2024", "--home", str(tmp_path)]
    text = kpi(*asked).stdout
    assert (
        text.startswith("IKU-06 2024 = 50.00 percent (derived)") and "These records give the value again: yes" in text
    )
    shape = json.loads(kpi(*asked, "--json").stdout)
    assert shape.keys() >= SHAPE and shape["deliveries"][0].keys() == {"source", "file", "sha256", "rows"}
    done = kpi("reproduce", *asked[1:])
    assert done.returncode == 0 and "equal, with all its components" in done.stdout


def test_an_archive_that_is_not_as_it_was_written_is_named(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    place.deliver("pension/a.csv", row("pension"))
    place.run("2025-01-10")
    (archive,) = (tmp_path / "landing" / "pension").glob("*.parquet")
    archive.chmod(0o600)
    archive.write_bytes(archive.read_bytes()[:-50])
    with pytest.raises(EnvironmentProblem, match=r"pension/a.csv: its archive .* is not as it was written"):
        reproduce(tmp_path, "pension.received", "2024")


@pytest.mark.parametrize(
    "command",
    [
        ["explain", "IKU-06", "--period", "2024"],
        ["reproduce", "IKU-06", "--period", "2024"],
        ["restate", "--plan"],
        ["close", "2024"],
        ["backfill", "2024", "--dry-run"],
    ],
    ids=lambda command: command[0],
)
def test_who_only_asks_makes_no_home(tmp_path: Path, command: list[str]) -> None:
    said = CliRunner().invoke(app, [*command, "--home", str(tmp_path / "none")])
    assert said.exit_code == 3 and "there is no installation in" in said.stderr
    assert not (tmp_path / "none").exists()


def test_a_missing_value_says_what_is_missing_since_when_and_who_delivers_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = TimeHome(tmp_path)
    place.deliver("integration/a.csv", letter("5500", integrated=True, tw=3, tgl_surat="2024-09-20"))
    place.run("2024-12-30")
    place.run("2025-01-10")
    register = "draft_id,tahun,judul,tgl_usul,nomor,tgl_penetapan\n"
    late = place.home.inbox / "regulation" / "a.csv"
    late.parent.mkdir(parents=True)
    late.write_text(register + "D1,2023,Edaran,2023-03-01,SE/1,2023-04-01\n", encoding="utf-8")
    place.run("2025-02-10")

    found = explain(tmp_path, "IKU-05", "2024")
    assert (found["value"], found["reproduced"]) == (None, None)
    assert found["gap"] == {
        "status": "not_yet_measured",
        "flags": [],
        "since": "2024-12-30T23:59:59.999999",
        "owner": "Bidang Pengembangan dan Supervisi Kepegawaian (PDSK)",
        "parts": [],
        "sources": [
            {
                "source": "regulation",
                "last_file": "regulation/a.csv",
                "last_delivered": "2025-02-10T23:59:59.999999",
                "held": 0,
                "held_without_period": 0,
                "title": {"id": "Regulasi teknis dan instrumen", "en": "Technical regulations and instruments"},
            }
        ],
    }
    print_explanation(found)
    text = capsys.readouterr().out
    assert "What is missing: IKU-05 2024 is not_yet_measured since 2024-12-30 23:59:59\n" in text
    assert "last delivered 2025-02-10 23:59:59 as regulation/a.csv; no row of 2024\n" in text
    assert "Who delivers it: Bidang Pengembangan dan Supervisi Kepegawaian (PDSK), into inbox/regulation/\n" in text
    assert "These records give the value again" not in text

    then = explain(tmp_path, "IKU-05", "2024", date(2025, 1, 31))["gap"]
    assert (then["status"], then["sources"][0]["last_delivered"]) == ("source_missing", None)
    print_explanation(explain(tmp_path, "IKU-03", "2024"))
    text = capsys.readouterr().out
    assert "survey (" in text and "): never delivered" in text
    assert "  2024-S1 is source_missing\n  2024-S2 is source_missing\n" in text
    nothing = explain(tmp_path, "NPSS", "2024")
    assert nothing["reproduced"] is None
    print_explanation(nothing)
    assert "What is missing: IKU-05 2024 is not_yet_measured" in capsys.readouterr().out


def test_a_withheld_value_counts_the_held_rows_of_its_period(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = TimeHome(tmp_path)
    place.deliver(
        "integration/a.csv",
        letter("5500", integrated=True) | {"terintegrasi": "x"},
        letter("5501", integrated=True, tw=9),
    )
    place.run("2025-01-10")
    found = explain(tmp_path, "IKU-06", "2024-Q4")
    assert (found["gap"]["status"], found["gap"]["sources"][0]["held"]) == ("withheld_quality", 1)
    print_explanation(found)
    assert "quarantined rows of 2024-Q4: 1 (`kpi quarantine --source integration`)" in capsys.readouterr().out


def test_a_service_without_a_decision_claims_nothing(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    place.deliver("pension/a.csv", row("pension", status_usulan=12, no_pertek="", tgl_pertek=""))
    place.run("2025-01-10")
    found = explain(tmp_path, "pension.median_days", "2024")
    assert (found["value"], found["reproduced"]) == (None, None)
    assert found["formula"].endswith("no value: no proposal has a first decision by the cut-off")


def test_the_denominator_is_listed_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = TimeHome(tmp_path)
    drafts = [f"D{n:02d},2024,Edaran,2024-03-01,SE/{n},2024-04-01" for n in range(1, 11)]
    drafts += [f"D{n:02d},2024,Edaran,2024-03-01,," for n in range(11, 15)]
    file = place.home.inbox / "regulation" / "a.csv"
    file.parent.mkdir(parents=True)
    file.write_text("\n".join(["draft_id,tahun,judul,tgl_usul,nomor,tgl_penetapan", *drafts, ""]), encoding="utf-8")
    place.deliver(
        "pension/a.csv", row("pension"), row("pension", id="S2", status_usulan=12, no_pertek="", tgl_pertek="")
    )
    place.run("2025-01-10")
    found = explain(tmp_path, "IKU-05", "2024")
    assert found["records"]["denominator"] == [f"D{n:02d}" for n in range(1, 15)] and found["denominator"] == 14
    assert found["records"]["numerator"] == [f"D{n:02d}" for n in range(1, 11)]
    print_explanation(found)
    assert "denominator, not in the numerator: D11, D12, D13, D14\n" in capsys.readouterr().out
    steps = {step["id"]: step for step in explain(tmp_path, "SS3", "2024")["steps"]}
    assert steps["IKU-05"]["records"] == 14
    completion = explain(tmp_path, "pension.completion", "2024")
    assert (completion["records"]["numerator"], completion["records"]["denominator"]) == (["S1"], ["S1", "S2"])
