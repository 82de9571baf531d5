"""What `kpi explain` prints with ``--json``, and what other answers share with it: declared as those in ``json_shapes``."""

from typing import NotRequired, Optional

from typing_extensions import TypedDict

# A count, or an exact text where records count in part.
Amount = int | str | None


class PrintedNumber(TypedDict):
    """A printed number that holds back what stands beside it, and what is derived."""

    item: str
    published: str
    derived: str


class UsedDelivery(TypedDict):
    source: str
    file: str
    sha256: str
    rows: int


class RuleCount(TypedDict):
    source: str
    rule: str
    rows_checked: int
    rows_failed: int


class AppliedCorrection(TypedDict):
    id: str
    source: str
    key: str
    column: str
    reason: str
    owner: str


class Version(TypedDict):
    """A version of the number that is explained; ``approver`` and ``restatement`` where it was restated."""

    value: str | None
    status: str | None
    known_from: str
    known_to: str | None
    reason: str | None
    approver: NotRequired[str]
    restatement: NotRequired[str]


class ExcludedRecord(TypedDict):
    key: str
    reason: str


class Records(TypedDict):
    """Keys by role; ``held``: in quarantine only; ``received``, ``decided``, ``open``: of a day of a queue."""

    numerator: list[str]
    denominator: list[str]
    excluded: list[ExcludedRecord]
    held: NotRequired[list[str]]
    received: NotRequired[list[str]]
    decided: NotRequired[list[str]]
    open: NotRequired[list[str]]


class EvidenceRow(TypedDict):
    period: str
    key: str
    role: str
    group: str
    amount: str | None


class Bilingual(TypedDict):
    id: str
    en: str


class MissingPart(TypedDict):
    period: str
    status: str


class SilentSource(TypedDict):
    """A source of a number that is missing. ``held``: its quarantined rows that concern the period, and those without a readable one."""

    source: str
    last_file: str | None
    last_delivered: str | None
    held: int
    held_without_period: int
    title: Bilingual


class Gap(TypedDict):
    """What is behind a number that is missing."""

    status: str
    flags: list[str]
    since: str
    owner: str
    parts: list[MissingPart]
    sources: list[SilentSource]


class Step(TypedDict):
    """One number on the way from a score down to its indicators."""

    level: str
    id: str
    number: str | None
    of: str
    value: NotRequired[str | None]
    status: NotRequired[str]
    records: NotRequired[int]


class Contesting(PrintedNumber):
    """A printed number that holds back the number that is explained, or one that it rests on, in words."""

    message: str
    what_to_do: str


class AcceptedDifference(PrintedNumber):
    """A difference from a printed number that somebody answers for. ``until``: the last day on which it holds; null for good."""

    reason: str
    owner: str
    until: str | None


class ExplainedAcceptance(AcceptedDifference):
    waived_at: str


class Explanation(TypedDict):
    """Where a number comes from. ``steps`` and ``inputs`` of a score alone; ``reproduced``: whether these records give it again."""

    indicator: str
    period: str
    value: str | None
    status: str
    flags: NotRequired[list[str]]
    unit: str
    title: str
    definition_version: str | None
    legal_basis: str | None
    cited_at: str | None
    inferred: bool
    formula: str
    numerator: Amount
    denominator: Amount
    excluded: dict[str, int]
    missing: NotRequired[dict[str, str]]
    deliveries: list[UsedDelivery]
    rules: list[RuleCount]
    corrections: list[AppliedCorrection]
    history: list[Version]
    records: Records
    evidence: NotRequired[list[EvidenceRow]]
    gap: NotRequired[Optional[Gap]]  # noqa: UP045
    steps: NotRequired[list[Step]]
    inputs: NotRequired[list["Explanation"]]
    reproduced: bool | None
    contested: NotRequired[list[Contesting]]
    waived: NotRequired[list[ExplainedAcceptance]]
