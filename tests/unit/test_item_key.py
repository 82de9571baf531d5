"""The name of a printed or derived number: read and written in one place."""

import re
from pathlib import Path

import pytest

from transforms.item_key import ItemKey
from transforms.printed import load_reports

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "key", "year", "is_of_year"),
    [
        ("07|IKU-06|2024|realisasi", ItemKey("07", "IKU-06", "2024", "realisasi"), 2024, True),
        ("07|IKU-06|2023-Q4|target", ItemKey("07", "IKU-06", "2023-Q4", "target"), 2023, False),
        ("07|promotion|2024-02-01|ms", ItemKey("07", "promotion", "2024-02-01", "ms"), 2024, False),
        ("07|nip|2024|ms|Jambi@Tabel 4", ItemKey("07", "nip", "2024", "ms", "Jambi", "Tabel 4"), 2024, True),
        ("07|x|2024|m|a|b@", ItemKey("07", "x", "2024", "m", "a|b", ""), 2024, True),
    ],
)
def test_a_name_is_read_and_written(text: str, key: ItemKey, year: int, is_of_year: bool) -> None:
    assert ItemKey.parse(text) == key
    assert (key.text, key.year, key.is_of_year) == (text, year, is_of_year)
    assert key.base.text == text.partition("@")[0]


@pytest.mark.parametrize("text", ["", "07|IKU-06|2024", "07||2024|realisasi", "check|npss|total|x"])
def test_what_is_no_name_says_so(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{text!r} is no office|subject|period|measure")):
        ItemKey.parse(text)
    assert ItemKey.find(text) is None


def test_every_printed_item_has_such_a_name() -> None:
    items = [item for report in load_reports() for item in report.items]
    assert len(items) > 400 and all(item.key.text == item.item for item in items)


def test_nobody_else_takes_a_name_apart() -> None:
    apart = re.compile(r"(name|item|base|printed)\.split\(\"\|\"")
    rooms = ("transforms", "expectations", "warehouse", "flows")
    files = [file for room in rooms for file in (ROOT / room).rglob("*.py") if file.name != "item_key.py"]
    assert [file.name for file in files if apart.search(file.read_text("utf-8"))] == []
