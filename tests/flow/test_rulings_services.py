"""Which proposals count, in which year and group, with which outcome and after how many working days (rulings 7 to 13)."""

from datetime import date
from pathlib import Path

import pytest

from tests.rows import csv, row
from warehouse.reading.published_values import read_services
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.home import Home

MS, BTS, TMS, IN_PROCESS, CANCELLED, NOT_RECEIVED = 7, 5, 6, 12, 9, 1
COUNTS = ("received", "ms", "bts", "tms", "in_process", "ever_returned")
Lines = dict[tuple[str, str], dict]


def p(updated: str, code: int, received: str = "2024-01-15T09:00:00", bts: int = 0, **changed) -> dict:
    """A state of a proposal for the TMT of December 2024; the agency and the id come from the case."""
    common = {"tgl_update_layanan": updated, "status_usulan": code, "tgl_pengiriman_kelayanan": received}
    return common | {"counter_bts": bts, "periode": "01-12-2024"} | changed


def s(updated: str, code: int, received: str = "2024-01-15T09:00:00", bts: int = 0, **changed) -> dict:
    """A state of a pension or nip proposal."""
    common = {"tgl_update_layanan": updated, "status_usulan": code, "tgl_pengiriman_kelayanan": received}
    return common | {"counter_bts": bts} | changed


def cases_csv(source: str, cases: dict, first: int) -> str:
    """CSV of the cases, each with an agency of its own, V<first> and on, and the id of that agency."""
    rows = []
    for number, (states, _) in enumerate(cases.values(), start=first):
        agency = {
            "id": f"V{number:03}",
            "instansi_kode": f"V{number:03}",
            "no_pertek": "",
            "tgl_pertek": "",
            "alasan_tolak": "x",
        }
        rows += [row(source, **(agency | state)) for state in states]
    return csv(*rows)


def lines(root, year: int, by: str = "agency") -> Lines:
    return {(line["service"], line["group"]): line for line in read_services(Home(root), year, by)}


def agency_of(cases: dict, name: str, first: int) -> str:
    return f"V{first + list(cases).index(name):03}"


def reasons(line: dict) -> dict:
    return {reason: count for reason, count in line["excluded"].items() if count}


# --- promotion: outcomes at the cut-off of 2024 ---------------------------------------------------------------------

