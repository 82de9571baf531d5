"""What is printed against what is derived: the verdict on each line, and the gate. Pure; the execution is the warehouse's.

Verdicts: ``equal`` at the printed precision; ``known``, a documented discrepancy; ``rounding``, within one unit of the last
printed digit; ``restated``, it agreed until late data or a correction came; ``waived``, accepted by name; ``different``; and
``no_counterpart``, nothing derived stands beside it. Only what is delivered as printed holds anything back (see ``gate``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from expectations.contested import Fact
from transforms.exact import Exact, decimal_text, fraction, round_half_up
from transforms.printed import Discrepancy, Explanation, PrintedItem, Report, base_of
from transforms.reference import Waiver

Verdict = Literal["equal", "rounding", "known", "restated", "waived", "different", "no_counterpart"]
EQUAL: Verdict = "equal"
ROUNDING: Verdict = "rounding"
KNOWN: Verdict = "known"
RESTATED: Verdict = "restated"
WAIVED: Verdict = "waived"
DIFFERENT: Verdict = "different"
NO_COUNTERPART: Verdict = "no_counterpart"


@dataclass(frozen=True)
class Derived:
    """What is derived of an item. ``decimals``: of the published value; None for a count or an amount.

    ``unfit`` says why it has no value, or why its value cannot be compared. Of a score, ``beyond`` are the indicators that
    it rests on and that have no printed value, and ``alike`` is what it is without them. ``earlier`` are former values that
    nothing but late data and corrections has changed since. ``fact`` is the published number that it is read from, None for a
    figure beside the facts; ``is_held``: what stands there is held back already, and is not what is derived.
    """

    value: Decimal | str | None
    decimals: int | None = None
    unfit: str | None = None
    beyond: tuple[str, ...] = ()
    alike: Decimal | str | None = None
    earlier: tuple[Decimal, ...] = ()
    fact: Fact | None = None
    is_held: bool = False

    @property
    def text(self) -> str | None:
        return self.value if isinstance(self.value, str) else decimal_text(self.value, self.decimals)


@dataclass(frozen=True)
class Acceptance:
    """A difference that ``owner`` answers for (`kpi waive`): of this printed number and this derived one, and of no other two."""

    item: str
    published: str
    derived: str
    reason: str
    owner: str
    until: date | None = None

    def accepts(self, printed: PrintedItem, derived: str | None) -> bool:
        return self.item == printed.item and self.derived == derived and Decimal(self.published) == printed.number

    @property
    def words(self) -> str:
        return f"{self.reason} ({self.owner}{f', until {self.until}' if self.until else ''})"


@dataclass(frozen=True)
class Knowledge:
    """What is known about differences: the documented ones, the choices among printings, and what is accepted by name."""

    discrepancies: Sequence[Discrepancy] = ()
    waivers: Sequence[Waiver] = ()
    accepted: Sequence[Acceptance] = ()

    def chosen(self, item: str) -> Waiver | None:
        """The waiver that chooses among the printings of the item."""
        return next((waiver for waiver in self.waivers if waiver.item == base_of(item)), None)

    def acceptance(self, printed: PrintedItem, derived: str | None) -> Acceptance | None:
        """The entry that accepts what is derived beside this printing."""
        return next((entry for entry in self.accepted if entry.accepts(printed, derived)), None)

    def documenting(self, item: str) -> list[tuple[str, Explanation]]:
        """(discrepancy id, explanation) of those that name the item."""
        return [
            (d.id, explanation) for d in self.discrepancies for explanation in d.explains if explanation.names(item)
        ]


@dataclass(frozen=True)
class Line:
    """One line of the reconciliation. ``report_year`` is that of the report that prints it; None where it was only delivered."""

    item: str
    year: int
    report_year: int | None
    published: str | None
    derived: str | None
    verdict: Verdict
    discrepancy: str | None = None
    note: str | None = None
    printed_in: str | None = None
    is_delivered: bool = False


@dataclass(frozen=True)
class Judgement:
    verdict: Verdict
    discrepancy: str | None = None
    note: str | None = None


def compare(printed: PrintedItem, derived: Derived | None, knowledge: Knowledge) -> Judgement:
    """The verdict on one printed number, or text, and what is derived of it."""
    rejected = _rejected(printed, knowledge)
    if rejected is not None:
        return rejected
    if derived is None:
        return Judgement(NO_COUNTERPART, note="nothing is derived of it here")
    if printed.value is None:
        return _compare_none(printed, derived, knowledge)
    if derived.unfit is not None or derived.value is None:
        return Judgement(NO_COUNTERPART, note=derived.unfit or "no value is derived")
    return _compare_numbers(printed, derived, derived.value, knowledge)


def _compare_numbers(printed: PrintedItem, derived: Derived, value: Decimal | str, knowledge: Knowledge) -> Judgement:
    if _agree(printed, value):
        return Judgement(EQUAL)
    judged = _compare_unlike(printed, derived, knowledge)
    if judged.verdict == DIFFERENT and (accepted := knowledge.acceptance(printed, derived.text)) is not None:
        return Judgement(WAIVED, note=accepted.words)
    return judged


def _rejected(printed: PrintedItem, knowledge: Knowledge) -> Judgement | None:
    """Of a reading that is not the one that a waiver chooses: both are kept (ruling 27)."""
    waiver = knowledge.chosen(printed.item)
    if waiver is None or printed.number in (None, Decimal(waiver.chosen)):
        return None
    return Judgement(KNOWN, waiver.discrepancy, f"a rejected reading: {waiver.chosen} is chosen ({waiver.owner})")


def _compare_none(printed: PrintedItem, derived: Derived, knowledge: Knowledge) -> Judgement:
    """Of a number that the report prints as none (N/A, a dash)."""
    if derived.value is None:
        return Judgement(EQUAL, note="no value, as printed")
    if derived.unfit is not None:
        return Judgement(NO_COUNTERPART, note=derived.unfit)
    for identifier, explanation in knowledge.documenting(printed.item):
        if explanation.printed_as_none:
            return Judgement(KNOWN, identifier, "it has a value since")
    return Judgement(DIFFERENT, note=f"printed as {printed.printed or 'nothing'}")


def _compare_unlike(printed: PrintedItem, derived: Derived, knowledge: Knowledge) -> Judgement:
    """Of a number that is not the one derived: documented, rounded, restated, or different."""
    alike = derived.beyond and derived.alike is not None and _agree(printed, derived.alike)
    for identifier, explanation in knowledge.documenting(printed.item):
        if explanation.beyond and alike and set(explanation.beyond) == set(derived.beyond):
            return Judgement(KNOWN, identifier, f"it rests on {', '.join(derived.beyond)} too")
    if alike:
        return Judgement(RESTATED, note=f"it rests on {', '.join(derived.beyond)} too, which has no printed value")
    number, value = printed.number, derived.value
    if number is None or value is None or isinstance(value, str):
        return Judgement(DIFFERENT)
    verdict, discrepancy = judge(printed.item, number, printed.decimals, value, knowledge)
    if verdict == DIFFERENT and any(_agree(printed, earlier) for earlier in derived.earlier):
        return Judgement(RESTATED, note="it agreed before late data or a correction came")
    return Judgement(verdict, discrepancy)


def judge(item: str, printed: Decimal, decimals: int, value: Exact, knowledge: Knowledge) -> tuple[Verdict, str | None]:
    """Equal at the printed precision; known with its discrepancy; rounding; or different.

    A documented value goes before rounding (D08 is one unit off); a documented tolerance only begins beyond it.
    """
    rounded = round_half_up(value, decimals)
    if rounded == printed:
        return EQUAL, None
    documenting = knowledge.documenting(item)
    for identifier, explanation in documenting:
        if any(_is_value(documented, value) for documented in explanation.derived or ()):
            return KNOWN, identifier
    if abs(rounded - printed) <= Decimal(1).scaleb(-decimals):
        return ROUNDING, None
    for identifier, explanation in documenting:
        if explanation.within and abs(fraction(value) - fraction(printed)) <= fraction(Decimal(explanation.within)):
            return KNOWN, identifier
    return DIFFERENT, None


def judge_text(item: str, printed: str, computed: str, knowledge: Knowledge) -> tuple[Verdict, str | None]:
    """Equal, whatever the case of the letters and the order of the names in a list; known with its discrepancy; or different."""
    if _names(printed) == _names(computed):
        return EQUAL, None
    for identifier, explanation in knowledge.documenting(item):
        if computed in (explanation.derived or ()):
            return KNOWN, identifier
    return DIFFERENT, None


def _names(text: str) -> set[str]:
    return {name.casefold() for name in text.split("; ")}


def reconcile(
    reports: Sequence[Report],
    delivered: Sequence[PrintedItem],
    derived: Mapping[str, Derived],
    office: str,
    knowledge: Knowledge,
) -> list[Line]:
    """One line a printed number: all of the office's reports, and what is delivered as printed and stands in none of them.

    A number that is delivered too, with the value that a report prints, is one line, marked as delivered.
    """
    carried = {(item.base, item.number) for item in delivered}
    lines: list[Line] = []
    found = set()
    for report in reports:
        if report.office == office:
            for item in report.items:
                is_delivered = item.number is not None and (item.base, item.number) in carried
                found.add((item.base, item.number))
                lines.append(_line(item, derived, office, knowledge, report, is_delivered))
    names = {line.item for line in lines}
    for item in delivered:
        if (item.base, item.number) not in found:
            renamed = item if item.item not in names else item.model_copy(update={"item": f"{item.item} (delivered)"})
            lines.append(_line(renamed, derived, office, knowledge, None, True))
    return lines


def _line(
    item: PrintedItem,
    derived: Mapping[str, Derived],
    office: str,
    knowledge: Knowledge,
    report: Report | None,
    is_delivered: bool,
) -> Line:
    beside = derived.get(item.base)
    if report is not None and item.none is not None:
        reason = report.reasons[item.none]
        judged, beside = Judgement(NO_COUNTERPART, reason.discrepancy, reason.text), None
    elif not item.item.startswith(f"{office}|"):
        judged, beside = Judgement(NO_COUNTERPART, note="the number of another office"), None
    else:
        judged = compare(item, beside, knowledge)
    return Line(
        item=item.item,
        year=item.year,
        report_year=None if report is None else report.report_year,
        published=item.value,
        derived=None if beside is None else beside.text,
        verdict=judged.verdict,
        discrepancy=judged.discrepancy,
        note=judged.note,
        printed_in=item.source,
        is_delivered=is_delivered,
    )


def gate(lines: Sequence[Line]) -> list[Line]:
    """The lines that hold something back: what a delivery says was printed, and is derived otherwise, accepted by nobody."""
    return [line for line in lines if line.is_delivered and line.verdict == DIFFERENT]


def _agree(printed: PrintedItem, value: Decimal | str) -> bool:
    if isinstance(value, str) or printed.number is None:
        return printed.value == value
    return round_half_up(value, printed.decimals) == printed.number


def _is_value(documented: str, value: Exact) -> bool:
    """Whether the value is the documented one, at the decimals in which it is documented."""
    stated = Decimal(documented)
    return round_half_up(value, max(-int(stated.as_tuple().exponent), 0)) == stated
