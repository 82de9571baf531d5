"""The sample deliveries: same bytes each time, the published counts, and what the product must cope with.

The counts are taken from the written files by a reader and a query of this test's own, after the rulings.
"""

import gzip
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import duckdb
import polars as pl
import pytest
import yaml

from expectations.contract import load_contract
from expectations.rules import broken_rules, condition, row_rules
from expectations.typed_read import FileTraits, typed_rows
from sample_data import integration, write_deliveries
from sample_data.order import Order

LOGS = ("promotion", "nip", "pension")
SOURCES = (*LOGS, "integration")
REFERENCE = files("transforms.reference")


@pytest.fixture(scope="module")
def inbox(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inbox")
    write_deliveries(folder, [2024], scale=1, seed=1, faults=True)
    return folder


@pytest.fixture(scope="module")
def logs(inbox):
    return {source: typed(delivered(inbox, source), source) for source in LOGS}


# --- a reader of this test's own ---


def read(path):
    """One delivery as text, whatever its format."""
    match path.suffix:
        case ".parquet":
            frame = pl.read_parquet(path)
        case ".jsonl":
            frame = pl.read_ndjson(path, infer_schema_length=None)
        case ".xlsx":
            frame = pl.read_excel(path, infer_schema_length=None)
        case _:
            plain = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            text = plain.decode("utf-8-sig")
            separator = ";" if ";" in text.split("\n", 1)[0] else ","
            frame = pl.read_csv(text.encode(), separator=separator, infer_schema=False)
    text = frame.select(pl.all().cast(pl.String))
    return text.with_columns(pl.all().replace(["-", "<nil>", "null"], [None, None, None]))


def deliveries(inbox, source):
    """Good deliveries in the order in which one run takes them: those in corrections/ last."""
    paths = [path for path in (inbox / source).rglob("*.*") if "faults" not in path.parts]
    return sorted(paths, key=lambda path: ("corrections" in path.parts, str(path)))


def delivered(inbox, source):
    frames = [
        read(path).with_columns(file_number=pl.lit(number), is_correction=pl.lit("corrections" in path.parts))
        for number, path in enumerate(deliveries(inbox, source))
    ]
    return pl.concat([frame.select(sorted(frame.columns)) for frame in frames])


def clock(name):
    text = pl.col(name).str.replace(" ", "T")
    naive = text.str.slice(0, 19).str.to_datetime("%Y-%m-%dT%H:%M:%S")
    return pl.when(text.str.ends_with("Z")).then(naive.dt.offset_by("7h")).otherwise(naive)


def typed(text, source):
    outcomes = pl.read_csv(REFERENCE.joinpath("proposal_status.csv").read_bytes(), infer_schema=False)
    agencies = pl.read_csv(REFERENCE.joinpath("agencies.csv").read_bytes(), infer_schema=False)
    is_promotion = source == "promotion"
    return (
        text.join(outcomes, on="status_usulan", how="left")
        .join(agencies, left_on="instansi_kode", right_on="agency_code", how="left")
        .with_columns(
            received_at=clock("tgl_pengiriman_kelayanan"),
            state_at=clock("tgl_update_layanan"),
            region=pl.col("province").fill_null("vertical"),
            grade=pl.col("golongan_baru_id").cast(pl.Int64) if is_promotion else pl.lit(0),
            period=pl.col("periode").str.to_date("%d-%m-%Y") if is_promotion else pl.lit(None, pl.Date),
            kind=pl.col("jenis_pengadaan_id") if source == "nip" else pl.lit(None, pl.String),
            counter=pl.col("counter_bts").cast(pl.Int64).fill_null(0),
        )
    )


PROPOSALS = """
WITH receipts AS (
  SELECT id, min(received_at) AS receipt FROM rows GROUP BY id
), standing AS (
  -- the newest state at the cut-off; without one, the earliest later row
  SELECT * FROM rows
  QUALIFY row_number() OVER (
    PARTITION BY id
    ORDER BY state_at <= $cut DESC, CASE WHEN state_at <= $cut THEN state_at END DESC, state_at
  ) = 1
)
SELECT id, region, period, kind, receipt,
  coalesce(year(period), year(receipt)) AS year,
  CASE
    WHEN state_at > $cut THEN 'IN_PROCESS'
    WHEN received_at IS NULL THEN 'NOT_RECEIVED'
    ELSE outcome
  END AS at_cut,
  CASE
    WHEN kanreg_id_pengusul <> '07' THEN 'other_office'
    WHEN grade > 42 THEN 'other_authority'
    WHEN at_cut = 'CANCELLED' THEN 'cancelled'
    WHEN at_cut = 'NOT_RECEIVED' THEN 'not_received'
    WHEN receipt > $cut THEN 'received_after_cut_off'
  END AS reason
FROM standing JOIN receipts USING (id)
"""


def proposals(rows, year):
    con = duckdb.connect()
    con.register("rows", rows)
    found = con.sql(PROPOSALS, params={"cut": datetime(year, 12, 31, 23, 59, 59, 999_999)}).pl()
    return found.filter(pl.col("year") == year)


def counted(frame, column):
    return dict(frame.group_by(column).len().iter_rows())


def in_scope(rows, year):
    return proposals(rows, year).filter(pl.col("reason").is_null())


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


def test_another_seed_and_scale_give_the_figures_times_the_scale(tmp_path):
    write_deliveries(tmp_path, [2021], scale=2, seed=7, faults=False)
    promotion = in_scope(typed(delivered(tmp_path, "promotion"), "promotion"), 2021)
    nip = in_scope(typed(delivered(tmp_path, "nip"), "nip"), 2021)

    assert promotion.height == 27_000
    assert counted(promotion, "period") == {
        datetime(2021, 4, 1).date(): 14_200,
        datetime(2021, 10, 1).date(): 12_800,
    }
    assert counted(promotion, "region")["Sumatera Selatan"] == 10_240
    assert counted(nip, "at_cut") == {"MS": 5_922, "TMS": 70}
    assert delivered(tmp_path, "integration").filter(pl.col("nomor_surat") == "SAMPLE-1/2021").height >= 49 * 8


def newest_letters(inbox):
    """Grain: one history type of one agency in one quarter, by its newest letter."""
    rows = delivered(inbox, "integration").unique(["nomor_surat", "instansi_kode", "riwayat"], keep="last")
    return rows.sort("tgl_surat", "nomor_surat").unique(
        ["tahun", "tw", "instansi_kode", "riwayat"], keep="last", maintain_order=True
    )


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


@pytest.mark.parametrize(
    ("year", "integrated", "webservice"), [(2020, 15, 10), (2021, 38, 12), (2022, 27, 14), (2023, 49, 16)]
)
def test_integration_until_2023_counts_any_history_type(tmp_path, year, integrated, webservice):
    integration.write(Order(tmp_path, [year]))
    newest = newest_letters(tmp_path).filter(pl.col("tw") == "4")
    agencies = newest.group_by("instansi_kode", "kanal").agg((pl.col("terintegrasi") == "true").any())

    assert agencies.height == 49
    assert agencies["terintegrasi"].sum() == integrated
    assert counted(agencies, "kanal") == {"webservice": webservice, "simpegnas": 49 - webservice}


# --- what the product has to cope with ---


def test_the_same_order_gives_the_same_bytes(inbox, tmp_path):
    write_deliveries(tmp_path, [2024], scale=1, seed=1, faults=True)

    def hashes(folder):
        paths = (path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in paths}

    assert hashes(tmp_path) == hashes(inbox)


@pytest.mark.parametrize("source", SOURCES)
def test_every_format_is_used(inbox, source):
    endings = {".csv.gz" if path.suffix == ".gz" else path.suffix for path in deliveries(inbox, source)}

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
    """A connection with the reference tables that the rules look into."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'Asia/Jakarta'")
    con.execute("SET VARIABLE hmac_inner_pad = 'a'::BLOB; SET VARIABLE hmac_outer_pad = 'b'::BLOB")
    con.execute("CREATE SCHEMA reference")
    for table in ("agencies", "offices"):
        con.register("given", pl.read_csv(REFERENCE.joinpath(f"{table}.csv").read_bytes(), infer_schema=False))
        con.execute(f"CREATE TABLE reference.{table} AS FROM given")
    con.register("given", pl.read_csv(REFERENCE.joinpath("proposal_status.csv").read_bytes()))
    con.execute("CREATE TABLE reference.proposal_status AS SELECT status_usulan AS status_code, outcome FROM given")
    con.execute(
        "CREATE TABLE reference.promotion_periods AS "
        "SELECT make_date(year, month, 1) AS period_date FROM range(2, 13, 2) t(month), range(2024, 2100, 75) y(year)"
    )
    return con


def broken(judge, source, path, tmp_path):
    """Rules that each row breaks, by row number; warnings too."""
    contract = load_contract(source)
    read(path).write_parquet(tmp_path / "landed.parquet")
    traits = FileTraits(is_typed=path.suffix not in (".csv", ".gz"))
    judge.execute(
        f"CREATE OR REPLACE TEMP TABLE batch_typed AS {typed_rows(contract, traits)}",
        {"landing": str(tmp_path / "landed.parquet"), "batch_id": 1},
    )
    found = {row: set(reasons) for row, reasons in judge.sql(broken_rules(contract)).fetchall()}
    for rule in row_rules(contract):
        if rule.severity == "warn":
            query = f"SELECT row_number FROM batch_typed WHERE ({condition(contract, rule)}) IS FALSE"
            for (row,) in judge.sql(query).fetchall():
                found.setdefault(row, set()).add(rule.id)
    return found


@pytest.mark.parametrize("source", SOURCES)
def test_good_deliveries_break_no_rule(inbox, judge, source, tmp_path):
    contract = load_contract(source)
    reasons = set()
    for path in deliveries(inbox, source):
        assert read(path).columns == contract.delivered_names, path
        reasons |= set().union(*broken(judge, source, path, tmp_path).values())

    # A few numbers are untidy and are cleaned, which is a warning.
    assert reasons == ({f"{contract.prefix}-NIP-8"} if source in LOGS else set())


@pytest.mark.parametrize("source", SOURCES)
def test_faults_break_every_rule_and_only_those_declared(inbox, judge, source, tmp_path):
    contract = load_contract(source)
    faults = yaml.safe_load(files("sample_data").joinpath("faults", f"{source}.yml").read_text())["faults"]
    declared = [set(fault["rules"]) for fault in faults for _ in fault["rows"]]
    conflict = f"{contract.prefix}-CONFLICT"
    found = broken(judge, source, inbox / source / "faults" / f"{source}_2024_faults.csv", tmp_path)

    assert set().union(*declared) == {rule.id for rule in contract.all_rules}
    assert [found.get(row, set()) for row in range(1, len(declared) + 1)] == [rules - {conflict} for rules in declared]
    time = contract.order_columns[0]
    pairs = judge.sql(
        f"SELECT record_key FROM batch_typed WHERE record_key IS NOT NULL "
        f"GROUP BY record_key, {time} HAVING count(*) > 1"
    ).fetchall()
    assert len(pairs) == 1


@pytest.mark.parametrize("source", LOGS)
def test_faults_change_no_count(inbox, logs, source):
    path = inbox / source / "faults" / f"{source}_2024_faults.csv"
    prefix = load_contract(source).prefix
    faults = yaml.safe_load(files("sample_data").joinpath("faults", f"{source}.yml").read_text())["faults"]
    rules = [set(fault["rules"]) for fault in faults for _ in fault["rows"]]
    harmless = {f"{prefix}-NIP-7", f"{prefix}-NIP-8", f"{prefix}-CONFLICT"}
    accepted = read(path).filter(pl.Series([bool(broken & harmless) for broken in rules]))

    assert accepted["id"].n_unique() == 3
    assert accepted["tgl_pengiriman_kelayanan"].null_count() == accepted.height == 4
    assert not set(accepted["id"]) & set(logs[source]["id"])


@pytest.mark.parametrize(("years", "scale", "named"), [([2019], 1, "2019"), ([2024], 0, "scale"), ([], 1, "year")])
def test_an_order_that_cannot_be_met_is_refused(tmp_path, years, scale, named):
    with pytest.raises(ValueError, match=named):
        write_deliveries(tmp_path, years, scale, seed=1, faults=False)

    assert not list(tmp_path.iterdir())


def test_no_file_of_the_package_is_long():
    modules = Path(str(files("sample_data"))).rglob("*.py")

    assert max(len(module.read_text().splitlines()) for module in modules) <= 400