OUTCOMES = {
    "decided in the last second": ([p("2024-12-31T23:59:59", MS)], (1, 1, 0, 0, 0, 0)),
    "decided one second later": ([p("2025-01-01T00:00:00", MS)], (1, 0, 0, 0, 1, 0)),
    "decided 00:30 of the next year, told in UTC": ([p("2024-12-31T17:30:00Z", MS)], (1, 0, 0, 0, 1, 0)),
    "decided 23:59:59, told in UTC": ([p("2024-12-31T16:59:59Z", MS)], (1, 1, 0, 0, 0, 0)),
    "decided 23:00, told two hours east": ([p("2025-01-01T01:00:00+09:00", MS)], (1, 1, 0, 0, 0, 0)),
    "decided 23:59:59, told with the own zone": ([p("2024-12-31T23:59:59+07:00", MS)], (1, 1, 0, 0, 0, 0)),
    "rejected": ([p("2024-03-01T10:00:00", TMS)], (1, 0, 0, 1, 0, 0)),
    "rejected by code 73": ([p("2024-03-01T10:00:00", 73)], (1, 0, 0, 1, 0, 0)),
    "in process by code 76": ([p("2024-03-01T10:00:00", 76)], (1, 0, 0, 0, 1, 0)),
    "returned by code 34": ([p("2024-03-01T10:00:00", 34)], (1, 0, 1, 0, 0, 1)),
    "returned, then approved": ([p("2024-03-01T10:00:00", BTS), p("2024-04-01T10:00:00", MS)], (1, 1, 0, 0, 0, 1)),
    "approved, then returned": ([p("2024-03-01T10:00:00", MS), p("2024-04-01T10:00:00", BTS)], (1, 0, 1, 0, 0, 1)),
    "states in the wrong order": ([p("2024-04-01T10:00:00", MS), p("2024-03-01T10:00:00", IN_PROCESS)], (1, 1, 0, 0, 0, 0)),
    "returned by the counter": ([p("2024-03-01T10:00:00", MS, bts=2)], (1, 1, 0, 0, 0, 1)),
    "the counter falls back": ([p("2024-03-01T10:00:00", 12, bts=1), p("2024-04-01T10:00:00", MS)], (1, 1, 0, 0, 0, 1)),
    "counter only after the end": ([p("2024-03-01T10:00:00", MS), p("2025-01-02T10:00:00", MS, bts=1)], (1, 1, 0, 0, 0, 0)),
    "returned only after the end": ([p("2024-03-01T10:00:00", MS), p("2025-01-01T00:00:00", BTS)], (1, 1, 0, 0, 0, 0)),
    "returned in the last second": ([p("2024-12-31T23:59:59", BTS), p("2025-01-02T00:00:00", MS)], (1, 0, 1, 0, 0, 1)),
    "received, no state by the end": ([p("2025-01-05T10:00:00", MS, "2024-12-20T09:00:00")], (1, 0, 0, 0, 1, 0)),
    "received in the last second": ([p("2025-01-05T10:00:00", MS, "2024-12-31T23:59:59")], (1, 0, 0, 0, 1, 0)),
    "receipt known from a row after the end": (
        [p("2024-12-30T10:00:00", 12, "2025-01-02T09:00:00"), p("2025-01-10T10:00:00", MS, "2024-12-20T09:00:00")],
        (1, 0, 0, 0, 1, 0),
    ),
    "no state by the end, cancelled since": ([p("2025-01-05T10:00:00", CANCELLED, "2024-12-20T09:00:00")], (1, 0, 0, 0, 1, 0)),
    "cancelled only after the end": ([p("2024-03-01T10:00:00", MS), p("2025-01-02T10:00:00", CANCELLED)], (1, 1, 0, 0, 0, 0)),
    "a null receipt is no decision": ([p("2024-02-01T10:00:00", MS, ""), p("2024-03-01T10:00:00", 12)], (1, 0, 0, 0, 1, 0)),
    "a null receipt is no return": ([p("2024-02-01T10:00:00", BTS, ""), p("2024-03-01T10:00:00", MS)], (1, 1, 0, 0, 0, 0)),
    "a held return is no return": (
        [p("2024-02-01T10:00:00", BTS, kanreg_id_pengusul="15"), p("2024-03-01T10:00:00", MS)],
        (1, 1, 0, 0, 0, 0),
    ),
    "grade 42 is ours": ([p("2024-03-01T10:00:00", MS, golongan_lama_id=41, golongan_baru_id=42)], (1, 1, 0, 0, 0, 0)),
    "period of February, decided in November": ([p("2024-11-01T10:00:00", MS, periode="01-02-2024")], (1, 1, 0, 0, 0, 0)),
}  # fmt: skip

# Each of these agencies also has one plain approved proposal.
EXCLUDED = {
    "no receipt, whatever the code": ([p("2024-03-01T10:00:00", MS, "")], "not_received"),
    "code of not received with a receipt": ([p("2024-03-01T10:00:00", NOT_RECEIVED)], "not_received"),
    "newest state has no receipt": ([p("2024-03-01T10:00:00", MS), p("2024-04-01T10:00:00", MS, "")], "not_received"),
    "cancelled": ([p("2024-03-01T10:00:00", BTS), p("2024-04-01T10:00:00", CANCELLED)], "cancelled"),
    "cancelled by code 65": ([p("2024-03-01T10:00:00", 65)], "cancelled"),
    "received one second late": ([p("2024-12-31T10:00:00", 12, "2025-01-01T00:00:00")], "received_after_cut_off"),
    "received late, told in UTC": ([p("2025-01-02T10:00:00", MS, "2024-12-31T17:00:00Z")], "received_after_cut_off"),
    "grade above 42": ([p("2024-03-01T10:00:00", MS, golongan_lama_id=42, golongan_baru_id=43)], "other_authority"),
    "another office": ([p("2024-03-01T10:00:00", MS, kanreg_id_pengusul="14")], "other_office"),
    "cancelled without receipt": ([p("2024-03-01T10:00:00", CANCELLED, "")], "not_received"),
    "cancelled, grade above, other office": (
        [p("2024-03-01T10:00:00", CANCELLED, golongan_lama_id=42, golongan_baru_id=44, kanreg_id_pengusul="08")],
        "cancelled",
    ),
    "late and grade above": (
        [p("2025-01-02T10:00:00", MS, "2025-01-02T09:00:00", golongan_lama_id=42, golongan_baru_id=44)],
        "received_after_cut_off",
    ),
    "grade above and other office": (
        [p("2024-03-01T10:00:00", MS, golongan_lama_id=44, golongan_baru_id=45, kanreg_id_pengusul="01")],
        "other_authority",
    ),
    "other office at the cut-off, ours before and after": (
        [p("2024-03-01T10:00:00", 12), p("2024-04-01T10:00:00", 12, kanreg_id_pengusul="08"), p("2025-01-04T10:00:00", MS)],
        "other_office",
    ),
}  # fmt: skip
PLAIN = {f"plain of {name}": ([p("2024-03-01T10:00:00", MS, id=f"plain {name}")], None) for name in EXCLUDED}

