"""The columns of a delivery against those of its contract: free order, each exactly once, no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from warehouse.refusal import listed, refusal, shown_name


def match_columns(delivered: Sequence[str], columns: Sequence[str], name: str) -> list[int]:
    """Position in `delivered` of each of `columns`, in their order; names are compared after trimming.

    Raises DeliveryRefused (`duplicate_column`, `missing_column`, `unknown_column`) naming every column at fault.
    """
    trimmed = [text.strip() for text in delivered]
    wanted = set(columns)
    missing = [column for column in columns if column not in trimmed]
    unknown = [shown_name(text, i) for i, text in enumerate(trimmed, start=1) if text not in wanted]
    if missing and len(unknown) == len(trimmed):
        raise refusal("missing_column.none", name, count=len(trimmed), missing=listed(missing))
    if missing and unknown:
        raise refusal("missing_column.both", name, missing=listed(missing), unknown=listed(unknown))
    if missing:
        raise refusal("missing_column", name, missing=listed(missing))
    if unknown:
        raise refusal("unknown_column", name, unknown=listed(unknown))
    repeated = [column for column, times in Counter(trimmed).items() if times > 1]
    if repeated:
        raise refusal("duplicate_column", name, columns=listed(repeated))
    return [trimmed.index(column) for column in columns]
