"""A printed number that contradicts, through the whole pipeline: what is published, how it is told, accepted, mended, and ends."""

import json
import shutil
from datetime import date
from typing import Any

import duckdb
import pytest
import typer
from pydantic import TypeAdapter
from typer.testing import CliRunner

from expectations.contested import Fact
from flows.app import app
from flows.json_shapes import Report, printed_shapes
from flows.messages import contested_rows, failure_report, outcome
from flows.options import exit_if_named
from flows.render import shaped
from tests.time_home import TimeHome
from warehouse.reading.published_values import read_revisions, read_scores, read_values
from warehouse.reconciliation.compare import HELD_BACK
from warehouse.runs.closing import close_year
from warehouse.runs.pipeline import RunReport, a_run, run_pipeline
from warehouse.runs.restatement import restate
from warehouse.runs.waiving import read_waivers, waive
from warehouse.store.failures import WrongUsage
from warehouse.store.home import Home
from warehouse.store.seal import find_break

ITEM = "07|IKU-07|2024|realisasi@Surat 7/2025"
SERVICES = "tahun,layanan_id,nama,digital,dasar\n"
AGREEMENT = "indikator,tahun,target,sasaran,perspektif\nIKU-07,2024,95,SS5,internal_process\n"


def services(digital: int, first: int = 1) -> str:
    """The twelve services of 2024, as many of them digital."""
    rows = (f"2024,{n},Layanan {n},{str(n <= digital).lower()},SK 1/2024\n" for n in range(first, 13))
    return SERVICES + "".join(rows)


def printed(value: str, measure: str = "realisasi", item: str = "IKU-07") -> str:
    return f"kantor,indikator,tahun,ukuran,nilai,desimal,sumber\n07,{item},2024,{measure},{value},2,Surat 7/2025\n"


def put(place: TimeHome, name: str, text: str) -> None:
    file = place.home.inbox / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def published_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """2024 with one indicator, IKU-07 = 91.67, published in January 2025."""
    place = TimeHome(tmp_path_factory.mktemp("published") / "home")
    put(place, "digital_service/list.csv", services(11))
    put(place, "performance_agreement/list.csv", AGREEMENT)
    place.home.make()
    place.run("2025-01-31")
    return place.home


@pytest.fixture(scope="module")
def contested_run(published_home: Home, tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, RunReport]:
    """The same, and in February a delivery says that 90.00 was printed."""
    root = tmp_path_factory.mktemp("contested") / "home"
    shutil.copytree(published_home.root, root, symlinks=True)
    place = TimeHome(root)
    put(place, "published_value/letter.csv", printed("90.00"))
    return place.home, place.run("2025-02-28")


@pytest.fixture
def place(contested_run: tuple[Home, RunReport], tmp_path) -> TimeHome:
    """A copy of it to go on from."""
    shutil.copytree(contested_run[0].root, tmp_path / "home", symlinks=True)
    return TimeHome(tmp_path / "home")


@pytest.fixture
def open_place(published_home: Home, tmp_path) -> TimeHome:
    """A copy of the home without any printed number."""
    shutil.copytree(published_home.root, tmp_path / "home", symlinks=True)
    return TimeHome(tmp_path / "home")


def ask(place: TimeHome | Home, *arguments: str, code: int = 0) -> str:
    root = place.root
    result = CliRunner().invoke(app, [*arguments, "--home", str(root)])
    assert result.exit_code == code, result.output
    return result.output


def iku_07(place: TimeHome, as_of: str | None = None) -> dict[str, Any]:
    day = date.fromisoformat(as_of) if as_of else None
    return read_values(place.home, period="2024", indicator="IKU-07", as_of=day)[0]


def accept(place: TimeHome, day: str, until: str | None = None, item: str = ITEM) -> Any:
    end = date.fromisoformat(until) if until else None
    return waive(
        place.root, date.fromisoformat(day), item, "Surat 12/2025: a service was counted twice", "Bidang INKA", end
    )


# The night


def test_the_night_publishes_all_but_what_is_contradicted_and_names_it(contested_run):
    home, report = contested_run
    (found,) = report.as_dict()["contested"]

    assert report.published
    assert (found["item"], found["published"], found["derived"]) == (ITEM, "90.00", "91.67")
    assert found["where"] == ["published_value/letter.csv, line 2, column nilai"]
    assert [(n["item"], n["period"], n["status"], n["value"]) for n in found["held"]] == [
        ("IKU-07", "2024", "contested", "91.67"), ("IKU-07.capaian", "2024", "contested", "96.49"), ("SS5.nss", "2024", "contested", "96.49"),
        ("internal_process.perspective_score", "2024", "contested", "96.49"), ("internal_process.nkp", "2024", "contested", "24.12"),
    ]  # fmt: skip
    assert f"kpi waive '{ITEM}'" in found["what_to_do"]
    with pytest.raises(typer.Exit) as stop:
        exit_if_named(report.as_dict())
    assert stop.value.exit_code == 4
    flags = {(v["indicator"], v["status"]): v["flags"] for v in read_values(home, 2024) if len(v["period"]) == 4}
    assert len(flags) == 14
    assert {name: found for name, found in flags.items() if found} == {("IKU-07", "derived"): ["contested"]}


