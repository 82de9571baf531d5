"""Contracts and definitions: a misspelt key is an error, the reference data are what they say."""

from datetime import date
from importlib.resources import files

import holidays
import pytest
import yaml
from pydantic import ValidationError

from expectations.contract import Contract, load_contract, source_names
from transforms.definitions import load_indicators, read_indicators
from transforms.reference import office
from transforms.reference.tables import (
    agencies,
    holiday_dates,
    offices,
    promotion_periods,
    proposal_status,
    working_days,
)


def _declared(source: str) -> dict:
    return yaml.safe_load(files("expectations.contracts").joinpath(f"{source}.yml").read_text("utf-8"))


@pytest.mark.parametrize("source", source_names())
def test_an_unknown_key_is_an_error_at_every_depth(source: str) -> None:
    for path in ([], ["columns", 0], ["rules", 0], ["title"]):
        declared = _declared(source)
        part = declared
        for step in path:
            part = part[step]
        part["serverity"] = "warn"
        with pytest.raises(ValidationError, match="serverity"):
            Contract.model_validate(declared)


def test_a_rule_id_stands_once() -> None:
    declared = _declared("promotion")
    declared["rules"][1]["id"] = declared["rules"][0]["id"]
    with pytest.raises(ValidationError, match="rule stated twice: PRM-01"):
        Contract.model_validate(declared)


def test_a_rule_names_a_column_that_there_is() -> None:
    declared = _declared("promotion")
    declared["rules"][0]["column"] = "no_such_column"
    with pytest.raises(ValidationError, match="no such column: no_such_column"):
        Contract.model_validate(declared)


@pytest.mark.parametrize("source", source_names())
def test_every_rule_and_column_speaks_both_languages(source: str) -> None:
    contract = load_contract(source)
    messages = [rule.message for rule in contract.all_rules]
    assert all(text.id and text.en and text.id != text.en for text in messages)
    # A word of the field may be the same in both: semester.
    assert all(column.description.id and column.description.en for column in contract.columns)


@pytest.mark.parametrize("source", source_names())
def test_personal_columns_are_not_kept_in_the_open(source: str) -> None:
    kept = {column.name: column.privacy for column in load_contract(source).kept}
    # The nama of a digital service is that of a service, not of a person.
    personal = {"nama", "no_peserta", "alasan_tolak", "jenis_pensiun_id"} - (
        {"nama"} if source == "digital_service" else set()
    )
    assert not personal & set(kept)
    assert kept.get("nip", "pseudonym") == "pseudonym"


def test_an_unknown_source_is_named_with_the_known_ones() -> None:
    with pytest.raises(KeyError, match=r"unknown source 'pensiun'; did you mean 'pension'\? known: .*pension"):
        load_contract("pensiun")


def test_a_past_year_is_computed_under_its_own_version() -> None:
    iku_06 = next(indicator for indicator in load_indicators() if indicator.id == "IKU-06")
    versions = {year: iku_06.version_at(date(year, 12, 31)) for year in (2019, 2020, 2023, 2024, 2026)}
    assert {year: version and version.version for year, version in versions.items()} == {
        2019: None, 2020: "2020", 2023: "2020", 2024: "2024", 2026: "2024",
    }  # fmt: skip


def test_half_a_pair_of_files_is_an_error(tmp_path) -> None:
    (tmp_path / "iku_99.yml").write_text("id: IKU-99\n")
    with pytest.raises(ValueError, match=r"iku_99.yml: its evidence query iku_99.sql is missing"):
        read_indicators(tmp_path)


def test_reference_data() -> None:
    assert agencies().height == 49
    assert offices()["office_code"].to_list() == [f"{n:02d}" for n in range(1, 15)]
    outcomes = dict(proposal_status().iter_rows())
    assert (outcomes[7], outcomes[5], outcomes[6], outcomes[12], outcomes[9], outcomes[1]) == (
        "MS", "BTS", "TMS", "IN_PROCESS", "CANCELLED", "NOT_RECEIVED",
    )  # fmt: skip
    assert 54 not in outcomes
    periods = promotion_periods()["period_date"].to_list()
    assert [day.month for day in periods if day.year == 2023] == [4, 10]
    assert [day.month for day in periods if day.year == 2024] == [2, 4, 6, 8, 10, 12]
    assert [day.month for day in periods if day.year == 2025] == [2, 4, 6, 8, 10, 11, 12]


def test_the_holiday_table_is_what_the_pinned_package_says() -> None:
    first, last = office().holidays.table_years
    package = holidays.country_holidays("ID", categories=("public", "government"), years=range(first, last + 1))
    assert {day for day in holiday_dates(first, last) if first <= day.year <= last} == set(package)


def test_working_days_leave_out_weekends_holidays_and_joint_leave() -> None:
    numbers = dict(working_days(2024, 2024).iter_rows())
    # 8 to 15 April 2024 are Idul Fitri with joint leave, and a weekend.
    assert numbers[date(2024, 4, 16)] - numbers[date(2024, 4, 5)] == 1
    assert numbers[date(2024, 1, 2)] - numbers[date(2024, 1, 1)] == 1
