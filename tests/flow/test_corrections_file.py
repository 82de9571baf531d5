"""Corrections as data: an entry corrects one delivered value, is seen in the explanation, and fails loudly where it no longer fits."""

import time
from pathlib import Path

import pytest

from expectations.corrections import read_corrections
from flows.command_run import plan_backfill
from tests.rows import row
from tests.time_home import TimeHome, letter
from warehouse.runs.doctor import examine
from warehouse.trace.explain import explain
from warehouse.trace.reproduce import reproduce

ENTRY = """corrections:
  - id: C-1
    source: integration
    key: {tahun: 2024, tw: 4, instansi_kode: "5502", riwayat: jabatan, tgl_surat: 2024-12-20}
    column: terintegrasi
    expected: "true"
    corrected: "false"
    reason: salah ketik di surat
    owner: INKA
"""


@pytest.fixture
def place(tmp_path: Path) -> TimeHome:
    found = TimeHome(tmp_path)
    found.deliver(
        "integration/a.csv", letter("5500", integrated=True), letter("5502", integrated=True, channel="simpegnas")
    )
    return found


def write(place: TimeHome, text: str) -> None:
    (place.root / "corrections.yml").write_text(text, encoding="utf-8")


def test_a_standing_row_is_corrected_and_the_reason_is_correction(place: TimeHome) -> None:
    place.run("2025-01-10")
    write(place, ENTRY)
    report = place.run("2025-01-11")
    assert [
        (c.period, c.old, c.new, c.reason) for c in report.changed if c.period == "2024" and c.indicator == "IKU-06"
    ] == [("2024", "100.00", "50.00", "correction")]
    assert [(b.file, b.accepted) for b in report.batches] == [("corrections.yml/C-1.csv", 1)]
    assert place.run("2025-01-12").batches == [], "an entry is applied once"


def test_the_plan_of_a_backfill_names_what_is_not_applied_yet(place: TimeHome) -> None:
    place.run("2025-01-10")

    def planned() -> tuple[list[str], str | None]:
        plan = plan_backfill(place.root, [2024], None)
        return plan["corrections"], plan["corrections_problem"]

    assert planned() == ([], None)
    write(place, ENTRY)
    assert planned() == (["C-1"], None)
    place.run("2025-01-11")
    assert planned() == ([], None)
    write(place, "corrections: 3")
    entries, problem = planned()
    assert entries == [] and problem is not None and "corrections.yml" in problem


def test_a_new_delivery_is_corrected_in_its_first_night(place: TimeHome) -> None:
    write(place, ENTRY)
    place.run("2025-01-10")
    assert place.value("IKU-06", "2024") == "50.00"
    found = explain(place.root, "IKU-06", "2024")
    assert found["corrections"] == [
        {
            "id": "C-1", "source": "integration", "key": "2024|4|5502|jabatan", "column": "terintegrasi",
            "reason": "salah ketik di surat", "owner": "INKA",
        }
    ]  # fmt: skip
    assert reproduce(place.root, "IKU-06", "2024")["equal"], "a correction is archived like any delivery"


def test_the_uncorrected_row_delivered_again_is_a_duplicate(place: TimeHome) -> None:
    write(place, ENTRY)
    place.run("2025-01-10")
    place.deliver("integration/again.csv", letter("5502", integrated=True, channel="simpegnas"))
    (batch,) = place.run("2025-01-11").batches
    assert (batch.accepted, batch.duplicate, batch.quarantined) == (0, 1, 0)
    assert place.value("IKU-06", "2024") == "50.00"


def test_what_no_longer_holds_the_expected_value_is_refused_loudly(place: TimeHome) -> None:
    write(
        place, ENTRY.replace('expected: "true"', 'expected: "false"').replace('corrected: "false"', 'corrected: "true"')
    )
    report = place.run("2025-01-10")
    (refused,) = report.refused
    assert "C-1: column terintegrasi of integration/a.csv line 3 does not hold the expected value" in refused.message
    assert "tidak lagi berisi nilai yang diharapkan" in refused.message_id
    assert report.published and place.value("IKU-06", "2024") == "100.00", "the rest goes on"


def test_an_entry_that_a_later_correction_overrides_is_refused(place: TimeHome) -> None:
    write(place, ENTRY)
    place.run("2025-01-10")
    place.deliver("integration/corrections/mended.csv", letter("5502", integrated=True, channel="simpegnas"))
    (refused,) = place.run("2025-01-11").refused
    assert "integration/corrections/mended.csv has replaced what this entry corrected" in refused.message
    assert place.value("IKU-06", "2024") == "100.00"


def test_a_row_that_nobody_delivered(place: TimeHome) -> None:
    write(place, ENTRY.replace("5502", "5503"))
    (refused,) = place.run("2025-01-10").refused
    assert "0 standing rows have this key" in refused.message


def test_a_corrected_row_that_breaks_a_rule_is_held_and_said(place: TimeHome) -> None:
    write(
        place,
        ENTRY.replace("column: terintegrasi", "column: kanal")
        .replace('expected: "true"', "expected: simpegnas")
        .replace('corrected: "false"', "corrected: fax"),
    )
    (refused,) = place.run("2025-01-10").refused
    assert "the corrected row was not accepted" in refused.message


def test_an_applied_entry_must_not_change_under_its_name(place: TimeHome) -> None:
    write(place, ENTRY)
    place.run("2025-01-10")
    write(place, ENTRY.replace("salah ketik di surat", "alasan lain"))
    (refused,) = place.run("2025-01-11").refused
    assert "was applied and has changed since" in refused.message


