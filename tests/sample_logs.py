"""The sample's operational logs and integration letters for tests: their counts after the rulings, by a query of their own."""

from datetime import datetime

import duckdb
import polars as pl

from tests.sample_files import REFERENCE, good_files, text_of

LOGS = ("promotion", "nip", "pension")


def read(path):
    """One delivery as text, whatever its format."""
    text, _ = text_of(path)
    return text.with_columns(pl.all().replace(["-", "<nil>", "null"], [None, None, None]))


def delivered(inbox, source):
    frames = [
        read(path).with_columns(file_number=pl.lit(number), is_correction=pl.lit("corrections" in path.parts))
        for number, path in enumerate(good_files(inbox, source))
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


def newest_letters(inbox):
    """Grain: one history type of one agency in one quarter, by its newest letter."""
    rows = delivered(inbox, "integration").unique(["nomor_surat", "instansi_kode", "riwayat"], keep="last")
    return rows.sort("tgl_surat", "nomor_surat").unique(
        ["tahun", "tw", "instansi_kode", "riwayat"], keep="last", maintain_order=True
    )
