"""Printed parts against printed totals: what a report's numbers say about each other, without a single derived value. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction

from expectations.printed_texts import TEXT_RULES
from expectations.reconciliation import Judgement, Knowledge, Line, judge, judge_text
from transforms.exact import decimal_text, fraction, mean, round_half_up
from transforms.printed import IKM_SCALE, Check, PrintedItem, Report
from transforms.scoring.score import efficiency

LEAST_DECIMALS = 2

Numbers = Sequence[Fraction]


def check_report(report: Report, checks: Sequence[Check], knowledge: Knowledge) -> list[Line]:
    """One line a check, and one for each further printing of a number."""
    return [*(_line(check, report, knowledge) for check in checks), *_printed_twice(report, knowledge)]


def _line(check: Check, report: Report, knowledge: Knowledge) -> Line:
    name, note = f"check|{check.id}", f"{check.rule} of {len(check.parts)} printed items"
    if check.rule in TEXT_RULES:
        return _compared_text(name, check.total, TEXT_RULES[check.rule](check), report, note, knowledge)
    numbers = [fraction(part.number) for part in (check.total, *check.parts) if part.number is not None]
    if len(numbers) != len(check.parts) + 1:
        raise ValueError(f"{name}: the rule {check.rule} is of numbers, and one of its items is a text")
    computed = max(numbers) if check.rule == "no_fall" else RULES[check.rule](numbers[1:])
    return _compared(name, check.total, check.decimals, computed, report, note, knowledge)


def _printed_twice(report: Report, knowledge: Knowledge) -> Iterator[Line]:
    """Every further printing of a number against the first one."""
    first: dict[str, PrintedItem] = {}
    for item in report.items:
        if item.number is None:
            continue
        if item.base not in first:
            first[item.base] = item
        else:
            one = first[item.base]
            name, note = f"check|twice|{item.item}", f"printed in {one.source} and in {item.source}"
            yield _compared(name, one, one.decimals, fraction(item.number), report, note, knowledge)


def _compared(
    name: str, total: PrintedItem, decimals: int, computed: Fraction, report: Report, note: str, knowledge: Knowledge
) -> Line:
    number = total.number
    if number is None:
        raise ValueError(f"{name}: its total {total.item} has no number")
    shown = round_half_up(computed, decimals if computed.denominator == 1 else max(decimals, LEAST_DECIMALS))
    verdict, discrepancy = judge(name, number, decimals, computed, knowledge)
    text = decimal_text(shown, max(-int(shown.as_tuple().exponent), 0))
    return _as_line(name, total, text, report, Judgement(verdict, discrepancy, note))


def _compared_text(
    name: str, total: PrintedItem, computed: str, report: Report, note: str, knowledge: Knowledge
) -> Line:
    verdict, discrepancy = judge_text(name, total.value or "", computed, knowledge)
    return _as_line(name, total, computed, report, Judgement(verdict, discrepancy, note))


def _as_line(name: str, total: PrintedItem, computed: str | None, report: Report, judged: Judgement) -> Line:
    return Line(
        item=name,
        year=total.year,
        report_year=report.report_year,
        published=total.value,
        derived=computed,
        verdict=judged.verdict,
        discrepancy=judged.discrepancy,
        note=judged.note,
        printed_in=total.source,
    )


def _percent(parts: Numbers) -> Fraction:
    return 100 * sum(parts[:-1], Fraction(0)) / parts[-1]


def _percent_of_mean(parts: Numbers) -> Fraction:
    return 100 * mean(list(parts[:-1])) / parts[-1]


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


RULES: Mapping[str, Callable[[Numbers], Fraction]] = {
    "sum": lambda parts: sum(parts, Fraction(0)),
    "difference": lambda parts: parts[0] - parts[1],
    "mean": lambda parts: mean(list(parts)),
    "percent": _percent,
    "percent_of_mean": _percent_of_mean,
    "same": lambda parts: parts[0],
    "percentage_of": lambda parts: parts[0] * parts[1] / 100,
    "ikm": lambda parts: IKM_SCALE * mean(list(parts)),
    "ikm_of_units": _ikm_of_units,
    "efficiency": _efficiency,
    "nearest_share": lambda parts: 100 * _nearest_count(*parts) / parts[1],
    "rest_of_share": lambda parts: parts[1] - _nearest_count(*parts),
}
