"""Printed parts against printed totals: what a report's numbers say about each other, without a single derived value. Pure."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from expectations.reconciliation import Knowledge, Line, judge
from transforms.exact import decimal_text, fraction, mean, round_half_up
from transforms.printed import IKM_SCALE, Check, PrintedItem, Report, Rule
from transforms.scoring.score import efficiency

LEAST_DECIMALS = 2

Numbers = Sequence[Fraction]


def check_report(report: Report, checks: Sequence[Check], knowledge: Knowledge) -> list[Line]:
    """One line a check, and one for each further printing of a number."""
    return [*(_line(check, report, knowledge) for check in checks), *_printed_twice(report, knowledge)]


def _line(check: Check, report: Report, knowledge: Knowledge) -> Line:
    computed = RULES[check.rule]([fraction(part.number) for part in check.parts if part.number is not None])
    return _compared(
        f"check|{check.id}",
        check.total,
        computed,
        report,
        f"{check.rule} of {len(check.parts)} printed numbers",
        knowledge,
    )


def _printed_twice(report: Report, knowledge: Knowledge) -> Iterator[Line]:
    """Every further printing of a number against the first one."""
    first: dict[str, PrintedItem] = {}
    for item in report.items:
        if item.number is None:
            continue
        if item.base not in first:
            first[item.base] = item
        else:
            name = f"check|twice|{item.item}"
            note = f"printed in {first[item.base].source} and in {item.source}"
            yield _compared(name, first[item.base], fraction(item.number), report, note, knowledge)


def _compared(
    name: str, total: PrintedItem, computed: Fraction, report: Report, note: str, knowledge: Knowledge
) -> Line:
    number = total.number
    if number is None:
        raise ValueError(f"{name}: its total {total.item} has no number")
    shown = round_half_up(
        computed, total.decimals if computed.denominator == 1 else max(total.decimals, LEAST_DECIMALS)
    )
    verdict, discrepancy = judge(name, number, total.decimals, computed, knowledge)
    return Line(
        item=name,
        year=total.year,
        report_year=report.report_year,
        published=total.value,
        derived=decimal_text(shown, max(-int(shown.as_tuple().exponent), 0)),
        verdict=verdict,
        discrepancy=discrepancy,
        note=note,
        printed_in=total.source,
    )


def _percent(parts: Numbers) -> Fraction:
    return 100 * sum(parts[:-1], Fraction(0)) / parts[-1]


def _ikm_of_units(parts: Numbers) -> Fraction:
    inka, *tata_usaha, mutasi, pensiun = parts
    return mean([inka, mean(tata_usaha), mutasi, pensiun])


def _efficiency(parts: Numbers) -> Fraction:
    capaian, allocation, spending = parts
    exact, status = efficiency(allocation, spending, capaian)
    if exact is None:
        raise ValueError(f"no efficiency can be computed from these printed numbers: {status}")
    return exact


def _nearest_count(share: Fraction, of: Fraction) -> Fraction:
    """The whole number whose share lies nearest to the printed one."""
    return fraction(round_half_up(share * of / 100, 0))


RULES: dict[Rule, Callable[[Numbers], Fraction]] = {
    "sum": lambda parts: sum(parts, Fraction(0)),
    "difference": lambda parts: parts[0] - parts[1],
    "mean": lambda parts: mean(list(parts)),
    "percent": _percent,
    "percentage_of": lambda parts: parts[0] * parts[1] / 100,
    "ikm": lambda parts: IKM_SCALE * mean(list(parts)),
    "ikm_of_units": _ikm_of_units,
    "efficiency": _efficiency,
    "nearest_share": lambda parts: 100 * _nearest_count(*parts) / parts[1],
    "rest_of_share": lambda parts: parts[1] - _nearest_count(*parts),
}