# --- pension: working days; every id of a case has its own name -------------------------------------------------------


def spans(*pairs: tuple[str, str]) -> list[dict]:
    return [s(decided, MS, received, id=f"span {received} {decided}") for received, decided in pairs]


MONDAY = "2024-01-15T09:00:00"
DAYS = {  # two_day, median, p90
    "Friday to Monday is one": (spans(("2024-01-12T09:00:00", "2024-01-15T08:00:00")), ("100.00", "1.00", "1.00")),
    "the same day is none": (spans((MONDAY, "2024-01-15T16:00:00")), ("100.00", "0.00", "0.00")),
    "decided before receipt is none": (spans((MONDAY, "2024-01-10T16:00:00")), ("100.00", "0.00", "0.00")),
    "exactly two": (spans(("2024-01-12T23:59:59", "2024-01-16T23:59:59")), ("100.00", "2.00", "2.00")),
    "exactly three": (spans(("2024-01-12T23:59:59", "2024-01-17T00:00:00")), ("0.00", "3.00", "3.00")),
    "Saturday to Sunday is none": (spans(("2024-01-13T09:00:00", "2024-01-14T09:00:00")), ("100.00", "0.00", "0.00")),
    "holiday, joint leave, weekend": (spans(("2024-02-07T09:00:00", "2024-02-12T09:00:00")), ("100.00", "1.00", "1.00")),
    "election day": (spans(("2024-02-13T09:00:00", "2024-02-15T09:00:00")), ("100.00", "1.00", "1.00")),
    "over the joint leave of Eid, two": (spans(("2024-04-05T09:00:00", "2024-04-17T09:00:00")), ("100.00", "2.00", "2.00")),
    "over the joint leave of Eid, three": (spans(("2024-04-05T09:00:00", "2024-04-18T09:00:00")), ("0.00", "3.00", "3.00")),
    "Christmas and its joint leave": (spans(("2024-12-24T09:00:00", "2024-12-27T09:00:00")), ("100.00", "1.00", "1.00")),
    "received 01:00 of the 16th, told in UTC": (spans(("2024-01-15T18:00:00Z", "2024-01-17T10:00:00")), ("100.00", "1.00", "1.00")),
    "decided 01:00 of the 18th, told in UTC": (spans((MONDAY, "2024-01-17T18:00:00Z")), ("0.00", "3.00", "3.00")),
    "a return is the first decision": ([s("2024-01-16T10:00:00", BTS), s("2024-03-01T10:00:00", MS)], ("100.00", "1.00", "1.00")),
    "decided once, in process again": ([s("2024-01-18T10:00:00", BTS), s("2024-03-01T10:00:00", 12)], ("0.00", "3.00", "3.00")),
    "a rejection decides": ([s("2024-01-16T10:00:00", TMS)], ("100.00", "1.00", "1.00")),
    "earliest receipt of all rows": (
        [s("2024-01-19T10:00:00", MS, "2024-01-19T09:00:00"), s("2024-01-25T10:00:00", MS, MONDAY)],
        ("0.00", "4.00", "4.00"),
    ),
    "a row without receipt decides nothing": ([s("2024-01-16T10:00:00", MS, ""), s("2024-01-18T10:00:00", MS)], ("0.00", "3.00", "3.00")),
    "decided only after the end": ([s("2025-01-01T00:00:00", MS, "2024-12-31T09:00:00")], (None, None, None)),
    "five: 0 0 1 2 3": (
        spans((MONDAY, "2024-01-15T10:00:00"), (MONDAY, "2024-01-15T11:00:00"), (MONDAY, "2024-01-16T10:00:00"),
              (MONDAY, "2024-01-17T10:00:00"), (MONDAY, "2024-01-18T10:00:00")),
        ("80.00", "1.00", "2.60"),
    ),
    "four: 0 1 2 10": (
        spans((MONDAY, "2024-01-15T12:00:00"), (MONDAY, "2024-01-16T12:00:00"), (MONDAY, "2024-01-17T12:00:00"),
              (MONDAY, "2024-01-29T12:00:00")),
        ("75.00", "1.50", "7.60"),
    ),
    "three: 1 2 3": (
        spans((MONDAY, "2024-01-16T13:00:00"), (MONDAY, "2024-01-17T13:00:00"), (MONDAY, "2024-01-18T13:00:00")),
        ("66.67", "2.00", "2.80"),
    ),
    "a cancelled one is not among the decided": (
        [*spans((MONDAY, "2024-01-16T14:00:00")), s("2024-01-29T10:00:00", BTS), s("2024-02-01T10:00:00", CANCELLED)],
        ("100.00", "1.00", "1.00"),
    ),
}  # fmt: skip

