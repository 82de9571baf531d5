"""The columns of a delivery against those of its contract: free order, each exactly once, no other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from warehouse.landing.refusal import listed, refusal, shown_name


def match_columns(delivered: Sequence[str], columns: Sequence[str], name: str) -> list[int]:
    """Position in `delivered` of each of `columns`, in their order; names are compared after trimming.

    Raises DeliveryRefused (`duplicate_column`, `missing_column`, `unknown_column`) naming every column at fault; one that is
    only spelt otherwise is named beside its right name.
    """
    trimmed = [text.strip() for text in delivered]
    wanted = set(columns)
    missing = [column for column in columns if column not in trimmed]
    respelt = _respelt(trimmed, missing) if missing else {}
    unknown = [
        f"{text} (= {respelt[text]}?)" if text in respelt else shown_name(text, i)
        for i, text in enumerate(trimmed, start=1)
        if text not in wanted
    ]
    if missing and len(respelt) == len(missing) == len(unknown):
        pairs = [f"{text} = {column}" for text, column in respelt.items()]
        raise refusal("missing_column.spelling", name, respelt=listed(pairs))
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


def _respelt(delivered: Sequence[str], missing: Sequence[str]) -> dict[str, str]:
    """Delivered name -> the missing column that it can only mean."""
    by_spelling = {_plain(text): text for text in delivered}
    return {by_spelling[plain]: column for column in missing if (plain := _plain(column)) in by_spelling}


def _plain(name: str) -> str:
    """What two spellings of one column share: the letters without their case, `_` for every space or dash."""
    return re.sub(r"[\s-]+", "_", name).casefold()
