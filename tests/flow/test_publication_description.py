"""The description of a publication: every column declared, a data package, and a manifest that shows tampering."""

import json
import re
from hashlib import sha256
from importlib.resources import files

import pytest
from pydantic import ValidationError

from tests import publication_home
from tests.publication_home import FILES, TABLES, VIEWS, query
from transforms.facts import result_tables
from warehouse.publication.declared import Published, load_published
from warehouse.publication.switch import publish, verify_publication

home = publication_home.home
warehouse = publication_home.warehouse


def test_every_column_is_declared_and_every_declaration_is_published(warehouse):
    folder = publish(warehouse, 1, "run-000001").folder
    published: dict[str, list[str]] = {name: [] for name in TABLES | VIEWS}
    for table, column in query(
        folder,
        "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal ORDER BY table_name, column_index",
    ):
        published[table].append(column)
    declared = load_published()
    assert published == {relation.name: list(relation.columns) for relation in (*declared.tables, *declared.views)}
    package = json.loads((folder / "datapackage.json").read_text())
    described = {
        r["name"]: [field["name"] for field in r["schema"]["fields"]] for r in package["resources"] + package["views"]
    }
    assert described == published
    for resource_ in package["resources"] + package["views"]:
        for field in resource_["schema"]["fields"]:
            assert field["description"], field
            assert field["unit"] in package["units"], field


def test_every_query_states_its_table_and_grain_and_belongs_to_a_declaration():
    queries = {
        file.name: file.read_text()
        for file in files("warehouse.publication.declared").iterdir()
        if file.name.endswith(".sql")
    }
    declared = load_published()
    # A table of facts has no query of its own: it is made from its declaration.
    kinds = dict.fromkeys([table for table in declared.tables if table.reads is None], "table")
    kinds |= dict.fromkeys(declared.views, "view")
    assert queries.keys() == {f"{relation.name}.sql" for relation in kinds}
    for relation, kind in kinds.items():
        header = queries[f"{relation.name}.sql"].splitlines()[:3]
        assert header[:2] == [f"-- {kind}: {relation.name}", f"-- grain: {relation.grain}"]
        assert header[2].startswith("-- inputs: ")
        assert not re.search(r"SELECT\s+\*|\.\*", queries[f"{relation.name}.sql"])


@pytest.mark.parametrize("table", result_tables(), ids=lambda table: table.table)
def test_the_query_of_a_table_of_results_states_what_it_gives(table):
    header = table.sql.splitlines()[:4]
    assert header[0] == f"-- table: {table.table}"
    assert [line.split(": ")[0] for line in header[1:]] == ["-- grain", "-- inputs", "-- parameters"]
    assert not re.search(r"SELECT\s+\*|\.\*", table.sql)


def test_datapackage_is_a_tabular_data_package(warehouse, home):
    folder = publish(warehouse, 3, "run-000003").folder
    text = (folder / "datapackage.json").read_text()
    package = json.loads(text)
    assert package["profile"] == "tabular-data-package"
    assert package["name"] == "kanreg-kpi"
    assert package["title"] == "Key performance indicators: Kantor Regional VII BKN Palembang"
    assert package["created"] == "2025-01-03T23:59:59.999999+07:00"
    assert str(home.root) not in text
    assert "://" not in text
    types = {"string", "integer", "number", "boolean", "date", "datetime", "object", "any"}
    for resource_ in package["resources"]:
        name, schema = resource_["name"], resource_["schema"]
        assert resource_["path"] == f"parquet/{name}.parquet"
        assert (folder / resource_["path"]).is_file()
        assert resource_["profile"] == "tabular-data-resource"
        assert resource_["format"] == "parquet"
        assert resource_["mediatype"] == "application/vnd.apache.parquet"
        assert resource_["title"]
        assert resource_["description"]
        fields = {field["name"]: field for field in schema["fields"]}
        assert len(fields) == len(schema["fields"])
        assert {field["type"] for field in fields.values()} <= types
        assert schema["missingValues"] == [""]
        assert schema["primaryKey"]
        assert all(fields[key]["constraints"]["required"] for key in schema["primaryKey"])
    values = {r["name"]: r for r in package["resources"]}["kpi_values"]
    assert values["schema"]["primaryKey"] == ["indicator", "period", "office"]
    fields = {field["name"]: field for field in values["schema"]["fields"]}
    assert fields["status"] == {
        "name": "status",
        "type": "string",
        "unit": "none",
        "description": "how the value came about, or why there is none",
        "constraints": {
            "required": True,
            "enum": [
                "derived",
                "reported",
                "not_yet_measured",
                "source_missing",
                "zero_denominator",
                "withheld_quality",
                "withheld_contested",
            ],
        },
    }
    assert fields["value"]["type"] == "number"
    assert fields["flags"]["type"] == "any"
    assert fields["excluded"]["type"] == "object"
    assert "constraints" not in fields["value"]


