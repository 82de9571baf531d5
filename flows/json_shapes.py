"""What each command prints with ``--json``, declared once: what is printed is made from it, and ``docs/schema/json/`` too.

It is a contract, so only additions. Exact numbers are texts; moments are ISO 8601 on the clock of Asia/Jakarta; what has no value is null.
A field that stands in no declaration here is not printed.
"""

from functools import cache
from typing import Any, cast

from typing_extensions import TypedDict

from flows.explain_shapes import AcceptedDifference, Amount, Explanation, PrintedNumber
from flows.result_shapes import AgencyResult, BacklogLine, BudgetRevision, IntegrationChannel, SurveyElement, SurveyUnit
from transforms.services.measures import listed_measures


class Value(TypedDict):
    """One indicator and period. ``band``: the least and the most that the value could be, were the quarantined rows known.

    ``contested``: the printed numbers that hold the value back now.
    """

    indicator: str
    period: str
    value: str | None
    decimals: int
    unit: str
    target: str | None
    status: str
    numerator: Amount
    denominator: Amount
    definition_version: str | None
    known_from: str
    provisional: bool
    flags: list[str]
    excluded: dict[str, int]
    cut_off: str
    office: str
    run: str
    band: list[str | None]
    definition_break: bool
    contested: list[PrintedNumber]


@cache
def services_shape() -> Any:
    """One service and group of a year. Counts of proposals; rates in percent, times in working days: the measures as declared."""
    text: Any = str | None
    numbers = {name: int if measure.kind == "count" else text for name, measure in listed_measures().items()}
    fields = {"service": str, "year": int, "group": str} | numbers
    fields |= {"provisional": bool, "excluded": dict[str, int], "known_from": str, "group_name": text}
    shape = cast(Any, TypedDict)("Service", fields)
    shape.__doc__ = services_shape.__doc__
    return cast(Any, list)[shape]


class PerspectiveScore(TypedDict):
    id: str
    score: str | None
    nkp: str | None


class ObjectiveScore(TypedDict):
    id: str
    nss: str | None


class IndicatorScore(TypedDict):
    id: str
    realization: str | None
    target: str | None
    capaian: str | None
    efficiency: str | None
    status: str


class HoldingNumber(PrintedNumber):
    """``held``: the numbers of the year that it holds back, such as ``SS1.nss 2024``."""

    held: list[str]


class Scores(TypedDict):
    """The score of a year; ``reason``: why there is no NPSS; ``contested``: what printed numbers hold back of it; ``missing_targets``:
    indicators of which no target was delivered."""

    year: int
    npss: str | None
    category: str | None
    reason: str | None
    perspectives: list[PerspectiveScore]
    objectives: list[ObjectiveScore]
    indicators: list[IndicatorScore]
    contested: list[HoldingNumber]
    missing_targets: list[str]


class Revision(TypedDict):
    """One period and version of a value."""

    indicator: str
    period: str
    value: str | None
    status: str
    definition_version: str | None
    known_from: str
    known_to: str | None
    reason: str | None
    run: str


class ReconciledLine(TypedDict):
    """One printed number against ours."""

    item: str
    published: str | None
    derived: str | None
    verdict: str
    discrepancy: str | None
    note: str | None


class Reproduction(TypedDict):
    """``differences``: every column that differs, as it was and as it is computed again; ``deliveries``: how many archived ones it was computed from;
    ``reprocessed_since``: sources that were judged again since the version was entered, by other rules."""

    indicator: str
    period: str
    value: str | None
    recomputed: str | None
    equal: bool
    differences: dict[str, list[str | None]]
    has_fingerprint: bool
    known_from: str
    deliveries: int
    reprocessed_since: list[str]


class RestatedNumber(TypedDict):
    """One step of one published number of a closed year."""

    item: str
    period: str
    old: str | None
    new: str | None
    cause: str
    deliveries: list[str]


class QuarantinedRow(TypedDict):
    """``row`` is the data row; ``line`` and ``cell`` where a person finds it."""

    source: str
    file: str
    row: int
    reasons: list[str]
    line: int | None
    cell: str | None


class Check(TypedDict):
    """A line of the doctor. ``verdict``: good, note or bad."""

    check: str
    verdict: str
    finding: str


class PurgedDelivery(TypedDict):
    source: str
    file: str
    taken_in: str
    bytes: int


class Batch(TypedDict):
    """What became of a delivery: landed = accepted + quarantined + duplicate."""

    source: str
    file: str
    landed: int
    accepted: int
    quarantined: int
    duplicate: int


class RefusedDelivery(TypedDict):
    file: str
    message: str
    message_id: str