def test_a_first_value_is_withheld_with_the_scores_that_rest_on_it(tmp_path):
    place = TimeHome(tmp_path / "home")
    put(place, "digital_service/list.csv", services(11))
    put(place, "performance_agreement/list.csv", AGREEMENT)
    put(place, "published_value/letter.csv", printed("90.00"))
    place.home.make()
    assert place.run("2025-02-28").published

    value = iku_07(place)
    assert (value["value"], value["status"], value["flags"], value["numerator"], value["target"]) == (
        None, "withheld_contested", ["contested"], None, "95",
    )  # fmt: skip
    sheet = read_scores(place.home, 2024).shape
    assert next(o for o in sheet["objectives"] if o["id"] == "SS5")["nss"] is None
    assert next(i for i in sheet["indicators"] if i["id"] == "IKU-07")["status"] == "withheld_contested"
    said = ask(place, "explain", "IKU-07", "--period", "2024")
    assert said.startswith("IKU-07 2024 = - percent (withheld_contested)")
    assert (
        "digital services / 12 x 100: no value: withheld_contested" in said and "numerator                 11" in said
    )
    assert "What is missing" not in said and "give the value again" not in said
    assert ask(place, "reproduce", "IKU-07", "--period", "2024").startswith("kpi: IKU-07 2024 is withheld")


def test_every_command_tells_the_story(contested_run):
    home, report = contested_run
    by_print = f"contested by {ITEM}: printed 90.00, derived 91.67"

    assert f"IKU-07 2024: {by_print}" in ask(home, "values", "--year", "2024", "--format", "table")
    value = next(v for v in json.loads(ask(home, "values", "--indicator", "IKU-07", "--json")) if v["period"] == "2024")
    assert value["contested"] == [{"item": ITEM, "published": "90.00", "derived": "91.67"}]
    scores = ask(home, "scores", "--year", "2024", "--format", "table")
    assert f"{by_print}; held back: IKU-07.capaian 2024, " in scores
    assert json.loads(ask(home, "scores", "--year", "2024", "--json"))["contested"][0]["item"] == ITEM
    line = next(li for li in json.loads(ask(home, "reconcile", "--year", "2024", "--json")) if li["item"] == ITEM)
    assert (line["verdict"], line["derived"]) == ("different", "91.67")
    assert line["note"].startswith(HELD_BACK.format("IKU-07 2024, IKU-07.capaian 2024, "))
    said = ask(home, "explain", "IKU-07", "--period", "2024")
    assert said.startswith("IKU-07 2024 = 91.67 percent (derived, contested)")
    assert (
        f"CONTESTED {ITEM}: printed 90.00, derived 91.67 (published_value/letter.csv, line 2, column nilai); held back"
        in said
    )
    assert "These records give the value again: yes" in said
    assert (
        json.loads(ask(home, "explain", "internal_process", "--period", "2024", "--json"))["contested"][0]["item"]
        == ITEM
    )
    (doctor,) = (c for c in json.loads(ask(home, "doctor", "--json")) if c["check"] == "printed numbers")
    assert doctor["verdict"] == "note" and ITEM in doctor["finding"]
    page = (home.validation_reports / f"{report.run}.html").read_text(encoding="utf-8")
    assert "dipertentangkan" in page and "tercetak 90.00, turunan 91.67" in page and "kpi waive" in page
    assert ask(home, "reproduce", "IKU-07", "--period", "2024").count("equal") == 1


def test_what_is_contested_is_in_json_as_declared(contested_run):
    home, report = contested_run

    given = json.loads(json.dumps(report.as_dict(), default=str))
    assert shaped(given | {"error": None}, Report)["contested"] == given["contested"]
    for arguments in (
        ["values"],
        ["scores", "--year", "2024"],
        ["explain", "IKU-07", "--period", "2024"],
        ["waive", "--list"],
    ):
        printed_json = json.loads(ask(home, *arguments, "--json"))
        assert TypeAdapter(printed_shapes()[arguments[0]]).validate_python(printed_json, strict=True)


def test_prefect_is_told_in_its_state_and_its_artifacts(contested_run):
    home, report = contested_run

    assert f"contested: {ITEM}; published" in outcome(report.as_dict())
    assert f"- {report.contested[0].message}. What to do: find out" in failure_report(report, home)
    assert contested_rows(report.as_dict()["contested"])[0] == {
        "held back": "IKU-07", "period": "2024", "status": "contested", "value": "91.67", "printed": "90.00", "derived": "91.67", "item": ITEM,
    }  # fmt: skip


