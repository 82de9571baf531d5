"""Tables: fitted to a width without ever cutting a number or an id, and as programs read them."""

import csv as csv_files
import io
from itertools import chain

import polars as pl
import pytest

from flows import explain_text, fact_tables, held_tables, render
from flows.options import Format
from flows.table_files import WRITERS
from flows.tables import UNLIMITED, Column, Table, fitted, show
from warehouse.runs.pipeline import RunReport

DECLARED = {
    f"{module.__name__}.{name}": found
    for module in (explain_text, fact_tables, held_tables, render)
    for name, found in vars(module).items()
    if isinstance(found, Table)
}
WORST = {
    "indicator": "IKU-06", "item": "07|layanan|2024-S1|element_mean|KEPEGAWAIAN/U4@Grafik 3.10", "period": "2024-04-01",
    "file": "supervision_recommendation/2024/supervision_recommendation_2024_H1.parquet", "source": "supervision_recommendation",
    "status": "not_yet_measured", "unit": "percent", "value": "100.00", "numerator": 1234567, "denominator": 1234567, "target": "100",
    "definition_version": "2024", "known_from": "2026-11-24T17:54:04.123456", "known_to": "2026-11-24T17:54:04.123456",
    "provisional": True, "definition_break": True, "flags": ["incomplete"], "group": "Kepulauan Bangka Belitung",
    "group_name": "Pemerintah Kab. Ogan Komering Ulu Timur", "service": "promotion", "year": 2024, "received": 38950, "ms": 36666,
    "verdict": "no_counterpart", "published": "15051788000", "derived": "15051788000", "row": 123456, "rows": 123456,
    "reasons": ["PRM-NIP-1", "PRM-REQ-INSTANSI_KODE"], "landed": 123456, "accepted": 123456, "quarantined": 12345, "duplicate": 12345,
    "old": "100.00", "new": "97.06", "reason": "correction", "sha256": "20d9da105f4d" * 5, "taken_in": "2024-01-01", "bytes": 123456789,
    "cause": "correction", "is_closed": True, "state": "stale", "why": "late_data", "until": "2025-06-30", "owner": "Bagian Tata Usaha",
    "waived_at": "2026-11-24T17:54:04.123456", "run": "run-000012",
}  # fmt: skip


@pytest.mark.parametrize("width", [80, 100, 200])
@pytest.mark.parametrize("name", DECLARED)
def test_no_number_and_no_id_is_wrapped_and_a_short_row_keeps_to_the_width(name: str, width: int) -> None:
    table = DECLARED[name]
    row = WORST | {"deliveries": 12 if table is render.PARTITIONS else ["integration/corrections/2025-04_q4.csv"]}
    columns, lines = fitted(table, [row], width)
    words = set(chain.from_iterable(line.split() for line in lines))
    for column in columns:
        value = column.of(row)
        if value is not None and not column.is_prose:
            shown = (
                f"{value:,}"
                if isinstance(value, int) and column.is_number
                else ", ".join(value)
                if isinstance(value, list)
                else str(value)
            )
            assert any(shown in line for line in lines), f"{column.title}: {shown}"
            assert not column.is_number or set(shown.split()) <= words
    longest = max(len(str(column.of(row))) for column in columns)
    assert max(map(len, lines)) <= max(width, longest)


@pytest.mark.parametrize("name", DECLARED)
def test_a_table_that_has_room_shows_every_column(name: str) -> None:
    columns, lines = fitted(DECLARED[name], [WORST], UNLIMITED)
    assert tuple(columns) == DECLARED[name].columns
    assert len(lines) >= 3


THREE = Table(
    "Three",
    (
        Column("id", "id"),
        Column("what it says", "text", is_prose=True),
        Column("rows", "rows", is_number=True),
        Column("less", "less", is_number=True, priority=2),
    ),
)
ROWS = [{"id": "A", "text": "one two three four five six seven eight", "rows": 1234, "less": None}]


def test_what_has_no_room_goes_first_prose_is_folded_and_the_reader_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "34")
    show(THREE, ROWS)
    assert capsys.readouterr().out.splitlines() == [
        "Three",
        "id  what it says              rows",
        "──  ───────────────────────  ─────",
        "A   one two three four five  1,234",
        "    six seven eight",
        "(less: --wide shows them)",
    ]
    show(THREE, ROWS, wide=True)
    assert "less" in capsys.readouterr().out.splitlines()[1]
    show(THREE, [])
    assert capsys.readouterr().out == ""


def test_a_cell_too_long_stands_above_its_row_and_the_others_stay_in_line() -> None:
    table = Table("", (Column("file", "file"), Column("rows", "rows", is_number=True)))
    _, lines = fitted(table, [{"file": "short.csv", "rows": 1}, {"file": "a" * 30, "rows": 22}], 20)
    assert lines == [
        "file            rows",
        "──────────────  ────",
        "short.csv          1",
        "a" * 30,
        "                  22",
    ]


NASTY = Table("", (Column("file", "file"), Column("rows", "rows", is_number=True)))
NASTY_ROWS = [{"file": "=cmd|a\tb\n\x1b[31m\u202e.csv", "rows": -1234}, {"file": None, "rows": None}]


def _written(form: Format, capsys: pytest.CaptureFixture[str]) -> str:
    WRITERS[form](NASTY, NASTY_ROWS)
    return capsys.readouterr().out


def test_a_file_name_moves_no_cursor_and_is_no_formula(capsys: pytest.CaptureFixture[str]) -> None:
    escaped = "=cmd|a\\tb\\n\\x1b[31m\\u202e.csv"
    assert _written(Format.tsv, capsys) == f"file\trows\n{escaped}\t-1234\n\t\n"
    assert list(csv_files.reader(io.StringIO(_written(Format.csv, capsys)))) == [
        ["file", "rows"], [f"'{escaped}", "-1234"], ["", ""],
    ]  # fmt: skip
    assert _written(Format.md, capsys).splitlines()[1:3] == [
        "|---|---:|",
        f"| {escaped.replace('|', chr(92) + '|')} | -1234 |",
    ]
    assert "\x1b" not in "".join(fitted(NASTY, NASTY_ROWS, 80)[1])


def test_a_workbook_has_numbers_as_numbers(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    WRITERS[Format.xlsx](NASTY, [{"file": "=1+1", "rows": "71.88"}, {"file": "b", "rows": 38950}])
    frame = pl.read_excel(capsysbinary.readouterr().out)
    assert frame.to_dicts() == [{"file": "=1+1", "rows": 71.88}, {"file": "b", "rows": 38950.0}]


def test_a_note_of_a_run_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    note = {"file": "a\x1b.csv", "message": "totals of \x1b[2Jb.csv"}
    render.print_report(RunReport("run-000001").as_dict() | {"notes": [note]})
    shown = capsys.readouterr().out
    assert "NOTE a" in shown and "totals of " in shown and "\x1b" not in shown
