"""Values that stand in from print: what an office has printed of a year for which no record-level row was delivered. Pure."""

import hashlib
from dataclasses import dataclass
from decimal import Decimal

from transforms.evaluate import Outcome, PeriodEvidence
from transforms.exact import fraction

PRINTED_TWICE, WAIVED = "printed_twice", "waived"


@dataclass(frozen=True)
class PrintedValue:
    """One printed reading of an item. ``record_key`` says whose, of what, and where it stands."""

    record_key: str
    value: Decimal
    decimals: int


def stand_in(printed: list[PrintedValue], chosen: Decimal | None) -> tuple[Outcome, PeriodEvidence]:
    """The printed value as an outcome, with the evidence behind it.

    Two readings that differ give no value, unless ``chosen`` (a waiver's) is one of them.
    """
    differ = len({reading.value for reading in printed}) > 1
    taken = [reading for reading in printed if not differ or reading.value == chosen]
    flags = [PRINTED_TWICE, *([WAIVED] if taken else [])] if differ else []
    evidence = PeriodEvidence([], flags=sorted(flags), evidence_hash=_fingerprint(printed))
    if not taken:
        return Outcome("withheld_quality"), evidence
    return Outcome("reported", fraction(taken[0].value), decimals=max(reading.decimals for reading in taken)), evidence


def _fingerprint(printed: list[PrintedValue]) -> str:
    lines = sorted(f"{reading.record_key}:{reading.value}" for reading in printed)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
