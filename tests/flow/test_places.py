"""Where a faulty row stands, as a person finds it in the file: the line of a text, the row and cell of a sheet; in every format and place."""

import gzip
import json
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from flows.app import app
from tests.delivery_desk import workbook
from tests.rows import csv, row
from tests.time_home import TimeHome
from tests.workbook_twin import proposals, write_workbook
from warehouse.landing.line_numbers import BlankLines, Places, keep_shifts, line_of
from warehouse.loading.validate_file import validate_file
from warehouse.reading.held_rows import INDEX, read_held_rows

GOOD, BAD = row("pension"), row("pension", id="S2", tmt_pensiun="2024-06-02 00:00:00")
NAMES = list(GOOD)
HEADER = ",".join(NAMES)


def line(cells: dict[str, str], separator: str = ",") -> str:
    return separator.join(f'"{value}"' for value in cells.values())


def _texts(name: str) -> str | bytes:
    """Each file has a bad row; its data row and line are in ``PLACES``."""
    spread = GOOD | {"nama": "UJI\nCOBA\r\nLAGI"}
    return {
        "plain.csv": csv(GOOD, BAD),
        "semicolon.csv": csv(GOOD, BAD, separator=";"),
        "titled.csv": "\n\n" + csv(GOOD, BAD),
        "blank.csv": f"{HEADER}\n\n{line(GOOD)}\n\n\n{line(BAD)}\n\n",
        "quoted.csv": f"{HEADER}\n{line(spread)}\n{line(GOOD)}\n{line(BAD | spread | {'id': 'S2', 'tmt_pensiun': BAD['tmt_pensiun']})}\n",
        "both.csv": f"{HEADER}\r\n{line(spread)}\r\n\r\n{line(BAD)}\r\n",
        "packed.csv.gz": gzip.compress(csv(GOOD, BAD).encode(), mtime=0),
        "lines.jsonl": f"\n{json.dumps(GOOD)}\n\n{json.dumps(BAD)}\n",
    }[name]


PLACES = {
    "plain.csv": (2, 3, None), "semicolon.csv": (2, 3, None), "titled.csv": (2, 5, None), "blank.csv": (2, 6, None),
    "quoted.csv": (3, 6, None), "both.csv": (2, 6, None), "packed.csv.gz": (2, 3, None), "lines.jsonl": (2, 4, None),
    "plain.xlsx": (2, 3, "G3"), "spread.xlsx": (2, 7, "H7"), "rows.parquet": (2, None, None),
}  # fmt: skip


def write(folder: Path, name: str) -> Path:
    file = folder / name
    values = [list(GOOD.values()), list(BAD.values())]
    if name == "plain.xlsx":
        return workbook(file, [NAMES, *values])
    if name == "spread.xlsx":
        # The table begins in B3; rows 5 and 6 are blank.
        return workbook(file, [[], [], *([None, *cells] for cells in (NAMES, values[0], [], [], values[1]))])
    if name == "rows.parquet":
        pq.write_table(pa.table({key: [GOOD[key], BAD[key]] for key in NAMES}), file)
        return file
    content = _texts(name)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@pytest.mark.parametrize("name", PLACES)
def test_validate_says_where_the_row_stands_in_the_file(tmp_path: Path, name: str) -> None:
    told = validate_file(write(tmp_path, name), "pension")
    (failure,) = told["failures"]
    where = dict(zip(("row", "line", "cell"), PLACES[name], strict=True))
    assert (failure["rule"], failure["first_rows"], failure["first_places"]) == ("PEN-03", [where["row"]], [where])


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> TimeHome:
    """A night with all of the files, a workbook by position, and a row that breaks two rules."""
    place = TimeHome(tmp_path_factory.mktemp("night"))
    inbox = place.home.inbox / "pension"
    inbox.mkdir(parents=True)
    for name in PLACES:
        write(inbox, name)
    twice = BAD | {"jenis_pensiun_id": "99"}
    workbook(inbox / "twice.xlsx", [NAMES, list(twice.values())])
    office = place.home.inbox / "promotion"
    office.mkdir()
    odd = {0: "Kabupaten Tidak Ada", 6: "Entah"}
    good = {4: "28-12-2023", 5: "02-01-2024", 8: "03-01-2024", 11: "UJI", 12: "198001152005011001", 17: "III/a",
            25: "III/b", 26: "01-02-2024", 39: "Reguler", 43: "07", 46: "03-01-2024"}  # fmt: skip
    write_workbook(office / "office.xlsx", list(proposals(2)), [good | odd])
    place.run("2025-01-10")
    return place