def test_standing_tables_have_no_end_and_no_reason(warehouse):
    folder = publish(warehouse, 1, "run-000001").folder
    assert query(
        folder,
        "SELECT DISTINCT table_name FROM duckdb_columns() WHERE column_name IN ('known_to', 'reason') ORDER BY 1",
    ) == [
        ("agency_results_history",),
        ("budget_revisions_history",),
        ("digital_services_history",),
        ("integration_channels_history",),
        ("kpi_scores_history",),
        ("kpi_values_history",),
        ("peer_values_history",),
        ("regulations_history",),
        ("service_backlog_history",),
        ("service_summary_history",),
        ("survey_elements_history",),
        ("survey_units_history",),
    ]


def test_no_column_of_a_person_or_a_record():
    forbidden = {"nip", "nama", "name", "person_name", "record_key", "proposal_id", "row_number"}
    assert forbidden.isdisjoint(load_published().columns)


def test_an_unknown_key_or_an_undefined_column_is_an_error():
    declared = load_published().model_dump(mode="json")
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Published.model_validate(declared | {"colums": {}})
    declared["tables"][0]["columns"].append("capaian")
    with pytest.raises(ValidationError, match="undefined or in no table: capaian"):
        Published.model_validate(declared)


def test_manifest_is_stable_text(warehouse):
    folder = publish(warehouse, 4, "run-000004").folder
    text = (folder / "manifest.json").read_text()
    manifest = json.loads(text)
    assert {key: value for key, value in manifest.items() if key != "files"} == {
        "publication_id": 1,
        "run": "run-000004",
        "schema_version": "2",
        "seal": {"run_id": 0, "sha256": "0" * 64},
    }
    assert list(manifest["files"]) == FILES
    for name, entry in manifest["files"].items():
        content = (folder / name).read_bytes()
        assert entry == {"bytes": len(content), "sha256": sha256(content).hexdigest()}
    assert text == json.dumps(manifest, indent=2, sort_keys=True) + "\n"


def test_tampering_is_named(warehouse):
    folder = publish(warehouse, 1, "run-000001").folder
    assert verify_publication(folder) == []
    with (folder / "parquet/agencies.parquet").open("r+b") as file:
        file.seek(100)
        file.write(b"X")
    (folder / "kpi.duckdb").unlink()
    (folder / "lkj.xlsx").write_text("from elsewhere")
    assert verify_publication(folder) == ["kpi.duckdb", "lkj.xlsx", "parquet/agencies.parquet"]


@pytest.mark.parametrize("content", [None, "{", "[]", '{"files": {}}'])
def test_without_its_manifest_a_publication_proves_nothing(warehouse, content):
    folder = publish(warehouse, 1, "run-000001").folder
    (folder / "manifest.json").unlink()
    if content is not None:
        (folder / "manifest.json").write_text(content)
    assert verify_publication(folder) == ["manifest.json"]
