"""Rows of the tables of results, told: by the commands, explained down to their records, made again from the archive, as of a day."""

import json
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from typer.testing import CliRunner

from flows.app import app
from flows.explain_text import print_explanation
from flows.result_shapes import AgencyResult, BacklogLine, BudgetRevision, IntegrationChannel, SurveyElement, SurveyUnit
from tests.publication_home import query
from tests.rows import row
from tests.time_home import TimeHome, letter
from transforms.facts import FactTable, result_tables
from transforms.periods import parse_period
from transforms.result_names import parse_result, period_of
from warehouse.reading.results import read_agencies, read_backlog, read_budget, read_integration, read_survey
from warehouse.runs.initialise import initialise
from warehouse.store.connection import open_warehouse
from warehouse.store.failures import NothingKnown
from warehouse.trace.explain import explain, explain_in
from warehouse.trace.explain.lineage import Question
from warehouse.trace.reproduce import reproduce


def answers(respondent: str, unit: str, *scores: int) -> dict[str, str]:
    about = {
        "survei": "layanan" if unit else "pembinaan",
        "tahun": "2024",
        "semester": "1",
        "unit": unit,
        "responden_id": respondent,
    }
    return (
        about | {"tanggal": "2024-05-06"} | {f"u{number}": str(score) for number, score in enumerate(scores, start=1)}
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> TimeHome:
    """Two nights: the second brings a newer letter, and the decision of a pension."""
    found = TimeHome(tmp_path_factory.mktemp("told") / "home")
    initialise(found.root)
    found.deliver(
        "survey/a.csv",
        answers("r1", "MUTASI", *[4] * 9),
        answers("r2", "MUTASI", *[3] * 9),
        answers("r3", "", *[4] * 9),
    )
    found.deliver(
        "integration/a.csv", letter("5500", integrated=False), letter("5502", integrated=True, channel="simpegnas")
    )
    found.deliver(
        "ip_asn_measurement/a.csv",
        {"instansi_kode": "5500", "tahun": "2024", "tgl_pengukuran": "2024-09-23", "nilai": "75.45"},
    )
    found.deliver(
        "supervision_recommendation/a.csv",
        {
            "rekomendasi_id": "A",
            "tahun": "2024",
            "instansi_kode": "5500",
            "tgl_rekomendasi": "2024-02-01",
            "tgl_tindak_lanjut": "",
        },
    )
    found.deliver(
        "budget/a.csv",
        {"indikator": "CO", "tahun": "2024", "revisi_ke": "0", "tgl_revisi": "2024-01-02", "tgl_data": "2024-03-29", "pagu": "652000000", "realisasi": "104320000"},
    )  # fmt: skip
    found.deliver(
        "regulation/a.csv",
        {
            "draft_id": "D1",
            "tahun": "2024",
            "judul": "Petunjuk",
            "tgl_usul": "2024-01-26",
            "nomor": "7/2024",
            "tgl_penetapan": "2024-02-26",
        },
    )
    found.deliver(
        "digital_service/a.csv",
        {"tahun": "2024", "layanan_id": "1", "nama": "Pengadaan", "digital": "true", "dasar": "SIASN"},
    )
    waiting = {
        "tgl_pengiriman_kelayanan": "2024-12-02T09:00:00",
        "tgl_update_layanan": "2024-12-02T09:00:00",
        "status_usulan": "12",
    }
    found.deliver("pension/a.csv", row("pension", **waiting, tgl_pertek="", no_pertek=""))
    found.run("2025-01-10")
    found.deliver("integration/b.csv", letter("5500", integrated=True, number="L2", tgl_surat="2024-12-27"))
    decided = waiting | {"tgl_update_layanan": "2024-12-30T10:00:00", "status_usulan": "7"}
    found.deliver("pension/b.csv", row("pension", **decided, tgl_pertek="30-12-2024"))
    found.run("2025-02-10")
    return found


def named(table: FactTable, values: Sequence[object]) -> str:
    assert table.explained
    return "|".join([table.explained.name, *map(str, values)])


@pytest.mark.parametrize("table", result_tables(), ids=lambda table: table.table)
def test_every_row_comes_again_from_its_records(place: TimeHome, table: FactTable) -> None:
    """Of the backlog, which has a row a day, the days on which something happened and the last one."""
    assert table.explained
    parts = ", ".join(table.explained.parts)
    rows = query(place.root / "published", f"SELECT {parts} FROM {table.table}")
    if table.table == "service_backlog":
        rows = [found for found in rows if str(found[1]) in ("2024-12-02", "2024-12-30", "2024-12-31")]
    if table.table == "agency_results":
        rows = [found for found in rows if found[2] in ("5500", "5501", "5502")]
    assert rows
    with open_warehouse(place.root, "test") as warehouse:
        for values in rows:
            name = parse_result(named(table, values))
            assert name and name.text == named(table, values)
            found = explain_in(warehouse.connection, name.text, Question(parse_period(name.period)))
            assert found["reproduced"], name.text
            assert found["indicator"] == name.text


def test_a_row_is_explained_down_to_its_records(place: TimeHome, capsys: pytest.CaptureFixture[str]) -> None:
    found = explain(place.root, "integration|2024-Q4|webservice")
    assert (found["indicator"], found["value"], found["unit"]) == (
        "integration|2024-Q4|webservice|jabatan",
        "1",
        "agencies",
    )
    assert found["records"] == {"numerator": ["2024|4|5500|jabatan"], "denominator": [], "excluded": []}
    assert [(delivery["file"], delivery["rows"]) for delivery in found["deliveries"]] == [
        ("integration/a.csv", 1),
        ("integration/b.csv", 1),
    ]
    assert [(line["value"], line["reason"]) for line in found["history"]] == [("0", None), ("1", "late_data")]
    assert {rule["source"] for rule in found["rules"]} == {"integration"}
    print_explanation(found)
    text = capsys.readouterr().out
    assert text.startswith("integration|2024-Q4|webservice|jabatan = 1 agencies (derived)\n")
    assert "share_percent 100.00, letter_number L2" in text and "These records give the value again: yes" in text


def test_a_queue_is_explained_by_what_came_was_decided_and_waits(place: TimeHome) -> None:
    found = explain(place.root, "backlog|pension|2024-12-02")
    assert (found["value"], found["records"]["open"], found["records"]["received"]) == ("1", ["S1"], ["S1"])
    found = explain(place.root, "backlog|pension|2024-12-30")
    assert (found["value"], found["records"]["decided"], "open" in found["records"]) == ("0", ["S1"], False)
    # as known before the decision had come
    before = explain(place.root, "backlog|pension|2024-12-30", as_of=date(2025, 1, 15))
    assert (before["value"], before["records"]["open"]) == ("1", ["S1"])


def test_an_agency_that_delivered_nothing_is_explained_by_that(place: TimeHome) -> None:
    found = explain(place.root, "agency|IKU-02|2024|5501")
    assert (found["value"], found["records"]["denominator"], found["deliveries"]) == ("false", ["5501"], [])
    assert "missing_reason not_measured" in found["formula"]


@pytest.mark.parametrize(
    "name",
    [
        "survey|layanan|2024-S1|MUTASI|U3",
        "integration|2024-Q4|webservice",
        "budget|2024|CO|0",
        "backlog|pension|2024-12-30",
    ],
)
def test_a_row_is_made_again_from_the_archive_alone(place: TimeHome, name: str) -> None:
    found = reproduce(place.root, name)
    assert (found["equal"], found["value"]) == (True, found["recomputed"])
    assert (
        found["value"]
        == {"survey": "3.50", "integration": "1", "budget": "652000000", "backlog": "0"}[name.split("|", maxsplit=1)[0]]
    )


def test_a_row_is_made_again_as_it_was_known_then(place: TimeHome) -> None:
    found = reproduce(place.root, "integration|2024-Q4|webservice", as_of=date(2025, 1, 15))
    assert (found["equal"], found["value"]) == (True, "0")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "survey|layanan",
            "use survey|<survey_code>|<period>|<unit_code>|<element_code> or survey|<survey_code>|<period>|<unit_code>",
        ),
        ("budget|2024|CO|x", "revision_number of budget_revisions is no integer: 'x'"),
        ("backlog|pension|2024-13-40", "day of service_backlog is no date"),
        ("survey|layanan|2024-S3|MUTASI", "not a period: '2024-S3'"),
    ],
)
def test_a_name_that_names_no_row_says_how_rows_are_named(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        parse_result(name)


def test_the_name_says_the_period() -> None:
    name = parse_result("agency|IKU-06|2024-Q4|5500")
    assert period_of(name, None, "") == period_of(name, "2024-Q4", "") == period_of(name, "2024", "") == "2024-Q4"
    with pytest.raises(ValueError, match="is of 2024-Q4, not of 2023"):
        period_of(name, "2023", "")
    with pytest.raises(ValueError, match="name the period of IKU-06"):
        period_of(parse_result("IKU-06"), None, "IKU-06")


def test_a_row_that_nobody_knows_is_said(place: TimeHome) -> None:
    with pytest.raises(NothingKnown, match=r"nothing is known of survey\|layanan\|2024-S1\|INKA"):
        explain(place.root, "survey|layanan|2024-S1|INKA")


def told(place: TimeHome, *arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, [*arguments, "--home", str(place.root), "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout) if code == 0 else result.stderr


def test_the_commands_tell_the_tables(place: TimeHome) -> None:
    units = told(place, "surveys", "--year", "2024")
    assert [(line["unit"], line["ikm"], line["grade"], line["respondents"]) for line in units] == [
        ("total", "100.00", "A", 1), ("MUTASI", "87.50", "B", 2), ("total", "87.50", "B", 2),
    ]  # fmt: skip
    elements = told(place, "surveys", "--year", "2024", "--survey", "layanan", "--by", "element")
    assert (elements[0]["element"], elements[0]["name"], elements[0]["mean"]) == ("U1", "Persyaratan Pelayanan", "3.50")
    channels = told(place, "integration", "--year", "2024")
    assert [(line["channel"], line["agencies"], line["integrated"], line["share"]) for line in channels] == [
        ("webservice", 1, 1, "100.00"), ("simpegnas", 1, 1, "100.00"),
    ]  # fmt: skip
    assert told(place, "integration", "--year", "2024", "--as-of", "2025-01-15")[0]["integrated"] == 0
    agencies = told(place, "agencies", "--indicator", "iku-02")
    assert (len(agencies), agencies[-1]["name"], agencies[-1]["score"]) == (49, "Pemerintah Provinsi Jambi", "75.45")
    assert len(told(place, "agencies", "--indicator", "IKU-02", "--missing")) == 48
    budget = told(place, "budget", "--year", "2024", "--in-force")
    assert [(line["code"], line["allocated"], line["in_force_from"]) for line in budget] == [
        ("CO", 652000000, "2024-03-29")
    ]
    months = told(place, "backlog", "--service", "pension", "--by", "month")
    assert [(line["begins"], line["received"], line["decided"], line["open"], line["age_days"]) for line in months] == [
        ("2024-12-01", 1, 1, 0, None)
    ]
    weeks = told(place, "backlog", "--service", "pension", "--by", "week", "--as-of", "2025-01-15")
    assert [(line["begins"], line["open"], line["late"]) for line in weeks][:2] == [
        ("2024-12-02", 1, 1),
        ("2024-12-09", 1, 1),
    ]


def test_what_is_read_is_what_is_declared_of_it(place: TimeHome) -> None:
    """A field that no shape declares would not be printed."""
    found = [
        (read_survey(place.home, 2024, "unit", None, None), SurveyUnit), (read_survey(place.home, 2024, "element", None, None), SurveyElement),
        (read_integration(place.home, 2024, None), IntegrationChannel), (read_agencies(place.home, "IKU-08", None), AgencyResult),
        (read_budget(place.home, 2024), BudgetRevision), (read_backlog(place.home, "pension", "day", None), BacklogLine),
    ]  # fmt: skip
    for rows, shape in found:
        assert rows[0].keys() == shape.__annotations__.keys()
        TypeAdapter(list[shape]).validate_python(rows, strict=True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("surveys", "--year", "2024", "--survey", "layana"), "did you mean 'layanan'?"),
        (("integration", "--year", "2024", "--history", "jabatn"), "did you mean 'jabatan'?"),
        (("agencies", "--indicator", "IKU-05"), "there are IKU-01, IKU-02, IKU-06, IKU-08"),
        (("backlog", "--service", "pensions"), "did you mean 'pension'?"),
        (("explain", "IKU-06"), "name the period of IKU-06"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_names_there_are(
    place: TimeHome, arguments: tuple[str, ...], said: str
) -> None:
    assert said in told(place, *arguments, code=2)


def test_no_table_of_results_has_more_of_a_person_than_a_key(place: TimeHome) -> None:
    """What is published of a proposal, a respondent or a person: nothing, not even its key."""
    for table in result_tables():
        texts = [
            str(value)
            for found in query(Path(place.root / "published"), f"SELECT * FROM {table.table}")
            for value in found
        ]
        assert not {
            text
            for text in texts
            if text in ("S1", "r1", "r2", "r3") or "UJI COBA" in text or "196601151990011001" in text
        }
