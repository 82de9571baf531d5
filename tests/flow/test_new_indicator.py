"""A new indicator is one pair of files: with nothing else touched it gets its facts, its target and its publication."""

import shutil
from datetime import date
from importlib.resources import as_file, files

import duckdb
import pytest
from in_memory import derive, empty_warehouse, give_states, shown

from expectations.kinds import lookup
from transforms import definitions
from transforms.definitions import load_indicators, read_indicators
from warehouse.reading.published_values import read_values
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.home import Home

DEFINITION = """
id: IKU-15
title: {id: Persentase layanan yang penilaiannya berdasar, en: Share of services whose judgement states its evidence}
owner: Bidang Informasi Kepegawaian (INKA)
legal_basis: not stated in the report
unit: percent
perspective: internal_process
objective: SS5
sources: [digital_service]
cut_off: knowledge
population: {id: Layanan yang memiliki baris., en: The services that have a row.}
versions:
  - version: "1"
    valid_from: 2023-01-01
    changed: {id: Definisi awal., en: First definition.}
    legal_basis: not stated in the report
    formula: {scale: 100, text: services with evidence / services x 100}
examples:
  - title: One of three
    period: "2024"
    given: {}
    value: null
    status: source_missing
"""
EVIDENCE = """
-- indicator: IKU-15 services whose judgement states its evidence
-- grain: one service and year
-- inputs: states.digital_service
-- parameters: $first_year, $last_year, $known_batch (common)
SELECT CAST(year AS VARCHAR) AS period, record_key, CASE WHEN evidence IS NULL THEN 'denominator' ELSE 'numerator' END AS role,
  NULL AS reason, CAST([] AS VARCHAR[]) AS path, CAST(evidence IS NOT NULL AS INTEGER) AS amount, false AS is_contested, NULL AS flag
FROM states.digital_service
WHERE year BETWEEN $first_year AND $last_year
  AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
"""
ROWS = "2024,1,,true,SK 1\n2024,2,,true,\n2024,3,,false,\n"


@pytest.fixture
def folder(tmp_path):
    """The product's indicators and one more, as a package of their own."""
    folder = tmp_path / "more_indicators"
    with as_file(files(definitions.INDICATORS)) as product:
        shutil.copytree(product, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "iku_15.yml").write_text(DEFINITION)
    (folder / "iku_15.sql").write_text(EVIDENCE)
    return folder


@pytest.fixture
def more_indicators(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder.parent)
    monkeypatch.setattr(definitions, "INDICATORS", folder.name)
    # What a process has read of the definitions, and of the lists that they give: another process reads the new one by itself.
    for read in (load_indicators, lookup._listed):
        read.cache_clear()
    yield
    for read in (load_indicators, lookup._listed):
        read.cache_clear()


def test_it_is_derived_by_the_products_own_functions(folder):
    added = read_indicators(folder)[-1]
    assert added.id == "IKU-15"
    with duckdb.connect() as connection:
        empty_warehouse(connection)
        give_states(connection, "digital_service", f"year,service_number,service_name,is_digital,evidence\n{ROWS}")
        found = derive(connection, added, "2024")
        assert (shown(found), found.outcome.numerator, found.outcome.denominator) == ("33.33", 1, 3)
        assert derive(connection, added, "2023").outcome.status == "not_yet_measured"


@pytest.mark.usefixtures("more_indicators")
def test_a_run_gives_it_facts_a_target_and_a_publication(tmp_path):
    home = Home(tmp_path / "home")
    deliveries = {
        "digital_service": f"tahun,layanan_id,nama,digital,dasar\n{ROWS}",
        "performance_agreement": "indikator,tahun,target,sasaran,perspektif\nIKU-15,2024,50,SS5,internal_process\n",
    }
    for source, text in deliveries.items():
        (home.inbox / source).mkdir(parents=True)
        (home.inbox / source / "1.csv").write_text(text)
    report = run_pipeline(home.root, date(2025, 1, 10))
    assert {batch.source: batch.quarantined for batch in report.batches} == dict.fromkeys(deliveries, 0)
    (fact,) = read_values(home, indicator="IKU-15")
    assert (fact["value"], fact["numerator"], fact["denominator"], fact["target"]) == ("33.33", 1, 3, "50")
    with duckdb.connect(str(home.published / "kpi.duckdb"), read_only=True) as published:
        assert published.execute("SELECT title_en FROM indicators WHERE indicator = 'IKU-15'").fetchone() is not None


def test_it_may_share_a_query_and_bind_its_own_parameters_in_it(folder):
    shared = "evidence: {query: judged_services, parameters: {marked: 'SK 1'}}\n"
    query = EVIDENCE.replace("evidence IS NULL", "evidence IS DISTINCT FROM $marked").replace(
        "evidence IS NOT NULL", "evidence = $marked"
    )
    (folder / "judged_services.sql").write_text(query)
    (folder / "iku_15.yml").write_text(DEFINITION + shared)
    with pytest.raises(ValueError, match=r"iku_15.yml: it shares judged_services.sql and has iku_15.sql of its own"):
        read_indicators(folder)
    (folder / "iku_15.sql").unlink()
    with duckdb.connect() as connection:
        empty_warehouse(connection)
        give_states(connection, "digital_service", f"year,service_number,service_name,is_digital,evidence\n{ROWS}")
        assert derive(connection, read_indicators(folder)[-1], "2024").outcome.numerator == 1
    (folder / "iku_15.yml").write_text(DEFINITION + shared.replace("marked", "remarked"))
    with pytest.raises(ValueError, match="its evidence query has no parameter remarked"):
        read_indicators(folder)


def test_no_evidence_query_is_a_copy_of_another():
    bodies = [
        body(file.read_text("utf-8")) for file in files(definitions.INDICATORS).iterdir() if file.name.endswith(".sql")
    ]
    assert len(set(bodies)) == len(bodies)


def body(query: str) -> str:
    return "\n".join(line for line in query.splitlines() if not line.lstrip().startswith("--"))


def test_half_a_pair_and_an_unknown_key_are_errors(folder):
    (folder / "iku_15.yml").write_text(DEFINITION + "colour: red\n")
    with pytest.raises(ValueError, match="colour"):
        read_indicators(folder)
    (folder / "iku_15.sql").unlink()
    with pytest.raises(ValueError, match=r"iku_15.yml: its evidence query iku_15.sql is missing"):
        read_indicators(folder)