# --- nip: the year is the year of receipt, on the clock of Jakarta: received in 2024, received in 2025 ----------------

YEARS = {
    "first second of 2024, told in UTC": ([s("2024-01-02T10:00:00", MS, "2023-12-31T17:00:00Z")], (1, 0)),
    "last second of 2023, told in UTC": ([s("2024-01-02T10:00:00", MS, "2023-12-31T16:59:59Z")], (0, 0)),
    "00:30 of 2025, told in UTC": ([s("2025-01-02T10:00:00", MS, "2024-12-31T17:30:00Z")], (0, 1)),
    "earlier receipt on a later row": (
        [s("2025-01-02T10:00:00", 12, "2025-01-02T09:00:00"), s("2025-01-10T10:00:00", MS, "2024-12-30T09:00:00")],
        (1, 0),
    ),
    "receipt only on the first row": ([s("2024-12-30T10:00:00", 12, "2024-12-30T09:00:00"), s("2025-01-05T10:00:00", MS, "2025-01-05T09:00:00")], (1, 0)),
    "earlier receipt on a quarantined row": (
        [s("2024-12-30T10:00:00", 54, "2024-12-30T09:00:00"), s("2025-01-05T10:00:00", MS, "2025-01-05T09:00:00")],
        (0, 1),
    ),
    "never received": ([s("2024-05-01T10:00:00", MS, "")], (0, 0)),
    "no number yet, approved": ([s("2024-05-01T10:00:00", MS, nip="")], (1, 0)),
    "cancelled": ([s("2024-05-01T10:00:00", CANCELLED)], (0, 0)),
    "newest state without receipt": ([s("2024-05-01T10:00:00", 12), s("2024-05-02T10:00:00", MS, "")], (0, 0)),
    "another office": ([s("2024-05-01T10:00:00", MS, kanreg_id_pengusul="06")], (0, 0)),
}  # fmt: skip


@pytest.fixture(scope="module")
def closed(tmp_path_factory) -> tuple[Path, Lines, Lines]:
    """All cases, run once after the end of 2024: the home and the lines by agency of 2024 and 2025."""
    root = tmp_path_factory.mktemp("closed")
    texts = {
        "promotion/outcomes.csv": cases_csv("promotion", OUTCOMES, 1),
        "promotion/excluded.csv": cases_csv("promotion", EXCLUDED, 101),
        "promotion/plain.csv": cases_csv("promotion", PLAIN, 101),
        "pension/days.csv": cases_csv("pension", DAYS, 201),
        "nip/years.csv": cases_csv("nip", YEARS, 301),
    }
    for name, text in texts.items():
        file = root / "inbox" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    report = run_pipeline(root, as_of=date(2025, 1, 31))
    assert [refused.message for refused in report.refused] == []
    return root, lines(root, 2024), lines(root, 2025)


@pytest.mark.parametrize("name", OUTCOMES)
def test_outcome_at_the_cut_off(closed, name: str) -> None:
    line = closed[1]["promotion", agency_of(OUTCOMES, name, 1)]
    assert tuple(line[count] for count in COUNTS) == OUTCOMES[name][1]
    assert reasons(line) == {}


@pytest.mark.parametrize("name", EXCLUDED)
def test_excluded_with_one_reason(closed, name: str) -> None:
    line = closed[1]["promotion", agency_of(EXCLUDED, name, 101)]
    assert tuple(line[count] for count in COUNTS) == (1, 1, 0, 0, 0, 0)
    assert reasons(line) == {EXCLUDED[name][1]: 1}


def test_the_year_has_every_exclusion(closed) -> None:
    line = lines(closed[0], 2024, "year")["promotion", "2024"]
    assert reasons(line) == {
        "not_received": 4, "cancelled": 3, "received_after_cut_off": 3, "other_authority": 2, "other_office": 2,
    }  # fmt: skip
    assert tuple(line[count] for count in COUNTS) == (42, 29, 3, 2, 8, 6)
    assert (line["completion"], line["approval"]) == ("80.95", "69.05")


@pytest.mark.parametrize("name", DAYS)
def test_working_days(closed, name: str) -> None:
    line = closed[1]["pension", agency_of(DAYS, name, 201)]
    assert (line["two_day"], line["median_days"], line["p90_days"]) == DAYS[name][1]