def test_what_was_known_on_a_day_says_what_was_contested_then(contested_run):
    place = TimeHome(contested_run[0].root)

    assert (iku_07(place, "2025-02-01")["flags"], iku_07(place, "2025-02-28")["flags"]) == ([], ["contested"])
    assert [(r["value"], r["reason"]) for r in read_revisions(place.home, "IKU-07") if r["period"] == "2024"] == [
        ("91.67", None), ("91.67", "contested"),
    ]  # fmt: skip


def test_a_quiet_night_names_it_again_and_publishes_nothing(place):
    report = place.run("2025-03-01")

    assert [found.item for found in report.contested] == [ITEM]
    assert (report.changed, report.published) == ([], False)


# Mended


def test_a_mended_delivery_in_corrections_releases_it(place):
    put(place, "published_value/corrections/letter.csv", printed("91.67"))
    report = place.run("2025-03-01")

    assert report.contested == []
    assert [(c.indicator, c.old, c.new, c.reason) for c in report.changed] == [("IKU-07", "91.67", "91.67", "released")]
    assert (iku_07(place)["flags"], iku_07(place)["contested"]) == ([], [])


def test_mended_records_release_it_with_their_own_reason(place):
    put(place, "published_value/corrections/letter.csv", printed("83.33"))
    put(place, "digital_service/corrections/list.csv", services(10, first=11))
    report = place.run("2025-03-01")

    assert report.contested == []
    assert [(c.indicator, c.old, c.new, c.reason) for c in report.changed] == [
        ("IKU-07", "91.67", "83.33", "correction")
    ]
    assert read_scores(place.home, 2024).shape["objectives"][4] == {"id": "SS5", "nss": "87.72"}


# Accepted


def test_a_waiver_releases_at_once_and_is_explained_wherever_the_value_stands(place):
    said = ask(
        place,
        "waive",
        "iku-07|2024|realisasi",
        "--reason",
        "Surat 12/2025",
        "--owner",
        "Bidang INKA",
        "--as-of",
        "2025-03-01",
        "--json",
    )
    done = json.loads(said[: said.rindex("}") + 1])

    assert (done["published"], done["contested"]) == (True, [])
    assert done["accepted"] == [
        {
            "item": ITEM,
            "published": "90.00",
            "derived": "91.67",
            "reason": "Surat 12/2025",
            "owner": "Bidang INKA",
            "until": None,
        }
    ]
    assert done["changed"][0]["reason"] == "released"
    assert (iku_07(place)["value"], iku_07(place)["flags"], iku_07(place, "2025-02-28")["flags"]) == (
        "91.67",
        ["waived"],
        ["contested"],
    )
    assert read_scores(place.home, 2024).shape["objectives"][4] == {"id": "SS5", "nss": "96.49"}
    (line,) = json.loads(ask(place, "reconcile", "--year", "2024", "--verdict", "waived", "--format", "json"))[-1:]
    lines = {li["item"]: li for li in json.loads(ask(place, "reconcile", "--year", "2024", "--json"))}
    assert (lines[ITEM]["verdict"], lines[ITEM]["note"]) == ("waived", "Surat 12/2025 (Bidang INKA)"), line
    for item in ("IKU-07", "SS5"):
        explained = ask(place, "explain", item, "--period", "2024")
        assert f"ACCEPTED by Bidang INKA: derived 91.67 beside printed 90.00 ({ITEM}): Surat 12/2025" in explained
    assert ask(place, "reproduce", "IKU-07", "--period", "2024").count("equal") == 1
    listed = json.loads(ask(place, "waive", "--list", "--json"))
    assert [(entry["item"], entry["state"]) for entry in listed] == [
        (ITEM, "in force"), ("07|NPSS|2023|NPSS", "choice among printings, shipped"),
    ]  # fmt: skip
    page = sorted(place.home.validation_reports.glob("run-*.html"))[-1].read_text(encoding="utf-8")
    assert "accepted / diterima" in page and "Surat 12/2025 (Bidang INKA)" in page
    night = place.run("2025-03-02")
    assert (night.contested, night.changed, night.published) == ([], [], False)


def test_a_waiver_ends_by_itself_and_another_one_follows(place):
    accept(place, "2025-03-01", until="2025-03-31")
    assert place.run("2025-03-31").contested == [], "its last day is its own"

    report = place.run("2025-04-01")
    assert [found.item for found in report.contested] == [ITEM] and report.published
    assert (iku_07(place)["value"], iku_07(place)["flags"], iku_07(place, "2025-03-31")["flags"]) == (
        "91.67", ["contested"], ["waived"],
    )  # fmt: skip
    assert [entry["state"] for entry in read_waivers(place.root)][:1] == ["ended"]
    accept(place, "2025-04-02")
    assert [entry["state"] for entry in read_waivers(place.root)][:2] == ["in force", "replaced"]
    assert iku_07(place)["flags"] == ["waived"]