def test_one_state_of_a_proposal_is_named_by_its_time(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    place.deliver(
        "promotion/a.csv",
        row("promotion", status_usulan=12, tgl_pertek="", tgl_update_layanan="2024-01-15T10:00:00"),
        row("promotion", status_usulan=5, tgl_pertek=""),
    )
    entry = ENTRY.replace("integration", "promotion").replace("column: terintegrasi", "column: status_usulan")
    entry = entry.replace('expected: "true"', 'expected: "5"').replace('corrected: "false"', 'corrected: "7"')
    key = entry.index("key:"), entry.index("column:")
    write(place, entry[: key[0]] + "key: {id: P1}\n    " + entry[key[1] :])
    (refused,) = place.run("2024-02-01").refused
    assert "2 standing rows have this key; name the state time too" in refused.message
    write(place, entry[: key[0]] + 'key: {id: P1, tgl_update_layanan: "2024-01-16T10:00:00"}\n    ' + entry[key[1] :])
    assert place.run("2024-02-02").refused == []
    assert (place.service("promotion", 2024)["ms"], place.service("promotion", 2024)["bts"]) == (1, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("source: integration", "source: integratio"), "there is no source 'integratio'"),
        (("column: terintegrasi", "column: terintegrsi"), "has no column terintegrsi"),
        (("tahun: 2024, ", ""), "the key of integration also has tahun"),
        (('corrected: "false"', 'corrected: "true"'), "expected and corrected are the same"),
        (("owner: INKA", "owner: ''"), "entry 1: the field owner is empty"),
        (("    owner: INKA\n", ""), "entry 1: the field owner is missing"),
        (("    column:", "    colum:"), "entry 1: the field column is missing"),
        (
            ("owner: INKA", "owner: INKA\n    boss: INKA"),
            "entry 1: there is no field 'boss'; the fields are id, source",
        ),
        (("owner: INKA", "owner: INKA\n    reasons: INKA"), "no field 'reasons'; did you mean 'reason'?"),
        (('expected: "true"', "expected: true"), "entry 1: write expected as text, in quotes"),
        (("key: {", "key: 5 #{"), "entry 1: key is a list of names with values"),
        (("corrections:", "correction:"), "a list of entries under `corrections:`"),
        (("column: terintegrasi", "column: tahun"), "tahun is part of the key"),
        (("id: C-1", "id: C 1"), "entry 1: id has letters, digits"),
        (("column: terintegrasi", "column: tgl_surat"), "tgl_surat orders the states"),
        (("corrections:", "corrections: ["), "it is not YAML"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    file = tmp_path / "corrections.yml"
    file.write_text(ENTRY.replace(*change), encoding="utf-8")
    with pytest.raises(ValueError, match=message) as failure:
        read_corrections(file)
    assert "docs/how-to/correct-a-delivery.md" in str(failure.value)


def test_an_id_stands_once(tmp_path: Path) -> None:
    file = tmp_path / "corrections.yml"
    file.write_text(ENTRY + ENTRY.removeprefix("corrections:\n"), encoding="utf-8")
    with pytest.raises(ValueError, match="C-1 stands there more than once"):
        read_corrections(file)
    assert read_corrections(tmp_path / "none.yml") == []


BOMB = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
HARMFUL = {
    "aliases": (f"{BOMB}corrections: *i\n", "line 2: it refers to another place"),
    "brackets": ("corrections: " + "[" * 100_000, "line 1: nested deeper than 20 levels"),
    "dashes": ("- " * 100_000, "nested deeper"),
    "size": ("corrections: []\n" + "#" * 6_000_000, "larger than 5000000 bytes"),
    "long id": (ENTRY.replace("C-1", "C" * 300), "100 characters"),
}


@pytest.mark.parametrize(("content", "says"), HARMFUL.values(), ids=HARMFUL)
def test_a_file_made_to_do_harm_is_refused_before_it_is_built(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "corrections.yml"
    file.write_text(content, encoding="utf-8")
    start = time.monotonic()
    with pytest.raises(ValueError, match=says):
        read_corrections(file)
    assert time.monotonic() - start < 5


def test_a_corrections_file_that_is_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "corrections.yml").mkdir()
    with pytest.raises(ValueError, match="no ordinary file"):
        read_corrections(tmp_path / "corrections.yml")


@pytest.mark.parametrize(
    "content", ["", "corrections: [", "corrections:\n  - id: C-1\n", "corrections: " + "[" * 100_000]
)
def test_a_file_at_fault_is_named_and_the_night_goes_on(place: TimeHome, content: str) -> None:
    place.deliver("integration/a.csv", letter("5500", integrated=True))
    (place.root / "corrections.yml").write_text(content, encoding="utf-8")
    report = place.run("2025-01-10")
    (refused,) = report.refused
    assert refused.file == "corrections.yml" and "none of its entries is applied" in refused.message
    assert report.published and [batch.accepted for batch in report.batches] == [1]


def test_the_doctor_wants_it_private(place: TimeHome) -> None:
    place.deliver("integration/a.csv", letter("5500", integrated=True))
    place.run("2025-01-10")
    file = place.root / "corrections.yml"
    file.write_text("corrections: []\n", encoding="utf-8")
    file.chmod(0o644)
    (line,) = [check for check in examine(place.root) if check["check"] == "corrections.yml"]
    assert line["verdict"] == "bad" and "chmod 600" in line["finding"]
    file.chmod(0o600)
    assert not [check for check in examine(place.root) if check["check"] == "corrections.yml"]
