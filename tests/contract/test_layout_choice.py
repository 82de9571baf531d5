"""A layout is known by what its file says: a second workbook layout is one file, here the one that the how-to writes."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from expectations import layout as layouts
from expectations.contract import load_contract
from tests.workbook_twin import proposals, write_workbook
from warehouse.loading.validate_file import validate_file
from warehouse.reading.published_values import read_services
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.home import Home

HOW_TO = Path("docs/how-to/add-a-layout.md")
TITLES = [
    "Nomor",
    "Instansi",
    "N I P",
    "Jenis",
    "Gol. lama",
    "Gol. baru",
    "TMT",
    "Diterima",
    "Status per",
    "Status",
    "Alasan",
    "Kanreg",
]
ROW = [
    "U-1",
    "Kota Palembang",
    "198001152005011001",
    "Reguler",
    "III/a",
    "III/b",
    "01-02-2024",
    "02-01-2024",
    "03-01-2024",
    "MS",
    "",
    "07",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The product's layouts and the one of the how-to, written as it says."""
    copy = tmp_path / "layouts"
    shutil.copytree(Path(layouts.__file__).parent / "contracts" / "layouts", copy)
    (block,) = re.findall(
        r"```yaml\n# expectations/contracts/layouts/(\w+\.yml)\n(.*?)```", HOW_TO.read_text("utf-8"), re.S
    )
    (copy / block[0]).write_text(block[1], encoding="utf-8")
    monkeypatch.setattr(layouts, "_FOLDER", copy)
    layouts.load_layout.cache_clear()
    yield copy
    layouts.load_layout.cache_clear()


def written(
    path: Path, titles: list[str] = TITLES, sheet: str = "USULAN 2024", row: list[str] = ROW, width: int = 12
) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet(sheet)
        page.write_string(0, 0, "DAFTAR USULAN")
        for line, cells in enumerate((titles, row), start=1):
            for column, text in enumerate(cells):
                page.write_string(line, column, text)
        for column in range(12, width):
            page.write_string(2, column, "x")
    return path


def told(file: Path, language: str = "en") -> dict[str, Any]:
    return validate_file(file, "promotion", language)


def test_each_workbook_of_one_source_is_read_in_its_layout(folder: Path, tmp_path: Path) -> None:
    inbox = tmp_path / "home" / "inbox" / "promotion"
    inbox.mkdir(parents=True)
    nip = "198001152005011001"
    written(inbox / "list.xlsx", [t.replace("N I P", "nip") for t in TITLES], row=[*ROW[:2], nip, *ROW[3:]])
    write_workbook(inbox / "office.xlsx", list(proposals(5))[1:])
    report = run_pipeline(tmp_path / "home", dt.date(2025, 3, 1))
    assert report.refused == []
    assert [(batch.file, batch.landed, batch.accepted) for batch in report.batches] == [
        ("promotion/list.xlsx", 1, 1),
        ("promotion/office.xlsx", 4, 4),
    ]
    (year,) = read_services(Home(tmp_path / "home"), 2024)
    assert year["received"] == 5


NIP_TITLES = [title.replace("N I P", "NIP") for title in TITLES]


@pytest.mark.parametrize(
    ("given", "english", "indonesian"),
    [
        ({}, "the header of row 2 lacks 'NIP' (C2).", "judul baris 2 tidak memuat 'NIP' (C2)."),
        (
            {"titles": ["No", *NIP_TITLES[1:]], "sheet": "Lembar1"},
            "the first sheet's name is not 'Usulan.*'; the header of row 2 lacks 'Nomor' (A2).",
            "nama lembar pertama bukan 'Usulan.*'; judul baris 2 tidak memuat 'Nomor' (A2).",
        ),
        ({"titles": NIP_TITLES, "width": 14}, "the last column is N, not L.", "kolom terakhir N, bukan L."),
        # As wide as the workbook that is known by its width alone, and yet not taken for it.
        (
            {"width": 48},
            "the header of row 2 lacks 'NIP' (C2); the last column is AV, not L.",
            "kolom terakhir AV, bukan L.",
        ),
    ],
)
def test_a_near_miss_is_refused_and_says_what_is_lacking(
    folder: Path, tmp_path: Path, given: dict[str, Any], english: str, indonesian: str
) -> None:
    file = written(tmp_path / "a.xlsx", **given)
    said = told(file)["refused"]
    assert (
        "none of the" in said and 'As "The agencies\' list of proposals" it is not known: ' in said and english in said
    )
    assert "U-1" not in said and "Kota" not in said
    said = told(file, "id")["refused"]
    assert "Sebagai 'Daftar usulan dari instansi' tidak dikenali: " in said and indonesian in said


def test_what_fits_two_layouts_is_refused(folder: Path, tmp_path: Path) -> None:
    again = (
        (folder / "agency_list.yml")
        .read_text(encoding="utf-8")
        .replace("titles: {A2: Nomor, C2: NIP}", "titles: {B2: Instansi}")
    )
    (folder / "other_list.yml").write_text(
        again.replace("The agencies' list of proposals", "Another list"), encoding="utf-8"
    )
    file = written(tmp_path / "a.xlsx", NIP_TITLES)
    assert "in more than one layout: \"The agencies' list of proposals\", 'Another list'" in told(file)["refused"]


def test_pages_are_known_by_their_list(folder: Path, tmp_path: Path) -> None:
    pages = (folder / "service_pages.yml").read_text(encoding="utf-8")
    (folder / "second_service.yml").write_text(
        pages.replace("entries: data", "entries: items").replace("Halaman", "Lain"), encoding="utf-8"
    )
    file = tmp_path / "page.json"
    for answer, says in (
        ({"items": [{"id": "1"}]}, "columns missing"),
        ({"rows": [{"id": "1"}]}, "there is no list `items` or `data`"),
        ({"items": [{}], "data": [{}]}, "in more than one layout: "),
    ):
        file.write_text(json.dumps(answer))
        assert says in told(file)["refused"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("known_by:", "unknown:", "unknown"),
        ("C2: NIP", "C3: NIP", "not within the rows of titles"),
        ("at: [11]", "at: [12]", "not within the width"),
        ("  nip:", "  nipp:", "has no column nipp"),
        ("titles: {A2: Nomor, C2: NIP}", "titles: {A1: 2}", "titles.A1"),
    ],
)
def test_a_layout_at_fault_is_an_error(folder: Path, old: str, new: str, says: str) -> None:
    file = folder / "agency_list.yml"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=says):
        layouts.layouts_of(load_contract("promotion"))


def test_two_layouts_known_by_the_same_are_an_error(folder: Path) -> None:
    shutil.copy(folder / "agency_list.yml", folder / "b.yml")
    with pytest.raises(ValueError, match="nothing tells their files apart"):
        layouts.layouts_of(load_contract("promotion"))
    shutil.copy(folder / "regional_office_workbook.yml", folder / "b.yml")
    with pytest.raises(ValueError, match="nothing tells their files apart"):
        layouts.layouts_of(load_contract("promotion"))
