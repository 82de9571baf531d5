"""JSON pages of the service API: a list under `data`, keys in camelCase or snake_case, `usulan_data` a JSON text inside JSON."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from tests.rows import csv, row
from warehouse.loading.validate_file import validate_file
from warehouse.reading.published_values import read_services
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.connection import open_warehouse
from warehouse.store.home import Home

INSIDE = {
    "promotion": ["jenis_kp_id", "golongan_lama_id", "golongan_baru_id", "periode", "no_sk", "tgl_sk"],
    "nip": ["no_peserta", "jenis_pengadaan_id", "tmt_mulai"],
    "pension": ["jenis_pensiun_id", "golongan_id", "tmt_pensiun"],
}


def camel(name: str) -> str:
    first, *words = name.split("_")
    return first + "".join(word.capitalize() for word in words)


def entry(source: str, *, is_camel: bool, as_text: bool, is_deep: bool = False, **changed: Any) -> dict[str, Any]:
    """The good row of a source as the service answers it."""
    cells: dict[str, Any] = {name: value or None for name, value in row(source, **changed).items()}
    spelled = camel if is_camel else str
    inside: Any = {spelled(name): cells.pop(name) for name in INSIDE[source]}
    if is_deep:
        inside = {"data": inside}
    cells["status_usulan"] = int(cells["status_usulan"])
    outside = {spelled(name): value for name, value in cells.items()}
    own_keys = {
        spelled("instansi_nama"): "Pemerintah",
        spelled("status_aktif"): 1,
        spelled("dokumen_usulan"): {"1": {"slug": "1"}},
    }
    return outside | own_keys | {spelled("usulan_data"): json.dumps(inside) if as_text else inside}


def page(*entries: Any, **more: Any) -> str:
    return json.dumps({"code": 1, "count": len(entries), "data": list(entries)} | more)


def services(root: Path) -> list[dict[str, Any]]:
    return [
        {k: v for k, v in line.items() if k not in ("known_from", "run")} for line in read_services(Home(root), 2024)
    ]


CODES = [7, 12, 5]


def inbox(root: Path, source: str) -> Path:
    folder = root / "inbox" / source
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def agreed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The services of three proposals a source, delivered in the agreed layout."""
    root = tmp_path_factory.mktemp("agreed")
    for source in INSIDE:
        rows = [row(source, id=f"X{number}", status_usulan=code) for number, code in enumerate(CODES)]
        (inbox(root, source) / "a.csv").write_text(csv(*rows))
    run_pipeline(root)
    return services(root)


@pytest.mark.parametrize(("is_camel", "as_text"), [(True, True), (False, False)])
def test_a_page_gives_the_facts_of_the_agreed_layout(
    tmp_path: Path, agreed: list[dict[str, Any]], is_camel: bool, as_text: bool
) -> None:
    for source in INSIDE:
        entries = [
            entry(
                source, is_camel=is_camel, as_text=as_text, is_deep=number % 2 == 1, id=f"X{number}", status_usulan=code
            )
            for number, code in enumerate(CODES)
        ]
        folder = inbox(tmp_path, source)
        (folder / "page-1.json").write_text(page(*entries[:2]))
        (folder / "page-2.json").write_text(page(*entries[2:]))
    report = run_pipeline(tmp_path)
    assert sorted((batch.file, batch.accepted) for batch in report.batches) == [
        (f"{source}/page-{number}.json", 3 - number) for source in sorted(INSIDE) for number in (1, 2)
    ]
    assert services(tmp_path) == agreed
    assert [line["received"] for line in agreed] == [3, 3, 3]


def told(tmp_path: Path, text: str) -> dict[str, Any]:
    file = tmp_path / "page.json"
    file.write_text(text)
    return validate_file(file, "promotion", "en")


def test_what_stands_outside_goes_before_what_stands_inside(tmp_path: Path) -> None:
    given = entry("promotion", is_camel=False, as_text=False)
    given["usulan_data"]["status_usulan"] = 999
    assert told(tmp_path, page(given))["ok"]


def test_an_acronym_in_a_key(tmp_path: Path) -> None:
    given = entry("promotion", is_camel=True, as_text=False)
    given["usulanData"]["jenisKPId"] = given["usulanData"].pop("jenisKpId")
    assert told(tmp_path, page(given))["ok"]


def test_a_faulty_entry_is_held_with_its_number(tmp_path: Path) -> None:
    good = entry("promotion", is_camel=True, as_text=True)
    bad = entry("promotion", is_camel=True, as_text=True, id="P2", nip="123")
    (failure,) = told(tmp_path, page(good, bad))["failures"]
    assert (failure["rule"], failure["first_rows"]) == ("PRM-NIP-1", [2])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[1, 2]", "there is no list `data`"),
        ('{"data": {"a": 1}}', "there is no list `data`"),
        ('{"data": []}', "the file is empty"),
        ('{"data": [', "the file is not valid JSON"),
        ('{"data": [3]}', "entry 1 holds no JSON object"),
        ('{"data": [{"usulan_data": "{broken"}]}', "entry 1 is not valid JSON"),
        ('{"data": [{"id": "1"}]}', "columns missing"),
        ('{"data": [{"id": NaN}]}', "the file is not valid JSON"),
        ("[" * 100_000, "the file is not valid JSON"),
    ],
)
def test_a_broken_page_is_refused_with_a_word(tmp_path: Path, text: str, says: str) -> None:
    assert says in told(tmp_path, text)["refused"]


def test_a_key_that_nobody_knows_is_named(tmp_path: Path) -> None:
    assert (
        "unknown columns: gaji"
        in told(tmp_path, page(entry("promotion", is_camel=False, as_text=True) | {"gaji": 1}))["refused"]
    )


def test_a_key_in_both_spellings_is_refused(tmp_path: Path) -> None:
    given = entry("promotion", is_camel=False, as_text=True) | {"instansiKode": "5600"}
    assert "entry 1: column" in told(tmp_path, page(given))["refused"]


def test_other_sources_take_no_pages(tmp_path: Path) -> None:
    file = tmp_path / "page.json"
    file.write_text(page({"a": 1}))
    assert "the name ends in none of" in validate_file(file, "integration", "en")["refused"]


def test_days_with_a_zone_and_the_services_empty_time(tmp_path: Path) -> None:
    given = entry(
        "promotion",
        is_camel=False,
        as_text=False,
        tgl_usulan="2024-01-10T00:00:00Z",
        tgl_pengiriman_kelayanan="2024-01-15T02:00:00Z",
    )
    given["usulan_data"] |= {"periode": "2024-04-01T00:00:00Z", "tgl_sk": "0001-01-01T00:00:00Z"}
    inbox = tmp_path / "inbox" / "promotion"
    inbox.mkdir(parents=True)
    (inbox / "page.json").write_text(page(given))
    assert [batch.accepted for batch in run_pipeline(tmp_path).batches] == [1]
    with open_warehouse(tmp_path, "test") as opened:
        (kept,) = opened.connection.execute(
            "SELECT period_date, proposed_date, received_at, decree_date FROM states.promotion"
        ).fetchall()
    assert kept == (dt.date(2024, 4, 1), dt.date(2024, 1, 10), dt.datetime(2024, 1, 15, 9), None)