@pytest.mark.parametrize("name", YEARS)
def test_year_of_receipt(closed, name: str) -> None:
    key = "nip", agency_of(YEARS, name, 301)
    assert tuple(year.get(key, {"received": 0})["received"] for year in closed[1:]) == YEARS[name][1]
    assert all(year[key]["received"] for year in closed[1:] if key in year), "a group without a received proposal"


def test_the_year_of_nip_has_its_exclusions(closed) -> None:
    line = lines(closed[0], 2024, "year")["nip", "2024"]
    assert (line["received"], reasons(line)) == (4, {"not_received": 1, "cancelled": 1, "other_office": 1})


def test_closed_years_are_final_and_the_running_one_is_not(closed) -> None:
    assert {line["provisional"] for line in closed[1].values()} == {False}
    assert {line["provisional"] for line in closed[2].values()} == {True}


def test_agency_and_period_are_those_of_the_state_at_the_cut_off(tmp_path, deliver) -> None:
    def state(key: str, updated: str, agency: str, **changed) -> dict[str, str]:
        return row("promotion", id=key, instansi_kode=agency, tgl_pertek="", **p(updated, MS, **changed))

    deliver(
        "promotion/a.csv",
        csv(
            state("moved", "2024-03-01T10:00:00", "5500"),
            state("moved", "2024-04-01T10:00:00", "5501", periode="01-10-2024"),
            state("moved", "2025-01-03T10:00:00", "5502", periode="01-02-2024"),
            state("later only", "2025-01-06T10:00:00", "5504", periode="01-06-2024"),
            state("later only", "2025-01-05T10:00:00", "5503", periode="01-08-2024"),
            state("next year", "2024-12-30T10:00:00", "5600"),
            state("next year", "2025-01-08T10:00:00", "5700", periode="01-02-2025"),
            state(
                "honour",
                "2024-03-01T10:00:00",
                "V001",
                jenis_kp_id="302",
                periode="17-03-2024",
                received="2024-02-29T23:59:59",
            ),
            state("service", "2024-03-01T10:00:00", "5800", jenis_kp_id="301", periode="01-02-2024"),
            state("away", "2024-03-01T10:00:00", "5871", kanreg_id_pengusul="03"),
        ),
    )
    run_pipeline(tmp_path, as_of=date(2025, 1, 31))
    received = {
        (year, by): {group: line["received"] for (_, group), line in lines(tmp_path, year, by).items()}
        for year in (2024, 2025)
        for by in ("year", "agency", "region", "period", "month", "type", "kind")
    }
    assert received == {
        (2024, "year"): {"2024": 5},
        (2024, "agency"): {"5501": 1, "5503": 1, "5600": 1, "5800": 1, "V001": 1},
        (2024, "region"): {"Jambi": 2, "Sumatera Selatan": 1, "Bengkulu": 1, "vertical": 1},
        (2024, "period"): {"2024-02-01": 1, "2024-03-17": 1, "2024-08-01": 1, "2024-10-01": 1, "2024-12-01": 1},
        (2024, "month"): {"2024-01": 4, "2024-02": 1},
        (2024, "type"): {"201": 3, "301": 1, "302": 1},
        (2024, "kind"): {},
        (2025, "year"): {"2025": 1},
        (2025, "agency"): {"5700": 1},
        (2025, "region"): {"Kepulauan Bangka Belitung": 1},
        (2025, "period"): {"2025-02-01": 1},
        (2025, "month"): {"2024-01": 1},
        (2025, "type"): {"201": 1},
        (2025, "kind"): {},
    }


def test_rates_are_rounded_half_up(tmp_path, deliver) -> None:
    codes = [MS, BTS, BTS, BTS, BTS, *[IN_PROCESS] * 27]
    deliver("nip/a.csv", csv(*(row("nip", id=f"N{n}", status_usulan=code) for n, code in enumerate(codes))))
    deliver(
        "pension/a.csv", csv(row("pension", status_usulan="9"), row("pension", id="S2", tgl_pengiriman_kelayanan=""))
    )
    run_pipeline(tmp_path, as_of=date(2025, 1, 31))
    assert [
        (line["service"], line["completion"], line["approval"]) for line in read_services(Home(tmp_path), 2024)
    ] == [("nip", "15.63", "3.13")]
    assert read_services(Home(tmp_path), 2024, "period") == [] == read_services(Home(tmp_path), 2024, "type")
    kinds = read_services(Home(tmp_path), 2024, "kind")
    assert [(line["group"], line["group_name"], line["received"]) for line in kinds] == [("C", "PPPK", 32)]
