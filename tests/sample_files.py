"""Written sample deliveries for tests: read as text by a reader of the tests' own, and judged by the rules."""

import gzip
from hashlib import sha256
from importlib.resources import files

import duckdb
import polars as pl
import yaml

from expectations.contract import load_contract
from expectations.rules import broken_rules, condition, row_rules
from expectations.typed_read import FileTraits, typed_rows

REFERENCE = files("transforms.reference")


def text_of(path):
    """One delivery as text, whatever its format, and the separator of its CSV."""
    separator = ","
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
    return frame.select(pl.all().cast(pl.String)), separator


def good_files(inbox, source):
    """Good deliveries in the order in which one run takes them: those in corrections/ last."""
    paths = (path for path in (inbox / source).rglob("*.*") if "faults" not in path.parts)
    return sorted(paths, key=lambda path: ("corrections" in path.parts, str(path)))


def fault_file(inbox, source):
    return inbox / source / "faults" / f"{source}_2024_faults.csv"


def faults_of(source):
    declared = yaml.safe_load(files("sample_data").joinpath("faults", f"{source}.yml").read_text())["faults"]
    return [set(fault["rules"]) for fault in declared for _ in fault["rows"]]


def hashes(folder, with_faults=True):
    """The SHA-256 of every delivered file, by its path in the folder."""
    paths = (path for path in folder.rglob("*") if path.is_file() and (with_faults or "faults" not in path.parts))
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in paths}


def rule_judge(*tables):
    """A connection with the reference tables that the rules look into."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'Asia/Jakarta'")
    con.execute("SET VARIABLE hmac_inner_pad = 'a'::BLOB; SET VARIABLE hmac_outer_pad = 'b'::BLOB")
    con.execute("CREATE SCHEMA reference")
    for table in tables:
        con.register("given", pl.read_csv(REFERENCE.joinpath(f"{table}.csv").read_bytes(), infer_schema=False))
        con.execute(f"CREATE TABLE reference.{table} AS FROM given")
    return con


def broken(judge, source, path, text, tmp_path):
    """Rules that each row of the delivery's text breaks, by row number; warnings too."""
    contract = load_contract(source)
    landed = tmp_path / "landed.parquet"
    text.write_parquet(landed)
    traits = FileTraits(is_typed=path.suffix not in (".csv", ".gz"))
    judge.execute(
        f"CREATE OR REPLACE TEMP TABLE batch_typed AS {typed_rows(contract, traits)}",
        {"landing": str(landed), "batch_id": 1},
    )
    found = {row: set(reasons) for row, reasons in judge.sql(broken_rules(contract)).fetchall()}
    for rule in row_rules(contract):
        if rule.severity == "warn":
            query = f"SELECT row_number FROM batch_typed WHERE ({condition(contract, rule)}) IS FALSE"
            for (row,) in judge.sql(query).fetchall():
                found.setdefault(row, set()).add(rule.id)
    return found


def judged_faults(inbox, judge, source, read, tmp_path):
    """Row by row of a source's faults: the rules that each is declared to break (but the conflict), and those that it breaks."""
    declared, path = faults_of(source), fault_file(inbox, source)
    found = broken(judge, source, path, read(path), tmp_path)
    conflict = {f"{load_contract(source).prefix}-CONFLICT"}
    return [rules - conflict for rules in declared], [found.get(row, set()) for row in range(1, len(declared) + 1)]
