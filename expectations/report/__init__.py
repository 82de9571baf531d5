"""The validation report: what came, what was quarantined and why, what it does to the KPIs, and what to do. One page, no outside address.

Pure: numbers in, HTML out. No value of a delivered row ever comes in here.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from jinja2 import Environment, StrictUndefined, select_autoescape

from expectations.contract import DisabledState

Trend = Literal["new", "rising", "steady", "falling", "vanished", "good"]
# A share of failing rows half as large again as before is rising; less than two thirds of it is falling.
RISING, FALLING = (3, 2), (2, 3)
TREND_WORDS: dict[Trend, tuple[str, str]] = {
    "new": ("new", "baru"),
    "rising": ("rising", "naik"),
    "steady": ("steady", "tetap"),
    "falling": ("falling", "turun"),
    "vanished": ("vanished", "hilang"),
    "good": ("good", "baik"),
}
# The states of a run, as the ledger names them.
STATUS_WORDS = {
    "running": "berlangsung",
    "done": "selesai",
    "failed": "gagal",
    "interrupted": "terputus",
    "stopped": "dihentikan",
}


@dataclass(frozen=True)
class RuleLine:
    """One rule of a source in a run. ``earlier``: (checked, failed) of the runs before that had the source, oldest first.

    ``validator_failed`` is the count of Great Expectations, ``judged_by`` how it came by it; None where an earlier release kept neither.
    """

    source: str
    rule: str
    severity: str
    message_en: str
    message_id: str
    checked: int
    failed: int
    earlier: tuple[tuple[int, int], ...] = ()
    is_disabled: bool = False
    validator_failed: int | None = None
    judged_by: str | None = None

    @property
    def trend(self) -> Trend:
        """The share of failing rows against that of the last run that had the source."""
        if not self.earlier:
            return "new" if self.failed else "good"
        checked, failed = self.earlier[-1]
        if not self.failed:
            return "vanished" if failed else "good"
        if not any(count for _, count in self.earlier):
            return "new"
        now, before = self.failed * checked, failed * self.checked
        if now * RISING[1] > before * RISING[0]:
            return "rising"
        return "falling" if now * FALLING[1] < before * FALLING[0] else "steady"

    @property
    def words(self) -> str:
        return " / ".join(TREND_WORDS[self.trend])

    @property
    def bars(self) -> list[tuple[int, int]]:
        """(height in percent of the highest share, failed rows) of the earlier runs and this one."""
        shares = [
            (failed * 10**6 // checked if checked else 0, failed)
            for checked, failed in (*self.earlier, (self.checked, self.failed))
        ]
        highest = max((share for share, _ in shares), default=0)
        return [(max(6, share * 100 // highest) if share else 0, failed) for share, failed in shares]


@dataclass(frozen=True)
class DeliveryLine:
    """A delivery with its counts; ``batch`` names its own page."""

    batch: str
    source: str
    file: str
    landed: int
    accepted: int
    quarantined: int
    duplicate: int
    sha256: str


@dataclass(frozen=True)
class RefusalLine:
    source: str
    file: str
    message: str
    message_id: str


@dataclass(frozen=True)
class ContestedLine:
    """A printed number that contradicts what is derived, with what it holds back; or, ``is_waived``, one that somebody answers for."""

    message: str
    message_id: str
    what_to_do: str
    what_to_do_id: str
    is_waived: bool = False


@dataclass(frozen=True)
class CheckLine:
    """A check of a delivery as a whole: its volume, its shares; ``is_good`` or worth a look."""

    source: str
    file: str
    check: str
    is_good: bool
    finding_en: str
    finding_id: str


@dataclass(frozen=True)
class BandLine:
    """What the quarantined rows could do to a value: its bounds if all of them counted against it, or for it."""

    item: str
    period: str
    value: str
    low: str
    high: str
    sources: str


@dataclass(frozen=True)
class FreshnessLine:
    source: str
    last: str | None
    days: int | None
    cadence_days: int

    @property
    def is_late(self) -> bool:
        return self.days is not None and self.days > self.cadence_days


@dataclass(frozen=True)
class DisabledLine:
    """A rule that its contract disables for a time: who answers for it, and until when. ``state``: in force, expired, or to come."""

    source: str
    rule: str
    owner: str
    since: str
    until: str
    reason_en: str
    reason_id: str
    state: DisabledState

    @property
    def words(self) -> str:
        return {
            "in force": "in force / berlaku",
            "expired": "expired / berakhir",
            "to come": "to come / belum berlaku",
        }[self.state]


@dataclass(frozen=True)
class HeldLine:
    """A quarantined row: where it stands in the delivered file, and the rules that it breaks."""

    place_en: str
    place_id: str
    reasons: str


@dataclass(frozen=True)
class RunPage:
    """What a run's page says, or, with one delivery, a delivery's page. ``notices``: what to look at in the inbox, in both languages."""

    run: str
    title: str
    clock: str
    status: str
    message: str | None
    published: str | None
    deliveries: Sequence[DeliveryLine] = ()
    refusals: Sequence[RefusalLine] = ()
    notices: Sequence[tuple[str, str]] = ()
    contested: Sequence[ContestedLine] = ()
    rules: Sequence[RuleLine] = ()
    checks: Sequence[CheckLine] = ()
    bands: Sequence[BandLine] = ()
    freshness: Sequence[FreshnessLine] = ()
    disabled: Sequence[DisabledLine] = ()
    held_rows: Sequence[HeldLine] = ()
    is_batch: bool = False

    @property
    def failing(self) -> list[RuleLine]:
        """The rules that quarantined or noted rows, most first; those that vanished at the end."""
        lines = [line for line in self.rules if line.failed or line.trend == "vanished"]
        return sorted(lines, key=lambda line: (-line.failed, line.source, line.rule))

    @property
    def judgements(self) -> dict[str, int]:
        """How many rules the validator judged in which way."""
        return Counter(line.judged_by or "not kept" for line in self.rules)

    @property
    def totals(self) -> dict[str, int]:
        return {
            name: sum(getattr(line, name) for line in self.deliveries)
            for name in ("landed", "accepted", "quarantined", "duplicate")
        }


@dataclass(frozen=True)
class HistoryPage:
    """All rules of all sources over the runs that had deliveries; ``runs`` oldest first, with the pages that exist."""

    runs: Sequence[tuple[str, str, str]]
    rules: Sequence[RuleLine]
    disabled: Sequence[DisabledLine] = ()


def render_run(page: RunPage) -> str:
    return _environment().get_template("run.html.j2").render(page=page)


def render_history(page: HistoryPage) -> str:
    return _environment().get_template("history.html.j2").render(page=page)


@cache
def _environment() -> Environment:
    from jinja2 import FunctionLoader  # noqa: PLC0415

    folder = files(__name__)
    environment = Environment(
        loader=FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = lambda number: f"{number:,}"
    environment.filters["status"] = lambda status: " / ".join(filter(None, (status, STATUS_WORDS.get(status))))
    return environment
