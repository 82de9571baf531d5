"""Properties: however deliveries are split into runs and ordered, the same is known; as-of gives what was known; explain adds up."""

import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rows import row
from tests.time_home import TimeHome, letter
from transforms.exact import decimal_text, round_half_up
from warehouse.reading.published_values import read_scores, read_services, read_values
from warehouse.trace.explain import explain

FIRST_DAY = date(2025, 1, 10)
AGENCIES = ("5500", "5501", "5502", "5503")
few = settings(max_examples=2, deadline=None, derandomize=True)


@st.composite
def letters(draw: st.DrawFn) -> list[dict[str, str]]:
    """Rows of distinct letters (no conflicts): an agency may change its mind from letter to letter."""
    days = draw(st.lists(st.integers(1, 28), min_size=2, max_size=6, unique=True))
    return [
        letter(
            draw(st.sampled_from(AGENCIES)), integrated=draw(st.booleans()), number=f"L{day}", tgl_surat=f"2024-12-{day:02d}",
            channel=draw(st.sampled_from(("webservice", "simpegnas"))),
        )
        for day in days
    ]  # fmt: skip


@st.composite
def proposals(draw: st.DrawFn) -> list[dict[str, str]]:
    """States of a few proposals, each at a time of its own."""
    minutes = draw(st.lists(st.integers(0, 59), min_size=3, max_size=8, unique=True))
    codes = st.sampled_from((12, 5, 7))
    rows = []
    for minute in minutes:
        day = draw(st.integers(16, 28))
        code = draw(codes)
        rows.append(
            row(
                "promotion", id=draw(st.sampled_from(("P1", "P2", "P3"))), status_usulan=code,
                tgl_update_layanan=f"2024-{draw(st.integers(2, 12)):02d}-{day}T10:{minute:02d}:00",
                tgl_pertek="28-12-2024" if code == 7 else "", counter_bts=0,
            )
        )  # fmt: skip
    return rows


Deliveries = list[tuple[str, dict[str, str]]]


@st.composite
def split_deliveries(draw: st.DrawFn) -> tuple[Deliveries, list[int], list[int]]:
    """(source and row of each delivery, an order of them, the run that each is taken in by)."""
    rows = [("integration", line) for line in draw(letters())] + [("promotion", line) for line in draw(proposals())]
    order = draw(st.permutations(range(len(rows))))
    runs = draw(st.lists(st.integers(0, 2), min_size=len(rows), max_size=len(rows)))
    return rows, list(order), runs


def taken_in(
    rows: Deliveries,
    order: list[int],
    runs: list[int],
    check: Callable[[TimeHome, date], None] = lambda place, day: None,
) -> dict[str, Any]:
    """What is known after all runs; ``check`` is called after each."""
    with tempfile.TemporaryDirectory() as folder:
        place = TimeHome(Path(folder))
        for run in range(3):
            for position, number in enumerate(order):
                if runs[number] == run:
                    source, line = rows[number]
                    place.deliver(f"{source}/{position:03d}.csv", line)
            day = FIRST_DAY + timedelta(days=run)
            place.run(day.isoformat())
            check(place, day)
        return known(place)


def known(place: TimeHome, as_of: date | None = None) -> dict[str, Any]:
    """All facts but when and by which run they were entered."""
    moving = ("known_from", "run", "cut_off")
    lines = read_values(place.home, as_of=as_of)
    for by in ("year", "period", "region", "agency"):
        lines = lines + read_services(place.home, 2024, by, as_of)  # type: ignore[arg-type]
    return {
        "facts": [{name: value for name, value in line.items() if name not in moving} for line in lines],
        "score": read_scores(place.home, 2024, as_of).shape,
    }


@few
@given(split_deliveries())
def test_any_split_and_any_order_gives_the_same_current_facts(
    given_rows: tuple[Deliveries, list[int], list[int]],
) -> None:
    rows, order, runs = given_rows
    at_once = taken_in(rows, list(range(len(rows))), [0] * len(rows))
    assert taken_in(rows, order, runs) == at_once


@few
@given(split_deliveries())
def test_as_of_any_past_time_gives_what_a_run_at_that_time_gave(
    given_rows: tuple[Deliveries, list[int], list[int]],
) -> None:
    seen: dict[date, dict[str, Any]] = {}

    def remember(place: TimeHome, day: date) -> None:
        seen[day] = known(place)
        for past, facts in seen.items():
            assert known(place, past) == facts

    taken_in(*given_rows, remember)
    assert len(seen) == 3


@few
@given(split_deliveries())
def test_the_records_that_explain_lists_reproduce_the_value(
    given_rows: tuple[Deliveries, list[int], list[int]],
) -> None:
    def explained(place: TimeHome, day: date) -> None:
        for fact in read_values(place.home, year=2024, indicator="IKU-06"):
            found = explain(place.root, "IKU-06", fact["period"])
            assert found["reproduced"] is not False and found["value"] == fact["value"]
            if fact["value"] is not None:
                groups: dict[str, list[int]] = {}
                for line in found["evidence"]:
                    groups.setdefault(line["group"], []).append(int(line["role"] == "numerator"))
                means = [Fraction(100 * sum(group), len(group)) for group in groups.values()]
                assert decimal_text(round_half_up(sum(means, Fraction(0)) / len(means), 2), 2) == fact["value"]
        for line in read_services(place.home, 2024):
            found = explain(place.root, f"{line['service']}.completion", "2024")
            numerator, denominator = (len(found["records"][role]) for role in ("numerator", "denominator"))
            assert (denominator, found["value"]) == (line["received"], line["completion"])
            assert decimal_text(round_half_up(Fraction(100 * numerator, denominator), 2), 2) == line["completion"]

    taken_in(*given_rows, explained)