class ChangedValue(TypedDict):
    indicator: str
    period: str
    old: str | None
    new: str | None
    reason: str | None


class PendingNumber(TypedDict):
    """A published number of a closed year that would change: it waits for a restatement."""

    item: str
    period: str
    old: str | None
    new: str | None
    cause: str | None


class HeldNumber(TypedDict):
    """A number that is held back: ``contested`` with its last published value, or ``withheld_contested`` without one."""

    item: str
    period: str
    status: str
    value: str | None


class Contradiction(PrintedNumber):
    """A delivered printed number that is derived otherwise. ``where``: the rows that deliver it."""

    printed_in: str | None
    where: list[str]
    held: list[HeldNumber]
    message: str
    message_id: str
    what_to_do: str
    what_to_do_id: str


class Notice(TypedDict):
    kind: str
    file: str
    message: str
    message_id: str


class JudgedAgain(TypedDict):
    """A source that was judged by other rules than today's: ``changed`` are the files that come out otherwise; ``problem``: why it stays as it was."""

    source: str
    deliveries: int
    changed: list[str]
    problem: str | None
    problem_id: str | None


class Note(TypedDict):
    file: str
    check: str
    message: str
    message_id: str


class Failure(TypedDict):
    exit: int
    message: str


class Report(TypedDict):
    """What a run did. ``run`` is null where none began; ``error``: with which exit code and words it ended early."""

    run: str | None
    published: bool
    batches: list[Batch]
    refused: list[RefusedDelivery]
    skipped: list[str]
    relanded: list[str]
    changed: list[ChangedValue]
    pending: list[PendingNumber]
    contested: list[Contradiction]
    unknown: list[str]
    notices: list[Notice]
    reprocessed: list[JudgedAgain]
    notes: list[Note]
    seconds: dict[str, float]
    error: Failure | None


class Acceptance(TypedDict):
    """What `kpi waive` did: what it accepted, the values that changed, what contradicts still, what waits for a restatement."""

    run: str
    published: bool
    accepted: list[AcceptedDifference]
    changed: list[ChangedValue]
    contested: list[Contradiction]
    pending: list[PendingNumber]


class Decision(TypedDict):
    """A line of `kpi waive --list`. ``state``: in force, ended, replaced, or a choice among printings that is shipped (nothing derived)."""

    item: str
    published: str
    derived: str | None
    reason: str
    owner: str
    until: str | None
    waived_at: str | None
    run: str | None
    state: str


class Partition(TypedDict):
    """An item and a year: its state, why it is due (null: it is not), and what it would read."""

    item: str
    year: int
    state: str
    why: str | None
    deliveries: int
    rows: int
    is_closed: bool


class BackfillPlan(TypedDict):
    """``corrections`` of corrections.yml that were not applied yet; ``corrections_problem``: why none of them can be."""

    corrections: list[str]
    corrections_problem: str | None
    new_files: list[str]
    partitions: list[Partition]


class Installation(TypedDict):
    home: str
    is_new: bool
    is_trial: bool
    set_aside: list[str]


class FaultyPlace(TypedDict):
    row: int
    line: int | None
    cell: str | None


class BrokenRule(TypedDict):
    rule: str
    severity: str
    column: str
    message: str
    remedy: str | None
    rows: int
    first_rows: list[int]
    first_places: list[FaultyPlace]


class Validation(TypedDict):
    """What `kpi validate` found. ``refused``: why the file is refused whole; ``marked_copy_problem``: why there is no marked copy."""

    file: str
    source: str
    ok: bool
    rows: int
    faulty_rows: int
    refused: str | None
    notes: list[str]
    failures: list[BrokenRule]
    marked_copy: str | None
    marked_copy_problem: str | None


def printed_shapes() -> dict[str, Any]:
    """By command, what it prints with ``--json``."""
    return {
        "agencies": list[AgencyResult],
        "backfill": Report | BackfillPlan,
        "backlog": list[BacklogLine],
        "budget": list[BudgetRevision],
        "doctor": list[Check],
        "explain": Explanation | None,
        "init": Installation,
        "integration": list[IntegrationChannel],
        "purge": list[PurgedDelivery],
        "quarantine": list[QuarantinedRow],
        "reconcile": list[ReconciledLine],
        "reproduce": Reproduction | None,
        "restate": list[RestatedNumber],
        "revisions": list[Revision],
        "run": Report,
        "scores": Scores,
        "services": services_shape(),
        "surveys": list[SurveyUnit] | list[SurveyElement],
        "validate": Validation,
        "values": list[Value],
        "waive": Acceptance | list[Decision],
    }