def test_a_waiver_holds_for_this_pair_of_numbers_alone(place):
    accept(place, "2025-03-01")
    put(place, "digital_service/corrections/list.csv", services(10, first=11))
    report = place.run("2025-03-02")

    assert [(found.published, found.derived) for found in report.contested] == [("90.00", "83.33")]
    assert (iku_07(place)["value"], iku_07(place)["flags"]) == ("91.67", ["contested"])


def test_a_changed_waiver_is_found_by_the_seal(place):
    accept(place, "2025-03-01")
    with duckdb.connect(str(place.home.warehouse)) as connection:
        assert find_break(connection) is None
        connection.execute("UPDATE ledger.waivers SET owner = 'Somebody else'")
        assert find_break(connection) == "run 3: ledger.waivers"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["IKU-7|2024|realisasi", "--reason", "x", "--owner", "y"], "no printed number is called 'IKU-7|2024|realisasi'; did you mean 'IKU-07|2024|realisasi'?"),
        (["07|IKU-03|2024|realisasi", "--reason", "x", "--owner", "y"], "07|IKU-03|2024|realisasi is not contested: no_counterpart, and only printed in the report"),
        ([ITEM, "--reason", " ", "--owner", "y"], "a waiver needs --reason and --owner"),
        ([ITEM, "--reason", "x"], "a waiver needs --reason and --owner"),
        ([ITEM, "--reason", "x", "--owner", "y", "--until", "2025-02-28"], "--until 2025-02-28: it is 2025-03-01, and the waiver would have ended already"),
        ([ITEM, "--reason", "x", "--owner", "y", "--until", "soon"], "not a day: 'soon'"),
        ([], "name the ITEM to accept, or --list"),
        ([ITEM, "--list"], "name the ITEM to accept, or --list"),
    ],
)  # fmt: skip
def test_what_cannot_be_waived_is_wrong_usage_and_leaves_no_run(place, arguments, said):
    before = place.ledger("SELECT count(*) FROM ledger.runs")

    assert said in ask(place, "waive", *arguments, "--as-of", "2025-03-01", code=2)
    assert place.ledger("SELECT count(*) FROM ledger.runs") == before


# Closed years


def close(place: TimeHome, day: str) -> None:
    with a_run(place.root, date.fromisoformat(day), "test") as pipeline:
        close_year(pipeline.warehouse, 2024, pipeline.run)
        pipeline.end()


def test_a_year_with_a_contested_number_is_not_closed(place):
    with pytest.raises(
        WrongUsage, match=r"IKU-07, .* are held back: mend it or accept it \(`kpi waive`\), then close the year"
    ):
        close(place, "2025-03-01")


def test_what_contradicts_a_closed_year_is_named_and_the_restatement_holds_it_back(open_place):
    place = open_place
    close(place, "2025-02-01")
    put(place, "published_value/letter.csv", printed("90.00"))
    (found,) = place.run("2025-02-28").contested
    assert found.held == [] and iku_07(place)["flags"] == [], "what is published of a closed year stands"

    put(place, "digital_service/corrections/list.csv", services(10, first=11))
    assert [(p.item, p.old, p.new) for p in place.run("2025-03-01").pending][:1] == [("IKU-07", "91.67", "83.33")]
    done = restate(place.root, date(2025, 3, 2), "Surat 12/2025", "Kepala")
    assert [(c["derived"], c["held"][0]["value"]) for c in done.contested] == [("83.33", "91.67")]
    assert done.sentence().startswith("run-000005: 1 values of 2024 restated"), (
        "the service itself, that is no more digital"
    )
    assert (iku_07(place)["value"], iku_07(place)["flags"]) == ("91.67", ["contested"])
    assert place.run("2025-03-03").contested[0].derived == "83.33"

    assert [(p["item"], p["new"]) for p in accept(place, "2025-03-04").pending][:1] == [("IKU-07", "83.33")]
    assert iku_07(place)["flags"] == ["contested"], "a closed year changes by a restatement alone"
    restate(place.root, date(2025, 3, 5), "Surat 13/2025", "Kepala")
    assert (iku_07(place)["value"], iku_07(place)["flags"]) == ("83.33", ["waived"])
    assert run_pipeline(place.root, date(2025, 3, 6)).pending == []


def test_a_held_number_is_named_as_the_plan_of_a_restatement_names_it():
    names = [Fact("value", "IKU-07", "2024").name, Fact("nss", "SS5", "2024").name, Fact("npss", "NPSS", "2024").name]
    assert names == ["IKU-07", "SS5.nss", "NPSS"]
