"""The sample's logs and integration letters of 2024: the published counts, and what the product must cope with."""

from datetime import datetime

import polars as pl
import pytest

from expectations.contract import load_contract
from sample_data import write_deliveries
from tests.sample_files import REFERENCE, broken, fault_file, faults_of, good_files, hashes, judged_faults, rule_judge
from tests.sample_logs import LOGS, counted, delivered, in_scope, newest_letters, proposals, read, typed

SOURCES = (*LOGS, "integration")


@pytest.fixture(scope="module")
def inbox(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inbox")
    write_deliveries(folder, [2024], scale=1, seed=1, faults=True)
    return folder


@pytest.fixture(scope="module")
def logs(inbox):
    return {source: typed(delivered(inbox, source), source) for source in LOGS}


# --- the published counts ---


def test_promotion_counts_are_those_published(logs):
    counts = in_scope(logs["promotion"], 2024)

    assert counts.height == 38_950
    assert counted(counts, "region") == {
        "Sumatera Selatan": 14_773,
        "Jambi": 9_031,
        "Bengkulu": 7_787,
        "Kepulauan Bangka Belitung": 4_977,
        "vertical": 2_382,
    }
    bound = counts.filter(pl.col("period").dt.day() == 1)
    by_month = {
        (month, outcome): count
        for month, outcome, count in bound.group_by(pl.col("period").dt.month(), "at_cut").len().iter_rows()
    }
    assert by_month == {
        (2, "MS"): 1_868, (2, "BTS"): 143, (2, "TMS"): 1,
        (4, "MS"): 9_272, (4, "BTS"): 655, (4, "TMS"): 33,
        (6, "MS"): 6_805, (6, "BTS"): 367, (6, "TMS"): 9,
        (8, "MS"): 4_040, (8, "BTS"): 321, (8, "TMS"): 10,
        (10, "MS"): 8_157, (10, "BTS"): 452, (10, "TMS"): 14,
        (12, "MS"): 6_520, (12, "BTS"): 270, (12, "TMS"): 9,
    }  # fmt: skip
    assert {month: sum(n for (m, _), n in by_month.items() if m == month) for month, _ in by_month} == {
        2: 2_012, 4: 9_960, 6: 7_181, 8: 4_371, 10: 8_623, 12: 6_799,
    }  # fmt: skip
    assert counted(counts.filter(pl.col("period").dt.day() != 1), "at_cut") == {"MS": 4}


def test_nip_counts_are_those_published(logs):
    counts = in_scope(logs["nip"], 2024)

    assert counts.height == 38_384
    assert counted(counts, "kind") == {"C": 38_291, "I": 93}
    # all of local governments [L1274]; the rows that do not count too
    assert counted(counts, "region") == {
        "Sumatera Selatan": 15_396, "Jambi": 9_596, "Bengkulu": 8_120, "Kepulauan Bangka Belitung": 5_272,
    }  # fmt: skip
    assert "vertical" not in counted(proposals(logs["nip"], 2024), "region")
    assert counted(counts, "at_cut") == {"MS": 38_201, "TMS": 183}


def test_pension_counts_are_those_published(logs):
    counts = in_scope(logs["pension"], 2024)

    assert counts.height == 7_615
    assert counted(counts, "at_cut") == {"MS": 7_605, "IN_PROCESS": 10}


def test_every_reason_of_exclusion_occurs(logs):
    reasons = {source: counted(proposals(rows, 2024), "reason") for source, rows in logs.items()}

    assert reasons["promotion"] == {
        None: 38_950,
        "cancelled": 45,
        "not_received": 60,
        "received_after_cut_off": 12,
        "other_authority": 15,
        "other_office": 20,
    }
    # Two in five of those not received never were: they belong to no year.
    assert reasons["nip"] == {None: 38_384, "cancelled": 30, "not_received": 15, "other_office": 20}
    assert reasons["pension"] == {None: 7_615, "cancelled": 15, "not_received": 9, "other_office": 10}


def test_integration_of_2024_is_that_published(inbox):
    newest = newest_letters(inbox)
    by_quarter = {
        (tw, kanal): (agencies, integrated)
        for tw, kanal, agencies, integrated in newest.filter(pl.col("riwayat") == "jabatan")
        .group_by("tw", "kanal")
        .agg(pl.len(), (pl.col("terintegrasi") == "true").sum().alias("integrated"))
        .iter_rows()
    }

    assert by_quarter == {
        ("1", "webservice"): (17, 5), ("1", "simpegnas"): (32, 0),
        ("2", "webservice"): (17, 6), ("2", "simpegnas"): (32, 3),
        ("3", "webservice"): (17, 17), ("3", "simpegnas"): (32, 14),
        ("4", "webservice"): (17, 17), ("4", "simpegnas"): (32, 32),
    }  # fmt: skip
    assert counted(newest, "tw") == {"1": 392, "2": 392, "3": 392, "4": 392}
    letters = newest.group_by("tw").agg(pl.col("nomor_surat").unique(), pl.col("tgl_surat").unique())
    assert {tw: numbers for tw, numbers, _ in letters.iter_rows()} == {
        "1": ["838/B-SI.02.01/UE/E.II/2024"],
        "2": ["220/B-SI.02.01/SD/E.II/2024"],
        "3": ["6703/B-SI.02.01/SD/E.II/2024"],
        "4": ["01/B-SI.02.01/ND/E.II/2024"],
    }


# --- what the product has to cope with ---


def test_the_same_order_gives_the_same_bytes(inbox, tmp_path):
    write_deliveries(tmp_path, [2024], scale=1, seed=1, faults=True)

    assert hashes(tmp_path) == hashes(inbox)


@pytest.mark.parametrize("source", SOURCES)
def test_every_format_is_used(inbox, source):
    endings = {".csv.gz" if path.suffix == ".gz" else path.suffix for path in good_files(inbox, source)}

    assert endings == {".csv", ".csv.gz", ".parquet", ".jsonl", ".xlsx"}


@pytest.mark.parametrize("source", LOGS)
def test_states_arrive_twice_late_and_corrected(logs, source):
    rows = logs[source]
    ordinary, corrections = rows.filter(~pl.col("is_correction")), rows.filter("is_correction")
    state = ["id", "state_at"]
    content = [
        "instansi_kode",
        "status_usulan",
        "counter_bts",
        "no_pertek",
        "kanreg_id_pengusul",
        "received_at",
    ]
    states = ordinary.group_by(state).agg(pl.col("file_number").min(), pl.col(content).n_unique())

    assert 100 < ordinary.height - states.height < ordinary.height / 50
    assert states.select(pl.col(content).max()).row(0) == (1,) * len(content)
    other = states.join(states, on="id", suffix="_other")
    is_late = pl.col("file_number") > pl.col("file_number_other")
    assert other.filter(pl.col("state_at") < pl.col("state_at_other"), is_late).height > 10
    changed = "no_sk" if source == "promotion" else "no_pertek"
    assert corrections.height >= 10
    assert corrections.join(ordinary, on=state, how="semi").height == corrections.height
    assert corrections.join(ordinary, on=[*state, changed]).height == 0


def test_states_after_the_cut_off_are_delivered(logs):
    rows = logs["promotion"].filter(pl.col("period") < datetime(2025, 1, 1).date())
    after = rows.filter(pl.col("state_at") >= datetime(2025, 1, 1), pl.col("received_at") < datetime(2025, 1, 1))

    assert 24 <= after["id"].n_unique() <= 72
    assert set(after["outcome"]) == {"MS"}
    # Decided in the first hour of the new year: in UTC it is still the old one.
    first_hour = logs["pension"].filter(pl.col("state_at").dt.truncate("1h") == datetime(2025, 1, 1))
    assert first_hour.height >= 1


def test_proposals_have_several_states_and_most_are_decided_at_once(logs):
    states = {source: rows.unique(["id", "state_at"]) for source, rows in logs.items()}
    ratio = {source: rows.height / rows["id"].n_unique() for source, rows in states.items()}
    promotion = states["promotion"]
    first = (
        promotion.filter(pl.col("outcome").is_in(["MS", "BTS", "TMS"]), pl.col("received_at").is_not_null())
        .group_by("id")
        .agg(pl.col("state_at").min().dt.date().alias("decided"), pl.col("received_at").min().dt.date())
        .select(days=pl.business_day_count("received_at", "decided"))
    )

    assert 2.4 < ratio["promotion"] < 2.7
    assert 2.0 < ratio["nip"] < 2.2
    assert 2.0 < ratio["pension"] < 2.2
    assert promotion["counter"].max() == 2
    assert promotion.sort("id", "state_at").select(pl.col("counter").diff().over("id").min()).item() == 0
    assert 0.8 < (first["days"] <= 2).mean() < 0.95


# --- the contracts ---


@pytest.fixture(scope="module")
def judge():
    con = rule_judge("agencies", "offices")
    con.register("given", pl.read_csv(REFERENCE.joinpath("proposal_status.csv").read_bytes()))
    con.execute("CREATE TABLE reference.proposal_status AS SELECT status_usulan AS status_code, outcome FROM given")
    con.execute(
        "CREATE TABLE reference.promotion_periods AS "
        "SELECT make_date(year, month, 1) AS period_date FROM range(2, 13, 2) t(month), range(2024, 2100, 75) y(year)"
    )
    return con


@pytest.mark.parametrize("source", SOURCES)
def test_good_deliveries_break_no_rule(inbox, judge, source, tmp_path):
    contract = load_contract(source)
    reasons = set()
    for path in good_files(inbox, source):
        text = read(path)
        assert text.columns == contract.delivered_names, path
        reasons |= set().union(*broken(judge, source, path, text, tmp_path).values())

    # A few numbers are untidy and are cleaned, which is a warning.
    assert reasons == ({f"{contract.prefix}-NIP-8"} if source in LOGS else set())


@pytest.mark.parametrize("source", SOURCES)
def test_faults_break_every_rule_and_only_those_declared(inbox, judge, source, tmp_path):
    contract = load_contract(source)
    declared, found = judged_faults(inbox, judge, source, read, tmp_path)

    assert set().union(*faults_of(source)) == {rule.id for rule in contract.all_rules}
    assert found == declared
    time = contract.order_columns[0]
    pairs = judge.sql(
        f"SELECT record_key FROM batch_typed WHERE record_key IS NOT NULL "
        f"GROUP BY record_key, {time} HAVING count(*) > 1"
    ).fetchall()
    assert len(pairs) == 1


@pytest.mark.parametrize("source", LOGS)
def test_faults_change_no_count(inbox, logs, source):
    prefix = load_contract(source).prefix
    harmless = {f"{prefix}-NIP-7", f"{prefix}-NIP-8", f"{prefix}-CONFLICT"}
    accepted = read(fault_file(inbox, source)).filter(
        pl.Series([bool(rules & harmless) for rules in faults_of(source)])
    )

    assert accepted["id"].n_unique() == 3
    assert accepted["tgl_pengiriman_kelayanan"].null_count() == accepted.height == 4
    assert not set(accepted["id"]) & set(logs[source]["id"])