def test_the_quarantine_says_it_beside_the_data_row(night: TimeHome) -> None:
    held = {Path(h.file).name: (h.row, h.line, h.cell) for h in read_held_rows(night.home, None, None)}
    assert held == PLACES | {"twice.xlsx": (1, 2, "E2, G2"), "office.xlsx": (3, 6, "A6, G6")}
    shown = CliRunner().invoke(app, ["quarantine", "--json", "--source", "promotion", "--home", str(night.root)])
    (office,) = json.loads(shown.stdout)
    assert (office["row"], office["line"], office["cell"]) == (3, 6, "A6, G6")


def test_the_terminal_says_it_in_words(night: TimeHome) -> None:
    shown = CliRunner().invoke(app, ["quarantine", "--home", str(night.root)]).stdout
    for words in ("line 6", "row 7 (cell H7)", "row 2 (cell E2, G2)", "data row 2"):
        assert words in shown


def test_the_page_of_the_delivery_says_it_in_both_languages(night: TimeHome) -> None:
    pages = [page.read_text() for page in night.home.validation_reports.glob("batch-*.html")]
    for words in ("row 7 (cell H7)", "baris 7 (sel H7)", "data row 2", "baris data 2", "line 6", "baris 6"):
        assert any(words in page for page in pages)


def test_lines_are_kept_for_irregular_files_alone(night: TimeHome) -> None:
    shifted = night.ledger(
        "SELECT DISTINCT regexp_extract(file, '[^/]+$') FROM ledger.line_shifts JOIN ledger.batches USING (batch_id)"
    )
    assert {name for (name,) in shifted} == {"blank.csv", "quoted.csv", "both.csv", "lines.jsonl", "spread.xlsx"}


def test_an_index_of_an_earlier_release_is_read(night: TimeHome, tmp_path: Path) -> None:
    old = TimeHome(tmp_path)
    old.home.quarantine.mkdir(parents=True)
    pl.read_parquet(night.home.quarantine / INDEX).drop("line", "letters").write_parquet(old.home.quarantine / INDEX)
    held = read_held_rows(old.home, None, None)
    assert len(held) == len(PLACES) + 2 and {(h.line, h.cell) for h in held} == {(None, None)}
    assert held[0].place.text("en").startswith("data row ")


@pytest.mark.parametrize(
    ("name", "said"), [("blank.csv", "line 9 repeats the header"), ("a.parquet", "data row 3 repeats the header")]
)
def test_a_header_that_comes_again_is_named_by_its_line(tmp_path: Path, name: str, said: str) -> None:
    file = tmp_path / name
    rows = [GOOD, BAD, dict(zip(NAMES, NAMES, strict=True))]
    if name == "a.parquet":
        pq.write_table(pa.table({key: [cells[key] for cells in rows] for key in NAMES}), file)
    else:
        file.write_text(f"{_texts(name)}\n{HEADER}\n")
    assert said in validate_file(file, "pension", "en")["refused"]


def test_lines_of_many_rows(tmp_path: Path) -> None:
    """Every other line is blank: no row is special, and none is asked one by one."""
    blank = BlankLines()
    for number in range(1, 100_001):
        blank.add(number)
    pl.DataFrame({"a": ["x"] * 100_000}).write_parquet(tmp_path / "landed.parquet")
    with duckdb.connect() as connection:
        places = Places(2, blank.frame())
        keep_shifts(connection, places, tmp_path / "landed.parquet", ["a"], "shifts")
        assert [line_of(connection, places, "shifts", row) for row in (1, 2, 100_000)] == [3, 5, 200_001]
